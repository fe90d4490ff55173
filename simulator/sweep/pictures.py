"""What the pictures of a finished sweep are made of: columns of its table, curves of some runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator import catalog
from simulator import scenario as scenarios
from simulator.errors import SimulatorError
from simulator.result import header
from simulator.scenario.model import Scenario
from simulator.sweep import plain, store
from simulator.sweep.ensemble import Ensemble, chosen, days_of, ensemble, sampled
from simulator.sweep.plan import Plan
from simulator.sweep.reading import Input, Outcome, Reading
from simulator.units import MINUTES_PER_DAY

SOLUTES = 4
"""Whose curves are drawn."""
CURVES = 60
"""Runs whose curves are drawn, of however many there are."""
MOST = 100_000
"""Rows that pictures are made of; of more, evenly spread ones."""


def reading_of(plan: Plan, folder: Path) -> tuple[Reading, Ensemble | None]:
    """Columns of a sweep's table, and curves of some of its runs if its inputs are drawn."""
    table, _ = store.read(folder)
    every = max(1, -(-len(table) // MOST))
    table = table.take(np.arange(0, len(table), every)) if every > 1 else table
    base = scenarios.loads(plan.text, plan.name)
    solutes = leading(base)
    inputs = tuple(
        Input(f.address, f.unit, np.array(table[f.address].to_pylist()))
        for f in plan.design.factors
    )
    outcomes = {}
    for column in plain.columns_of(plan):
        values = np.array(table[column.name].to_pylist(), dtype=float)
        outcomes[column.name] = Outcome(column.name, column.label, column.unit, values)
    unit = base.solutes[solutes[0]].kinetics.unit
    first = solutes[0]
    headline = (
        header(f"{first}_days_below", "d"),
        header(f"{first}_nadir", unit),
        header(f"{first}_final", unit),
    )
    days = base.until / MINUTES_PER_DAY
    reading = Reading(base.title, inputs, outcomes, headline, days)
    drawn = plan.design.samples > 1
    return reading, _curves(plan, base, solutes) if drawn else None


def _curves(plan: Plan, base: Scenario, solutes: list[str]) -> Ensemble | None:
    days = days_of(base.until)
    curves = []
    for run in chosen(plan.design.size, CURVES):
        try:
            curves.append(sampled(plain.result_of(plan, run), solutes, days))
        except SimulatorError:
            continue  # it is a failed row, and has no curve
    if len(curves) < 2:
        return None
    units = {name: base.solutes[name].kinetics.unit for name in solutes}
    return ensemble(days, np.stack(curves), units, plan.design.size)


def leading(base: Scenario) -> list[str]:
    """The solutes a picture leads with: those the scenario made up, then those of the catalog."""
    known = catalog.names("solutes")
    shown = [name for name in base.solutes if name not in ("albumin", "other-globulins")]
    return sorted(shown, key=lambda name: (name in known, name != "igg"))[:SOLUTES]
