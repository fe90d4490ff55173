"""The circuit at the bedside as a drawing that moves: patient, pump, separator, bottle and bags.

Places are pixels of the drawing, from its lower left corner. What never changes is drawn once; the
rest is shown anew for each moment of the session.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle
from matplotlib.text import Text

from simulator.catalog import AdsorberFacts
from simulator.figures.moments import Moment, Story
from simulator.figures.parts import (
    ALARM,
    DASH,
    PERIOD,
    SIZE,
    STEP,
    TUBE,
    Bag,
    Point,
    Tube,
    pale,
    spokes,
)
from simulator.figures.style import (
    BLACK,
    BLUE,
    GRAY,
    GREEN,
    LIGHT,
    ORANGE,
    VERMILLION,
    ink,
)

WIDTH, HEIGHT = 435.0, 345.0
"""Pixels of the drawing."""
_BIG = 12.5
"""Points: what the pumps are doing."""
_BLOOD, _PLASMA, _FLUID, _ANTICOAGULANT = VERMILLION, ORANGE, BLUE, GREEN
_TURN = 25.0
"""Degrees that a pump turns from frame to frame at the highest flow."""

_PUMP, _PUMP_RADIUS = (95.0, 138.0), 16.0
_CENTER, _RADIUS = (205.0, 195.0), 42.0
"""Of the separator."""
_WAIST = 0.7
"""Of that, where tubes reach a bowl, which is narrower at its waist."""
_RETURN = 96.0
"""Height of the line that goes back to the patient."""


class Circuit:
    """The drawing of one session; `axes` has `WIDTH` by `HEIGHT` pixels."""

    def __init__(self, axes: Axes, story: Story) -> None:
        self.axes, self.story = axes, story
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, HEIGHT)
        axes.set_axis_off()
        device = story.device
        self.bowl = story.kind == "bowl"
        self.lines: dict[str, Tube] = {}
        self._fastest = max(1.0, story.machine.inlet_flow)
        self._draw_lines(device.treatment is not None)
        self._draw_patient()
        self._angle = 0.0
        self._spin = 0.0
        axes.add_patch(Circle(_PUMP, _PUMP_RADIUS, facecolor="white", edgecolor="none", zorder=3))
        self.pump = Circle(
            _PUMP, _PUMP_RADIUS, facecolor="none", edgecolor=GRAY, linewidth=2.5, zorder=4,
            animated=True,
        )  # fmt: skip
        axes.add_patch(self.pump)
        self.rotor = self._moving([], [], color=GRAY, linewidth=4)
        self._label(_PUMP[0] - 22, _PUMP[1], "inlet\npump", "right")
        self.rate = self._word(_PUMP[0] + 22, _PUMP[1], SIZE, "left")
        self.inside: list[Artist] = self._separator()
        self.bag = Bag(axes, (22, 245), (44, 66), _ANTICOAGULANT, beside="right")
        self._label(22, 327, story.machine.anticoagulant.name, "left", ink(_ANTICOAGULANT))
        self.bottle: Bag | None = None
        if story.session.replacement > 0:
            self.bottle = Bag(axes, (375, 245), (46, 66), _FLUID, beside="left")
        self.fluid = self._word(WIDTH - 4, 327, SIZE, "right", BLUE)
        self.waste = Bag(axes, (308, 122), (68, 56), _PLASMA)
        self.status = axes.text(
            WIDTH / 2, 11, "", ha="center", va="center", fontsize=_BIG, fontweight="bold", zorder=6,
            animated=True, bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "lw": 0},
        )  # fmt: skip

    # -- what is drawn once -----------------------------------------------------------------------

    @property
    def _one_needle(self) -> bool:
        """Whether blood is given back where it was drawn."""
        return self.bowl or self.story.machine.needles == 1

    def _draw_lines(self, treated: bool) -> None:
        (x, y), radius = _CENTER, _RADIUS
        side = _WAIST * radius if self.bowl else radius
        back = 95.0 if self._one_needle else 140.0
        paths: dict[str, tuple[list[Point], str]] = {
            "draw": ([(95, 62), (95, y), (x - side, y)], _BLOOD),
            "anticoagulant": ([(44, 245), (44, y), (95, y)], _ANTICOAGULANT),
            "back": ([(x, y - radius), (x, _RETURN), (back, _RETURN), (back, 62)], _BLOOD),
            "waste": ([(x + side, y), (342, y), (342, 178)], _PLASMA),
        }
        if treated:
            paths["waste"] = ([(310, y + 10), (342, y + 10), (342, 178)], _PLASMA)
            paths["treated"] = ([(x + radius, y + 10), (268, y + 10)], _PLASMA)
            paths["given back"] = ([(278, y), (278, _RETURN), (x, _RETURN)], _PLASMA)
        if self.story.session.replacement > 0:
            start = 278 if treated else x
            paths["replacement"] = ([(398, 245), (398, _RETURN), (start, _RETURN)], _FLUID)
        for name in ("replacement", "given back", "anticoagulant", "waste", "treated"):
            if name in paths:
                self.lines[name] = Tube(self.axes, *paths[name])
        for name in ("back", "draw"):
            self.lines[name] = Tube(self.axes, *paths[name])
        if treated:
            self._draw_treatment()

    def _draw_treatment(self) -> None:
        """The column or second filter that the plasma passes."""
        column = isinstance(self.story.device.treatment, AdsorberFacts)
        self.axes.add_patch(
            FancyBboxPatch(
                (264, 190), 46, 32, boxstyle="round,pad=0,rounding_size=6", zorder=3,
                facecolor=pale(_PLASMA), edgecolor=GRAY, linewidth=2,
            )
        )  # fmt: skip
        self._label(287, 235, "column" if column else "2nd filter", "center")

    def _draw_patient(self) -> None:
        access = self.story.machine.access.name.replace("-", " ")
        self.axes.plot([14, 178], [33, 33], color=LIGHT, linewidth=5, zorder=1)
        shapes = (
            Circle((34, 52), 14, facecolor=GRAY, linewidth=0, zorder=3),
            FancyBboxPatch(
                (53, 38), 120, 26, boxstyle="round,pad=0,rounding_size=12", facecolor=GRAY,
                linewidth=0, zorder=3,
            ),
        )  # fmt: skip
        for shape in shapes:
            self.axes.add_patch(shape)
        self.axes.text(
            113, 51, "patient", ha="center", va="center", fontsize=SIZE, color="white", zorder=4
        )
        self._label(182, 70, access, "left")
        to = 103 if self._one_needle else 148
        self.axes.plot([178, to], [70, 70], color=GRAY, linewidth=1, zorder=1)

    def _separator(self) -> list[Artist]:
        """What separates plasma from blood; returns what of it moves."""
        (x, y), r = _CENTER, _RADIUS
        name = self.story.kind
        self._label(x, y + r + 14, name, "center")
        if name == "membrane":
            return self._membrane(x, y, r)
        if name == "bowl":
            return self._bell(x, y, r)
        for radius, color in (
            (r, pale(_BLOOD, 0.75)),
            (0.72 * r, pale(_PLASMA, 0.8)),
            (15, "white"),
        ):
            edge = GRAY if radius in (r, 15) else "none"
            self.axes.add_patch(
                Circle((x, y), radius, facecolor=color, edgecolor=edge, linewidth=2, zorder=3)
            )
        return [self._moving([], [], color=GRAY, linewidth=3)]

    def _membrane(self, x: float, y: float, r: float) -> list[Artist]:
        self.axes.add_patch(
            FancyBboxPatch(
                (x - r, y - r), 2 * r, 2 * r, boxstyle="round,pad=0,rounding_size=8", zorder=3,
                facecolor=pale(_PLASMA, 0.6), edgecolor=GRAY, linewidth=2,
            )
        )  # fmt: skip
        fibers = [x + place * r for place in (-0.66, -0.33, 0.0, 0.33, 0.66)]
        moving: list[Artist] = []
        for place in fibers:
            ends = [y + r - 7, y - r + 7]
            self.axes.plot([place] * 2, ends, color=pale(_BLOOD, 0.5), linewidth=TUBE, zorder=4)
            moving.append(self._moving([place] * 2, ends, color=_BLOOD, linewidth=DASH))
        return moving

    def _bell(self, x: float, y: float, r: float) -> list[Artist]:
        corners = [(x - r, y - r), (x - 0.45 * r, y + r), (x + 0.45 * r, y + r), (x + r, y - r)]
        self.axes.add_patch(Polygon(corners, facecolor="white", linewidth=0, zorder=3))
        content = Rectangle((x - r, y - r), 2 * r, 0, facecolor=pale(_BLOOD, 0.75), zorder=4)
        content.set_animated(True)
        self.axes.add_patch(content)
        outline = Polygon(
            corners, facecolor="none", edgecolor=GRAY, linewidth=2.5, zorder=5, animated=True
        )
        self.axes.add_patch(outline)
        content.set_clip_path(outline)
        return [content, outline]

    def _label(self, x: float, y: float, words: str, align: str, color: str = GRAY) -> Text:
        return self.axes.text(
            x, y, words, ha=align, va="center", fontsize=SIZE, color=color, zorder=5
        )

    def _word(self, x: float, y: float, size: float, align: str, color: str = BLACK) -> Text:
        """A text that changes."""
        return self.axes.text(
            x, y, "", ha=align, va="center", fontsize=size, color=color, zorder=5, animated=True
        )

    def _moving(self, xs: Sequence[float], ys: Sequence[float], **look: object) -> Line2D:
        """A line that moves."""
        line = Line2D(xs, ys, zorder=5, animated=True, **look)  # type: ignore[arg-type]
        self.axes.add_line(line)
        return line

    # -- what moves -------------------------------------------------------------------------------

    @property
    def moving(self) -> list[Artist]:
        """What is drawn anew for every frame, the lowest first."""
        bags = [bag for bag in (self.bag, self.bottle, self.waste) if bag is not None]
        return [
            *(line.dashes for line in self.lines.values()),
            *(bag.content for bag in bags),
            *(bag.outline for bag in bags),
            *(bag.words for bag in bags),
            *(bag.inner for bag in bags if bag.inner is not None),
            *self.inside,
            self.pump, self.rotor, self.rate, self.fluid, self.status,
        ]  # fmt: skip

    def show(self, moment: Moment) -> None:
        """Show a moment; everything that runs goes on by a little."""
        stopped = moment.stopped is not None
        drawing, back = moment.inlet > 0, moment.back
        treated = moment.treated
        flows = {
            "draw": moment.inlet,
            "anticoagulant": moment.anticoagulant,
            "replacement": moment.replacement,
            "waste": moment.waste,
            "treated": treated,
            "given back": treated,
            "back": self._fastest if back else 0.0,
        }
        for name, line in self.lines.items():
            line.show(flows[name], self._fastest)
        self._turn(moment, stopped)
        self.bag.show(moment.bag, "")
        self.waste.show(moment.waste_bag, "waste")
        if self.bottle is not None and moment.bottle is not None:
            self.bottle.show(moment.bottle, "bottle")
            self.fluid.set_text(moment.bottle.name)
        self.rate.set_text(f"{moment.inlet:.0f}\nmL/min" if drawing else "")
        words, color = _status(moment, self.bowl, bool(self.story.session.plasma_treated))
        self.status.set_fontsize(_BIG)
        self.status.set_text(words)
        width = float(self.status.get_window_extent().width)
        self.status.set_fontsize(_BIG * min(1.0, (WIDTH - 30) / width))
        self.status.set_color("white" if stopped else color)
        box = self.status.get_bbox_patch()
        assert box is not None  # it was made with one
        box.set_facecolor(ALARM if stopped else "white")

    def _turn(self, moment: Moment, stopped: bool) -> None:
        """The pump, and what is inside the separator."""
        drawing = moment.inlet > 0
        if drawing or moment.back:
            way = 1.0 if drawing else -1.0
            self._angle += way * _TURN
        self.pump.set_edgecolor(ALARM if stopped else GRAY)
        self.pump.set_linewidth(5 if stopped else 2.5)
        self.rotor.set_data(*spokes(_PUMP, _PUMP_RADIUS - 4, self._angle, 2))
        self.rotor.set_color(ALARM if stopped else GRAY)
        if self.story.kind == "membrane":
            for fiber in self.inside:
                assert isinstance(fiber, Line2D)
                fiber.set_visible(drawing)
                fiber.set_linestyle(
                    (self._angle / _TURN * -STEP * sum(PERIOD) % sum(PERIOD), PERIOD)
                )
        elif self.bowl:
            content = self.inside[0]
            assert isinstance(content, Rectangle)
            content.set_height(2 * _RADIUS * moment.filled)
        else:
            hub = self.inside[0]
            assert isinstance(hub, Line2D)
            if moment.phase not in ("connect", "disconnect"):
                self._spin += _TURN  # a centrifuge spins on while the pumps stand
            hub.set_data(*spokes(_CENTER, 14, -self._spin, 3))


def _status(moment: Moment, bowl: bool, treats: bool) -> tuple[str, str]:
    """What the machine is doing, or why it is not, and the color of the words."""
    if moment.stopped is not None:
        return f"pumps stopped: {moment.stopped}" if moment.stopped else "pumps stopped", ALARM
    if moment.notice is not None:
        return moment.notice[0], ink(moment.notice[1])
    cycle = f", bowl {moment.cycle}" if bowl and moment.cycle else ""
    words = {
        "connect": "patient connected",
        "draw": f"drawing{cycle}" if bowl else "the circuit fills with blood",
        "exchange": "plasma is treated" if treats else "plasma is exchanged",
        "return": f"giving back{cycle}",
        "rinseback": "rinseback",
        "disconnect": "the patient is disconnected",
    }
    return words[moment.phase], GRAY
