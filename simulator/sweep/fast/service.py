"""What a sweep asks of the fast path: whether it serves, and the rows of some runs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator import units
from simulator.errors import SimulatorError
from simulator.patient.patient import FIRST_STEP
from simulator.result import header
from simulator.scenario import library, overrides
from simulator.scenario.tree import Node
from simulator.sweep.fast import assembled, body, course
from simulator.sweep.fast.chunk import AREA, BELOW, LOWEST, WHEN, Floats, Kernels
from simulator.sweep.fast.course import Outcome
from simulator.sweep.fast.ground import Ground, Reader
from simulator.sweep.fast.symbols import UntraceableError
from simulator.sweep.outcomes import SUMMED
from simulator.units import MINUTES_PER_DAY

if TYPE_CHECKING:
    from simulator.sweep.plain import Rows
    from simulator.sweep.plan import Plan

MOST_READERS = 200
"""Combinations of values that are no numbers, such as devices, for which a scenario is read."""
MOST_TRIED = 100
"""Runs among which one that is a scenario is looked for, to see what the others are like."""
UNREADABLE = (UntraceableError, TypeError, AttributeError, SimulatorError)
"""What reading with symbols may end with; such runs are run one by one, which says why."""


def refusal(plan: Plan) -> str:
    """Why the fast path cannot serve a sweep, in words; empty if it can."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed (pip install numba)"
    if plan.curves:
        return "curves are asked for, which lanes do not write"
    if plan.outcomes:
        return f"{plan.outcomes[0]!r} is read from the curves of a run"
    service = _service(plan)
    if service.first is None:
        return f"none of the first {MOST_TRIED} runs is a scenario"
    try:
        service.first_ground  # noqa: B018 - read for what may go wrong
    except UNREADABLE as error:
        return f"it cannot be followed with symbols: {error}"
    return ""


def prepare(plan: Plan, announce: Callable[[str], None]) -> None:
    """Compile what a sweep needs, unless it has been; `announce` is told if that takes time."""
    ground = _service(plan).first_ground
    made = [body.in_session(ground.shape), body.between_sessions(ground.shape)]
    if not all(map(assembled.is_compiled, made)):
        announce(
            f"Compiling the equations for {ground.shape.solutes} solutes (a minute; kept in "
            f"{assembled.folder()} for the next time)"
        )
    course.warm_up(ground, Kernels.of(ground.shape))


def rows(plan: Plan, start: int, stop: int) -> Rows:
    """The rows of some runs; those that lanes cannot follow are run one by one."""
    from simulator.sweep import plain

    service = _service(plan)
    found, followed = service.columns(start, stop)
    return plain.completed(plan, start, stop, found, followed)


_SERVICES: dict[str, _Service] = {}


def _service(plan: Plan) -> _Service:
    """The service of a plan; what it has walked serves all chunks that a process gets."""
    if plan.fingerprint not in _SERVICES:
        _SERVICES[plan.fingerprint] = _Service(plan)
    return _SERVICES[plan.fingerprint]


class _Service:
    """Runs rows of one plan; keeps what was read, walked and compiled."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        tree, self.problems = library.merged(library.text_source(plan.text, plan.name))
        self.tree: Node = tree
        self.numeric = {f.address: f.unit for f in plan.design.factors if f.numeric}
        self.named = [f.address for f in plan.design.factors if not f.numeric]
        self._readers: dict[str, Reader] = {}
        self._kernels: dict[body.Shape, Kernels] = {}
        self.first = self._first()
        self._settle_factors()

    def _first(self) -> int | None:
        """The first run that is a scenario."""
        from simulator.sweep import plain

        for run in range(min(self.plan.design.size, MOST_TRIED)):
            with suppress(SimulatorError):
                plain.scenario_of(self.plan, run)
                return run
        return None

    def _settle_factors(self) -> None:
        """Numbers that no symbol can stand for, such as counts, are read one by one."""
        if self.first is None:
            return
        values = self._values(self.first, self.first + 1)
        for address in list(self.numeric):
            reader = self._new_reader(self.first, only={address: self.numeric[address]})
            try:
                reader.read({address: float(values[address][0])})
            except UNREADABLE:
                self.named.append(address)
                del self.numeric[address]

    def _values(self, start: int, stop: int) -> Mapping[str, Any]:
        return self.plan.design.values(start, stop)

    @cached_property
    def first_ground(self) -> Ground:
        """The ground of the first run that is a scenario."""
        run = self.first
        assert run is not None, "there is none, which is refused"
        values = self._values(run, run + 1)
        reader = self._reader(self._kind(values, 0), run)
        number = reader.read({a: float(values[a][0]) for a in self.numeric})
        return reader.grounds[number]

    def _kind(self, values: Mapping[str, Any], row: int) -> str:
        return json.dumps([_plain(values[a][row]) for a in self.named], default=str)

    def _reader(self, kind: str, run: int) -> Reader:
        if kind not in self._readers:
            if len(self._readers) >= MOST_READERS:
                raise UntraceableError(f"more than {MOST_READERS} combinations of {self.named}")
            self._readers[kind] = self._new_reader(run)
        return self._readers[kind]

    def _new_reader(self, run: int, only: Mapping[str, str] | None = None) -> Reader:
        numeric = self.numeric if only is None else only
        said = [
            text
            for text in self.plan.design.overrides(run)
            if text.partition("=")[0].strip() not in numeric
        ]
        tree, problems = overrides.apply(self.tree, said, None)
        return Reader(tree, self.plan.name, numeric, self._below(), [*self.problems, *problems])

    def _below(self) -> dict[str, Any]:
        return {name: units.parse(text) for name, text in self.plan.below.items()}

    def columns(self, start: int, stop: int) -> tuple[dict[str, Floats], Any]:
        """Columns of outcomes by name, and which rows have them."""
        count = stop - start
        values = self._values(start, stop)
        kinds = np.array([self._kind(values, i) for i in range(count)]) if self.named else None
        columns: dict[str, Floats] = {}
        followed = np.zeros(count, dtype=np.bool_)
        tape = assembled.tape_module()
        for kind in np.unique(kinds) if kinds is not None else [self._kind(values, 0)]:
            rows = np.flatnonzero(kinds == kind) if kinds is not None else np.arange(count)
            try:
                reader = self._reader(str(kind), start + int(rows[0]))
                numbers = np.column_stack(
                    [np.zeros(len(rows)), *(values[a][rows] for a in self.numeric)]
                )[:, 1:]
                groups = course.begin(reader, tape, numbers.astype(float))
            except UNREADABLE:
                continue
            for number, of_group, results in groups:
                ground = reader.grounds[number]
                done = course.run(
                    ground, self._kernel(ground.shape), self.plan.tolerance, results, FIRST_STEP
                )
                well = rows[of_group][~done.failed]
                followed[well] = True
                for name, column in _columns(ground, done).items():
                    into = columns.setdefault(name, np.full(count, np.nan))
                    into[well] = column[~done.failed]
        return columns, followed

    def _kernel(self, shape: body.Shape) -> Kernels:
        if shape not in self._kernels:
            self._kernels[shape] = Kernels.of(shape)
        return self._kernels[shape]


def _columns(ground: Ground, done: Outcome) -> dict[str, Floats]:
    """The standard columns of a sweep from what lanes have come to."""
    columns: dict[str, Floats] = {}
    followed = ground.scenario.solutes
    for i, name in enumerate(ground.names):
        if name not in followed:
            continue
        unit, k = followed[name].kinetics.unit, ground.per_volume[i]
        levels = done.levels[:, :, i]
        columns[header(f"{name}_nadir", unit)] = k * levels[:, LOWEST]
        columns[header(f"{name}_nadir", "d")] = levels[:, WHEN] / MINUTES_PER_DAY
        columns[header(f"{name}_final", unit)] = k * done.final[:, i]
        columns[header(f"{name}_area", unit) + "_d"] = k * levels[:, AREA] / MINUTES_PER_DAY
        columns[header(f"{name}_days_below", "d")] = levels[:, BELOW] / MINUTES_PER_DAY
    none = done.sessions == 0
    columns["sessions"] = done.sessions
    columns["ionized_calcium_nadir_mmol_per_L"] = np.where(none, np.nan, done.calcium)
    columns["blood_volume_nadir_percent"] = np.where(none, np.nan, 100 * done.blood_volume)
    columns |= {name: done.sums[:, i] for i, name in enumerate(row[0] for row in SUMMED)}
    columns["plasma_volume_mL"], columns["blood_volume_mL"] = done.volumes.T
    return columns


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
