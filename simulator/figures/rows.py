"""Panels with one row for each run of a comparison: dots for its sessions, or one bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.figures.slide import Slide
from simulator.figures.style import SERIES, ink, number, panel, quiet_grid
from simulator.result import mean

MOST = 7
"""Runs in one figure: as many as there are colors that anybody can tell apart."""
NAME_WIDTH = 170.0
"""Points that the name of a run may take."""
_FAN = 0.5
"""Of the height of a row: how far apart its first and last session are drawn."""
BAR = 0.55
"""Of the height of a row: how thick a bar is."""


def row_panel(
    axes: Axes, heading: str, count: int, top: float, low: float = 0.0, steps: int = 4
) -> None:
    """A panel with one row for each run, from zero, or `low`, to a little beyond the highest.

    Its axis has at most so many steps.
    """
    panel(axes, heading)
    axes.grid(visible=False)
    quiet_grid(axes, "x")
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks(range(count), [""] * count)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(low, 1.06 * top if top > 0 else 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=steps, steps=[1, 2, 5, 10]))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Say at the left of a panel which run each row is, in its color."""
    axes.set_yticks(range(len(names)), names)
    for tick, color in zip(axes.get_yticklabels(), SERIES, strict=False):
        tick.set_color(ink(color))


def draw_dots(
    slide: Slide, axes: Axes, heading: str, values: Sequence[Sequence[float]], steps: int = 4
) -> None:
    """One dot for each session, the first uppermost, and the mean of each run at the right."""
    top = max((max(each) for each in values if each), default=0.0)
    row_panel(axes, heading, len(values), top, steps=steps)
    add_dots(slide, axes, values, number)


def add_dots(
    slide: Slide, axes: Axes, values: Sequence[Sequence[float]], said: Callable[[float], str]
) -> None:
    """The dots of a panel that has its axes, and how their mean is said."""
    for row, (each, color) in enumerate(zip(values, SERIES, strict=False)):
        heights = [row + _FAN * (i / max(1, len(each) - 1) - 0.5) for i in range(len(each))]
        axes.plot(each, heights if len(each) > 1 else [row] * len(each), "o", color=color, ms=6)
        middle = mean(each)
        text = "no session" if middle is None else said(middle)
        slide.end_label(axes, row, text, color, lead=False)


def draw_bars(
    slide: Slide, axes: Axes, heading: str, values: Sequence[float], steps: int = 4
) -> None:
    """One bar for each run, and its value at the right."""
    row_panel(axes, heading, len(values), max(values), steps=steps)
    for row, (value, color) in enumerate(zip(values, SERIES, strict=False)):
        axes.barh(row, value, height=BAR, color=color)
        slide.end_label(axes, row, number(value), color, lead=False)
