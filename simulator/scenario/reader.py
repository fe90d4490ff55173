"""YAML text to a tree with places, for text that may be anything.

The YAML read here is version 1.2 (core), less what surprises: no duplicated keys, tabs, anchors,
tags, several documents. ``no`` is a word, ``1:32`` is not 92, ``010`` is not 8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

import yaml

from simulator.errors import Problem, ScenarioError
from simulator.scenario.report import shown
from simulator.scenario.tree import Mark, Node, Path, Scalar, dotted

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 50_000  # more than any scenario; keeps a hostile file from taking minutes
_MAX_DIGITS = 40

_TAG = "tag:yaml.org,2002:"
#: YAML 1.2 core, lower case: kind -> pattern, and the characters it may begin with.
RESOLVERS: tuple[tuple[str, str, str], ...] = (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|)$", "~n"),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


for _kind, _pattern, _first in RESOLVERS:
    _Loader.add_implicit_resolver(
        _TAG + _kind, re.compile(_pattern), [*_first, *([""] if _kind == "null" else [])]
    )


def parse(content: str | bytes, file: str) -> tuple[Node, list[Problem]]:
    """The tree a text writes, and the problems found that still leave a tree.

    Raises `ScenarioError` for text of which nothing can be made.
    """
    text = _decoded(content, file)
    try:
        _survey(text, file)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(_mark(file, mark), f"this is not readable as YAML: {_reason(error)}")
    except yaml.YAMLError as error:
        _refuse(Mark(file), f"this is not readable as YAML: {_first_line(str(error))}")
    if root is None:
        return Node(None, Mark(file, 1, 1), Mark(file, 1, 1)), []
    problems: list[Problem] = []
    return _node(root, _mark(file, root.start_mark), (), file, problems), problems


def _decoded(content: str | bytes, file: str) -> str:
    """The text, if it is one: UTF-8 of bounded size, without tabs."""
    if len(content) > MAX_BYTES:
        _refuse(Mark(file), "larger than 1 MiB; a scenario is a few kilobytes")
    try:
        raw = content if isinstance(content, bytes) else content.encode("utf-8")
        text = raw.decode("utf-8-sig")
    except UnicodeError:
        _refuse(Mark(file), "this is not UTF-8 text")
    if len(raw) > MAX_BYTES:
        _refuse(Mark(file), "larger than 1 MiB; a scenario is a few kilobytes")
    if "\t" in text:
        tabs = [
            (number, line.index("\t") + 1)
            for number, line in enumerate(text.split("\n"), start=1)
            if "\t" in line
        ]
        message = "a tab character; YAML is indented with spaces"
        raise ScenarioError([Problem(file, *place, "", message) for place in tabs[:20]])
    return text


def _survey(text: str, file: str) -> None:
    """Refuse what must not even be composed. Works on events, so nothing is built yet."""
    depth = documents = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        here = _mark(file, event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                _refuse(here, "a second document ('---'); a file holds one scenario")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _refuse(
                here,
                "anchors (&) and aliases (*) are not supported; write the text out, in quotes if "
                "it begins with one of these characters",
            )
        if getattr(event, "tag", None):
            _refuse(here, "tags (!) are not supported; put text that begins with '!' in quotes")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            _refuse(here, f"nested more than {MAX_DEPTH} levels deep")
        values += isinstance(event, yaml.NodeEvent)
        if values > MAX_VALUES:
            _refuse(here, f"more than {MAX_VALUES} values")


def _node(node: yaml.Node, key: Mark, path: Path, file: str, problems: list[Problem]) -> Node:
    mark = _mark(file, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return Node(dict(_entries(node, path, file, problems)), mark, key)
    if isinstance(node, yaml.SequenceNode):
        items = [
            _node(item, _mark(file, item.start_mark), (*path, place), file, problems)
            for place, item in enumerate(node.value)
        ]
        return Node(items, mark, key)
    assert isinstance(node, yaml.ScalarNode)  # there is no fourth kind
    try:
        return Node(_scalar(node), mark, key)
    except ValueError as error:
        problems.append(Problem(file, mark.line, mark.column, dotted(path), str(error)))
        return Node(None, mark, key)


def _entries(
    node: yaml.MappingNode, path: Path, file: str, problems: list[Problem]
) -> Iterator[tuple[str, Node]]:
    first_line: dict[str, int] = {}
    for key_node, value_node in node.value:
        mark = _mark(file, key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            problem = "expected a plain word before the colon"
            problems.append(Problem(file, mark.line, mark.column, dotted(path), problem))
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key in first_line:
            problem = f"duplicate key {shown(key)}, first written in line {first_line[key]}"
            problems.append(Problem(file, mark.line, mark.column, dotted(here), problem))
            continue
        first_line[key] = mark.line
        yield key, _node(value_node, mark, here, file, problems)


def _scalar(node: yaml.ScalarNode) -> Scalar:
    """The value of a plain word; a number too large to be one raises `ValueError`."""
    text = str(node.value)
    kind = str(node.tag).removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text == "true"
    if kind not in ("int", "float"):
        return text
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of more than {_MAX_DIGITS} digits")
    if kind == "int":
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


def _mark(file: str, mark: Any) -> Mark:
    return Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file)


def _reason(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "unknown")
    if "mapping values are not allowed" in problem:
        return "a second colon; put text that holds ': ' in quotes"
    return ", ".join(str(part) for part in (error.context, error.problem) if part)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "unknown"


def _refuse(mark: Mark, message: str) -> NoReturn:
    raise ScenarioError([Problem(mark.file, mark.line, mark.column, "", message)])
