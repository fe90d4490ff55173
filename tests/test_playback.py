"""A watched run is the run itself, and what is told of the machine adds up to what it did."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import run_folder, scenario, simulation
from simulator.playback import offer, page, recording
from simulator.playback.recording import as_data, recorded, thinned
from simulator.playback.watched import NO_MACHINE

SCENARIOS = ("stiff-person-acute", "membrane", "bowl-or-continuous", "double-filtration",
             "immunoadsorption-or-exchange", "busy-unit", "faults", "plasma-donor")  # fmt: skip
BOWL = {"bowl-or-continuous": ("machine.device=mcs-plus",)}
NEAR = 1e-4
"""Of a volume: what six digits and a thousand stretches leave."""


def told(name: str, **how: Any) -> dict[str, Any]:
    return as_data(recorded(scenario.load(name, BOWL.get(name, ()))), digits=12, **how)


def whole(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """States with all they hold, as the page puts them together."""
    full: list[dict[str, Any]] = []
    now: dict[str, Any] = {}
    for state in states:
        now = {**now, **state}
        full.append(now)
    return full


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_watched_run_is_the_run_itself_to_the_byte(name: str) -> None:
    one = scenario.load(name, BOWL.get(name, ()))
    watched, alone = recorded(one).result, simulation.simulate(one)
    assert watched is not None
    assert run_folder.events_csv(watched) == run_folder.events_csv(alone)
    assert run_folder.curves_csv(watched) == run_folder.curves_csv(alone)
    assert run_folder.summary_json(watched) == run_folder.summary_json(alone)


@pytest.mark.parametrize("name", SCENARIOS)
def test_flows_of_the_states_add_up_to_the_volumes_of_the_sessions(name: str) -> None:
    one = scenario.load(name, BOWL.get(name, ()))
    run = recorded(one)
    states = whole(as_data(run, digits=12)["states"])
    assert run.result is not None
    for session in run.result.sessions:
        moved = dict.fromkeys(("plasma", "replacement", "anticoagulant"), 0.0)
        for state, after in pairwise(states):
            if state["session"] == session.index:
                for which in moved:
                    moved[which] += state["flows"][which] * (after["time"] - state["time"])
        assert moved["plasma"] == pytest.approx(session.plasma_removed, rel=NEAR, abs=0.1)
        assert moved["replacement"] == pytest.approx(session.replacement, rel=NEAR, abs=0.1)
        assert moved["anticoagulant"] == pytest.approx(session.anticoagulant, rel=NEAR, abs=0.1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_levels_fall_in_straight_lines_to_the_next_state(name: str) -> None:
    """What the page draws between two states ends where the next one begins."""
    states = whole(told(name)["states"])
    compared = 0
    for state, after in pairwise(states):
        if state["session"] == 0 or after["session"] != state["session"]:
            continue
        minutes = after["time"] - state["time"]
        if state["phase"] == "exchange" == after["phase"]:
            dose = state["dose"] + state["dose_rate"] * minutes
            assert after["dose"] == pytest.approx(dose, abs=0.01)
        for bag, flow in (("bottle", "replacement"), ("anticoagulant", "anticoagulant"),
                          ("waste", "plasma")):  # fmt: skip
            before, then = state[bag], after[bag]
            if before is None or then is None or before["fluid"] != then["fluid"]:
                continue
            left = before["left"] - state["flows"][flow] * minutes
            changed = then["left"] > left + 1  # a new one was hung
            if not changed and state["phase"] != "draw":  # a prime goes to the waste bag, too
                assert then["left"] == pytest.approx(left, abs=0.01), (bag, state["time"])
                compared += 1
            assert -0.01 <= then["left"] <= then["size"] * (1 + 1e-9)
    assert compared > 20


def test_alarms_stand_in_the_states_from_sounding_to_release() -> None:
    text = """
format: 1
extends: one-volume-or-two
operator: {sees_to: bottles}
events:
  - {session: 1, at: 20 min, fault: access-occlusion}
  - {session: 1, at: 22 min, do: acknowledge}
  - {session: 1, at: 23 min, do: straighten-the-access-line}
"""
    data = as_data(recorded(scenario.loads(text)))
    standing = {
        round(s["time"], 2): {a["name"]: a["acknowledged"] for a in s["alarms"]}
        for s in whole(data["states"])
        if any(a["name"] == "access-pressure-low" for a in s["alarms"])
    }
    assert standing == {
        20.02: {"access-pressure-low": False},
        21.02: {"access-pressure-low": False, "pumps-stopped": True},
        22.0: {"access-pressure-low": True, "pumps-stopped": True},
    }
    stopped = [s for s in whole(data["states"]) if s["stopped_by"] == "access-occlusion"]
    assert all(s["flows"]["inlet"] == 0 for s in stopped)
    assert {s["access_pressure"] for s in stopped} == {-400}


def test_what_could_not_go_on_is_told_with_all_that_came_before() -> None:
    run = recorded(scenario.load("one-volume-or-two", ["prescription.fluid_balance=20 %"]))
    assert run.result is None
    data = as_data(run)
    assert "a fluid balance of 20 % cannot be held" in data["impossible"]["message"]
    assert data["impossible"]["time"] == pytest.approx(27.17, abs=0.01)
    assert data["curves"]["time"][-1] == data["impossible"]["time"]
    assert data["events"][-1]["time"] <= data["impossible"]["time"]
    assert data["tables"] == []


@pytest.mark.parametrize("name", [*SCENARIOS, "one-volume-or-two", "natalizumab"])
def test_the_machine_leaves_with_the_last_contact(name: str) -> None:
    data = told(name)
    last = whole(data["states"])[-1]
    assert last["phase"] == "none"
    assert last["time"] == pytest.approx(data["sessions"][-1]["connected"][1], abs=1e-5)


def test_between_sessions_there_is_no_machine() -> None:
    states = whole(told("stiff-person-acute")["states"])
    without = [s for s in states if s["session"] == 0]
    assert len(without) == 5
    for state in without:
        assert {k: v for k, v in state.items() if k != "time"} == NO_MACHINE


@given(st.lists(st.floats(0, 100), min_size=1, max_size=400), st.integers(10, 100))
def test_thinned_rows_keep_both_sides_of_every_event(times: list[float], most: int) -> None:
    rows = [(time, float(k)) for k, time in enumerate(sorted(times))]
    kept = thinned(rows, most)
    assert set(kept) <= set(rows)
    assert list(kept) == sorted(kept)
    assert (kept[0], kept[-1]) == (rows[0], rows[-1])
    doubled = {time for time, _ in rows if sum(t == time for t, _ in rows) > 1}
    assert [r for r in rows if r[0] in doubled] == [r for r in kept if r[0] in doubled]
    between = len(kept) - sum(time in doubled for time, _ in kept)
    assert len(rows) <= most or between <= most + 2


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    minute=st.floats(6, 60),
    name=st.sampled_from(("one-volume-or-two", "busy-unit", "membrane")),
    what=st.sampled_from((
        "set: machine.inlet_flow, to: 50 mL/min", "fault: access-occlusion", "do: hold",
        "fault: paresthesia", "do: end-session", "give: saline, dose: 250 mL, over: 10 min",
    )),
)  # fmt: skip
def test_a_change_leaves_what_came_before_it_as_it_was(minute: float, name: str, what: str) -> None:
    """So a run can be computed anew at every change, and the class sees no seam."""
    base = scenario.load(name)
    text = f"format: 1\nextends: {name}\nevents:\n"
    text += (
        "".join(f"  - {json.dumps(event)}\n" for event in base.document.get("events", []))
        + f"  - {{session: 1, at: {minute} min, {what}}}\n"
    )
    plain, changed = recorded(base), recorded(scenario.loads(text, base.name))

    def before(run: recording.Recording) -> list[Any]:
        return [(e.time, e.event, e.detail) for e in run.events if e.time < minute]

    assert before(plain) == before(changed)
    assert [s for s in plain.states if s[0] < minute] == [
        s for s in changed.states if s[0] < minute
    ]
    rows = [[r for r in run.rows if r[0] * 1440 < minute - 1e-6] for run in (plain, changed)]
    assert len(rows[0]) == len(rows[1])
    for one, other in zip(*rows, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_offered_can_be_done(name: str) -> None:
    """Every setting at both its limits, every fault and every action is taken by the format."""
    one = scenario.load(name, BOWL.get(name, ()))
    offered = offer.offered(one)
    events: list[dict[str, Any]] = []
    for setting in offered["settings"]:
        values = setting["choices"] or [
            f"{setting[end]} {setting['unit']}".strip() for end in ("from", "to")
        ]
        if setting["path"] == "machine.plasma_flow":
            values = values[:1]  # the highest depends on the inlet flow
        events += [{"set": setting["path"], "to": value} for value in values]
    events += [{"fault": fault["name"]} for fault in offered["faults"]]
    events += [{"do": action["name"]} for action in offered["actions"]]
    events += [{"give": f["name"], "dose": f"10 {f['unit']}"} for f in offered["fluids"]]
    dated = [{"session": 1, "at": "10 min", **event} for event in events]
    document = {**one.document, "events": dated}
    again = scenario.loads(json.dumps(document), one.name)
    assert len(again.events) == len(events) > 25


def test_data_in_a_document_cannot_end_its_script() -> None:
    hostile = "</script><script>alert(1)</script><!--\u2028&"
    text = page.as_json({"title": hostile})
    assert json.loads(text) == {"title": hostile}
    assert not set("<>&\u2028") & set(text)
    assert "<b>" not in page.live_document("<b>").split("</title>")[0]
