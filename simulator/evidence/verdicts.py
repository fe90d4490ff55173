"""Runs published cases and judges each row: what was measured, what comes out, if it is met."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean, median

from simulator import simulation
from simulator.errors import CommandError, ImpossibleRunError
from simulator.evidence import cases
from simulator.evidence.cases import Case, Measured, Row, Run
from simulator.result import Result

Interval = tuple[float, float]

STANDARD_ERRORS = 1.96
"""Of a mean printed with its standard error: the 95 % interval."""

_ROUNDING = 1e-9
"""Of sums and percentages; the end of an interval belongs to it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row, run and judged; numbers in `unit`."""

    case: Case
    row: Row
    unit: str
    simulated: float | None
    """None where it was not run: it takes many seeded sessions."""
    measured: float | None
    spread: Interval | None
    """What the study printed: one standard deviation or error, a range, quartiles, an interval."""
    accepted: Interval | None
    """Where the simulated value must lie; ends may be infinite. None: shown only."""

    @property
    def met(self) -> bool | None:
        """Whether it lies there; None where that is not asked."""
        if self.simulated is None or self.accepted is None:
            return None
        low, high = self.accepted
        return low - _ROUNDING <= self.simulated <= high + _ROUNDING

    @property
    def name(self) -> str:
        """The row by file and name."""
        return f"{self.case.file}/{self.row.name}"

    @property
    def word(self) -> str:
        """The verdict in a word."""
        if self.simulated is None:
            return "not run"
        if self.met is None:
            return "shown"
        return "met" if self.met else "missed"


Readings = Mapping[tuple[str, str, str], Sequence[float]]
"""Values of an endpoint in a run (more than one with repetitions), by file, run and phrase."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one run, and how well its books close."""

    values: Mapping[tuple[str, str, str], list[float]]
    residual: float
    """The largest of the ledger's relative residuals."""


def read(case: Case, run: Run) -> Reading:
    """Every endpoint that the rows of a case read in one of its runs."""
    wanted = {str(row.read): row.read for row in case.rows if run.name in (*row.runs, row.against)}
    found: dict[tuple[str, str, str], list[float]] = {
        (case.file, run.name, phrase): [] for phrase in wanted
    }
    worst = 0.0
    for result in _results(run):
        worst = max(worst, residual(result))
        for phrase, endpoint in wanted.items():
            found[case.file, run.name, phrase].append(endpoint.read(result))
    return Reading(found, worst)


def residual(result: Result) -> float:
    """The largest residual of a run's ledger; of water and red cells, over the blood volume."""
    return max(
        abs(value) / (result.blood_volume if name.endswith("_mL") else 1.0)
        for name, value in result.balance.items()
    )


def _results(run: Run) -> Iterator[Result]:
    if run.repetitions == 1:
        yield simulation.simulate(run.scenario)
        return
    for seed in range(run.repetitions):
        yield simulation.simulate(replace(run.scenario, seed=seed))


def judge(case: Case, row: Row, found: Readings) -> Verdict:
    """The verdict on a row; of a run that is not among the readings, without a value."""
    unit = row.unit_in(case.runs[row.runs[0]].scenario)
    value, spread = printed(row.measured, unit)
    simulated = _simulated(case, row, found)
    repetitions = case.runs[row.runs[0]].repetitions
    return Verdict(
        case, row, unit, simulated, value, spread, accepted(row, unit, value, spread, repetitions)
    )


def judged(case: Case, runs: Iterable[Run]) -> list[Verdict]:
    """Some runs of a case made here and now, and the verdicts on all rows that they give a value.

    The runs may be others of the same names: the same study with something changed.
    """
    found: dict[tuple[str, str, str], list[float]] = {}
    for run in runs:
        found |= read(case, run).values
    verdicts = (judge(case, row, found) for row in case.rows)
    return [verdict for verdict in verdicts if verdict.simulated is not None]


def accepted(
    row: Row, unit: str, value: float | None, spread: Interval | None, repetitions: int = 1
) -> Interval | None:
    """Where a simulated value must lie for the row to be met; None if nothing is asked of it.

    Of a rate it is the interval as `binomial_interval` widens it by the noise of our own sessions.
    """
    if row.at_least is not None or row.at_most is not None:
        low = -math.inf if row.at_least is None else row.at_least.to(unit or "1")
        high = math.inf if row.at_most is None else row.at_most.to(unit or "1")
        return low, high
    if row.measured.count is not None and row.tolerance is None:
        return binomial_interval(*row.measured.count, repetitions)
    if row.tolerance is not None:
        around = row.measured.spread_kind in ("range", "iqr", "ci95")
        low, high = spread if spread is not None and around else (known(value), known(value))
        tolerance = row.tolerance.to(unit or "1")
        return low - tolerance, high + tolerance
    if spread is not None and row.measured.spread_kind == "se":
        low, high = spread
        middle = known(value)
        return (
            middle - STANDARD_ERRORS * (middle - low),
            middle + STANDARD_ERRORS * (high - middle),
        )
    return spread


def binomial_interval(some: int, of: int, repetitions: int) -> Interval:
    """Exact 95 % interval (%) of a rate of so many of so many, as Clopper and Pearson define it.

    Widened by two standard errors of our own rate, which comes from so many repetitions.
    """
    from scipy.stats import beta

    low = float(beta.ppf(0.025, some, of - some + 1)) if some else 0.0
    high = float(beta.ppf(0.975, some + 1, of - some)) if some < of else 1.0
    noise = [2 * math.sqrt(end * (1 - end) / repetitions) for end in (low, high)]
    return 100 * (low - noise[0]), 100 * (high + noise[1])


def known(value: float | None) -> float:
    """A number that is there, because the reader of the file or the caller has asked for it."""
    assert value is not None
    return value


def printed(measured: Measured, unit: str) -> tuple[float | None, Interval | None]:
    """Value and spread in the unit of the endpoint; of a range alone, its middle."""
    value = None if measured.value is None else measured.value.to(unit or "1")
    if measured.count is not None:
        value = 100 * measured.count[0] / measured.count[1]
    if measured.spread is None:
        return value, None
    low, high = (end.to(unit or "1") for end in measured.spread)
    if measured.spread_kind in ("sd", "se"):
        middle = known(value)
        return value, (middle - low, middle + high)
    return (low + high) / 2 if value is None else value, (low, high)


def _simulated(case: Case, row: Row, found: Readings) -> float | None:
    values = [_summed_up(case, row, run, found) for run in row.runs]
    second = None if row.against is None else _summed_up(case, row, row.against, found)
    if None in values or (second is None and row.against is not None):
        return None
    first = fmean(value for value in values if value is not None)
    if second is None:
        return first
    if row.compare != "difference" and second == 0:
        raise CommandError(
            f"{case.file}/{row.name}: {row.read} is 0 in run {row.against}, so that there is no "
            f"{row.compare} to it"
        )
    compare: dict[str | None, Callable[[], float]] = {
        "difference": lambda: first - second,
        "ratio": lambda: first / second,
        "percent": lambda: 100 * (first / second - 1),
    }
    return compare[row.compare]()


def _summed_up(case: Case, row: Row, run: str, found: Readings) -> float | None:
    values = found.get((case.file, run, str(row.read)))
    if values is None:
        return None
    if row.statistic == "median":
        return median(values)
    if row.statistic == "percent":
        return 100 * fmean(value != 0 for value in values)
    return fmean(values)


def wanted(all_cases: Iterable[Case], *, repeated: bool) -> list[tuple[str, str]]:
    """The runs to make, by file and name; the longest first. Repeated ones only if asked for."""
    runs = [(case, run) for case in all_cases for run in case.runs.values()]
    runs = [(case, run) for case, run in runs if repeated or run.repetitions == 1]
    runs.sort(key=lambda each: -each[1].repetitions * (1 + len(each[1].scenario.sessions)))
    return [(case.file, run.name) for case, run in runs]


@cache
def case_of(file: str) -> Case:
    """A case, read once for all of its runs; `case_of.cache_clear()` forgets what was read."""
    return cases.load(file)


def read_run(name: tuple[str, str]) -> Reading:
    """What a process of its own does: one run of one case, by file and name."""
    file, run = name
    case = case_of(file)
    try:
        return read(case, case.runs[run])
    except (ImpossibleRunError, CommandError) as error:
        raise CommandError(f"{case.file}, run {run}: {error}") from None
