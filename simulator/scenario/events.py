"""Events: doses, FcRn blockade, faults, and settings changed at a given time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator import catalog, units
from simulator.catalog import Fluid
from simulator.machine.alarms import BY_ACTION, BY_FAULT
from simulator.orders import CalciumOrder, FollowedSolute, MachineSettings
from simulator.records import record
from simulator.scenario import faults, limits
from simulator.scenario import format as written
from simulator.scenario.entries import Entries
from simulator.scenario.fields import CatalogName, Reference
from simulator.scenario.kind import Kind
from simulator.scenario.model import (
    Dose,
    Event,
    Fault,
    FcrnBlockade,
    FluidDose,
    OperatorAction,
    Setting,
)
from simulator.scenario.report import near, near_or_all, number, shown
from simulator.scenario.solutes import INTERNAL
from simulator.scenario.treatment import (
    calcium_flow,
    check_inlet_flow,
    check_plasma_flow,
    check_ratio,
    exchange,
)
from simulator.scenario.tree import Path
from simulator.scenario.written import Written, usable
from simulator.units import MINUTES_PER_DAY, Quantity

REPLACEMENT = "prescription.replacement"

#: What an event can set, and the kind of value it takes: the same as in the file itself.
#: `Setting.value` is canonical: a fraction, a ratio, mL/min; of an exchange (number, unit); the
#: replacement takes one fluid, which is all that is given from then on.
SETTABLE: Mapping[str, Kind[Any]] = {
    "patient.citrate_clearance": limits.CITRATE_CLEARANCE,
    "machine.inlet_flow": limits.INLET_FLOW,
    "machine.anticoagulant.ratio": limits.RATIO,
    "machine.plasma_flow": limits.PLASMA_FLOW,
    "prescription.exchange": limits.EXCHANGE,
    REPLACEMENT: CatalogName("fluids", "a fluid"),
    "prescription.fluid_balance": limits.FLUID_BALANCE,
    "prescription.calcium.rate": limits.CALCIUM_RATE,
}
SYNTHESIS = "solutes.<name>.synthesis"


@record
class Setup:
    """What events refer to."""

    solutes: Mapping[str, FollowedSolute]
    sessions: int
    until: float | None
    """min"""
    machine: MachineSettings | None
    calcium: CalciumOrder | None
    weight: float | None
    """kg"""


def events(document: written.Document, setup: Setup, entries: Entries) -> tuple[Event, ...]:
    """The events of a document, in its order."""
    reader = _Reader(setup, entries)
    found: list[Event] = []
    for place, model in usable(document.events):
        event = reader.event(model, ("events", place))
        if event is not None:
            found.append(event)
    return tuple(found)


class _Reader:
    """Reads events one by one; a bad one is reported and left out."""

    def __init__(self, setup: Setup, entries: Entries) -> None:
        self.setup = setup
        self.entries = entries
        self.report = entries.report

    def event(self, model: Written, path: Path) -> Event | None:
        kinds: dict[type, Callable[[Any, Path], Event | None]] = {
            written.GiveEvent: self._given,
            written.SetEvent: self._setting,
            written.BlockadeEvent: self._blockade,
            written.FaultEvent: self._fault,
            written.ActionEvent: self._action,
        }
        return kinds[type(model)](model, path)

    def _given(self, model: written.GiveEvent, path: Path) -> Dose | FluidDose | None:
        """A dose of a solute followed or, if the name is none, of a fluid of the catalog."""
        at, name = self._moment(model, path), model.give
        over = model.over.canonical if model.over else 0.0
        if name is None:
            return None
        fluids = catalog.names("fluids")
        meant_as_solute = name in self.setup.solutes or self.report.spoiled(("solutes", name))
        if name in fluids and not meant_as_solute:
            fluid = catalog.fluid(name)
            volume = self._volume(model.dose, fluid, (*path, "dose"))
            if at is None or volume is None:
                return None
            return FluidDose(at, fluid, volume, over, model.session)
        if not self._is_followed(name, (*path, "give"), fluids):
            return None
        amount = self._amount(model.dose, name, (*path, "dose"))
        if at is None or amount is None:
            return None
        return Dose(at, name, amount, over, model.session)

    def _blockade(self, model: written.BlockadeEvent, path: Path) -> FcrnBlockade | None:
        at = self._course_time(model.at, path)
        if at is None or model.fcrn_blockade is None or model.lasting is None:
            return None
        return FcrnBlockade(at, model.fcrn_blockade.canonical, model.lasting.canonical)

    def _fault(self, model: written.FaultEvent, path: Path) -> Fault | None:
        self._check_session(model.session, path)
        if model.session is None or model.at is None or model.fault is None:
            return None
        machine = self.setup.machine
        if machine is not None and model.fault in BY_FAULT:
            why = faults.refusal(model.fault, machine.device)
            if why:
                self.report.add((*path, "fault"), why)
                return None
        duration = model.lasting.canonical if model.lasting else None
        return Fault(model.session, model.at.canonical, model.fault, duration)

    def _action(self, model: written.ActionEvent, path: Path) -> OperatorAction | None:
        self._check_session(model.session, path)
        if model.session is None or model.at is None or model.do is None:
            return None
        machine, alarm = self.setup.machine, BY_ACTION.get(model.do)
        if machine is not None and alarm is not None:
            why = faults.refusal(alarm.fault, machine.device)
            if why:
                self.report.add((*path, "do"), f"{shown(model.do)} answers {alarm.fault}; {why}")
                return None
        return OperatorAction(model.session, model.at.canonical, model.do)

    def _setting(self, model: written.SetEvent, path: Path) -> Setting | None:
        at = self._moment(model, path)
        if model.set is None:
            return None
        kind = self._settable(model.set, (*path, "set"))
        if kind is None or model.to is None:
            return None
        try:
            value = self._value(model.set, kind.read(model.to), (*path, "to"))
        except ValueError as error:
            self.report.add((*path, "to"), str(error))
            return None
        if at is None or value is None:
            return None
        if isinstance(value, Fluid):
            text = value.name
        else:
            text = model.to if isinstance(model.to, str) else number(model.to)
        return Setting(model.set, value, text, at, model.session)

    def _settable(self, address: str, path: Path) -> Kind[Any] | None:
        """What can be written at an address, if an event can write there."""
        if address in SETTABLE:
            return SETTABLE[address]
        steps = address.split(".")
        if len(steps) == 3 and steps[0] == "solutes" and steps[2] == "synthesis":
            return limits.PERCENT_UP if self._is_followed(steps[1], path) else None
        known = [*SETTABLE, *(f"solutes.{name}.synthesis" for name in self.setup.solutes)]
        everything = ", ".join([*SETTABLE, SYNTHESIS])
        hint = near(address, known) or f"; an event can set: {everything}"
        self.report.add(path, f"{shown(address)} cannot be set by an event{hint}")
        return None

    def _value(self, address: str, quantity: Quantity | Reference, path: Path) -> Any:
        """The canonical value, within the limits of the machine that is used."""
        machine, report = self.setup.machine, self.report
        if isinstance(quantity, Reference):
            return self.entries.fluid(quantity, path)
        if address == "prescription.exchange":
            return exchange(quantity)
        if address == "prescription.calcium.rate":
            if self.setup.calcium is None:
                raise ValueError("there is no prescription.calcium whose rate could be changed")
            return calcium_flow(quantity, self.setup.calcium.fluid)
        if machine is not None and address == "machine.inlet_flow":
            check_inlet_flow(quantity.canonical, machine.device, machine.access, path, report)
        if machine is not None and address == "machine.anticoagulant.ratio":
            if machine.anticoagulant.activity:
                name = machine.anticoagulant.name
                message = f"{name} is given by the hour; there is no ratio to change"
                report.add((*path[:-1], "set"), message)
                return None
            check_ratio(quantity.canonical, machine.device, path, report)
        if machine is not None and address == "machine.plasma_flow":
            check_plasma_flow(quantity.canonical, machine.inlet_flow, machine.device, path, report)
        return quantity.canonical

    def _amount(self, dose: Quantity | None, name: str, path: Path) -> float | None:
        """A dose in the mass unit of the solute; per kg of body weight if so written."""
        if dose is None or name not in self.setup.solutes:
            return None
        unit = self.setup.solutes[name].kinetics.mass_unit
        amount = self._counted(dose, unit)
        if amount is None:
            example = f"{units.describe(unit)}, such as '1 {unit}' or '0.4 {unit}/kg'"
            got = shown(_text(dose))
            self.report.add(path, f"expected {example}, as {name} is counted; got {got}")
        elif amount < 0:
            self.report.add(path, f"expected at least 0, got {number(dose.value)}")
            return None
        return amount

    def _volume(self, dose: Quantity | None, fluid: Fluid, path: Path) -> float | None:
        """A dose of a fluid in mL; by body weight if so written."""
        if dose is None:
            return None
        volume = self._counted(dose, "mL")
        if dose.unit.text == "1":
            own = f"such as '{number(dose.value)} mL'; got {number(dose.value)}"
            self.report.add(path, f"a volume needs a unit, {own}")
            return None
        if volume is None:
            expected = "expected a volume, such as '10 mL' or '5 mL/kg', as fluids are counted"
            self.report.add(path, f"{expected}; got {shown(_text(dose))}{_as_volume(dose, fluid)}")
            return None
        try:
            limits.GIVEN.check_limits(Quantity(volume, units.parse_unit("mL")), _text(dose))
        except ValueError as error:
            self.report.add(path, str(error))
            return None
        return volume

    def _counted(self, dose: Quantity, unit: str) -> float | None:
        """A dose in a unit, per kg of body weight if so written; None if that cannot be."""
        dimension = units.parse_unit(unit).dimension
        given, slash, per = dose.unit.text.rpartition("/")
        if slash and per == "kg" and units.parse_unit(given).dimension == dimension:
            return Quantity(dose.value, units.parse_unit(given)).to(unit) * (
                self.setup.weight or 0.0
            )
        return dose.to(unit) if dose.unit.dimension == dimension else None

    def _is_followed(self, name: str, path: Path, fluids: Sequence[str] = ()) -> bool:
        """Whether a solute is followed; `fluids` are what else could be named here."""
        if name in self.setup.solutes:
            return True
        if self.report.spoiled(("solutes", name)):
            return False
        what = "not among the solutes followed"
        if fluids:
            what = "neither a solute followed nor a fluid of the catalog"
        if name in catalog.names("solutes") and name != INTERNAL:
            hint = f"; write '{name}: {{}}' under `solutes` to follow it"
        else:
            hint = near_or_all(name, [*self.setup.solutes, *fluids])
        self.report.add(path, f"{shown(name)} is {what}{hint}")
        return False

    def _moment(self, model: written.GiveEvent | written.SetEvent, path: Path) -> float | None:
        """When something is done: at a time of its session, or else of the course."""
        if model.session is not None:
            self._check_session(model.session, path)
            return model.at.canonical if model.at else None
        if self.report.touches((*path, "session")):
            return None
        return self._course_time(model.at, path)

    def _course_time(self, at: Quantity | None, path: Path) -> float | None:
        if at is None:
            return None
        until = self.setup.until
        if until is not None and at.canonical > until:
            self.report.add(
                (*path, "at"),
                f"{number(at.value)} {at.unit.text} is after the end of the run, "
                f"simulation.until, at {number(until / MINUTES_PER_DAY)} d",
            )
        return at.canonical

    def _check_session(self, session: int | None, path: Path) -> None:
        planned = self.setup.sessions
        if session is None or session <= planned or self.report.spoiled(("course",)):
            return
        plan = {0: "no session is planned", 1: "one session is planned"}
        have = plan.get(planned, f"{planned} sessions are planned")
        self.report.add((*path, "session"), f"there is no session {session}; {have}")


def _text(dose: Quantity) -> str:
    """A dose as it was written."""
    return f"{number(dose.value)} {dose.unit.text}"


def _as_volume(dose: Quantity, fluid: Fluid) -> str:
    """What a mass of the salt that a fluid is named for would be as a volume."""
    if fluid.strength == 0 or dose.unit.dimension != units.parse_unit("g").dimension:
        return ""
    volume = 1000 * dose.to("g") / fluid.strength
    return f"; did you mean '{number(round(volume, 3))} mL'?"
