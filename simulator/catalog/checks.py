"""What one's own catalog files must be like: every problem of an entry, told in words."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from simulator import units
from simulator.catalog import limits
from simulator.catalog.entries import (
    GRADES,
    NEED_A_NOTE,
    SEPARATORS,
    TREATMENTS,
    Access,
    Catabolism,
    Device,
    Fluid,
    Operator,
    Reaction,
    Solute,
)
from simulator.records import record
from simulator.units import Quantity, Unit, UnitError

ENTRIES: Mapping[str, type] = {
    "devices": Device,
    "fluids": Fluid,
    "solutes": Solute,
    "access": Access,
    "reactions": Reaction,
    "operators": Operator,
}
FACT_KEYS = ("value", "source", "seen", "at", "note")
REFERENCE_KEYS = ("citation", "doi", "pmid", "note")
PART_KINDS: Mapping[str, Mapping[str, type]] = {"separator": SEPARATORS, "treatment": TREATMENTS}
WORDS = {"devices": ("anticoagulant",), "solutes": ("unit",), "reactions": ("law",)}
"""Keys of an entry, by its kind, that hold words, beside its title."""
UNSOURCED = "a number needs a source: {value: …, source: …, seen: …}"
_NESTED = {
    "devices": ("separator", "treatment", "disturbances"),
    "solutes": ("catabolism",),
    "fluids": ("solutes",),
}
#: Cutoff of similarity at which a name that nobody knows is taken for a slip of the pen.
_SLIP = 0.8

Keys = tuple[str, ...]
Complaint = tuple[Keys, str]
"""The keys that lead to a place in the file, and what is wrong there."""
Limit = Callable[[Quantity], str]
"""What was expected of a number instead, or nothing."""


@record
class Known:
    """What else there is: what an entry can name."""

    names: Callable[[str], tuple[str, ...]]
    sources: Iterable[str]
    unit_of: Callable[[str], str]
    """The unit of a solute of the catalog."""


def quantity_fields(kind: type) -> dict[str, str]:
    """Names and canonical units of the quantities that an entry of this kind is made of."""
    return {f.name: f.metadata["unit"] for f in dataclasses.fields(kind) if "unit" in f.metadata}


def share_fields(kind: type) -> tuple[str, ...]:
    """Names of the tables of fractions, by solute, that an entry of this kind is made of."""
    return tuple(f.name for f in dataclasses.fields(kind) if "shares" in f.metadata)


def in_words(unit: Unit) -> str:
    """What is expected where an entry has a quantity in this unit: "volume (in mL)"."""
    return f"{units.describe(unit)} (in {unit.text})" if unit.dimension else "a number"


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that name the closest known name, or all of them: to end an error message with."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def complaints(
    kind: str, own: Mapping[str, Any], base: Mapping[str, Any], known: Known
) -> list[Complaint]:
    """Everything wrong with what a file says (less its `like`), laid over what it is like."""
    return list(_Checker(kind, known).entry(own, base))


def reference_complaints(content: Mapping[str, Any], bundled: Iterable[str]) -> Iterator[Complaint]:
    """Everything wrong with a bibliography of one's own."""
    taken = set(bundled)
    for key, entry in content.items():
        if key in taken:
            yield (key,), "is in the bundled bibliography already; choose another key"
        elif key == "assumed":
            yield (key,), "means that there is no source; choose another key"
        if not isinstance(entry, Mapping):
            yield (key,), "expected a mapping with a citation: {citation: …, doi: …, pmid: …}"
            continue
        yield from _unknown(entry, REFERENCE_KEYS, (key,))
        if not entry.get("citation"):
            yield (key,), "missing: citation"
        for field, value in entry.items():
            if field in REFERENCE_KEYS and not isinstance(value, str):
                yield (key, field), "expected text"


class _Checker:
    """Looks through one entry."""

    def __init__(self, kind: str, known: Known) -> None:
        self.kind = kind
        self.known = known
        self.type = ENTRIES[kind]
        self._sources = [*known.sources, "assumed"]

    def entry(self, own: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[Complaint]:
        words = ("title", *WORDS.get(self.kind, ()))
        initial = ("initial",) if self.kind == "solutes" else ()
        nested = _NESTED.get(self.kind, ())
        numbers = quantity_fields(self.type)
        yield from _unknown(own, ("like", *words, *initial, *nested, *numbers), ())
        missing = [key for key in self._needed() if key not in own and key not in base]
        if missing:
            yield (), _missing(missing, self.kind)
        for word in words:
            if word in own:
                yield from self._word(word, own[word])
        unit = own.get("unit", base.get("unit"))
        yield from self._numbers(self.type, own, (), str(unit))
        if base and unit != base.get("unit") and "initial" not in own:
            yield ("unit",), "needs an `initial` in this unit"
        for key in nested:
            if key in own:
                yield from self._part(key, own[key], base.get(key, {}))

    def _needed(self) -> list[str]:
        """Keys that an entry must have."""
        fields = [field for field in dataclasses.fields(self.type) if field.name != "name"]
        none, factory = dataclasses.MISSING, dataclasses.MISSING
        needed = [f.name for f in fields if f.default is none and f.default_factory is factory]
        return [*needed, "initial"] if self.kind == "solutes" else needed

    def _word(self, key: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, str) or not value:
            yield (key,), "expected text"
        elif key == "anticoagulant" and value not in (fluids := self.known.names("fluids")):
            yield (key,), f"{value!r} is not in the catalog of fluids; {nearest(value, fluids)}"
        elif key == "unit":
            try:
                units.concentration_unit(value)
            except UnitError as error:
                yield (key,), str(error)

    def _numbers(
        self, kind: type, content: Mapping[str, Any], path: Keys, unit: str = ""
    ) -> Iterator[Complaint]:
        """The numbers of an entry, or of a part of it."""
        for key, of in quantity_fields(kind).items():
            if key in content:
                limit = partial(limits.expected, kind, key)
                yield from self._number(content[key], (*path, key), of, limit)
        if kind is Solute and "initial" in content:
            yield from self._number(content["initial"], ("initial",), unit, _at_least_zero)

    def _part(self, key: str, content: Any, base: Any) -> Iterator[Complaint]:
        """A mapping of its own within an entry."""
        path = (key,)
        if not isinstance(content, Mapping):
            yield path, "expected a mapping, 'key: value' pairs"
        elif key == "catabolism":
            yield from _unknown(content, quantity_fields(Catabolism), path)
            if "intrinsic" not in content and "intrinsic" not in base:
                yield path, "missing: intrinsic"
            yield from self._numbers(Catabolism, content, path)
        elif key == "disturbances":
            chance = partial(limits.expected_share, below=True)
            for fault, value in content.items():
                yield from self._number(value, (key, fault), "1", chance)
        elif key == "solutes":
            for name, value in content.items():
                if name not in (names := self.known.names("solutes")):
                    yield (key, name), f"no such solute; {nearest(name, names)}"
                else:
                    unit = self.known.unit_of(name)
                    yield from self._number(value, (key, name), unit, _at_least_zero)
        else:
            yield from self._kind_of_part(key, content, base or {})

    def _kind_of_part(
        self, key: str, content: Mapping[str, Any], base: Mapping[str, Any]
    ) -> Iterator[Complaint]:
        """A separator or a treatment, of the kind that it says it is."""
        kinds, path = PART_KINDS[key], (key,)
        said = content.get("kind", base.get("kind"))
        if said not in kinds:
            got = f"got {said!r}; {nearest(str(said), kinds)}" if said else "it is missing"
            yield (key, "kind"), f"expected {' or '.join(kinds)}; {got}"
            return
        if base and said != base["kind"]:
            message = f"what this is like has a {base['kind']}; be like a device with a {said}"
            yield (key, "kind"), message
            return
        kind = kinds[said]
        tables, numbers = share_fields(kind), quantity_fields(kind)
        yield from _unknown(content, ("kind", *numbers, *tables), path)
        if missing := [name for name in numbers if name not in content and name not in base]:
            yield path, f"missing: {', '.join(missing)}"
        yield from self._numbers(kind, content, path)
        for table in tables:
            yield from self._table(content.get(table, {}), (key, table))

    def _table(self, content: Any, path: Keys) -> Iterator[Complaint]:
        """Fractions by solute. Solutes that only scenarios define may stand here too."""
        if not isinstance(content, Mapping):
            yield path, "expected a mapping of fractions by the name of the solute"
            return
        solutes = self.known.names("solutes")
        for name, value in content.items():
            near = difflib.get_close_matches(name, solutes, n=1, cutoff=_SLIP)
            if name not in solutes and near:
                yield (*path, name), f"no such solute; did you mean {near[0]!r}?"
            else:
                yield from self._number(value, (*path, name), "1", limits.expected_share)

    def _number(self, written: Any, path: Keys, unit: str, limit: Limit) -> Iterator[Complaint]:
        """A number with its source."""
        if not isinstance(written, Mapping):
            yield path, UNSOURCED
            return
        yield from _unknown(written, FACT_KEYS, path)
        if missing := [key for key in ("value", "source", "seen") if not written.get(key)]:
            yield path, f"a number needs its {', its '.join(missing)}"
        for key in FACT_KEYS:
            if key in written and not isinstance(written[key], str):
                yield (*path, key), "expected text"
                return
        if written.get("value"):
            yield from _value(written["value"], (*path, "value"), unit, limit)
        yield from self._provenance(written, path)

    def _provenance(self, written: Mapping[str, str], path: Keys) -> Iterator[Complaint]:
        source, seen = written.get("source"), written.get("seen")
        if source and source not in self._sources:
            near = difflib.get_close_matches(source, self._sources, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else "add it to a references.yaml beside"
            yield (*path, "source"), f"{source!r} is not in the bibliography; {hint}"
        if seen and seen not in GRADES:
            yield (*path, "seen"), f"expected one of {', '.join(GRADES)}, got {seen!r}"
        elif source and seen and (source == "assumed") != (seen == "assumed"):
            yield (*path, "seen"), "assumed is a number without a source: both say so, or neither"
        if seen in NEED_A_NOTE and not written.get("note"):
            yield path, f"a number {seen} needs a note saying why"


def _unknown(content: Mapping[str, Any], known: Iterable[str], path: Keys) -> Iterator[Complaint]:
    names = list(known)
    for key in content:
        if key not in names:
            yield (*path, key), f"unknown key {key!r}; {nearest(key, names)}"


def _value(text: str, path: Keys, unit: str, limit: Limit) -> Iterator[Complaint]:
    """A quantity of the dimension of `unit`, within its limits."""
    try:
        wanted = units.parse_unit(unit)
    except UnitError:
        return  # the unit itself has been told to be none
    words = in_words(wanted)
    try:
        quantity = units.parse(text)
    except UnitError as error:
        yield path, f"expected {words}, got {text!r}: {error}"
        return
    if quantity.unit.dimension != wanted.dimension:
        yield path, f"expected {words}, got {text!r}"
    elif instead := limit(quantity):
        yield path, f"expected {instead}, got {text!r}"


def _at_least_zero(quantity: Quantity) -> str:
    return "at least 0" if quantity.value < 0 else ""


def _missing(keys: list[str], kind: str) -> str:
    return f"missing: {', '.join(keys)}; or `like: <name>` takes them from another of the {kind}"
