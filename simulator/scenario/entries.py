"""Devices, accesses and fluids that a scenario names, or changes in place, from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator import catalog, units
from simulator.catalog import Access, Device, Fluid
from simulator.scenario import faults
from simulator.scenario.fields import Reference, unknown_key
from simulator.scenario.limits import FRACTION
from simulator.scenario.measures import read_quantity
from simulator.scenario.report import Report, near_or_all, shown
from simulator.scenario.tree import Path
from simulator.units import Quantity

_WORDS = {"access": "vascular accesses"}


class Entries:
    """Looks entries up, and reports what is unknown or does not fit."""

    def __init__(self, report: Report, solute_units: Mapping[str, str]) -> None:
        self.report = report
        self.solute_units = solute_units

    def device(self, reference: Reference, path: Path) -> Device | None:
        """A device; in place, each of its numbers can be changed."""
        if not self._exists("devices", reference, path):
            return None
        usual = catalog.device(reference.like)
        faults.check(usual)
        changes = dict(reference.changes)
        parts = {
            "separator": self._part(usual, changes, "separator", path),
            "treatment": self._part(usual, changes, "treatment", path),
        }
        anticoagulant = changes.pop("anticoagulant", None)
        others = ("like", *parts, "anticoagulant", "disturbances")
        disturbances = self._disturbances(usual, changes, (*path, "disturbances"))
        usable: dict[str, Any] = dict(self._quantities(Device, changes, path, others))
        if anticoagulant is not None:
            named = Reference(anticoagulant, {}, in_place=False)
            if not isinstance(anticoagulant, str):
                got = shown(anticoagulant)
                self.report.add((*path, "anticoagulant"), f"expected a fluid's name, got {got}")
            elif self._exists("fluids", named, (*path, "anticoagulant")):
                usable["anticoagulant"] = anticoagulant
        usable |= {key: part for key, part in parts.items() if part}
        device = catalog.device(reference.like, {**usable, "disturbances": disturbances})
        if not self.report.spoiled(path):
            for keys, message in catalog.contradictions(device):
                self.report.add((*path, *keys), message)
        return device

    def _part(self, usual: Device, changes: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
        """The numbers changed in place in a device's separator or treatment; taken out there."""
        written = changes.pop(key, None)
        if written is None:
            return {}
        here = (*path, key)
        if not isinstance(written, Mapping):
            self.report.add(here, f"expected a mapping, got {shown(written)}")
            return {}
        part = getattr(usual, key)
        if part is None:
            message = f"{usual.name} discards the plasma; there is no treatment to change"
            self.report.add(here, message, on_key=True)
            return {}
        tables = catalog.share_fields(type(part))
        numbers = {name: value for name, value in written.items() if name not in tables}
        if "kind" in numbers:
            what = f"the {key} of {usual.name} cannot become another"
            message = f"{what}; write a device of your own, a file in {catalog.OWN_CATALOG}"
            self.report.add((*here, "kind"), message, on_key=True)
            del numbers["kind"]
        usable: dict[str, Any] = dict(self._quantities(type(part), numbers, here, tables))
        for table in tables:
            if table in written:
                usable[table] = self._shares(written[table], (*here, table), _tabled(usual))
        return usable

    def _shares(self, written: Any, path: Path, tabled: tuple[str, ...]) -> dict[str, str]:
        """Sieving coefficients or extractions by name of the solute."""
        if not isinstance(written, Mapping):
            self.report.add(path, f"expected a mapping, got {shown(written)}")
            return {}
        known = self._solutes(*tabled)
        usable = {}
        for name, value in written.items():
            if name not in known:
                if not self.report.spoiled(("solutes", name)):
                    message = f"no such solute{near_or_all(name, known)}"
                    self.report.add((*path, name), message, on_key=True)
                continue
            try:
                FRACTION.read(value)
            except ValueError as error:
                self.report.add((*path, name), str(error))
            else:
                usable[name] = str(value)
        return usable

    def _solutes(self, *others: str) -> list[str]:
        """Solutes that can be named: those followed, those of the catalog, and some others."""
        return list(dict.fromkeys((*self.solute_units, *catalog.names("solutes"), *others)))

    def _disturbances(self, device: Device, changes: dict[str, Any], path: Path) -> dict[str, Any]:
        """How likely each fault is on a device, with what is changed in place; taken out there."""
        usual = dict(catalog.tree("devices", device.name).get("disturbances", {}))
        written = changes.pop("disturbances", {})
        if not isinstance(written, Mapping):
            self.report.add(path, f"expected a mapping, got {shown(written)}")
            return usual
        for fault, value in written.items():
            if why := faults.refusal(fault, device):
                self.report.add((*path, fault), why, on_key=True)
                continue
            try:
                chance = FRACTION.read(value)
            except ValueError as error:
                self.report.add((*path, fault), str(error))
                continue
            if wanted := catalog.expected_share(chance, below=True):
                self.report.add((*path, fault), f"expected {wanted}, got {shown(value)}")
            else:
                usual[fault] = str(value)
        return usual

    def access(self, reference: Reference, path: Path) -> Access | None:
        """A vascular access."""
        if not self._exists("access", reference, path):
            return None
        return catalog.access(reference.like, self._quantities(Access, reference.changes, path))

    def fluid(self, reference: Reference, path: Path) -> Fluid | None:
        """A fluid; in place, its numbers and what it holds of each solute can be changed."""
        if not self._exists("fluids", reference, path):
            return None
        changes = dict(reference.changes)
        contents = changes.pop("solutes", {})
        if not isinstance(contents, Mapping):
            self.report.add((*path, "solutes"), f"expected a mapping, got {shown(contents)}")
            contents = {}
        usable = self._quantities(Fluid, changes, path, ("like", "solutes"))
        held = {
            **catalog.tree("fluids", reference.like).get("solutes", {}),
            **self._contents(contents, (*path, "solutes")),
        }
        return catalog.fluid(reference.like, {**usable, "solutes": held})

    def _exists(self, kind: str, reference: Reference, path: Path) -> bool:
        known = catalog.names(kind)
        if reference.like in known:
            return True
        hint = near_or_all(reference.like, known)
        where = (*path, "like") if reference.in_place else path
        self.report.add(
            where,
            f"{shown(reference.like)} is not in the catalog of {_WORDS.get(kind, kind)}{hint}",
        )
        return False

    def _quantities(
        self, kind: type, changes: Mapping[str, Any], path: Path, others: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """The changes that are quantities of the right dimension, as text for the catalog."""
        expected = catalog.quantity_fields(kind)
        usable = {}
        for key, value in changes.items():
            here = (*path, key)
            if key not in expected:
                self.report.add(here, unknown_key(key, [*expected, *others]), on_key=True)
                continue
            unit = units.parse_unit(expected[key])
            wanted = catalog.in_words(unit)
            try:
                quantity = read_quantity(value, wanted)
            except ValueError as error:
                self.report.add(here, str(error))
                continue
            if quantity.unit.dimension != unit.dimension:
                self.report.add(here, f"expected {wanted}, got {shown(value)}")
                continue
            try:
                _check_range(kind, key, quantity, value)
            except ValueError as error:
                self.report.add(here, str(error))
            else:
                usable[key] = str(value)
        return usable

    def _contents(self, contents: Mapping[str, Any], path: Path) -> dict[str, str]:
        """What a fluid is said to hold: concentrations by the name of the solute."""
        usable = {}
        for name, value in contents.items():
            here = (*path, name)
            unit = self.solute_units.get(name)
            if unit is None and name in catalog.names("solutes"):
                unit = catalog.tree("solutes", name)["unit"]
            if unit is None:
                if not self.report.spoiled(("solutes", name)):
                    hint = near_or_all(name, self._solutes())
                    self.report.add(here, f"no such solute{hint}", on_key=True)
                continue
            wanted = f"{units.describe(unit)}, such as '1 {unit}'"
            try:
                quantity = read_quantity(value, wanted)
                quantity.to(unit)
            except units.UnitError:
                self.report.add(here, f"expected {wanted}, got {shown(value)}")
                continue
            except ValueError as error:
                self.report.add(here, str(error))
                continue
            if quantity.value < 0:
                self.report.add(here, f"expected at least 0, got {shown(value)}")
            else:
                usable[name] = str(value)
        return usable


def _tabled(device: Device) -> tuple[str, ...]:
    """Solutes that a device's filters and columns know by name."""
    parts = [part for part in (device.separator, device.treatment) if part is not None]
    tables = [getattr(part, key) for part in parts for key in catalog.share_fields(type(part))]
    return tuple(name for table in tables for name in table)


def _check_range(kind: type, key: str, quantity: Quantity, written: Any) -> None:
    """Raise `ValueError` for a number that its entry cannot have."""
    wanted = catalog.expected(kind, key, quantity)
    if wanted == catalog.WHOLE:
        FRACTION.check_limits(quantity, written)  # which knows that 41 may mean 41 %
    if wanted:
        raise ValueError(f"expected {wanted}, got {shown(written)}")
