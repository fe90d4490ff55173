"""Published against simulated: levels and falls in percent; all else as a ratio, by what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from simulator.evidence.verdicts import Verdict, known
from simulator.evidence.wording import Counts
from simulator.figures.slide import Slide
from simulator.figures.style import BLUE, GRAY, LIGHT, ORANGE, SMALL_SIZE, STYLE, panel, quiet_grid

PERCENT = ("left", "fall", "drop", "recovered", "nadir-left", "peak-after")
"""Endpoints of levels and falls: percent of a start, drawn on one pair of axes."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Level, amount, rebound", ("level", "final", "nadir", "rebound", "rebounds", "removed",
                                 "adsorbed", "protein-bound")),
    ("Removal efficiency", ("efficiency",)),
    ("Minutes of a session", ("minutes", "connected")),
    ("Flow and volume", ("plasma-flow", "dose-flow", "plasma", "blood-volumes", "blood-outside",
                         "bowl-cycles")),
    ("Anticoagulant, citrate", ("anticoagulant", "anticoagulant-to-patient",
                                "anticoagulant-per-liter", "citrate-rate", "citrate",
                                "citrate-peak", "citrate-mean")),
    ("Calcium, magnesium", ("ionized-calcium", "ionized-calcium-change", "ionized-calcium-nadir",
                            "ionized-calcium-fall", "total-calcium-change",
                            "ionized-magnesium-change")),
    ("Blood volume", ("blood-volume-nadir",)),
)  # fmt: skip
"""Rows of the panel of ratios."""
OTHERS = "Others"
RATES = "Rates over sessions"
_ENDS = (0, 105)
"""Of the axes of levels; what lies beyond is drawn at the edge, as an arrow."""
_FARTHEST = 2.5
"""Ratios beyond are drawn at the edge, as arrows."""
_FAN = 0.32
"""Of the height of a row: how far dots of one row stand from its middle."""

MET, MISSED, SET = BLUE, ORANGE, GRAY


@matplotlib.rc_context(STYLE)
def verification(verdicts: Sequence[Verdict]) -> Figure:
    """Rows of published cases: what was measured and what came out, with the spread of the study.

    Drawn is every row that has a measured value and was run, unless it has no ratio: differences
    between runs, biases, what was measured to be 0. Rows that have bounds alone are not drawn
    either; how many of each, the title says. Blue: met, or nothing was asked; orange: missed; gray:
    rows that set a parameter, which prove nothing and are in no count of the title. Bars are what
    the study printed. What lies beyond the axes stands at their edge as an arrow.
    """
    drawn = [v for v in verdicts if not _why_not(v)]
    shown = Counts.of(drawn)
    title = f"{shown.rows} rows of {shown.studies} studies, {shown.missed} missed"
    slide = Slide(f"Published and simulated: {title}{_left_out(verdicts)}")
    left, right = slide.figure.subplots(1, 2, width_ratios=(1, 1))
    _draw_levels(left, [v for v in drawn if _is_level(v)])
    _draw_ratios(right, [v for v in drawn if not _is_level(v)])
    setting = f"set a parameter ({shown.calibration})"
    slide.figure.legend(
        handles=[_handle(MET, "met"), _handle(MISSED, "missed"), _handle(SET, setting)],
        loc="outside lower left", ncols=3, frameon=False, fontsize=SMALL_SIZE,
    )  # fmt: skip
    return slide.finished()


def _why_not(v: Verdict) -> str:
    """Why a row is not drawn; empty if it is."""
    if v.simulated is None:
        return "not run"
    if v.measured is None:
        return "bounds"
    return "" if _is_level(v) or _has_ratio(v) else "differences and biases"


def _left_out(verdicts: Sequence[Verdict]) -> str:
    """How many rows are not drawn, and why, at the end of a title."""
    reasons = Counter(reason for v in verdicts if (reason := _why_not(v)))
    counted = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"; not drawn: {counted}" if counted else ""


def _handle(color: str, words: str) -> Line2D:
    return Line2D([], [], marker="o", linestyle="", color=color, markersize=8, label=words)


def _is_level(v: Verdict) -> bool:
    return v.unit == "%" and v.row.compare is None and v.row.read.name in PERCENT


def _has_ratio(v: Verdict) -> bool:
    """Whether simulated over measured says something: not of nothing, a difference, a bias."""
    difference = v.row.compare not in (None, "ratio") or v.row.read.name == "over-mass-balance"
    return bool(v.measured) and not difference


def _color(v: Verdict) -> str:
    if v.row.kind == "calibration":
        return SET
    return MISSED if v.met is False else MET


def _by_importance(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that prove nothing first, so that they lie underneath; misses last."""
    order = {SET: 0, MET: 1, MISSED: 2}
    return sorted(verdicts, key=lambda v: order[_color(v)])


def _draw_levels(axes: Axes, verdicts: Sequence[Verdict]) -> None:
    panel(axes, "Levels and falls, % of the start", "Simulated (%)")
    quiet_grid(axes, "x")
    low, high = _ENDS
    axes.plot(_ENDS, _ENDS, color=LIGHT, linewidth=1.5, zorder=1)
    for v in _by_importance(verdicts):
        color = _color(v)
        x, across = _clipped(known(v.measured), low, high)
        y, up = _clipped(known(v.simulated), low, high)
        if v.spread is not None:
            axes.plot(v.spread, [y, y], color=color, linewidth=1.4, alpha=0.6, zorder=2)
        marker = {-1: "v", 1: "^"}.get(up) or {-1: "<", 1: ">"}.get(across) or "o"
        axes.plot(
            [x], [y], marker, color=color, markersize=7, markeredgecolor="white", zorder=3,
            clip_on=False,
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_xlabel("Measured (%), with its spread")


def _draw_ratios(axes: Axes, verdicts: Sequence[Verdict]) -> None:
    """One row for each kind of quantity, the ratio simulated over measured along it."""
    kinds = {name: group for group, names in GROUPS for name in names}
    groups = [group for group, _ in GROUPS] + [RATES, OTHERS]
    rows: dict[str, list[Verdict]] = {group: [] for group in groups}
    for v in verdicts:
        rows[RATES if v.row.statistic else kinds.get(v.row.read.name, OTHERS)].append(v)
    rows = {group: each for group, each in rows.items() if each}
    panel(axes, "Everything else, with its spread")
    axes.grid(visible=False)
    quiet_grid(axes, "x")
    axes.set_xscale("log")
    axes.set_xlim(1 / _FARTHEST / 1.12, _FARTHEST * 1.12)
    ticks = [0.4, 0.5, 0.7, 1, 1.5, 2, 2.5]
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.axvline(1, color=LIGHT, linewidth=1.5, zorder=1)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(axis="y", length=0)
    for row, each in enumerate(rows.values()):
        ordered = _by_importance(each)
        for i, v in enumerate(ordered):
            y = row + _FAN * (2 * (i + 0.5) / len(ordered) - 1)
            _draw_ratio(axes, v, y)
    axes.set_xlabel("Simulated / measured")


def _draw_ratio(axes: Axes, v: Verdict, y: float) -> None:
    measured, color = known(v.measured), _color(v)
    ratio = known(v.simulated) / measured
    if v.spread is not None:
        ends = [end / measured for end in v.spread]
        shown = [min(max(end, 1 / _FARTHEST), _FARTHEST) for end in ends]
        axes.plot(shown, [y, y], color=color, linewidth=1.4, alpha=0.45, zorder=2)
    at, beyond = _clipped(ratio, 1 / _FARTHEST, _FARTHEST)
    marker = {-1: "<", 1: ">"}.get(beyond, "o")
    axes.plot([at], [y], marker, color=color, markersize=6, markeredgecolor="white", zorder=3)


def _clipped(value: float, low: float, high: float) -> tuple[float, int]:
    """A value, or the end that it lies beyond: -1 below, 1 above, 0 within."""
    return min(max(value, low), high), (value > high) - (value < low)
