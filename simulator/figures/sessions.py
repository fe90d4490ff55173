"""The first and the last session, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.session_events import changes, draw_events, flags_of, phases
from simulator.figures.slide import HALO, Slide
from simulator.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    LIGHT,
    SHADE,
    SMALL_SIZE,
    STYLE,
    VERMILLION,
    ink,
    liters,
    panel,
    percent,
    time_axis,
)
from simulator.result import Result, SessionResult
from simulator.units import MINUTES_PER_DAY

_STANDING = 1e-9  # mL; less than this between two rows, and the blood pump stood still
_LEAST_CALCIUM_RANGE = 0.12  # mmol/L, so that a change that nobody feels does not look like a fall


@dataclass(frozen=True, slots=True)
class _Curves:
    """The curves of one session, by minute since first contact."""

    session: SessionResult
    minutes: Sequence[float]
    blood_volume: Sequence[float]
    """% above that before the first draw"""
    ionized_calcium: Sequence[float]
    """mmol/L"""
    removed: Sequence[float]
    """L of patient plasma"""
    replaced: Sequence[float]
    """L"""
    pauses: Sequence[tuple[float, float]]
    """Minutes during which all pumps stood still between first draw and end of the exchange."""


@matplotlib.rc_context(STYLE)
def sessions(result: Result) -> Figure | None:
    """Blood volume, ionized calcium and plasma in the first and last session; None without any."""
    if not result.sessions:
        return None
    chosen = [result.sessions[0], *result.sessions[1:][-1:]]
    columns = [_curves(result, session) for session in chosen]
    slide = Slide(result.scenario.title)
    flags = [flags_of(result, session, len(chosen), slide.points) for session in chosen]
    rows = 1 + max((flag.row for each in flags for flag in each), default=0)
    heights = (0.45 + 0.27 * rows, 1, 1, 1)
    grid = slide.figure.subplots(
        4, len(columns), sharex="col", sharey="row", squeeze=False, height_ratios=heights
    )
    for place, (curves, named) in enumerate(zip(columns, flags, strict=True)):
        session = curves.session
        strip, blood, calcium, plasma = grid[:, place]
        time_axis(plasma, "min", 0, session.connected_minutes, ticks=9)
        plasma.set_xlabel("Minutes since connection (gray: pumps stopped)")
        day = session.start / MINUTES_PER_DAY
        strip.set_title(f"Session {session.index}, day {day:.4g}", fontweight="bold")
        draw_events(
            strip, (blood, calcium, plasma), session, named,
            changes(result, session), curves.pauses, phases(result, session),
        )  # fmt: skip
        _draw_blood_volume(slide, blood, curves)
        _draw_calcium(slide, calcium, curves)
        _draw_plasma(plasma, curves)
        for axes in (blood, calcium, plasma):
            for begin, end in curves.pauses:
                axes.axvspan(begin, end, facecolor=SHADE, edgecolor="none", zorder=0)
            axes.yaxis.label.set_fontsize(SMALL_SIZE)
            if place:
                axes.set_ylabel("")
    _set_ranges(list(grid[1:, 0]), columns)
    return slide.finished()


def _curves(result: Result, session: SessionResult) -> _Curves:
    rows = [i for i, index in enumerate(result.column("session")) if index == session.index]
    time = result.column("time")
    minutes = [time[i] * MINUTES_PER_DAY - session.connected[0] for i in rows]
    draw, end = (t - session.connected[0] for t in session.run)
    first = next(n for n, minute in enumerate(minutes) if minute >= draw - 1e-6)

    def values(name: str) -> list[float]:
        column = result.column(name)
        return [column[i] for i in rows]

    def since_start(name: str) -> list[float]:
        moved = values(name)
        return [(value - moved[0]) / 1000 for value in moved]

    blood = values("blood_volume")
    return _Curves(
        session=session,
        minutes=minutes,
        blood_volume=[100 * (value / blood[first] - 1) for value in blood],
        ionized_calcium=values("ionized_calcium"),
        removed=since_start("patient_plasma_removed"),
        replaced=since_start("replacement"),
        pauses=_pauses(minutes, values("blood_processed"), draw, end),
    )


def _pauses(
    minutes: Sequence[float], processed: Sequence[float], draw: float, end: float
) -> list[tuple[float, float]]:
    """Stretches of the run in which no blood was drawn."""
    found: list[tuple[float, float]] = []
    for i in range(len(minutes) - 1):
        begin, stop = minutes[i], minutes[i + 1]
        still = processed[i + 1] - processed[i] < _STANDING
        if stop <= begin or not still or begin < draw - 1e-6 or stop > end + 1e-6:
            continue
        if found and found[-1][1] >= begin - 1e-6:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((begin, stop))
    return found


def _draw_blood_volume(slide: Slide, axes: Axes, curves: _Curves) -> None:
    panel(axes, ylabel="Blood volume\nchange (%)")
    axes.axhline(0, color=LIGHT, linewidth=1.5, zorder=1)
    axes.plot(curves.minutes, curves.blood_volume, color=BLACK)
    lowest = min(range(len(curves.minutes)), key=curves.blood_volume.__getitem__)
    text = percent(100 * curves.session.blood_volume_nadir)
    slide.note(axes, curves.minutes[lowest], curves.blood_volume[lowest], text, BLACK)


def _draw_calcium(slide: Slide, axes: Axes, curves: _Curves) -> None:
    panel(axes, ylabel="Ionized Ca\n(mmol/L)")
    axes.plot(curves.minutes, curves.ionized_calcium, color=GREEN)
    lowest = min(range(len(curves.minutes)), key=curves.ionized_calcium.__getitem__)
    text = f"{curves.session.ionized_calcium_nadir:.2f} mmol/L"
    slide.note(axes, curves.minutes[lowest], curves.ionized_calcium[lowest], text, GREEN)


def _draw_plasma(axes: Axes, curves: _Curves) -> None:
    panel(axes, ylabel="Plasma (L)")
    axes.plot(curves.minutes, curves.removed, color=VERMILLION)
    axes.plot(curves.minutes, curves.replaced, color=BLUE, linestyle=(0, (4, 1.5)))
    removed = f"removed {liters(1000 * curves.removed[-1])}"
    replaced = f"replaced {liters(1000 * curves.replaced[-1])}"
    # Both curves only rise: the upper left and the lower right of the panel stay free.
    for x, y, text, color, ha, va in (
        (0.03, 0.93, removed, ink(VERMILLION), "left", "top"),
        (0.98, 0.06, replaced, BLUE, "right", "bottom"),
    ):
        axes.text(
            x, y, text, color=color, ha=ha, va=va, transform=axes.transAxes, path_effects=HALO
        )


def _set_ranges(panels: Sequence[Axes], columns: Sequence[_Curves]) -> None:
    """One range for both columns, with room below the lowest points for their values."""
    blood, calcium, plasma = panels
    low = min(-1.0, *(min(c.blood_volume) for c in columns))
    high = max(0.0, *(max(c.blood_volume) for c in columns))
    blood.set_ylim(low - 0.45 * (high - low), high + 0.12 * (high - low))
    low = min(min(c.ionized_calcium) for c in columns)
    high = max(max(c.ionized_calcium) for c in columns)
    span = max(high - low, _LEAST_CALCIUM_RANGE)
    calcium.set_ylim(low - 0.55 * span, low + 1.12 * span)
    most = max(max(*c.removed, *c.replaced) for c in columns)
    plasma.set_ylim(0, 1.1 * most if most else 1.0)
