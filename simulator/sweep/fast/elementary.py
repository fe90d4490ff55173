"""Elementary functions that a compiler can work out for several patients at once.

Only arithmetic, and the bits of a number read as an integer, so that no lane has to wait for
another. Accurate to a few units of the last digit over what bodies need; tested against `math`.

Source of the method: Muller, Elementary Functions, 3rd ed., sections 11.2 (range reduction) and 4
(polynomials); the coefficients are those of the series.
"""

from __future__ import annotations

import math

import numpy as np

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
"""ln 2 in two parts; an integer below 2^20 times the first is exact."""
ROUNDER = 6755399441055744.0
"""1.5 · 2^52: added to a small number, it leaves the nearest integer in the lowest bits."""
LARGEST = 700.0
"""Exponents are kept within, where doubles end soon."""
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
SERIES = tuple(1 / math.factorial(n) for n in range(14))
"""Of exp."""


def exponential(x: float) -> float:
    """e to the x: 2^n e^r with |r| <= ln 2 / 2."""
    x = min(max(x, -LARGEST), LARGEST)
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = SERIES[13]
    p = p * r + SERIES[12]
    p = p * r + SERIES[11]
    p = p * r + SERIES[10]
    p = p * r + SERIES[9]
    p = p * r + SERIES[8]
    p = p * r + SERIES[7]
    p = p * r + SERIES[6]
    p = p * r + SERIES[5]
    p = p * r + SERIES[4]
    p = p * r + SERIES[3]
    p = p * r + SERIES[2]
    p = p * r + 1.0
    p = p * r + 1.0
    bits = np.float64(p).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
    return np.int64(bits).view(np.float64)


def logarithm(x: float) -> float:
    """ln x of a positive, normal number: n ln 2 + ln m, m from √½ to √2.

    ln m = 2 (s + s³/3 + s⁵/5 + ...),  s = (m - 1) / (m + 1)
    """
    bits = np.float64(x).view(np.int64)
    offset = bits - SQRT_HALF_BITS
    exponent = offset >> 52
    m = np.int64(bits - (exponent << 52)).view(np.float64)
    n = np.int64(exponent + np.float64(ROUNDER).view(np.int64)).view(np.float64) - ROUNDER
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1 / 21
    p = p * z + 1 / 19
    p = p * z + 1 / 17
    p = p * z + 1 / 15
    p = p * z + 1 / 13
    p = p * z + 1 / 11
    p = p * z + 1 / 9
    p = p * z + 1 / 7
    p = p * z + 1 / 5
    p = p * z + 1 / 3
    return n * LN2_HIGH + (2.0 * s + (2.0 * s * z * p + n * LN2_LOW))


def to_the_power(x: float, exponent: float) -> float:
    """x to a power, x positive; errors grow with the exponent's size."""
    return exponential(exponent * logarithm(x))


def hyperbolic_tangent(x: float) -> float:
    """tanh x = 1 - 2 / (1 + e^(2x)); absolute error a few 1e-16, relative not near zero."""
    return 1.0 - 2.0 / (1.0 + exponential(2.0 * x))


def part_of(part: float, whole: float) -> float:
    """A part over a whole; 0 of nothing."""
    divisor = whole if whole != 0.0 else 1.0
    return part / divisor if whole != 0.0 else 0.0
