"""The tester's mailbox: an SMTP server that takes everything, keeps the last letters in memory, sends nothing on."""

import asyncio
import email.policy
import time
from collections import deque
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope

from smpp_sim.phones.events import EventLog
from smpp_sim.settings import cannot_listen

MAX_LETTERS = 100
"""Letters kept; the oldest goes first."""
MAX_LETTER_OCTETS = 1024 * 1024
"""Octets of a letter; a larger one is refused with 552."""
MAX_CONNECTIONS = 32
"""Connections at one time; a further one is closed."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a letter."""

    name: str
    content_type: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail as it was received. `number` counts from 1, `text` is its first text/plain part."""

    number: int
    at: float
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    attachments: tuple[Attachment, ...]
    octets: bytes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: without the octets, attachments by name, type and size."""
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "subject": self.subject,
            "text": self.text,
            "attachments": [
                {"name": one.name, "content_type": one.content_type, "octets": len(one.octets)}
                for one in self.attachments
            ],
        }


class Mailbox:
    """Listens for SMTP and keeps what comes: `letters`, newest last; `log` has an event ``mail`` for each."""

    def __init__(self) -> None:
        self.letters: deque[Letter] = deque(maxlen=MAX_LETTERS)
        self.log = EventLog()
        self.port = 0
        self.connections: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None
        self._count = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 picks a free one, `port` then says which. Raises `SimulatorError`."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: self._protocol(loop), host, port)
        except OSError as error:
            raise cannot_listen("mailbox", host, port, error) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening; the letters stay."""
        self.log.close()
        if self._server:
            self._server.close()
            self._server = None
        for transport in list(self.connections):
            transport.close()

    def letter(self, number: int) -> Letter | None:
        """The letter with this number, unless it was never there or is forgotten."""
        return next((letter for letter in self.letters if letter.number == number), None)

    def keep(self, sender: str, recipients: list[str], octets: bytes, at: float) -> Letter:
        """Put a letter into the box; a malformed one is kept as well as it can be read."""
        self._count += 1
        letter = Letter(self._count, at, sender, tuple(recipients), *_read(octets), octets)
        self.letters.append(letter)
        self.log.add("mail", letter.as_dict(), at)
        return letter

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return _Connection(
            self,
            _Sink(self),
            data_size_limit=MAX_LETTER_OCTETS,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="starpound mailbox",
            timeout=60,
            loop=loop,
        )


class _Connection(SMTP):
    """aiosmtpd's protocol, so many at a time."""

    def __init__(self, mailbox: Mailbox, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        self._mailbox = mailbox

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or close at once when there are connections enough."""
        super().connection_made(transport)
        self._mailbox.connections.add(transport)
        if len(self._mailbox.connections) > MAX_CONNECTIONS:
            cast(asyncio.WriteTransport, transport).abort()  # that of a socket always is one

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        self._mailbox.connections.discard(self.transport)
        super().connection_lost(error)


class _Sink:
    """aiosmtpd's handler: it calls ``handle_DATA`` by that name."""

    def __init__(self, mailbox: Mailbox):
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        """Keep the letter."""
        octets = envelope.original_content or b""
        self._mailbox.keep(envelope.mail_from or "", list(envelope.rcpt_tos), octets, time.time())
        return "250 OK"


def _read(octets: bytes) -> tuple[str, str, tuple[Attachment, ...]]:
    """Subject, text and attachments; what is no letter at all is shown as text."""
    try:
        message = BytesParser(policy=email.policy.default).parsebytes(octets)
        return str(message["subject"] or ""), _text(message), tuple(_attachments(message))
    except Exception:  # the parser of the standard library raises almost anything at a malformed header
        return "", octets.decode("utf-8", "replace"), ()


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    return str(body.get_content()) if body else ""


def _attachments(message: EmailMessage) -> list[Attachment]:
    return [
        Attachment(part.get_filename() or "", part.get_content_type(), _octets(part))
        for part in message.iter_attachments()
    ]


def _octets(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""  # a letter within the letter has none
