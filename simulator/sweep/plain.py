"""One run after the other, each by the simulation itself: what every other way is held against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import scenario as scenarios
from simulator import units
from simulator.errors import SimulatorError
from simulator.result import Result
from simulator.scenario import overrides
from simulator.scenario.model import Scenario
from simulator.scenario.resolve import resolve
from simulator.simulation import Run, simulate
from simulator.sweep.curves import days_of, sampled
from simulator.sweep.outcomes import Outcome, outcomes_of
from simulator.sweep.plan import Plan, tree_of

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Rows:
    """Rows of a sweep's table: columns by name, one number, text or value for each run."""

    run: NDArray[np.int64]
    seed: NDArray[np.int64]
    inputs: Mapping[str, NDArray[Any]]
    outcomes: Mapping[str, NDArray[np.float64]]
    status: list[str]
    error: list[str]
    curves: NDArray[np.float32] | None = None
    """[run, column, time], if the plan asks for curves; NaN for a run that failed."""

    def __len__(self) -> int:
        return len(self.run)

    @property
    def failed(self) -> int:
        """How many runs could not be finished."""
        return self.status.count(FAILED)


def scenario_of(plan: Plan, run: int) -> Scenario:
    """The scenario of one run; raises `ScenarioError` if its values make none."""
    seed = int(plan.design.seeds(run, run + 1)[0])
    tree, problems = overrides.apply(_tree(plan), plan.design.overrides(run), seed)
    return resolve(tree, plan.name, problems, documented=False)


@lru_cache(maxsize=4)
def _parsed(text: str, name: str) -> Any:
    return tree_of(Plan(name, text, None))  # type: ignore[arg-type]


def _tree(plan: Plan) -> Any:
    return _parsed(plan.text, plan.name)


def columns_of(plan: Plan) -> list[Outcome]:
    """The outcome columns of a plan's table."""
    return _usual(plan).columns


def result_of(plan: Plan, run: int) -> Result:
    """One run, whole."""
    scenario = scenario_of(plan, run)
    below = {
        name: units.parse(text).to(scenario.solutes[name].kinetics.unit)
        for name, text in plan.below.items()
        if name in scenario.solutes
    }
    return simulate(scenario, below, plan.tolerance)


def rows(plan: Plan, start: int, stop: int) -> Rows:
    """Runs `start` to `stop` (not included), one after the other."""
    return completed(plan, start, stop, {}, np.zeros(stop - start, dtype=np.bool_))


def completed(
    plan: Plan,
    start: int,
    stop: int,
    found: Mapping[str, NDArray[np.float64]],
    followed: NDArray[np.bool_],
) -> Rows:
    """Rows of which some outcomes are known already; the others are run.

    `found`: columns by name, good where `followed`.
    """
    made = _without_outcomes(plan, start, stop)
    for name, column in found.items():
        if name in made.outcomes:
            made.outcomes[name][followed] = column[followed]
    for i in np.flatnonzero(~followed):
        try:
            result = result_of(plan, start + int(i))
        except Exception as why:
            made.status[i], made.error[i] = FAILED, _in_a_line(why)
            continue
        for outcome in columns_of(plan):
            with suppress(KeyError):  # this run follows other solutes
                made.outcomes[outcome.name][i] = outcome.read(result)
        if made.curves is not None:
            curves = sampled(result, _usual(plan).days)
            if curves.shape == made.curves.shape[1:]:
                made.curves[i] = curves
    return made


def failed(plan: Plan, run: int, why: str) -> Rows:
    """The row of a run that could not be made."""
    made = _without_outcomes(plan, run, run + 1)
    made.status[0], made.error[0] = FAILED, why
    return made


def _without_outcomes(plan: Plan, start: int, stop: int) -> Rows:
    count = stop - start
    return Rows(
        run=np.arange(start, stop, dtype=np.int64),
        seed=plan.design.seeds(start, stop),
        inputs=plan.design.values(start, stop),
        outcomes={c.name: np.full(count, np.nan) for c in columns_of(plan)},
        status=[DONE] * count,
        error=[""] * count,
        curves=_no_curves(plan, count) if plan.curves else None,
    )


@dataclass(frozen=True)
class _Usual:
    """What all runs of a plan share."""

    columns: list[Outcome]
    days: NDArray[np.float64]
    curves: tuple[tuple[str, str], ...]


_USUAL: dict[str, _Usual] = {}


def _usual(plan: Plan) -> _Usual:
    if plan.fingerprint not in _USUAL:
        scenario = scenarios.loads(plan.text, plan.name)
        curves = Run(scenario).recorder.columns
        columns = outcomes_of(scenario, plan.outcomes)
        _USUAL[plan.fingerprint] = _Usual(columns, days_of(scenario), curves)
    return _USUAL[plan.fingerprint]


def curve_columns(plan: Plan) -> tuple[NDArray[np.float64], tuple[tuple[str, str], ...]]:
    """The axis of time of a plan's curves, and names and units of the curves, time first."""
    usual = _usual(plan)
    return usual.days, usual.curves


def _no_curves(plan: Plan, count: int) -> NDArray[np.float32]:
    usual = _usual(plan)
    shape = (count, len(usual.curves) - 1, len(usual.days))
    return np.full(shape, np.nan, dtype=np.float32)


def _in_a_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, SimulatorError):
        return words
    return f"internal error, please report: {type(error).__name__}: {words}"
