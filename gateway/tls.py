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
        try:
            if tls.cert_file:
                # No question on the terminal of a daemon: a key with a passphrase is an error.
                context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_passphrase)
            if tls.ca_file:
                context.load_verify_locations(tls.ca_file)
            elif not self._listens:
                context.load_default_certs()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{self._where}.tls: {_files(tls)}: {_reason(error)}") from None
        if tls.require_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _files(tls: Tls) -> str:
    return ", ".join(path for path in (tls.cert_file, tls.key_file, tls.ca_file) if path)


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase: give one without")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
