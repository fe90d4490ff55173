"""Factors: one thing that is varied, what it may be, and how a sweep block says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import units
from simulator.catalog import nearest
from simulator.errors import CommandError
from simulator.scenario.report import number
from simulator.scenario.sweep import DISTRIBUTIONS, LIMITS
from simulator.sweep.distributions import in_one_unit, quantiles, trouble

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
ONE_OF = "one of"
"""Not a distribution of numbers: one of some values, each with its chance."""


@dataclass(frozen=True)
class Factor:
    """One thing that is varied: a dotted path, and what it may be."""

    address: str
    unit: str
    """Of its numbers; empty for pure numbers and for named values."""
    values: tuple[Any, ...] = ()
    """Of a list or a range: numbers in `unit`, or whatever a scenario can say there."""
    ends: tuple[float, float] | None = None
    """Of a range."""
    distribution: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    by: str = ""
    """Address of what its distribution goes by, such as the patient's sex."""
    cases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Parameters for each value of that."""

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers in `unit`."""
        return not self.values or all(isinstance(v, float) for v in self.values)

    @property
    def words(self) -> str:
        """What it may be, in words."""
        if self.distribution == ONE_OF:
            return " or ".join(f"{_text(v)} ({p:.0%})" for v, p in self._chances)
        if self.cases:
            each = (f"{case} {self._given(held)}" for case, held in self.cases.items())
            return f"{self.distribution}: {'; '.join(each)}"
        if self.distribution:
            return f"{self.distribution}: {self._given(self.parameters)}"
        if self.ends:
            low, high = map(number, self.ends)
            return f"{len(self.values)} values from {low} to {high} {self.unit}".rstrip()
        shown = [number(v) if isinstance(v, float) else _text(v) for v in self.values]
        listed = ", ".join(shown[:8]) + (f", … ({len(shown)})" if len(shown) > 8 else "")
        return f"{listed} {self.unit}".rstrip()

    @property
    def _chances(self) -> list[tuple[Any, float]]:
        return [(value, self.parameters[str(value)]) for value in self.values]

    def _given(self, parameters: Mapping[str, float]) -> str:
        return ", ".join(
            f"{key} {number(v)}{'' if key == 'gsd' or not self.unit else ' ' + self.unit}"
            for key, v in parameters.items()
        )

    def at(self, shares: Floats, cases: NDArray[Any] | None = None) -> NDArray[Any]:
        """Its values at shares of its range, where it goes by something in these cases of that."""
        if self.distribution == ONE_OF:
            upto = np.cumsum([chance for _, chance in self._chances])
            return self.listed(np.searchsorted(upto, shares, side="right").astype(np.int64))
        if self.cases and cases is not None:
            found = np.empty(len(shares))
            for case, parameters in self.cases.items():
                here = cases == case
                found[here] = quantiles(self.distribution, parameters, shares[here])
            return found
        if self.distribution:
            return quantiles(self.distribution, self.parameters, shares)
        if self.ends:
            return self.ends[0] + shares * (self.ends[1] - self.ends[0])
        return self.listed((shares * len(self.values)).astype(np.int64))

    def listed(self, places: Integers) -> NDArray[Any]:
        """Its values at places of its list."""
        kind = np.float64 if self.numeric else np.object_
        held = np.empty(len(self.values), dtype=kind)
        held[:] = self.values
        return held[np.minimum(places, len(self.values) - 1)]

    def text(self, value: Any) -> str:
        """A value as ``--set`` takes it; reads back to the same number."""
        if self.numeric:
            return f"{float(value)!r} {self.unit}".rstrip()
        return _text(value)


def factor_of(address: str, spec: Any) -> Factor:
    """What a sweep block says of one address; raises `CommandError`."""
    if isinstance(spec, list | tuple):
        return _list_of(address, spec)
    if isinstance(spec, Mapping) and {"from", "to", "steps"} <= set(spec):
        unit, (low, high) = _in_unit(address, [spec["from"], spec["to"]])
        steps = int(spec["steps"])
        if steps < 2:
            raise CommandError(f"--vary {address}: expected at least 2 steps, got {steps}")
        values = tuple(float(v) for v in np.linspace(low, high, steps))
        return Factor(address, unit, values, ends=(low, high))
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((name, given),) = spec.items()
        _check_form(address, str(name), given)
        parsed = {key: _quantity(address, value) for key, value in given.items()}
        first = next(q for key, q in parsed.items() if key != "gsd")
        try:
            parameters = in_one_unit(parsed, first.unit.text)
            wrong = trouble(name, parameters)
        except (ValueError, KeyError) as error:
            wrong = str(error)
        if wrong:
            raise CommandError(f"--vary {address}: {name}: {wrong}; got {_shown(given)}")
        unit = "" if first.unit.text == "1" else first.unit.text
        return Factor(address, unit, distribution=str(name), parameters=parameters)
    raise CommandError(
        f"--vary {address}: expected a list, {{from: …, to: …, steps: …}} or a distribution such "
        f"as {{normal: {{mean: …, sd: …}}}}; got {spec!r}"
    )


def _check_form(address: str, name: str, given: Any) -> None:
    """Raise unless these are the parameters of that distribution."""
    if name not in DISTRIBUTIONS:
        raise CommandError(
            f"--vary {address}: {name!r} is not a distribution; {nearest(name, DISTRIBUTIONS)}"
        )
    forms = DISTRIBUTIONS[name]
    stated = set(given) - set(LIMITS) if isinstance(given, Mapping) else set()
    if stated not in map(set, forms):
        wanted = " or ".join(f"{name}({', '.join(form)})" for form in forms)
        raise CommandError(
            f"--vary {address}: expected {wanted}, with {'=…, '.join(LIMITS)}=… if it is cut off; "
            f"got {_shown(given)}"
        )


def _list_of(address: str, spec: Sequence[Any]) -> Factor:
    """A list: of numbers if all can be counted in one unit, else of whatever it says."""
    if not spec:
        raise CommandError(f"--vary {address}: expected at least one value")
    plain = all(isinstance(v, str | int | float) and not isinstance(v, bool) for v in spec)
    if plain and any(isinstance(v, str) for v in spec):
        try:
            unit, values = _in_unit(address, spec)
            return Factor(address, unit, tuple(values))
        except CommandError:
            pass  # names, or quantities of several dimensions
    return Factor(address, "", tuple(v if not isinstance(v, float) else str(v) for v in spec))


def _in_unit(address: str, texts: Sequence[Any]) -> tuple[str, list[float]]:
    quantities = [_quantity(address, text) for text in texts]
    unit = quantities[0].unit.text
    try:
        values = [q.value if q.unit.text == unit else q.to(unit) for q in quantities]
    except ValueError as error:
        raise CommandError(f"--vary {address}: {error}") from None
    return ("" if unit == "1" else unit), values


def _quantity(address: str, text: Any) -> units.Quantity:
    try:
        return units.parse(str(text))
    except ValueError as error:
        raise CommandError(f"--vary {address}: {error}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(given: Any) -> str:
    return json.dumps(given, ensure_ascii=False) if isinstance(given, Mapping) else repr(given)
