"""A figure in the making: its words find a place of their own once everything else has been drawn.

Labels at the ends of curves move apart, notes at points look for a free spot, session numbers that
would run into each other are left out. Places are found on the page as laid out, which is then kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from simulator import __version__
from simulator.figures.style import DPI, GRAY, SHADE, SIZE, SMALL_SIZE, TITLE_SIZE, ink

FOOTER = f"apheresis-simulator {__version__} – for teaching and research, not for treating patients"
MARGIN = 0.012
"""Of the figure's width, left of the title and right of the footer."""

HALO = [withStroke(linewidth=3, foreground="white")]
"""Keeps a text that stands on a line readable."""

_ELLIPSIS = "…"
LABEL_GAP = 12.0
"""Points between the end of a curve and its label."""

_MARK = 8  # pixels; half the size of the mark of a note

#: Where a note may stand, best first: points right and up of its point, and its alignment there.
_SPOTS: tuple[tuple[float, float, str, str], ...] = (
    (8, -5, "left", "top"),
    (8, 0, "left", "center"),
    (0, -9, "center", "top"),
    (-8, -5, "right", "top"),
    (-8, 0, "right", "center"),
    (8, 6, "left", "bottom"),
    (-8, 6, "right", "bottom"),
    (0, 9, "center", "bottom"),
    (18, -14, "left", "top"),
    (-18, -14, "right", "top"),
    (22, 0, "left", "center"),
    (18, 14, "left", "bottom"),
    (-18, 14, "right", "bottom"),
)


@dataclass(slots=True)
class _EndLabel:
    axes: Axes
    text: Annotation
    y: float
    """Where its curve ends, in data units."""
    color: str


@dataclass(slots=True)
class _Note:
    axes: Axes
    text: Annotation
    needed: bool
    """Whether it may cover a curve rather than be left out."""

    def mark(self) -> Bbox:
        """The room that the mark at its point takes up."""
        x, y = self.axes.transData.transform(self.text.xy)
        return Bbox.from_bounds(x - _MARK, y - _MARK, 2 * _MARK, 2 * _MARK)


@dataclass
class Slide:
    """A figure with its title, its footer, and the texts that are still to find their place."""

    title: str
    figure: Figure = field(init=False)
    _ends: list[_EndLabel] = field(default_factory=list)
    _notes: list[_Note] = field(default_factory=list)
    _rows: list[list[Text]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="white")
        FigureCanvasAgg(self.figure)
        title = self.figure.suptitle(
            "", x=MARGIN, horizontalalignment="left", fontsize=TITLE_SIZE, fontweight="bold"
        )
        room = (1 - 2 * MARGIN) * self.figure.bbox.width
        title.set_text("\n".join(wrapped(title, self.title, room, lines=2)))
        self.figure.supxlabel(
            FOOTER, x=1 - MARGIN, horizontalalignment="right", fontsize=SMALL_SIZE, color=GRAY
        )

    def points(self, words: str, size: float) -> float:
        """How wide a text is, in points."""
        text = self.figure.text(0, 0, words, fontsize=size)
        width = float(text.get_window_extent().width) * 72 / DPI
        text.remove()
        return width

    def end_label(self, axes: Axes, y: float, text: str, color: str) -> None:
        """Name a curve at the right edge of its panel, where it ends."""
        label = axes.annotate(
            text, (1.0, 0.5), xycoords="axes fraction", xytext=(LABEL_GAP + 3, 0),
            textcoords="offset points", va="center", color=ink(color), annotation_clip=False,
        )  # fmt: skip
        self._ends.append(_EndLabel(axes, label, y, color))

    def note(
        self, axes: Axes, x: float, y: float, text: str, color: str, needed: bool = True
    ) -> None:
        """Mark a point and say its value, if there is a free spot near it.

        Those that come first choose first; their marks lie on top.
        """
        order = 4 - 0.01 * len(self._notes)
        axes.plot([x], [y], "o", color=color, markersize=7, markeredgecolor="white", zorder=order)
        note = axes.annotate(
            text, (x, y), xytext=(0, 0), textcoords="offset points", color=ink(color), zorder=5,
            path_effects=HALO,
        )  # fmt: skip
        note.set_in_layout(False)
        self._notes.append(_Note(axes, note, needed))

    def sessions(
        self, axes: Axes, spans: Sequence[tuple[float, float]], numbers: Sequence[int] = ()
    ) -> None:
        """Shade sessions, also those too short to be seen otherwise; numbers stand above."""
        for start, end in spans:
            axes.axvspan(start, end, facecolor=SHADE, edgecolor=SHADE, linewidth=1.2, zorder=0)
        if not numbers:
            return
        row = []
        for (start, end), index in zip(spans, numbers, strict=True):
            row.append(
                axes.annotate(
                    str(index), ((start + end) / 2, 1.0), xycoords=axes.get_xaxis_transform(),
                    xytext=(0, 8), textcoords="offset points", ha="center", va="baseline",
                    color=GRAY, annotation_clip=False,
                )
            )  # fmt: skip
        axes.annotate(
            "session", (0.0, 1.0), xycoords="axes fraction", xytext=(-9, 8),
            textcoords="offset points", ha="right", va="baseline", color=GRAY,
            annotation_clip=False,
        )  # fmt: skip
        self._rows.append(row)

    def finished(self) -> Figure:
        """Lay the page out, find a place for every text, and keep it so."""
        self.figure.draw_without_rendering()
        for row in self._rows:
            thin_out(row)
        for axes in {id(end.axes): end.axes for end in self._ends}.values():
            _spread_ends(axes, [end for end in self._ends if end.axes is axes])
        own = [note.text for note in self._notes]
        texts = [extent(text) for text in visible_texts(self.figure) if text not in own]
        marks = [note.mark() for note in self._notes]
        for note in self._notes:
            if (box := _find_spot(note, [*texts, *marks])) is None:
                note.text.remove()
            else:
                texts.append(box)
        self.figure.set_layout_engine("none")
        return self.figure


# -- finding places ---------------------------------------------------------------------------------


def spread(
    wanted: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """Centers nearest to the wanted ones at which things of these sizes do not overlap.

    Least squares by pooling neighbors that collide; all lie between `low` and `high` if they fit.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    before, offsets = 0.0, []
    for i in order:
        offsets.append(before + sizes[i] / 2)
        before += sizes[i]
    pools: list[tuple[float, int]] = []  # mean of what its members want, and their number
    for i, offset in zip(order, offsets, strict=True):
        mean, count = wanted[i] - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean = (mean * count + other * others) / (count + others)
            count += others
        pools.append((mean, count))
    shifts = [mean for mean, count in pools for _ in range(count)]
    places = [0.0] * len(wanted)
    for i, offset, shift in zip(order, offsets, shifts, strict=True):
        places[i] = max(low, min(shift, high - before)) + offset
    return places


def wrapped(text: Text, words: str, width: float, lines: int) -> list[str]:
    """The words on as few lines as their width (pixels) asks for; what does not fit is cut."""

    def fits(line: str) -> bool:
        text.set_text(line)
        return bool(text.get_window_extent().width <= width)

    rows = [""]
    for word in words.split():
        longer = f"{rows[-1]} {word}".strip()
        if fits(longer) or not rows[-1]:
            rows[-1] = longer
        else:
            rows.append(word)
    kept = rows[:lines]
    if len(rows) > lines:
        kept[-1] += _ELLIPSIS
    return [_cut(row, fits) for row in kept]


def _cut(row: str, fits: Callable[[str], bool]) -> str:
    while len(row) > 1 and not fits(row):
        row = row.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
    return row


def thin_out(row: Sequence[Text]) -> None:
    """Take away those of a row of texts that would touch the last one kept."""
    edge = float("-inf")
    for text in row:
        box = extent(text)
        if box.x0 < edge:
            text.remove()
        else:
            edge = box.x1 + 3


def visible_texts(figure: Figure) -> list[Text]:
    """All texts of a figure that a person sees."""
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if isinstance(text, Text) and text.get_text().strip()]


def extent(text: Text) -> Bbox:
    """The room that a text itself takes up, in pixels."""
    return Text.get_window_extent(text)


def _spread_ends(axes: Axes, ends: Sequence[_EndLabel]) -> None:
    """Move labels apart, and lead from each curve to its label."""
    page = axes.get_window_extent()
    ys = [float(axes.transData.transform((0.0, end.y))[1]) for end in ends]
    ys = [max(page.y0, min(y, page.y1)) for y in ys]
    sizes = [extent(end.text).height + 2 for end in ends]
    places = spread(ys, sizes, page.y0, page.y1)
    step = LABEL_GAP * DPI / 72 / page.width
    for end, y, place in zip(ends, ys, places, strict=True):
        at, to = (y - page.y0) / page.height, (place - page.y0) / page.height
        end.text.xy = (1.0, to)
        axes.add_line(
            Line2D(
                [1.0, 1.0 + step], [at, to], transform=axes.transAxes, clip_on=False,
                color=end.color, linewidth=1.2,
            )
        )  # fmt: skip


def _find_spot(note: _Note, taken: Sequence[Bbox]) -> Bbox | None:
    """Put the note where it covers no text, no mark, and as few curves as can be."""
    page = note.axes.get_window_extent()
    curves = [
        line.get_path().transformed(line.get_transform())
        for line in note.axes.lines
        if len(line.get_path().vertices) > 2
    ]
    best: tuple[int, tuple[float, float, str, str], Bbox] | None = None
    for spot in _SPOTS:
        _put(note.text, spot)
        box = extent(note.text)
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        if not inside or any(box.overlaps(other) for other in taken):
            continue
        covered = sum(bool(curve.intersects_bbox(box, filled=False)) for curve in curves)
        if best is None or covered < best[0]:
            best = (covered, spot, box)
        if covered == 0:
            break
    if best is None or (best[0] and not note.needed):
        return None
    _put(note.text, best[1])
    return best[2]


def _put(note: Annotation, spot: tuple[float, float, str, str]) -> None:
    dx, dy, horizontal, vertical = spot
    note.set_position((dx, dy))
    note.set(horizontalalignment=horizontal, verticalalignment=vertical)
