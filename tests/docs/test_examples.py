"""Every marked example is executed or read; CONTRIBUTING.md says what the marks mean."""

import asyncio
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import cli
from data.model import NewSubscriber
from data.opening import open_store
from gateway.daemon import SELFCARE
from gateway.dialect import Profile, load_profile
from gateway.settings import parse_settings
from handlers import registry
from menus.loader import examine
from menus.turns import Abort, Answer, Begin
from tests.dialogues.tester import play
from tests.docs.pages import PAGES, PROVED_ELSEWHERE, ROOT, RUN, SHOWN, Block, blocks, name
from tests.docs.terminal import Terminal
from tests.unit.handlers.conftest import PEOPLE, Desk

OURS = [page for page in PAGES if name(page) not in PROVED_ELSEWHERE]
WITH_EXAMPLES = [page for page in OURS if any(block.mark in RUN for block in blocks(page))]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.fixture(autouse=True)
def _registries_as_they_were() -> Iterator[None]:
    registry.load_all()
    operations, jobs = dict(registry.OPERATIONS), dict(registry.JOBS)
    yield
    for kept, of in ((operations, registry.OPERATIONS), (jobs, registry.JOBS)):
        of.clear()
        of.update(kept)


@pytest.mark.parametrize("page", OURS, ids=name)
def test_every_block_has_a_mark_that_is_known(page: Path) -> None:
    for block in blocks(page):
        assert block.mark in (*RUN, *SHOWN), f"{block}: no mark {block.mark!r}"


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name)
def test_examples(page: Path, tmp_path: Path, terminal: Terminal) -> None:
    """One page is one sitting at one terminal: its blocks are done in order, in one folder."""
    namespace: dict[str, Any] = {}
    for block in blocks(page):
        _write_down(block, tmp_path)
        match block.mark:
            case "console":
                terminal.run(block)
            case "toml settings":
                parse_settings(tomllib.loads(block.text), str(block))
            case "yaml menu":
                _check_menu(block, tmp_path)
            case "yaml part":
                _check_part(block, tmp_path / "part.yaml")
            case "yaml dialect":
                _check_dialect(tmp_path / block.words[0])
            case "python operation" | "python test":
                exec(compile(block.text, str(block), "exec"), namespace)
                if block.mark == "python test":
                    _run_tests(namespace, tmp_path)
            case "transcript":
                _play(block, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_only_shown_could_be_run(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for block in blocks(page):
        for line in block.text.splitlines() if block.mark == "sh" else ():
            words = shlex.split(line.removeprefix("sudo "), comments=True)
            if words and words[0] == "make":
                assert targets.issuperset(word for word in words[1:] if "=" not in word), f"{block}: {line}"
            elif words and words[0].endswith("starpound"):
                _parse(block, words[1:])


def _parse(block: Block, words: list[str]) -> None:
    """Have click read a command line without running it."""
    redirected = next((at for at, word in enumerate(words) if word in ("<", ">", "|")), len(words))
    words = words[:redirected]
    command: click.Command = cli.main
    context = None
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    try:
        context = command.make_context("starpound", words)
    except click.exceptions.Exit:
        return
    except click.ClickException as error:
        pytest.fail(f"{block}: {error.format_message()}")
    context.close()


def _write_down(block: Block, folder: Path) -> None:
    for word in block.words:
        if word.endswith((".yaml", ".toml")):
            with (folder / word).open("a" if "append" in block.words else "w", encoding="utf-8") as file:
                file.write(block.text)


def _check_menu(block: Block, folder: Path) -> None:
    """A menu has no problem, or, marked `wrong`, it has one."""
    problems = [
        str(problem) for problem in examine(folder / block.words[0], registry.OPERATIONS, registry.JOBS)
    ]
    assert bool(problems) == ("wrong" in block.words), f"{block}:\n" + "\n".join(problems)


def _check_part(block: Block, path: Path) -> None:
    """The self-care menu with a piece more has no problem."""
    whole = yaml.load(SELFCARE.read_text("utf-8"), yaml.BaseLoader)
    path.write_text(
        yaml.dump(_merged(whole, yaml.load(block.text, yaml.BaseLoader)), allow_unicode=True), "utf-8"
    )
    problems = [str(problem) for problem in examine(path, registry.OPERATIONS, registry.JOBS)]
    assert not problems, f"{block}:\n" + "\n".join(problems)


def _merged(whole: Any, piece: Any) -> Any:
    if not isinstance(whole, dict) or not isinstance(piece, dict):
        return piece
    return whole | {key: _merged(whole.get(key), value) for key, value in piece.items()}


def _check_dialect(path: Path) -> None:
    """A dialogue goes there and back: the centre's side and the gateway's understand each other."""
    profile = load_profile(str(path))
    begun = profile.read(profile.indicate("79260000003", "105", "*105#", "new", 7, 0))
    assert begun.turn == Begin("*105#")
    answered = profile.read(profile.indicate("79260000003", "105", "1", "answer", 7, 2))
    assert answered.turn == Answer("1")
    assert answered.key == begun.key
    assert isinstance(profile.read(profile.indicate("79260000003", "105", "", "abort", 7, 3)).turn, Abort)
    _check_screens(profile, begun)


def _check_screens(profile: Profile, begun: Any) -> None:
    asked = profile.interpret(profile.write(begun.reply, "Баланс?", "ask"))
    assert (asked.msisdn, asked.text, asked.kind, asked.ends) == ("79260000003", "Баланс?", "ask", False)
    assert profile.interpret(profile.write(begun.reply, "Готово", "finish")).ends


def _run_tests(namespace: dict[str, Any], folder: Path) -> None:
    """Run the page's test functions as tests/unit/handlers would: each with a desk over a fresh store."""
    for number, test in enumerate([found for key, found in namespace.items() if key.startswith("test_")]):
        assert list(inspect.signature(test).parameters) == ["desk"]
        asyncio.run(_at_a_desk(test, f"sqlite:///{folder}/desk{number}.db", PEOPLE))


async def _at_a_desk(test: Any, url: str, people: list[NewSubscriber]) -> None:
    store = open_store(url)
    try:
        async with store.unit() as unit:
            await unit.facts.import_subscribers(people)
        await test(Desk(store))
    finally:
        await store.close()


def _play(block: Block, folder: Path) -> None:
    place = folder / f"transcript{block.line}"
    place.mkdir()
    played = play(block.text, str(block), place)
    assert not played.difference(str(block)), played.difference(str(block))
