"""A run that notes, at every instant at which anything happens, how the machine stands.

Onlookers change nothing: what is noted is read off the machine, never asked of the patient, so a
watched run gives the bytes of any other.
"""

from __future__ import annotations

import math
from typing import Any

from simulator.boundary import REST, Exchange
from simulator.errors import ImpossibleRunError
from simulator.machine.intermittent import Intermittent
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.separators import Membrane
from simulator.machine.session import Session
from simulator.machine.upkeep import RETURN_PRESSURE
from simulator.result import Result
from simulator.simulation import Run

State = dict[str, Any]
"""The machine from a moment on, in the words of the page; see `MachineState` there."""

NO_MACHINE: State = {
    "session": 0,
    "phase": "none",
    "flows": dict.fromkeys(
        ("inlet", "anticoagulant", "plasma", "replacement", "return", "calcium", "treated"), 0.0
    ),
    "bottle": None,
    "anticoagulant": None,
    "waste": None,
    "outside": 0.0,
    "packed": 0.0,
    "dose": 0.0,
    "target": 0.0,
    "dose_rate": 0.0,
    "settings": None,
    "access_pressure": 0.0,
    "return_pressure": 0.0,
    "transmembrane_pressure": None,
    "alarms": [],
    "stopped_by": None,
}


class Watched(Run):
    """A run with an onlooker at the machine."""

    states: list[tuple[float, State]]
    """How the machine stands from each time (min) on."""

    def watch(self) -> tuple[Result | None, str]:
        """Run to the end; if that is impossible there is no result, but the reason."""
        self.states = [(0.0, NO_MACHINE)]
        self._given_back = REST
        self._pumped = STOPPED
        self._height = 0.0
        try:
            result = self.result()
        except ImpossibleRunError as error:
            self.settle()
            return None, str(error)
        self.settle()
        return result, ""

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        """From now on do this to the patient, with the pumps at these flows."""
        super().exchange(exchange, flows)
        self._given_back, self._pumped = exchange, flows

    def disconnect(self) -> None:
        """The circuit is taken away and discarded."""
        super().disconnect()
        self._given_back, self._pumped, self._height = REST, STOPPED, 0.0

    def settle(self) -> None:
        """Note how the machine stands now that all of this instant has happened."""
        state = self._state_of(self.visits[-1].session) if self.present else NO_MACHINE
        time, before = self.states[-1]
        if state == before:
            return
        if time == self.env.now:
            self.states.pop()
        self.states.append((self.env.now, state))

    def _state_of(self, session: Session) -> State:
        flows, minutes = session.flows, session.uncounted
        line, upkeep, settings = session.line, session.upkeep, session.settings
        controller = session.controller
        replacement = flows.replacement * minutes
        bottle = line.until_bottle_empty() - replacement
        anticoagulant = session.machine.anticoagulant
        membrane = session.separator if isinstance(session.separator, Membrane) else None
        readings = upkeep.readings()
        latched = upkeep.protection.standing()
        has_calcium = controller.calcium is not None
        citrate = math.isfinite(settings.ratio)
        return {
            "session": self.present,
            "phase": session.phase,
            "flows": self._flows(),
            "bottle": _bag(line.fluid.name, bottle, line.fluid.container) if line.orders else None,
            "anticoagulant": _bag(
                anticoagulant.name,
                session.anticoagulant_bag.room - flows.anticoagulant * minutes,
                session.anticoagulant_bag.size,
            ),
            "waste": _bag(
                "waste", session.waste_bag.room - flows.plasma * minutes, session.waste_bag.size
            ),
            "outside": session.outside + self._filling(flows) * minutes,
            "packed": self._packed(session, flows),
            "dose": session.tally.dose + flows.dose * minutes,
            "target": settings.target,
            "dose_rate": flows.dose,
            "settings": {
                "machine.inlet_flow": settings.inlet_flow,
                "machine.anticoagulant.ratio": settings.ratio if citrate else None,
                "machine.plasma_flow": membrane.ordered if membrane else None,
                "prescription.exchange": settings.target,
                "prescription.fluid_balance": 100 * settings.fluid_balance,
                "prescription.calcium.rate": 60 * settings.calcium_flow if has_calcium else None,
                "prescription.replacement": line.fluid.name if line.orders else None,
            },
            "access_pressure": readings.access_pressure,
            "return_pressure": (readings.return_pressure if session.running else RETURN_PRESSURE),
            "transmembrane_pressure": readings.transmembrane_pressure if membrane else None,
            "alarms": [{"name": name, "acknowledged": seen} for name, seen in latched.items()],
            "stopped_by": upkeep.stopped_by() if session.running else None,
        }

    def _packed(self, session: Session, flows: PumpFlows) -> float:
        """How high the red cells stand in the separator, 0 to 1; they stay while the pumps do."""
        if isinstance(session.way, Intermittent):
            return session.way.filled
        if flows.separated:
            self._height = 1 - flows.separated / flows.inlet
        return self._height

    def _filling(self, flows: PumpFlows) -> float:
        """How fast blood gathers outside, mL/min: a circuit that fills, a bowl that is emptied."""
        draws = self._given_back.blood_to_circuit
        return flows.inlet - flows.plasma if draws else -flows.content_back

    def _flows(self) -> dict[str, float]:
        """The flows that can be seen in the lines, mL/min."""
        flows, exchange = self._pumped, self._given_back
        given = sum(flow for _, flow in exchange.given)
        if exchange.blood_to_circuit:  # a draw: what is drawn stays outside
            returned = given
        elif flows.inlet:
            returned = flows.inlet - flows.plasma + flows.replacement + flows.calcium
        else:
            returned = exchange.circuit_to_patient + given
        return {
            "inlet": flows.inlet,
            "anticoagulant": flows.anticoagulant,
            "plasma": flows.plasma,
            "replacement": flows.replacement,
            "return": returned,
            "calcium": flows.calcium,
            "treated": flows.plasma_back,
        }


def _bag(fluid: str, left: float, size: float) -> dict[str, Any] | None:
    if not math.isfinite(size):
        return None
    return {"fluid": fluid, "left": max(0.0, left), "size": size}
