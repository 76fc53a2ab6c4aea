"""The connection is cut, or dies without a word, at every moment that makes a difference."""

from functools import partial
from pathlib import Path

from gateway.smpp.pdu import EnquireLink, encode
from tests.faults.centre import Centre
from tests.faults.load import CODE, FEE, ON, OPTION, TO_CATALOGUE, TO_OPTIONS
from tests.faults.messages import Message, take, withhold
from tests.faults.scene import charged, number, scene, staged
from tests.faults.screens import shows

MSISDN = number(3)
CHARGE = [(f"option:{OPTION}", FEE)]


def _close(centre: Centre) -> None:
    """TCP says goodbye: what the centre has written still arrives, what the gateway writes does not."""
    centre.wire.close()


def _tear(centre: Centre) -> None:
    """What is under way is lost, either way."""
    centre.wire.reset()


CUTS = ((_close, number(3)), (_tear, number(4)))
"""Each way to cut, and the subscriber that it happens to."""


@scene
async def test_cut_before_the_acknowledgement(tmp_path: Path) -> None:
    """Closed, the gateway has the order and nobody to tell; torn, it may not even have that. Either way one charge.

    What is delivered again gets the answer of the first time, and no other.
    """
    async with staged(tmp_path) as stage:
        await stage.serve()
        for cut, msisdn in CUTS:
            stage.centre.at("delivered", 1, partial(cut, stage.centre))
            order = stage.centre.dial(msisdn, CODE)
            await stage.until(
                lambda order=order: order.status == 0 and order.answers, f"{order}, after {cut.__name__}"
            )
            assert shows(order.answers[0].text, ON), (cut, order.answers[0].text)
            await stage.acknowledged(order)
            assert {answer.text for answer in order.answers} == {order.answers[0].text}
        await stage.stop()
        for _, msisdn in CUTS:
            assert await charged(stage, msisdn) == CHARGE


@scene
async def test_cut_in_a_dialogue_before_the_acknowledgement(tmp_path: Path) -> None:
    """An answer that is delivered twice moves the dialogue one step."""
    async with staged(tmp_path) as stage:
        await stage.serve()
        for cut, msisdn in CUTS:
            root = stage.centre.dial(msisdn, "*105#")
            await stage.shown(root)
            stage.centre.at("delivered", 1, partial(cut, stage.centre))
            options = stage.centre.reply(root, TO_OPTIONS)
            assert shows((await stage.shown(options)).text, "options")
            await stage.acknowledged(options)
            assert options.deliveries == 2, "the cut came too late"
            catalogue = stage.centre.reply(options, TO_CATALOGUE)
            assert shows((await stage.shown(catalogue)).text, "options.categories.list")
        await stage.stop()


@scene
async def test_cut_after_the_commit_before_the_answer(tmp_path: Path) -> None:
    """Acknowledged while the window is full, so that the answer is in the store only."""
    async with staged(tmp_path, window=1) as stage:
        await stage.serve()
        for session, (cut, msisdn) in enumerate(CUTS):
            seen = len(stage.centre.answers)
            stage.centre.judge = withhold
            first = stage.centre.dial(number(1), "*100#", session)
            await stage.shown(first)
            order = stage.centre.dial(msisdn, CODE)
            await stage.acknowledged(order)
            assert not order.answers, "the window is not kept to (W1)"
            stage.centre.judge = take
            cut(stage.centre)
            assert shows((await stage.shown(order)).text, ON)
            assert [answer.message for answer in stage.centre.answers[seen:]] == [first, first, order]
            assert order.deliveries == len(order.answers) == 1
        await stage.stop()
        for _, msisdn in CUTS:
            assert await charged(stage, msisdn) == CHARGE


@scene
async def test_cut_between_the_answer_and_its_response(tmp_path: Path) -> None:
    """Nobody knows whether the centre had taken it: it comes again, the same octets with the same session info (W4)."""
    async with staged(tmp_path) as stage:
        await stage.serve()
        for cut, msisdn in CUTS:
            stage.centre.judge = withhold
            order = stage.centre.dial(msisdn, CODE)
            await stage.shown(order)
            stage.centre.judge = take
            cut(stage.centre)
            await stage.until(
                lambda order=order: len(order.answers) == 2, f"{order} again, after {cut.__name__}"
            )
            once, again = order.answers
            assert again.octets == once.octets, f"{once.text!r}, then {again.text!r}"
        await stage.stop()
        assert stage.centre.counts["submitted"] == 4
        assert await stage.unsent() == 0
        for _, msisdn in CUTS:
            assert await charged(stage, msisdn) == CHARGE


@scene
async def test_a_response_that_comes_with_the_end_of_the_connection_counts(tmp_path: Path) -> None:
    """The gateway reads what arrived before it looks at the end."""
    async with staged(tmp_path) as stage:
        await stage.serve()
        stage.centre.at("responded", 1, partial(_close, stage.centre))
        old = stage.centre.wire
        order = stage.centre.dial(MSISDN, CODE)
        await stage.shown(order)
        await stage.rebound(old)
        later = stage.centre.dial(number(1), "*100#")
        await stage.shown(later)
        await stage.stop()
        assert len(order.answers) == 1, "a response that had arrived was forgotten"


@scene
async def test_answers_of_many_cuts_keep_their_order(tmp_path: Path) -> None:
    """Cut in the middle of the answers, again and again: the rest comes in the order of the questions."""
    async with staged(tmp_path, window=8) as stage:
        await stage.serve()
        stage.centre.judge = withhold
        dialled = [stage.centre.dial(number(i), "*100#") for i in range(40)]
        await stage.acknowledged(*dialled)
        stage.centre.judge = take
        _tear_again_and_again(stage.centre, responses=5, times=4)
        stage.centre.wire.reset()
        await stage.until(lambda: not stage.centre.open, "all answers")
        await stage.stop()
        assert stage.centre.counts["bound"] == 6
        first = dict.fromkeys(answer.message for answer in stage.centre.answers)
        assert list(first) == dialled, "first answers in another order than the questions"
        assert await stage.unsent() == 0


def _tear_again_and_again(centre: Centre, responses: int, times: int) -> None:
    def tear() -> None:
        _tear(centre)
        if times > 1:
            _tear_again_and_again(centre, responses, times - 1)

    centre.at("responded", responses, tear)


LIVELY = {"enquire_link_s": 0.2, "response_s": 0.4}
DEAD = "no answer to enquire_link within response_timer"


@scene
async def test_a_peer_that_falls_silent_is_declared_dead(tmp_path: Path) -> None:
    """enquire_link without an answer within response_timer: the link is dead, and another one is made.

    First the peer reads and says nothing, not even to the answers that are under way; then it does not even read.
    """
    async with staged(tmp_path, link=LIVELY) as stage:
        daemon = await stage.serve()
        for reads, msisdn in ((True, number(3)), (False, number(4))):
            stage.centre.judge = withhold
            asked = [stage.centre.dial(number(i), "*100#", session=2 + reads) for i in range(10)]
            await stage.until(lambda asked=asked: all(message.answers for message in asked), "ten answers")
            old, seen = stage.centre.wire, len(daemon.log)
            old.fall_silent(reads)
            stage.centre.judge = take
            order = stage.centre.dial(msisdn, CODE)  # into the void: the silent centre does not write it
            await daemon.logged(reason=DEAD, after=seen)
            await stage.rebound(old)
            assert shows((await stage.shown(order)).text, ON)
            await stage.until(
                lambda asked=asked: all(_taken(message) for message in asked), "the ten answers again"
            )
        await stage.stop()
        assert await stage.unsent() == 0
        assert await charged(stage, number(3)) == await charged(stage, number(4)) == CHARGE


def _taken(message: Message) -> bool:
    return any(answer.status == 0 for answer in message.answers)


@scene
async def test_a_peer_that_reads_nothing_while_much_is_written_to_it(tmp_path: Path) -> None:
    """The socket is full and stays full. The timers run all the same: no timer may be held up by a slow peer."""
    async with staged(tmp_path, narrow=True, link=LIVELY) as stage:
        daemon = await stage.serve()
        old = stage.centre.wire
        old.fall_silent(reads=False)
        # Each is answered with 16 octets that nobody reads: more than the sockets and the transport hold.
        old.write(encode(EnquireLink(sequence_number=1)) * 20_000)
        await daemon.logged(reason=DEAD, timeout_s=5)
        await stage.rebound(old)
        assert shows((await stage.shown(stage.centre.dial(MSISDN, "*100#"))).text, "balance.*")
        await stage.stop()
