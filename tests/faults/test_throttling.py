"""What the centre may say to a submit_sm, or not say (W2, W3, W4, S7)."""

from pathlib import Path

from gateway.smpp.pdu import DeliverSmResp, GenericNack, SubmitSmResp, encode
from gateway.smpp.vocabulary import (
    ESME_RINVDSTADR,
    ESME_RMSGQFUL,
    ESME_RSUBMITFAIL,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RX_P_APPN,
    ESME_RX_T_APPN,
)
from tests.faults.messages import WITHHOLD, Answer, Message, take, withhold
from tests.faults.scene import Stage, number, scene, staged


def dial_all(stage: Stage, count: int, first: int = 0) -> list[Message]:
    return [stage.centre.dial(number(i), "*100#") for i in range(first, first + count)]


def taken(stage: Stage) -> list[Message | None]:
    """Whose answers the centre took, in the order in which it did."""
    return [answer.message for answer in stage.centre.answers if answer.status == 0]


class Storm:
    """Everything is refused until waves of these sizes were; what each wave brought is kept."""

    STATUSES = (ESME_RTHROTTLED, ESME_RMSGQFUL)

    def __init__(self, sizes: tuple[int, ...]):
        self.sizes = sizes
        self.waves: list[list[Message | None]] = [[]]

    def __call__(self, answer: Answer) -> int:
        if len(self.waves) > len(self.sizes):
            return 0
        wave = self.waves[-1]
        wave.append(answer.message)
        status = self.STATUSES[len(self.waves) % 2]
        if len(wave) == self.sizes[len(self.waves) - 1]:
            self.waves.append([])
        return status


@scene
async def test_a_storm_of_throttling_keeps_the_order_and_loses_nothing(tmp_path: Path) -> None:
    """W2: the queue waits as a whole. Each wave is the head of the queue, of half the size; then all comes in order."""
    async with staged(tmp_path, window=4) as stage:
        storm = stage.centre.judge = Storm((4, 2, 1, 1))
        await stage.serve()
        with stage.centre.together():
            dialled = dial_all(stage, 30)
        await stage.until(lambda: len(taken(stage)) == 30, "all answers to be taken")
        head = [dialled[:4], dialled[:2], dialled[:1], dialled[:1], []]
        assert storm.waves == head, "a wave that was not the head of the queue, in its order"
        assert taken(stage) == dialled
        await stage.stop()
        assert stage.undelivered() == []
        assert await stage.unsent() == 0


@scene
async def test_one_refusal_of_a_whole_window_is_one_refusal(tmp_path: Path) -> None:
    """64 answers under way are refused at once: the centre was full once, so the queue waits as after one refusal.

    Counted one by one they would double the wait 63 times, and a screen is worth nothing after half a minute.
    """
    async with staged(tmp_path) as stage:
        stage.centre.judge = withhold
        await stage.serve()
        dialled = [stage.centre.dial(number(i % 40), "*100#", session=i) for i in range(64)]
        await stage.until(lambda: len(stage.centre.answers) == 64, "a window full of answers")
        stage.centre.judge = take
        for answer in stage.centre.answers[:64]:
            stage.centre.answer(answer, ESME_RTHROTTLED)
        await stage.until(lambda: taken(stage) == dialled, "the answers to be taken, soon", timeout_s=4)
        await stage.stop()


@scene
async def test_a_temporary_error_is_tried_again(tmp_path: Path) -> None:
    """W3: each such message waits by itself and comes again; the others do not wait for it."""
    unlucky = {number(1): ESME_RSYSERR, number(3): ESME_RX_T_APPN, number(4): ESME_RSUBMITFAIL}
    async with staged(tmp_path) as stage:

        def judge(answer: Answer) -> int:
            return unlucky.get(answer.message.key[0], 0) if len(answer.message.answers) < 3 else 0

        stage.centre.judge = judge
        await stage.serve()
        with stage.centre.together():
            dialled = dial_all(stage, 8)
        await stage.until(lambda: len(taken(stage)) == 8, "all answers to be taken")
        others = [message for message in dialled if message.key[0] not in unlucky]
        assert taken(stage)[:5] == others, "the others had to wait"
        for message in dialled:
            status = unlucky.get(message.key[0])
            assert [answer.status for answer in message.answers] == (
                [status, status, 0] if status else [0]
            ), message
        await stage.stop()
        assert stage.undelivered() == []
        assert await stage.unsent() == 0


@scene
async def test_a_permanent_error_gives_the_message_up_with_its_reason(tmp_path: Path) -> None:
    """W3: not sent again, not even after a new bind; the store says why."""
    reasons = {number(2): ESME_RINVDSTADR, number(4): ESME_RX_P_APPN, number(6): 0x4FF}
    async with staged(tmp_path) as stage:
        stage.centre.judge = lambda answer: reasons.get(answer.pdu.destination_addr, 0)
        await stage.serve()
        dialled = dial_all(stage, 8)
        await stage.until(lambda: stage.centre.counts["responded"] == 8, "all answers")
        await stage.acknowledged(*dialled)
        old = stage.centre.wire
        old.close()
        await stage.rebound(old)
        await stage.shown(stage.centre.dial(number(10), "*100#"))
        await stage.stop()
        assert stage.centre.counts["submitted"] == 9, "something was sent again"
        assert await stage.unsent() == 0
        given_up = dict(stage.undelivered())
        assert given_up.keys() == reasons.keys()
        assert given_up[number(2)] == "ESME_RINVDSTADR"
        assert given_up[number(4)] == "ESME_RX_P_APPN"
        assert "4ff" in given_up[number(6)].lower(), f"a vendor's status is kept as its number: {given_up}"


@scene
async def test_a_response_that_is_lost_has_the_message_sent_again(tmp_path: Path) -> None:
    """W4: the response timer runs out. The late response to the first copy is nobody's (S7) and does no harm."""
    async with staged(tmp_path, link={"response_s": 0.3}) as stage:
        stage.centre.judge = lambda answer: WITHHOLD if stage.centre.counts["submitted"] == 1 else 0
        daemon = await stage.serve()
        (dialled,) = dial_all(stage, 1)
        await stage.until(lambda: len(dialled.answers) == 2, "the answer again")
        once, again = dialled.answers
        assert again.octets == once.octets
        assert again.pdu.sequence_number != once.pdu.sequence_number, "sequence number used twice"
        stage.centre.answer(once)
        await daemon.logged(event="response to nothing, or late", command="submit_sm_resp")
        await stage.shown(stage.centre.dial(number(1), "*100#", 2))
        assert len(dialled.answers) == 2
        await stage.stop()
        assert await stage.unsent() == 0


@scene
async def test_responses_in_any_order_reach_the_message_they_belong_to(tmp_path: Path) -> None:
    """A window of answers is responded to from the last to the first, every third with an error."""
    async with staged(tmp_path) as stage:
        stage.centre.judge = withhold
        await stage.serve()
        dialled = dial_all(stage, 30)
        await stage.until(lambda: len(stage.centre.answers) == 30, "thirty answers")
        wrong = {message.key[0] for message in dialled[::3]}
        stage.centre.judge = take
        for answer in reversed(stage.centre.answers[:30]):
            stage.centre.answer(answer, ESME_RINVDSTADR if answer.pdu.destination_addr in wrong else 0)
        await stage.acknowledged(*dialled)
        await stage.stop()
        assert {msisdn for msisdn, _ in stage.undelivered()} == wrong
        assert stage.centre.counts["submitted"] == 30
        assert await stage.unsent() == 0


@scene
async def test_responses_to_nothing_are_counted_and_dropped(tmp_path: Path) -> None:
    """S7: of a submit_sm that was never sent, a second one, of the wrong command, a nack of nothing."""
    async with staged(tmp_path) as stage:
        daemon = await stage.serve()
        answer = await stage.shown(stage.centre.dial(number(1), "*100#"))
        twice = SubmitSmResp(message_id="again", sequence_number=answer.pdu.sequence_number)
        strays = [
            SubmitSmResp(message_id="1", sequence_number=0x7FFFFFFF),
            twice,
            DeliverSmResp(sequence_number=0x7FFFFFF0),
            GenericNack(command_status=ESME_RSYSERR, sequence_number=0x7FFFFFF1),
        ]
        stage.centre.wire.write(b"".join(map(encode, strays)))
        await stage.shown(stage.centre.dial(number(2), "*100#"))
        assert await daemon.metric('starpound_answers_total{link="ussdc",verdict="stray"}') == len(strays)
        assert len(stage.centre.wires) == 1, "the link did not live"
        await stage.stop()
        assert await stage.unsent() == 0
