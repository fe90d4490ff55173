"""What pictures and sentences of a finished sweep are made of: its table, curves of some runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.sweep import plain, store
from simulator.sweep.ensemble import Ensemble, chosen
from simulator.sweep.glimpse import curves_of, drawn, reading_of
from simulator.sweep.plan import Plan
from simulator.sweep.reading import Reading

CURVES = 60
"""Runs whose curves are drawn, of however many there are."""
MOST = 100_000
"""Rows that pictures are made of; of more, so many by lot."""


def reading_from(plan: Plan, folder: Path) -> Reading:
    """The table of a finished sweep, ready to be read; a column at a time, to spare memory."""
    rows = chosen(plan.design.size, MOST)
    inputs = {f.address: store.read_column(folder, f.address, rows) for f in plan.design.factors}
    outcomes = {
        column.name: np.asarray(store.read_column(folder, column.name, rows), dtype=float)
        for column in plain.columns_of(plan)
    }
    return reading_of(plan, inputs, outcomes, runs=plan.design.size)


def curves_from(plan: Plan) -> Ensemble | None:
    """Curves of some of a sweep's runs, if its inputs are drawn."""
    return curves_of(plan, CURVES) if drawn(plan) else None
