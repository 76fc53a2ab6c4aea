"""Transcripts: what is written can be read back, and what cannot be read is explained."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_sim.transcripts import transcript as t

PASSWORD = """\
# Password for the web account, by USSD
@ 79260000003 private ru cyrillic
> *105*00#
< Ваш запрос обрабатывается. Нажмите OK,
< и пароль придёт в SMS.
= password.confirm ask ucs2 61/80
>
< Пароль отправлен.
= password.sent end ucs2 17/80
~ 000110: Логин 9260000003, пароль {password}

> 000110:
~ 000110: первая строка
~~ вторая: строка
! cancel
"""


def test_a_conversation_is_read():
    steps = t.parse(PASSWORD)
    assert steps == [
        t.Comment("Password for the web account, by USSD"),
        t.PickedUp("79260000003", ("private", "ru", "cyrillic")),
        t.Typed("*105*00#"),
        t.ScreenShown(
            "Ваш запрос обрабатывается. Нажмите OK,\nи пароль придёт в SMS.",
            t.ScreenFacts("password.confirm", "ask", "ucs2", 61, 80),
        ),
        t.Typed(""),
        t.ScreenShown("Пароль отправлен.", t.ScreenFacts("password.sent", "end", "ucs2", 17, 80)),
        t.TextReceived("000110", "Логин 9260000003, пароль {password}"),
        t.Blank(),
        t.TextSent("000110", ""),
        t.TextReceived("000110", "первая строка\nвторая: строка"),
        t.Did("cancel"),
    ]
    assert [step.line for step in steps] == [1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 15]
    assert t.write(steps) == PASSWORD


def test_windows_line_ends_and_byte_order_marks_are_no_matter():
    assert t.parse(b"\xef\xbb\xbf> *100#\r\n< 1\r\n") == [t.Typed("*100#"), t.ScreenShown("1")]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("> *100#\n>*100#", 2, "put a space after '>'"),
        ("hello", 1, "begin it with one of"),
        ("! cancle", 1, "did you mean 'cancel'?"),
        ("= a ask gsm7 1/2", 1, "right after its < lines"),
        ("< a\n= a ask gsm7 1/2\n= a ask gsm7 1/2", 3, "right after its < lines"),
        ("< a\n= a ask gsm7", 2, "3 words after ="),
        ("< a\n= a asks gsm7 1/2", 2, "did you mean 'ask'?"),
        ("< a\n= a ask gsm 1/2", 2, "did you mean 'gsm7'?"),
        ("< a\n= a ask gsm7 1", 2, "write used/allowed"),
        ("~ hello", 1, "without its sender"),
        ("~~ hello", 1, "continues nothing"),
        ("> 1\n>> 2", 2, "continues nothing"),
        ("@ me", 1, "no phone number"),
        ("@", 1, "no phone number"),
        ("< {", 1, "write {{ for a brace"),
        ("< {passwort}", 1, "did you mean 'password'?"),
        ("> \\n", 1, "escapes nothing"),
        (b"> 1\n> \xff", 2, "UTF-8"),
    ],
)
def test_an_error_names_its_line_and_what_to_do(text, line, says):
    with pytest.raises(t.TranscriptError) as caught:
        t.parse(text, "golden/password.ussd")
    assert str(caught.value).startswith(f"golden/password.ussd:{line}: ")
    assert says in str(caught.value)


def test_an_answer_that_looks_like_an_sms_stays_an_answer():
    assert t.write([t.Typed("000110: hello")]) == "> 000110\\: hello\n"
    assert t.parse("> 000110\\: hello") == [t.Typed("000110: hello")]


def test_names_stand_for_what_changes():
    assert t.matches("Пароль {password}.", "Пароль s3cret-word.") == {"password": "s3cret-word"}
    assert t.matches("Пароль {password}", "Пароль 1 2") is None
    assert t.matches("{number} and {number}", "12 and 12") == {"number": "12"}
    assert t.matches("{number} and {number}", "12 and 13") is None
    assert t.matches("a.c", "abc") is None
    assert t.matches(t.literal("{password} {"), "{password} {") == {}


@pytest.mark.parametrize(
    "step",
    [t.Comment("a\nb"), t.TextSent("Bank", "x")],
)
def test_what_has_no_notation_is_refused(step):
    with pytest.raises(ValueError):
        t.write([step])


texts = st.text(st.characters(), max_size=40)
templates = texts.map(t.literal) | st.just("{password} и {number}")
words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
facts = st.builds(
    t.ScreenFacts,
    words,
    st.sampled_from(t.KINDS),
    st.sampled_from(t.ALPHABETS),
    st.integers(0, 999),
    st.integers(0, 999),
)
digits = st.text("0123456789", min_size=1, max_size=12)
steps = st.one_of(
    st.builds(t.Comment, st.text(st.characters(categories=["L", "N", "P"]), max_size=20)),
    st.builds(t.Blank),
    st.builds(t.PickedUp, digits, st.lists(words, max_size=3).map(tuple)),
    st.builds(t.Typed, texts),
    st.builds(t.TextSent, digits, texts),
    st.builds(t.ScreenShown, templates, facts),
    st.builds(t.TextReceived, texts, templates),
    st.builds(t.Did, st.sampled_from(t.INTERRUPTIONS)),
)


@given(st.lists(steps, max_size=12))
def test_what_is_written_is_read_back(conversation):
    text = t.write(conversation)
    assert t.parse(text) == conversation
    assert t.parse(text.encode()) == conversation


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_parses_or_is_explained(text):
    with contextlib.suppress(t.TranscriptError):
        t.parse(text)


@given(texts)
def test_a_literal_matches_itself_only(text):
    assert t.matches(t.literal(text), text) == {}
    assert t.matches(t.literal(text), text + "x") is None
