"""Quantities: parsing, conversion against an independent library, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import units
from simulator.units import UnitError, parse, parse_unit

Registry = Any  # pint's own types add nothing here

# Our symbol -> pint's name, where pint's differs or means something else (its U is a katal).
PINT_NAMES = {
    "%": "percent",
    "1": "dimensionless",
    "d": "day",
    "y": "year",
    "U": "our_unit",
    "mU": "milliour_unit",
    "kU": "kiloour_unit",
    "IU": "our_international_unit",
    "mIU": "milliour_international_unit",
    "kIU": "kiloour_international_unit",
    "RU": "our_relative_unit",
    "AU": "our_arbitrary_unit",
    "PV": "our_plasma_volume",
}


@pytest.fixture(scope="module")
def pint_units() -> Registry:
    registry: Registry = pint.UnitRegistry()
    registry.define("our_unit = [our_activity]")
    registry.define("our_international_unit = [our_international]")
    registry.define("our_relative_unit = [our_relative]")
    registry.define("our_arbitrary_unit = [our_arbitrary]")
    registry.define("our_plasma_volume = [our_pv]")
    return registry


def in_pint(registry: Registry, unit: str) -> Any:
    first, *rest = [PINT_NAMES.get(part, part) for part in unit.split("/")]
    result = registry.Quantity(1.0, first)
    for part in rest:
        result = result / registry.Quantity(1.0, part)
    return result


def canonical_in_pint(quantity: Any, canonical: str) -> float:
    return float(quantity.to(canonical).magnitude)


#: every symbol with the canonical unit of its dimension, written out for pint
SYMBOLS = {
    **dict.fromkeys(["L", "dL", "mL", "µL"], "mL"),
    **dict.fromkeys(["kg", "g", "mg", "µg", "ng"], "g"),
    **dict.fromkeys(["mol", "mmol", "µmol", "nmol", "pmol"], "mmol"),
    **dict.fromkeys(["kU", "U", "mU"], "our_unit"),
    **dict.fromkeys(["kIU", "IU", "mIU"], "our_international_unit"),
    "RU": "our_relative_unit",
    "AU": "our_arbitrary_unit",
    "PV": "our_plasma_volume",
    **dict.fromkeys(["s", "min", "h", "d", "week", "y"], "min"),
    **dict.fromkeys(["m", "cm", "mm"], "m"),
    **dict.fromkeys(["mmHg", "kPa"], "mmHg"),
    **dict.fromkeys(["%", "1"], "dimensionless"),
}


def tolerance(unit: str) -> float:
    # mmHg is 133.322387 Pa by the column of mercury, 133.322368 Pa as a torr: 1.4e-7 apart
    return 1e-6 if "kPa" in unit else 1e-12


def test_the_oracle_covers_every_symbol() -> None:
    assert set(SYMBOLS) == set(units._SYMBOLS)


@pytest.mark.parametrize(("symbol", "canonical"), SYMBOLS.items())
def test_symbol_agrees_with_pint(pint_units: Registry, symbol: str, canonical: str) -> None:
    expected = canonical_in_pint(in_pint(pint_units, symbol), canonical)
    assert parse(f"1 {symbol}").canonical == pytest.approx(expected, rel=tolerance(symbol))


COMPOUND = {
    "mL/min": "mL/min",
    "L/h": "mL/min",
    "mL/min/L": "1/min",
    "mL/kg": "mL/g",
    "g/L": "g/mL",
    "mg/dL": "g/mL",
    "ng/mL": "g/mL",
    "mmol/L": "mmol/mL",
    "pmol/L": "mmol/mL",
    "IU/mL": "our_international_unit/mL",
    "kU/L": "our_unit/mL",
    "%/d": "1/min",
    "%/h": "1/min",
    "1/week": "1/min",
    "g/h": "g/min",
    "mg/kg/d": "1/min",
    "mmol/h": "mmol/min",
    "mmHg/mL": "mmHg/mL",
    "L/mmHg": "mL/mmHg",
    "mL/min/kPa": "mL/min/mmHg",
}


@pytest.mark.parametrize(("unit", "canonical"), COMPOUND.items())
def test_compound_unit_agrees_with_pint(pint_units: Registry, unit: str, canonical: str) -> None:
    expected = canonical_in_pint(in_pint(pint_units, unit), canonical)
    assert parse(f"7.25 {unit}").canonical == pytest.approx(7.25 * expected, rel=tolerance(unit))


@pytest.mark.parametrize(
    ("one", "unit", "other"),
    [
        ("1.65 m", "cm", 165.0),
        ("4200 mL", "L", 4.2),
        ("90 min", "h", 1.5),
        ("1000 mg/dL", "g/L", 10.0),
        ("3 %/h", "%/d", 72.0),
        ("50 %", "1", 0.5),
        ("23508 U/mL", "kU/L", 23508.0),
        ("0.8 mL/min/L", "1/min", 0.0008),
        ("10.5 d", "week", 1.5),
    ],
)
def test_converts_within_a_dimension(one: str, unit: str, other: float) -> None:
    assert parse(one).to(unit) == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("65 mL/min", 65.0, "mL/min"),
        ("65mL/min", 65.0, "mL/min"),
        ("  39 % ", 39.0, "%"),
        ("1.6e1 g/h", 16.0, "g/h"),
        ("-.5 L", -0.5, "L"),
        ("5", 5.0, "1"),
    ],
)
def test_parses(text: str, value: float, unit: str) -> None:
    quantity = parse(text)
    assert (quantity.value, quantity.unit.text) == (value, unit)


@pytest.mark.parametrize("spelling", units._SPELLINGS)
def test_other_spelling_means_its_symbol(spelling: str) -> None:
    symbol = units._SPELLINGS[spelling]
    assert parse(f"3 {spelling}").canonical == parse(f"3 {symbol}").canonical
    assert parse_unit(spelling).dimension == parse_unit(symbol).dimension


@pytest.mark.parametrize(
    "text",
    [
        "1:32",
        "2 h 30 min",
        "nan kg",
        "inf mL",
        "1e999 L",
        "9**9**9",
        "65 ml min",
        "65 mL//min",
        "65 mL/",
        "/min",
        "mL",
        "",
        "   ",
        "1,5 L",
        "1_000 mL",
        "0x10 mL",
        "2026-11-22",
        "__import__('os')",
        "5 %%",
        "1 " + "L" * 80,
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(UnitError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "unit", "expected", "given_"),
    [
        ("68 cm", "kg", "a mass", "a length"),
        ("165", "m", "a length", "a pure number"),
        ("10 g/L", "mmol/L", "a molar concentration", "a mass concentration"),
        ("10 U/mL", "IU/mL", "international", "an activity concentration"),
        ("2 PV", "mL", "a volume", "plasma volumes"),
    ],
)
def test_wrong_dimension_says_what_was_expected(
    text: str, unit: str, expected: str, given_: str
) -> None:
    with pytest.raises(UnitError, match=f"expected .*{expected}.* got .*{given_}"):
        parse(text).to(unit)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("65 mL/mins", "mL/min"), ("3 mmoll/L", "mmol/L"), ("4 weekss", "weeks")],
)
def test_unknown_unit_suggests_the_nearest(text: str, suggestion: str) -> None:
    with pytest.raises(UnitError, match=f"did you mean '{suggestion}'"):
        parse(text)


@pytest.mark.parametrize(
    ("unit", "mass", "volume"),
    [
        ("g/L", "g", 1000.0),
        ("mg/dL", "mg", 100.0),
        ("U/mL", "U", 1.0),
        ("IU/mL", "IU", 1.0),
        ("%", "U", 100.0),
    ],
)
def test_concentration_splits_into_mass_and_volume(unit: str, mass: str, volume: float) -> None:
    assert units.concentration_unit(unit) == (mass, volume)
    amount = parse(f"1 {mass}").canonical if unit != "%" else 1.0
    concentration = parse(f"1 {unit}").canonical
    assert amount / volume == pytest.approx(concentration, rel=1e-12)


@pytest.mark.parametrize("unit", ["g", "g/min", "g/L/min", "%/L", "1/L", "glob/L", ""])
def test_what_is_no_concentration_is_refused(unit: str) -> None:
    with pytest.raises(UnitError):
        units.concentration_unit(unit)


# ---- properties

SYMBOL = st.sampled_from(sorted(units.known_symbols()))
UNIT = st.lists(SYMBOL, min_size=1, max_size=3).map("/".join)
MODERATE = st.floats(min_value=1e-9, max_value=1e9)


@given(st.one_of(st.text(), st.from_regex(r"[-+.\deE]{1,6} ?[a-zA-Zµ%/1* ]{0,12}")))
def test_random_text_gives_a_finite_quantity_or_a_unit_error(text: str) -> None:
    try:
        quantity = parse(text)
    except UnitError:
        return
    assert math.isfinite(quantity.value)


@given(MODERATE, UNIT)
def test_what_is_written_is_read_back(value: float, unit: str) -> None:
    text = f"{value!r} {unit}"
    if len(text) > 60:
        return
    quantity = parse(text)
    assert quantity.value == value
    assert quantity.to(unit) == value


@given(MODERATE, UNIT, UNIT)
def test_conversion_there_and_back(value: float, unit: str, other: str) -> None:
    quantity = units.Quantity(value, parse_unit(unit))
    if parse_unit(unit).dimension != parse_unit(other).dimension:
        with pytest.raises(UnitError):
            quantity.to(other)
        return
    back = units.Quantity(quantity.to(other), parse_unit(other)).to(unit)
    assert back == pytest.approx(value, rel=1e-12)
