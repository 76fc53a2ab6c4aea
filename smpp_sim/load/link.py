"""One connection of a load: frames, the bind, and the run that is on."""

import asyncio
import time
from typing import TYPE_CHECKING, cast

from smpp_sim.load import pdu as wire
from smpp_sim.load.run import LoadRun

if TYPE_CHECKING:
    from smpp_sim.load.smsc import LoadSmsc

_LONGEST_PDU = 65536
_INTERFACE_VERSION = 0x34
# A run counts its own sequence numbers from 1 up.
_BIND_SEQUENCE = 0x7FFFFFFF


class LoadLink(asyncio.Protocol):
    """A connection that an ESME has opened, or, with ``account``, one that we have opened to bind as an ESME.

    ``account``: system_id and password of the bind.
    """

    def __init__(self, owner: "LoadSmsc", account: tuple[str, str] | None = None) -> None:
        self.owner = owner
        self.run: LoadRun | None = None
        self.system_id: str | None = None
        self._account = account
        self._answer_command = wire.DELIVER_SM if account else wire.SUBMIT_SM
        self._turn_resp = wire.RESPONSE | (wire.SUBMIT_SM if account else wire.DELIVER_SM)
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind, where that is our part."""
        self.transport = cast(asyncio.Transport, transport)
        self.owner.opened(self)
        if self._account:
            system_id, password = (text.encode("latin-1", "replace") for text in self._account)
            body = system_id + b"\0" + password + b"\0\0" + bytes((_INTERFACE_VERSION, 0, 0, 0))
            head = wire.HEADER.pack(16 + len(body), wire.BIND_TRANSCEIVER, wire.ESME_ROK, _BIND_SEQUENCE)
            self.transport.write(head + body)

    def connection_lost(self, error: Exception | None) -> None:
        """End the run that is on: nobody will answer any more."""
        self.owner.unbound(self)
        if self.run is not None:
            self.run.lost("connection lost")

    def data_received(self, data: bytes) -> None:
        """Take all PDUs of one read, then write all that follows from them at once. The hot path."""
        now_ns = time.perf_counter_ns()
        octets = self._tail + data if self._tail else data
        run, start, end, unpack = self.run, 0, len(octets), wire.HEADER.unpack_from
        answer, acknowledgement = self._answer_command, self._turn_resp
        while end - start >= 16:
            length, command_id, status, sequence = unpack(octets, start)
            stop = start + length
            if not 16 <= length <= _LONGEST_PDU:
                return self._give_up(sequence)
            if stop > end:
                break
            if run is None:
                self._housekeeping(command_id, octets, start, stop)
            elif command_id == answer:
                run.answered(octets, start, stop, sequence, now_ns)
            elif command_id == acknowledgement:
                run.acknowledged(sequence, status, now_ns)
            elif command_id == wire.GENERIC_NACK:
                run.acknowledged(sequence, status or wire.ESME_RINVCMDID, now_ns)
            else:
                self._housekeeping(command_id, octets, start, stop)
            start = stop
        self._tail = octets[start:]
        if run is not None:
            self.flush(run)
        return None

    def flush(self, run: LoadRun) -> None:
        """Write what the run has to say, and what is due by now."""
        now_ns = time.perf_counter_ns()
        if run.next_ns <= now_ns:
            run.arrive(now_ns)
        octets = run.flush(now_ns)
        if octets:
            self.transport.write(octets)

    def _give_up(self, sequence: int) -> None:
        """Close: after an impossible command_length nobody knows where the next PDU begins."""
        self._answer(wire.GENERIC_NACK, wire.ESME_RINVCMDLEN, sequence)
        self.transport.close()

    def _housekeeping(self, command_id: int, octets: bytes, start: int, stop: int) -> None:
        """Answer whatever is not a turn of a run."""
        _, _, status, sequence = wire.HEADER.unpack_from(octets, start)
        if command_id & wire.RESPONSE:
            if self._account and sequence == _BIND_SEQUENCE and self.system_id is None:
                self._bind_answered(command_id, status, octets[start + 16 : stop])
        elif command_id in (wire.BIND_RECEIVER, wire.BIND_TRANSMITTER, wire.BIND_TRANSCEIVER):
            self._bind(command_id, octets, start, stop, sequence)
        elif command_id == wire.ENQUIRE_LINK:
            self._answer(command_id, wire.ESME_ROK, sequence)
        elif command_id == wire.UNBIND:
            self._answer(command_id, wire.ESME_ROK, sequence)
            self.transport.close()
        elif command_id == self._answer_command:
            self._answered_between_runs(sequence)
        else:
            self._answer(wire.GENERIC_NACK, wire.ESME_RINVCMDID, sequence)

    def _answered_between_runs(self, sequence: int) -> None:
        if self.system_id is None:
            self._answer(self._answer_command, wire.ESME_RINVBNDSTS, sequence)
        else:
            body = b"0\0" if self._answer_command == wire.SUBMIT_SM else b"\0"
            self._answer(self._answer_command, wire.ESME_ROK, sequence, body)

    def _bind(self, command_id: int, octets: bytes, start: int, stop: int, sequence: int) -> None:
        try:
            system_id, password = wire.read_bind(octets, start, stop)
        except ValueError:
            return self._answer(command_id, wire.ESME_RINVMSGLEN, sequence)
        status = self.owner.admit(self, command_id, system_id, password)
        if status == wire.ESME_ROK:
            self.system_id = system_id
            self._answer(command_id, status, sequence, self.owner.system_id.encode() + b"\0")
            return self.owner.bound(self)
        self.owner.refused(status)
        return self._answer(command_id, status, sequence)

    def _bind_answered(self, command_id: int, status: int, body: bytes) -> None:
        if command_id == wire.RESPONSE | wire.BIND_TRANSCEIVER and status == wire.ESME_ROK:
            self.system_id = body.partition(b"\0")[0].decode("latin-1")
            self.owner.bound(self)
        else:
            self.owner.refused(status)

    def _answer(self, command_id: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.transport.write(wire.response(command_id, status, sequence, body))
