"""Citrate, calcium and magnesium against closed forms, laws, and what was measured in people.

None of the rows measured comes with a spread, so they are met within 2 points of a percentage or
not met; where the model misses one, the number that it gives stands here beside the measured one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from stand_ins import WOMAN, followed

from simulator import catalog, scenario
from simulator.boundary import REST, Exchange
from simulator.errors import ImpossibleRunError
from simulator.orders import PatientDescription
from simulator.patient import minerals
from simulator.patient.patient import Patient
from simulator.result import BODY_COLUMNS
from simulator.simulation import simulate

DAY = 1440.0
CITRATE_MG = 189.1  # per mmol
ACD = catalog.fluid("acd-a")
ALBUMIN = catalog.fluid("albumin-5")
ENRICHED = catalog.fluid("albumin-calcium-magnesium")
PLAIN = replace(ENRICHED, calcium=0.0, magnesium=0.0)
PLASMA = catalog.fluid("fresh-frozen-plasma")
SALINE = catalog.fluid("saline")
CELLS = catalog.fluid("red-cells")
GLUCONATE = catalog.fluid("calcium-gluconate-10")
DONOR = PatientDescription(sex="male", weight=75, height=1.75, hematocrit=0.44)
NO_SHIFT = replace(DONOR, fluid_shift="none")


def citrate(mg_per_kg_min: float, weight: float = 75) -> Exchange:
    """Citrate straight into the patient, as acid citrate dextrose."""
    return Exchange(given=((ACD, mg_per_kg_min * weight / CITRATE_MG / ACD.citrate * 1000),))


def percent(now: float, before: float) -> float:
    return 100 * (now / before - 1)


def falls(patient: Patient) -> tuple[float, float]:
    """Ionized calcium and magnesium against rest, percent."""
    now = patient.vitals()
    rest = patient.constants.ionized_calcium
    return percent(now.ionized_calcium, rest), percent(now.ionized_magnesium, 0.55)


def hormone(patient: Patient) -> float:
    return patient.parathyroid_hormone(patient.state, patient.vitals().ionized_calcium)


def residuals(patient: Patient) -> list[float]:
    weighed = patient.weigh()
    return [abs(patient.ledger.relative_residual(name, weighed[name])) for name in weighed]


# -- the equilibrium -------------------------------------------------------------------------------

levels = st.floats(0.01, 20.0)
liters = st.floats(1.0, 100.0)


@settings(deadline=None)
@given(levels, levels, st.floats(0.0, 100.0), liters, st.floats(0.7, 1.0), liters)
def test_the_equilibrium_is_undone_by_its_inverse(
    calcium: float, magnesium: float, total: float, a: float, ratio: float, v: float
) -> None:
    b = ratio * a  # calcium has 1.15 to 1.2 times the space of magnesium
    held = minerals.contents(calcium, magnesium, total, a, b, v)
    ionized, ionized_magnesium, free = minerals.equilibrium(*held, total * v, a, b, v)
    assert ionized == pytest.approx(calcium, rel=1e-9)
    assert ionized_magnesium == pytest.approx(magnesium, rel=1e-9)
    bound = 1 + minerals.CALCIUM_CITRATE * ionized + minerals.MAGNESIUM_CITRATE * ionized_magnesium
    assert free * bound == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("total", [0.1, 0.9, 5.0])
def test_the_equilibrium_conserves_citrate_as_a_root_finder_finds_it(total: float) -> None:
    calcium, magnesium, a, b, v = 31.0, 11.0, 23.0, 20.0, 30.0

    def missing(free: float) -> float:
        on_calcium = v * 2.5 * free * calcium / (a + v * 2.5 * free)
        on_magnesium = v * 2.0 * free * magnesium / (b + v * 2.0 * free)
        return v * free + on_calcium + on_magnesium - v * total

    free = brentq(missing, 0, total, xtol=1e-14, rtol=1e-14)
    found = minerals.equilibrium(calcium, magnesium, v * total, a, b, v)
    assert found == pytest.approx(
        (calcium / (a + 75 * free), magnesium / (b + 60 * free), free), rel=1e-9
    )


def test_magnesium_takes_citrate_from_calcium() -> None:
    less, more = (minerals.equilibrium(30.0, n, 30.0, 23.0, 20.0, 30.0) for n in (5.0, 15.0))
    assert more[0] > less[0]
    assert more[2] < less[2]


def test_plasma_at_rest_holds_what_plasma_holds() -> None:
    patient = Patient(WOMAN, followed())
    vitals = patient.vitals()
    assert vitals.ionized_calcium == pytest.approx(1.22, rel=1e-12)
    assert vitals.ionized_magnesium == pytest.approx(0.55, rel=1e-12)
    assert 2.2 < vitals.total_calcium < 2.6
    free = 0.1 / (1 + 2.5 * 1.22 + 2.0 * 0.55)
    assert minerals.total_magnesium(0.55, free, 42.0) == pytest.approx(0.85, abs=0.01)
    assert minerals.total_calcium(1.20, free, 40.0) == pytest.approx(2.35, abs=0.01)


def test_the_bound_share_of_an_albumin_is_fixed_where_measured_it_rises() -> None:
    """A miss: 1.0 mg/g rose to 2.1 as albumin fell from 31 to 17 g/L [besarab]; here 0.9."""
    bound = [
        40.08 * (minerals.total_calcium(1.22, 0.0, g) - minerals.total_calcium(1.22, 0.0, 0.0)) / g
        for g in (31.0, 17.0)
    ]
    assert bound == pytest.approx([0.88, 0.88], abs=0.01)


# -- citrate ---------------------------------------------------------------------------------------


def test_citrate_follows_the_closed_form_of_one_compartment() -> None:
    """C = C_rest + R / CL (1 - exp(-CL t / V))"""
    patient = Patient(NO_SHIFT, followed())
    for minutes in (10.0, 50.0, 120.0):
        patient.advance(minutes, citrate(1.5))
        rise = 1.5 * 75 / CITRATE_MG / 0.71 * -math.expm1(-0.71 * minutes / 30)
        assert patient.citrate(patient.state) == pytest.approx(0.1 + rise, rel=1e-7)


@pytest.mark.parametrize("weight", [20.0, 75.0, 120.0])
def test_volumes_go_with_weight_and_flows_with_its_three_quarters(weight: float) -> None:
    constants = Patient(replace(DONOR, weight=weight), followed()).constants
    assert constants.citrate_volume == pytest.approx(30 * weight / 75)
    assert constants.citrate_clearance == pytest.approx(0.71 * (weight / 75) ** 0.75)


def test_cirrhosis_against_normal_after_two_hours_of_citrate() -> None:
    """Calibration [kramer-2003]: peaks 1.65, areas 2.14 at 0.5 mmol/kg/h, 340 for 710 mL/min."""
    peaks, areas = [], []
    for clearance in (1.0, 340 / 710):
        patient = Patient(replace(NO_SHIFT, citrate_clearance=clearance), followed())
        patient.advance(120, citrate(0.5 * CITRATE_MG / 60))
        peaks.append(patient.citrate(patient.state) - 0.1)
        patient.advance(2 * DAY)
        burnt = patient.ledger.balance("citrate", "metabolism")
        areas.append(burnt / patient.therapy.citrate_clearance)
    assert peaks[1] / peaks[0] == pytest.approx(1.65, abs=0.01)
    assert areas[1] / areas[0] == pytest.approx(2.09, abs=0.01)  # measured: 2.14
    assert areas[1] / areas[0] == pytest.approx(2.14, rel=0.03)


def test_two_thirds_of_the_citrate_are_gone_within_two_hours() -> None:
    """Test [vox-sang-1998]: about 65 % of the load by the second hour."""
    patient = Patient(NO_SHIFT, followed())
    patient.advance(120, citrate(1.1))
    load = -patient.ledger.balance("citrate", "acd-a")
    assert patient.ledger.balance("citrate", "metabolism") / load == pytest.approx(0.67, abs=0.01)


def test_citrate_clearance_changes_while_citrate_runs() -> None:
    patient, changed = Patient(DONOR, followed()), Patient(DONOR, followed())
    for one in (patient, changed):
        one.advance(30, citrate(1.1))
    changed.set_citrate_clearance(0.3)
    for one in (patient, changed):
        one.advance(60, citrate(1.1))
    assert changed.citrate(changed.state) > 1.2 * patient.citrate(patient.state)
    assert changed.vitals().ionized_calcium < patient.vitals().ionized_calcium
    assert max(residuals(changed)) < 1e-11


# -- parathyroid hormone ---------------------------------------------------------------------------


def test_secretion_is_one_at_rest_and_bounded_both_ways() -> None:
    assert minerals.secretion(1.22, 1.22) == pytest.approx(1, rel=1e-12)
    assert minerals.secretion(0.2, 1.22) == pytest.approx(6, rel=1e-3)
    assert 0 <= minerals.secretion(50.0, 1.22) < 1e-6
    # the logistic curve that the hyperbolic tangent stands for
    x = math.exp((1.1 - 1.22) / 0.08)
    assert minerals.secretion(1.1, 1.22) == pytest.approx(6 / (1 + 5 * x), rel=1e-12)


def test_the_hormone_peaks_early_and_declines_while_calcium_still_falls() -> None:
    """Peak after 5-15 min, then decline [jcem-1985, by which `STORE_TIME` was chosen].

    Higher at 30 min than later [bolan-2001].
    """
    patient = Patient(DONOR, followed())
    course = {}
    for minute in range(1, 91):
        patient.advance(float(minute), citrate(1.6))
        course[minute] = (hormone(patient), patient.vitals().ionized_calcium)
    peak = max(course, key=lambda minute: course[minute][0])
    assert peak == pytest.approx(16, abs=1)
    assert course[peak][0] == pytest.approx(2.9, abs=0.1)
    assert course[30][0] > course[60][0] > course[90][0] > 2
    assert course[90][1] < course[60][1] < course[30][1]


# -- what was measured: calibration ----------------------------------------------------------------

TPE = """
format: 1
title: One exchange
patient: {sex: male, weight: 75 kg, height: 172 cm, hematocrit: 40 %}
machine: {device: spectra-optia, access: central-venous-catheter}
prescription:
  exchange: 1.0 PV
  replacement: [{fluid: albumin-5, share: 100 %}]
  calcium: {fluid: calcium-gluconate-10, rate: RATE g/h}
course: {at: [0 d]}
simulation: {until: 3 h, seed: 1}
"""


@cache
def exchange_with(grams_per_hour: float) -> dict[float, float]:
    """Fall of ionized calcium (percent) by minutes since the first draw, of a usual exchange."""
    result = simulate(scenario.loads(TPE.replace("RATE", str(grams_per_hour))))
    names = [name for name, _ in result.columns]
    time, level = names.index("time"), names.index("ionized_calcium")
    start = result.sessions[0].run[0]
    return {row[time] * DAY - start: percent(row[level], 1.22) for row in result.rows}


def at(minute: float, grams_per_hour: float) -> float:
    course = exchange_with(grams_per_hour)
    return course[min(course, key=lambda one: abs(one - minute))]


def between(start: float, end: float, grams_per_hour: float) -> float:
    """Mean of the fall over a time of the exchange."""
    seen = [
        fall for minute, fall in exchange_with(grams_per_hour).items() if start <= minute <= end
    ]
    return sum(seen) / len(seen)


def test_calcium_settles_where_it_was_measured_to_settle() -> None:
    """Calibration [zhao-weinstein-2019]: -6 % with 1.6 g/h, -8.35 % with 1.0 g/h."""
    assert between(30, 105, 1.6) == pytest.approx(-6.0, abs=0.6)
    assert between(40, 50, 1.0) == pytest.approx(-8.35, abs=1.0)
    assert between(50, 105, 1.0) == pytest.approx(-9.3, abs=0.3)


def test_calcium_falls_more_slowly_than_measured_and_not_quite_to_a_plateau() -> None:
    """A miss: -6 % was there at 20-30 min, and -8.35 % from 40-50 min on was a plateau."""
    assert between(20, 30, 1.6) == pytest.approx(-3.8, abs=0.2)  # measured: -6
    assert at(60, 1.6) == pytest.approx(-5.8, abs=0.2)
    assert at(90, 1.6) == pytest.approx(at(60, 1.6), abs=0.5)
    assert at(50, 1.0) == pytest.approx(-7.9, abs=0.2)
    assert at(100, 1.0) == pytest.approx(-10.0, abs=0.3)  # measured: -8.35


# -- what was measured: tests ----------------------------------------------------------------------


def test_ninety_minutes_of_citrate_in_donors() -> None:
    """Test [bolan-2001]: 1.6 mg/kg/min, iCa -33 %, iMg -39 %, citrate rising without plateau.

    Not a blind one: no constant was fitted to it, but the equations were chosen with it in view.
    """
    patient = Patient(DONOR, followed())
    risen = []
    for minute in (30, 60, 90):
        patient.advance(float(minute), citrate(1.6))
        risen.append(patient.citrate(patient.state))
    assert falls(patient) == pytest.approx((-33, -39), abs=2)
    assert risen[2] - risen[1] > 0.1


def test_less_citrate_in_donors_lowers_calcium_less() -> None:
    measured = []
    for rate in (1.1, 1.4, 1.6):
        patient = Patient(DONOR, followed())
        patient.advance(90, citrate(rate))
        measured.append(falls(patient)[0])
    assert measured == pytest.approx([-21.4, -28.5, -33.2], abs=0.2)


def test_a_step_down_of_citrate_leaves_calcium_flat() -> None:
    """Test [vox-sang-1998]: -18 % in the first hour, then flat; the rates are not stated.

    With 1.1 mg/kg/min stepped down to 0.8 after 30 min [assumed].
    """
    patient = Patient(DONOR, followed())
    patient.advance(30, citrate(1.1))
    patient.advance(60, citrate(0.8))
    first_hour = falls(patient)[0]
    patient.advance(90, citrate(0.8))
    assert first_hour == pytest.approx(-18, abs=2.1)
    assert first_hour == pytest.approx(-16.0, abs=0.2)
    assert falls(patient)[0] == pytest.approx(first_hour, abs=1.1)


def nadir_of_a_child(fluid: catalog.Fluid, volumes: float, plasma_share: float) -> float:
    """Lowest ionized calcium of a child of 25 kg: two hours, heparin, plasma in the end."""
    child = replace(WOMAN, weight=25, height=1.25, hematocrit=0.35, blood_volume_method="per-kg")
    patient = Patient(child, followed())
    flow = volumes * patient.vitals().plasma_volume / 120
    patient.connect()
    patient.advance(2, Exchange(blood_to_circuit=30, given=((SALINE, 30.0),)))
    lowest: list[float] = []
    for given_fluid, minutes in ((fluid, 120 * (1 - plasma_share)), (PLASMA, 120 * plasma_share)):
        exchange = Exchange(
            plasma_to_circuit=flow, circuit_to_waste=flow, given=((given_fluid, flow),)
        )
        patient.advance(
            patient.time + minutes,
            exchange,
            lambda step: lowest.append(patient.vitals_of(step.after).ionized_calcium),
        )
    return min(lowest)


def test_calcium_and_magnesium_in_the_albumin_hold_the_calcium_of_children() -> None:
    """[krishnan-2007]: nadir 0.78 mmol/L with plain albumin, 0.92 enriched, plasma at the end.

    The volumes are not stated. 1.5 plasma volumes, the last quarter plasma, were picked afterward
    among seven settings: it shows that both nadirs can be had at once, and is no test of either.
    """
    plain, enriched = (nadir_of_a_child(fluid, 1.5, 0.25) for fluid in (PLAIN, ENRICHED))
    assert (plain, enriched) == pytest.approx((0.78, 0.92), abs=0.02)


def test_how_far_the_nadir_of_children_rests_on_what_is_not_stated() -> None:
    assert nadir_of_a_child(PLAIN, 1.0, 0.25) == pytest.approx(0.93, abs=0.01)
    assert nadir_of_a_child(PLAIN, 2.0, 0.2) == pytest.approx(0.65, abs=0.01)
    assert nadir_of_a_child(ENRICHED, 2.0, 0.2) == pytest.approx(0.865, abs=0.01)


def test_concentrated_albumin_hardly_moves_ionized_calcium() -> None:
    """Test [erstad-1999]: 100 mL of 25 % albumin, 1.09 -> 1.06 mmol/L, not significant."""
    patient = Patient(replace(DONOR, ionized_calcium=1.09), followed())
    strong = replace(ALBUMIN, solutes={"albumin": "250 g/L"})
    patient.advance(30, Exchange(given=((strong, 100 / 30),)))
    assert patient.vitals().ionized_calcium == pytest.approx(1.07, abs=0.01)


# -- what must hold in any patient -----------------------------------------------------------------


def test_less_clearance_more_citrate_and_less_calcium_given_each_lower_ionized_calcium() -> None:
    def left(clearance: float = 1.0, rate: float = 1.0, calcium: float = 0.1) -> float:
        patient = Patient(replace(DONOR, citrate_clearance=clearance), followed())
        patient.advance(90, Exchange(given=(*citrate(rate).given, (GLUCONATE, calcium))))
        return patient.vitals().ionized_calcium

    for lower, higher in (
        (left(clearance=0.5), left()),
        (left(clearance=0.25), left(clearance=0.5)),
        (left(rate=1.3), left()),
        (left(), left(calcium=0.3)),
        (left(calcium=0.0), left()),
    ):
        assert lower < higher


def test_calcium_given_at_once_is_seen_at_once_and_taken_up_by_bone() -> None:
    patient = Patient(DONOR, followed())
    patient.inject_fluid(GLUCONATE, 10.0)
    start = falls(patient)[0]
    assert 5 < start < 10
    patient.advance(60)
    assert 0.4 * start < falls(patient)[0] < 0.7 * start
    patient.advance(DAY)
    assert falls(patient)[0] == pytest.approx(0, abs=0.3)
    assert patient.ledger.balance("calcium", "bone") > 2.0  # of 2.32 mmol


def test_ten_times_too_much_calcium_and_its_end() -> None:
    patient = Patient(DONOR, followed())
    patient.advance(60, Exchange(given=((GLUCONATE, 10.0),)))
    assert 5 < patient.vitals().ionized_calcium < 10
    assert hormone(patient) < 1e-9
    patient.advance(7 * DAY)
    assert falls(patient)[0] == pytest.approx(0, abs=0.1)
    assert patient.state[6] == pytest.approx(1, abs=0.01)
    assert max(residuals(patient)) < 1e-11


def test_citrate_that_is_hardly_cleared_and_its_end() -> None:
    patient = Patient(replace(DONOR, citrate_clearance=0.05), followed())
    patient.advance(600, Exchange(given=((ACD, 5.0),)))
    vitals = patient.vitals()
    assert 0 < vitals.ionized_calcium < 0.2
    assert 1.5 < vitals.total_calcium < 2.6  # ionized falls, total hardly
    patient.advance(14 * DAY)
    assert falls(patient) == pytest.approx((0, 0), abs=0.3)


def test_a_long_gap_costs_no_more_steps_than_before() -> None:
    patient = Patient(DONOR, followed())
    patient.advance(60, citrate(1.6))
    steps = 0

    def count(_: object) -> None:
        nonlocal steps
        steps += 1

    patient.advance(42 * DAY, REST, count)
    assert steps < 42 * DAY / 30
    assert falls(patient) == pytest.approx((0, 0), abs=1e-3)


# -- fluids given by hand --------------------------------------------------------------------------


@pytest.mark.parametrize("attached", [False, True])
def test_a_fluid_by_hand_is_the_same_fluid_by_machine(attached: bool) -> None:
    by_hand, by_machine = Patient(WOMAN, followed("igm")), Patient(WOMAN, followed("igm"))
    for patient in (by_hand, by_machine):
        if attached:
            patient.connect()
            patient.advance(2, Exchange(blood_to_circuit=60, given=((SALINE, 60.0),)))
    by_hand.start_fluid(PLASMA, 10.0)
    by_hand.start_fluid(CELLS, 3.0)
    by_hand.advance(30.0)
    by_machine.advance(30.0, Exchange(given=((PLASMA, 10.0), (CELLS, 3.0))))
    assert by_hand.state == by_machine.state
    for substance in by_hand.weigh():
        accounts = by_hand.ledger.accounts(substance)
        assert accounts == by_machine.ledger.accounts(substance)


def test_fluids_by_hand_add_up_and_stop_one_by_one() -> None:
    patient = Patient(WOMAN, followed())
    for flow in (1.0, 2.0, 2.0):
        patient.start_fluid(SALINE, flow)
    patient.advance(10.0)
    patient.stop_fluid(SALINE, 2.0)
    patient.advance(20.0, Exchange(given=((SALINE, 4.0),)))
    assert -patient.ledger.balance("water", "saline") == pytest.approx(50 + 30 + 40)
    patient.stop_fluid(SALINE, 1.0)
    patient.stop_fluid(SALINE, 2.0)
    assert patient.therapy.given == ()
    with pytest.raises(ValueError, match="not in list"):
        patient.stop_fluid(SALINE, 1.0)


@pytest.mark.parametrize("attached", [False, True])
def test_red_cells_given_reach_the_patient_and_water_is_the_rest(attached: bool) -> None:
    patient = Patient(replace(WOMAN, fluid_shift="none"), followed())
    if attached:
        patient.connect()
    before, hematocrit = list(patient.state), patient.vitals().hematocrit
    patient.inject_fluid(CELLS, 300.0)
    assert patient.state[2] - before[2] == pytest.approx(180)
    assert patient.state[0] - before[0] == pytest.approx(120)
    assert patient.vitals().hematocrit > hematocrit
    assert patient.ledger.balance("red_cells", "red-cells") == pytest.approx(-180)
    assert patient.ledger.balance("water", "red-cells") == pytest.approx(-120)
    patient.start_fluid(CELLS, 10.0)
    patient.advance(patient.time + 30)
    assert patient.state[2] - before[2] == pytest.approx(360)
    assert max(residuals(patient)) < 1e-12


def test_fluids_say_how_often_they_raise_hives() -> None:
    assert 1 - math.exp(-3 * ALBUMIN.urticaria) == pytest.approx(0.005, abs=0.0005)
    assert 0.10 < 1 - math.exp(-3 * PLASMA.urticaria) < 0.20
    assert SALINE.urticaria == 0


def test_the_curves_have_a_column_for_each() -> None:
    names = [name for name, _ in BODY_COLUMNS]
    place = names.index("anticoagulant")
    assert names[place + 1 :] == [
        "ionized_magnesium",
        "total_calcium",
        "parathyroid_hormone",
        "plasma_treated",
    ]
    result = simulate(scenario.loads(TPE.replace("RATE", "1.6")))
    first = dict(zip([name for name, _ in result.columns], result.rows[0], strict=True))
    assert first["ionized_magnesium"] == pytest.approx(0.55)
    assert first["parathyroid_hormone"] == pytest.approx(1.0)
    assert first["total_calcium"] == pytest.approx(2.44, abs=0.01)


# -- conservation ----------------------------------------------------------------------------------

FLUIDS = [ALBUMIN, ENRICHED, PLASMA, SALINE, CELLS]
stretches = st.lists(
    st.tuples(
        st.floats(0.0, 50.0), st.sampled_from(FLUIDS), st.sampled_from([*FLUIDS, GLUCONATE]),
        st.floats(0.0, 5.0), st.floats(0.5, 30.0), st.floats(0.0, 1.5),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(stretches, st.sampled_from(["starling", "none"]), st.floats(20, 120))
def test_no_citrate_calcium_or_magnesium_appears_or_vanishes(
    plan: list[tuple[float, catalog.Fluid, catalog.Fluid, float, float, float]],
    shift: str,
    weight: float,
) -> None:
    person = replace(WOMAN, weight=weight, fluid_shift=shift)  # type: ignore[arg-type]
    patient = Patient(person, followed("igm", "fibrinogen"))
    try:
        _is_treated(patient, plan, weight / 68)
    except ImpossibleRunError as error:  # red cells for an hour of plasma: nobody survives that
        if "the plasma volume falls to zero" not in str(error):
            raise
        reject()
    assert max(residuals(patient)) < 1e-11
    patient.disconnect()
    patient.advance(patient.time + 2 * DAY)
    assert max(residuals(patient)) < 1e-11
    assert min(patient.state) >= 0
    for substance in ("citrate", "calcium", "magnesium"):
        assert sum(patient.ledger.accounts(substance).values()) == pytest.approx(0, abs=1e-9)


def _is_treated(
    patient: Patient,
    plan: list[tuple[float, catalog.Fluid, catalog.Fluid, float, float, float]],
    size: float,
) -> None:
    """A session on a person so many times the size of the woman, stretch by stretch."""
    patient.connect()
    filling = Exchange(60 * size, anticoagulant=ACD, anticoagulant_to_circuit=6.0)
    patient.advance(2.0, filling)
    for plasma, fluid, by_hand, drip, minutes, clearance in plan:
        flow = plasma * size
        exchange = Exchange(
            plasma_to_circuit=flow,
            anticoagulant=ACD,
            anticoagulant_to_circuit=0.18 * flow,
            circuit_to_waste=1.18 * flow,
            given=((fluid, flow), (ACD, 0.02 * flow)),
        )
        patient.set_citrate_clearance(clearance)
        patient.start_fluid(by_hand, drip * size)
        patient.advance(patient.time + minutes, exchange)
        patient.stop_fluid(by_hand, drip * size)
        patient.inject_fluid(by_hand, drip)
    patient.advance(patient.time + 1.0, Exchange(circuit_to_patient=40.0 * size))
