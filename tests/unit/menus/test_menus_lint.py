"""Everything that can be wrong with a menu file: a tiny file for each, the line, and what to do."""

from pathlib import Path

import pytest

from handlers import registry
from menus.lint import check
from menus.loader import examine, load, read
from menus.problems import MenuError, Problem, nearest
from tests.unit.menus.scene import JOBS, OPERATIONS, SELFCARE, Declared, tiny

OPS = {
    "show": Declared(outcomes={"fine": ("name", "fee_kopecks"), "bad": ()}),
    "list": Declared(outcomes={"list": ("items", "items.number", "items.name"), "none": ()}),
    "heap": Declared(outcomes={"list": ("items",)}),
    "on": Declared(args={"number": int}, outcomes={"on": ()}),
    "say": Declared(args={"word": str}, outcomes={"said": ()}, messages={"note": ("word",)}),
}
END = "  bye: {end: {ru: Пока, en: Bye}}\n"


def problems_of(tmp_path: Path, text: str, operations=OPS, jobs=None) -> list[Problem]:
    path = tmp_path / "menu.yaml"
    path.write_text(text, encoding="utf-8")
    return examine(path, operations, jobs)


def assert_problem(found: list[Problem], text: str, what: str, hint: str) -> None:
    """One of the problems says `what` and `hint`, at the line that is marked with `#!`."""
    marked = [number for number, line in enumerate(text.splitlines(), 1) if "#!" in line]
    here = [problem for problem in found if what in problem.what]
    assert here, f"{what!r} is not among:\n" + "\n".join(map(str, found))
    assert [problem.line for problem in here] == marked, list(map(str, here))
    assert all(hint in problem.hint for problem in here), [problem.hint for problem in here]
    assert str(here[0]).startswith(f"{here[0].file}:{marked[0]}: ")


CASES = {
    "unknown node": (
        """
  root:
    menu: {ru: Да, en: Yes}
    options:
      1: {to: bie, ru: Пока, en: Bye} #!
      2: {to: bye, ru: Пока, en: Bye}
"""
        + END,
        "there is no node 'bie'",
        "did you mean 'bye'?",
    ),
    "unknown node of an outcome": (
        "  root: {call: heap, outcomes: {list: nowhere}} #!\n",
        "there is no node 'nowhere'",
        "add it under nodes",
    ),
    "unknown parent": (
        "  root: {menu: {ru: Да, en: Yes}, parent: rood, options: {1: root}} #!\n",
        "there is no node 'rood'",
        "did you mean 'root'?",
    ),
    "unreachable node": (
        "  root: {end: {ru: Да, en: Yes}}\n  lonely: {end: {ru: Один, en: Alone}} #!\n",
        "nothing leads to node 'lonely'",
        "lead an option, an outcome or a code to it",
    ),
    "option without target": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      1: {ru: Пока, en: Bye} #!\n",
        "option '1' leads nowhere",
        "add 'to:'",
    ),
    "option with an empty target": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      1: #!\n",
        "option '1' is empty",
        "write the id of a node",
    ),
    "no options": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options: {} #!\n",
        "offer nothing",
        "make it an end",
    ),
    "a reserved digit": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      9: root #!\n      1: root\n",
        "option '9' is taken",
        "always means the next page",
    ),
    "outcome without branch": (
        "  root: #!\n    call: show\n    outcomes: {fine: bye}\n" + END,
        "no branch for the outcome 'bad' of show",
        "add 'bad:' under outcomes",
    ),
    "branch for an undeclared outcome": (
        "  root:\n    call: show\n    outcomes:\n      fine: bye\n      bad: bye\n      bat: bye #!\n" + END,
        "show never has the outcome 'bat'",
        "did you mean 'bad'?",
    ),
    "unknown operation": (
        "  root:\n    call: shou #!\n    outcomes: {fine: bye, bad: bye}\n" + END,
        "no handler declares the operation 'shou'",
        "did you mean 'show'?",
    ),
    "unknown argument": (
        "  root:\n    call: show\n    args:\n      nummer: 5 #!\n    outcomes: {fine: bye, bad: bye}\n" + END,
        "show takes no argument 'nummer'",
        "remove it",
    ),
    "misspelt argument": (
        "  root:\n    call: on\n    args:\n      nummer: 5 #!\n    outcomes: {on: bye}\n" + END,
        "on takes no argument 'nummer'",
        "did you mean 'number'?",
    ),
    "missing argument": (
        "  root: #!\n    call: on\n    outcomes: {on: bye}\n" + END,
        "does not give on its argument 'number'",
        "add 'number: \"{number}\"' under args",
    ),
    "a word for a number": (
        "  root:\n    call: on\n    args:\n      number: five #!\n    outcomes: {on: bye}\n" + END,
        "the argument 'number' must be a number, not 'five'",
        "write digits",
    ),
    "an argument that nobody brings": (
        '  root:\n    call: on\n    args:\n      number: "{number}" #!\n    outcomes: {on: bye}\n' + END,
        "the value 'number' is not known in 'root'",
        "what every way there brings: none",
    ),
    "a value that the outcome does not carry": (
        """
  root:
    call: show
    outcomes:
      fine: {end: {ru: "{name}, {fee:price}", en: "{name}, {fee:price}"}}
      bad:
        end:
          ru: "{nama}" #!
          en: "Bad"
""",
        "the value 'nama' is not known in 'root.bad'",
        "what every way there brings: none",
    ),
    "a misspelt value": (
        """
  root:
    call: show
    outcomes:
      fine:
        end:
          ru: "{nama}" #!
          en: "{name}"
      bad: bye
"""
        + END,
        "the value 'nama' is not known in 'root.fine'",
        "did you mean 'name'?",
    ),
    "money without kopecks": (
        """
  root:
    call: show
    outcomes:
      fine:
        end:
          ru: "{fee:price}"
          en: "{price:price}" #!
      bad: bye
"""
        + END,
        "the value 'price_kopecks' is not known",
        "did you mean 'fee_kopecks'?",
    ),
    "a value on one way of two": (
        """
  root:
    call: show
    outcomes: {fine: both, bad: both}
  both:
    end:
      ru: "{name}" #!
      en: Both
""",
        "the value 'name' is not known in 'both'",
        "none",
    ),
    "a value of an item": (
        """
  root:
    call: list
    outcomes:
      none: bye
      list:
        list: {ru: Что, en: What}
        item:
          ru: "{nummer}" #!
          en: "{name}"
        to: bye
"""
        + END,
        "the value 'nummer' is not known in an item of 'root.list'",
        "did you mean 'number'?",
    ),
    "a misspelt value of an item in short": (
        """
  root:
    call: list
    outcomes:
      none: bye
      list:
        list: silent
        item: {ru: "{name} {number}", en: "{name} {number}"}
        short:
          ru: "{nama}" #!
          en: "{name}"
        to: bye
"""
        + END,
        "the value 'nama' is not known in an item of 'root.list'",
        "did you mean 'name'?",
    ),
    "a list without items": (
        """
  root:
    call: show
    outcomes:
      fine: bye
      bad: #!
        list: {ru: Что, en: What}
        item: {ru: "-", en: "-"}
        to: bye
"""
        + END,
        "lists items that not every way to it brings",
        "the value 'items'",
    ),
    "an end that hides its items": (
        """
  root:
    call: heap
    outcomes:
      list:
        end:
          ru: "Вот {items}"
          en: "Here" #!
        item: {ru: "-", en: "-"}
""",
        "its text does not show items",
        "write {items} where",
    ),
    "an end that shows items without a line": (
        """
  root:
    call: heap
    outcomes:
      list:
        end:
          ru: "Вот"
          en: "Here {items}" #!
""",
        "shows items, but not how one looks",
        "add 'item:'",
    ),
    "items in a menu": (
        """
  root:
    call: heap
    outcomes:
      list:
        menu:
          ru: "Вот {items}" #!
          en: "Here"
        options: {1: bye}
"""
        + END,
        "cannot show items in a text",
        "only an end",
    ),
    "text missing in one language": (
        "  root:\n    end: #!\n      ru: Да\n",
        "has no text in 'en'",
        "add 'en:' to it",
    ),
    "empty text": (
        "  root:\n    end:\n      en: Yes\n      ru: #!\n",
        "is empty",
        "write a text",
    ),
    "label missing in one language": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      1: {to: root, en: Again} #!\n",
        "option '1' has no text in 'ru'",
        "add 'ru:' to it",
    ),
    "a value in a label": (
        '  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      1: {to: root, ru: Ещё, en: "{name}"} #!\n',
        "the label of option '1' holds a value",
        "put it into the menu's text",
    ),
    "a third language": (
        "  root:\n    end:\n      ru: Да\n      en: Yes\n      fr: Oui #!\n",
        "'fr' is not known in end of node 'root'",
        "en, ru",
    ),
    "an unknown format": (
        '  root:\n    end:\n      ru: "{fee:pryce}" #!\n      en: Yes\n',
        "there is no format 'pryce'",
        "did you mean 'price'?",
    ),
    "a lone brace": (
        '  root:\n    end:\n      ru: "{Имя}" #!\n      en: Yes\n',
        "'{Имя}' is not the name of a value",
        "{{ for a brace",
    ),
    "a node of no kind": (
        "  root: {end: {ru: Да, en: Yes}}\n  other: {ende: {ru: Да, en: Yes}} #!\n",
        "node 'other' is of no kind",
        "give it one of menu, list, call, end",
    ),
    "a node of two kinds": (
        "  root: {end: {ru: Да, en: Yes}, menu: {ru: Да, en: Yes}} #!\n",
        "is menu and end at once",
        "give it one of",
    ),
    "a misspelt field": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    optoins: {1: root} #!\n    options: {1: root}\n",
        "'optoins' is not known in node 'root'",
        "did you mean 'options'?",
    ),
    "a missing field": (
        "  root: #!\n    list: {ru: Да, en: Yes}\n    to: root\n",
        "node 'root' has no item",
        "add 'item:'",
    ),
    "a list where a text belongs": (
        "  root:\n    end:\n      ru: [Да, нет] #!\n      en: Yes\n",
        "ru of end of node 'root' is a list",
        "write a text",
    ),
    "a text where names belong": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options: root #!\n",
        "options of node 'root' is a word or text",
        "write names and values under it",
    ),
    "a text without languages": (
        "  root:\n    end: Пока #!\n",
        "end of node 'root' is a word or text",
        "ru, en",
    ),
    "a mapping where a node belongs": (
        "  root:\n    menu: {ru: Да, en: Yes}\n    options:\n      1: {to: {a: b}, ru: Да, en: Yes} #!\n",
        "to of option '1' is names and values",
        "write the id of a node",
    ),
    "a node twice": (
        "  root: {end: {ru: Да, en: Yes}}\n  root: {end: {ru: Да, en: Yes}} #!\n",
        "node 'root' stands twice",
        "keep one",
    ),
    "a call in place": (
        "  root:\n    call: show\n    outcomes:\n      fine: {call: show, outcomes: {}} #!\n      bad: bye\n"
        + END,
        "is of no kind",
        "give it one of menu, list, end",
    ),
    "calls without end": (
        """
  root: #!
    call: show
    outcomes: {fine: again, bad: bye}
  again:
    call: show
    outcomes: {fine: root, bad: bye}
"""
        + END,
        "calls follow one another without end: root → again → root",
        "put a menu, a list or an end between",
    ),
    "an unknown section": (
        "code: {} #!\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "'code' is not known in the menu",
        "did you mean 'codes'?",
    ),
    "an SMS that waits": (
        'sms:\n  "0001": #!\n    any: root\nnodes:\n  root: {menu: {ru: Да, en: Yes}, options: {1: root}}\n'.replace(
            " #!\n    any: root", "\n    any: root #!"
        ),
        "an SMS leads to 'root', which waits for an answer",
        "lead it to an end",
    ),
    "an SMS without an answer": (
        'sms:\n  "0001": #!\n    empty: root\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n',
        "an SMS to 0001 that is not known has no answer",
        "add 'other:'",
    ),
    "any beside other": (
        'sms:\n  "0001":\n    any: root #!\n    other: root\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n',
        "has 'any' beside others",
        "'any' is all of them",
    ),
    "a command twice": (
        'sms:\n  "0001":\n    other: root\n    commands:\n      "ДА {n}": root\n      "Нет, да  {m}": root #!\n'
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "the command to 0001 'да  {m}' is the same as 'ДА {n}'",
        "keep one",
    ),
    "a command that differs by a space before digits": (
        'sms:\n  "0001":\n    other: root\n    commands:\n      "ДА {n}": root\n      "ДА{m}": root #!\n'
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "the command to 0001 'ДА{m}' is the same as 'ДА {n}'",
        "keep one",
    ),
    "a command that reads as another in Latin letters": (
        'sms:\n  "0001":\n    other: root\n    commands:\n      "ЛАТ": root\n      "LAT": root #!\n'
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "'LAT' is the same as 'ЛАТ'",
        "keep one",
    ),
    "a brace in a command": (
        'sms:\n  "0001":\n    other: root\n    commands:\n      "ДА {N}": root #!\n'
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "has a brace that is no {name}",
        "small Latin letters",
    ),
    "a silent end by dialling": (
        "  root: {end: silent} #!\n",
        "'root' is silent, but can be reached by dialling",
        "give it a text",
    ),
    "a message that nobody sends": (
        "messages:\n  note: {ru: Да, en: Yes}\n  note_: {ru: Да, en: Yes} #!\n"
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "nobody sends the message 'note_'",
        "did you mean 'note'?",
    ),
    "a message from nowhere": (
        "messages:\n  note: {ru: Да, en: Yes} #!\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "message 'note' has no from",
        "add 'from:'",
    ),
    "a message without a text": (
        "messages: #!\n  nota: {ru: Да, en: Yes}\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "the message 'note' has no text",
        "add 'note:' under messages",
    ),
    "a value that a message does not carry": (
        'messages:\n  note:\n    ru: "{wort}" #!\n    en: Yes\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n',
        "the value 'wort' is not known in the message 'note'",
        "did you mean 'word'?",
    ),
    "a plural form missing": (
        'formats:\n  points:\n    ru: {one: "{n} балл", few: "{n} балла"} #!\n    en: {one: "{n}", other: "{n}"}\n'
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "has no many",
        "add 'many:'",
    ),
    "a format without a number": (
        'formats:\n  money: {ru: "руб.", en: "{n} rub"} #!\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n',
        "must hold {n} once",
        "where the number stands",
    ),
    "a price without a pattern for what costs something": (
        "formats:\n  price:\n    ru: {zero: даром} #!\n    en: {zero: free, other: '{n} rub'}\n"
        "nodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "has no other",
        "add 'other:'",
    ),
    "a sum of one's own": (
        'formats:\n  sum: {ru: "{n} руб.", en: "{n} rub"} #!\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n',
        "the format sum is there already",
        "call yours otherwise",
    ),
    "a format that is there already": (
        "formats:\n  date: {ru: {one: a}, en: {one: a}} #!\nnodes:\n  root: {end: {ru: Да, en: Yes}}\n",
        "the format date is there already",
        "call yours otherwise",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_problem(tmp_path: Path, case: str):
    nodes, what, hint = CASES[case]
    text = tiny(nodes)
    assert_problem(problems_of(tmp_path, text, jobs={}), text, what, hint)


CODES = {
    "a network service": ("*21#", "belongs to the network's own services", "never reaches us"),
    "erasing a forwarding": ("##002#", "belongs to the network's own services", "never reaches us"),
    "query with a number": ("*#43*{number}#", "belongs to the network's own services", "never reaches us"),
    "no hash at the end": ("*105", "a handset does not send '*105' as USSD", "end it with #"),
    "letters": ("*ABC#", "a handset does not send", "digits between"),
    "the same pattern twice": ("*5*{a}#", "is the same as '*5*{b}#'", "keep one"),
    "a name twice": ("*5*{a}*{a}#", "has the same {name} twice", "its own name"),
    "a bad name": ("*5*{A}#", "has a brace that is no {name}", "small Latin letters"),
}


@pytest.mark.parametrize("case", CODES)
def test_problem_of_a_code(tmp_path: Path, case: str):
    code, what, hint = CODES[case]
    codes = f'codes:\n  "*5*{{b}}#": root\n  "{code}": root #!\n'
    text = tiny("nodes:\n  root: {end: {ru: Да, en: Yes}}\n").replace('codes: {"*1#": root}\n', codes)
    assert_problem(problems_of(tmp_path, text), text, what, hint)


def test_the_same_code_twice(tmp_path: Path):
    codes = 'codes:\n  "*5#": root\n  "*5#": root #!\n'
    text = tiny("nodes:\n  root: {end: {ru: Да, en: Yes}}\n").replace('codes: {"*1#": root}\n', codes)
    assert_problem(problems_of(tmp_path, text), text, "code '*5#' stands twice", "the first is at line 3")


def test_words_missing(tmp_path: Path):
    text = tiny("  root: {end: {ru: Да, en: Yes}}\n").replace("words:", "words: #!")
    text = text.replace("  expired: {ru: Поздно., en: Too late.}\n", "")
    assert_problem(problems_of(tmp_path, text), text, "words of the menu has no expired", "add 'expired:'")


def test_a_value_that_words_cannot_have(tmp_path: Path):
    text = tiny("  root: {end: {ru: Да, en: Yes}}\n").replace("{reference}", "{ref}")
    found = problems_of(tmp_path, text, operations={})
    assert {problem.what for problem in found} == {"the value 'ref' is not known in the words 'failure'"}
    assert found[0].hint == "what every way there brings: reference"


def test_a_tiny_menu_has_no_problem(tmp_path: Path):
    assert problems_of(tmp_path, tiny("  root: {end: {ru: Да, en: Yes}}\n"), operations={}) == []


def test_undeclared_item_fields_are_trusted(tmp_path: Path):
    nodes = """
  root:
    call: heap
    outcomes:
      list:
        list: {ru: Что, en: What}
        item: {ru: "{anything}", en: "{anything}"}
        to: next
  next:
    call: on
    args: {number: "{whatever}"}
    outcomes: {on: bye}
"""
    operations = {name: OPS[name] for name in ("heap", "on")}
    assert problems_of(tmp_path, tiny(nodes + END), operations) == []


def test_all_problems_are_found_at_once_in_order_of_lines(tmp_path: Path):
    nodes = """
  root:
    menu: {ru: Да}
    options:
      1: {to: nowhere, ru: А, en: A}
      2: {ru: Б, en: B}
  call:
    call: shaw
    outcomes: {x: root}
  lonely: {end: {ru: "{", en: No}}
"""
    found = problems_of(tmp_path, tiny(nodes))
    whats = [problem.what for problem in found]
    assert len(found) >= 7, whats
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)
    for part in (
        "has no text in 'en'",
        "no node 'nowhere'",
        "leads nowhere",
        "operation 'shaw'",
        "a lone '{'",
    ):
        assert any(part in what for what in whats), (part, whats)


def test_what_cannot_be_read_is_not_blamed_on_others(tmp_path: Path):
    nodes = "  root:\n    menu: {ru: Да, en: Yes}\n    options: {1: broken}\n  broken: {ende: {}}\n"
    whats = [problem.what for problem in problems_of(tmp_path, tiny(nodes), operations={})]
    assert whats == ["node 'broken' is of no kind"]


def test_load_raises_the_first_problem_and_keeps_the_rest(tmp_path: Path):
    path = tmp_path / "menu.yaml"
    path.write_text(tiny("  root: {end: {ru: Да}}\n  lonely: {end: {en: No}}\n"), encoding="utf-8")
    with pytest.raises(MenuError) as caught:
        load(path)
    error = caught.value
    assert (error.file, error.line) == (str(path), 14)
    assert error.what == "end of node 'root' has no text in 'en'"
    assert error.hint == "add 'en:' to it"
    assert len(error.problems) == 3
    assert str(error) == f"{path}:14: {error.what}; {error.hint} (and 2 more)"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 0, "is empty"),
        (b"nodes: [", 1, "is not YAML here"),
        (b"home: root\nnodes:\n\troot: 1\n", 3, "is not YAML here"),
        (b"home: \xff", 0, "is not text in UTF-8"),
        (b"- a\n- b\n", 1, "the menu is a list"),
        (b"just words", 1, "the menu is a word or text"),
        (b"home: \x00", 0, "is not YAML"),
        (b"home: root\nnodes: " + b"[" * 20_000 + b"]" * 20_000, 2, "is nested too deeply"),
        (b"home: root\nnodes: " + b"{a: " * 20_000, 2, "is nested too deeply"),
        (b"- " * 20_000, 1, "is nested too deeply"),
        (b"".join(b" " * depth + b"a:\n" for depth in range(2000)), 21, "is nested too deeply"),
    ],
    ids=lambda given: repr(given)[:24],
)
def test_what_is_no_menu_at_all(tmp_path: Path, content: bytes, line: int, what: str):
    path = tmp_path / "menu.yaml"
    path.write_bytes(content)
    with pytest.raises(MenuError) as caught:
        load(path)
    assert caught.value.line == line
    assert what in caught.value.what
    assert caught.value.problems == tuple(examine(path, {}))


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(MenuError, match=r"none\.yaml: cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_recursive_anchors_do_not_hang(tmp_path: Path):
    text = tiny("nodes:\n  root: &a\n    call: show\n    outcomes: {fine: *a, bad: *a}\n")
    assert any("is of no kind" in problem.what for problem in problems_of(tmp_path, text))


# ------------------------------------------------------------------------------ the menu that we publish


def test_selfcare_has_no_problem_with_the_contract():
    assert examine(SELFCARE, OPERATIONS, JOBS) == []


def test_selfcare_has_no_problem_with_the_handlers(selfcare):
    registry.load_all()
    assert examine(SELFCARE, registry.OPERATIONS, registry.JOBS) == []
    assert check(selfcare, registry.OPERATIONS, registry.JOBS) == []
    assert check(selfcare, registry.OPERATIONS) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('item: {ru: "{name}, {fee:price}"', 'item: {ru: "{name}, {fee:money} {limit:price}"'),
        ('short: {ru: "{name}"', 'short: {ru: "{title}"'),
        ("{total:number}{source:aside}", "{total:number}{name:aside}"),
        ('item: {ru: "{number} {name}, {fee:price}"', 'item: {ru: "{code} {name}, {fee:price}"'),
    ],
)
def test_the_handlers_say_what_their_items_hold(tmp_path: Path, right: str, wrong: str):
    registry.load_all()
    text = SELFCARE.read_text("utf-8")
    assert right in text
    path = tmp_path / "menu.yaml"
    path.write_text(text.replace(right, wrong), "utf-8")
    found = examine(path, registry.OPERATIONS, registry.JOBS)
    assert found
    assert all("in an item of" in problem.what for problem in found)


def test_a_change_of_a_handler_is_noticed():
    operations = {**OPERATIONS, "balance.show": Declared(outcomes={"private": ("balance",), "unknown": ()})}
    found = {problem.what for problem in check(read(SELFCARE), operations, JOBS)}
    assert "'balance' has no branch for the outcome 'unknown' of balance.show" in found
    assert "balance.show never has the outcome 'corporate'" in found
    assert "the value 'balance_kopecks' is not known in 'balance.private'" in found


@pytest.mark.parametrize(
    ("name", "names", "hint"),
    [
        ("roof", ["root", "bye"], "did you mean 'root'?"),
        ("x", ["root", "bye"], "there are: bye, root"),
        ("x", [], ""),
        ("x", map(str, range(13)), ""),
    ],
)
def test_nearest(name, names, hint):
    assert nearest(name, names) == hint
