"""The password: who gets one, how often, and where its text is not."""

import json

import pytest

from handlers.password import ALPHABET, new_password, verify
from handlers.registry import Limits, Outcome

pytestmark = pytest.mark.anyio

PRIVATE, BLOCKED, EMPLOYEE = "79260000003", "79260000005", "79260000010"


async def issued(desk) -> str:
    """The password of the last SMS."""
    return (await desk.texts())[-1]["password"]


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


async def test_the_old_one_holds_until_the_new_one_is_made(desk):
    await desk.ask(PRIVATE, "password.issue")
    await desk.run_due_jobs()
    await desk.ask(PRIVATE, "password.issue")
    assert await verify(desk.store, PRIVATE, await issued(desk))


async def test_a_blocked_number_gets_none(desk):
    assert await desk.ask(BLOCKED, "password.issue") == Outcome("blocked")
    assert await desk.store.due_jobs(desk.now, 10) == []
    assert await desk.store.password_issues_since(BLOCKED, 0.0) == []


async def test_nor_does_one_that_was_blocked_meanwhile(desk):
    await desk.ask(PRIVATE, "password.issue")
    desk.store._connection.execute("UPDATE subscribers SET blocked = 1 WHERE msisdn = ?", (PRIVATE,))
    assert await desk.run_due_jobs() == 1
    assert (await desk.texts(), await desk.store.password_hash(PRIVATE)) == ([], None)


class TestLimit:
    async def test_so_many_an_hour(self, desk):
        desk.limits = Limits(password_issues_per_hour=2)
        assert await desk.code(PRIVATE, "password.issue") == "accepted"
        desk.now += 600
        assert await desk.code(PRIVATE, "password.issue") == "accepted"
        desk.now += 600.5
        assert await desk.ask(PRIVATE, "password.issue") == Outcome("too_often", {"minutes": 40})
        assert len(await desk.store.due_jobs(desk.now, 10)) == 2

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
        await desk.run_due_jobs(commit=False)
        assert (await desk.texts(), await desk.store.password_hash(PRIVATE)) == ([], None)
        assert await desk.run_due_jobs() == 1
        assert len(await desk.texts()) == 1
        assert await verify(desk.store, PRIVATE, await issued(desk))


class TestSecrecy:
    async def test_only_the_hash_is_kept(self, desk, tmp_path):
        await desk.ask(PRIVATE, "password.issue")
        await desk.run_due_jobs()
        text = await issued(desk)
        await desk.store.taken([message.id for message in await desk.store.unsent("ussdc", 0, 10)])
        await desk.store.erase_traces()
        assert (await desk.store.password_hash(PRIVATE)).startswith("$argon2id$")
        for file in tmp_path.iterdir():
            for encoding in ("ascii", "utf-16-be"):
                assert text.encode(encoding) not in file.read_bytes(), file

    async def test_a_promised_job_does_not_know_it(self, desk):
        await desk.ask(PRIVATE, "password.issue")
        [record] = await desk.store.due_jobs(desk.now, 10)
        assert json.loads(record.args) == {"msisdn": PRIVATE, "length": 10}

    async def test_a_hash_that_is_damaged_fits_nothing(self, desk):
        for damaged in ("", "$argon2id$…", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$"):
            await desk.store.set_password_hash(PRIVATE, damaged, 1.0)
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
