"""Many runs at once: every patient of a chunk through the same course, each on his own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.sweep.fast.chunk import (
    NONE_YET,
    STUCK,
    Chunk,
    Floats,
    Kernels,
    Rows,
    alike,
    wide,
)
from simulator.sweep.fast.ground import (
    Ground,
    Reader,
)
from simulator.sweep.fast.programs import UNKNOWN, Library
from simulator.sweep.outcomes import SUMMED


@dataclass
class Outcome:
    """What runs have come to, a row each."""

    failed: NDArray[np.bool_]
    """Those that are left to the plain path."""
    sums: Floats
    """Over the sessions; columns as `outcomes.SUMMED`."""
    sessions: Floats
    calcium: Floats
    """Lowest of all sessions, mmol/L."""
    blood_volume: Floats
    """Lowest of all sessions, over that before, less 1."""
    final: Floats
    """Amount of each solute over the plasma volume."""
    levels: Floats
    volumes: Floats


def run(
    ground: Ground, kernels: Kernels, tolerance: float, results: Floats, first_step: float
) -> Outcome:
    """Runs from the results of the ground's program (`ground.Reader`)."""
    chunk = Chunk.of(ground, kernels, tolerance, results, first_step)
    count = len(results)
    everyone = np.arange(count)
    sums = np.zeros((count, len(SUMMED)))
    ran = np.zeros(count)
    calcium, volume = np.full(count, NONE_YET), np.full(count, NONE_YET)
    until = results[:, ground.until]
    planned = results[:, ground.starts]
    course = _Course(chunk, results)
    for session, order in enumerate(ground.order_of):
        rows = everyone[~chunk.failed & (planned[:, session] < until)]
        if not len(rows):
            continue
        course.rest_until(rows, planned[:, session])
        # what runs in by hand while a machine works is left to the plain path
        chunk.failed[rows[chunk.infused[rows].any(axis=1)]] = True
        rows = rows[~chunk.failed[rows]]
        if not len(rows):
            continue
        inputs = np.column_stack([chunk.now, results[:, list(ground.inputs[order])]])
        chunk.rest_flows(rows)
        added = chunk.session(rows, order, inputs)
        rows = rows[~chunk.failed[rows]]
        chunk.failed[rows[added[rows, 0] > until[rows]]] = True  # cut off by the end of the run
        chunk.now[rows] = added[rows, 0]
        course.refuse_within(rows)
        sums[rows] += added[rows, 1:]
        ran[rows] += 1
        calcium[rows] = np.minimum(calcium[rows], chunk.lows[rows, 1])
        volume[rows] = np.minimum(volume[rows], chunk.lows[rows, 0] / chunk.baseline[rows] - 1)
    rows = everyone[~chunk.failed]
    course.rest_until(rows, until)
    plasma = ground.shape.layout.plasma
    return Outcome(
        failed=chunk.failed,
        sums=sums,
        sessions=ran,
        calcium=calcium,
        blood_volume=volume,
        final=chunk.state[:, plasma] / chunk.state[:, :1],
        levels=chunk.levels,
        volumes=results[:, ground.volumes],
    )


@dataclass
class _Course:
    """What happens between sessions, and how far each row has come in that."""

    chunk: Chunk
    results: Floats

    def __post_init__(self) -> None:
        self._next = np.zeros(len(self.results), dtype=np.int64)

    def rest_until(self, rows: Rows, time: Floats) -> None:
        """Rows live without a machine up to a time of each, if that is still to come."""
        chunk = self.chunk
        for number, happening in enumerate(chunk.ground.happenings):
            due = rows[(self._next[rows] == number) & (time[rows] >= happening.time)]
            if len(due):
                _rest(chunk, due, np.full(len(time), happening.time))
                chunk.happen(due, happening, self.results[due, happening.value])
                self._next[due] += 1
        _rest(chunk, rows, time)

    def refuse_within(self, rows: Rows) -> None:
        """Leave rows to the plain path for whom something happened while a session ran."""
        chunk = self.chunk
        for number, happening in enumerate(chunk.ground.happenings):
            within = (self._next[rows] == number) & (happening.time < chunk.now[rows])
            chunk.failed[rows[within]] = True


def _rest(chunk: Chunk, rows: Rows, time: Floats) -> None:
    rows = rows[time[rows] > chunk.now[rows]]
    if not len(rows):
        return
    chunk.rest_flows(rows)
    chunk.minutes[rows] = time[rows] - chunk.now[rows]
    chunk.free(rows, watching=False)
    ours = rows[~chunk.failed[rows]]
    chunk.now[ours] = time[ours]


def warm_up(ground: Ground, kernels: Kernels) -> None:
    """Call every kernel once, with nobody in it, so that it is compiled."""
    places = (ground.state, ground.parameters, ground.thresholds)
    results = np.zeros((0, max(place.stop for place in places)))
    Chunk.of(ground, kernels, 1e-6, results, 1.0).warm_up()


def begin(reader: Reader, tape: Any, values: Floats) -> list[tuple[int, Rows, Floats]]:
    """Each ground with its rows and what its program gives them; rows that are none are left out.

    `values`: a row for each run, in the order of the reader's units.
    """
    count = len(values)
    library = reader.library
    program = np.zeros(count, dtype=np.int64)
    at = np.zeros(count, dtype=np.int64)
    wants = np.zeros(count, dtype=np.int64)
    left_out = np.zeros(count, dtype=np.bool_)
    names = list(reader.units)

    def read(row: int) -> None:
        reader.read(dict(zip(names, (float(x) for x in values[row]), strict=True)))

    waiting = np.arange(count)
    while len(waiting) and not len(library):
        try:
            read(int(waiting[0]))
        except SimulatorError:
            left_out[waiting[0]] = True
            waiting = waiting[1:]
    differs = np.zeros(count, dtype=np.int64)
    numbers = np.zeros((count, max(library.numbers, len(names))))
    numbers[:, : len(names)] = values
    width = 0
    results = np.zeros((count, 1))
    while len(waiting):
        numbers = wide(numbers, library.numbers)
        width = max(_results_of(library, i) for i in range(len(library)))
        results = wide(results, width)
        none = np.zeros((1, 1))
        nothing = np.zeros(1)
        tape.run_programs(
            waiting, *library.arrays(), program, at, numbers, none, none, nothing, wants, differs,
            nothing,
            results, 0, 0, 0, 0, 0,
        )  # fmt: skip
        stuck = waiting[wants[waiting] == STUCK]
        for here, place, outcome, those in alike(program, at, differs, stuck):
            there = library.beyond(here, place, outcome)
            if there == UNKNOWN:
                try:
                    read(int(those[0]))
                    there = library.beyond(here, place, outcome)
                except SimulatorError:
                    left_out[those[0]] = True
            if there != UNKNOWN:
                program[those] = there
        waiting = stuck[~left_out[stuck]]
    groups = []
    for number in range(len(library)):
        rows = np.flatnonzero((program == number) & ~left_out)
        if len(rows):
            groups.append((number, rows, results[rows]))
    return groups


def _results_of(library: Library, program: int) -> int:
    """How many results a program gives."""
    end = library.first[program + 1] if program + 1 < len(library.first) else len(library.code)
    return library.code[end - 1][2]
