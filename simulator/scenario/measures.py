"""Quantities in a scenario: a number with a unit, of the right dimension and within limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from simulator import units
from simulator.records import record
from simulator.scenario.kind import Kind
from simulator.scenario.report import number, shown
from simulator.units import Quantity


@record
class Measure(Kind[Quantity]):
    """A quantity of the dimension of `example`, from `low` to `high`, or above `above`."""

    example: str
    low: str | None = None
    high: str | None = None
    above: str | None = None

    @cached_property
    def _limits(self) -> tuple[float | None, float | None, float | None]:
        low, high, above = (
            None if text is None else units.parse(text).canonical
            for text in (self.low, self.high, self.above)
        )
        return low, high, above

    @cached_property
    def unit(self) -> units.Unit:
        return units.parse(self.example).unit

    def expectation(self) -> str:
        return f"{units.describe(self.unit)}, such as '{self.example}'"

    def read(self, value: Any) -> Quantity:
        quantity = read_quantity(value, self.expectation())
        if quantity.unit.dimension != self.unit.dimension:
            raise ValueError(self._wrong_dimension(value, quantity))
        self.check_limits(quantity, value)
        return quantity

    def fits(self, quantity: Quantity) -> bool:
        """Whether a quantity has this dimension; the limits are another question."""
        return quantity.unit.dimension == self.unit.dimension

    def check_limits(self, quantity: Quantity, written: Any) -> None:
        """Raise `ValueError` for a quantity of the right dimension outside the limits."""
        low, high, above = self._limits
        size = quantity.canonical
        if (
            (low is None or size >= low)
            and (high is None or size <= high)
            and (above is None or size > above)
        ):
            return
        if self.low is not None:
            bounds = f"between {self.low} and {self.high}" if self.high else f"at least {self.low}"
        else:
            bounds = f"more than {self.above}" + (f" and at most {self.high}" if self.high else "")
        raise ValueError(f"expected {bounds}, got {shown(written)}{self._percent_hint(quantity)}")

    def _percent_hint(self, quantity: Quantity) -> str:
        """41 for a hematocrit means 41 %, not 4100 %."""
        if self.unit.text != "%" or quantity.unit.text != "1":
            return ""
        as_percent = Quantity(quantity.value, self.unit)
        try:
            self.check_limits(as_percent, "")
        except ValueError:
            return ""
        return f"; did you mean '{number(quantity.value)} %'?"

    def _wrong_dimension(self, written: Any, quantity: Quantity) -> str:
        if quantity.unit.text == "1":
            own = f"{number(quantity.value)} {self.unit.text}"
            kind = units.describe(self.unit)
            return f"{kind} needs a unit, such as '{own}'; got {shown(written)}"
        got = f"{shown(written)}, {units.describe(quantity.unit)}"
        return f"expected {self.expectation()}, got {got}"

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "string",
            "pattern": f"^{NUMBER_PATTERN}{unit_pattern(self.unit.dimension)}$",
            "examples": [self.example],
        }
        if not self.unit.dimension:
            return {"anyOf": [{"type": "number"}, schema]}
        return schema


@record
class AnyMeasure(Kind[Quantity]):
    """A quantity of one of several dimensions; with none given, of any (checked later)."""

    example: str
    measures: tuple[Measure, ...] = ()

    def expectation(self) -> str:
        if not self.measures:
            return f"a quantity, such as '{self.example}'"
        parts = [
            f"{units.describe(measure.unit)} ('{measure.example}')" for measure in self.measures
        ]
        return " or ".join([", ".join(parts[:-1]), parts[-1]])

    def read(self, value: Any) -> Quantity:
        quantity = read_quantity(value, self.expectation())
        if not self.measures:
            return quantity
        for measure in self.measures:
            if measure.fits(quantity):
                measure.check_limits(quantity, value)
                return quantity
        got = shown(value)
        if quantity.unit.text != "1":
            got += f", {units.describe(quantity.unit)}"
        raise ValueError(f"expected {self.expectation()}, got {got}")

    def json_schema(self) -> dict[str, Any]:
        if self.measures:
            return {"anyOf": [measure.json_schema() for measure in self.measures]}
        schema = {"type": "string", "pattern": f"^{NUMBER_PATTERN}", "examples": [self.example]}
        return {"anyOf": [{"type": "number"}, schema]}


def read_quantity(value: Any, expectation: str) -> Quantity:
    """A number or quantity text as a quantity; `ValueError` with the whole message otherwise.

    What is a quantity already, as programs may write it, is taken as it is.
    """
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Quantity(float(value), units.parse_unit("1"))
    if not isinstance(value, str):
        raise ValueError(f"expected {expectation}, got {shown(value)}")
    try:
        return units.parse(value)
    except units.UnitError as error:
        reason = str(error)
        grammar = reason.startswith("expected")  # which says no more than the expectation
        detail = "" if grammar else f": {reason}"
        raise ValueError(f"expected {expectation}, got {shown(value)}{detail}") from None


NUMBER_PATTERN = r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*"


def unit_pattern(dimension: units.Dimension) -> str:
    """A regular expression for the unit texts of a dimension, for editors."""
    if not dimension:
        return "%?"
    over = [_symbols(base) for base, power in dimension for _ in range(power)]
    under = [_symbols(base) for base, power in dimension for _ in range(-power)]
    return "/".join([*(over or ["(%|1)"]), *under])


def _symbols(base: str) -> str:
    known = units.known_symbols()
    fitting: Sequence[str] = [s for s in known if units.parse_unit(s).dimension == ((base, 1),)]
    return f"({'|'.join(re.escape(symbol) for symbol in fitting)})"
