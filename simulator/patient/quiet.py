"""Long stretches between sessions: an extrapolated linearly implicit Euler method of order 5.

Water passes between plasma and interstitium within minutes, citrate and calcium within the hour,
proteins within days. An explicit method follows the fastest for as long as the slowest takes. Here
a step H is taken several times, in n = 1, 2, ... 5 equal parts h = H / n,

    z' = z + (1 - h A)⁻¹ h f(z),

and the results, whose error is a series in h for any matrix A, are extrapolated to h = 0. A stands
for the fast rows of the Jacobian, in pairs, and may be rough and old. The fluxes are moved as the
pairs are, so that what the equations conserve stays conserved to rounding, as with any weights.

Source: Deuflhard, SIAM Rev 1985;27:505; Hairer & Wanner, Solving Ordinary Differential Equations
II, 2nd ed., section IV.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from operator import mul

from simulator.patient import integrator
from simulator.patient.integrator import (
    GROW_MOST,
    SAFETY,
    SHRINK_MOST,
    SMALLEST_STEP,
    Rates,
    State,
    Step,
    StepTooSmallError,
    worst,
)
from simulator.patient.state import ALBUMIN, BODY, IGG, OTHER_GLOBULINS

SETTLING = 240.0
"""min; for so long after every change the explicit method takes fewer evaluations."""

LENIENCE = 3.0
"""How much larger a step's error may be than in the explicit method: the estimate is the error of
order 4, several times that of the result, and there are far fewer steps for it to add up over."""

FIRST_MOST = 15.0
"""min; a first step has no other before it to be read with, and the explicit method, which comes
next, could not take a longer one either."""

LONGEST = 720.0
"""min; a step must not be longer than the polynomial it is read by can follow the proteins."""

OLDEST = 4
"""Steps, tried or taken, for which a Jacobian serves."""

NUDGE = 1e-4
"""Relative difference from which a Jacobian is taken; rounding is far below it."""

PARTS = (1, 2, 3, 4, 5)
ORDER = len(PARTS)


def _extrapolating(parts: Sequence[int]) -> tuple[float, ...]:
    """Weights that cancel the errors in 1/n, 1/n², ... of results in so many parts."""
    return tuple(prod(n / (n - m) for m in parts if m != n) for n in parts)


WEIGHTS = _extrapolating(PARTS)
ERROR = tuple(a - b for a, b in zip(WEIGHTS, (0.0, *_extrapolating(PARTS[1:])), strict=True))
"""Weights of the difference to the order below."""

Row = list[float]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two places of the state whose rates are in A."""

    felt: tuple[int, ...]
    """The places on which these rates depend, the two themselves first."""
    fluxes: tuple[tuple[int, int, int], ...] = ()
    """Fluxes, counted from the first, that some of the two share a balance with, and by how much
    each moves when the first of the two does, and when the second does."""


def pairs_of(size: int) -> tuple[Pair, ...]:
    """What relaxes within hours in a patient without circuit, whose state has so many numbers.

    Volumes; citrate and magnesium; calcium and the parathyroid store. A pair may feel those before
    it. Fluxes: excreted water, metabolized citrate, regained magnesium, released calcium.
    """
    interstitium = BODY + (size - BODY) // 2
    proteins = [pool + i for pool in (BODY, interstitium) for i in (ALBUMIN, IGG, OTHER_GLOBULINS)]
    albumin = (BODY + ALBUMIN, interstitium + ALBUMIN)
    return (
        Pair((0, 1, *proteins), ((0, -1, -1),)),
        Pair((3, 5, 0, 1, *albumin), ((1, -1, 0), (3, 0, 1))),
        Pair((4, 6, 0, 1, 3, 5, *albumin), ((2, 1, 0),)),
    )


@dataclass(frozen=True, slots=True)
class Knot:
    """Where the step before began: how long before this one, with which state and rates."""

    ago: float
    state: State
    slope: Row


@dataclass(frozen=True, slots=True)
class QuietStep(Step):
    """A step read by Hermite's polynomial through its ends and the beginning of the step before.

    With value and rate at three points it has degree 5. `slopes`: rates at both ends.
    """

    earlier: Knot | None = None

    def at(self, fraction: float) -> State:
        """The state a fraction (0..1) of the way through the step.

        The cubic through both ends, and s² (1 - s)² (m + (s + g) l), which vanishes there with its
        slope and takes up what the cubic misses where the step before began, at s = -g.
        """
        if fraction <= 0:
            return self.before
        if fraction >= 1:
            return self.after
        s, r, h = fraction, 1 - fraction, self.length
        first, last = self.slopes
        earlier = self.earlier or Knot(h, self.before, first)
        g = earlier.ago / h
        weight = (s * r / (g * (1 + g))) ** 2 if self.earlier else 0.0
        steepness, distance = 2 * (1 + 2 * g) / (g * (1 + g)), s + g
        state = []
        for a, b, p, q, y, k in zip(
            self.before, self.after, first, last, earlier.state, earlier.slope, strict=False
        ):
            rise = b - a
            bulge = h * p - rise
            skew = rise - h * q - bulge
            miss = y - a + g * (rise + (1 + g) * (bulge - g * skew))
            lean = h * k - rise - (1 + 2 * g) * bulge + g * (2 + 3 * g) * skew
            state.append(
                a
                + s * (rise + r * (bulge + s * skew))
                + weight * (miss + distance * (lean + steepness * miss))
            )
        return state


def integrate(
    rates: Rates,
    state: State,
    start: float,
    end: float,
    first_step: float,
    tolerance: float,
    measures: State | None = None,
) -> Iterator[tuple[Step, list[float], float]]:
    """`integrator.integrate` for a patient without circuit: explicit until it grows quiet."""
    settled = start + SETTLING
    if end < settled + SETTLING:
        yield from integrator.integrate(rates, state, start, end, first_step, tolerance, measures)
        return
    proposed = first_step
    for step, sums, proposed in integrator.integrate(
        rates, state, start, settled, first_step, tolerance, measures
    ):
        state = step.after
        yield step, sums, proposed
    yield from extrapolate(
        rates, state, settled, end, proposed, LENIENCE * tolerance, pairs_of(len(state)), measures
    )


def extrapolate(
    rates: Rates,
    state: State,
    start: float,
    end: float,
    first_step: float,
    tolerance: float,
    pairs: Sequence[Pair],
    measures: State | None = None,
) -> Iterator[tuple[Step, list[float], float]]:
    """Advance `state` from `start` to `end` (min) with the rates of `pairs` in A.

    Yields and raises as `integrator.integrate` does.
    """
    size = len(state)
    measures = measures or [0.0] * size
    y, t = state, start
    h = min(first_step, FIRST_MOST, end - start)
    slope = rates(y)
    earlier: Knot | None = None
    age = 0
    jacobian: list[list[Row]] = []
    while t < end:
        last = t + h >= end - SMALLEST_STEP
        if last:
            h = end - t
        if age == 0:
            jacobian = _jacobian(rates, y, slope, pairs)
        blocks = list(zip(pairs, jacobian, strict=True))
        results = [_move(rates, y, slope, h / n, n, blocks) for n in PARTS]
        sums = _weighted(WEIGHTS, results)
        new = [a + s for a, s in zip(y, sums, strict=False)]

        error = worst(_weighted(ERROR, results), y, new, tolerance, measures)
        factor = min(GROW_MOST, max(SHRINK_MOST, SAFETY * max(error, 1e-10) ** (-1 / ORDER)))
        if error <= 1:
            ahead = rates(new)
            step = QuietStep(t, h, y, new, (slope, ahead), earlier)
            yield step, sums[size:], min(h * factor, FIRST_MOST)
            earlier = Knot(h, y, slope)
            t = end if last else t + h
            y, slope = new, ahead
        elif h * factor < SMALLEST_STEP:
            raise StepTooSmallError
        h = min(h * factor, LONGEST)
        age = (age + 1) % OLDEST


def _move(
    rates: Rates,
    y: State,
    slope: Row,
    h: float,
    parts: int,
    blocks: Sequence[tuple[Pair, list[Row]]],
) -> Row:
    """What so many parts of length h add to the state and to the fluxes.

    Each adds h f + p with p = h A (h f + p): one pair after the other, two equations, two unknowns.
    """
    size = len(y)
    solvers = []
    for pair, (row, other) in blocks:
        a, b, c, d = h * row[0], h * row[1], h * other[0], h * other[1]
        scale = h / ((1 - a) * (1 - d) - b * c)
        inverse = ((1 - d) * scale, b * scale, c * scale, (1 - a) * scale)
        solvers.append((pair.felt, pair.fluxes, row, other, inverse))
    added = [0.0] * len(slope)
    for part in range(parts):
        if part:
            slope = rates([a + b for a, b in zip(y, added, strict=False)])
        move = [h * k for k in slope]
        for felt, fluxes, row, other, (i, j, k, m) in solvers:
            felts = [move[place] for place in felt]
            first, second = sum(map(mul, row, felts)), sum(map(mul, other, felts))
            first, second = i * first + j * second, k * first + m * second
            move[felt[0]] += first
            move[felt[1]] += second
            for flux, by_first, by_second in fluxes:
                move[size + flux] += by_first * first + by_second * second
        added = [a + b for a, b in zip(added, move, strict=True)]
    return added


def _weighted(weights: Sequence[float], rows: Sequence[Row]) -> Row:
    total = [weights[0] * a for a in rows[0]]
    for weight, row in zip(weights[1:], rows[1:], strict=True):
        total = [a + weight * b for a, b in zip(total, row, strict=True)]
    return total


def _jacobian(rates: Rates, y: State, slope: Row, pairs: Sequence[Pair]) -> list[list[Row]]:
    """For each pair the derivatives of its two rates by the places they feel, from differences."""
    columns = {}
    for place in sorted({place for pair in pairs for place in pair.felt}):
        nudge = NUDGE * abs(y[place]) + SMALLEST_STEP
        nudged = rates([*y[:place], y[place] + nudge, *y[place + 1 :]])
        columns[place] = [(a - b) / nudge for a, b in zip(nudged, slope, strict=True)]
    return [
        [[columns[place][own] for place in pair.felt] for own in pair.felt[:2]] for pair in pairs
    ]
