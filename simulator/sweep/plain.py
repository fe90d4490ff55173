"""One run after the other, each by the simulation itself: what every other way is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from simulator.simulation import simulate
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
    curves: tuple[Any, ...] = ()
    """Of each run that has any: days, and a row of levels for each curve."""

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
    return outcomes_of(scenarios.loads(plan.text, plan.name), plan.outcomes)


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
    columns = _columns(plan)
    count = stop - start
    outcomes = {c.name: found.get(c.name, np.full(count, np.nan)) for c in columns}
    status, error = [DONE] * count, [""] * count
    curves: list[Any] = [None] * count if plan.curves else []
    for i in np.flatnonzero(~followed):
        try:
            result = result_of(plan, start + int(i))
        except SimulatorError as why:
            status[i], error[i] = FAILED, _in_a_line(why)
            continue
        for column in columns:
            try:
                outcomes[column.name][i] = column.read(result)
            except KeyError:
                outcomes[column.name][i] = np.nan  # this run follows other solutes
        if plan.curves:
            curves[i] = curves_of(result)
    return Rows(
        run=np.arange(start, stop, dtype=np.int64),
        seed=plan.design.seeds(start, stop),
        inputs=plan.design.values(start, stop),
        outcomes=outcomes,
        status=status,
        error=error,
        curves=tuple(curves),
    )


def curves_of(result: Result) -> tuple[tuple[tuple[str, str], ...], NDArray[np.float64]]:
    """The curves of a run: their names and units, and a row of numbers for each."""
    return result.columns, np.array(result.rows).T


@lru_cache(maxsize=4)
def _columns_of(fingerprint: str, plan: _Held) -> list[Outcome]:
    del fingerprint
    return columns_of(plan.plan)


def _columns(plan: Plan) -> Sequence[Outcome]:
    return _columns_of(plan.fingerprint, _Held(plan))


class _Held:
    """A plan as an argument whose equality does not matter: its fingerprint stands beside it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())
