"""Outcomes over the values of one input: the median of the runs, and where nine of ten lie."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from simulator.figures.slide import Slide
from simulator.figures.style import GRAY, SERIES, SMALL_SIZE, STYLE, panel, quiet_grid, tick
from simulator.sweep.reading import FEW, Input, Outcome

MOST = 2
"""Outcomes in one figure."""


@matplotlib.rc_context(STYLE)
def response(one: Input, outcomes: Sequence[Outcome], title: str) -> Figure:
    """Up to two outcomes over the values of one input; dots where it was drawn."""
    outcomes = outcomes[:MOST]
    slide = Slide(title)
    panels = slide.figure.subplots(1, len(outcomes), squeeze=False)[0]
    for axes, outcome, color in zip(panels, outcomes, SERIES, strict=False):
        width = 760.0 if len(outcomes) == 1 else 340.0
        panel(axes, slide.fitted(outcome.words[:1].upper() + outcome.words[1:], width))
        quiet_grid(axes, "x")
        _draw(axes, one, outcome, color)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
        axes.set_xlabel(one.label[:1].upper() + one.label[1:])
    if len(one.values) > len(one.distinct()):
        slide.figure.legend(
            handles=[
                Line2D([], [], color=GRAY, marker="o", label="median"),
                Patch(facecolor=GRAY, alpha=0.2, label="nine of ten runs"),
            ],
            loc="outside lower left", ncols=2, frameon=False, fontsize=SMALL_SIZE,
        )  # fmt: skip
    return slide.finished()


def _draw(axes: Axes, one: Input, outcome: Outcome, color: str) -> None:
    known = np.isfinite(outcome.values)
    distinct, places = one.distinct(), one.places()
    if one.numeric and len(distinct) > FEW:
        shown = np.flatnonzero(known)[:2000]
        axes.plot(one.values[shown], outcome.values[shown], "o", color=color, ms=4, alpha=0.5)
        axes.set_ylim(*_room(outcome.values[known]))
        return
    at = [float(v) for v in distinct] if one.numeric else [float(i) for i in range(len(distinct))]
    inside = [outcome.values[known & (places == i)] for i in range(len(distinct))]
    present = [i for i, values in enumerate(inside) if len(values)]
    xs = [at[i] for i in present]
    low, middle, high = np.array([np.quantile(inside[i], (0.05, 0.5, 0.95)) for i in present]).T
    if one.numeric:
        axes.fill_between(xs, low, high, color=color, alpha=0.2, linewidth=0)
        axes.plot(xs, middle, "-o", color=color, markersize=7)
    else:
        axes.vlines(xs, low, high, color=color, alpha=0.3, linewidth=8)
        axes.plot(xs, middle, "o", color=color, markersize=9)
        axes.set_xticks(range(len(distinct)), [str(v)[:18] for v in distinct])
        axes.set_xlim(-0.5, len(distinct) - 0.5)
    axes.set_ylim(*_room(np.concatenate([low, high])))


def _room(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """From zero, if that is not far off, to a little beyond the highest."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and low < 0.5 * high:
        return 0.0, 1.06 * high
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room
