"""Finds scenario files, bundled or the user's own, and lays them over what they extend."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import NoReturn

from simulator.errors import CommandError, Problem, ScenarioError
from simulator.records import record
from simulator.scenario.reader import MAX_BYTES, parse
from simulator.scenario.report import near_or_all, shown
from simulator.scenario.tree import Mark, Node, overlay

SUFFIXES = (".yaml", ".yml")
MAX_EXTENDED = 10


@record
class Source:
    """A scenario text and where it comes from."""

    content: bytes | str
    label: str
    """As messages call it."""
    name: str
    """What the scenario is called if it does not say so itself."""
    folder: Path | None
    """Where relative paths start; None for text that is no file."""
    identity: str
    """The same for the same file, however it was named."""


def folder() -> Path:
    """The bundled scenarios: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_scenarios"
    return installed if installed.is_dir() else package.parent / "scenarios"


def names() -> list[str]:
    """Names of the bundled scenarios, sorted."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def find(source: str | Path) -> Source:
    """A bundled scenario by its name, or a file by its path; raises `CommandError` if neither."""
    text = str(source)
    if isinstance(source, str) and source in names():
        return _bundled(source)
    path = Path(source)
    if not path.exists():
        _not_found(text, path)
    return _read(path, label=text)


def text_source(text: str | bytes, name: str) -> Source:
    """A scenario that is not in a file."""
    return Source(text, name, _slug(name), None, f"text {name}")


def merged(source: Source, above: tuple[str, ...] = ()) -> tuple[Node, list[Problem]]:
    """The tree of a source laid over what it extends, and the problems on the way."""
    tree, problems = parse(source.content, source.label)
    if not isinstance(tree.value, dict):
        what = "the file is empty" if tree.value is None else "this is not a mapping"
        message = f"{what}; expected 'key: value' lines, beginning with 'format: 1'"
        _refuse(tree.mark, "", message, problems)
    extends = tree.value.get("extends")
    if extends is None or not isinstance(extends.value, str):
        return tree, problems
    chain = (*above, source.identity)
    base = _base(extends.value, extends.mark, source, problems)
    if base.identity in chain:
        _refuse(extends.mark, "extends", f"{base.label} extends itself in the end", problems)
    if len(chain) > MAX_EXTENDED:
        _refuse(extends.mark, "extends", f"more than {MAX_EXTENDED} files extend another", problems)
    inherited, more = merged(base, chain)
    content = inherited.value if isinstance(inherited.value, dict) else {}
    below = {key: node for key, node in content.items() if key != "name"}
    own = {key: node for key, node in tree.value.items() if key != "extends"}
    laid = overlay(Node(below, inherited.mark, inherited.key), Node(own, tree.mark, tree.key))
    return laid, problems + more


def _base(text: str, mark: Mark, source: Source, problems: list[Problem]) -> Source:
    """What a scenario extends: a bundled name, or a file beside it."""
    if "://" in text:
        _refuse(mark, "extends", "expected a bundled name or a file path, not an address", problems)
    if not text.endswith(SUFFIXES):
        known = names()
        if text in known:
            return _bundled(text)
        hint = near_or_all(text, known)
        message = f"{shown(text)} is not a bundled scenario (a file ends in .yaml){hint}"
        _refuse(mark, "extends", message, problems)
    if source.folder is None:
        _refuse(mark, "extends", "only a file can extend a file; use a bundled name", problems)
    try:
        path = source.folder / text
        if not path.is_file():
            _refuse(mark, "extends", f"there is no file {path}", problems)
        return _read(path, label=str(path))
    except (CommandError, ValueError, OSError) as error:
        _refuse(mark, "extends", f"{shown(text)} cannot be read: {error}", problems)


def _bundled(name: str) -> Source:
    return _read(folder() / f"{name}.yaml", label=f"{name}.yaml")


def _read(path: Path, label: str) -> Source:
    if path.is_dir():
        raise CommandError(f"{label} is a folder; expected a scenario file or a bundled name")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # one more shows that there is too much
    except OSError as error:
        raise CommandError(f"{label} cannot be read: {error.strerror or error}") from None
    return Source(content, label, _slug(path.stem), path.parent, str(path.resolve()))


def _slug(text: str) -> str:
    """A text as a name that can also be a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100] or "scenario"


def _not_found(text: str, path: Path) -> NoReturn:
    known = names()
    wanted = path.stem if path.suffix in SUFFIXES else text
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"bundled: {', '.join(known)}"
    raise CommandError(
        f"{text}: there is no such file, nor a bundled scenario of that name; {hint}"
    )


def _refuse(mark: Mark, path: str, message: str, problems: list[Problem]) -> NoReturn:
    raise ScenarioError([*problems, Problem(mark.file, mark.line, mark.column, path, message)])
