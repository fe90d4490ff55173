"""One session on the machine: prime, connect, exchange, rinse back, disconnect.

The machine knows its pumps, bottles and bags, and of the patient what `Vitals` shows. Between two
events all pumps run at constant rates; the next event (bottle empty, bag full, target reached) is
scheduled at the instant that follows from the rates, and dropped when something changes before.
What stops the pumps is not its business: it asks `upkeep` whether they may run. How blood is drawn
and plasma exchanged stands in `continuous` and `intermittent`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import simpy

from simulator import catalog
from simulator.boundary import REST, Exchange, Vitals
from simulator.errors import ImpossibleRunError
from simulator.machine.bedside import Bedside
from simulator.machine.continuous import Continuous
from simulator.machine.control import Controller, little_blood
from simulator.machine.intermittent import Intermittent
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.rinseback import rinse_back
from simulator.machine.separators import Bowl, Membrane, separator
from simulator.machine.staff import Staff
from simulator.machine.supplies import LEFT_BY_ROUNDING, Container, ReplacementLine
from simulator.machine.tally import SETTING, Settings, Tally, Times, has_come
from simulator.machine.upkeep import Upkeep
from simulator.orders import SALINE, Attendance, MachineSettings, Prescription
from simulator.units import MINUTES_PER_DAY

Process = Generator[simpy.Event, Any, None]
BOLUS_TIME = 1.0
"""min over which a bolus is given [assumed]."""


@dataclass
class Session:
    """One session as a process in time."""

    env: simpy.Environment
    bedside: Bedside
    machine: MachineSettings
    prescription: Prescription
    target: float
    """Patient plasma to remove, or to treat, mL."""
    citrate_limit: float
    """Most anticoagulant the patient may get, mL/min."""
    attendance: Attendance | None = None
    """Who looks after the machine; None: an operator who is always there at once."""
    sees_to: Literal["all", "bottles"] = "all"
    """Which alarms the operator sees to unasked."""
    luck: Callable[[str], Random] | None = None
    """A stream of random numbers by purpose; None: nothing random happens."""
    tally: Tally = field(default_factory=Tally)
    times: Times = field(default_factory=Times)
    stop_reason: str | None = None
    """Why the session ended before its target was reached."""
    circuit_lost: bool = False
    """Whether the blood in the circuit cannot be given back."""
    phase: str = "prime"

    def __post_init__(self) -> None:
        device, order = self.machine.device, self.prescription
        self.settings = Settings.of(self.machine, order, self.target)
        self.line = ReplacementLine(order.replacement)
        self.anticoagulant_bag = Container(self.machine.anticoagulant.container)
        self.waste_bag = Container(device.waste_bag)
        self.separator = separator(device, self.machine.plasma_flow)
        self.controller = Controller(
            machine=self.machine,
            separator=self.separator,
            settings=self.settings,
            citrate_limit=self.citrate_limit,
            calcium=order.calcium.fluid if order.calcium else None,
        )
        self.pumps_run = True
        """False while they stand still for longer than a change of flows takes."""
        self._changed = self.env.event()
        self._pumping = (STOPPED, 0.0, 0.0)
        """The flows of the present stretch, when it began, and how much of it is counted, min."""
        self.outside = 0.0
        """Blood with anticoagulant in the circuit, mL."""
        self._warned: set[str] = set()
        self._blood_before = math.inf
        """Blood volume before the session, mL."""
        self.way: Continuous | Intermittent = (
            Intermittent(self, self.separator)
            if isinstance(self.separator, Bowl)
            else Continuous(self)
        )
        self.upkeep = Upkeep(self)
        self.staff = Staff(self)

    # -- the session ----------------------------------------------------------------------------

    def run(self) -> Process:
        """Prime, connect, draw, exchange until the prescribed plasma is off, rinse back."""
        self._prime()
        self.upkeep.start()
        yield from self._connect()
        yield from self.way.exchange()
        self.times.exchange_end = self.env.now
        yield from rinse_back(self)
        self.upkeep.stop()
        yield from self._disconnect()

    def _prime(self) -> None:
        """Fill the circuit; done before the patient is connected."""
        device, prime = self.machine.device, self.machine.prime
        self._blood_before = self.bedside.vitals().blood_volume
        what = f"{self.circuit_volume:.0f} mL {prime.name if prime else SALINE}"
        if isinstance(self.separator, Bowl):
            what = f"an empty bowl of {self.separator.facts.bowl_volume:.0f} mL"
        self.enter("prime", f"{what}; took {device.prime_time:.0f} min before the connection")
        self.upkeep.check_volume(self.way.outside_most)

    @property
    def circuit_volume(self) -> float:
        """Blood that the circuit holds, mL; with one needle, also what is drawn between returns."""
        return self.machine.device.extracorporeal_volume + self.drawn_ahead

    @property
    def drawn_ahead(self) -> float:
        """Blood, mL, that waits in a bag until a single needle is free to return it."""
        return self.machine.device.single_needle_volume if self.controller.one_needle else 0.0

    def _connect(self) -> Process:
        self.enter("connect", self.machine.access.title)
        self.times.connected = self.env.now
        self.bedside.connect()
        machine = self.machine
        if machine.anticoagulant_bolus:
            units = machine.anticoagulant_bolus * machine.anticoagulant.activity
            self.bedside.log("anticoagulant-bolus", f"{units:.0f} U {machine.anticoagulant.name}")
            self.bedside.give(machine.anticoagulant, machine.anticoagulant_bolus, BOLUS_TIME)
        yield self.env.timeout(machine.device.connect_time)

    def _disconnect(self) -> Process:
        self.phase = "disconnect"
        self.bedside.disconnect()
        yield self.env.timeout(self.machine.device.disconnect_time)
        self.times.disconnected = self.env.now
        self.enter("disconnect", self.stop_reason or "session completed")

    # -- what staff and misfortune do ------------------------------------------------------------

    def change(self, path: str, value: Any) -> bool:
        """Change a setting; False when it already was so, and nothing was touched."""
        if path == "prescription.replacement":
            return self._replace_with(value)
        if path == "machine.plasma_flow":
            return self._order_plasma(value)
        place = SETTING[path]
        if getattr(self.settings, place) == value:
            return False
        setattr(self.settings, place, value)
        if place == "inlet_flow":
            self.controller.slowed = 1.0  # somebody has decided anew
        elif place == "calcium_flow":
            self.settings.calcium_per_replacement = 0.0  # a rate takes its place
        self.wake()
        return True

    def _order_plasma(self, flow: float) -> bool:
        """From now on let the membrane filter so much, mL/min."""
        membrane = self.separator
        if not isinstance(membrane, Membrane) or (membrane.ordered, membrane.eased) == (flow, 1.0):
            return False
        membrane.order(flow)
        self.wake()
        return True

    def _replace_with(self, fluid: catalog.Fluid) -> bool:
        """From now on this fluid and no other; hung by the operator if the exchange runs."""
        if self.line.only(fluid):
            return False
        self.count()
        self.line.replace_all_with(fluid)
        if self.replacing:
            self._hang_fluid()
        return True

    def give_up(self, reason: str, *, circuit_lost: bool) -> None:
        """End the session before its target; what is in the circuit is given back or lost."""
        if not self.running or (self.phase == "rinseback" and not circuit_lost):
            return
        self.circuit_lost = circuit_lost
        if self.stop_reason is None:
            self.stop_reason = reason
            self.bedside.log("session-ended-early", reason)
        if circuit_lost:
            self.phase = "ended"
        self.wake()

    @property
    def flows(self) -> PumpFlows:
        """The flows of the present stretch."""
        return self._pumping[0]

    @property
    def uncounted(self) -> float:
        """Minutes of the present stretch that the tally and the bottles do not know of yet."""
        _, begin, counted = self._pumping
        return self.env.now - begin - counted

    def ended(self) -> bool:
        """Whether drawing and exchanging are over before their time."""
        return self.stop_reason is not None

    def over(self) -> bool:
        """Whether nothing is left to wait for: ended early, or the circuit lost."""
        return self.circuit_lost or (self.ended() and self.phase not in ("return", "rinseback"))

    @property
    def running(self) -> bool:
        """Whether the patient is connected and the session has not ended."""
        return self.phase in ("connect", "draw", "exchange", "return", "rinseback")

    @property
    def adjustable(self) -> bool:
        """Whether a change of settings can still have an effect."""
        return self.phase in ("connect", "draw", "exchange", "return")

    @property
    def replacing(self) -> bool:
        """Whether a bottle of replacement fluid hangs where it is drawn from."""
        return self.phase in ("exchange", "return")

    @property
    def to_target(self) -> float:
        """Patient plasma still to be removed, or treated, mL."""
        return max(0.0, self.settings.target - self.tally.dose)

    @property
    def at_target(self) -> bool:
        """Whether, but for rounding, all of it is."""
        return self.settings.target - self.tally.dose <= LEFT_BY_ROUNDING

    def count(self) -> None:
        """Count what the pumps have moved up to now; the stretch goes on."""
        flows, begin, counted = self._pumping
        minutes = self.env.now - begin
        self._count(flows, minutes - counted)
        self._pumping = (flows, begin, minutes)

    def note_first_draw(self) -> None:
        """Blood is drawn from now on."""
        if not has_come(self.times.draw):
            self.times.draw = self.env.now

    def fill(self, volume: float) -> None:
        """Count blood with anticoagulant (mL) that now stands in the circuit."""
        self.outside += volume
        self.tally.outside_most = max(self.tally.outside_most, self.outside)

    def warn(self, about: str, text: str) -> None:
        """Tell, once in a session, of a limit that is passed."""
        if about not in self._warned:
            self._warned.add(about)
            self.bedside.log("warning", text)

    # -- the patient -------------------------------------------------------------------------------

    def patient_now(self) -> Vitals:
        """The patient as seen now; raises `ImpossibleRunError` if far too little blood is left."""
        vitals = self.bedside.vitals()
        if little := little_blood(vitals, self._blood_before, self.line):
            self.warn("blood volume", little)
        return vitals

    @contextmanager
    def dated(self) -> Iterator[None]:
        """What turns out to be impossible here is told with its moment."""
        try:
            yield
        except ImpossibleRunError as error:
            minute, day = self.env.now - self.times.connected, self.env.now / MINUTES_PER_DAY
            moment = f"at {day:.4g} d, {minute:.0f} min into the session"
            raise ImpossibleRunError(f"{moment}: {error}") from None

    # -- waiting ---------------------------------------------------------------------------------

    def pump(
        self, exchange: Exchange, flows: PumpFlows, minutes: float
    ) -> Generator[simpy.Event, Any, float]:
        """Run the pumps at constant flows, at most for `minutes`; returns how long they ran."""
        self.bedside.exchange(exchange, flows)
        self._pumping = (flows, self.env.now, 0.0)
        self.upkeep.look()
        elapsed = yield from self.wait_while_running(minutes)
        self.bedside.exchange(REST, STOPPED)
        self._count(flows, elapsed - self._pumping[2])
        self._pumping = (STOPPED, 0.0, 0.0)
        return elapsed

    def _count(self, flows: PumpFlows, minutes: float) -> None:
        """What these flows have moved, from where to where."""
        self.tally.count(flows, minutes)
        self.anticoagulant_bag.room -= flows.anticoagulant * minutes
        self.waste_bag.room -= flows.plasma * minutes
        if flows.replacement:
            self.line.give(flows.replacement * minutes)
        if isinstance(self.separator, Membrane):
            self.separator.foul(flows.separated, minutes)

    def _wait(self, minutes: float) -> Generator[simpy.Event, Any, float]:
        """Wait; less than `minutes` if someone changes something. Returns how long."""
        begin = self.env.now
        self._changed = self.env.event()
        over = self.env.timeout(minutes)
        yield over | self._changed
        return minutes if over.processed else self.env.now - begin

    def wait_while_running(self, minutes: float) -> Generator[simpy.Event, Any, float]:
        """Wait, unless the pumps were stopped in the instant in which they started."""
        if self.upkeep.stopped_by() is not None:
            return 0.0
        elapsed: float = yield from self._wait(minutes)
        return elapsed

    def wake(self) -> None:
        """Something has changed: whoever waits looks again."""
        if not self._changed.triggered:
            self._changed.succeed()

    def until_free(self) -> Process:
        """Stand still while anything stops the pumps; too long, and the circuit clots."""
        self.upkeep.look()
        if self.upkeep.stopped_by() is None:
            return
        begin = self.env.now
        limit = self.machine.device.pump_stop_limit
        self.pumps_run = False
        self.upkeep.look()
        while (stopped_by := self.upkeep.stopped_by()) is not None and not self.over():
            left = begin + limit - self.env.now
            elapsed = yield from self._wait(left)
            if elapsed == left and (stopped_by := self.upkeep.stopped_by()) is not None:
                what = "clotted" if self.outside > 0 else "given up before blood was drawn"
                reason = f"{what}: pumps stood still for {limit:.0f} min ({stopped_by})"
                self.give_up(reason, circuit_lost=True)
        self.pumps_run = True
        self._pause(held := self.env.now - begin)
        if held > 0 and not self.over():
            self.bedside.log("resumed", f"after {held:.1f} min")

    def _pause(self, minutes: float) -> None:
        """Count a pause, if it falls between first draw and end of exchange."""
        if has_come(self.times.draw) and not has_come(self.times.exchange_end):
            self.times.paused += minutes

    def anticoagulant_lasts(self, flows: PumpFlows) -> float:
        """Minutes until the bag or syringe of anticoagulant is empty."""
        used = flows.anticoagulant
        return self.anticoagulant_bag.room / used if used else math.inf

    def replacement_event(
        self, flows: PumpFlows, expected: float
    ) -> tuple[float, Callable[[], Any]]:
        """Minutes until the bottle is empty or the next fluid is due, and what then.

        `expected`: mL that the session will have replaced at its end.
        """
        if self.line.empties_first(expected):
            return self.line.until_bottle_empty() / flows.replacement, self.line.run_out
        return self.line.until_next_fluid(expected) / flows.replacement, self.change_fluid

    def change_fluid(self) -> None:
        """The next fluid is due."""
        self.line.change_fluid()
        self.bedside.log("replacement-changed", f"to {self.line.fluid.name}")
        self._hang_fluid()

    def _hang_fluid(self) -> None:
        """The operator hangs another fluid while the pumps stand still."""
        minutes = self.machine.device.change_over_time
        self.upkeep.task("change-fluid", minutes, f"{self.line.fluid.name} is next")

    def reach_target(self) -> None:
        """Tell that the prescribed plasma is off, and what was given beyond an order."""
        treated = f"{self.tally.treated:.0f} mL of patient plasma treated"
        removed = f"{self.tally.patient_plasma_removed:.0f} mL of patient plasma"
        self.bedside.log("target-reached", treated if self.tally.treated else removed)
        if (more := self.line.beyond_order()) > 1:
            self.bedside.log(
                "replacement-extended",
                f"{more:.0f} mL more {self.line.fluid.name} than ordered; no item takes the rest",
            )

    def enter(self, phase: str, detail: str) -> None:
        """Go on to a phase, and tell."""
        self.phase = phase
        self.bedside.log(phase, detail)
