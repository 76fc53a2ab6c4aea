"""Long SMS on a link, in and out, in every form."""

import random

import pytest

from gateway.smpp.long_messages import read_part, sms_parts
from gateway.smpp.pdu import DataSm, DeliverSm, SubmitSm
from gateway.smpp.text import decode_text
from gateway.smpp.vocabulary import ESME_ROK, ESME_RX_R_APPN, MESSAGE_PAYLOAD
from tests.links.peer import centre, connected
from tests.links.scene import (
    SMS_SERVICE,
    from_centre,
    gateway,
    healthy,
    listening_port,
    metric,
    number,
    query,
    scene,
    sms,
    to_centre,
    until,
)

ENGLISH = number(2)
BALANCE = "741.05"
# A command with a tail of blanks: only whole does it mean something.
LONG = "BALANCE" + " " * 300
UCS2 = 8
_ALPHABETS = {0: "gsm7", UCS2: "ucs2"}


def parts(text, form, reference=7, data_coding=0, carrier=DeliverSm, msisdn=ENGLISH):
    """A long SMS of a subscriber."""
    return [
        carrier(
            source_addr=msisdn,
            destination_addr=SMS_SERVICE,
            data_coding=data_coding,
            esm_class=part.esm_class,
            short_message=part.short_message,
            tlvs=part.tlvs,
        )
        for part in sms_parts(text, _ALPHABETS[data_coding], reference, form)
    ]


def joined(pdus):
    """The text that a handset makes of the parts."""
    pieces = {}
    for pdu in pdus:
        part, octets, _ = read_part(pdu)
        pieces[part.number if part else 0] = decode_text(octets, _ALPHABETS[pdu.data_coding])
    return "".join(text for _, text in sorted(pieces.items()))


async def answered(peer, count=1):
    """The text of the answer with that number: one SMS that fits into one."""
    return decode_text((await peer.message(count)).short_message, "gsm7")


# --- in


@pytest.mark.parametrize("form", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("carrier", [DeliverSm, SubmitSm])
def test_in_whatever_form(tmp_path, form, carrier):
    @scene
    async def play():
        if carrier is DeliverSm:
            async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
                await converse(await smsc.bound())
        else:
            async with gateway(tmp_path, from_centre()) as ours, connected(listening_port(ours)) as peer:
                await peer.bind_as()
                await converse(peer)

    async def converse(peer):
        for part in parts(LONG, form, carrier=carrier):
            assert (await peer.ask(part)).command_status == ESME_ROK
        assert BALANCE in await answered(peer)

    play()


@scene
async def test_in_data_sm(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        payload = {MESSAGE_PAYLOAD: LONG.encode("ascii")}
        await peer.ask(DataSm(source_addr=ENGLISH, destination_addr=SMS_SERVICE, tlvs=payload))
        assert BALANCE in await answered(peer)


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_with_parts_that_come_twice(tmp_path, seed):
    """Everybody's parts shuffled; a part comes again, in the same read or another, while the message is not whole."""

    @scene
    async def play():
        chance = random.Random(seed)
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
            peer = await smsc.bound()
            two = parts(LONG, "udh8") + parts(LONG, "udh16", reference=0x107, msisdn=number(8))
            held = [two.pop(chance.randrange(3)), two.pop(-1 - chance.randrange(3))]
            others = two + chance.choices(two, k=2)
            chance.shuffle(others)
            peer.send(*others[:3])
            peer.send(*others[3:])
            for last in held:
                await peer.ask(last)
            await peer.message(2)
            assert sorted(pdu.destination_addr for pdu in peer.messages) == [ENGLISH, number(8)]
        assert query(tmp_path, "SELECT count(*) FROM message_parts") == [(0,)]

    play()


@scene
async def test_over_a_restart_of_the_gateway(tmp_path):
    """A part that was acknowledged is ours: the centre will not send it again."""
    first, second, third = parts(LONG, "udh8", reference=0)
    async with centre() as smsc:
        async with gateway(tmp_path, to_centre(smsc.port)):
            peer = await smsc.bound()
            assert (await peer.ask(third)).command_status == ESME_ROK
            assert (await peer.ask(first)).command_status == ESME_ROK
        async with gateway(tmp_path, to_centre(smsc.port)):
            peer = await smsc.bound(2)
            await peer.ask(second)
            assert BALANCE in await answered(peer)


@scene
async def test_parts_of_other_links_senders_and_totals_do_not_mix(tmp_path):
    async with gateway(tmp_path, from_centre(name="a"), from_centre(name="b", system_id="b")) as ours:
        port = listening_port(ours)
        async with connected(port) as a, connected(port) as b:
            await a.bind_as()
            await b.bind_as(system_id="b")
            one, two, three = parts(LONG, "udh8", carrier=SubmitSm)
            of_another = parts(LONG, "udh8", carrier=SubmitSm, msisdn=number(8))
            await a.ask(one)
            await a.ask(of_another[1])
            await b.ask(two)
            await b.ask(three)
            await a.ask(three)
            assert not a.messages
            assert not b.messages
            await a.ask(two)
            assert BALANCE in await answered(a)


@scene
async def test_parts_in_different_alphabets_are_one_text(tmp_path):
    """Some handsets write a part that needs no more in GSM 7 and the next one in UCS-2."""
    latin = parts("BAL" + "A" * 300, "udh8")[0]
    gsm, ucs2 = latin.short_message[:4], latin.short_message[:4]
    head = DeliverSm(
        source_addr=ENGLISH,
        destination_addr=SMS_SERVICE,
        esm_class=0x40,
        short_message=gsm + b"\x02\x01" + b"BAL",
    )
    tail = DeliverSm(
        source_addr=ENGLISH,
        destination_addr=SMS_SERVICE,
        esm_class=0x40,
        data_coding=UCS2,
        short_message=ucs2 + b"\x02\x02" + "ANCE".encode("utf-16-be"),
    )
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
        peer = await smsc.bound()
        await peer.ask(tail)
        await peer.ask(head)
        assert BALANCE in await answered(peer)


@scene
async def test_national_tables_hold_for_the_part_that_names_them(tmp_path):
    """Turkish, single shift: ESC and S is Ş (TS 23.038 A.2.1); the second part is in the usual alphabet."""
    header = b"\x08\x00\x03\x09\x02%b\x24\x01\x01"
    turkish = DeliverSm(
        source_addr=ENGLISH,
        destination_addr=SMS_SERVICE,
        esm_class=0x40,
        short_message=header % b"\x01" + b"\x1bS" + b"A",
    )
    usual = DeliverSm(
        source_addr=ENGLISH,
        destination_addr=SMS_SERVICE,
        esm_class=0x40,
        short_message=b"\x05\x00\x03\x09\x02\x02" + b"B",
    )
    heard_texts = []
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        ours.links[0]._dialogues.watch = lambda message, step: heard_texts.append(message.turn.text)
        peer = await smsc.bound()
        await peer.ask(turkish)
        await peer.ask(usual)
        await peer.message()
        assert heard_texts == ["ŞAB"]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"\x05\x00\x03\x07\x02\x03", id="part 3 of 2"),
        pytest.param(b"\x05\x00\x03\x07\x02\x00", id="part 0"),
        pytest.param(b"\x05\x00\x03\x07\x00\x00", id="of none"),
        pytest.param(b"\xff\x00\x03\x07\x02\x01", id="longer than the message"),
        pytest.param(b"\x05\x00\x04\x07\x02\x01", id="an element that is cut off"),
        pytest.param(b"", id="no octets at all"),
    ],
)
def test_a_header_that_cannot_be_harms_nobody(tmp_path, header):
    @scene
    async def play():
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)):
            peer = await smsc.bound()
            strange = DeliverSm(
                source_addr=ENGLISH,
                destination_addr=SMS_SERVICE,
                esm_class=0x40,
                short_message=header + b"BALANCE" * bool(header),
            )
            bystander = sms(number(8), "BALANCE")
            peer.send(strange, bystander)
            assert (await peer.statuses([strange, bystander]))[1] == ESME_ROK
            await peer.until(
                lambda: number(8) in [p.destination_addr for p in peer.messages], "the other's answer"
            )

    play()


@scene
async def test_a_message_of_too_many_parts_is_refused_and_kept_for_a_look(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        part = DeliverSm(
            source_addr=ENGLISH,
            destination_addr=SMS_SERVICE,
            esm_class=0x40,
            short_message=b"\x05\x00\x03\x07\xff\x01" + b"A",
        )
        assert (await peer.ask(part)).command_status == ESME_RX_R_APPN
    ((reason,),) = query(tmp_path, "SELECT reason FROM quarantine")
    assert "255 parts" in reason
    assert ours.problems


@scene
async def test_a_link_has_a_table_of_its_own(tmp_path):
    """0x00 is Latin-1 there, and 0x08 no text."""
    text = {"data_codings": {"0x00": "latin1", "0x08": "binary"}}
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, text=text)) as ours:
        heard_texts = []
        ours.links[0]._dialogues.watch = lambda message, step: heard_texts.append(message.turn.text)
        peer = await smsc.bound()
        await peer.ask(sms(ENGLISH, "", data_coding=0, short_message="ü@".encode("latin-1")))
        await peer.ask(sms(ENGLISH, "", data_coding=8, short_message="BALANCE".encode("utf-16-be")))
        await peer.message()
        assert heard_texts == ["ü@"]
        await until(
            lambda: metric(ours, "turns_total", link="ussdc", kind="no_turn") == 1, "the other is no turn"
        )


# --- out


@pytest.mark.parametrize("form", ["udh8", "udh16", "sar", "payload"])
def test_out_in_the_form_of_the_link(tmp_path, form):
    """The commands in Russian are longer than 70 characters."""

    @scene
    async def play():
        link = {"text": {"long_messages": form}}
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **link)) as ours:
            peer = await smsc.bound()
            await healthy(ours)
            await peer.ask(sms(number(3), "помощь"))
            await peer.ask(sms(number(8), "BALANCE"))  # after the last part
            await peer.until(
                lambda: peer.messages[-1:] and peer.messages[-1].destination_addr == number(8), "all"
            )
            long = peer.messages[:-1]
            assert (len(long) == 1) == (form == "payload")
            assert len({pdu.source_addr for pdu in long}) == 1
            assert "000105" in joined(long) or len(joined(long)) > 70
            found = [read_part(pdu)[0] for pdu in long]
            if form != "payload":
                assert [part.number for part in found] == list(range(1, len(long) + 1))
                assert len({(part.reference, part.total) for part in found}) == 1

    play()


@scene
async def test_a_centre_that_takes_no_cyrillic_gets_question_marks(tmp_path):
    """Whoever has settled for that; neither this SMS nor those that came with it fail."""
    link = {"text": {"send_as": {"gsm7": 0}}}
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, **link)):
        peer = await smsc.bound()
        asked = [sms(number(3), "баланс"), sms(ENGLISH, "BALANCE")]
        peer.send(*asked)
        assert await peer.statuses(asked) == [ESME_ROK, ESME_ROK]
        await peer.message(2)
        by_number = {pdu.destination_addr: pdu.short_message for pdu in peer.messages}
        assert b"523" in by_number[number(3)]
        assert b"?" in by_number[number(3)]
        assert b"?" not in by_number[ENGLISH]
