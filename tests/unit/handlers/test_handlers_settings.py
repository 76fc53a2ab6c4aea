import pytest

from handlers.registry import ArgumentError, Outcome

pytestmark = pytest.mark.anyio

PRIVATE = "79260000003"


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_language(desk, language):
    assert await desk.ask(PRIVATE, "settings.language", language=language) == Outcome("changed")
    assert (await desk.subscriber(PRIVATE)).language == language


@pytest.mark.parametrize("script", ["latin", "cyrillic"])
async def test_script(desk, script):
    assert await desk.ask(PRIVATE, "settings.script", script=script) == Outcome("changed")
    assert (await desk.subscriber(PRIVATE)).script == script


@pytest.mark.parametrize(
    ("name", "args"), [("settings.language", {"language": "de"}), ("settings.script", {"script": "Latin"})]
)
async def test_what_there_is_not(desk, name, args):
    before = await desk.subscriber(PRIVATE)
    with pytest.raises(ArgumentError, match=name):
        await desk.ask(PRIVATE, name, **args)
    assert await desk.subscriber(PRIVATE) == before
