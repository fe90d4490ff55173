"""What every mapping of a scenario file has in common, and what can hold other values.

A mapping is a class derived from `Written`; each of its keys is declared once, as a `Key` with the
kind of its value. What is read is what is declared: the reader, the order of a resolved file and
the JSON Schema all go by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, overload

from simulator.scenario.kind import UNUSABLE as UNUSABLE
from simulator.scenario.kind import Kind
from simulator.scenario.report import Report, near, shown
from simulator.scenario.tree import Path

Value = TypeVar("Value")
Item = TypeVar("Item")
Model = TypeVar("Model", bound="Written")
Other = TypeVar("Other")

_MAPPING = "expected a mapping, 'key: value' pairs"
_LIST = "expected a list, such as [a, b] or lines that begin with '- '"


def usable(items: Sequence[Item] | None) -> Iterator[tuple[int, Item]]:
    """The items of a list that could be read, with their places."""
    return ((place, item) for place, item in enumerate(items or ()) if item is not UNUSABLE)


class Key(Generic[Value]):
    """One key of a mapping, and the kind of its value; None where the file does not write it.

    `word` is how it is written, where that is no name in Python.
    """

    def __init__(self, kind: Kind[Value], word: str = "") -> None:
        self.kind = kind
        self.word = word

    def __set_name__(self, owner: type, name: str) -> None:
        self.word = self.word or name

    @overload
    def __get__(self, model: None, owner: type) -> Key[Value]: ...
    @overload
    def __get__(self, model: Written, owner: type) -> Value | None: ...
    def __get__(self, model: Written | None, owner: type) -> Key[Value] | Value | None:
        # what was written lies in the model itself and is found before this
        return self if model is None else None


class Written:
    """A mapping in a scenario file. Unknown keys are kept aside and reported together."""

    needs: ClassVar[dict[str, str]] = {}
    """Keys that must be there, and what is expected of them."""
    keys: ClassVar[dict[str, Key[Any]]] = {}
    """Every key by the name of its attribute, in the order of the format."""
    unknown: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls.keys = {name: key for name, key in vars(cls).items() if isinstance(key, Key)}

    def but(self: Model, **changes: Any) -> Model:
        """The same with other values of some keys."""
        other = type(self)()
        vars(other).update(vars(self), **changes)
        return other


def read(model: type[Model], data: Mapping[str, Any], path: Path, report: Report) -> Model:
    """What a mapping writes, less what cannot be read, which is reported."""
    found, content, known = model(), vars(model()), set()
    for name, key in model.keys.items():
        known.add(key.word)
        if key.word in data:
            value = key.kind.read_at(data[key.word], (*path, key.word), report)
            if value is not UNUSABLE:
                content[name] = value
    if unknown := tuple(word for word in data if word not in known):
        content["unknown"] = unknown
    vars(found).update(content)
    return found


class Part(Kind[Model]):
    """A mapping with keys of its own."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model

    def read_at(self, value: Any, path: Path, report: Report) -> Model:
        return (
            read(self.model, value, path, report) if _is_mapping(value, path, report) else UNUSABLE
        )

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        return refer(self.model)

    def in_order(self, content: Any) -> Any:
        keys = self.model.keys.values()
        return {
            key.word: key.kind.in_order(content[key.word]) for key in keys if key.word in content
        }


class Each(Kind[list[Value]]):
    """A list, each item of one kind; one that cannot be read leaves its place `UNUSABLE`."""

    def __init__(self, kind: Kind[Value]) -> None:
        self.kind = kind

    def read_at(self, value: Any, path: Path, report: Report) -> list[Value]:
        if not isinstance(value, list):
            report.add(path, f"{_LIST}; got {shown(value)}")
            unusable: list[Value] = UNUSABLE
            return unusable
        return [self.kind.read_at(item, (*path, place), report) for place, item in enumerate(value)]

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        return {"type": "array", "items": self.kind.schema(refer)}

    def in_order(self, content: Any) -> Any:
        return [self.kind.in_order(item) for item in content]


class ByName(Kind[dict[str, Value]]):
    """A mapping from names that the user chooses; what cannot be read is left out."""

    def __init__(self, kind: Kind[Value]) -> None:
        self.kind = kind

    def read_at(self, value: Any, path: Path, report: Report) -> dict[str, Value]:
        if not _is_mapping(value, path, report):
            unusable: dict[str, Value] = UNUSABLE
            return unusable
        read = {
            name: self.kind.read_at(item, (*path, name), report) for name, item in value.items()
        }
        return {name: item for name, item in read.items() if item is not UNUSABLE}

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.kind.schema(refer)}

    def in_order(self, content: Any) -> Any:
        return {name: self.kind.in_order(item) for name, item in content.items()}


class PartOr(Kind[Model | Other]):
    """A mapping with keys of its own, or a value of another kind."""

    def __init__(self, part: Part[Model], other: Kind[Other]) -> None:
        self.part = part
        self.other = other

    def _kind(self, value: Any) -> Kind[Model | Other]:
        return self.part if isinstance(value, dict) else self.other

    def read_at(self, value: Any, path: Path, report: Report) -> Model | Other:
        return self._kind(value).read_at(value, path, report)

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        return {"oneOf": [self.other.schema(refer), self.part.schema(refer)]}

    def in_order(self, content: Any) -> Any:
        return self._kind(content).in_order(content)


class OneOf(Kind[Model]):
    """A mapping whose kind is told by one of its keys."""

    def __init__(self, what: str, parts: Mapping[str, Part[Model]]) -> None:
        self.what = what
        self.parts = parts

    def _part(self, value: dict[str, Any]) -> Part[Model] | None:
        return next((part for key, part in self.parts.items() if key in value), None)

    def read_at(self, value: Any, path: Path, report: Report) -> Model:
        part = self._part(value) if isinstance(value, dict) else None
        if part is not None:
            return part.read_at(value, path, report)
        keys = ", ".join(self.parts)
        if isinstance(value, dict):
            close = (near(key, self.parts) for key in value if key not in ("at", "for"))
            report.add(
                path, f"expected one of {keys} in {self.what}{next(filter(None, close), '')}"
            )
        else:
            report.add(path, f"expected a mapping with one of {keys}; got {shown(value)}")
        unusable: Model = UNUSABLE
        return unusable

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        return {"oneOf": [part.schema(refer) for part in self.parts.values()]}

    def in_order(self, content: Any) -> Any:
        part = self._part(content)
        return content if part is None else part.in_order(content)


def _is_mapping(value: Any, path: Path, report: Report) -> bool:
    """Whether a value is a mapping; it is reported if not."""
    if isinstance(value, dict):
        return True
    report.add(path, f"{_MAPPING}; got {shown(value)}")
    return False
