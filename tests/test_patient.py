"""The patient against laws, closed forms and an independent oracle; no machine, no SimPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from stand_ins import WOMAN, followed, tracer

from simulator import catalog
from simulator.boundary import REST, Exchange, Passage
from simulator.errors import ImpossibleRunError
from simulator.orders import FollowedSolute
from simulator.patient import equations, proteins, volumes, water
from simulator.patient.patient import Patient

DAY = 1440.0
NO_SHIFT = replace(WOMAN, fluid_shift="none")
ALBUMIN = catalog.fluid("albumin-5")
PLASMA = catalog.fluid("fresh-frozen-plasma")
ACD = catalog.fluid("acd-a")
ALL = followed("igm", "iga", "fibrinogen", "c3", "adamts13", "igg3", tracer=tracer())


def filled(patient: Patient, exchange: Exchange | None = None, minutes: float = 2.0) -> Patient:
    """With a circuit attached and blood in it."""
    patient.connect()
    patient.advance(
        patient.time + minutes,
        exchange
        or Exchange(blood_to_circuit=60.0, anticoagulant=ACD, anticoagulant_to_circuit=60 / 9),
    )
    return patient


def exchanging(plasma: float, given: float, fluid: catalog.Fluid = ALBUMIN) -> Exchange:
    """Plasma off and fluid in, mL/min, with the anticoagulant of a ratio of 10."""
    anticoagulant = 0.18 * plasma
    return Exchange(
        plasma_to_circuit=plasma,
        anticoagulant=ACD,
        anticoagulant_to_circuit=anticoagulant,
        circuit_to_waste=plasma + anticoagulant,
        given=((fluid, given),) if given else (),
    )


def residuals(patient: Patient) -> dict[str, float]:
    return {
        substance: patient.ledger.relative_residual(substance, weight)
        for substance, weight in patient.weigh().items()
    }


# -- at rest ---------------------------------------------------------------------------------------


def test_a_patient_left_alone_stays_as_he_is() -> None:
    patient = Patient(WOMAN, ALL)
    before = list(patient.state)
    patient.advance(28 * DAY)
    assert patient.state == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("name", catalog.names("solutes"))
def test_every_solute_of_the_catalog_is_steady_at_rest(name: str) -> None:
    patient = Patient(WOMAN, followed(name))
    patient.advance(7 * DAY)
    assert patient.concentration(name) == pytest.approx(catalog.solute(name).initial, rel=1e-8)


# -- closed forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("volumes_removed", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_a_tracer_washes_out_exponentially_at_constant_volume(volumes_removed: float) -> None:
    patient = filled(Patient(NO_SHIFT, followed(tracer=tracer())))
    volume, level = patient.state[0], patient.concentration("tracer")
    patient.advance(patient.time + volumes_removed * volume / 30, exchanging(30, 30))
    assert patient.state[0] == pytest.approx(volume, rel=1e-12)
    assert patient.concentration("tracer") / level == pytest.approx(
        math.exp(-volumes_removed), rel=1e-7
    )


@pytest.mark.parametrize("returned", [0.8, 0.95, 1.1])
def test_a_tracer_follows_the_changing_volume(returned: float) -> None:
    """C/C0 = (V/V0)^(r/(1-r)) * V0/V ... of the mass: P/P0 = (V/V0)^(1/(1-r)) at replacement r."""
    patient = filled(Patient(NO_SHIFT, followed(tracer=tracer())))
    volume, level = patient.state[0], patient.concentration("tracer")
    patient.advance(patient.time + 60, exchanging(30, 30 * returned))
    ratio = patient.state[0] / volume
    assert ratio == pytest.approx(1 - (1 - returned) * 30 * 60 / volume, rel=1e-9)
    mass = patient.concentration("tracer") * patient.state[0] / (level * volume)
    assert mass == pytest.approx(ratio ** (1 / (1 - returned)), rel=1e-7)


def test_a_fluid_that_holds_the_solute_draws_the_level_to_its_own() -> None:
    """C = c_r + (C0 - c_r) exp(-x), for something with neither pools nor turnover."""
    fluid = replace(PLASMA, solutes={"tracer": "40 mg/L"})
    patient = filled(Patient(NO_SHIFT, followed(tracer=tracer())))
    volume, level = patient.state[0], patient.concentration("tracer")
    patient.advance(patient.time + 1.2 * volume / 30, exchanging(30, 30, fluid))
    expected = 40 + (level - 40) * math.exp(-1.2)
    assert patient.concentration("tracer") == pytest.approx(expected, rel=1e-7)


def test_two_pools_agree_with_a_matrix_exponential_written_from_the_equations() -> None:
    """dP/dt = S - (k_c + k12 + q) P + k21 E, dE/dt = k12 P - k21 E, with expm and no integrator."""
    igm = catalog.solute("igm")
    patient = filled(Patient(NO_SHIFT, followed("igm")))
    volume = patient.state[0]
    i = patient.names.index("igm")
    p0, e0 = patient.state[patient.layout.plasma][i], patient.state[patient.layout.interstitium][i]
    k_c, k12, f = igm.catabolism.intrinsic, igm.transcapillary_escape, igm.intravascular_fraction
    synthesis = k_c * 1.0 * volumes.volumes(WOMAN).plasma / 1000
    q, minutes = 28 / volume, 100.0
    k21 = k12 * f / (1 - f)
    matrix = np.array([[-(k_c + k12 + q), k21, synthesis], [k12, -k21, 0], [0, 0, 0]])
    expected = expm(matrix * minutes) @ [p0, e0, 1.0]
    patient.advance(patient.time + minutes, exchanging(28, 28))
    assert patient.state[patient.layout.plasma][i] == pytest.approx(expected[0], rel=1e-7)
    assert patient.state[patient.layout.interstitium][i] == pytest.approx(expected[1], rel=1e-7)


def test_a_drug_without_synthesis_declines_with_its_half_life() -> None:
    half_life = 11 * DAY
    kinetics = catalog.Solute(
        "drug", "drug", "mg/L", catalog.Catabolism(math.log(2) / half_life), 0.0
    )
    patient = Patient(WOMAN, followed(drug=FollowedSolute(kinetics, 35.0, synthesis=0.0)))
    patient.advance(half_life)
    assert patient.concentration("drug") == pytest.approx(17.5, rel=1e-6)


# -- FcRn ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "percent_per_day"), [(0, 3.0), (3, 4.0), (6, 5.0), (10, 6.2), (12, 6.7), (60, 16)]
)
def test_igg_is_broken_down_faster_the_more_there_is(level: float, percent_per_day: float) -> None:
    k = catalog.solute("igg").catabolism
    rate = proteins.catabolic_rate(k.intrinsic, k.protected_fraction, k.half_saturation, level)
    assert 100 * rate * DAY == pytest.approx(percent_per_day, rel=0.03)  # as printed


def test_a_full_blockade_leaves_the_intrinsic_rate() -> None:
    k = catalog.solute("igg").catabolism
    blocked = proteins.catabolic_rate(
        k.intrinsic, k.protected_fraction, k.half_saturation, 10.0, fcrn_blockade=1.0
    )
    assert blocked == k.intrinsic


def test_blocking_fcrn_lowers_igg_and_all_that_is_like_it_but_not_igm() -> None:
    patient = Patient(WOMAN, followed("igg1", "igm"))
    patient.start_blockade(0.75)
    patient.advance(14 * DAY)
    fall = {n: patient.concentration(n) / catalog.solute(n).initial for n in ("igg", "igg1", "igm")}
    assert fall["igg"] < 0.5
    assert fall["igg1"] == pytest.approx(fall["igg"], rel=1e-6)
    assert fall["igm"] == pytest.approx(1.0, rel=0.05)


def test_of_blockades_that_overlap_the_strongest_counts_until_the_last_has_ended() -> None:
    patient = Patient(WOMAN, followed())
    patient.start_blockade(0.5)
    patient.start_blockade(0.8)
    assert patient.therapy.fcrn_blockade == 0.8
    patient.stop_blockade(0.8)
    assert patient.therapy.fcrn_blockade == 0.5
    patient.stop_blockade(0.5)
    assert patient.therapy.fcrn_blockade == 0


def test_infusions_add_up_and_leave_nothing_behind() -> None:
    patient = Patient(WOMAN, followed(tracer=tracer()))
    for rate in (0.1, 0.2, 0.3):
        patient.start_infusion("tracer", rate)
    patient.advance(10.0)
    assert patient.ledger.balance("tracer", "doses") == pytest.approx(-6.0)
    for rate in (0.1, 0.2, 0.3):
        patient.stop_infusion("tracer", rate)
    assert patient.therapy.infused == (0.0,) * len(patient.names)
    patient.advance(20.0)
    assert patient.ledger.balance("tracer", "doses") == pytest.approx(-6.0)


def test_intravenous_igg_speeds_the_loss_of_the_antibody() -> None:
    patients = [Patient(WOMAN, followed("igg1")) for _ in range(2)]
    patients[0].inject("igg", 140.0)
    for patient in patients:
        patient.advance(14 * DAY)
    with_ivig, without = (p.concentration("igg1") for p in patients)
    assert with_ivig < 0.97 * without


# -- volumes ---------------------------------------------------------------------------------------

MAN = replace(WOMAN, sex="male", weight=70, height=1.75, hematocrit=0.42)


@pytest.mark.parametrize(
    ("person", "method", "blood", "plasma"),
    [
        (MAN, "nadler", 4820, 2800),
        (MAN, "lemmens", 4810, None),
        (MAN, "per-kg", 4900, 2842),
        (MAN, "kaplan", None, 2640),
        (MAN, "icsh", None, 2920),
        (replace(WOMAN, weight=60, height=1.63, hematocrit=0.38), "nadler", 3710, 2300),
        (replace(WOMAN, weight=60, height=1.63, hematocrit=0.38), "lemmens", 4150, None),
        (replace(WOMAN, weight=60, height=1.63, hematocrit=0.38), "icsh", None, 2290),
        (replace(MAN, weight=130, height=1.80), "nadler", 6930, None),
        (replace(MAN, weight=130, height=1.80), "lemmens", 6740, None),
    ],
)
def test_volumes_are_those_of_the_published_formulas(
    person: Any, method: str, blood: float | None, plasma: float | None
) -> None:
    estimate = volumes.volumes(replace(person, blood_volume_method=method))
    if blood is not None:
        assert estimate.blood == pytest.approx(blood, rel=0.003)
    if plasma is not None:
        assert estimate.plasma == pytest.approx(plasma, rel=0.003)


def test_the_f_cell_ratio_moves_volume_from_red_cells_to_plasma() -> None:
    estimate = volumes.volumes(replace(MAN, f_cell_ratio=0.91))
    assert estimate.plasma == pytest.approx(2980, rel=0.003)
    patient = Patient(replace(MAN, f_cell_ratio=0.91), followed())
    assert patient.vitals().hematocrit == pytest.approx(0.42)


def test_stated_volumes_are_taken_as_stated() -> None:
    stated = volumes.volumes(replace(WOMAN, plasma_volume=2460))
    assert stated.plasma == 2460
    assert stated.blood == pytest.approx(2460 / 0.61)
    both = volumes.volumes(replace(WOMAN, plasma_volume=2460, blood_volume=4200))
    assert both.plasma == 2460
    assert both.blood == pytest.approx(4200)
    patient = Patient(replace(WOMAN, plasma_volume=2460, blood_volume=4200), followed())
    assert patient.vitals().hematocrit == pytest.approx(WOMAN.hematocrit)


# -- water -----------------------------------------------------------------------------------------


def test_oncotic_pressures_are_those_measured() -> None:
    """4 % albumin 13.6 mmHg, normal serum 27.5 +/- 2.7 [aas-1993]."""
    assert water.oncotic_pressure(4.0, 0.0) == pytest.approx(13.6, abs=0.6)
    assert water.oncotic_pressure(4.2, 2.8) == pytest.approx(27.5, abs=2.7)


def test_losing_oncotic_pressure_moves_water_out_and_albumin_holds_it() -> None:
    patient = filled(Patient(WOMAN, followed()))
    before = patient.state[0]
    patient.advance(patient.time + 60, exchanging(30, 30, catalog.fluid("saline")))
    assert patient.state[0] < 0.9 * before
    other = patient.fork()
    patient.advance(patient.time + 60, Exchange(given=((ALBUMIN, 5.0),)))
    other.advance(other.time + 60, Exchange(given=((catalog.fluid("saline"), 5.0),)))
    assert patient.state[0] - other.state[0] > 100  # of the 300 mL given


def test_water_given_in_excess_is_excreted_within_days() -> None:
    patient = Patient(WOMAN, followed())
    rest = sum(patient.state[:2])
    saline = Exchange(given=((catalog.fluid("saline"), 20.0),))
    patient.advance(50.0, saline)
    assert sum(patient.state[:2]) == pytest.approx(rest + 1000, abs=40)
    patient.advance(7 * DAY)
    assert sum(patient.state[:2]) == pytest.approx(rest, abs=5)


# -- minerals --------------------------------------------------------------------------------------


def test_citrate_lowers_ionized_calcium_and_calcium_given_raises_it() -> None:
    bare, with_calcium = Patient(WOMAN, followed()), Patient(WOMAN, followed())
    calcium = catalog.fluid("calcium-gluconate-10")
    bare.advance(60, Exchange(given=((ACD, 6.0),)))
    with_calcium.advance(60, Exchange(given=((ACD, 6.0), (calcium, 0.5))))
    assert bare.vitals().ionized_calcium < 1.15
    assert with_calcium.vitals().ionized_calcium > bare.vitals().ionized_calcium


def test_half_the_citrate_clearance_doubles_its_rise_at_length() -> None:
    levels = []
    for clearance in (1.0, 0.5):
        patient = Patient(replace(WOMAN, citrate_clearance=clearance), followed())
        patient.advance(DAY, Exchange(given=((ACD, 1.0),)))
        levels.append(patient.citrate(patient.state) - 0.1)
    assert levels[1] == pytest.approx(2 * levels[0], rel=1e-6)


# -- laws ------------------------------------------------------------------------------------------

flows = st.floats(0.0, 60.0)
stretches = st.lists(
    st.tuples(flows, flows, st.sampled_from([ALBUMIN, PLASMA, catalog.fluid("saline")]),
              st.floats(0.5, 30.0)),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(stretches, st.floats(0.28, 0.5), st.sampled_from(["starling", "none"]))
def test_nothing_appears_or_vanishes(
    plan: list[tuple[float, float, catalog.Fluid, float]], hematocrit: float, shift: Any
) -> None:
    patient = filled(Patient(replace(WOMAN, hematocrit=hematocrit, fluid_shift=shift), ALL))
    patient.start_infusion("igg", 0.05)
    for plasma, given_back, fluid, minutes in plan:
        back = max(given_back, 0.7 * plasma)
        patient.advance(patient.time + minutes, exchanging(plasma, back, fluid))
    patient.advance(patient.time + 2.0, Exchange(circuit_to_patient=40.0))
    patient.disconnect()
    patient.advance(patient.time + 3 * DAY)
    assert max(map(abs, residuals(patient).values())) < 1e-11
    assert min(patient.state) >= 0


@settings(max_examples=25, deadline=None)
@given(st.floats(10, 50), st.floats(20, 100))
def test_more_volume_never_leaves_more_antibody_just_after(flow: float, minutes: float) -> None:
    levels = []
    for longer in (1.0, 1.1):
        patient = filled(Patient(WOMAN, followed("igg1", "igm")))
        patient.advance(patient.time + longer * minutes, exchanging(flow, flow))
        levels.append([patient.concentration(n) for n in ("igg", "igg1", "igm")])
    assert all(more < less for less, more in zip(*levels, strict=True))


def test_two_half_sessions_without_a_pause_are_one() -> None:
    whole, halves = (filled(Patient(WOMAN, ALL)) for _ in range(2))
    start = whole.time
    whole.advance(start + 90, exchanging(30, 31))
    halves.advance(start + 45, exchanging(30, 31))
    halves.advance(start + 90, exchanging(30, 31))
    assert halves.state == pytest.approx(whole.state, rel=1e-7, abs=1e-9)


def test_a_linear_solute_scales_with_its_level() -> None:
    """Tenfold the antibody is tenfold the antibody at all times: it acts back on nothing."""
    levels = []
    for factor in (1.0, 10.0):
        antibody = FollowedSolute(replace(catalog.solute("igg1"), name="antibody"), factor)
        patient = filled(Patient(WOMAN, followed(antibody=antibody)))
        patient.advance(patient.time + 90, exchanging(30, 30))
        levels.append(patient.concentration("antibody"))
    assert levels[1] == pytest.approx(10 * levels[0], rel=1e-7)


def test_a_fork_that_changes_nothing_is_identical() -> None:
    patient = filled(Patient(WOMAN, ALL))
    patient.advance(patient.time + 40, exchanging(30, 30))
    other = patient.fork()
    for one in (patient, other):
        one.advance(one.time + 50, exchanging(30, 30))
        one.advance(one.time + DAY)
    assert other.state == patient.state
    assert other.ledger.accounts("igg") == patient.ledger.accounts("igg")


def test_a_fork_does_not_touch_its_origin() -> None:
    patient = Patient(WOMAN, followed())
    before = list(patient.state)
    patient.fork().inject("igg", 30.0)
    assert patient.state == before
    assert patient.ledger.balance("igg", "doses") == 0


def test_looking_on_changes_nothing() -> None:
    seen = []
    watched, alone = Patient(WOMAN, followed()), Patient(WOMAN, followed())
    for patient in (watched, alone):
        patient.inject("igg", 30.0)
    watched.advance(3 * DAY, REST, lambda step: seen.append(step.at(0.3)))
    alone.advance(3 * DAY)
    assert seen
    assert watched.state == alone.state


def test_a_volume_that_falls_to_zero_is_an_error_with_time_and_cause() -> None:
    patient = filled(Patient(NO_SHIFT, followed()))
    with pytest.raises(ImpossibleRunError, match=r"at 0\.0\d+ d the plasma volume falls to zero"):
        patient.advance(patient.time + 200, exchanging(30, 0))


@pytest.mark.parametrize("to_patient", [0.0, 5.0])
def test_rates_of_an_empty_patient_are_none_and_as_many_as_ever(to_patient: float) -> None:
    """A step that tries an impossible state is to be refused, whichever rate is looked at."""
    patient = filled(Patient(WOMAN, followed()))
    exchange = replace(exchanging(30, 20), plasma_to_patient=to_patient)
    state = list(patient.state)
    rates = equations.rates(patient.constants, patient.therapy, exchange, state)
    usual = rates(state)
    empty = rates([-0.001, *state[1:]])
    assert len(empty) == len(usual)
    assert all(math.isnan(rate) for rate in empty)
    assert not any(math.isnan(rate) for rate in usual)


# -- the laws have teeth ---------------------------------------------------------------------------


def _flip_lymph(p: float, e: float, k12: float, k21: float, k_c: float) -> tuple[float, ...]:
    return k12 * p, -k21 * e, k_c * p


def _drop_catabolism(p: float, e: float, k12: float, k21: float, k_c: float) -> tuple[float, ...]:
    return k12 * p, k21 * e, 0.0


@pytest.mark.parametrize("sabotage", [_flip_lymph, _drop_catabolism])
def test_steadiness_at_rest_notices_a_wrong_flux(
    sabotage: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proteins, "turnover", sabotage)
    with pytest.raises((AssertionError, ImpossibleRunError)):
        test_a_patient_left_alone_stays_as_he_is()


def bend(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one number of the state grow out of nothing."""
    honest = equations.rates

    def crooked(*arguments: Any) -> Callable[[list[float]], list[float]]:
        rates = honest(*arguments)

        def wrong(y: list[float]) -> list[float]:
            result = rates(y)
            result[place] += 1e-7 * y[place]
            return result

        return wrong

    monkeypatch.setattr(equations, "rates", crooked)


@pytest.mark.parametrize("place", [0, 2, 3, 4, 5, 8, 14, 22, 27, 29, 30, 31, 32, 34, 36, 43])
def test_the_ledger_notices_a_rate_that_has_no_other_side(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places 27 and up are outside: cells, plasma, anticoagulant, citrate, metals; solutes at 34.

    Place 33, the IgG on the column, is in no circulation: see the next test.
    """
    bend(place, monkeypatch)
    patient = filled(Patient(WOMAN, ALL))
    patient.advance(patient.time + 200, exchanging(30, 30))
    assert max(map(abs, residuals(patient).values())) > 1e-9


@pytest.mark.parametrize("crooked", [False, True])
def test_the_igg_on_the_column_is_what_the_ledger_says_was_bound(
    crooked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if crooked:
        bend(33, monkeypatch)
    column = Passage(extraction={"igg": 0.7, "igg3": 0.9}, capacity=20.0)
    treating = replace(
        exchanging(30, 0), circuit_to_waste=0.0, plasma_to_patient=30 * 1.18, passage=column
    )
    patient = filled(Patient(WOMAN, ALL))
    patient.advance(patient.time + 60, treating)
    on_column, in_books = patient.state[33], patient.ledger.balance("igg", "adsorber")
    assert 5 < on_column < 20
    assert (on_column == pytest.approx(in_books, rel=1e-12)) is not crooked
    assert max(map(abs, residuals(patient).values())) < 1e-12, "circulation is not concerned"


# -- volumes that are stated in part ---------------------------------------------------------------


def test_a_stated_blood_volume_alone_leaves_the_plasma_that_the_hematocrit_says() -> None:
    person = replace(WOMAN, blood_volume=4000.0, f_cell_ratio=0.9, hematocrit=0.4)
    found = volumes.volumes(person)
    assert found.plasma == pytest.approx(4000 * (1 - 0.9 * 0.4))
    assert found.red_cells == pytest.approx(4000 * 0.9 * 0.4)
    assert found.blood == pytest.approx(4000)
    assert found.f_cell_ratio == 0.9
