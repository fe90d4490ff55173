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
from simulator.result import MINUTES_PER_DAY, Result
from simulator.scenario.model import Dose

MOST = 5
"""Solutes in one figure; more curves than that say nothing."""
_NAMED = 3
"""Of the solutes left out, how many the heading names."""

_PEAK_COUNTS = 5.0
"""A solute that rises above so many times its start is drawn in percent of its peak."""
_ALIKE = 2.0
"""Percentage points; curves that never differ by more lie on each other."""
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
    width: float = _WIDTH

    @property
    def words(self) -> str:
        """Its name as it is written."""
        return display_name(self.name)

    def plasma_percent(self) -> list[float]:
        """Plasma levels, % of the whole."""
        return [100 * level / self.whole for level in self.plasma]

    def interstitial_percent(self) -> list[float]:
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
    curves = _curves(result)

    doses = [event for event in result.scenario.events if isinstance(event, Dose)]
    numbers = [s.index for s in result.sessions]
    heading = "Plasma (solid) and interstitial fluid (dashed)"
    heading += (", ▼ dose" if doses else "") + _left_out(result)
    of_start = "% of start or peak" if any(curve.of_peak for curve in curves) else "% of start"
    panel(upper, heading, of_start, pad=30 if numbers else 8)
    slide.sessions(upper, spans(result, unit), numbers)
    slide.sessions(lower, spans(result, unit))
    top = 100.0
    for curve in curves:
        drawn = _draw(upper, time, curve, curve.plasma_percent(), curve.interstitial_percent())
        final = 100 * curve.plasma[-1] / curve.whole
        of_peak = " of peak" if curve.of_peak else ""
        slide.end_label(upper, final, f"{curve.words} {percent(final)}{of_peak}", curve.color)
        top = max(top, *drawn)
    upper.axhline(100, color=LIGHT, linewidth=1.5, zorder=1)
    upper.set_ylim(0, (1.06 if not doses else 1.16) * top)
    colors = {curve.name: curve.color for curve in curves}
    for dose in doses:
        upper.plot(
            dose.at / MINUTES[unit], 0.95, "v", markersize=9, color=colors.get(dose.solute, LIGHT),
            transform=upper.get_xaxis_transform(),
        )  # fmt: skip

    shared = len({curve.unit for curve in curves}) == 1
    scale = curves[0].unit if shared else of_start
    panel(lower, "The same on a logarithmic scale: equal steps are equal fractions", scale)
    values: list[float] = []
    for curve in curves:
        if shared:
            outside = curve.interstitial if curve.interstitial_percent() else []
            values += _draw(lower, time, curve, curve.plasma, outside)
        else:
            percents = curve.plasma_percent(), curve.interstitial_percent()
            values += _draw(lower, time, curve, *percents)
        final = curve.plasma[-1] if shared else 100 * curve.plasma[-1] / curve.whole
        text = f"{curve.words} {number(curve.plasma[-1])} {curve.unit}"
        slide.end_label(lower, final, text, curve.color)
    high = max(values)
    low = max(min(value for value in values if value > 0), _DECADES * high)
    log_axis(lower, low / (high / low) ** 0.15 / 1.2, high * (high / low) ** 0.05)

    for curve in curves:
        nadir = result.solutes[curve.name].nadir
        when = result.solutes[curve.name].nadir_time / MINUTES[unit]
        share = 100 * nadir / curve.whole
        if curve.of_peak or share > _FALLS_BELOW:
            continue
        needed = curve.rank == 0
        if curve.width == _WIDTH:  # else it lies below another, which says the same
            slide.note(upper, when, share, percent(share), curve.color, needed)
        level = nadir if shared else share
        slide.note(lower, when, level, f"{number(nadir)} {curve.unit}", curve.color, needed)
    return slide.finished()


def _curves(result: Result) -> list[_Curve]:
    curves: list[_Curve] = []
    for name, color in zip(ranked_solutes(result)[:MOST], SERIES, strict=False):
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
            width=_WIDTH + _OVERLAID * sum(_alike(plasma, start, other) for other in curves),
        )
        curves.append(curve)
    return curves


def _alike(plasma: Sequence[float], start: float, other: _Curve) -> bool:
    """Whether a curve lies on another, so that only its greater width can show it."""
    if not start or other.of_peak:
        return False
    pairs = zip(plasma, other.plasma_percent(), strict=True)
    return all(abs(100 * level / start - share) < _ALIKE for level, share in pairs)


def _left_out(result: Result) -> str:
    names = [display_name(name) for name in ranked_solutes(result)[MOST:]]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"; not drawn: {', '.join(names[:_NAMED])}{more}"


def _draw(
    axes: Axes,
    time: Sequence[float],
    curve: _Curve,
    plasma: Sequence[float],
    interstitial: Sequence[float],
) -> list[float]:
    """Both pools of one solute; those of higher rank lie above. Returns the values drawn."""
    above = 3 - 0.1 * curve.rank
    axes.plot(time, plasma, color=curve.color, linewidth=curve.width, zorder=above)
    if interstitial:
        axes.plot(
            time, interstitial, color=curve.color, linestyle=(0, (4, 2)), linewidth=1.6,
            zorder=above - 0.05,
        )  # fmt: skip
    return [*plasma, *interstitial]
