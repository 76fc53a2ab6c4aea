"""Profiles from their files."""

from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from gateway.dialect.profile import Profile
from gateway.dialect.shape import ProfileFile
from gateway.dialect.words import DialectError
from gateway.validation import explain

_FOLDER = resources.files("gateway") / "dialects"


def load_profile(name_or_path: str) -> Profile:
    """The profile of that name in ``gateway/dialects``, or the one in the file of that path.

    Raises `DialectError` with one line that says what is wrong and where.
    """
    return _load(str(name_or_path))


def profile_names() -> list[str]:
    """Names of the profiles that come with the gateway."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml")
    )


def profile_source(name: str) -> str:
    """The text of a profile that comes with the gateway, comments and all."""
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")


def read_profile(text: str, source: str) -> Profile:
    """The profile in a text; `source` is the name that errors give it. Raises `DialectError`."""
    try:
        return Profile(TypeAdapter(ProfileFile).validate_python(yaml.safe_load(text)))
    except ValidationError as error:
        raise DialectError(f"{source}: {explain(error, ProfileFile)}") from None
    except RecursionError:
        raise DialectError(f"{source}: nested too deeply; look for a bracket that is not closed") from None
    except (yaml.YAMLError, ValueError) as error:
        raise DialectError(f"{source}: {' '.join(str(error).split())}") from None


@lru_cache
def _load(name_or_path: str) -> Profile:
    if name_or_path in profile_names():
        return read_profile(profile_source(name_or_path), str(_FOLDER / f"{name_or_path}.yaml"))
    if name_or_path.endswith((".yaml", ".yml")):
        return read_profile(_text_of(Path(name_or_path)), name_or_path)
    near = get_close_matches(name_or_path, profile_names(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(profile_names())}"
    raise DialectError(f"no dialect {name_or_path!r}; {hint}")


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise DialectError(f"{path}: {error}") from None
