"""One patient: the state, and how it moves on under a constant exchange."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator import catalog
from simulator.boundary import REST, Exchange, Vitals
from simulator.errors import ImpossibleRunError
from simulator.ledger import IN_CIRCULATION, Ledger
from simulator.patient import books, equations, minerals, proteins, quiet, water
from simulator.patient.integrator import (
    NEGLIGIBLE,
    SMALLEST_STEP,
    Rates,
    State,
    Step,
    StepTooSmallError,
    integrate,
    replaced,
)
from simulator.patient.state import (
    ALBUMIN,
    BODY,
    BODY_POOLS,
    CIRCUIT,
    IGG,
    Constants,
    FluxTotals,
    Layout,
    SoluteConstants,
    Therapy,
    albumin_level,
    concentration_in,
    minerals_of,
    oncotic_first,
    plasma_oncotic_pressure,
)
from simulator.patient.state import INTERNAL as INTERNAL
from simulator.patient.volumes import volumes
from simulator.units import MINUTES_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.orders import FollowedSolute, PatientDescription

TOLERANCE = 1e-7
"""Relative error allowed in one step; over a course levels are good to 1e-7."""
FLEETING = 10.0
"""How much larger an error may be outside: it is gone, or back, within minutes."""

FIRST_STEP = 1.0  # min; the integrator finds its own length within a few steps
Observer = Callable[[Step], None]
Watch = Callable[[Step], float | None]
"""Looks at a step before it is taken: the time (min) inside it at which something happens in the
patient that nobody planned, or None."""


class Patient:
    """Volumes, proteins and minerals of one patient, and of the blood that is outside.

    Time in min from the start of the run. Masses in each solute's mass unit.
    """

    def __init__(
        self,
        description: PatientDescription,
        solutes: Mapping[str, FollowedSolute],
        ledger: Ledger | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        at_rest = volumes(description)
        followed = oncotic_first(solutes)
        plasma = [f.initial * at_rest.plasma / f.kinetics.per_volume for f in followed]
        interstitium = [
            proteins.interstitial_at_rest(mass, f.kinetics.intravascular_fraction)
            for mass, f in zip(plasma, followed, strict=True)
        ]
        total_igg = followed[IGG].initial
        citrate_volume = minerals.CITRATE_LITER_PER_KG * description.weight
        citrate_clearance = minerals.scaled_flow(minerals.CITRATE_CLEARANCE, description.weight)
        self.names = [f.kinetics.name for f in followed]
        self.layout = Layout(len(followed))
        self.ledger = Ledger() if ledger is None else ledger
        self.time = 0.0
        self.tolerance = tolerance
        self.constants = Constants(
            solutes=tuple(
                SoluteConstants.of(f.kinetics, mass, total_igg)
                for f, mass in zip(followed, plasma, strict=True)
            ),
            plasma_volume=at_rest.plasma,
            body_water=at_rest.plasma + at_rest.interstitial,
            plasma_oncotic_pressure=plasma_oncotic_pressure(plasma, at_rest.plasma),
            interstitial_oncotic_pressure=plasma_oncotic_pressure(
                interstitium, water.protein_space(at_rest.interstitial, at_rest.interstitial)
            ),
            f_cell_ratio=at_rest.f_cell_ratio,
            citrate_volume=citrate_volume,
            citrate_clearance=citrate_clearance,
            bone_release=minerals.scaled_flow(minerals.BONE_RELEASE, description.weight),
            ionized_calcium=description.ionized_calcium,
            starling=description.fluid_shift == "starling",
        )
        self.therapy = Therapy(
            synthesis=tuple(f.synthesis for f in followed),
            infused=(0.0,) * len(followed),
            fcrn_blockade=0.0,
            citrate_clearance=citrate_clearance * description.citrate_clearance,
        )
        fluid_volume = (at_rest.plasma + at_rest.interstitial) / 1000
        albumin = plasma[ALBUMIN] + interstitium[ALBUMIN]
        calcium, magnesium = minerals.contents(
            description.ionized_calcium,
            minerals.MAGNESIUM_AT_REST,
            minerals.CITRATE_AT_REST,
            minerals.calcium_space(fluid_volume, albumin),
            minerals.magnesium_space(fluid_volume, albumin),
            citrate_volume,
        )
        self.state: State = [
            at_rest.plasma,
            at_rest.interstitial,
            at_rest.red_cells,
            minerals.CITRATE_AT_REST * citrate_volume,
            calcium,
            magnesium,
            1.0,
            *plasma,
            *interstitium,
        ]
        self._infusions: list[tuple[str, float]] = []
        self._blockades: list[float] = []
        self._fluids: list[tuple[catalog.Fluid, float]] = []
        self._next_step = FIRST_STEP
        for substance, amount in self.weigh().items():
            self.ledger.post(substance, amount, source="start", target=IN_CIRCULATION)

    # -- what can be seen ---------------------------------------------------------------------

    def vitals(self) -> Vitals:
        """What a machine or a nurse can see now."""
        return self.vitals_of(self.state)

    def vitals_of(self, state: State) -> Vitals:
        """What a machine or a nurse would see in another state of this patient."""
        plasma_volume, red_cells = state[0], state[2]
        blood = plasma_volume + red_cells
        now = minerals_of(state, len(self.names), self.constants.citrate_volume)
        return Vitals(
            hematocrit=red_cells / blood / self.constants.f_cell_ratio,
            blood_volume=blood,
            plasma_volume=plasma_volume,
            ionized_calcium=now.ionized_calcium,
            ionized_magnesium=now.ionized_magnesium,
            total_calcium=minerals.total_calcium(
                now.ionized_calcium, now.free_citrate, albumin_level(state)
            ),
        )

    def blood_volume(self, state: State) -> float:
        """Blood volume of a state, mL, circuit not counted: cheaper than all the vital signs."""
        return state[0] + state[2]

    def concentration(self, name: str, state: State | None = None) -> float:
        """Plasma concentration of a solute, in its unit."""
        state = self.state if state is None else state
        i = self.names.index(name)
        return self.constants.solutes[i].per_volume * state[BODY + i] / state[0]

    def citrate(self, state: State) -> float:
        """Citrate of a state, mmol/L."""
        return state[3] / self.constants.citrate_volume

    def parathyroid_hormone(self, state: State, ionized_calcium: float) -> float:
        """Parathyroid hormone of a state with this ionized calcium (mmol/L), over rest."""
        secreted = minerals.secretion(ionized_calcium, self.constants.ionized_calcium)
        return minerals.parathyroid_hormone(state[6], secreted)

    def weigh(self) -> dict[str, float]:
        """What is in the patient and the circuit, by substance: the ledger must agree to it."""
        plasma_volume, interstitial, red_cells, citrate, calcium, magnesium, _ = self.state[:BODY]
        cells, plasma, added, citrate_outside, calcium_outside, magnesium_outside, _ = (
            self.state[self.layout.circuit] or [0.0] * CIRCUIT
        )
        outside = self.state[self.layout.circuit_solutes] or [0.0] * len(self.names)
        weight = {
            "water": plasma_volume + interstitial + plasma + added,
            "red_cells": red_cells + cells,
            "citrate": citrate + citrate_outside,
            "calcium": calcium + calcium_outside,
            "magnesium": magnesium + magnesium_outside,
        }
        masses = zip(
            self.names,
            self.state[self.layout.plasma],
            self.state[self.layout.interstitium],
            outside,
            strict=True,
        )
        return weight | {name: p + e + m for name, p, e, m in masses}

    # -- what is done to it -------------------------------------------------------------------

    def set_synthesis(self, name: str, fraction: float) -> None:
        """Make a solute at `fraction` of the rate that kept its initial level steady."""
        self.therapy = replace(
            self.therapy,
            synthesis=replaced(self.therapy.synthesis, self.names.index(name), fraction),
        )

    def start_blockade(self, fraction: float) -> None:
        """Block this fraction of FcRn; of several blockades the strongest counts."""
        self._blockades.append(fraction)
        self.therapy = replace(self.therapy, fcrn_blockade=max(self._blockades))

    def stop_blockade(self, fraction: float) -> None:
        """End a blockade that was started with this fraction."""
        self._blockades.remove(fraction)
        self.therapy = replace(self.therapy, fcrn_blockade=max(self._blockades, default=0.0))

    def set_citrate_clearance(self, fraction: float) -> None:
        """Clear citrate at this fraction of normal from now on."""
        self.therapy = replace(
            self.therapy, citrate_clearance=self.constants.citrate_clearance * fraction
        )

    def inject(self, name: str, amount: float) -> None:
        """Add a mass of a solute to plasma at once."""
        i = self.names.index(name)
        self.state = list(replaced(self.state, BODY + i, self.state[BODY + i] + amount))
        self.ledger.post(name, amount, source="doses", target=IN_CIRCULATION)

    def start_infusion(self, name: str, rate: float) -> None:
        """Infuse a solute at `rate`, mass per min, beside what already runs."""
        self._infusions.append((name, rate))
        self._sum_infusions()

    def stop_infusion(self, name: str, rate: float) -> None:
        """Stop an infusion that was started with this rate."""
        self._infusions.remove((name, rate))
        self._sum_infusions()

    def inject_fluid(self, fluid: catalog.Fluid, volume: float) -> None:
        """Give `volume` (mL) of a fluid into plasma at once."""
        state = list(self.state)
        state[0] += volume * (1 - fluid.hematocrit)
        state[2] += volume * fluid.hematocrit
        state[3] += volume * fluid.citrate / 1000
        state[4] += volume * fluid.calcium / 1000
        state[5] += volume * fluid.magnesium / 1000
        for place, solute in enumerate(self.constants.solutes, BODY):
            state[place] += volume * concentration_in(fluid, solute)
        self.state = state
        books.post_fluid(self.ledger, self.constants.solutes, fluid, volume)

    def start_fluid(self, fluid: catalog.Fluid, flow: float) -> None:
        """Give a fluid at `flow`, mL/min, beside what the machine and other drips give."""
        self._fluids.append((fluid, flow))
        self.therapy = replace(self.therapy, given=tuple(self._fluids))

    def stop_fluid(self, fluid: catalog.Fluid, flow: float) -> None:
        """Stop a fluid that was started with this flow; raises `ValueError` if none was."""
        self._fluids.remove((fluid, flow))
        self.therapy = replace(self.therapy, given=tuple(self._fluids))

    def _sum_infusions(self) -> None:
        # summed afresh, so that nothing is left of what was added and taken away again
        self.therapy = replace(
            self.therapy,
            infused=tuple(
                sum((rate for one, rate in self._infusions if one == name), 0.0)
                for name in self.names
            ),
        )

    def connect(self) -> None:
        """Attach a circuit; none of the patient's blood is in it yet."""
        self.state = [*self.state, *[0.0] * (CIRCUIT + len(self.names))]

    def disconnect(self) -> None:
        """Take the circuit away; what is left in it is discarded with the set."""
        cells, plasma, added, citrate, calcium, magnesium, _ = self.state[self.layout.circuit]
        left = {
            "water": plasma + added,
            "red_cells": cells,
            "citrate": citrate,
            "calcium": calcium,
            "magnesium": magnesium,
        }
        left |= dict(zip(self.names, self.state[self.layout.circuit_solutes], strict=True))
        for substance, amount in left.items():
            self.ledger.post(substance, amount, source=IN_CIRCULATION, target="set")
        self.state = self.state[self.layout.patient]

    def swap_column(self) -> None:
        """A column with nothing bound takes the place of the one in use."""
        self.state = list(replaced(self.state, self.layout.circuit.stop - 1, 0.0))

    def fork(self) -> Patient:
        """An independent copy, ledger included: another future from the same present."""
        return copy.deepcopy(self)

    # -- time ---------------------------------------------------------------------------------

    def advance(
        self,
        until: float,
        exchange: Exchange = REST,
        observe: Observer | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Move on to the time `until` (min) under a constant exchange.

        `observe` sees each step of the integrator. `watch` sees it before it is taken; where it
        names a time inside, the patient moves on to that time only, and stays there. Raises
        `ImpossibleRunError` when a volume or a mass would fall below zero.
        """
        if until <= self.time:
            return
        begin = self.time
        totals: list[float] = []
        rates = equations.rates(self.constants, self.therapy, exchange, self.state)
        try:
            for step, sums, proposed in self._steps(rates, until, watch):
                self.state, self.time, self._next_step = step.after, step.end, proposed
                self._refuse_negative(exchange)
                totals = [t + s for t, s in zip(totals, sums, strict=True)] if totals else sums
                if observe is not None:
                    observe(step)
        except StepTooSmallError:
            raise self._impossible("plasma volume", self.state[0], exchange) from None
        if until - self.time < SMALLEST_STEP:
            self.time = until
        solutes, minutes = self.constants.solutes, self.time - begin
        books.post_fluxes(self.ledger, solutes, FluxTotals.of(totals, len(solutes)))
        books.post_given(self.ledger, solutes, self.therapy, exchange, minutes)

    def _steps(
        self, rates: Rates, until: float, watch: Watch | None
    ) -> Iterator[tuple[Step, list[float], float]]:
        """The integrator's steps to `until`, or to where `watch` says that something happens."""
        attached = len(self.state) > self.layout.patient.stop
        measures = self._measures()
        method = integrate if attached or watch else quiet.integrate
        for taken in method(
            rates, self.state, self.time, until, self._next_step, self.tolerance, measures
        ):
            step = taken[0]
            happens = watch(step) if watch else None
            if happens is not None:
                # the same stretch again, now with steps that end at the instant
                size = max(happens - step.start, SMALLEST_STEP)
                yield from integrate(
                    rates,
                    step.before,
                    step.start,
                    step.start + size,
                    size,
                    self.tolerance,
                    measures,
                )
                return
            yield taken

    def _measures(self) -> State:
        """What errors of small numbers are measured by: outside, by what is in the patient."""
        y = self.state
        body = [0.0] * self.layout.patient.stop
        outside = [y[2], y[0], y[0], *y[3:6], 0.0, *y[self.layout.plasma]]
        return [*body, *(FLEETING * amount for amount in outside)]

    def _refuse_negative(self, exchange: Exchange) -> None:
        if min(self.state[self.layout.patient]) >= -NEGLIGIBLE:
            return
        for i, value in enumerate(self.state[self.layout.patient]):
            if value < -NEGLIGIBLE:
                raise self._impossible(self._pool_name(i), value, exchange)

    def _pool_name(self, place: int) -> str:
        if place < BODY:
            return BODY_POOLS[place]
        pool, solute = divmod(place - BODY, len(self.names))
        return f"{self.names[solute]} in {('plasma', 'the interstitium')[pool]}"

    def _impossible(self, pool: str, value: float, exchange: Exchange) -> ImpossibleRunError:
        fluids = (*exchange.given, *self.therapy.given)
        given = sum(flow for _, flow in fluids) + exchange.circuit_to_patient
        given += exchange.plasma_to_patient
        taken = exchange.plasma_to_circuit + exchange.blood_to_circuit
        return ImpossibleRunError(
            f"at {self.time / MINUTES_PER_DAY:.4g} d the {pool} falls to zero ({value:.3g}): "
            f"{taken:.3g} mL/min leave the patient and {given:.3g} mL/min are given back"
        )
