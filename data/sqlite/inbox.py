"""What came and must be remembered."""

from data.sqlite.dialogues import Dialogues
from data.sqlite.parts import Parts
from data.sqlite.quarantine import Quarantine
from data.sqlite.receipts import Receipts


class SqliteInbox(Dialogues, Parts, Quarantine, Receipts):
    """The verbs of :class:`data.store.Inbox`."""
