"""The same course on different machines: what each takes off, what it spares, what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.course import UNREMARKABLE, ranked_solutes
from simulator.figures.curves import Curves, curves_of
from simulator.figures.rows import (
    BAR,
    MOST,
    NAME_WIDTH,
    add_dots,
    draw_bars,
    draw_dots,
    name_rows,
    row_panel,
)
from simulator.figures.slide import MARGIN, Slide
from simulator.figures.style import (
    GRAY,
    LIGHT,
    SERIES,
    STYLE,
    TEXT_SIZE,
    display_name,
    panel,
    percent,
    time_axis,
)
from simulator.result import Result, followed_in_all, mean

MOST_SOLUTES = 6
"""Solutes in one figure, the last of them albumin."""
_HEADING_WIDTH = 100.0
"""Points that the name of a solute may take above its panel."""
_FEW = 3
"""Runs up to which there is room for taller rows, and for the lowest blood volume of each."""
_ROW, _TALL_ROW = 0.3, 0.5
"""Inches that a row needs, and those of few."""
_AROUND = 0.95
"""Inches above and below the rows of a panel: its headings, its axis."""
_CONTENT = 5.9
"""Inches between title and footer."""
_RISE = 20.0
"""%; room that rises have, where no level falls as far."""
_PALE = 0.25
"""Opacity of the bars behind dots."""
_BEYOND = 0.07
"""Of the range of an axis, what it goes on beyond its values, for the width of a dot."""
_STEPS = 3
"""Steps of an axis that has little room."""


def differ(results: Sequence[Result]) -> bool:
    """Whether runs, all of them with sessions, differ in their device."""
    return len(_devices(results)) > 1 and all(result.sessions for result in results)


def _devices(results: Sequence[Result]) -> set[str]:
    machines = [result.scenario.machine for result in results]
    return {machine.device.name for machine in machines if machine is not None}


@matplotlib.rc_context(STYLE)
def machines(results: Sequence[Result], labels: Sequence[str], title: str = "") -> Figure:
    """Runs on different machines: above, how far each session lowers each solute; below, minutes,
    blood outside the body, and the blood volume through the first session.

    The first seven are drawn. Each dot is one session, the number beside a row their mean.
    """
    more = f" (the first {MOST} of {len(results)})" if len(results) > MOST else ""
    results, labels = results[:MOST], labels[:MOST]
    slide = Slide(title + more if title else _title(results, more))
    names = [slide.fitted(label, NAME_WIDTH) for label in labels]
    few = len(results) <= _FEW
    rows = _AROUND + (_TALL_ROW if few else _ROW) * len(results)
    above, below = slide.figure.subfigures(
        2, 1, height_ratios=(rows, _CONTENT - rows), squeeze=False
    )[:, 0]

    solutes = compared_solutes(results)
    removal = above.subplots(1, len(solutes), sharey=True, squeeze=False)[0]
    heading = _removal_heading(results)
    above.suptitle(heading, x=MARGIN, ha="left", fontsize=TEXT_SIZE, color=GRAY)
    _draw_removal(slide, removal, results, solutes)
    name_rows(removal[0], names)

    costs, felt = below.subfigures(1, 2, width_ratios=(0.8, 1) if few else (1.15, 1))
    panels = costs.subplots(2, 1) if few else costs.subplots(1, 2)
    connected = [[session.connected_minutes for session in r.sessions] for r in results]
    draw_dots(slide, panels[0], "Minutes connected", connected, _STEPS)
    most = [max(session.blood_outside for session in r.sessions) for r in results]
    draw_bars(slide, panels[1], "Most blood outside (mL)", most, _STEPS)
    for axes in panels if few else panels[:1]:
        name_rows(axes, names)
    _draw_blood_volume(slide, felt.subplots(), results)
    return slide.finished()


def compared_solutes(results: Sequence[Result]) -> list[str]:
    """Solutes that all runs follow, by what a lecture is about; the last one is albumin."""
    shared = followed_in_all(results, ranked_solutes(results[0]))
    return [*shared[: MOST_SOLUTES - 1], UNREMARKABLE]


def _title(results: Sequence[Result], more: str) -> str:
    titles = {result.scenario.title for result in results}
    count, arms = len(_devices(results)), len(results)
    several = f"{count} machines compared" if count == arms else f"{arms} runs on {count} machines"
    several += more
    return f"{several}: {titles.pop()}" if len(titles) == 1 else several


def _removal_heading(results: Sequence[Result]) -> str:
    most = max(len(result.sessions) for result in results)
    dots = " Each dot is a session, the number their mean." if most > 1 else ""
    return f"How far a session lowers the level in plasma, % of that before it.{dots}"


def _draw_removal(
    slide: Slide, panels: Sequence[Axes], results: Sequence[Result], solutes: Sequence[str]
) -> None:
    """One panel for each solute, one row for each machine; all on the same scale.

    Rises have no more room than falls: an arrow stands where one goes on.
    """
    lowered = {
        name: [[100 * fall for fall in result.falls(name)] for result in results]
        for name in solutes
    }
    values = [value for each in lowered.values() for one in each for value in one]
    low, high = min(0.0, *values), max(0.0, *values)
    tick = _round_down(high)
    low = max(low, -max(high, _RISE))
    beyond = _BEYOND * (high - low)
    low, high = (low - beyond if low else low), high + beyond
    for axes, (name, each) in zip(panels, lowered.items(), strict=True):
        heading = slide.fitted(display_name(name), _HEADING_WIDTH)
        row_panel(axes, heading, len(results), high, low)
        axes.set_xticks([0, tick] if tick else [0])
        axes.axvline(0, color=LIGHT, linewidth=1.5, zorder=1)
        for row, (one, color) in enumerate(zip(each, SERIES, strict=False)):
            axes.barh(row, mean(one) or 0.0, height=BAR, color=color, alpha=_PALE, zorder=1)
            if min(one, default=0.0) < low:
                axes.plot([low + beyond], [row], "<", color=color, ms=8)
        add_dots(slide, axes, each, _whole)


def _round_down(value: float) -> float:
    """The one tick beside zero for which there is room: one digit of the highest value."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(value))
    return math.floor(value / unit) * unit


def _whole(value: float) -> str:
    """A percentage without its sign, in a heading that has it."""
    return str(round(value)).replace("-", "−")


def _draw_blood_volume(slide: Slide, axes: Axes, results: Sequence[Result]) -> None:
    """Blood volume through the first session of each run, minute by minute, over each other."""
    panel(axes, "Blood volume in the first session (%)")
    axes.axhline(0, color=LIGHT, linewidth=1.5, zorder=1)
    drawn = [curves_of(result, result.sessions[0]) for result in results]
    for curves, color in zip(drawn, SERIES, strict=False):
        axes.plot(curves.minutes, curves.blood_volume, color=color, alpha=0.9, linewidth=2.0)
    low = min(min(curves.blood_volume) for curves in drawn)
    high = max(max(curves.blood_volume) for curves in drawn)
    axes.set_ylim(low - 0.2 * (high - low) - 0.5, high + 0.06 * (high - low) + 0.2)
    time_axis(axes, "min", 0, max(curves.minutes[-1] for curves in drawn), ticks=8)
    axes.set_xlabel("Minutes since connection")
    said = range(len(drawn)) if len(drawn) <= _FEW else [_lowest(drawn)]
    for i in said:
        curves = drawn[i]
        lowest = min(range(len(curves.minutes)), key=curves.blood_volume.__getitem__)
        x, y = curves.minutes[lowest], curves.blood_volume[lowest]
        slide.note(axes, x, y, percent(y), SERIES[i])


def _lowest(drawn: Sequence[Curves]) -> int:
    """Which of several sessions has the lowest blood volume."""
    return min(range(len(drawn)), key=lambda i: min(drawn[i].blood_volume))
