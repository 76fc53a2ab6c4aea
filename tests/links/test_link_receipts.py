"""Delivery receipts, on a link that asks for them."""

import pytest

from gateway.smpp.events import Stray
from gateway.smpp.pdu import DataSm, encode
from gateway.smpp.vocabulary import ESME_ROK, MESSAGE_STATE, RECEIPTED_MESSAGE_ID
from tests.links.peer import centre
from tests.links.scene import (
    SMS_SERVICE,
    dialled,
    gateway,
    healthy,
    metric,
    number,
    query,
    receipt,
    scene,
    sms,
    to_centre,
    until,
)

ENGLISH = number(2)
INTERMEDIATE = 0x20


def counted(ours, state):
    return metric(ours, "receipts_total", link="ussdc", state=state)


async def sent_under(peer, message_id):
    """An SMS of the gateway that the centre has taken under that id."""
    peer.judge = lambda pdu: None
    before = len(peer.messages)
    await peer.ask(sms(ENGLISH, "BALANCE"))
    message = await peer.message(before + 1)
    peer.answer(message, message_id=message_id)
    return message


@scene
async def test_a_receipt_is_asked_for_an_sms_and_not_for_a_screen(tmp_path):
    for asks in (True, False):
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=asks)):
            peer = await smsc.bound()
            await peer.ask(sms(ENGLISH, "BALANCE"))
            await peer.ask(dialled(ENGLISH, "*100#"))
            await peer.message(2)
            assert [pdu.registered_delivery for pdu in peer.messages] == [int(asks), 0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("1f", "1f"),
        ("1f", "1F"),
        ("1f", "0000001f"),
        ("0000001F", "31"),
        ("31", "1f"),
        ("0000000031", "31"),
        ("31", "0000000031"),
        ("0x1f", "1f"),
        ("5f3b-a1", "5F3B-A1"),
    ],
)
def test_W9_the_id_of_the_receipt_is_the_same_number_in_another_form(tmp_path, given, told):
    @scene
    async def play():
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
            peer = await smsc.bound()
            await sent_under(peer, given)
            await until(
                lambda: query(tmp_path, "SELECT count(*) FROM sent_messages") == [(1,)], "it is waited for"
            )
            assert (await peer.ask(receipt(f"id:{told} stat:DELIVRD err:000"))).command_status == ESME_ROK
            await until(lambda: counted(ours, "delivrd") == 1, "the receipt counts")
            assert query(tmp_path, "SELECT count(*) FROM sent_messages") == [(0,)]

    play()


@scene
async def test_W8_a_receipt_before_the_response(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        peer.judge = lambda pdu: None
        await peer.ask(sms(ENGLISH, "BALANCE"))
        message = await peer.message()
        await peer.ask(receipt("id:0A stat:ENROUTE", INTERMEDIATE))
        await peer.ask(receipt("id:10 stat:DELIVRD"))
        assert counted(ours, "delivrd") == 0
        peer.answer(message, message_id="a")
        await until(lambda: counted(ours, "delivrd") == 1, "the receipt counts")
        await until(lambda: query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)], "the SMS is settled")
        assert query(tmp_path, "SELECT count(*) FROM sent_messages") == [(0,)], "nothing more is waited for"


@scene
async def test_W8_an_early_receipt_counts_for_one_message(tmp_path):
    """Its id in decimal is that of another message in hexadecimal, which is sent later."""
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        peer.judge = lambda pdu: None
        await peer.ask(sms(ENGLISH, "BALANCE"))
        message = await peer.message()
        await peer.ask(receipt("id:10 stat:DELIVRD"))  # 10, 0xA, or 0x10: 16
        peer.answer(message, message_id="10")
        await until(lambda: counted(ours, "delivrd") == 1, "the receipt counts")
        await sent_under(peer, "16")
        await until(
            lambda: query(tmp_path, "SELECT message_key FROM sent_messages") == [("16",)], "the other waits"
        )
        assert counted(ours, "delivrd") == 1


@scene
async def test_intermediate_and_then_final(tmp_path, heard):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        await sent_under(peer, "77")
        await peer.ask(receipt("id:77 stat:ENROUTE err:000", INTERMEDIATE))
        await peer.ask(receipt("id:77 stat:ACCEPTD err:000"))
        await peer.ask(receipt("id:77 stat:UNDELIV err:017"))
        assert [counted(ours, state) for state in ("enroute", "acceptd", "undeliv")] == [1, 1, 1]
        await peer.ask(receipt("id:77 stat:DELIVRD err:000"))
        assert counted(ours, "delivrd") == 0, "it was final already"


@scene
async def test_tlvs_alone_and_a_data_sm(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        for state, name in ((2, "delivrd"), (3, "expired")):
            await sent_under(peer, f"c{state}")
            tlvs = {RECEIPTED_MESSAGE_ID: b"C%d\0" % state, MESSAGE_STATE: bytes([state])}
            tells = (
                receipt("", tlvs=tlvs)
                if state == 2
                else DataSm(source_addr=ENGLISH, destination_addr=SMS_SERVICE, esm_class=4, tlvs=tlvs)
            )
            assert (await peer.ask(tells)).command_status == ESME_ROK
            await until(lambda name=name: counted(ours, name) == 1, name)


@pytest.mark.parametrize(
    ("state", "name"),
    [("FAILED", "failed"), ("SKIPPED", "skipped"), ("BUFFERED", "buffered"), ("SCHEDULED", "scheduled"),
     ("UNDELIVERABLE", "undeliv"), ("LOST AT SEA", "other")],
)  # fmt: skip
def test_every_known_state_is_counted_under_its_name(tmp_path, state, name):
    @scene
    async def play():
        async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
            peer = await smsc.bound()
            await sent_under(peer, "77")
            await peer.ask(receipt(f"id:77 stat:{state} err:000"))
            await until(lambda: counted(ours, name) == 1, name)

    play()


@scene
async def test_what_follows_the_error_is_in_no_log(tmp_path, heard):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)):
        peer = await smsc.bound()
        await sent_under(peer, "77")
        await peer.ask(receipt("id:77 stat:UNDELIV err:027 Password s3cret9"))
        await until(lambda: "message not delivered" in str(heard), "a warning")
        assert "'027'" in str(heard)
        assert "s3cret9" not in str(heard)


@scene
async def test_a_receipt_with_a_broken_TLV_counts_by_its_text_and_is_kept(tmp_path):
    frame = encode(receipt("id:77 stat:UNDELIV err:027")) + bytes.fromhex("001E 0041 3132333435")
    broken = len(frame).to_bytes(4, "big") + frame[4:]
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        await sent_under(peer, "77")
        peer.write(broken)
        await peer.until(lambda: peer.seen(Stray), "an answer")
        assert peer.seen(Stray)[0].command_status == ESME_ROK
        await until(lambda: counted(ours, "undeliv") == 1, "the receipt counts")
        await until(lambda: query(tmp_path, "SELECT octets, status FROM quarantine"), "a record")
        assert query(tmp_path, "SELECT octets, status FROM quarantine") == [(broken, ESME_ROK)]


@scene
async def test_a_receipt_of_nobody_and_one_that_cannot_be_read_harm_nobody(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True, window=50)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        for strange in ("id:404 stat:DELIVRD", "stat:DELIVRD", "", "id:" + "9" * 200, "id:0 stat:?"):
            assert (await peer.ask(receipt(strange))).command_status == ESME_ROK
        for i in range(30):
            strangers = [receipt(f"id:stranger{50 * i + j} stat:DELIVRD") for j in range(50)]
            peer.send(*strangers)
            assert set(await peer.statuses(strangers)) == {ESME_ROK}
        await peer.ask(sms(ENGLISH, "BALANCE"))
        await peer.message()
        assert ours.problems() == {"ussdc": None}


@scene
async def test_the_receipt_comes_after_a_restart(tmp_path):
    async with centre() as smsc:
        async with gateway(tmp_path, to_centre(smsc.port, receipts=True)):
            peer = await smsc.bound()
            await sent_under(peer, "beef")
            await until(
                lambda: query(tmp_path, "SELECT count(*) FROM sent_messages") == [(1,)], "it is waited for"
            )
        async with gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
            peer = await smsc.bound(2)
            await peer.ask(receipt("id:BEEF stat:DELIVRD"))
            assert counted(ours, "delivrd") == 1
