"""The few functions that equations and machine need beside + - * / and comparisons.

They stand here by name because both are not only run with numbers: for many patients at once they
are run with symbols (`sweep.fast`), which bring their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

Due = TypeVar("Due", bound=tuple[Any, ...])


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


def soonest(due: Sequence[Due]) -> Due:
    """Of tuples that begin with a time or an amount, the one with the least; of equals the first.

    Nothing is asked of the others but whether they come later.
    """
    for first, *_ in due:
        if hasattr(first, "least"):
            place: int = first.least([one[0] for one in due])
            return due[place]
    return min(due, key=lambda one: one[0])
