"""A tester's ESME on smpplib: binds to an SMSC, receives, submits. Blocking; one thread at a time.

smpplib shares no code with the core, so that this end proves something about the other one. What it cannot do stays
so: it knows no USSD TLVs, and says so here in plain words.
"""

import contextlib
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from smpplib import client, consts, exceptions

from gateway.smpp.text import ALPHABET_BY_DCS, decode_text, measure, segments
from gateway.smpp.user_data_header import parse_udh

MAX_KEPT = 1000
"""Messages and responses that wait to be asked for; the oldest goes first."""

_DCS = {"gsm7": consts.SMPP_ENCODING_DEFAULT, "ucs2": consts.SMPP_ENCODING_ISO10646}


class EsmeError(Exception):
    """The SMSC refused, is gone, or sent what smpplib cannot read; one clear sentence."""


@dataclass(frozen=True, slots=True)
class Received:
    """A deliver_sm. `text` is without a user data header; `octets` is the whole short_message."""

    source: str
    destination: str
    text: str
    octets: bytes = field(repr=False)
    esm_class: int
    data_coding: int

    @property
    def is_receipt(self) -> bool:
        """Whether it is a delivery receipt (SMPP 3.4 §5.2.12)."""
        return self.esm_class & 0x3C == 0x04


class SmpplibEsme:
    """One bind. `connect` first; as a context manager it does, and unbinds at the end.

    `status` is the command_status that deliver_sm are answered with.
    """

    def __init__(
        self,
        host: str,
        port: int,
        system_id: str = "gw",
        password: str = "secret",  # noqa: S107 — the simulator's default, not a secret
        bind: str = "transceiver",
        timeout_s: float = 5.0,
    ):
        self.status = 0
        self._account = {"system_id": system_id, "password": password}
        self._timeout_s = timeout_s
        self._received: deque[Received] = deque(maxlen=MAX_KEPT)
        self._responses: deque[Any] = deque(maxlen=MAX_KEPT)
        make: Any = client.Client  # smpplib has no types
        self._client = make(host, port, timeout=timeout_s, allow_unknown_opt_params=True)
        self._client.set_message_received_handler(self._on_message)
        self._client.set_message_sent_handler(self._on_response)
        self._client.set_error_pdu_handler(self._on_error)
        self._bind = {
            "transceiver": self._client.bind_transceiver,
            "receiver": self._client.bind_receiver,
            "transmitter": self._client.bind_transmitter,
        }[bind]

    def __enter__(self) -> "SmpplibEsme":
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        """Connect and bind. Raises `EsmeError`."""
        try:
            self._client.connect()
            self._bind(**self._account)
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as problem:
            self._client.state = consts.SMPP_CLIENT_STATE_OPEN
            self._client.disconnect()
            raise EsmeError(f"no bind: {_words(problem)}") from None

    def close(self) -> None:
        """Unbind and disconnect; a link that is gone already is no matter."""
        with contextlib.suppress(exceptions.ConnectionError, exceptions.PDUError, OSError, AttributeError):
            self._client.unbind()
        self._client.state = consts.SMPP_CLIENT_STATE_OPEN  # what disconnect wants to see
        self._client.disconnect()

    def cut(self) -> None:
        """Drop the connection without a word, as a process that is killed."""
        self._client.state = consts.SMPP_CLIENT_STATE_OPEN
        self._client.disconnect()

    def receive(self, timeout_s: float | None = None) -> Received:
        """The next message, answered with `status`. Raises `EsmeError` when none comes in time."""
        self._read_until(lambda: self._received, timeout_s, "no deliver_sm came")
        return self._received.popleft()

    def submit(self, source: str, destination: str, text: str, *, receipt: bool = False) -> list[str]:
        """Send an SMS, in several submit_sm if it is long; their message ids. Raises `EsmeError`."""
        alphabet, _ = measure(text)
        parts = segments(text, alphabet, time.monotonic_ns() & 0xFF)
        return [
            self._submit(source, destination, part, _DCS[alphabet], len(parts) > 1, receipt) for part in parts
        ]

    def _submit(
        self, source: str, destination: str, part: bytes, dcs: int, header: bool, receipt: bool
    ) -> str:
        self._client.send_message(
            source_addr=source,
            destination_addr=destination,
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            short_message=part,
            data_coding=dcs,
            esm_class=consts.SMPP_GSMFEAT_UDHI if header else consts.SMPP_MSGMODE_DEFAULT,
            registered_delivery=1 if receipt else 0,
        )
        self._read_until(lambda: self._responses, None, "no submit_sm_resp came")
        response = self._responses.popleft()
        if response.status:
            raise EsmeError(f"{response.command} with status 0x{response.status:08x}")
        message_id: bytes = response.message_id
        return message_id.decode()

    def _on_message(self, pdu: Any) -> int:
        octets = pdu.short_message or b""
        text_octets = parse_udh(octets)[1] if pdu.esm_class & consts.SMPP_GSMFEAT_UDHI else octets
        alphabet = ALPHABET_BY_DCS["sms"].get(pdu.data_coding, "latin1")
        self._received.append(
            Received(
                pdu.source_addr.decode("latin-1"),
                pdu.destination_addr.decode("latin-1"),
                decode_text(text_octets, alphabet),
                octets,
                pdu.esm_class,
                pdu.data_coding,
            )
        )
        return self.status

    def _on_response(self, pdu: Any) -> None:
        self._responses.append(pdu)

    def _on_error(self, pdu: Any) -> None:
        """smpplib reports an error in submit_sm_resp here and as a response; of others nobody waits."""

    def _read_until(self, found: Any, timeout_s: float | None, problem: str) -> None:
        """smpplib loses what it has read when its own timeout strikes within a PDU, so select waits instead."""
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        while not found():
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._socket], [], [], left_s)[0]:
                raise EsmeError(f"{problem} within {timeout_s:g} s")
            self._read_one()

    def _read_one(self) -> None:
        try:
            self._client.read_once(auto_send_enquire_link=False)
        except KeyError as tlv:
            raise EsmeError(f"smpplib cannot read the TLV {tlv} here: USSD needs another ESME") from None
        except (exceptions.ConnectionError, exceptions.PDUError, OSError) as problem:
            raise EsmeError(f"the link is gone: {_words(problem)}") from None

    @property
    def _socket(self) -> socket.socket:
        connected: socket.socket | None = (
            self._client._socket
        )  # smpplib has no public way to wait on several things
        if connected is None:
            raise EsmeError("not connected")
        return connected


def _words(problem: Exception) -> str:
    return str(problem.args[0]) if problem.args else "connection lost"
