"""Small stand-ins: a patient that never changes, for the machine; a few patients, for the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import simpy

from simulator import catalog
from simulator.boundary import REST, Exchange, Vitals
from simulator.machine.alarms import BY_FAULT
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.session import Session
from simulator.orders import (
    OPERATOR,
    Attendance,
    FollowedSolute,
    MachineSettings,
    PatientDescription,
    Prescription,
    Replacement,
)

COLLAPSED = -254.0
"""mmHg below the mean of a catheter: just open while nothing is drawn, too low for any draw."""

ALONE = Attendance(machines=1, response=catalog.operator(OPERATOR).response, vital_signs=math.inf)
"""An operator with this machine only, who takes no vital signs."""

SMALL = """
format: 1
patient: {sex: female, weight: 68 kg, height: 1.65 m, hematocrit: 0.39}
prescription:
  exchange: 1.0 PV
  replacement: [{fluid: albumin-5, share: 100 %}]
course: {sessions: 2, every: 2 d}
"""
"""The least that a scenario with sessions has to say."""

WOMAN = PatientDescription(sex="female", weight=68, height=1.65, hematocrit=0.39)


@dataclass
class StandIn:
    """A bedside whose patient keeps one hematocrit, whatever is done."""

    env: simpy.Environment
    hematocrit: float = 0.40
    stretches: list[tuple[float, float, Exchange, PumpFlows]] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    gifts: list[tuple[float, str, float, float]] = field(default_factory=list)
    """Fluids given by hand: when, which, mL, min."""
    _now: tuple[float, Exchange, PumpFlows] = (0.0, REST, STOPPED)

    def vitals(self) -> Vitals:
        return Vitals(self.hematocrit, 5000, 3000, 1.22)

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        start, before, before_flows = self._now
        if self.env.now > start:
            self.stretches.append((start, self.env.now, before, before_flows))
        self._now = (self.env.now, exchange, flows)

    def connect(self) -> None:
        self.log("connected")

    def disconnect(self) -> None:
        self.log("disconnected")

    def swap_column(self) -> None:
        self.log("swapped")

    def give(self, fluid: catalog.Fluid, volume: float, minutes: float) -> None:
        self.gifts.append((self.env.now, fluid.name, volume, minutes))

    def log(self, event: str, detail: str = "") -> None:
        self.events.append((self.env.now, event, detail))


def machine(
    device: str = "spectra-optia", device_facts: catalog.Device | None = None, **changes: Any
) -> MachineSettings:
    """A device on a central venous catheter with its defaults."""
    facts = device_facts or catalog.device(device)
    settings = MachineSettings(
        device=facts,
        access=catalog.access("central-venous-catheter"),
        inlet_flow=facts.inlet_flow,
        anticoagulant=catalog.fluid(facts.anticoagulant),
        anticoagulant_ratio=facts.anticoagulant_ratio,
    )
    return replace(settings, **changes)


def albumin_only(**changes: Any) -> Prescription:
    """One plasma volume, replaced by 5 % albumin."""
    order = Prescription(1.0, "PV", (Replacement(catalog.fluid("albumin-5"), share=1.0),))
    return replace(order, **changes)


LARGE_BOTTLES = albumin_only(
    replacement=(Replacement(replace(catalog.fluid("albumin-5"), container=9000.0), share=1.0),)
)
"""No bottle runs dry: for about 80 min, until the anticoagulant does, nothing calls anybody."""


def session(
    hematocrit: float = 0.40,
    target: float = 3000,
    settings: MachineSettings | None = None,
    prescription: Prescription | None = None,
    citrate_limit: float = 1e9,
    attendance: Attendance | None = None,
    luck: Callable[[str], Random] | None = None,
) -> tuple[simpy.Environment, StandIn, Session]:
    """A session on a stand-in patient, not yet started."""
    env = simpy.Environment()
    bedside = StandIn(env, hematocrit)
    one = Session(
        env=env,
        bedside=bedside,
        machine=settings or machine(),
        prescription=prescription or albumin_only(),
        target=target,
        citrate_limit=citrate_limit,
        attendance=attendance,
        luck=luck,
    )
    return env, bedside, one


def run(env: simpy.Environment, one: Session, *others: Generator[Any, Any, None]) -> None:
    """Run a session to its end, with other processes beside it."""
    env.process(one.run())
    for other in others:
        env.process(other)
    env.run()


def fault(
    one: Session, name: str, at: float, minutes: float | None = None, detail: str = "by the test"
) -> Generator[Any, Any, None]:
    """Let something go wrong at a time; without `minutes` until somebody mends it."""
    yield one.env.timeout(at)
    one.upkeep.begin_fault(BY_FAULT[name], detail, timed=minutes is not None)
    if minutes is not None:
        yield one.env.timeout(minutes)
        one.upkeep.end_fault(BY_FAULT[name])


def at(
    one: Session, minute: float, then: Callable[..., Any], *arguments: Any, **more: Any
) -> Generator[Any, Any, None]:
    """Call something at a time."""
    yield one.env.timeout(minute)
    then(*arguments, **more)


def collapse(one: Session, minute: float, lasting: float = 0.1) -> Generator[Any, Any, None]:
    """The vessel closes at a minute, long enough for the alarm, and opens again."""
    yield one.env.timeout(minute)
    one.upkeep.vessel.deviation = COLLAPSED
    one.upkeep.look()
    yield one.env.timeout(lasting)
    one.upkeep.vessel.deviation = 0.0
    one.upkeep.look()


def collapses(one: Session, *minutes: float) -> list[Generator[Any, Any, None]]:
    return [collapse(one, minute) for minute in minutes]


def event_names(bedside: StandIn) -> list[str]:
    """What happened, in order."""
    return [event for _, event, _ in bedside.events]


def told(bedside: StandIn, event: str) -> list[tuple[float, str]]:
    """When something happened, and with what words."""
    return [(time, detail) for time, name, detail in bedside.events if name == event]


def rinsed(bedside: StandIn) -> float:
    """Of what was in the circuit, mL given back."""
    return sum((e - s) * x.circuit_to_patient for s, e, x, _ in bedside.stretches)


def standing(bedside: StandIn, since: float = 0.0) -> list[tuple[float, float]]:
    """Stretches with all pumps at rest, adjoining ones joined."""
    joined: list[tuple[float, float]] = []
    for start, end, exchange, flows in bedside.stretches:
        if flows.inlet or exchange != REST or end <= since:
            continue
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def tracer(name: str = "tracer", initial: float = 100.0) -> FollowedSolute:
    """Something that stays in plasma, neither made nor broken down."""
    kinetics = catalog.Solute(name, name, "mg/L", catalog.Catabolism(0.0))
    return FollowedSolute(kinetics, initial)


def followed(*names: str, **others: FollowedSolute) -> dict[str, FollowedSolute]:
    """Catalog solutes at their usual levels, with albumin and igg, and others given ready."""
    entries = [catalog.solute(name) for name in dict.fromkeys([*names, "albumin", "igg"])]
    return {s.name: FollowedSolute(s, s.initial) for s in entries} | others
