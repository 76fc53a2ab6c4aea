"""role = "smsc": the gateway listens, and centres bind to it."""

import asyncio
import contextlib

import pytest

from gateway.smpp.events import Refused, UnbindRequest
from gateway.smpp.pdu import (
    BindTransceiver,
    CancelSm,
    DataSm,
    DeliverSm,
    EnquireLink,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    Unbind,
    encode,
)
from gateway.smpp.vocabulary import (
    ESME_RBINDFAIL,
    ESME_RCANCELFAIL,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_RINVPASWD,
    ESME_RINVSYSID,
    ESME_ROK,
    ESME_RQUERYFAIL,
    ESME_RREPLACEFAIL,
    ESME_RTHROTTLED,
)
from tests.links.peer import connected
from tests.links.scene import (
    dialled,
    from_centre,
    gateway,
    link_of,
    listening_port,
    metric,
    number,
    replied,
    scene,
    scene_on_both_loops,
    shown,
    sms,
    until,
)


@scene_on_both_loops
async def test_a_transceiver_asks_in_submit_sm_and_is_answered_in_deliver_sm(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        assert ours.problems() == {"ussdc": "the centre has not bound"}
        assert await peer.bind_as() == ESME_ROK
        assert ours.problems() == {"ussdc": None}
        first = await peer.ask(dialled(number(3), "*105#", carrier=SubmitSm))
        second = await peer.ask(replied(number(3), "3", carrier=SubmitSm))
        ids = {first.message_id, second.message_id}
        assert len(ids - {""}) == 2, "an ESME is told the id of what it submitted"
        root, options = await peer.message(1), await peer.message(2)
        assert {type(root), type(options)} == {DeliverSm}
        assert shown(root) != shown(options)


@scene
async def test_a_question_in_data_sm_is_answered_in_data_sm(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as()
        response = await peer.ask(dialled(number(3), "*100#", carrier=DataSm))
        assert response.message_id
        answer = await peer.message()
        assert type(answer) is DataSm
        assert "523" in shown(answer)


@scene
async def test_a_receiver_and_a_transmitter_of_the_centre_are_one_link(tmp_path):
    """The centre's transmitter asks, and its receiver is answered."""
    async with gateway(tmp_path, from_centre()) as ours:
        port = listening_port(ours)
        async with connected(port) as asks, connected(port) as hears:
            assert await asks.bind_as("transmitter") == ESME_ROK
            await asks.ask(
                dialled(number(3), "*100#", carrier=SubmitSm)
            )  # before anybody could hear the answer
            assert await hears.bind_as("receiver") == ESME_ROK
            assert "523" in shown(await hears.message(1))
            await asks.ask(dialled(number(2), "*100#", carrier=SubmitSm))
            assert "741" in shown(await hears.message(2))
            assert not asks.messages, "a transmitter is sent nothing (S3)"
            assert metric(ours, "link_up", link="ussdc") == 2


@scene
async def test_with_one_of_two_sessions_gone_the_other_has_all_the_answers(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours:
        port = listening_port(ours)
        async with connected(port) as stays, connected(port) as goes:
            await stays.bind_as()
            await goes.bind_as()
            goes.judge = stays.judge = lambda pdu: None
            for i in range(20):
                await goes.ask(dialled(number(i), "*100#", carrier=SubmitSm))
            await until(lambda: len(stays.messages) + len(goes.messages) == 20, "twenty answers under way")
            taken = {pdu.destination_addr for pdu in stays.messages}
            for pdu in stays.messages:
                stays.answer(pdu)
            stays.judge = lambda pdu: ESME_ROK
            goes.cut()
            await until(
                lambda: {pdu.destination_addr for pdu in stays.messages} == {number(i) for i in range(20)},
                "what was under way at the other, once more",
            )
            again = [pdu.destination_addr for pdu in stays.messages]
            assert len(again) == len(set(again)) == 20, "what the other had taken came twice"
            assert taken <= set(again)
            assert ours.problems() == {"ussdc": None}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": "Secret"}, ESME_RINVPASWD),
        ({"password": ""}, ESME_RINVPASWD),
        ({"system_id": "somebody"}, ESME_RINVSYSID),
    ],
)
def test_S4_a_stranger_is_refused(tmp_path, heard, changes, status):
    @scene
    async def play():
        async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
            assert await peer.bind_as(**changes) == status
            await until(lambda: heard.of("bind refused"), "a line about it")
            assert ours.problems() == {"ussdc": "the centre has not bound"}
            assert await peer.bind_as() == ESME_ROK, "two more tries are his"
        assert "ecret" not in str(heard), "a password in the log"

    play()


@scene
async def test_a_password_that_is_read_as_the_system_id_is_not_logged(tmp_path, heard):
    """The NUL between them is missing; each field is taken for its neighbour, and there is one for everybody."""
    bind = encode(BindTransceiver("gw", "secret", addr_npi=1, address_range="79")).replace(
        b"\0secret", b"secret"
    )
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        peer.write(len(bind).to_bytes(4, "big") + bind[4:])
        await until(lambda: heard.of("bind refused"), "a line about it")
        assert "secret" not in str(heard)


@scene
async def test_S4_the_third_wrong_password_ends_the_connection(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        for _ in range(3):
            assert await peer.bind_as(password="no") == ESME_RINVPASWD
        await peer.over()


@pytest.mark.parametrize(
    ("link", "kind", "reason"),
    [
        ({"binds": ["receiver", "transmitter"]}, "transceiver", "kind of bind"),
        ({"binds": ["transceiver"]}, "receiver", "kind of bind"),
    ],
)
def test_a_centre_from_elsewhere_or_of_another_kind_is_refused(tmp_path, heard, link, kind, reason):
    @scene
    async def play():
        async with gateway(tmp_path, from_centre(**link)) as ours, connected(listening_port(ours)) as peer:
            assert await peer.bind_as(kind) == ESME_RBINDFAIL
            (line,) = [line for line in heard.of("bind refused") if "reason" in line]
            assert reason in line["reason"]
            assert line["link"] == "ussdc"

    play()


@scene
async def test_nobody_is_let_in_from_elsewhere(tmp_path, heard):
    """Closed before it has said anything: whoever fills the listener with connections keeps no centre out."""
    link = from_centre(networks=["10.0.0.0/8", "fd00::/8"])
    async with gateway(tmp_path, link) as ours, connected(listening_port(ours)) as peer:
        await peer.over()
        (line,) = heard.of("connection refused")
        assert "networks" in line["reason"]


@scene
async def test_where_links_share_an_address_each_has_its_own_networks(tmp_path, heard):
    links = from_centre(name="far", system_id="far", networks=["10.0.0.0/8"]), from_centre()
    async with gateway(tmp_path, *links) as ours, connected(listening_port(ours)) as peer:
        assert await peer.bind_as(system_id="far") == ESME_RBINDFAIL
        (line,) = [line for line in heard.of("bind refused") if "reason" in line]
        assert (line["link"], "network" in line["reason"]) == ("far", True)
        assert await peer.bind_as() == ESME_ROK


@scene
async def test_its_own_network_lets_a_centre_in(tmp_path):
    link = from_centre(networks=["10.0.0.0/8", "127.0.0.0/8"])
    async with gateway(tmp_path, link) as ours, connected(listening_port(ours)) as peer:
        assert await peer.bind_as() == ESME_ROK


@scene
async def test_too_many_sessions_are_refused_and_one_that_is_gone_makes_room(tmp_path):
    async with gateway(tmp_path, from_centre(sessions=2)) as ours:
        port = listening_port(ours)
        async with connected(port) as first, connected(port) as second, connected(port) as third:
            assert await first.bind_as() == await second.bind_as() == ESME_ROK
            assert await third.bind_as() == ESME_RBINDFAIL
            first.cut()
            await until(lambda: metric(ours, "link_up", link="ussdc") == 1, "one is gone")
            assert await third.bind_as() == ESME_ROK


@scene
async def test_links_share_an_address_and_each_has_its_own_answers(tmp_path):
    moscow = from_centre(name="moscow", system_id="msk", password="one")
    kazan = from_centre(name="kazan", system_id="kzn", password="two", window=1)
    async with gateway(tmp_path, moscow, kazan) as ours:
        port = listening_port(ours)
        async with connected(port) as one, connected(port) as two:
            assert await one.bind_as(system_id="msk", password="two") == ESME_RINVPASWD
            assert await one.bind_as(system_id="msk", password="one") == ESME_ROK
            assert await two.bind_as(system_id="kzn", password="two") == ESME_ROK
            await one.ask(dialled(number(3), "*100#", carrier=SubmitSm))
            await two.ask(dialled(number(2), "*100#", carrier=SubmitSm))
            assert "523" in shown(await one.message())
            assert "741" in shown(await two.message())
            assert (len(one.messages), len(two.messages)) == (1, 1)
            one.cut()
            await until(lambda: ours.problems()["moscow"], "moscow is down")
            assert ours.problems()["kazan"] is None


@scene
async def test_the_window_is_that_of_the_link_that_has_bound(tmp_path):
    """Of two links at one address: one has room for five questions at a time, the other for one."""
    wide = from_centre(name="wide", system_id="wide", window=5)
    narrow = from_centre(name="narrow", system_id="narrow", window=1)
    async with gateway(tmp_path, wide, narrow) as ours:
        port = listening_port(ours)
        for system_id, room in (("wide", 5), ("narrow", 1)):
            async with connected(port) as peer:
                await peer.bind_as(system_id=system_id)
                asked = [dialled(number(i), "*100#", carrier=SubmitSm) for i in range(8)]
                peer.send(*asked)
                statuses = await peer.statuses(asked)
                assert statuses == [ESME_ROK] * room + [ESME_RTHROTTLED] * (8 - room), system_id


@scene
async def test_a_peer_that_does_not_bind_is_closed(tmp_path):
    async with (
        gateway(tmp_path, from_centre(connect_s=0.1)) as ours,
        connected(listening_port(ours)) as silent,
        connected(listening_port(ours)) as drips,
    ):
        for octet in b"\0\0\0\x2f":
            drips.write(bytes([octet]))
        await silent.over()
        await drips.over()


@scene
async def test_S1_before_the_bind_there_is_nothing_but_the_bind(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        peer.write(bytes.fromhex("00000010000000040000000000000007"))
        await peer.until(lambda: peer.events, "an answer")
        (stray,) = peer.events
        assert stray.command_status == ESME_RINVBNDSTS
        assert await peer.bind_as() == ESME_ROK


@scene
async def test_what_an_esme_may_ask_and_we_do_not_offer_is_answered_with_a_status(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as()
        asked = {
            ESME_RQUERYFAIL: QuerySm(message_id="1"),
            ESME_RCANCELFAIL: CancelSm(message_id="1"),
            ESME_RREPLACEFAIL: ReplaceSm(message_id="1"),
            ESME_RINVCMDID: SubmitMulti(dest_addresses=[SmeAddress(destination_addr="1")]),
        }
        for status, request in asked.items():
            assert (await peer.ask(request)).command_status == status
        assert (await peer.ask(dialled(number(3), "*100#", carrier=SubmitSm))).command_status == ESME_ROK


@scene
async def test_links_at_one_address_have_each_their_longest_pdu(tmp_path):
    wide = from_centre(name="wide", system_id="wide", max_pdu_octets=200_000, window=1)
    narrow = from_centre(name="narrow", system_id="narrow", max_pdu_octets=1024)
    long = sms(number(2), "BALANCE", carrier=SubmitSm, tlvs={0x1400: bytes(60_000), 0x1401: bytes(60_000)})
    async with gateway(tmp_path, wide, narrow) as ours:
        port = listening_port(ours)
        async with connected(port) as one, connected(port) as two:
            await one.bind_as(system_id="wide")
            assert (await one.ask(long)).command_status == ESME_ROK
            await two.bind_as(system_id="narrow")
            two.send(sms(number(2), "BALANCE", carrier=SubmitSm, tlvs={0x1400: bytes(1024)}))
            await two.over()


@scene
async def test_above_its_rate_a_centre_is_throttled(tmp_path):
    async with (
        gateway(tmp_path, from_centre(peer_rate=0.001)) as ours,
        connected(listening_port(ours)) as peer,
    ):
        await peer.bind_as()
        asked = [dialled(number(i), "*100#", carrier=SubmitSm) for i in range(3)]
        peer.send(*asked)
        statuses = await peer.statuses(asked)
        assert statuses == [ESME_ROK, ESME_RTHROTTLED, ESME_RTHROTTLED]
        assert metric(ours, "refused_total", link="ussdc", status="ESME_RTHROTTLED") == 2
        assert (await peer.ask(EnquireLink())).command_status == ESME_ROK, (
            "about the link itself there is no rate"
        )


@scene
async def test_S5_enquire_link_both_ways(tmp_path):
    async with (
        gateway(tmp_path, from_centre(enquire_link_s=0.05)) as ours,
        connected(listening_port(ours)) as peer,
    ):
        assert (await peer.ask(EnquireLink())).command_status == ESME_ROK
        await peer.bind_as()
        enquiries = []
        peer.on_data = lambda data: enquiries.extend(data.split(bytes.fromhex("0000001000000015"))[1:])
        await peer.until(lambda: len(enquiries) >= 3, "enquiries of the gateway, each answered")
        assert ours.problems() == {"ussdc": None}


@scene
async def test_a_half_open_peer_is_dropped_by_the_timers(tmp_path):
    link = from_centre(enquire_link_s=0.05, response_s=0.05)
    async with gateway(tmp_path, link) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as()
        peer.transport.pause_reading()
        await until(lambda: ours.problems()["ussdc"], "the link is down")
        peer.transport.resume_reading()
        await peer.over()


@scene
async def test_S6_a_centre_that_unbinds_is_answered_and_may_come_back(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours:
        async with connected(listening_port(ours)) as peer:
            await peer.bind_as()
            question = dialled(number(3), "*100#", carrier=SubmitSm)
            peer.send(question, Unbind())
            await peer.over()
            assert peer.response_to(question).command_status == ESME_ROK
            assert peer.session.closed
            assert not peer.seen(Refused)
        await until(lambda: ours.problems()["ussdc"], "the link is down")
        async with connected(listening_port(ours)) as peer:
            await peer.bind_as()
            assert "523" in shown(await peer.message()), "the answer waited in the store"


@scene_on_both_loops
async def test_S6_a_gateway_that_stops_unbinds_all_its_sessions(tmp_path):
    async with contextlib.AsyncExitStack() as peers:
        async with gateway(tmp_path, from_centre()) as ours:
            one, two = [await peers.enter_async_context(connected(listening_port(ours))) for _ in range(2)]
            await one.bind_as("transmitter")
            await two.bind_as("receiver")
        assert one.seen(UnbindRequest)
        assert two.seen(UnbindRequest)
        await one.over()
        await two.over()


@scene
async def test_a_gateway_that_stops_lets_nobody_in_again(tmp_path):
    """A centre that binds anew the moment it is unbound would otherwise be unbound for ever."""
    async with contextlib.AsyncExitStack() as peers, gateway(tmp_path, from_centre()) as ours:
        one, two = [await peers.enter_async_context(connected(listening_port(ours))) for _ in range(2)]
        await one.bind_as()
        one.answers_unbind = False
        stop = asyncio.create_task(link_of(ours).stop(1))
        await one.until(lambda: one.seen(UnbindRequest), "an unbind")
        assert await two.bind_as() == ESME_RBINDFAIL
        one.session.send(one.seen(UnbindRequest)[0].pdu.respond(), 0)
        one.flush()
        await stop


@scene
async def test_a_link_without_a_receiver_says_so(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as("transmitter")
        assert ours.problems() == {"ussdc": "the centre has bound no receiver"}


@scene
async def test_a_session_that_does_not_read_holds_up_no_other(tmp_path):
    """What nobody has just asked for on a connection (here the SMS of a job) leaves by the one that reads."""
    async with gateway(tmp_path, from_centre(enquire_link_s=0)) as ours:
        port = listening_port(ours)
        async with connected(port) as stuck, connected(port) as asks, connected(port) as hears:
            await stuck.bind_as("transmitter")
            stuck.transport.pause_reading()
            (first,) = link_of(ours).connections
            enquiries = encode(EnquireLink(sequence_number=1)) * 5000
            while first.writable:
                stuck.write(enquiries)
                await asyncio.sleep(0)
            await asks.bind_as("transmitter")
            await hears.bind_as("receiver")
            await asks.ask(dialled(number(3), "*105*00#", carrier=SubmitSm))
            await hears.message(1)
            await asks.ask(replied(number(3), "", carrier=SubmitSm))
            await hears.message(3)
            assert {pdu.source_addr for pdu in hears.messages} == {"105", "000110"}


@scene
async def test_an_sms_to_a_centre_that_is_bound_to_us(tmp_path):
    """No validity_period in deliver_sm, and nobody is asked for a receipt by it."""
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as()
        await peer.ask(sms(number(2), "BALANCE", carrier=SubmitSm))
        answer = await peer.message()
        assert type(answer) is DeliverSm
        assert (answer.source_addr, answer.destination_addr) == ("000105", number(2))
        assert answer.validity_period == ""
        assert answer.registered_delivery == 0, "an SMSC asks an ESME for no delivery receipt (§4.6.1)"
