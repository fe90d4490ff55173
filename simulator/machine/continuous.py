"""Continuous flow: blood is drawn, separated and given back at the same time, without a break."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from simulator.catalog import AdsorberFacts
from simulator.elementary import soonest
from simulator.machine.alarms import BY_FAULT
from simulator.machine.pumps import PumpFlows
from simulator.machine.separators import Centrifuge, Membrane

if TYPE_CHECKING:
    from simulator.machine.session import Session

Process = Generator[simpy.Event, Any, None]

ROUNDING = 1e-6
"""Share by which a limit may be missed without a word."""
THICK = 0.9
"""Share of the packed hematocrit beyond which a centrifuge yields hardly anything [assumed]."""
TOO_THICK = 0.97
"""The same, beyond which nobody goes on [assumed]."""
UNBALANCED = 0.05
"""Share of the treated plasma that a patient may gain without a word [assumed]."""
SPENT = 0.5
"""Share of the plasma flow below which a filter is not worth going on with [assumed]."""


class Continuous:
    """Fill the circuit with blood, then take plasma off until the target is reached."""

    def __init__(self, session: Session) -> None:
        self.session = session
        treatment = session.machine.device.treatment
        self._column = treatment if isinstance(treatment, AdsorberFacts) else None
        self._column_until = self._column.plasma_per_column if self._column else math.inf
        """Plasma treated, mL, when the column at work has treated what it is meant to."""
        self._limited = False
        """Whether citrate holds the inlet flow back."""

    @property
    def outside_most(self) -> float:
        """Blood that will be outside, mL."""
        return self.session.circuit_volume

    def exchange(self) -> Process:
        """Draw, then exchange until the prescribed plasma is off."""
        yield from self._draw()
        yield from self._exchange()

    def _draw(self) -> Process:
        """Fill the circuit with blood; its prime is displaced into the waste bag."""
        session = self.session
        volume = session.circuit_volume
        prime = session.machine.prime
        where = "given to the patient" if prime else "displaced into the waste bag"
        session.enter("draw", f"{volume:.0f} mL of prime are {where}")
        while volume > 0:
            yield from session.until_free()
            if session.ended():
                return
            session.note_first_draw()
            flows = session.controller.filling()
            room = math.inf if prime else session.waste_bag.room
            until_empty = flows.inlet * session.anticoagulant_lasts(flows)
            drawn, runs_out = soonest(
                (
                    (volume, None),
                    (until_empty, session.anticoagulant_bag),
                    (room, session.waste_bag),
                )
            )
            minutes = drawn / flows.inlet
            elapsed = yield from session.pump(session.controller.fills(flows), flows, minutes)
            displaced = drawn if elapsed == minutes else elapsed * flows.inlet
            if prime is None:
                session.waste_bag.room -= displaced
            session.fill(displaced)
            volume -= displaced
            if elapsed == minutes and runs_out is not None:
                runs_out.run_out()

    def _exchange(self) -> Process:
        """Take plasma off and give the replacement until the target is reached."""
        session = self.session
        if session.ended():
            return
        what = "to remove" if session.controller.discarded == 1 else "to treat"
        session.enter("exchange", f"{session.settings.target:.0f} mL of patient plasma {what}")
        while True:
            yield from session.until_free()
            if session.ended():
                return
            flows = self._flows_now()
            self._tell_limits(flows)
            if session.ended():
                return
            minutes, what_then = soonest(self._next_events(flows))
            elapsed = yield from session.pump(
                session.controller.exchanges(flows, session.line), flows, minutes
            )
            if elapsed == minutes:
                # a bottle, bag or column that ends with the exchange is not replaced, whichever of
                # the two rounding puts first
                if what_then == session.reach_target or session.at_target:
                    session.reach_target()
                    return
                what_then()

    def _flows_now(self) -> PumpFlows:
        """All flows for the settings and the patient as they are now."""
        session = self.session
        with session.dated():
            flows = session.controller.exchanging(session.patient_now(), session.line)
        asked = session.controller.mean_inlet()
        if flows.inlet < asked and not self._limited:
            session.bedside.log(
                "inlet-flow-limited",
                f"{flows.inlet:.1f} instead of {asked:.1f} mL/min: citrate reaching the patient",
            )
        self._limited = flows.inlet < asked
        return flows

    def _next_events(self, flows: PumpFlows) -> list[tuple[float, Callable[[], Any]]]:
        """Minutes until each thing that ends a stretch of constant flows, and what it leads to."""
        session = self.session
        due: list[tuple[float, Callable[[], Any]]] = [
            (session.to_target / flows.dose, session.reach_target),
            (session.anticoagulant_lasts(flows), session.anticoagulant_bag.run_out),
            (session.machine.device.hematocrit_update, lambda: None),  # flows are computed anew
        ]
        if flows.plasma:
            due.append((session.waste_bag.room / flows.plasma, session.waste_bag.run_out))
        if flows.replacement:
            expected = session.line.replaced + flows.replacement / flows.dose * session.to_target
            due.append(session.replacement_event(flows, expected))
        if isinstance(session.separator, Membrane):
            until = session.separator.until_pressure_limit(flows.separated)
            due.append((max(0.0, until), self._reach_pressure_limit))
        if self._column is not None:
            left = max(0.0, self._column_until - session.tally.dose)
            due.append((left / flows.dose, self._finish_column))
        return due

    # -- filters and columns ------------------------------------------------------------------

    def _tell_limits(self, flows: PumpFlows) -> None:
        """Warn, once a session, of what is asked beyond what separator and patient can bear."""
        self._tell_balance(flows)
        separator = self.session.separator
        hematocrit = self.session.bedside.vitals().hematocrit
        if isinstance(separator, Membrane):
            self._tell_filter(separator, flows, hematocrit)
        elif isinstance(separator, Centrifuge):
            self._tell_centrifuge(separator, hematocrit)

    def _tell_centrifuge(self, centrifuge: Centrifuge, hematocrit: float) -> None:
        """Cells come back packed, so blood as thick as they are has nothing left but citrate."""
        packed = centrifuge.packed_hematocrit
        if hematocrit > THICK * packed:
            self.session.warn(
                "hematocrit",
                f"the blood (hematocrit {100 * hematocrit:.0f} %) is nearly as thick as the cells "
                f"that the centrifuge packs ({100 * packed:.0f} %): hardly any plasma comes off",
            )
        if hematocrit > TOO_THICK * packed:
            self._give_up("centrifuge", hematocrit)

    def _tell_balance(self, flows: PumpFlows) -> None:
        given = flows.anticoagulant + flows.replacement + flows.calcium
        if flows.treated and given - flows.plasma > UNBALANCED * flows.separated:
            self.session.warn(
                "fluid balance",
                f"anticoagulant and calcium are {given:.1f} mL/min, more than the "
                f"{flows.plasma:.1f} mL/min of plasma that are discarded; the patient gains it",
            )

    def _tell_filter(self, membrane: Membrane, flows: PumpFlows, hematocrit: float) -> None:
        facts, channel = membrane.facts, flows.channel_hematocrit(hematocrit)
        fraction = flows.separated / (flows.inlet * (1 - channel))
        if fraction > facts.filtration_fraction_max * (1 + ROUNDING):
            self.session.warn(
                "filtration fraction",
                f"the filtration fraction is {100 * fraction:.0f} %; above "
                f"{100 * facts.filtration_fraction_max:.0f} % filters clot",
            )
        asked = membrane.asked(flows.inlet, channel)
        if flows.separated < asked * (1 - ROUNDING):
            self.session.warn(
                "outlet hematocrit",
                f"the filter gives {flows.separated:.0f} instead of {asked:.0f} mL/min of plasma: "
                f"the blood that leaves it would be thicker than "
                f"{100 * facts.outlet_hematocrit_max:.0f} %",
            )
        if flows.separated < SPENT * asked:
            self._give_up("filter", hematocrit)

    def _give_up(self, what: str, hematocrit: float) -> None:
        """Nobody waits for hours for the last plasma of blood that has become too thick."""
        reason = f"the {what} gives hardly any plasma at a hematocrit of {100 * hematocrit:.0f} %"
        self.session.give_up(reason, circuit_lost=False)

    def _reach_pressure_limit(self) -> None:
        """The fouled filter needs too high a pressure: go on more gently, and tell."""
        membrane = self.session.separator
        assert isinstance(membrane, Membrane)
        limit = membrane.facts.transmembrane_pressure_max
        self.session.warn(
            "transmembrane pressure",
            f"the transmembrane pressure has reached {limit:.0f} mmHg, the filter's limit; the "
            f"plasma flow is lowered",
        )
        fault = "filter-fouling" if membrane.eased > SPENT else "filter-clotting"
        self.session.upkeep.begin_fault(
            BY_FAULT[fault], f"transmembrane pressure {limit:.0f} mmHg", timed=False
        )

    def _finish_column(self) -> None:
        """A column has treated what it is meant to: the other one takes over, if there is one."""
        session, column = self.session, self._column
        assert column is not None
        treated = f"after {column.plasma_per_column:.0f} mL of plasma"
        if column.columns > 1:
            self._column_until = session.tally.dose + column.plasma_per_column
            session.bedside.swap_column()
            session.bedside.log("column-swapped", f"{treated}; the other one is regenerated")
        else:
            self._column_until = math.inf  # it goes on, and this is told once
            session.warn(
                "column",
                f"the column is spent: it has treated the {column.plasma_per_column:.0f} mL of "
                f"plasma that it is meant for, and binds less and less",
            )
