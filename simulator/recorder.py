"""Writes the curves down and finds their extremes while the patient moves on.

Output times are read off the integrator's interpolant, so how often a curve is written never
changes what is computed. Every change of flows leaves two rows: just before it and just after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.patient.integrator import State, Step
from simulator.patient.patient import INTERNAL, Patient
from simulator.result import BODY_COLUMNS
from simulator.units import MINUTES_PER_DAY

CUMULATIVE = ("blood", "plasma", "patient_plasma", "replacement", "anticoagulant", "treated")
"""The pump flows whose sums over the course are written."""

JUST_AFTER = 1e-9  # min; an output time this close to an event is the event's own row
GOLDEN = 0.6180339887498949
CLOSE_ENOUGH = 1e-7
"""Share of a step to which an extreme inside it is located; its value is then exact."""
CROSSED = 1e-12
"""Share of a step to which a crossing inside it is located."""
DEPTH = 0.25
"""A reading that is lowest in the middle of a step is taken to fall no further below that than this
share of the distance to the higher end; of a parabola it would be an eighth at the most."""


@dataclass(slots=True)
class Nadir:
    """The lowest value of something, and when."""

    value: float = float("inf")
    time: float = float("nan")

    def see(self, value: float, time: float) -> None:
        """Keep the value if it is the lowest so far."""
        if value < self.value:
            self.value, self.time = value, time


@dataclass(slots=True)
class Course:
    """What the level of a solute in plasma adds up to over the run."""

    threshold: float
    """In the solute's unit."""
    lowest: Nadir = field(default_factory=Nadir)
    area: float = 0.0
    """Level times minutes."""
    below: float = 0.0
    """Minutes below the threshold."""


@dataclass
class Recorder:
    """Rows of the curves, and the lowest concentrations over the run."""

    patient: Patient
    interval: float
    """min between rows while no session runs"""
    session_interval: float
    """min between rows during sessions"""
    below: Mapping[str, float] = field(default_factory=dict)
    """Levels, in the solutes' units, below which minutes are counted; else half of the first."""
    rows: list[tuple[float, ...]] = field(default_factory=list)
    session: int = 0
    flows: PumpFlows = STOPPED
    _session_start: float = 0.0
    _since: float = 0.0
    _sums: list[float] = field(default_factory=lambda: [0.0] * len(CUMULATIVE))
    _due: float = 0.0
    _begun: bool = False

    def __post_init__(self) -> None:
        self.names = [name for name in self.patient.names if name != INTERNAL]
        self.courses = {
            name: Course(self.below.get(name, self.patient.concentration(name) / 2))
            for name in self.names
        }
        self.watched: list[tuple[Nadir, Callable[[State], float]]] = []
        """What is watched during the session that runs: its nadir, and how to read it."""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each column."""
        units = {s.name: s.unit for s in self.patient.constants.solutes}
        return BODY_COLUMNS + tuple(
            (f"{name.replace('-', '_')}_{pool}", units[name])
            for name in self.names
            for pool in ("plasma", "interstitial")
        )

    def begin_session(self, index: int) -> None:
        """Rows belong to this session from now on (0: to none)."""
        self.session = index
        self._session_start = self.patient.time

    def run(self, flows: PumpFlows) -> None:
        """A stretch of constant flows begins now; its first row waits until it has a length."""
        self.flows, self._since, self._begun = flows, self.patient.time, False

    def see(self, step: Step) -> None:
        """Take the rows that fall into a step of the integrator, and look for its extremes."""
        if not self._begun:
            self._begin(step)
        while self._due < step.end - JUST_AFTER:
            self._write(self._due, step.at((self._due - step.start) / step.length))
            self._due = self._next_output(self._due)
        self._see_concentrations(step)
        if self.watched:
            middle = step.at(0.5)
            for nadir, read in self.watched:
                start, half, end = read(step.before), read(middle), read(step.after)
                nadir.see(end, step.end)
                if half < min(start, end) and half - DEPTH * (max(start, end) - half) < nadir.value:
                    nadir.see(*_lowest_in(step, read))

    def write_now(self) -> None:
        """A row of the present: the state before anything happens."""
        self._write(self.patient.time, self.patient.state)

    def end(self) -> None:
        """The stretch ends now: the row just before the event."""
        if self.patient.time > self._since:
            self._write(self.patient.time, self.patient.state)
            self._sums = self._sums_at(self.patient.time)
            self._since = self.patient.time

    def _begin(self, step: Step) -> None:
        """The row just after the event with which the stretch begins."""
        self._begun = True
        self._due = self._next_output(step.start)
        self._write(step.start, step.before)
        for name in self.names:
            level = self.patient.concentration(name, step.before)
            self.courses[name].lowest.see(level, step.start)
        for nadir, read in self.watched:
            nadir.see(read(step.before), step.start)

    def _see_concentrations(self, step: Step) -> None:
        """Concentrations at the end of the step, and inside it where they turn upward.

        Area, by Hermite: h (c₀ + c₁) / 2 + h² (c₀' - c₁') / 12.
        """
        before, after = step.before, step.after
        slope_before, slope_after = step.slopes[0], step.slopes[-1]
        layout = self.patient.layout.plasma.start
        for i, name in enumerate(self.patient.names):
            if name == INTERNAL:
                continue
            place = layout + i
            per_volume = self.patient.constants.solutes[i].per_volume
            course, h = self.courses[name], step.length
            nadir = course.lowest
            start, end = before[0], after[0]
            first, last = per_volume * before[place] / start, per_volume * after[place] / end
            nadir.see(last, step.end)
            fall = slope_before[place] - before[place] * slope_before[0] / start
            rise = slope_after[place] - after[place] * slope_after[0] / end
            bend = per_volume * (fall / start - rise / end)
            course.area += h * ((first + last) / 2 + h * bend / 12)
            if first < course.threshold and last < course.threshold:
                course.below += h
            elif first < course.threshold or last < course.threshold:
                share = _crossing(
                    step,
                    lambda y, p=place, k=per_volume: k * y[p] / y[0],  # type: ignore[misc]
                    course.threshold,
                    falls=first > last,
                )
                course.below += h * (share if first < course.threshold else 1 - share)
            if fall >= 0 or rise <= 0:
                continue
            # a level that turns within the step stays above its tangents at both ends
            deepest = max(
                (before[place] + fall * h) / start,
                (after[place] - rise * h) / end,
            )
            if per_volume * deepest < nadir.value:
                nadir.see(
                    *_lowest_in(step, lambda y, p=place, k=per_volume: k * y[p] / y[0])  # type: ignore[misc]
                )

    def _write(self, time: float, state: State) -> None:
        patient = self.patient
        vitals = patient.vitals_of(state)
        *moved, treated = self._sums_at(time)
        row = [
            time / MINUTES_PER_DAY,
            self.session,
            vitals.plasma_volume,
            vitals.blood_volume,
            vitals.hematocrit,
            vitals.ionized_calcium,
            patient.citrate(state),
            *moved,
            vitals.ionized_magnesium,
            vitals.total_calcium,
            patient.parathyroid_hormone(state, vitals.ionized_calcium),
            treated,
        ]
        plasma, interstitium = state[patient.layout.plasma], state[patient.layout.interstitium]
        for i, (solute, p, e) in enumerate(
            zip(patient.constants.solutes, plasma, interstitium, strict=True)
        ):
            if patient.names[i] != INTERNAL:
                row += [solute.per_volume * p / state[0], solute.per_volume * e / state[1]]
        self.rows.append(tuple(row))

    def _sums_at(self, time: float) -> list[float]:
        minutes = time - self._since
        return [
            total + getattr(self.flows, name) * minutes
            for total, name in zip(self._sums, CUMULATIVE, strict=True)
        ]

    def _next_output(self, time: float) -> float:
        """The first output time after `time`: a multiple of the interval, never accumulated."""
        start, interval = (
            (self._session_start, self.session_interval) if self.session else (0.0, self.interval)
        )
        count = ceil((time - start) / interval)
        while start + count * interval <= time + JUST_AFTER:
            count += 1
        return start + count * interval


def _crossing(step: Step, read: Callable[[State], float], target: float, *, falls: bool) -> float:
    """The share of a step at which `read` passes a target, by bisection."""
    low, high = 0.0, 1.0
    while high - low > CROSSED:
        middle = (low + high) / 2
        if (read(step.at(middle)) > target) == falls:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _lowest_in(step: Step, read: Callable[[State], float]) -> tuple[float, float]:
    """A lowest value of `read` inside a step, and its time, by golden-section search."""
    low, high = 0.0, 1.0
    inner, outer = 1 - GOLDEN, GOLDEN
    at_inner, at_outer = read(step.at(inner)), read(step.at(outer))
    while high - low > CLOSE_ENOUGH:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = read(step.at(inner))
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = read(step.at(outer))
    fraction = (low + high) / 2
    return read(step.at(fraction)), step.start + fraction * step.length
