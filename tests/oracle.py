"""A second implementation of the two-pool model, from its equations and nothing else.

    dP/dt = S + g - (k_c + k₁₂ + s Q/V) P + k₂₁ E
    dE/dt = k₁₂ P - k₂₁ E                              k₂₁ = k₁₂ f / (1 - f),  S = k_c P(0)

P and E are masses in plasma and outside it, V the plasma volume, Q the plasma drawn per min, s its
sieving coefficient, g what is given per min, k_c the fractional catabolic rate, k₁₂ the
transcapillary escape rate and f the intravascular fraction. As long as V does not change, every
stretch of constant Q and g is linear, and its solution the exponential of a matrix: there are no
steps, and the only error is rounding.

Written from the model's description (reverberi-2007; textbook form with catabolism from plasma).
It imports nothing of the program that it judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Substance:
    """One substance in one patient at rest; rates per min, volume in mL."""

    plasma_volume: float
    level: float
    """Mass per mL of plasma at rest."""
    intravascular: float
    escape: float
    catabolism: float
    synthesis: float = 1.0
    """Over that which holds the level at rest."""
    sieving: float = 1.0

    @property
    def back(self) -> float:
        """k₂₁, which holds both pools at rest."""
        if self.intravascular == 1:
            return 0.0
        return self.escape * self.intravascular / (1 - self.intravascular)

    def at_rest(self) -> Vector:
        """P and E at rest."""
        plasma = self.level * self.plasma_volume
        return np.array([plasma, plasma * (1 - self.intravascular) / self.intravascular])


@dataclass(frozen=True)
class Span:
    """A time in which nothing changes: what is drawn, and what is given (mass per min)."""

    minutes: float
    plasma_drawn: float = 0.0
    given: float = 0.0
    bolus: float = 0.0
    """Mass given at once as it begins."""


def after(substance: Substance, pools: Vector, span: Span) -> Vector:
    """P and E at the end of a span that begins with `pools`."""
    cleared = substance.sieving * span.plasma_drawn / substance.plasma_volume
    made = substance.synthesis * substance.catabolism * substance.at_rest()[0]
    into, out = substance.escape, substance.back
    rates = np.array(
        [
            [-(substance.catabolism + into + cleared), out, made + span.given],
            [into, -out, 0.0],
            [0.0, 0.0, 0.0],
        ]
    )
    start = np.array([pools[0] + span.bolus, pools[1], 1.0])
    end: Vector = expm(rates * span.minutes) @ start
    return end[:2]


def course(substance: Substance, spans: Iterable[Span]) -> list[Vector]:
    """P and E at the start and at the end of every span."""
    pools = [substance.at_rest()]
    for span in spans:
        pools.append(after(substance, pools[-1], span))
    return pools
