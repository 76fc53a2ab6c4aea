"""node-smpp as SMSC, the gateway as the ESME: how a link begins, flows and ends."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from smpplib import consts

from tests.peers.node_peer import Node
from tests.peers.node_smsc import SESSION, accepted, answer, body, bound, check_screen, sms, submitted, ussd
from tests.peers.stage import ENGLISH, OTHERS, RUSSIAN, gateway

# --- bind, unbind, sign of life


async def test_bind(node: Node, tmp_path: Path) -> None:
    """S11: interface_version is the octet 0x34. S6: a gateway that stops unbinds, and waits for the answer."""
    async with node.smsc() as smsc:
        async with gateway(smsc.port, tmp_path, system_type="ussd") as ours:
            link = await smsc.opened()
            pdu = await link.next("bind_transceiver")
            assert (pdu["system_id"], pdu["password"], pdu["system_type"]) == ("gw", "secret", "ussd")
            assert pdu["interface_version"] == 0x34
            link.respond(pdu, system_id="node")
            await link.nothing_came()
            assert ours.problems() == {"peer": None}
        await link.next("unbind")
        await link.closed()


async def test_pair(node: Node, tmp_path: Path) -> None:
    """A receiver and a transmitter are one link: asked by the one, answered by the other."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path, bind="pair") as ours:
        links = {}
        for link in (await smsc.opened(), await smsc.opened()):
            bind = await link.any()
            link.respond(bind, system_id="node")
            links[bind["command"]] = link
        receiver, transmitter = links["bind_receiver"], links["bind_transmitter"]
        await transmitter.nothing_came()
        ussd(receiver, RUSSIAN, 1, 0, "*105*00#")
        assert (await receiver.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_ROK
        question = await submitted(transmitter)
        check_screen(question, RUSSIAN, 2, bytes([SESSION, 2]), 0x48)
        await receiver.nothing_came()
        assert ours.problems() == {"peer": None}


async def test_stop_finishes_what_is_under_way(node: Node, tmp_path: Path) -> None:
    """S6: a gateway that stops takes nothing new, waits for the responses that it is owed, and then unbinds."""
    async with node.smsc() as smsc, contextlib.AsyncExitStack() as running:
        await running.enter_async_context(gateway(smsc.port, tmp_path))
        link = await accepted(smsc)
        ussd(link, RUSSIAN, 1, 0, "*100#")
        await link.next("deliver_sm_resp")
        pdu = await link.next("submit_sm")
        stopping = asyncio.create_task(running.aclose())
        ussd(link, ENGLISH, 1, 0, "*100#")
        assert (await link.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_RX_T_APPN
        link.respond(pdu, message_id="1")
        await link.next("unbind")
        await link.closed()
        await stopping


async def test_refused_bind_is_tried_again(node: Node, tmp_path: Path) -> None:
    """A bind that is refused is no reason to give up, and /healthz says why the link is down."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path) as ours:
        link = await smsc.opened()
        refused = await link.next("bind_transceiver")
        link.respond(refused, command_status=consts.SMPP_ESME_RINVPASWD)
        await link.closed()
        again = await smsc.opened()
        bind = await again.next("bind_transceiver")
        assert "ESME_RINVPASWD" in ours.problems()["peer"]
        again.respond(bind, system_id="node")
        await again.nothing_came()
        assert ours.problems() == {"peer": None}
        ussd(again, RUSSIAN, 1, 0, "*100#")
        await answer(again)


async def test_ahead_of_bind_resp(node: Node, tmp_path: Path) -> None:
    """S1, S5: what an impatient SMSC sends before its bind_resp is answered, and not taken for it."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path):
        link = await smsc.opened()
        bind = await link.next("bind_transceiver")
        await link.nothing_came()
        sms(link, RUSSIAN, "000100", "?")
        assert (await link.next("deliver_sm_resp"))["command_status"] == consts.SMPP_ESME_RINVBNDSTS
        link.respond(bind, system_id="node")
        sms(link, RUSSIAN, "000100", "?")
        await answer(link)


async def test_gateway_asks_for_life(node: Node, tmp_path: Path) -> None:
    """S5: its second question comes only because the first one was answered. (`nothing_came` asks the gateway.)"""
    async with bound(node, tmp_path, enquire_link_s=0.1) as (link, _):
        for _ in range(2):
            link.respond(await link.next("enquire_link"))


async def test_dead_link_is_left(node: Node, tmp_path: Path) -> None:
    """No answer to enquire_link within the response timer: the gateway closes and binds again."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path, enquire_link_s=0.1, response_s=1):
        dead = await accepted(smsc)
        await dead.next("enquire_link")
        await dead.closed()
        await accepted(smsc)


async def test_smsc_unbinds(node: Node, tmp_path: Path) -> None:
    """S6: answered, then closed; the gateway binds again, and what was under way is sent again (W4)."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path):
        first = await accepted(smsc)
        ussd(first, RUSSIAN, 1, 0, "*100#")
        await first.next("deliver_sm_resp")
        lost = await first.next("submit_sm")
        assert (await first.ask("unbind"))["command_status"] == consts.SMPP_ESME_ROK
        await first.closed()
        second = await accepted(smsc)
        again = await submitted(second)
        assert body(again) == body(lost)
        await second.nothing_came()


async def test_smsc_unbinds_between_two_turns(node: Node, tmp_path: Path) -> None:
    """A dialogue outlives its link."""
    async with node.smsc() as smsc, gateway(smsc.port, tmp_path):
        first = await accepted(smsc)
        ussd(first, RUSSIAN, 1, 0, "*105*00#")
        assert (await answer(first))["ussd_service_op"] == 2
        await first.ask("unbind")
        await first.closed()
        second = await accepted(smsc)
        ussd(second, RUSSIAN, 18, 2, "")
        last = await answer(second)
        check_screen(last, RUSSIAN, 17, bytes([SESSION, 7]), 0x48)


# --- flow


@pytest.mark.parametrize("status", [consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL])
async def test_throttled(node: Node, tmp_path: Path, status: int) -> None:
    """W2: what was throttled comes again, and in front of what stands behind it; nothing is dropped."""
    async with bound(node, tmp_path, window=1) as (link, _):
        sms(link, OTHERS[0], "000100", "?")
        await link.next("deliver_sm_resp")
        throttled = await link.next("submit_sm")
        for msisdn in OTHERS[1:]:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
        link.respond(throttled, command_status=status)
        came = [await submitted(link) for _ in OTHERS]
        assert [pdu["destination_addr"] for pdu in came] == list(OTHERS)
        assert body(came[0]) == body(throttled)
        await link.nothing_came()


async def test_throttled_window(node: Node, tmp_path: Path) -> None:
    """W2, with several under way: all come again, in their order."""
    async with bound(node, tmp_path) as (link, _):
        first = []
        for msisdn in OTHERS:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
            first.append(await link.next("submit_sm"))
        for pdu in first:
            link.respond(pdu, command_status=consts.SMPP_ESME_RTHROTTLED)
        again = [await submitted(link) for _ in OTHERS]
        assert [body(pdu) for pdu in again] == [body(pdu) for pdu in first]
        assert not {pdu["sequence_number"] for pdu in again} & {pdu["sequence_number"] for pdu in first}
        await link.nothing_came()


async def test_window(node: Node, tmp_path: Path) -> None:
    """W1: the window is never exceeded; each response lets the next one out."""
    async with bound(node, tmp_path, window=2) as (link, _):
        under_way = []
        for msisdn in OTHERS[:2]:
            sms(link, msisdn, "000100", "?")
            await link.next("deliver_sm_resp")
            under_way.append(await link.next("submit_sm"))
        sms(link, OTHERS[2], "000100", "?")
        await link.next("deliver_sm_resp")
        await link.nothing_came()
        link.respond(under_way[1], message_id="2")
        assert (await submitted(link))["destination_addr"] == OTHERS[2]
        link.respond(under_way[0], message_id="1")
        await link.nothing_came()


@pytest.mark.parametrize("status", [consts.SMPP_ESME_RINVDSTADR, 0x0410], ids=["RINVDSTADR", "vendor"])
async def test_refused_for_good(node: Node, tmp_path: Path, status: int) -> None:
    """W3, F9: a permanent error is not tried again, and harms nobody else."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        await answer(link, command_status=status)
        await link.nothing_came()
        ussd(link, ENGLISH, 1, 0, "*100#")
        assert (await answer(link))["destination_addr"] == ENGLISH
        await link.nothing_came()


async def test_try_again_later(node: Node, tmp_path: Path) -> None:
    """W3: a temporary error holds up this message only."""
    async with bound(node, tmp_path) as (link, _):
        sms(link, RUSSIAN, "000100", "?")
        failed = await answer(link, command_status=consts.SMPP_ESME_RSYSERR)
        assert body(await submitted(link)) == body(failed)
        await link.nothing_came()


async def test_stray_responses(node: Node, tmp_path: Path) -> None:
    """S7: an answer that comes twice is dropped."""
    async with bound(node, tmp_path) as (link, _):
        ussd(link, RUSSIAN, 1, 0, "*100#")
        pdu = await answer(link)
        link.respond(pdu, message_id="1")
        link.respond(pdu, command_status=consts.SMPP_ESME_RTHROTTLED)
        await link.nothing_came()


# --- the other commands


@pytest.mark.parametrize("command", ["submit_sm", "query_sm"])
async def test_not_offered(node: Node, tmp_path: Path, command: str) -> None:
    """Every request is answered, also one that an SMSC has no business sending; the link lives."""
    async with bound(node, tmp_path) as (link, _):
        response = await link.ask(command)
        assert response["command_status"] != consts.SMPP_ESME_ROK
        await link.nothing_came()


async def test_unknown_command(node: Node, tmp_path: Path) -> None:
    """F3: generic_nack with the same sequence number, and the link lives."""
    async with bound(node, tmp_path) as (link, _):
        link.send("broadcast_sm", message_id="1", sequence_number=0x1234)
        nack = await link.next("generic_nack")
        assert (nack["command_status"], nack["sequence_number"]) == (consts.SMPP_ESME_RINVCMDID, 0x1234)
        await link.nothing_came()
