"""How plasma and interstitial levels go over the course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.course import course_axis, ranked_solutes, spans
from simulator.figures.slide import Slide
from simulator.figures.style import (
    LIGHT,
    MINUTES,
    SERIES,
    STYLE,
    display_name,
    log_axis,
    number,
    panel,
    percent,
)
from simulator.result import Result
from simulator.scenario.model import Dose
from simulator.units import MINUTES_PER_DAY

MOST = 5
"""Solutes in one figure; more curves than that say nothing."""
_NAMED = 3
"""Of the solutes left out, how many the heading names."""

_PEAK_COUNTS = 5.0
"""A solute that rises above so many times its start is drawn in percent of its peak."""
_ALIKE = 2.0
"""Percentage points; curves that never differ by more lie on each other."""
_UNCHANGED = 0.005
"""Of its highest level: a solute that moves less is not drawn beside others that do."""
_FALLS_BELOW = 99.0
"""%; a lowest level is marked if it is below."""

_DECADES = 1e-4
"""Of the highest level: what is lower is not drawn on the logarithmic axis."""
_WIDTH, _OVERLAID = 2.4, 2.6
"""Points: width of a curve, and what one that lies below another is wider."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """One solute, ready to draw."""

    name: str
    color: str
    unit: str
    plasma: Sequence[float]
    interstitial: Sequence[float]
    whole: float
    """The plasma level that counts as 100 %."""
    outer_whole: float
    """The interstitial level that counts as 100 %."""
    of_peak: bool
    """Whether 100 % is the highest plasma level, for both, and not the level at the start."""
    rank: int
    overlaid: bool
    """Whether it lies below another all the way, so that only a greater width can show it."""

    @property
    def words(self) -> str:
        """Its name as it is written."""
        return display_name(self.name)

    def plasma_percent(self) -> Sequence[float]:
        """Plasma levels, % of the whole."""
        return [100 * level / self.whole for level in self.plasma]

    def interstitial_percent(self) -> Sequence[float]:
        """Interstitial levels, % of the whole; empty if nothing is outside the vessels."""
        if not self.outer_whole or max(self.interstitial) < 1e-6 * self.whole:
            return []
        return [100 * level / self.outer_whole for level in self.interstitial]


@matplotlib.rc_context(STYLE)
def solutes(result: Result) -> Figure:
    """Levels over the course: in percent of the start, and on a logarithmic scale."""
    slide = Slide(result.scenario.title)
    upper, lower = slide.figure.subplots(2, 1, sharex=True)
    unit = course_axis(lower, 0.0, result.scenario.until)
    upper.tick_params(labelbottom=False)
    time = [day * MINUTES_PER_DAY / MINUTES[unit] for day in result.column("time")]
    names = _drawn(result)
    curves = _curves(result, names)
    alone = len(curves) == 1
    of_start = "% of start or peak" if any(curve.of_peak for curve in curves) else "% of start"

    starts = {None: 0.0} | {session.index: session.start for session in result.sessions}
    doses = [
        (event, starts[event.session] + event.at)
        for event in result.scenario.events
        if isinstance(event, Dose) and event.session in starts
    ]
    numbers = [s.index for s in result.sessions]
    heading = "Plasma (solid) and interstitial fluid (dashed)"
    heading += (", ▼ dose" if doses else "") + _left_out(result, names)
    panel(upper, heading, of_start, pad=30 if numbers else 8)
    slide.sessions(upper, spans(result, unit), numbers)
    top = _draw_percent(slide, upper, time, curves)
    upper.set_ylim(0, (1.16 if doses else 1.06) * top)
    for dose, when in doses:
        color = next((c.color for c in curves if c.name == dose.solute), LIGHT)
        upper.plot(
            when / MINUTES[unit], 0.95, "v", markersize=9, color=color,
            transform=upper.get_xaxis_transform(),
        )  # fmt: skip

    heading = "The same on a logarithmic scale: equal steps are equal fractions"
    panel(lower, heading, curves[0].unit if alone else of_start)
    slide.sessions(lower, spans(result, unit))
    _draw_logarithmic(slide, lower, time, curves)

    for curve in curves:
        lowest = result.solutes[curve.name]
        when, share = lowest.nadir_time / MINUTES[unit], 100 * lowest.nadir / curve.whole
        if curve.of_peak or curve.overlaid or share > _FALLS_BELOW:
            continue
        needed = curve.rank == 0
        slide.note(upper, when, share, percent(share), curve.color, needed)
        text = f"{number(lowest.nadir)} {curve.unit}"
        slide.note(lower, when, lowest.nadir if alone else share, text, curve.color, needed)
    return slide.finished()


def _draw_percent(
    slide: Slide, axes: Axes, time: Sequence[float], curves: Sequence[_Curve]
) -> float:
    """All curves in percent of their whole; returns the highest percentage."""
    axes.axhline(100, color=LIGHT, linewidth=1.5, zorder=1)
    top = 100.0
    for curve in curves:
        plasma, interstitial = curve.plasma_percent(), curve.interstitial_percent()
        _draw(axes, time, curve, plasma, interstitial)
        of_peak = " of peak" if curve.of_peak else ""
        slide.end_label(
            axes, plasma[-1], f"{curve.words} {percent(plasma[-1])}{of_peak}", curve.color
        )
        top = max(top, *plasma, *interstitial)
    return top


def _draw_logarithmic(
    slide: Slide, axes: Axes, time: Sequence[float], curves: Sequence[_Curve]
) -> None:
    """All curves on a logarithmic axis: one alone in its unit, several in percent."""
    values: list[float] = []
    for curve in curves:
        plasma, interstitial = curve.plasma_percent(), curve.interstitial_percent()
        if len(curves) == 1:
            plasma, interstitial = curve.plasma, curve.interstitial if interstitial else []
        _draw(axes, time, curve, plasma, interstitial)
        for levels in filter(None, (plasma, interstitial)):
            values += [level for level in _settled(levels, curve.of_peak) if level > 0]
        text = f"{curve.words} {number(curve.plasma[-1])} {curve.unit}"
        slide.end_label(axes, plasma[-1], text, curve.color)
    high = max(values)
    low = max(min(values), _DECADES * high)
    log_axis(axes, low / (high / low) ** 0.15 / 1.2, 1.02 * high * (high / low) ** 0.05)


def _drawn(result: Result) -> list[str]:
    """Solutes to draw: the first few of those that change, or of all if none does."""
    ranked = ranked_solutes(result)
    return ([name for name in ranked if _changes(result, name)] or ranked)[:MOST]


def _changes(result: Result, name: str) -> bool:
    levels = result.column(f"{name}_plasma")
    return max(levels) - min(levels) > _UNCHANGED * max(levels)


def _curves(result: Result, names: Sequence[str]) -> list[_Curve]:
    curves: list[_Curve] = []
    for name, color in zip(names, SERIES, strict=False):
        plasma = result.column(f"{name}_plasma")
        interstitial = result.column(f"{name}_interstitial")
        start, peak = result.solutes[name].initial, max(plasma)
        of_peak = peak > _PEAK_COUNTS * start
        curve = _Curve(
            name=name,
            color=color,
            unit=result.unit(f"{name}_plasma"),
            plasma=plasma,
            interstitial=interstitial,
            whole=peak if of_peak else start,
            outer_whole=peak if of_peak else interstitial[0],
            of_peak=of_peak,
            rank=len(curves),
            overlaid=any(_alike(plasma, start, other) for other in curves),
        )
        curves.append(curve)
    return curves


def _alike(plasma: Sequence[float], start: float, other: _Curve) -> bool:
    """Whether a curve lies on another."""
    if not start or other.of_peak:
        return False
    pairs = zip(plasma, other.plasma_percent(), strict=True)
    return all(abs(100 * level / start - share) < _ALIKE for level, share in pairs)


def _left_out(result: Result, drawn: Sequence[str]) -> str:
    names = [name for name in ranked_solutes(result) if name not in drawn]
    if not names:
        return ""
    unchanged = not any(_changes(result, name) for name in names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(display_name(name) for name in names[:_NAMED])
    return f"; {'unchanged' if unchanged else 'not drawn'}: {listed}{more}"


def _settled(levels: Sequence[float], of_peak: bool) -> Sequence[float]:
    """The levels that a logarithmic axis has to reach: not the first way up from nothing."""
    if not of_peak:
        return levels
    falls = (i for i in range(len(levels) - 1) if levels[i + 1] < levels[i])
    return levels[next(falls, len(levels) - 1) :]


def _draw(
    axes: Axes,
    time: Sequence[float],
    curve: _Curve,
    plasma: Sequence[float],
    interstitial: Sequence[float],
) -> None:
    """Both pools of one solute; those of higher rank lie above."""
    above = 3 - 0.1 * curve.rank
    width = _WIDTH + (_OVERLAID if curve.overlaid else 0.0)
    axes.plot(time, plasma, color=curve.color, linewidth=width, zorder=above)
    if interstitial:
        axes.plot(
            time, interstitial, color=curve.color, linestyle=(0, (4, 2)), linewidth=1.6,
            zorder=above - 0.05,
        )  # fmt: skip
