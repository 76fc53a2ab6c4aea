"""A centre that lost our response delivers again: every effect once, in every dialect, over sockets and a store.

The centre reads nothing from before the message on that is to come again, so that our response is on its way when the
connection is cut; what it delivers then is equal to the last octet, but for the sequence number.
"""

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.daemon import Gateway
from gateway.dialect import Profile, load_profile, profile_names
from gateway.smpp.pdu import SubmitSm
from gateway.smpp.vocabulary import ESME_ROK
from tests.links.peer import Centre, Peer, centre, connected
from tests.links.scene import (
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

PHONE = number(3)
EMPLOYEE = number(10)
DIALECTS = pytest.mark.parametrize("dialect", profile_names())


class Phone:
    """A handset of the centre; it numbers its dialogue as the dialect does."""

    def __init__(self, dialect: str, msisdn: str = PHONE, session: int = 5):
        self.profile: Profile = load_profile(dialect)
        self.msisdn, self.session, self.unit = msisdn, session, 0
        self.code = ""

    def dial(self, code: str) -> Any:
        self.code, self.unit = code, 0
        return self._says(code, "new")

    def answer(self, text: str) -> Any:
        self.unit += 2
        return self._says(text, "answer")

    def _says(self, text: str, kind: str) -> Any:
        place = self.profile.service_addr(self.code)
        return self.profile.indicate(self.msisdn, place, text, kind, self.session, self.unit)

    def shown(self, pdu: Any) -> str:
        return self.profile.interpret(pdu).text


class Stage:
    """A centre and our gateway, bound to each other; `again` cuts them apart and joins them again."""

    def __init__(self, folder: Path, smsc: Centre, ours: Gateway):
        self.folder, self.smsc, self.ours = folder, smsc, ours
        self.binds = 0
        self.peer: Peer

    async def bound(self) -> None:
        self.binds += 1
        self.peer = await self.smsc.bound(self.binds)
        await healthy(self.ours)

    async def say(self, pdu: Any) -> Any:
        """Deliver a message and see its answer, which is taken."""
        before = len(self.peer.messages)
        assert (await self.peer.ask(replace(pdu))).command_status == ESME_ROK
        return await self.peer.message(before + 1)

    async def lost(self, *pdus: Any) -> None:
        """Deliver messages whose responses are lost with the connection, once they have been done."""
        done = self._handled() + len(pdus)
        self.peer.deaf = True
        self.peer.send(*(replace(pdu) for pdu in pdus))
        await until(lambda: self._handled() >= done, "the messages have been handled")
        self.peer.cut()
        await self.bound()

    def _handled(self) -> float:
        return metric(self.ours, "unit_of_work_turns_sum")

    def charged(self) -> list[tuple[str, int]]:
        return query(self.folder, "SELECT what, amount_kopecks FROM ledger ORDER BY id")


@asynccontextmanager
async def staged(folder: Path, **link: Any) -> Any:
    async with centre() as smsc, gateway(folder, to_centre(smsc.port, **link)) as ours:
        stage = Stage(folder, smsc, ours)
        await stage.bound()
        yield stage


@DIALECTS
@scene
async def test_an_answer_that_comes_again_does_not_answer_the_next_screen(tmp_path, dialect):
    phone = Phone(dialect)
    async with staged(tmp_path, dialect=dialect) as stage:
        for pdu in (phone.dial("*105#"), phone.answer("3"), phone.answer("2"), phone.answer("1")):
            await stage.say(pdu)
        chosen = phone.answer("1")
        await stage.lost(chosen)
        question = phone.shown(await stage.peer.message())
        assert "1 Подключить" in question
        assert (await stage.peer.ask(replace(chosen))).command_status == ESME_ROK
        assert stage.charged() == []
        assert len(stage.peer.messages) == 1, "the answer to the first delivery is the answer to the second"
        bought = phone.shown(await stage.say(phone.answer("1")))
        assert bought.startswith("Подключено"), "he who has seen the question is served"
        assert stage.charged() == [("option:11", 10_000)]


@DIALECTS
@scene
async def test_an_order_that_comes_again_gets_the_answer_of_the_first(tmp_path, dialect):
    """Not "already switched on": that is not what his order came to."""
    phone = Phone(dialect)
    async with staged(tmp_path, dialect=dialect) as stage:
        order = phone.dial("*105*503*11*1#")
        await stage.lost(order)
        assert phone.shown(await stage.peer.message()).startswith("Подключено")
        assert (await stage.peer.ask(replace(order))).command_status == ESME_ROK
        assert len(stage.peer.messages) == 1
        assert stage.charged() == [("option:11", 10_000)]
        assert "Уже" in phone.shown(await stage.say(replace(order))), "the same again, later, is an order"


@scene
async def test_on_and_off_in_one_window_come_again_and_cost_once(tmp_path):
    async with staged(tmp_path) as stage:
        pair = sms(PHONE, "ВКЛ 11"), sms(PHONE, "ВЫКЛ 11")
        await stage.lost(*pair)
        await stage.peer.message(2)
        assert await stage.peer.statuses(delivered(stage.peer, *pair)) == [ESME_ROK] * 2
        texts = [pdu.short_message for pdu in stage.peer.messages]
        assert len(texts) == len(set(texts)), "an answer came twice"
        assert stage.charged() == [("option:11", 10_000)]


@scene
async def test_a_change_of_an_exclusive_option_comes_again_and_costs_once(tmp_path):
    async with staged(tmp_path) as stage:
        orders = sms(EMPLOYEE, "ВКЛ 100"), sms(EMPLOYEE, "ВКЛ 300")
        await stage.lost(*orders)
        await stage.peer.message(2)
        await stage.peer.statuses(delivered(stage.peer, *orders))
        assert [what for what, _ in stage.charged()] == ["option:100", "option:300"]


def delivered(peer: Peer, *pdus: Any) -> list[Any]:
    again = [replace(pdu) for pdu in pdus]
    peer.send(*again)
    return again


@scene
async def test_an_empty_sms_that_comes_again_asks_for_no_second_password(tmp_path):
    async with staged(tmp_path) as stage:
        request = sms(PHONE, "", to="000110")
        await stage.lost(request)
        await stage.peer.message()
        assert (await stage.peer.ask(replace(request))).command_status == ESME_ROK
        assert query(tmp_path, "SELECT count(*) FROM password_issues") == [(1,)]
        await stage.say(request)
        assert query(tmp_path, "SELECT count(*) FROM password_issues") == [(2,)], "a person asks once more"


@scene
async def test_a_second_loss_makes_the_repeat_a_repeat_again(tmp_path):
    async with staged(tmp_path) as stage:
        order = sms(PHONE, "ВКЛ 11")
        await stage.lost(order)
        await stage.lost(order)
        assert (await stage.peer.ask(replace(order))).command_status == ESME_ROK
        assert stage.charged() == [("option:11", 10_000)]


@DIALECTS
@scene
async def test_who_says_the_same_after_a_cut_and_was_heard_is_served(tmp_path, dialect):
    """The centre took the screen, so it has read our response: nothing comes again, and "1" is a person's."""
    phone = Phone(dialect)
    async with staged(tmp_path, dialect=dialect) as stage:
        for pdu in (phone.dial("*105#"), phone.answer("3"), phone.answer("2"), phone.answer("1")):
            await stage.say(pdu)
        assert "1 Подключить" in phone.shown(await stage.say(phone.answer("1")))
        await taken(stage)
        stage.peer.cut()
        await stage.bound()
        assert phone.shown(await stage.say(phone.answer("1"))).startswith("Подключено")


async def taken(stage: Stage) -> None:
    """Wait until the gateway has heard that the centre took everything."""
    await until(lambda: query(stage.folder, "SELECT count(*) FROM outbox") == [(0,)], "all is taken")


@DIALECTS
@scene
async def test_an_answer_that_comes_twice_on_a_connection_that_lives(tmp_path, dialect):
    """Its centre has not even taken the next screen: nobody has read that, and nobody answers it."""
    phone = Phone(dialect)
    async with staged(tmp_path, dialect=dialect) as stage:
        for pdu in (phone.dial("*105#"), phone.answer("3"), phone.answer("2"), phone.answer("1")):
            await stage.say(pdu)
        stage.peer.judge = lambda pdu: None
        chosen = phone.answer("1")
        await stage.say(chosen)
        assert (await stage.peer.ask(replace(chosen))).command_status == ESME_ROK
        assert len(stage.peer.messages) == 5
        stage.peer.judge = lambda pdu: ESME_ROK
        stage.peer.answer(stage.peer.messages[-1])
        await taken(stage)
        assert phone.shown(await stage.say(phone.answer("1"))).startswith("Подключено")


@scene
async def test_a_centre_that_died_without_a_word_and_binds_again(tmp_path):
    """The gateway takes its old connection for alive: nothing was said on it since."""
    order = sms(PHONE, "ВКЛ 11", carrier=SubmitSm)
    async with gateway(tmp_path, from_centre(name="ussdc")) as ours:
        port = listening_port(ours)
        async with connected(port) as dead, connected(port) as alive:
            await dead.bind_as()
            dead.deaf = True
            dead.send(replace(order))
            await until(lambda: query(tmp_path, "SELECT count(*) FROM ledger") == [(1,)], "the order is done")
            await alive.bind_as()
            assert (await alive.ask(replace(order))).command_status == ESME_ROK
        assert query(tmp_path, "SELECT what FROM ledger") == [("option:11",)]
        texts = [pdu.short_message for pdu in alive.messages]
        assert len(texts) == len(set(texts)), "an answer came twice"


@scene
async def test_a_restart_does_not_forget_what_the_centre_may_not_have_read(tmp_path):
    async with centre() as smsc:
        order = sms(PHONE, "ВКЛ 11")
        async with gateway(tmp_path, to_centre(smsc.port)) as ours:
            stage = Stage(tmp_path, smsc, ours)
            await stage.bound()
            stage.peer.deaf = True
            stage.peer.send(replace(order))
            await until(stage.charged, "the order has been done")
            stage.peer.cut()
        async with gateway(tmp_path, to_centre(smsc.port)) as ours:
            stage.ours, stage.binds = ours, len(smsc.peers)
            await stage.bound()
            await stage.peer.message()
            assert (await stage.peer.ask(replace(order))).command_status == ESME_ROK
            assert len(stage.peer.messages) == 1
        assert stage.charged() == [("option:11", 10_000)]


@scene
async def test_a_restart_in_good_order_leaves_nothing_in_doubt(tmp_path):
    async with centre() as smsc:
        async with gateway(tmp_path, to_centre(smsc.port)) as ours:
            stage = Stage(tmp_path, smsc, ours)
            await stage.bound()
            await stage.say(sms(PHONE, "ОСТАТОК"))
        assert query(tmp_path, "SELECT count(*) FROM acknowledged") == [(0,)]
