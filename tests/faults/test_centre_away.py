"""The centre is away, or does not let the gateway in: one clear line an attempt; the daemon stays up and says so."""

from pathlib import Path
from typing import Any

from tests.faults.centre import Centre
from tests.faults.daemon import Daemon
from tests.faults.messages import take, withhold
from tests.faults.scene import LINK, Stage, link_table, number, scene, staged
from tests.faults.screens import shows

MSISDN = number(3)


def _about_links(daemon: Daemon) -> list[tuple[str, Any]]:
    """(event, reason) of every line about a link."""
    return [(line["event"], line.get("reason")) for line in daemon.log if "link" in line]


async def _three_attempts(daemon: Daemon) -> None:
    for attempt in (1, 2, 3):
        await daemon.logged(event="link is down", attempt=attempt)


@scene
async def test_centre_that_comes_later_and_goes_and_comes_back(tmp_path: Path) -> None:
    async with staged(tmp_path, away=True) as stage:
        daemon = await stage.serve(bound=False)
        await _three_attempts(daemon)
        assert set(_about_links(daemon)) == {("link is down", "Connection refused")}
        assert await daemon.health() == (503, {"status": "degraded", "links": {LINK: "Connection refused"}})
        await _comes_back(stage, daemon)
        await stage.centre.go_away()
        await daemon.logged(event="link is down", after=len(daemon.log))
        status, body = await daemon.health()
        assert (status, body["status"]) == (503, "degraded"), body
        await _comes_back(stage, daemon)
        await stage.stop()


async def _comes_back(stage: Stage, daemon: Daemon) -> None:
    seen = len(daemon.log)
    await stage.centre.listen()
    await daemon.logged(event="link is bound", after=seen)
    assert await daemon.health() == (200, {"status": "ok", "links": {LINK: "bound"}})
    answer = await stage.shown(stage.centre.dial(MSISDN, "*100#", session=seen % 256))
    assert shows(answer.text, "balance.*")


@scene
async def test_wrong_password(tmp_path: Path) -> None:
    """The reason is the centre's own word; nothing else is said about an attempt, and the password never."""
    async with staged(tmp_path, link={"password": "not-it"}) as stage:
        daemon = await stage.serve(bound=False)
        await _three_attempts(daemon)
        reason = "bind refused: ESME_RINVPASWD"
        assert await daemon.health() == (503, {"status": "degraded", "links": {LINK: reason}})
        assert not [line for line in daemon.log if "not-it" in str(line)], "the password is in the log"
        stage.centre.password = "not-it"
        await stage.until(lambda: stage.centre.bound, "the bind")
        await daemon.logged(event="link is bound")
        assert (await daemon.health())[0] == 200
        about = [line for line in _about_links(daemon) if line[0] != "link is bound"]
        refusals = stage.centre.counts["refused_bind"]
        assert about == [("link is down", reason)] * refusals, (
            f"more than a line for each of {refusals} attempts"
        )
        await stage.shown(stage.centre.dial(MSISDN, "*100#"))
        await stage.stop()


@scene
async def test_one_link_of_two_is_down(tmp_path: Path) -> None:
    """The page says which; the other one works."""
    async with Centre() as second, staged(tmp_path, more=link_table("second", second.port, {})) as stage:
        daemon = await stage.serve()
        await daemon.logged(event="link is down", link="second")
        assert await daemon.health() == (
            503,
            {"status": "degraded", "links": {LINK: "bound", "second": "Connection refused"}},
        )
        await stage.shown(stage.centre.dial(MSISDN, "*100#"))
        await second.listen()
        await daemon.logged(event="link is bound", link="second")
        assert await daemon.health() == (
            200,
            {"status": "ok", "links": {LINK: "bound", "second": "bound"}},
        )
        await stage.stop()


@scene
async def test_centre_that_unbinds(tmp_path: Path) -> None:
    """unbind_resp comes before the end (S6), the page says at once that the link is down, no answer is lost."""
    async with staged(tmp_path, link={"reconnect_first_s": 60, "reconnect_max_s": 60}) as stage:
        daemon = await stage.serve()
        stage.centre.judge = withhold
        asked = [stage.centre.dial(number(i), "*100#") for i in range(5)]
        await stage.until(lambda: all(message.answers for message in asked), "five answers")
        stage.centre.wire.leave()
        await stage.until(stage.centre.wire.gone.done, "the end of the connection")
        assert stage.centre.wire.reason == "unbound"
        status, body = await daemon.health()
        assert (status, body["status"]) == (503, "degraded"), f"the link is down, and the page says {body}"
        daemon.terminate()
        assert await daemon.ended(4) == 0, daemon.explain()

        stage.centre.judge = take
        await stage.serve()
        await stage.until(lambda: all(len(message.answers) == 2 for message in asked), "the answers again")
        await stage.stop()
        assert await stage.unsent() == 0


@scene
async def test_sigterm_while_the_centre_is_away(tmp_path: Path) -> None:
    """The wait for the next attempt, half a minute here, does not hold up the end."""
    async with staged(tmp_path, away=True, link={"reconnect_first_s": 30, "reconnect_max_s": 30}) as stage:
        daemon = await stage.serve(bound=False)
        await daemon.logged(event="link is down")
        daemon.terminate()
        assert await daemon.ended(4) == 0, daemon.explain()
