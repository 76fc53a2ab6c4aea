"""What can be known to be wrong with a menu before anyone dials: all of it, each with its line and what to do.

`check_structure` needs the file alone; `check` also the operations and jobs that the menu relies on, in the shape
in which they are declared (`.args`, `.outcomes`, `.messages`). The values that a text or an argument uses are
followed along every way to it, back included: from digits in a code, from outcomes, from the chosen item of a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from menus.mmi import trouble_with_code
from menus.model import (
    CAPTURE,
    ITEMS,
    WORDS,
    Argument,
    CallNode,
    EndNode,
    ListNode,
    Menu,
    MenuNode,
    Node,
    Target,
    node_texts,
    targets,
)
from menus.problems import Problem, nearest
from menus.render import Phrase
from menus.tree import call_cycles, entrances, ways
from menus.values import Known, ValueNames, flow


class DeclaredOperation(Protocol):
    """What an operation declares: argument -> type, outcome -> its values, message -> its values.

    Fields of listed items may be declared as "items.number"; if none are, they are not checked.
    """

    @property
    def args(self) -> Mapping[str, type]:
        """Argument -> type."""

    @property
    def outcomes(self) -> ValueNames:
        """Outcome -> its values."""

    @property
    def messages(self) -> ValueNames:
        """SMS that it sends -> its values."""


class DeclaredJob(Protocol):
    """What a job declares."""

    @property
    def messages(self) -> ValueNames:
        """SMS that it sends -> its values."""


DeclaredOperations = Mapping[str, DeclaredOperation]
DeclaredJobs = Mapping[str, DeclaredJob]


def check(menu: Menu, operations: DeclaredOperations, jobs: DeclaredJobs | None = None) -> list[Problem]:
    """Every problem of the menu with itself and with what it calls, in order of lines.

    Without `jobs` a message that no operation sends is taken to be a job's.
    """
    problems = {
        *check_structure(menu),
        *_check_calls(menu, operations),
        *_check_values(menu, operations),
        *_check_messages(menu, operations, jobs),
    }
    return sorted(problems)


def check_structure(menu: Menu) -> list[Problem]:
    """Every problem that the file shows by itself, besides those found in reading it."""
    checks = (
        _check_targets,
        _check_reached,
        _check_cycles,
        _check_codes,
        _check_commands,
        _check_sms,
        _check_silence,
        _check_words,
    )
    return sorted({problem for check_one in checks for problem in check_one(menu)})


# -------------------------------------------------------------------------------------- the file alone


def _check_targets(menu: Menu) -> Iterator[Problem]:
    for target in _references(menu):
        if target.node and target.node not in menu.nodes and target.node not in menu.broken:
            what = f"there is no node '{target.node}'"
            yield Problem(menu.file, target.line, what, menu.hint_for(target.node))


def _references(menu: Menu) -> Iterator[Target]:
    yield menu.home
    yield from (target for _, target in entrances(menu))
    for node in menu.nodes.values():
        yield from (target for _, target in targets(node))
        if node.parent:
            yield node.parent


def _check_reached(menu: Menu) -> Iterator[Problem]:
    if menu.broken or menu.home.node not in menu.nodes:
        return  # ways may lead through what could not be read
    reached = ways(menu)
    for node in menu.nodes.values():
        if node.id not in reached:
            hint = "lead an option, an outcome or a code to it, or remove it"
            yield Problem(menu.file, node.line, f"nothing leads to node '{node.id}'", hint)


def _check_cycles(menu: Menu) -> Iterator[Problem]:
    for cycle in call_cycles(menu):
        what = f"calls follow one another without end: {' → '.join([*cycle, cycle[0]])}"
        yield Problem(menu.file, menu.nodes[cycle[0]].line, what, "put a menu, a list or an end between them")


def _check_codes(menu: Menu) -> Iterator[Problem]:
    for code, target in menu.codes.entries():
        found = trouble_with_code(code)
        if found:
            yield Problem(menu.file, target.line, *found)
    yield from _twice(menu, "the code", [({code}, code, target) for code, target in menu.codes.entries()])


def _check_commands(menu: Menu) -> Iterator[Problem]:
    for number in menu.numbers.values():
        commands = [(number.keys(source), source, target) for source, target in number.spellings]
        yield from _twice(menu, f"the command to {number.number}", commands)
        if number.other is None:
            what = f"an SMS to {number.number} that is not known has no answer"
            yield Problem(menu.file, number.line, what, "add 'other:' and a node that says what can be sent")


def _twice(menu: Menu, kind: str, entries: list[tuple[set[str], str, Target]]) -> Iterator[Problem]:
    """Entries (keys, as written, target) that could not be told apart, whatever their {names} are called."""
    seen: dict[str, tuple[str, Target]] = {}
    for keys, source, target in entries:
        shapes = {CAPTURE.sub("{}", key).replace(" {}", "{}") for key in keys}
        for first, at in {seen[shape][0]: seen[shape][1] for shape in shapes if shape in seen}.items():
            if at is not target:  # two spellings of one entry may be alike in Latin letters
                what = f"{kind} '{source}' is the same as '{first}'"
                yield Problem(menu.file, target.line, what, f"that one is at line {at.line}: keep one")
        seen |= {shape: (source, target) for shape in shapes if shape not in seen}


def _check_sms(menu: Menu) -> Iterator[Problem]:
    for number in menu.numbers.values():
        for _, target in number.entries():
            waiting = _screen_that_waits(menu, target.node, set())
            if waiting:
                what = f"an SMS leads to '{waiting}', which waits for an answer"
                yield Problem(menu.file, target.line, what, "an SMS is answered once: lead it to an end")


def _screen_that_waits(menu: Menu, place: str, passed: set[str]) -> str:
    node = menu.nodes.get(place)
    if isinstance(node, MenuNode | ListNode):
        return place
    if not isinstance(node, CallNode) or place in passed:
        return ""
    passed.add(place)
    found = (_screen_that_waits(menu, target.node, passed) for target in node.outcomes.values())
    return next(filter(None, found), "")


def _check_silence(menu: Menu) -> Iterator[Problem]:
    """A dialogue that hears nothing hangs until the centre gives it up."""
    dialled = ways(menu, sms=False)
    for node in menu.nodes.values():
        if isinstance(node, EndNode) and node.silent and node.id in dialled:
            hint = "give it a text; only an SMS may be left without an answer"
            yield Problem(
                menu.file, node.line, f"'{node.id}' is silent, but can be reached by dialling", hint
            )


def _check_words(menu: Menu) -> Iterator[Problem]:
    for name, phrase in menu.phrases.items():
        yield from _unknown_values(menu, phrase, Known(frozenset(WORDS[name])), f"in the words '{name}'")
    for node in menu.nodes.values():
        if isinstance(node, EndNode):
            yield from _check_items(menu, node)
        elif isinstance(node, MenuNode | ListNode):
            yield from _check_no_items(menu, node)


def _check_no_items(menu: Menu, node: MenuNode | ListNode) -> Iterator[Problem]:
    for phrase in node_texts(node):
        for field, line in phrase.fields():
            if field.name == ITEMS:
                hint = "only an end shows {items}; a list shows them by itself"
                yield Problem(menu.file, line, f"'{node.id}' cannot show items in a text", hint)


def _check_items(menu: Menu, node: EndNode) -> Iterator[Problem]:
    for language, text in node.text.sources.items():
        line = node.text.lines[language]
        shown = f"{{{ITEMS}}}" in text
        if text and node.item and not shown:
            hint = "write {items} where their lines belong"
            yield Problem(menu.file, line, f"'{node.id}' has an item, but its text does not show items", hint)
        if shown and not node.item:
            hint = "add 'item:' with the text of one line"
            yield Problem(menu.file, line, f"'{node.id}' shows items, but not how one looks", hint)


# ----------------------------------------------------------------------- the file and what it calls


def _check_calls(menu: Menu, operations: DeclaredOperations) -> Iterator[Problem]:
    for node in menu.nodes.values():
        if not isinstance(node, CallNode):
            continue
        operation = operations.get(node.operation.node)
        if operation is not None:
            yield from _check_arguments(menu, node, operation)
            yield from _check_branches(menu, node, operation)
        elif node.operation.node:
            what = f"no handler declares the operation '{node.operation.node}'"
            yield Problem(menu.file, node.operation.line, what, nearest(node.operation.node, operations))


def _check_arguments(menu: Menu, node: CallNode, operation: DeclaredOperation) -> Iterator[Problem]:
    for name in operation.args.keys() - node.args.keys():
        what = f"'{node.id}' does not give {node.operation.node} its argument '{name}'"
        yield Problem(menu.file, node.line, what, f"add '{name}: \"{{{name}}}\"' under args")
    for name, argument in node.args.items():
        if name not in operation.args:
            what = f"{node.operation.node} takes no argument '{name}'"
            yield Problem(menu.file, argument.line, what, nearest(name, operation.args, "remove it"))
        elif operation.args[name] is int and argument.constant and not argument.constant.isdecimal():
            what = f"the argument '{name}' must be a number, not '{argument.constant}'"
            yield Problem(menu.file, argument.line, what, f'write digits, or "{{{name}}}" for a value')


def _check_branches(menu: Menu, node: CallNode, operation: DeclaredOperation) -> Iterator[Problem]:
    for outcome in operation.outcomes.keys() - node.outcomes.keys():
        what = f"'{node.id}' has no branch for the outcome '{outcome}' of {node.operation.node}"
        yield Problem(menu.file, node.line, what, f"add '{outcome}:' under outcomes")
    for outcome, target in node.outcomes.items():
        if outcome not in operation.outcomes:
            what = f"{node.operation.node} never has the outcome '{outcome}'"
            yield Problem(menu.file, target.line, what, nearest(outcome, operation.outcomes))


def _check_values(menu: Menu, operations: DeclaredOperations) -> Iterator[Problem]:
    known = flow(menu, {name: operation.outcomes for name, operation in operations.items()})
    for node in menu.nodes.values():
        if node.id in known:
            yield from _check_node_values(menu, node, known[node.id])


def _check_node_values(menu: Menu, node: Node, known: Known) -> Iterator[Problem]:
    place = f"in '{node.id}'"
    match node:
        case CallNode():
            yield from _unknown_arguments(menu, node.args, known, place)
        case MenuNode() | ListNode() | EndNode():
            yield from _unknown_values(menu, node.text, known, place)
            if isinstance(node, ListNode | EndNode) and node.wordings:
                yield from _unknown_items(menu, node, known)


def _unknown_items(menu: Menu, node: ListNode | EndNode, known: Known) -> Iterator[Problem]:
    if not known.has(ITEMS):
        hint = "lead only outcomes with the value 'items' to it"
        yield Problem(menu.file, node.line, f"'{node.id}' lists items that not every way to it brings", hint)
    elif known.item_fields:
        for wording in node.wordings:
            yield from _unknown_values(menu, wording, Known(known.item_fields), f"in an item of '{node.id}'")


def _unknown_arguments(
    menu: Menu, args: Mapping[str, Argument], known: Known, place: str
) -> Iterator[Problem]:
    for argument in args.values():
        if argument.value and not known.has(argument.value):
            yield _unknown(menu, argument.line, argument.value, known, place)


def _unknown_values(menu: Menu, phrase: Phrase, known: Known, place: str) -> Iterator[Problem]:
    for field, line in phrase.fields():
        for value in field.values:
            if not known.has(value):
                yield _unknown(menu, line, value, known, place)


def _unknown(menu: Menu, line: int, value: str, known: Known, place: str) -> Problem:
    values = ", ".join(sorted(known.names)) or "none"
    hint = f"what every way there brings: {values}"
    return Problem(
        menu.file, line, f"the value '{value}' is not known {place}", nearest(value, known.names, hint)
    )


def _check_messages(
    menu: Menu, operations: DeclaredOperations, jobs: DeclaredJobs | None
) -> Iterator[Problem]:
    declared: dict[str, tuple[str, ...]] = {}
    for sender in (*operations.values(), *(jobs or {}).values()):
        declared |= sender.messages
    for name in declared.keys() - menu.messages.keys():
        hint = f"add '{name}:' under messages"
        yield Problem(menu.file, menu.messages_line, f"the message '{name}' has no text", hint)
    for name, phrase in menu.messages.items():
        if name not in declared and jobs is None:
            continue  # it may be a job's
        elif name not in declared:
            what = f"nobody sends the message '{name}'"
            yield Problem(menu.file, phrase.line, what, nearest(name, declared, "remove it"))
        else:
            known = Known(frozenset(declared[name]))
            yield from _unknown_values(menu, phrase, known, f"in the message '{name}'")
