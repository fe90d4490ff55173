"""Quantity text and canonical floats: the only conversion factors of the program.

A quantity is one number and one unit: ``68 kg``, ``65 mL/min``, ``3 %/h``, ``10 g/L``. The units
form a closed table; text is matched, never evaluated. Inside the program everything is mL, g, mmol,
min, mmHg and m (body weight: kg), so that no name needs to carry a unit because none may differ.
"""

from __future__ import annotations

import difflib
import math
import re
from functools import lru_cache

from simulator.records import record

Dimension = tuple[tuple[str, int], ...]
"""Exponents of the base dimensions, sorted by name: flow is (("time", -1), ("volume", 1))."""

#: symbol -> (base dimension, factor to its canonical unit). Volume counts as a base dimension:
#: nothing here is ever measured in cubic meters.
_SYMBOLS: dict[str, tuple[str, float]] = {
    "L": ("volume", 1000.0),
    "dL": ("volume", 100.0),
    "mL": ("volume", 1.0),
    "µL": ("volume", 1e-3),
    "kg": ("mass", 1000.0),
    "g": ("mass", 1.0),
    "mg": ("mass", 1e-3),
    "µg": ("mass", 1e-6),
    "ng": ("mass", 1e-9),
    "mol": ("amount", 1000.0),
    "mmol": ("amount", 1.0),
    "µmol": ("amount", 1e-3),
    "nmol": ("amount", 1e-6),
    "pmol": ("amount", 1e-9),
    "kU": ("activity", 1000.0),
    "U": ("activity", 1.0),
    "mU": ("activity", 1e-3),
    "kIU": ("international activity", 1000.0),
    "IU": ("international activity", 1.0),
    "mIU": ("international activity", 1e-3),
    "RU": ("relative activity", 1.0),
    "AU": ("arbitrary activity", 1.0),
    "s": ("time", 1 / 60),
    "min": ("time", 1.0),
    "h": ("time", 60.0),
    "d": ("time", 1440.0),
    "week": ("time", 10080.0),
    "y": ("time", 525960.0),
    "m": ("length", 1.0),
    "cm": ("length", 0.01),
    "mm": ("length", 0.001),
    "mmHg": ("pressure", 1.0),
    "kPa": ("pressure", 7.500615613),
    "PV": ("plasma volumes", 1.0),
    "%": ("", 0.01),
    "1": ("", 1.0),
}

#: other spellings people write; each means exactly one symbol of the table above.
_SPELLINGS: dict[str, str] = {
    "l": "L", "dl": "dL", "ml": "mL", "uL": "µL", "ul": "µL", "μL": "µL",
    "ug": "µg", "mcg": "µg", "μg": "µg", "umol": "µmol", "μmol": "µmol",
    "sec": "s", "minute": "min", "minutes": "min", "hour": "h", "hours": "h", "hr": "h",
    "day": "d", "days": "d", "weeks": "week", "year": "y", "years": "y",
}  # fmt: skip

MINUTES_PER_DAY = _SYMBOLS["d"][1]

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")
_MAX_TEXT = 60  # characters: longer than any quantity a person writes


class UnitError(ValueError):
    """A text is not a quantity, or not of the dimension asked for."""


@record
class Unit:
    """A unit as written, its dimension, and its size in canonical units."""

    text: str
    dimension: Dimension
    factor: float


@record
class Quantity:
    """One number with one unit, as the user wrote it."""

    value: float
    unit: Unit

    @property
    def canonical(self) -> float:
        """The value in canonical units (mL, g, mmol, min, mmHg, m)."""
        return self.value * self.unit.factor

    def to(self, unit: str) -> float:
        """The value in another unit of the same dimension; raises `UnitError` otherwise."""
        target = parse_unit(unit)
        if target.dimension != self.unit.dimension:
            raise UnitError(
                f"expected {describe(target)}, got {describe(self.unit)} ({self.unit.text!r})"
            )
        return self.value * (self.unit.factor / target.factor)


@lru_cache(maxsize=256)
def parse_unit(text: str) -> Unit:
    """The unit that a text such as ``mL/min`` or ``%/d`` names; raises `UnitError` if none."""
    exponents: dict[str, int] = {}
    factor = 1.0
    for position, part in enumerate(text.split("/")):
        symbol = _SPELLINGS.get(part, part)
        if symbol not in _SYMBOLS:
            raise UnitError(f"unknown unit {text!r}{_suggestion(text, part)}")
        base, size = _SYMBOLS[symbol]
        sign = 1 if position == 0 else -1
        factor = factor * size if sign == 1 else factor / size
        if base:
            exponents[base] = exponents.get(base, 0) + sign
    dimension = tuple(sorted((base, n) for base, n in exponents.items() if n))
    return Unit(text, dimension, factor)


def parse(text: str) -> Quantity:
    """The quantity that a text such as ``65 mL/min`` writes; raises `UnitError` with the reason."""
    if len(text) > _MAX_TEXT:
        raise UnitError("too long for a quantity; expected one number and one unit")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"expected a number and a unit, such as '65 mL/min', got {text!r}")
    number, unit = match.groups()
    quantity = Quantity(float(number), parse_unit(unit or "1"))
    if not math.isfinite(quantity.canonical):
        raise UnitError(f"{number} is too large")
    return quantity


def describe(unit: Unit | str) -> str:
    """The kind of quantity a unit measures, in words: "a flow", "a length"."""
    unit = parse_unit(unit) if isinstance(unit, str) else unit
    return _KINDS.get(unit.dimension, f"a quantity in {unit.text}")


def known_symbols() -> tuple[str, ...]:
    """All unit symbols and spellings that `parse_unit` accepts."""
    return (*_SYMBOLS, *_SPELLINGS)


def concentration_unit(unit: str) -> tuple[str, float]:
    """Split a concentration unit into its mass unit and the milliliters it is counted over.

    ``g/L`` is ("g", 1000), ``U/mL`` is ("U", 1). A solute in ``%`` of normal is counted in units of
    activity, one unit being what one mL of normal plasma holds: ("U", 100), since 100 % = 1 U/mL.
    """
    if unit == "%":
        return "U", 100.0
    mass, slash, volume = unit.partition("/")
    if not slash or parse_unit(volume).dimension != (("volume", 1),):
        raise UnitError(f"expected a concentration, such as 'g/L' or 'U/mL', got {unit!r}")
    if parse_unit(mass).dimension not in _COUNTED:
        raise UnitError(f"expected a mass, an amount or units per volume, got {unit!r}")
    return mass, parse_unit(volume).factor


def _suggestion(whole: str, part: str) -> str:
    near = difflib.get_close_matches(part, known_symbols(), n=1, cutoff=0.5)
    if not near:
        return ""
    return f"; did you mean {whole.replace(part, near[0], 1)!r}?"


#: Dimensions in which an amount of a solute can be counted.
_COUNTED = {parse_unit(unit).dimension for unit in ("g", "mmol", "U", "IU", "RU", "AU")}

_KINDS: dict[Dimension, str] = {
    parse_unit(example).dimension: words
    for example, words in {
        "1": "a pure number or a percentage",
        "mL": "a volume",
        "g": "a mass",
        "mmol": "an amount of substance",
        "U": "an activity",
        "min": "a time",
        "m": "a length",
        "mmHg": "a pressure",
        "PV": "a number of plasma volumes",
        "mL/min": "a flow",
        "mL/kg": "a volume per body weight",
        "%/d": "a rate",
        "g/L": "a mass concentration",
        "mmol/L": "a molar concentration",
        "U/mL": "an activity concentration",
        "IU/mL": "an activity concentration in international units",
        "g/h": "a mass per time",
        "mmol/h": "an amount per time",
        "U/h": "an activity per time",
        "mmHg/mL": "a stiffness",
        "mL/mmHg": "a compliance",
    }.items()
}
