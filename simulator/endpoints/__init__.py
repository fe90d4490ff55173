"""One number read from a run, by a phrase: ``fall igg @ session 5``, ``minutes @ session 1``.

An endpoint is what a study reports: the level that is left, the minutes that a session took. A
phrase is its name, the solute if it is about one, and after ``@`` when it is read:

    session 3             just after the third session (of what a session does: in it)
    before session 3      on the sample drawn just before it
    7 d after session 3   counted from last contact
    25 min in session 3   counted from the first draw of blood
    21 d                  of the course

Without it: the last session; where there was none, the end of the run. What is of a session takes
only the first of these, and what is of the whole run none: `Kind.about`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from simulator import catalog, units
from simulator.endpoints.kinds import KINDS as KINDS
from simulator.endpoints.reading import LAST_SESSION, Reading, When
from simulator.errors import CommandError
from simulator.result import Result
from simulator.scenario.model import Scenario

_WHEN = re.compile(
    r"(?:(?P<offset>\S+ ?[a-z]+) (?P<way>after|in) |(?P<before>before ))?session (?P<session>\d+)"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is read from a run, and when."""

    name: str
    solute: str | None = None
    when: When = LAST_SESSION

    def read(self, result: Result) -> float:
        """Its value in a run, in `unit`; raises `CommandError` if the run has no such number."""
        self._find(result.solutes)
        value = KINDS[self.name].read(Reading(result, str(self), self.solute or "", self.when))
        if not math.isfinite(value):
            raise CommandError(f"{self}: this run has no such number")
        return value

    def unit(self, result: Result) -> str:
        """The unit of `read`; empty for a ratio or a count."""
        return self.unit_in(result.scenario)

    def unit_in(self, scenario: Scenario) -> str:
        """The unit of `read` in runs of a scenario, known before they are made."""
        unit = KINDS[self.name].unit
        if self.solute is None:
            return unit
        self._find(scenario.solutes)
        kinetics = scenario.solutes[self.solute].kinetics
        return {"unit": kinetics.unit, "mass_unit": kinetics.mass_unit}.get(unit, unit)

    def _find(self, followed: Collection[str]) -> None:
        """Raise `CommandError` if the solute is not among those that are followed."""
        if self.solute is not None and self.solute not in followed:
            near = catalog.nearest(self.solute, followed)
            raise CommandError(f"{self}: this run does not follow {self.solute!r}; {near}")

    def __str__(self) -> str:
        what = f"{self.name} {self.solute}" if self.solute else self.name
        return f"{what} @ {self.when.text}" if self.when.text else what


def parse(text: str) -> Endpoint:
    """The endpoint that a phrase names; raises `CommandError` with what was expected."""
    what, at, when = text.partition("@")
    words = what.split()
    if not words:
        raise CommandError(f"{text!r} names no outcome; such as 'fall igg @ session 5'")
    name, *rest = words
    if name not in KINDS:
        raise CommandError(
            f"{text!r}: there is no outcome {name!r}; {catalog.nearest(name, KINDS)}"
        )
    needed = 1 if KINDS[name].of_solute else 0
    if len(rest) != needed:
        form = f"{name} SOLUTE" if needed else name
        raise CommandError(f"{text!r}: expected '{form}', and '@ session 5' or the like if wanted")
    when_read = _parse_when(when.strip(), text, bool(at))
    if at:
        _check_when(name, when_read, text)
    return Endpoint(name, rest[0] if rest else None, when_read)


def _check_when(name: str, when: When, whole: str) -> None:
    """Raise `CommandError` if a kind cannot be read when a phrase says."""
    about = KINDS[name].about
    if about == "run":
        raise CommandError(f"{whole!r}: {name} is of the whole run; expected nothing after it")
    if about == "session" and when.way != "at":
        raise CommandError(f"{whole!r}: {name} is of a session; expected '@ session 5'")


def _parse_when(text: str, whole: str, stated: bool) -> When:
    if not stated:
        return LAST_SESSION
    found = _WHEN.fullmatch(text)
    if found is None:
        return When(None, "on", _minutes(text, whole), text)
    way = "before" if found["before"] else found["way"] or "at"
    minutes = _minutes(found["offset"], whole) if found["offset"] else 0.0
    return When(int(found["session"]), way, minutes, text)


def _minutes(text: str, whole: str) -> float:
    try:
        return units.parse(text).to("min")
    except ValueError as error:
        raise CommandError(
            f"{whole!r}: expected when it is read, such as 'session 5', 'before session 5', "
            f"'7 d after session 5', '25 min in session 5' or '21 d'; {error}"
        ) from None
