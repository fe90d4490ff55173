"""Laws of whole runs and of one patient: what must hold whatever the numbers are.

Held elsewhere, and not said twice: conservation (test_nothing_appears_or_vanishes, also in a plasma
line; test_conservation_holds_in_generated_scenarios; test_any_machine_on_any_patient_closes_its_
books_or_says_why_not); no seed without luck (test_without_disturbances_the_seed_changes_nothing);
passing plasma through changes nothing (test_plasma_that_is_only_passed_through_changes_nothing);
how often curves are written (test_the_output_grid_changes_no_state).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand_ins import WOMAN, followed, tracer

from simulator import catalog
from simulator import scenario as scenarios
from simulator.boundary import Exchange, Passage
from simulator.errors import ImpossibleRunError
from simulator.orders import FollowedSolute
from simulator.patient.integrator import Step
from simulator.patient.patient import Patient
from simulator.result import Result
from simulator.simulation import simulate

DAY = 1440.0
ACD = catalog.fluid("acd-a")
ALBUMIN = catalog.fluid("albumin-5")
DEVICES = ("spectra-optia", "mcs-plus", "plasmaflo-op-08w", "dfpp-ec-20w", "tr-350")
"""One of each kind: centrifuge, bowl, membrane, double filtration, column."""
SOLUTES = ("igg", "igm", "antibody")
TEXT = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {igm: {}, antibody: {like: igg1, initial: 100 U/mL}}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""
PLENTY = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(*overrides: str, text: str = TEXT) -> Result:
    return simulate(scenarios.loads(text, "law", overrides))


def column(result: Result, name: str) -> list[float]:
    return result.column(f"{name}_plasma")


def filled(patient: Patient, size: float = 1.0) -> Patient:
    """With a circuit and blood in it."""
    patient.connect()
    filling = Exchange(60.0 * size, anticoagulant=ACD, anticoagulant_to_circuit=6.0 * size)
    patient.advance(patient.time + 2.0, filling)
    return patient


def treating(
    passage: Passage, discarded: float = 0.2, flow: float = 30.0, size: float = 1.0
) -> Exchange:
    """Plasma over a filter or a column; what is discarded is replaced by albumin."""
    through = 1.18 * flow * size
    return Exchange(
        plasma_to_circuit=flow * size, anticoagulant=ACD,
        anticoagulant_to_circuit=0.18 * flow * size, circuit_to_waste=discarded * through,
        plasma_to_patient=(1 - discarded) * through, passage=passage,
        given=((ALBUMIN, discarded * flow * size),),
    )  # fmt: skip


def levels(patient: Patient, *names: str) -> list[float]:
    return [patient.concentration(name) for name in names]


# -- positivity ------------------------------------------------------------------------------------

share = st.floats(0.0, 1.0)
passages = st.builds(
    lambda first, second, column, capacity: Passage(
        {"igg": first}, {"igg": second, "igm": first}, {"igg": column}, capacity
    ),
    share, share, share, st.floats(5.0, 100.0),
)  # fmt: skip


@PLENTY
@given(st.lists(st.tuples(passages, share, st.floats(1, 50), st.floats(1, 40)), max_size=4))
def test_no_pool_is_ever_negative_inside_or_outside(
    plan: list[tuple[Passage, float, float, float]],
) -> None:
    least: list[float] = []
    patient = filled(Patient(WOMAN, followed("igm", tracer=tracer())))

    def look(step: Step) -> None:
        least.append(min(step.after))

    for passage, discarded, flow, minutes in plan:
        patient.advance(patient.time + minutes, treating(passage, discarded, flow), look)
    patient.advance(patient.time + 2.0, Exchange(circuit_to_patient=30.0), look)
    patient.disconnect()
    patient.advance(patient.time + 5 * DAY, observe=look)
    assert min(least) >= 0


def test_a_volume_given_away_is_refused_before_it_is_negative() -> None:
    """Not by the step that gets too small: the pool that runs out here is no volume."""
    patient = Patient(WOMAN, followed("igm", tracer=tracer(initial=1.0)))
    patient.start_infusion("tracer", -5.0)
    with pytest.raises(ImpossibleRunError, match="the tracer in plasma falls to zero"):
        patient.advance(10 * DAY)


# -- more is more ----------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@FEW
@given(st.floats(0.4, 1.6), st.floats(1.05, 1.4))
def test_more_volume_leaves_less_of_each_solute_just_after_on_each_kind_of_machine(
    device: str, volumes: float, factor: float
) -> None:
    less, more = (
        run(f"machine.device={device}", f"prescription.exchange={dose} PV").sessions[0].solutes
        for dose in (volumes, volumes * factor)
    )
    for name in SOLUTES:
        (left, after_less), (fewer, after_more) = (
            (x[name].removed, x[name].post or 0.0) for x in (less, more)
        )
        assert after_more < after_less, name
        assert fewer > left, name


@FEW
@given(st.lists(st.integers(20, 300), min_size=2, max_size=3, unique=True))
def test_a_longer_interval_never_lowers_the_level_before_the_next_session(hours: list[int]) -> None:
    before = []
    for interval in sorted(hours):
        result = run(f"course={{sessions: 2, every: {interval} h}}", "simulation.until=14 d")
        before.append([result.sessions[1].solutes[name].pre for name in SOLUTES])
    for sooner, later in pairwise(before):
        assert all(a < b for a, b in zip(sooner, later, strict=True))


@PLENTY
@given(st.floats(0.0, 0.9), st.floats(0.02, 0.1), st.floats(0.2, 1.0))
def test_a_smaller_sieving_never_removes_more(
    sieving: float, more: float, discarded: float
) -> None:
    left = []
    for through in (sieving, sieving + more):
        patient = filled(Patient(WOMAN, followed("igm")))
        passage = Passage(dict.fromkeys(("igg", "igm"), through), {"igg": 0.5, "igm": 0.2})
        patient.advance(patient.time + 90, treating(passage, discarded))
        left.append(levels(patient, "igg", "igm"))
    assert all(less > more for less, more in zip(*left, strict=True))


@PLENTY
@given(st.floats(5.0, 40.0), st.floats(1.1, 2.0))
def test_a_larger_column_never_leaves_more(capacity: float, factor: float) -> None:
    left = []
    for most in (capacity, factor * capacity):
        patient = filled(Patient(WOMAN, followed()))
        passage = Passage(extraction={"igg": 0.8}, capacity=most)
        patient.advance(patient.time + 100, treating(passage, 0.0))
        left.append(patient.concentration("igg"))
    assert left[1] < left[0]


@PLENTY
@given(st.floats(0.0, 0.9), st.floats(0.0, 0.9), st.floats(0.02, 0.1))
def test_less_synthesis_and_more_blockade_each_leave_less(
    synthesis: float, blockade: float, step: float
) -> None:
    left = []
    for made, blocked in ((synthesis + step, blockade), (synthesis, blockade),
                          (synthesis, blockade + step)):  # fmt: skip
        patient = Patient(WOMAN, followed())
        patient.set_synthesis("igg", made)
        patient.start_blockade(blocked)
        patient.advance(5 * DAY)
        left.append(patient.concentration("igg"))
    assert left[0] > left[1] > left[2]


# -- superposition ---------------------------------------------------------------------------------


def antibody(name: str, initial: float, synthesis: float) -> FollowedSolute:
    return FollowedSolute(replace(catalog.solute("igg1"), name=name), initial, synthesis)


@PLENTY
@given(st.floats(0.5, 50), st.floats(0.5, 50), st.floats(0, 2), st.floats(0, 2), passages)
def test_two_antibodies_are_at_all_times_what_their_sum_is(
    a: float, b: float, made_a: float, made_b: float, passage: Passage
) -> None:
    """Initial levels, doses and synthesis added: an antibody acts back on nothing."""
    both = (a * made_a + b * made_b) / (a + b)
    patient = Patient(
        WOMAN,
        followed(a=antibody("a", a, made_a), b=antibody("b", b, made_b),
                 sum=antibody("sum", a + b, both)),
    )  # fmt: skip
    for name, dose in (("a", 3000.0), ("b", 500.0), ("sum", 3500.0)):
        patient.inject(name, dose)
    filled(patient)
    for discarded, minutes in ((1.0, 40), (0.3, 50), (0.0, 30)):
        patient.advance(patient.time + minutes, treating(passage, discarded))
        one, other, together = levels(patient, "a", "b", "sum")
        assert one + other == pytest.approx(together, rel=1e-6)
    patient.disconnect()
    patient.advance(patient.time + 9 * DAY)
    one, other, together = levels(patient, "a", "b", "sum")
    assert one + other == pytest.approx(together, rel=1e-6)


@PLENTY
@given(st.floats(0.1, 1000), st.floats(0, 1))
def test_a_scaled_antibody_is_the_scaled_curve(factor: float, synthesis: float) -> None:
    one, scaled = (
        column(
            run(f"solutes.antibody.initial={level!r} U/mL",
                f"solutes.antibody.synthesis={100 * synthesis} %", "simulation.until=3 d"),
            "antibody",
        )
        for level in (10.0, 10.0 * factor)
    )  # fmt: skip
    assert scaled == pytest.approx([factor * x for x in one], rel=1e-6)


# -- another way to say the same -------------------------------------------------------------------


@FEW
@given(st.floats(0.3, 3.0), st.sampled_from(["starling", "none"]))
def test_a_patient_of_another_size_with_flows_of_that_size_has_the_same_protein_levels(
    size: float, shift: Literal["starling", "none"]
) -> None:
    """All volumes go with the weight here; citrate does not, and proteins do not notice."""
    seen = []
    for factor in (1.0, size):
        weight, blood = 68 * factor, 4100 * factor
        person = replace(WOMAN, weight=weight, blood_volume=blood, fluid_shift=shift)
        patient = filled(Patient(person, followed("igm", "fibrinogen")), factor)
        passage = Passage({"igm": 0.7}, {"fibrinogen": 0.4}, {"igg": 0.6}, 30.0 * factor)
        patient.advance(patient.time + 80, treating(passage, 0.4, size=factor))
        names = ("albumin", "igg", "igm", "fibrinogen")
        during = [*levels(patient, *names), patient.vitals().hematocrit]
        patient.disconnect()
        patient.advance(patient.time + 2 * DAY)
        seen.append([*during, *levels(patient, *names), patient.vitals().hematocrit])
    assert seen[1] == pytest.approx(seen[0], rel=2e-6)


@PLENTY
@given(st.lists(st.floats(0.1, 89.9), min_size=1, max_size=3), passages)
def test_a_stretch_cut_anywhere_is_the_stretch(cuts: list[float], passage: Passage) -> None:
    """The column included: what is on it carries over."""
    whole, parts = (filled(Patient(WOMAN, followed("igm"))) for _ in range(2))
    start = whole.time
    whole.advance(start + 90, treating(passage))
    for cut in (*sorted(cuts), 90.0):
        parts.advance(start + cut, treating(passage))
    assert parts.state == pytest.approx(whole.state, rel=1e-6, abs=1e-9)


OTHER_UNITS = """
format: 1
patient: {sex: female, weight: 68000 g, height: 1650 mm, hematocrit: 0.39}
solutes: {igm: {}, antibody: {like: igg1, initial: 100 U/mL}}
prescription: {exchange: 1 PV, replacement: [{fluid: albumin-5, share: 1}]}
course: {sessions: 1}
simulation: {until: 1440 min}
"""


def test_a_file_in_other_units_is_the_same_run() -> None:
    given = "events=[{at: 0.5 d, give: igg, dose: 20000 mg, over: 2 h}]"
    same = "events=[{at: 12 h, give: igg, dose: 20 g, over: 120 min}]"
    assert (
        run("machine.inlet_flow=3 L/h", given, text=OTHER_UNITS).rows
        == run("machine.inlet_flow=50 mL/min", same).rows
    )


def test_names_and_order_of_solutes_change_nothing() -> None:
    turned = TEXT.replace(
        "solutes: {igm: {}, antibody: {like: igg1, initial: 100 U/mL}}",
        "solutes: {zz: {like: igg1, initial: 100 U/mL}, igm: {}}",
    )
    one, other = run(), run(text=turned)
    for here, there in (("antibody", "zz"), ("igm", "igm"), ("igg", "igg")):
        assert column(other, there) == pytest.approx(column(one, here), rel=1e-9)


@pytest.mark.parametrize("device", DEVICES)
def test_one_more_solute_without_oncotic_pressure_changes_no_other(device: str) -> None:
    with_it = run(f"machine.device={device}", "solutes.c3={}", "solutes.fibrinogen={}")
    without = run(f"machine.device={device}")
    for name in (*SOLUTES, "albumin"):
        assert column(with_it, name) == pytest.approx(column(without, name), rel=1e-6), name
    assert with_it.column("blood_volume") == pytest.approx(without.column("blood_volume"), rel=1e-6)


def test_a_course_without_sessions_stays_at_rest() -> None:
    result = run("course.sessions=0", "simulation.until=20 d")
    for name in (*SOLUTES, "albumin"):
        seen = column(result, name)
        assert seen == pytest.approx([seen[0]] * len(seen), rel=1e-8), name


@pytest.mark.parametrize("days", [1, 5])
def test_a_course_some_days_later_is_the_curve_some_days_later(days: int) -> None:
    now = run("course={at: [0 d, 2 d]}", "simulation.until=4 d")
    later = run(f"course={{at: [{days} d, {days + 2} d]}}", f"simulation.until={days + 4} d")
    for first, second in zip(now.sessions, later.sessions, strict=True):
        assert second.start - first.start == pytest.approx(days * DAY)
        for name in SOLUTES:
            one, other = first.solutes[name], second.solutes[name]
            assert (other.pre, other.post) == pytest.approx((one.pre, one.post), rel=1e-6)
            assert other.removed == pytest.approx(one.removed, rel=1e-6)
    ends = [[column(r, name)[-1] for name in SOLUTES] for r in (now, later)]
    assert ends[1] == pytest.approx(ends[0], rel=1e-6)
