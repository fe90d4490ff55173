"""Whole runs: the bundled scenarios, generated ones, and what looking must never change."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from simulator import scenario as scenarios
from simulator.errors import ImpossibleRunError
from simulator.machine.alarms import BY_FAULT
from simulator.result import Result
from simulator.simulation import Run, simulate

BUNDLED = scenarios.bundled_names()

ONE_SESSION = """
format: 1
title: One session
patient: {sex: male, age: 50 y, weight: 75 kg, height: 178 cm, hematocrit: 40 %}
solutes: {igm: {}, fibrinogen: {}, antibody: {like: igg1, initial: 100 U/mL}}
machine: {device: spectra-optia, access: central-venous-catheter}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 3 d}
"""


@cache
def run(name: str, *overrides: str) -> Result:
    return simulate(scenarios.load(name, overrides))


def one(*overrides: str) -> Result:
    return simulate(scenarios.loads(ONE_SESSION, "one", overrides))


def level(result: Result, name: str, day: float) -> float:
    """Plasma concentration at a time, the last row not after it."""
    place = bisect_right(result.column("time"), day * (1 + 1e-12)) - 1
    return result.column(f"{name}_plasma")[place]


def percent_left(result: Result, name: str, day: float) -> float:
    return 100 * level(result, name, day) / result.solutes[name].initial


def event_names(result: Result) -> list[str]:
    return [event.event for event in result.events]


# -- every bundled scenario ------------------------------------------------------------------------


def test_there_are_bundled_scenarios() -> None:
    assert {"stiff-person-acute", "closed-form", "faults", "natalizumab"} <= set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_ledger_closes(name: str) -> None:
    result = run(name)
    assert abs(result.balance["water_mL"]) / result.plasma_volume < 1e-9
    assert abs(result.balance["red_cells_mL"]) / result.blood_volume < 1e-9
    relative = {k: v for k, v in result.balance.items() if k.endswith("_relative")}
    assert {"albumin_relative", "igg_relative", "citrate_relative"} <= set(relative)
    assert max(map(abs, relative.values())) < 1e-9


@pytest.mark.parametrize("name", BUNDLED)
def test_sessions_and_curves_agree(name: str) -> None:
    result = run(name)
    removed = sum(s.patient_plasma_removed for s in result.sessions)
    assert result.column("patient_plasma_removed")[-1] == pytest.approx(removed, rel=1e-9)
    assert result.column("replacement")[-1] == pytest.approx(
        sum(s.replacement for s in result.sessions), rel=1e-9
    )
    for solute, whole in result.solutes.items():
        total = sum(s.solutes[solute].removed for s in result.sessions)
        assert whole.removed == pytest.approx(total, rel=1e-9, abs=1e-12)
        assert whole.nadir <= min(result.column(f"{solute}_plasma")) * (1 + 1e-9)


@pytest.mark.parametrize("name", BUNDLED)
def test_both_sides_of_every_event_are_written(name: str) -> None:
    result = run(name)
    times = result.column("time")
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == pytest.approx(result.scenario.until / 1440)
    for session in result.sessions:
        ends = [t for t in times if t == pytest.approx(session.run[1] / 1440, abs=1e-12)]
        assert len(ends) == 2
    logged = [event.time for event in result.events]
    assert logged == sorted(logged)


@pytest.mark.parametrize("name", ["faults", "mixed-replacement", "stiff-person-acute"])
def test_the_machine_and_the_patient_have_counted_the_same_volumes(name: str) -> None:
    """Two independent tallies: the pumps' and the ledger's, which the patient keeps."""
    one_run = Run(scenarios.load(name))
    result = one_run.result()
    water = one_run.ledger.accounts("water")
    assert water["waste"] == pytest.approx(sum(s.plasma_removed for s in result.sessions))
    by_fluid: dict[str, float] = {}
    for session in result.sessions:
        for fluid, volume in session.replacement_by_fluid.items():
            by_fluid[fluid] = by_fluid.get(fluid, 0.0) + volume
    assert {fluid: -water[fluid] for fluid in by_fluid} == pytest.approx(by_fluid)
    assert -water["acd-a"] == pytest.approx(sum(s.anticoagulant for s in result.sessions))


# -- closed form -----------------------------------------------------------------------------------


def test_the_tracer_follows_the_integral_of_removal_over_plasma_volume() -> None:
    result = run("closed-form")
    session = result.sessions[0]
    rows = [
        (removed, volume, tracer)
        for time, removed, volume, tracer in zip(
            *map(
                result.column, ("time", "patient_plasma_removed", "plasma_volume", "tracer_plasma")
            ),
            strict=True,
        )
        if time <= session.run[1] / 1440 * (1 + 1e-12)
    ]
    exponent = 0.0
    for (removed_0, volume_0, _), (removed, volume, tracer) in pairwise(rows):
        exponent += (removed - removed_0) / volume
        if removed > removed_0:
            assert volume == pytest.approx(volume_0, rel=1e-12)
        assert tracer == pytest.approx(100 * math.exp(-exponent), rel=1e-9)
    assert exponent == pytest.approx(1.5 * result.plasma_volume / rows[-1][1], rel=1e-9)


# -- what a physician would expect -----------------------------------------------------------------


def test_one_plasma_volume_of_igg() -> None:
    result = one()
    igg = result.sessions[0].solutes["igg"]
    assert igg.post is not None
    assert 37 <= 100 * igg.post / igg.pre <= 39.5
    assert 71 <= percent_left(result, "igg", 2.0 + result.sessions[0].run[1] / 1440) <= 76


def test_five_alternate_day_exchanges_of_igg() -> None:
    result = run("daily-or-alternate", "simulation.until=30 d")
    last = result.sessions[-1].solutes["igg"]
    assert last.post is not None
    assert 13 <= 100 * last.post / result.solutes["igg"].initial <= 16
    assert 45 <= percent_left(result, "igg", 8 + 14) <= 58


def test_the_machine_does_what_its_maker_and_the_clinics_say() -> None:
    for hematocrit in (38, 40):
        for flow in (60, 65):
            result = one(f"patient.hematocrit={hematocrit} %", f"machine.inlet_flow={flow} mL/min")
            session = result.sessions[0]
            assert 0.84 <= (session.plasma_removal_efficiency or 0) <= 0.90
            per_liter = 1000 * session.anticoagulant_to_patient / session.blood_processed
            assert 14.0 <= per_liter <= 16.0  # 14.4 by the vendor's arithmetic, at 87 %
            per_volume = session.blood_processed / result.blood_volume
            assert 1.15 <= per_volume <= 1.22  # 1.15 by the same, at a constant hematocrit
            assert 105 <= session.run_minutes <= 125  # this man has three liters of plasma
            assert session.fluid_balance == pytest.approx(1.0, abs=1e-9)


def test_natalizumab_one_week_after_three_exchanges() -> None:
    """-92 % one week after the third [khatri-2009]; the abstract gives no spread."""
    result = run("natalizumab")
    assert percent_left(result, "natalizumab", 15.0) == pytest.approx(8, abs=4)


def test_daily_sessions_remove_less_for_the_same_volume() -> None:
    """IgG has more to come from tissue between sessions, IgM more from synthesis: both gain."""
    daily, alternate = run("daily-exchanges"), run("daily-or-alternate")

    def removed(result: Result, name: str) -> float:
        return result.solutes[name].removed / result.solutes[name].initial

    assert removed(daily, "igg") / removed(alternate, "igg") == pytest.approx(0.89, abs=0.03)
    assert removed(daily, "igm") / removed(alternate, "igm") == pytest.approx(0.83, abs=0.03)


def test_two_volumes_are_not_twice_one() -> None:
    one_volume, two = run("one-volume-or-two"), run("two-volumes")
    gain = two.solutes["igg"].removed / one_volume.solutes["igg"].removed
    assert 1.3 < gain < 1.5
    assert two.sessions[0].run_minutes > 1.9 * one_volume.sessions[0].run_minutes


def test_a_long_interval_lets_the_antibody_return() -> None:
    result = run("stiff-person-maintenance")
    before = [s.solutes["anti-gad65"].pre for s in result.sessions]
    assert before[-1] > 2 * min(before)


# -- looking does not change what is seen ----------------------------------------------------------


def test_the_output_grid_changes_no_state() -> None:
    coarse = one("simulation.output_interval=2 h", "simulation.session_output_interval=2 min")
    fine = one("simulation.output_interval=30 min", "simulation.session_output_interval=30 s")
    by_time: dict[tuple[float, int], list[tuple[float, ...]]] = {}
    for row in fine.rows:
        by_time.setdefault((row[0], int(row[1])), []).append(row)
    common = [row for row in coarse.rows if row in by_time.get((row[0], int(row[1])), [])]
    assert len(common) == len(coarse.rows) < len(fine.rows)
    assert coarse.solutes == fine.solutes
    assert coarse.sessions == fine.sessions


def test_the_same_file_twice_is_the_same_run() -> None:
    first, second = one(), one()
    assert first.rows == second.rows
    assert first.events == second.events
    assert first.summary() == second.summary()


def test_a_resolved_scenario_gives_the_same_run() -> None:
    first = run("faults")
    again = simulate(scenarios.loads(scenarios.dump(first.scenario), "other-name"))
    assert again.summary() == first.summary()
    assert again.rows == first.rows


def test_an_event_that_changes_nothing_changes_nothing() -> None:
    unchanged = one("events=[{session: 1, at: 45 min, set: machine.inlet_flow, to: 65 mL/min}]")
    assert "unchanged" in event_names(unchanged)
    assert unchanged.rows == one().rows


def test_units_of_the_same_quantity_are_the_same_run() -> None:
    other = one("patient.height=1.78 m", "patient.weight=75000 g", "simulation.until=72 h")
    assert other.rows == one().rows


# -- events ----------------------------------------------------------------------------------------


def test_faults_happen_when_and_as_long_as_the_file_says() -> None:
    result = run("faults")
    session = result.sessions[0]
    assert session.completed
    assert session.alarms["access-pressure-low"] == 1
    assert session.alarms["return-pressure-high"] == 1
    sounded = [e for e in result.events if e.event == "alarm:access-pressure-low"]
    hold = BY_FAULT["access-occlusion"].hold
    assert [e.minute for e in sounded] == [pytest.approx(20 + hold, abs=1e-9)]
    changed = [e for e in result.events if e.event == "set"]
    assert [(e.minute, e.detail) for e in changed] == [(50.0, "machine.inlet_flow to 45 mL/min")]
    assert session.pauses > 6


def test_setting_synthesis_slows_the_return() -> None:
    treated = run(
        "stiff-person-acute", "events=[{at: 0 d, set: solutes.anti-gad65.synthesis, to: 30 %}]"
    )
    plain = run("stiff-person-acute")
    assert treated.solutes["anti-gad65"].final < 0.75 * plain.solutes["anti-gad65"].final
    assert treated.solutes["igg"].final == pytest.approx(plain.solutes["igg"].final, rel=1e-6)


def test_intravenous_igg_is_counted_and_raises_the_level() -> None:
    result = one("events=[{at: 1 d, give: igg, dose: 30 g, over: 6 h}]")
    rise = level(result, "igg", 1.25) - level(result, "igg", 1.0)
    assert rise == pytest.approx(30 / 3.0, rel=0.15)  # 30 g into about three liters
    assert abs(result.balance["igg_relative"]) < 1e-12
    assert event_names(result).count("dose") == 1


def test_fcrn_blockade_ends() -> None:
    result = one(
        "course.sessions=0", "events=[{at: 0 d, fcrn_blockade: 75 %, for: 7 d}]",
        "simulation.until=60 d",
    )  # fmt: skip
    assert result.sessions == []
    assert percent_left(result, "igg", 7) < 70
    assert percent_left(result, "igg", 60) > 90
    # IgM is not spared by FcRn; it rises a little because less IgG holds less water in the vessels
    assert percent_left(result, "igm", 7) == pytest.approx(100, abs=4)


def test_an_event_of_a_session_that_never_came_is_not_lost() -> None:
    result = one(
        "course.sessions=2", "course.every=1 d",
        "rules=[{when: igm < 5 g/L, do: stop}]",
        "events=[{session: 2, at: 5 min, fault: air-in-return}]",
    )  # fmt: skip
    assert result.sessions == []
    assert event_names(result) == ["course-stopped", "no-effect"]


def test_a_rule_can_replace_delay_skip_and_stop() -> None:
    course = ("course.sessions=2", "course.every=2 d", "simulation.until=10 d")
    replaced = one(
        *course,
        "rules=[{when: fibrinogen < 2.5 g/L, do: replace-with, fluid: fresh-frozen-plasma}]",
    )
    assert list(replaced.sessions[0].replacement_by_fluid) == ["albumin-5"]
    assert replaced.sessions[1].replacement_by_fluid["fresh-frozen-plasma"] > 2000
    delayed = one(*course, "rules=[{when: fibrinogen < 2.4 g/L, do: delay, by: 1 d}]")
    assert delayed.sessions[1].start / 1440 > 2.9
    skipped = one(*course, "rules=[{when: fibrinogen < 2.5 g/L, do: skip}]")
    assert len(skipped.sessions) == 1
    assert "session-skipped" in event_names(skipped)


def test_plasma_replacement_brings_what_albumin_does_not() -> None:
    result = one("prescription.replacement=[{fluid: fresh-frozen-plasma, share: 100 %}]")
    session = result.sessions[0]
    assert session.solutes["fibrinogen"].given > 4
    assert session.solutes["antibody"].given == 0
    fibrinogen = session.solutes["fibrinogen"]
    assert fibrinogen.post is not None
    assert fibrinogen.post > 0.75 * fibrinogen.pre
    assert session.citrate_to_patient > 4 * one().sessions[0].citrate_to_patient
    # without calcium albumin takes as much calcium away as the citrate of plasma binds
    calcium = "prescription.calcium={fluid: calcium-gluconate-10, rate: 1.6 g/h}"
    plasma, albumin = (
        one(calcium, f"prescription.replacement=[{{fluid: {fluid}, share: 100 %}}]").sessions[0]
        for fluid in ("fresh-frozen-plasma", "albumin-5")
    )
    assert plasma.ionized_calcium_nadir < albumin.ionized_calcium_nadir - 0.02


def test_plasma_donation_gives_nothing_back() -> None:
    result = one("prescription={exchange: 600 mL, replacement: []}")
    assert result.sessions[0].replacement == 0
    assert result.sessions[0].fluid_balance == pytest.approx(0.18, abs=0.04)  # anticoagulant
    assert result.sessions[0].blood_volume_nadir < -0.05


def test_a_run_that_cannot_be_says_when_and_why() -> None:
    when_and_what = r"at 0\.\d+ d, \d+ min into the session: the plasma volume has fallen"
    with pytest.raises(ImpossibleRunError, match=when_and_what):
        one("prescription={exchange: 3 PV, replacement: []}", "patient.fluid_shift=none")


def test_a_session_cut_off_by_the_end_of_the_run_is_told() -> None:
    result = one("simulation.until=1 h")
    session = result.sessions[0]
    assert not session.completed
    assert session.stop_reason == "the run ended during the session"
    assert session.solutes["igg"].post is None
    assert session.patient_plasma_removed == pytest.approx(
        result.column("patient_plasma_removed")[-1], rel=1e-9
    )
    assert session.replacement == pytest.approx(result.column("replacement")[-1], rel=1e-9)
    assert abs(result.balance["igg_relative"]) < 1e-12


def test_blockades_back_to_back_are_one_long_blockade() -> None:
    def nadir(*blockades: str) -> float:
        events = ", ".join(
            f"{{at: {at}, fcrn_blockade: 75 %, for: {lasting}}}"
            for at, lasting in (b.split("+") for b in blockades)
        )
        return (
            one("course.sessions=0", f"events=[{events}]", "simulation.until=25 d")
            .solutes["igg"]
            .nadir
        )

    assert nadir("0 d+7 d", "7 d+7 d", "14 d+7 d") == pytest.approx(nadir("0 d+21 d"), rel=1e-6)


def test_a_delay_moves_the_rest_of_the_course() -> None:
    result = one(
        "course.sessions=3", "course.every=2 d", "simulation.until=20 d",
        "rules=[{when: fibrinogen < 2.4 g/L, do: delay, by: 1 d}]",
    )  # fmt: skip
    starts = [s.start / 1440 for s in result.sessions]
    assert starts[1] > 2.9
    assert starts[2] >= starts[1] + 2 - 1e-9


def test_of_rules_that_hold_stopping_goes_first() -> None:
    result = one(
        "course.sessions=2", "course.every=2 d", "simulation.until=6 d",
        "rules=[{when: igm < 5 g/L, do: replace-with, fluid: saline}, "
        "{when: igg < 50 g/L, do: stop}]",
    )  # fmt: skip
    assert event_names(result) == ["course-stopped"]


def test_volumes_by_body_weight_and_rates_per_kilogram() -> None:
    result = one("prescription.exchange=40 mL/kg")
    session = result.sessions[0]
    assert session.patient_plasma_removed == pytest.approx(40 * 75)
    milligrams = session.citrate_to_patient * 189.1
    assert session.citrate_rate == pytest.approx(milligrams / 75 / session.run_minutes)


def test_the_blood_volume_nadir_is_that_of_the_curve() -> None:
    result = one()
    volumes = [
        v for v, s in zip(result.column("blood_volume"), result.column("session"), strict=True) if s
    ]
    assert result.sessions[0].blood_volume_nadir == pytest.approx(
        min(volumes) / result.blood_volume - 1, abs=1e-4
    )


def test_a_fixed_volume_that_does_not_suffice_is_told() -> None:
    result = one("prescription.replacement=[{fluid: albumin-5, volume: 500 mL}]")
    assert "replacement-extended" in event_names(result)


def test_a_dose_at_the_start_is_seen_from_both_sides() -> None:
    result = one("course.sessions=0", "events=[{at: 0 d, give: antibody, dose: 100000 U}]")
    levels = result.column("antibody_plasma")
    assert levels[0] == pytest.approx(100)
    assert result.column("time")[1] == 0
    assert levels[1] == pytest.approx(100 + 100000 / result.plasma_volume)


def test_a_setting_for_the_rest_of_the_course_is_told_as_set_even_during_rinseback() -> None:
    result = one(
        "course.sessions=2", "course.every=1 d", "prescription.exchange=0.3 PV",
        "events=[{at: 42 min, set: machine.inlet_flow, to: 45 mL/min}]",
    )  # fmt: skip
    first, second = result.sessions
    assert first.run[1] < 42 < first.connected[1]  # rinseback
    assert "set" in event_names(result)
    assert "no-effect" not in event_names(result)
    assert second.run_minutes > 1.3 * first.run_minutes


def test_sessions_that_are_on_time_are_not_called_late() -> None:
    for name in ("mixed-replacement", "stiff-person-maintenance"):
        assert "session-delayed" not in event_names(run(name))


def test_sessions_that_would_overlap_are_told_apart() -> None:
    result = one("course.sessions=2", "course.every=1 h")
    assert result.sessions[1].start > result.sessions[0].connected[1] - 1e-9
    assert "session-delayed" in event_names(result)


# -- generated scenarios ---------------------------------------------------------------------------

fluids = st.sampled_from(["albumin-5", "albumin-4", "saline", "fresh-frozen-plasma"])


@st.composite
def written_scenarios(draw: Any) -> str:
    weight, height = draw(st.integers(45, 120)), draw(st.integers(150, 195))
    share = draw(st.integers(10, 90))
    events = draw(
        st.lists(
            st.sampled_from(
                [
                    "{session: 1, at: 25 min, fault: access-occlusion, for: 3 min}",
                    "{session: 1, at: 6 min, fault: return-occlusion, for: 2 min}",
                    "{session: 2, at: 40 min, fault: air-in-return, for: 12 min}",
                    "{session: 1, at: 40 min, fault: replacement-bottle-empty, for: 5 min}",
                    "{session: 1, at: 30 min, set: machine.inlet_flow, to: 45 mL/min}",
                    "{session: 2, at: 30 min, set: prescription.exchange, to: 0.5 PV}",
                    "{at: 1 d, give: igg, dose: 30 g, over: 6 h}",
                    "{at: 12 h, give: antibody, dose: 5000 U}",
                    "{at: 1 d, fcrn_blockade: 75 %, for: 2 d}",
                ]
            ),
            unique=True,
            max_size=4,
        )
    )
    return f"""
format: 1
title: generated
patient:
  sex: {draw(st.sampled_from(["female", "male"]))}
  weight: {weight} kg
  height: {height} cm
  hematocrit: {draw(st.integers(26, 48))} %
  fluid_shift: {draw(st.sampled_from(["starling", "none"]))}
solutes: {{igm: {{}}, adamts13: {{}}, antibody: {{like: igg3, initial: 50 U/mL}}}}
machine:
  device: {draw(st.sampled_from(["spectra-optia", "cobe-spectra", "amicus"]))}
  access: {draw(st.sampled_from(["central-venous-catheter", "peripheral-veins"]))}
prescription:
  exchange: {draw(st.sampled_from(["0.6 PV", "1.0 PV", "1.4 PV", "40 mL/kg"]))}
  replacement:
    - {{fluid: {draw(fluids)}, share: {share} %}}
    - {{fluid: {draw(fluids)}, share: {100 - share} %}}
  fluid_balance: {draw(st.integers(90, 110))} %
course: {{sessions: 2, every: 2 d}}
events: [{", ".join(events)}]
simulation: {{until: 5 d}}
"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(written_scenarios())
def test_conservation_holds_in_generated_scenarios(text: str) -> None:
    try:
        result = simulate(scenarios.loads(text))
    except ImpossibleRunError as error:  # much plasma for saline alone: nobody survives that
        if "plasma volume has fallen" not in str(error):
            raise
        reject()
    for key, residual in result.balance.items():
        scale = result.plasma_volume if key.endswith("_mL") else 1.0
        assert abs(residual) / scale < 1e-9, key
    for session in result.sessions:
        assert session.completed or session.stop_reason
