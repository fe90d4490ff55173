"""From a plan to what figures and sentences are made of: a whole table read, or a few runs made.

A glimpse is some of a sweep's runs, drawn by lot, by the plain path: for pictures, not for results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import catalog, processes
from simulator import scenario as scenarios
from simulator.errors import SimulatorError
from simulator.result import header
from simulator.scenario.model import Scenario
from simulator.sweep import plain
from simulator.sweep.designs import DRAWN
from simulator.sweep.ensemble import Ensemble, Numbers, chosen, days_of, ensemble, sampled
from simulator.sweep.plan import Plan
from simulator.sweep.reading import Input, Outcome, Reading
from simulator.units import MINUTES_PER_DAY

MOST = 64
"""Runs of a glimpse."""
SOLUTES = 4
"""Whose curves are kept."""


def reading_of(
    plan: Plan,
    inputs: Mapping[str, NDArray[Any]],
    outcomes: Mapping[str, Numbers],
    runs: int = 0,
) -> Reading:
    """The columns of a sweep's table, ready to be read.

    `inputs` by address, `outcomes` by name, as in `plain.Rows`. First come the phrases that were
    asked for, then the days that the leading solute spends below its level, its lowest level, its
    last. `runs` is the size of the sweep, if the columns are of some of its runs.
    """
    base = scenarios.loads(plan.text, plan.name)
    units = {factor.address: factor.unit for factor in plan.design.factors}
    solute = leading(base)[0]
    below = header(f"{solute}_days_below", "d")
    level = plan.below.get(solute, "half of its start")
    found = {
        column.name: Outcome(
            column.name,
            f"days {solute} is below {level}" if column.name == below else column.label,
            column.unit,
            outcomes[column.name],
        )
        for column in plain.columns_of(plan)
        if column.name in outcomes
    }
    unit = base.solutes[solute].kinetics.unit
    phrases = list(found)[len(found) - len(plan.outcomes) :]
    usual = (below, header(f"{solute}_nadir", unit), header(f"{solute}_final", unit))
    headline = [*phrases, *(name for name in usual if name in found)]
    followed = "simulation.until" not in units
    return Reading(
        base.title,
        tuple(Input(address, units[address], values) for address, values in inputs.items()),
        found,
        tuple(headline),
        base.until / MINUTES_PER_DAY if followed else 0.0,
        runs,
    )


def glimpse(plan: Plan, most: int = MOST, jobs: int | None = 1) -> tuple[Reading, Ensemble | None]:
    """Columns of some runs of a sweep, and their curves if its inputs are drawn.

    A run that fails is left out of the curves and is nothing in the columns.
    """
    runs = chosen(plan.design.size, most) if drawn(plan) else list(range(plan.design.size))
    days, units, rows = _made(plan, runs, jobs)
    each = [plan.design.values(run, run + 1) for run in runs]
    inputs = {a: np.concatenate([values[a] for values in each]) for a in each[0]}
    names = [column.name for column in plain.columns_of(plan)]
    numbers = np.array([numbers for numbers, _ in rows])
    outcomes = {name: numbers[:, i] for i, name in enumerate(names)}
    curves = [levels for _, levels in rows if levels is not None]
    reading = reading_of(plan, inputs, outcomes, plan.design.size)
    if not drawn(plan) or not curves:
        return reading, None
    return reading, ensemble(days, np.stack(curves), units, plan.design.size)


def curves_of(plan: Plan, most: int = MOST, jobs: int | None = None) -> Ensemble | None:
    """Curves of some runs of a sweep; None if fewer than two can be run."""
    days, units, rows = _made(plan, chosen(plan.design.size, most), jobs)
    curves = [levels for _, levels in rows if levels is not None]
    return ensemble(days, np.stack(curves), units, plan.design.size) if len(curves) > 1 else None


def _made(
    plan: Plan, runs: Sequence[int], jobs: int | None
) -> tuple[Numbers, Mapping[str, str], list[tuple[list[float], Numbers | None]]]:
    """The days of curves, the solutes of them with units, and of each run columns and curves."""
    base = scenarios.loads(plan.text, plan.name)
    units = {name: base.solutes[name].kinetics.unit for name in leading(base)}
    days = days_of(base.until)
    rows = list(processes.each(partial(_row, plan, list(units), days), runs, jobs))
    return days, units, rows


def drawn(plan: Plan) -> bool:
    """Whether a sweep draws any of its inputs, rather than going through lists."""
    design = plan.design
    return design.kind in DRAWN or any(each.distribution for each in design.factors)


def leading(base: Scenario) -> list[str]:
    """The solutes a picture leads with: those the scenario made up, then IgG, then others."""
    known = catalog.names("solutes")
    shown = [name for name in base.solutes if name not in ("albumin", "other-globulins")]
    return sorted(shown, key=lambda name: (name in known, name != "igg"))[:SOLUTES]


def _row(
    plan: Plan, solutes: Sequence[str], days: Numbers, run: int
) -> tuple[list[float], Numbers | None]:
    columns = plain.columns_of(plan)
    try:
        result = plain.result_of(plan, run)
    except SimulatorError:
        return [float("nan")] * len(columns), None
    return [column.read(result) for column in columns], sampled(result, solutes, days)
