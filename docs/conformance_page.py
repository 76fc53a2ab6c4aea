"""The page of the protocol's cases: what the tests of a case say of themselves, and how they ended when they were run.

A test proves a case when its name begins with it (``test_F3_…``), or its docstring (``F3: …``). Those under
tests/protocol prove it on the core, those under tests/conformance through a socket, the others in the program. What we
do is the first line of the docstring of those through a socket.
"""

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
CORE, SOCKET = "tests/protocol", "tests/conformance"
PDU_TEST = "tests/conformance/test_wire_pdus.py"
NO_PROOF = re.compile(r"/peers/|/test_explain|/test_capture")
"""Tests that are named after cases, too: of what they say, not of what is done. Those of other stacks need those."""
NOT_RUN = "not run"

HEAD = """# Conformance

What a peer may do to us over SMPP 3.4, what we do then, and the tests that prove it: on the core (`tests/protocol`, no
socket and no clock), through a real socket with a peer whose octets are written by hand (`tests/conformance`), and,
where a case is about more than the wire, in the program. The roles through a socket are the gateway that binds to a
centre (`role = "esme"`), the gateway to which a centre binds (`role = "smsc"`), and the simulator's centre. The numbers
of the cases are those in the names of the tests.

`make docs` runs the tests that are named here and writes down how they ended. A test that is not run says so.
"""

PDUS = """## Every PDU, every role

Who may issue it, and in which states (Table 2-1 of the specification, with the two changes that
[states.py](../../gateway/smpp/states.py) explains); then what each of the programs answered in the run when a peer sent
it, well formed, on a session bound as a transceiver. A bind was sent on a new connection where the peer is the ESME;
query_sm, cancel_sm and replace_sm were about a message that nobody knows.
"""

TIMERS: dict[str, str] = {
    "session_init_timer": "a connection that is not bound is closed, whether its peer says nothing, half a PDU, or "
    "enquire_link for ever",
    "enquire_link_timer": "after so much silence enquire_link is sent; without an answer within response_timer "
    "the link is dead",
    "inactivity_timer": "after so long without a message we unbind",
    "response_timer": "the request counts as not processed (W4); a bind or unbind without an answer ends the "
    "connection",
}
"""What happens when each of §7.2 runs out, at either end."""

TIME = """On the core time is a number ([test_timers](../../tests/protocol/test_timers.py)); through a socket the timers
are short ([test_wire_time](../../tests/conformance/test_wire_time.py)).
"""

MORE = """## What else is proven

- Any octets, cut anywhere, with anything done to good PDUs, and two sessions joined in any order of events: nothing is
  raised but the core's own errors ([test_arbitrary_octets](../../tests/protocol/test_arbitrary_octets.py)).
- `make fuzz` lets a coverage-guided fuzzer look for more; what it learned and what it broke is run again by
  [test_finds](../../tests/fuzz/test_finds.py).
- A million hostile PDUs leave nothing in memory, thousands of connections no descriptor
  ([test_flatness](../../tests/conformance/test_flatness.py)).
- Stacks of other people talk to both ends in `tests/peers`.
"""

CASES: dict[str, str] = {
    "F1": "cuts PDUs anywhere, or sends many at once, during the bind as well",
    "F2": "says a command_length below 16, or above the limit of 64 KiB",
    "F3": "sends a command_id that does not exist",
    "F4": "speaks another protocol: HTTP, TLS, SSH, RDP, AMQP …",
    "F5": "uses sequence number 0, or one above 0x7FFFFFFF",
    "F6": "sends a body that does not add up: too short, no NUL, a wrong sm_length, a cut TLV",
    "F7": "puts any TLV into any PDU",
    "F8": "sends a TLV twice",
    "F9": "answers with a vendor's status, or a reserved one",
    "F10": "answers with an error, with or without a body",
    "S1": "sends a request before the bind",
    "S2": "binds on a bound session",
    "S3": "sends what its kind of bind, or its role, does not allow",
    "S4": "binds with a wrong system_id or password, or refuses our bind",
    "S5": "sends enquire_link, whenever",
    "S6": "unbinds, or is unbound from",
    "S7": "answers what nobody asked, or too late",
    "S8": "goes on after unbind_resp",
    "S9": "is a centre that connects and sends outbind",
    "S10": "has an interface_version below 0x34",
    "S11": "looks at our interface_version",
    "W1": "answers slowly while we have much to send; sends more than its window",
    "W2": "answers ESME_RTHROTTLED or ESME_RMSGQFUL",
    "W3": "answers another error, temporary or permanent",
    "W4": "does not answer in time",
    "W5": "answers faster than we write",
    "W6": "sends many small PDUs in one write",
    "W7": "takes an acknowledgement for what it is: a promise",
    "W8": "delivers the receipt before the submit_sm_resp",
    "W9": "writes message ids in the receipt otherwise than in the response",
}
"""Each case, in the words that go on with "The peer"."""


@dataclass(frozen=True)
class Proof:
    """A test that proves a case: ``path::function``, the first line of its docstring, and the roles it is run in."""

    case: str
    path: str
    function: str
    says: str
    roles: tuple[str, ...]

    @property
    def node(self) -> str:
        """What pytest calls it."""
        return f"{self.path}::{self.function}"


# ---------------------------------------------------------------------------------------- what the tests say


def proofs(root: Path = ROOT) -> list[Proof]:
    """All tests that prove a case, in the order of their files."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return [proof for file in files for proof in _proofs_in(file, file.relative_to(root).as_posix())]


def _proofs_in(file: Path, path: str) -> Iterator[Proof]:
    module = ast.parse(file.read_text("utf-8"))
    aliases = {
        node.targets[0].id: ast.unparse(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            says = (ast.get_docstring(node) or "").partition("\n")[0]
            case = re.match(r"test_([FSW]\d+)_", node.name) or re.match(r"([FSW]\d+): ", says)
            if case and case[1] in CASES and not NO_PROOF.search(path):
                decorators = [ast.unparse(one) for one in node.decorator_list]
                roles = _roles([aliases.get(one, one) for one in decorators]) if SOCKET in path else ()
                yield Proof(case[1], path, node.name, says, roles)


def _roles(decorators: Iterable[str]) -> tuple[str, ...]:
    """The roles that ``parametrize('role', NAME)`` stands for."""
    from tests.conformance import ends

    for decorator in decorators:
        if found := re.search(r"parametrize\('role', (\w+)\)", decorator):
            return tuple({"ROLES": ends.ROLES, **vars(ends)}[found[1]])
    return ()


# ------------------------------------------------------------------------------------------ how they ended


@dataclass(frozen=True)
class Run:
    """How tests ended: ``path::function`` to passed, failed or skipped; role to command to what it was answered."""

    results: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]


def run(proven: Iterable[Proof]) -> Run:
    """Run these tests and the one of all PDUs. Their output goes to standard error."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        nodes = [*dict.fromkeys(proof.node for proof in proven), PDU_TEST]
        options = [
            "-q",
            "--no-header",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={report}",
            "-p",
            "no:cacheprovider",
        ]
        command = [sys.executable, "-m", "pytest", *options, *nodes]
        subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)  # noqa: S603 — our own tests
        return read_report(report.read_text("utf-8"))


def read_report(text: str) -> Run:
    """What pytest's report in JUnit's format says."""
    results: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    for case in ElementTree.fromstring(text).iter("testcase"):  # noqa: S314 — our own, written a moment ago
        function, _, parameters = case.get("name").partition("[")
        node = f"{case.get('classname').replace('.', '/')}.py::{function}"
        results[node] = _worse(results.get(node), _result(case))
        if node.startswith(PDU_TEST):
            told = {one.get("name"): one.get("value") for one in case.iter("property")}
            answers[parameters.rstrip("]")] = told
    return Run(results, answers)


_WORST = ("failed", NOT_RUN, "skipped", "passed")


def _result(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _worse(*results: str | None) -> str:
    return min(filter(None, results), key=_WORST.index, default=NOT_RUN)


# -------------------------------------------------------------------------------------------------- the page


def page(proven: list[Proof], results: Mapping[str, str], answers: Mapping[str, Mapping[str, str]]) -> str:
    """The whole page. ``results`` are by case, ``answers`` by role and command."""
    families = {"F": "Framing and fields", "S": "States", "W": "Flow"}
    sections = [HEAD]
    for letter, title in families.items():
        rows = [_case(case, proven, results) for case in CASES if case[0] == letter]
        sections.append(
            f"## {title}\n\n{_table(('Case', 'The peer', 'What we do', 'Core', 'Socket', 'Program', 'Result'), rows)}"
        )
    time = _table(("Timer", "When it runs out"), TIMERS.items())
    sections += [f"## Time\n\n{time}\n{TIME}", f"{PDUS}\n{_pdu_table(answers)}", MORE]
    return "\n".join(sections)


def _case(case: str, proven: list[Proof], results: Mapping[str, str]) -> tuple[str, ...]:
    mine = [proof for proof in proven if proof.case == case]
    says = dict.fromkeys(proof.says for proof in mine if SOCKET in proof.path)
    core = [proof for proof in mine if CORE in proof.path]
    socket = [proof for proof in mine if SOCKET in proof.path]
    program = [proof for proof in mine if proof not in core and proof not in socket]
    roles = dict.fromkeys(role for proof in socket for role in proof.roles)
    through = _files(socket) + (f": {', '.join(roles)}" if roles else "")
    return (
        case,
        CASES[case],
        " ".join(says),
        _files(core),
        through,
        _files(program),
        results.get(case, NOT_RUN),
    )


def _files(proven: Iterable[Proof]) -> str:
    counts: dict[str, int] = {}
    for proof in proven:
        counts[proof.path] = counts.get(proof.path, 0) + 1
    return ", ".join(f"[{Path(path).stem}](../../{path}) {count}" for path, count in counts.items())


def results_by_case(proven: Iterable[Proof], results: Mapping[str, str]) -> dict[str, str]:
    """How a case stands: as the worst of its tests."""
    by_case: dict[str, str] = {}
    for proof in proven:
        by_case[proof.case] = _worse(by_case.get(proof.case), results.get(proof.node, NOT_RUN))
    return by_case


def _pdu_table(answers: Mapping[str, Mapping[str, str]]) -> str:
    from gateway.smpp.states import TABLE_2_1, Role, State
    from tests.conformance.ends import ROLES

    rows = []
    for name, (states, issuers) in TABLE_2_1.items():
        who = " and ".join(role.name for role in Role if role in issuers)
        where = ", ".join(state.value for state in State if state in states)
        rows.append((name, who, where, *(answers.get(role, {}).get(name, NOT_RUN) for role in ROLES)))
    return _table(("PDU", "Issued by", "In", *ROLES), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def read_back(text: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The results and answers that a page says: what cannot be known without a run."""
    results: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    head: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells[:1] in (["Case"], ["PDU"]):
            head = cells
        elif cells and head[:1] == ["Case"] and cells[0] in CASES:
            results[cells[0]] = cells[-1]
        elif cells and head[:1] == ["PDU"] and len(cells) == len(head):
            for role, answer in zip(head[3:], cells[3:], strict=True):
                answers.setdefault(role, {})[cells[0]] = answer
    return results, answers


def page_as_on_disk(path: Path) -> str:
    """The page as the tests and the code have it now, with the outcome of the run that the file tells of."""
    results, answers = read_back(path.read_text("utf-8") if path.exists() else "")
    return page(proofs(), results, answers)


def page_from_a_run() -> str:
    """The page with the outcome of a run made now."""
    proven = proofs()
    outcome = run(proven)
    return page(proven, results_by_case(proven, outcome.results), outcome.answers)
