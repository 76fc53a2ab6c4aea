"""Files that are compressed, as captures of long nights are."""

import bz2
import contextlib
import gzip
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK_OCTETS = 1 << 20
_Packed = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
_OPENERS: dict[bytes, Callable[[BinaryIO], _Packed]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_OTHERS = {b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z"}
_LONGEST_MAGIC = 6


class CompressedError(OSError):
    """A file that is compressed in a way that is not read here; the message names it."""


@contextlib.contextmanager
def unpacked(path: str | Path) -> Iterator[BinaryIO]:
    """The file, or what is in it if it is compressed with gzip, bzip2 or xz: that then lies in a temporary file.

    What was cut off, or is damaged, is read as far as it goes. CompressedError: of another kind; OSError: no such file.
    """
    with Path(path).open("rb") as file:
        magic = file.read(_LONGEST_MAGIC)
        file.seek(0)
        for begin, name in _OTHERS.items():
            if magic.startswith(begin):
                raise CompressedError(f"{path}: compressed with {name}: unpack it first")
        openers = [opener for begin, opener in _OPENERS.items() if magic.startswith(begin)]
        if not openers:
            yield file
            return
        with tempfile.TemporaryFile() as whole, openers[0](file) as packed:
            whole.writelines(_chunks(packed))
            whole.seek(0)
            yield whole


def _chunks(packed: _Packed) -> Iterator[bytes]:
    """What there is up to a fault; ``read1``, because ``read`` forgets what came before it."""
    with contextlib.suppress(EOFError, OSError, zlib.error, lzma.LZMAError):
        while chunk := packed.read1(_CHUNK_OCTETS):
            yield chunk
