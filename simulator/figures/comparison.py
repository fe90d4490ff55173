"""Several runs over each other: the antibody over time, and what each session did and took."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.course import course_axis, ranked_solutes
from simulator.figures.curves import curves_of
from simulator.figures.machines import differ, machines
from simulator.figures.rows import (
    MOST,
    NAME_WIDTH,
    draw_bars,
    draw_dots,
    name_rows,
)
from simulator.figures.slide import Slide
from simulator.figures.style import (
    LIGHT,
    MINUTES,
    SERIES,
    STYLE,
    display_name,
    number,
    panel,
    percent,
    time_axis,
)
from simulator.result import Result, followed_in_all
from simulator.units import MINUTES_PER_DAY

_CALCIUM_DIFFERS, _VOLUME_DIFFERS = 0.03, 1.0
"""From how much on (mmol/L, %) the lowest values of first sessions are worth panels."""
_PEAK_COUNTS = 5.0
"""Where the level rises above so many times its start, a percentage of the start says little."""


@matplotlib.rc_context(STYLE)
def comparison(
    results: Sequence[Result], labels: Sequence[str], title: str = "", by: str = ""
) -> Figure:
    """The leading antibody of several runs over time, and of each run what its sessions did.

    The first seven are drawn. Each dot of a lower panel is one session, its number their mean. `by`
    is the setting in which runs differ, if it is one. Runs on different machines are compared by
    `machines`.
    """
    if differ(results):
        return machines(results, labels, title)
    more = f" (the first {MOST} of {len(results)})" if len(results) > MOST else ""
    results, labels = results[:MOST], labels[:MOST]
    solute = _leading_solute(results)
    words = display_name(solute)
    words = words.capitalize() if words.islower() else words
    setting = f" by {by}" if by else ""
    slide = Slide((title or f"{words} in plasma{setting}: {len(results)} courses") + more)
    names = [slide.fitted(label, NAME_WIDTH) for label in labels]
    heights = (3.0, 0.5 + 0.3 * len(results))
    above, below = slide.figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
    lowering, removal, minutes = below.subplots(1, 3)

    if _felt_differently(results):
        course, felt = above.subfigures(1, 2, width_ratios=(2, 1))
        _draw_courses(slide, course.subplots(), results, names, solute)
        _draw_first_sessions(felt.subplots(2, 1, sharex=True), results)
    else:
        _draw_courses(slide, above.subplots(), results, names, solute)
    lowered = [[100 * fall for fall in result.falls(solute)] for result in results]
    draw_dots(slide, lowering, "Lowered per session (%)", lowered)
    _draw_removed(slide, removal, results, solute)
    connected = [[session.connected_minutes for session in r.sessions] for r in results]
    draw_dots(slide, minutes, "Minutes connected", connected)
    name_rows(lowering, names)
    return slide.finished()


def setting_in_words(path: str) -> str:
    """A dotted path as a title names it: ``calcium rate``, ``operator machines``."""
    return " ".join(path.split(".")[-2:]).replace("_", " ").replace("-", " ")


def _leading_solute(results: Sequence[Result]) -> str:
    """The first solute of the first run that all runs follow; IgG is followed in all."""
    shared = followed_in_all(results, ranked_solutes(results[0]))
    return shared[0] if shared else "igg"


def _felt_differently(results: Sequence[Result]) -> bool:
    """Whether the first sessions differ in what the patient feels of them."""
    if not all(result.sessions for result in results):
        return False
    first = [result.sessions[0] for result in results]
    calcium = [session.ionized_calcium_nadir for session in first]
    volume = [100 * session.blood_volume_nadir for session in first]
    return (
        max(calcium) - min(calcium) > _CALCIUM_DIFFERS
        or max(volume) - min(volume) > _VOLUME_DIFFERS
    )


def _draw_first_sessions(panels: Sequence[Axes], results: Sequence[Result]) -> None:
    """Blood volume and ionized calcium in the first session of each run, minute by minute."""
    blood, calcium = panels
    panel(blood, "First session: blood volume (%)")
    panel(calcium, "Ionized calcium (mmol/L)")
    blood.axhline(0, color=LIGHT, linewidth=1.5, zorder=1)
    for result, color in zip(results, SERIES, strict=False):
        curves = curves_of(result, result.sessions[0])
        blood.plot(curves.minutes, curves.blood_volume, color=color, alpha=0.9)
        calcium.plot(curves.minutes, curves.ionized_calcium, color=color, alpha=0.9)
    longest = max(result.sessions[0].connected_minutes for result in results)
    time_axis(calcium, "min", 0, longest, ticks=6)
    calcium.set_xlabel("Minutes since connection")


def _draw_courses(
    slide: Slide, axes: Axes, results: Sequence[Result], names: Sequence[str], solute: str
) -> None:
    until = max(result.scenario.until for result in results)
    unit = course_axis(axes, 0.0, until)
    courses = [result.column(f"{solute}_plasma") for result in results]
    starts = [result.solutes[solute].initial for result in results]
    relative = all(
        max(levels) <= _PEAK_COUNTS * start for levels, start in zip(courses, starts, strict=True)
    ) and all(starts)
    label = "% of start" if relative else results[0].solutes[solute].unit
    panel(axes, ylabel=f"{display_name(solute)}\n({label})")
    if relative:
        axes.axhline(100, color=LIGHT, linewidth=1.5, zorder=1)
    top = 100.0 if relative else 0.0
    for result, levels, start, name, color in zip(
        results, courses, starts, names, SERIES, strict=False
    ):
        time = [day * MINUTES_PER_DAY / MINUTES[unit] for day in result.column("time")]
        drawn = [100 * level / start for level in levels] if relative else levels
        axes.plot(time, drawn, color=color, alpha=0.9)
        value = percent(drawn[-1]) if relative else f"{number(drawn[-1])} {label}"
        if result.scenario.until < until:
            axes.plot([time[-1], until / MINUTES[unit]], [drawn[-1]] * 2, ":", color=color, lw=1.2)
            value += f" after {number(time[-1])} {unit}"
        slide.end_label(axes, drawn[-1], f"{name}: {value}", color)
        top = max(top, *drawn)
    axes.set_ylim(0, 1.06 * top)


def _draw_removed(slide: Slide, axes: Axes, results: Sequence[Result], solute: str) -> None:
    """One bar for each run: how much of the solute its sessions removed."""
    values = [result.solutes[solute].removed for result in results]
    unit = results[0].solutes[solute].mass_unit
    high = max(values)
    scale, prefix = (1e6, "million ") if high >= 1e6 else (1e3, "thousand ")
    if high < 1e4:
        scale, prefix = 1.0, ""
    draw_bars(slide, axes, f"Removed in all ({prefix}{unit})", [value / scale for value in values])
