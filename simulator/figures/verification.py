"""Published against simulated: levels and falls in percent; all else as a ratio, by what it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from simulator.evidence.verdicts import Verdict
from simulator.evidence.verification import Verification
from simulator.figures.slide import Slide
from simulator.figures.style import BLUE, GRAY, LIGHT, ORANGE, SMALL_SIZE, STYLE, panel, quiet_grid

PERCENT = ("left", "fall", "drop", "recovered", "nadir-left")
"""Endpoints of levels and falls: percent of a start, drawn on one pair of axes."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Level, amount, rebound", ("level", "final", "nadir", "rebound", "removed", "adsorbed")),
    ("Removal efficiency", ("efficiency",)),
    ("Minutes of a session", ("minutes", "connected")),
    ("Flow and volume", ("plasma-flow", "dose-flow", "plasma", "blood-volumes", "blood-outside",
                         "bowl-cycles")),
    ("Anticoagulant, citrate", ("anticoagulant", "anticoagulant-to-patient",
                                "anticoagulant-per-liter", "citrate-rate")),
    ("Ionized calcium", ("ionized-calcium", "ionized-calcium-change", "ionized-calcium-nadir",
                         "ionized-calcium-fall", "ionized-magnesium-change")),
    ("Blood volume", ("blood-volume-nadir", "blood-volume-change")),
)  # fmt: skip
"""Rows of the panel of ratios."""
OTHERS = "Others"
RATES = "Rates over sessions"
_ENDS = (0, 105)
"""Of the axes of levels: what rises above its start by more is no level of an exchange."""
_FARTHEST = 2.5
"""Ratios beyond are drawn at the edge, as arrows."""
_FAN = 0.32
"""Of the height of a row: how far dots of one row stand from its middle."""

MET, MISSED, SET = BLUE, ORANGE, GRAY


@matplotlib.rc_context(STYLE)
def verification(outcome: Verification) -> Figure:
    """Every published row that was run: simulated over measured, with the spread of the study.

    Blue: met, or nothing was asked; orange: missed; gray: rows that set a parameter, which prove
    nothing. Bars are what the study printed. Rows without a measured value are not drawn.
    """
    drawn = [v for v in outcome.verdicts if v.measured is not None and v.simulated is not None]
    slide = Slide(f"Published and simulated: {_counts(outcome)}")
    left, right = slide.figure.subplots(1, 2, width_ratios=(1, 1))
    _draw_levels(left, [v for v in drawn if _is_level(v)])
    _draw_ratios(right, [v for v in drawn if not _is_level(v) and _has_ratio(v)])
    slide.figure.legend(
        handles=[_handle(MET, "met"), _handle(MISSED, "missed"), _handle(SET, "set a parameter")],
        loc="outside lower left", ncols=3, frameon=False, fontsize=SMALL_SIZE,
    )  # fmt: skip
    return slide.finished()


def _counts(outcome: Verification) -> str:
    tests = [v for v in outcome.verdicts if v.row.kind != "calibration"]
    studies = len({v.case.study for v in tests})
    missed = sum(v.met is False for v in tests)
    return f"{len(tests)} quantities from {studies} studies, {missed} missed"


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


def _known(value: float | None) -> float:
    assert value is not None  # rows without are not drawn
    return value


def _draw_levels(axes: Axes, verdicts: Sequence[Verdict]) -> None:
    panel(axes, "Levels and falls, % of the start", "Simulated (%)")
    quiet_grid(axes, "x")
    low, high = _ENDS
    axes.plot(_ENDS, _ENDS, color=LIGHT, linewidth=1.5, zorder=1)
    for v in _by_importance(verdicts):
        x, y, color = _known(v.measured), _known(v.simulated), _color(v)
        if v.spread is not None:
            axes.plot(v.spread, [y, y], color=color, linewidth=1.4, alpha=0.6, zorder=2)
        axes.plot([x], [y], "o", color=color, markersize=7, markeredgecolor="white", zorder=3)
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
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(axis="y", length=0)
    for row, each in enumerate(rows.values()):
        ordered = _by_importance(each)
        for i, v in enumerate(ordered):
            y = row + _FAN * (2 * (i + 0.5) / len(ordered) - 1)
            _draw_ratio(axes, v, y)
    axes.set_xlabel("Simulated / measured")


def _draw_ratio(axes: Axes, v: Verdict, y: float) -> None:
    measured, color = _known(v.measured), _color(v)
    ratio = _known(v.simulated) / measured
    if v.spread is not None:
        ends = [end / measured for end in v.spread]
        shown = [min(max(end, 1 / _FARTHEST), _FARTHEST) for end in ends]
        axes.plot(shown, [y, y], color=color, linewidth=1.4, alpha=0.45, zorder=2)
    at = min(max(ratio, 1 / _FARTHEST), _FARTHEST) if ratio > 0 else 1 / _FARTHEST
    marker = "o" if math.isclose(at, ratio) else "<" if at > ratio else ">"
    axes.plot([at], [y], marker, color=color, markersize=6, markeredgecolor="white", zorder=3)
