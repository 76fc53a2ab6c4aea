"""What somebody gives to look at: the PDUs of a capture, a text, or bare octets, from a file or a pipe."""

import codecs
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gateway.dumps.capture import Captured, CaptureError, count_packets, is_capture, read_capture
from gateway.dumps.compressed import CompressedError, unpacked

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CAPTURES = (".pcap", ".pcapng", ".cap")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


def names_a_capture(word: str) -> bool:
    """Whether a file of this name is meant to be a capture, compressed or not."""
    path = Path(word)
    return (Path(path.stem) if path.suffix in _COMPRESSED else path).suffix in _CAPTURES


def read_file(path: Path) -> Iterator[Captured] | str | bytes:
    """The PDUs of a capture; otherwise the text of a file, or its octets where it is none (see `text_or_octets`).

    CaptureError, also while the PDUs are read: there is no such file, it is compressed in a way that is not known,
    it is called a capture and is none, or there is nothing over TCP in it.
    """
    try:
        with unpacked(path) as file:
            begin = file.read(4)
            if names_a_capture(path.name) or is_capture(begin):
                return _captured(path)
            return text_or_octets(begin + file.read())
    except CompressedError as error:
        raise CaptureError(str(error)) from None
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from None


def read_pipe(pipe: BinaryIO) -> Iterator[Captured] | str | bytes:
    """As `read_file`, of what comes through a pipe."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pipe.read())
        file.flush()
        try:
            found = read_file(Path(file.name))
            return found if isinstance(found, str | bytes) else iter(list(found))
        except CaptureError as error:
            raise CaptureError(str(error).replace(file.name, "standard input")) from None


def text_or_octets(octets: bytes) -> str | bytes:
    """What has no NUL is text, for each PDU has one; and so is UTF-16 that says what it is."""
    if octets.startswith(_UTF_16):
        return octets.decode("utf-16", "replace")
    if b"\0" in octets:
        return octets
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _captured(path: Path) -> Iterator[Captured]:
    empty = True
    for captured in read_capture(path):
        empty = False
        yield captured
    if empty:
        kinds = ", ".join(f"{count} {kind}" for kind, count in count_packets(path).most_common())
        raise CaptureError(f"{path}: no octets over TCP in it; its packets: {kinds or 'none'}")
