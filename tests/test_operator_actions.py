"""What a scenario lets the operator do, and alarms that he leaves to whoever watches."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import catalog, run_folder, scenario
from simulator.errors import ScenarioError
from simulator.machine.alarms import BY_ACTION, OPERATOR_ACTIONS
from simulator.result import Result
from simulator.simulation import simulate

BASE = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
machine: {device: DEVICE}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
"""


def text(
    *events: str, sees_to: str | None = "bottles", device: str = "spectra-optia", more: str = ""
) -> str:
    operator = f"operator: {{sees_to: {sees_to}}}\n" if sees_to else ""
    listed = "\n".join(f"  - {{session: 1, {event}}}" for event in events)
    return BASE.replace("DEVICE", device) + operator + f"events:\n{listed}\n{more}"


def played(*events: str, **how: Any) -> Result:
    return simulate(scenario.loads(text(*events, **how)))


def log(result: Result, *words: str) -> list[tuple[str, float, str]]:
    """Event, minute and detail of the events of these words."""
    return [
        (e.event, round(e.minute or 0.0, 3), e.detail)
        for e in result.events
        if e.event.split(":")[0] in words or e.event in words
    ]


KINDS = ("centrifuge", "bowl", "membrane")
KINK = "at: 20 min, fault: access-occlusion"
STRAIGHTEN = "straighten-the-access-line"


def test_a_kink_waits_for_whoever_straightens_the_line() -> None:
    result = played(KINK, f"at: 23 min, do: {STRAIGHTEN}")
    assert log(result, f"operator:{STRAIGHTEN}") == [
        (f"operator:{STRAIGHTEN}", 25.0, "access-pressure-low")
    ]
    resumed = [minute for _, minute, _ in log(result, "resumed") if minute > 20]
    assert resumed[0] == 25.0
    assert result.sessions[0].completed


def test_left_alone_the_circuit_clots() -> None:
    result = played(KINK)
    session = result.sessions[0]
    assert not session.completed
    assert "clotted" in str(session.stop_reason)
    assert log(result, "no-rinseback")


def test_with_an_operator_who_sees_to_all_nothing_waits() -> None:
    """The comparison of the two before: the same kink, as it always was."""
    for sees_to in (None, "all"):
        result = played(KINK, sees_to=sees_to)
        assert result.sessions[0].completed
        assert [m for _, m, _ in log(result, "cleared")] == [22.0]


def test_saying_that_all_is_seen_to_changes_nothing_else() -> None:
    said, unsaid = (played(KINK, sees_to=sees_to) for sees_to in ("all", None))
    assert run_folder.events_csv(said) == run_folder.events_csv(unsaid)
    assert said.rows == unsaid.rows


def test_bottles_and_bags_are_changed_unasked() -> None:
    result = played("at: 1 min, do: acknowledge")
    assert result.sessions[0].completed
    assert len(log(result, "operator:hang-a-bottle")) >= 8


def test_an_acknowledgment_alone_mends_nothing() -> None:
    result = played(KINK, "at: 22 min, do: acknowledge")
    assert log(result, "operator:acknowledge") == [
        ("operator:acknowledge", 22.0, "access-pressure-low")
    ]
    assert not result.sessions[0].completed


def test_an_acknowledgment_releases_what_is_over() -> None:
    """The line opens by itself at 21 min; the pumps wait for somebody who has seen it."""
    result = played(
        "at: 20 min, fault: access-occlusion, for: 1 min", "at: 24 min, do: acknowledge"
    )
    assert next(m for _, m, _ in log(result, "resumed") if m > 20) == 24.0


def test_pumps_are_held_and_go_on() -> None:
    result = played("at: 20 min, do: hold", "at: 21 min, do: hold", "at: 24 min, do: resume",
                    "at: 25 min, do: resume")  # fmt: skip
    assert ("resumed", 24.0, "after 4.0 min") in log(result, "resumed")
    assert [(m, d) for _, m, d in log(result, "no-effect")] == [
        (21.0, "hold: the pumps already stand still"),
        (25.0, "resume: the pumps are not held"),
    ]


def test_a_session_is_ended_and_rinsed_back() -> None:
    result = played("at: 40 min, do: end-session")
    assert result.sessions[0].stop_reason == "ended by the operator"
    assert [m for _, m, _ in log(result, "rinseback")] == [40.0]


def test_what_has_no_cause_has_no_effect_and_is_told() -> None:
    result = played(f"at: 20 min, do: {STRAIGHTEN}", "at: 400 min, do: acknowledge")
    assert [d for _, _, d in log(result, "no-effect")] == [
        f"{STRAIGHTEN}: access-pressure-low does not sound",
        "acknowledge: the machine is not connected",
    ]


def test_nobody_answers_a_reaction_but_who_is_asked_to() -> None:
    left, answered = (
        played("at: 30 min, fault: paresthesia", sees_to=s) for s in ("bottles", "all")
    )
    assert log(left, "operator:slow-inlet") == []
    assert len(log(answered, "operator:slow-inlet")) == 1
    assert left.sessions[0].reactions["paresthesia"] == 1


@pytest.mark.parametrize("device", ["spectra-optia", "mcs-plus", "prismaflex-tpe2000"])
@pytest.mark.parametrize("action", sorted(BY_ACTION))
def test_every_fault_is_answered_by_its_action(action: str, device: str) -> None:
    """Whatever can happen to a device stays until it is answered, and then the session goes on."""
    alarm = BY_ACTION[action]
    events = (f"at: 30 min, fault: {alarm.fault}", f"at: 30.5 min, do: {action}")
    written = text(*events, device=device)
    if catalog.separator_kind(catalog.device(device)) not in (alarm.only or KINDS):
        with pytest.raises(ScenarioError) as refused:
            scenario.loads(written)
        assert {p.path for p in refused.value.problems} == {"events.0.fault", "events.1.do"}
        return
    result = simulate(scenario.loads(written))
    assert log(result, f"operator:{action}"), log(result, "operator", "alarm", "no-effect")


def test_a_resolved_scenario_says_the_same_again() -> None:
    one = scenario.loads(text(KINK, *(f"at: 30 min, do: {a}" for a in ("acknowledge", "hold"))))
    again = scenario.loads(scenario.dump(one), one.name)
    assert again == one
    assert scenario.dump(again) == scenario.dump(one)


def test_operator_keeps_his_habits_beside_what_he_sees_to() -> None:
    one = scenario.loads(text(KINK, sees_to="bottles, response: 2 min"))
    assert one.sees_to == "bottles"
    assert one.operator is not None
    assert one.operator.response == 2.0
    assert scenario.loads(text(KINK)).operator is None


def test_all_actions_are_named() -> None:
    assert set(BY_ACTION) < set(OPERATOR_ACTIONS)
    assert len(set(OPERATOR_ACTIONS)) == len(OPERATOR_ACTIONS)
