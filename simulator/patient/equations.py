"""The patient's rate equations: every flux computed once, then once with - and once with +.

The state is one list of numbers; `Layout` says what stands where and the equations unpack it into
names. Units: mL, mmol, the solutes' own mass units, per min.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator import units
from simulator.boundary import Exchange
from simulator.catalog import Catabolism, Fluid, Solute
from simulator.patient import minerals, proteins, water
from simulator.patient.integrator import Rates, State

BODY = 5
"""Plasma volume, interstitial volume, red cells (mL), citrate, calcium (mmol)."""
CIRCUIT = 5
"""Red cells, plasma, added fluid (mL), citrate, calcium (mmol) outside the body."""
ALBUMIN, IGG, OTHER_GLOBULINS = 0, 1, 2
"""Places of the solutes that hold the oncotic pressure; these always come first."""
COMMON_FLUXES = 5
"""Fluxes that stand before those of the solutes: see `FluxTotals`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number stands in the state: body, plasma, interstitium, circuit, its solutes."""

    solutes: int

    @property
    def plasma(self) -> slice:
        """Masses of the solutes in plasma."""
        return slice(BODY, BODY + self.solutes)

    @property
    def interstitium(self) -> slice:
        """Masses of the solutes in the interstitium."""
        return slice(BODY + self.solutes, BODY + 2 * self.solutes)

    @property
    def patient(self) -> slice:
        """All that is inside the body."""
        return slice(0, BODY + 2 * self.solutes)

    @property
    def circuit(self) -> slice:
        """Volumes and minerals outside the body."""
        start = BODY + 2 * self.solutes
        return slice(start, start + CIRCUIT)

    @property
    def circuit_solutes(self) -> slice:
        """Masses of the solutes outside the body."""
        start = BODY + 2 * self.solutes + CIRCUIT
        return slice(start, start + self.solutes)


@dataclass(frozen=True, slots=True)
class SoluteConstants:
    """What the equations need to know of one solute; rates per min."""

    name: str
    escape: float
    lymph_return: float
    catabolism: Catabolism
    synthesis_at_rest: float
    """Mass per min that keeps the initial level steady."""
    synthesis_gain: float
    sieving: float
    per_volume: float
    unit: str

    @classmethod
    def of(cls, solute: Solute, plasma_mass: float, total_igg: float) -> SoluteConstants:
        """The constants of a solute in a patient at rest with this plasma mass and IgG (g/L)."""
        escape = solute.transcapillary_escape
        k = solute.catabolism
        at_rest = proteins.catabolic_rate(
            k.intrinsic, k.protected_fraction, k.half_saturation, total_igg
        )
        return cls(
            name=solute.name,
            escape=escape,
            lymph_return=proteins.lymph_return_rate(escape, solute.intravascular_fraction),
            catabolism=solute.catabolism,
            synthesis_at_rest=at_rest * plasma_mass,
            synthesis_gain=solute.synthesis_gain,
            sieving=solute.sieving,
            per_volume=solute.per_volume,
            unit=solute.unit,
        )


@dataclass(frozen=True, slots=True)
class Constants:
    """The patient at rest, and what is not part of the state."""

    solutes: tuple[SoluteConstants, ...]
    plasma_volume: float
    body_water: float
    plasma_oncotic_pressure: float
    interstitial_oncotic_pressure: float
    f_cell_ratio: float
    calcium_volume: float
    """L"""
    ionized_calcium: float
    """mmol/L at rest"""
    starling: bool


@dataclass(frozen=True, slots=True)
class Therapy:
    """What drugs do now: synthesis as a fraction of rest, FcRn blocked, masses infused per min."""

    synthesis: tuple[float, ...]
    infused: tuple[float, ...]
    fcrn_blockade: float
    citrate_clearance: float
    """L/min"""


@dataclass(frozen=True, slots=True)
class FluxTotals:
    """Fluxes summed over a step, in the order in which the equations append them."""

    excreted: float
    metabolized_citrate: float
    released_calcium: float
    wasted_citrate: float
    wasted_calcium: float
    synthesized: list[float]
    catabolized: list[float]
    wasted: list[float]

    @classmethod
    def of(cls, sums: list[float], solutes: int) -> FluxTotals:
        """The sums by name."""
        excreted, metabolized, released, wasted_citrate, wasted_calcium, *rest = sums
        return cls(
            excreted,
            metabolized,
            released,
            wasted_citrate,
            wasted_calcium,
            synthesized=rest[:solutes],
            catabolized=rest[solutes : 2 * solutes],
            wasted=rest[2 * solutes :],
        )


def concentration_in(fluid: Fluid, solute: SoluteConstants) -> float:
    """Concentration of a solute in a fluid, in the solute's mass unit per mL."""
    text = fluid.solutes.get(solute.name)
    return 0.0 if text is None else units.parse(text).to(solute.unit) / solute.per_volume


def plasma_oncotic_pressure(plasma: State, plasma_volume: float) -> float:
    """Oncotic pressure (mmHg) of the protein masses (g) in a volume of plasma (mL)."""
    per_dl = 100 / plasma_volume
    globulin = (plasma[IGG] + plasma[OTHER_GLOBULINS]) * per_dl
    return water.oncotic_pressure(plasma[ALBUMIN] * per_dl, globulin)


def ionized_calcium(state: State, constants: Constants) -> float:
    """Ionized calcium, mmol/L, of a state."""
    plasma_volume, _, _, citrate, calcium = state[:BODY]
    return minerals.ionized_calcium(
        calcium,
        citrate / minerals.CITRATE_VOLUME,
        1000 * state[BODY + ALBUMIN] / plasma_volume,
        plasma_volume / 1000,
        constants.calcium_volume,
    )


@dataclass(frozen=True, slots=True)
class Inflow:
    """What reaches the patient per min from bottles, bags and syringes: mL, mmol, masses."""

    water: float
    citrate: float
    calcium: float
    masses: tuple[float, ...]

    @classmethod
    def of(
        cls, exchange: Exchange, therapy: Therapy, solutes: tuple[SoluteConstants, ...]
    ) -> Inflow:
        """The inflow of an exchange and of the drugs that run."""
        given = exchange.given
        return cls(
            water=sum(flow for _, flow in given),
            citrate=sum(flow * fluid.citrate for fluid, flow in given) / 1000,
            calcium=sum(flow * fluid.calcium for fluid, flow in given) / 1000,
            masses=tuple(
                infused + sum(flow * concentration_in(fluid, s) for fluid, flow in given)
                for s, infused in zip(solutes, therapy.infused, strict=True)
            ),
        )


def rates(constants: Constants, therapy: Therapy, exchange: Exchange, start: State) -> Rates:
    """The rate equations for one stretch of constant `exchange`, beginning at the state `start`.

    dV_p/dt = given - filtered - excreted                      dV_i/dt = filtered
    dP/dt   = S + given - k_c P - k₁₂ P + k₂₁ E                dE/dt   = k₁₂ P - k₂₁ E

    and what the circuit takes and gives back, if one is attached (`_circuit`). After the rates
    come the fluxes of `FluxTotals`.
    """
    solutes = constants.solutes
    n = len(solutes)
    layout = Layout(n)
    in_plasma, in_interstitium = layout.plasma, layout.interstitium
    impossible = [math.nan] * (len(start) + COMMON_FLUXES + 3 * n)
    inflow = Inflow.of(exchange, therapy, solutes)
    kinetics = [
        (
            (k := s.catabolism).intrinsic, k.protected_fraction, k.half_saturation,
            s.escape, s.lymph_return, s.synthesis_at_rest * fraction, s.synthesis_gain, given,
        )
        for s, fraction, given in zip(solutes, therapy.synthesis, inflow.masses, strict=True)
    ]  # fmt: skip
    complete = (
        _circuit(constants, exchange, start) if len(start) > layout.patient.stop else _no_circuit
    )
    g_per_l = solutes[IGG].per_volume
    blockade = therapy.fcrn_blockade
    calcium_volume = constants.calcium_volume
    starling = constants.starling
    turnover = proteins.turnover

    def patient_rates(y: State) -> list[float]:
        plasma_volume, interstitial_volume, _, citrate, calcium = y[:BODY]
        if plasma_volume <= 0:
            return impossible
        plasma, interstitium = y[in_plasma], y[in_interstitium]

        oncotic = plasma_oncotic_pressure(plasma, plasma_volume)
        filtered = excreted = 0.0
        if starling:
            filtered = water.filtration(
                plasma_volume - constants.plasma_volume,
                oncotic - constants.plasma_oncotic_pressure,
                plasma_oncotic_pressure(interstitium, interstitial_volume)
                - constants.interstitial_oncotic_pressure,
            )
            excreted = water.excretion(plasma_volume + interstitial_volume - constants.body_water)

        citrate_level = citrate / minerals.CITRATE_VOLUME
        metabolized = minerals.metabolized_citrate(citrate_level, therapy.citrate_clearance)
        albumin_level = 1000 * plasma[ALBUMIN] / plasma_volume
        ionized = minerals.ionized_calcium(
            calcium, citrate_level, albumin_level, plasma_volume / 1000, calcium_volume
        )
        released = minerals.released_from_bone(ionized, constants.ionized_calcium)

        total_igg = g_per_l * plasma[IGG] / plasma_volume
        oncotic_ratio = oncotic / constants.plasma_oncotic_pressure
        d_plasma, d_interstitium, synthesized, catabolized = [], [], [], []
        for (intrinsic, protected, half, escape, lymph_return, at_rest, gain, given), p, e in zip(
            kinetics, plasma, interstitium, strict=True
        ):
            k_c, made = intrinsic, at_rest
            if protected:
                k_c = proteins.catabolic_rate(intrinsic, protected, half, total_igg, blockade)
            if gain:
                made = proteins.oncotic_synthesis(at_rest, oncotic_ratio, gain)
            escaping, returning, broken_down = turnover(p, e, escape, lymph_return, k_c)
            d_plasma.append(made + given - broken_down - escaping + returning)
            d_interstitium.append(escaping - returning)
            synthesized.append(made)
            catabolized.append(broken_down)

        d_body = [
            inflow.water - filtered - excreted,
            filtered,
            0.0,
            inflow.citrate - metabolized,
            inflow.calcium + released,
        ]
        d_outside, wasted = complete(y, ionized, d_body, d_plasma)
        return [
            *d_body, *d_plasma, *d_interstitium, *d_outside,
            excreted, metabolized, released, *wasted[:2], *synthesized, *catabolized, *wasted[2:],
        ]  # fmt: skip

    return patient_rates


Complete = Callable[[State, float, list[float], list[float]], tuple[list[float], list[float]]]
"""Adds what a circuit takes from body and plasma to their rates.

Arguments: state, ionized calcium (mmol/L), rates of the body, rates of the plasma masses. Returns
the rates of what is outside, and what goes to waste: citrate, calcium, then each solute.
"""


def _no_circuit(
    y: State, ionized: float, d_body: list[float], d_plasma: list[float]
) -> tuple[list[float], list[float]]:
    del y, ionized, d_body
    return [], [0.0] * (2 + len(d_plasma))


def _circuit(constants: Constants, exchange: Exchange, start: State) -> Complete:
    """What the circuit takes from the patient, gives back and sends to waste.

    dP/dt -= s Q_p P/V_p          dM/dt = s Q_p P/V_p - Q_w M/V_m

    The plasma outside (M in V_m) is one mixed volume on its way to the waste bag, so the bag lags
    the patient by a few minutes. What rinseback returns leaves as a plug, with the composition it
    has when rinseback starts.
    """
    layout = Layout(len(constants.solutes))
    outside = [*start[layout.circuit], *start[layout.circuit_solutes]]
    content = sum(outside[:3])
    share_returned = exchange.circuit_to_patient / content if content else 0.0
    cells_back, plasma_back, added_back, citrate_back, calcium_back, *masses_back = (
        share_returned * amount for amount in outside
    )
    added_in = exchange.anticoagulant_to_circuit
    citrate_in = added_in * (exchange.anticoagulant.citrate if exchange.anticoagulant else 0) / 1000
    sieving = [s.sieving for s in constants.solutes]

    def complete(
        y: State, ionized: float, d_body: list[float], d_plasma: list[float]
    ) -> tuple[list[float], list[float]]:
        plasma_volume, _, red_cells, citrate, _ = y[:BODY]
        _, plasma_outside, added_outside, citrate_outside, calcium_outside = y[layout.circuit]
        hematocrit = red_cells / (red_cells + plasma_volume) / constants.f_cell_ratio

        filling_cells = exchange.blood_to_circuit * hematocrit
        filling_plasma = exchange.blood_to_circuit - filling_cells
        plasma_out = filling_plasma + exchange.plasma_to_circuit

        outside_volume = plasma_outside + added_outside
        share_wasted = exchange.circuit_to_waste / outside_volume if outside_volume > 0 else 0.0

        citrate_level = citrate / minerals.CITRATE_VOLUME
        albumin_level = 1000 * y[BODY + ALBUMIN] / plasma_volume
        calcium_level = minerals.total_calcium(ionized, citrate_level, albumin_level)
        citrate_out = plasma_out * citrate_level / 1000
        calcium_out = plasma_out * calcium_level / 1000
        citrate_wasted = share_wasted * citrate_outside
        calcium_wasted = share_wasted * calcium_outside

        d_body[0] += plasma_back + added_back - plasma_out
        d_body[2] += cells_back - filling_cells
        d_body[3] += citrate_back - citrate_out
        d_body[4] += calcium_back - calcium_out
        d_outside = [
            filling_cells - cells_back,
            plasma_out - plasma_back - share_wasted * plasma_outside,
            added_in - added_back - share_wasted * added_outside,
            citrate_in + citrate_out - citrate_back - citrate_wasted,
            calcium_out - calcium_back - calcium_wasted,
        ]
        wasted = [citrate_wasted, calcium_wasted]

        filling = filling_plasma / plasma_volume
        separating = exchange.plasma_to_circuit / plasma_volume
        plasma, masses_outside = y[layout.plasma], y[layout.circuit_solutes]
        for i, (p, m, s, back) in enumerate(
            zip(plasma, masses_outside, sieving, masses_back, strict=True)
        ):
            out = (filling + s * separating) * p
            discarded = share_wasted * m
            d_plasma[i] += back - out
            d_outside.append(out - back - discarded)
            wasted.append(discarded)
        return d_outside, wasted

    return complete
