"""Reading the catalogue's files: every complaint names the file and the line."""

import hashlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Generic, NamedTuple, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from data.store import StoreError

FILES = ("categories.yaml", "tariffs.yaml", "options.yaml")

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Kopecks = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
Key = int | str


class CatalogueError(StoreError):
    """A file of the catalogue cannot be used: file, line and what is wrong."""

    def __init__(self, file: Path, line: int, what: str):
        super().__init__(f"{file}:{line}: {what}")
        self.file, self.line, self.what = file, line, what


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Wording(_Entry):
    """A name in both languages."""

    ru: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Allowances(_Entry):
    """What is included for a month; None: nothing of that kind."""

    minutes: Count | None = None
    sms: Count | None = None
    mb: Count | None = None


class CategoryEntry(_Entry):
    """An entry of categories.yaml."""

    code: Code
    name: Wording


class TariffEntry(_Entry):
    """An entry of tariffs.yaml. A price is a range of kopecks: from, to."""

    code: Code
    name: Wording
    corporate: bool = False
    fee_kopecks: Kopecks
    allowances: Allowances = Allowances()
    sms_kopecks: Annotated[list[Kopecks], Field(min_length=2, max_length=2)]
    minute_kopecks: Annotated[list[Kopecks], Field(min_length=2, max_length=2)]


class OptionEntry(_Entry):
    """An entry of options.yaml."""

    number: Annotated[int, Field(ge=1, le=9999)]
    category: Code
    name: Wording
    fee_kopecks: Kopecks
    corporate_only: bool = False
    tariffs: list[Code] = []
    exclusive_group: Code | None = None
    conflicts: list[int] = []
    allowances: Allowances = Allowances()
    minute_above_kopecks: Kopecks | None = None


class Entries(NamedTuple):
    """All entries of the three files, each valid by itself and all of them together."""

    categories: list[CategoryEntry]
    tariffs: list[TariffEntry]
    options: list[OptionEntry]


Some = TypeVar("Some", bound=_Entry)


class _File(Generic[Some]):
    """One file: its entries, and its nodes, which know their lines."""

    def __init__(self, path: Path, entries: TypeAdapter[list[Some]]):
        self.path = path
        self._root: yaml.Node | None = None
        try:
            text = path.read_text(encoding="utf-8")
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.entries = entries.validate_python(yaml.safe_load(text))
        except OSError as error:
            self.fail((), error.strerror or str(error))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise CatalogueError(path, line, str(error.problem)) from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            self.fail(first["loc"], _dotted(first["loc"]) + first["msg"])

    def fail(self, where: Sequence[int | str], what: str) -> NoReturn:
        """Complain about what is found at a path such as ``(3, "fee_kopecks")``."""
        raise CatalogueError(self.path, _line(self._root, where), what) from None

    def unique(self, key: str) -> set[Key]:
        """The keys of all entries, each of which may occur once."""
        seen: set[Key] = set()
        for index, entry in enumerate(self.entries):
            value = getattr(entry, key)
            if value in seen:
                self.fail((index, key), f"{key} {value} is taken by an entry above")
            seen.add(value)
        return seen


def load_files(folder: Path) -> Entries:
    """Read and check the catalogue. Raises CatalogueError for the first thing that is wrong."""
    categories = _File(folder / "categories.yaml", TypeAdapter(list[CategoryEntry]))
    tariffs = _File(folder / "tariffs.yaml", TypeAdapter(list[TariffEntry]))
    options = _File(folder / "options.yaml", TypeAdapter(list[OptionEntry]))
    _check_references(options, categories.unique("code"), tariffs.unique("code"), options.unique("number"))
    return Entries(categories.entries, tariffs.entries, options.entries)


def digest_of(folder: Path) -> str:
    """A text that is another one whenever a file has changed. Raises StoreError for one that cannot be read."""
    try:
        return hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES)).hexdigest()
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error


def _check_references(
    options: _File[OptionEntry],
    categories: AbstractSet[Key],
    tariffs: AbstractSet[Key],
    numbers: AbstractSet[Key],
) -> None:
    for index, option in enumerate(options.entries):
        for field, named, known in (
            ("category", [option.category], categories),
            ("tariffs", option.tariffs, tariffs),
            ("conflicts", option.conflicts, numbers - {option.number}),
        ):
            unknown = [name for name in named if name not in known]
            if unknown:
                options.fail((index, field), f"{field}: {unknown[0]} is not known")


def _line(node: yaml.Node | None, where: Sequence[int | str]) -> int:
    """The line of what is at the path, or of the nearest thing around it that is there."""
    line = node.start_mark.line if node else 0
    for step in where:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[step]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == step]
            if not found:
                break
            key, node = found[0]
            line = key.start_mark.line
    return line + 1


def _dotted(where: Sequence[int | str]) -> str:
    names = [step for step in where if isinstance(step, str)]
    return f"{'.'.join(names)}: " if names else ""
