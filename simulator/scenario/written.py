"""What every mapping of a scenario file has in common, however little of it can be read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, WrapValidator

from simulator.scenario.kind import UNUSABLE as UNUSABLE


def _pass_unusable(value: Any, handler: Callable[[Any], Any]) -> Any:
    return value if value is UNUSABLE else handler(value)


SKIP_UNUSABLE = WrapValidator(_pass_unusable)
Item = TypeVar("Item")


def usable(items: Sequence[Item] | None) -> Iterator[tuple[int, Item]]:
    """The items of a list that could be read, with their places."""
    return ((place, item) for place, item in enumerate(items or ()) if item is not UNUSABLE)


class Written(BaseModel):
    """A mapping in a scenario file. Unknown keys are kept aside and reported together."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
    needs: ClassVar[dict[str, str]] = {}
    """Keys that must be there, and what is expected of them."""
