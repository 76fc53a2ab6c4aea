"""The pages of the documentation, their examples and their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# These two have marks of their own and tests of their own, which know what stands behind their examples.
PROVED_ELSEWHERE = {"docs/reference/menu-file.md", "docs/reference/simulator-api.md"}
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    + list(ROOT.glob("docs/**/*.md"))
)

RUN = (
    "console",
    "toml settings",
    "yaml menu",
    "yaml dialect",
    "python operation",
    "python test",
    "transcript",
)
"""Marks of examples that a test runs or reads."""
SHOWN = ("text", "sh", "ini", "json", "yaml", "toml", "python", "mermaid", "")
"""Marks of blocks that are only looked at; lines of `sh` that call starpound or make are parsed."""

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` says what it is, `words` hold more: a file's name, ``exit=1``, ``stays``."""

    page: Path
    line: int
    mark: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The page's path as a reader knows it."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    source = page.read_text("utf-8")
    for found in _FENCE.finditer(source):
        info = found[1].strip()
        mark = next(
            (known for known in (*RUN, *SHOWN) if info == known or info.startswith(f"{known} ")), info
        )
        words = tuple(info.removeprefix(mark).split())
        yield Block(page, source.count("\n", 0, found.start()) + 1, mark, words, found[2])


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links(page: Path) -> list[str]:
    """What the page links to."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """What can stand behind ``#`` in a link to the page: its headings as the usual renderers name them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
