"""Whoever answers every SMS of ours, by itself: a conversation of two robots ends, and people are answered on."""

from gateway.smpp.pdu import DeliverSm
from tests.links.peer import centre
from tests.links.scene import gateway, healthy, metric, number, scene, sms, to_centre, until

LIMIT = 10


@scene
async def test_a_peer_that_answers_every_sms_of_ours(tmp_path, heard):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        echoed = 0

        def echo(pdu):
            nonlocal echoed
            echoed += 1
            peer.send(
                DeliverSm(
                    source_addr=pdu.destination_addr,
                    destination_addr=pdu.source_addr,
                    data_coding=pdu.data_coding,
                    short_message=f"{echoed}".encode("utf-16-be") + pdu.short_message[:100],
                )
            )
            return 0

        peer.judge = echo
        peer.send(sms(number(3), "Hello, service", source_addr_ton=1, source_addr_npi=1))
        await until(heard.about("not answered any more"), "the end of the conversation")
        assert echoed <= 4 * LIMIT, "a hint is at most a few parts long"
        peer.judge = lambda pdu: 0
        before = len(peer.messages)
        await peer.ask(sms(number(4), "Hello, service"))
        await peer.message(before + 1)


@scene
async def test_receipts_that_come_as_sms_are_never_answered(tmp_path):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, receipts=True)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        peer.send(sms(number(3), "BALANCE"))
        first = await peer.message()
        assert first.registered_delivery == 1
        for message_id in ("1", "2", "nobody's"):
            form = "id:{} submit date:2204152009 done date:2204152009 stat:DELIVRD err:000"
            await peer.ask(sms(number(3), form.format(message_id)))
        await peer.ask(sms(number(3), "BALANCE"))
        await peer.message(2)
        assert len(peer.messages) == 2
        assert metric(ours, "receipts_total", link="ussdc", state="delivrd") == 1
