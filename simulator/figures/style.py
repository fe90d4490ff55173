"""How all figures look: colors, sizes, words, numbers, and axes of time.

Sizes are for a slide seen from the last row: 12 by 6.75 inches, no text below 12 points. The colors
are those of Okabe and Ito, which people with any kind of color vision can tell apart.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator

SIZE = (12.0, 6.75)
"""Inches: the shape of a slide."""
DPI = 400 / 3
"""Dots per inch: 1600 by 900 in all."""

TITLE_SIZE = 20
TEXT_SIZE = 14
SMALL_SIZE = 12

GRAY = "#595959"
LIGHT = "#bfbfbf"
SHADE = "#dcdcdc"
"""Behind sessions."""

BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
SERIES = (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""Colors of curves, in order of use."""

_INK = {
    ORANGE: "#8f6300",
    SKY: "#1f7aad",
    GREEN: "#007a59",
    VERMILLION: "#b04e00",
    PURPLE: "#9c4a77",
}

#: Families of settings in which matplotlib's own defaults hold, whatever a user has set elsewhere.
_OURS = (
    "axes.", "figure.", "font.", "grid.", "lines.", "patch.", "path.", "pdf.", "savefig.", "svg.",
    "text.", "xaxis.", "xtick.", "yaxis.", "ytick.",
)  # fmt: skip

#: The settings under which figures are made and written. (`Any`: the type that matplotlib gives
#: them names every setting, and differs between its versions.)
STYLE: Any = {
    **{key: value for key, value in matplotlib.rcParamsDefault.items() if key.startswith(_OURS)},
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that pictures agree everywhere
    "font.size": TEXT_SIZE,
    "text.parse_math": False,  # a title may hold dollar signs
    "axes.titlesize": TEXT_SIZE,
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "lines.linewidth": 2.4,
    "lines.solid_capstyle": "butt",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.12,
    "svg.hashsalt": "apheresis-simulator",
}


def ink(color: str) -> str:
    """The color for text that belongs to a curve: dark enough to read on white."""
    return _INK.get(color, color)


# -- words and numbers ----------------------------------------------------------------------------

_LONGEST_NAME = 24  # characters
_TARGETS = {"achr": "AChR", "musk": "MuSK", "glyr": "GlyR", "ldl": "LDL", "hdl": "HDL"}
"""Short names whose capitals follow from no rule."""


def display_name(name: str) -> str:
    """A solute as it is written in running text: IgG, anti-GAD65, ADAMTS13, fibrinogen."""
    parts = name.split("-")
    written = [_display_word(part, after_anti="anti" in parts[:i]) for i, part in enumerate(parts)]
    text = "-".join(written)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def _display_word(word: str, after_anti: bool) -> str:
    if word != word.lower():
        return word  # whoever wrote it has chosen its capitals
    if re.fullmatch(r"ig[adegm]\d?", word):
        return "Ig" + word[2:].upper()
    if word in _TARGETS:
        return _TARGETS[word]
    named_by_number = re.fullmatch(r"[a-z]{1,6}\d{1,3}", word) is not None
    short_target = after_anti and len(word) <= 4 and word.isalpha()
    return word.upper() if named_by_number or short_target else word


def number(value: float, digits: int = 3) -> str:
    """A number with a few significant digits, thousands apart, no exponent where none is needed."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.{digits}g} million"
    if abs(value) >= 10 ** (digits - 1):
        scale = 10 ** (len(f"{abs(value):.0f}") - digits)
        return f"{round(value / scale) * scale:,.0f}"
    return f"{value:.{digits}g}".replace("-", "−") if abs(value) >= 1e-3 else f"{value:.1e}"


def percent(value: float) -> str:
    """A percentage, whole unless it is small."""
    digits = 0 if abs(value) >= 9.95 or value == 0 else 1 if abs(value) >= 0.095 else 2
    return f"{value:.{digits}f} %".replace("-", "−")


def liters(milliliters: float) -> str:
    """A volume in liters, as a lecturer would say it."""
    value = milliliters / 1000
    return f"{value:.2f} L" if abs(value) < 9.995 else f"{value:.1f} L"


# -- axes -----------------------------------------------------------------------------------------

_STEPS = {
    "min": (1, 2, 5, 10, 15, 20, 30, 60, 120),
    "h": (0.5, 1, 2, 3, 4, 6, 12, 24),
    "d": (1, 2, 7, 14, 28, 56, 91, 182, 364),
}
UNIT_NAMES = {"min": "minutes", "h": "hours", "d": "days"}
MINUTES = {"min": 1.0, "h": 60.0, "d": 1440.0}
"""Minutes in each unit of an axis of time."""


def unit_of_time(minutes: float) -> str:
    """The unit in which a stretch of time is best read."""
    return "min" if minutes <= 240 else "h" if minutes <= 2880 else "d"


def time_axis(axes: Axes, unit: str, start: float, end: float, ticks: int = 12) -> None:
    """An axis of time from `start` to `end`, in `unit`, with its label and round steps."""
    axes.set_xlim(start, end)
    steps = _STEPS[unit]
    step = next((s for s in steps if (end - start) / s <= ticks), None)
    axes.xaxis.set_major_locator(
        MultipleLocator(step) if step is not None else MaxNLocator(ticks, integer=True)
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(f"Time ({UNIT_NAMES[unit]})")


def panel(axes: Axes, heading: str = "", ylabel: str = "", pad: float = 6.0) -> None:
    """What every panel has: a heading at the left, a label with its unit, quiet grid lines."""
    if heading:
        axes.set_title(heading, loc="left", pad=pad, color=GRAY)
    if ylabel:
        axes.set_ylabel(ylabel)
    axes.tick_params(labelsize=TEXT_SIZE, color=GRAY)
    quiet_grid(axes, "y")
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))


def quiet_grid(axes: Axes, along: Literal["x", "y"]) -> None:
    """Thin grid lines at the steps of one axis."""
    axes.grid(axis=along, color="#e8e8e8", linewidth=0.8)


def log_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic y axis with plain numbers, as many as there is room for."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    ratio = high / low
    subs = (1.0, 2.0, 4.0, 6.0, 8.0) if ratio < 6 else (1.0, 2.0, 5.0) if ratio < 150 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axes.yaxis.set_minor_locator(LogLocator(subs=(), numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def plain(value: float) -> str:
    """A tick of a logarithmic axis: all its digits, no exponent from 0.0001 to a million."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.4g}"


def tick(value: float) -> str:
    """A tick of a linear axis: thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}".replace("-", "−")
