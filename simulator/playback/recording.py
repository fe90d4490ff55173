"""A run as plain data, in the words of the page: `Run` of ``web/src/protocol.ts``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simulator import catalog
from simulator.citations import cited
from simulator.playback.watched import State, Watched
from simulator.provenance import sources_of
from simulator.records import record
from simulator.result import Event, Result
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

CURVE_DIGITS = 6
"""Significant digits of curves and flows; a screen shows four."""
TIME_DIGITS = 6
"""Decimals of times in min."""
MOST_ROWS = 6000
"""Rows of the curves; of more, output rows between events are left out evenly."""
MAIN_SOLUTES = ("igg", "fibrinogen", "igm", "albumin")
"""What is drawn beside a solute of the scenario's own, as far as it is followed."""
MOST_SHOWN = 3
DRAWN_FIRST = ("blood_volume", "ionized_calcium", "blood_processed", "plasma_removed",
               "replacement", "anticoagulant", "hematocrit")  # fmt: skip
"""Columns of the body that a page draws; all solutes come with them."""


@record
class Recording:
    """A run from start to end: its log, its curves, and how the machine stood at every moment."""

    scenario: Scenario
    columns: Sequence[tuple[str, str]]
    rows: Sequence[tuple[float, ...]]
    events: Sequence[Event]
    states: Sequence[tuple[float, State]]
    plasma_volume: float
    blood_volume: float
    visits: Sequence[tuple[int, float]]
    """Of each session that began: its number, and when (min)."""
    result: Result | None
    """None where the run could not go on."""
    impossible: str = ""
    """Why it could not."""
    ended: float = 0.0
    """Until when it went, min."""


def recorded(scenario: Scenario) -> Recording:
    """Live through a scenario and write everything down; also what could not be finished."""
    run = Watched(scenario)
    result, impossible = run.watch()
    return Recording(
        scenario=scenario,
        columns=run.recorder.columns,
        rows=run.recorder.rows,
        events=run.events,
        states=run.states,
        plasma_volume=run.plasma_volume,
        blood_volume=run.blood_volume,
        visits=[(visit.index, visit.start) for visit in run.visits],
        result=result,
        impossible=impossible,
        ended=run.env.now,
    )


def as_data(
    recording: Recording,
    *,
    number: int = 0,
    parent: int | None = None,
    forked_at: float | None = None,
    label: str = "",
    actions: Sequence[Mapping[str, Any]] = (),
    most_rows: int = MOST_ROWS,
    digits: int = CURVE_DIGITS,
) -> dict[str, Any]:
    """The recording as JSON data for the page; `label`, `parent`: its place among others."""
    scenario, machine = recording.scenario, recording.scenario.machine
    patient = scenario.patient
    columns = dict(recording.columns)
    return {
        "id": number,
        "parent": parent,
        "forked_at": forked_at,
        "label": label,
        "scenario": scenario.name,
        "title": scenario.title,
        "description": " ".join(scenario.description.split()),
        "until": scenario.until,
        "device": machine and {
            "name": machine.device.name,
            "title": machine.device.title,
            "kind": catalog.separator_kind(machine.device),
            "treatment": catalog.treatment_kind(machine.device),
        },
        "access": machine and {
            "name": machine.access.name,
            "title": machine.access.title,
            "kind": access_kind(machine.access.name),
        },
        "patient": {
            "sex": patient.sex,
            "weight": patient.weight,
            "height": patient.height,
            "hematocrit": patient.hematocrit,
            "blood_volume": _short(recording.blood_volume, digits),
            "plasma_volume": _short(recording.plasma_volume, digits),
        },
        "solutes": [
            {
                "name": name,
                "title": followed.kinetics.title,
                "unit": followed.kinetics.unit,
                "initial": followed.initial,
            }
            for name, followed in scenario.solutes.items()
            if f"{_word(name)}_plasma" in columns
        ],
        "shown": shown_solutes(scenario),
        "sessions": _sessions(recording),
        "curves": _curves(recording, most_rows, digits),
        "events": [
            {
                "time": moment(event.time),
                "session": event.session,
                "minute": None if event.minute is None else moment(event.minute),
                "event": event.event,
                "detail": event.detail,
            }
            for event in recording.events
        ],
        "states": _sparse(recording.states, digits),
        "actions": list(actions),
        "sees_to": scenario.sees_to,
        "tables": tables_of(recording.result) if recording.result else [],
        "sources": [cited(catalog.references()[use.key]) for use in sources_of(scenario)],
        "impossible": (
            {"time": moment(recording.ended), "message": recording.impossible}
            if recording.impossible
            else None
        ),
    }  # fmt: skip


def access_kind(name: str) -> str:
    """What an access looks like: a catheter, a fistula, or needles in veins."""
    return "catheter" if "catheter" in name else "fistula" if "fistula" in name else "needles"


def shown_solutes(scenario: Scenario) -> list[str]:
    """The solutes to draw first: the scenario's own, then those that every lecture is about."""
    known = catalog.names("solutes")
    own = [name for name in scenario.solutes if name not in known]
    usual = [name for name in MAIN_SOLUTES if name in scenario.solutes]
    others = [name for name in scenario.solutes if name not in (*own, *usual)]
    return [*own, *usual, *others][:MOST_SHOWN]


def tables_of(result: Result) -> list[dict[str, Any]]:
    """The session table and the solute table, in words."""
    marker = shown_solutes(result.scenario)[0]
    unit = result.solutes[marker].unit
    sessions = {
        "caption": "Sessions",
        "header": ["session", "day", "run, min", "plasma removed or treated, mL",
                   "plasma volumes", "replacement, mL", "lowest blood volume, %",
                   "lowest ionized calcium, mmol/L", f"{marker} before, {unit}",
                   f"{marker} after, {unit}", "ended"],
        "rows": [
            [
                str(s.index), f"{s.start / MINUTES_PER_DAY:.4g}", f"{s.run_minutes:.0f}",
                f"{s.dose:,.0f}", f"{s.plasma_volumes_exchanged:.2f}", f"{s.replacement:,.0f}",
                f"{100 * s.blood_volume_nadir:+.1f}", f"{s.ionized_calcium_nadir:.2f}",
                _worded(s.solutes[marker].pre), _worded(s.solutes[marker].post),
                s.stop_reason or "as planned",
            ]
            for s in result.sessions
        ],
    }  # fmt: skip
    solutes = {
        "caption": "Solutes in plasma",
        "header": ["solute", "unit", "start", "lowest", "on day", "end", "removed"],
        "rows": [
            [
                name, s.unit, _worded(s.initial), _worded(s.nadir),
                f"{s.nadir_time / MINUTES_PER_DAY:.2f}", _worded(s.final),
                f"{_worded(s.removed)} {s.mass_unit}",
            ]
            for name, s in result.solutes.items()
        ],
    }  # fmt: skip
    return [sessions, solutes] if result.sessions else [solutes]


def _sessions(recording: Recording) -> list[dict[str, Any]]:
    if recording.result is not None:
        return [
            {
                "index": s.index,
                "start": moment(s.start),
                "connected": [moment(s.connected[0]), moment(s.connected[1])],
                "run": [moment(s.run[0]), moment(s.run[1])],
                "completed": s.completed,
                "stop_reason": s.stop_reason,
            }
            for s in recording.result.sessions
        ]
    starts = [start for _, start in recording.visits]
    ends = [*starts[1:], recording.ended]
    return [
        {
            "index": index,
            "start": moment(start),
            "connected": [moment(start), moment(min(end, recording.ended))],
            "run": [None, None],
            "completed": False,
            "stop_reason": recording.impossible if end == recording.ended else None,
        }
        for (index, start), end in zip(recording.visits, ends, strict=True)
    ]


def _curves(recording: Recording, most: int, digits: int) -> dict[str, Any]:
    names = [name for name, _ in recording.columns]
    machine = recording.scenario.machine
    treats = machine is not None and catalog.treatment_kind(machine.device) is not None
    body = (*DRAWN_FIRST, "plasma_treated") if treats else DRAWN_FIRST
    drawn = [
        place
        for place, name in enumerate(names)
        if name in body or name.endswith(("_plasma", "_interstitial"))
    ]
    rows = thinned(recording.rows, most)
    return {
        "time": [moment(row[0] * MINUTES_PER_DAY) for row in rows],
        "session": [int(row[1]) for row in rows],
        "columns": [
            {
                "name": names[place],
                "unit": recording.columns[place][1],
                "values": [_short(row[place], digits) for row in rows],
            }
            for place in drawn
        ],
    }


def thinned(rows: Sequence[tuple[float, ...]], most: int) -> Sequence[tuple[float, ...]]:
    """At most about so many rows: both sides of every event, and of the others an even part."""
    if len(rows) <= most:
        return rows
    last = len(rows) - 1
    at_events = [
        k in (0, last) or rows[k][0] in (rows[k - 1][0], rows[k + 1][0]) for k in range(len(rows))
    ]
    step = max(2, math.ceil((len(rows) - sum(at_events)) / max(1, most - sum(at_events))))
    between = 0
    kept = []
    for row, at_event in zip(rows, at_events, strict=True):
        between += not at_event
        if at_event or between % step == 0:
            kept.append(row)
    return kept


def _sparse(states: Sequence[tuple[float, State]], digits: int) -> list[dict[str, Any]]:
    """Each state as what differs from the one before."""
    told: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    for time, state in states:
        now = {key: _rounded(value, digits) for key, value in state.items()}
        changed = {key: value for key, value in now.items() if before.get(key, ...) != value}
        told.append({"time": moment(time), **changed})
        before = now
    return told


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return _short(value, digits)
    if isinstance(value, dict):
        return {key: _rounded(item, digits) for key, item in value.items()}
    return value


def _short(value: float, digits: int) -> float | None:
    """A number with so many significant digits; whole ones without a point, to save room."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) else short


def moment(minutes: float) -> float:
    """A time as the page is told it, min."""
    return round(minutes, TIME_DIGITS)


def _worded(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _word(name: str) -> str:
    return name.replace("-", "_")
