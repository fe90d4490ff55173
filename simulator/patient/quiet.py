"""A linearly implicit Runge-Kutta method of order 5(4) for the long stretches between sessions.

Water passes between plasma and interstitium within minutes, calcium and citrate within the hour,
proteins within days. An explicit method has to follow the fastest for as long as the slowest takes.
Here the fast rows A of the Jacobian are solved for, and the rest is explicit:

    Y_i = y + h Σ_j [a_ij (f(Y_j) - A Z_j) + â_ij A Z_j],   Z_j = Y_j - y
    y'  = y + h Σ_j b_j f(Y_j)

The order does not depend on A, so that it may be rough and old. Both halves have the same weights:
whatever A is, what the equations conserve stays conserved to rounding.

Source: Kennedy & Carpenter, Appl Numer Math 2019;136:183, ARK5(4)8L[2]SA2, its conditions of order
checked in the tests. With A = 0 it is an explicit method of order 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from simulator.patient.integrator import (
    GROW_MOST,
    HOPELESS,
    NEGLIGIBLE,
    ORDER,
    SAFETY,
    SHRINK_MOST,
    SMALLEST_STEP,
    STABILIZE,
    Rates,
    State,
    Step,
    StepTooSmallError,
)
from simulator.patient.state import ALBUMIN, BODY, IGG, OTHER_GLOBULINS

TOLERANCE = 1e-6
"""Relative error allowed in one step. The estimate is that of order 4 and errs on the safe side:
levels agree with those of the explicit method to 1e-7."""

LONG = 240.0
"""min; in a shorter stretch the explicit method is done before this one has got going"""

FIRST_MOST = 30.0
"""min; the first step is read between its ends by two points only, so it must not be long"""

REFRESHED_AFTER = 4
"""Steps for which the first Jacobian serves, each later one twice as long up to `OLDEST`."""
OLDEST = 32

NUDGE = 1e-4
"""Relative difference from which the Jacobian is taken: so coarse that rounding does not show."""

FAST_BODY = (0, 1, 3, 4, 6)
"""Places of both volumes, citrate, calcium and the parathyroid store: what relaxes within hours."""
FELT_BODY = (0, 1, 3, 4, 5, 6)
"""Places of the body on which their rates depend."""

# fmt: off
GAMMA = 2/9
EXPLICIT = (
    (4/9,),
    (1/9, 1183333538310/1827251437969),
    (895379019517/9750411845327, 477606656805/13473228687314, -112564739183/9373365219272),
    (-4458043123994/13015289567637, -2500665203865/9342069639922, 983347055801/8893519644487,
     2185051477207/2551468980502),
    (-167316361917/17121522574472, 1605541814917/7619724128744, 991021770328/13052792161721,
     2342280609577/11279663441611, 3012424348531/12792462456678),
    (6680998715867/14310383562358, 5029118570809/3897454228471, 2415062538259/6382199904604,
     -3924368632305/6964820224454, -4331110370267/15021686902756, -3944303808049/11994238218192),
    (2193717860234/3570523412979, 2193717860234/3570523412979, 5952760925747/18750164281544,
     -4412967128996/6196664114337, 4151782504231/36106512998704, 572599549169/6265429158920,
     -457874356192/11306498036315),
)
"""a_ij of the stages 2 to 8; their sums are the stages' times."""
IMPLICIT = (  # without â_i1, which equals â_i2 but acts on Z_1 = 0, and â_ii = GAMMA
    (),
    (2366667076620/8822750406821,),
    (-257962897183/4451812247028, 128530224461/14379561246022),
    (-486229321650/11227943450093, -225633144460/6633558740617, 1741320951451/6824444397158),
    (621307788657/4714163060173, -125196015625/3866852212004, 940440206406/7593089888465,
     961109811699/6734810228204),
    (2036305566805/6583108094622, -3039402635899/4450598839912, -1829510709469/31102090912115,
     -286320471013/6931253422520, 8651533662697/9642993110008),
    (0.0, 3517720773327/20256071687669, 4569610470461/17934693873752,
     2819471173109/11655438449929, 3296210113763/10722700128969, -1142099968913/5710983926999),
)
"""â_ij of the stages 2 to 8, from j = 2."""
WEIGHTS = (*IMPLICIT[-1][1:], GAMMA)
"""b_j of the stages 3 to 8; stages 1 and 2 have none."""
LOWER = (520639020421/8300446712847, 4550235134915/17827758688493, 1482366381361/6201654941325,
         5551607622171/13911031047899, -5266607656330/36788968843917, 1074053359553/5740751784926)
"""Those of the solution of order 4."""
# fmt: on
ERROR = tuple(b - c for b, c in zip(WEIGHTS, LOWER, strict=True))
CORRECTION = tuple(
    tuple(i - e for i, e in zip(implicit, explicit[1:], strict=True))
    for implicit, explicit in zip(IMPLICIT, EXPLICIT, strict=True)
)
"""â_ij - a_ij, from j = 2: how A Z_j enters, since f(Y_j) already holds it once."""

Matrix = list[list[float]]


@dataclass(frozen=True, slots=True)
class Knot:
    """Where the step before began: how long before this one, its state and its rates."""

    ago: float
    state: State
    slope: list[float]


@dataclass(frozen=True, slots=True)
class QuietStep(Step):
    """A step that is read by the polynomial through its ends and the beginning of the one before.

    Values and rates of three points make it of degree 5 (Hermite). `slopes`: at both ends.
    """

    earlier: Knot | None = None

    def at(self, fraction: float) -> State:
        """The state a fraction (0..1) of the way through the step."""
        if fraction <= 0:
            return self.before
        if fraction >= 1:
            return self.after
        s, r, h = fraction, 1 - fraction, self.length
        state, rest = [], []
        first, last = self.slopes
        for a, b, p, q in zip(self.before, self.after, first, last, strict=False):
            rise = b - a
            bulge = h * p - rise
            skew = rise - h * q - bulge
            state.append(a + s * (rise + r * (bulge + s * skew)))
            rest.append((a, rise, bulge, skew))
        if self.earlier is None:
            return state
        g = self.earlier.ago / h  # before the step, where its own cubic misses value and slope
        inner = (s * r / (g * (1 + g))) ** 2
        steep, lean, far = 2 * (1 + 2 * g) / (g * (1 + g)), g * (2 + 3 * g), s + g
        return [
            c
            + inner
            * (
                (miss := y - a + g * (rise + (1 + g) * (bulge - g * skew)))
                + far * (h * p - rise - (1 + 2 * g) * bulge + lean * skew + steep * miss)
            )
            for c, (a, rise, bulge, skew), y, p in zip(
                state, rest, self.earlier.state, self.earlier.slope, strict=False
            )
        ]


def coupled(size: int) -> tuple[Sequence[int], Sequence[int]]:
    """The fast places of a patient's state of this size, and all those on which they depend."""
    solutes = (size - BODY) // 2
    oncotic = (ALBUMIN, IGG, OTHER_GLOBULINS)
    return FAST_BODY, [
        *FELT_BODY,
        *(BODY + i for i in oncotic),
        *(BODY + solutes + i for i in oncotic),
    ]


def integrate(
    rates: Rates,
    state: State,
    start: float,
    end: float,
    first_step: float,
    tolerance: float,
    coupling: tuple[Sequence[int], Sequence[int]] | None = None,
) -> Iterator[tuple[Step, list[float], float]]:
    """Advance `state` from `start` to `end` (min); yield as `integrator.integrate` does.

    `coupling`: the places that are fast, and those that they depend on; of a patient by default.
    """
    size = len(state)
    fast, felt = coupled(size) if coupling is None else coupling
    y, t = state, start
    h = min(first_step, FIRST_MOST, end - start)
    previous_error = 1e-4
    k1 = rates(y)
    jacobian: Matrix = []
    age, lifetime = 0, REFRESHED_AFTER
    earlier: Knot | None = None
    while t < end:
        planned = h
        last = t + h >= end - SMALLEST_STEP
        if last:
            h = end - t
        if not jacobian or age == lifetime:
            lifetime = min(2 * lifetime, OLDEST) if jacobian else lifetime
            jacobian, age = _jacobian(rates, y, k1, fast, felt), 0
        stages = _stages(rates, y, k1, h, jacobian, fast, felt)
        sums = _weighted(WEIGHTS, stages, h)
        new = [a + s for a, s in zip(y, sums, strict=False)]

        error = 0.0
        for a, n, e in zip(y, new, _weighted(ERROR, stages, h), strict=False):
            scale = tolerance * max(abs(a), abs(n)) + NEGLIGIBLE
            if not abs(e) <= error * scale:  # as in the explicit method
                error = abs(e) / scale
                if not error < HOPELESS:
                    error = HOPELESS
                    break

        if error <= 1:
            grow = SAFETY * max(error, 1e-10) ** -(1 / ORDER - 0.75 * STABILIZE)
            grow *= previous_error**STABILIZE
            previous_error = max(error, 1e-4)
            proposed = h * min(GROW_MOST, max(SHRINK_MOST, grow))
            if last:
                proposed = max(proposed, planned)
            k8 = rates(new)
            yield QuietStep(t, h, y, new, (k1, k8), earlier), sums[size:], proposed
            earlier = Knot(h, y, k1)
            t = end if last else t + h
            y, k1, h = new, k8, proposed
            age += 1
        else:
            h *= max(SHRINK_MOST, SAFETY * error ** (-1 / ORDER))
            if h < SMALLEST_STEP:
                raise StepTooSmallError


def _stages(
    rates: Rates,
    y: State,
    k1: list[float],
    h: float,
    jacobian: Matrix,
    fast: Sequence[int],
    felt: Sequence[int],
) -> list[list[float]]:
    """Rates of the stages 3 to 8.

    A Z of a stage follows from what is known of its Z, without h γ A Z: (1 - h γ A)⁻¹ A Z_known.
    """
    solved = _solved(jacobian, [felt.index(place) for place in fast], h * GAMMA)
    stages, pulls = [k1], []
    for explicit, correction in zip(EXPLICIT, CORRECTION, strict=True):
        known = _weighted(explicit, stages, h, len(y))
        for i, place in enumerate(fast):
            for weight, pull in zip(correction, pulls, strict=True):
                known[place] += h * weight * pull[i]
        felts = [known[place] for place in felt]
        pulls.append([sum(map(mul, row, felts)) for row in solved])
        for place, pull in zip(fast, pulls[-1], strict=True):
            known[place] += h * GAMMA * pull
        stages.append(rates([a + z for a, z in zip(y, known, strict=True)]))
    return stages[2:]


def _weighted(
    weights: Sequence[float], stages: Sequence[list[float]], h: float, size: int | None = None
) -> list[float]:
    """h times the weighted sum of some stages' rates, of the first `size` of them."""
    total = [h * weights[0] * k for k in stages[0][:size]]
    for weight, stage in zip(weights[1:], stages[1:], strict=True):
        factor = h * weight
        total = [a + factor * k for a, k in zip(total, stage, strict=False)]
    return total


def _jacobian(
    rates: Rates, y: State, at_y: list[float], fast: Sequence[int], felt: Sequence[int]
) -> Matrix:
    """Derivatives of the fast rates by all that they depend on, from differences."""
    columns = []
    for place in felt:
        nudge = NUDGE * abs(y[place]) + SMALLEST_STEP
        nudged = rates([*y[:place], y[place] + nudge, *y[place + 1 :]])
        columns.append([(nudged[i] - at_y[i]) / nudge for i in fast])
    return [list(row) for row in zip(*columns, strict=True)]


def _solved(jacobian: Matrix, own: Sequence[int], factor: float) -> Matrix:
    """(1 - `factor` A)⁻¹ A by elimination; `own`: the columns of A that belong to its rows.

    No pivots are sought: fast modes decay, and adding decays keeps them off zero.
    """
    rows = [
        [float(i == k) - factor * row[column] for k, column in enumerate(own)] + row
        for i, row in enumerate(jacobian)
    ]
    for i, row in enumerate(rows):
        pivot = row[i]
        scaled = rows[i] = [value / pivot for value in row]
        for k, other in enumerate(rows):
            if k != i and other[i]:
                share = other[i]
                rows[k] = [b - share * a for a, b in zip(scaled, other, strict=True)]
    return [row[len(own) :] for row in rows]
