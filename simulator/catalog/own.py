"""The folder of one's own entries: where its files are, and how what is wrong in them is told.

It is laid out as the bundled catalog is: `devices/`, `fluids/`, `solutes/`, `access/` with a YAML
file per entry, and perhaps a `references.yaml` that adds to the bibliography.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulator.errors import CatalogError

VARIABLE = "APHERESIS_CATALOG"
"""Environment variable that names the folder."""

KINDS = ("devices", "fluids", "solutes", "access")
"""What can be added; reactions and operators are part of the program."""

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
_REFERENCES = "references.yaml"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 40

Place = tuple[int, str, str]
"""A line (0: none), a dotted path, and what is wrong there."""


def folder() -> Path | None:
    """The folder, if there is one; raises `CatalogError` if it cannot be one."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    place = Path(named).expanduser()
    kinds = ", ".join(f"{kind}/" for kind in KINDS)
    if not place.is_dir():
        what = "a file" if place.exists() else "no folder"
        raise CatalogError(f"{VARIABLE}: {named} is {what}; expected a folder with {kinds}")
    within = [entry.name for entry in _entries(place) if entry.is_dir()]
    for name in set(within) - set(KINDS):
        near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.7)
        if near:
            raise CatalogError(f"{VARIABLE}: {place / name}; did you mean {near[0]}/?")
    if not (set(within) & set(KINDS) or (place / _REFERENCES).is_file()):
        raise CatalogError(f"{VARIABLE}: {named} has none of {kinds} {_REFERENCES}")
    return place


def names(kind: str, bundled: Iterable[str]) -> tuple[str, ...]:
    """Names of one's own entries of a kind; raises `CatalogError` for what cannot be one."""
    taken = set(bundled)
    found = []
    for entry in _files(kind):
        name = entry.stem
        if entry.suffix == ".yml":
            raise CatalogError(f"{entry}: expected a name that ends in .yaml")
        if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            words = "lowercase letters, digits and hyphens, such as my-device.yaml"
            raise CatalogError(f"{entry}: expected a name of {words}")
        if name in taken:
            raise CatalogError(
                f"{entry}: {name!r} is bundled with the program; choose another name, and write "
                f"'like: {name}' to change some of its numbers"
            )
        found.append(name)
    return tuple(found)


def file(kind: str, name: str) -> Path:
    """The file of one of one's own entries."""
    place = folder()
    assert place is not None  # it has the entry
    return place / kind / f"{name}.yaml"


def references() -> Path | None:
    """One's own bibliography, if there is one."""
    place = folder()
    found = place and place / _REFERENCES
    return found if found and found.is_file() else None


def stamp() -> tuple[object, ...]:
    """Different whenever any file of one's own has changed."""
    place = folder()
    if place is None:
        return ()
    files = [entry for kind in KINDS for entry in _files(kind)]
    if bibliography := references():
        files.append(bibliography)
    states = [(str(entry), entry.stat()) for entry in files]
    return (str(place), *((path, s.st_mtime_ns, s.st_size, s.st_ino) for path, s in states))


def text(file: Path) -> str:
    """What a file says; raises `CatalogError` if it cannot be read as text."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CatalogError(f"{file} cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise CatalogError(f"{file}: larger than 1 MiB; an entry is a few kilobytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeError:
        raise CatalogError(f"{file}: this is not UTF-8 text") from None


def plain(node: Any, path: tuple[str, ...], places: list[Place]) -> Any:
    """What a node of YAML says: mappings, lists and texts. Keys that cannot be go to `places`."""
    if node is None or node.id == "scalar":
        return "" if node is None else str(node.value)
    if node.id == "sequence":
        return [plain(item, path, places) for item in node.value]
    content: dict[str, Any] = {}
    for key, value in node.value:
        number, here = key.start_mark.line + 1, (*path, str(key.value))
        if key.id != "scalar":
            places.append((number, ".".join(path), "expected a plain word before the colon"))
        elif key.value in content:
            places.append((number, ".".join(here), "a duplicate key"))
        else:
            content[key.value] = plain(value, here, places)
    return content


def line(node: Any, path: tuple[str, ...]) -> int:
    """The line of a key, or of the last one on the way there; 0 for the whole file."""
    number = 0
    for step in path:
        pairs = node.value if node is not None and node.id == "mapping" else ()
        found = next(((key, value) for key, value in pairs if key.value == step), None)
        if found is None:
            break
        key, node = found
        number = key.start_mark.line + 1
    return number


def refusal(file: Path, places: Iterable[Place]) -> CatalogError:
    """All that is wrong with a file as one error, in the order of its lines."""
    found = sorted(set(places))
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    lines = []
    for line, path, message in found:
        where = f"{file}:{line}" if line else str(file)
        lines.append(f"  {where}: {path}: {message}" if path else f"  {where}: {message}")
    return CatalogError("\n".join([f"{count} in a catalog file of your own:", *lines]))


def _files(kind: str) -> list[Path]:
    place = folder()
    if place is None or kind not in KINDS or not (place / kind).is_dir():
        return []
    return [
        entry
        for entry in _entries(place / kind)
        if entry.suffix in (".yaml", ".yml") and entry.is_file() and entry.name[0] not in "._"
    ]


def _entries(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError as error:
        raise CatalogError(f"{place} cannot be read: {error.strerror or error}") from None
