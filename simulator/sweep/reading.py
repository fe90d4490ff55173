"""What a finished sweep says: cells of a map, swings of a tornado, answers in sentences.

Reads the columns of the table, whoever wrote it; figures and words are made of what it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

KEPT = 0.75
"""Share of the days of a run below a level, from which on it is called kept below."""
FEW = 12
"""Different values of an input, up to which each has its own row in a map."""
TAIL = 0.2
"""Share of the runs at either end of an input that a swing compares."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that was varied, and its value in every run."""

    address: str
    """Dotted path in the scenario."""
    unit: str
    values: NDArray[Any]
    """Numbers in `unit`, or named values (devices, lists)."""

    @property
    def numeric(self) -> bool:
        """Whether it has numbers."""
        return bool(self.values.dtype.kind in "fiu")

    @property
    def words(self) -> str:
        """What it is called in running text: ``weight``, ``initial of igg``."""
        return words_of(self.address)

    @property
    def label(self) -> str:
        """The same with its unit, for an axis."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    def distinct(self) -> list[Any]:
        """Its different values: numbers in order of size, named ones in order of appearance."""
        if self.numeric:
            return [float(v) for v in np.unique(self.values)]
        found: dict[str, Any] = {}
        for value in self.values:
            found.setdefault(str(value), value)
        return list(found)

    def places(self) -> NDArray[np.intp]:
        """Which of its different values each run has."""
        if self.numeric:
            return np.unique(self.values, return_inverse=True)[1]
        place = {name: i for i, name in enumerate(self.distinct())}
        return np.array([place[str(value)] for value in self.values], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One column of results: what it is in words, and its value in every run (NaN if it failed)."""

    name: str
    label: str
    unit: str
    values: Numbers

    @property
    def words(self) -> str:
        """The label with its unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def varies(self) -> bool:
        """Whether runs differ in it by more than the integration leaves."""
        known = self.values[np.isfinite(self.values)]
        if len(known) < 2:
            return False
        return float(np.ptp(known)) > 1e-6 * max(1e-300, float(np.abs(known).max()))


@dataclass(frozen=True, slots=True)
class Reading:
    """A finished sweep as columns."""

    title: str
    inputs: tuple[Input, ...]
    outcomes: Mapping[str, Outcome]
    headline: tuple[str, ...]
    """Names of the outcomes to look at first."""
    days: float = 0.0
    """How long each run is followed; 0 if runs differ."""
    size: int = 0
    """Runs of the sweep, if the columns are of some of them."""

    @property
    def runs(self) -> int:
        """How many runs the columns are of, failed ones too."""
        return max((len(each.values) for each in self.inputs), default=0)

    @property
    def counted(self) -> str:
        """How many runs these are, of how many, in words."""
        whole = f"{self.size or self.runs:,} runs"
        return whole if self.runs >= self.size else f"{self.runs:,} of {whole}"

    @property
    def shown(self) -> list[Outcome]:
        """The outcomes to look at first, less those that are the same in all runs."""
        return [self.outcomes[n] for n in self.headline if self.outcomes[n].varies]

    @property
    def pair(self) -> tuple[Input, Input] | None:
        """Two inputs that span a map: those with a few values each, if there are just two."""
        few = [each for each in self.inputs if 1 < len(each.distinct()) <= FEW]
        drawn = [each for each in self.inputs if len(each.distinct()) > FEW]
        if len(few) != 2 or (drawn and self.runs < FEW):
            return None
        one, other = few
        return (one, other) if _effort(other.address) else (other, one)


@dataclass(frozen=True, slots=True)
class Map:
    """Medians of an outcome over two inputs: a row for each value of `y`, NaN where no run is."""

    outcome: Outcome
    x: Input
    y: Input
    xs: list[Any]
    ys: list[Any]
    cells: Numbers


@dataclass(frozen=True, slots=True)
class Swing:
    """Mean outcome in runs with low and with high values of one input, all else as it came."""

    input: Input
    low: float
    high: float
    low_words: str
    high_words: str
    error: float
    """Half width of the 95 % interval of high − low, as far as sampling leaves it open."""

    @property
    def size(self) -> float:
        """How far the outcome swings."""
        return abs(self.high - self.low)


def words_of(address: str) -> str:
    """A dotted path as a title names it: ``weight``, ``initial of anti-gad65``."""
    parts = address.split(".")
    if parts[0] == "solutes" and len(parts) > 2:
        return f"{' '.join(parts[2:])} of {parts[1]}".replace("_", " ")
    if address == "course.every":
        return "interval"
    kept = parts[1:] if len(parts) > 1 else parts
    return " ".join(kept).replace("_", " ")


def map_of(outcome: Outcome, x: Input, y: Input) -> Map:
    """The median of an outcome in every cell that two inputs span."""
    xs, ys = x.distinct(), y.distinct()
    column, row = x.places(), y.places()
    cells = np.full((len(ys), len(xs)), np.nan)
    for i in range(len(ys)):
        for j in range(len(xs)):
            inside = outcome.values[(row == i) & (column == j)]
            inside = inside[np.isfinite(inside)]
            if len(inside):
                cells[i, j] = np.median(inside)
    return Map(outcome, x, y, xs, ys, cells)


def swings(reading: Reading, outcome: Outcome) -> list[Swing]:
    """What each input does to an outcome, the largest swing first.

    Of an input with many values, the fifth of the runs with the lowest is held against the fifth
    with the highest; of one with few, its lowest against its highest value; of a named one, the
    value with the lowest mean against that with the highest.
    """
    known = np.isfinite(outcome.values)
    found = [_swing(each, outcome.values, known) for each in reading.inputs]
    return sorted((each for each in found if each is not None), key=lambda s: -s.size)


def _swing(one: Input, values: Numbers, known: NDArray[np.bool_]) -> Swing | None:
    distinct = one.distinct()
    if len(distinct) < 2 or known.sum() < 2:
        return None
    if one.numeric and len(distinct) > FEW:
        low_end, high_end = np.quantile(one.values[known], (TAIL, 1 - TAIL))
        low, high = known & (one.values <= low_end), known & (one.values >= high_end)
        words = (f"≤ {_short(low_end, one.unit)}", f"≥ {_short(high_end, one.unit)}")
    else:
        places = one.places()
        ends = [known & (places == i) for i in range(len(distinct))]
        present = [i for i, end in enumerate(ends) if end.any()]
        if len(present) < 2:
            return None
        if not one.numeric:
            present.sort(key=lambda i: float(values[ends[i]].mean()))
        first, last = present[0], present[-1]
        low, high = ends[first], ends[last]
        words = (value_words(distinct[first], one.unit), value_words(distinct[last], one.unit))
    error = 1.96 * float(np.hypot(_standard_error(values[low]), _standard_error(values[high])))
    return Swing(one, float(values[low].mean()), float(values[high].mean()), *words, error)


def _standard_error(values: Numbers) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def value_words(value: Any, unit: str) -> str:
    """A value of an input as text: ``70 kg``, ``1.5 PV``, ``spectra-optia``."""
    return _short(value, unit) if isinstance(value, float | int) else str(value)


def _short(value: float, unit: str) -> str:
    # to three digits, but a whole number of thousands is not made less than it is
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


# -- in words -------------------------------------------------------------------------------------


def in_words(reading: Reading) -> list[str]:
    """What a reader should take from a sweep, in sentences."""
    said: list[str] = []
    pair = reading.pair
    for outcome in reading.shown:
        if pair is not None:
            said += _map_words(map_of(outcome, *pair), reading.days)
        else:
            said += _swing_words(swings(reading, outcome), outcome)
        said += _spread_words(outcome) if pair is None else []
    same = [reading.outcomes[n].label for n in reading.headline if not reading.outcomes[n].varies]
    said += [f"The same in all runs: {name}." for name in same]
    return said


def least(found: Map, days: float) -> dict[str, str | None]:
    """By value of `x`: the least `y` that keeps a level below for most of the days of a run."""
    answers: dict[str, str | None] = {}
    for j, x in enumerate(found.xs):
        enough = [i for i in range(len(found.ys)) if found.cells[i, j] >= KEPT * days]
        y = value_words(found.ys[enough[0]], found.y.unit) if enough else None
        answers[value_words(x, found.x.unit)] = y
    return answers


def _map_words(found: Map, days: float) -> list[str]:
    cells = found.cells
    if not np.isfinite(cells).any():
        return []
    ends = []
    for place in (int(np.nanargmin(cells)), int(np.nanargmax(cells))):
        i, j = divmod(place, cells.shape[1])
        at = f"{found.x.words} {value_words(found.xs[j], found.x.unit)}"
        at += f", {found.y.words} {value_words(found.ys[i], found.y.unit)}"
        ends.append(f"{_short(cells[i, j], found.outcome.unit)} ({at})")
    label = found.outcome.label
    said = [f"{_capital(label)}: from {ends[0]} to {ends[1]}."]
    if "_days_below_" in found.outcome.name and found.y.numeric and days:
        below = label.removeprefix("days ")
        by_answer: dict[str | None, list[str]] = {}
        for x, y in least(found, days).items():
            by_answer.setdefault(y, []).append(x)
        answers = "; ".join(
            f"{y or 'none of these'} for {', '.join(xs)}" for y, xs in by_answer.items()
        )
        said.append(
            f"Least {found.y.words} with which {below} for three quarters of the {days:g} days, "
            f"by {found.x.words}: {answers}."
        )
    return said


def _swing_words(found: Sequence[Swing], outcome: Outcome) -> list[str]:
    if not found:
        return []
    said = []
    top = found[0]
    said.append(
        f"{_capital(outcome.label)} swings most with {top.input.words}: on average "
        f"{_short(top.low, outcome.unit)} at {top.low_words}, "
        f"{_short(top.high, outcome.unit)} at {top.high_words}."
    )
    small = [s.input.words for s in found[1:] if s.size <= s.error or s.size < 0.1 * top.size]
    if small:
        said.append(f"Hardly any effect on it, or none that these runs show: {', '.join(small)}.")
    return said


def _spread_words(outcome: Outcome) -> list[str]:
    known = outcome.values[np.isfinite(outcome.values)]
    if len(known) < 20:
        return []
    low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
    return [
        f"{_capital(outcome.label)}: half of the runs below {_short(middle, outcome.unit)}, "
        f"nine of ten from {_short(low, '')} to {_short(high, outcome.unit)}."
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _effort(address: str) -> bool:
    """Whether an input is what a patient is given, of which less is better."""
    return address.startswith("prescription.exchange")
