"""What a value in a scenario can be: the interface of its readers."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Unusable:
    """Stands for something that could not be read, so that its neighbors keep their places."""


UNUSABLE: Any = Unusable()


class Kind:
    """Something a value can be; `read` raises `ValueError` with the whole message."""

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def expectation(self) -> str:
        """What is expected, to follow the word "expected"."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def validate(value: Any) -> Any:
            if value is UNUSABLE:
                return None
            try:
                return self.read(value)
            except ValueError as error:
                # pydantic fills "{…}" in messages; ours go in as a value, so braces stay
                raise PydanticCustomError("scenario", "{reason}", {"reason": str(error)}) from None

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema()
