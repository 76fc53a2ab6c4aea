"""What the subscribers of a load say: built-in, typed on a command line, or out of transcripts."""

from collections.abc import Callable, Iterable

from smpp_sim.load.pdu import LoadScript
from smpp_sim.transcripts.transcript import Did, Passage, ScreenShown, TextSent, Typed

FIVE_TURNS = ("*105#", "3", "2", "1", "1")
"""Through the self-care menu to an option of the catalogue; nothing is bought."""

ServiceAddr = Callable[[str], str]
"""Gives destination_addr for a code: `gateway.dialect.Profile.service_addr`."""


def dialled(turns: tuple[str, ...], service_addr: ServiceAddr) -> LoadScript:
    """Return the script that dials the first of ``turns`` and answers with the others."""
    return LoadScript(turns, service=service_addr(turns[0]))


def sent(to: str, text: str = "?") -> LoadScript:
    """Return the script of one SMS to ``to``."""
    return LoadScript((text,), kind="sms", service=to)


def of_transcript(steps: Iterable[Passage], service_addr: ServiceAddr) -> list[LoadScript]:
    """Return a script for each dialogue and each SMS of a transcript.

    Screens are not compared: what each subscriber is shown differs. What ends a dialogue in the transcript ends the
    script: a screen of kind ``end``, a ``!``, or the next code that begins with ``*`` or ``#``.
    """
    scripts: list[LoadScript] = []
    turns: list[str] = []

    def close() -> None:
        if turns:
            scripts.append(dialled(tuple(turns), service_addr))
            turns.clear()

    for step in steps:
        match step:
            case Typed(text=text):
                if text.endswith("#") and text.startswith(("*", "#")):
                    close()
                turns.append(text)
            case TextSent(to=to, text=text):
                scripts.append(sent(to, text))
            case ScreenShown(facts=facts) if facts is not None and facts.kind == "end":
                close()
            case Did():
                close()
    close()
    return scripts
