"""Tables after a run: what was not planned is said, once, and only if there was any."""

from __future__ import annotations

import dataclasses
import re
from functools import cache

import pytest

from simulator import tables
from simulator.result import Event, Result
from simulator.scenario import loads
from simulator.simulation import simulate
from simulator.terminal import PIPED_WIDTH, Table

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
    table = tables.happened(result)
    assert table is not None
    return table.lines()


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


def machine(device: str) -> Result:
    """The course on another machine."""
    return run(f"{COURSE}machine: {{device: {device}}}\n")


def lines_of(*parts: Table) -> list[str]:
    return [line for part in parts for line in part.lines()]


def test_the_table_of_sessions_says_which_plasma_it_counts() -> None:
    removed, treated = (
        "\n".join(lines_of(tables.sessions(machine(device)))) for device in ("mcs-plus", "tr-350")
    )
    assert "plasma" in removed
    assert "treated" not in removed
    assert "treated: patient plasma that went through column or second filter" in treated
    dose = machine("tr-350").sessions[0].plasma_treated
    assert machine("tr-350").sessions[0].patient_plasma_removed < 1e-6
    assert f"{dose:,.0f}" in treated


def test_a_comparison_says_how_far_a_session_lowers_each_solute() -> None:
    results = [machine("spectra-optia"), machine("tr-350")]
    rows = dict(tables.comparison_rows(results))
    for name in ("igg", "albumin"):
        for value, result in zip(rows[f"{name} fall per session, mean, %"], results, strict=True):
            levels = [session.solutes[name] for session in result.sessions]
            falls = [100 * (x.pre - x.post) / x.pre for x in levels if x.post is not None]
            assert len(falls) == 2
            assert value == pytest.approx(sum(falls) / 2)
    igg, albumin = (rows[f"{name} fall per session, mean, %"] for name in ("igg", "albumin"))
    assert igg[1] is not None
    assert albumin[1] is not None
    assert igg[1] > 3 * albumin[1] > 0, "the column spares albumin, and gives none"


def test_a_comparison_has_rows_for_what_only_some_machines_do() -> None:
    results = [machine(device) for device in ("spectra-optia", "mcs-plus", "tr-350")]
    rows = dict(tables.comparison_rows(results))
    sessions = results[2].sessions
    assert rows["patient plasma treated, mL"] == [0, 0, sum(s.plasma_treated for s in sessions)]
    assert rows["heparin, U"] == [0, 0, sum(s.heparin for s in sessions)]
    assert rows["bowl cycles"] == [0, sum(s.bowl_cycles for s in results[1].sessions), 0]
    bound, removed = rows["igg removed on columns, g"], rows["igg removed, g"]
    assert bound[:2] == [0, 0]
    assert bound[2] is not None
    assert removed[2] is not None
    assert 0 < bound[2] <= removed[2] + 1e-9
    outside = rows["most blood outside the body, mL"]
    assert outside == [max(s.blood_outside for s in r.sessions) for r in results]
    plain = dict(tables.comparison_rows([results[0], results[0]]))
    for label in ("patient plasma treated, mL", "heparin, U", "bowl cycles"):
        assert label not in plain
    assert not [label for label in plain if "columns" in label]


def test_a_comparison_of_many_machines_keeps_to_its_width_and_leaves_differences_out() -> None:
    devices = ["spectra-optia", "mcs-plus", "tr-350", "globaffin", "prismaflex-tpe2000"]
    results = [machine(device) for device in devices]
    few, many = (
        lines_of(tables.comparison(devices[:n], results[:n])) for n in (tables.MOST_DIFFERENCES, 5)
    )
    assert "vs first" in few[1] + few[2]
    assert "vs first" not in many[1] + many[2]
    assert all(device in many[1] for device in devices), "each name on one line"
    assert max(map(len, few + many)) <= PIPED_WIDTH


def test_a_difference_from_nothing_or_from_the_opposite_is_no_percentage() -> None:
    results = [machine("spectra-optia"), machine("tr-350")]
    (line,) = (
        line
        for line in lines_of(tables.comparison(["a", "b"], results))
        if line.startswith("albumin fall")
    )
    assert re.search(r"-[\d.]+ +[\d.]+ +-\s*$", line), line


def test_the_warnings_of_a_comparison_stand_under_the_name_of_their_run() -> None:
    warned = [Event(0.0, 1, 0.0, "warning", "the column is spent after 2000 mL of plasma")]
    quiet, spent = run(COURSE), dataclasses.replace(run(COURSE), events=warned)
    assert tables.warnings_of(["a", "b"], [quiet, quiet]) == []
    lines = tables.warnings_of(["a", "b"], [quiet, spent])
    assert lines[0] == "b:"
    assert lines[1:] == tables.warnings(spent)
    assert len(lines) == 2
