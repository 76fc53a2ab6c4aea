"""Links lead somewhere, and what pages list is what there is."""

import ast
import asyncio
import importlib.util
import re
import sqlite3
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import TypeAdapter

from data.model import Subscriber
from data.opening import open_store
from data.seed import seed
from data.store import Store
from gateway.dialect import ProfileFile
from smpp_sim.transcripts.transcript import PATTERNS
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links, name, prose

REFERENCE = ROOT / "docs/reference"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), (
                f"{name(page)}: no heading for {link}; there are {sorted(anchors(target))}"
            )


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page in PAGES:
            reached.add(page)
            waiting += [
                (page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link
            ]
    assert {name(page) for page in PAGES} == {name(page) for page in reached}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh(generator: ModuleType) -> None:
    assert generator.stale() == [], "run docs/generate.py"


def test_every_kind_of_turn_that_is_counted_is_explained(generator: ModuleType) -> None:
    counted = set(re.findall(r'counted\["(\w+)"\]', (ROOT / "gateway/turns/dialogues.py").read_text("utf-8")))
    assert counted
    assert counted <= set(re.findall(r"`(\w+)`", generator.LABELS["kind"]))


def test_every_field_of_a_dialect_profile_is_explained() -> None:
    page = prose(REFERENCE / "dialect-profiles.md")
    explained = set(re.findall(r"^\| `([a-z_.0-9]+)`", page, re.MULTILINE))
    assert set(_keys(_profile_fields())) == explained


def _profile_fields() -> dict:
    schema = TypeAdapter(ProfileFile).json_schema(by_alias=True)
    return {key: _resolved(field, schema["$defs"]) for key, field in schema["properties"].items()}


def _resolved(field: dict, definitions: dict) -> dict:
    reference = re.search(r"#/\$defs/(\w+)", str(field))
    return definitions[reference[1]]["properties"] if reference else {}


def _keys(fields: dict) -> list[str]:
    return [f"{key}.{inner}" for key, inside in fields.items() for inner in inside] + [
        key for key, inside in fields.items() if not inside
    ]


def test_every_pattern_of_a_transcript_is_explained() -> None:
    page = prose(REFERENCE / "transcripts.md")
    assert set(re.findall(r"^\| `\{(\w+)\}`", page, re.MULTILINE)) == set(PATTERNS)


def test_every_event_of_the_log_is_explained() -> None:
    page = prose(REFERENCE / "log.md")
    explained = set(re.findall(r"^\| `([^`]+)` \| (?:info|warning|error)", page, re.MULTILINE))
    assert explained == {event for file in (ROOT / "gateway").rglob("*.py") for event in _events(file)}


def _events(file: Path) -> list[str]:
    """The events that a module logs: first arguments of log.info("…") and the like."""
    logged = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if re.search(r"\blog\.|_log\.", called) and not called.endswith(".bind"):
                logged.append(node.args[0].value)
    return logged


def test_dependencies_are_explained() -> None:
    setup = (ROOT / "setup.cfg").read_text("utf-8")
    listed = re.search(r"install_requires =\n(.*?)\n\[options.packages", setup, re.DOTALL)[1]
    extras = re.search(r"extras_require\]\n(.*?)\n\[options.entry", setup, re.DOTALL)[1]
    wanted = set(re.findall(r"^    ([\w-]+)[><=;]", f"{listed}\n{extras}", re.MULTILINE))
    page = prose(ROOT / "docs/explanation/dependencies.md")
    assert wanted == set(re.findall(r"^\| ([\w-]+) \|", page, re.MULTILINE)) - {"Package"}


async def _store_with_a_subscriber(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    await seed(store, 1)
    await store.close()


async def _subscriber(store: Store, msisdn: str) -> Subscriber | None:
    async with store.view() as view:
        return await view.facts.subscriber(msisdn)


def test_the_backup_of_the_page_can_be_opened(tmp_path: Path) -> None:
    page = ROOT / "docs/how-to/run-in-production.md"
    statement = re.search(r"VACUUM INTO '([^']+)'", "".join(block.text for block in blocks(page)))
    asyncio.run(_store_with_a_subscriber(tmp_path / "live.db"))
    connection = sqlite3.connect(tmp_path / "live.db")
    connection.execute(statement[0].replace(statement[1], str(tmp_path / "copy.db")))
    connection.close()
    copy = open_store(f"sqlite:///{tmp_path}/copy.db", create=False)
    assert asyncio.run(_subscriber(copy, "79260000000"))
    asyncio.run(copy.close())


def test_every_case_of_the_protocol_is_proven_on_the_core_or_in_the_program_and_through_a_socket(
    generator: ModuleType,
) -> None:
    page = generator.conformance_page
    proofs = page.proofs()
    for case in page.CASES:
        paths = [proof.path for proof in proofs if proof.case == case]
        assert any(page.SOCKET in path for path in paths), f"{case}: no test through a socket"
        assert any(page.SOCKET not in path for path in paths), f"{case}: no test but through a socket"


def test_the_tests_of_a_case_through_a_socket_say_the_same_of_it(generator: ModuleType) -> None:
    page = generator.conformance_page
    proofs = page.proofs()
    for case in page.CASES:
        says = {proof.says for proof in proofs if proof.case == case and page.SOCKET in proof.path}
        assert len(says) == 1, f"{case}: {says}"


def test_the_conformance_page_was_written_after_a_run_in_which_all_passed(generator: ModuleType) -> None:
    results, answers = generator.conformance_page.read_back((REFERENCE / "conformance.md").read_text("utf-8"))
    assert {case: result for case, result in results.items() if result != "passed"} == {}, "make docs"
    assert "not run" not in {answer for told in answers.values() for answer in told.values()}, "make docs"
