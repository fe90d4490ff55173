"""Parts of a drawing that moves: a tube with what flows in it, a bag with its level, spokes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from simulator.figures.moments import Container
from simulator.figures.style import BLACK, GRAY

SIZE = 10.0
"""Points: words in the drawing."""
ALARM = "#c40000"
"""Pumps that stand still: a red that no line has; it is said in words, too."""

TUBE, DASH = 6.0, 3.0
"""Points: width of a tube, and of what moves in it."""
PERIOD = (2.0, 1.6)
"""Dash and gap, in widths of the dash."""
STEP = 0.27
"""Of dash and gap together, what the dashes move from frame to frame at the highest flow."""
_SLOWEST = 0.3
"""Of that, what they move at the lowest."""

Point = tuple[float, float]


def pale(color: str, share: float = 0.3) -> str:
    """A color mixed with white: a share of it."""
    red, green, blue = (round(255 * (1 - share * (1 - level))) for level in to_rgb(color))
    return f"#{red:02x}{green:02x}{blue:02x}"


class Tube:
    """A tube with dashes that move while something flows."""

    def __init__(self, axes: Axes, path: Sequence[Point], color: str) -> None:
        xs, ys = zip(*path, strict=True)
        axes.plot(xs, ys, color=pale(color), linewidth=TUBE, zorder=1, solid_joinstyle="round")
        self.dashes = Line2D(xs, ys, color=color, linewidth=DASH, zorder=2, animated=True)
        axes.add_line(self.dashes)
        self._offset = 0.0

    def show(self, flow: float, highest: float) -> None:
        """Move on, or hide what stands still."""
        self.dashes.set_visible(flow > 0)
        period = sum(PERIOD)
        speed = _SLOWEST + (1 - _SLOWEST) * min(1.0, flow / highest)
        self._offset = (self._offset - STEP * speed * period) % period
        self.dashes.set_linestyle((self._offset, PERIOD))


class Bag:
    """A bottle or bag with its level, the number of milliliters in it, and its name."""

    def __init__(
        self, axes: Axes, corner: Point, size: tuple[float, float], color: str, *, beside: str = ""
    ) -> None:
        (x, y), (width, height) = corner, size
        self._height = height
        self.inner: Text | None = None
        """What stands in it, where there is no room beside it."""
        if not beside:
            self.inner = axes.text(
                x + width / 2, y + height / 2, "", ha="center", va="center", fontsize=SIZE,
                zorder=5, animated=True,
            )  # fmt: skip
        self.outline = Rectangle(
            corner, width, height, facecolor="none", edgecolor=GRAY, linewidth=2, zorder=4,
            animated=True,
        )  # fmt: skip
        self.content = Rectangle(
            corner, width, 0.0, facecolor=pale(color, 0.65), linewidth=0, zorder=3, animated=True
        )
        axes.add_patch(Rectangle(corner, width, height, facecolor="white", linewidth=0, zorder=2))
        axes.add_patch(self.content)
        axes.add_patch(self.outline)
        middle = y + height / 2
        place = {
            "right": (x + width + 6, middle, "left"),
            "left": (x - 6, middle, "right"),
            "": (x + width / 2, y - 11, "center"),
        }[beside]
        self.words = axes.text(
            place[0], place[1], "", ha=place[2], va="center", fontsize=SIZE, color=BLACK, zorder=5,
            animated=True, linespacing=1.25,
        )  # fmt: skip

    def show(self, held: Container, count: str) -> None:
        """Show a level; what has to be changed is outlined in red."""
        self.content.set_height(self._height * held.level / held.size)
        level = f"{held.level:,.0f} mL"
        self.words.set_text(
            f"{count} {held.number}\n{level}" if count and not self.inner else level
        )
        if self.inner:
            self.inner.set_text(f"{count} {held.number}" if held.number > 1 else count)
        self.outline.set_edgecolor(ALARM if held.wanted else GRAY)
        self.outline.set_linewidth(4 if held.wanted else 2)


def spokes(
    center: Point, radius: float, angle: float, count: int
) -> tuple[list[float], list[float]]:
    """A line through the center and the ends of so many spokes."""
    xs, ys = [], []
    for spoke in range(count):
        turn = math.radians(angle + 360 * spoke / count)
        xs += [center[0], center[0] + radius * math.cos(turn), center[0]]
        ys += [center[1], center[1] + radius * math.sin(turn), center[1]]
    return xs, ys
