"""Of several password SMS the last that a subscriber gets is the one that holds, whatever became of the others."""

import pytest

from data.opening import open_store
from gateway.smpp.pdu import SubmitSm
from gateway.smpp.text import decode_text
from gateway.smpp.vocabulary import ESME_ROK, ESME_RSYSERR, ESME_RTHROTTLED
from handlers.password import verify
from tests.links.peer import Peer, centre
from tests.links.scene import gateway, healthy, number, query, scene, sms, to_centre, until

PHONE = number(3)


def passwords(peer: Peer) -> list[str]:
    """Those that the centre was given, in order."""
    texts = [decode_text(pdu.short_message, "ucs2") for pdu in peer.messages if pdu.source_addr == "000110"]
    return [text.rpartition(" ")[2] for text in texts]


async def holds(folder, password: str) -> bool:
    store = open_store(f"sqlite:///{folder / 'starpound.db'}", create=False)
    try:
        return await verify(store, PHONE, password)
    finally:
        await store.close()


@pytest.mark.parametrize(
    "refusal", [ESME_RSYSERR, ESME_RTHROTTLED, None], ids=["error", "throttled", "silent"]
)
@scene
async def test_an_older_one_that_was_refused_does_not_come_after_it(tmp_path, refusal):
    async with centre() as smsc, gateway(tmp_path, to_centre(smsc.port, response_s=0.5)) as ours:
        peer = await smsc.bound()
        await healthy(ours)
        refused: list[SubmitSm] = []

        def judge(pdu: SubmitSm) -> int | None:
            if refused and pdu.short_message != refused[0].short_message:
                return ESME_ROK
            refused.append(pdu)
            return refusal

        peer.judge = judge
        await peer.ask(sms(PHONE, "", to="000110"))
        await until(lambda: refused, "the first password")
        await peer.ask(sms(PHONE, "", to="000110"))
        await until(lambda: len(set(passwords(peer))) == 2, "the second password")
        await until(
            lambda: query(tmp_path, "SELECT count(*) FROM outbox") == [(0,)], "nothing is left to be sent"
        )
        first, *_, last = passwords(peer)
        assert last != first
        assert await holds(tmp_path, last)
