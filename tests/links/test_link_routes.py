"""Routes: where messages leave that answer no question, and what becomes of them when links come and go."""

import asyncio
from collections import Counter

import pytest

from gateway import daemon
from gateway.smpp.pdu import DeliverSm, SubmitSm
from gateway.smpp.vocabulary import ESME_ROK
from gateway.turns import post
from tests.links.peer import centre, connected
from tests.links.scene import (
    dialled,
    from_centre,
    gateway,
    healthy,
    listening_port,
    metric,
    number,
    replied,
    scene,
    shown,
    table,
    to_centre,
    until,
)

PASSWORD_SENDER = "000110"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(post, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(daemon, "_HOUSEKEEPING_EVERY_S", 0.05)


async def ask_for_password(peer, msisdn, screens, session=1):
    """Dial for a password, and say OK to the first of so many screens."""
    await peer.ask(dialled(msisdn, "*105*00#", session))
    await peer.message(screens)
    await peer.ask(replied(msisdn, "", session))


@scene
async def test_the_sms_of_a_dialogue_leaves_by_the_route_and_the_screen_by_the_link_of_the_question(tmp_path):
    async with centre() as ussd, centre() as sms:
        links = to_centre(ussd.port, name="ussd"), to_centre(sms.port, name="sms")
        async with gateway(tmp_path, *links, routes=[{"links": ["sms"]}]) as ours:
            asks, hears = await ussd.bound(), await sms.bound()
            await healthy(ours)
            await ask_for_password(asks, number(3), 1)
            password = await hears.message()
            assert (password.source_addr, password.destination_addr) == (PASSWORD_SENDER, number(3))
            await asks.message(2)
            assert all(pdu.source_addr == "105" for pdu in asks.messages)
            assert len(hears.messages) == 1


@scene
async def test_the_longest_beginning_counts(tmp_path):
    async with centre() as ussd, centre() as near, centre() as far:
        links = [
            to_centre(one.port, name=name) for name, one in {"ussd": ussd, "near": near, "far": far}.items()
        ]
        ways = [
            {"links": ["far"], "to": "79"},
            {"links": ["near"], "to": number(3)[:-1]},
            {"links": ["ussd"]},
        ]
        async with gateway(tmp_path, *links, routes=ways) as ours:
            asks = await ussd.bound()
            await healthy(ours)
            await ask_for_password(asks, number(3), 1)
            await ask_for_password(asks, number(13), 3, session=2)
            assert (await near.peers[0].message()).destination_addr == number(3)
            assert (await far.peers[0].message()).destination_addr == number(13)


@scene
async def test_without_a_route_it_leaves_by_the_link_of_the_turn(tmp_path):
    async with centre() as ussd, centre() as sms:
        links = to_centre(ussd.port, name="ussd"), to_centre(sms.port, name="sms")
        async with gateway(tmp_path, *links, routes=[{"links": ["sms"], "to": "44"}]) as ours:
            asks = await ussd.bound()
            await healthy(ours)
            await ask_for_password(asks, number(3), 1)
            await asks.message(3)
            assert Counter(pdu.source_addr for pdu in asks.messages) == {"105": 2, PASSWORD_SENDER: 1}


@scene
async def test_what_waits_for_a_link_that_stays_down_leaves_by_the_next(tmp_path, heard):
    async with centre() as ussd, centre() as first, centre() as second:
        links = [
            to_centre(one.port, name=name)
            for name, one in {"ussd": ussd, "first": first, "second": second}.items()
        ]
        async with gateway(tmp_path, *links, routes=[{"links": ["first", "second"]}]) as ours:
            asks, there = await ussd.bound(), await first.bound()
            await healthy(ours)
            there.judge = lambda pdu: None
            await ask_for_password(asks, number(3), 1)
            await there.message()
            await first.leave()
            password = await (await second.bound()).message()
            assert password.destination_addr == number(3)
            assert password.short_message == there.messages[0].short_message
            (moved,) = heard.of("messages leave by another link")
            assert (moved["link"], moved["by"], moved["messages"]) == ("first", "second", 1)
            await first.listen()
            await healthy(ours)
            await ask_for_password(asks, number(1), 3, session=2)
            assert (await first.peers[-1].message()).destination_addr == number(1), (
                "the preferred one is back"
            )


@pytest.mark.parametrize("down", ["esme", "smsc"])
def test_a_message_that_moves_to_a_link_of_the_other_role_is_carried_as_there(tmp_path, down):
    """submit_sm to an SMSC, deliver_sm to an ESME, with what each of them may say."""

    @scene
    async def play():
        async with centre() as ussd, centre() as smsc:
            esme = to_centre(smsc.port, name="esme", receipts=True)
            links = to_centre(ussd.port, name="ussd"), esme, from_centre(name="smsc")
            order = [down, *({"esme", "smsc"} - {down})]
            async with gateway(tmp_path, *links, routes=[{"links": order}]) as ours:
                asks = await ussd.bound()
                async with connected(listening_port(ours)) as peer:
                    await peer.bind_as()
                    await healthy(ours)
                    first, second = (await smsc.bound(), peer)[:: 1 if down == "esme" else -1]
                    first.judge = lambda pdu: None
                    await ask_for_password(asks, number(3), 1)
                    lost = await first.message()
                    await (smsc.leave() if down == "esme" else hang_up(peer))
                    kept = await second.message()
                    assert type(kept) is {"esme": DeliverSm, "smsc": SubmitSm}[down]
                    assert type(lost) is {"esme": SubmitSm, "smsc": DeliverSm}[down]
                    assert (kept.short_message, kept.data_coding) == (lost.short_message, lost.data_coding)
                    if down == "esme":
                        assert (kept.validity_period, kept.registered_delivery) == ("", 0)
                    await until(
                        lambda: metric(ours, "answers_total", link=order[1], verdict="taken") == 1, "taken"
                    )

    async def hang_up(peer):
        peer.cut()
        await peer.over()

    play()


@scene
async def test_both_links_up_and_down_and_every_message_arrives_once(tmp_path):
    """Each password is taken by one of the two, whichever is there; none by both."""
    taken: Counter[str] = Counter()
    async with centre() as ussd, centre() as one, centre() as two:
        for sms in (one, two):
            sms.judge = lambda pdu: taken.update([pdu.destination_addr]) or ESME_ROK
        links = [to_centre(c.port, name=name) for name, c in {"ussd": ussd, "one": one, "two": two}.items()]
        async with gateway(tmp_path, *links, routes=[{"links": ["one", "two"]}]) as ours:
            asks = await ussd.bound()
            await healthy(ours)
            for turn, away in enumerate([one, two, one, two]):
                for i in range(4):
                    if away.port and i == 2:
                        await away.leave()
                    place = 4 * turn + i
                    await asks.ask(dialled(number(place), "*105*00#", session=place))
                    await asks.message(2 * place + 1)
                    await asks.ask(replied(number(place), "", session=place))
                    await asks.message(2 * place + 2)
                await away.listen()
                await until(lambda: not any(ours.problems().values()), "all are back")
            everybody = {number(i) for i in range(16)} - {number(5)}  # who is blocked gets none
            await until(lambda: everybody <= set(taken), f"a password for everybody, not {taken}")
            await until(lambda: query_left(ours) == 0, "nothing is left")
            assert set(taken.values()) == {1}, taken


def query_left(ours) -> int:
    """Messages that wait or are not settled."""
    return sum(len(link.outward) for link in ours.links)


@scene
async def test_everything_down_and_the_message_waits_for_the_first(tmp_path):
    async with centre() as ussd, centre() as first:
        links = (
            to_centre(ussd.port, name="ussd"),
            to_centre(first.port, name="first"),
            table(name="second", connect="127.0.0.1:1"),
        )
        await first.leave()
        async with gateway(tmp_path, *links, routes=[{"links": ["first", "second"]}]):
            asks = await ussd.bound()
            await ask_for_password(asks, number(3), 1)
            assert shown(await asks.message(2)) != ""
            await asyncio.sleep(0)
            await first.listen()
            assert (await (await first.bound()).message()).destination_addr == number(3)
