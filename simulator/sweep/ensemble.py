"""Curves of many runs on one axis of time, as quantiles over the runs.

A sweep's table has no curves. Some of its runs, drawn by lot, are run once more by the plain path;
what is kept of each is a few hundred numbers, so memory does not grow.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.result import Result
from simulator.sweep.curves import interpolated
from simulator.units import MINUTES_PER_DAY

Numbers = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
POINTS = 241
"""On the axis of time."""
MOST = 200
"""Runs that are drawn, of however many a sweep has: bands of more look the same."""


@dataclass(frozen=True, slots=True)
class Course:
    """The plasma concentration of one solute in all runs: a row for each of `QUANTILES`."""

    solute: str
    unit: str
    quantiles: Numbers


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Courses of several solutes over the same days."""

    days: Numbers
    courses: tuple[Course, ...]
    drawn: int
    """Runs that the quantiles are of."""
    runs: int
    """Runs of the sweep."""


def chosen(runs: int, most: int = MOST) -> list[int]:
    """Which runs are drawn: all, or so many by lot, always the same.

    Not every tenth run: designs have an order, and what is in step with it sees a part of them.
    """
    if runs <= most:
        return list(range(runs))
    return sorted(random.Random(runs).sample(range(runs), most))


def sampled(result: Result, solutes: Sequence[str], days: Numbers) -> Numbers:
    """The plasma concentrations of one run at some days: a row for each solute."""
    return interpolated(result, [f"{name}_plasma" for name in solutes], days)


def days_of(until: float) -> Numbers:
    """The axis of time of runs that last so many minutes."""
    return np.linspace(0.0, until / MINUTES_PER_DAY, POINTS)


def ensemble(days: Numbers, curves: Numbers, units: Mapping[str, str], runs: int) -> Ensemble:
    """Quantiles over the runs; `curves` has a layer for each run, a row for each solute."""
    courses = tuple(
        Course(name, unit, np.quantile(curves[:, i], QUANTILES, axis=0))
        for i, (name, unit) in enumerate(units.items())
    )
    return Ensemble(days, courses, len(curves), runs)
