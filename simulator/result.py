"""What a run leaves behind: curves, events, sessions, and what they add up to.

A result is data. Figures, tables and files read it; nothing in it computes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from simulator import __version__
from simulator.records import record
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

#: Columns of the curves that every run has, as (name, unit); solutes follow.
BODY_COLUMNS: tuple[tuple[str, str], ...] = (
    ("time", "d"),
    ("session", ""),
    ("plasma_volume", "mL"),
    ("blood_volume", "mL"),
    ("hematocrit", ""),
    ("ionized_calcium", "mmol/L"),
    ("citrate", "mmol/L"),
    ("blood_processed", "mL"),
    ("plasma_removed", "mL"),
    ("patient_plasma_removed", "mL"),
    ("replacement", "mL"),
    ("anticoagulant", "mL"),
    ("ionized_magnesium", "mmol/L"),
    ("total_calcium", "mmol/L"),
    ("parathyroid_hormone", ""),
    ("plasma_treated", "mL"),
)


def header(name: str, unit: str) -> str:
    """A column name with its unit as suffix: ``anti_gad65_plasma_U_per_mL``."""
    words = name.replace("-", "_")
    if not unit:
        return words
    suffix = unit.replace("/", "_per_").replace("%", "percent").replace("µ", "u")
    return f"{words}_{suffix}"


def mean(values: Sequence[float]) -> float | None:
    """The mean of what each session did; None without any."""
    return sum(values) / len(values) if values else None


@record
class Event:
    """Something that happened; `minute` counts from first contact (None between sessions)."""

    time: float
    """min from the start of the run"""
    session: int
    minute: float | None
    event: str
    detail: str


@record
class SessionSolute:
    """One solute in one session: plasma concentrations in its unit, amounts in its mass unit."""

    pre: float
    post: float | None
    removed: float
    given: float
    adsorbed: float = 0.0
    """Of what was removed, on columns."""
    returned: float = 0.0
    """Given back with treated plasma."""


@record
class SessionResult:
    """One session; times in min, volumes in mL."""

    index: int
    start: float
    connected: tuple[float, float]
    """First and last contact, min from the start of the run."""
    run: tuple[float, float]
    """First draw and end of the exchange."""
    completed: bool
    stop_reason: str | None
    blood_processed: float
    plasma_removed: float
    patient_plasma_removed: float
    plasma_treated: float
    """Patient plasma treated and, but for what was discarded of it, given back."""
    plasma_returned: float
    """Treated plasma given back, anticoagulant included."""
    plasma_volumes_exchanged: float
    """Patient plasma treated, or else removed, over the plasma volume at rest."""
    plasma_removal_efficiency: float | None
    """That plasma over all that passed the separator."""
    replacement: float
    replacement_by_fluid: Mapping[str, float]
    anticoagulant: float
    anticoagulant_to_patient: float
    citrate_to_patient: float
    """mmol, with anticoagulant and replacement fluid, over the run."""
    citrate_rate: float
    """mg per kg and min over the run"""
    fluid_balance: float | None
    blood_volume_nadir: float
    """Lowest blood volume over that before the first draw, less one."""
    ionized_calcium_nadir: float
    """mmol/L"""
    alarms: Mapping[str, int]
    pauses: float
    reactions: Mapping[str, int]
    """How often the patient reacted, by name."""
    operator_calls: int
    operator_actions: Mapping[str, int]
    """What the operator did, by name."""
    operator_waiting: float
    """min from calls to the operator's arrivals, summed"""
    recirculated: float
    """mL of the plasma removed that was fluid given just before: access recirculation"""
    blood_outside: float
    """Most blood, with its anticoagulant, that was outside the body at once, mL"""
    bowl_cycles: int
    heparin: float
    """U, bolus included"""
    solutes: Mapping[str, SessionSolute]

    @property
    def dose(self) -> float:
        """What the prescription counts: patient plasma treated, or else removed; mL."""
        return self.plasma_treated or self.patient_plasma_removed

    @property
    def connected_minutes(self) -> float:
        """From first to last contact."""
        return self.connected[1] - self.connected[0]

    @property
    def run_minutes(self) -> float:
        """From first draw to end of exchange, pauses included."""
        return self.run[1] - self.run[0]


@record
class SoluteResult:
    """One solute over the run: concentrations in its unit, amounts in its mass unit."""

    unit: str
    mass_unit: str
    initial: float
    nadir: float
    nadir_time: float
    """min"""
    final: float
    removed: float
    area: float = 0.0
    """Under the plasma concentration over the run, in its unit times days."""
    days_below: float = 0.0
    """Days with a concentration below a threshold, by default half of the first."""


@record
class Result:
    """One run of one scenario."""

    scenario: Scenario
    digest: str
    """SHA-256 of the resolved scenario."""
    plasma_volume: float
    """mL, at rest: the volume that "1.0 PV" means."""
    blood_volume: float
    columns: tuple[tuple[str, str], ...]
    """Name and unit of each column of `rows`."""
    rows: Sequence[tuple[float, ...]]
    events: Sequence[Event]
    sessions: Sequence[SessionResult]
    solutes: Mapping[str, SoluteResult]
    balance: Mapping[str, float]
    """Residuals of the ledger: mL for water and red cells, relative for all else."""
    references: Sequence[str]
    _places: dict[str, int] = field(default_factory=dict, compare=False)

    def column(self, name: str) -> list[float]:
        """One column of the curves by its name without unit, such as ``igg_plasma``."""
        if not self._places:
            self._places.update({c: i for i, (c, _) in enumerate(self.columns)})
        place = self._places[name.replace("-", "_")]
        return [row[place] for row in self.rows]

    def falls(self, solute: str) -> list[float]:
        """What each session took off the level in plasma, as a fraction of that before it."""
        levels = [session.solutes[solute] for session in self.sessions]
        return [1 - x.post / x.pre for x in levels if x.post is not None and x.pre > 0]

    def unit(self, name: str) -> str:
        """The unit of a column."""
        return dict(self.columns)[name.replace("-", "_")]

    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``; every key ends in its unit."""
        scenario = self.scenario
        return {
            "format": 1,
            "scenario": scenario.name,
            "title": scenario.title,
            "version": __version__,
            "seed": scenario.seed,
            "scenario_sha256": self.digest,
            "patient": {
                "blood_volume_mL": self.blood_volume,
                "plasma_volume_mL": self.plasma_volume,
                "hematocrit": scenario.patient.hematocrit,
            },
            "sessions": [_session_summary(session) for session in self.sessions],
            "solutes": {name: _solute_summary(solute) for name, solute in self.solutes.items()},
            "warnings": [
                {"session": e.session, "warning": e.detail}
                for e in self.events
                if e.event == "warning"
            ],
            "balance": dict(self.balance),
            "references": list(self.references),
        }


def followed_in_all(results: Sequence[Result], names: Iterable[str]) -> list[str]:
    """Those of some solutes that all runs follow."""
    return [name for name in names if all(name in result.solutes for result in results)]


def _session_summary(s: SessionResult) -> dict[str, Any]:
    return {
        "index": s.index,
        "start_d": s.start / MINUTES_PER_DAY,
        "completed": s.completed,
        "stop_reason": s.stop_reason,
        "connected_min": s.connected_minutes,
        "run_min": s.run_minutes,
        "blood_processed_mL": s.blood_processed,
        "plasma_removed_mL": s.plasma_removed,
        "patient_plasma_removed_mL": s.patient_plasma_removed,
        "plasma_volumes_exchanged": s.plasma_volumes_exchanged,
        "plasma_removal_efficiency": s.plasma_removal_efficiency,
        "replacement_mL": s.replacement,
        "replacement_by_fluid_mL": dict(s.replacement_by_fluid),
        "anticoagulant_mL": s.anticoagulant,
        "anticoagulant_to_patient_mL": s.anticoagulant_to_patient,
        "citrate_to_patient_mmol": s.citrate_to_patient,
        "citrate_rate_mg_per_kg_min": s.citrate_rate,
        "fluid_balance": s.fluid_balance,
        "blood_volume_nadir_percent": 100 * s.blood_volume_nadir,
        "ionized_calcium_nadir_mmol_per_L": s.ionized_calcium_nadir,
        "alarms": dict(s.alarms),
        "pauses_min": s.pauses,
        "reactions": dict(s.reactions),
        "operator_calls": s.operator_calls,
        "operator_actions": dict(s.operator_actions),
        "operator_waiting_min": s.operator_waiting,
        "recirculated_mL": s.recirculated,
        "plasma_treated_mL": s.plasma_treated,
        "plasma_returned_mL": s.plasma_returned,
        "blood_outside_max_mL": s.blood_outside,
        "bowl_cycles": s.bowl_cycles,
        "heparin_U": s.heparin,
        "solutes": {
            name: {
                "pre": x.pre,
                "post": x.post,
                "removed": x.removed,
                "given": x.given,
                "adsorbed": x.adsorbed,
                "returned": x.returned,
            }
            for name, x in s.solutes.items()
        },
    }


def _solute_summary(s: SoluteResult) -> dict[str, Any]:
    return {
        "unit": s.unit,
        "mass_unit": s.mass_unit,
        "initial": s.initial,
        "nadir": s.nadir,
        "nadir_d": s.nadir_time / MINUTES_PER_DAY,
        "final": s.final,
        "removed_total": s.removed,
    }
