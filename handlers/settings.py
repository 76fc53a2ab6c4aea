"""How the subscriber wants to be spoken to."""

from typing import Any, TypeVar

from data.model import LANGUAGES, SCRIPTS, Language, Script, Subscriber
from handlers.registry import ArgumentError, Outcome, Work, operation

Setting = TypeVar("Setting", Language, Script)


@operation("settings.language", args={"language": str}, outcomes={"changed": ()})
async def set_language(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Answer in another language, beginning with the answer to this."""
    language = _one_of(LANGUAGES, "settings.language", "language", args["language"])
    await work.facts.set_language(subscriber.msisdn, language)
    work.subscriber = subscriber._replace(language=language)
    return Outcome("changed")


@operation("settings.script", args={"script": str}, outcomes={"changed": ()})
async def set_script(work: Work, subscriber: Subscriber, args: dict[str, Any]) -> Outcome:
    """Write Russian in Cyrillic or in Latin letters, beginning with the answer to this."""
    script = _one_of(SCRIPTS, "settings.script", "script", args["script"])
    await work.facts.set_script(subscriber.msisdn, script)
    work.subscriber = subscriber._replace(script=script)
    return Outcome("changed")


def _one_of(known: tuple[Setting, ...], operation: str, name: str, value: str) -> Setting:
    for word in known:
        if word == value:
            return word
    raise ArgumentError(operation, name, value)
