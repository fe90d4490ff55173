"""The runs of a class: when a change happens, what is a fork, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import lessons, run_folder, scenario
from simulator.playback.recording import as_data, recorded
from simulator.teach import classroom as rooms
from simulator.teach.classroom import Classroom, RefusedError, dated, session_at
from simulator.units import MINUTES_PER_DAY

COURSE = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
prescription: {exchange: 0.5 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {at: [0 d, 1 d]}
simulation: {until: 2 d}
"""
KINK = {"fault": "access-occlusion"}
SLOWER = {"set": "machine.inlet_flow", "to": "40 mL/min"}


@pytest.fixture
def room(tmp_path: Path) -> Classroom:
    file = tmp_path / "a course.yaml"
    file.write_text(COURSE, encoding="utf-8")
    one = Classroom(str(file))
    one.open()
    return one


def test_the_class_is_the_operator_where_there_is_none(room: Classroom) -> None:
    assert room.lines[1].scenario.sees_to == "bottles"
    assert room.open(None, "all").scenario.sees_to == "all"
    assert room.open("busy-unit").scenario.sees_to == "all"  # it has an operator of its own


def test_a_change_comes_just_after_what_is_seen(room: Classroom) -> None:
    run = room.lines[1].recording
    assert dated(run, 30.0, KINK) == {"session": 1, "at": "30.0001 min", **KINK}
    start = run.visits[1][1]
    assert dated(run, start + 10.00005, SLOWER)["at"] == "10.0001 min"
    between = dated(run, 1000.0, {"give": "igg", "dose": "30 g"})
    assert set(between) == {"at", "give", "dose"}
    assert 1000.0 < float(between["at"].split()[0]) * MINUTES_PER_DAY < 1000.01


def test_a_session_is_on_from_first_to_last_contact(room: Classroom) -> None:
    run = room.lines[1].recording
    assert run.result is not None
    first, second = run.result.sessions
    assert session_at(run, 0.0) == (1, 0.0)
    assert session_at(run, first.connected[1] - 0.001) == (1, 0.0)
    assert session_at(run, first.connected[1]) == (0, 0.0)
    assert session_at(run, second.connected[0]) == (2, second.start)
    assert session_at(run, run.scenario.until) == (0, 0.0)


def test_at_the_front_a_change_goes_on_in_place_and_behind_it_forks(room: Classroom) -> None:
    assert room.act(1, 20.0, KINK).number == 1
    room.saw(1, 40.0)
    fork = room.act(1, 22.0, {"do": "straighten-the-access-line"})
    assert (fork.number, fork.parent, fork.forked_at) == (2, 1, 22.0)
    assert [a["text"] for a in fork.actions] == ["access occlusion", "straighten the access line"]
    assert len(room.lines[1].actions) == 1  # what was there is untouched
    again = room.act(2, 25.0, SLOWER)
    assert again.number == 2


def test_what_a_class_did_is_what_its_file_says(room: Classroom) -> None:
    room.act(1, 20.0, KINK)
    line = room.act(1, 21.0, {"do": "straighten-the-access-line"})
    _, text = room.saved(1)
    again = recorded(scenario.loads(text))
    assert again.result is not None
    assert line.recording.result is not None
    for written in (run_folder.events_csv, run_folder.curves_csv, run_folder.summary_json):
        assert written(again.result) == written(line.recording.result)


def test_a_fork_is_computed_to_the_same_numbers(room: Classroom) -> None:
    """It shares what was computed; computing it again gives the same."""
    room.act(1, 20.0, SLOWER)
    fork = room.fork(1, 10.0)
    shared, anew = as_data(fork.recording), as_data(recorded(fork.scenario))
    assert shared == anew


@pytest.mark.parametrize(
    ("at", "change", "words"),
    [
        (-1.0, KINK, "not in the run"),
        (3000.0, KINK, "not in the run"),
        (1000.0, KINK, "no session is on"),
        (1000.0, {"do": "hold"}, "no session is on"),
        (20.0, {"fault": "filter-fouling"}, "cannot happen on spectra-optia"),
        (20.0, {"set": "machine.inlet_flow", "to": "fast"}, "fast"),
        (20.0, {"set": "prescription.calcium.rate", "to": "1 g/h"}, "no prescription.calcium"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_has_changed(
    room: Classroom, at: float, change: dict[str, str], words: str
) -> None:
    before = dict(room.lines)
    with pytest.raises(RefusedError, match=words):
        room.act(1, at, change)
    assert room.lines == before


def test_runs_and_changes_are_bounded(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_RUNS", 3)
    room.fork(1, 5.0)
    room.fork(1, 6.0)
    with pytest.raises(RefusedError, match="3 runs beside each other already"):
        room.fork(1, 7.0)
    monkeypatch.setattr(rooms, "MOST_CHANGES", 1)
    room.act(1, 20.0, SLOWER)
    with pytest.raises(RefusedError, match="at most 1 changes"):
        room.act(1, 21.0, KINK)
    assert room.open().number == 4  # beginning anew makes room


def test_nothing_goes_on_after_what_is_impossible(room: Classroom) -> None:
    line = room.act(1, 20.0, {"set": "prescription.fluid_balance", "to": "5 %"})
    assert "cannot be held" in line.recording.impossible
    with pytest.raises(RefusedError, match="could not go on here"):
        room.act(1, line.recording.ended + 1, KINK)
    room.saw(1, 20.0)
    mended = room.act(1, 19.0, {"do": "end-session"})
    assert mended.recording.result is not None


def test_a_lesson_judges_the_run_that_was_changed_last(room: Classroom) -> None:
    with pytest.raises(RefusedError, match="no lesson is on"):
        room.judge(0)
    lesson = lessons.load("7-the-drug-of-this-morning")
    first, second = room.teach(lesson)
    assert not room.judge(2).passed
    give = {"give": "natalizumab", "dose": "300 mg", "over": "60 min"}
    room.saw(first.number, 2000.0)  # so the next one is a fork, and the lesson follows it
    fork = room.act(first.number, 1000.0, give)
    assert fork.number not in (first.number, second.number)
    verdict = room.judge(2)
    assert verdict.passed
    assert verdict.predicted_right
    room.show(first.number)  # back to the run as it was: that is judged again
    assert not room.judge(2).passed


def test_a_fork_by_hand_is_of_the_lesson_too(room: Classroom) -> None:
    first, _ = room.teach(lessons.load("7-the-drug-of-this-morning"))
    fork = room.fork(first.number, 1000.0)
    room.act(fork.number, 1000.0, {"give": "natalizumab", "dose": "300 mg", "over": "60 min"})
    assert room.judge(2).passed
