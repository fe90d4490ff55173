"""The first and the last session, or the most eventful one between them, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.curves import Curves, curves_of
from simulator.figures.session_events import (
    access_pauses,
    calcium_given,
    changes,
    eventful,
    swaps,
)
from simulator.figures.slide import HALO, Slide
from simulator.figures.strip import draw_strip, flags_of, name_marks
from simulator.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    LIGHT,
    PURPLE,
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

_LEAST_CALCIUM_RANGE = 0.12  # mmol/L, so that a change that nobody feels does not look like a fall
_TALL_STRIP, _FEW_TICKS = 1.2, 4
"""From this height on (in panels), a strip leaves its panels room for so many steps of an axis."""
_LITTLE = 0.4
"""Share of the plasma below which a curve of what was replaced lies low in its panel."""
_DOSE_AT = 0.9
"""Height of the bars of calcium given by hand, as a share of their panel."""


@matplotlib.rc_context(STYLE)
def sessions(result: Result) -> Figure | None:
    """Blood volume, ionized calcium and plasma in two sessions; None without any."""
    if not result.sessions:
        return None
    chosen = chosen_sessions(result)
    columns = [curves_of(result, session) for session in chosen]
    slide = Slide(result.scenario.title)
    flags = [flags_of(result, session, len(chosen), slide.points) for session in chosen]
    rows = 1 + max((flag.row for each in flags for flag in each), default=0)
    retries = any(access_pauses(result, session) for session in chosen)
    heights = (0.45 + 0.27 * rows + 0.18 * retries, 1, 1, 1)
    grid = slide.figure.subplots(
        4, len(columns), sharex="col", sharey="row", squeeze=False, height_ratios=heights
    )
    for place, (curves, named) in enumerate(zip(columns, flags, strict=True)):
        session = curves.session
        strip, blood, calcium, plasma = grid[:, place]
        time_axis(plasma, "min", 0, session.connected_minutes, ticks=9)
        plasma.set_xlabel("Minutes since connection (gray: pumps stopped)")
        strip.set_title(_heading(result, session), fontweight="bold")
        draw_strip(strip, (blood, calcium, plasma), result, session, named, curves.pauses)
        _draw_blood_volume(slide, blood, curves)
        _draw_calcium(slide, calcium, curves)
        _draw_doses(calcium, calcium_given(result, session), session.connected_minutes)
        _draw_plasma(plasma, curves)
        for axes in (blood, calcium, plasma):
            for begin, end in curves.pauses:
                axes.axvspan(begin, end, facecolor=SHADE, edgecolor="none", zorder=0)
            axes.yaxis.label.set_fontsize(SMALL_SIZE)
            if heights[0] > _TALL_STRIP:
                axes.locator_params(axis="y", nbins=_FEW_TICKS, min_n_ticks=2)
            if place:
                axes.set_ylabel("")
    bottles = any(changes(result, session) for session in chosen)
    columns_swapped = any(swaps(result, session) for session in chosen)
    name_marks(grid[0, 0], bottles, columns_swapped, retries)
    doses = any(calcium_given(result, session) for session in chosen)
    _set_ranges(list(grid[1:, 0]), columns, doses)
    return slide.finished()


def chosen_sessions(result: Result) -> list[SessionResult]:
    """The first and the last; instead of the last one between them in which most happened."""
    first, *others = result.sessions
    return [first, _most_eventful(result) or others[-1]] if others else [first]


def _most_eventful(result: Result) -> SessionResult | None:
    """The session in which most happened, if that is neither the first nor the last."""
    found = max(reversed(result.sessions), key=lambda session: eventful(result, session))
    as_much = eventful(result, result.sessions[0]) >= eventful(result, found)
    return None if as_much or found is result.sessions[-1] else found


def _heading(result: Result, session: SessionResult) -> str:
    most = ": the most eventful" if session is _most_eventful(result) else ""
    cycles = f", {session.bowl_cycles} cycles" if session.bowl_cycles > 1 else ""
    return f"Session {session.index}, day {session.start / MINUTES_PER_DAY:.4g}{most or cycles}"


def _draw_blood_volume(slide: Slide, axes: Axes, curves: Curves) -> None:
    panel(axes, ylabel="Blood volume\nchange (%)")
    axes.axhline(0, color=LIGHT, linewidth=1.5, zorder=1)
    axes.plot(curves.minutes, curves.blood_volume, color=BLACK)
    lowest = min(range(len(curves.minutes)), key=curves.blood_volume.__getitem__)
    text = percent(100 * curves.session.blood_volume_nadir)
    slide.note(axes, curves.minutes[lowest], curves.blood_volume[lowest], text, BLACK)


def _draw_calcium(slide: Slide, axes: Axes, curves: Curves) -> None:
    panel(axes, ylabel="Ionized Ca\n(mmol/L)")
    axes.plot(curves.minutes, curves.ionized_calcium, color=GREEN)
    lowest = min(range(len(curves.minutes)), key=curves.ionized_calcium.__getitem__)
    text = f"{curves.session.ionized_calcium_nadir:.2f} mmol/L"
    slide.note(axes, curves.minutes[lowest], curves.ionized_calcium[lowest], text, GREEN)


def _draw_doses(axes: Axes, doses: Sequence[tuple[float, float]], end: float) -> None:
    """A bar for each dose of calcium by hand; what they are stands in the widest gap."""
    if not doses:
        return
    across = axes.get_xaxis_transform()
    for begin, stop in doses:
        axes.plot([begin, stop], [_DOSE_AT] * 2, color=PURPLE, linewidth=6, transform=across)
        axes.plot([begin], [_DOSE_AT], "d", color=PURPLE, markersize=8, transform=across)
    bounds = [0.0, *(minute for dose in sorted(doses) for minute in dose), end]
    gaps = list(zip(bounds[::2], bounds[1::2], strict=True))
    left, right = max(gaps, key=lambda gap: gap[1] - gap[0])
    after = left > 0
    axes.annotate(
        "calcium given", (left if after else right, _DOSE_AT), xycoords=across,
        xytext=(7 if after else -7, 0), textcoords="offset points", va="center",
        ha="left" if after else "right", color=ink(PURPLE), fontsize=SMALL_SIZE,
        path_effects=HALO,
    )  # fmt: skip


def _draw_plasma(axes: Axes, curves: Curves) -> None:
    panel(axes, ylabel="Plasma (L)")
    axes.plot(curves.minutes, curves.plasma, color=VERMILLION)
    done = "treated" if curves.treated else "removed"
    moved, replaced = f"{done} {liters(1000 * curves.plasma[-1])}", "nothing replaced"
    if curves.replaced[-1]:
        axes.plot(curves.minutes, curves.replaced, color=BLUE, linestyle=(0, (4, 1.5)))
        replaced = f"replaced {liters(1000 * curves.replaced[-1])}"
    lies_low = 0 < curves.replaced[-1] < _LITTLE * curves.plasma[-1]
    # Both curves only rise: the upper left and, below what lies low, the lower right stay free.
    across = axes.get_yaxis_transform()
    for x, y, text, color, ha, va, places in (
        (0.03, 0.93, moved, ink(VERMILLION), "left", "top", axes.transAxes),
        (0.98, 0.06, replaced, BLUE, "right", "bottom", axes.transAxes)
        if not lies_low
        else (0.98, 1.25 * curves.replaced[-1], replaced, BLUE, "right", "bottom", across),
    ):
        axes.text(x, y, text, color=color, ha=ha, va=va, transform=places, path_effects=HALO)


def _set_ranges(panels: Sequence[Axes], columns: Sequence[Curves], doses: bool) -> None:
    """One range for both columns, with room below the lowest points for their values."""
    blood, calcium, plasma = panels
    low = min(-1.0, *(min(c.blood_volume) for c in columns))
    high = max(0.0, *(max(c.blood_volume) for c in columns))
    blood.set_ylim(low - 0.45 * (high - low), high + 0.12 * (high - low))
    low = min(min(c.ionized_calcium) for c in columns)
    high = max(max(c.ionized_calcium) for c in columns)
    span = max(high - low, _LEAST_CALCIUM_RANGE)
    calcium.set_ylim(low - 0.55 * span, low + (1.45 if doses else 1.12) * span)
    most = max(max(*c.plasma, *c.replaced) for c in columns)
    plasma.set_ylim(0, 1.1 * most if most else 1.0)
