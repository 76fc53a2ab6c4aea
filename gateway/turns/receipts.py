"""Delivery receipts of one link: which message they are about.

A centre may give the id of a message in hexadecimal in its response and in decimal in the receipt, or the other way
round (W9), but it does the same with all of them: once a receipt has named its message in the form of the response,
only that form counts on this link. A receipt may also overtake the response (W8).
"""

import time
from collections import OrderedDict
from dataclasses import replace

import structlog

from data.model import SentMessage
from gateway.smpp.receipts import RECEIPT_STATES, Receipt, message_key, message_keys
from gateway.watch.metrics import Metrics

log = structlog.get_logger(__name__)

_EARLY = 1000
_LONGEST_ID = 65  # of a message_id, with its NUL (SMPP §5.2.23)
_DIGITS = 9  # of two numbers that have to agree: one may have the country in front, the other not


class ReceiptIds:
    """How the centre of a link writes the ids of messages in receipts, as far as that is known."""

    def __init__(self) -> None:
        self._exact = False

    def keys(self, message_id: str) -> list[str]:
        """Under which keys the message may have been filed."""
        message_id = message_id[:_LONGEST_ID]
        return [message_key(message_id)] if self._exact else message_keys(message_id)

    def matched(self, receipt: Receipt, sent: SentMessage) -> None:
        """A receipt has found its message."""
        self._exact = self._exact or message_key(receipt.message_id) == sent.message_key


def same_number(one: str, other: str) -> bool:
    """Whether two addresses may be one number; an address that is missing says nothing against it."""
    one, other = one.lstrip("+"), other.lstrip("+")
    digits = min(len(one), len(other), _DIGITS)
    return one[-digits:] == other[-digits:] if digits else True


class AwaitedReceipts:
    """The store has the messages of which a receipt is expected; here is what overtook its submit_sm_resp (W8)."""

    def __init__(self, link: str, ids: ReceiptIds, metrics: Metrics):
        self._link, self._ids, self._metrics = link, ids, metrics
        self._log = log.bind(link=link)
        self._early: OrderedDict[str, tuple[Receipt, str]] = OrderedDict()

    def expect(self, id: int, number: str, message_id: str) -> SentMessage | None:
        """The centre has taken message `id`, to `number`, under the id `message_id`.

        What the store has to keep; None if all is known by now.
        """
        key = message_key(message_id)
        sent = SentMessage(self._link, key, id, number, time.time())
        early, msisdn = self._early.get(key, (None, ""))
        if early is None or not same_number(msisdn, number):
            return sent
        for other in message_keys(early.message_id):
            self._early.pop(other, None)
        self._ids.matched(early, sent)
        self.note(early, msisdn, sent)
        return None if early.final else sent

    def note(self, receipt: Receipt, msisdn: str, sent: SentMessage | None) -> None:
        """A receipt about this number has come; `sent` is what it is about, None: nobody knows, or not yet."""
        if sent is None:
            kept = replace(receipt, message_id=receipt.message_id[:_LONGEST_ID], text="")
            self._early.update(dict.fromkeys(self._ids.keys(receipt.message_id), (kept, msisdn[:20])))
            while len(self._early) > _EARLY:
                self._early.popitem(last=False)
            return
        state = receipt.state if receipt.state in RECEIPT_STATES else "other"
        self._metrics.receipts.labels(self._link, state.lower()).inc()
        if receipt.final and receipt.state != "DELIVRD":
            self._log.warning("message not delivered", id=sent.id, state=receipt.state, error=receipt.error)
