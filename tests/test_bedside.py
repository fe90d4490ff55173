"""Whole runs with mishaps and luck: what chance may change, what is told, what is conserved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from simulator import catalog
from simulator import scenario as scenarios
from simulator.errors import ImpossibleRunError
from simulator.luck import Luck
from simulator.machine.alarms import BY_FAULT, FAULTS, REACTIONS
from simulator.result import Event, Result
from simulator.simulation import Run, simulate

ONE_SESSION = """
format: 1
title: One session
patient: {sex: female, age: 45 y, weight: 62 kg, height: 168 cm, hematocrit: 36 %}
machine: {device: spectra-optia, access: peripheral-veins, inlet_flow: 60 mL/min}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""
TYPICAL = "machine.disturbances=typical"
BUSY = "operator.machines=3"
TWO_SESSIONS = ("course.sessions=2", "course.every=1 d", "simulation.until=2 d")
SEEDS = range(10)
ACCESSES = [catalog.access(name) for name in catalog.names("access")]


@cache
def one(*overrides: str, seed: int = 0) -> Result:
    return simulate(scenarios.loads(ONE_SESSION, "one", overrides, seed=seed))


def content(result: Result) -> dict[str, Any]:
    """The summary without what names the scenario's seed."""
    return {k: v for k, v in result.summary().items() if k not in ("seed", "scenario_sha256")}


def told(result: Result, session: int | None = None) -> list[Event]:
    """What happened, of one session or of all."""
    return [e for e in result.events if session in (None, e.session)]


def named(result: Result, kind: str, session: int) -> Counter[str]:
    """How often each alarm, reaction or operator's action is in the events of a session."""
    return Counter(
        e.event.removeprefix(kind) for e in told(result, session) if e.event.startswith(kind)
    )


def happened(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


# -- seeds and streams -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "overrides", [(), (BUSY,), ("events=[{session: 1, at: 30 min, fault: vasovagal}]",)]
)
def test_without_disturbances_the_seed_changes_nothing(overrides: tuple[str, ...]) -> None:
    first, second = one(*overrides, seed=1), one(*overrides, seed=2)
    assert first.rows == second.rows
    assert first.events == second.events
    assert content(first) == content(second)
    assert first.summary()["seed"] != second.summary()["seed"]


def test_without_disturbances_no_random_number_is_ever_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Luck, *purpose: str | int) -> Random:
        raise AssertionError(purpose)

    monkeypatch.setattr(Luck, "stream", refuse)
    text = "events=[{session: 1, at: 30 min, fault: access-failure}]"
    result = simulate(scenarios.loads(ONE_SESSION, "one", ("operator.machines=6", text)))
    assert result.sessions[0].alarms["access-not-delivering"] == 1
    with pytest.raises(AssertionError, match="session"):
        simulate(scenarios.loads(ONE_SESSION, "one", (TYPICAL,)))


def test_the_same_seed_is_the_same_run_and_another_seed_is_another() -> None:
    first = one(TYPICAL, seed=3)
    again = simulate(scenarios.loads(ONE_SESSION, "one", (TYPICAL,), seed=3))
    assert again.rows == first.rows
    assert again.events == first.events
    assert again.summary() == first.summary()
    others = [one(TYPICAL, seed=seed) for seed in SEEDS]
    assert len({tuple(other.events) for other in others}) == len(SEEDS)


def test_a_new_stream_changes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = one(TYPICAL, seed=4)
    stream = Luck.stream

    def with_more(self: Luck, *purpose: str | int) -> Random:
        stream(self, *purpose, "new").random()
        stream(self, "new").gauss(0.0, 1.0)
        return stream(self, *purpose)

    monkeypatch.setattr(Luck, "stream", with_more)
    again = simulate(scenarios.loads(ONE_SESSION, "one", (TYPICAL,), seed=4))
    assert again.events == plain.events
    assert again.rows == plain.rows


def test_a_disturbance_that_cannot_happen_changes_no_other() -> None:
    """One stream less is drawn from; everything else happens at the same instants."""
    cannot = "machine.device.disturbances.power-failure=0 %"
    plain = one(TYPICAL, seed=5)
    assert "alarm:power-failure" not in {e.event for e in plain.events}
    assert one(TYPICAL, cannot, seed=5).events == plain.events


@pytest.mark.parametrize("fault", ["air-in-return", "paresthesia", "access-occlusion"])
def test_what_happens_in_the_second_session_leaves_the_first_alone(fault: str) -> None:
    plain = one(TYPICAL, *TWO_SESSIONS, seed=6)
    more = f"events=[{{session: 2, at: 12 min, fault: {fault}}}]"
    changed = one(TYPICAL, *TWO_SESSIONS, more, seed=6)
    assert told(changed, 1) == told(plain, 1)
    assert told(changed, 2) != told(plain, 2)
    assert changed.sessions[0] == plain.sessions[0]


def test_how_often_curves_are_written_changes_nothing_that_happens() -> None:
    """Reactions are found on the integrator's steps; nobody looks at the output grid."""
    fine = "simulation.session_output_interval=10 s"
    reactions = 0
    for seed in SEEDS:
        coarse = one(TYPICAL, seed=seed)
        assert one(TYPICAL, fine, seed=seed).events == coarse.events
        reactions += sum(coarse.sessions[0].reactions.values())
    assert reactions > 0


# -- what is told ----------------------------------------------------------------------------------


def can_have(device: str) -> list[str]:
    """The faults of a device's kind of separator, and all reactions of the patient."""
    kind = type(catalog.device(device).separator)
    names = (name for name, made_of in catalog.SEPARATORS.items() if made_of is kind)
    (separator,) = names
    alarms = ((name, BY_FAULT.get(name)) for name in FAULTS)
    return [name for name, a in alarms if a is None or not a.only or separator in a.only]


HAVING = [
    (fault, device)
    for device in ("spectra-optia", "mcs-plus", "plasmaflo-op-08w")
    for fault in can_have(device)
]
"""Each fault on a machine of every kind that can have it."""


RUNS = [
    *[((TYPICAL, BUSY), seed) for seed in SEEDS],
    *[((TYPICAL, "machine.access=dialysis-catheter", *TWO_SESSIONS), seed) for seed in range(3)],
    *[
        (
            (
                f"machine.device={device}",
                f"events=[{{session: 1, at: 20 min, fault: {name}}}]",
                "operator.vital_signs=10 min",
            ),
            0,
        )
        for name, device in HAVING
    ],
]


@pytest.mark.parametrize(("overrides", "seed"), RUNS)
def test_alarms_reactions_and_actions_are_told_with_their_cause_and_counted(
    overrides: tuple[str, ...], seed: int
) -> None:
    result = one(*overrides, seed=seed)
    assert result.sessions
    for session in result.sessions:
        assert named(result, "alarm:", session.index) == happened(session.alarms)
        assert named(result, "reaction:", session.index) == happened(session.reactions)
        assert named(result, "operator:", session.index) == happened(session.operator_actions)
        assert session.operator_waiting >= 0
    kinds = ("alarm:", "reaction:", "operator:")
    told_of = [e for e in result.events if e.event.startswith(kinds)]
    assert told_of
    assert [e for e in told_of if not e.detail or e.session == 0] == []


def test_every_fault_can_happen_to_some_machine() -> None:
    assert {fault for fault, _ in HAVING} == set(FAULTS)


@pytest.mark.parametrize(("name", "device"), HAVING)
def test_what_the_scenario_lets_happen_is_in_the_events_and_in_the_summary(
    name: str, device: str
) -> None:
    fault = f"events=[{{session: 1, at: 20 min, fault: {name}}}]"
    result = one(f"machine.device={device}", fault)
    (session,) = result.sessions
    if name in REACTIONS:
        event_name, count = f"reaction:{name}", session.reactions[name]
    else:
        event_name = f"alarm:{BY_FAULT[name].name}"
        count = session.alarms[BY_FAULT[name].name]
    minutes = [e.minute for e in result.events if e.event == event_name]
    assert any(minute == pytest.approx(20.0, abs=0.1) for minute in minutes)
    assert len(minutes) == count


def test_a_reaction_by_chance_is_told_with_the_patients_calcium_and_volume() -> None:
    reactions = [
        e
        for seed in SEEDS
        for e in one(TYPICAL, seed=seed).events
        if e.event.startswith("reaction:")
    ]
    assert reactions
    for each in reactions:
        calcium = float(each.detail.split("ionized calcium ")[1].split()[0])
        assert 0.7 < calcium < 1.25
        assert "blood volume" in each.detail


def test_calcium_given_for_paresthesia_reaches_the_patient() -> None:
    plain = one()
    treated = one("events=[{session: 1, at: 60 min, fault: paresthesia}]")
    gifts = [e.detail for e in treated.events if e.event == "dose"]
    assert gifts == ["10 mL calcium-gluconate-10 over 10 min"]
    assert treated.sessions[0].ionized_calcium_nadir > plain.sessions[0].ionized_calcium_nadir
    assert abs(treated.balance["calcium_relative"]) < 1e-9


@pytest.mark.parametrize("name", ["device-failure", "air-in-return", "vasovagal"])
def test_what_happens_when_the_circuit_is_already_off_has_no_effect(name: str) -> None:
    """Two minutes into taking the needles out: the session has done what it should."""
    plain = one()
    (session,) = plain.sessions
    late = f"{session.connected_minutes - 3:.3f} min"
    result = one(f"events=[{{session: 1, at: {late}, fault: {name}}}]")
    assert "no-effect" in {e.event for e in result.events}
    assert result.sessions[0].completed
    assert result.sessions == plain.sessions


# -- what is conserved -----------------------------------------------------------------------------


def closes(result: Result) -> None:
    for key, residual in result.balance.items():
        assert abs(residual) < (1e-6 if key.endswith("_mL") else 1e-9), key


@pytest.mark.parametrize("seed", SEEDS)
def test_machine_and_ledger_agree_whatever_goes_wrong(seed: int) -> None:
    """Two independent tallies: the pumps', and the ledger's, which the patient keeps."""
    a_run = Run(scenarios.loads(ONE_SESSION, "one", (TYPICAL, BUSY), seed=seed))
    result = a_run.result()
    closes(result)
    water, (session,) = a_run.ledger.accounts("water"), result.sessions
    assert water["waste"] == pytest.approx(session.plasma_removed)
    assert -water["acd-a"] == pytest.approx(session.anticoagulant)
    albumin = session.replacement_by_fluid["albumin-5"]
    assert -water["albumin-5"] == pytest.approx(albumin)
    assert albumin == pytest.approx(session.replacement)


def test_another_fluid_from_now_on_is_counted_from_now_on() -> None:
    """What had run in before is albumin to the ledger, and to the machine."""
    change = "events=[{session: 1, at: 40 min, set: prescription.replacement, to: saline}]"
    a_run = Run(scenarios.loads(ONE_SESSION, "one", (change,)))
    (session,) = a_run.result().sessions
    assert session.completed
    albumin = session.replacement_by_fluid["albumin-5"]
    assert -a_run.ledger.accounts("water")["albumin-5"] == pytest.approx(albumin)


@st.composite
def machines(draw: Any) -> tuple[str, list[str]]:
    """A device, and an access that delivers what its inlet pump needs at least."""
    name = draw(st.sampled_from(catalog.names("devices")))
    device = catalog.device(name)
    fitting = [a for a in ACCESSES if a.inlet_flow_max >= device.inlet_flow_min]
    access = draw(st.sampled_from(fitting))
    most = min(access.inlet_flow_max, device.inlet_flow_max)
    flow = draw(st.sampled_from([device.inlet_flow_min, min(device.inlet_flow, most), most]))
    return name, [
        f"machine.device={name}",
        f"machine.access={access.name}",
        f"machine.inlet_flow={flow} mL/min",
    ]


@st.composite
def mishaps(draw: Any, faults: list[str]) -> str:
    """A fault or reaction at any instant, stated to last or not; whole minutes often coincide."""
    minutes = st.one_of(st.integers(0, 200), st.floats(0, 200).map(lambda x: round(x, 4)))
    lasting = draw(st.one_of(st.none(), st.integers(1, 25), st.sampled_from([0.02, 0.5, 9.9, 10])))
    name = draw(st.sampled_from(faults))
    duration = "" if lasting is None or name in REACTIONS else f", for: {lasting} min"
    return f"{{session: 1, at: {draw(minutes)} min, fault: {name}{duration}}}"


@st.composite
def mishandled_sessions(draw: Any) -> tuple[tuple[str, ...], int]:
    """What to lay over the scenario, and a seed."""
    device, overrides = draw(machines())
    events = draw(st.lists(mishaps(can_have(device)), max_size=8))
    overrides += [
        f"events=[{', '.join(events)}]",
        f"machine.disturbances={draw(st.sampled_from(['none', 'typical']))}",
        f"machine.rinseback={draw(st.sampled_from(['yes', 'no']))}",
        f"prescription.exchange={draw(st.sampled_from(['0.3 PV', '0.8 PV', '1.2 PV']))}",
    ]
    if draw(st.booleans()):
        overrides.append(f"operator.machines={draw(st.integers(1, 6))}")
        overrides.append(f"operator.vital_signs={draw(st.sampled_from(['5 min', 'never']))}")
    return tuple(overrides), draw(st.integers(0, 1000))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(mishandled_sessions())
def test_whatever_goes_wrong_the_books_close_and_the_session_says_how_it_ended(
    written: tuple[tuple[str, ...], int],
) -> None:
    overrides, seed = written
    try:
        result = simulate(scenarios.loads(ONE_SESSION, "one", overrides, seed=seed))
    except ImpossibleRunError:
        event("impossible")
        return
    closes(result)
    (session,) = result.sessions
    event(str(session.stop_reason).partition(":")[0])
    assert session.completed != bool(session.stop_reason)
    assert session.connected_minutes >= session.run_minutes >= session.pauses >= 0
    assert named(result, "alarm:", 1) == happened(session.alarms)
    assert named(result, "reaction:", 1) == happened(session.reactions)
    assert named(result, "operator:", 1) == happened(session.operator_actions)
    assert [e.time for e in result.events] == sorted(e.time for e in result.events)
    assert json.loads(json.dumps(result.summary())) == result.summary()
