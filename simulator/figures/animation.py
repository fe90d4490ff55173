"""A run as an animation for a slide: one session at the bedside, then the course in days."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from simulator import __version__
from simulator.catalog.kinds import machine_kind
from simulator.figures.circuit import HEIGHT as CIRCUIT_HEIGHT
from simulator.figures.circuit import WIDTH as CIRCUIT_WIDTH
from simulator.figures.circuit import Circuit
from simulator.figures.course import UNREMARKABLE, course_axis, ranked_solutes, spans
from simulator.figures.moments import Story
from simulator.figures.packing import Pixels, animated
from simulator.figures.places import wrapped
from simulator.figures.style import (
    BLACK,
    BLUE,
    GRAY,
    MINUTES,
    ORANGE,
    PURPLE,
    SHADE,
    STYLE,
    UNIT_NAMES,
    display_name,
    ink,
    number,
    quiet_grid,
    tick,
    time_axis,
)
from simulator.result import Result, SessionResult
from simulator.units import MINUTES_PER_DAY
from simulator.writing import ANIMATION_MARK

WIDTH, HEIGHT = 800, 450
"""Pixels: the shape of a slide."""
FRAMES = 130
"""Of the whole animation."""
NOT_CLINICAL = "For teaching and research, not for treating patients."

TITLE, HEADING, TICKS, CLOCK, SMALL = 14.0, 11.0, 10.0, 22.0, 8.0
"""Points, at 100 dots per inch."""
_DPI = 100

_SESSION_SHARE = 0.7
"""Of the frames, those of the session."""
_EXTRA_SHARE = 0.25
"""Of these, at most, those put in so that no pause is missed."""
_FRAME, _PAUSE, _ALONE = 100, 200, 350
"""Milliseconds of a frame, of one while the pumps stand, and of one that alone shows a pause."""
_COURSE_FRAME, _FIRST, _LAST, _END = 90, 1000, 2000, 3000
"""Milliseconds of a frame of the course, of the first frame, and of the last of each part."""
_LEAST_CALCIUM_RANGE = 0.12  # mmol/L, as in the figure of sessions


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a session: the minute that it shows, and for how long."""

    minute: float
    milliseconds: int


@matplotlib.rc_context(STYLE)
def animation(result: Result, session: int | None = None, frames: int = FRAMES) -> bytes:
    """A run as the content of an animated GIF file: the session of that number, then the course.

    Without a number the first session. A run without sessions is its course alone. Raises
    `ValueError` if there is no such session.
    """
    pixels: list[Pixels] = []
    milliseconds: list[int] = []
    if result.sessions or session is not None:
        asked = [s for s in result.sessions if session in (None, s.index)]
        if not asked:
            raise ValueError(f"expected a session of the run, got {session!r}")
        found = asked[0]
        shots = shots_of(Story(result, found), max(2, round(_SESSION_SHARE * frames)))
        scene = _Session(result, found)
        pixels += scene.frames([shot.minute for shot in shots])
        milliseconds += [shot.milliseconds for shot in shots]
    count = max(2, frames - len(pixels))
    pixels += _Course(result).frames(_evenly(result.scenario.until, count))
    milliseconds += [_COURSE_FRAME if pixels else _FIRST] * (count - 1) + [_END]
    comment = ANIMATION_MARK + f" {__version__}: {NOT_CLINICAL}".encode()
    return animated(pixels, milliseconds, comment)


def shots_of(story: Story, count: int) -> list[Shot]:
    """The minutes of a session to show: evenly spread, and each pause of the pumps at least once.

    Of more pauses than there is room for, the longest.
    """
    even = _evenly(story.end, count)
    step = story.end / (count - 1)
    short = sorted((p for p in story.pauses if p[1] - p[0] < step), key=lambda p: p[0] - p[1])
    extra = short[: int(_EXTRA_SHARE * count)]
    even = [
        minute
        for minute in _evenly(story.end, count - len(extra))
        if not any(begin <= minute < end for begin, end in extra)
    ]
    minutes = sorted([*even, *((begin + end) / 2 for begin, end in extra)])
    shots = []
    for minute in minutes:
        pause = next((p for p in story.pauses if p[0] <= minute < p[1]), None)
        alone = pause is not None and sum(pause[0] <= m < pause[1] for m in minutes) == 1
        shots.append(Shot(minute, _ALONE if alone else _PAUSE if pause else _FRAME))
    shots[0] = Shot(shots[0].minute, _FIRST)
    shots[-1] = Shot(shots[-1].minute, _LAST)
    return shots


def _evenly(end: float, count: int) -> list[float]:
    return [end * (i / (count - 1)) for i in range(count)]  # the last is the end itself


class _Scene:
    """A page of which most is drawn once; what moves is drawn over it for every frame."""

    def __init__(self, title: str, subtitle: str) -> None:
        self.figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.moving: list[Artist] = []
        self.clock = self._text(WIDTH - 12, 423, "", CLOCK, BLACK, "right", fontweight="bold")
        self.clock.set_animated(True)
        self._fitted(self._text(12, 430, "", TITLE, BLACK, "left", fontweight="bold"), title)
        self._fitted(self._text(12, 407, "", HEADING), subtitle)
        self._text(WIDTH - 12, 9, NOT_CLINICAL, SMALL, GRAY, "right")

    @staticmethod
    def _fitted(text: Text, words: str) -> None:
        """Write the words left of the clock: a little smaller if they are long, or else cut."""
        size = float(text.get_fontsize())
        for share in (1.0, 0.9, 0.8):
            text.set_fontsize(share * size)
            text.set_text(wrapped(text, words, WIDTH - 170, lines=1)[0])
            if text.get_text() == words:
                return

    def frames(self, times: Sequence[float]) -> Iterator[Pixels]:
        """The page at each of these times."""
        self.canvas.draw()  # type: ignore[no-untyped-call]
        renderer = self.canvas.get_renderer()  # type: ignore[no-untyped-call]
        page = self.canvas.copy_from_bbox(self.figure.bbox)  # type: ignore[no-untyped-call]
        for time in times:
            self.canvas.restore_region(page)  # type: ignore[no-untyped-call]
            self.show(time)
            for artist in (*self.moving, self.clock):
                artist.draw(renderer)
            drawn = np.asarray(self.canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            yield drawn[..., :3].copy()

    def show(self, time: float) -> None:
        """Let everything that moves show a time."""
        raise NotImplementedError

    def _text(
        self, x: float, y: float, words: str, size: float, color: str = GRAY, align: str = "left",
        **look: str,
    ) -> Text:  # fmt: skip
        """A text at a pixel of the page."""
        return self.figure.text(
            x / WIDTH, y / HEIGHT, words, fontsize=size, color=color, ha=align, va="center",
            fontweight=look.get("fontweight", "normal"),
        )  # fmt: skip

    def _words(self, x: float, y: float, size: float, parts: Sequence[tuple[str, str]]) -> None:
        """Words of several colors on one line, from a pixel on."""
        for words, color in parts:
            text = self._text(x, y, words, size, color)
            x += float(text.get_window_extent().width) + 6

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes at pixels of the page."""
        axes = self.figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))
        axes.tick_params(labelsize=TICKS, color=GRAY)
        axes.set_axisbelow(True)
        return axes


class _Growing:
    """A curve that is drawn up to a time, with a mark at its end."""

    def __init__(
        self, axes: Axes, xs: Sequence[float], ys: Sequence[float], color: str, *,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        self.xs, self.ys = xs, ys
        self.line = Line2D([], [], color=color, linewidth=2.4, animated=True)
        if dashed:
            self.line.set_linestyle((0, (3, 1.5)))
        self.mark = Line2D(
            [], [], color=color, marker="o", markersize=7, markeredgecolor="white", animated=True,
            clip_on=False,
        )  # fmt: skip
        axes.add_line(self.line)
        axes.add_line(self.mark)

    @property
    def artists(self) -> list[Artist]:
        """What of it moves."""
        return [self.line, self.mark]

    def show(self, x: float) -> float:
        """Draw it up to a place on its axis; returns how high it is there."""
        place = min(bisect_right(self.xs, x), len(self.xs) - 1)
        begin, end = self.xs[place - 1], self.xs[place]
        share = min(1.0, (x - begin) / (end - begin)) if end > begin else 1.0
        y = self.ys[place - 1] + share * (self.ys[place] - self.ys[place - 1])
        self.line.set_data([*self.xs[:place], x], [*self.ys[:place], y])
        self.mark.set_data([x], [y])
        return y


class _Session(_Scene):
    """One session: the circuit, and its curves by minute."""

    def __init__(self, result: Result, session: SessionResult) -> None:
        self.story = Story(result, session)
        device = self.story.device
        several = f" of {len(result.sessions)}" if len(result.sessions) > 1 else ""
        day = f"day {session.start / MINUTES_PER_DAY:.4g}"
        machine, kind = device.title.partition(",")[0], machine_kind(device)
        machine += "" if kind in machine.lower() else f" ({kind})"
        super().__init__(
            result.scenario.title, f"Session {session.index}{several}, {day}: {machine}"
        )
        self.circuit = Circuit(self._axes(0, 28, CIRCUIT_WIDTH, CIRCUIT_HEIGHT), self.story)
        self.curves: list[_Growing] = []
        self._draw_volumes(self._panel(288))
        self._draw_calcium(self._panel(175))
        self._draw_solute(self._panel(62), result)
        self.moving += [
            *self.circuit.moving,
            *(artist for curve in self.curves for artist in curve.artists),
        ]

    def _panel(self, bottom: float) -> Axes:
        axes = self._axes(502, bottom, 280, 72)
        time_axis(axes, "min", 0, self.story.end, ticks=7)
        quiet_grid(axes, "y")
        axes.locator_params(axis="y", nbins=3, min_n_ticks=2)
        axes.yaxis.set_major_formatter(lambda value, _: tick(value))
        for begin, end in self.story.pauses:
            axes.axvspan(begin, end, facecolor=SHADE, edgecolor="none", zorder=0)
        lowest = bottom < 100
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel("")
        if lowest:
            words = "Minutes since connection"
            words += " (gray: pumps stopped)" if self.story.pauses else ""
            self._text(WIDTH - 12, bottom - 33, words, TICKS, BLACK, "right")
        return axes

    def _heading(self, axes: Axes, *parts: tuple[str, str]) -> None:
        top = axes.get_window_extent().y1
        self._words(452, top + 14, HEADING, parts)

    def _draw_volumes(self, axes: Axes) -> None:
        treated = self.story.session.plasma_treated > 0
        name = "plasma_treated" if treated else "patient_plasma_removed"
        parts = [("mL:", GRAY), (f"plasma {'treated' if treated else 'removed'},", ink(ORANGE))]
        drawn = [(name, ORANGE, False)]
        if self.story.session.replacement > 0:
            drawn.append(("replacement", BLUE, True))
            parts.append(("replaced (dashed)", BLUE))
        else:
            parts[-1] = (parts[-1][0].rstrip(","), parts[-1][1])
        most = 1.0
        for column, color, dashed in drawn:
            values = self.story.column(column)
            most = max(most, values[-1])
            self.curves.append(_Growing(axes, self.story.minutes, values, color, dashed=dashed))
        axes.set_ylim(0, 1.08 * most)
        self._heading(axes, *parts)

    def _draw_calcium(self, axes: Axes) -> None:
        values = self.story.column("ionized_calcium")
        low, high = min(values), max(values)
        span = max(high - low, _LEAST_CALCIUM_RANGE)
        axes.set_ylim(low - 0.1 * span, low + 1.1 * span)
        self.curves.append(_Growing(axes, self.story.minutes, values, BLACK))
        self._heading(axes, ("Ionized calcium, mmol/L", BLACK))

    def _draw_solute(self, axes: Axes, result: Result) -> None:
        name = chief_solute(result)
        values = self.story.column(f"{name}_plasma")
        axes.set_ylim(0, 1.1 * max(values) or 1.0)
        self.curves.append(_Growing(axes, self.story.minutes, values, PURPLE))
        unit = result.unit(f"{name}_plasma")
        self._heading(axes, (f"{display_name(name)} in plasma, {unit}", ink(PURPLE)))

    def show(self, time: float) -> None:
        self.circuit.show(self.story.at(time))
        for curve in self.curves:
            curve.show(time)
        self.clock.set_text(f"{time:.0f} min")


class _Course(_Scene):
    """The whole run: one solute in plasma and interstitium."""

    def __init__(self, result: Result) -> None:
        count = len(result.sessions)
        gray = f"{count} session{'s' if count > 1 else ''} in gray" if count else "no session"
        super().__init__(result.scenario.title, f"The whole course, {gray}")
        axes = self._axes(88, 66, 690, 258)
        unit = course_axis(axes, 0.0, result.scenario.until)
        self.unit, self.minutes = UNIT_NAMES[unit], MINUTES[unit]
        axes.set_xlabel(axes.get_xlabel(), fontsize=HEADING)
        axes.tick_params(labelsize=HEADING)
        axes.yaxis.set_major_formatter(lambda value, _: tick(value))
        axes.locator_params(axis="y", nbins=5)
        quiet_grid(axes, "y")
        for begin, end in spans(result, unit):
            axes.axvspan(begin, end, facecolor=SHADE, edgecolor=SHADE, linewidth=1.2, zorder=0)
        name = chief_solute(result)
        self.solute_unit = result.unit(f"{name}_plasma")
        time = [day * MINUTES_PER_DAY / self.minutes for day in result.column("time")]
        plasma = result.column(f"{name}_plasma")
        outside = result.column(f"{name}_interstitial")
        drawn = [("plasma", plasma, False)]
        if max(outside) > 1e-6 * max(plasma):
            drawn.append(("interstitial fluid (dashed)", outside, True))
        self.curves = [
            _Growing(axes, time, values, BLUE if dashed else PURPLE, dashed=dashed)
            for _, values, dashed in drawn
        ]
        top = max(max(values) for _, values, _ in drawn)
        axes.set_ylim(0, 1.08 * top or 1.0)
        self._words(20, 375, TITLE, [(f"{display_name(name)}, {self.solute_unit}", BLACK)])
        self.values: list[Text] = []
        for place, (words, _, dashed) in enumerate(drawn):
            color = BLUE if dashed else ink(PURPLE)
            text = self._text(20 + 260 * place, 348, words, TITLE, color)
            text.set_animated(True)
            self.values.append(text)
        self.names = [words for words, _, _ in drawn]
        self.moving += [artist for curve in self.curves for artist in curve.artists]
        self.moving += self.values

    def show(self, time: float) -> None:
        x = time / self.minutes
        for curve, text, words in zip(self.curves, self.values, self.names, strict=True):
            text.set_text(f"{words}: {_three_digits(curve.show(x))}")
        whole = int(x + 1e-9)  # a day has come when it has begun
        self.clock.set_text(f"{whole} {self.unit}" if self.unit != "days" else f"day {whole}")


def _three_digits(value: float) -> str:
    """A number that does not jump in width while it changes."""
    return number(value) if value >= 100 or value < 1e-3 else f"{value:#.3g}"


def chief_solute(result: Result) -> str:
    """The solute that a lecture on this run is about."""
    return next(iter(ranked_solutes(result)), UNREMARKABLE)
