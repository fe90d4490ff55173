"""Columns and second filters against closed forms and independent oracles; no machine, no SimPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from stand_ins import WOMAN, followed, tracer

from simulator import catalog, scenario
from simulator.boundary import FREE, Exchange, Passage
from simulator.ledger import ADSORBER, PLASMA_LINE, RETURNED
from simulator.machine.separators import passage
from simulator.orders import FollowedSolute
from simulator.patient import books, equations, extracorporeal
from simulator.patient.patient import Patient
from simulator.patient.state import IGG, FluxTotals

NO_SHIFT = replace(WOMAN, fluid_shift="none")
ACD = catalog.fluid("acd-a")
SALINE = catalog.fluid("saline")
FLOW = 30.0
"""Plasma through the circuit, mL/min."""
INERT_IGG = FollowedSolute(catalog.Solute("igg", "igg", "g/L", catalog.Catabolism(0.0)), 10.0)
"""Neither made nor broken down nor escaping: what a column makes of it can be written down."""


def attached(patient: Patient, blood: float = 120.0) -> Patient:
    """With a circuit that holds so much blood (mL)."""
    patient.connect()
    patient.advance(patient.time + 2.0, Exchange(blood_to_circuit=blood / 2))
    return patient


def inert(blood: float = 120.0, **others: FollowedSolute) -> Patient:
    """No water shifts; IgG and a tracer only go where plasma takes them."""
    return attached(Patient(NO_SHIFT, followed(tracer=tracer(), igg=INERT_IGG, **others)), blood)


def treating(passes: Passage, discarded: float = 0.0, anticoagulant: float = 0.0) -> Exchange:
    """Plasma to a second filter or a column and back; what is discarded is made up by saline."""
    through = FLOW + anticoagulant
    return Exchange(
        plasma_to_circuit=FLOW, anticoagulant=ACD, anticoagulant_to_circuit=anticoagulant,
        circuit_to_waste=discarded * through, plasma_to_patient=(1 - discarded) * through,
        passage=passes, given=((SALINE, discarded * through),),
    )  # fmt: skip


def in_plasma(patient: Patient, name: str) -> float:
    return patient.state[patient.layout.plasma][patient.names.index(name)]


def outside(patient: Patient, name: str) -> float:
    return patient.state[patient.layout.circuit_solutes][patient.names.index(name)]


def found(patient: Patient, *names: str) -> list[float]:
    """In plasma and outside, of each of these."""
    return [f(patient, name) for name in names for f in (in_plasma, outside)]


def bound(patient: Patient) -> float:
    """IgG on the column in use, g."""
    return patient.state[patient.layout.circuit][-1]


def residual(patient: Patient) -> float:
    """What is left over in the books or in the plasma line, at most, over what was moved."""
    ledger = patient.ledger
    inside = [ledger.relative_residual(s, w) for s, w in patient.weigh().items()]
    through = {name: ledger.received(name, PLASMA_LINE) or 1.0 for name in patient.names}
    line = [ledger.balance(name, PLASMA_LINE) / mass for name, mass in through.items()]
    return max(map(abs, [*inside, *line]))


# -- closed forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sieving", [0.0, 0.03, 0.69, 1.0])
@pytest.mark.parametrize("volumes", [0.5, 1.5])
def test_what_a_membrane_holds_back_leaves_more_slowly(sieving: float, volumes: float) -> None:
    """C/C0 = exp(-s x); s is the sieving of the membrane times that of the solute, here a half."""
    half = replace(tracer("half"), kinetics=replace(tracer("half").kinetics, sieving=0.5))
    patient = inert(half=half)
    volume = patient.state[0]
    before = {name: in_plasma(patient, name) for name in ("tracer", "half")}
    passes = Passage(sieving=dict.fromkeys(before, sieving))
    patient.advance(patient.time + volumes * volume / FLOW, treating(passes, discarded=1.0))
    left = [in_plasma(patient, name) / before[name] for name in before]
    falls = [math.exp(-sieving * volumes), math.exp(-0.5 * sieving * volumes)]
    assert left == pytest.approx(falls, rel=1e-7)


def two_pools(patient: Patient, first: float, back: float, minutes: float) -> list[float]:
    """Plasma and circuit by a matrix exponential: dP = -s q P + b r M, dM = s q P - r M."""
    _, plasma, added, *_ = patient.state[patient.layout.circuit]
    q, r = FLOW / patient.state[0], FLOW / (plasma + added)
    matrix = np.array([[-first * q, back * r], [first * q, -r]])
    return [float(mass) for mass in expm(matrix * minutes) @ found(patient, "tracer")]


@pytest.mark.parametrize(("passes", "discarded", "first", "back"), [
    (Passage(return_sieving={"tracer": 0.37}), 0.15, 1.0, 0.85 * 0.37),
    (Passage({"tracer": 0.71}, {"tracer": 0.06}), 0.20, 0.71, 0.80 * 0.06),
    (Passage(return_sieving={"tracer": 0.0}), 0.10, 1.0, 0.0),
    (Passage(extraction={"tracer": 0.79}), 0.0, 1.0, 0.21),
    (Passage({"tracer": 0.9}, {"tracer": 0.5}, {"tracer": 0.6}), 0.3, 0.9, 0.7 * 0.5 * 0.4),
    (Passage(extraction={"tracer": 1.0}), 0.0, 1.0, 0.0),
])  # fmt: skip
def test_treated_plasma_agrees_with_a_matrix_exponential(
    passes: Passage, discarded: float, first: float, back: float
) -> None:
    patient = inert()
    patient.tolerance = 1e-9  # what is outside is held to what it matters for inside
    minutes = 1.2 * patient.state[0] / FLOW
    expected = two_pools(patient, first, back, minutes)
    patient.advance(patient.time + minutes, treating(passes, discarded))
    assert found(patient, "tracer") == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("passes", "discarded", "exponent"), [
    (Passage(return_sieving={"tracer": 0.37}), 0.15, 1 - 0.85 * 0.37),
    (Passage(return_sieving={"tracer": 0.88}), 0.15, 1 - 0.85 * 0.88),
    (Passage(extraction={"tracer": 0.8}), 0.0, 0.8),
])  # fmt: skip
def test_without_a_lag_the_fall_is_that_of_the_textbook(
    passes: Passage, discarded: float, exponent: float
) -> None:
    """exp(-(1 - (1-d) s2) x) and exp(-E x): the limit of circuits of 8 and 4 mL of blood."""
    misses = []
    for blood in (8.0, 4.0):
        patient = inert(blood)
        before, x = in_plasma(patient, "tracer"), 1.1
        patient.advance(patient.time + x * patient.state[0] / FLOW, treating(passes, discarded))
        misses.append(in_plasma(patient, "tracer") / before / math.exp(-exponent * x) - 1)
    assert abs(misses[0]) < 0.005
    assert misses[0] == pytest.approx(2 * misses[1], rel=0.02)
    assert 2 * misses[1] - misses[0] == pytest.approx(0.0, abs=2e-5)


# -- a column that fills ---------------------------------------------------------------------------

COLUMN = Passage(extraction={"igg": 0.8, "tracer": 0.5}, capacity=12.0)


def by_hand(patient: Patient, minutes: float) -> list[float]:
    """IgG and tracer in plasma and circuit, and IgG on a fresh column, written anew for scipy."""
    q = FLOW / patient.state[0]
    r = FLOW / sum(patient.state[patient.layout.circuit][1:3])

    def slopes(_: float, y: list[float]) -> list[float]:
        igg, igg_out, other, other_out, column = y
        free = 1 - column / 12.0
        on, on_other = 0.8 * free * r * igg_out, 0.5 * free * r * other_out
        return [
            r * igg_out - on - q * igg, q * igg - r * igg_out,
            r * other_out - on_other - q * other, q * other - r * other_out, on,
        ]  # fmt: skip

    start = [*found(patient, "igg", "tracer"), 0.0]
    solved = solve_ivp(slopes, (0, minutes), start, rtol=1e-11, atol=1e-12)
    return [float(mass) for mass in solved.y[:, -1]]


@pytest.mark.parametrize("minutes", [20.0, 90.0, 400.0])
def test_a_column_that_saturates_agrees_with_an_integration_by_hand(minutes: float) -> None:
    patient = inert()
    expected = by_hand(patient, minutes)
    patient.advance(patient.time + minutes, treating(COLUMN))
    assert [*found(patient, "igg", "tracer"), bound(patient)] == pytest.approx(expected, rel=1e-6)
    assert patient.ledger.balance("igg", ADSORBER) == pytest.approx(bound(patient), rel=1e-9)


def test_another_column_begins_fresh() -> None:
    patient = inert()
    patient.advance(patient.time + 60, treating(COLUMN))
    first = bound(patient)
    unchanged = patient.fork()
    patient.swap_column()
    column = patient.layout.circuit.stop - 1
    assert patient.state == [*unchanged.state[:column], 0.0, *unchanged.state[column + 1 :]]
    expected = by_hand(patient, 60)
    for one in (patient, unchanged):
        one.advance(one.time + 60, treating(COLUMN))
    assert [*found(patient, "igg", "tracer"), bound(patient)] == pytest.approx(expected, rel=1e-6)
    assert patient.ledger.balance("igg", ADSORBER) == pytest.approx(first + bound(patient))
    assert patient.concentration("igg") < 0.95 * unchanged.concentration("igg")
    assert residual(patient) < 1e-12


# -- what is given back ----------------------------------------------------------------------------


@pytest.mark.parametrize("shift", ["none", "starling"])
def test_plasma_that_is_only_passed_through_changes_nothing(shift: Any) -> None:
    """But for what shifts after the blood is drawn, of which the circuit has its share late."""
    solutes = followed("igm", "fibrinogen", tracer=tracer(), igg=INERT_IGG)
    patient = attached(Patient(replace(WOMAN, fluid_shift=shift), solutes), 20.0)
    alone = patient.fork()
    patient.advance(patient.time + 120, treating(FREE))
    alone.advance(alone.time + 120)
    body = patient.layout.patient
    assert patient.state[body] == pytest.approx(alone.state[body], rel=2e-5)
    if shift == "none":
        assert patient.state[:3] == pytest.approx(alone.state[:3], rel=1e-12)
        for name in ("tracer", "igg"):
            assert in_plasma(patient, name) == pytest.approx(in_plasma(alone, name), rel=1e-9)
    waste = [patient.ledger.balance(s, "waste") for s in (*patient.names, "water", "citrate")]
    assert max(map(abs, waste)) < 1e-12


def test_anticoagulant_reaches_the_patient_with_the_plasma_that_is_given_back() -> None:
    """A drip of the same anticoagulant does the same, but for the few mL that are on their way."""
    treated, drip = (inert(4.0) for _ in range(2))
    treated.advance(treated.time + 100, treating(FREE, anticoagulant=3.0))
    drip.advance(drip.time + 100, Exchange(given=((ACD, 3.0),)))
    assert treated.state[0] == pytest.approx(drip.state[0], rel=1e-9)
    assert treated.citrate(treated.state) == pytest.approx(drip.citrate(drip.state), rel=0.01)
    seen, other = treated.vitals(), drip.vitals()
    assert seen.ionized_calcium == pytest.approx(other.ionized_calcium, rel=2e-3)
    assert seen.total_calcium == pytest.approx(other.total_calcium, rel=2e-3)
    assert [treated.ledger.balance(s, "waste") for s in ("water", "citrate")] == [0, 0]
    assert residual(treated) < 1e-12


def test_what_is_discarded_takes_its_share_of_water_citrate_and_calcium() -> None:
    """What has gone to waste, against the circuit's content summed up over short stretches."""
    patient, minutes, pieces = inert(), 60.0, 240
    before, circuit = patient.state[0], patient.layout.circuit
    seen = []
    for piece in range(pieces + 1):
        *_, plasma, added, citrate, calcium, magnesium, _ = patient.state[circuit]
        content = [citrate, calcium, magnesium, outside(patient, "tracer")]
        seen.append([0.25 * 33 / (plasma + added) * amount for amount in content])
        if piece < pieces:
            patient.advance(patient.time + minutes / pieces, treating(FREE, 0.25, 3.0))
    expected = np.trapezoid(np.array(seen), dx=minutes / pieces, axis=0)
    substances = ("citrate", "calcium", "magnesium", "tracer")
    wasted = [patient.ledger.balance(s, "waste") for s in substances]
    assert wasted == pytest.approx(expected.tolist(), rel=1e-4)
    assert patient.ledger.balance("water", "waste") == pytest.approx(0.25 * 33 * minutes)
    assert patient.state[0] - before == pytest.approx(3 * minutes, rel=1e-9)


# -- the books -------------------------------------------------------------------------------------

shares = st.sampled_from([0.0, 0.02, 0.37, 0.8, 1.0])
tables = st.fixed_dictionaries(dict.fromkeys(("igg", "igm", "albumin", "tracer", "igg3"), shares))


@settings(max_examples=25, deadline=None)
@given(st.builds(Passage, tables, tables, tables, st.floats(0.5, 50)),
       st.sampled_from([0.0, 0.15, 0.6, 0.99]), st.floats(0.0, 4.0),
       st.sampled_from(["starling", "none"]))  # fmt: skip
def test_nothing_appears_or_vanishes_in_a_plasma_line(
    passes: Passage, discarded: float, anticoagulant: float, shift: Any
) -> None:
    solutes = followed("igm", "igg3", "fibrinogen", tracer=tracer())
    patient = attached(Patient(replace(WOMAN, fluid_shift=shift), solutes))
    for _ in range(2):
        patient.advance(patient.time + 40, treating(passes, discarded, anticoagulant))
        patient.swap_column()
    patient.advance(patient.time + 2, Exchange(circuit_to_patient=40.0))
    patient.disconnect()
    patient.advance(patient.time + 1440)
    assert residual(patient) < 1e-11
    assert min(patient.state) >= 0
    for name in patient.names:
        received = [patient.ledger.received(name, a) for a in ("waste", ADSORBER, RETURNED)]
        through = patient.ledger.received(name, PLASMA_LINE)
        assert through == pytest.approx(sum(received), rel=1e-9)
        assert min(received) >= -1e-9 * through
        assert abs(patient.ledger.balance(name, RETURNED)) <= 1e-12 * through


# -- what a table knows ----------------------------------------------------------------------------

LIKE = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %, fluid_shift: none}
solutes:
  igg1: {}
  igg3: {}
  anti-achr: {like: igg1, initial: 30 nmol/L}
  other: {like: igg1, initial: 5 mg/L}
  third: {like: igg3, initial: 5 mg/L}
  stranger: {unit: mg/L, initial: 5 mg/L, intravascular_fraction: 100 %,
             transcapillary_escape: 0 %/h, half_life: 30 d}
course: {sessions: 0}
"""


def test_a_column_knows_solutes_by_their_kin() -> None:
    column = passage(catalog.device("tr-350"))
    table = column.extraction
    read = scenario.loads(LIKE)
    patient = attached(Patient(read.patient, read.solutes))
    patient.advance(patient.time + 60, treating(replace(column, capacity=math.inf)))
    known_as = {"igg": "igg", "igg1": "igg", "other": "igg", "igg3": "igg3", "third": "igg3"}
    known_as |= {"anti-achr": "anti-achr", "stranger": "stranger"}
    assert len({table[name] for name in ("igg", "igg3", "anti-achr")}) == 3
    for name, known in known_as.items():
        ledger = patient.ledger
        share = ledger.balance(name, ADSORBER) / ledger.received(name, PLASMA_LINE)
        assert share == pytest.approx(table.get(known, 0.0), rel=1e-9), name


# -- the laws have teeth ---------------------------------------------------------------------------


def wrong(patient: Patient) -> float:
    """The worst that the books show: residuals, the plasma line, the column, a negative account."""
    ledger, on_column = patient.ledger, bound(patient)
    column = abs(ledger.balance("igg", ADSORBER) - on_column) / (on_column or 1.0)
    through = ledger.received("igg", PLASMA_LINE)
    waste = abs(ledger.balance("igg", "waste") / through - 0.2 * (1 - on_column / through))
    return max(residual(patient), column, waste)


def an_hour() -> Patient:
    """On a column, of whose plasma a fifth is discarded."""
    patient = inert()
    patient.advance(patient.time + 60, treating(COLUMN, 0.2, anticoagulant=3.0))
    return patient


def test_an_honest_hour_shows_nothing_wrong() -> None:
    assert wrong(an_hour()) < 1e-11


@pytest.mark.parametrize(("bind", "back"), [(0, 1), (2, 1), (1, 0), (1, 2)])
def test_an_account_notices_a_column_that_loses_or_makes_protein(
    bind: float, back: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = extracorporeal.treated

    def crooked(*arguments: Any) -> Callable[..., Any]:
        treat = honest(*arguments)

        def false(arriving: list[float], held: float) -> Any:
            on_column, again = treat(arriving, held)
            return [bind * m for m in on_column], [back * m for m in again]

        return false

    monkeypatch.setattr(extracorporeal, "treated", crooked)
    assert wrong(an_hour()) > 1e-2


@pytest.mark.parametrize("term", ["treated", "bound", "given_back", "wasted"])
@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_an_account_notices_an_entry_dropped_or_doubled(
    term: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = books.post_fluxes

    def crooked(ledger: Any, solutes: Any, fluxes: FluxTotals) -> None:
        changed: Any = {term: [factor * amount for amount in getattr(fluxes, term)]}
        honest(ledger, solutes, replace(fluxes, **changed))

    monkeypatch.setattr(books, "post_fluxes", crooked)
    assert residual(an_hour()) > 1e-3


@pytest.mark.parametrize("factor", [0.0, 2.0])
@pytest.mark.parametrize("substance", ["water", "citrate", "calcium", "magnesium", "igg", "column"])
def test_the_ledger_notices_what_the_circuit_gives_and_takes_wrongly(
    substance: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it adds to the patient's rates, and to the column, is dropped or doubled."""
    honest = extracorporeal.circuit
    place = {"water": 0, "citrate": 3, "calcium": 4, "magnesium": 5, "igg": 7 + IGG, "column": -1}

    def crooked(*arguments: Any) -> Callable[..., Any]:
        complete = honest(*arguments)

        def false(y: Any, now: Any, d_body: list[float], d_plasma: list[float]) -> Any:
            own = [0.0] * len(d_body), [0.0] * len(d_plasma)
            outside_rates, fluxes = complete(y, now, *own)
            changes = [*own[0], *own[1], outside_rates[6]]
            changes[place[substance]] *= factor
            d_body[:] = map(sum, zip(d_body, changes[:7], strict=True))
            d_plasma[:] = map(sum, zip(d_plasma, changes[7:-1], strict=True))
            outside_rates[6] = changes[-1]
            return outside_rates, fluxes

        return false

    monkeypatch.setattr(equations, "circuit", crooked)
    assert wrong(an_hour()) > 1e-4
