"""One session walked by the machine with symbols: what it would do for every patient on this path.

SimPy, controller, bags and staff are those of a single run; only the numbers remember where they
come from. The patient beside it is a real one, of a chunk, who lives in a lane of the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import simpy
from simpy.events import NORMAL

from simulator.boundary import REST, Exchange, Vitals
from simulator.catalog import Fluid
from simulator.elementary import soonest
from simulator.machine.pumps import PumpFlows
from simulator.machine.session import Session
from simulator.orders import MachineSettings, Prescription
from simulator.patient.equations import Inflow
from simulator.patient.state import SoluteConstants, Therapy
from simulator.sweep.fast import body
from simulator.sweep.fast.picture import Picture
from simulator.sweep.fast.symbols import Choice, Guard, Symbol, Tape, UntraceableError, Value

CONNECT, DISCONNECT, BASELINE, SWAP = "connect", "disconnect", "baseline", "swap"
"""What happens to the patient between two stretches of time."""
READINGS = ("hematocrit", "blood_volume", "plasma_volume")


class Live(Protocol):
    """The patient whose values the symbols have."""

    def advance(self, minutes: float, flows: Sequence[float], attached: bool) -> None:
        """Live through a stretch of constant flows (`body.of_stretch`), with a circuit or not."""
        ...

    def mark(self, what: str) -> None:
        """Something happens between two stretches."""
        ...

    def readings(self) -> Mapping[str, float]:
        """What a machine can see."""
        ...


@dataclass(frozen=True, slots=True)
class Advance:
    """A stretch of time: minutes, and flows in the order of `body.of_stretch`, as places."""

    minutes: int
    flows: tuple[int, ...]
    attached: bool
    """Whether a circuit is attached."""


@dataclass(frozen=True, slots=True)
class Read:
    """The machine looks at the patient; the inputs that this gives, as places."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something happens to the patient between two stretches."""

    what: str


@dataclass(frozen=True, slots=True)
class End:
    """The session is over; what it adds up to, as places."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Waypoint:
    """From here on everything follows from what stands at these places, and from the key."""

    key: Any
    places: tuple[int, ...]


Item = Guard | Choice | Advance | Read | Mark | End | Waypoint


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for what a machine does not look at; so that it would be noticed if one did."""

    what: str

    def _refuse(self, *_: object) -> NoReturn:
        raise UntraceableError(f"the machine looks at {self.what}")

    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __sub__ = __mul__ = __truediv__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __float__ = __format__ = _refuse


@dataclass
class Walk:
    """The bedside of one session; notes what happens there. Implements the machine's `Bedside`."""

    tape: Tape
    env: Clock
    live: Live
    solutes: tuple[SoluteConstants, ...]
    therapy: Therapy
    items: list[Item] = field(default_factory=list)
    drawn: bool = False
    attached: bool = False
    stretches: int = 0
    _exchange: Exchange = REST
    _time: Value = 0.0
    _seen: Vitals | None = None

    def __post_init__(self) -> None:
        self._time = self.env.now
        self.tape.noted = self.items.append

    def vitals(self) -> Vitals:
        """The patient as seen now."""
        self._catch_up()
        if self._seen is None:
            shown = self.live.readings()
            symbols = {
                name: self.tape.input(("read", len(self.items), name), shown[name])
                for name in READINGS
            }
            self.items.append(Read(tuple(symbols[name].place for name in READINGS)))
            self._seen = Vitals(
                hematocrit=symbols["hematocrit"],  # type: ignore[arg-type]
                blood_volume=symbols["blood_volume"],  # type: ignore[arg-type]
                plasma_volume=symbols["plasma_volume"],  # type: ignore[arg-type]
                ionized_calcium=Unreadable("ionized calcium"),  # type: ignore[arg-type]
                ionized_magnesium=Unreadable("ionized magnesium"),  # type: ignore[arg-type]
                total_calcium=Unreadable("total calcium"),  # type: ignore[arg-type]
            )
        return self._seen

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        """From now on do this to the patient."""
        del flows
        self._catch_up()
        if not self.drawn and exchange.blood_to_circuit:
            self.drawn = True
            self._mark(BASELINE)
        self._exchange = exchange

    def connect(self) -> None:
        """The circuit is attached."""
        self._catch_up()
        self._mark(BASELINE)
        self._mark(CONNECT)
        self.attached = True

    def swap_column(self) -> None:
        """A regenerated column takes the place of the loaded one."""
        self._catch_up()
        self._mark(SWAP)

    def give(self, fluid: Fluid, volume: float, minutes: float) -> None:
        """Somebody gives the patient a fluid by hand: mL, over so many minutes."""
        self.env.process(self._give(fluid, volume, minutes))

    def _give(self, fluid: Fluid, volume: float, minutes: float) -> Any:
        dose = fluid, volume / minutes
        self._catch_up()
        self._hand((*self.therapy.given, dose))
        yield self.env.timeout(minutes)
        self._catch_up()
        left = list(self.therapy.given)
        left.pop(next(i for i, one in enumerate(left) if one is dose))
        self._hand(tuple(left))

    def _hand(self, given: tuple[tuple[Fluid, float], ...]) -> None:
        self.therapy = Therapy(
            self.therapy.synthesis, self.therapy.infused, self.therapy.fcrn_blockade,
            self.therapy.citrate_clearance, given,
        )  # fmt: skip

    def disconnect(self) -> None:
        """The circuit is taken away and discarded."""
        self._catch_up()
        self._mark(DISCONNECT)
        self.attached = False
        self._exchange = REST

    def log(self, event: str, detail: str = "") -> None:
        """Words decide nothing."""

    def finish(self, results: Sequence[Value]) -> None:
        """The session is over, and adds up to these."""
        self._catch_up()
        if self.therapy.given:
            raise UntraceableError("a fluid is still given by hand when the session is over")
        self.items.append(End(tuple(self.tape.place_of(value) for value in results)))

    def _mark(self, what: str) -> None:
        self.live.mark(what)
        self.items.append(Mark(what))

    def _catch_up(self) -> None:
        """Let the patient live up to the present."""
        if self.env.now <= self._time:
            return
        minutes = self.env.now - self._time
        inflow = Inflow.of(self._exchange, self.therapy, self.solutes)
        flows = body.of_stretch(self._exchange, inflow)
        self.items.append(
            Advance(
                self.tape.place_of(minutes),
                tuple(map(self.tape.place_of, flows)),
                self.attached,
            )
        )
        self.live.advance(number(minutes), [number(flow) for flow in flows], self.attached)
        self._time = self.env.now
        self._seen = None
        self.stretches += 1


class Clock(simpy.Environment):
    """SimPy's clock with times that are symbols.

    It goes to the next event for which anybody waits, and asks only whether that comes before the
    others. What nobody waits for any more, such as the end of a stretch that was cut short, changes
    nothing when it comes, so that its time is not asked for.
    """

    def __init__(self, begin: Value) -> None:
        super().__init__(initial_time=begin)
        self._due: list[tuple[Value, int, int, simpy.Event]] = []
        self._count = 0

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: Value = 0) -> None:
        """Let an event come after a delay."""
        self._count += 1
        self._due.append((self._now + delay, int(priority), self._count, event))

    def settle(self) -> None:
        """Forget what nobody waits for, and put first what comes first of events at one time."""
        self._due = [one for one in self._due if one[3].callbacks]
        self._due.sort(key=lambda one: one[1:3])
        self._due = [
            (time, priority, i, event) for i, (time, priority, _, event) in enumerate(self._due)
        ]
        self._count = len(self._due)

    def step(self) -> None:
        """Go to the next event and let happen what waits for it."""
        self.settle()
        if not self._due:
            raise simpy.core.EmptySchedule
        first = soonest(self._due)
        self._due = [one for one in self._due if one is not first]
        self._now = first[0]
        event = first[3]
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value


def number(value: Value) -> float:
    """The number that a value stands for, in the patient who walks."""
    return value.value if isinstance(value, Symbol) else float(value)


class FamiliarError(Exception):
    """A walk has come to where another one has been before."""


def session_of(
    walk: Walk,
    familiar: Callable[[], bool],
    machine: MachineSettings,
    prescription: Prescription,
    target: Value,
    citrate_limit: Value,
    attendance: Any,
) -> Session:
    """Run one session to its end, with a waypoint after each stretch of time.

    Raises `FamiliarError` at a waypoint at which it is told that the rest is `familiar`, and what
    the session raises if it cannot go on.
    """
    session = Session(
        env=walk.env,
        bedside=walk,
        machine=machine,
        prescription=prescription,
        target=target,
        citrate_limit=citrate_limit,
        attendance=attendance,
        luck=None,
    )
    process = walk.env.process(session.run())
    stretches = 0
    while not process.triggered:
        walk.env.step()
        if walk.stretches > stretches and not process.triggered:
            stretches = walk.stretches
            _set_waypoint(walk, session, process, familiar)
    if not process.ok:
        # the loop ends before the clock comes to the failed process, which would raise this
        error: Any = process.value
        raise error
    return session


def _set_waypoint(
    walk: Walk, session: Session, process: simpy.Process, familiar: Callable[[], bool]
) -> None:
    walk.env.settle()
    picture = Picture()
    key = picture.of((walk, session, process))
    walk.tape.forget()
    walk.items.append(Waypoint(key, tuple(symbol.place for symbol in picture.numbers)))
    if familiar():
        raise FamiliarError
