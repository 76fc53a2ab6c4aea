"""TLS on links, with the standard library's contexts.

A certificate is replaced by replacing its file: a context is made anew when one of its files has changed since. Files
that cannot be read leave the last good context in use, for a link that works must not end with a slip in a renewal.
"""

import ssl
from pathlib import Path

import structlog

from gateway.settings import SettingsError, Tls

log = structlog.get_logger(__name__)


class Certificates:
    """The `ssl.SSLContext` of one link or listening address.

    Making it reads the files: `SettingsError` says which one is wrong. `listens`: whether the peer connects to us.
    """

    def __init__(self, tls: Tls, where: str, *, listens: bool):
        self._tls, self._where, self._listens = tls, where, listens
        self._read = self._times()
        self._context = self._make()

    def context(self) -> ssl.SSLContext:
        """For the next connection."""
        times = self._times()
        if times != self._read:
            self._read = times
            try:
                self._context = self._make()
            except SettingsError as error:
                log.error("certificates not read again; the last good ones stay in use", reason=str(error))
            else:
                log.info("certificates read again", where=self._where)
        return self._context

    def _times(self) -> list[int]:
        paths = (self._tls.ca_file, self._tls.cert_file, self._tls.key_file)
        return [_changed(path) for path in paths if path]

    def _make(self) -> ssl.SSLContext:
        tls = self._tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if self._listens else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        for name, path in (
            ("cert_file", tls.cert_file),
            ("key_file", tls.key_file),
            ("ca_file", tls.ca_file),
        ):
            if path:
                self._require(name, path)
        if tls.cert_file:
            self._load_ours(context)
        if tls.ca_file:
            self._load_theirs(context)
        elif not self._listens:
            context.load_default_certs()
        if tls.require_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _require(self, name: str, path: str) -> None:
        try:
            Path(path).read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise SettingsError(f"{self._where}.tls.{name}: {path!r}: {why}") from None

    def _load_ours(self, context: ssl.SSLContext) -> None:
        cert_file, key_file = self._tls.cert_file, self._tls.key_file
        assert cert_file, "nothing of ours to load"
        try:
            # No question on the terminal of a daemon: a key with a passphrase is an error.
            context.load_cert_chain(cert_file, key_file, password=_no_passphrase)
        except (OSError, ValueError) as error:
            pair = f"{cert_file} and {key_file}" if key_file else cert_file
            why = (
                str(error) if type(error) is ValueError else "no certificate and its own private key, in PEM"
            )
            raise SettingsError(f"{self._where}.tls: {pair}: {why}") from None

    def _load_theirs(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(self._tls.ca_file)
        except (OSError, ValueError):
            raise SettingsError(
                f"{self._where}.tls.ca_file: {self._tls.ca_file}: no certificate in PEM"
            ) from None


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase: give one without")
