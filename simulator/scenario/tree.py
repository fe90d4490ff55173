"""What a file says and where it says it: plain data whose every node knows its line and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from simulator.records import record

Path: TypeAlias = tuple[str | int, ...]
Scalar: TypeAlias = bool | int | float | str | None

#: Keys that say the same thing in two ways. Writing one side takes an inherited other side away.
_ALTERNATIVES: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset({"at"}), frozenset({"sessions", "every"})),
    (frozenset({"half_life"}), frozenset({"fractional_catabolic_rate"})),
    (frozenset({"rate"}), frozenset({"per_liter_replacement"})),
    (frozenset({"value"}), frozenset({"method"})),
    (frozenset({"sessions by the week"}), frozenset({"every"})),
)

#: Keys whose value is a catalog name, or a mapping that changes what is `like` that name.
_NAMED = frozenset({"device", "access", "fluid", "prime"})


@record
class Mark:
    """A place in a file, counted from 1; line 0 where there are no lines (``--set``)."""

    file: str
    line: int = 0
    column: int = 0


@record
class Node:
    """A value with its place and, in a mapping, the place of its key."""

    value: Scalar | list[Node] | dict[str, Node]
    mark: Mark
    key: Mark

    def plain(self) -> Any:
        """The data without places. A key with nothing behind it is as good as absent."""
        if isinstance(self.value, dict):
            return {k: n.plain() for k, n in self.value.items() if n.value is not None}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, key: str | int) -> Node | None:
        """The node one step down, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def find(self, path: Path) -> tuple[Node, bool]:
        """The node at a path or the last one on the way there, and whether the path exists."""
        node = self
        for key in path:
            below = node.child(key)
            if below is None:
                return node, False
            node = below
        return node, True


def overlay(base: Node, over: Node) -> Node:
    """`over` laid on `base`: mappings merge, everything else is replaced."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = _without_alternatives(base.value, over.value)
    for key, node in over.value.items():
        below = merged.get(key)
        if below is not None and key in _NAMED and isinstance(node.value, dict):
            below = as_mapping(below)
        merged[key] = node if below is None else overlay(below, node)
    return Node(merged, over.mark, over.key)


def as_mapping(node: Node) -> Node:
    """A catalog name written as the mapping that means the same: ``{like: name}``."""
    return Node({"like": node}, node.mark, node.key) if isinstance(node.value, str) else node


def assign(base: Node, path: Path, value: Node) -> Node:
    """`base` with `value` at `path`; mappings on the way are made, list items must exist.

    Raises `LookupError` with the reason if the path leads through something else.
    """
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(base.value, list):
        if not isinstance(key, int) or not 0 <= key < len(base.value):
            raise LookupError(_no_such_item(key, len(base.value)))
        items = list(base.value)
        items[key] = assign(items[key], rest, value)
        return Node(items, base.mark, base.key)
    name = str(key)
    content = dict(base.value) if isinstance(base.value, dict) else {}
    below = content.get(name, Node(None, value.mark, value.key))
    if rest and name in _NAMED:
        below = as_mapping(below)
    if rest and isinstance(below.value, str | int | float):
        raise LookupError(f"there is nothing below {name!r}, which is {below.value!r}")
    if rest and below.value is None and isinstance(rest[0], int):
        raise LookupError(f"no item {rest[0]}: there is no list {name!r}")
    new = assign(below, rest, value)
    content = _without_alternatives(content, {name: new})
    content[name] = new
    return Node(content, base.mark, base.key)


def dotted(path: Sequence[str | int]) -> str:
    """A path as users write it: ``course.then.0.sessions``."""
    return ".".join(str(step) for step in path)


def _no_such_item(key: str | int, length: int) -> str:
    count = {0: "the list is empty", 1: "the list has one item, number 0"}
    return f"no item {key}: " + count.get(length, f"the list has items 0 to {length - 1}")


def _without_alternatives(base: dict[str, Node], over: dict[str, Node]) -> dict[str, Node]:
    """What remains of `base` when `over` says the same things in the other way."""
    written = {key for key, node in over.items() if node.value is not None}
    if "sessions" in over and isinstance(over["sessions"].value, dict):
        written.add("sessions by the week")
    gone: set[str] = set()
    for one, other in _ALTERNATIVES:
        gone |= other if written & one else set()
        gone |= one if written & other else set()
    return {key: node for key, node in base.items() if key not in gone - written}
