"""Numbers read from the runs of a lesson: an endpoint of one arm, or two of them compared.

fall igg @ session 1                                  of the first arm, the live one
fall igg @ session 1 of two volumes                   of the arm with that label
fall igg @ session 1 of two volumes over one volume   the ratio of two arms
blood-volume-nadir less saline first                  their difference, here with the live one
left igm @ 2 d over left igg @ 2 d                    two endpoints of one arm
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from simulator import catalog, endpoints, units
from simulator.endpoints import Endpoint
from simulator.errors import CommandError
from simulator.records import record
from simulator.result import Result
from simulator.scenario.model import Scenario

JOINING = (" of ", " over ", " less ")
"""What parts a phrase, and so stands in no label."""

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    ">=": (lambda value, bound: value >= bound, "at least"),
    "<=": (lambda value, bound: value <= bound, "at most"),
    ">": (lambda value, bound: value > bound, "more than"),
    "<": (lambda value, bound: value < bound, "less than"),
    "=": (lambda value, bound: value == bound, "exactly"),
}
_BOUND = re.compile(r"\s*(>=|<=|>|<|=)\s*([^<>=].*)")


@record
class Side:
    """An endpoint, read in one arm."""

    endpoint: Endpoint
    arm: str

    def read(self, results: Mapping[str, Result]) -> float:
        """Its value in the run of its arm."""
        if self.arm not in results:
            raise CommandError(f"{self.endpoint}: there is no run of the arm {self.arm!r}")
        return self.endpoint.read(results[self.arm])


@record
class Phrase:
    """A number of a lesson."""

    text: str
    left: Side
    joined: str = ""
    """over, less, or nothing."""
    right: Side | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        """What is read: one side, or two."""
        return (self.left,) if self.right is None else (self.left, self.right)

    def read(self, results: Mapping[str, Result]) -> float:
        """Its value, in `unit_in`; raises `CommandError` if the runs have no such number."""
        value = self.left.read(results)
        if self.right is None:
            return value
        other = self.right.read(results)
        if self.joined == "less":
            return value - other
        if not other:
            raise CommandError(f"{self.text}: these runs have no such number: a share of nothing")
        return value / other

    def unit_in(self, scenarios: Mapping[str, Scenario]) -> str:
        """The unit of `read`; raises `CommandError` if an arm cannot be read so."""
        unit = self.left.endpoint.unit_in(scenarios[self.left.arm])
        if self.right is None:
            return unit
        other = self.right.endpoint.unit_in(scenarios[self.right.arm])
        if unit != other:
            named = f"{unit or 'a number'} and {other or 'a number'}"
            raise CommandError(f"{self.text}: expected two numbers of one unit, got {named}")
        return "" if self.joined == "over" else unit


def parse(text: str, labels: Sequence[str]) -> Phrase:
    """The phrase that a text writes, with the labels of the arms, the live one first."""
    words = " ".join(text.split())
    parts = re.split(r" (over|less) ", words)
    left = _side(parts[0], labels, words)
    if len(parts) == 1:
        return Phrase(words, left)
    if len(parts) > 3:
        raise CommandError(f"{words!r}: expected one 'over' or 'less'")
    if parts[2] in labels:
        right = Side(left.endpoint, parts[2])
        if right.arm == left.arm:
            raise CommandError(f"{words!r}: expected another arm than {left.arm!r}")
    else:
        right = _side(parts[2], labels, words)
    return Phrase(words, left, parts[1], right)


def _side(text: str, labels: Sequence[str], whole: str) -> Side:
    what, of, label = text.partition(" of ")
    if of and label not in labels:
        hint = catalog.nearest(label, labels)
        raise CommandError(f"{whole!r}: no arm has the label {label!r}; {hint}")
    return Side(endpoints.parse(what), label if of else labels[0])


@record
class Bound:
    """What a number is held against."""

    comparison: str
    quantity: units.Quantity

    def holds(self, value: float, unit: str) -> bool:
        """Whether a value in a unit is within."""
        return _COMPARISONS[self.comparison][0](value, self.quantity.to(unit or "1"))

    def __str__(self) -> str:
        unit = self.quantity.unit.text
        number = f"{self.quantity.value:g}".replace("-", "−")
        return f"{_COMPARISONS[self.comparison][1]} {number}{'' if unit == '1' else f' {unit}'}"


def parse_bound(text: str) -> Bound:
    """The bound that a text writes; raises `ValueError` with what was expected."""
    found = _BOUND.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a bound, such as '>= 1.0 g/L', got {text!r}")
    return Bound(found[1], units.parse(found[2]))


def in_words(value: float, unit: str, digits: int = 2) -> str:
    """A number as it is said, to so many digits and with its unit; whole parts are kept whole."""
    if value and abs(value) < 10 ** (digits - 1):
        places = digits - 1 - math.floor(math.log10(abs(value)))
        number = f"{value:.{min(places, 9)}f}"
    else:
        number = f"{value:.0f}"
    return number.replace("-", "−") + (f" {unit}" if unit else "")
