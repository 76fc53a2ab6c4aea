"""What cannot be understood is answered, kept with its octets, and can be tried again, in the running daemon."""

import pytest

from data.opening import open_store
from gateway import daemon
from gateway.smpp.events import Stray
from gateway.smpp.pdu import BindTransceiver, DeliverSm, SubmitSm, decode, encode
from gateway.smpp.vocabulary import (
    ESME_RINVMSGLEN,
    ESME_RINVSRCADR,
    ESME_ROK,
    ESME_RX_R_APPN,
    USSD_SERVICE_OP,
)
from gateway.turns import quarantine
from tests.links.peer import centre, connected
from tests.links.scene import (
    change,
    dialled,
    from_centre,
    gateway,
    healthy,
    listening_port,
    metric,
    number,
    query,
    scene,
    shown,
    to_centre,
    until,
    unwritable,
)

UNKNOWN_OP = b"\xee"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(quarantine, "_EVERY_S", 0.01)
    monkeypatch.setattr(daemon, "_HOUSEKEEPING_EVERY_S", 0.05)


def strange(msisdn, code="*100#", **fields):
    """A question with an operation that the dialect does not know."""
    pdu = dialled(msisdn, code)
    pdu.tlvs[USSD_SERVICE_OP] = UNKNOWN_OP
    for name, value in fields.items():
        setattr(pdu, name, value)
    return pdu


def kept(folder):
    """(link, reason, octets) of the quarantine, oldest first."""
    return query(folder, "SELECT link, reason, octets FROM quarantine ORDER BY id")


async def ask_replay(folder, ids=None):
    """What `starpound quarantine replay` does beside the daemon."""
    store = open_store(f"sqlite:///{folder / 'starpound.db'}")
    async with store.unit() as unit:
        await unit.inbox.ask_replay(ids)
    await store.close()


@scene
async def test_F6_a_malformed_pdu_is_answered_and_kept(tmp_path, heard):
    frame = encode(dialled(number(3), "*100#"))
    broken = (
        frame[:3] + bytes([len(frame) - 14]) + frame[4:-14]
    )  # two TLVs of 11 octets, and a part of the text
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        peer.write(broken)
        await peer.until(lambda: peer.seen(Stray), "an answer")
        assert peer.seen(Stray)[0].command_status == ESME_RINVMSGLEN
        await until(lambda: kept(tmp_path), "a record")
        ((link, reason, octets),) = kept(tmp_path)
        assert (link, octets) == ("ussdc", broken)
        assert "short_message" in reason
        ((peer_address, when),) = query(tmp_path, "SELECT peer, occurred FROM quarantine")
        assert peer_address == f"127.0.0.1:{smsc.port}"
        assert when > 0
        assert metric(ours, "quarantined_total", link="ussdc", status="ESME_RINVMSGLEN") == 1
        assert "*100" not in str(heard), "what a subscriber typed, in the log"
        assert ours.problems() == {"ussdc": None}


@scene
async def test_an_operation_that_the_dialect_does_not_know(tmp_path):
    """The others of the same read are answered."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        asked = [dialled(number(2), "*100#"), strange(number(3)), dialled(number(1), "*100#")]
        peer.send(*asked)
        assert await peer.statuses(asked) == [ESME_ROK, ESME_RX_R_APPN, ESME_ROK]
        await peer.message(2)
        await until(lambda: kept(tmp_path), "a record")
        ((_, reason, octets),) = kept(tmp_path)
        assert decode(octets).tlvs[USSD_SERVICE_OP] == UNKNOWN_OP
        assert reason


@scene
async def test_the_status_of_a_record_is_what_the_peer_was_told(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        told = [(await peer.ask(pdu)).command_status for pdu in (strange(number(3)), dialled("", "*100#"))]
        assert told == [ESME_RX_R_APPN, ESME_RINVSRCADR]
        statuses = "SELECT status FROM quarantine ORDER BY id"
        await until(lambda: [status for (status,) in query(tmp_path, statuses)] == told, "two records")


@scene
async def test_one_octet_more_than_may_be_written_is_kept_too(tmp_path):
    """short_message of 255 octets: nobody may send it, everybody can read it, and it costs nobody the link."""
    longest = encode(strange(number(3), short_message=b"*" * 254))
    at = longest.index(b"\xfe" + b"*" * 254)
    longer = len(longest) + 1
    frame = longer.to_bytes(4, "big") + longest[4:at] + b"\xff" + b"*" * 255 + longest[at + 255 :]
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        peer.write(frame)
        await peer.until(lambda: peer.seen(Stray), "an answer")
        await until(lambda: kept(tmp_path), "a record")
        ((_, _, octets),) = kept(tmp_path)
        assert b"*" * 255 in octets
        assert decode(octets).source_addr == number(3)
        assert ours.problems() == {"ussdc": None}
        assert not peer.lost


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20), "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ],
)
def test_F4_a_foreign_protocol_is_named_kept_and_left(tmp_path, greeting, name):
    @scene
    async def play():
        async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as stranger:
            stranger.write(greeting)
            await stranger.over()
            await until(lambda: kept(tmp_path), "a record")
            ((link, reason, octets),) = kept(tmp_path)
            assert (link, octets[:8]) == ("", greeting[:8])
            assert name in reason

    play()


@scene
async def test_what_was_wrong_in_the_read_of_the_bind_is_kept_once(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        nonsense = bytes.fromhex("00000010000000aa0000000000000009")
        peer.write(nonsense + encode(BindTransceiver(system_id="gw", password="secret", sequence_number=1)))
        await healthy(ours)
        await until(lambda: kept(tmp_path), "a record")
        assert [octets for _, _, octets in kept(tmp_path)] == [nonsense]


@scene
async def test_a_flood_is_bounded_and_logged_in_a_few_lines(tmp_path, heard, monkeypatch):
    monkeypatch.setattr(quarantine, "_EVERY_S", 0.3)
    nonsense = bytes.fromhex("00000010000000aa0000000000000009") * 500
    link = to_centre(0)
    async with centre() as smsc:
        link["connect"] = f"127.0.0.1:{smsc.port}"
        async with gateway(tmp_path, link, quarantine={"limit": 50}) as ours:
            peer = await smsc.bound()
            for _ in range(20):
                peer.write(nonsense)
            await until(
                lambda: metric(ours, "quarantined_total", link="ussdc", status="ESME_RINVCMDID") == 10_000,
                "all counted",
            )
            await peer.ask(dialled(number(3), "*100#"))
            assert len(ours._quarantine._waiting) <= 100
    assert len(kept(tmp_path)) == 50
    assert len(heard) < 60, f"{len(heard)} lines"


@scene
async def test_a_replay_is_handled_and_dropped(tmp_path):
    """Refused by the dialect; somebody mends the record's cause (here: the record), and asks for it again."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        await peer.ask(strange(number(3)))
        await until(lambda: kept(tmp_path), "a record")
        mended = encode(dialled(number(3), "*100#"))
        change(tmp_path, "UPDATE quarantine SET octets = ?", mended)
        await ask_replay(tmp_path)
        assert "523" in shown(await peer.message())
        await until(lambda: not kept(tmp_path), "the record is gone")


@scene
async def test_a_replay_that_is_still_not_understood_is_a_new_record(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        await peer.ask(strange(number(3)))
        peer.write(bytes.fromhex("00000010000000aa0000000000000009"))
        await until(lambda: len(kept(tmp_path)) == 2, "two records")
        before = kept(tmp_path)
        old = query(tmp_path, "SELECT max(id) FROM quarantine")[0][0]
        await ask_replay(tmp_path)
        await until(
            lambda: query(tmp_path, "SELECT ifnull(min(id), 0) FROM quarantine")[0][0] > old,
            "two new records",
        )
        await until(lambda: len(kept(tmp_path)) == 2, "two records")
        assert [octets for _, _, octets in kept(tmp_path)] == [octets for _, _, octets in before]
        assert query(tmp_path, "SELECT DISTINCT replay FROM quarantine") == [(0,)]


@scene
async def test_a_replay_in_the_other_role(tmp_path):
    async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
        await peer.bind_as()
        pdu = dialled(number(3), "*100#", carrier=SubmitSm)
        pdu.tlvs[USSD_SERVICE_OP] = UNKNOWN_OP
        await peer.ask(pdu)
        await until(lambda: kept(tmp_path), "a record")
        mended = encode(dialled(number(3), "*100#", carrier=SubmitSm))
        change(tmp_path, "UPDATE quarantine SET octets = ?", mended)
        await ask_replay(tmp_path)
        answer = await peer.message()
        assert type(answer) is DeliverSm
        assert "523" in shown(answer)


@scene
async def test_records_of_no_link_do_not_stand_in_the_way_of_others(tmp_path):
    """Strangers' octets belong to no link: asked for with all the others, they cannot be handled, ever."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        for _ in range(2):
            for _ in range(100):
                ours._quarantine.keep("", "10.0.0.1:1", "stranger", 0, b"GET / HTTP/1.1")
            await ours._quarantine.write()
        ours._quarantine.keep("ussdc", "10.0.0.1:1", "mended since", 8, encode(dialled(number(3), "*100#")))
        await ours._quarantine.write()
        await ask_replay(tmp_path)
        await peer.message()


@scene
async def test_a_disk_that_is_full_does_not_end_the_daemon(tmp_path, heard):
    """The next look writes what could not be written."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        with unwritable(tmp_path / "starpound.db"):
            peer.write(bytes.fromhex("00000010000000aa0000000000000009"))
            await until(lambda: len(heard.of("quarantine not written yet")) > 1, "two tries")
        await until(lambda: kept(tmp_path), "a record")
        assert not any(task.done() for task in ours._tasks), "a part of the daemon has ended"
