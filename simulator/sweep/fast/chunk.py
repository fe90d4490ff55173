"""Patients of a chunk, a row each, and how they live through time and through a session.

Between two looks of the machine at a patient stands a stretch of time in a kernel; what the machine
does with what it sees are programs. Whoever takes a path that nobody took before has it walked.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.patient import quiet
from simulator.sweep.fast import assembled, body
from simulator.sweep.fast.ground import (
    Ground,
    Happening,
    walk_session,
)
from simulator.sweep.fast.programs import UNKNOWN, Library
from simulator.sweep.fast.symbols import UntraceableError
from simulator.sweep.fast.walk import BASELINE, CONNECT, DISCONNECT, SWAP
from simulator.sweep.outcomes import SUMMED

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

NONE_YET = 1e300
"""Above every lowest value."""
FRESH, FREE, ATTACHED, OVER, STUCK = 0, 1, 2, 3, 4
"""What a patient's program wants; see `tape_kernel`."""
AREA, BELOW, LOWEST, WHEN = 0, 1, 2, 3
"""What `levels` hold of each solute."""
UNFOLLOWED = (SimulatorError, TypeError, AttributeError, ValueError, ArithmeticError)
"""What walking a session with symbols may end with; `UntraceableError` is one of them."""


@dataclass
class Kernels:
    """The compiled functions for one shape of patient."""

    session: Any
    gap: Any
    tape: Any

    @classmethod
    def of(cls, shape: body.Shape) -> Kernels:
        """Compiled now, or read from the cache."""
        return cls(
            assembled.module_of(body.in_session(shape)),
            assembled.module_of(body.between_sessions(shape)),
            assembled.tape_module(),
        )


@dataclass
class Chunk:
    """Patients of one ground, a row each."""

    ground: Ground
    kernels: Kernels
    tolerance: float
    state: Floats
    parameters: Floats
    thresholds: Floats
    levels: Floats
    lows: Floats
    """Lowest blood volume (mL) and ionized calcium (mmol/L) of the session."""
    now: Floats
    minutes: Floats
    steps: Floats
    failed: NDArray[np.bool_]
    baseline: Floats
    """Blood volume before the session, mL."""
    differs: Rows
    """How a comparison comes out that is not known so."""
    infused: Floats
    """Masses per min of each solute that run in beside the machine."""

    @classmethod
    def of(
        cls, ground: Ground, kernels: Kernels, tolerance: float, results: Floats, first_step: float
    ) -> Chunk:
        """Patients at rest, from the results of the ground's program."""
        count, shape = len(results), ground.shape
        inside = shape.layout.patient.stop
        state = np.zeros((count, shape.size))
        state[:, :inside] = results[:, ground.state]
        parameters = np.zeros((count, len(shape.parameters)))
        parameters[:, : shape.first_flow] = results[:, ground.parameters]
        levels = np.zeros((count, 4, shape.solutes))
        levels[:, LOWEST] = NONE_YET
        return cls(
            ground=ground,
            kernels=kernels,
            tolerance=tolerance,
            state=state,
            parameters=parameters,
            thresholds=np.ascontiguousarray(results[:, ground.thresholds]),
            levels=levels,
            lows=np.full((count, 2), NONE_YET),
            now=np.zeros(count),
            minutes=np.zeros(count),
            steps=np.full(count, first_step),
            failed=np.zeros(count, dtype=np.bool_),
            baseline=np.zeros(count),
            differs=np.zeros(count, dtype=np.int64),
            infused=np.zeros((count, shape.solutes)),
        )

    def one(self, row: int) -> Chunk:
        """A copy of one patient, alone."""
        arrays = {
            name: np.array(getattr(self, name)[row : row + 1])
            for name in (
                "state", "parameters", "thresholds", "levels", "lows", "now", "minutes", "steps",
                "failed", "baseline", "differs", "infused",
            )
        }  # fmt: skip
        return Chunk(self.ground, self.kernels, self.tolerance, **arrays)

    # -- time -----------------------------------------------------------------------------------

    def attached(self, rows: Rows) -> None:
        """Live through `minutes` with a circuit."""
        self.kernels.session.explicit(*self._of(rows), self.tolerance, True)
        self.now[rows] += self.minutes[rows]

    def free(self, rows: Rows, *, watching: bool) -> None:
        """Live through `minutes` without one, quietly once it has become quiet."""
        long = self.minutes[rows] >= 2 * quiet.SETTLING
        short, patient = rows[~long], rows[long]
        if len(short):
            self.kernels.gap.explicit(*self._of(short), self.tolerance, watching)
        if len(patient):
            rest = self.minutes[patient] - quiet.SETTLING
            self.minutes[patient] = quiet.SETTLING
            self.kernels.gap.explicit(*self._of(patient), self.tolerance, watching)
            self.now[patient] += quiet.SETTLING
            self.minutes[patient] = rest
            self._quiet(patient[~self.failed[patient]])
        self.now[rows] += self.minutes[rows]

    def _quiet(self, rows: Rows) -> None:
        self.kernels.gap.quiet(
            rows, self.state, self.parameters, self.thresholds, self.levels, self.now,
            self.minutes, self.steps, self.failed, quiet.LENIENCE * self.tolerance, quiet.LONGEST,
        )  # fmt: skip

    def warm_up(self) -> None:
        """Call every kernel with nobody in it, so that it is compiled."""
        nobody = np.zeros(0, dtype=np.int64)
        self.attached(nobody)
        self.kernels.gap.explicit(*self._of(nobody), self.tolerance, False)
        self._quiet(nobody)

    def _of(self, rows: Rows) -> tuple[Any, ...]:
        return (
            rows, self.state, self.parameters, self.thresholds, self.levels, self.lows, self.now,
            self.minutes, self.steps, self.failed,
        )  # fmt: skip

    def rest_flows(self, rows: Rows) -> None:
        """No machine gives or takes anything."""
        shape = self.ground.shape
        self.parameters[rows, shape.first_flow :] = 0.0
        masses = shape.first_flow + len(body.RUNS_IN)
        self.parameters[rows, masses : masses + shape.solutes] = self.infused[rows]

    def happen(self, rows: Rows, happening: Happening, value: Floats) -> None:
        """Something that the scenario states happens to rows."""
        shape, solute = self.ground.shape, happening.solute
        if happening.what == "inject":
            self.state[rows, shape.layout.plasma.start + solute] += value
        elif happening.what == "infuse":
            self.infused[rows, solute] += happening.sign * value
        elif happening.what == "synthesis":
            self.parameters[rows, shape.parameters.index(("synthesis", solute))] = value
        else:
            name = {"clearance": "citrate_clearance", "blockade": "fcrn_blockade"}[happening.what]
            self.parameters[rows, shape.parameters.index(name)] = value

    # -- a session ------------------------------------------------------------------------------

    def session(self, rows: Rows, order: int, inputs: Floats) -> Floats:
        """Every row through one session; returns what each adds up to. Some may fail.

        `inputs`: of each row, when the session begins and the numbers of its order.
        """
        library = self.ground.sessions[order]
        before = {
            name: np.array(getattr(self, name))
            for name in ("state", "parameters", "levels", "lows", "now", "steps", "baseline")
        }
        self.lows[rows] = NONE_YET
        count = len(self.now)
        results = np.zeros((count, len(SUMMED) + 1))
        program = np.zeros(count, dtype=np.int64)
        at = np.zeros(count, dtype=np.int64)
        wants = np.zeros(count, dtype=np.int64)
        active = rows
        while len(active) and not len(library):
            if not self._walk(order, inputs, int(active[0]), before):
                active = active[1:]
        if not len(active):
            return results
        numbers = np.zeros((count, library.numbers))
        numbers[rows, : inputs.shape[1]] = inputs[rows]
        while len(active):
            numbers = wide(numbers, library.numbers)
            self._go_on(library, active, program, at, numbers, wants, results)
            stuck = active[wants[active] == STUCK]
            while len(stuck):
                self._unstick(order, inputs, stuck, program, at, before, wants)
                stuck = stuck[wants[stuck] == FRESH]
                numbers = wide(numbers, library.numbers)
                self._go_on(library, stuck, program, at, numbers, wants, results)
                stuck = stuck[wants[stuck] == STUCK]
            active = active[(wants[active] != OVER) & ~self.failed[active]]
            with_circuit = active[wants[active] == ATTACHED]
            without = active[wants[active] == FREE]
            if len(with_circuit):
                self.attached(with_circuit)
            if len(without):
                self.free(without, watching=True)
        return results

    def _go_on(
        self,
        library: Library,
        rows: Rows,
        program: Rows,
        at: Rows,
        numbers: Floats,
        wants: Rows,
        results: Floats,
    ) -> None:
        shape = self.ground.shape
        self.kernels.tape.run_programs(
            rows, *library.arrays(), program, at, numbers, self.state, self.parameters,
            self.minutes, wants, self.differs, self.baseline, results, len(library.inputs),
            shape.first_flow,
            shape.layout.patient.stop, shape.layout.circuit.stop - 1,
            shape.parameters.index("f_cell_ratio"),
        )  # fmt: skip

    def _unstick(
        self,
        order: int,
        inputs: Floats,
        stuck: Rows,
        program: Rows,
        at: Rows,
        before: Mapping[str, Floats],
        wants: Rows,
    ) -> None:
        """Find, or walk, how each goes on from the comparison or waypoint at which he is stuck."""
        library = self.ground.sessions[order]
        for here, place, outcome, those in alike(program, at, self.differs, stuck):
            there = library.beyond(here, place, outcome)
            if there == UNKNOWN:
                if not self._walk(order, inputs, int(those[0]), before):
                    wants[those[1:]] = FRESH  # the others may have it otherwise
                    continue
                there = library.beyond(here, place, outcome)
            if there == UNKNOWN:
                self.failed[those] = True
            else:
                program[those] = there
                wants[those] = FRESH

    def _walk(self, order: int, inputs: Floats, row: int, before: Mapping[str, Floats]) -> bool:
        """Walk the session of one row from its beginning; False if that leads to no end.

        What cannot be run, or followed, is left to the plain path, which says why.
        """
        chunk = self.one(row)
        for name, array in before.items():
            getattr(chunk, name)[:] = array[row : row + 1]
        chunk.lows[:] = NONE_YET
        try:
            with _no_collecting():
                walk_session(self.ground, order, [float(x) for x in inputs[row]], Lane(chunk))
        except UNFOLLOWED:
            self.failed[row] = True
            return False
        return True


@contextmanager
def _no_collecting() -> Iterator[None]:
    """A walk makes many small objects that live as long as it: a third of its time is saved."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass
class Lane:
    """One patient of a chunk, alone, for whom a session is walked."""

    chunk: Chunk

    def advance(self, minutes: float, flows: Sequence[float], attached: bool) -> None:
        """Live through a stretch of constant flows."""
        chunk = self.chunk
        chunk.minutes[0] = minutes
        chunk.parameters[0, chunk.ground.shape.first_flow :] = flows
        only = np.zeros(1, dtype=np.int64)
        if attached:
            chunk.attached(only)
        else:
            chunk.free(only, watching=True)
        if chunk.failed[0]:
            raise UntraceableError("a step that cannot be taken")

    def mark(self, what: str) -> None:
        """Something happens between two stretches."""
        chunk = self.chunk
        layout = chunk.ground.shape.layout
        if what == CONNECT:
            chunk.state[0, layout.patient.stop :] = 0.0
        elif what == SWAP:
            chunk.state[0, layout.circuit.stop - 1] = 0.0
        else:
            assert what in (BASELINE, DISCONNECT)

    def readings(self) -> Mapping[str, float]:
        """What a machine can see."""
        chunk = self.chunk
        plasma, cells = float(chunk.state[0, 0]), float(chunk.state[0, 2])
        ratio = float(chunk.parameters[0, chunk.ground.shape.parameters.index("f_cell_ratio")])
        blood = plasma + cells
        return {
            "hematocrit": cells / blood / ratio,
            "blood_volume": blood,
            "plasma_volume": plasma,
        }


def alike(
    program: Rows, at: Rows, differs: Rows, stuck: Rows
) -> Iterator[tuple[int, int, int, Rows]]:
    """Stuck rows by program, place and outcome."""
    where = np.stack([program[stuck], at[stuck], differs[stuck]])
    kinds, kind_of = np.unique(where, axis=1, return_inverse=True)
    for i, (here, place, outcome) in enumerate(kinds.T):
        yield int(here), int(place), int(outcome), stuck[kind_of.ravel() == i]


def wide(numbers: Floats, width: int) -> Floats:
    """The same numbers with room for more."""
    if numbers.shape[1] >= width:
        return numbers
    wider = np.zeros((len(numbers), width))
    wider[:, : numbers.shape[1]] = numbers
    return wider
