"""The JSON Schema agrees with what the program accepts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from simulator import catalog, scenario
from simulator.scenario import format as written
from simulator.scenario import limits
from simulator.scenario.measures import NUMBER_PATTERN, AnyMeasure, Measure, unit_pattern
from simulator.scenario.shape import fields
from simulator.scenario.written import Written

MEASURES = [value for value in vars(limits).values() if isinstance(value, Measure)]
SEVERAL = [value for value in vars(limits).values() if isinstance(value, AnyMeasure)]


def test_it_is_plain_json_without_nulls() -> None:
    text = json.dumps(scenario.json_schema(), allow_nan=False)
    assert '"null"' not in text
    assert '"$schema": "https://json-schema.org/draft/2020-12/schema"' in text


def test_every_key_of_the_format_is_in_it() -> None:
    schema = scenario.json_schema()
    known = {**schema["$defs"], "Document": schema}
    models = [m for m in vars(written).values() if isinstance(m, type) and issubclass(m, Written)]
    models = [model for model in models if model is not Written]
    assert len(models) > 15
    for model in models:
        assert set(known[model.__name__]["properties"]) == set(fields(model))
        assert known[model.__name__]["additionalProperties"] is False


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.example)
def test_the_pattern_of_a_quantity_takes_its_own_units_only(measure: Measure) -> None:
    pattern = f"^{NUMBER_PATTERN}{unit_pattern(measure.unit.dimension)}$"
    assert re.search(pattern, measure.example)
    assert not re.search(pattern, "12 mmHg")
    assert not re.search(pattern, "twelve")
    measure.read(measure.example)


@pytest.mark.parametrize("several", SEVERAL, ids=lambda several: several.example)
def test_each_alternative_of_a_quantity_can_be_written(several: AnyMeasure) -> None:
    assert len(several.measures) == len(several.json_schema()["anyOf"]) == 3
    for measure in several.measures:
        assert several.read(measure.example).unit.dimension == measure.unit.dimension


def test_words_and_quantities_that_share_a_key() -> None:
    models = scenario.json_schema()["$defs"]
    assert {"const": "never"} in models["Operator"]["properties"]["vital_signs"]["anyOf"]
    assert {"const": "rest"} in models["Replacement"]["properties"]["volume"]["anyOf"]
    assert models["Operator"]["properties"]["machines"]["maximum"] == 20
    assert models["Machine"]["properties"]["rinseback"] == {"enum": [True, False, "yes", "no"]}


def test_a_section_is_told_to_stand_at_the_top() -> None:
    sections = set(written.SECTIONS)
    words = {"format", "name", "title", "description", "references", "extends"}
    assert sections | words == set(fields(written.Document))


def test_names_of_the_catalog_complete() -> None:
    device = scenario.json_schema()["$defs"]["Machine"]["properties"]["device"]["anyOf"][0]
    assert "spectra-optia" in device["enum"]


def changed_in_place(model: str, key: str) -> dict[str, Any]:
    """What the schema has of an entry that is changed in place."""
    alternatives = scenario.json_schema()["$defs"][model]["properties"][key]["anyOf"]
    changes: dict[str, Any] = alternatives[1]
    assert changes["additionalProperties"] is False
    return changes


@pytest.mark.parametrize(
    ("model", "key", "kind"),
    [
        ("Machine", "device", "devices"),
        ("Machine", "access", "access"),
        ("Calcium", "fluid", "fluids"),
    ],
)
def test_what_can_be_changed_in_place_completes(model: str, key: str, kind: str) -> None:
    known = changed_in_place(model, key)["properties"]
    for name in catalog.names(kind):
        assert set(catalog.tree(kind, name)) - {"title"} <= set(known)


def test_the_parts_of_a_device_complete() -> None:
    known = changed_in_place("Machine", "device")["properties"]
    for name in catalog.names("devices"):
        content = catalog.tree("devices", name)
        for part in ("separator", "treatment"):
            keys = set(content.get(part, {})) - {"kind"}  # which cannot be changed
            assert keys <= set(known[part]["properties"])
    assert "kind" not in known["separator"]["properties"]


def test_like_may_be_left_out_only_where_there_is_a_default() -> None:
    assert "required" not in changed_in_place("Machine", "device")
    assert changed_in_place("Replacement", "fluid")["required"] == ["like"]


def test_the_keys_of_heparin_needles_and_membranes_complete() -> None:
    models = scenario.json_schema()["$defs"]
    assert {"rate", "bolus"} <= set(models["Anticoagulant"]["properties"])
    machine = models["Machine"]["properties"]
    assert machine["needles"] == {"type": "integer", "minimum": 1, "maximum": 2}
    assert re.search(machine["plasma_flow"]["pattern"], "30 mL/min")
