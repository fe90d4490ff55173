"""Text and tables for the terminal, as wide as it is: bold where it can be, plain elsewhere.

Text may come from a file of anybody: it is printed as it is, without the control characters that
would move the cursor or change colors.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

import click

from simulator.records import record

PIPED_WIDTH = 120  # columns when the output is not a terminal

Side = Literal["left", "right"]
_GAP = "  "
_CUT = "…"
_CONTROL = {code: None for code in (*range(32), *range(127, 160)) if code != ord("\n")}


@record
class Column:
    """A column of a table; one that may be broken gives way when there is no room for all."""

    heading: str
    side: Side = "left"
    broken: bool = False
    """Whether a text that is too long goes on in the next line; else it is cut off."""
    most: int | None = None
    """Characters beyond which it is broken or cut."""


class Table:
    """Rows of text under headings, with a title above and perhaps a caption below."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.caption = ""
        self.columns: list[Column] = []
        self.rows: list[tuple[str, ...]] = []

    def column(
        self, heading: str, side: Side = "left", *, broken: bool = False, most: int | None = None
    ) -> None:
        """Add a column."""
        self.columns.append(Column(heading, side, broken, most))

    def row(self, *cells: str) -> None:
        """Add a row, a cell for each column; without any, a blank line."""
        self.rows.append(cells)

    def lines(self, width: int = PIPED_WIDTH) -> list[str]:
        """The table as lines without trailing blanks, none longer than `width`."""
        return [text.rstrip() for text, _ in self.styled(width)]

    def styled(self, width: int) -> Iterator[tuple[str, bool]]:
        """Lines, and whether each is bold."""
        rows = [[_clean(cell) for cell in row] for row in self.rows]
        headings = [_clean(column.heading) for column in self.columns]
        widths = _widths(self.columns, [headings, *filter(None, rows)], width)
        whole = sum(widths) + len(_GAP) * (len(widths) - 1)
        for line in folded(_clean(self.title), whole):
            yield line, True
        for line in self._row(headings, widths, bottom=True):
            yield line, True
        yield "─" * whole, False
        for row in rows:
            for line in self._row(row, widths) if row else [""]:
                yield line, False
        for line in folded(_clean(self.caption), whole) if self.caption else ():
            yield line, False

    def _row(
        self, cells: Sequence[str], widths: Sequence[int], *, bottom: bool = False
    ) -> Iterator[str]:
        """The lines of one row, its cells beginning at the top or ending at the bottom."""
        columns = list(zip(self.columns, cells, widths, strict=True))
        blocks = [_cell(column, text, width) for column, text, width in columns]
        height = max(map(len, blocks))
        for i in range(height):
            line = []
            for (column, _, width), block in zip(columns, blocks, strict=True):
                place = i - (height - len(block)) if bottom else i
                text = block[place] if 0 <= place < len(block) else ""
                space = " " * (width - cells_of(text))
                line.append(space + text if column.side == "right" else text + space)
            yield _GAP.join(line)


def show(*parts: str | Table, bold: bool = False) -> None:
    """Print tables, and texts on as many lines as they need.

    A reader (head, less) that has gone does not end the program.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED_WIDTH
    lines: list[tuple[str, bool]] = []
    for part in parts:
        if isinstance(part, Table):
            lines += part.styled(width)
        else:
            lines += [(line, bold) for line in folded(_clean(part), width)]
    texts = [(text.rstrip(), strong) for text, strong in lines]
    try:
        click.echo("\n".join(click.style(t, bold=True) if strong else t for t, strong in texts))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def folded(text: str, width: int) -> list[str]:
    """A text on lines of at most `width` columns, broken between words where that is possible."""
    lines = []
    for paragraph in text.split("\n"):
        line, *words = re.findall(r" *[^ ]+| +$", paragraph) or [""]
        for word in words:
            if cells_of(line + word) <= width:
                line += word
                continue
            lines += _cut(line, width)
            line = word.lstrip(" ")
        lines += _cut(line, width)
    return lines


def _cut(text: str, width: int) -> list[str]:
    """A text without room to break it, cut where a line is full."""
    lines = []
    while cells_of(text) > width:
        lines.append(_head(text, width))
        text = text[len(lines[-1]) :]
    return [*lines, text]


def cells_of(text: str) -> int:
    """How many columns a text takes: none for an accent put on top, two for a wide character."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _head(text: str, width: int) -> str:
    """As much of a text as `width` columns hold, but a character at least."""
    end = 1
    while end < len(text) and cells_of(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def _cell(column: Column, text: str, width: int) -> list[str]:
    if column.broken:
        return folded(text, width)
    return [
        line if cells_of(line) <= width else _head(line, max(width - 1, 1)) + _CUT
        for line in text.split("\n")
    ]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Widths that hold the longest cells, less what is too much: that is taken from the widest."""
    widths = [
        min(
            max(cells_of(line) for row in rows for line in row[place].split("\n")),
            width if column.most is None else column.most,
        )
        for place, column in enumerate(columns)
    ]
    broken = [place for place, column in enumerate(columns) if column.broken]
    for giving, least in ((broken, 8), (range(len(columns)), 2)):
        while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
            widest = max(giving, key=widths.__getitem__, default=None)
            if widest is None or widths[widest] <= least:
                break
            widths[widest] -= 1
    return widths


def _clean(text: str) -> str:
    return text.translate(_CONTROL)
