"""Virtual populations: covariates of patients that are drawn together, from the catalog.

A population gives each covariate a distribution, for some by sex, and correlations between their
normal scores (a Gaussian copula). Limits cut a distribution off by its quantile function, so that
no value is clamped to a limit or drawn anew. Which covariates a scenario has depends on what it
follows and says; the others are left out, and named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from simulator import catalog, units
from simulator.errors import CommandError
from simulator.sweep.distributions import in_one_unit, trouble
from simulator.sweep.factors import ONE_OF, Factor

KIND = "populations"
SEX = "patient.sex"
_SEXES = ("female", "male")
_FORMS: Mapping[tuple[str, ...], str] = {("mean", "sd"): "normal", ("median", "gsd"): "lognormal"}
#: Keys of a scenario that say the same as the last step of an address.
_SAME = {"fractional_catabolic_rate": "half_life"}


@dataclass(frozen=True)
class Members:
    """What the members of a population differ in."""

    factors: tuple[Factor, ...]
    left_out: tuple[str, ...]
    """Addresses that the scenario does not have, or says something else of."""
    correlations: Mapping[frozenset[str], float]
    """Between the normal scores of two covariates."""

    def together(
        self, drawn: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
        """Which of what is drawn is correlated, and the Cholesky root of the correlations."""
        pairs = [pair for pair in self.correlations if pair <= set(drawn)]
        among = tuple(address for address in drawn if any(address in pair for pair in pairs))
        if not among:
            return (), ()
        matrix = np.eye(len(among))
        for pair in pairs:
            one, other = (among.index(address) for address in pair)
            matrix[one, other] = matrix[other, one] = self.correlations[pair]
        root = np.linalg.cholesky(matrix)
        return among, tuple(tuple(float(v) for v in row) for row in root)


def factors(name: str, said: Mapping[str, Collection[str]]) -> Members:
    """The covariates of a population that a scenario has.

    `said`: the keys that the scenario has for each solute it follows, and for its patient. Raises
    `CommandError` for a name that is not in the catalog.
    """
    content = written(name)
    kept, left_out = [], []
    for address, covariate in content.items():
        if address in ("title", "correlations"):
            continue
        if _has(address, said):
            kept.append(_factor(address, covariate))
        else:
            left_out.append(address)
    correlations = {
        frozenset(pair.split()): units.parse(str(fact["value"])).canonical
        for pair, fact in content.get("correlations", {}).items()
    }
    return Members(tuple(kept), tuple(left_out), correlations)


@cache
def written(name: str) -> Mapping[str, Any]:
    """What the catalog says of a population, each number with its source."""
    known = catalog.bundled.names(KIND)
    if name not in known:
        raise CommandError(
            f"sweep.population: {name!r} is not in the catalog; {catalog.nearest(name, known)}"
        )
    content = catalog.bundled.read(f"{KIND}/{name}.yaml")
    catalog.check_sources(content, f"{KIND}.{name}")
    return content


def _has(address: str, said: Mapping[str, Collection[str]]) -> bool:
    """Whether a scenario has an address, and says nothing that this would contradict."""
    section, *rest = address.split(".")
    if section != "solutes":
        return True
    solute, key = rest
    if (solute, key) == ("albumin", "initial") and "albumin" in said.get("patient", ()):
        return False
    return solute in said and _SAME.get(key) not in said[solute]


def _factor(address: str, covariate: Mapping[str, Any]) -> Factor:
    if address == SEX:
        women = units.parse(str(covariate["female"]["value"])).canonical
        chances = dict(zip(_SEXES, (women, 1 - women), strict=True))
        return Factor(address, "", _SEXES, distribution=ONE_OF, parameters=chances)
    limits = {key: covariate[key] for key in ("min", "max") if key in covariate}
    by_sex = "female" in covariate
    stated = [covariate[sex] for sex in _SEXES] if by_sex else [covariate]
    forms = [tuple(key for key in each if key not in ("min", "max")) for each in stated]
    distribution = _FORMS[forms[0][0], forms[0][1]]
    first = units.parse(str(stated[0][forms[0][0]]["value"])).unit.text
    cases = [_parameters(distribution, {**each, **limits}, first) for each in stated]
    unit = "" if first == "1" else first
    if not by_sex:
        return Factor(address, unit, distribution=distribution, parameters=cases[0])
    return Factor(
        address, unit, distribution=distribution, parameters=cases[0],
        by=SEX, cases=dict(zip(_SEXES, cases, strict=True)),
    )  # fmt: skip


def _parameters(distribution: str, facts: Mapping[str, Any], unit: str) -> dict[str, float]:
    quantities = {key: units.parse(str(fact["value"])) for key, fact in facts.items()}
    parameters = in_one_unit(quantities, unit)
    if wrong := trouble(distribution, parameters):
        raise ValueError(f"{KIND}: {wrong}")
    return parameters
