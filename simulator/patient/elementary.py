"""The few functions that the equations need beside + - * /.

They stand here by name because the equations are not only run with numbers: to be compiled for many
patients they are run once with symbols (`sweep.fast`), which bring their own.
"""

from __future__ import annotations

import math


def tanh(x: float) -> float:
    """Hyperbolic tangent."""
    try:
        return math.tanh(x)
    except TypeError:
        return x.tanh()  # type: ignore[attr-defined,no-any-return]


def power(x: float, exponent: float) -> float:
    """x to a power; x positive."""
    try:
        return math.pow(x, exponent)
    except TypeError:
        base = x if hasattr(x, "power") else exponent
        return base.tape.operate("power", x, exponent)  # type: ignore[attr-defined,no-any-return]


def square_root(x: float) -> float:
    """Square root; not a number where there is none."""
    try:
        return math.sqrt(x)
    except ValueError:
        return math.nan
    except TypeError:
        return x.sqrt()  # type: ignore[attr-defined,no-any-return]


def ratio(part: float, whole: float) -> float:
    """A part over a whole; 0 of nothing."""
    if hasattr(whole, "under"):
        return whole.under(part)  # type: ignore[no-any-return]
    return part / whole if whole else 0.0
