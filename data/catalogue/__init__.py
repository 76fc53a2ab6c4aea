"""The catalogue as people edit it: files, each entry checked, every mistake told with its line.

A store loads the files beside this module when it is opened and they differ from what it was loaded with last. An
option that leaves the files leaves the store, unless some number still has it on.
"""

from pathlib import Path

from data.catalogue.files import CatalogueError, Entries, digest_of, load_files

FOLDER = Path(__file__).parent

__all__ = ["FOLDER", "CatalogueError", "Entries", "digest_of", "load_files"]
