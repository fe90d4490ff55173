"""What happened in a session, as a strip above its curves: phases, changes of bottles, alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes

from simulator.figures.style import BLACK, GRAY, SHADE, SIZE, SMALL_SIZE, VERMILLION, ink
from simulator.result import Event, Result, SessionResult

ROWS = 4
"""Rows of labels above the phases, at most."""
_MOST = 8
"""Labels in one strip, at most."""

_CHANGES = ("alarm:replacement-empty", "alarm:anticoagulant-empty", "alarm:waste-bag-full")
"""Bottles and bags to change, where the detail says "next": daily work, a small tick each."""

_QUIET = (
    "prime", "connect", "exchange", "disconnect", "target-reached", "cleared", "resumed",
    "no-effect", "unchanged", "dose-ended", "fcrn-blockade-ended",
)  # fmt: skip
"""Events that need no label: they follow from one that has."""
_NAMED_PHASES = ("draw", "rinseback")

_BAND = (0.42, 1.12)
"""Height of the band of phases, in rows; ticks hang below it."""
_PHASE_COLORS = {"draw": "#f2c48d", "exchange": "#cfe3f2", "rinseback": "#a9dccb"}
_LONG_PAUSE = 1.5  # min; shorter ones are changes of bottles, which have their ticks

_LONG_WORDS, _SHORT_WORDS = 0.33, 0.09
"""Share of the page's width that the words in the bar of the exchange need."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A label on a pole: its foot is the minute of its event."""

    minute: float
    text: str
    color: str
    weight: int
    """The less, the sooner it is left out."""
    width: float
    """Of its text, in minutes."""
    row: int = 0
    leftward: bool = False

    @property
    def reach(self) -> tuple[float, float]:
        """The minutes that its text covers."""
        if self.leftward:
            return self.minute - self.width, self.minute
        return self.minute, self.minute + self.width


def changes(result: Result, session: SessionResult) -> list[float]:
    """Minutes at which a bottle or a bag had to be changed."""
    return [event.minute or 0.0 for event in _events(result, session) if _is_change(event)]


def flags_of(
    result: Result, session: SessionResult, columns: int, points: Callable[[str, float], float]
) -> list[Flag]:
    """The labels of a session that find room above its phases, in rows.

    `points` measures a text at a size. Labels that find no room are left out, the least weighty
    first: all are in the log.
    """
    # An estimate on the safe side: margins and labels of the axes take 1.3 inches of the width.
    inches = (SIZE[0] - 1.3) / columns - 0.3
    minutes_per_point = session.connected_minutes / (72 * inches)
    flags: list[Flag] = []
    seen: set[str] = set()
    for event in _events(result, session):
        if event.event in _QUIET or _is_change(event):
            continue
        text, color, weight = _words(event)
        if text in seen and color != VERMILLION:
            continue
        seen.add(text)
        width = (points(text, SMALL_SIZE) + 8) * minutes_per_point
        flags.append(Flag(event.minute or 0.0, text, color, weight, width))
    while flags:
        if len(flags) <= _MOST:
            for rows in range(1, ROWS + 1):
                if placed := _placed(flags, [], session.connected_minutes, rows):
                    return placed
        flags.remove(min(reversed(flags), key=lambda flag: flag.weight))
    return flags


def draw_events(
    strip: Axes,
    panels: Sequence[Axes],
    session: SessionResult,
    flags: Sequence[Flag],
    ticks: Sequence[float],
    pauses: Sequence[tuple[float, float]],
    phases: Sequence[tuple[str, float, float]],
) -> None:
    """Draw the strip, and carry what stopped the pumps down through the panels."""
    strip.set_axis_off()
    rows = 1 + max((flag.row for flag in flags), default=0)
    strip.set_ylim(0, max(strip.get_ylim()[1], _BAND[1] + rows + 0.1))
    low, high = _BAND
    for name, begin, end in phases:
        strip.fill_between([begin, end], low, high, color=_PHASE_COLORS[name], linewidth=0)
        if name == "exchange":
            words = _exchange_words(strip, end - begin, bool(ticks))
            middle = (low + high) / 2
            strip.text((begin + end) / 2, middle, words, ha="center", va="center", zorder=3)
    for begin, end in pauses:
        if end - begin > _LONG_PAUSE:
            strip.fill_between([begin, end], low, high, color=SHADE, linewidth=0)
    strip.vlines(ticks, 0.0, low - 0.06, color=BLACK, linewidth=1.4)
    for flag in flags:
        strip.vlines([flag.minute], high, high + flag.row + 0.95, color=flag.color, linewidth=1.2)
        strip.annotate(
            flag.text, (flag.minute, high + flag.row + 0.5),
            xytext=(-4 if flag.leftward else 4, 0), textcoords="offset points",
            ha="right" if flag.leftward else "left", va="center",
            color=ink(flag.color), fontsize=SMALL_SIZE,
        )  # fmt: skip
        if flag.color == VERMILLION:
            for axes in panels:
                axes.axvline(flag.minute, color=flag.color, linewidth=1.2, zorder=1)


def phases(result: Result, session: SessionResult) -> list[tuple[str, float, float]]:
    """Name, first and last minute of drawing, exchange and rinseback, as far as they came."""
    begun = {e.event: e.minute or 0.0 for e in _events(result, session) if e.event in _PHASE_COLORS}
    names = [name for name in _PHASE_COLORS if name in begun]
    end = session.run[1] - session.connected[0]
    ends = [begun[name] for name in names[1:]] + [session.connected_minutes]
    if names and names[-1] != "rinseback":
        ends[-1] = end
    return [(name, begun[name], stop) for name, stop in zip(names, ends, strict=True)]


def _events(result: Result, session: SessionResult) -> list[Event]:
    return [event for event in result.events if event.session == session.index]


def _is_change(event: Event) -> bool:
    return event.event in _CHANGES and event.detail.startswith("next")


def _words(event: Event) -> tuple[str, str, int]:
    """What the label of an event says, its color, and its weight."""
    if event.event.startswith("alarm:"):
        return event.event.removeprefix("alarm:").replace("-", " "), VERMILLION, 3
    if event.event in ("session-ended-early", "no-rinseback"):
        return event.event.removeprefix("session-").replace("-", " "), VERMILLION, 3
    if event.event in _NAMED_PHASES:
        return event.event, GRAY, _NAMED_PHASES.index(event.event)
    if event.event == "set":
        path, _, value = event.detail.partition(" to ")
        return f"{path.rpartition('.')[2].replace('_', ' ')} {value}", BLACK, 2
    if event.event == "replacement-changed":
        return event.detail.partition(":")[0], BLACK, 2
    return event.event.replace("-", " "), BLACK, 1


def _placed(flags: Sequence[Flag], done: list[Flag], end: float, rows: int) -> list[Flag] | None:
    """All flags with rows and sides such that no text covers a text or a pole; None if impossible.

    Tries the lowest row and the right side first, and goes back where that leads nowhere.
    """
    if len(done) == len(flags):
        return done
    flag = flags[len(done)]
    for row in range(rows):
        for leftward in (False, True):
            tried = replace(flag, row=row, leftward=leftward)
            low, high = tried.reach
            if low < 0 or high > end or any(_collide(tried, other) for other in done):
                continue
            if found := _placed(flags, [*done, tried], end, rows):
                return found
    return None


def _collide(one: Flag, other: Flag) -> bool:
    if one.row == other.row and one.reach[0] < other.reach[1] and other.reach[0] < one.reach[1]:
        return True
    # A pole goes up through all rows below its own label.
    lower, upper = sorted((one, other), key=lambda flag: flag.row)
    return lower.row < upper.row and lower.reach[0] < upper.minute < lower.reach[1]


def _exchange_words(strip: Axes, minutes: float, with_ticks: bool) -> str:
    """What fits into the bar of the exchange: its name and what the ticks are, or the name."""
    left, right = strip.get_xlim()
    place = strip.get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    share = minutes / (right - left) / columns
    if with_ticks and share > _LONG_WORDS:
        return "exchange; ticks: bottle or bag changed"
    return "exchange" if share > _SHORT_WORDS else ""
