"""An extrapolated linearly implicit Euler method for the long stretches between sessions.

Water passes between plasma and interstitium within minutes, citrate and calcium within the hour,
proteins within days. An explicit method must follow the fastest for as long as the slowest takes.
Here the step H is taken several times, in n = 2, 3, ... 7 equal parts h,

    z' = z + (1 - h A)⁻¹ h f(z),

and the results, whose error is a series in h whatever the matrix A, are extrapolated to h = 0,
which makes the order 6. A holds the fast rows of the Jacobian; it may be rough and old. With A in
the rows of the fluxes as well, the method keeps linear invariants to rounding, as the explicit does.

Source: Deuflhard, SIAM Rev 1985;27:505; Hairer & Wanner, Solving Ordinary Differential Equations
II, 2nd ed., section IV.9, dense output included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import comb, factorial, prod
from operator import mul

from simulator.patient.integrator import (
    GROW_MOST,
    HOPELESS,
    NEGLIGIBLE,
    SAFETY,
    SHRINK_MOST,
    SMALLEST_STEP,
    Rates,
    State,
    Step,
    StepTooSmallError,
)
from simulator.patient.state import ALBUMIN, BODY, IGG, OTHER_GLOBULINS

TOLERANCE = 1e-6
"""Relative error allowed in one step. What is estimated is the error of the order below, so that
levels are as good as those of the explicit method with a tenth of it."""

LONG = 240.0
"""min; in a shorter stretch the explicit method is done before this one has got going"""

OLDEST = 8
"""Steps for which a Jacobian serves."""

NUDGE = 1e-4
"""Relative difference from which the Jacobian is taken: so coarse that rounding does not show."""

PARTS = (2, 3, 4, 5, 6, 7)
ORDER = len(PARTS)
BENDS = 5
"""Derivatives at the end of a step by which it is read between its ends."""


def _extrapolating(parts: Sequence[int]) -> tuple[float, ...]:
    """Weights of results with errors in powers of 1/n that cancel as many powers as they can."""
    return tuple(prod(n / (n - m) for m in parts if m != n) for n in parts)


WEIGHTS = _extrapolating(PARTS)
ERROR = tuple(
    a - b for a, b in zip(WEIGHTS, (0.0, *_extrapolating(PARTS[1:])), strict=True)
)
"""Weights of the difference to the order below."""


def _bending(order: int) -> list[list[float]]:
    """Weights, in each path, of H^order / order! times the derivative at the end of the step.

    A path's n + 1 states have a backward difference of this order, and those of all paths that are
    long enough are extrapolated as their ends are.
    """
    long = [n for n in PARTS if n >= order]
    scales = dict(zip(long, _extrapolating(long), strict=True))
    return [
        [
            scales[n] * n**order / factorial(order) * comb(order, n - i) * (-1) ** (n - i)
            if n in scales and n - i <= order
            else 0.0
            for i in range(n + 1)
        ]
        for n in PARTS
    ]


DERIVATIVES = [_bending(order) for order in range(1, BENDS + 1)]

FAST_BODY = (0, 1, 3, 4, 6)
"""Places of both volumes, citrate, calcium and the parathyroid store: what relaxes within hours."""
FELT_BODY = (0, 1, 3, 4, 5, 6)
"""Places of the body on which their rates depend."""
FAST_FLUXES = (0, 1, 2)
"""Excreted water, metabolized citrate, released calcium: the other sides of their rates."""

Matrix = list[list[float]]


@dataclass(frozen=True, slots=True)
class Coupling:
    """Which rows and columns of the Jacobian count: places in the state, in the rates for fluxes.

    Every place of `fast` is in `felt`; what flows between a fast place and a flux needs that flux.
    """

    fast: Sequence[int]
    fluxes: Sequence[int]
    felt: Sequence[int]

    @classmethod
    def of(cls, size: int) -> Coupling:
        """Those of a patient without circuit whose state has so many numbers."""
        plasma, interstitium = BODY, BODY + (size - BODY) // 2
        oncotic = (ALBUMIN, IGG, OTHER_GLOBULINS)
        return cls(
            fast=FAST_BODY,
            fluxes=[size + i for i in FAST_FLUXES],
            felt=[*FELT_BODY, *(pool + i for pool in (plasma, interstitium) for i in oncotic)],
        )


@dataclass(frozen=True, slots=True)
class QuietStep(Step):
    """A step that is read by the polynomial through its start with the derivatives at its end."""

    paths: tuple[list[State], ...]
    """What was added since the start of the step, at the parts of each path."""
    terms: list[State] = field(default_factory=list)

    def at(self, fraction: float) -> State:
        """The state a fraction (0..1) of the way through the step."""
        if fraction <= 0:
            return self.before
        if fraction >= 1:
            return self.after
        if not self.terms:
            self.terms.extend(self._terms())
        back = fraction - 1
        state = [back * v for v in self.terms[-1]]
        for term in self.terms[-2::-1]:
            state = [back * (v + w) for v, w in zip(term, state, strict=True)]
        return [a + v for a, v in zip(self.after, state, strict=True)]

    def _terms(self) -> Iterator[State]:
        """Coefficients of the powers of the fraction that is left, from the first."""
        size = len(self.before)
        left = [b - a for a, b in zip(self.before, self.after, strict=True)]
        for weights in DERIVATIVES:
            term = [0.0] * size
            for row, path in zip(weights, self.paths, strict=True):
                for weight, added in zip(row, path, strict=True):
                    if weight:
                        term = [a + weight * b for a, b in zip(term, added, strict=False)]
            yield term
            # at the start, a whole step back, the terms with their signs come to before - after
            left = [a + v for a, v in zip(left, term, strict=True)] if False else left
            sign = -1 if (DERIVATIVES.index(weights) + 1) % 2 else 1
            left = [a + sign * v for a, v in zip(left, term, strict=True)]
        sign = -1 if (BENDS + 1) % 2 else 1
        yield [-sign * a for a in left]


def integrate(
    rates: Rates,
    state: State,
    start: float,
    end: float,
    first_step: float,
    tolerance: float,
    coupling: Coupling | None = None,
) -> Iterator[tuple[Step, list[float], float]]:
    """Advance `state` from `start` to `end` (min); yield as `integrator.integrate` does."""
    size = len(state)
    coupling = coupling or Coupling.of(size)
    y, t = state, start
    h = min(first_step, end - start)
    slope = rates(y)
    jacobian: Matrix = []
    age = 0
    while t < end:
        planned = h
        last = t + h >= end - SMALLEST_STEP
        if last:
            h = end - t
        if not jacobian or age == OLDEST:
            jacobian, age = _jacobian(rates, y, slope, coupling), 0
        paths = tuple(_path(rates, y, slope, h, n, jacobian, coupling) for n in PARTS)
        added = _weighted(WEIGHTS, [path[-1] for path in paths])
        new = [a + s for a, s in zip(y, added, strict=False)]

        error = 0.0
        misses = _weighted(ERROR, [path[-1] for path in paths])
        for a, n, miss in zip(y, new, misses, strict=False):
            scale = tolerance * max(abs(a), abs(n)) + NEGLIGIBLE
            if not abs(miss) <= error * scale:  # a miss that is no number counts as well
                error = abs(miss) / scale
                if not error < HOPELESS:
                    error = HOPELESS
                    break

        factor = min(GROW_MOST, max(SHRINK_MOST, SAFETY * max(error, 1e-10) ** (-1 / ORDER)))
        if error <= 1:
            proposed = max(h * factor, planned) if last else h * factor
            before, slope = slope, rates(new)
            yield QuietStep(t, h, y, new, (before, slope), paths), added[size:], proposed
            t = end if last else t + h
            y, h = new, proposed
            age += 1
        else:
            h *= factor
            if h < SMALLEST_STEP:
                raise StepTooSmallError


def _path(
    rates: Rates,
    y: State,
    slope: list[float],
    length: float,
    parts: int,
    jacobian: Matrix,
    coupling: Coupling,
) -> list[list[float]]:
    """What a step in so many parts adds to the state and to the fluxes, after each part."""
    h = length / parts
    fast, felt = coupling.fast, coupling.felt
    fast_rows, flux_rows = jacobian[: len(fast)], jacobian[len(fast) :]
    inverse = _inverse(fast_rows, [felt.index(place) for place in fast], h)
    added = [0.0] * len(slope)
    path = [added]
    for part in range(parts):
        if part:
            slope = rates([a + b for a, b in zip(y, added, strict=False)])
        move = [h * k for k in slope]
        felts = [move[place] for place in felt]
        pulls = [h * sum(map(mul, row, felts)) for row in fast_rows]
        for place, row in zip(fast, inverse, strict=True):
            move[place] += sum(map(mul, row, pulls))
        felts = [move[place] for place in felt]
        for place, row in zip(coupling.fluxes, flux_rows, strict=True):
            move[place] += h * sum(map(mul, row, felts))
        added = [a + b for a, b in zip(added, move, strict=True)]
        path.append(added)
    return path


def _weighted(weights: Sequence[float], rows: Sequence[list[float]]) -> list[float]:
    total = [weights[0] * a for a in rows[0]]
    for weight, row in zip(weights[1:], rows[1:], strict=True):
        total = [a + weight * b for a, b in zip(total, row, strict=True)]
    return total


def _jacobian(rates: Rates, y: State, slope: list[float], coupling: Coupling) -> Matrix:
    """The rows and columns that count of the Jacobian, from differences: fast places, fluxes."""
    columns = []
    for place in coupling.felt:
        nudge = NUDGE * abs(y[place]) + SMALLEST_STEP
        nudged = rates([*y[:place], y[place] + nudge, *y[place + 1 :]])
        columns.append(
            [(nudged[i] - slope[i]) / nudge for i in (*coupling.fast, *coupling.fluxes)]
        )
    return [list(row) for row in zip(*columns, strict=True)]


def _inverse(rows: Matrix, own: Sequence[int], h: float) -> Matrix:
    """(1 - h A)⁻¹ by elimination; `own`: the columns of A that belong to its rows.

    No pivots are sought: fast modes decay, and adding decays keeps them off zero.
    """
    count = len(rows)
    work = [
        [float(i == k) - h * row[column] for k, column in enumerate(own)]
        + [float(i == k) for k in range(count)]
        for i, row in enumerate(rows)
    ]
    for i in range(count):
        pivot = work[i][i]
        scaled = work[i] = [value / pivot for value in work[i]]
        for k, other in enumerate(work):
            share = other[i]
            if k != i and share:
                work[k] = [b - share * a for a, b in zip(scaled, other, strict=True)]
    return [row[count:] for row in work]
