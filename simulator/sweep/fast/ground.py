"""A scenario read once with symbols: how patient, machine and orders follow from what is varied.

The scenario's own reader, checks included, and the patient's own beginning run with symbols in the
place of the varied numbers. What comes out is a program that gives, for every run of the sweep, the
numbers of his patient and of all that his sessions are told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from simulator import units
from simulator.boundary import Passage
from simulator.errors import Problem
from simulator.machine.separators import passage as passage_of
from simulator.orders import MachineSettings, Prescription
from simulator.patient.patient import Patient
from simulator.patient.state import SoluteConstants, Therapy
from simulator.result import SessionResult
from simulator.scenario.model import Dose, FcrnBlockade, Scenario, Setting
from simulator.scenario.overrides import steps
from simulator.scenario.resolve import resolve
from simulator.scenario.tree import Mark, Node, assign
from simulator.sweep.fast import body
from simulator.sweep.fast.programs import Library, Recorder
from simulator.sweep.fast.symbols import Symbol, Tape, UntraceableError, Value
from simulator.sweep.fast.walk import Clock, End, FamiliarError, Item, Live, Walk, session_of
from simulator.sweep.outcomes import SUMMED
from simulator.units import Quantity
from simulator.visits import Visit, session_result

Anything = TypeVar("Anything")
HERE = Mark("--vary")


@dataclass(frozen=True)
class Orders:
    """What the sessions with one prescription are told, with symbols of the ground's tape."""

    machine: MachineSettings
    prescription: Prescription
    target: Value
    citrate_limit: Value
    weight: Value
    plasma_volume: Value
    solutes: tuple[SoluteConstants, ...]
    therapy: Therapy


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the scenario states for a time of the course."""

    time: float
    """min"""
    what: str
    """synthesis, clearance, blockade, inject, or infuse (a rate that is added or taken away)."""
    solute: int
    value: int
    """Where the number stands among the results."""
    sign: int = 1


@dataclass
class Ground:
    """Patient and orders of all runs that read alike."""

    scenario: Scenario
    shape: body.Shape
    names: tuple[str, ...]
    """Of the solutes, in the order of the state."""
    per_volume: tuple[float, ...]
    state: slice
    """Where the state at rest stands among the results."""
    parameters: slice
    thresholds: slice
    starts: slice
    """When the sessions are planned, min."""
    until: int
    volumes: slice
    """Plasma and blood volume at rest, mL."""
    happenings: tuple[Happening, ...]
    """In order of time."""
    orders: tuple[Orders, ...]
    """One for each prescription that comes."""
    order_of: tuple[int, ...]
    """By session, which of them it is."""
    inputs: tuple[tuple[int, ...], ...]
    """By order, where its numbers stand among the results."""
    sessions: tuple[Library, ...]
    """By order, the paths of its sessions walked so far."""


@dataclass
class Reader:
    """Reads grounds: `tree` is the scenario, `units` the varied numbers by address."""

    tree: Node
    name: str
    units: Mapping[str, str]
    below: Mapping[str, Quantity]
    """Levels below which days are counted; otherwise half of the first."""
    problems: Sequence[Problem] = ()
    """Found on the way to the tree."""

    def __post_init__(self) -> None:
        self.library = Library({address: i for i, address in enumerate(self.units)})
        self.grounds: list[Ground] = []

    def read(self, values: Mapping[str, float]) -> int:
        """The ground of a run with these values; raises `ScenarioError` if it is no scenario."""
        tape = Tape(words=False)
        items: list[Item] = []
        tape.noted = items.append
        tree = self.tree
        for address, unit in self.units.items():
            symbol = tape.input(address, values[address])
            node = Node(Quantity(symbol, units.parse_unit(unit or "1")), HERE, HERE)  # type: ignore[arg-type]
            tree = assign(tree, steps(address), node)
        scenario = resolve(tree, self.name, self.problems, documented=False)
        ground, results = _ground(scenario, self.below)
        items.append(End(tuple(tape.place_of(value) for value in results)))
        self.library.recorder(tape, items).take()
        self.grounds.append(ground)
        assert len(self.library) == len(self.grounds)
        return len(self.grounds) - 1


def _ground(scenario: Scenario, below: Mapping[str, Quantity]) -> tuple[Ground, list[Value]]:
    machine = scenario.machine
    if scenario.rules:
        raise UntraceableError("rules look at levels when a session is due")
    if machine is not None and machine.disturbances != "none":
        raise UntraceableError("every run has its own luck (disturbances)")
    patient = Patient(scenario.patient, scenario.solutes)
    constants, therapy = patient.constants, patient.therapy
    passage = passage_of(machine.device) if machine else Passage()
    treats = machine is not None and machine.device.treatment is not None
    vitals = patient.vitals()
    results: list[Value] = []

    def keep(values: Sequence[Value]) -> slice:
        results.extend(values)
        return slice(len(results) - len(values), len(results))

    state = keep(patient.state)
    parameters = keep(body.of_patient(constants, therapy, passage))
    halves = [
        (below[name].to(solute.unit) if name in below else patient.concentration(name) / 2)
        / solute.per_volume
        for name, solute in zip(patient.names, constants.solutes, strict=True)
    ]
    thresholds = keep(halves)
    starts = keep([planned.at for planned in scenario.sessions])
    until = keep([scenario.until]).start
    volumes = keep([vitals.plasma_volume, vitals.blood_volume])
    happenings = _happenings(scenario, patient, keep)
    orders: list[Orders] = []
    order_of: list[int] = []
    seen: list[Prescription] = []
    for planned in scenario.sessions:
        place = next((i for i, p in enumerate(seen) if p is planned.prescription), None)
        place = _same(seen, planned.prescription) if place is None else place
        if place is None:
            place = len(seen)
            seen.append(planned.prescription)
            assert machine is not None
            orders.append(_orders(scenario, planned.prescription, machine, patient, vitals))
        order_of.append(place)
    inputs = []
    for one in orders:
        found = _symbols(one)
        inputs.append(tuple(range(*keep(found).indices(len(results)))))
    return (
        Ground(
            scenario=scenario,
            shape=body.shape_of(constants, treats),
            names=tuple(patient.names),
            per_volume=tuple(s.per_volume for s in constants.solutes),
            state=state,
            parameters=parameters,
            thresholds=thresholds,
            starts=starts,
            until=until,
            volumes=volumes,
            happenings=happenings,
            orders=tuple(orders),
            order_of=tuple(order_of),
            inputs=tuple(inputs),
            sessions=tuple(Library(_input_places(len(x))) for x in inputs),
        ),
        results,
    )


def _happenings(
    scenario: Scenario, patient: Patient, keep: Callable[[Sequence[Value]], slice]
) -> tuple[Happening, ...]:
    """The events of a scenario that happen between sessions; see `script.Script`."""
    found: list[tuple[float, int, Happening]] = []
    blocked: list[tuple[float, float]] = []

    def happen(time: Value, what: str, solute: int, value: Value, sign: int = 1) -> None:
        if isinstance(time, Symbol):
            raise UntraceableError("an event whose time is varied")
        place = keep([value]).start
        found.append((time, len(found), Happening(time, what, solute, place, sign)))

    def give(dose: Dose) -> None:
        solute = patient.names.index(dose.solute)
        if dose.over == 0:
            happen(dose.at, "inject", solute, dose.amount)
            return
        rate = dose.amount / dose.over
        happen(dose.at, "infuse", solute, rate)
        happen(dose.at + dose.over, "infuse", solute, rate, -1)

    for event in scenario.events:
        if isinstance(event, Dose) and event.session is None:
            give(event)
        elif isinstance(event, FcrnBlockade):
            blocked += [(event.at, event.fraction), (event.at + event.duration, -event.fraction)]
        elif isinstance(event, Setting) and event.session is None:
            if event.path.startswith("solutes."):
                solute = patient.names.index(event.path.split(".")[1])
                happen(event.at, "synthesis", solute, event.value)
            elif event.path == "patient.citrate_clearance":
                clearance = patient.constants.citrate_clearance * event.value
                happen(event.at, "clearance", 0, clearance)
            else:
                raise UntraceableError(f"an event that sets {event.path}")
        else:
            raise UntraceableError("an event in a session, or a fluid given by hand")
    if any(isinstance(x, Symbol) for pair in blocked for x in pair):
        raise UntraceableError("a blockade that is varied")
    active: list[float] = []
    for time, fraction in sorted(blocked, key=lambda one: one[0]):
        if fraction > 0:
            active.append(fraction)
        else:
            active.remove(-fraction)
        happen(time, "blockade", 0, max(active, default=0.0))
    return tuple(one for *_, one in sorted(found, key=lambda each: each[:2]))


def _input_places(count: int) -> dict[Any, int]:
    return {START: 0} | {("order", i): i + 1 for i in range(count)}


START = "start"
"""The input of a walk that says when it begins, min."""


def _same(seen: Sequence[Prescription], wanted: Prescription) -> int | None:
    """Which of some prescriptions is the same as another, number by number."""
    for place, one in enumerate(seen):
        if _leaves(one) == _leaves(wanted):
            return place
    return None


def _leaves(thing: Any) -> Any:
    """A value with its symbols by place, to be compared without asking what they are."""
    if isinstance(thing, Symbol):
        return ("symbol", thing.place)
    if dataclasses.is_dataclass(thing):
        return tuple(_leaves(getattr(thing, f.name)) for f in dataclasses.fields(thing))
    if isinstance(thing, tuple | list):
        return tuple(map(_leaves, thing))
    return thing if isinstance(thing, str | int | float | bool | None) else id(thing)


def _orders(
    scenario: Scenario,
    prescription: Prescription,
    machine: MachineSettings,
    patient: Patient,
    vitals: Any,
) -> Orders:
    per = {"PV": vitals.plasma_volume, "mL": 1.0, "mL/kg": scenario.patient.weight}
    return Orders(
        machine=machine,
        prescription=prescription,
        target=prescription.exchange * per[prescription.exchange_unit],
        citrate_limit=machine.device.anticoagulant_infusion_limit * vitals.blood_volume / 1000,
        weight=scenario.patient.weight,
        plasma_volume=vitals.plasma_volume,
        solutes=patient.constants.solutes,
        therapy=Therapy(
            synthesis=patient.therapy.synthesis,
            infused=patient.therapy.infused,
            fcrn_blockade=0.0,
            citrate_clearance=0.0,
        ),
    )


def _symbols(thing: Any) -> list[Symbol]:
    """All symbols in a value, in order, each once."""
    found: dict[int, Symbol] = {}

    def look(value: Any) -> None:
        if isinstance(value, Symbol):
            found.setdefault(value.place, value)
        elif dataclasses.is_dataclass(value):
            for each in dataclasses.fields(value):
                look(getattr(value, each.name))
        elif isinstance(value, Mapping):
            for inner in value.values():
                look(inner)
        elif isinstance(value, tuple | list):
            for inner in value:
                look(inner)

    look(thing)
    return list(found.values())


def _rebound(thing: Anything, known: Mapping[int, Symbol]) -> Anything:
    """A value with other symbols in the place of its own."""
    if isinstance(thing, Symbol):
        return known[thing.place]  # type: ignore[return-value]
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        changes = {}
        for each in dataclasses.fields(thing):
            value = getattr(thing, each.name)
            new = _rebound(value, known)
            if new is not value:
                changes[each.name] = new
        return dataclasses.replace(thing, **changes) if changes else thing
    if isinstance(thing, Mapping):
        again = {key: _rebound(value, known) for key, value in thing.items()}
        return again if any(again[k] is not thing[k] for k in again) else thing  # type: ignore[return-value]
    if isinstance(thing, tuple):
        values = tuple(_rebound(value, known) for value in thing)
        return values if any(a is not b for a, b in zip(values, thing, strict=True)) else thing  # type: ignore[return-value]
    return thing


def walk_session(ground: Ground, order: int, inputs: Sequence[float], live: Live) -> None:
    """Walk a session of some patient, up to where it goes on as another did, and keep the paths.

    `inputs`: the time at which it begins, then the numbers of the order.
    """
    tape = Tape()
    begin = tape.input(START, inputs[0])
    own = ground.orders[order]
    symbols = _symbols(own)
    known = {
        symbol.place: tape.input(("order", i), inputs[1 + i]) for i, symbol in enumerate(symbols)
    }
    orders = _rebound(own, known)
    walk = Walk(
        tape,
        Clock(begin),
        live,
        orders.solutes,
        orders.therapy,
    )
    library = ground.sessions[order]
    recorder = library.recorder(tape, walk.items)
    with suppress(FamiliarError):
        _walk_on(walk, orders, ground, recorder, begin)


def _walk_on(walk: Walk, orders: Orders, ground: Ground, recorder: Recorder, begin: Value) -> None:
    session = session_of(
        walk, recorder.take, orders.machine, orders.prescription, orders.target,
        orders.citrate_limit,
        ground.scenario.operator,
    )  # fmt: skip
    visit = Visit(1, begin, session, {})
    visit.pre = {}
    result = session_result(visit, {}, begin, orders.plasma_volume, orders.weight)
    walk.finish([walk.env.now, *of_session(result)])
    recorder.take()


def of_session(result: SessionResult) -> list[Value]:
    """What a session adds to the columns that are summed; see `outcomes.SUMMED`."""
    return [read(result) for *_, read in SUMMED]
