"""What an explanation is made of."""

from dataclasses import dataclass
from typing import Any


def escaped(text: str) -> str:
    """``text``; what a terminal would act upon, or not show, as an escape sequence."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@dataclass(frozen=True, slots=True)
class Row:
    """Some octets of the input, and what they are.

    ``octets`` of a masked row are as many asterisks as there were octets: what they were is not in here any more.
    Its words are `escaped`, whatever a peer has sent.
    """

    offset: int
    """From the beginning of the PDU."""
    octets: bytes
    name: str
    """The field, the TLV or the part of a text, in the words of the specification."""
    value: str
    note: str = ""
    section: str = ""
    """Of SMPP 3.4, unless it says otherwise; empty where none is known."""
    masked: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", escaped(self.name))
        object.__setattr__(self, "value", escaped(self.value))
        object.__setattr__(self, "note", escaped(self.note))

    @property
    def end(self) -> int:
        """The offset behind the row."""
        return self.offset + len(self.octets)

    @property
    def hex(self) -> str:
        """Pairs with spaces between them; ``**`` for each octet of a masked row."""
        return " ".join(["**"] * len(self.octets)) if self.masked else self.octets.hex(" ")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One PDU, or whatever it was. ``fields`` hold every octet once, in order; all words are `escaped`."""

    command: str
    """``deliver_sm``; ``command 0x00000200``; ``HTTP``; ``cut-off header``."""
    sequence_number: int | None
    summary: str
    """What it is about, in a sentence. Quotes the text of the message: not for a log."""
    fields: tuple[Row, ...]
    problem: str | None = None
    case: str | None = None
    """The number of the case in the reference of cases, if ``problem`` is one of them: ``F6``."""
    advice: tuple[str, ...] = ()
    """What each side should do next."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", escaped(self.command))
        object.__setattr__(self, "summary", escaped(self.summary))
        object.__setattr__(self, "problem", self.problem and escaped(self.problem))
        object.__setattr__(self, "advice", tuple(map(escaped, self.advice)))

    @property
    def octets(self) -> int:
        """How many octets were explained."""
        return sum(len(row.octets) for row in self.fields)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """For ``json.dumps``. Octets are hexadecimal pairs, ``**`` where they are masked."""
    return {
        "command": explanation.command,
        "sequence_number": explanation.sequence_number,
        "octets": explanation.octets,
        "summary": explanation.summary,
        "problem": explanation.problem,
        "case": explanation.case,
        "fields": [_row_as_json(row) for row in explanation.fields],
        "advice": list(explanation.advice),
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "offset": row.offset,
        "hex": row.hex,
        "name": row.name,
        "value": row.value,
        "note": row.note,
        "section": row.section,
        "masked": row.masked,
    }
