"""Another value laid over one number of the catalog, to see what it moves; and where one stands.

A dotted path names a number as messages do: ``solutes.igg.catabolism.intrinsic``. An entry that is
`like` another one inherits its numbers, so a value laid over moves them, too, where they are not
said anew. The files are not touched, and what was remembered of them is found again afterward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from simulator.catalog import checks
from simulator.errors import CatalogError

Number = Mapping[str, Any]
"""What a file says of one number: its value, its source, how it was seen."""

_laid: dict[str, Number] = {}

answers: dict[Any, Any] = {}
"""What was read of the catalog since a value was laid over it; forgotten with the value."""


@contextmanager
def altered(path: str, value: str) -> Iterator[None]:
    """Within it, the number at `path` has another value, for all that is loaded inside.

    `value` is a quantity with its unit, of the dimension of the number. Raises `CatalogError` if
    there is no such number or the value cannot be one of it.
    """
    number = _number(path)
    if number is None:
        raise CatalogError(f"{path} is no number of the catalog")
    other = {**number, "value": value}
    if found := _complaints(path, other):
        raise CatalogError(f"{path}: {'; '.join(found)}")
    before = dict(_laid)
    _lay({**before, path: other})
    try:
        yield
    finally:
        _lay(before)


def _lay(numbers: Mapping[str, Number]) -> None:
    """These, and no others, lie over the catalog from now on."""
    _laid.clear()
    _laid.update(numbers)
    answers.clear()


def stamp() -> tuple[tuple[str, str], ...]:
    """Different whenever other values lie over the catalog."""
    return tuple((path, str(number["value"])) for path, number in _laid.items())


def laid_over(content: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    """What a catalog file says, with the values that lie over its numbers."""
    changed = content
    for path, number in _laid.items():
        at, entry, *keys = path.split(".")
        if (at, entry) == (kind, name):
            changed = _with(changed, keys, number)
    return changed


def written_at(path: str) -> str:
    """The path of the entry that writes a number: its own, or one that it inherits it from."""
    from simulator import catalog

    kind, name, *keys = path.split(".")
    for writer in catalog.lineage(kind, name):
        if _at(catalog.written(kind, writer), keys) is not None:
            return ".".join((kind, writer, *keys))
    return path


def _number(path: str) -> Number | None:
    """A number of the catalog with what is said of it; None if there is none at the path."""
    from simulator import catalog

    kind, name, *keys = (*path.split("."), "", "")
    if kind not in catalog.KINDS or name not in catalog.names(kind):
        return None
    found = _at(catalog.tree(kind, name), [key for key in keys if key])
    return found if isinstance(found, Mapping) and "value" in found else None


def _complaints(path: str, number: Number) -> list[str]:
    """Why a number cannot be what it says, as it is told of an entry of one's own."""
    from simulator import catalog

    kind, name, *keys = path.split(".")
    known = checks.Known(
        catalog.names,
        catalog.references(),
        lambda solute: str(catalog.tree("solutes", solute)["unit"]),
    )
    content = _with({}, keys, {key: str(text) for key, text in number.items()})
    return [text for _, text in checks.complaints(kind, content, catalog.tree(kind, name), known)]


def _at(content: Any, keys: list[str]) -> Any:
    """What stands at the end of these keys; None if nothing does."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _with(content: Mapping[str, Any], keys: list[str], number: Number) -> dict[str, Any]:
    """A copy with the number at the end of the keys."""
    first, *others = keys
    below = content.get(first, {})
    return {**content, first: _with(below, others, number) if others else number}
