"""Values given on the command line: ``--set patient.weight="82 kg"`` and ``--seed 7``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from simulator.errors import CommandError, Problem, ScenarioError
from simulator.scenario.reader import parse
from simulator.scenario.tree import Mark, Node, Path, assign, dotted

MAX_LENGTH = 10_000
_STEP = re.compile(r"[^\s.=]+")


def apply(tree: Node, overrides: Sequence[str], seed: int | None) -> tuple[Node, list[Problem]]:
    """The tree with values set, and the problems of those that could not be."""
    problems: list[Problem] = []
    for override in overrides:
        path, text = _split(override)
        try:
            tree = assign(tree, path, _value(text, path))
        except LookupError as error:
            problems.append(Problem("--set", 0, 0, dotted(path), str(error.args[0])))
        except ScenarioError as error:
            problems += [
                Problem("--set", 0, 0, dotted(path), problem.message) for problem in error.problems
            ]
    if seed is not None:
        mark = Mark("--seed")
        with suppress(LookupError):  # `simulation` is no mapping: reported where it stands
            tree = assign(tree, ("simulation", "seed"), Node(seed, mark, mark))
    return tree, problems


def steps(address: str) -> Path:
    """A dotted path as keys and, where a step is a number, places in a list."""
    return tuple(int(step) if step.isdecimal() else step for step in address.split("."))


def parts(text: str) -> list[str]:
    """Parts between commas that stand outside brackets and braces."""
    found, depth = [""], 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [part.strip() for part in found]


def _split(override: str) -> tuple[Path, str]:
    address, equals, text = override.partition("=")
    address = address.strip()
    if not equals or not all(_STEP.fullmatch(step) for step in address.split(".")):
        shown = override if len(override) <= 60 else override[:59] + "…"
        raise CommandError(
            f"--set {shown}: expected PATH=VALUE, such as patient.weight='82 kg' or "
            "course.then.0.sessions=4"
        )
    if len(override) > MAX_LENGTH:
        raise CommandError(f"--set {address[:60]}: longer than {MAX_LENGTH} characters")
    return steps(address), text


def _value(text: str, path: Path) -> Node:
    """The value as YAML would read it, at no place in any file."""
    node, problems = parse(text, "--set")
    if problems:
        raise ScenarioError(problems)
    if path[0] in ("extends", "format"):
        problem = Problem("--set", 0, 0, dotted(path), "cannot be set")
        raise ScenarioError([problem])
    return _without_place(node)


def _without_place(node: Node) -> Node:
    mark = Mark("--set")
    if isinstance(node.value, dict):
        return Node({key: _without_place(n) for key, n in node.value.items()}, mark, mark)
    if isinstance(node.value, list):
        return Node([_without_place(item) for item in node.value], mark, mark)
    return Node(node.value, mark, mark)
