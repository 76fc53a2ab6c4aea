"""Delivery receipts of one link: what is expected, and what came before anybody knew what it was about."""

import time
from collections import OrderedDict

import structlog

from data.model import Outgoing, SentMessage
from gateway.metrics import Metrics
from gateway.smpp.receipts import STATES, Receipt, message_key, message_keys

_EARLY = 1000

_WORDS = frozenset(STATES.values())


class AwaitedReceipts:
    """The store has the messages of which a receipt is expected; here is what overtook its submit_sm_resp (W8)."""

    def __init__(self, link: str, metrics: Metrics):
        self._link, self._metrics = link, metrics
        self._log = structlog.get_logger(__name__).bind(link=link)
        self._early: OrderedDict[str, Receipt] = OrderedDict()

    def expect(self, message: Outgoing, message_id: str) -> SentMessage | None:
        """The centre has taken `message` under that id: what the store has to keep, None if all is known by now."""
        key = message_key(message_id)
        sent = SentMessage(self._link, key, message.id, message.msisdn, time.time())
        early = self._early.pop(key, None)
        if early is None:
            return sent
        self.note(early, sent)
        return None if early.final else sent

    def note(self, receipt: Receipt, sent: SentMessage | None) -> None:
        """A receipt has come; `sent` is what it is about, None: nobody knows, or not yet."""
        if sent is None:
            self._early.update(dict.fromkeys(message_keys(receipt.message_id), receipt))
            while len(self._early) > _EARLY:
                self._early.popitem(last=False)
            return
        state = receipt.state if receipt.state in _WORDS else "other"
        self._metrics.receipts.labels(self._link, state.lower()).inc()
        if receipt.final and receipt.state != "DELIVRD":
            self._log.warning("message not delivered", id=sent.id, state=receipt.state, error=receipt.error)
