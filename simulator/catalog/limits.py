"""Within what limits the numbers of an entry lie, and which of them contradict each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from simulator.catalog.entries import BowlFacts, Device, MembraneFacts
from simulator.units import Quantity

#: Quantities that may be zero, beside those that are zero where a catalog file is silent; all
#: others are above it.
_MAY_BE_ZERO = frozenset(
    {
        *("prime_time", "connect_time", "disconnect_time", "change_over_time", "rinseback_volume"),
        *("turnaround", "fouling", "pressure_drop_50", "pressure_drop_100", "pressure_spread"),
        "sieving",
    }
)

#: Pressures that may lie on either side of that of the air.
_EITHER_SIGN = frozenset({"vein_pressure", "access_pressure_limit"})

#: Probabilities in a session of 100 min: no rate makes a thing certain.
_CHANCES = frozenset({"failure", "rate"})

#: Bare numbers that are no fractions.
_RATIOS = frozenset(
    {
        *("anticoagulant_ratio", "anticoagulant_ratio_min", "anticoagulant_ratio_max"),
        *("exponent", "spread", "response_spread", "first_session", "after_paresthesia"),
        *("reference_fall", "synthesis_gain"),
    }
)

#: Bare numbers that count something.
_COUNTS: Mapping[str, tuple[int, ...]] = {"columns": (1, 2)}

WHOLE = "between 0 % and 100 %"


def expected(kind: type, key: str, quantity: Quantity) -> str:
    """What a number of the right dimension should be but is not; empty if it is.

    `kind` is the dataclass that has the field `key`.
    """
    if key in _COUNTS:
        fits = any(quantity.canonical == count for count in _COUNTS[key])
        return "" if fits else " or ".join(map(str, _COUNTS[key]))
    if key in _EITHER_SIGN:
        return ""
    silent = {field.name for field in dataclasses.fields(kind) if field.default == 0.0}
    if key in _MAY_BE_ZERO or key in silent:
        if quantity.value < 0:
            return "at least 0"
    elif quantity.value <= 0:
        return "more than 0"
    if quantity.unit.dimension or key in _RATIOS:
        return ""
    return expected_share(quantity, below=key in _CHANCES)


def expected_share(quantity: Quantity, *, below: bool = False) -> str:
    """The same of a fraction; one that is `below` the whole cannot be all of it."""
    if not 0 <= quantity.canonical <= 1:
        return WHOLE
    return "less than 100 %" if below and quantity.canonical == 1 else ""


Contradiction = tuple[tuple[str, ...], str]
"""The keys that lead to a number, and what is wrong with it beside the others."""


def contradictions(device: Device) -> Iterator[Contradiction]:
    """Numbers of a device of which each is possible, but not beside the others."""
    separator = device.separator
    if isinstance(separator, MembraneFacts):
        share, most = separator.filtration_fraction, separator.filtration_fraction_max
        if share > most:
            yield (
                ("separator", "filtration_fraction"),
                f"expected at most {100 * most:g} %, the filtration_fraction_max, "
                f"got {100 * share:g} %",
            )
    if isinstance(separator, BowlFacts) and device.treatment is not None:
        message = "the plasma of a bowl goes to a bag; a centrifuge or a membrane can treat it"
        yield ("treatment",), message
    if isinstance(separator, BowlFacts) and device.single_needle_volume:
        yield ("single_needle_volume",), "a bowl has one needle anyway; leave it out"
    if device.single_needle_volume and not device.return_flow:
        message = "needs return_flow, at which blood goes back through the needle"
        yield ("single_needle_volume",), message
    if device.return_flow and not device.single_needle_volume:
        message = "needs single_needle_volume, the blood drawn between two returns"
        yield ("return_flow",), message


def outside_own_range(device: Device) -> Iterator[Contradiction]:
    """Usual settings of a device that lie outside its own range."""
    for key, unit in (("anticoagulant_ratio", ""), ("inlet_flow", " mL/min")):
        low, usual, high = (getattr(device, f"{key}{end}") for end in ("_min", "", "_max"))
        if not low <= usual <= high:
            yield (
                (key,),
                f"expected between {low:g} and {high:g}{unit}, {key}_min and {key}_max, "
                f"got {usual:g}{unit}",
            )
