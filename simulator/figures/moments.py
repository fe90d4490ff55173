"""One session moment by moment: what flows, what hangs on the machine, what keeps the pumps still.

A run does not keep this. It is read off its curves, whose cumulative volumes give flows and levels,
and off its log, which has every change of a bottle or a bag.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import catalog
from simulator.catalog import BowlFacts, Fluid
from simulator.catalog.kinds import separator_kind
from simulator.figures.curves import curves_of
from simulator.figures.session_events import ACT, ALARM, PHASES, labels
from simulator.machine.alarms import ALARMS, Response
from simulator.result import Event, Result, SessionResult
from simulator.scenario.model import Setting
from simulator.units import MINUTES_PER_DAY

CUMULATIVE = (
    "blood_processed", "anticoagulant", "replacement", "plasma_removed", "plasma_treated",
)  # fmt: skip
"""Columns whose slopes are flows."""

_STOPPING = {
    ALARM + alarm.name
    for alarm in ALARMS
    if alarm.response in (Response.STOP, Response.RETRY)
}  # fmt: skip
_HOLD = ACT + "hold"
"""Staff stop the pumps for a patient who reacts; the detail says for what."""
_SOON = 0.1
"""min; the log rounds how long a pause was."""
_TOLD_FOR = 5.0
"""min for which the picture tells of something that does not stop the pumps."""
_TOLD = 2
"""Labels of a smaller weight are told by what moves."""
_STILL = 1e-6
"""mL/min; less is rounding."""

_HANG = {
    "replacement": ("replacement-empty", "hang-a-bottle"),
    "anticoagulant": ("anticoagulant-empty", "hang-an-anticoagulant-bag"),
    "waste": ("waste-bag-full", "change-the-waste-bag"),
}
"""By container: the alarm that asks for a new one, and what the operator then does."""


@dataclass(frozen=True, slots=True)
class Container:
    """A bottle or a bag as it hangs."""

    name: str
    """Of the fluid; that of the waste bag is "waste"."""
    size: float
    """mL"""
    level: float
    """mL in it"""
    number: int
    """How many have hung, this one included."""
    wanted: bool = False
    """Whether the pumps stand still because a new one is needed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What can be seen at the bedside at one minute since first contact. Flows in mL/min."""

    minute: float
    phase: str
    cycle: int
    """Of a bowl; 0 for other machines."""
    stopped: str | None
    """What keeps the pumps still, in words; None while nothing does."""
    notice: tuple[str, str] | None
    """What happened just before without stopping the pumps: words and color."""
    inlet: float
    anticoagulant: float
    replacement: float
    waste: float
    treated: float
    back: bool
    """Whether blood, or what is left of it, goes back to the patient."""
    filled: float
    """Of a bowl, the share of it that is full."""
    bottle: Container | None
    """None if nothing is replaced."""
    bag: Container
    """Of anticoagulant."""
    waste_bag: Container


@dataclass(slots=True)
class _Hung:
    """A container from a minute on, and how much the pumps had moved by then."""

    minute: float
    name: str
    size: float
    moved: float


class Story:
    """A session of a finished run, to be looked at at any minute."""

    def __init__(self, result: Result, session: SessionResult) -> None:
        assert result.scenario.machine is not None  # there is a session
        self.result, self.session = result, session
        self.machine = result.scenario.machine
        self.device = self.machine.device
        self.kind = separator_kind(self.device)
        self.end = session.connected_minutes
        curves = curves_of(result, session)
        self.pauses = curves.pauses
        self.rows = [i for i, s in enumerate(result.column("session")) if s == session.index]
        self.minutes = [
            result.rows[i][0] * MINUTES_PER_DAY - session.connected[0] for i in self.rows
        ]
        self._columns = {name: self._column(name) for name in CUMULATIVE}
        self.events = [event for event in result.events if event.session == session.index]
        self._labels = labels(result, session)
        fluid = self.machine.anticoagulant
        self._hung = {
            "replacement": self._bottles(),
            "anticoagulant": self._changes("anticoagulant", fluid.name, fluid.container),
            "waste": self._changes("waste", "waste", self.device.waste_bag),
        }  # fmt: skip

    # -- curves -----------------------------------------------------------------------------------

    def _column(self, name: str) -> list[float]:
        values = self.result.column(name)
        return [values[i] - values[self.rows[0]] for i in self.rows]

    def column(self, name: str) -> list[float]:
        """A column of the curves during this session, at `minutes`; cumulative ones from zero."""
        if name in CUMULATIVE or name == "patient_plasma_removed":
            return self._column(name)
        values = self.result.column(name)
        return [values[i] for i in self.rows]

    def moved(self, name: str, minute: float) -> float:
        """mL that the pumps have moved by a minute."""
        return _at(self.minutes, self._columns[name], minute)

    def _flow(self, name: str, minute: float) -> float:
        """mL/min at a minute."""
        place = bisect_right(self.minutes, minute)
        if not 0 < place < len(self.minutes):
            return 0.0
        column = self._columns[name]
        step = self.minutes[place] - self.minutes[place - 1]
        flow = (column[place] - column[place - 1]) / step
        return flow if flow > _STILL else 0.0

    # -- bottles and bags -------------------------------------------------------------------------

    def _wasted(self, minute: float) -> float:
        """mL that have gone to the waste bag: plasma, and the prime that a filling displaces."""
        return self.moved("plasma_removed", minute) + self._displaced(minute)

    def _displaced(self, minute: float) -> float:
        if self.kind == "bowl" or self.machine.prime is not None:
            return 0.0
        ends = [e.minute or 0.0 for e in self.events if e.event == "exchange"]
        until = min(minute, *ends[:1], self.session.run[1] - self.session.connected[0])
        return self.moved("blood_processed", until) + self.moved("anticoagulant", until)

    def _changes(self, what: str, name: str, size: float) -> list[_Hung]:
        """The containers of one kind in the order in which they hung."""
        alarm, action = _HANG[what]
        hung = [_Hung(0.0, name, size, 0.0)]
        timed = False
        for event in self.events:
            if event.event == ALARM + alarm:
                timed = " for " in event.detail  # nobody has to change anything: it passes
            elif event.event == ACT + action and not timed:
                minute = event.minute or 0.0
                hung.append(_Hung(minute, name, size, self._moved_of(what, minute)))
        return hung

    def _moved_of(self, what: str, minute: float) -> float:
        return self._wasted(minute) if what == "waste" else self.moved(what, minute)

    def _bottles(self) -> list[_Hung]:
        """The same of replacement fluids, which may follow each other."""
        fluids = self._fluids()
        first = next(iter(self.session.replacement_by_fluid), None)
        if first is None:
            return []
        name = first
        hung = [_Hung(0.0, name, fluids[name].container, 0.0)]
        bottles = self._changes("replacement", name, 0.0)[1:]
        others = [(e.minute or 0.0, other) for e in self.events if (other := _next_fluid(e))]
        for minute, other in sorted([*((b.minute, "") for b in bottles), *others]):
            name = other if other in fluids else name
            moved = self.moved("replacement", minute)
            hung.append(_Hung(minute, name, fluids[name].container, moved))
        return hung

    def _fluids(self) -> dict[str, Fluid]:
        """The fluids that may hang in this session, as the scenario has them."""
        scenario = self.result.scenario
        known = {name: catalog.fluid(name) for name in self._bundled()}
        for planned in scenario.sessions:
            known |= {order.fluid.name: order.fluid for order in planned.prescription.replacement}
        for event in scenario.events:
            if isinstance(event, Setting) and isinstance(event.value, Fluid):
                known[event.value.name] = event.value
        return known | {r.fluid.name: r.fluid for r in scenario.rules if r.fluid is not None}

    def _bundled(self) -> list[str]:
        names = catalog.names("fluids")
        return [name for name in self.session.replacement_by_fluid if name in names]

    def _container(self, what: str, minute: float, cause: str | None) -> Container | None:
        hung = [one for one in self._hung[what] if one.minute <= minute]
        if not hung:
            return None
        last = hung[-1]
        gone = min(max(0.0, self._moved_of(what, minute) - last.moved), last.size)
        level = gone if what == "waste" else last.size - gone
        wanted = cause is not None and cause in (ALARM + _HANG[what][0], *_OF_BOTTLES[what])
        return Container(last.name, last.size, level, len(hung), wanted)

    # -- what happens -----------------------------------------------------------------------------

    def _phase(self, minute: float) -> tuple[str, int, float]:
        """The phase at a minute, the cycle of a bowl, and when the phase began."""
        phase, cycle, begin = "connect", 0, 0.0
        for event in self.events:
            if event.event in PHASES and (event.minute or 0.0) <= minute:
                phase, begin = event.event, event.minute or 0.0
                cycle += event.event == "draw" and self.kind == "bowl"
        ended = self.session.run[1] - self.session.connected[0]
        if phase == "rinseback":
            ended = self.end - self.device.disconnect_time
        if minute >= self.end or minute > ended + _SOON:
            phase, cycle = "disconnect", 0
        return phase, cycle, begin

    def _cause(self, minute: float) -> Event | None:
        """The event that keeps the pumps still at a minute within a pause."""
        pause = next((p for p in self.pauses if p[0] - 1e-9 <= minute < p[1]), None)
        if pause is None:
            return None
        within = [e for e in self.events if pause[0] - _SOON <= (e.minute or 0.0) <= minute + _SOON]
        causes = [e for e in within if _may_stop(e)]
        return causes[-1] if causes else _UNKNOWN

    def _notice(self, minute: float) -> tuple[str, str] | None:
        """What was worth a label in the last minutes and stopped nothing."""
        recent = [
            label
            for label in self._labels
            if 0 <= minute - label.minute < _TOLD_FOR
            and label.weight >= _TOLD
            and not any(begin - _SOON <= label.minute < end for begin, end in self.pauses)
        ]
        if not recent:
            return None
        last = max(recent, key=lambda label: (label.weight, label.minute))
        return last.words, last.color

    def at(self, minute: float) -> Moment:
        """What is to be seen at a minute since first contact."""
        phase, cycle, begin = self._phase(minute)
        cause = self._cause(minute)
        still = cause is not None
        flows = {name: 0.0 if still else self._flow(name, minute) for name in CUMULATIVE}
        inlet = flows["blood_processed"] + flows["anticoagulant"]
        bag, waste = (
            self._container(what, minute, cause.event if cause else None)
            for what in ("anticoagulant", "waste")
        )
        assert bag is not None
        assert waste is not None  # both hang from the first contact on
        filled, emptying = self._bowl(minute, phase, begin) if self.kind == "bowl" else (0.0, False)
        exchanging = phase == "exchange" and inlet > 0
        return Moment(
            minute=minute,
            phase=phase,
            cycle=cycle,
            stopped=_in_words(cause) if cause else None,
            notice=self._notice(minute),
            inlet=inlet,
            anticoagulant=flows["anticoagulant"],
            replacement=flows["replacement"],
            waste=flows["plasma_removed"] or self._filling(phase, inlet),
            treated=flows["plasma_treated"],
            back=not still and (emptying or exchanging or phase == "rinseback"),
            filled=filled,
            bottle=self._container("replacement", minute, cause.event if cause else None),
            bag=bag,
            waste_bag=waste,
        )

    def _filling(self, phase: str, inlet: float) -> float:
        """Prime that goes to waste while the circuit fills."""
        displaced = phase == "draw" and self.kind != "bowl" and self.machine.prime is None
        return inlet if displaced else 0.0

    def _bowl(self, minute: float, phase: str, begin: float) -> tuple[float, bool]:
        """The share of a bowl that is full, and whether it is being emptied."""
        draws = [e.minute or 0.0 for e in self.events if e.event == "draw"]
        drawn = [d for d in draws if d <= minute]
        if not drawn or phase == "disconnect":
            return 0.0, False

        def content(at: float) -> float:
            inside = self.moved("blood_processed", at) + self.moved("anticoagulant", at)
            return inside - self.moved("plasma_removed", at)

        held = content(minute) - content(drawn[-1])
        most = self._bowl_volume
        if phase != "return":
            return min(1.0, held / most), False
        ended = self.session.run[1] - self.session.connected[0]
        stop = next((d for d in draws if d > minute), ended) - self._turnaround
        whole, gone = self._running(begin, stop), self._running(begin, min(minute, stop))
        left = 1 - gone / whole if whole > 0 else 0.0
        return min(1.0, held / most) * left, begin <= minute < stop

    @property
    def _turnaround(self) -> float:
        bowl = self.device.separator
        return bowl.turnaround if isinstance(bowl, BowlFacts) else 0.0

    @property
    def _bowl_volume(self) -> float:
        bowl = self.device.separator
        assert isinstance(bowl, BowlFacts)
        return bowl.bowl_volume + bowl.harness_volume

    def _running(self, begin: float, stop: float) -> float:
        """Minutes of a stretch in which the pumps were not held."""
        held = sum(max(0.0, min(stop, b) - max(begin, a)) for a, b in self.pauses)
        return stop - begin - held


_UNKNOWN = Event(time=0.0, session=0, minute=None, event="", detail="")
"""A pause whose cause the log does not tell."""
_OF_BOTTLES = {
    "replacement": ("replacement-changed",),
    "anticoagulant": (),
    "waste": (),
}
"""Other events for which a container is changed while the pumps stand still."""


def _at(times: Sequence[float], values: Sequence[float], time: float) -> float:
    """A curve at a time, by straight lines: what it is where flows are constant."""
    place = bisect_right(times, time)
    if place == 0:
        return values[0]
    if place == len(times):
        return values[-1]
    begin, end = times[place - 1], times[place]
    share = (time - begin) / (end - begin)
    return values[place - 1] + share * (values[place] - values[place - 1])


def _next_fluid(event: Event) -> str:
    """The fluid whose first bottle hangs from an event on; empty if it is no such event."""
    if event.event == "replacement-changed":
        return event.detail.removeprefix("to ")
    path, _, value = event.detail.partition(" to ")
    return value if event.event == "set" and path == "prescription.replacement" else ""


def _may_stop(event: Event) -> bool:
    """Whether an event can be what keeps the pumps still."""
    return event.event in (*_STOPPING, _HOLD) or _next_fluid(event) != ""


def _in_words(cause: Event) -> str:
    """What keeps the pumps still."""
    if fluid := _next_fluid(cause):
        return f"change to {fluid}"
    name = cause.detail if cause.event == _HOLD else cause.event.removeprefix(ALARM)
    return name.replace("-", " ")
