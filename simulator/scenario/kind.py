"""What a value in a scenario can be: the interface of its readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from simulator.scenario.report import Report
    from simulator.scenario.tree import Path


class Unusable:
    """Stands for something that could not be read, so that its neighbors keep their places."""


UNUSABLE: Any = Unusable()

Value_co = TypeVar("Value_co", covariant=True)


class Kind(Generic[Value_co]):
    """Something a value can be; `read` raises `ValueError` with the whole message."""

    def read(self, value: Any) -> Value_co:
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def expectation(self) -> str:
        """What is expected, to follow the word "expected"."""
        raise NotImplementedError

    def read_at(self, value: Any, path: Path, report: Report) -> Value_co:
        """The value, or `UNUSABLE` if it is none, which is reported."""
        try:
            return self.read(value)
        except ValueError as error:
            report.add(path, str(error))
            unusable: Value_co = UNUSABLE
            return unusable

    def schema(self, refer: Callable[[type], dict[str, Any]]) -> dict[str, Any]:
        """JSON Schema; `refer` gives that of a mapping with keys of its own."""
        return self.json_schema()

    def in_order(self, content: Any) -> Any:
        """The same plain data, keys in the order in which the format names them."""
        return content
