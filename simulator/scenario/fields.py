"""The kinds of value a scenario is written in that are not quantities: counts, words, names.

Each kind reads one value and says in plain words what it expected. The format's models use them as
annotations; events and sweeps, which write to the same addresses, use the very same objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from simulator.records import record
from simulator.scenario.kind import Kind
from simulator.scenario.measures import Measure
from simulator.scenario.report import near, near_or_all, shown
from simulator.units import Quantity


@record
class Whole(Kind[int]):
    """A whole number within limits."""

    low: int
    high: int

    def expectation(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected a whole number, got {shown(value)}")
        if not self.low <= value <= self.high:
            raise ValueError(f"expected {self.expectation()}, got {shown(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@record
class Choice(Kind[str]):
    """One word of a few; or of many, which messages then do not list but call `what`."""

    words: tuple[str, ...]
    what: str = ""

    def expectation(self) -> str:
        if self.what:
            return self.what
        if len(self.words) == 1:
            return self.words[0]
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"

    def read(self, value: Any) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        hint = near(value, self.words) if isinstance(value, str) else ""
        if self.what and not hint:
            hint = f"; known: {', '.join(self.words)}"
        raise ValueError(f"expected {self.expectation()}, got {shown(value)}{hint}")

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@record
class Exactly(Kind[int]):
    """One certain value, such as the version of the format."""

    value: int

    def expectation(self) -> str:
        return f"{self.value}"

    def read(self, value: Any) -> int:
        if isinstance(value, bool) or value != self.value:
            raise ValueError(f"expected {self.value}, got {shown(value)}")
        return self.value

    def json_schema(self) -> dict[str, Any]:
        return {"const": self.value}


@record
class Text(Kind[str]):
    """Free text, or text of a certain form."""

    what: str = "text"
    form: str | None = None
    longest: int = 10_000

    def expectation(self) -> str:
        return self.what

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            quotes = "" if isinstance(value, list | dict | None) else "; write it in quotes"
            raise ValueError(f"expected {self.what}, got {shown(value)}{quotes}")
        if len(value) > self.longest:
            raise ValueError(f"expected at most {self.longest} characters, got {len(value)}")
        if self.form is not None and not re.fullmatch(self.form, value):
            raise ValueError(f"expected {self.what}, got {shown(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string"}
        return schema if self.form is None else {**schema, "pattern": f"^{self.form}$"}


@record
class Anything(Kind[Any]):
    """A value whose form depends on its neighbors; looked at when they are known."""

    def expectation(self) -> str:
        return "a value"

    def read(self, value: Any) -> Any:
        return value

    def json_schema(self) -> dict[str, Any]:
        return {}


@record
class MeasureOrWord(Kind[Quantity | str]):
    """A quantity, or one certain word that stands for none: `rest`, `never`."""

    measure: Measure
    word: str

    def expectation(self) -> str:
        return f"{self.measure.expectation()}, or {self.word!r}"

    def read(self, value: Any) -> Quantity | str:
        if value == self.word:
            return self.word
        if isinstance(value, str) and not re.match(r"\s*[-+.\d]", value):
            hint = near(value, [self.word])
            raise ValueError(f"expected {self.expectation()}, got {shown(value)}{hint}")
        return self.measure.read(value)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"const": self.word}, self.measure.json_schema()]}


@record
class YesNo(Kind[bool]):
    """`yes` or `no`, which YAML 1.2 reads as words, or its own `true` and `false`."""

    def expectation(self) -> str:
        return "yes or no"

    def read(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("yes", "no"):
            return value == "yes"
        hint = near(value, ("yes", "no", "true", "false")) if isinstance(value, str) else ""
        raise ValueError(f"expected yes or no, got {shown(value)}{hint}")

    def json_schema(self) -> dict[str, Any]:
        return {"enum": [True, False, "yes", "no"]}


@record
class Reference:
    """An entry of the catalog by name, or one changed in place: ``{like: name, …}``."""

    like: str
    """Empty for the default."""
    changes: dict[str, Any]
    in_place: bool


@record
class CatalogName(Kind[Reference]):
    """A name in one folder of the catalog. That it exists there is looked up later."""

    kind: str
    singular: str
    has_default: bool = False
    """Whether ``like`` may be left out when a number is changed in place."""

    def expectation(self) -> str:
        return f"the name of {self.singular} in the catalog"

    def read(self, value: Any) -> Reference:
        if isinstance(value, str):
            return Reference(value, {}, in_place=False)
        if isinstance(value, dict):
            like = value.get("like")
            if isinstance(like, str):
                changes = {key: inner for key, inner in value.items() if key != "like"}
                return Reference(like, changes, in_place=True)
            if like is None and self.has_default:
                return Reference("", dict(value), in_place=True)
            if like is not None:
                raise ValueError(f"expected {self.expectation()} after 'like', got {shown(like)}")
            raise ValueError(f"expected 'like: <name>', {self.expectation()}, beside the changes")
        raise ValueError(f"expected {self.expectation()}, got {shown(value)}")

    def json_schema(self) -> dict[str, Any]:
        from simulator import catalog

        name = {"enum": list(catalog.names(self.kind))}
        changes = _changes_schema(self.kind)
        changed: dict[str, Any] = {"type": "object", "properties": {"like": name, **changes}}
        if not self.has_default:
            changed["required"] = ["like"]
        return {"anyOf": [name, {**changed, "additionalProperties": False}]}


def _changes_schema(kind: str) -> dict[str, Any]:
    """What can be changed in place in an entry of the catalog."""
    from simulator import catalog

    number = {"type": ["string", "number"]}
    numbers = {"type": "object", "additionalProperties": number}
    entry = catalog.ENTRIES[kind]
    keys: dict[str, Any] = dict.fromkeys(catalog.quantity_fields(entry), number)
    if kind == "fluids":
        keys["solutes"] = numbers
    if kind == "devices":
        keys["anticoagulant"] = {"enum": list(catalog.names("fluids"))}
        keys["disturbances"] = numbers
        for part, kinds in catalog.PART_KINDS.items():
            inner: dict[str, Any] = {}
            for facts in kinds.values():
                inner |= dict.fromkeys(catalog.quantity_fields(facts), number)
                inner |= dict.fromkeys(catalog.share_fields(facts), numbers)
            keys[part] = {"type": "object", "properties": inner, "additionalProperties": False}
    return keys


def unknown_key(key: str, known: Sequence[str], sections: Sequence[str] = ()) -> str:
    """The message for a key that does not belong where it stands, but perhaps at the top level."""
    hint = near(key, known)
    if not hint and key in sections:
        hint = f"; {shown(key)} is a section of its own, at the top level of the file"
    return f"unknown key {shown(key)}{hint or near_or_all(key, known)}"
