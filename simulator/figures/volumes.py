"""What the machine moved over the course, and what that did to the blood volume."""

from __future__ import annotations

import matplotlib
from matplotlib.figure import Figure

from simulator.figures.course import course_axis, spans
from simulator.figures.slide import Slide
from simulator.figures.style import (
    BLACK,
    BLUE,
    GRAY,
    GREEN,
    LIGHT,
    MINUTES,
    PURPLE,
    STYLE,
    UNIT_NAMES,
    VERMILLION,
    liters,
    number,
    panel,
    percent,
)
from simulator.result import Result
from simulator.units import MINUTES_PER_DAY

#: Column, words, color, line style; what is drawn later lies above.
_CURVES: tuple[tuple[str, str, str, str | tuple[int, tuple[float, float]]], ...] = (
    ("blood_processed", "Blood processed", GRAY, "-"),
    ("plasma_treated", "Patient plasma treated", VERMILLION, "-"),
    ("patient_plasma_removed", "Patient plasma removed", VERMILLION, "-"),
    ("replacement", "Replacement given", BLUE, (0, (4, 1.5))),
    ("anticoagulant", "Anticoagulant used", GREEN, "-"),
)
_TAIL = 0.5
"""Of the time from first to last session, what is shown after it: nothing moves any more."""
_TAIL_OF_ONE = 2.0
"""The same for a single session."""


@matplotlib.rc_context(STYLE)
def volumes(result: Result) -> Figure:
    """Cumulative volumes over the course (L), and the blood volume (% of that at rest)."""
    slide = Slide(result.scenario.title)
    if result.sessions:
        upper, lower = slide.figure.subplots(2, 1, sharex=True, height_ratios=(1.5, 1))
    else:
        upper, lower = None, slide.figure.subplots()
    start, end = _window(result)
    minutes = [MINUTES_PER_DAY * day for day in result.column("time")]
    shown = [i for i, minute in enumerate(minutes) if start <= minute <= end]
    unit = course_axis(lower, start, minutes[shown[-1]])
    time = [minutes[i] / MINUTES[unit] for i in shown]

    if upper is not None:
        panel(upper, "Volumes moved since the start", "Volume (L)", pad=30)
        slide.sessions(upper, spans(result, unit), [s.index for s in result.sessions])
        for name, words, color, style in _drawn(result):
            values = result.column(name)
            moved = [values[i] / 1000 for i in shown]
            upper.plot(time, moved, color=color, linestyle=style)
            slide.end_label(upper, moved[-1], f"{words} {liters(1000 * moved[-1])}", color)
        upper.set_ylim(0, 1.04 * max(result.column("blood_processed")) / 1000)
        upper.tick_params(labelbottom=False)

    rest = result.blood_volume
    values = result.column("blood_volume")
    blood = [100 * values[i] / rest for i in shown]
    panel(lower, f"Blood volume, {liters(rest)} at rest", "% of rest")
    slide.sessions(lower, spans(result, unit))
    lower.axhline(100, color=LIGHT, linewidth=1.5, zorder=1)
    lower.plot(time, blood, color=BLACK, linewidth=2.0)
    after = f"after {number(time[-1])} {UNIT_NAMES[unit]}"
    slide.end_label(lower, blood[-1], f"{percent(blood[-1])} {after}", BLACK)
    lowest = min(range(len(blood)), key=blood.__getitem__)
    if result.sessions:
        slide.note(lower, time[lowest], blood[lowest], f"lowest {percent(blood[lowest])}", BLACK)
    room = max(1.0, 0.12 * (max(blood) - min(blood)))
    lower.set_ylim(min(*blood, 98) - 2.5 * room, max(*blood, 102) + room)
    return slide.finished()


def _drawn(result: Result) -> list[tuple[str, str, str, str | tuple[int, tuple[float, float]]]]:
    """The curves of what has moved; what is removed of plasma that is given back has another name.

    Blood is drawn in any case.
    """
    moved = [curve for curve in _CURVES if result.column(curve[0])[-1] > 0] or [*_CURVES[:1]]
    if result.column("plasma_treated")[-1] > 0:
        names = {"patient_plasma_removed": ("Of that discarded", PURPLE)}
        moved = [(name, *names.get(name, (words, c)), style) for name, words, c, style in moved]
    return moved


def _window(result: Result) -> tuple[float, float]:
    """What part of the run (min) to show: until some time after the last session."""
    until = result.scenario.until
    if not result.sessions:
        return 0.0, until
    first, last = result.sessions[0].connected[0], result.sessions[-1].connected[1]
    tail = _TAIL if len(result.sessions) > 1 else _TAIL_OF_ONE
    end = min(until, last + tail * (last - first))
    single = len(result.sessions) == 1
    return (first if single else 0.0), end
