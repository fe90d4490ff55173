"""Collects the problems of one scenario, each at the place where the user wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from simulator.errors import Problem, ScenarioError
from simulator.scenario.tree import Node, Path, dotted

_SHOWN = 40  # characters of a user's text repeated in a message


class Report:
    """All that is wrong with a tree; nothing is raised before everything has been looked at."""

    def __init__(self, tree: Node, problems: Iterable[Problem] = ()) -> None:
        self.tree = tree
        self.problems: list[Problem] = list(problems)
        self._paths = {problem.path for problem in self.problems}

    def add(self, path: Path, message: str, *, on_key: bool = False) -> None:
        """Record a problem at a path; what is missing is shown where it should have stood."""
        node, exists = self.tree.find(path)
        mark = node.mark if exists and not on_key else node.key
        name = dotted(path)
        self._paths.add(name)
        self.problems.append(Problem(mark.file, mark.line, mark.column, name, message))

    def touches(self, path: Path) -> bool:
        """Whether something at this path or above it is known to be wrong already."""
        return any(dotted(path[: end + 1]) in self._paths for end in range(len(path)))

    def spoiled(self, path: Path) -> bool:
        """Whether something at this path, above it or below it is known to be wrong already."""
        below = dotted(path) + "."
        return self.touches(path) or any(name.startswith(below) for name in self._paths)

    def missing(self, path: Path, expected: str) -> None:
        """Record that a key is missing, unless it stands there and is wrong."""
        if not self.touches(path):
            self.add(path, f"missing; expected {expected}")

    def finish(self) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise ScenarioError(self.problems)


def shown(value: Any) -> str:
    """A value of the file, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, str):
        short = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        return repr(short)
    return number(value) if len(str(value)) <= _SHOWN else "a very long number"


def number(value: float) -> str:
    """The shortest text that reads back as the same number, whole ones without '.0'."""
    return repr(value).removesuffix(".0")


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    words = list(known)
    lower = word.lower()
    begins = [w for w in words if lower and w.lower().startswith(lower)]
    close = (
        [w for w in words if w.lower() == lower]
        or (begins if len(begins) == 1 else [])
        or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    )
    return f"; did you mean {close[0]!r}?" if close else ""


def near_or_all(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or, where nothing is close, all that is known."""
    words = list(known)
    return near(word, words) or f"; known: {', '.join(words)}"
