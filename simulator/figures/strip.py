"""The strip above the curves of a session: its phases, what is changed daily, and labels on poles.

Labels stand in rows above the phases, such that none covers another, nor the pole of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from matplotlib.axes import Axes

from simulator.figures.session_events import (
    NEEDED,
    PHASES,
    Label,
    access_pauses,
    changes,
    labels,
    lines,
    phases,
    swaps,
)
from simulator.figures.style import (
    BLACK,
    GRAY,
    PURPLE,
    SHADE,
    SIZE,
    SMALL_SIZE,
    VERMILLION,
    ink,
)
from simulator.result import Result, SessionResult

ROWS = 5
"""Rows of labels above the phases, at most."""
_MOST = 10
"""Labels in one strip, at most."""
_TRIES = 1000
"""Places that are tried before a label is given up."""

_BAND = (0.42, 1.12)
"""Height of the band of phases, in rows; marks hang below it."""
_ACCESS = -0.48
"""Height of the marks of the access."""
_PHASE_COLORS = dict(zip(PHASES, ("#f2c48d", "#cfe3f2", "#a9dccb", "#a9dccb"), strict=True))
_LONG_PAUSE = 1.5  # min; shorter ones are changes of bottles, which have their ticks
_EXCHANGE_NEEDS = 0.09
"""Share of the page's width that the word in the bar of the exchange needs."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A label on a pole: its foot is the minute of its event."""

    minute: float
    text: str
    color: str
    width: float
    """Of its text, in minutes."""
    row: int = 0
    shift: float = 0.0
    """How far its text begins before its pole, as a share of its width: 0 (right of it) to 1."""

    @property
    def reach(self) -> tuple[float, float]:
        """The minutes that its text covers."""
        low = self.minute - self.shift * self.width
        return low, low + self.width


def flags_of(
    result: Result, session: SessionResult, columns: int, points: Callable[[str, float], float]
) -> list[Flag]:
    """The labels of a session that find room above its phases, in rows.

    `points` measures a text at a size. What stopped the session or was felt comes first, then what
    was done about it, then the rest; what finds no room is left out: all is in the log.
    """
    # An estimate on the safe side: margins and labels of the axes take 1.3 inches of the width.
    inches = (SIZE[0] - 1.3) / columns - 0.3
    end = session.connected_minutes
    minutes_per_point = end / (72 * inches)

    def flag(label: Label, text: str) -> Flag:
        width = (points(text, SMALL_SIZE) + 8) * minutes_per_point
        return Flag(label.minute, text, label.color, width)

    wanted = sorted(labels(result, session), key=lambda label: -label.weight)[:_MOST]
    needed = [label for label in wanted if label.weight >= NEEDED]
    told = [(label, label.words) for label in needed if label.words != label.brief]
    others = [(label, label.brief) for label in wanted if label.weight < NEEDED]
    said: dict[int, Flag] = {}
    placed: list[Flag] = []
    for label, text in [*((label, label.brief) for label in needed), *told, *others]:
        tried = said | {id(label): flag(label, text)}
        flags = sorted(tried.values(), key=lambda flag: flag.minute)
        found = (_placed(flags, end, rows) for rows in range(1, ROWS + 1))
        if more := next(filter(None, found), None):
            said, placed = tried, more
    return placed


def draw_strip(
    strip: Axes,
    panels: Sequence[Axes],
    result: Result,
    session: SessionResult,
    flags: Sequence[Flag],
    pauses: Sequence[tuple[float, float]],
) -> None:
    """Draw the strip, and carry what stopped the pumps down through the panels."""
    strip.set_axis_off()
    rows = 1 + max((flag.row for flag in flags), default=0)
    low, high = _BAND
    ticks = changes(result, session) + swaps(result, session)
    retries = access_pauses(result, session)
    bottom = _ACCESS - 0.3 if retries else 0.0
    before = strip.get_ylim()
    strip.set_ylim(min(before[0], bottom), max(before[1], high + rows + 0.1))
    for name, begin, end in phases(result, session):
        strip.fill_between([begin, end], low, high, color=_PHASE_COLORS[name], linewidth=0)
        if name == "exchange" and _share(strip, end - begin) > _EXCHANGE_NEEDS:
            middle = (low + high) / 2
            word = "treatment" if session.plasma_treated else name
            strip.text((begin + end) / 2, middle, word, ha="center", va="center", zorder=3)
    for begin, end in pauses:
        if end - begin > _LONG_PAUSE:
            strip.fill_between([begin, end], low, high, color=SHADE, linewidth=0)
    strip.vlines(ticks, 0.0, low - 0.06, color=BLACK, linewidth=1.4)
    strip.plot(retries, [_ACCESS] * len(retries), "^", color=VERMILLION, ms=6, mec="white", mew=0.4)
    for flag in flags:
        _draw_flag(strip, flag)
    for minute, color in lines(result, session):
        for axes in panels:
            axes.axvline(minute, color=color, linewidth=1.2, linestyle=_dashes(color), zorder=1)


def name_marks(strip: Axes, bottles: bool, columns: bool, retries: bool) -> None:
    """Say at the left what the marks below the band are."""
    ticks = "bottle, column" if bottles and columns else "column" if columns else "bottle, bag"
    for shown, y, words in (
        (bottles or columns, _BAND[0] / 2, ticks),
        (retries, _ACCESS, "access"),
    ):
        if shown:
            strip.annotate(
                words, (0.0, y), xycoords=strip.get_yaxis_transform(), xytext=(-6, 0),
                textcoords="offset points", ha="right", va="center", color=GRAY,
                fontsize=SMALL_SIZE, annotation_clip=False,
            )  # fmt: skip


def _draw_flag(strip: Axes, flag: Flag) -> None:
    high = _BAND[1]
    over = 0 < flag.shift < 1
    top = high + flag.row + (0.1 if over else 0.95)
    dashes = _dashes(flag.color)
    strip.vlines([flag.minute], high, top, color=flag.color, linewidth=1.2, linestyles=dashes)
    low, up = flag.reach
    at, align, away = (
        ((low + up) / 2, "center", 0) if over
        else (flag.minute, "left", 4) if flag.shift == 0
        else (flag.minute, "right", -4)
    )  # fmt: skip
    strip.annotate(
        flag.text, (at, high + flag.row + 0.5), xytext=(away, 0), textcoords="offset points",
        ha=align, va="center", color=ink(flag.color), fontsize=SMALL_SIZE,
    )  # fmt: skip


def _dashes(color: str) -> Literal["dashed", "solid"]:
    """Reactions are told from alarms by more than their color."""
    return "dashed" if color == PURPLE else "solid"


def _placed(flags: Sequence[Flag], end: float, rows: int) -> list[Flag] | None:
    """All flags with rows and sides such that no text covers a text or a pole.

    Tries the lowest row and the right side first, then on top of the pole, and goes back where that
    leads nowhere; None if it is impossible, or takes too long to find.
    """
    choices = [_choices(flag, end, rows) for flag in flags]
    tries = 0

    def after(done: list[Flag]) -> list[Flag] | None:
        nonlocal tries
        if len(done) == len(flags):
            return done
        for tried in choices[len(done)]:
            tries += 1
            if tries > _TRIES:
                return None
            if any(_collide(tried, other) for other in done):
                continue
            if found := after([*done, tried]):
                return found
        return None

    return after([])


def _choices(flag: Flag, end: float, rows: int) -> list[Flag]:
    """Where a flag could be if it were alone."""
    beside = [replace(flag, row=row, shift=shift) for row in range(rows) for shift in (0.0, 1.0)]
    low = min(max(0.0, flag.minute - flag.width / 2), end - flag.width)
    over = [replace(flag, row=r, shift=(flag.minute - low) / flag.width) for r in range(rows)]
    return [
        choice for choice in (*beside, *over) if choice.reach[0] >= 0 and choice.reach[1] <= end
    ]


def _collide(one: Flag, other: Flag) -> bool:
    if one.row == other.row and one.reach[0] < other.reach[1] and other.reach[0] < one.reach[1]:
        return True
    # A pole goes up through all rows below its own label.
    lower, upper = sorted((one, other), key=lambda flag: flag.row)
    return lower.row < upper.row and lower.reach[0] < upper.minute < lower.reach[1]


def _share(strip: Axes, minutes: float) -> float:
    """Of the width of the page that so many minutes take."""
    left, right = strip.get_xlim()
    place = strip.get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    return minutes / (right - left) / columns
