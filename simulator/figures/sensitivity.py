"""How much an outcome depends on each input: shares of variance, or elementary effects."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulator.figures.slide import Slide
from simulator.figures.style import (
    BLUE,
    GRAY,
    LIGHT,
    SMALL_SIZE,
    STYLE,
    VERMILLION,
    panel,
    quiet_grid,
    tick,
)
from simulator.sweep.indices import Index

MOST = 10
"""Inputs in one figure."""
_THICK = 0.36


@matplotlib.rc_context(STYLE)
def sensitivity(found: Sequence[Index], method: str, unit: str, title: str) -> Figure:
    """Sobol indices as bars, first over total; Morris' mu* as bars beside sigma over mu*.

    The input that matters most is on top; lines are 95 % intervals.
    """
    key = (lambda each: -each.total) if method == "sobol" else (lambda each: -each.first)
    found = sorted(found, key=key)[:MOST]
    slide = Slide(title)
    if method == "sobol":
        _draw_sobol(slide, slide.figure.subplots(), found)
    else:
        bars, plane = slide.figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_effects(slide, bars, found, unit)
        _draw_plane(slide, plane, found, unit)
    return slide.finished()


def _rows(slide: Slide, axes: Axes, found: Sequence[Index], heading: str) -> None:
    panel(axes, heading)
    axes.grid(visible=False)
    quiet_grid(axes, "x")
    axes.set_ylim(max(len(found), 3) - 0.4, -0.6)
    axes.set_yticks(range(len(found)), [slide.fitted(each.name, 240.0) for each in found])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _draw_sobol(slide: Slide, axes: Axes, found: Sequence[Index]) -> None:
    _rows(slide, axes, found, "Share of the variance (%), with its 95 % interval")
    for row, each in enumerate(found):
        for value, half, at, color in (
            (each.first, each.first_half_width, row - _THICK / 2, BLUE),
            (each.total, each.total_half_width or 0.0, row + _THICK / 2, VERMILLION),
        ):
            axes.barh(at, 100 * max(value, 0.0), height=_THICK, color=color, zorder=2)
            ends = [100 * (value - half), 100 * (value + half)]
            axes.plot(ends, [at, at], color="black", linewidth=1.6, zorder=3)
    top = max(each.total + (each.total_half_width or 0.0) for each in found)
    bottom = min(each.first - each.first_half_width for each in found)
    axes.set_xlim(100 * max(min(0.0, bottom), -0.2), 106 * min(top, 1.1) or 1.0)
    axes.axvline(0, color=GRAY, linewidth=1.2)
    slide.figure.legend(
        handles=[
            Patch(color=BLUE, label="alone"),
            Patch(color=VERMILLION, label="alone or together with others"),
        ],
        loc="outside lower left", ncols=2, frameon=False, fontsize=SMALL_SIZE,
    )  # fmt: skip


def _draw_effects(slide: Slide, axes: Axes, found: Sequence[Index], unit: str) -> None:
    _rows(slide, axes, found, f"Mean effect of an input's range, µ*{_in(unit)}")
    for row, each in enumerate(found):
        axes.barh(row, each.first, height=2 * _THICK * 0.75, color=BLUE, zorder=2)
        half = each.first_half_width
        ends = [each.first - half, each.first + half]
        axes.plot(ends, [row, row], color="black", linewidth=1.6, zorder=3)
    top = max(each.first + each.first_half_width for each in found)
    axes.set_xlim(0, 1.06 * top or 1.0)
    _few_ticks(axes, "x")


def _draw_plane(slide: Slide, axes: Axes, found: Sequence[Index], unit: str) -> None:
    panel(axes, "How unevenly it acts; gray: σ = µ*", f"σ{_in(unit)}")
    quiet_grid(axes, "x")
    high = max(each.first for each in found) or 1.0
    top = max(high, *(each.total for each in found))
    axes.plot([0, top * 1.1], [0, top * 1.1], color=LIGHT, linewidth=1.5, zorder=1)
    axes.set_xlim(0, 1.12 * high)
    axes.set_ylim(0, 1.12 * max(each.total for each in found) or 1.0)
    axes.set_xlabel(f"µ*{_in(unit)}")
    _few_ticks(axes, "x")
    _few_ticks(axes, "y")
    for i, each in enumerate(found):
        words = slide.fitted(each.name, 120.0)
        slide.note(axes, each.first, each.total, words, BLUE, needed=i < 3)


def _few_ticks(axes: Axes, along: str) -> None:
    axis = axes.xaxis if along == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
