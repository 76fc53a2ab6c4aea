"""The quarantine: PDUs that could not be understood are kept, so that somebody can look at them and try them again.

Whoever is hostile must not make the daemon write without end: what comes between two looks is written in one
transaction, only so many of it are kept, and the rest is counted.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import structlog

from data.model import QuarantineRecord
from data.store import Store, StoreError
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.explain import one_line
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm, encode
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD, status_name

log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_AT_ONCE = 100  # records kept between two looks
_LONGEST_OCTETS = 4096  # of a record: more than any message needs, and 10 000 of them do not fill a disk


def octets_of(pdu: DeliverSm | SubmitSm | DataSm) -> bytes:
    """The octets of a message that was decoded; one octet too many in short_message is read, but never written."""
    try:
        return encode(pdu)
    except LocalProtocolError:
        if isinstance(pdu, DataSm):
            raise
        tlvs = {MESSAGE_PAYLOAD: pdu.short_message, **pdu.tlvs}
        return encode(replace(pdu, short_message=b"", tlvs=tlvs))


class Quarantine:
    """Await `run` in a task. `limit` records stay in the store, the newest; 0 keeps none."""

    def __init__(
        self,
        store: Store,
        limit: int,
        clock: Callable[[], float] = time.time,
    ):
        self._store, self._limit = store, limit
        self._clock = clock
        self._waiting: list[QuarantineRecord] = []
        self._dropped = 0
        self._wake = asyncio.Event()

    def keep(
        self,
        link: str,
        peer: str,
        reason: str,
        status: int,
        octets: bytes,
        direction: Literal["in", "out"] = "in",
    ) -> None:
        """Take note of a PDU; it costs nothing but memory, and not much of that."""
        self._wake.set()
        if len(self._waiting) >= _AT_ONCE:
            self._dropped += 1
            return
        log.warning(
            "PDU not understood",
            **({"link": link} if link else {}),
            peer=peer,
            reason=reason,
            status=status_name(status),
            pdu=one_line(octets),  # without text and passwords
        )
        self._waiting.append(
            QuarantineRecord(
                0, link, peer, direction, reason, status, octets[:_LONGEST_OCTETS], self._clock(), False
            )
        )

    async def run(self) -> None:
        """Write what there is, once a second at most, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what there is. If the store fails it waits for the next time."""
        if self._dropped:
            log.warning("more PDUs not understood than are kept", not_kept=self._dropped)
        self._dropped = 0
        if not self._limit:
            self._waiting.clear()
        if not self._waiting:
            return
        records = self._waiting[:]
        try:
            async with self._store.unit() as unit:
                await unit.inbox.quarantine(records, self._limit)
        except Exception as error:  # a peer must not end the daemon, whatever the store thinks of its octets
            expected = isinstance(error, StoreError)
            log.warning("quarantine not written yet", reason=str(error), exc_info=not expected)
            self._wake.set()
        else:
            del self._waiting[: len(records)]
