"""The events of a scenario: doses, drugs, faults and settings, each at its time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from simulator import catalog
from simulator.machine import asked
from simulator.machine.alarms import BY_FAULT, ENDING, SEEN_TO
from simulator.scenario.model import (
    Dose,
    Event,
    Fault,
    FcrnBlockade,
    FluidDose,
    OperatorAction,
    Setting,
)

if TYPE_CHECKING:
    from simulator.simulation import Run

Process = Generator[simpy.Event, Any, None]
Give = Callable[[Any, float], None]
"""Gives an amount, or starts or stops a rate, of a solute or a fluid."""


class Script:
    """Plays what the scenario states, and remembers what never came."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.settings: dict[str, Any] = {}
        """Machine settings and prescription items changed for all sessions to come."""
        self._unplayed: set[int] = set()

    def start(self) -> None:
        """Every event waits for its time."""
        for number, event in enumerate(self.run.scenario.events):
            self._unplayed.add(number)
            self.run.env.process(self._play(number, event))

    def _play(self, number: int, event: Event) -> Process:
        """Wait until an event is due, then let it happen."""
        session = None if isinstance(event, FcrnBlockade) else event.session
        if session is not None:
            yield self.run.begun[session - 1]
        yield self.run.env.timeout(event.at)
        self._unplayed.discard(number)
        if isinstance(event, Dose):
            yield from self._give(event)
        elif isinstance(event, FluidDose):
            yield from self.infuse(event.fluid, event.volume, event.over)
        elif isinstance(event, FcrnBlockade):
            yield from self._block_fcrn(event)
        elif isinstance(event, Fault):
            yield from self._fail(event)
        elif isinstance(event, OperatorAction):
            self._act(event)
        else:
            self._set(event)

    def _give(self, dose: Dose) -> Process:
        patient, name, amount = self.run.patient, dose.solute, dose.amount
        unit = self.run.scenario.solutes[name].kinetics.mass_unit
        yield from self._administer(
            patient.inject, patient.start_infusion, patient.stop_infusion,
            name, name, amount, unit, dose.over,
        )  # fmt: skip

    def infuse(self, fluid: catalog.Fluid, volume: float, minutes: float) -> Process:
        """Give a fluid by hand, at once or over a time."""
        patient = self.run.patient
        yield from self._administer(
            patient.inject_fluid, patient.start_fluid, patient.stop_fluid,
            fluid, fluid.name, volume, "mL", minutes,
        )  # fmt: skip

    def _administer(
        self,
        at_once: Give,
        start: Give,
        stop: Give,
        what: Any,
        name: str,
        amount: float,
        unit: str,
        minutes: float,
    ) -> Process:
        """Give so much of something, at once or at a steady rate."""
        if minutes == 0:
            self._do(at_once, what, amount)
        else:
            self._do(start, what, amount / minutes)
        over = f" over {minutes:g} min" if minutes else ""
        self.run.log("dose", f"{amount:g} {unit} {name}{over}")
        if minutes:
            yield self.run.env.timeout(minutes)
            self._do(stop, what, amount / minutes)
            self.run.log("dose-ended", name)

    def _block_fcrn(self, blockade: FcrnBlockade) -> Process:
        self._do(self.run.patient.start_blockade, blockade.fraction)
        self.run.log("fcrn-blockade", f"{100 * blockade.fraction:g} %")
        yield self.run.env.timeout(blockade.duration)
        self._do(self.run.patient.stop_blockade, blockade.fraction)
        self.run.log("fcrn-blockade-ended")

    def _do(self, change: Callable[..., None], *arguments: Any) -> None:
        """Change something about the patient, between two stretches of his time."""
        self.run.change()
        change(*arguments)
        self.run.resume()

    def _fail(self, fault: Fault) -> Process:
        session = self.run.visits[-1].session
        if self.run.present != fault.session or not session.running:
            self.run.log("no-effect", f"{fault.fault}: the pumps are not running")
            return
        if fault.fault not in BY_FAULT:
            session.staff.react(fault.fault, "stated by the scenario", ends=False)
            return
        alarm = BY_FAULT[fault.fault]
        duration = None if alarm.fault in ENDING else fault.duration
        waits_for_somebody = (
            self.run.scenario.operator is not None or not session.upkeep.is_seen_to(alarm)
        )
        if duration is None and not waits_for_somebody and alarm.fault not in SEEN_TO:
            duration = alarm.usual
        if duration is None:  # as long as the operator needs
            session.upkeep.begin_fault(alarm, fault.fault, timed=False)
            return
        session.upkeep.begin_fault(alarm, f"{fault.fault} for {duration:g} min", timed=True)
        yield self.run.env.timeout(duration)
        session.upkeep.end_fault(alarm)

    def _act(self, action: OperatorAction) -> None:
        session = self.run.visits[-1].session
        if self.run.present == action.session:
            asked.carry_out(session, action.action)
        else:
            self.run.log("no-effect", f"{action.action}: the machine is not connected")

    def _set(self, setting: Setting) -> None:
        path, value = setting.path, setting.value
        if path.startswith("solutes."):
            self._do(self.run.patient.set_synthesis, path.split(".")[1], value)
        elif path == "patient.citrate_clearance":
            self._do(self.run.patient.set_citrate_clearance, value)
        else:
            if path == "prescription.exchange":
                value = self.run.target(*value)
            if setting.session is None:
                self.settings[path] = value
            session = self.run.visits[-1].session if self.run.present else None
            if session is not None and setting.session in (None, self.run.present):
                if setting.session is not None and not session.adjustable:
                    self.run.log("no-effect", f"{path}: the exchange of this session is over")
                    return
                if not session.change(path, value):
                    self.run.log("unchanged", f"{path} already is {setting.text}")
                    return
            elif setting.session is not None:
                self.run.log("no-effect", f"{path}: session {setting.session} is over")
                return
        self.run.log("set", f"{path} to {setting.text}")

    def tell_unplayed(self) -> None:
        """Nothing is lost: events that never came are in the log, too."""
        for number in sorted(self._unplayed):
            self.run.log("no-effect", f"event {number + 1} of the scenario was never due")
