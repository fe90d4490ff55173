"""The scenario format: one YAML file in, one frozen `Scenario` out, or every problem at once.

Reading goes in steps, each a module: text to tree (`reader`), inheritance (`library`), ``--set``
(`overrides`), shape (`shape` with the models of `format`), meaning (`resolve`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import Problem, ScenarioError
from simulator.scenario.model import Scenario as Scenario

if TYPE_CHECKING:
    from simulator.scenario.library import Source

# The modules below import yaml, which `apheresis --help` must not wait for.


def load(source: str | Path, overrides: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """A scenario from a file or by its bundled name, with ``PATH=VALUE`` overrides.

    Raises `ScenarioError` with everything that is wrong in it, and `CommandError` if there is no
    such scenario.
    """
    from simulator.scenario import library

    return _load(library.find(source), overrides, seed)


def loads(
    text: str | bytes,
    name: str = "scenario",
    overrides: Sequence[str] = (),
    seed: int | None = None,
) -> Scenario:
    """A scenario from text; `name` stands for the file in messages and results."""
    from simulator.scenario import library

    return _load(library.text_source(text, name), overrides, seed)


def check(source: str | Path) -> list[Problem]:
    """All problems of a scenario, in the order of the file."""
    try:
        load(source)
    except ScenarioError as error:
        return error.problems
    return []


def dump(scenario: Scenario) -> str:
    """The resolved scenario as YAML: loading it gives an equal scenario and the same text."""
    from simulator.scenario import writer

    return writer.to_yaml(scenario.document)


def digest(scenario: Scenario) -> str:
    """A fingerprint (SHA-256) of everything that a scenario says, defaults included.

    Entries of the user's own catalog count with all they say: unlike the bundled ones, they are not
    fixed by the version of the program.
    """
    from simulator.scenario import writer

    own = scenario.own_entries
    content = {"scenario": scenario.document, "catalog": own} if own else scenario.document
    return writer.fingerprint(content)


def bundled() -> dict[str, str]:
    """Titles of the bundled scenarios by their names."""
    from simulator.scenario import library

    titles = {}
    for name in library.names():
        tree, _ = library.merged(library.find(name))
        titles[name] = str(tree.plain().get("title", name))
    return titles


def bundled_names() -> tuple[str, ...]:
    """Names of the bundled scenarios."""
    from simulator.scenario import library

    return tuple(library.names())


def text_of(source: str | Path) -> str:
    """A scenario file as it is written."""
    from simulator.scenario import library

    content = library.find(source).content
    return content.decode("utf-8") if isinstance(content, bytes) else content


def json_schema() -> dict[str, Any]:
    """The format as JSON Schema, for completion in editors."""
    from simulator.scenario import schema

    return schema.json_schema()


def _load(source: Source, overrides: Sequence[str], seed: int | None) -> Scenario:
    from simulator.scenario import library
    from simulator.scenario import overrides as command_line
    from simulator.scenario.resolve import resolve

    tree, problems = library.merged(source)
    tree, more = command_line.apply(tree, overrides, seed)
    return resolve(tree, source.name, problems + more)
