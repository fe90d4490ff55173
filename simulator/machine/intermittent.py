"""Intermittent flow: a bowl is filled, packed with red cells and emptied, again and again.

While blood is drawn nothing comes back, so the patient's blood volume swings with every cycle; one
needle is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy

from simulator.boundary import Exchange
from simulator.machine.control import check_blood_flows
from simulator.machine.pumps import PumpFlows, filling_flows, inseparable, pushing_flows
from simulator.machine.separators import Bowl

if TYPE_CHECKING:
    from simulator.machine.session import Session

Process = Generator[simpy.Event, Any, None]
SMALL = 1e-9
"""mL or min that rounding leaves."""
NOTICEABLE = 1.0
"""mL too much that are worth a word [assumed]."""


class Intermittent:
    """Cycles of draw and return, until the prescribed plasma is off and the bowl is empty."""

    def __init__(self, session: Session, bowl: Bowl) -> None:
        self.session = session
        self.bowl = bowl
        self._cells = 0.0
        """Red cells in the bowl, mL."""
        self._anticoagulant = 0.0
        """Anticoagulant in the bowl, mL."""
        self._packed = False
        """Whether no more can be drawn before the bowl is emptied."""
        self._room = 0.0
        """Fluid that the fluid balance has left room for and that is not given yet, mL."""
        self._calcium = 0.0
        """Calcium solution ordered by the hour that is not given yet, mL."""
        self._counted = (0.0, 0.0)
        """Until when that is counted, min, and at which rate from then on, mL/min."""
        self._emptied = 0.0
        """Citrate returned is counted from here on, min."""

    @property
    def filled(self) -> float:
        """Red cells in the bowl over those that pack it, when it was last looked at."""
        packed = self.bowl.facts.packed_hematocrit * self.bowl.facts.bowl_volume
        return min(1.0, self._cells / packed)

    @property
    def outside_most(self) -> float:
        """Blood with anticoagulant that will be outside at the end of a draw, mL."""
        settings = self.session.settings
        diluted = 1 - settings.anticoagulation.flow(settings.inlet_flow) / settings.inlet_flow
        return self.bowl.cycle_volume(self.session.bedside.vitals().hematocrit * diluted)

    def exchange(self) -> Process:
        """Cycle after cycle, until the target is reached or something ends the session."""
        session = self.session
        self._emptied = session.env.now
        self._counted = (session.env.now, session.settings.calcium_flow)
        while not (session.ended() or self._done):
            session.tally.cycles += 1
            yield from self._draw()
            yield from self._return()
        if not session.ended():
            session.reach_target()

    @property
    def _done(self) -> bool:
        return self.session.to_target <= SMALL

    # -- draw ---------------------------------------------------------------------------------

    def _draw(self) -> Process:
        """Fill the bowl, then collect the plasma that more blood pushes out of it."""
        session = self.session
        session.enter("draw", f"cycle {session.tally.cycles}")
        removed = session.tally.plasma_removed
        while not (self._packed or self._done):
            begin = session.env.now
            yield from session.until_free()
            if session.ended() or self._over_packs(session.env.now - begin):
                break
            session.note_first_draw()
            full = session.outside >= self.bowl.volume
            with session.dated():
                vitals = session.patient_now()
                check_blood_flows(vitals, session.line)
                flows = self._drawing(vitals.hematocrit, full=full)
            minutes, what_then = min(
                self._draw_events(flows, vitals.hematocrit, full=full), key=lambda due: due[0]
            )
            balance = session.settings.fluid_balance
            elapsed = yield from session.pump(self._drawn(flows), flows, minutes)
            self._room += (balance * flows.plasma - flows.anticoagulant) * elapsed
            self._count_calcium()
            self._cells += flows.blood * vitals.hematocrit * elapsed
            self._anticoagulant += flows.anticoagulant_kept * elapsed
            session.outside += (flows.inlet - flows.plasma) * elapsed
            if elapsed == minutes:
                what_then()
        outside = session.outside + session.tally.plasma_removed - removed
        session.tally.outside_most = max(session.tally.outside_most, outside)

    def _drawing(self, hematocrit: float, *, full: bool) -> PumpFlows:
        """Flows while the bowl fills; once it is full, all that flows in pushes plasma out."""
        session = self.session
        flows = filling_flows(
            session.controller.deliverable_inlet(), session.settings.anticoagulation
        )
        if self.bowl.plasma_flow(flows.inlet, flows.channel_hematocrit(hematocrit)) <= 0:
            raise inseparable(hematocrit)
        flows = replace(flows, plasma_processed=flows.blood * (1 - hematocrit))
        return pushing_flows(flows, hematocrit) if full else flows

    def _drawn(self, flows: PumpFlows) -> Exchange:
        """What a draw does to the patient: whatever is drawn stays outside."""
        return Exchange(
            blood_to_circuit=flows.blood,
            anticoagulant=self.session.machine.anticoagulant,
            anticoagulant_to_circuit=flows.anticoagulant,
            circuit_to_waste=flows.plasma,
        )

    def _draw_events(
        self, flows: PumpFlows, hematocrit: float, *, full: bool
    ) -> list[tuple[float, Callable[[], Any]]]:
        """Minutes until each thing that ends a stretch of a draw, and what it leads to."""
        session = self.session
        due: list[tuple[float, Callable[[], Any]]] = [
            (session.anticoagulant_lasts(flows), session.anticoagulant_bag.run_out)
        ]
        if not full:
            return [*due, ((self.bowl.volume - session.outside) / flows.inlet, self._fill)]
        cells = flows.blood * hematocrit
        room = max(0.0, self.bowl.cells(cells / flows.inlet) - self._cells)
        return [
            *due,
            (room / cells, self._pack),
            (session.to_target / flows.dose, lambda: None),
            (session.waste_bag.room / flows.plasma, session.waste_bag.run_out),
            (session.machine.device.hematocrit_update, lambda: None),
        ]

    def _fill(self) -> None:
        self.session.outside = self.bowl.volume  # but for rounding it is

    def _pack(self) -> None:
        self._packed = True

    def _over_packs(self, stood: float) -> bool:
        """Whether the bowl, which spins on, has packed while the pumps stood still."""
        if stood <= self.bowl.facts.standing_limit or self.session.outside <= 0:
            return False
        self.session.bedside.log(
            "bowl-over-packed", f"the pumps stood still for {stood:.1f} min; it is emptied now"
        )
        return True

    # -- return -------------------------------------------------------------------------------

    def _return(self) -> Process:
        """Give back what the bowl holds, and with it what is owed for the plasma."""
        session = self.session
        if session.circuit_lost or session.outside <= SMALL:
            return
        yield session.env.timeout(self.bowl.facts.turnaround)
        session.enter("return", f"cycle {session.tally.cycles}")
        with session.dated():
            session.patient_now()
        replacement, calcium = self._owed()
        flow = self._return_flow(replacement, calcium)
        while session.outside > SMALL:
            yield from session.until_free()
            if session.over():
                return
            flows = self._returning(flow, replacement, calcium)
            due: list[tuple[float, Callable[[], Any]]] = [
                (session.outside / flows.content_back, self._empty)
            ]
            if flows.replacement:
                per_dose = (session.line.replaced + replacement) / session.tally.dose
                due.append(session.replacement_event(flows, per_dose * session.settings.target))
            minutes, what_then = min(due, key=lambda d: d[0])
            elapsed = yield from session.pump(self._returned(flows), flows, minutes)
            replacement -= flows.replacement * elapsed
            calcium -= flows.calcium * elapsed
            self._room -= (flows.replacement + flows.calcium) * elapsed
            self._count_calcium()
            self._anticoagulant -= flows.anticoagulant_released * elapsed
            session.outside -= flows.content_back * elapsed
            if elapsed == minutes:
                what_then()
        self._empty()
        self._emptied = session.env.now
        yield session.env.timeout(self.bowl.facts.turnaround)

    def _owed(self) -> tuple[float, float]:
        """Replacement fluid and calcium solution (mL) due for what has been taken off so far."""
        session, settings = self.session, self.session.settings
        self._count_calcium()
        calcium, self._calcium = self._calcium, 0.0
        if session.ended() or not session.line.orders:
            return 0.0, calcium
        room = self._room - calcium
        if room < -NOTICEABLE:
            session.warn(
                "fluid balance",
                f"anticoagulant and calcium alone are {-room:.0f} mL more than a fluid balance of "
                f"{100 * settings.fluid_balance:.0f} % allows so far",
            )
        replacement = max(0.0, room) / (1 + settings.calcium_per_replacement)
        return replacement, calcium + settings.calcium_per_replacement * replacement

    def _count_calcium(self) -> None:
        """Count what a rate has ordered up to now; a changed one holds from now on."""
        since, rate = self._counted
        self._calcium += rate * (self.session.env.now - since)
        self._counted = (self.session.env.now, self.session.settings.calcium_flow)

    def _return_flow(self, replacement: float, calcium: float) -> float:
        """Flow of a return, mL/min: slower where citrate would reach the patient too fast.

        Counted is the mean of the cycle, in anticoagulant, as for continuous flow.
        """
        session, most = self.session, self.bowl.facts.return_flow
        citrate = session.controller.citrate_ratio(session.line) * replacement
        if session.machine.anticoagulant.citrate:
            citrate += self._anticoagulant
        least = citrate / session.citrate_limit - (session.env.now - self._emptied)
        volume = session.outside + replacement + calcium
        if least <= volume / most:
            return most
        session.warn(
            "citrate",
            f"the bowl is given back at {volume / least:.0f} instead of {most:.0f} mL/min: citrate "
            f"reaching the patient",
        )
        return volume / least

    def _returning(self, flow: float, replacement: float, calcium: float) -> PumpFlows:
        """Flows of a return: the bowl's content and what is owed reach the patient together."""
        content = self.session.outside
        per_minute = flow / (content + replacement + calcium)
        return PumpFlows(
            content_back=per_minute * content,
            anticoagulant_released=per_minute * self._anticoagulant,
            replacement=per_minute * replacement if replacement > SMALL else 0.0,
            calcium=per_minute * calcium if calcium > SMALL else 0.0,
        )

    def _returned(self, flows: PumpFlows) -> Exchange:
        """What a return does to the patient."""
        given = self.session.controller.given(flows, self.session.line)
        return Exchange(circuit_to_patient=flows.content_back, given=tuple(given))

    def _empty(self) -> None:
        self.session.outside = self._cells = self._anticoagulant = 0.0
        self._packed = False
