"""What each input of a sweep does to an outcome: one bar from its low to its high values."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from simulator.figures.slide import Slide
from simulator.figures.style import (
    BLUE,
    GRAY,
    SMALL_SIZE,
    STYLE,
    VERMILLION,
    ink,
    panel,
    quiet_grid,
    tick,
)
from simulator.sweep.reading import Outcome, Swing

MOST = 8
"""Inputs in one figure."""
_BAR = 0.55


@matplotlib.rc_context(STYLE)
def tornado(found: Sequence[Swing], outcome: Outcome, title: str) -> Figure:
    """Bars from the mean outcome at low values (blue) to that at high ones, the longest on top.

    The line stands at the mean of all runs.
    """
    found = found[:MOST]
    known = outcome.values[outcome.values == outcome.values]
    middle = float(known.mean())
    slide = Slide(title)
    axes = slide.figure.subplots()
    panel(axes, "Mean of the runs with low and with high values of one input, all else as it came")
    axes.grid(visible=False)
    quiet_grid(axes, "x")
    ends = [middle, *(s.low for s in found), *(s.high for s in found)]
    room = 0.3 * ((max(ends) - min(ends)) or 1.0)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_ylim(max(len(found), 3) - 0.4, -0.6)
    axes.axvline(middle, color=GRAY, linewidth=1.5, zorder=1)
    for row, swing in enumerate(found):
        _bar(axes, row, swing)
    names = [slide.fitted(s.input.words, 300.0) for s in found]
    axes.set_yticks(range(len(found)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.set_xlabel(outcome.words[:1].upper() + outcome.words[1:])
    return slide.finished()


def _bar(axes: Axes, row: int, swing: Swing) -> None:
    """A bar from one end to the other, with the input's value beyond each."""
    between = (swing.low + swing.high) / 2
    rising = swing.low <= swing.high
    for end, words, color, left in (
        (swing.low, swing.low_words, BLUE, rising),
        (swing.high, swing.high_words, VERMILLION, not rising),
    ):
        axes.barh(row, end - between, left=between, height=_BAR, color=color, zorder=2)
        axes.annotate(
            words, (end, row), xytext=(-6 if left else 6, 0), textcoords="offset points",
            ha="right" if left else "left", va="center", color=ink(color), fontsize=SMALL_SIZE,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},  # the line goes behind
        )  # fmt: skip
