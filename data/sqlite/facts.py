"""Subscribers and what they have."""

from data.model import Catalogue
from data.sqlite.connection import Connection
from data.sqlite.options import Options
from data.sqlite.subscribers import Subscribers


class SqliteFacts(Subscribers, Options):
    """The verbs of :class:`data.store.Facts`."""

    def __init__(self, connection: Connection, catalogue: Catalogue):
        super().__init__(connection)
        self.catalogue = catalogue
