"""Devices, accesses and fluids that a scenario names, or changes in place, from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator import catalog, units
from simulator.catalog import Access, Device, Fluid, SeparatorFacts
from simulator.scenario.fields import Reference, unknown_key
from simulator.scenario.measures import read_quantity
from simulator.scenario.report import Report, near_or_all, shown
from simulator.scenario.tree import Path

#: Quantities that may be zero; all others of a device, an access or a fluid are above it.
_MAY_BE_ZERO = frozenset(
    {
        *("citrate", "calcium", "strength", "rinseback_volume"),
        *("prime_time", "connect_time", "disconnect_time", "change_over_time"),
    }
)


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
        usable = self._quantities(Device, changes, path, ("like", "separator", "anticoagulant"))
        inner = self._quantities(SeparatorFacts, separator, (*path, "separator"))
        if anticoagulant is not None:
            named = Reference(anticoagulant, {}, in_place=False)
            if not isinstance(anticoagulant, str):
                got = shown(anticoagulant)
                self.report.add((*path, "anticoagulant"), f"expected a fluid's name, got {got}")
            elif self._exists("fluids", named, (*path, "anticoagulant")):
                usable["anticoagulant"] = anticoagulant
        return catalog.device(reference.like, {**usable, "separator": inner})

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
            elif quantity.value < 0 or (quantity.value == 0 and key not in _MAY_BE_ZERO):
                self.report.add(here, f"expected more than 0, got {shown(value)}")
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
