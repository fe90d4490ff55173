"""From a tree to the format's models: every problem of shape, then what can still be used.

What cannot be read is reported and left out, so that one slip of the pen does not hide the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from simulator.scenario import format as written
from simulator.scenario.fields import unknown_key
from simulator.scenario.reader import parse
from simulator.scenario.report import Report
from simulator.scenario.tree import Path
from simulator.scenario.written import Part, Written
from simulator.scenario.written import read as read_mapping

Model = TypeVar("Model", bound=Written)


def read(data: dict[str, Any], report: Report) -> written.Document:
    """The document a tree writes, less what cannot be read, which is reported."""
    return read_as(written.Document, data, report)


def read_file(model: type[Model], content: bytes, label: str) -> tuple[Model, Report]:
    """What a file with a format of its own writes, in the words of a model.

    `label` stands for the file in messages. Raises `ScenarioError` if it is no mapping at all;
    everything else that is wrong is in the report.
    """
    tree, problems = parse(content, label)
    report = Report(tree, problems)
    if not isinstance(tree.value, dict):
        report.add((), "expected 'key: value' lines, beginning with 'format: 1'")
        report.finish()
    return read_as(model, tree.plain(), report), report


def read_as(model: type[Model], data: dict[str, Any], report: Report) -> Model:
    """What a tree writes in the words of a model, less what cannot be read, which is reported."""
    document = read_mapping(model, data, (), report)
    _unknown_and_missing(document, (), report)
    return document


def in_order(content: dict[str, Any]) -> dict[str, Any]:
    """A document without problems, keys in the order in which the format names them."""
    ordered: dict[str, Any] = Part(written.Document).in_order(content)
    return ordered


def fields(model: type[Written]) -> dict[str, str]:
    """Attribute names of a model by the keys they are written under."""
    return {key.word: name for name, key in model.keys.items()}


def _unknown_and_missing(model: Written, path: Path, report: Report) -> None:
    known = fields(type(model))
    for key in model.unknown:
        message = unknown_key(key, list(known), () if path == () else written.SECTIONS)
        report.add((*path, key), message, on_key=True)
    for key, expected in type(model).needs.items():
        if getattr(model, known[key]) is None:
            report.missing((*path, key), expected)
    for key, name in known.items():
        for inner_path, inner in _models_in(getattr(model, name), (*path, key)):
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
