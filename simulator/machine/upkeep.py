"""Upkeep: what goes wrong with the machine, which alarm that raises, and who sees to it.

A fault changes what the sensors read; protection sounds the alarm of that row and stops the pumps;
the operator comes, acknowledges and mends; protection releases the alarm; the session goes on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator
from random import Random
from typing import TYPE_CHECKING, Any

import simpy

from simulator.catalog import chance_rate
from simulator.machine import access
from simulator.machine.access import Vessel, access_pressure
from simulator.machine.alarms import (
    ALARMS,
    BY_FAULT,
    CONTAINERS,
    SPOILING,
    TRIES_WITHIN,
    Alarm,
    Priority,
    Readings,
    Response,
)
from simulator.machine.operator import Operator
from simulator.machine.protection import STOPPING, Protection
from simulator.machine.separators import Bowl, Membrane

if TYPE_CHECKING:
    from simulator.machine.session import Session

Process = Generator[simpy.Event, Any, None]

RETURN_PRESSURE = 100.0
"""mmHg in the return line as long as nothing blocks it [assumed; no flow dependence modeled]."""
LARGE_SHARE_OUTSIDE = 0.15
"""Share of the blood volume outside above which a custom prime is advised [10-15 %, unverified]."""
RICHER = 0.8
"""Factor on the inlet:anticoagulant ratio after clumps were seen [assumed]."""
PUMPING = ("draw", "exchange", "return", "rinseback")


class Upkeep:
    """Everything that keeps the pumps of one session from running."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.env = session.env
        self.alarms: dict[str, int] = {alarm.name: 0 for alarm in ALARMS}
        """How often each has sounded."""
        self.protection = Protection(self.env, self.readings, self._sounds, self._released)
        self.operator = Operator(self.env, session.attendance, self._luck("operator"))
        self.vessel = Vessel(session.machine.access, self._luck("access"))
        self._faults: Counter[str] = Counter()
        """Faults present; the same may be there more than once."""
        self._timed: Counter[str] = Counter()
        """Of these, how many end when the scenario says so."""
        self._tasks: Counter[str] = Counter()
        """What else holds the pumps: the operator at work, the patient."""
        self._called: set[str] = set()
        """The alarms for which the operator is on his way, or at work."""
        self._details: dict[str, str] = {}
        self._failed: list[float] = []
        """When the access did not deliver, since it was last put right."""
        self._repositioned = 0
        self._beyond_repair = False

    def _luck(self, purpose: str) -> Random | None:
        return self.session.luck(purpose) if self.session.luck else None

    # -- what runs beside the session -------------------------------------------------------------

    def start(self) -> None:
        """From first contact on: the operator's rounds, and what happens by chance."""
        self.operator.start()
        attendance = self.session.attendance
        if attendance is not None and attendance.vital_signs < math.inf:
            self.env.process(self._vital_signs(attendance.vital_signs))
        if self.session.luck is None:
            return
        self.env.process(self._vessel_moves(self.session.luck("vessel")))
        machine = self.session.machine
        for fault, probability in machine.device.disturbances.items():
            self.env.process(self._by_chance(BY_FAULT[fault], probability))
        self.env.process(self._by_chance(BY_FAULT["access-failure"], machine.access.failure))

    def check_volume(self, volume: float) -> None:
        """Warn of a circuit that takes much (mL) of the patient's blood, before it does."""
        share = volume / self.session.bedside.vitals().blood_volume
        if share > LARGE_SHARE_OUTSIDE and self.session.machine.prime is None:
            bowl = isinstance(self.session.separator, Bowl)
            advice = "is not advised" if bowl else "a prime of red cells is advised"
            self.session.bedside.log(
                "warning",
                f"{'each draw will take' if bowl else 'the circuit will hold'} {100 * share:.1f} % "
                f"of the blood volume; above {100 * LARGE_SHARE_OUTSIDE:.0f} % {advice}",
            )

    def stop(self) -> None:
        """The session is over."""
        self.operator.stop()

    def _vital_signs(self, every: float) -> Process:
        while True:
            yield self.env.timeout(every)
            if not self.session.running:
                return
            visit = yield from self.operator.come(Priority.ROUTINE)
            if self.session.running:
                yield self.env.timeout(self.operator.around(self.operator.habits.vital_signs_time))
            if self.session.running:
                self.did("take-vital-signs", f"every {every:g} min")
                delivers = not self._failed or self._failed[-1] < self.env.now - every
                if self.session.controller.slowed < 1 and delivers:
                    self._raise_flow()
            self.operator.leave(visit)

    def _vessel_moves(self, luck: Random) -> Process:
        while self.session.running:
            minutes = luck.expovariate(1 / access.MOVES_EVERY)
            yield self.env.timeout(minutes)
            self.vessel.move(minutes)
            self.look()

    def _by_chance(self, alarm: Alarm, probability: float) -> Process:
        luck = self._luck(alarm.fault)
        assert luck is not None
        while probability and self.session.running:
            yield self.env.timeout(luck.expovariate(chance_rate(probability)))
            if self.session.phase in PUMPING:
                self._beyond_repair |= alarm.fault == "access-failure"
                self.begin_fault(alarm, f"{alarm.fault} by chance", timed=False)

    # -- readings and alarms ----------------------------------------------------------------------

    def look(self) -> None:
        """Let protection look at the readings, while the pumps have something to do."""
        if self.session.phase in PUMPING:
            self.protection.look()

    def readings(self) -> Readings:
        """What the sensors show: the machine as it is, and what faults make of it."""
        session, device = self.session, self.session.machine.device
        drawing = session.phase in ("exchange", "draw")
        membrane = session.separator if isinstance(session.separator, Membrane) else None
        calls = self.protection.is_latched(BY_FAULT["access-failure"])
        since = -math.inf if calls else self.env.now - TRIES_WITHIN
        shown: dict[str, Any] = {
            "access_pressure": access_pressure(
                self.vessel.pressure,
                session.controller.drawn(session.flows.inlet),
                session.machine.access,
            ),
            "access_pressure_limit": device.access_pressure_limit,
            "return_pressure": RETURN_PRESSURE,
            "return_pressure_limit": device.return_pressure_limit,
            "replacement_left": (
                session.line.until_bottle_empty() if session.replacing else math.inf
            ),
            "anticoagulant_left": session.anticoagulant_bag.room if drawing else math.inf,
            "waste_room": session.waste_bag.room if drawing else math.inf,
            "failed_draws": sum(time > since for time in self._failed),
            "flow_share": session.controller.slowed,
            "pumps_run": session.pumps_run,
        }
        if membrane is not None:
            shown["transmembrane_pressure"] = membrane.pressure(session.flows.separated)
            shown["transmembrane_pressure_limit"] = membrane.facts.transmembrane_pressure_max
        for fault, present in self._faults.items():
            if present:
                shown |= BY_FAULT[fault].reads
        return Readings(**shown)

    def stopped_by(self) -> str | None:
        """What keeps the pumps from running now, if anything does."""
        latched = self.protection.latched(*STOPPING)
        return latched[0].fault if latched else next((t for t, n in self._tasks.items() if n), None)

    def _sounds(self, alarm: Alarm) -> None:
        """An alarm sounds: it is told, it stops the pumps, and somebody sees to it."""
        self.alarms[alarm.name] += 1
        injected = self._faults[alarm.fault] > 0
        detail = self._details.pop(alarm.fault, "") or self._next_container(alarm)
        if injected and alarm.response in STOPPING:
            detail = f"{detail}: all pumps stop"
        self.session.bedside.log(f"alarm:{alarm.name}", detail or alarm.meaning)
        if alarm.response is Response.REDUCE:
            self.session.controller.interface_seen = False
        if alarm.response is Response.RETRY and not injected:
            self._failed.append(self.env.now)
            self.env.process(self._retry(alarm))
            self.look()
        else:
            self._see_to(alarm)
        self.session.wake()

    def _released(self, alarm: Alarm) -> None:
        if alarm.response is Response.REDUCE:
            self.session.controller.interface_seen = True
        self.session.wake()

    def _retry(self, alarm: Alarm) -> Process:
        """The machine waits and tries again at a lower flow, without anybody's help."""
        luck = self.vessel.luck
        spread = luck.gauss(0.0, access.RETRY_SPREAD) if luck else 0.0
        yield self.env.timeout(access.RETRY_AFTER * math.exp(spread))
        if not self.session.running:
            return
        controller = self.session.controller
        controller.slowed *= access.SLOWER
        self.session.bedside.log(
            "inlet-flow-lowered", f"to {controller.deliverable_inlet():.1f} mL/min: {alarm.name}"
        )
        self.protection.acknowledge(alarm)
        self._see_to(alarm)  # if the vessel is shut even while nothing is drawn

    def _raise_flow(self) -> None:
        """The access has delivered for a while: one step back towards the flow that was set."""
        controller = self.session.controller
        slowed = controller.slowed / access.SLOWER
        controller.slowed = 1.0 if slowed > 1 - 1e-9 else slowed
        flow = controller.deliverable_inlet()
        self.did("raise-inlet-flow", f"to {flow:.1f} mL/min: the access has delivered")
        self.session.wake()

    # -- the operator -----------------------------------------------------------------------------

    def _see_to(self, alarm: Alarm) -> None:
        """Call the operator for a latched alarm, unless he is on his way for it or leaves it."""
        if not self.is_seen_to(alarm):
            return
        if alarm.action and self.protection.is_latched(alarm) and alarm.name not in self._called:
            self._called.add(alarm.name)
            self.env.process(self._attend(alarm))

    def is_seen_to(self, alarm: Alarm) -> bool:
        """Whether the operator sees to an alarm unasked."""
        return self.session.sees_to == "all" or alarm.name in CONTAINERS

    def _attend(self, alarm: Alarm) -> Process:
        """The operator comes and sees to an alarm."""
        visit = yield from self.operator.come(alarm.priority)
        yield from self._deal_with(alarm)
        self.operator.leave(visit)

    def _deal_with(self, alarm: Alarm) -> Process:
        """Acknowledge and, if it is up to the operator, mend."""
        protection = self.protection
        if self.session.running and protection.is_latched(alarm):
            protection.acknowledge(alarm)
            if not protection.is_latched(alarm):  # it was over before he came
                self.did("acknowledge", alarm.name)
            elif self._timed[alarm.fault]:  # it takes as long as the scenario says
                self.did(alarm.action, alarm.name)
            else:
                yield self.env.timeout(self.operator.handling(self._usual(alarm)))
                if protection.is_latched(alarm) and self.session.running:
                    self.did(alarm.action, alarm.name)
                    self._mend(alarm)
        self._called.remove(alarm.name)

    def see_to_now(self, alarm: Alarm) -> bool:
        """The operator, who is there, sees to an alarm; False if somebody already does."""
        if alarm.name in self._called:
            return False
        self._called.add(alarm.name)
        self.env.process(self._deal_with(alarm))
        return True

    def holds(self, reason: str) -> bool:
        """Whether the pumps are held for this reason."""
        return self._tasks[reason] > 0

    def _usual(self, alarm: Alarm) -> float:
        """min that a free operator needs; how fast bottles are changed is the machine's."""
        if alarm.name in CONTAINERS:
            return self.session.machine.device.change_over_time
        return alarm.usual

    def _mend(self, alarm: Alarm) -> None:
        """Take away the cause, if anybody can."""
        session = self.session
        if alarm.fault == "device-failure":
            session.give_up("device failure", circuit_lost=True)
        elif alarm.fault in SPOILING:
            session.give_up(alarm.fault, circuit_lost=True)
        elif alarm.fault == "access-failure":
            self._repositioned += 1
            if self._beyond_repair or self._repositioned > access.REPOSITIONINGS:
                session.give_up("access lost", circuit_lost=False)
            self.vessel.settle()
            self._failed.clear()
            session.controller.slowed = 1.0
        elif alarm.fault == "clotting":
            lowest = session.machine.device.anticoagulant_ratio_min
            ratio = max(lowest, RICHER * session.settings.ratio)
            if session.change("machine.anticoagulant.ratio", ratio):
                session.bedside.log("set", f"machine.anticoagulant.ratio to {ratio:.3g}")
        elif alarm.fault == "access-occlusion":
            self.vessel.settle()
        else:
            self._hang_new(alarm)
        self._faults[alarm.fault] = self._timed[alarm.fault]  # those end when the scenario says
        self.look()

    def _hang_new(self, alarm: Alarm) -> None:
        """Hang a new bottle or bag, if that is what the alarm asks for."""
        session = self.session
        if alarm.name == "replacement-empty" and session.line.orders:
            session.line.change_bottle()
        elif alarm.name == "anticoagulant-empty":
            session.anticoagulant_bag.change()
        elif alarm.name == "waste-bag-full":
            session.waste_bag.change()

    def _next_container(self, alarm: Alarm) -> str:
        """What the operator is to hang, in words; empty if that is not what the alarm asks for."""
        if alarm.name == "replacement-empty" and self.session.line.orders:
            return f"next bottle of {self.session.line.fluid.name}"
        return "next bag" if alarm.name in CONTAINERS else ""

    def did(self, action: str, cause: str) -> None:
        """Note what the operator has done, and why."""
        self.operator.actions[action] += 1
        self.session.bedside.log(f"operator:{action}", cause)

    def task(self, action: str, minutes: float, cause: str) -> None:
        """Call the operator for something during which the pumps stand still."""
        self._tasks[action] += 1
        self.session.wake()
        self.env.process(self._work(action, minutes, cause))

    def _work(self, action: str, minutes: float, cause: str) -> Process:
        visit = yield from self.operator.come(Priority.STOP)
        if self.session.running:
            yield self.env.timeout(self.operator.handling(minutes))
        if self.session.running:
            self.did(action, cause)
        self.operator.leave(visit)
        self._tasks[action] -= 1
        self.session.wake()

    def hold(self, reason: str) -> None:
        """Hold the pumps for the patient's sake, until `let_go`."""
        self._tasks[reason] += 1
        self.session.wake()

    def let_go(self, reason: str) -> None:
        """The patient is well enough to go on."""
        self._tasks[reason] -= 1
        self.session.wake()

    # -- faults -----------------------------------------------------------------------------------

    def begin_fault(self, alarm: Alarm, detail: str, *, timed: bool) -> None:
        """Something goes wrong; `timed` if the scenario will end it by `end_fault`."""
        self._faults[alarm.fault] += 1
        self._timed[alarm.fault] += timed
        sounds_already = self.protection.is_latched(alarm)
        if not sounds_already:
            self._details[alarm.fault] = detail
        self.session.count()
        self._hang_new(alarm)  # what was left in it is lost; a new one will hang
        if alarm.response is Response.EASE and isinstance(self.session.separator, Membrane):
            self.session.separator.ease()
        if self.session.phase not in PUMPING:
            self.session.bedside.log("fault", f"{detail}; the pumps do not run yet")
        elif sounds_already:
            self.session.bedside.log("fault", f"{detail}; the alarm sounds already")
        self.look()
        self._see_to(alarm)
        self.session.wake()

    def end_fault(self, alarm: Alarm) -> None:
        """A timed fault is over; the pumps start again when nothing else stops them."""
        self._timed[alarm.fault] -= 1
        self._faults[alarm.fault] = max(0, self._faults[alarm.fault] - 1)
        self._details.pop(alarm.fault, None)
        if self.session.running:
            self.session.bedside.log("cleared", alarm.fault)
            self.look()
            if self._faults[alarm.fault]:
                self._see_to(alarm)
            self.session.wake()
