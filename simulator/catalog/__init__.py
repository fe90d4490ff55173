"""The catalog: devices, fluids, solutes and accesses as facts with their sources.

The facts are YAML files beside this module, one per entry; a new entry is a new file. Every number
is a `Fact`: its value with a unit, the source that states it and where, how that source was seen,
and, when it is assumed, the reason. A number without a source does not load.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from simulator import units
from simulator.errors import CatalogError

KINDS = ("devices", "fluids", "solutes", "access")

#: Keys of a catalog file that hold words; everything else is a number and needs a source.
_WORDS = ("title", "unit", "kind", "anticoagulant")

#: How a number was seen, from the strongest evidence to the weakest.
GRADES = (
    "paper",
    "abstract",
    "opening",
    "published model code",
    "vendor manual",
    "second-hand",
    "derived",
    "unverified",
    "assumed",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A number somebody stated, where they said so, and how we saw it."""

    path: str
    value: str
    source: str
    seen: str
    at: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.seen not in GRADES:
            raise CatalogError(f"{self.path}: seen must be one of {', '.join(GRADES)}")
        if not self.source:
            raise CatalogError(f"{self.path}: a number needs a source")
        if self.seen in ("assumed", "unverified") and not self.note:
            raise CatalogError(f"{self.path}: a number {self.seen} needs a note saying why")


Facts = Mapping[str, Fact]


def quantity(unit: str, **default: Any) -> Any:
    """A dataclass field that a catalog file gives as a quantity convertible to `unit`."""
    return field(metadata={"unit": unit}, **default)


@dataclass(frozen=True, slots=True)
class Catabolism:
    """How fast the intravascular pool is broken down, per min.

    Without FcRn, `intrinsic` is the fractional catabolic rate itself. With it, recycling protects
    `protected_fraction` of what would be broken down, less as total IgG (g/L) approaches
    `half_saturation` [reference: Kim 2007, Valenzuela 2025; see patient.solutes].
    """

    intrinsic: float = quantity("1/min")
    protected_fraction: float = quantity("1", default=0.0)
    half_saturation: float = quantity("g/L", default=1.0)


@dataclass(frozen=True, slots=True)
class Solute:
    """A substance followed in the patient's plasma and interstitium."""

    name: str
    title: str
    unit: str
    catabolism: Catabolism
    initial: float = 0.0
    """Typical plasma concentration, in `unit`."""
    intravascular_fraction: float = quantity("1", default=1.0)
    """Share of the whole-body pool that is in plasma at rest."""
    transcapillary_escape: float = quantity("1/min", default=0.0)
    """Share of the plasma pool that leaves for the interstitium per min."""
    sieving: float = quantity("1", default=1.0)
    """Concentration in the removed plasma over concentration in the patient's plasma."""
    synthesis_gain: float = quantity("1", default=0.0)
    """Relative rise of synthesis per relative fall of plasma oncotic pressure."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)

    @property
    def mass_unit(self) -> str:
        """The unit its amounts are counted in."""
        return units.concentration_unit(self.unit)[0]

    @property
    def per_volume(self) -> float:
        """Milliliters that one `mass_unit` at a concentration of one `unit` fills."""
        return units.concentration_unit(self.unit)[1]


@dataclass(frozen=True, slots=True)
class Fluid:
    """A fluid given to the patient or to the circuit, with its composition."""

    name: str
    title: str
    container: float = quantity("mL")
    """Volume of one bottle or bag."""
    citrate: float = quantity("mmol/L", default=0.0)
    calcium: float = quantity("mmol/L", default=0.0)
    strength: float = quantity("g/L", default=0.0)
    """Mass of the named salt per liter, for drugs that are ordered in grams."""
    solutes: Mapping[str, str] = field(default_factory=dict)
    """Concentration text by solute name; what is not named is absent."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """How blood is reached."""

    name: str
    title: str
    inlet_flow_max: float = quantity("mL/min")
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SeparatorFacts:
    """Which piece of physics separates the plasma, and its parameters in canonical units."""

    kind: str
    packed_hematocrit: float = quantity("1")


@dataclass(frozen=True, slots=True)
class Device:
    """An apheresis machine with its disposable set."""

    name: str
    title: str
    separator: SeparatorFacts
    anticoagulant: str
    """Name of the fluid it is anticoagulated with by default."""
    anticoagulant_ratio: float = quantity("1")
    """Inlet flow (blood and anticoagulant) over anticoagulant flow."""
    anticoagulant_ratio_min: float = quantity("1")
    anticoagulant_ratio_max: float = quantity("1")
    anticoagulant_infusion_limit: float = quantity("mL/min/L")
    """Most anticoagulant the patient may get, per liter of blood volume."""
    inlet_flow: float = quantity("mL/min")
    inlet_flow_min: float = quantity("mL/min")
    inlet_flow_max: float = quantity("mL/min")
    extracorporeal_volume: float = quantity("mL")
    rinseback_volume: float = quantity("mL")
    rinseback_flow: float = quantity("mL/min")
    prime_time: float = quantity("min")
    connect_time: float = quantity("min")
    disconnect_time: float = quantity("min")
    hematocrit_update: float = quantity("min")
    """The plasma flow follows the patient's hematocrit at every event, and at least this often."""
    change_over_time: float = quantity("min")
    """Pumps stand still this long while a bottle or bag is changed."""
    pump_stop_limit: float = quantity("min")
    """After standing still longer than this the circuit is given up as clotted."""
    waste_bag: float = quantity("mL")
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the bibliography."""

    key: str
    citation: str
    doi: str = ""
    pmid: str = ""
    note: str = ""


Entry = TypeVar("Entry", Solute, Fluid, Access, Device)


def names(kind: str) -> tuple[str, ...]:
    """All entries of a kind ("devices", "fluids", "solutes", "access"), sorted."""
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
