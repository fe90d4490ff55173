"""A figure in the making: its words find a place of their own once everything else has been drawn.

Labels at the ends of curves move apart, notes at points look for a free spot, session numbers that
would run into each other are left out. Places are found on the page as laid out, which is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from simulator import __version__
from simulator.figures.places import extent, find_spot, spread, thin_out, visible_texts, wrapped
from simulator.figures.style import DPI, GRAY, SHADE, SIZE, SMALL_SIZE, TITLE_SIZE, ink

FOOTER = f"apheresis-simulator {__version__} – for teaching and research, not for treating patients"
MARGIN = 0.012
"""Of the figure's width, left of the title and right of the footer."""

HALO = [withStroke(linewidth=3, foreground="white")]
"""Keeps a text that stands on a line readable."""

LABEL_GAP = 12.0
"""Points between the end of a curve and its label."""

_MARK = 8  # pixels; half the size of the mark of a note


@dataclass(slots=True)
class _EndLabel:
    axes: Axes
    text: Annotation
    y: float
    """Where its curve ends, in data units."""
    color: str
    lead: bool


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

    def fitted(self, words: str, points: float) -> str:
        """The words, cut where they would be wider than so many points."""
        text = self.figure.text(0, 0, "")
        (line,) = wrapped(text, words, points * DPI / 72, lines=1)
        text.remove()
        return line

    def end_label(self, axes: Axes, y: float, text: str, color: str, lead: bool = True) -> None:
        """Name a curve at the right edge of its panel, where it ends; a line may lead there."""
        label = axes.annotate(
            text, (1.0, 0.5), xycoords="axes fraction", xytext=(LABEL_GAP + 3, 0),
            textcoords="offset points", va="center", color=ink(color), annotation_clip=False,
        )  # fmt: skip
        self._ends.append(_EndLabel(axes, label, y, color, lead))

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
            path_effects=HALO, annotation_clip=False,
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
        row: list[Text] = []
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
        layout = self.figure.get_layout_engine()
        assert layout is not None  # the figure was made with one
        layout.execute(self.figure)
        for row in self._rows:
            thin_out(row)
        for axes in {id(end.axes): end.axes for end in self._ends}.values():
            _spread_ends(axes, [end for end in self._ends if end.axes is axes])
        own = [note.text for note in self._notes]
        texts = [extent(text) for text in visible_texts(self.figure) if text not in own]
        marks = [note.mark() for note in self._notes]
        for note in self._notes:
            box = find_spot(note.axes, note.text, texts, marks, may_cover=note.needed)
            if box is None:
                note.text.remove()
            else:
                texts.append(box)
        self.figure.set_layout_engine("none")
        return self.figure


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
        if not end.lead:
            continue
        axes.add_line(
            Line2D(
                [1.0, 1.0 + step], [at, to], transform=axes.transAxes, clip_on=False,
                color=end.color, linewidth=1.2,
            )
        )  # fmt: skip
