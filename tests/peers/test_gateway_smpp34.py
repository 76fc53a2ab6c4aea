"""smpp34's server (Rust) as SMSC and USSD centre, the gateway as the ESME.

It takes any account, and answers enquire_link and unbind by itself.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import smpp34

from gateway.daemon import Gateway
from handlers import password
from tests.peers.stage import ENGLISH, ENGLISH_BALANCE, OTHERS, RUSSIAN, RUSSIAN_BALANCE, gateway

WAIT_S = 30
SESSION = 0x5A
Event = TypeVar("Event", smpp34.Esme, smpp34.SubmitSmEvent, smpp34.Unbound)


class Smsc:
    """A listening smpp34, and the connection that was last bound."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.esme: smpp34.Esme | None = None
        self._server = smpp34.Server("127.0.0.1", port, system_id="smpp34")

    async def __aenter__(self) -> "Smsc":
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def accepted(self) -> smpp34.Esme:
        """The gateway's next connection, which is bound by then."""
        self.esme = await self.next(smpp34.Esme)
        return self.esme

    async def next(self, kind: type[Event]) -> Event:
        """What comes next, which has to be of this kind."""
        async with asyncio.timeout(WAIT_S):
            event = await self._server.next()
        assert isinstance(event, kind), f"{kind.__name__} was to come next, and {event} did"
        return event

    async def submitted(self, message_id: str = "1") -> smpp34.SubmitSmEvent:
        """The gateway's submit_sm that comes next, accepted."""
        event = await self.next(smpp34.SubmitSmEvent)
        event.accept(message_id)
        return event

    async def send(self, msisdn: str, to: str, text: bytes, **fields: Any) -> None:
        """Send a deliver_sm, which has to be accepted."""
        assert self.esme
        async with asyncio.timeout(WAIT_S):
            response = await self.esme.deliver_sm(to, text, source_addr=msisdn, **fields)
        assert response.is_success, f"the gateway refused it: {response}"

    async def ussd(self, msisdn: str, op: int, unit: int, text: bytes) -> None:
        """Send a USSD deliver_sm of the dialogue `SESSION`."""
        info = [
            smpp34.Tlv(smpp34.TLV_USSD_SERVICE_OP, bytes([op])),
            smpp34.Tlv(smpp34.TLV_ITS_SESSION_INFO, bytes([SESSION, unit << 1])),
        ]
        await self.send(msisdn, "105", text, service_type="USSD", data_coding=0x0F, tlvs=info)


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Smsc]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with Smsc(port) as smsc:
        yield smsc


@contextlib.asynccontextmanager
async def bound(folder: Path, **settings: Any) -> AsyncIterator[tuple[Smsc, Gateway]]:
    """A gateway that is bound."""
    async with listening() as smsc, gateway(smsc.port, folder, **settings) as ours:
        await smsc.accepted()
        yield smsc, ours


def tlvs(event: smpp34.SubmitSmEvent) -> dict[int, bytes]:
    return {tlv.tag: bytes(tlv.value) for tlv in event.tlvs}


def text_of(event: smpp34.SubmitSmEvent) -> str:
    octets = bytes(event.short_message)
    if event.esm_class & 0x40:
        octets = octets[octets[0] + 1 :]
    return octets.decode("utf-16-be" if event.data_coding in (0x08, 0x48) else "ascii")


def check_screen(event: smpp34.SubmitSmEvent, msisdn: str, op: int, info: int, data_coding: int) -> None:
    """Check all of a USSD answer but its text."""
    assert (event.service_type, event.source_addr, event.destination_addr) == ("USSD", "105", msisdn)
    assert tlvs(event)[smpp34.TLV_USSD_SERVICE_OP] == bytes([op])
    assert tlvs(event)[smpp34.TLV_ITS_SESSION_INFO] == bytes([SESSION, info])
    assert event.data_coding == data_coding


async def test_bind_and_stop(tmp_path: Path) -> None:
    async with listening() as smsc:
        async with gateway(smsc.port, tmp_path) as ours:
            esme = await smsc.accepted()
            assert (esme.system_id, esme.can_receive) == ("gw", True)
            await smsc.send(RUSSIAN, "000105", b"balance")
            await smsc.submitted()
            assert ours.problems() == {"peer": None}
        await smsc.next(smpp34.Unbound)


async def test_menu_dialogue(tmp_path: Path) -> None:
    async with bound(tmp_path) as (smsc, _):
        await smsc.ussd(ENGLISH, 1, 0, b"*105#")
        root = await smsc.submitted()
        check_screen(root, ENGLISH, 2, 0x02, 0x0F)
        await smsc.ussd(ENGLISH, 18, 2, b"3")
        check_screen(await smsc.submitted(), ENGLISH, 2, 0x06, 0x0F)
        await smsc.ussd(ENGLISH, 18, 4, b"0")
        back = await smsc.submitted()
        check_screen(back, ENGLISH, 2, 0x0A, 0x0F)
        assert text_of(back) == text_of(root)
        await smsc.ussd(ENGLISH, 18, 6, b"1")
        check_screen(await smsc.submitted(), ENGLISH, 17, 0x0F, 0x0F)


@pytest.mark.parametrize(
    ("msisdn", "balance", "data_coding"),
    [(RUSSIAN, RUSSIAN_BALANCE, 0x48), (ENGLISH, ENGLISH_BALANCE, 0x0F)],
    ids=["ucs2", "gsm7"],
)
async def test_balance(tmp_path: Path, msisdn: str, balance: str, data_coding: int) -> None:
    async with bound(tmp_path) as (smsc, _):
        await smsc.ussd(msisdn, 1, 0, b"*100#")
        event = await smsc.submitted()
        check_screen(event, msisdn, 17, 0x03, data_coding)
        assert balance in text_of(event)


async def test_password_by_sms(tmp_path: Path) -> None:
    async with bound(tmp_path) as (smsc, ours):
        await smsc.send(RUSSIAN, "000110", b"")
        event = await smsc.submitted()
        assert (event.source_addr, event.destination_addr, event.data_coding) == ("000110", RUSSIAN, 0x08)
        found = re.search(r"Логин (\d+), пароль (\S+)", text_of(event))
        assert found, f"no login and password in {text_of(event)!r}"
        assert await password.verify(ours.store, RUSSIAN, found[2])


async def test_long_sms(tmp_path: Path) -> None:
    """In parts; smpp34 handles what one read brought in any order, and hands the parts out so."""
    async with bound(tmp_path) as (smsc, _):
        await smsc.send(RUSSIAN, "000105", b"")
        parts = [await smsc.submitted()]
        total = parts[0].short_message[4]
        parts += [await smsc.submitted(str(number)) for number in range(2, total + 1)]
        parts.sort(key=lambda part: part.short_message[5])
        headers = [bytes(part.short_message[:6]) for part in parts]
        reference = headers[0][3]
        assert headers == [bytes([5, 0, 3, reference, total, number]) for number in range(1, total + 1)]
        assert "".join(map(text_of, parts)).startswith("Команды: БАЛАНС")


async def test_receipt(tmp_path: Path) -> None:
    """A delivery receipt is nobody's turn: acknowledged, and what comes next is the answer to what came after it."""
    async with bound(tmp_path) as (smsc, _):
        text = (
            b"id:1 sub:001 dlvrd:001 submit date:2609211413 done date:2609211413 stat:DELIVRD err:000 text:"
        )
        info = [
            smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"1\0"),
            smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02"),
        ]
        await smsc.send(RUSSIAN, "000110", text, esm_class=0x04, tlvs=info)
        await smsc.send(ENGLISH, "000105", b"balance")
        assert ENGLISH_BALANCE in text_of(await smsc.submitted())


@pytest.mark.parametrize("status", [smpp34.ESME_RTHROTTLED, smpp34.ESME_RMSGQFUL, smpp34.ESME_RSYSERR])
async def test_throttled(tmp_path: Path, status: int) -> None:
    """W2, W3: what was refused for now comes again."""
    async with bound(tmp_path, window=1) as (smsc, _):
        await smsc.send(OTHERS[0], "000100", b"?")
        refused = await smsc.next(smpp34.SubmitSmEvent)
        refused.reject(status)
        again = await smsc.submitted()
        assert (again.destination_addr, again.short_message) == (OTHERS[0], refused.short_message)


async def test_refused_for_good(tmp_path: Path) -> None:
    async with bound(tmp_path) as (smsc, _):
        await smsc.send(RUSSIAN, "000100", b"?")
        (await smsc.next(smpp34.SubmitSmEvent)).reject(smpp34.ESME_RINVDSTADR)
        await smsc.send(ENGLISH, "000100", b"?")
        assert (await smsc.submitted()).destination_addr == ENGLISH


async def test_smsc_unbinds(tmp_path: Path) -> None:
    """S6: the gateway answers, closes, and binds again."""
    async with bound(tmp_path) as (smsc, _):
        assert smsc.esme
        await smsc.esme.unbind()
        await smsc.next(smpp34.Unbound)
        await smsc.accepted()
        await smsc.ussd(ENGLISH, 1, 0, b"*100#")
        assert ENGLISH_BALANCE in text_of(await smsc.submitted())
