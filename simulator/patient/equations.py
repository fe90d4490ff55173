"""The patient's rate equations: every flux computed once, then once with - and once with +.

The state is one list of numbers; `state.Layout` says what stands where and the equations unpack it
into names. Units: mL, mmol, the solutes' own mass units, per min.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.boundary import Exchange
from simulator.patient import minerals, proteins, water
from simulator.patient.extracorporeal import circuit, no_circuit
from simulator.patient.integrator import Rates, State
from simulator.patient.state import (
    BODY,
    COMMON_FLUXES,
    IGG,
    Constants,
    Layout,
    SoluteConstants,
    Therapy,
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


def rates(
    constants: Constants,
    therapy: Therapy,
    exchange: Exchange,
    start: State,
    inflow: Inflow | None = None,
) -> Rates:
    """The rate equations for one stretch of constant `exchange`, beginning at the state `start`.

    dV_p/dt = given - filtered - excreted                      dV_i/dt = filtered
    dP/dt   = S + given - k_c P - k₁₂ P + k₂₁ E                dE/dt   = k₁₂ P - k₂₁ E

    and what the circuit takes and gives back, if one is attached (see `extracorporeal`). After the
    rates come the fluxes of `FluxTotals`. `inflow`: what runs in, if it is known already.
    """
    solutes = constants.solutes
    n = len(solutes)
    layout = Layout(n)
    in_plasma, in_interstitium = layout.plasma, layout.interstitium
    fluxes = COMMON_FLUXES + (6 if exchange.plasma_to_patient else 3) * n
    impossible = [math.nan] * (len(start) + fluxes)
    if inflow is None:
        inflow = Inflow.of(exchange, therapy, solutes)
    kinetics = [
        (
            (k := s.catabolism).intrinsic, k.protected_fraction, k.half_saturation,
            s.escape, s.lymph_return, s.synthesis_at_rest * fraction, s.synthesis_gain, given,
        )
        for s, fraction, given in zip(solutes, therapy.synthesis, inflow.masses, strict=True)
    ]  # fmt: skip
    attached = len(start) > layout.patient.stop
    complete = circuit(constants, exchange, start) if attached else no_circuit
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
