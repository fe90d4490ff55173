"""What a sensitivity study has found, and its answer in words.

An index needs the outcome of every run: one that fails ends a study, and its inputs are named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.sweep.indices import Index
from simulator.sweep.reading import words_of

Numbers = NDArray[np.float64]
Progress = Callable[[int, int], None]

HARDLY = 0.05
"""Share of the variance, below which an input hardly matters."""
WIDE = 0.1
"""Half width of an interval, from which on more samples are advised."""


class StudyError(SimulatorError):
    """A run that an index cannot do without has failed."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Study:
    """A finished study of one outcome."""

    title: str
    outcome: str
    """The phrase, or the column, that was read."""
    unit: str
    method: str
    indices: tuple[Index, ...]
    """In the order in which the inputs were named; their names are addresses."""
    ranges: tuple[str, ...]
    """Of every input, in words."""
    values: Numbers
    """The outcome of every run."""
    seed: int

    @property
    def ranked(self) -> list[Index]:
        """The input that matters most first."""
        if self.method == "sobol":
            return sorted(self.indices, key=lambda each: -each.total)
        return sorted(self.indices, key=lambda each: -each.first)

    @property
    def varies(self) -> bool:
        """Whether the outcome differs between runs at all."""
        return any(each.total or each.first for each in self.indices)


def in_words(study: Study) -> list[str]:
    """What a reader should take from a study, in sentences."""
    if not study.varies:
        return [f"{study.outcome} is the same in all {len(study.values):,} runs."]
    low, middle, high = np.quantile(study.values, (0.05, 0.5, 0.95))
    said = [
        f"Over {len(study.values):,} runs, {study.outcome} lies around "
        f"{_said(middle, study.unit)}, "
        f"nine of ten from {_said(low, '')} to {_said(high, study.unit)}."
    ]
    return said + (_shares(study) if study.method == "sobol" else _effects(study))


def _shares(study: Study) -> list[str]:
    ranked = study.ranked
    by_share = sorted(ranked, key=lambda each: -each.first)
    top = by_share[0]
    said = [
        f"{_the(top)} explains {_fraction(top.first)} of the variance of {study.outcome} alone: "
        f"{_percent(top.first, top.first_half_width)}."
    ]
    others = [e for e in by_share[1:] if e.first >= HARDLY and e.first > e.first_half_width]
    if others:
        shares = "; ".join(
            f"{words_of(e.name)} {_percent(e.first, e.first_half_width)}" for e in others
        )
        said.append(f"Then {shares}.")
    little = [each for each in ranked if each.total < HARDLY]
    if little:
        shares = "; ".join(
            f"{words_of(e.name)} {_percent(e.total, e.total_half_width or 0.0)}" for e in little
        )
        said.append(f"Hardly any share, even together with others: {shares}.")
    jointly = 1 - sum(each.first for each in ranked)
    uncertain = float(np.hypot.reduce([each.first_half_width for each in ranked]))
    if jointly > max(HARDLY, uncertain):
        said.append(
            f"About {100 * jointly:.0f} % of the variance comes from inputs acting together."
        )
    widest = max(max(e.first_half_width, e.total_half_width or 0.0) for e in ranked)
    if widest > WIDE:
        said.append(
            f"Intervals are as wide as ± {100 * widest:.0f} %; four times the samples halve them."
        )
    return said


def _effects(study: Study) -> list[str]:
    ranked = study.ranked
    top = ranked[0]
    said = [
        f"{_the(top)} matters most: from one end of its range to the other it moves "
        f"{study.outcome} {_way(top)} by {_said(top.first, study.unit)} on average "
        f"(± {_said(top.first_half_width, '')})."
    ]
    others = [each for each in ranked[1:] if each.first >= 0.2 * top.first]
    if others:
        moved = "; ".join(
            f"{words_of(e.name)} {_way(e)} by {_said(e.first, study.unit)}" for e in others
        )
        said.append(f"Then {moved}.")
    little = [words_of(e.name) for e in ranked if e.first < 0.1 * top.first]
    if little:
        said.append(f"Less than a tenth of that: {', '.join(little)}.")
    uneven = [words_of(e.name) for e in ranked if e.total > e.first > 0.1 * top.first]
    if uneven:
        said.append(
            f"What it does depends much on where it is changed (σ above µ*): {', '.join(uneven)}."
        )
    return said


def _way(each: Index) -> str:
    mean = each.mean or 0.0
    if abs(mean) < 0.9 * each.first:
        return "up or down"
    return "up" if mean > 0 else "down"


def _the(each: Index) -> str:
    return f"The {words_of(each.name)}"


_FRACTIONS = (
    (0.97, "practically all"), (0.85, "nine tenths"), (0.71, "three quarters"),
    (0.635, "two thirds"), (0.56, "three fifths"), (0.45, "half"), (0.37, "two fifths"),
    (0.29, "a third"), (0.22, "a quarter"),
    (0.15, "a fifth"), (0.07, "a tenth"),
)  # fmt: skip
"""The least share that is called so; words are rounded, the percentage beside them is not."""


def _fraction(share: float) -> str:
    return next((words for least, words in _FRACTIONS if share >= least), "little")


def _percent(share: float, half: float) -> str:
    if max(share, half) < 0.005:
        return "under 1 %"
    return f"{100 * max(share, 0.0):.0f} % ± {100 * half:.0f}"


def _said(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()
