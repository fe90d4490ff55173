"""Devices, accesses and fluids that a scenario names, or changes in place, from the catalog."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from simulator import catalog, units
from simulator.catalog import Access, Device, Fluid, SeparatorFacts
from simulator.machine.alarms import BY_FAULT
from simulator.scenario.fields import Reference, unknown_key
from simulator.scenario.limits import FRACTION
from simulator.scenario.measures import read_quantity
from simulator.scenario.report import Report, near_or_all, shown
from simulator.scenario.tree import Path
from simulator.units import Quantity

#: Quantities that may be zero, beside those that are zero where a catalog file is silent; all
#: others of a device, an access or a fluid are above it.
_MAY_BE_ZERO = frozenset(
    {
        *("prime_time", "connect_time", "disconnect_time", "change_over_time", "rinseback_volume"),
        *("pressure_drop_50", "pressure_drop_100", "pressure_spread"),
    }
)

#: Pressures that may lie on either side of that of the air.
_EITHER_SIGN = frozenset({"vein_pressure", "access_pressure_limit"})

#: Probabilities in a session.
_CHANCES = ("failure",)

#: Bare numbers that are no fractions.
_RATIOS = ("anticoagulant_ratio", "anticoagulant_ratio_min", "anticoagulant_ratio_max")

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
        changes = dict(reference.changes)
        separator = changes.pop("separator", {})
        anticoagulant = changes.pop("anticoagulant", None)
        if not isinstance(separator, Mapping):
            self.report.add((*path, "separator"), f"expected a mapping, got {shown(separator)}")
            separator = {}
        others = ("like", "separator", "anticoagulant", "disturbances")
        disturbances = self._disturbances(reference.like, changes, (*path, "disturbances"))
        usable = self._quantities(Device, changes, path, others)
        inner = self._quantities(SeparatorFacts, separator, (*path, "separator"))
        if anticoagulant is not None:
            named = Reference(anticoagulant, {}, in_place=False)
            if not isinstance(anticoagulant, str):
                got = shown(anticoagulant)
                self.report.add((*path, "anticoagulant"), f"expected a fluid's name, got {got}")
            elif self._exists("fluids", named, (*path, "anticoagulant")):
                usable["anticoagulant"] = anticoagulant
        return catalog.device(
            reference.like, {**usable, "separator": inner, "disturbances": disturbances}
        )

    def _disturbances(self, like: str, changes: dict[str, Any], path: Path) -> dict[str, Any]:
        """How likely each fault is on a device, with what is changed in place; taken out there."""
        usual = dict(catalog.tree("devices", like).get("disturbances", {}))
        written = changes.pop("disturbances", {})
        if not isinstance(written, Mapping):
            self.report.add(path, f"expected a mapping, got {shown(written)}")
            return usual
        for fault, value in written.items():
            if fault not in BY_FAULT:
                hint = near_or_all(fault, BY_FAULT)
                message = f"{shown(fault)} is not a fault of a machine{hint}"
                self.report.add((*path, fault), message, on_key=True)
                continue
            try:
                _check_chance(FRACTION.read(value), value)
            except ValueError as error:
                self.report.add((*path, fault), str(error))
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
            wanted = f"{units.describe(unit)} (in {unit.text})" if unit.dimension else "a number"
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
                    known = [*self.solute_units, *catalog.names("solutes")]
                    self.report.add(here, f"no such solute{near_or_all(name, known)}", on_key=True)
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


def _check_range(kind: type, key: str, quantity: Quantity, written: Any) -> None:
    """Raise `ValueError` for a number that is too small, or for a fraction above the whole."""
    silent = {field.name for field in dataclasses.fields(kind) if field.default == 0.0}
    may_be_zero = key in _MAY_BE_ZERO or key in silent
    if key not in _EITHER_SIGN:
        if quantity.value < 0 and may_be_zero:
            raise ValueError(f"expected at least 0, got {shown(written)}")
        if quantity.value < 0 or (quantity.value == 0 and not may_be_zero):
            raise ValueError(f"expected more than 0, got {shown(written)}")
    if not quantity.unit.dimension and key not in _RATIOS:
        FRACTION.check_limits(quantity, written)
    if key in _CHANCES:
        _check_chance(quantity, written)


def _check_chance(quantity: Quantity, written: Any) -> None:
    """Raise `ValueError` for what is certain: no rate makes a thing certain within a session."""
    if quantity.canonical >= 1:
        raise ValueError(f"expected less than 100 %, got {shown(written)}")
