"""The format as JSON Schema, so that an editor can complete and underline while one writes."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from simulator.scenario.format import Document, Patient, Sweep

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Says what is refused too: keys that the format does not name, and an explicit null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # pydantic's titles only repeat the key

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json = super().model_schema(schema)
        json["additionalProperties"] = False
        needs = getattr(schema["cls"], "needs", {})
        # a file that extends another may leave to it what every scenario needs
        if needs and schema["cls"] not in (Document, Patient, Sweep):
            json["required"] = list(needs)
        return json


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file."""
    schema = Document.model_json_schema(schema_generator=_Generator)
    return {"$schema": DIALECT, **schema, "title": "Scenario of apheresis-simulator"}
