"""What the page may ask, checked before anything is done: one small JSON object at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from simulator.teach.classroom import RefusedError

LARGEST = 4096
"""Characters of a message."""
LONGEST = 200
"""Characters of a text in it."""


class BadMessageError(RefusedError):
    """A message that no page of ours sends."""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) < 1e12


def _moment(value: Any) -> bool:
    return _number(value) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _perhaps_number(value: Any) -> bool:
    return value is None or _number(value)


def _sees_to(value: Any) -> bool:
    return value in ("all", "bottles")


def _change(value: Any) -> bool:
    return isinstance(value, dict) and any(
        required <= value.keys() <= required | optional and all(map(_text, value.values()))
        for required, optional in CHANGES
    )


CHANGES = (
    ({"set", "to"}, set[str]()),
    ({"fault"}, {"for"}),
    ({"do"}, set[str]()),
    ({"give", "dose"}, {"over"}),
)
"""Keys that a change has, and may have."""

REQUESTS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "act": {"id": _whole, "run": _whole, "at": _moment, "change": _change},
    "fork": {"id": _whole, "run": _whole, "at": _moment},
    "show": {"id": _whole, "run": _whole},
    "load": {"id": _whole, "scenario": _text, "sees_to": _sees_to},
    "save": {"id": _whole, "run": _whole},
    "lesson": {"id": _whole, "name": _text},
    "judge": {"id": _whole, "prediction": _perhaps_number},
    "at": {"id": _whole, "run": _whole, "time": _moment, "speed": _moment},
}
"""The keys of each request besides its type, and what they may hold."""


def read(text: str | bytes) -> dict[str, Any]:
    """A message as data; raises `BadMessageError` that says what is wrong with it."""
    if not isinstance(text, str):
        raise BadMessageError("a message is text; this one is bytes")
    if len(text) > LARGEST:
        raise BadMessageError(
            f"a message has at most {LARGEST} characters; this one has {len(text)}"
        )
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessageError("this message is not JSON") from None
    if not isinstance(message, dict):
        raise BadMessageError("a message is a JSON object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in REQUESTS:
        raise BadMessageError(f"the type of a message is one of {', '.join(REQUESTS)}")
    keys = REQUESTS[kind]
    if message.keys() != {"type", *keys}:
        raise BadMessageError(f"a message {kind!r} has the keys type, {', '.join(keys)}")
    for key, fits in keys.items():
        if not fits(message[key]):
            raise BadMessageError(f"{key!r} of a message {kind!r} cannot be that")
    return message
