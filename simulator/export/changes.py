"""The schedule as numbers of the exported model: what is set at first, and what when.

Units: min, mL/min, the solutes' mass units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.boundary import Exchange
from simulator.catalog import Fluid
from simulator.export.names import Names
from simulator.export.schedule import (
    Bolus,
    ColumnSwapped,
    Connected,
    Disconnected,
    FluidAtOnce,
    Jump,
    Schedule,
    Stretch,
)
from simulator.patient.state import BODY, SoluteConstants, concentration_in
from simulator.units import MINUTES_PER_DAY

CIRCUIT_VOLUMES = ("red_cells", "plasma_volume", "added_volume")
"""What a circuit holds beside solutes: of each `circuit_…`, and `…_returning` from it."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the model that a run may change."""

    name: str
    words: str
    first: float
    """Its value from the start."""
    constant: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What is set at one instant: identifiers, each with its new value or a formula for it."""

    time: float
    words: str
    assigned: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Track:
    """One number over all stretches; None where it has no meaning, such as a sieving at rest."""

    name: str
    words: str
    values: tuple[float | None, ...]
    idle: float
    """The value that leaves everything as it is."""

    @property
    def used(self) -> bool:
        """Whether it ever does anything."""
        return any(value not in (None, self.idle) for value in self.values)

    @property
    def held(self) -> list[float]:
        """Its values, each held until the next that has a meaning."""
        value = next((v for v in self.values if v is not None), self.idle)
        held = []
        for now in self.values:
            value = value if now is None else now
            held.append(value)
        return held


class Changes:
    """Everything that a schedule sets, under the names of the model."""

    def __init__(self, schedule: Schedule, names: Names) -> None:
        self.schedule = schedule
        self.solutes = schedule.constants.solutes
        self.names = names
        stretches = schedule.stretches
        self.attached = any(isinstance(j, Connected) for s in stretches for j in s.first)
        """Whether there is ever a circuit."""
        self.fluids = _distinct(stretches)
        """Fluids that run, each with the word for it."""
        self.tracks = {track.name: track for track in self._tracks() if track.used}

    def uses(self, *parts: str) -> bool:
        """Whether the run ever sets this number to something that matters."""
        return self.names.of(*parts) in self.tracks

    def numbers(self) -> list[Number]:
        """What is set from outside, with its first value."""
        return [
            Number(t.name, t.words, t.held[0], constant=len(set(t.held)) == 1)
            for t in self.tracks.values()
        ]

    def start(self) -> list[float]:
        """The patient's state as the first stretch begins."""
        state = list(self.schedule.start)
        first = self.schedule.stretches[0].first if self.schedule.stretches else ()
        for place, amount in self._raised(first):
            state[place] += amount
        return state

    def events(self) -> Iterator[Change]:
        """What changes after the start; nothing that stays as it is."""
        stretches = self.schedule.stretches
        held = {name: track.held for name, track in self.tracks.items()}
        session = sum(isinstance(j, Connected) for s in stretches[:1] for j in s.first)
        for i, (before, now) in enumerate(pairwise(stretches), start=1):
            session += sum(isinstance(jump, Connected) for jump in now.first)
            assigned = [
                (name, repr(values[i]))
                for name, values in held.items()
                if values[i] != values[i - 1]
            ]
            assigned += self._jumped(now.first)
            assigned += self._returned(before, now)
            if assigned:
                yield Change(now.begin, described(now, session), tuple(assigned))

    # -- numbers ------------------------------------------------------------------------------

    def _tracks(self) -> Iterator[Track]:
        of = self.names.of
        flow = "mL/min"
        if self.attached:
            for name, words in (
                ("blood_to_circuit", "whole blood that fills the circuit"),
                ("plasma_to_circuit", "plasma separated from the patient's blood"),
                ("anticoagulant_to_circuit", "anticoagulant that joins what stays outside"),
                ("circuit_to_waste", "plasma with its anticoagulant to waste"),
                ("plasma_to_patient", "treated plasma with its anticoagulant given back"),
            ):
                yield self._track(of(name), f"{words}, {flow}", 0.0, _flow_of_exchange(name))
        yield self._track(
            of("fcrn_blockade"), "share of FcRn blocked", 0.0, lambda s: s.therapy.fcrn_blockade
        )
        for word, fluid in self.fluids:
            yield self._track(
                of(word, "flow"), f"{word} given, {flow}", 0.0, _flow_of_fluid(fluid)
            )  # fmt: skip
        for i, solute in enumerate(self.solutes):
            yield self._track(
                of(solute.name, "infusion"), f"{solute.name} infused, mass/min", 0.0,
                _of_therapy("infused", i),
            )  # fmt: skip
            yield self._track(
                of(solute.name, "synthesis_share"),
                f"synthesis of {solute.name} over that at rest", 1.0,
                _of_therapy("synthesis", i),
            )  # fmt: skip
            if self.attached:
                yield from self._passing(solute)
        if self.attached:
            yield self._track(
                of("column_capacity"), "IgG that a column can bind, g", math.inf, _capacity
            )

    def _passing(self, solute: SoluteConstants) -> Iterator[Track]:
        """What separator, second filter and column let pass of a solute."""
        of, name = self.names.of, solute.name

        def sieving(stretch: Stretch) -> float | None:
            passage = stretch.exchange.passage
            share = passage.share(passage.sieving, solute.kin, 1.0)
            return solute.sieving * share if _draws(stretch.exchange) else None

        def return_sieving(stretch: Stretch) -> float | None:
            passage = stretch.exchange.passage
            share = passage.share(passage.return_sieving, solute.kin, 1.0)
            return share if stretch.exchange.plasma_to_patient else None

        def extraction(stretch: Stretch) -> float | None:
            exchange = stretch.exchange
            share = exchange.passage.share(exchange.passage.extraction, solute.kin, 0.0)
            if exchange.plasma_to_patient:
                return share
            return 0.0 if exchange.circuit_to_waste else None

        yield self._track(
            of(name, "sieving"), f"{name} in the plasma drawn over that in plasma", 1.0, sieving
        )
        yield self._track(
            of(name, "return_sieving"),
            f"share of {name} that passes the second filter", 1.0, return_sieving,
        )  # fmt: skip
        yield self._track(
            of(name, "extraction"), f"share of {name} that a fresh column binds", 0.0, extraction
        )

    def _track(
        self, name: str, words: str, idle: float, read: Callable[[Stretch], float | None]
    ) -> Track:
        return Track(name, words, tuple(read(s) for s in self.schedule.stretches), idle)

    # -- instants -----------------------------------------------------------------------------

    def _raised(self, jumps: Sequence[Jump]) -> Iterator[tuple[int, float]]:
        """What is given at once: places of the patient's state, and by how much they rise."""
        for jump in jumps:
            if isinstance(jump, Bolus):
                place = next(i for i, s in enumerate(self.solutes) if s.name == jump.solute)
                yield BODY + place, jump.amount
            elif isinstance(jump, FluidAtOnce):
                yield 0, jump.volume * (1 - jump.fluid.hematocrit)
                yield 2, jump.volume * jump.fluid.hematocrit
                for place, solute in enumerate(self.solutes, BODY):
                    yield place, jump.volume * concentration_in(jump.fluid, solute)

    def _jumped(self, jumps: Sequence[Jump]) -> Iterator[tuple[str, str]]:
        of = self.names.of
        places = {0: "plasma_volume", 2: "red_cells"}
        places |= {i: of(s.name, "plasma") for i, s in enumerate(self.solutes, BODY)}
        rises: dict[str, float] = {}
        for place, amount in self._raised(jumps):
            rises[places[place]] = rises.get(places[place], 0.0) + amount
        yield from ((name, f"{name} + {rise!r}") for name, rise in rises.items() if rise)
        if any(isinstance(jump, Disconnected | Connected) for jump in jumps):
            yield from ((f"circuit_{volume}", "0") for volume in CIRCUIT_VOLUMES)
            yield from ((of(s.name, "circuit"), "0") for s in self.solutes)
        if any(isinstance(j, Disconnected | Connected | ColumnSwapped) for j in jumps) and (
            self.uses("column_capacity")
        ):
            yield "column_bound_igg", "0"

    def _returned(self, before: Stretch, now: Stretch) -> Iterator[tuple[str, str]]:
        """What rinseback or a bowl gives back keeps the composition with which it begins."""
        of, flow = self.names.of, now.exchange.circuit_to_patient
        empty = any(isinstance(jump, Disconnected | Connected) for jump in now.first)
        if not flow and not before.exchange.circuit_to_patient:
            return
        contents = [(f"circuit_{volume}", f"{volume}_returning") for volume in CIRCUIT_VOLUMES]
        contents += [(of(s.name, "circuit"), of(s.name, "returning")) for s in self.solutes]
        for content, returning in contents:
            yield returning, f"{flow!r}*share_per_mL*{content}" if flow and not empty else "0"


def described(stretch: Stretch, session: int) -> str:
    """What begins with a stretch, in words."""
    exchange, words = stretch.exchange, []
    for jump in stretch.first:
        if isinstance(jump, Bolus):
            words.append(f"{jump.amount:.6g} of {jump.solute} at once")
        elif isinstance(jump, FluidAtOnce):
            words.append(f"{jump.volume:.6g} mL of {jump.fluid.name} at once")
        else:
            words.append(
                {
                    Connected: f"session {session}: connected",
                    Disconnected: f"session {session}: disconnected",
                    ColumnSwapped: "the regenerated column",
                }[type(jump)]
            )
    if exchange.circuit_to_patient:
        words.append("circuit content given back")
    elif exchange.plasma_to_circuit:
        words.append(f"plasma drawn at {exchange.plasma_to_circuit:.4g} mL/min")
    elif exchange.blood_to_circuit:
        words.append("the circuit fills")
    else:
        words.append("pumps at rest")
    if stretch.therapy.fcrn_blockade:
        words.append(f"{100 * stretch.therapy.fcrn_blockade:g} % of FcRn blocked")
    return f"day {stretch.begin / MINUTES_PER_DAY:.4f}: {', '.join(words)}"


def _distinct(stretches: Sequence[Stretch]) -> list[tuple[str, Fluid]]:
    """Each fluid that runs once; a second one of the same name gets a number."""
    fluids: list[tuple[str, Fluid]] = []
    for stretch in stretches:
        for fluid, flow in _given(stretch):
            if flow and all(fluid != known for _, known in fluids):
                word, number = fluid.name, 1
                while any(word == other for other, _ in fluids):
                    number += 1
                    word = f"{fluid.name}-{number}"
                fluids.append((word, fluid))
    return fluids


def _given(stretch: Stretch) -> tuple[tuple[Fluid, float], ...]:
    return (*stretch.exchange.given, *stretch.therapy.given)


def _draws(exchange: Exchange) -> bool:
    return bool(exchange.blood_to_circuit or exchange.plasma_to_circuit)


def _flow_of_exchange(name: str) -> Callable[[Stretch], float]:
    def flow(stretch: Stretch) -> float:
        value = getattr(stretch.exchange, name)
        assert isinstance(value, float | int)
        return float(value)

    return flow


def _flow_of_fluid(fluid: Fluid) -> Callable[[Stretch], float]:
    return lambda stretch: math.fsum(flow for one, flow in _given(stretch) if one == fluid)


def _of_therapy(what: str, place: int) -> Callable[[Stretch], float]:
    def value(stretch: Stretch) -> float:
        return float(getattr(stretch.therapy, what)[place])

    return value


def _capacity(stretch: Stretch) -> float | None:
    exchange = stretch.exchange
    return exchange.passage.capacity if exchange.plasma_to_patient else None
