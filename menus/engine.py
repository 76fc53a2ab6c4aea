"""One turn of a dialogue: what was dialled or answered in, a screen or a call out.

The graph is a machine of `transitions`, built once for a menu. Every move that the menu's file describes (an answer, an
outcome, back, home) is one of its events; dialling is not a move but puts the dialogue where the code says, by table.
Moves have no conditions and no callbacks, so that where one leads is known when the machine is: events are fired from a
table that is read off it, for a tenth of what it costs to trigger them.

Nothing here waits, reads a clock or keeps anything between turns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from transitions import Machine

from menus.model import (
    BACK,
    CHOSEN,
    HOME,
    ITEMS,
    MORE,
    OK,
    CallNode,
    EndNode,
    ListNode,
    Menu,
    ScreenNode,
    targets,
)
from menus.paging import Page, fits, joined
from menus.problems import UnexpectedOutcome
from menus.screens import is_still, pages_of
from menus.tree import parents
from menus.turns import (
    WHOLE,
    Abort,
    Answer,
    Begin,
    Call,
    Dialogue,
    Display,
    End,
    Notified,
    Reaction,
    Returned,
    Show,
    Text,
    Turn,
)

WRONG_ANSWERS = 3  # the third ends the dialogue
_WRITTEN_OK = {"": OK, "ок": OK}  # the second in Cyrillic
_ON_EVERY_PAGE = frozenset((BACK, HOME, OK))

# The low bits of a meaning say with which item the page of a list begins: it is that one's to which "1" leads.
_ITEM_BITS = 16
_ITEM = (1 << _ITEM_BITS) - 1


def build(menu: Menu) -> Menu:
    """Give a faultless menu its table of moves. Takes milliseconds."""
    machine = machine_of(menu)

    def to(trigger: str, node: str) -> str:
        return str(machine.events[trigger].transitions[node][0].dest)

    menu.moves = {
        node: {trigger: to(trigger, node) for trigger in machine.get_triggers(node)} for node in menu.nodes
    }
    menu.still = frozenset(node.id for node in menu.nodes.values() if is_still(node))
    menu.meanings = _meanings(menu)
    return menu


def machine_of(menu: Menu) -> Machine:
    """The machine of a menu: states are nodes, triggers are answers and outcomes."""
    machine = Machine(model=None, states=list(menu.nodes), initial=None, auto_transitions=False)
    for trigger, source, dest in _moves(menu):
        machine.add_transition(trigger, source, dest)
    return machine


def _moves(menu: Menu) -> Iterator[tuple[str, str, str]]:
    """Every (trigger, source, dest)."""
    back = parents(menu)
    for node in menu.nodes.values():
        for way, target in targets(node):
            yield way, node.id, target.node
        if not isinstance(node, CallNode):
            yield BACK, node.id, back[node.id]
            yield HOME, node.id, menu.home.node


def _meanings(menu: Menu) -> dict[str, int]:
    led: dict[str, list[tuple[str, str]]] = {node: [] for node in menu.nodes}
    for trigger, source, dest in _moves(menu):
        led[source].append((trigger, dest))
    return {node: _meaning(moves) for node, moves in led.items()}


def _meaning(moves: Iterable[tuple[str, str]]) -> int:
    """The same in every process and for every order of the options; kinds of nodes differ in their triggers."""
    digest = blake2b(json.dumps(sorted(moves)).encode(), digest_size=8 - _ITEM_BITS // 8)
    return int.from_bytes(digest.digest(), "big", signed=True) << _ITEM_BITS


def advance(menu: Menu, dialogue: Dialogue, turn: Turn | Returned, display: Display) -> Reaction:
    """Take one turn.

    Changes nothing but `dialogue`. Show: send the text, keep the dialogue. End: send the text if there is one, the
    dialogue is over and cleared. Call: run the operation, then advance with Returned(code, values); no answer from
    the subscriber may come between. The node of an End is the screen's, or the name of the words it says
    ("unknown_code", "unknown_sms", "expired").

    Raises UnexpectedOutcome for a Returned that the menu has no branch for, and KeyError for a value missing in a
    text: neither happens when `lint.check` was satisfied and the operation keeps to its declaration.
    """
    return _TURNS[type(turn)](menu, dialogue, turn, display)


# ---------------------------------------------------------------------------------------------- turns


def _begun(menu: Menu, dialogue: Dialogue, turn: Begin, display: Display) -> Reaction:
    return _start(menu, dialogue, menu.codes.find(turn.code.strip()), "unknown_code", display)


def _texted(menu: Menu, dialogue: Dialogue, turn: Text, display: Display) -> Reaction:
    number = menu.numbers.get(turn.to)
    return _start(menu, dialogue, number.find(turn.text) if number else None, "unknown_sms", display)


def _start(
    menu: Menu, dialogue: Dialogue, found: tuple[str, dict[str, Any]] | None, otherwise: str, display: Display
) -> Reaction:
    if found is None:
        return _say(menu, dialogue, otherwise, display)
    dialogue.node, dialogue.values = found
    return _enter(menu, dialogue, display)


def _returned(menu: Menu, dialogue: Dialogue, turn: Returned, display: Display) -> Reaction:
    to = menu.moves.get(dialogue.node, {}).get(turn.code)
    if to is None:
        raise UnexpectedOutcome(dialogue.node, turn.code)
    dialogue.values.update(turn.values)
    dialogue.node = to
    return _enter(menu, dialogue, display)


def _answered(menu: Menu, dialogue: Dialogue, turn: Answer, display: Display) -> Reaction:
    node = menu.nodes.get(dialogue.node)
    if node is None or isinstance(node, CallNode):  # late, or the menu was changed under an open dialogue
        return _say(menu, dialogue, "expired", display)
    key = turn.text.strip().casefold()
    key = _WRITTEN_OK.get(key, key)
    anywhere = dialogue.page == WHOLE or key in _ON_EVERY_PAGE
    if anywhere and key in menu.moves[node.id] and _means_the_same(menu, dialogue):
        return _leave(menu, dialogue, key, display)
    pages = _laid_out(menu, node, dialogue, display)
    if not pages:
        return _say(menu, dialogue, "expired", display)
    return _answered_on_page(menu, node, dialogue, key, pages, display)


def _means_the_same(menu: Menu, dialogue: Dialogue) -> bool:
    return dialogue.meaning & ~_ITEM in (0, menu.meanings[dialogue.node])


def _laid_out(menu: Menu, node: ScreenNode, dialogue: Dialogue, display: Display) -> tuple[Page, ...]:
    """No pages when the menu was changed, and its texts want values that this dialogue was never brought."""
    try:
        return pages_of(menu, node, dialogue.values, display)
    except KeyError:
        return ()


def _answered_on_page(
    menu: Menu, node: ScreenNode, dialogue: Dialogue, key: str, pages: Sequence[Page], display: Display
) -> Reaction:
    """An answer to what stands on the screen; what stands on another page of the node was not asked."""
    number = _number(dialogue, pages)
    page = pages[number]
    if dialogue.meaning not in (0, menu.meanings[node.id] | page.start):
        dialogue.page = 0
        return _show(menu, node, dialogue, pages)
    if key in page.keys:
        if isinstance(node, ListNode):
            return _choose(menu, dialogue, page.start + page.keys.index(key), display)
        return _leave(menu, dialogue, key, display)
    if key == MORE and page is not pages[-1]:
        dialogue.page = number + 1
        return _show(menu, node, dialogue, pages)
    return _missed(menu, node, dialogue, pages, display)


def _leave(menu: Menu, dialogue: Dialogue, way: str, display: Display) -> Reaction:
    if way == HOME:
        dialogue.values = {}
    dialogue.values.pop(ITEMS, None)  # shown and done with: an open dialogue is stored with its values
    dialogue.node = menu.moves[dialogue.node][way]
    return _enter(menu, dialogue, display)


def _choose(menu: Menu, dialogue: Dialogue, item: int, display: Display) -> Reaction:
    dialogue.values.update(dialogue.values[ITEMS][item])
    return _leave(menu, dialogue, CHOSEN, display)


def _missed(
    menu: Menu, node: ScreenNode, dialogue: Dialogue, pages: Sequence[Page], display: Display
) -> Reaction:
    """The same screen again, so that every key means what it meant; under the hint where there is room for it."""
    dialogue.misses += 1
    if dialogue.misses >= WRONG_ANSWERS:
        return _say(menu, dialogue, "enough", display)
    hint = menu.words("wrong", display)
    shown = pages[_number(dialogue, pages)].text
    return _show(menu, node, dialogue, pages, hint if fits(joined(hint, shown), display) else "")


def _aborted(menu: Menu, dialogue: Dialogue, turn: Abort, display: Display) -> Reaction:
    node = dialogue.node
    _close(dialogue)
    return End("", node)


def _notified(menu: Menu, dialogue: Dialogue, turn: Notified, display: Display) -> Reaction:
    """A notice was seen: the screen it hid is shown again, if there is one."""
    node = menu.nodes.get(dialogue.node)
    if node is None or isinstance(node, CallNode):
        return _aborted(menu, dialogue, Abort(), display)
    return _show(menu, node, dialogue, pages_of(menu, node, dialogue.values, display))


# ------------------------------------------------------------------------------------------- screens


def _enter(menu: Menu, dialogue: Dialogue, display: Display) -> Reaction:
    node = menu.nodes[dialogue.node]
    if isinstance(node, CallNode):
        return _call(node, dialogue.values)
    dialogue.page = dialogue.misses = 0
    return _show(menu, node, dialogue, pages_of(menu, node, dialogue.values, display))


def _call(node: CallNode, values: Mapping[str, Any]) -> Call:
    args = {name: values[arg.value] if arg.value else arg.constant for name, arg in node.args.items()}
    return Call(node.operation.node, args, node.id)


def _number(dialogue: Dialogue, pages: Sequence[Page]) -> int:
    # More or fewer pages than a turn ago: the reader has changed his language by SMS meanwhile.
    return max(0, min(dialogue.page, len(pages) - 1))


def _show(
    menu: Menu, node: ScreenNode, dialogue: Dialogue, pages: Sequence[Page], hint: str = ""
) -> Show | End:
    number = _number(dialogue, pages)
    dialogue.page = number if len(pages) > 1 else WHOLE
    page = pages[number]
    text = joined(hint, page.text)
    if isinstance(node, EndNode) and page is pages[-1]:
        _close(dialogue)
        return End(text, node.id)
    dialogue.meaning = menu.meanings[node.id] | page.start
    return Show(text, node.id)


def _say(menu: Menu, dialogue: Dialogue, words: str, display: Display) -> End:
    _close(dialogue)
    return End(menu.words(words, display), words)


def _close(dialogue: Dialogue) -> None:
    dialogue.node, dialogue.page, dialogue.misses, dialogue.values, dialogue.meaning = "", 0, 0, {}, 0


_TURNS: Mapping[type, Callable[[Menu, Dialogue, Any, Display], Reaction]] = {
    Begin: _begun,
    Answer: _answered,
    Returned: _returned,
    Text: _texted,
    Abort: _aborted,
    Notified: _notified,
}
