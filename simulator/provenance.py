"""Which source stands behind which number of a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from simulator import catalog
from simulator.catalog import Fact
from simulator.constants import CONSTANTS, Constant
from simulator.orders import OPERATOR, PatientDescription
from simulator.patient.patient import INTERNAL
from simulator.records import record
from simulator.scenario.fluids import fluids_of, reactions_of
from simulator.scenario.model import Fault, Scenario

Entry = (
    catalog.Device
    | catalog.Solute
    | catalog.Fluid
    | catalog.Access
    | catalog.Operator
    | catalog.Reaction
)


@record
class Use:
    """One source and what this run takes from it."""

    key: str
    numbers: tuple[str, ...]
    """Dotted paths of the catalog, or words for an equation."""
    grades: tuple[str, ...]
    """How each number was seen."""


#: Sources of the form of an equation, by what they are used for; numbers stand in `CONSTANTS`.
EQUATIONS: Mapping[str, str] = {
    "FcRn-saturable catabolism of IgG": "kim-2007",
    "catabolic rates of IgG at low and high levels": "waldmann-1969",
    "exchange of proteins between plasma and interstitium": "reverberi-2007",
    "peak and decline of parathyroid hormone": "jcem-1985",
    "steps of the integration": "dormand-prince-1980",
}

_F_CELL_RATIO = ("red cells of the body from the hematocrit of venous blood", "chaplin-1953")

#: Equations that estimate a volume, by the method that a scenario names.
_ESTIMATES: Mapping[str, str] = {
    "nadler": "nadler_blood_volume",
    "lemmens": "lemmens_blood_volume",
    "per-kg": "per_kg_blood_volume",
    "kaplan": "kaplan_plasma_volume",
    "icsh": "icsh_plasma_volume",
}

_TROUBLE = ("machine.access", "machine.alarms", "machine.upkeep")
"""Modules whose numbers are read only where something goes wrong."""


def facts_of(scenario: Scenario) -> Iterator[Fact]:
    """Every catalog number that the scenario's run can read."""
    for followed in scenario.solutes.values():
        yield from followed.kinetics.facts.values()
    yield from catalog.solute(INTERNAL).facts.values()
    machine = scenario.machine
    fluids = {fluid.name: fluid for fluid in fluids_of(scenario)}
    if machine is not None:
        yield from machine.device.facts.values()
        yield from machine.access.facts.values()
        if scenario.operator is not None:
            yield from catalog.operator(OPERATOR).facts.values()
        for name in reactions_of(scenario):
            yield from catalog.reaction(name).facts.values()
    for fluid in fluids.values():
        yield from fluid.facts.values()


def constants_of(scenario: Scenario) -> Iterator[Constant]:
    """Every graded number of the equations that the scenario's run can read."""
    return (constant for constant in CONSTANTS if _is_read(constant, scenario))


def _is_read(constant: Constant, scenario: Scenario) -> bool:
    patient, machine = scenario.patient, scenario.machine
    if constant.name in _ESTIMATES.values():
        return constant.name == _estimate(patient)
    if constant.module == "patient.water":
        return patient.fluid_shift == "starling" or constant.name in _OF_SYNTHESIS
    if machine is None or constant.module.startswith("patient."):
        return constant.module.startswith("patient.")
    separator = machine.device.separator
    trouble = machine.disturbances == "typical" or any(
        isinstance(event, Fault) for event in scenario.events
    )
    only_where = {
        "machine.intermittent": isinstance(separator, catalog.BowlFacts),
        "machine.continuous": not isinstance(separator, catalog.BowlFacts),
        "machine.separators": isinstance(separator, catalog.MembraneFacts),
        **dict.fromkeys(_TROUBLE, trouble),
    }
    return only_where.get(constant.module, True)


_OF_SYNTHESIS = ("ALBUMIN_SCALE", "oncotic_pressure")
"""What synthesis of albumin reads of the equations of water."""


def _estimate(patient: PatientDescription) -> str:
    """The equation that the patient's volumes are estimated by; empty if one is stated."""
    stated = patient.blood_volume is not None or patient.plasma_volume is not None
    return "" if stated else _ESTIMATES[patient.blood_volume_method]


def sources_of(scenario: Scenario) -> list[Use]:
    """The sources behind a run: those the scenario names, the catalog's, the equations'."""
    uses: dict[str, dict[str, str]] = {key: {} for key in scenario.references}
    for fact in facts_of(scenario):
        uses.setdefault(fact.source, {})[fact.path] = fact.seen
    for constant in constants_of(scenario):
        uses.setdefault(constant.source, {})[constant.path] = constant.seen
    for what, key in _equations(scenario):
        uses.setdefault(key, {})[what] = "equation"
    uses.pop("assumed", None)
    return [
        Use(key, tuple(numbers), tuple(numbers.values())) for key, numbers in sorted(uses.items())
    ]


def _equations(scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield from EQUATIONS.items()
    if scenario.patient.f_cell_ratio != 1:
        yield _F_CELL_RATIO


def assumptions_of(scenario: Scenario) -> list[Fact]:
    """The numbers of a run that no source states, each with its reason in `note`."""
    facts = {fact for fact in facts_of(scenario) if fact.source == "assumed"}
    facts |= {one.fact() for one in constants_of(scenario) if one.source == "assumed"}
    return sorted(facts, key=lambda fact: fact.path)


LOAD: Mapping[str, Callable[[str], Entry]] = {
    "devices": catalog.device,
    "solutes": catalog.solute,
    "fluids": catalog.fluid,
    "access": catalog.access,
    "operators": catalog.operator,
    "reactions": catalog.reaction,
}
"""How an entry of each kind is read."""


def catalog_facts() -> Iterator[Fact]:
    """Every number of the catalog, at the entry that writes it, and nowhere else."""
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            facts = LOAD[kind](name).facts
            yield from (fact for path, fact in facts.items() if catalog.written_at(path) == path)


Cases = Mapping[str, Sequence[str]]
"""Published cases by source: what is held against each."""


@record
class Standing:
    """All that one entry of the bibliography stands behind."""

    key: str
    facts: tuple[Fact, ...]
    """Numbers of the catalog and of the equations."""
    equations: tuple[str, ...]
    cases: tuple[str, ...]
    """Published measurements that runs are held against."""
    scenarios: tuple[str, ...]
    """Bundled scenarios that name it."""
    named: tuple[str, ...]
    """Numbers of other sources that name it in their reasons."""

    @property
    def background(self) -> bool:
        """Whether nothing rests on it; it was read beside the others."""
        return not (self.facts or self.equations or self.cases or self.scenarios or self.named)


def standings(cases: Cases, scenarios: Mapping[str, Sequence[str]]) -> dict[str, Standing]:
    """What each entry of the bibliography stands behind.

    `cases` are published cases by source; `scenarios` the references that each scenario names.
    """
    facts = [*catalog_facts(), *(constant.fact() for constant in CONSTANTS)]
    equations = (*EQUATIONS.items(), _F_CELL_RATIO)
    return {
        key: Standing(
            key,
            facts=tuple(fact for fact in facts if fact.source == key),
            equations=tuple(what for what, source in equations if source == key),
            cases=tuple(cases.get(key, ())),
            scenarios=tuple(name for name, cited in scenarios.items() if key in cited),
            named=tuple(f.path for f in facts if f.source != key and names_source(f, key)),
        )
        for key in catalog.references()
    }


def names_source(fact: Fact, key: str) -> bool:
    """Whether a number of another source names this one in its place or its reason."""
    return re.search(rf"(?<![\w-]){key}(?![\w-])", f"{fact.at} {fact.note}") is not None
