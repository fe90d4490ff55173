"""The errors a user can meet; each one prints as a message and ends with its own exit code."""

from __future__ import annotations

from typing import NamedTuple


class SimulatorError(Exception):
    """Something the user can act on. Anything else that is raised is a bug of ours."""

    exit_code = 1


class ImpossibleRunError(SimulatorError):
    """The run left the physically possible: the message says when, which quantity, and why."""

    exit_code = 1


class LostProcessError(SimulatorError):
    """A process that did part of the work was ended from outside."""

    exit_code = 1


class CommandError(SimulatorError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class Problem(NamedTuple):
    """One thing wrong with a scenario file: where it stands, and what was expected there."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(SimulatorError):
    """A scenario cannot be run as written. Carries every problem, in the order of the file."""

    exit_code = 3

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{count}:", *(f"  {p}" for p in self.problems)]))


class CatalogError(SimulatorError):
    """A catalog file is not what the catalog promises (a number without a source, say)."""

    exit_code = ScenarioError.exit_code  # a file of one's own, as a scenario is: wrong as written
