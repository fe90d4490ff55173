"""What the ledger is told of a stretch of time: fluxes summed up, flows that were constant."""

from __future__ import annotations

from simulator.boundary import Exchange
from simulator.catalog import Fluid
from simulator.ledger import ADSORBER, IN_CIRCULATION, PLASMA_LINE, RETURNED, Ledger
from simulator.patient.state import FluxTotals, SoluteConstants, Therapy, concentration_in


def post_fluxes(ledger: Ledger, solutes: tuple[SoluteConstants, ...], fluxes: FluxTotals) -> None:
    """Book what the body made, broke down and released, and what went to waste."""
    post = ledger.post
    post("water", fluxes.excreted, source=IN_CIRCULATION, target="kidneys")
    post("citrate", fluxes.metabolized_citrate, source=IN_CIRCULATION, target="metabolism")
    post("calcium", fluxes.released_calcium, source="bone", target=IN_CIRCULATION)
    post("magnesium", fluxes.regained_magnesium, source="cells", target=IN_CIRCULATION)
    post("citrate", fluxes.wasted_citrate, source=IN_CIRCULATION, target="waste")
    post("calcium", fluxes.wasted_calcium, source=IN_CIRCULATION, target="waste")
    post("magnesium", fluxes.wasted_magnesium, source=IN_CIRCULATION, target="waste")
    for solute, made, broken_down, wasted in zip(
        solutes, fluxes.synthesized, fluxes.catabolized, fluxes.wasted, strict=True
    ):
        post(solute.name, made, source="synthesis", target=IN_CIRCULATION)
        post(solute.name, broken_down, source=IN_CIRCULATION, target="catabolism")
        if wasted:
            source = PLASMA_LINE if fluxes.treated else IN_CIRCULATION
            post(solute.name, wasted, source=source, target="waste")
    for solute, treated, bound, given_back in zip(
        solutes, fluxes.treated, fluxes.bound, fluxes.given_back, strict=False
    ):
        post(solute.name, treated, source=IN_CIRCULATION, target=PLASMA_LINE)
        post(solute.name, bound, source=PLASMA_LINE, target=ADSORBER)
        post(solute.name, given_back, source=PLASMA_LINE, target=RETURNED)
        post(solute.name, given_back, source=RETURNED, target=IN_CIRCULATION)


def post_given(
    ledger: Ledger,
    solutes: tuple[SoluteConstants, ...],
    therapy: Therapy,
    exchange: Exchange,
    minutes: float,
) -> None:
    """Book the flows that were constant over a stretch of `minutes`."""
    for solute, rate in zip(solutes, therapy.infused, strict=True):
        if rate:
            ledger.post(solute.name, rate * minutes, source="doses", target=IN_CIRCULATION)
    for fluid, flow in (*exchange.given, *therapy.given):
        post_fluid(ledger, solutes, fluid, flow * minutes)
    if exchange.anticoagulant is not None:
        volume = exchange.anticoagulant_to_circuit * minutes
        post_fluid(ledger, solutes, exchange.anticoagulant, volume)
    for fluid, flow in exchange.wasted:
        post_fluid(ledger, solutes, fluid, flow * minutes, target="waste")
    wasted = exchange.circuit_to_waste * minutes
    ledger.post("water", wasted, source=IN_CIRCULATION, target="waste")


def post_fluid(
    ledger: Ledger,
    solutes: tuple[SoluteConstants, ...],
    fluid: Fluid,
    volume: float,
    target: str = IN_CIRCULATION,
) -> None:
    """Book a volume (mL) of a fluid with all that is in it; the account is the fluid's name."""
    cells = volume * fluid.hematocrit
    amounts = {
        "water": volume - cells,
        "red_cells": cells,
        "citrate": volume * fluid.citrate / 1000,
        "calcium": volume * fluid.calcium / 1000,
        "magnesium": volume * fluid.magnesium / 1000,
    }
    amounts |= {solute.name: volume * concentration_in(fluid, solute) for solute in solutes}
    for substance, amount in amounts.items():
        if amount or substance == "water":
            ledger.post(substance, amount, source=fluid.name, target=target)
