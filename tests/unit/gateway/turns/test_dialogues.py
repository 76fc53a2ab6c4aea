"""The unit of work against a real store: what is committed, what one failure costs, what is answered twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from data.model import Acknowledged, DialogueRecord, Outgoing, SentMessage, Subscriber
from data.opening import open_store
from data.seed import seed
from data.store import Store, StoreBusy, Unit
from gateway.daemon import SELFCARE, load_menu
from gateway.dialect import load_profile
from gateway.settings import LinkSettings, Service
from gateway.smpp.pdu import DeliverSm, decode, encode
from gateway.smpp.text import segments
from gateway.smpp.vocabulary import (
    ESM_CLASS_RECEIPT,
    ESM_CLASS_UDHI,
    ESME_RINVSRCADR,
    ESME_ROK,
    ESME_RX_R_APPN,
)
from gateway.turns.dialogues import Dialogues
from gateway.turns.post import Post
from gateway.turns.reading import arrive
from gateway.turns.repeats import ReadMark, Repeats, pack, unpack
from gateway.turns.station import station_of
from gateway.turns.work import Outcomes, Work
from handlers import registry
from handlers.registry import Operation, Outcome

PHONE, OTHER = "79260000003", "79260000004"
NOON = 1_790_000_000.0
SPEC = load_profile("spec")
STATION = station_of(LinkSettings(name="ussdc", connect="127.0.0.1:2775", system_id="gw", password="secret"))


class House:
    """Dialogues over a store of twenty subscribers, and a clock that is moved by hand."""

    def __init__(self):
        self.now = NOON
        self.store = open_store("sqlite://")
        self.menu = load_menu(None)
        self.operations = dict(registry.OPERATIONS)
        self.dialogues = Dialogues(
            self.store, Post(), self.menu, self.operations, Service(), lambda: self.now
        )

    async def handle(self, *pdus: DeliverSm, **more) -> Work:
        requests = [arrive(pdu, encode(pdu), STATION) for pdu in pdus]
        return await self.dialogues.handle(STATION, requests, **more)

    async def screens(self, *pdus: DeliverSm) -> list[str]:
        """What handsets are shown, or sent, in the order of the answers."""
        return [said(answer) for answer in (await self.handle(*pdus)).answers]

    async def unsent(self) -> list[Outgoing]:
        async with self.store.view() as view:
            return await view.outbox.unsent("ussdc", 0, 10)

    async def dialogue(self, msisdn: str = PHONE) -> DialogueRecord | None:
        async with self.store.view() as view:
            return await view.inbox.dialogue(msisdn)

    async def subscriber(self, msisdn: str = PHONE) -> Subscriber:
        async with self.store.view() as view:
            return await view.facts.subscriber(msisdn)

    async def options_on(self, msisdn: str = PHONE) -> list[int]:
        async with self.store.view() as view:
            return [option.number for option in await view.facts.options_on(msisdn)]


def said(answer: Outgoing) -> str:
    """The text of an answer."""
    return SPEC.interpret(decode(answer.frame)).text if answer.frame else answer.text


def dial(code: str, msisdn: str = PHONE, session: int = 1) -> DeliverSm:
    return SPEC.indicate(msisdn, "105", code, "new", session, 0)


def answer(text: str, unit: int, msisdn: str = PHONE, session: int = 1) -> DeliverSm:
    return SPEC.indicate(msisdn, "105", text, "answer", session, unit)


def sms(to: str, text: str = "", **fields) -> DeliverSm:
    fields = {"source_addr": PHONE, **fields}
    return DeliverSm(destination_addr=to, short_message=text.encode("ascii"), **fields)


@pytest.fixture
def in_house() -> Callable[[Callable[[House], Awaitable[None]]], None]:
    def run(work: Callable[[House], Awaitable[None]]) -> None:
        async def whole() -> None:
            house = House()
            await seed(house.store, 20)
            try:
                await work(house)
            finally:
                await house.store.close()

        asyncio.run(whole())

    return run


def test_answers_and_dialogue_are_in_the_store_when_the_work_is_done(in_house):
    async def work(house: House) -> None:
        done = await house.handle(dial("*105#"))
        assert [status for _, status in done.acknowledgements] == [ESME_ROK]
        assert await house.unsent() == done.answers
        record = await house.dialogue()
        assert (record.node, record.key, record.unit) == ("root", f"{PHONE}/100", 0)

    in_house(work)


def test_what_is_taken_leaves_the_store_and_what_failed_is_noted(in_house):
    async def work(house: House) -> None:
        done = await house.handle(dial("*100#"), dial("*100#", OTHER))
        first, second = done.answers
        await house.handle(outcomes=Outcomes([first.id], [(second.id, "ESME_RINVDSTADR")]))
        assert await house.unsent() == []

    in_house(work)


def test_a_failing_turn_costs_itself_and_nobody_else(in_house):
    async def fails(work: Work, subscriber, args) -> Outcome:
        await work.facts.charge(subscriber, "half a turn", 100, work.now)
        await work.send_sms("password.issued", {"login": "x", "password": "y"})
        raise ZeroDivisionError

    async def work(house: House) -> None:
        balance = house.operations["balance.show"]
        before = await house.subscriber()

        async def choose(work: Work, subscriber, args) -> Outcome:
            return await (fails if subscriber.msisdn == PHONE else balance.run)(work, subscriber, args)

        house.operations["balance.show"] = Operation(
            "balance.show", balance.args, balance.outcomes, balance.messages, choose
        )
        done = await house.handle(dial("*100#", OTHER, 1), dial("*100#", PHONE, 2), dial("*105#", OTHER, 3))
        screens = [said(answer) for answer in done.answers]
        assert [status for _, status in done.acknowledgements] == [ESME_ROK] * 3
        assert len(screens) == 3, "no SMS of the failed turn"
        assert "Номер обращения" in screens[1]
        assert await house.subscriber() == before
        assert (await house.dialogue(OTHER)).node == "root"

    in_house(work)


class Failing:
    """A store that cannot commit."""

    def __init__(self, store: Store):
        self._store = store

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        async with self._store.unit() as unit:
            yield unit
            raise StoreBusy("the disk is full")


def test_when_the_store_fails_nothing_is_ours(in_house):
    async def work(house: House) -> None:
        house.dialogues = Dialogues(
            Failing(house.store), Post(), house.menu, house.operations, Service(), lambda: house.now
        )
        with pytest.raises(StoreBusy):
            await house.handle(dial("*105*503*11*1#"))
        assert await house.options_on() == []
        assert await house.unsent() == []

    in_house(work)


def test_two_turns_of_one_dialogue_in_one_read(in_house):
    async def work(house: House) -> None:
        screens = await house.screens(dial("*105#"), answer("3", unit=2))
        assert len(screens) == 2
        assert (await house.dialogue()).node == "options"

    in_house(work)


def test_a_turn_that_spends_is_seen_by_the_next_of_the_same_read(in_house):
    async def work(house: House) -> None:
        before = await house.subscriber()
        screens = await house.screens(dial("*105*503*11*1#"), dial("*100#"))
        after = await house.subscriber()
        spent = before.balance_kopecks - after.balance_kopecks
        assert spent == house.store.catalogue.options[11].fee_kopecks
        rubles, kopecks = divmod(after.balance_kopecks, 100)
        assert f"{rubles},{kopecks:02}" in screens[1]

    in_house(work)


def test_a_turn_that_is_delivered_again_is_acknowledged_and_not_repeated(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        assert len(await house.screens(answer("3", unit=2))) == 1
        again = await house.handle(answer("3", unit=2))
        assert (again.answers, again.counted["repeated"]) == ([], 1)
        assert (await house.dialogue()).node == "options"

    in_house(work)


def test_what_comes_again_after_the_dialogue_has_gone_on_changes_nothing(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        await house.handle(answer("3", unit=2))
        await house.handle(answer("2", unit=4))
        before = await house.dialogue()
        for late in (dial("*105#"), answer("3", unit=2), answer("2", unit=4)):
            done = await house.handle(late)
            assert (done.counted["repeated"], done.answers) == (1, []), late
        assert await house.dialogue() == before

    in_house(work)


def test_a_dial_under_the_number_of_an_old_dialogue_begins_anew(in_house):
    """Some centres have few numbers for dialogues, and not every end is told."""

    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        await house.handle(answer("3", unit=2))
        house.now += 11
        (screen,) = await house.screens(dial("*105#"))
        assert screen.startswith("Сервис-Гид")

    in_house(work)


def test_dialogue_units_are_counted_in_seven_bits(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        record = await house.dialogue()
        async with house.store.unit() as unit:
            await unit.inbox.save_dialogues([record._replace(unit=126)])
        done = await house.handle(answer("3", unit=0), answer("0", unit=2))
        assert done.counted["repeated"] == 0
        assert len(done.answers) == 2

    in_house(work)


def test_a_new_dial_replaces_a_dialogue_and_a_late_answer_does_not_open_one(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#", session=1))
        await house.handle(dial("*105*3#", session=2))
        (late,) = await house.screens(answer("1", unit=2, session=1))
        assert "Время" in late
        assert (await house.dialogue()).node == "options"
        await house.handle(SPEC.indicate(PHONE, "105", "", "abort", 1, 3))
        assert await house.dialogue(), "a late cancel must not end the newer dialogue"
        await house.handle(SPEC.indicate(PHONE, "105", "", "abort", 2, 3))
        assert await house.dialogue() is None

    in_house(work)


def test_an_answer_after_the_idle_time_is_too_late(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        house.now += SPEC.limits.idle_s + 1
        (screen,) = await house.screens(answer("1", unit=2))
        assert "Время" in screen

    in_house(work)


def test_a_dialogue_that_never_rests_is_over_after_the_whole_time(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        for unit in range(2, 26, 2):
            house.now += 50
            (screen,) = await house.screens(answer("3" if unit % 4 else "0", unit))  # options, and back
            assert "Время" not in screen, f"{house.now - NOON} s"
        house.now += 50
        (screen,) = await house.screens(answer("1", 26))
        assert "Время" in screen, "650 s, and the profile says 600"

    in_house(work)


def test_an_operation_that_means_nothing_is_refused_and_counted(in_house):
    async def work(house: House) -> None:
        pdu = dial("*105#")
        pdu.tlvs[0x0501] = b"\xff"
        done = await house.handle(pdu)
        assert [status for _, status in done.acknowledgements] == [ESME_RX_R_APPN]
        assert done.counted["not_understood"] == 1

    in_house(work)


@pytest.mark.parametrize(
    "pdu", [dial("*100#", msisdn=""), sms("000110", source_addr="")], ids=["ussd", "sms"]
)
def test_a_message_of_nobody_is_refused_and_changes_nothing(in_house, pdu):
    async def work(house: House) -> None:
        done = await house.handle(pdu)
        assert [status for _, status in done.acknowledgements] == [ESME_RINVSRCADR]
        reason = "source_addr is empty: nobody to be answered"
        assert [about for _, *about in done.misunderstood] == [[reason, ESME_RINVSRCADR]]
        assert done.answers == []

    in_house(work)


@pytest.mark.parametrize("source", ["000105", "000110"])
def test_the_service_does_not_answer_itself(in_house, source):
    """Whoever writes in its name would have it talk to itself, for ever."""

    async def work(house: House) -> None:
        done = await house.handle(sms("000105", "BALANCE", source_addr=source))
        assert [status for _, status in done.acknowledgements] == [ESME_ROK]
        assert done.answers == []

    in_house(work)


@pytest.mark.parametrize(
    ("pdu", "name"),
    [(dial("*999#"), "unknown_code"), (sms("000999", "hi"), "unknown_sms")],
    ids=["code", "sms"],
)
def test_what_no_menu_knows_is_answered_politely_and_counted(in_house, pdu, name):
    async def work(house: House) -> None:
        done = await house.handle(pdu)
        assert len(done.answers) == 1
        assert done.counted[name] == 1

    in_house(work)


def test_a_receipt_is_nobodys_turn(in_house):
    async def work(house: House) -> None:
        done = await house.handle(sms("000110", "id:1 stat:DELIVRD", esm_class=ESM_CLASS_RECEIPT))
        assert (done.answers, done.counted["no_turn"]) == ([], 1)

    in_house(work)


def _by_udh() -> list[DeliverSm]:
    parts = segments(" " * 200, "gsm7", 7)
    return [
        DeliverSm(source_addr=PHONE, destination_addr="000110", esm_class=ESM_CLASS_UDHI, short_message=part)
        for part in parts
    ]


def _by_sar() -> list[DeliverSm]:
    tlvs = [{0x020C: b"\0\7", 0x020E: b"\2", 0x020F: bytes([number])} for number in (1, 2)]
    return [sms("000110", tlvs=given) for given in tlvs]


@pytest.mark.parametrize("parts", [_by_udh(), _by_sar()], ids=["udh", "sar"])
def test_a_long_sms_of_blanks_is_no_empty_sms_and_is_answered_once(in_house, parts):
    async def work(house: House) -> None:
        assert len(parts) == 2
        done = await house.handle(*parts)
        assert (len(done.answers), done.jobs) == (1, 0), "a hint, and no password"

    in_house(work)


def test_text_in_message_payload(in_house):
    async def work(house: House) -> None:
        pdu = dial("*100#")
        pdu.tlvs[0x0424], pdu.short_message = pdu.short_message, b""
        (screen,) = await house.screens(pdu)
        assert "руб" in screen

    in_house(work)


@pytest.mark.parametrize("sender", ["79260000003abc", "79260000003.5", " 79260000003", "Zvezda", "7" * 20])
def test_a_sender_that_only_begins_like_a_number_is_a_stranger(in_house, sender):
    async def work(house: House) -> None:
        text, code = sms("000110"), dial("*105#", sender)
        text.source_addr = sender
        done = await house.handle(dial("*100#"), text, code)
        assert [status for _, status in done.acknowledgements] == [ESME_ROK] * 3
        assert (done.counted["unknown_subscriber"], done.jobs) == (2, 0)

    in_house(work)


def test_a_plus_before_the_number_is_left_out(in_house):
    async def work(house: House) -> None:
        done = await house.handle(dial("*105#", f"+{PHONE}"))
        assert decode(done.answers[0].frame).destination_addr == f"+{PHONE}", "the centre gets it as it came"
        assert (await house.dialogue()).node == "root"

    in_house(work)


# --- whose number it is


@pytest.mark.parametrize("source", ["079260000003", "0079260000003", "79260000003 ", "8 926 000-00-03"])
def test_a_number_is_its_text_and_what_looks_like_it_is_a_stranger(in_house, source):
    async def work(house: House) -> None:
        done = await house.handle(sms("000110", source_addr=source), dial("*105*503*11*1#", source))
        assert (done.counted["unknown_subscriber"], done.jobs) == (2, 0)
        assert await house.options_on() == []

    in_house(work)


@pytest.mark.parametrize(
    "pdu", [sms("000105", "BALANCE", source_addr_ton=5), dial("*100#")], ids=["sms", "ussd"]
)
def test_an_alphanumeric_sender_is_nobody_and_is_never_answered(in_house, pdu):
    async def work(house: House) -> None:
        pdu.source_addr_ton = 5
        done = await house.handle(pdu)
        assert [status for _, status in done.acknowledgements] == [ESME_ROK]
        assert (done.answers, done.counted["no_turn"]) == ([], 1)

    in_house(work)


@pytest.mark.parametrize(
    ("ton", "npi", "source", "address"),
    [
        (1, 1, PHONE, ""),
        (0, 0, PHONE, f"0/0/{PHONE}"),
        (1, 1, f"+{PHONE}", f"1/1/+{PHONE}"),
        (3, 0, "900", "3/0/900"),
    ],
)
def test_an_sms_is_answered_as_its_sender_was_written(in_house, ton, npi, source, address):
    async def work(house: House) -> None:
        pdu = sms("000105", "BALANCE", source_addr=source, source_addr_ton=ton, source_addr_npi=npi)
        (answer,) = (await house.handle(pdu)).answers
        assert answer.address == address

    in_house(work)


def test_a_number_is_rewritten_by_the_rules_of_its_link(in_house):
    async def work(house: House) -> None:
        table = {"name": "ussdc", "connect": "127.0.0.1:2775", "system_id": "gw", "password": "secret"}
        station = station_of(LinkSettings(**table, numbers={"region": "RU"}))
        for source, ton in (("9260000003", 2), ("89260000003", 0), ("79260000003", 1), ("+79260000003", 0)):
            pdu = sms("000110", source_addr=source, source_addr_ton=ton)
            done = await house.dialogues.handle(station, [arrive(pdu, encode(pdu), station)])
            assert (done.jobs, done.counted["unknown_subscriber"]) == (1, 0), source
            house.now += 3601

    in_house(work)


@pytest.mark.parametrize("to", ["+000110", "000110 ", " 000110"])
def test_a_short_number_of_ours_is_known_with_a_plus_and_with_blanks(in_house, to):
    async def work(house: House) -> None:
        assert (await house.handle(sms(to))).jobs == 1

    in_house(work)


# --- robots


def test_a_robot_is_told_a_few_times_that_it_means_nothing(in_house):
    async def work(house: House) -> None:
        answered = [len((await house.handle(sms("000105", f"your answer {i}"))).answers) for i in range(12)]
        assert answered == [1] * 10 + [0] * 2
        assert len((await house.handle(sms("000105", "BALANCE"))).answers) == 1, "a command is a command"
        house.now += 3600
        assert len((await house.handle(sms("000105", "hello"))).answers) == 1

    in_house(work)


@pytest.mark.parametrize("pdu", [sms("000999", "hi"), sms("000105", "BALANCE", source_addr="900")])
def test_strangers_and_unknown_numbers_are_answered_as_often_and_no_more(in_house, pdu):
    async def work(house: House) -> None:
        answered = [len((await house.handle(pdu)).answers) for _ in range(12)]
        assert answered == [1] * 10 + [0] * 2

    in_house(work)


RECEIPT = "id:{} submit date:2204152009 done date:2204152009 stat:DELIVRD err:000"


def test_a_receipt_in_the_shape_of_an_sms_is_a_receipt(in_house):
    async def work(house: House) -> None:
        station = station_of(
            LinkSettings(name="smsc", connect="h:1", system_id="gw", password="secret", receipts=True)
        )
        async with house.store.unit() as unit:
            await unit.inbox.note_sent([SentMessage("smsc", "7f", 5, PHONE, house.now)])
        for message_id in ("7F", "8A"):  # one that is awaited, one that may have overtaken its response
            pdu = sms("000105", RECEIPT.format(message_id))
            done = await house.dialogues.handle(station, [arrive(pdu, encode(pdu), station)])
            assert (done.answers, done.counted["no_turn"]) == ([], 1)
            assert [receipt.message_id for receipt, *_ in done.receipts] == [message_id]
        person = sms("000105", "id: 5, is that my option?")
        done = await house.dialogues.handle(station, [arrive(person, encode(person), station)])
        assert len(done.answers) == 1

    in_house(work)


# --- what comes again


def test_an_answer_on_another_link_continues_nothing(in_house):
    async def work(house: House) -> None:
        other = station_of(LinkSettings(name="other", connect="h:1", system_id="gw", password="secret"))
        await house.handle(dial("*105#"))
        pdu = answer("3", unit=2)
        done = await house.dialogues.handle(other, [arrive(pdu, encode(pdu), other)])
        assert done.counted["expired"] == 1
        assert (await house.dialogue()).node == "root"

    in_house(work)


def test_another_code_under_the_number_of_a_dialogue_is_a_new_one_and_answered(in_house):
    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        await house.handle(answer("3", unit=2))
        house.now += 1
        (screen,) = await house.screens(dial("*100#"))
        assert "руб" in screen

    in_house(work)


def test_a_unit_that_fails_leaves_the_repeats_to_come(in_house):
    async def work(house: House) -> None:
        repeats = Repeats(lambda: 0.0)
        station = replace(STATION, repeats=repeats)
        pdu = sms("000105", "BALANCE")
        delivered = arrive(pdu, encode(pdu), station)
        repeats.restore([Acknowledged("ussdc", "c", 1, 0, pack([delivered.digest]), 0.0)])
        failing = Dialogues(
            Failing(house.store), Post(), house.menu, house.operations, Service(), lambda: house.now
        )
        with pytest.raises(StoreBusy):
            await failing.handle(station, [delivered])
        done = await house.dialogues.handle(station, [delivered, delivered])
        assert (len(done.answers), done.counted["repeated"]) == (1, 1)

    in_house(work)


def test_a_unit_says_in_the_store_what_it_will_acknowledge(in_house):
    async def work(house: House) -> None:
        refused = dial("*105#")
        refused.tlvs[0x0501] = b"\xff"
        await house.handle(dial("*100#"), refused, sms("000105", "BALANCE"), told=ReadMark("c", 7, 5))
        async with house.store.view() as view:
            (row,) = await view.inbox.acknowledged("ussdc")
        assert (row.connection, row.responses, row.read, row.when) == ("c", 10, 5, house.now)
        assert len(unpack(row.digests)) == 2, "what was refused may be done when it comes again"

    in_house(work)


# --- an answer means the screen that was seen


def test_after_a_change_of_the_menu_the_new_screen_is_shown_before_anything_is_done(in_house, tmp_path):
    text = SELFCARE.read_text("utf-8")
    options, password = "3: {to: options, ru", "4: {to: password.confirm, ru"
    assert options in text
    assert password in text
    changed = text.replace(options, "4" + options[1:]).replace(password, "3" + password[1:])
    (tmp_path / "changed.yaml").write_text(changed, "utf-8")

    async def work(house: House) -> None:
        await house.handle(dial("*105#"))
        house.menu = load_menu(str(tmp_path / "changed.yaml"))
        house.dialogues = Dialogues(
            house.store, Post(), house.menu, house.operations, Service(), lambda: house.now
        )
        (screen,) = await house.screens(answer("3", unit=2))
        assert "3 Пароль" in screen, "he has seen 3 as the options: now he sees what it is"
        assert (await house.dialogue()).node == "root"
        await house.screens(answer("3", unit=4))
        assert (await house.dialogue()).node == "password.confirm"

    in_house(work)
