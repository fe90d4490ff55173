"""Virtual populations: people who differ in size, blood and proteins, some of it together.

A population is an entry of the catalog; each of its numbers has a source and a grade. What is drawn
becomes factors of a design, sizes by sex; normal scores of some are correlated (a Gaussian copula).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator import units
from simulator.catalog import bundled, nearest
from simulator.errors import CommandError
from simulator.scenario.model import Scenario
from simulator.sweep.designs import Factor

KIND = "populations"
SEX = "patient.sex"
UNITS = {"height": "m", "weight": "kg", "hematocrit": "%"}
TWICE = 0.5
"""Levels are kept above this share of their median, and below its inverse."""


@dataclass(frozen=True)
class Members:
    """What differs between the people of a population."""

    factors: tuple[Factor, ...]
    correlations: Mapping[tuple[str, str], float]

    def together(
        self, addresses: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
        """Those of some factors that are drawn together, and the root of their correlations."""
        named = [a for a in addresses if any(a in pair for pair in self.correlations)]
        if len(named) < 2:
            return (), ()
        matrix = np.eye(len(named))
        for (one, other), r in self.correlations.items():
            if one in named and other in named:
                i, j = named.index(one), named.index(other)
                matrix[i, j] = matrix[j, i] = r
        root = np.linalg.cholesky(matrix)
        return tuple(named), tuple(tuple(float(x) for x in row) for row in root)


def names() -> tuple[str, ...]:
    """The populations of the catalog."""
    return bundled.names(KIND)


def members(name: str, scenario: Scenario) -> Members:
    """The people of a population, for whom a scenario is run.

    Sizes and hematocrit are the population's, by sex; levels and turnover spread around what the
    scenario says. Raises `CommandError` if there is no such population.
    """
    if name not in names():
        raise CommandError(
            f"sweep.population: there is no population {name!r}; {nearest(name, names())}"
        )
    said = bundled.read(f"{KIND}/{name}.yaml")
    women = _number(said["sex"]["women"], "1")
    factors = [Factor(SEX, "", ("female", "male"), shares=(women, 1 - women))]
    for what, unit in UNITS.items():
        entry = said[what]
        limits = {key: units.parse(entry[key]).to(unit) for key in ("min", "max")}
        by = {
            sex: {key: _number(n, "1" if key == "gsd" else unit) for key, n in entry[sex].items()}
            | limits
            for sex in ("female", "male")
        }
        factors.append(
            Factor(f"patient.{what}", unit, distribution=entry["distribution"], by=SEX,
                   parameters_by=by)
        )  # fmt: skip
    correlations = {("patient.height", "patient.weight"): _number(
        said["correlations"]["height_weight"], "1")}  # fmt: skip
    levels, turnover = said["levels"], _number(said["turnover"], "1")
    for solute, followed in scenario.solutes.items():
        spread = _number(levels.get(solute, levels["other"]), "1")
        level = f"solutes.{solute}.initial"
        unit = followed.kinetics.unit
        factors.append(_around(level, unit, followed.initial, spread))
        if solute in scenario.document.get("solutes", {}) and solute != "albumin":
            rate = f"solutes.{solute}.fractional_catabolic_rate"
            factors.append(_around(rate, "%/d", _catabolic_rate(scenario, solute), turnover))
            if followed.kinetics.catabolism.protected_fraction:
                correlations[level, rate] = _number(said["correlations"]["igg_turnover"], "1")
    return Members(tuple(f for f in factors if _possible(f, scenario)), correlations)


def _possible(factor: Factor, scenario: Scenario) -> bool:
    """Whether an address can be varied beside what the scenario itself says."""
    if not factor.address.endswith(".fractional_catabolic_rate"):
        return True
    written = scenario.document["solutes"][factor.address.split(".")[1]]
    return "half_life" not in written


def _around(address: str, unit: str, median: float, spread: float) -> Factor:
    parameters = {"median": median, "gsd": spread, "min": TWICE * median, "max": median / TWICE}
    if spread > 1 / TWICE - 0.3:  # titers spread wider
        parameters |= {"min": median / spread**3, "max": median * spread**3}
    return Factor(address, unit, distribution="lognormal", parameters=parameters)


def _catabolic_rate(scenario: Scenario, solute: str) -> float:
    """Of the plasma pool at the patient's IgG, %/d."""
    from simulator.patient.proteins import catabolic_rate

    law = scenario.solutes[solute].kinetics.catabolism
    igg = scenario.solutes["igg"].initial
    rate = catabolic_rate(law.intrinsic, law.protected_fraction, law.half_saturation, igg)
    return 100 * rate * 1440


def _number(entry: Mapping[str, Any], unit: str) -> float:
    return units.parse(str(entry["value"])).to(unit)


def numbers(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every number of a population with its source: dotted path and entry."""
    waiting: list[tuple[str, Any]] = [(name, bundled.read(f"{KIND}/{name}.yaml"))]
    while waiting:
        path, entry = waiting.pop()
        if isinstance(entry, Mapping):
            if "value" in entry:
                yield path, entry
            else:
                waiting += [(f"{path}.{key}", inner) for key, inner in entry.items()]
