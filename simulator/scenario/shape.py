"""From a tree to the format's models: every problem of shape, then what can still be used.

What cannot be read is reported, taken out, and the rest read again, so that one slip of the pen
does not hide the next mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from simulator.scenario import format as written
from simulator.scenario.fields import unknown_key
from simulator.scenario.report import Report, near, shown
from simulator.scenario.tree import Path
from simulator.scenario.written import UNUSABLE, Written

_NOTHING = object()
_SHAPES = {
    "model_type": "expected a mapping, 'key: value' pairs",
    "model_attributes_type": "expected a mapping, 'key: value' pairs",
    "dict_type": "expected a mapping, 'key: value' pairs",
    "list_type": "expected a list, such as [a, b] or lines that begin with '- '",
}


Model = TypeVar("Model", bound=Written)


def read(data: dict[str, Any], report: Report) -> written.Document:
    """The document a tree writes, less what cannot be read, which is reported."""
    return read_as(written.Document, data, report)


def read_as(model: type[Model], data: dict[str, Any], report: Report) -> Model:
    """What a tree writes in the words of a model, less what cannot be read, which is reported."""
    while True:
        try:
            document = model.model_validate(data)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                path, value = _follow(problem["loc"], data)
                report.add(path, _message(problem, value))
                _take_out(data, path)
        else:
            _unknown_and_missing(document, (), report)
            return document


def fields(model: type[BaseModel]) -> dict[str, str]:
    """Attribute names of a model by the keys they are written under."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def parts(model: Written) -> Iterator[tuple[str, Any]]:
    """The keys a model was given, with their values, in the order of the format."""
    for key, name in fields(type(model)).items():
        value = getattr(model, name)
        if value is not None:
            yield key, value


def _follow(location: Sequence[str | int], data: Any) -> tuple[Path, Any]:
    """The path of a problem: its location less the names of the alternatives tried."""
    path: list[str | int] = []
    for step in location:
        below = _below(data, step)
        if below is not _NOTHING:
            data = below
            path.append(step)
    return tuple(path), data


def _below(data: Any, step: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(step, _NOTHING)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return _NOTHING


def _take_out(data: dict[str, Any], path: Path) -> None:
    holder: Any = data
    for step in path[:-1]:
        holder = _below(holder, step)  # nothing, if it went with what it stood in
    if isinstance(holder, list):
        holder[int(path[-1])] = UNUSABLE
    elif isinstance(holder, dict) and path[-1] in written.EVENT_KEYS:
        holder[path[-1]] = UNUSABLE  # it still tells what kind of event this is
    elif isinstance(holder, dict):
        holder.pop(path[-1], None)


def _message(problem: Any, value: Any) -> str:
    kind = problem["type"]
    if kind == "scenario":
        return str(problem["ctx"]["reason"])
    if kind in _SHAPES:
        return f"{_SHAPES[kind]}; got {shown(value)}"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        keys = ", ".join(written.EVENT_KEYS)
        if not isinstance(value, dict):
            return f"expected a mapping with one of {keys}; got {shown(value)}"
        close = (near(key, written.EVENT_KEYS) for key in value if key not in ("at", "for"))
        return f"expected one of {keys} in an event{next(filter(None, close), '')}"
    return f"not understood: {shown(value)}"


def _unknown_and_missing(model: Written, path: Path, report: Report) -> None:
    known = fields(type(model))
    for key in model.model_extra or {}:
        message = unknown_key(key, list(known), () if path == () else written.SECTIONS)
        report.add((*path, key), message, on_key=True)
    for key, expected in type(model).needs.items():
        if getattr(model, known[key]) is None:
            report.missing((*path, key), expected)
    for key, value in parts(model):
        for inner_path, inner in _models_in(value, (*path, key)):
            _unknown_and_missing(inner, inner_path, report)


def _models_in(value: Any, path: Path) -> Iterator[tuple[Path, Written]]:
    if isinstance(value, Written):
        yield path, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _models_in(item, (*path, place))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _models_in(item, (*path, key))
