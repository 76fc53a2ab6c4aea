"""The password: who gets one, how often, and where its text is not."""

import json

import pytest

from handlers.password import ALPHABET, new_password, verify
from handlers.registry import Limits, Outcome
from tests.unit.handlers.conftest import Undone

pytestmark = pytest.mark.anyio

PRIVATE, BLOCKED, EMPLOYEE = "79260000003", "79260000005", "79260000010"


async def issued(desk) -> str:
    """The password of the last SMS."""
    return (await desk.texts())[-1]["password"]


async def kept_hash(desk, msisdn: str = PRIVATE) -> str | None:
    async with desk.store.view() as view:
        return await view.facts.password_hash(msisdn)


async def test_from_the_request_to_the_sms(desk):
    assert await desk.ask(PRIVATE, "password.issue") == Outcome("accepted")
    assert await desk.texts() == []
    assert not await verify(desk.store, PRIVATE, "")
    assert await desk.run_due_jobs() == 1
    [sms] = await desk.texts()
    assert sms == {"message": "password.issued", "login": "9260000003", "password": sms["password"]}
    assert await verify(desk.store, PRIVATE, sms["password"])
    assert await desk.run_due_jobs() == 0


@pytest.mark.parametrize("wrong", ["", "A" * 10, "nil\0", "пароль", "\udcff"], ids=ascii)
async def test_another_password_is_wrong(desk, wrong):
    await desk.ask(PRIVATE, "password.issue")
    await desk.run_due_jobs()
    assert not await verify(desk.store, PRIVATE, wrong)
    assert not await verify(desk.store, PRIVATE, (await issued(desk)).upper())
    assert not await verify(desk.store, EMPLOYEE, await issued(desk))


async def test_a_new_one_voids_the_old(desk):
    passwords = []
    for _ in range(2):
        await desk.ask(PRIVATE, "password.issue")
        await desk.run_due_jobs()
        passwords.append(await issued(desk))
    assert [await verify(desk.store, PRIVATE, each) for each in passwords] == [False, True]


async def test_only_the_newest_is_left_to_be_sent(desk):
    """An SMS that was refused and is sent again must not come after the one whose password holds."""
    for _ in range(3):
        await desk.ask(PRIVATE, "password.issue")
        await desk.run_due_jobs()
    [sms] = await desk.texts()
    assert await verify(desk.store, PRIVATE, sms["password"])


async def test_one_that_was_sent_is_no_concern_of_the_next(desk):
    await desk.ask(PRIVATE, "password.issue")
    await desk.run_due_jobs()
    await desk.take()
    await desk.ask(PRIVATE, "password.issue")
    await desk.run_due_jobs()
    assert len(await desk.texts()) == 1


async def test_nobody_loses_his_password_to_another(desk):
    for msisdn in (EMPLOYEE, PRIVATE):
        await desk.ask(msisdn, "password.issue")
    await desk.run_due_jobs()
    assert [sms["login"] for sms in await desk.texts()] == ["9260000010", "9260000003"]


async def test_the_old_one_holds_until_the_new_one_is_made(desk):
    await desk.ask(PRIVATE, "password.issue")
    await desk.run_due_jobs()
    await desk.ask(PRIVATE, "password.issue")
    assert await verify(desk.store, PRIVATE, await issued(desk))


async def test_a_blocked_number_gets_none(desk):
    assert await desk.ask(BLOCKED, "password.issue") == Outcome("blocked")
    assert await desk.due_jobs() == []
    async with desk.store.view() as view:
        assert await view.facts.password_issues_since(BLOCKED, 0.0) == []


async def test_nor_does_one_that_was_blocked_meanwhile(desk):
    await desk.promise(BLOCKED, "password.generate", {"msisdn": BLOCKED, "length": 10})
    assert await desk.run_due_jobs() == 1
    assert (await desk.texts(), await kept_hash(desk, BLOCKED)) == ([], None)


class TestLimit:
    async def test_so_many_an_hour(self, desk):
        desk.limits = Limits(password_issues_per_hour=2)
        assert await desk.code(PRIVATE, "password.issue") == "accepted"
        desk.now += 600
        assert await desk.code(PRIVATE, "password.issue") == "accepted"
        desk.now += 600.5
        assert await desk.ask(PRIVATE, "password.issue") == Outcome("too_often", {"minutes": 40})
        assert len(await desk.due_jobs()) == 2

    async def test_the_wait_ends_when_it_was_said_to(self, desk):
        desk.limits = Limits(password_issues_per_hour=1)
        await desk.ask(PRIVATE, "password.issue")
        desk.now += 61
        minutes = (await desk.ask(PRIVATE, "password.issue")).values["minutes"]
        desk.now += minutes * 60
        assert await desk.code(PRIVATE, "password.issue") == "accepted"

    async def test_a_limit_that_was_lowered_counts_the_latest(self, desk):
        for _ in range(3):
            await desk.ask(PRIVATE, "password.issue")
            desk.now += 600
        desk.limits = Limits(password_issues_per_hour=2)
        assert await desk.ask(PRIVATE, "password.issue") == Outcome("too_often", {"minutes": 40})

    async def test_it_is_never_nought_minutes(self, desk):
        desk.limits = Limits(password_issues_per_hour=1)
        await desk.ask(PRIVATE, "password.issue")
        desk.now += 3600
        assert await desk.ask(PRIVATE, "password.issue") == Outcome("too_often", {"minutes": 1})

    async def test_a_refused_request_does_not_prolong_it(self, desk):
        desk.limits = Limits(password_issues_per_hour=1)
        await desk.ask(PRIVATE, "password.issue")
        for _ in range(5):
            desk.now += 700
            await desk.ask(PRIVATE, "password.issue")
        desk.now += 101
        assert await desk.code(PRIVATE, "password.issue") == "accepted"

    async def test_numbers_do_not_count_for_one_another(self, desk):
        desk.limits = Limits(password_issues_per_hour=1)
        assert await desk.code(PRIVATE, "password.issue") == "accepted"
        assert await desk.code(EMPLOYEE, "password.issue") == "accepted"


class TestDyingInBetween:
    """The process may be killed at any moment; one SMS and one hash belong together."""

    async def test_between_prepare_and_commit(self, desk):
        await desk.ask(PRIVATE, "password.issue")
        assert await desk.run_due_jobs(times_prepared=2) == 1
        assert len(await desk.texts()) == 1
        assert await verify(desk.store, PRIVATE, await issued(desk))

    async def test_before_the_commit(self, desk):
        await desk.ask(PRIVATE, "password.issue")
        with pytest.raises(Undone):
            await desk.run_due_jobs(dies=True)
        assert (await desk.texts(), await kept_hash(desk)) == ([], None)
        assert await desk.run_due_jobs() == 1
        assert len(await desk.texts()) == 1
        assert await verify(desk.store, PRIVATE, await issued(desk))


class TestSecrecy:
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path}/store.db"

    async def test_only_the_hash_is_kept(self, desk, tmp_path):
        await desk.ask(PRIVATE, "password.issue")
        await desk.run_due_jobs()
        text = await issued(desk)
        await desk.take()
        await desk.store.erase_traces()
        assert (await kept_hash(desk)).startswith("$argon2id$")
        for file in tmp_path.iterdir():
            for encoding in ("ascii", "utf-16-be"):
                assert text.encode(encoding) not in file.read_bytes(), file

    async def test_a_promised_job_does_not_know_it(self, desk):
        await desk.ask(PRIVATE, "password.issue")
        [record] = await desk.due_jobs()
        assert json.loads(record.args) == {"msisdn": PRIVATE, "length": 10}

    async def test_a_hash_that_is_damaged_fits_nothing(self, desk):
        for damaged in ("", "$argon2id$…", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$"):
            async with desk.store.unit() as unit:
                await unit.facts.set_password_hash(PRIVATE, damaged, 1.0)
            assert not await verify(desk.store, PRIVATE, "")


class TestGeneration:
    def test_as_long_as_asked_for_in_letters_that_cannot_be_mistaken(self):
        made = [new_password(12) for _ in range(200)]
        assert {len(each) for each in made} == {12}
        assert set("".join(made)) == set(ALPHABET)
        assert len(set(made)) == 200

    def test_no_look_alikes(self):
        assert not set("il1o0ILO") & set(ALPHABET)
        assert len(set(ALPHABET)) == len(ALPHABET) == 31
