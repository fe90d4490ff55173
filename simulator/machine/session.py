"""One session on the machine: prime, connect, draw, exchange, rinse back, disconnect.

The machine knows its pumps, bottles and bags, and of the patient what `Vitals` shows. Between two
events all pumps run at constant rates; the next event (bottle empty, bag full, target reached) is
scheduled at the instant that follows from the rates, and dropped when something changes before.
What stops the pumps is not its business: it asks `upkeep` whether they may run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.errors import ImpossibleRunError
from simulator.machine.bedside import Bedside
from simulator.machine.control import Controller
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.separators import separator
from simulator.machine.staff import Staff
from simulator.machine.supplies import Container, ReplacementLine
from simulator.machine.tally import SETTING, Settings, Tally, Times
from simulator.machine.upkeep import Upkeep
from simulator.orders import Attendance, MachineSettings, Prescription
from simulator.units import MINUTES_PER_DAY

Process = Generator[simpy.Event, Any, None]
SALINE = "saline"
"""What primes and rinses the circuit."""


@dataclass
class Session:
    """One session as a process in time."""

    env: simpy.Environment
    bedside: Bedside
    machine: MachineSettings
    prescription: Prescription
    target: float
    """Patient plasma to remove, mL."""
    citrate_limit: float
    """Most anticoagulant the patient may get, mL/min."""
    attendance: Attendance | None = None
    """Who looks after the machine; None: an operator who is always there at once."""
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
        self.controller = Controller(
            machine=self.machine,
            separator=separator(device.separator),
            settings=self.settings,
            citrate_limit=self.citrate_limit,
            calcium=order.calcium.fluid if order.calcium else None,
        )
        self.pumps_run = True
        """False while they stand still for longer than a change of flows takes."""
        self._changed = self.env.event()
        self._pumping = (STOPPED, 0.0, 0.0)
        """The flows of the present stretch, when it began, and how much of it is counted, min."""
        self._limited = False
        """Whether citrate holds the inlet flow back."""
        self._outside = 0.0
        """Blood with anticoagulant in the circuit, mL."""
        self.upkeep = Upkeep(self)
        self.staff = Staff(self)

    # -- the session ----------------------------------------------------------------------------

    def run(self) -> Process:
        """Prime, connect, draw, exchange until the prescribed plasma is off, rinse back."""
        self._prime()
        self.upkeep.start()
        yield from self._connect()
        yield from self._draw()
        yield from self._exchange()
        self.times.exchange_end = self.env.now
        yield from self._rinse_back()
        self.upkeep.stop()
        yield from self._disconnect()

    def _prime(self) -> None:
        """Fill the circuit; done before the patient is connected."""
        device, prime = self.machine.device, self.machine.prime
        what = f"{device.extracorporeal_volume:.0f} mL {prime.name if prime else SALINE}"
        self._enter("prime", f"{what}; took {device.prime_time:.0f} min before the connection")
        self.upkeep.check_volume()

    def _connect(self) -> Process:
        self._enter("connect", self.machine.access.title)
        self.times.connected = self.env.now
        self.bedside.connect()
        yield self.env.timeout(self.machine.device.connect_time)

    def _draw(self) -> Process:
        """Fill the circuit with blood; its prime is displaced into the waste bag."""
        volume = self.machine.device.extracorporeal_volume
        prime = self.machine.prime
        where = "given to the patient" if prime else "displaced into the waste bag"
        self._enter("draw", f"{volume:.0f} mL of prime are {where}")
        while volume > 0:
            yield from self._hold()
            if self._ended():
                return
            if math.isnan(self.times.draw):
                self.times.draw = self.env.now
            flows = self.controller.filling()
            room = math.inf if prime else self.waste_bag.room
            until_empty = self.anticoagulant_bag.room * self.settings.ratio
            drawn, runs_out = min(
                ((volume, None), (until_empty, self.anticoagulant_bag), (room, self.waste_bag)),
                key=lambda due: due[0],
            )
            minutes = drawn / flows.inlet
            elapsed = yield from self._pump(self.controller.fills(flows), flows, minutes)
            displaced = drawn if elapsed == minutes else elapsed * flows.inlet
            if prime is None:
                self.waste_bag.room -= displaced
            self._outside += displaced
            volume -= displaced
            if elapsed == minutes and runs_out is not None:
                runs_out.run_out()

    def _exchange(self) -> Process:
        """Take plasma off and give the replacement until the target is reached."""
        if self._ended():
            return
        self._enter("exchange", f"{self.settings.target:.0f} mL of patient plasma to remove")
        while True:
            yield from self._hold()
            if self._ended():
                return
            flows = self._flows_now()
            minutes, what_then = min(self._next_events(flows), key=lambda due: due[0])
            elapsed = yield from self._pump(
                self.controller.exchanges(flows, self.line), flows, minutes
            )
            if elapsed == minutes:
                what_then()
                if what_then == self._reach_target:
                    return

    def _next_events(self, flows: PumpFlows) -> list[tuple[float, Callable[[], Any]]]:
        """Minutes until each thing that ends a stretch of constant flows, and what it leads to."""
        to_target = max(0.0, self.settings.target - self.tally.counted_plasma)
        due: list[tuple[float, Callable[[], Any]]] = [
            (to_target / flows.counted_plasma, self._reach_target),
            (self.anticoagulant_bag.room / flows.anticoagulant, self.anticoagulant_bag.run_out),
            (self.waste_bag.room / flows.plasma, self.waste_bag.run_out),
            (self.machine.device.hematocrit_update, lambda: None),  # flows are computed anew
        ]
        if flows.replacement:
            per_plasma = flows.replacement / flows.counted_plasma
            expected = self.line.replaced + per_plasma * to_target
            due += [
                (self.line.until_next_fluid(expected) / flows.replacement, self._change_fluid),
                (self.line.until_bottle_empty() / flows.replacement, self.line.run_out),
            ]
        return due

    def _rinse_back(self) -> Process:
        """Saline pushes the blood in the circuit back to the patient."""
        device = self.machine.device
        if self.circuit_lost or not self.machine.rinseback or self._outside == 0:
            if self.circuit_lost and self._outside > 0:
                self.bedside.log("no-rinseback", "the blood in the circuit is lost")
            elif self._outside > 0:
                self.bedside.log("rinseback-omitted", "as ordered; the blood stays in the set")
            return
        self._enter("rinseback", f"{device.rinseback_volume:.0f} mL saline")
        content = min(device.rinseback_volume, self._outside)
        flow = device.rinseback_flow
        yield from self._push(Exchange(circuit_to_patient=flow), content / flow)
        beyond = device.rinseback_volume - content
        if beyond > 0:
            saline = catalog.fluid(SALINE)
            yield from self._push(Exchange(given=((saline, flow),)), beyond / flow)

    def _push(self, exchange: Exchange, minutes: float) -> Process:
        """Rinse for so many minutes, not counting those in which a fault holds the pumps."""
        while minutes > 0:
            yield from self._hold()
            if self.circuit_lost:
                return
            self.bedside.exchange(exchange, STOPPED)
            self.upkeep.look()
            elapsed = yield from self._wait_while_running(minutes)
            self.bedside.exchange(REST, STOPPED)
            minutes -= elapsed

    def _disconnect(self) -> Process:
        self.phase = "disconnect"
        self.bedside.disconnect()
        yield self.env.timeout(self.machine.device.disconnect_time)
        self.times.disconnected = self.env.now
        self._enter("disconnect", self.stop_reason or "session completed")

    # -- what staff and misfortune do ------------------------------------------------------------

    def change(self, path: str, value: Any) -> bool:
        """Change a setting; False when it already was so, and nothing was touched."""
        if path == "prescription.replacement":
            return self._replace_with(value)
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

    def _replace_with(self, fluid: catalog.Fluid) -> bool:
        """From now on this fluid and no other; hung by the operator if the exchange runs."""
        if self.line.only(fluid):
            return False
        self.count()
        self.line.replace_all_with(fluid)
        if self.phase == "exchange":
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

    def _ended(self) -> bool:
        """Whether drawing and exchanging are over before their time."""
        return self.stop_reason is not None

    def _over(self) -> bool:
        """Whether nothing is left to wait for: ended early, or the circuit lost."""
        return self.circuit_lost or (self._ended() and self.phase != "rinseback")

    @property
    def running(self) -> bool:
        """Whether the patient is connected and the session has not ended."""
        return self.phase in ("connect", "draw", "exchange", "rinseback")

    @property
    def adjustable(self) -> bool:
        """Whether a change of settings can still have an effect."""
        return self.phase in ("connect", "draw", "exchange")

    def count(self) -> None:
        """Count what the pumps have moved up to now; the stretch goes on."""
        flows, begin, counted = self._pumping
        minutes = self.env.now - begin
        self._count(flows, minutes - counted)
        self._pumping = (flows, begin, minutes)

    # -- flows -------------------------------------------------------------------------------------

    def _flows_now(self) -> PumpFlows:
        """All flows for the settings and the patient as they are now."""
        try:
            flows = self.controller.exchanging(self.bedside.vitals(), self.line)
        except ImpossibleRunError as error:
            minute = self.env.now - self.times.connected
            day = self.env.now / MINUTES_PER_DAY
            raise ImpossibleRunError(
                f"at {day:.4g} d, {minute:.0f} min into the session: {error}"
            ) from None
        asked = self.controller.deliverable_inlet()
        if flows.inlet < asked and not self._limited:
            self.bedside.log(
                "inlet-flow-limited",
                f"{flows.inlet:.1f} instead of {asked:.1f} mL/min: citrate reaching the patient",
            )
        self._limited = flows.inlet < asked
        return flows

    # -- waiting ---------------------------------------------------------------------------------

    def _pump(
        self, exchange: Exchange, flows: PumpFlows, minutes: float
    ) -> Generator[simpy.Event, Any, float]:
        """Run the pumps at constant flows, at most for `minutes`; returns how long they ran."""
        self.bedside.exchange(exchange, flows)
        self._pumping = (flows, self.env.now, 0.0)
        self.upkeep.look()
        elapsed = yield from self._wait_while_running(minutes)
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

    def _wait(self, minutes: float) -> Generator[simpy.Event, Any, float]:
        """Wait; less than `minutes` if someone changes something. Returns how long."""
        begin = self.env.now
        self._changed = self.env.event()
        over = self.env.timeout(minutes)
        yield over | self._changed
        return minutes if over.processed else self.env.now - begin

    def _wait_while_running(self, minutes: float) -> Generator[simpy.Event, Any, float]:
        """Wait, unless the pumps were stopped in the instant in which they started."""
        if self.upkeep.stopped_by() is not None:
            return 0.0
        elapsed: float = yield from self._wait(minutes)
        return elapsed

    def wake(self) -> None:
        """Something has changed: whoever waits looks again."""
        if not self._changed.triggered:
            self._changed.succeed()

    def _hold(self) -> Process:
        """Stand still while anything stops the pumps; too long, and the circuit clots."""
        self.upkeep.look()
        if self.upkeep.stopped_by() is None:
            return
        begin = self.env.now
        limit = self.machine.device.pump_stop_limit
        self.pumps_run = False
        self.upkeep.look()
        while (stopped_by := self.upkeep.stopped_by()) is not None and not self._over():
            left = begin + limit - self.env.now
            elapsed = yield from self._wait(left)
            if elapsed == left and (stopped_by := self.upkeep.stopped_by()) is not None:
                what = "clotted" if self._outside > 0 else "given up before blood was drawn"
                reason = f"{what}: pumps stood still for {limit:.0f} min ({stopped_by})"
                self.give_up(reason, circuit_lost=True)
        self.pumps_run = True
        self._pause(held := self.env.now - begin)
        if held > 0 and not self._over():
            self.bedside.log("resumed", f"after {held:.1f} min")

    def _pause(self, minutes: float) -> None:
        """Count a pause, if it falls between first draw and end of exchange."""
        if not math.isnan(self.times.draw) and math.isnan(self.times.exchange_end):
            self.times.paused += minutes

    def _change_fluid(self) -> None:
        """The next fluid is due."""
        self.line.change_fluid()
        self.bedside.log("replacement-changed", f"to {self.line.fluid.name}")
        self._hang_fluid()

    def _hang_fluid(self) -> None:
        """The operator hangs another fluid while the pumps stand still."""
        minutes = self.machine.device.change_over_time
        self.upkeep.task("change-fluid", minutes, f"{self.line.fluid.name} is next")

    def _reach_target(self) -> None:
        self.bedside.log(
            "target-reached", f"{self.tally.patient_plasma_removed:.0f} mL of patient plasma"
        )
        if (more := self.line.beyond_order()) > 1:
            self.bedside.log(
                "replacement-extended",
                f"{more:.0f} mL more {self.line.fluid.name} than ordered; no item takes the rest",
            )

    def _enter(self, phase: str, detail: str) -> None:
        self.phase = phase
        self.bedside.log(phase, detail)
