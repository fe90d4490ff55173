"""The bundled files of the catalog: which there are, and what they say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from simulator.errors import CatalogError

FOLDER = Path(__file__).parent
_REFERENCES = "references.yaml"


def names(kind: str) -> tuple[str, ...]:
    """The entries of one kind."""
    return _in_folder(FOLDER / kind)


def reference_keys() -> tuple[str, ...]:
    """The keys of the bibliography, without reading all that it says."""
    return _at_the_margin(FOLDER / _REFERENCES)


@cache
def bibliography() -> Mapping[str, Any]:
    """All that the bibliography says."""
    return read(_REFERENCES)


def read(path: str) -> dict[str, Any]:
    """The content of a file, by its path in the catalog; raises `CatalogError`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load((FOLDER / path).read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise CatalogError(f"{path}: expected a mapping")
    return content


@cache
def _in_folder(folder: Path) -> tuple[str, ...]:
    return tuple(
        file.removesuffix(".yaml") for file in os.listdir(folder) if file.endswith(".yaml")
    )


@cache
def _at_the_margin(file: Path) -> tuple[str, ...]:
    """The keys that begin a line of a file."""
    return tuple(re.findall(r"(?m)^([a-z][\w-]*):", file.read_text(encoding="utf-8")))
