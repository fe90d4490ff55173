"""What a circuit takes from the patient, binds, discards and gives back.

The circuit is one mixed volume of plasma (with anticoagulant) beside red cells; what leaves it goes
to the waste bag, back to the patient, or onto a column. Units as in `equations`.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.boundary import Exchange, Passage
from simulator.elementary import ratio
from simulator.patient import minerals
from simulator.patient.integrator import State
from simulator.patient.state import (
    IGG,
    Constants,
    Layout,
    Minerals,
    SoluteConstants,
    albumin_level,
)

Complete = Callable[[State, Minerals, list[float], list[float]], tuple[list[float], list[float]]]
"""Adds what a circuit takes from body and plasma to their rates.

Arguments: state, its minerals, rates of the body, rates of the plasma masses. Returns the rates of
what is outside, and what leaves the circuit: citrate, calcium, magnesium and each solute to waste;
where plasma is treated, then each solute out of the mixed volume, onto the column, and back.
"""


def no_circuit(
    y: State, now: Minerals, d_body: list[float], d_plasma: list[float]
) -> tuple[list[float], list[float]]:
    """Nothing is attached."""
    del y, now, d_body
    return [], [0.0] * (3 + len(d_plasma))


def circuit(constants: Constants, exchange: Exchange, start: State) -> Complete:
    """What the circuit takes from the patient, gives back and sends to waste.

    dP/dt = ... - s Q_s P/V_p + R      dM/dt = s Q_s P/V_p - (Q_w + Q_b) M/V_m

    The plasma outside (M in V_m) is one mixed volume on its way to waste (Q_w) and, where it is
    treated, back (Q_b, R: see `treated`), so both lag the patient by a few minutes. What a filter
    holds back of the plasma drawn, also of that which fills the circuit, is counted in the patient.
    What rinseback or a bowl returns leaves as a plug, with the composition it has when that starts.
    """
    layout = Layout(len(constants.solutes))
    outside = [*start[layout.circuit], *start[layout.circuit_solutes]]
    content = sum(outside[:3])
    share_returned = ratio(exchange.circuit_to_patient, content)
    (
        cells_back, plasma_back, added_back, citrate_back, calcium_back, magnesium_back, _,
        *masses_back,
    ) = (share_returned * amount for amount in outside)  # fmt: skip
    added_in = exchange.anticoagulant_to_circuit
    citrate_in = added_in * (exchange.anticoagulant.citrate if exchange.anticoagulant else 0) / 1000
    passage = exchange.passage
    sieving = [s.sieving * passage.share(passage.sieving, s.kin, 1.0) for s in constants.solutes]
    leaving = exchange.circuit_to_waste + exchange.plasma_to_patient
    given_back = ratio(exchange.plasma_to_patient, leaving)
    treat = treated(constants.solutes, passage, given_back) if given_back else None

    def complete(
        y: State, now: Minerals, d_body: list[float], d_plasma: list[float]
    ) -> tuple[list[float], list[float]]:
        plasma_volume, red_cells = y[0], y[2]
        (
            _, plasma_outside, added_outside, citrate_outside, calcium_outside, magnesium_outside,
            bound,
        ) = y[layout.circuit]  # fmt: skip
        hematocrit = red_cells / (red_cells + plasma_volume) / constants.f_cell_ratio

        filling_cells = exchange.blood_to_circuit * hematocrit
        filling_plasma = exchange.blood_to_circuit - filling_cells
        plasma_out = filling_plasma + exchange.plasma_to_circuit

        outside_volume = plasma_outside + added_outside
        share_leaving = ratio(leaving, outside_volume)
        share_back = given_back * share_leaving
        share_wasted = share_leaving - share_back

        free, albumin = now.free_citrate, albumin_level(y)
        citrate_out = plasma_out * y[3] / constants.citrate_volume / 1000
        calcium_out = plasma_out * minerals.total_calcium(now.ionized_calcium, free, albumin) / 1000
        magnesium_out = (
            plasma_out * minerals.total_magnesium(now.ionized_magnesium, free, albumin) / 1000
        )
        wasted = [share_wasted * m for m in (citrate_outside, calcium_outside, magnesium_outside)]
        citrate_again, calcium_again, magnesium_again = (
            share_back * m for m in (citrate_outside, calcium_outside, magnesium_outside)
        )

        d_body[0] += plasma_back + added_back - plasma_out + share_back * outside_volume
        d_body[2] += cells_back - filling_cells
        d_body[3] += citrate_back - citrate_out + citrate_again
        d_body[4] += calcium_back - calcium_out + calcium_again
        d_body[5] += magnesium_back - magnesium_out + magnesium_again
        d_outside = [
            filling_cells - cells_back,
            plasma_out - plasma_back - share_leaving * plasma_outside,
            added_in - added_back - share_leaving * added_outside,
            citrate_in + citrate_out - citrate_back - wasted[0] - citrate_again,
            calcium_out - calcium_back - wasted[1] - calcium_again,
            magnesium_out - magnesium_back - wasted[2] - magnesium_again,
            0.0,
        ]

        drawn = plasma_out / plasma_volume
        plasma, masses_outside = y[layout.plasma], y[layout.circuit_solutes]
        passing = []
        for i, (p, m, s, back) in enumerate(
            zip(plasma, masses_outside, sieving, masses_back, strict=True)
        ):
            out = s * drawn * p
            through = share_leaving * m
            d_plasma[i] += back - out
            d_outside.append(out - back - through)
            passing.append(through)
        if treat is None:
            return d_outside, wasted + passing

        on_column, again = treat(passing, bound)
        d_outside[6] = on_column[IGG]
        for i, mass in enumerate(again):
            d_plasma[i] += mass
        discarded = [m - b - a for m, b, a in zip(passing, on_column, again, strict=True)]
        return d_outside, [*wasted, *discarded, *passing, *on_column, *again]

    return complete


def treated(
    solutes: tuple[SoluteConstants, ...], passage: Passage, given_back: float
) -> Callable[[list[float], float], tuple[list[float], list[float]]]:
    """What a column and a second filter do to the plasma that passes them.

    bound = E (1 - B/B_max) m,  given back = g s (m - bound),  discarded = what is left of m

    m is what arrives of a solute (mass per min), E the share a fresh column binds, B the IgG on it,
    g the share of the volume given back and s the sieving coefficient of the second filter.
    """
    fresh = [passage.share(passage.extraction, s.kin, 0.0) for s in solutes]
    through = [given_back * passage.share(passage.return_sieving, s.kin, 1.0) for s in solutes]
    capacity = passage.capacity

    def treat(arriving: list[float], bound: float) -> tuple[list[float], list[float]]:
        free = 1 - bound / capacity
        on_column = [e * free * m for e, m in zip(fresh, arriving, strict=True)]
        again = [t * (m - b) for t, m, b in zip(through, arriving, on_column, strict=True)]
        return on_column, again

    return treat
