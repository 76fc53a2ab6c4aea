"""Writes the pages of docs/reference that are made from the code: `docs/generate.py`, or `--check` to compare only.

`--run` also runs the tests of the protocol's cases, for conformance.md; without it that page keeps its results.
With `--check` the exit status is 1 when a page is stale. A page is the text below and what the code says of itself:
nothing in it is typed twice.
"""

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import conformance_page  # noqa: E402

import cli  # noqa: E402
import gateway.settings  # noqa: E402
from gateway.settings import Settings  # noqa: E402
from gateway.watch.metrics import Metrics  # noqa: E402
from handlers import registry  # noqa: E402

MADE_FROM = "<!-- Made from {source} by docs/generate.py: change it there, then run that. -->\n"

CLI = """# The command line

`starpound COMMAND --help` prints the same. Ports and addresses are those of this machine, 127.0.0.1; the simulator and
the admin page listen nowhere else unless told to.

## Exit status

| Status | Means |
|---|---|
| 0 | done: an answer came, the password is right, the menu has no problem; `serve` and `sim` were told to stop |
| 1 | the answer is no: no answer came, the password is wrong, the menu has problems, a step of the demo went wrong |
| 2 | a wrong call, or something that must be put right first. One line on standard error says what and where |

Results are on standard output; the log, progress and errors are on standard error.

## Environment

| Variable | Means |
|---|---|
| `NO_COLOR` | set to anything: no colours on a terminal, and nothing that moves |
| `STARPOUND_SIM` | the address of the simulator, as `--sim` |
| `STARPOUND_SIM_TOKEN` | its bearer token, as `--token` |
"""

SETTINGS = """# Settings

`starpound serve --config FILE` reads one TOML file, once, when it starts: to change a setting, restart. A key that does
not exist, and a value that does not fit, is an error that names the key; nothing is started then. Paths are relative to
the folder in which `starpound` is started, not to the file.

A name that ends in `_s` is a time in seconds, and may have a fraction. A whole file is in
[Connect to a centre](../how-to/connect-to-a-centre.md).
"""

METRICS = """# Metrics

`GET /metrics` on the address in `admin.listen`, in the Prometheus text format. `GET /healthz` beside it answers 200
when every link is bound and 503 otherwise, with the reason of each link that is down:

```json
{"status": "degraded", "links": {"ussdc": "Connection refused"}}
```

What to watch is in [Run in production](../how-to/run-in-production.md#watch-it).

Counters count from the start of the process.
"""

OPERATIONS = """# Operations

What a menu may `call:`, with the arguments it has to give and the outcomes it has to have a branch for
([the menu file](menu-file.md)). `starpound menu check` compares a menu with this list.

An argument is named and typed; digits from a code or an SMS become a number by themselves. The values of an outcome may
be used in texts. A value that ends in `_kopecks` is a sum and is written without that ending in a text:
`{balance:money}` shows `balance_kopecks`. A date is a text `YYYY-MM-DD`. `items` is a list for a `list:` node. `name`
and `other` come in both languages.
"""


# ---------------------------------------------------------------------------------------------- command line


def cli_page() -> str:
    """Return the page of the commands, from click."""
    top = click.Context(cli.main, info_name="starpound")
    sections = [_command(command, context) for command, context in _commands(cli.main, top)]
    return "\n".join([CLI, *sections])


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command that does something, in order of its name, with a context that knows what it is called."""
    for name in sorted(group.commands):
        command = group.commands[name]
        inside = click.Context(command, parent=context, info_name=name)
        if isinstance(command, click.Group):
            yield from _commands(command, inside)
        else:
            yield command, inside


def _command(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    help_text, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    rows = [_option(option) for option in command.params if isinstance(option, click.Option)]
    parts = [f"## {context.command_path}", f"```text\n{usage}\n```", help_text.strip()]
    if example:
        parts.append(f"```sh\n{example.removeprefix('Example: ').strip()}\n```")
    if rows:
        parts.append(_table(("Option", "Default", "Means"), rows))
    return "\n\n".join(parts).rstrip() + "\n"


def _option(option: click.Option) -> tuple[str, str, str]:
    value = "" if option.is_flag else f" {option.type.name.split()[0].upper()}"
    named = f"`{', '.join(option.opts)}{value}`"
    default = option.default
    if option.required:
        shown = "needed"
    elif isinstance(default, (str, int, float)) and not isinstance(default, bool):
        shown = f"`{default}`"
    else:
        shown = ""
    return named, shown, option.help or ""


# -------------------------------------------------------------------------------------------------- settings


def settings_page() -> str:
    """Return the page of the settings: types and defaults from pydantic, meanings from the strings under the fields."""
    schema = TypeAdapter(Settings).json_schema()
    told = _told(inspect.getsource(gateway.settings)) | _told(inspect.getsource(gateway.numbers))
    tables = {"Settings": ("", schema)} | dict(_tables("", schema, schema["$defs"]))
    return "\n".join([SETTINGS, *(_settings_table(name, *of, told) for name, of in tables.items())])


def _tables(
    inside: str, table: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, Any]]]:
    """The tables in a table, each before those in it: class → what stands in its brackets, and its schema."""
    for key, field in table["properties"].items():
        for reference in re.findall(r"#/\$defs/(\w+)", str(field)):
            head = f"[[{inside}{key}]]" if field.get("type") == "array" else f"[{inside}{key}]"
            yield reference, (head, known[reference])
            yield from _tables(f"{inside}{key}.", known[reference], known)


def _told(source: str) -> dict[str, dict[str, str]]:
    """Class → field → the string under it; the class's own docstring is under ""."""
    told: dict[str, dict[str, str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            fields = told[node.name] = {"": ast.get_docstring(node) or ""}
            for field, below in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    fields[field.target.id] = ast.literal_eval(below.value)
    return told


def _settings_table(name: str, head: str, table: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    rows = []
    for key in (key for key in told[name] if key in table["properties"]):  # in the order of the source
        field = table["properties"][key]
        if "$ref" in str(field):
            continue  # a table of its own
        default = "needed" if key in table.get("required", ()) else _default(field.get("default"))
        rows.append((f"`{key}`", _kind(field), default, told[name][key]))
    title = f"## `{head}`\n\n{told[name]['']}" if head else "## The top of the file"
    return f"{title}\n\n{_table(('Key', 'Value', 'Default', 'Means'), rows)}"


def _default(value: Any) -> str:
    match value:
        case None | [] | {}:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case list():
            return ", ".join(map(_default, value))
        case str():
            return f'`"{value}"`'
        case float():
            return f"`{value:g}`"
    return f"`{value}`"


def _kind(field: Mapping[str, Any]) -> str:
    """In words: "whole number, 1 to 65535"."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(one) for one in field["anyOf"] if one["type"] != "null"))
    if "enum" in field or "const" in field:
        values = [f'`"{value}"`' for value in field.get("enum", [field.get("const")])]
        return ", ".join(values)
    if field["type"] == "array":
        return f"list of: {_kind(field['items'])}"
    if field["type"] == "object":
        return f"table of: {_kind(field['additionalProperties'])}"
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    kind = names[field["type"]]
    least = field.get(
        "minimum", field.get("exclusiveMinimum", -1) + 1 if field["type"] == "integer" else None
    )
    if "maxLength" in field:
        return f"{kind}, at most {field['maxLength']} characters"
    if "maximum" in field:
        return f"{kind}, {least} to {field['maximum']}"
    if "exclusiveMinimum" in field and least is None:
        return f"{kind} above {field['exclusiveMinimum']:g}"
    return kind if least is None or least < 0 else f"{kind}, {least:g} or more"


# --------------------------------------------------------------------------------------------------- metrics


def metrics_page() -> str:
    """Return the page of the metrics, from their registry."""
    metrics = Metrics()
    rows = []
    for collector in vars(metrics).values():
        if isinstance(collector, CollectorRegistry):
            continue
        (family,) = collector.describe()
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in collector._labelnames)
        rows.append(
            (f"`{name}`", family.type, labels, family.documentation + _buckets(collector, family.type))
        )
    values = [(f"`{label}`", means) for label, means in LABELS.items()]
    return f"{METRICS}\n{_table(('Metric', 'Type', 'Labels', 'Means'), rows)}\n{_table(('Label', 'Values'), values)}"


def _buckets(collector: Any, kind: str) -> str:
    if kind != "histogram":
        return ""
    (family,) = collector.collect()
    bounds = [sample.labels["le"].removesuffix(".0") for sample in family.samples if "le" in sample.labels]
    return f". Buckets: {', '.join(bounds[:-1])}"


LABELS = {
    "link": "the link's name in the settings",
    "kind": "what came: `begin` (a code was dialled), `answer`, `abort`, `notified`, `text` (an SMS), `no_turn` "
    "(a receipt, a further part of a long SMS, what nobody can have meant to be answered), `not_understood`. And "
    "what became of some of them, besides: `unknown_code`, `unknown_sms`, `unknown_subscriber`, `expired` (an "
    "answer too late), `repeated` (delivered again), `failure` (the subscriber was given a reference)",
    "status": "the name of an SMPP status, such as `ESME_RTHROTTLED`",
    "verdict": "`taken` (the centre has it), `retry` (will be sent again), `failed` (given up), `stale` (a screen "
    "that was not sent again, for a newer one follows), `stray` (a response to nothing, or late)",
    "job": "the job's name: see [operations](operations.md#jobs)",
    "result": "`done`, `failed` (will be tried again), or `set_aside` (has failed for the last time)",
}


# ------------------------------------------------------------------------------------------------ operations


def operations_page() -> str:
    """Return the page of operations and jobs, from the registry."""
    registry.load_all()
    sections = [OPERATIONS]
    for subject in registry.SUBJECTS:
        module = sys.modules[f"handlers.{subject}"]
        sections.append(f"## {subject.capitalize()}\n\n{_first_paragraph(module)}\n")
        found = [
            operation for name, operation in registry.OPERATIONS.items() if name.startswith(f"{subject}.")
        ]
        sections += map(_operation, found)
    sections.append("## Jobs\n\nSlow work that an operation promises; it is done after the turn.\n")
    rows = [
        (f"`{job.name}`", _messages(job.messages), _first_paragraph(job.run))
        for job in registry.JOBS.values()
    ]
    sections.append(_table(("Job", "SMS that the menu has to word", "Does"), rows))
    return "\n".join(sections)


def _operation(operation: registry.Operation) -> str:
    args = ", ".join(f"`{name}` ({_TYPES[kind]})" for name, kind in operation.args.items())
    rows = [(f"`{code}`", _names(values)) for code, values in operation.outcomes.items()]
    parts = [f"### {operation.name}", _first_paragraph(operation.run)]
    parts.append(f"Arguments: {args or 'none'}.")
    if operation.messages:
        parts.append(f"SMS: {_messages(operation.messages)}.")
    return "\n\n".join([*parts, _table(("Outcome", "Values"), rows)])


_TYPES = {int: "number", str: "text"}


def _messages(messages: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"`{name}` with {_names(values) or 'nothing'}" for name, values in messages.items())


def _names(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _first_paragraph(documented: Any) -> str:
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].replace("``", "`").split())


# ------------------------------------------------------------------------------------------------- the pages


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "cli.md": ("the commands in cli.py", cli_page),
    "settings.md": ("gateway/settings.py", settings_page),
    "metrics.md": ("gateway/watch/metrics.py", metrics_page),
    "operations.md": ("handlers/", operations_page),
    "conformance.md": (
        "the tests",
        lambda: conformance_page.page_as_on_disk(REFERENCE / "conformance.md"),
    ),
}


def render(name: str) -> str:
    """Return the text of a page as the code has it now."""
    source, page = PAGES[name]
    return MADE_FROM.format(source=source) + page().rstrip() + "\n"


def stale() -> list[str]:
    """Return the names of the pages whose file says something else, or is not there."""
    return [name for name in PAGES if _on_disk(REFERENCE / name) != render(name)]


def _on_disk(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """Write the pages, or with --check say which are stale; the exit status."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/reference.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit status 1 when a page is stale"
    )
    parser.add_argument(
        "--run", action="store_true", help="run the tests that conformance.md names, and write their results"
    )
    given = parser.parse_args()
    check = given.check
    if given.run:
        source, _ = PAGES["conformance.md"]
        fresh = conformance_page.page_from_a_run()
        PAGES["conformance.md"] = source, lambda: fresh
    names = stale()
    for name in names:
        if not check:
            (REFERENCE / name).write_text(render(name), "utf-8")
        print(f"docs/reference/{name} {'is stale: run docs/generate.py' if check else 'written'}")
    return 1 if check and names else 0


if __name__ == "__main__":
    sys.exit(main())
