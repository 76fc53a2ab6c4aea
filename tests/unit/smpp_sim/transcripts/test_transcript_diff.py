"""What was expected against what was seen."""

import pytest

from smpp_sim.transcripts.diff import ToPhone, agrees, compare, exchanges, settled
from smpp_sim.transcripts.transcript import parse, write


def step(text):
    return parse(text)[-1]


def outcomes(text):
    return [one for one in parse(text) if isinstance(one, ToPhone)]


MENU = "< Menu\n= root ask gsm7 4/182\n"


@pytest.mark.parametrize(
    ("said", "seen", "same"),
    [
        (MENU, "< Menu\n= - ask gsm7 4/182\n", True),
        (MENU, "< Menu\n= - end gsm7 4/182\n", False),
        (MENU, "< Menu\n= - ask ucs2 4/80\n", False),
        (MENU, "< Menu\n", False),
        ("< Menu", "< Menu\n= - ask gsm7 4/182\n", True),
        ("< On {date}\n= - end gsm7 13/182", "< On 1.1.2026\n= - end gsm7 11/182", True),
        ("< On {{date}}\n= - end gsm7 13/182", "< On 1.1.2026\n= - end gsm7 11/182", False),
        ("< {{1}}", "< {{1}}", True),
        ("~ 000110: {password}", "~ 000110: s3cret-word", True),
        ("~ 000110: x", "~ 000111: x", False),
        ("< x", "~ 000110: x", False),
    ],
)
def test_agreement(said, seen, same):
    assert agrees(step(said), step(seen)) is same


def test_nodes_count_where_they_are_known():
    assert agrees(step(MENU), step(MENU), nodes=True)
    assert not agrees(step(MENU), step(MENU.replace("root", "other")), nodes=True)
    assert agrees(step(MENU), step(MENU.replace("root", "other")))


def test_an_sms_may_come_before_the_screen():
    said = parse("< Done\n~ 1: {number}\n\n# and then\n")
    assert settled(said, outcomes("~ 1: 12\n< Done\n")) == said


def test_what_is_too_much_stands_before_the_remarks():
    said = parse("< Done\n\n# and then\n")
    assert write(settled(said, outcomes("< Done\n~ 1: x\n"))) == "< Done\n~ 1: x\n\n# and then\n"


def test_only_what_differs_is_in_the_difference():
    said = parse("@ 1\n> *1#\n< On {date}\n< Bye\n= here end gsm7 9/182\n~ 1: {password}\n")
    seen = parse("@ 1\n> *1#\n~ 1: s3cret-word\n< On 1.1.2026\n< Bye!\n= - end gsm7 9/182\n")
    changed = [line for line in compare(said, seen, "x.ussd") if line[0] in "+-"]
    assert changed == [
        "--- x.ussd (expected)",
        "+++ what was shown",
        "-< On {date}",
        "-< Bye",
        "+< On 1.1.2026",
        "+< Bye!",
    ]


def test_the_same_is_no_difference():
    said = parse("# begin\n@ 1\n> *1#\n< On {date}\n")
    assert compare(said, parse("# begin\n@ 1\n> *1#\n< On 1.1.2026\n"), "x") == []


def test_exchanges_keep_everything():
    steps = parse("# begin\n\n@ 1\n> *1#\n< Menu\n\n> 2\n! cancel\n")
    found = list(exchanges(steps))
    assert [one for deed, after in found for one in ([deed] if deed else []) + after] == steps
    assert [len(after) for _, after in found] == [2, 0, 2, 0, 0]
