"""The load over loopback, against an ESME of a few lines that answers everything."""

import asyncio
import contextlib

import pytest

from smpp_sim.load import pdu as wire
from smpp_sim.load.smsc import LoadScript, LoadSettings, LoadSmsc

BALANCE = LoadScript(("*100#",))
FEW = {"window": 4, "turns": 40, "seconds": 20, "warmup_s": 0, "subscribers": 100}


class Esme:
    """Binds, and answers each deliver_sm with ``answer(pdu)``: octets to write."""

    def __init__(self, reader, writer, answer):
        self.reader, self.writer, self.answer = reader, writer, answer
        self.read = []

    async def pdu(self):
        head = await self.reader.readexactly(16)
        return head + await self.reader.readexactly(int.from_bytes(head[:4], "big") - 16)

    async def ask(self, command_id, body=b"", sequence=1):
        """Write a request and return its response: command_id, status, sequence number, body."""
        self.writer.write(wire.HEADER.pack(16 + len(body), command_id, 0, sequence) + body)
        response = await self.pdu()
        return *wire.HEADER.unpack_from(response)[1:], response[16:]

    async def bind(self, password=b"secret"):
        body = b"gw\0" + password + b"\0" + b"\0" + b"\x34\0\0\0"
        return (await self.ask(wire.BIND_TRANSCEIVER, body))[1]

    async def serve(self):
        while True:
            pdu = await self.pdu()
            if wire.HEADER.unpack_from(pdu)[1] == wire.DELIVER_SM:
                self.read.append(pdu)
                self.writer.write(self.answer(pdu))


def sequence_of(pdu):
    return wire.HEADER.unpack_from(pdu)[3]


def last_screen(pdu):
    """Acknowledge, and answer with ussd_service_op 17 in the same session."""
    source = pdu.index(0, 16) + 3
    msisdn = pdu[source : pdu.index(0, source)]
    body = b"USSD\0\0\x01105\0\0\x01" + msisdn + b"\0" + bytes(9) + b"\x02OK"
    body += bytes.fromhex("0501 0001 11") + pdu[-6:]
    submit = wire.HEADER.pack(16 + len(body), wire.SUBMIT_SM, 0, sequence_of(pdu)) + body
    return wire.response(wire.DELIVER_SM, wire.ESME_ROK, sequence_of(pdu), b"\0") + submit


@contextlib.asynccontextmanager
async def smsc_and_esme(answer=last_screen, password=None):
    smsc = LoadSmsc(password=password)
    port = await smsc.listen()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield smsc, Esme(reader, writer, answer)
    finally:
        writer.close()
        await smsc.close()


@contextlib.asynccontextmanager
async def serving(esme):
    task = asyncio.create_task(esme.serve())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError):
            await task


def loaded(script, settings, answer=last_screen):
    """Run a load against an ESME that answers with ``answer``; return report and ESME."""

    async def run():
        async with smsc_and_esme(answer) as (smsc, esme):
            await esme.bind()
            assert await smsc.wait_for_bind(5) == "gw"
            async with serving(esme):
                return await smsc.run(script, settings), esme

    return asyncio.run(run())


def test_turns_are_counted_and_timed():
    report, _ = loaded(BALANCE, LoadSettings(**FEW))
    assert (report.turns, report.dialogues) == (40, 40)
    assert (report.errors, report.throttled, report.unanswered, report.late) == ({}, 0, 0, 0)
    assert 0 < report.p50_ms <= report.p99_ms <= report.p999_ms <= report.longest_ms
    assert report.turns_per_s > 0
    assert report.sample == ("> *100#", "< OK")


def test_an_answer_in_single_octets_is_framed():
    async def run():
        async with smsc_and_esme() as (smsc, esme):
            await esme.bind()
            load = asyncio.create_task(smsc.run(BALANCE, LoadSettings(**FEW | {"window": 1, "turns": 1})))
            for octet in last_screen(await esme.pdu()):
                esme.writer.write(bytes((octet,)))
                await esme.writer.drain()
            return await load

    report = asyncio.run(run())
    assert (report.turns, report.errors) == (1, {})


def test_throttled_turns_are_sent_again():
    throttled = set()

    def answer(pdu):
        msisdn = pdu[24:35]
        if msisdn in throttled:
            return last_screen(pdu)
        throttled.add(msisdn)
        return wire.response(wire.DELIVER_SM, wire.ESME_RTHROTTLED, sequence_of(pdu))

    report, _ = loaded(BALANCE, LoadSettings(**FEW | {"throttle_pause_s": 0, "turns": 10}), answer)
    assert report.turns == 10
    assert report.throttled >= 10
    assert (report.errors, report.unanswered) == ({}, 0)


def test_an_esme_that_only_acknowledges_leaves_turns_unanswered():
    def answer(pdu):
        return wire.response(wire.DELIVER_SM, wire.ESME_ROK, sequence_of(pdu), b"\0")

    settings = LoadSettings(window=4, seconds=0.05, warmup_s=0, turn_timeout_s=0.02, subscribers=100)
    report, _ = loaded(BALANCE, settings, answer)
    assert report.turns == 0
    assert report.unanswered >= 4


def test_an_esme_that_goes_away_ends_the_run():
    async def run():
        async with smsc_and_esme() as (smsc, esme):
            await esme.bind()
            load = asyncio.create_task(smsc.run(BALANCE, LoadSettings(**FEW)))
            await esme.pdu()
            esme.writer.close()
            report = await load
            with pytest.raises(ConnectionError, match="no ESME is bound"):
                await smsc.run(BALANCE, LoadSettings(**FEW))
            return report

    report = asyncio.run(run())
    assert report.errors == {"connection lost": 1}
    assert report.unanswered == 4


def test_one_run_after_another_on_the_same_bind():
    async def run():
        async with smsc_and_esme() as (smsc, esme):
            await esme.bind()
            async with serving(esme):
                return [await smsc.run(BALANCE, LoadSettings(**FEW)) for _ in range(2)], esme.read

    reports, read = asyncio.run(run())
    assert [(report.turns, report.errors, report.late) for report in reports] == [(40, {}, 0)] * 2
    sequences = [sequence_of(pdu) for pdu in read]
    assert sequences == sorted(set(sequences)), "a sequence number was used again"


@pytest.mark.parametrize(
    ("password", "status"), [(b"secret", wire.ESME_ROK), (b"other", wire.ESME_RINVPASWD)]
)
def test_a_configured_password_is_asked_for(password, status):
    async def run():
        async with smsc_and_esme(password="secret") as (_, esme):
            return await esme.bind(password)

    assert asyncio.run(run()) == status


@pytest.mark.parametrize("command_id", [wire.BIND_RECEIVER, wire.BIND_TRANSMITTER])
def test_only_a_transceiver_can_be_loaded(command_id):
    async def run():
        async with smsc_and_esme() as (_, esme):
            return await esme.ask(command_id, b"gw\0\0\0\x34\0\0\0")

    assert asyncio.run(run())[:2] == (wire.RESPONSE | command_id, wire.ESME_RBINDFAIL)


def test_before_and_after_the_bind():
    async def run():
        async with smsc_and_esme() as (_, esme):
            before = await esme.ask(wire.SUBMIT_SM, bytes(20), 5)
            bound = await esme.bind(), await esme.bind()
            idle = await esme.ask(wire.SUBMIT_SM, bytes(20), 6)
            alive = await esme.ask(wire.ENQUIRE_LINK, b"", 7)
            unknown = await esme.ask(0x0123, b"", 8)
            unbound = await esme.ask(wire.UNBIND, b"", 9)
            return before, bound, idle, alive, unknown, unbound, await esme.reader.read()

    before, bound, idle, alive, unknown, unbound, rest = asyncio.run(run())
    assert before == (wire.SUBMIT_SM_RESP, wire.ESME_RINVBNDSTS, 5, b"")
    assert bound == (wire.ESME_ROK, wire.ESME_RALYBND)
    assert idle == (wire.SUBMIT_SM_RESP, wire.ESME_ROK, 6, b"0\0")
    assert alive == (wire.RESPONSE | wire.ENQUIRE_LINK, wire.ESME_ROK, 7, b"")
    assert unknown == (wire.GENERIC_NACK, wire.ESME_RINVCMDID, 8, b"")
    assert unbound == (wire.RESPONSE | wire.UNBIND, wire.ESME_ROK, 9, b"")
    assert rest == b"", "the connection ends after unbind_resp"


@pytest.mark.parametrize("length", [0, 15, 65537])
def test_an_impossible_length_closes_the_connection(length):
    async def run():
        async with smsc_and_esme() as (_, esme):
            esme.writer.write(wire.HEADER.pack(length, wire.ENQUIRE_LINK, 0, 3))
            return await esme.reader.read()

    assert asyncio.run(run()) == wire.HEADER.pack(16, wire.GENERIC_NACK, wire.ESME_RINVCMDLEN, 3)


def test_nobody_binds():
    async def run():
        smsc = LoadSmsc()
        await smsc.listen()
        try:
            await smsc.wait_for_bind(0.01)
        finally:
            await smsc.close()

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_an_esme_that_answers_twice_is_caught():
    def twice(pdu):
        once = last_screen(pdu)
        return once + once[17:]  # deliver_sm_resp has 17 octets

    report, _ = loaded(BALANCE, LoadSettings(**FEW), twice)
    assert report.turns == 40
    assert set(report.errors) == {"answer given twice"}
    assert report.errors["answer given twice"] >= 40


def test_an_esme_that_answers_somebody_else_is_caught():
    def astray(pdu):
        return last_screen(pdu[:23] + b"8" + pdu[24:])

    settings = LoadSettings(window=4, seconds=0.05, warmup_s=0, turn_timeout_s=0.02, subscribers=100)
    report, _ = loaded(BALANCE, settings, astray)
    assert report.turns == 0
    assert set(report.errors) == {"answer to a number that never dialled"}
    assert report.unanswered >= 4


def test_a_generic_nack_refuses_the_turn():
    def nack(pdu):
        return wire.HEADER.pack(16, wire.GENERIC_NACK, 3, sequence_of(pdu))

    settings = LoadSettings(window=1, seconds=0.05, warmup_s=0, subscribers=100)
    report, _ = loaded(BALANCE, settings, nack)
    assert set(report.errors) == {"deliver_sm_resp 0x00000003"}


def test_a_rate_is_kept_and_each_second_is_told():
    told = []

    async def run():
        async with smsc_and_esme() as (smsc, esme):
            await esme.bind()
            async with serving(esme):
                settings = LoadSettings(
                    rate=200, arrivals="constant", seconds=1.2, warmup_s=0, subscribers=500
                )
                return await smsc.run(BALANCE, settings, lambda *second: told.append(second))

    report = asyncio.run(run())
    assert report.errors == {}
    assert 200 <= sum(turns for *_, turns in report.buckets) <= 300
    assert told
    assert told[0] == (report.series[0], {})


def test_a_run_is_ended_early():
    async def run():
        async with smsc_and_esme() as (smsc, esme):
            assert not smsc.stop(), "there is nothing to stop"
            await esme.bind()
            load = asyncio.create_task(smsc.run(BALANCE, LoadSettings(window=1, seconds=600, subscribers=10)))
            pdu = await esme.pdu()
            assert smsc.stop()
            assert not smsc.stop(), "it is ending already"
            esme.writer.write(last_screen(pdu))
            return await load

    report = asyncio.run(run())
    assert (report.errors, report.unanswered) == ({}, 0)


def test_refused_binds_are_remembered():
    async def run():
        async with smsc_and_esme(password="secret") as (smsc, esme):
            await esme.bind(b"other")
            return smsc.refusals

    assert asyncio.run(run()) == {wire.ESME_RINVPASWD: 1}
