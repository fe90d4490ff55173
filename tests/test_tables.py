"""Tables after a run: what was not planned is said, once, and only if there was any."""

from __future__ import annotations

import dataclasses
from functools import cache

from simulator import tables
from simulator.result import Event, Result
from simulator.scenario import loads
from simulator.simulation import simulate

WIDEST = 100  # columns

COURSE = """
format: 1
title: A course
patient: {sex: female, age: 48 y, weight: 60 kg, height: 165 cm, hematocrit: 39 %}
prescription: {exchange: 0.3 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 2, every: 1 d}
simulation: {until: 2 d}
"""
TURBULENT = f"""{COURSE}
events:
  - {{session: 1, at: 9 min, fault: urticaria}}
  - {{session: 1, at: 12 min, fault: access-occlusion, for: 2 min}}
  - {{session: 2, at: 9 min, fault: vasovagal}}
  - {{session: 2, at: 20 min, fault: vasovagal}}
"""


@cache
def run(text: str) -> Result:
    return simulate(loads(text, "course"))


def printed(result: Result) -> list[str]:
    """The lines of the table of what happened."""
    console = tables.console()
    table = tables.happened(result)
    assert table is not None
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


def many(count: int) -> Result:
    """The turbulent course, its first session repeated."""
    result = run(TURBULENT)
    first, second = result.sessions
    quiet = dict.fromkeys(first.reactions, 0)
    others = [dataclasses.replace(first, index=3 + i, reactions=quiet) for i in range(count)]
    return dataclasses.replace(result, sessions=[first, second, *others])


def test_a_course_as_planned_has_no_table_of_what_happened_and_no_such_rows_to_compare() -> None:
    result = run(COURSE)
    assert sum(result.sessions[0].alarms.values()) > 0, "bottles have run dry, as they do"
    assert tables.happened(result) is None
    assert tables.warnings(result) == []
    assert "reactions" not in [label for label, _ in tables.comparison_rows([result, result])]


def test_what_happened_is_counted_by_session_and_summed() -> None:
    text = " ".join("\n".join(printed(run(TURBULENT))).split())
    session = run(TURBULENT).sessions[0]
    assert f"1 {session.pauses:.1f} 1 0 0.0 urticaria -" in text
    assert "vasovagal x2 vasovagal" in text
    assert "1 of 2" in text, "sessions that ended early"


def test_the_table_of_many_sessions_keeps_to_those_one_would_remember() -> None:
    lines = printed(many(40))
    assert len(lines) < 12
    assert max(map(len, lines)) <= WIDEST
    assert "1 of 42" in lines[-1]
    assert " 41 " in lines[-1], "all access pauses are in the sum"


def test_a_warning_is_printed_once_with_its_sessions() -> None:
    said = "the circuit will hold {} % of the blood volume; a prime of red cells is advised"
    events = [Event(0.0, i, 0.0, "warning", said.format(16 + i)) for i in (1, 2, 3, 7)]
    lines = tables.warnings(dataclasses.replace(run(COURSE), events=events))
    assert lines[0].startswith("Warning (session 1, again in 2-3, 7): the circuit will hold 17 %")
    assert all(len(line) <= WIDEST for line in lines)
    assert " ".join(lines).count("Warning") == 1


def test_a_comparison_shows_what_was_not_planned_in_any_arm() -> None:
    rows = dict(tables.comparison_rows([run(COURSE), run(TURBULENT)]))
    assert rows["reactions"] == [0, 3]
    assert rows["access pauses"] == [0, 1]
    assert rows["sessions ended early"] == [0, 1]
    assert "operator waiting, min" not in rows, "nobody waited"
