"""The format as JSON Schema, so that an editor can complete and underline while one writes."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from simulator.scenario.format import Document, Patient
from simulator.scenario.written import Written

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file."""
    models: dict[str, Any] = {}

    def refer(model: type[Written]) -> dict[str, Any]:
        name = model.__name__
        if name not in models:
            models[name] = {}  # holds its place, should it lead to itself
            models[name] = _mapping(model, refer)
        return {"$ref": f"#/$defs/{name}"}

    document = _mapping(Document, refer)
    title = {"title": "Scenario of apheresis-simulator"}
    return {"$schema": DIALECT, "$defs": dict(sorted(models.items())), **document, **title}


def _mapping(model: type[Written], refer: Any) -> dict[str, Any]:
    """A mapping with keys of its own; no others, and none with nothing behind it."""
    schema: dict[str, Any] = {
        "title": model.__name__,
        "description": cleandoc(model.__doc__ or ""),
        "type": "object",
        "properties": {key.word: key.kind.schema(refer) for key in model.keys.values()},
        "additionalProperties": False,
    }
    # a file that extends another may leave to it what every scenario needs
    if model.needs and model not in (Document, Patient):
        schema["required"] = list(model.needs)
    return schema
