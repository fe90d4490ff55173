"""What a sensitivity study varies: a specification, and its value at any share of its range.

A specification is what a sweep block says of an address: a list, a range, or a distribution. Its
quantile function takes a coordinate of the unit cube to a value that can be set at the address.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from simulator import units
from simulator.catalog import nearest
from simulator.errors import CommandError

TAIL = 0.05
"""Where a distribution without an end is cut for methods that ask for its ends."""

PARAMETERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "normal": (("mean", "sd"),),
    "lognormal": (("median", "gsd"), ("mean", "sd")),
    "uniform": (("from", "to"),),
    "triangular": (("from", "mode", "to"),),
}
EXPECTED = "such as '50 kg..110 kg', '0.8 PV,1.0 PV' or 'normal(10 g/L, 2 g/L)'"


@dataclass(frozen=True, slots=True)
class StudyInput:
    """One address with what it may be."""

    address: str
    unit: str
    quantile: Callable[[float], float] | None
    """In `unit`; None for a list."""
    values: tuple[Any, ...] = ()
    """Of a list."""
    bounded: bool = True
    """Whether the quantile function is finite at 0 and 1."""

    def at(self, share: float, whole_range: bool = False) -> str:
        """The value at a share of the range, as text that reads back to the same number.

        `whole_range`: whether 0 and 1 are asked for; what has no end is then cut at its tails.
        """
        if self.quantile is None:
            place = min(int(share * len(self.values)), len(self.values) - 1)
            return str(self.values[place])
        if whole_range and not self.bounded:
            share = TAIL + (1 - 2 * TAIL) * share
        return f"{self.quantile(share)!r} {self.unit}".rstrip()

    def override(self, share: float, whole_range: bool = False) -> str:
        """What ``--set`` takes to put that value at the address."""
        return f"{self.address}={self.at(share, whole_range)}"

    @property
    def words(self) -> str:
        """Its range: from the fifth to the ninety-fifth of a hundred, or the values of a list."""
        if self.quantile is None:
            return ", ".join(map(str, self.values))
        low, high = (self.quantile(p) for p in ((0.0, 1.0) if self.bounded else (TAIL, 1 - TAIL)))
        return f"{low:.4g} to {high:.4g} {self.unit}".rstrip()


def read(address: str, spec: Any) -> StudyInput:
    """The input that a specification of a sweep block describes.

    Raises `CommandError` with what was expected.
    """
    if isinstance(spec, Sequence) and not isinstance(spec, str) and spec:
        return StudyInput(address, "", None, tuple(spec))
    if isinstance(spec, Mapping) and {"from", "to"} <= set(spec):
        ends = {key: spec[key] for key in ("from", "to")}
        return _distributed(address, "uniform", ends)
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((name, parameters),) = spec.items()
        return _distributed(address, str(name), parameters)
    raise CommandError(f"--over {address}: expected values, {EXPECTED}; got {spec!r}")


def parse(text: str) -> StudyInput:
    """The input that ``PATH=SPEC`` of a command line describes."""
    address, equals, spec = text.partition("=")
    address, spec = address.strip(), spec.strip()
    if not equals or not address or not spec:
        raise CommandError(f"--over {text[:60]}: expected PATH=SPEC, {EXPECTED}")
    if found := re.fullmatch(r"([a-z]+)\s*\((.*)\)", spec):
        given = [part.strip() for part in found[2].split(",")]
        return _distributed(address, found[1], _named(address, found[1], given))
    if found := re.fullmatch(r"(.+?)\.\.(.+?)(?:/\d+)?", spec):
        return _distributed(address, "uniform", {"from": found[1], "to": found[2]})
    return StudyInput(address, "", None, tuple(part.strip() for part in spec.split(",")))


def _named(address: str, name: str, given: Sequence[str]) -> dict[str, str]:
    """Parameters by their names, from their places; a lognormal's second part decides its form."""
    forms = PARAMETERS.get(name, ())
    fitting = [form for form in forms if len(form) == len(given)]
    if forms and not fitting:
        raise CommandError(
            f"--over {address}: {name} takes {' and '.join(forms[0])}, got {len(given)} values"
        )
    if name == "lognormal":
        _, spread = (_quantity(address, "lognormal", part) for part in given)
        fitting = [form for form in forms if (form[1] == "gsd") == (not spread.unit.dimension)]
    return dict(zip(fitting[0], given, strict=True)) if fitting else {}


def _distributed(address: str, name: str, parameters: Any) -> StudyInput:
    if name not in PARAMETERS:
        near = nearest(name, PARAMETERS)
        raise CommandError(f"--over {address}: {name!r} is not a distribution; {near}")
    given = set(parameters) if isinstance(parameters, Mapping) else set()
    form = next((form for form in PARAMETERS[name] if set(form) == given), None)
    if form is None:
        wanted = " or ".join(", ".join(form) for form in PARAMETERS[name])
        raise CommandError(f"--over {address}: {name} takes {wanted}; got {parameters!r}")
    quantities = [_quantity(address, f"{name} {key}", parameters[key]) for key in form]
    unit = quantities[0].unit
    values = []
    for key, quantity in zip(form, quantities, strict=True):
        if key != "gsd" and quantity.unit.dimension != unit.dimension:
            raise CommandError(
                f"--over {address}: {name} {key}: expected a quantity like "
                f"{quantities[0].value:g} {unit.text}, got {parameters[key]}"
            )
        own = key == "gsd" or quantity.unit.text == unit.text
        values.append(quantity.value if own else quantity.to(unit.text))
    made = _lognormal_by_mean if (name, form[0]) == ("lognormal", "mean") else _QUANTILES[form]
    quantile = made(address, *values)
    text = "" if unit.text == "1" else unit.text
    return StudyInput(address, text, quantile, bounded=name in ("uniform", "triangular"))


def _quantity(address: str, what: str, text: Any) -> units.Quantity:
    try:
        return units.parse(str(text))
    except ValueError as error:
        raise CommandError(f"--over {address}: {what}: {error}") from None


# -- quantile functions ---------------------------------------------------------------------------


def _normal(address: str, mean: float, sd: float) -> Callable[[float], float]:
    _above_zero(address, "sd", sd)
    return NormalDist(mean, sd).inv_cdf


def _lognormal(address: str, median: float, gsd: float) -> Callable[[float], float]:
    _above_zero(address, "median", median)
    _above_zero(address, "gsd − 1", gsd - 1)
    log = NormalDist(math.log(median), math.log(gsd))
    return lambda share: math.exp(log.inv_cdf(share))


def _lognormal_by_mean(address: str, mean: float, sd: float) -> Callable[[float], float]:
    _above_zero(address, "mean", mean)
    _above_zero(address, "sd", sd)
    variance = math.log1p((sd / mean) ** 2)
    median = mean * math.exp(-variance / 2)
    return _lognormal(address, median, math.exp(math.sqrt(variance)))


def _uniform(address: str, low: float, high: float) -> Callable[[float], float]:
    _above_zero(address, "to − from", high - low)
    return lambda share: low + share * (high - low)


def _triangular(address: str, low: float, mode: float, high: float) -> Callable[[float], float]:
    _above_zero(address, "to − from", high - low)
    if not low <= mode <= high:
        raise CommandError(f"--over {address}: expected the mode between from and to, got {mode:g}")
    turn = (mode - low) / (high - low)

    def quantile(share: float) -> float:
        if share <= turn:
            return low + math.sqrt(share * (high - low) * (mode - low))
        return high - math.sqrt((1 - share) * (high - low) * (high - mode))

    return quantile


def _above_zero(address: str, what: str, value: float) -> None:
    if value <= 0:
        raise CommandError(f"--over {address}: expected {what} above 0, got {value:g}")


_QUANTILES: Mapping[tuple[str, ...], Callable[..., Callable[[float], float]]] = {
    ("mean", "sd"): _normal,
    ("median", "gsd"): _lognormal,
    ("from", "to"): _uniform,
    ("from", "mode", "to"): _triangular,
}
