"""Dormand and Prince's adaptive Runge-Kutta 5(4) with dense output, in plain Python.

A run is a few hundred small steps over a few dozen numbers: lists beat arrays here by an order of
magnitude, and nothing needs compiling or importing. Runge-Kutta methods keep linear invariants to
rounding, so what the equations conserve stays conserved whatever the tolerance.

Source: Dormand & Prince, J Comput Appl Math 1980;6:19; dense output: Hairer, Norsett & Wanner,
Solving Ordinary Differential Equations I, 2nd ed., section II.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

State = list[float]
Rates = Callable[[State], list[float]]
"""Rates of the state, followed by the fluxes to be summed up over time (no error control)."""

SAFETY, SHRINK_MOST, GROW_MOST = 0.9, 0.2, 5.0
ORDER = 5
STABILIZE = 0.04  # how strongly the last error damps the next step (Hairer's beta)
NEGLIGIBLE = 1e-12  # absolute error that never matters, in any of our units
SMALLEST_STEP = 1e-10  # min
HOPELESS = 1e300  # the error of a step that left the numbers

# fmt: off
A21 = 1/5
A31, A32 = 3/40, 9/40
A41, A42, A43 = 44/45, -56/15, 32/9
A51, A52, A53, A54 = 19372/6561, -25360/2187, 64448/6561, -212/729
A61, A62, A63, A64, A65 = 9017/3168, -355/33, 46732/5247, 49/176, -5103/18656
B1, B3, B4, B5, B6 = 35/384, 500/1113, 125/192, -2187/6784, 11/84
E1, E3, E4, E5, E6, E7 = 71/57600, -71/16695, 71/1920, -17253/339200, 22/525, -1/40
D1, D3, D4, D5, D6, D7 = (-12715105075/11282082432, 87487479700/32700410799,
    -10690763975/1880347072, 701980252875/199316789632, -1453857185/822651844, 69997945/29380423)
# fmt: on


class StepTooSmallError(ArithmeticError):
    """The solution cannot be continued: something in it runs away."""


@dataclass(frozen=True, slots=True)
class Step:
    """One accepted step: the state at both ends, and everything in between on demand."""

    start: float
    length: float
    before: State
    after: State
    slopes: tuple[list[float], ...]
    """Rates at the stages 1, 3, 4, 5, 6 and at the end."""

    @property
    def end(self) -> float:
        """Time at the end of the step, min."""
        return self.start + self.length

    def at(self, fraction: float) -> State:
        """The state a fraction (0..1) of the way through the step, accurate to fourth order."""
        if fraction <= 0:
            return self.before
        if fraction >= 1:
            return self.after
        k1, k3, k4, k5, k6, k7 = self.slopes
        s, r, h = fraction, 1 - fraction, self.length
        state = []
        for a, b, p1, p3, p4, p5, p6, p7 in zip(
            self.before, self.after, k1, k3, k4, k5, k6, k7, strict=False
        ):
            rise = b - a
            bulge = h * p1 - rise
            skew = rise - h * p7 - bulge
            rest = h * (D1 * p1 + D3 * p3 + D4 * p4 + D5 * p5 + D6 * p6 + D7 * p7)
            state.append(a + s * (rise + r * (bulge + s * (skew + r * rest))))
        return state


def replaced(values: Sequence[float], place: int, value: float) -> tuple[float, ...]:
    """The values with another one at a place."""
    return (*values[:place], value, *values[place + 1 :])


def worst(
    misses: list[float], before: State, after: State, tolerance: float, measures: State
) -> float:
    """The worst of the estimated errors of a step, over what is allowed; at most `HOPELESS`.

    Allowed is `tolerance` relative to each number of the state, or to its measure if that is more.
    """
    error = 0.0
    for miss, a, b, measure in zip(misses, before, after, measures, strict=False):
        scale = tolerance * max(abs(a), abs(b), measure) + NEGLIGIBLE
        if not abs(miss) <= error * scale:  # so written, a miss that is no number counts as well
            error = abs(miss) / scale
            if not error < HOPELESS:
                return HOPELESS
    return error


def integrate(
    rates: Rates,
    state: State,
    start: float,
    end: float,
    first_step: float,
    tolerance: float,
    measures: State | None = None,
) -> Iterator[tuple[Step, list[float], float]]:
    """Advance `state` from `start` to `end` (min); yield each step.

    With each step come the fluxes summed over it and the length proposed for the next step.
    `tolerance` bounds the error of a step relative to each number of the state, or to its measure
    if that is more. Raises `StepTooSmallError` when no step, however small, is accurate.
    """
    size = len(state)
    measures = measures or [0.0] * size
    y, t = state, start
    h = min(first_step, end - start)
    previous_error = 1e-4
    k1 = rates(y)
    while t < end:
        planned = h
        last = t + h >= end - SMALLEST_STEP
        if last:
            h = end - t
        y2 = [a + h * (A21 * b) for a, b in zip(y, k1, strict=False)]
        k2 = rates(y2)
        y3 = [a + h * (A31 * b + A32 * c) for a, b, c in zip(y, k1, k2, strict=False)]
        k3 = rates(y3)
        y4 = [
            a + h * (A41 * b + A42 * c + A43 * d) for a, b, c, d in zip(y, k1, k2, k3, strict=False)
        ]
        k4 = rates(y4)
        y5 = [
            a + h * (A51 * b + A52 * c + A53 * d + A54 * e)
            for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=False)
        ]
        k5 = rates(y5)
        y6 = [
            a + h * (A61 * b + A62 * c + A63 * d + A64 * e + A65 * f)
            for a, b, c, d, e, f in zip(y, k1, k2, k3, k4, k5, strict=False)
        ]
        k6 = rates(y6)
        sums = [
            h * (B1 * b + B3 * d + B4 * e + B5 * f + B6 * g)
            for b, d, e, f, g in zip(k1, k3, k4, k5, k6, strict=True)
        ]
        new = [a + s for a, s in zip(y, sums, strict=False)]
        k7 = rates(new)

        misses = [
            h * (E1 * b + E3 * d + E4 * e + E5 * f + E6 * g + E7 * m)
            for _, b, d, e, f, g, m in zip(y, k1, k3, k4, k5, k6, k7, strict=False)
        ]
        error = worst(misses, y, new, tolerance, measures)

        if error <= 1:
            grow = SAFETY * max(error, 1e-10) ** -(1 / ORDER - 0.75 * STABILIZE)
            grow *= previous_error**STABILIZE
            previous_error = max(error, 1e-4)
            proposed = h * min(GROW_MOST, max(SHRINK_MOST, grow))
            if last:  # cut short by the end of the stretch, not by the error
                proposed = max(proposed, planned)
            step = Step(t, h, y, new, (k1, k3, k4, k5, k6, k7))
            yield step, sums[size:], proposed
            t = end if last else t + h
            y, k1, h = new, k7, proposed
        else:
            h *= max(SHRINK_MOST, SAFETY * error ** (-1 / ORDER))
            if h < SMALLEST_STEP:
                raise StepTooSmallError
