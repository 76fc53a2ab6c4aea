import inspect

import pytest

from data.model import LANGUAGES
from handlers import registry
from handlers.registry import ArgumentError, Outcome, Refusal, Work
from tests.unit.handlers.conftest import UnitOfWork

pytestmark = pytest.mark.anyio

registry.load_all()

LISTED = ("items", "items.number", "items.name", "items.fee_kopecks")
DECLARED = {
    "balance.show": ({}, {"private": ("balance_kopecks",), "corporate": ()}),
    "balance.budget": (
        {},
        {
            "budget": ("balance_kopecks", "limit_kopecks", "left_kopecks"),
            "no_limit": ("balance_kopecks",),
            "private": ("balance_kopecks",),
        },
    ),
    "packages.left": (
        {},
        {
            "left": ("items", "items.source", "items.kind", "items.left", "items.total", "renews"),
            "none": (),
        },
    ),
    "password.issue": ({}, {"accepted": (), "too_often": ("minutes",), "blocked": ()}),
    "options.mine": ({}, {"list": LISTED, "none": ()}),
    "options.categories": ({}, {"list": ("items", "items.category", "items.name")}),
    "options.catalogue": ({"category": str}, {"list": LISTED, "none": ()}),
    "options.offered": ({}, {"list": LISTED, "none": ()}),
    "options.off": ({"number": int}, {"off": ("name",), "already_off": ("name",), "unknown": ("number",)}),
    "options.status": (
        {"number": int},
        {
            "on": ("number", "name", "since"),
            "off": ("number", "name"),
            "unavailable": ("name",),
            "unknown": ("number",),
        },
    ),
    "settings.language": ({"language": str}, {"changed": ()}),
    "settings.script": ({"script": str}, {"changed": ()}),
}


@pytest.fixture
def shelf(monkeypatch):
    """Empty registries for the length of a test."""
    monkeypatch.setattr(registry, "OPERATIONS", {})
    monkeypatch.setattr(registry, "JOBS", {})
    return registry


@pytest.mark.parametrize("name", DECLARED)
def test_menus_can_rely_on_these(name):
    args, outcomes = DECLARED[name]
    operation = registry.OPERATIONS[name]
    assert (dict(operation.args), dict(operation.outcomes)) == (args, outcomes)


def test_an_order_is_refused_for_the_reasons_that_its_check_gives():
    checked, ordered = (set(registry.OPERATIONS[f"options.{name}"].outcomes) for name in ("check", "on"))
    assert checked - ordered == {"possible", "replaces"}
    assert ordered - checked == {"on", "on_budget", "on_contract", "replaced"}


def test_nothing_else_is_registered():
    assert registry.OPERATIONS.keys() == DECLARED.keys() | {"options.check", "options.on"}
    assert registry.JOBS.keys() == {"password.generate"}
    assert registry.JOBS["password.generate"].messages == {"password.issued": ("login", "password")}


def test_the_desk_gives_operations_what_they_may_ask_for():
    promised = {name for name in (*vars(Work), *Work.__annotations__) if not name.startswith("_")}
    assert promised - {*dir(UnitOfWork), *UnitOfWork.__annotations__} == set()
    for verb in (name for name in promised if inspect.iscoroutinefunction(vars(Work).get(name))):
        given, declared = vars(UnitOfWork)[verb], vars(Work)[verb]
        assert inspect.iscoroutinefunction(given)
        assert inspect.signature(given) == inspect.signature(declared), verb


def test_loading_again_is_harmless():
    before = dict(registry.OPERATIONS)
    registry.load_all()
    assert before == registry.OPERATIONS


def test_a_name_is_taken_once(shelf):
    declare = shelf.operation("balance.show", outcomes={})
    declare(lambda work, subscriber, args: None)
    with pytest.raises(ValueError, match=r"balance\.show is registered twice"):
        declare(lambda work, subscriber, args: None)
    promise = shelf.job("mail", prepare=print)
    promise(lambda work, subscriber, prepared: None)
    with pytest.raises(ValueError, match="mail is registered twice"):
        promise(lambda work, subscriber, prepared: None)


class TestCalling:
    @pytest.fixture
    def echo(self, shelf):
        @shelf.operation(
            "echo", args={"number": int, "word": str}, outcomes={"said": ("args",), "no": ("why",)}
        )
        async def run(work, subscriber, args):
            if args["number"] == 13:
                raise Refusal("no", why="unlucky")
            return Outcome("said", {"args": args})

        return shelf.OPERATIONS["echo"]

    @pytest.mark.parametrize(("given", "number"), [("42", 42), (42, 42), ("007", 7)])
    async def test_arguments_get_their_declared_types(self, echo, given, number):
        outcome = await echo(None, None, {"number": given, "word": "да", "more": "dropped"})
        assert outcome == Outcome("said", {"args": {"number": number, "word": "да"}})

    @pytest.mark.parametrize("wrong", ["", "4.2", "-1", " 7", "1_0", "٧", "abc", "9" * 19, None, 4.0, True])
    async def test_what_is_no_number_is_the_menus_mistake(self, echo, wrong):
        with pytest.raises(ArgumentError, match="echo: argument number cannot be"):
            await echo(None, None, {"number": wrong, "word": ""})

    async def test_an_argument_left_out(self, echo):
        with pytest.raises(ArgumentError, match="word cannot be None"):
            await echo(None, None, {"number": 1})

    async def test_a_refusal_is_an_outcome(self, echo):
        assert await echo(None, None, {"number": 13, "word": ""}) == Outcome("no", {"why": "unlucky"})


async def test_no_operation_uses_words(desk):
    """Codes and values only; a name comes in every language."""
    for msisdn in ("79260000003", "79260000010"):
        await desk.ask(msisdn, "options.on", number=41)
        for name in ("options.mine", "options.categories", "options.offered", "packages.left"):
            items = (await desk.ask(msisdn, name)).values["items"]
            found = {tuple(value) for item in items for value in item.values() if isinstance(value, dict)}
            assert found == {LANGUAGES}
