"""Curves of many runs as bands: the median, where half of them lie, and where nine of ten do."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from simulator.figures.slide import Slide
from simulator.figures.style import (
    GRAY,
    MINUTES,
    SERIES,
    SMALL_SIZE,
    STYLE,
    display_name,
    number,
    panel,
    tick,
    time_axis,
    unit_of_time,
)
from simulator.sweep.ensemble import QUANTILES, Course, Ensemble
from simulator.units import MINUTES_PER_DAY

MOST = 4
"""Solutes in one figure."""
_OUTER, _INNER = 0.18, 0.36


@matplotlib.rc_context(STYLE)
def bands(ensemble: Ensemble, title: str) -> Figure:
    """One panel for each of the first solutes: plasma concentration over the course, all runs."""
    courses = ensemble.courses[:MOST]
    runs = f"{ensemble.drawn:,} of {ensemble.runs:,} runs"
    slide = Slide(f"{title}: {f'{ensemble.runs:,} runs' if _all(ensemble) else runs}")
    across = 1 if len(courses) == 1 else 2
    down = -(-len(courses) // across)
    panels = slide.figure.subplots(down, across, sharex=True, squeeze=False)
    unit = unit_of_time(ensemble.days[-1] * MINUTES_PER_DAY)
    time = ensemble.days * MINUTES_PER_DAY / MINUTES[unit]
    for i, (course, color) in enumerate(zip(courses, SERIES, strict=False)):
        axes = panels[i // across, i % across]
        _draw(slide, axes, time, course, color)
        time_axis(axes, unit, time[0], time[-1], ticks=8)
        if i + across < len(courses):
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        else:
            axes.tick_params(labelbottom=True)
    for spare in panels.flat[len(courses) :]:
        spare.set_visible(False)
    slide.figure.legend(
        handles=[
            Line2D([], [], color=GRAY, label="median"),
            Patch(facecolor=GRAY, alpha=_OUTER + _INNER, label="half of the runs"),
            Patch(facecolor=GRAY, alpha=_OUTER, label="nine of ten"),
        ],
        loc="outside lower left", ncols=3, frameon=False, fontsize=SMALL_SIZE,
    )  # fmt: skip
    return slide.finished()


def _all(ensemble: Ensemble) -> bool:
    return ensemble.drawn == ensemble.runs


def _draw(
    slide: Slide, axes: Axes, time: np.ndarray[tuple[int], np.dtype[np.float64]], course: Course,
    color: str,
) -> None:  # fmt: skip
    panel(axes, f"{_capital(display_name(course.solute))} in plasma ({course.unit})")
    low, quarter, middle, three_quarters, high = course.quantiles
    assert len(QUANTILES) == 5
    axes.fill_between(time, low, high, color=color, alpha=_OUTER, linewidth=0)
    axes.fill_between(time, quarter, three_quarters, color=color, alpha=_INNER, linewidth=0)
    axes.plot(time, middle, color=color)
    axes.set_ylim(0, 1.06 * float(high.max()) or 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    slide.end_label(axes, float(middle[-1]), number(float(middle[-1])), color)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
