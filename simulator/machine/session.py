"""One session on the machine: prime, connect, draw, exchange, rinse back, disconnect.

The machine knows its pumps, bottles and bags, and of the patient what `Vitals` shows. Between two
events all pumps run at constant rates; the next event (bottle empty, bag full, target reached) is
scheduled at the instant that follows from the rates, and dropped when something changes before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.errors import ImpossibleRunError
from simulator.machine.alarms import ALARMS, BY_FAULT, Alarm
from simulator.machine.bedside import Bedside
from simulator.machine.control import Controller
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.separators import separator
from simulator.machine.supplies import Container, ReplacementLine
from simulator.machine.tally import SETTING, Settings, Tally, Times
from simulator.orders import MachineSettings, Prescription
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
    tally: Tally = field(default_factory=Tally)
    times: Times = field(default_factory=Times)
    alarms: dict[str, int] = field(default_factory=lambda: {alarm.name: 0 for alarm in ALARMS})
    stop_reason: str | None = None
    phase: str = "prime"

    def __post_init__(self) -> None:
        device, order = self.machine.device, self.prescription
        calcium = order.calcium
        self.settings = Settings(
            inlet_flow=self.machine.inlet_flow,
            ratio=self.machine.anticoagulant_ratio,
            target=self.target,
            fluid_balance=order.fluid_balance,
            calcium_flow=(calcium.flow or 0.0) if calcium else 0.0,
            calcium_per_replacement=(calcium.per_replacement or 0.0) if calcium else 0.0,
        )
        self.line = ReplacementLine(order.replacement)
        self.anticoagulant_bag = Container(self.machine.anticoagulant.container)
        self.waste_bag = Container(device.waste_bag)
        self.controller = Controller(
            machine=self.machine,
            separator=separator(device.separator),
            settings=self.settings,
            citrate_limit=self.citrate_limit,
            calcium=calcium.fluid if calcium else None,
        )
        self._faults: Counter[str] = Counter()
        """Faults present; the same may be there more than once."""
        self._changed = self.env.event()
        self._pumping = (STOPPED, 0.0, 0.0)
        """The flows of the present stretch, when it began, and how much of it is counted, min."""
        self._limited = False
        """Whether citrate holds the inlet flow back."""
        self._outside = 0.0
        """Blood with anticoagulant in the circuit, mL."""

    # -- the session ----------------------------------------------------------------------------

    def run(self) -> Process:
        """Prime, connect, draw, exchange until the prescribed plasma is off, rinse back."""
        self._prime()
        yield from self._connect()
        yield from self._draw()
        yield from self._exchange()
        self.times.exchange_end = self.env.now
        yield from self._rinse_back()
        yield from self._disconnect()

    def _prime(self) -> None:
        """Fill the circuit with saline; done before the patient is connected."""
        device = self.machine.device
        self._enter(
            "prime",
            f"{device.extracorporeal_volume:.0f} mL saline; "
            f"took {device.prime_time:.0f} min before the patient was connected",
        )

    def _connect(self) -> Process:
        self._enter("connect", self.machine.access.title)
        self.times.connected = self.env.now
        self.bedside.connect()
        yield self.env.timeout(self.machine.device.connect_time)

    def _draw(self) -> Process:
        """Fill the circuit with blood; its prime is displaced into the waste bag."""
        volume = self.machine.device.extracorporeal_volume
        self._enter("draw", f"{volume:.0f} mL of prime are displaced into the waste bag")
        while volume > 0:
            yield from self._hold_while_faulty()
            if self._ended():
                return
            if math.isnan(self.times.draw):
                self.times.draw = self.env.now
            flows = self.controller.filling()
            drawn, what_then = min(
                (
                    (volume, None),
                    (
                        self.anticoagulant_bag.room * self.settings.ratio,
                        self._change_anticoagulant_bag,
                    ),
                    (self.waste_bag.room, self._change_waste_bag),
                ),
                key=lambda due: due[0],
            )
            minutes = drawn / flows.inlet
            elapsed = yield from self._pump(self.controller.fills(flows), flows, minutes)
            displaced = drawn if elapsed == minutes else elapsed * flows.inlet
            self.waste_bag.room -= displaced
            self._outside += displaced
            volume -= displaced
            if elapsed == minutes and what_then is not None:
                yield from what_then()

    def _exchange(self) -> Process:
        """Take plasma off and give the replacement until the target is reached."""
        if self._ended():
            return
        self._enter("exchange", f"{self.settings.target:.0f} mL of patient plasma to remove")
        while True:
            yield from self._hold_while_faulty()
            if self._ended():
                return
            flows = self._flows_now()
            minutes, what_then = min(self._next_events(flows), key=lambda due: due[0])
            elapsed = yield from self._pump(
                self.controller.exchanges(flows, self.line), flows, minutes
            )
            if elapsed == minutes:
                if what_then == self._reach_target:
                    self._reach_target()
                    return
                yield from what_then()

    def _next_events(self, flows: PumpFlows) -> list[tuple[float, Callable[[], Any]]]:
        """Minutes until each thing that ends a stretch of constant flows, and what it leads to."""
        to_target = self.settings.target - self.tally.patient_plasma_removed
        due: list[tuple[float, Callable[[], Any]]] = [
            (max(0.0, to_target) / flows.patient_plasma, self._reach_target),
            (self.anticoagulant_bag.room / flows.anticoagulant, self._change_anticoagulant_bag),
            (self.waste_bag.room / flows.plasma, self._change_waste_bag),
            (self.machine.device.hematocrit_update, self._update_hematocrit),
        ]
        if flows.replacement:
            per_plasma = flows.replacement / flows.patient_plasma
            expected = self.line.replaced + per_plasma * max(0.0, to_target)
            due += [
                (self.line.until_next_fluid(expected) / flows.replacement, self._change_fluid),
                (self.line.until_bottle_empty() / flows.replacement, self._change_bottle),
            ]
        return due

    def _rinse_back(self) -> Process:
        """Saline pushes the blood in the circuit back to the patient."""
        if self._ended():
            if self._outside > 0:
                self.bedside.log("no-rinseback", "the blood in the circuit is lost")
            return
        device = self.machine.device
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
            yield from self._hold_while_faulty()
            if self._ended():
                return
            self.bedside.exchange(exchange, STOPPED)
            elapsed = yield from self._wait(minutes)
            self.bedside.exchange(REST, STOPPED)
            minutes -= elapsed

    def _disconnect(self) -> Process:
        self.bedside.disconnect()
        yield self.env.timeout(self.machine.device.disconnect_time)
        self.times.disconnected = self.env.now
        self._enter("disconnect", self.stop_reason or "session completed")

    # -- what staff and misfortune do ------------------------------------------------------------

    def begin_fault(self, alarm: Alarm, detail: str) -> None:
        """Something goes wrong: the alarm sounds and all pumps stop."""
        self._faults[alarm.fault] += 1
        self.count()  # what was left in a container is lost; a new one will hang
        if alarm.fault == "replacement-bottle-empty" and self.line.orders:
            self.line.change_bottle()
        elif alarm.fault == "anticoagulant-bag-empty":
            self.anticoagulant_bag.change()
        elif alarm.fault == "waste-bag-full":
            self.waste_bag.change()
        if self.phase == "connect":
            self.bedside.log("fault", f"{detail}; the pumps do not run yet")
        else:
            self._sound(alarm, f"{detail}: all pumps stop" if detail else "")
        self._wake()

    def end_fault(self, alarm: Alarm) -> None:
        """The fault is cleared; the pumps start again when no other is left."""
        self._faults -= Counter([alarm.fault])
        if self.running:
            self.bedside.log("cleared", alarm.fault)
            self._wake()

    def change(self, path: str, value: Any) -> bool:
        """Change a setting; False when it already was so, and nothing was touched."""
        place = SETTING[path]
        if getattr(self.settings, place) == value:
            return False
        setattr(self.settings, place, value)
        if place == "calcium_flow":
            self.settings.calcium_per_replacement = 0.0  # a rate takes its place
        self._wake()
        return True

    def _ended(self) -> bool:
        return self.stop_reason is not None

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
        elapsed = yield from self._wait(minutes)
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

    def _wake(self) -> None:
        if not self._changed.triggered:
            self._changed.succeed()

    def _hold_while_faulty(self) -> Process:
        """Stand still until every fault is cleared; too long, and the circuit clots."""
        if not self._faults:
            return
        begin = self.env.now
        limit = self.machine.device.pump_stop_limit
        while self._faults and not self._ended():
            left = begin + limit - self.env.now
            elapsed = yield from self._wait(left)
            if self._faults and elapsed == left:
                fault = next(iter(self._faults))
                what = "clotted" if self._outside > 0 else "given up before blood was drawn"
                self._stop(f"{what}: pumps stood still for {limit:.0f} min ({fault})")
        self._pause(held := self.env.now - begin)
        if held > 0 and not self._ended():
            self.bedside.log("resumed", f"after {held:.1f} min")

    def _pause(self, minutes: float) -> None:
        """Count a pause, if it falls between first draw and end of exchange."""
        if not math.isnan(self.times.draw) and math.isnan(self.times.exchange_end):
            self.times.paused += minutes

    def _update_hematocrit(self) -> Process:
        """The flows follow the hematocrit: the loop computes them anew."""
        yield self.env.timeout(0)

    def _stand_still(self) -> Process:
        """The pumps stand still while something is changed."""
        yield self.env.timeout(self.machine.device.change_over_time)
        self._pause(self.machine.device.change_over_time)

    def _change_bottle(self) -> Process:
        alarm = BY_FAULT["replacement-bottle-empty"]
        self._sound(alarm, f"next bottle of {self.line.fluid.name}")
        yield from self._stand_still()
        self.line.change_bottle()

    def _change_fluid(self) -> Process:
        self.line.change_fluid()
        self.bedside.log("replacement-changed", f"to {self.line.fluid.name}")
        yield from self._stand_still()

    def _change_anticoagulant_bag(self) -> Process:
        self._sound(BY_FAULT["anticoagulant-bag-empty"], "next bag")
        yield from self._stand_still()
        self.anticoagulant_bag.change()

    def _change_waste_bag(self) -> Process:
        self._sound(BY_FAULT["waste-bag-full"], "next bag")
        yield from self._stand_still()
        self.waste_bag.change()

    def _reach_target(self) -> None:
        self.bedside.log(
            "target-reached", f"{self.tally.patient_plasma_removed:.0f} mL of patient plasma"
        )
        if (more := self.line.beyond_order()) > 1:
            self.bedside.log(
                "replacement-extended",
                f"{more:.0f} mL more {self.line.fluid.name} than ordered; no item takes the rest",
            )

    # -- telling ---------------------------------------------------------------------------------

    def _enter(self, phase: str, detail: str) -> None:
        self.phase = phase
        self.bedside.log(phase, detail)

    def _sound(self, alarm: Alarm, detail: str) -> None:
        self.alarms[alarm.name] += 1
        self.bedside.log(f"alarm:{alarm.name}", detail or alarm.meaning)

    def _stop(self, reason: str) -> None:
        self.stop_reason = reason
        self.phase = "ended"
        self.bedside.log("session-ended-early", reason)
