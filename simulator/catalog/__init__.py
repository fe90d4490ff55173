"""The catalog: devices, fluids, solutes and accesses as facts with their sources.

The facts are YAML files beside this module, one per entry; a new entry is a new file. Every number
is a `Fact`: its value with a unit, the source that states it and where, how that source was seen,
and, when it is assumed, the reason. A number without a source does not load.

A folder named by the environment variable `APHERESIS_CATALOG` holds entries of one's own, see
`own`. They add to the bundled ones and never replace one, so that a name means one thing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar, cast

from simulator import units
from simulator.catalog import alteration, bundled, checks, own
from simulator.catalog.alteration import altered as altered
from simulator.catalog.alteration import written_at as written_at
from simulator.catalog.checks import ENTRIES as ENTRIES
from simulator.catalog.checks import PART_KINDS as PART_KINDS
from simulator.catalog.checks import in_words as in_words
from simulator.catalog.checks import nearest as nearest
from simulator.catalog.checks import quantity_fields as quantity_fields
from simulator.catalog.checks import share_fields as share_fields
from simulator.catalog.entries import GRADES as GRADES
from simulator.catalog.entries import SEPARATORS as SEPARATORS
from simulator.catalog.entries import TREATMENTS as TREATMENTS
from simulator.catalog.entries import Access as Access
from simulator.catalog.entries import AdsorberFacts as AdsorberFacts
from simulator.catalog.entries import BowlFacts as BowlFacts
from simulator.catalog.entries import Catabolism as Catabolism
from simulator.catalog.entries import CentrifugeFacts as CentrifugeFacts
from simulator.catalog.entries import Device as Device
from simulator.catalog.entries import Fact as Fact
from simulator.catalog.entries import Facts as Facts
from simulator.catalog.entries import Fluid as Fluid
from simulator.catalog.entries import FractionatorFacts as FractionatorFacts
from simulator.catalog.entries import MembraneFacts as MembraneFacts
from simulator.catalog.entries import Operator as Operator
from simulator.catalog.entries import Reaction as Reaction
from simulator.catalog.entries import Reference as Reference
from simulator.catalog.entries import SeparatorFacts as SeparatorFacts
from simulator.catalog.entries import Solute as Solute
from simulator.catalog.entries import TreatmentFacts as TreatmentFacts
from simulator.catalog.entries import chance_rate as chance_rate
from simulator.catalog.entries import quantity as quantity
from simulator.catalog.kinds import machine_kind as machine_kind
from simulator.catalog.kinds import separator_kind as separator_kind
from simulator.catalog.kinds import treatment_kind as treatment_kind
from simulator.catalog.kinds import unknown_to as unknown_to
from simulator.catalog.limits import WHOLE as WHOLE
from simulator.catalog.limits import contradictions as contradictions
from simulator.catalog.limits import expected as expected
from simulator.catalog.limits import expected_share as expected_share
from simulator.catalog.limits import outside_own_range as outside_own_range
from simulator.errors import CatalogError

KINDS = ("devices", "fluids", "solutes", "access", "reactions", "operators")

OWN_CATALOG = own.VARIABLE
"""Environment variable that names the folder of one's own entries."""

#: Keys of a catalog file that hold words; everything else is a number and needs a source.
_WORDS = ("title", "kind", *chain.from_iterable(checks.WORDS.values()))

Part = TypeVar("Part", SeparatorFacts, TreatmentFacts)
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class _Remembered(Generic[Asked, Answer]):
    """A function that keeps its answers while no file of one's own changes."""

    def __init__(self, function: Callable[Asked, Answer]) -> None:
        self.__wrapped__ = function
        self._kept: dict[Any, Answer] = {}
        functools.update_wrapper(self, function)

    def __call__(self, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
        key = (self, asked, *sorted(named.items()), *own.stamp())
        kept = alteration.answers if alteration.stamp() else self._kept
        if key not in kept:
            kept[key] = self.__wrapped__(*asked, **named)
        return cast("Answer", kept[key])

    def cache_clear(self) -> None:
        """Forget all answers."""
        self._kept.clear()


def names(kind: str) -> tuple[str, ...]:
    """All entries of one of `KINDS`, sorted: the bundled ones and one's own."""
    return tuple(sorted((*bundled.names(kind), *own_names(kind))))


def own_names(kind: str) -> tuple[str, ...]:
    """Entries of one's own; raises `CatalogError` for names that they cannot have."""
    return own.names(kind, bundled.names(kind))


def own_file(kind: str, name: str) -> Path:
    """The file of an entry of one's own."""
    return own.file(kind, name)


@_Remembered
def tree(kind: str, name: str) -> Mapping[str, Any]:
    """The content of one catalog file with what it inherits by `like`; raises `CatalogError`."""
    like = (*lineage(kind, name), "")[1]
    content = {key: value for key, value in written(kind, name).items() if key != "like"}
    base = tree(kind, like) if like else {}
    if name not in own_names(kind):
        check_sources(content, f"{kind}.{name}")
        return merge(base, content)
    known = checks.Known(names, references(), lambda solute: str(tree("solutes", solute)["unit"]))
    found = checks.complaints(kind, content, base, known)
    if found:
        refuse(kind, name, found)
    content.setdefault("title", f"{name}, like {like}")
    return merge(base, content)


@_Remembered
def lineage(kind: str, name: str) -> tuple[str, ...]:
    """An entry and those that it is like, the nearest first; raises `CatalogError` for a circle."""
    found = [name]
    while like := written(kind, found[-1]).get("like"):
        child = found[-1]
        if child in own_names(kind) and like not in (known := names(kind)):
            message = f"{like!r} is not in the catalog of {kind}; {nearest(str(like), known)}"
            refuse(kind, child, [(("like",), message)])
        if like in found:
            circle = ", which is like ".join([*found[found.index(like) :], like])
            refuse(kind, child, [(("like",), f"goes in a circle: {circle}")])
        found.append(like)
    return tuple(found)


@_Remembered
def written(kind: str, name: str) -> Mapping[str, Any]:
    """What one catalog file says itself, without what it inherits."""
    known = names(kind)
    if name not in known:
        raise CatalogError(f"{name!r} is not in the catalog of {kind}; {nearest(name, known)}")
    if name in own_names(kind):
        content = _read_own(own.file(kind, name))
    else:
        content = bundled.read(f"{kind}/{name}.yaml")
    return alteration.laid_over(content, kind, name)


def refuse(kind: str, name: str, complaints: Iterable[checks.Complaint]) -> NoReturn:
    """Raise `CatalogError` with what is wrong with an entry, at its places if it is one's own."""
    if name in own_names(kind):
        _refuse(own.file(kind, name), complaints)
    raise CatalogError("; ".join(f"{kind}.{name}.{'.'.join(p)}: {text}" for p, text in complaints))


def own_content(words: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """All that one's own entries say that are among these names, by kind and name."""
    said = set(words)
    return {
        f"{kind}/{name}": tree(kind, name)
        for kind in own.KINDS
        for name in own_names(kind)
        if name in said
    }


def check_sources(content: Mapping[str, Any], path: str) -> None:
    """Refuse a number that does not say where it comes from; `content` is a catalog file."""
    for key, value in content.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping) and "value" in value:
            _fact(here, value)
        elif isinstance(value, Mapping):
            check_sources(value, here)
        elif key not in _WORDS:
            raise CatalogError(f"{here}: {checks.UNSOURCED}")


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
    facts = _facts(content, f"solutes.{name}")
    unit = content["unit"]
    return Solute(
        **_fields(Solute, content, name),
        unit=unit,
        initial=_value(content["initial"]).to(unit),
        catabolism=Catabolism(**_fields(Catabolism, content["catabolism"])),
        kin=lineage("solutes", name),
        facts=facts,
    )


def fluid(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Fluid:
    """The catalog's fluid with `changes` (plain quantities) laid over it."""
    content = {**tree("fluids", name), **changes}
    contents = {solute: _text(value) for solute, value in content.get("solutes", {}).items()}
    facts = _facts(content, f"fluids.{name}")
    return Fluid(**_fields(Fluid, content, name), solutes=contents, facts=facts)


def access(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Access:
    """The catalog's vascular access with `changes` (plain quantities) laid over it."""
    content = {**tree("access", name), **changes}
    return Access(**_fields(Access, content, name), facts=_facts(content, f"access.{name}"))


def reaction(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Reaction:
    """The catalog's reaction with `changes` (plain quantities) laid over it."""
    content = {**tree("reactions", name), **changes}
    facts = _facts(content, f"reactions.{name}")
    return Reaction(**_fields(Reaction, content, name), law=content["law"], facts=facts)


def operator(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Operator:
    """The catalog's operator with `changes` (plain quantities) laid over it."""
    content = {**tree("operators", name), **changes}
    facts = _facts(content, f"operators.{name}")
    return Operator(**_fields(Operator, content, name), facts=facts)


def device(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Device:
    """The catalog's device with `changes` (plain quantities) laid over it."""
    if name in own_names("devices"):
        usual = _device(name, {})
        if found := [*contradictions(usual), *outside_own_range(usual)]:
            refuse("devices", name, found)
    return _device(name, changes)


def _device(name: str, changes: Mapping[str, Any]) -> Device:
    content = merge(tree("devices", name), changes)
    separator, treatment = content["separator"], content.get("treatment")
    return Device(
        **_fields(Device, content, name),
        separator=_part(SEPARATORS, separator, f"devices.{name}.separator"),
        treatment=treatment and _part(TREATMENTS, treatment, f"devices.{name}.treatment"),
        anticoagulant=content["anticoagulant"],
        disturbances=_shares(content.get("disturbances", {})),
        facts=_facts(content, f"devices.{name}"),
    )


def _part(kinds: Mapping[str, type[Part]], content: Mapping[str, Any], path: str) -> Part:
    """A part of a device, of the kind that it says it is."""
    if content.get("kind") not in kinds:
        raise CatalogError(f"{path}.kind: expected {' or '.join(kinds)}, got {content.get('kind')}")
    kind = kinds[content["kind"]]
    tables: dict[str, Any] = {key: _shares(content.get(key, {})) for key in share_fields(kind)}
    return kind(**_fields(kind, content), **tables)


def _shares(content: Mapping[str, Any]) -> dict[str, float]:
    return {name: _value(each).to("1") for name, each in content.items()}


@_Remembered
def references() -> Mapping[str, Reference]:
    """The bibliography by key: the bundled one, and one's own."""
    found = {key: Reference(key, **entry) for key, entry in bundled.bibliography().items()}
    file = own.references()
    if file is None:
        return found
    content = _read_own(file)
    if complaints := list(checks.reference_complaints(content, found)):
        _refuse(file, complaints)
    return found | {key: Reference(key, **entry) for key, entry in content.items()}


def reference_keys() -> tuple[str, ...]:
    """The keys of the bibliography; of the bundled one without reading all that it says."""
    if own.references() is not None:
        return tuple(references())
    return bundled.reference_keys()


def _fields(kind: type, content: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """The quantities among the fields of a dataclass, in the units that these are declared with."""
    arguments: dict[str, Any] = {} if name is None else {"name": name, "title": content["title"]}
    for key, unit in quantity_fields(kind).items():
        if key in content:
            arguments[key] = _value(content[key]).to(unit)
    return arguments


def _text(value: Any) -> str:
    return str(value["value"] if isinstance(value, Mapping) else value)


def _value(value: Any) -> units.Quantity:
    return units.parse(_text(value))


def _facts(content: Mapping[str, Any], path: str) -> dict[str, Fact]:
    """Every number in a catalog entry, by its dotted path."""
    found: dict[str, Fact] = {}
    for key, value in content.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping) and "value" in value:
            found[here] = _fact(here, value)
        elif isinstance(value, Mapping):
            found |= _facts(value, here)
    return found


def _fact(path: str, written: Mapping[str, Any]) -> Fact:
    try:
        return Fact(path, **{key: str(value) for key, value in written.items()})
    except TypeError as error:  # a key missing or unknown
        raise CatalogError(f"{path}: {str(error).removeprefix('Fact.__init__() ')}") from None


# ---- files of one's own: any text may stand in them


def _read_own(file: Path) -> dict[str, Any]:
    """A file of one's own as mappings and texts, whatever the texts look like."""
    places: list[own.Place] = []
    content = own.plain(_composed(file), (), places)
    if not isinstance(content, dict):
        places.append((0, "", "expected 'key: value' lines"))
    if places:
        raise own.refusal(file, places)
    return dict(content)


def _composed(file: Path) -> Any:
    """The nodes of a file, with their places; raises `CatalogError` for what has none."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    text, depth = own.text(file), 0
    event: Any
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            named = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
            if named or getattr(event, "tag", None) or depth > own.MAX_DEPTH:
                what = f"nested more than {own.MAX_DEPTH} levels deep"
                if depth <= own.MAX_DEPTH:
                    what = "anchors (&), aliases (*) and tags (!) are not supported"
                raise own.refusal(file, [(event.start_mark.line + 1, "", what)])
        return yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = mark.line + 1 if mark else 0
        message = f"this is not readable as YAML: {reason}"
        raise own.refusal(file, [(line, "", message)]) from None


def _refuse(file: Path, found: Iterable[checks.Complaint]) -> NoReturn:
    """Raise `CatalogError` with complaints about a file, each at its line."""
    root = _composed(file)
    places = [(own.line(root, path), ".".join(path), text) for path, text in found]
    raise own.refusal(file, places)
