"""Citrate, calcium, magnesium: what anticoagulant, plasma loss and fluids do to the ionized metals.

Ionized metal stands in extracellular fluid, part of it on albumin; citrate has a volume of its own,
twice as large, and the complexes go where citrate goes. All are in equilibrium at every moment.
Hypocalcemia releases parathyroid hormone, which makes bone give calcium. Constants calibrated:
`BONE_RELEASE` alone; the others are those of the sources. L, mmol, g, min.
"""

from __future__ import annotations

import math

from simulator.elementary import power, square_root, tanh

REFERENCE_WEIGHT = 75.0
"""kg; the weight at which the reference took the flows and volumes below [assumed]."""

CITRATE_LITER_PER_KG = 30.0 / REFERENCE_WEIGHT
"""Distribution volume of citrate, L/kg [derived: 30 L give the peaks of kramer-2003]."""

CITRATE_CLEARANCE = 0.71
"""Normal clearance of citrate at the reference weight, L/min [kramer-2003, abstract]."""

CITRATE_AT_REST = 0.1
"""Citrate of normal plasma, mmol/L [unverified]."""

CALCIUM_CITRATE = 2.5
"""Association of calcium with citrate, L/mmol [unverified: 1.6-3; the upper half, not tuned]."""

MAGNESIUM_CITRATE = 2.0
"""Association of magnesium with citrate, L/mmol [unverified: about 2]."""

CALCIUM_ALBUMIN = 12 * 0.1 / 66.5
"""Calcium bound per g/L of albumin and mmol/L of ionized calcium, mmol/g

[unverified: about 12 sites of 0.1 L/mmol on a protein of 66.5 kg/mol, far from saturation.]
"""

MAGNESIUM_ALBUMIN = 0.0087
"""Magnesium bound likewise, L/g [unverified: a fourth of plasma magnesium is on protein]."""

OTHER_CALCIUM = 0.19
"""Calcium with bicarbonate, phosphate and the like, per ionized

[derived: what is left of 2.35 mmol/L at 1.20 mmol/L ionized and 40 g/L of albumin; unverified.]
"""

OTHER_MAGNESIUM = 0.145
"""Magnesium likewise [derived: what is left of 0.85 mmol/L at 0.55 mmol/L ionized; unverified]."""

MAGNESIUM_AT_REST = 0.55
"""Ionized magnesium of normal plasma, mmol/L [unverified]."""

MAGNESIUM_TIME = 1440.0
"""Time constant, min, with which cells and kidneys bring magnesium back [assumed: a day]."""

SECRETION_MOST = 6.0
"""Secretion of parathyroid hormone at its most, as a multiple of rest [unverified: 5-6]."""

LOG_SECRETION = math.log(SECRETION_MOST - 1)

SECRETION_WIDTH = 0.08
"""Fall of ionized calcium, mmol/L, over which its secretion rises e-fold at first

[unverified: secretion is half its most at 0.13 mmol/L below rest.]
"""

STORE_REFILL = 2.0
"""How fast secretory stores refill against how fast rest empties them; the response that lasts is
at most one plus this [assumed: a third to a half of the peak]."""

STORE_TIME = 60.0
"""Time, min, in which secretion at rest would empty the stores

[assumed: an emptying within ten minutes when secretion is high, since the hormone of donors peaks
after 5-15 min and then declines (jcem-1985, abstract).]
"""

BONE_RELEASE = 0.034
"""Calcium, mmol/min, that bone gives for each multiple of parathyroid hormone above rest at the
reference weight [calibrated on zhao-weinstein-2019]."""


NEWTON_STEPS = 3
"""They leave 1e-15 where both metals have about the same space, as in every body."""


def scaled_flow(flow: float, weight: float) -> float:
    """A clearance or a release for a body weight (kg): flow (w / 75 kg)^(3/4) [assumed]."""
    return flow * power(weight / REFERENCE_WEIGHT, 0.75)


def metabolized_citrate(citrate: float, clearance: float) -> float:
    """Citrate burnt beyond the body's own production, mmol/min [kramer-2003].

    `citrate` mmol/L, `clearance` L/min: J = CL (C - C_rest)
    """
    return clearance * (citrate - CITRATE_AT_REST)


def calcium_space(fluid_volume: float, albumin: float) -> float:
    """Calcium not on citrate per mmol/L of ionized calcium, L: V (1 + o) + a A.

    `fluid_volume` L of extracellular fluid, `albumin` g in all of it, inside vessels and outside.
    """
    return fluid_volume * (1 + OTHER_CALCIUM) + CALCIUM_ALBUMIN * albumin


def magnesium_space(fluid_volume: float, albumin: float) -> float:
    """Magnesium not on citrate per mmol/L of ionized magnesium, L; see `calcium_space`."""
    return fluid_volume * (1 + OTHER_MAGNESIUM) + MAGNESIUM_ALBUMIN * albumin


def equilibrium(
    calcium: float, magnesium: float, citrate: float,
    calcium_liters: float, magnesium_liters: float, citrate_liters: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Ionized calcium, ionized magnesium and free citrate, mmol/L, of contents in mmol.

    Calcium    M = i (A + V K₁ f)          A, B: `calcium_space`, `magnesium_space`
    magnesium  N = m (B + V K₂ f)          V: volume of citrate and of its complexes
    citrate    C = V f (1 + K₁ i + K₂ m)

    The first two put into the third leave one equation in f, whose left side rises and bends
    downward. With one half-saturation s for both metals, f (V + (M + N) / (s + f)) = C, it is a
    quadratic; from its root, which the harmonic mean of both keeps below the true one, Newton's
    method climbs and cannot overshoot. A fixed number of steps lets many patients go side by side.
    """
    k1, k2 = citrate_liters * CALCIUM_CITRATE, citrate_liters * MAGNESIUM_CITRATE
    metal = calcium + magnesium
    half = metal / (calcium * k1 / calcium_liters + magnesium * k2 / magnesium_liters)
    room = citrate_liters * half + metal - citrate
    held = 2 * citrate * half
    free = held / (room + square_root(room * room + 2 * citrate_liters * held))
    for _ in range(NEWTON_STEPS):
        a, b = calcium_liters + k1 * free, magnesium_liters + k2 * free
        both = 1 / (a * b)
        on_calcium, on_magnesium = k1 * calcium * b * both, k2 * magnesium * a * both
        missing = citrate - free * (citrate_liters + on_calcium + on_magnesium)
        slope = (
            citrate_liters
            + (on_calcium * calcium_liters * b + on_magnesium * magnesium_liters * a) * both
        )
        free = free + missing / slope
    return calcium / (calcium_liters + k1 * free), magnesium / (magnesium_liters + k2 * free), free


def contents(
    ionized_calcium: float, ionized_magnesium: float, citrate: float,
    calcium_liters: float, magnesium_liters: float, citrate_liters: float,
) -> tuple[float, float]:  # fmt: skip
    """Calcium and magnesium (mmol) that a total citrate (mmol/L) leaves at these ionized levels.

    The inverse of `equilibrium`, with f = C / (1 + K₁ i + K₂ m).
    """
    free = citrate / (1 + CALCIUM_CITRATE * ionized_calcium + MAGNESIUM_CITRATE * ionized_magnesium)
    return (
        ionized_calcium * (calcium_liters + citrate_liters * CALCIUM_CITRATE * free),
        ionized_magnesium * (magnesium_liters + citrate_liters * MAGNESIUM_CITRATE * free),
    )


def total_calcium(ionized: float, free_citrate: float, albumin: float) -> float:
    """Calcium of plasma in all its forms, mmol/L: i (1 + o + a [albumin, g/L] + K₁ f)."""
    return ionized * (
        1 + OTHER_CALCIUM + CALCIUM_ALBUMIN * albumin + CALCIUM_CITRATE * free_citrate
    )


def total_magnesium(ionized: float, free_citrate: float, albumin: float) -> float:
    """Magnesium of plasma in all its forms, mmol/L; see `total_calcium`."""
    return ionized * (
        1 + OTHER_MAGNESIUM + MAGNESIUM_ALBUMIN * albumin + MAGNESIUM_CITRATE * free_citrate
    )


def secretion(ionized: float, at_rest: float) -> float:
    """Secretion of parathyroid hormone from full stores, as a multiple of rest.

    A sigmoid of ionized calcium (mmol/L): s = S / (1 + (S - 1) exp((i - i_rest) / w)), here by a
    hyperbolic tangent, which no level is too far off for.
    """
    x = (ionized - at_rest) / SECRETION_WIDTH + LOG_SECRETION
    return SECRETION_MOST / 2 * (1 - tanh(x / 2))


def parathyroid_hormone(store: float, secreted: float) -> float:
    """Level of the hormone as a multiple of rest: H = s R.

    `store`: what the glands can release at once (R, 1 at rest). Its half-life of a few minutes
    [unverified] makes the level follow its secretion.
    """
    return store * secreted


def refilled(store: float, hormone: float) -> float:
    """Rate at which the glands' stores fill, per min: dR/dt = (1 - H + r (1 - R)) / T [assumed]."""
    return (1 - hormone + STORE_REFILL * (1 - store)) / STORE_TIME


def released_from_bone(hormone: float, release: float) -> float:
    """Calcium that bone gives to the blood, mmol/min; negative when it takes calcium up.

    J = β (H - 1), β the release at this body weight (mmol/min). It is bounded, because the
    secretion of the hormone is.
    """
    return release * (hormone - 1)


def regained_magnesium(ionized: float, liters: float) -> float:
    """Magnesium from cells and kidneys, mmol/min: J = B (m_rest - m) / T [assumed]."""
    return liters * (MAGNESIUM_AT_REST - ionized) / MAGNESIUM_TIME
