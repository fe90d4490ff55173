"""The columns of a sweep's table: what is read from each run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator import endpoints
from simulator.errors import CommandError
from simulator.result import Result, SessionResult, header
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

ALBUMIN = "albumin"
"""How the names of albumin solutions begin."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One column."""

    name: str
    unit: str
    label: str
    read: Callable[[Result], float]


def outcomes_of(scenario: Scenario, phrases: Sequence[str] = ()) -> list[Outcome]:
    """The columns of runs of a scenario: those of every sweep, then the endpoints asked for."""
    columns: list[Outcome] = []
    for name, followed in scenario.solutes.items():
        columns += _of_solute(name, followed.kinetics.unit)
    columns += [
        Outcome("sessions", "", "sessions that ran", lambda r: float(len(r.sessions))),
        Outcome(
            "ionized_calcium_nadir_mmol_per_L", "mmol/L", "lowest ionized calcium of all sessions",
            lambda r: _least(s.ionized_calcium_nadir for s in r.sessions),
        ),
        Outcome(
            "blood_volume_nadir_percent", "%",
            "lowest blood volume of all sessions, change from that before",
            lambda r: _least(100 * s.blood_volume_nadir for s in r.sessions),
        ),
        *(Outcome(*row[:3], _summed(row[3])) for row in SUMMED),
        Outcome("plasma_volume_mL", "mL", "plasma volume at rest", lambda r: r.plasma_volume),
        Outcome("blood_volume_mL", "mL", "blood volume at rest", lambda r: r.blood_volume),
    ]  # fmt: skip
    for phrase in phrases:
        endpoint = endpoints.parse(phrase)
        unit = endpoint.unit_in(scenario)
        words = "_".join(str(endpoint).replace("@", "at").split())
        columns.append(Outcome(header(words, unit), unit, phrase, _phrase(endpoint)))
    return columns


def _of_solute(name: str, unit: str) -> list[Outcome]:
    return [
        Outcome(
            header(f"{name}_nadir", unit), unit, f"lowest {name}",
            lambda r: r.solutes[name].nadir,
        ),
        Outcome(
            header(f"{name}_nadir", "d"), "d", f"day of the lowest {name}",
            lambda r: r.solutes[name].nadir_time / MINUTES_PER_DAY,
        ),
        Outcome(
            header(f"{name}_final", unit), unit, f"{name} at the end",
            lambda r: r.solutes[name].final,
        ),
        Outcome(
            header(f"{name}_area", unit) + "_d", f"{unit} d", f"area under {name}",
            lambda r: r.solutes[name].area,
        ),
        Outcome(
            header(f"{name}_days_below", "d"), "d", f"days with {name} below the threshold",
            lambda r: r.solutes[name].days_below,
        ),
    ]  # fmt: skip


def _albumin(session: SessionResult) -> float:
    given = session.replacement_by_fluid.items()
    return sum((volume for name, volume in given if name.startswith(ALBUMIN)), 0.0)


SUMMED: tuple[tuple[str, str, str, Callable[[SessionResult], float]], ...] = (
    ("completed", "", "sessions completed", lambda s: 1.0 if s.completed else 0.0),
    ("run_min", "min", "first draw to end of exchange, all sessions", lambda s: s.run_minutes),
    ("connected_min", "min", "first to last contact, all sessions", lambda s: s.connected_minutes),
    ("blood_processed_mL", "mL", "blood processed", lambda s: s.blood_processed),
    ("patient_plasma_removed_mL", "mL", "patient plasma removed",
     lambda s: s.patient_plasma_removed),
    ("replacement_mL", "mL", "replacement fluid", lambda s: s.replacement),
    ("albumin_mL", "mL", "albumin solution", _albumin),
    ("anticoagulant_mL", "mL", "anticoagulant used", lambda s: s.anticoagulant),
    ("anticoagulant_to_patient_mL", "mL", "anticoagulant that reached the patient",
     lambda s: s.anticoagulant_to_patient),
    ("citrate_to_patient_mmol", "mmol", "citrate that reached the patient",
     lambda s: s.citrate_to_patient),
)  # fmt: skip
"""Columns that are summed over the sessions: name, unit, label, and what a session adds."""


def _summed(read: Callable[[SessionResult], float]) -> Callable[[Result], float]:
    def total(result: Result) -> float:
        amount = 0.0
        for session in result.sessions:
            amount += read(session)
        return amount

    return total


def _least(values: object) -> float:
    return min(values, default=math.nan)  # type: ignore[call-overload,no-any-return]


def _phrase(endpoint: endpoints.Endpoint) -> Callable[[Result], float]:
    def read(result: Result) -> float:
        try:
            return endpoint.read(result)
        except CommandError:
            return math.nan  # this run has no such number, which a table may say

    return read
