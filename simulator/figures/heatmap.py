"""A sweep over two inputs as a map: each cell the median outcome of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from simulator.figures.slide import Slide
from simulator.figures.style import BLUE, GRAY, LIGHT, STYLE, number, panel
from simulator.sweep.reading import Input, Map

MOST = 2
"""Maps in one figure."""
_NUMBERED = 9
"""Columns of two maps beside each other, up to which each cell has its number."""
_PALE = LinearSegmentedColormap.from_list("pale", ("#f4f9fd", "#8cc4e8", BLUE, "#003a5d"))
_DARK = 0.42
"""Of the scale, from which on numbers are white."""


@matplotlib.rc_context(STYLE)
def heatmap(maps: Sequence[Map], title: str) -> Figure:
    """Up to two outcomes over the same two inputs, with the number in each cell if it fits."""
    maps = maps[:MOST]
    slide = Slide(title)
    panels = slide.figure.subplots(1, len(maps), squeeze=False)[0]
    for axes, each in zip(panels, maps, strict=True):
        _draw(slide, axes, each, len(maps))
    if len(maps) > 1:
        panels[1].set_ylabel("")
    return slide.finished()


def _draw(slide: Slide, axes: Axes, each: Map, count: int) -> None:
    width = (800.0 if count == 1 else 380.0) - 40
    panel(axes, slide.fitted(each.outcome.words, width), _label(each.y))
    axes.grid(visible=False)
    cells = each.cells
    known = cells[np.isfinite(cells)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    scale = Normalize(low, high if high > low else low + 1)
    axes.imshow(
        np.ma.masked_invalid(cells), cmap=_PALE, norm=scale, aspect="auto", origin="lower",
        interpolation="nearest",
    )  # fmt: skip
    axes.set_xlabel(_label(each.x))
    _ticks(axes, each)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(len(each.xs) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(each.ys) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    if len(each.xs) * count > 2 * _NUMBERED:
        return
    largest = float(np.abs(known).max()) if len(known) else 0.0
    digits = 0 if largest >= 100 else 1 if largest >= 10 else 2 if largest >= 1 else 3
    for i in range(len(each.ys)):
        for j in range(len(each.xs)):
            value = cells[i, j]
            if np.isfinite(value):
                color = "white" if scale(value) > _DARK else "black"
                axes.text(j, i, f"{value:,.{digits}f}", ha="center", va="center", color=color)
            else:
                axes.text(j, i, "–", ha="center", va="center", color=GRAY)
    axes.set_facecolor(LIGHT)


def _ticks(axes: Axes, each: Map) -> None:
    """A tick for every value, or every second or third where there are many."""
    every = -(-len(each.xs) // 9)
    names = [_name(x) for x in each.xs]
    axes.set_xticks(range(0, len(names), every), names[::every])
    if max(map(len, names)) > 7 and len(names) > 3:
        axes.tick_params(axis="x", labelrotation=30)
        for tick in axes.get_xticklabels():
            tick.set_horizontalalignment("right")
    axes.set_yticks(range(len(each.ys)), [_name(y) for y in each.ys])


def _name(value: Any) -> str:
    if isinstance(value, float | int):
        return f"{value:,.4g}" if abs(value) < 1e4 else number(float(value))
    text = str(value)
    return text if len(text) <= 18 else text[:17] + "…"


def _label(one: Input) -> str:
    return one.label[:1].upper() + one.label[1:]
