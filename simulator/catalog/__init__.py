"""The catalog: devices, fluids, solutes and accesses as facts with their sources.

The facts are YAML files beside this module, one per entry; a new entry is a new file. Every number
is a `Fact`: its value with a unit, the source that states it and where, how that source was seen,
and, when it is assumed, the reason. A number without a source does not load.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from simulator import units
from simulator.catalog.entries import GRADES as GRADES
from simulator.catalog.entries import Access as Access
from simulator.catalog.entries import Catabolism as Catabolism
from simulator.catalog.entries import Device as Device
from simulator.catalog.entries import Fact as Fact
from simulator.catalog.entries import Facts as Facts
from simulator.catalog.entries import Fluid as Fluid
from simulator.catalog.entries import Operator as Operator
from simulator.catalog.entries import Reaction as Reaction
from simulator.catalog.entries import Reference as Reference
from simulator.catalog.entries import SeparatorFacts as SeparatorFacts
from simulator.catalog.entries import Solute as Solute
from simulator.catalog.entries import chance_rate as chance_rate
from simulator.catalog.entries import quantity as quantity
from simulator.errors import CatalogError

KINDS = ("devices", "fluids", "solutes", "access", "reactions", "operators")

#: Keys of a catalog file that hold words; everything else is a number and needs a source.
_WORDS = ("title", "unit", "kind", "law", "anticoagulant")

Entry = TypeVar("Entry", Solute, Fluid, Access, Device)


def names(kind: str) -> tuple[str, ...]:
    """All entries of one of `KINDS`, sorted."""
    folder = resources.files(__name__) / kind
    return tuple(
        sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))
    )


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """Words that name the closest known name, or all of them: to end an error message with."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


@cache
def tree(kind: str, name: str) -> Mapping[str, Any]:
    """The content of one catalog file with what it inherits by `like`; raises `CatalogError`."""
    known = names(kind)
    if name not in known:
        raise CatalogError(f"{name!r} is not in the catalog of {kind}; {nearest(name, known)}")
    own = _read(f"{kind}/{name}.yaml")
    like = own.pop("like", None)
    check_sources(own, f"{kind}.{name}")
    return merge(tree(kind, like), own) if like else own


def check_sources(content: Mapping[str, Any], path: str) -> None:
    """Refuse a number that does not say where it comes from; `content` is a catalog file."""
    for key, value in content.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping) and "value" in value:
            _fact(here, value)
        elif isinstance(value, Mapping):
            check_sources(value, here)
        elif key not in _WORDS:
            raise CatalogError(f"{here}: a number needs a source: {{value: …, source: …, seen: …}}")


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` laid over `base`; mappings merge, but a number with its source replaces the other."""
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and "value" not in value:
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def solute(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Solute:
    """The catalog's solute with `changes` (plain quantities) laid over it."""
    content = {**tree("solutes", name), **changes}
    facts = dict(_facts(content, f"solutes.{name}"))
    unit = content["unit"]
    return Solute(
        **_fields(Solute, content, name),
        unit=unit,
        initial=_value(content["initial"]).to(unit),
        catabolism=Catabolism(**_fields(Catabolism, content["catabolism"])),
        facts=facts,
    )


def fluid(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Fluid:
    """The catalog's fluid with `changes` (plain quantities) laid over it."""
    content = {**tree("fluids", name), **changes}
    contents = {solute: _text(value) for solute, value in content.get("solutes", {}).items()}
    facts = dict(_facts(content, f"fluids.{name}"))
    return Fluid(**_fields(Fluid, content, name), solutes=contents, facts=facts)


def access(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Access:
    """The catalog's vascular access with `changes` (plain quantities) laid over it."""
    content = {**tree("access", name), **changes}
    return Access(**_fields(Access, content, name), facts=dict(_facts(content, f"access.{name}")))


def reaction(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Reaction:
    """The catalog's reaction with `changes` (plain quantities) laid over it."""
    content = {**tree("reactions", name), **changes}
    facts = dict(_facts(content, f"reactions.{name}"))
    return Reaction(**_fields(Reaction, content, name), law=content["law"], facts=facts)


def operator(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Operator:
    """The catalog's operator with `changes` (plain quantities) laid over it."""
    content = {**tree("operators", name), **changes}
    facts = dict(_facts(content, f"operators.{name}"))
    return Operator(**_fields(Operator, content, name), facts=facts)


def device(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Device:
    """The catalog's device with `changes` (plain quantities) laid over it."""
    base = tree("devices", name)
    content = {
        **base,
        **changes,
        "separator": {**base["separator"], **changes.get("separator", {})},
    }
    separator = content["separator"]
    return Device(
        **_fields(Device, content, name),
        separator=SeparatorFacts(separator["kind"], **_fields(SeparatorFacts, separator)),
        anticoagulant=content["anticoagulant"],
        disturbances={
            fault: _value(each).to("1") for fault, each in content.get("disturbances", {}).items()
        },
        facts=dict(_facts(content, f"devices.{name}")),
    )


@cache
def references() -> Mapping[str, Reference]:
    """The bibliography by key."""
    return {key: Reference(key, **entry) for key, entry in _read("references.yaml").items()}


def quantity_fields(kind: type) -> dict[str, str]:
    """Names and canonical units of the quantities that an entry of this kind is made of."""
    return {f.name: f.metadata["unit"] for f in dataclasses.fields(kind) if "unit" in f.metadata}


def _fields(kind: type, content: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """Keyword arguments of the dataclass `kind` that are quantities, in canonical units."""
    arguments: dict[str, Any] = {} if name is None else {"name": name, "title": content["title"]}
    for key, unit in quantity_fields(kind).items():
        if key in content:
            # fields are canonical (mL, g, min) but for those that spell out "per liter"
            value = _value(content[key])
            arguments[key] = value.to(unit)
    return arguments


def _text(value: Any) -> str:
    return str(value["value"] if isinstance(value, Mapping) else value)


def _value(value: Any) -> units.Quantity:
    return units.parse(_text(value))


def _facts(content: Mapping[str, Any], path: str) -> Iterator[tuple[str, Fact]]:
    """Every number in a catalog entry, by its dotted path."""
    for key, value in content.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping) and "value" in value:
            yield here, _fact(here, value)
        elif isinstance(value, Mapping):
            yield from _facts(value, here)


def _fact(path: str, written: Mapping[str, Any]) -> Fact:
    try:
        return Fact(path, **{key: str(value) for key, value in written.items()})
    except TypeError as error:  # a key missing or unknown
        raise CatalogError(f"{path}: {str(error).removeprefix('Fact.__init__() ')}") from None


def _read(path: str) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (resources.files(__name__) / path).read_text(encoding="utf-8")
    content = yaml.load(text, Loader=loader)
    if not isinstance(content, dict):
        raise CatalogError(f"{path}: expected a mapping")
    return content
