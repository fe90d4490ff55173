"""Which number of a run matters most for an outcome, in the light of how it was seen.

Every number that has a grade is raised by a tenth, one at a time, and the scenario loaded and run
anew. What that does to the outcome, times the weakness of the number's evidence, is its weight: a
strong lever that a paper holds weighs less than a weak one that was assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from simulator import catalog, constants, endpoints, processes, provenance, units
from simulator import scenario as scenarios
from simulator.catalog import Fact
from simulator.constants import CONSTANTS
from simulator.errors import SimulatorError
from simulator.scenario.model import Scenario
from simulator.simulation import simulate

STEP = 0.1
"""Relative change of a number that its effect is measured with."""

NOTICEABLE = 1e-4
"""Change (%) below which an outcome has not moved: what the integration leaves is less."""

WEAKNESS: Mapping[str, float] = {
    "paper": 0.2,
    "published model code": 0.3,
    "vendor manual": 0.3,
    "abstract": 0.4,
    "opening": 0.4,
    "derived": 0.5,
    "second-hand": 0.6,
    "unverified": 0.9,
    "assumed": 1.0,
}
"""How weak the evidence of a number is by its grade, from 0 (none could be better) to 1 (none).

A judgment, stated so that it can be argued with: that a paper is not 0 says that patients differ
from those of the paper; that an assumption is only twice a derivation says that both may be wrong.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of a run, what it moves, and how much that should worry a reader."""

    fact: Fact
    effect: float
    """Change of the outcome for a number that is a tenth higher: in %, or in the unit of the
    outcome where that is 0. Ten times the elasticity, as far as the model is linear."""
    lowered: bool = False
    """Whether it was lowered, because a tenth more was not possible, and the sign turned round."""

    @property
    def weakness(self) -> float:
        """Of its evidence, 0 to 1."""
        return WEAKNESS[self.fact.seen]

    @property
    def weight(self) -> float:
        """Effect times weakness, without a sign."""
        return abs(self.effect) * self.weakness


@dataclass(frozen=True, slots=True)
class Audit:
    """The numbers of a run by weight, the heaviest first."""

    scenario: Scenario
    outcome: str
    value: float
    """Of the outcome, with all numbers as they are."""
    unit: str
    rows: tuple[Row, ...]
    unmoved: Mapping[str, str]
    """Numbers that could not be changed by a tenth, and why."""

    @property
    def relative(self) -> bool:
        """Whether effects are in % of the outcome; else in its unit, because it is 0."""
        return self.value != 0

    @property
    def moving(self) -> tuple[Row, ...]:
        """The numbers that move the outcome at all."""
        return tuple(row for row in self.rows if abs(row.effect) > NOTICEABLE)


def default_outcome(scenario: Scenario) -> str:
    """The level at the end of what the scenario is about.

    That is the first solute that it made up, an antibody or a drug; or else the first beside
    albumin and IgG, which are always there; or else IgG.
    """
    known = catalog.names("solutes")
    followed = sorted(scenario.solutes, key=lambda name: name in known)
    return f"final {next((n for n in followed if n not in ('albumin', 'igg')), 'igg')}"


def audit(
    source: str | Path,
    overrides: Sequence[str] = (),
    outcome: str | None = None,
    jobs: int | None = 1,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Audit:
    """Rank the graded numbers of a scenario by what they do to an outcome and on whose word.

    `outcome` is a phrase of `endpoints`; `jobs` is the number of processes (None: one for each
    processor); `progress` is told how many numbers of how many are done. Raises what loading,
    running and reading the scenario as it is raise.
    """
    scenario = scenarios.load(source, overrides)
    endpoint = endpoints.parse(default_outcome(scenario) if outcome is None else outcome)
    result = simulate(scenario)
    usual = endpoint.read(result)
    found: list[Row] = []
    unmoved: dict[str, str] = {}
    facts = facts_of(scenario)
    measure = partial(measured, source, tuple(overrides), str(endpoint), usual)
    answers = processes.each(measure, facts, jobs)
    for done, (fact, row) in enumerate(zip(facts, answers, strict=True), 1):
        progress(done, len(facts))
        if isinstance(row, Row):
            found.append(row)
        else:
            unmoved[fact.path] = row
    rows = tuple(sorted(found, key=lambda row: (-row.weight, row.fact.path)))
    return Audit(scenario, str(endpoint), usual, endpoint.unit(result), rows, unmoved)


def in_words(found: Audit, top: int) -> list[str]:
    """What a reader should take from an audit, in sentences; the first is of so many numbers."""
    strongest = sorted(found.moving, key=lambda row: -abs(row.effect))[:top]
    if not strongest:
        return [f"No number that has a grade moves {found.outcome}."]
    grades = [row.fact.seen for row in strongest]
    count = {grade: grades.count(grade) for grade in ("assumed", "unverified")}
    said = [
        f"The number that moves {found.outcome} most is of grade {grades[0]}."
        if len(grades) == 1
        else f"Of the {len(grades)} numbers that move {found.outcome} most, {count['assumed']} are "
        f"assumed and {count['unverified']} unverified."
    ]
    weak = [row for row in found.moving if row.fact.seen in count]
    if weak:
        fact = weak[0].fact
        what = "assumption" if fact.seen == "assumed" else "unverified number"
        said.append(
            f"The {what} that matters most is {fact.path} = {fact.value}, a tenth of which moves "
            f"it by {in_figures(found, abs(weak[0].effect))}: {fact.note}"
        )
    if weak and weak[0].fact.seen != "assumed" and count["assumed"]:
        fact = next(row.fact for row in weak if row.fact.seen == "assumed")
        said.append(f"Of those assumed, it is {fact.path} = {fact.value}: {fact.note}")
    return said


def in_figures(found: Audit, effect: float) -> str:
    """An effect with its unit."""
    return f"{effect:.2g} %" if found.relative else f"{effect:.2g} {found.unit}".rstrip()


def facts_of(scenario: Scenario) -> list[Fact]:
    """Every graded number of a run, once, at the place that writes it."""
    found: dict[str, Fact] = {}
    for fact in provenance.facts_of(scenario):
        found.setdefault(catalog.written_at(fact.path), fact)
    written = [replace(fact, path=path) for path, fact in found.items()]
    return [*written, *(constant.fact() for constant in provenance.constants_of(scenario))]


def measured(
    source: str | Path, overrides: tuple[str, ...], outcome: str, usual: float, fact: Fact
) -> Row | str:
    """What a number does to the outcome; or why it cannot be changed by a tenth."""
    if reason := _immovable(fact):
        return reason
    endpoint = endpoints.parse(outcome)
    reason = ""
    for step in (STEP, -STEP):
        try:
            with _changed(fact, 1 + step):
                changed = endpoint.read(simulate(scenarios.load(source, overrides)))
        except SimulatorError as error:
            reason = reason or " ".join(str(error).split())
            continue
        change = 100 * (changed / usual - 1) if usual else changed
        return Row(fact, change if step > 0 else -change, lowered=step < 0)
    return reason


def _immovable(fact: Fact) -> str:
    """Why a number has no tenth that could be added to it; empty if it has."""
    constant = _CONSTANTS.get(fact.path)
    if constant is not None:
        return "a count" if constant.counts else ""
    return "" if units.parse(fact.value).value else "it is 0"


_CONSTANTS = {constant.path: constant for constant in CONSTANTS}


def _changed(fact: Fact, factor: float) -> AbstractContextManager[Any]:
    """A number so many times what it is, for all that is loaded and run within."""
    constant = _CONSTANTS.get(fact.path)
    if constant is not None:
        return constants.altered(constant, factor)
    quantity = units.parse(fact.value)
    return catalog.altered(fact.path, f"{factor * quantity.value!r} {quantity.unit.text}")
