"""Where texts of a figure find room: apart from each other, within lines, beside what they name.

All in pixels of the page as laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

APART = 8.0
"""Between a note and any other text."""

_ELLIPSIS = "…"

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


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
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
    unseen = {id(label) for axes in figure.axes for label in _unseen_tick_labels(axes)}
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [
        text
        for text in found
        if isinstance(text, Text) and text.get_text().strip() and id(text) not in unseen
    ]


def _unseen_tick_labels(axes: Axes) -> Iterable[Text]:
    """Labels of ticks that matplotlib keeps, but does not draw: beyond the ends of their axis."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not (axes.axison and low - slack <= tick.get_loc() <= high + slack):
                yield from (tick.label1, tick.label2)


def extent(text: Text) -> Bbox:
    """The room that a text itself takes up, in pixels."""
    return text.get_window_extent()


def find_spot(
    axes: Axes, note: Annotation, texts: Sequence[Bbox], marks: Sequence[Bbox], may_cover: bool
) -> Bbox | None:
    """Put a note beside its point, where it is apart from all texts, off all marks, and covers as
    few curves as can be.

    Returns its place; None if there is none, or none free of curves where it may not cover any.
    """
    page = axes.get_window_extent()
    curves = list(_curves(axes))
    best: tuple[int, tuple[float, float, str, str], Bbox] | None = None
    for spot in _SPOTS:
        _put(note, spot)
        box = extent(note)
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        if not inside or any(box.overlaps(mark) for mark in marks):
            continue
        if any(box.padded(APART).overlaps(text) for text in texts):
            continue
        covered = sum(bool(curve.intersects_bbox(box, filled=False)) for curve in curves)
        if best is None or covered < best[0]:
            best = (covered, spot, box)
        if covered == 0:
            break
    if best is None or (best[0] and not may_cover):
        return None
    _put(note, best[1])
    return best[2]


def _curves(axes: Axes) -> Iterable[Path]:
    """What is drawn from point to point; marks and straight lines are no curves."""
    for line in axes.lines:
        path = line.get_path()
        if len(path) > 2:
            yield path.transformed(line.get_transform())


def _put(note: Annotation, spot: tuple[float, float, str, str]) -> None:
    dx, dy, horizontal, vertical = spot
    note.set_position((dx, dy))
    note.set(horizontalalignment=horizontal, verticalalignment=vertical)
