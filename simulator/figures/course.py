"""The course of a run on an axis of time, and which solutes are worth a curve."""

from __future__ import annotations

from matplotlib.axes import Axes

from simulator import catalog
from simulator.figures.style import MINUTES, time_axis, unit_of_time
from simulator.result import Result

UNREMARKABLE = "albumin"
"""Always followed, replaced by what is given: no antibody."""


def course_axis(axes: Axes, start: float, end: float) -> str:
    """An axis of time from `start` to `end` (min); returns the unit it is in."""
    unit = unit_of_time(end - start)
    if unit == "min" and start:
        unit = "h"
    low, high = start / MINUTES[unit], end / MINUTES[unit]
    time_axis(axes, unit, low - 0.01 * (high - low), high)
    return unit


def spans(result: Result, unit: str) -> list[tuple[float, float]]:
    """First and last contact of every session, in a unit of time."""
    minutes = MINUTES[unit]
    return [(s.connected[0] / minutes, s.connected[1] / minutes) for s in result.sessions]


def ranked_solutes(result: Result) -> list[str]:
    """Solutes by what a lecture is about: those the scenario made up, then IgG, then the others."""
    known = catalog.names("solutes")

    def rank(name: str) -> int:
        return 0 if name not in known else 1 if name == "igg" else 2

    present = [
        name
        for name in result.solutes
        if name != UNREMARKABLE and max(result.column(f"{name}_plasma")) > 0
    ]
    return sorted(present, key=rank)
