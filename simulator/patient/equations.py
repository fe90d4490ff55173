"""The patient's rate equations: every flux computed once, then once with - and once with +.

The state is one list of numbers; `state.Layout` says what stands where and the equations unpack it
into names. Units: mL, mmol, the solutes' own mass units, per min.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.boundary import Exchange
from simulator.patient import minerals, proteins, water
from simulator.patient.integrator import Rates, State
from simulator.patient.state import (
    BODY,
    COMMON_FLUXES,
    IGG,
    Constants,
    Layout,
    Minerals,
    SoluteConstants,
    Therapy,
    albumin_level,
    concentration_in,
    minerals_of,
    plasma_oncotic_pressure,
)


@dataclass(frozen=True, slots=True)
class Inflow:
    """What reaches the patient per min from bottles, bags and syringes: mL, mmol, masses."""

    water: float
    red_cells: float
    citrate: float
    calcium: float
    magnesium: float
    masses: tuple[float, ...]

    @classmethod
    def of(
        cls, exchange: Exchange, therapy: Therapy, solutes: tuple[SoluteConstants, ...]
    ) -> Inflow:
        """The inflow of an exchange and of the drugs and fluids that run."""
        given = (*exchange.given, *therapy.given)
        return cls(
            water=sum(flow * (1 - fluid.hematocrit) for fluid, flow in given),
            red_cells=sum(flow * fluid.hematocrit for fluid, flow in given),
            citrate=sum(flow * fluid.citrate for fluid, flow in given) / 1000,
            calcium=sum(flow * fluid.calcium for fluid, flow in given) / 1000,
            magnesium=sum(flow * fluid.magnesium for fluid, flow in given) / 1000,
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
    citrate_volume, bone_release = constants.citrate_volume, constants.bone_release
    starling = constants.starling
    plasma_at_rest = constants.plasma_volume
    interstitial_at_rest = constants.body_water - plasma_at_rest
    turnover = proteins.turnover

    def patient_rates(y: State) -> list[float]:
        plasma_volume, interstitial_volume, _, citrate, _, _, parathyroid_store = y[:BODY]
        if plasma_volume <= 0:
            return impossible
        plasma, interstitium = y[in_plasma], y[in_interstitium]

        oncotic = plasma_oncotic_pressure(plasma, plasma_volume)
        filtered = excreted = 0.0
        if starling:
            filtered = water.filtration(
                plasma_at_rest,
                plasma_volume / plasma_at_rest - 1,
                interstitial_volume / interstitial_at_rest - 1,
                oncotic - constants.plasma_oncotic_pressure,
                plasma_oncotic_pressure(
                    interstitium, water.protein_space(interstitial_volume, interstitial_at_rest)
                )
                - constants.interstitial_oncotic_pressure,
            )
            excreted = water.excretion(plasma_volume + interstitial_volume - constants.body_water)

        metabolized = minerals.metabolized_citrate(
            citrate / citrate_volume, therapy.citrate_clearance
        )
        now = minerals_of(y, n, citrate_volume)
        hormone = minerals.parathyroid_hormone(
            parathyroid_store, minerals.secretion(now.ionized_calcium, constants.ionized_calcium)
        )
        released = minerals.released_from_bone(hormone, bone_release)
        regained = minerals.regained_magnesium(now.ionized_magnesium, now.magnesium_space)

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
            inflow.red_cells,
            inflow.citrate - metabolized,
            inflow.calcium + released,
            inflow.magnesium + regained,
            minerals.refilled(parathyroid_store, hormone),
        ]
        d_outside, wasted = complete(y, now, d_body, d_plasma)
        return [
            *d_body, *d_plasma, *d_interstitium, *d_outside,
            excreted, metabolized, released, regained, *wasted[:3],
            *synthesized, *catabolized, *wasted[3:],
        ]  # fmt: skip

    return patient_rates


Complete = Callable[[State, Minerals, list[float], list[float]], tuple[list[float], list[float]]]
"""Adds what a circuit takes from body and plasma to their rates.

Arguments: state, its minerals, rates of the body, rates of the plasma masses. Returns the rates of
what is outside, and what goes to waste: citrate, calcium, magnesium, then each solute.
"""


def _no_circuit(
    y: State, now: Minerals, d_body: list[float], d_plasma: list[float]
) -> tuple[list[float], list[float]]:
    del y, now, d_body
    return [], [0.0] * (3 + len(d_plasma))


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
    (
        cells_back, plasma_back, added_back, citrate_back, calcium_back, magnesium_back,
        *masses_back,
    ) = (share_returned * amount for amount in outside)  # fmt: skip
    added_in = exchange.anticoagulant_to_circuit
    citrate_in = added_in * (exchange.anticoagulant.citrate if exchange.anticoagulant else 0) / 1000
    sieving = [s.sieving for s in constants.solutes]

    def complete(
        y: State, now: Minerals, d_body: list[float], d_plasma: list[float]
    ) -> tuple[list[float], list[float]]:
        plasma_volume, red_cells = y[0], y[2]
        _, plasma_outside, added_outside, citrate_outside, calcium_outside, magnesium_outside = y[
            layout.circuit
        ]
        hematocrit = red_cells / (red_cells + plasma_volume) / constants.f_cell_ratio

        filling_cells = exchange.blood_to_circuit * hematocrit
        filling_plasma = exchange.blood_to_circuit - filling_cells
        plasma_out = filling_plasma + exchange.plasma_to_circuit

        outside_volume = plasma_outside + added_outside
        share_wasted = exchange.circuit_to_waste / outside_volume if outside_volume > 0 else 0.0

        free, albumin = now.free_citrate, albumin_level(y)
        citrate_out = plasma_out * y[3] / constants.citrate_volume / 1000
        calcium_out = plasma_out * minerals.total_calcium(now.ionized_calcium, free, albumin) / 1000
        magnesium_out = (
            plasma_out * minerals.total_magnesium(now.ionized_magnesium, free, albumin) / 1000
        )
        citrate_wasted = share_wasted * citrate_outside
        calcium_wasted = share_wasted * calcium_outside
        magnesium_wasted = share_wasted * magnesium_outside

        d_body[0] += plasma_back + added_back - plasma_out
        d_body[2] += cells_back - filling_cells
        d_body[3] += citrate_back - citrate_out
        d_body[4] += calcium_back - calcium_out
        d_body[5] += magnesium_back - magnesium_out
        d_outside = [
            filling_cells - cells_back,
            plasma_out - plasma_back - share_wasted * plasma_outside,
            added_in - added_back - share_wasted * added_outside,
            citrate_in + citrate_out - citrate_back - citrate_wasted,
            calcium_out - calcium_back - calcium_wasted,
            magnesium_out - magnesium_back - magnesium_wasted,
        ]
        wasted = [citrate_wasted, calcium_wasted, magnesium_wasted]

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
