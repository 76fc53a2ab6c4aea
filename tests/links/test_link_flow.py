"""Flow: windows, rates, order and urgency, as a centre sees them."""

import asyncio

import pytest

from data.model import Outgoing
from data.opening import open_store
from gateway.links import outward
from gateway.smpp.pdu import DeliverSm, SubmitSm, encode
from gateway.smpp.session import Role
from gateway.smpp.vocabulary import (
    ESME_RINVDSTADR,
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    MESSAGE_PAYLOAD,
)
from tests.links.peer import centre, connected
from tests.links.scene import (
    dialled,
    from_centre,
    gateway,
    healthy,
    link_of,
    listening_port,
    metric,
    number,
    query,
    scene,
    sms,
    to_centre,
    until,
    unwritable,
)

FAR = 4e9  # a moment that nobody lives to see


async def put_in_store(folder, *messages, link="ussdc", expires=FAR, carrier=SubmitSm):
    """Messages that an earlier run has left: (kind, text) each; the numbers they go to are their texts'."""
    store = open_store(f"sqlite:///{folder / 'starpound.db'}")
    async with store.unit() as unit:
        rows = [
            Outgoing(
                unit.draw_id(),
                link,
                number(i),
                kind,
                0.0,
                expires,
                encode(carrier(destination_addr=number(i), short_message=text)),
            )
            for i, (kind, text) in enumerate(messages)
        ]
        await unit.outbox.enqueue(rows)
    await store.close()


def texts(peer):
    return [pdu.short_message for pdu in peer.messages]


@scene
async def test_W1_the_window_is_kept_on_each_of_several_connections(tmp_path):
    await put_in_store(tmp_path, *[("sms", b"%d" % i) for i in range(20)])
    async with gateway(tmp_path, from_centre(window=3)) as ours:
        port = listening_port(ours)
        async with connected(port) as one, connected(port) as two:
            one.judge = two.judge = lambda pdu: None
            await one.bind_as()
            await one.message(3)
            await two.bind_as()
            await two.message(3)
            one.answer(one.messages[0])
            await one.message(4)
            await two.ask(
                sms(number(2), "BALANCE", carrier=SubmitSm)
            )  # a moment in which more might have come
            assert (len(one.messages), len(two.messages)) == (4, 3)
            assert sorted(map(int, texts(one) + texts(two))) == list(range(7))


@scene
async def test_a_session_that_never_answers_is_asked_last(tmp_path):
    """What it let run into response_timer, and all that follows, leaves by the one that answers."""
    await put_in_store(tmp_path, ("sms", b"once"))
    async with gateway(tmp_path, from_centre(response_s=0.2)) as ours:
        port = listening_port(ours)
        async with connected(port) as mute, connected(port) as hears:
            mute.judge = lambda pdu: None
            await mute.bind_as()
            await mute.message(1)
            await hears.bind_as()
            assert (await hears.message(1)).short_message == b"once"
            for i in range(5):
                await mute.ask(dialled(number(i), "*100#", carrier=SubmitSm))
                await hears.message(i + 2)
            assert len(mute.messages) == 1


@pytest.mark.parametrize("status", [ESME_RTHROTTLED, ESME_RMSGQFUL])
def test_W2_the_window_adapts_and_order_is_kept(tmp_path, status):
    """A centre with room for two at a time; /metrics shows how the window halves and grows."""

    @scene
    async def play():
        await put_in_store(tmp_path, *[("sms", b"%d" % i) for i in range(60)])
        windows, taken, room = set(), [], iter([*[False] * 8, *[True] * 1000])

        def judge(pdu):
            windows.add(metric(ours, "window", link="ussdc"))
            if not next(room):
                return status
            taken.append(int(pdu.short_message))
            return ESME_ROK

        async with centre() as smsc:
            smsc.judge = judge
            async with gateway(tmp_path, to_centre(smsc.port, window=8)) as ours:
                assert metric(ours, "window", link="ussdc") == 8
                await until(lambda: len(taken) == 60, "everything to be taken")
                assert taken == sorted(taken), "out of order"
                assert 4 in windows, f"never halved: {windows}"
                await until(lambda: metric(ours, "window", link="ussdc") == 8, "the window to be whole again")
        assert query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)]
        assert query(tmp_path, "SELECT count(*) FROM undelivered") == [(0,)]

    play()


@scene
async def test_the_rate_is_kept_by_all_connections_together(tmp_path):
    """At a message in a thousand seconds one leaves; dialogues and SMS share the rate."""
    await put_in_store(tmp_path, ("sms", b"1"), ("sms", b"2"), ("ussd", b"3"))
    async with gateway(tmp_path, from_centre(rate=0.001)) as ours:
        port = listening_port(ours)
        async with connected(port) as one, connected(port) as two:
            await one.bind_as()
            await two.bind_as()
            for peer in (one, two):
                await peer.ask(dialled(number(3), "*100#", carrier=SubmitSm))
            assert texts(one) + texts(two) == [b"3"]


@scene
async def test_with_a_rate_everything_leaves_in_the_end(tmp_path):
    await put_in_store(tmp_path, *[("sms", b"%d" % i) for i in range(30)])
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, rate=300)) as ours:
        peer = await smsc.bound()
        await peer.message(30)
        assert texts(peer) == [b"%d" % i for i in range(30)]
        await until(lambda: metric(ours, "answers_total", link="ussdc", verdict="taken") == 30, "all taken")


@scene
async def test_a_screen_goes_before_an_sms_and_an_sms_before_a_mailing(tmp_path):
    await put_in_store(
        tmp_path,
        ("mailing", b"m1"),
        ("sms", b"s1"),
        ("mailing", b"m2"),
        ("ussd", b"u1"),
        ("sms", b"s2"),
        ("ussd", b"u2"),
    )
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, window=1)):
        peer = await smsc.bound()
        await peer.message(6)
        assert texts(peer) == [b"u1", b"u2", b"s1", b"s2", b"m1", b"m2"]


@scene
async def test_a_dialogue_overtakes_the_sms_that_wait(tmp_path):
    await put_in_store(tmp_path, *[("sms", b"%d" % i) for i in range(5)])
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, window=1)):
        peer = await smsc.bound()
        peer.judge = lambda pdu: None
        await peer.message(1)
        await peer.ask(dialled(number(3), "*100#"))
        peer.judge = lambda pdu: ESME_ROK
        peer.answer(peer.messages[0])
        await peer.message(6)
        assert [pdu.service_type for pdu in peer.messages] == ["", "USSD", "", "", "", ""]


@scene
async def test_W3_what_is_refused_for_good_is_given_up_with_the_reason_and_what_is_not_comes_again(tmp_path):
    await put_in_store(tmp_path, ("sms", b"no"), ("sms", b"later"), ("sms", b"yes"))
    tries = {b"no": [ESME_RINVDSTADR], b"later": [ESME_RSYSERR, ESME_ROK], b"yes": [ESME_ROK]}
    async with centre() as smsc:
        smsc.judge = lambda pdu: tries[pdu.short_message].pop(0)
        async with gateway(tmp_path, to_centre(smsc.port)) as ours:
            await until(lambda: not any(tries.values()), "all tries")
            await until(
                lambda: metric(ours, "answers_total", link="ussdc", verdict="taken") == 2, "two taken"
            )
    assert query(tmp_path, "SELECT msisdn, reason FROM undelivered") == [(number(0), "ESME_RINVDSTADR")]


@scene
async def test_what_has_expired_is_given_up_and_the_rest_is_sent(tmp_path):
    await put_in_store(tmp_path, *[("sms", b"old")] * 2500, expires=1.0)
    await put_in_store(tmp_path, ("sms", b"new"))
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        await peer.message()
        assert texts(peer) == [b"new"]
        await until(
            lambda: metric(ours, "answers_total", link="ussdc", verdict="failed") == 2500, "all given up"
        )
        await until(lambda: query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)], "nothing left")
    assert query(tmp_path, "SELECT DISTINCT reason FROM undelivered") == [("expired",)]


@pytest.mark.parametrize(("seconds", "period"), [(86_400, "000001000000000R"), (90, "000000000130000R")])
def test_an_sms_tells_the_centre_how_long_to_try_and_a_screen_does_not(tmp_path, seconds, period):
    @scene
    async def play():
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, sms_validity_s=seconds)):
            peer = await smsc.bound()
            await peer.ask(sms(number(2), "BALANCE"))
            await peer.ask(dialled(number(2), "*100#"))
            await peer.message(2)
            assert [pdu.validity_period for pdu in peer.messages] == [period, ""]

    play()


@scene
async def test_S10_a_centre_of_an_older_version_gets_no_tlvs(tmp_path, heard):
    """A text that has no place without them is given up, and says why."""
    store_it = [("sms", b"short"), ("sms", b"x")]
    await put_in_store(tmp_path, *store_it)
    store = open_store(f"sqlite:///{tmp_path / 'starpound.db'}")
    long = encode(SubmitSm(destination_addr="1", tlvs={MESSAGE_PAYLOAD: b"x" * 300}))
    async with store.unit() as unit:
        await unit.outbox.enqueue([Outgoing(unit.draw_id(), "ussdc", "1", "sms", 0.0, FAR, long)])
    await store.close()
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as(interface_version=0x33)
        await peer.message(2)
        response = await peer.ask(sms(number(2), "BALANCE", carrier=SubmitSm))
        assert len(response.message_id) == 8
        await peer.message(3)
        assert all(pdu.tlvs == {} and type(pdu) is DeliverSm for pdu in peer.messages)
        assert texts(peer)[:2] == [b"short", b"x"]
        await until(heard.about("older than SMPP 3.4"), "why one was not sent")


@scene
async def test_a_store_that_fails_is_tried_again_and_not_at_once(tmp_path, heard, monkeypatch):
    """What has expired cannot be written off; the link must not ask the store ten thousand times a second."""
    monkeypatch.setattr(outward, "_STORE_AGAIN_S", 0.2)
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        refused = number(1)
        peer.judge = lambda pdu: ESME_RINVDSTADR if pdu.destination_addr == refused else ESME_ROK
        async with ours.store.unit() as unit:
            frame = encode(SubmitSm(destination_addr=refused))
            row = Outgoing(unit.draw_id(), "ussdc", refused, "sms", 0, FAR, frame)
            await unit.outbox.enqueue([row])
        with unwritable(tmp_path / "starpound.db"):
            link_of(ours).deliver([row])
            await until(lambda: len(heard.of("the store took nothing of this read")) >= 2, "two tries")
            await asyncio.sleep(0.05)
            tries = len(heard.of("the store took nothing of this read"))
            assert tries <= 3, f"{tries} tries"
        await until(lambda: query(tmp_path, "SELECT count(*) FROM undelivered") == [(1,)], "written off")


@scene
async def test_W4_a_response_that_never_comes(tmp_path):
    """It is sent once more, and the late response of the first is passed over."""
    await put_in_store(tmp_path, ("sms", b"once"))
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, response_s=0.1)) as ours:
        peer = await smsc.bound()
        peer.judge = lambda pdu: None
        again = await peer.message(2)
        assert again.short_message == b"once"
        peer.answer(peer.messages[0])
        peer.answer(again)
        await until(lambda: metric(ours, "answers_total", link="ussdc", verdict="stray") == 1, "the late one")
        await until(lambda: metric(ours, "answers_total", link="ussdc", verdict="taken") == 1, "the other")
        assert peer.session.role is Role.SMSC
    assert query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)]
