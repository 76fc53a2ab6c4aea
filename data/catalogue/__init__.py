"""The catalogue: from files that people edit, through tables that facts refer to, to what handlers read.

The files beside this module are loaded into the tables when a store is opened and they differ from what it
was loaded with last. An option that leaves the files leaves the tables, unless some number still has it on.
"""

from data.catalogue.files import CatalogueError
from data.catalogue.tables import FOLDER, read, refresh

__all__ = ["FOLDER", "CatalogueError", "read", "refresh"]
