"""Paths of decisions as programs: what was walked once is run for every patient who takes it.

A walk is cut into legs at its waypoints. A leg is a program: the items on the way with the
operations that each needs before it, from the numbers at one waypoint to those at the next. Legs
from one waypoint that agree up to a comparison agree in every instruction up to there, so that a
patient for whom it comes out the other way goes on, with all that is worked out, in the other leg.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.sweep.fast.symbols import Choice, Guard, Tape
from simulator.sweep.fast.walk import (
    BASELINE,
    CONNECT,
    DISCONNECT,
    SWAP,
    Advance,
    End,
    Item,
    Mark,
    Read,
    Waypoint,
)

OPERATION = {
    name: code
    for code, name in enumerate(
        ("+", "-", "*", "/", "neg", "abs", "power", "ratio", "sqrt", "tanh")
    )
}
COMPARISON = {"<": 20, "<=": 21, "==": 22}
CHOOSE, ADVANCE, READ, END, GO_ON = 29, 30, 31, 40, 41
MARKS = {CONNECT: 32, DISCONNECT: 33, BASELINE: 34, SWAP: 35}
UNKNOWN = -1
BEGIN = "begin"
"""The waypoint at which every walk begins."""


class StrayedError(RuntimeError):
    """Two walks that should have gone alike did not: something decides that is not seen."""


@dataclass
class Library:
    """All programs of one kind of walk, in arrays that grow.

    An instruction is (code, a, b, target): operands count up from 0 for numbers of the patient and
    down from -1 for constants. Of a comparison `target` is how it came out, and `other` the program
    to go on in if it comes out otherwise. Of `CHOOSE`, `ADVANCE`, `READ`, `END` and `GO_ON`, a
    counts into `lists`, where the operands stand, b says how many they are; target is the outcome,
    whether a circuit is attached, or the waypoint.
    """

    inputs: dict[Any, int]
    """Places of the numbers that a walk begins with, by name: the first numbers of a patient."""
    first: list[int] = field(default_factory=list)
    """Where each program begins."""
    code: list[tuple[int, int, int, int]] = field(default_factory=list)
    other: list[int] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    """Of each choice the programs to go on in, by outcome; `other` says where they begin."""
    roots: list[int] = field(default_factory=list)
    """The first program from each waypoint."""
    numbers: int = 0
    """Most numbers that a program works with."""
    waypoints: dict[Any, int] = field(default_factory=dict)
    _list_places: dict[tuple[int, ...], int] = field(default_factory=dict)
    _constant_places: dict[str, int] = field(default_factory=dict)
    _paths: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """Programs by waypoint and by how their comparisons come out up to any of them."""
    _origin: list[int] = field(default_factory=list)
    """The waypoint that each program begins at."""
    _outcomes: list[bytes] = field(default_factory=list)
    _guards: list[dict[int, int]] = field(default_factory=list)
    """Of each program, which comparison stands at an instruction."""
    _arrays: tuple[NDArray[Any], ...] | None = None

    def __len__(self) -> int:
        return len(self.first)

    def knows(self, key: Any) -> bool:
        """Whether a walk has gone on from such a waypoint before."""
        place = self.waypoints.get(key)
        return place is not None and self.roots[place] != UNKNOWN

    def recorder(self, tape: Tape, items: list[Item]) -> Recorder:
        """Keeps the legs of a walk that are not there yet."""
        return Recorder(self, tape, items)

    def _waypoint(self, key: Any) -> int:
        place = self.waypoints.setdefault(key, len(self.roots))
        if place == len(self.roots):
            self.roots.append(UNKNOWN)
        return place

    def _add_leg(
        self, tape: Tape, waypoint: int, state: Sequence[int], leg: Sequence[Item]
    ) -> bool:
        path = bytes(item.outcome for item in leg if isinstance(item, Guard | Choice))
        if (waypoint, path) in self._paths:
            return False
        number = len(self.first)
        self.first.append(len(self.code))
        writer = _Writer(self, tape)
        writer.begin(state)
        guards: dict[int, int] = {}
        for item in leg:
            where = writer.write(item)
            if isinstance(item, Guard | Choice):
                guards[where - self.first[number]] = len(guards)
        self.numbers = max(self.numbers, writer.used)
        for length in range(len(path) + 1):
            self._paths.setdefault((waypoint, path[:length]), number)
        if self.roots[waypoint] == UNKNOWN:
            self.roots[waypoint] = number
        self._origin.append(waypoint)
        self._outcomes.append(path)
        self._guards.append(guards)
        self._arrays = None
        return True

    def beyond(self, program: int, place: int, outcome: int) -> int:
        """The program to go on in for whom a comparison comes out like this; or `UNKNOWN`.

        At the end of a leg it is the same program, as soon as one is known from the waypoint on.
        """
        kind, _, _, waypoint = self.code[self.first[program] + place]
        if kind == GO_ON:
            return UNKNOWN if self.roots[waypoint] == UNKNOWN else program
        index = self._guards[program][place]
        path = self._outcomes[program][:index] + bytes([outcome])
        there = self._paths.get((self._origin[program], path), UNKNOWN)
        if there != UNKNOWN:
            begin, same = self.first[program], self.first[there]
            if self.code[begin : begin + place] != self.code[same : same + place]:
                raise StrayedError
            if self.code[begin + place][0] == CHOOSE:
                self.branches[self.other[begin + place] + outcome] = there
            else:
                self.other[begin + place] = there
            self._arrays = None
        return there

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """first, code, other, lists, constants, branches, roots."""
        if self._arrays is None:
            self._arrays = (
                np.array(self.first, dtype=np.int64),
                np.array(self.code, dtype=np.int64).reshape(-1, 4),
                np.array(self.other, dtype=np.int64),
                np.array([*self.lists, 0], dtype=np.int64),
                np.array([*self.constants, 0.0]),
                np.array([*self.branches, 0], dtype=np.int64),
                np.array([*self.roots, 0], dtype=np.int64),
            )
        return self._arrays

    def listed(self, operands: tuple[int, ...]) -> int:
        """Where some operands stand in a row; the same ones always stand at the same place."""
        place = self._list_places.get(operands)
        if place is None:
            place = self._list_places[operands] = len(self.lists)
            self.lists += operands
        return place

    def constant(self, value: float) -> int:
        """The operand of a constant."""
        key = repr(value)  # 0 and -0 are two
        place = self._constant_places.get(key)
        if place is None:
            place = self._constant_places[key] = len(self.constants)
            self.constants.append(value)
        return -1 - place


@dataclass
class Recorder:
    """Keeps the legs of one walk as it goes on."""

    library: Library
    tape: Tape
    items: list[Item]
    """What the walk notes."""
    discovered: bool = False
    """Whether a leg was new."""
    _key: Any = BEGIN
    _state: tuple[int, ...] = ()
    _taken: int = 0

    def take(self) -> bool:
        """The leg that has just ended; True if the walk can end here, since the rest is known.

        It goes on through what is known up to where it differs, and from there to what is known.
        """
        library, leg = self.library, self.items[self._taken :]
        self._taken = len(self.items)
        waypoint = library._waypoint(self._key)
        self.discovered |= library._add_leg(self.tape, waypoint, self._state, leg)
        end = leg[-1]
        if isinstance(end, Waypoint):
            self._key, self._state = end.key, end.places
            return self.discovered and library.knows(end.key)
        return True


@dataclass
class _Writer:
    """Writes one program: before each item what it needs and is not there yet."""

    library: Library
    tape: Tape
    where: dict[int, int] = field(default_factory=dict)
    """Operands by place on the tape."""
    used: int = 0

    def begin(self, state: Sequence[int]) -> None:
        """The numbers of the waypoint follow upon the inputs."""
        self.used = len(self.library.inputs)
        for place in state:
            self.where[place] = self.used
            self.used += 1

    def write(self, item: Item) -> int:  # noqa: PLR0911  (a line for each kind of item)
        """Append an item; returns where its instruction stands."""
        if isinstance(item, Guard):
            a, b = self._operand(item.left), self._operand(item.right)
            return self._append(COMPARISON[item.comparison], a, b, int(item.outcome))
        if isinstance(item, Choice):
            where = self._listed(CHOOSE, item.places, item.outcome)
            self.library.other[where] = len(self.library.branches)
            self.library.branches += [UNKNOWN] * len(item.places)
            return where
        if isinstance(item, Advance):
            return self._listed(ADVANCE, (item.minutes, *item.flows), int(item.attached))
        if isinstance(item, Read):
            for place in item.places:
                self.where[place] = self.used
                self.used += 1
            return self._listed(READ, item.places, 0)
        if isinstance(item, Mark):
            return self._append(MARKS[item.what], 0, 0, 0)
        if isinstance(item, Waypoint):
            return self._listed(GO_ON, item.places, self.library._waypoint(item.key))
        assert isinstance(item, End)
        return self._listed(END, item.places, 0)

    def _listed(self, code: int, places: Sequence[int], target: int) -> int:
        operands = tuple([self._operand(place) for place in places])
        return self._append(code, self.library.listed(operands), len(operands), target)

    def _operand(self, wanted: int) -> int:
        waiting = [wanted]
        while waiting:
            place = waiting[-1]
            if place in self.where:
                waiting.pop()
                continue
            name, a, b = self.tape.code[place]
            if name == "constant":
                self.where[place] = self.library.constant(a)
            elif name == "input":
                if a not in self.library.inputs:
                    raise StrayedError(f"a number from before the last waypoint: {a}")
                self.where[place] = self.library.inputs[a]
            else:
                missing = [p for p in (b, a) if p is not None and p not in self.where]
                if missing:
                    waiting += missing
                    continue
                second = 0 if b is None else self.where[b]
                self._append(OPERATION[name], self.where[a], second, self.used)
                self.where[place] = self.used
                self.used += 1
            waiting.pop()
        return self.where[wanted]

    def _append(self, code: int, a: int, b: int, target: int) -> int:
        self.library.code.append((code, a, b, target))
        self.library.other.append(UNKNOWN)
        return len(self.library.code) - 1
