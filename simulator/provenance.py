"""Which source stands behind which number of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulator import catalog
from simulator.catalog import Fact
from simulator.orders import OPERATOR
from simulator.patient.volumes import PLASMA_VOLUME
from simulator.scenario.model import FluidDose, Scenario, Setting


@dataclass(frozen=True, slots=True)
class Use:
    """One source and what this run takes from it."""

    key: str
    numbers: tuple[str, ...]
    """Dotted paths of the catalog, or words for an equation."""
    grades: tuple[str, ...]
    """How each number was seen."""


#: Sources of equations, by what they are used for; their coefficients stand in the equations.
EQUATIONS: Mapping[str, str] = {
    "colloid oncotic pressure": "landis-pappenheimer",
    "oncotic pressure of 4 % albumin, to which the equation is scaled": "aas-1993",
    "filtration of water through capillaries": "pietribiasi-2016",
    "pressure of a filled interstitium": "reed-1981",
    "interstitial volume that is closed to albumin": "reed-1989",
    "FcRn-saturable catabolism of IgG": "kim-2007",
    "catabolic rates of IgG at low and high levels": "waldmann-1969",
    "calcium that bone gives under parathyroid hormone": "zhao-weinstein-2019",
    "peak and decline of parathyroid hormone": "jcem-1985",
    "citrate clearance and volume of distribution": "kramer-2003",
    "exchange of proteins between plasma and interstitium": "reverberi-2007",
}

VOLUME_SOURCES: Mapping[str, str] = {
    "nadler": "nadler-1962",
    "lemmens": "lemmens-2006",
    "icsh": "icsh-1995",
    "kaplan": "kaplan-1992",
    "per-kg": "general-knowledge",
}


def facts_of(scenario: Scenario) -> Iterator[Fact]:
    """Every catalog number that the scenario's run can read."""
    for followed in scenario.solutes.values():
        yield from followed.kinetics.facts.values()
    machine = scenario.machine
    fluids = {fluid.name: fluid for fluid in _fluids(scenario)}
    if machine is not None:
        yield from machine.device.facts.values()
        yield from machine.access.facts.values()
        if scenario.operator is not None:
            yield from catalog.operator(OPERATOR).facts.values()
        if machine.disturbances == "typical":
            for name in catalog.names("reactions"):
                yield from catalog.reaction(name).facts.values()
    for fluid in fluids.values():
        yield from fluid.facts.values()


def _fluids(scenario: Scenario) -> Iterator[catalog.Fluid]:
    """Every fluid that the scenario names, in the order in which a run may use it."""
    machine = scenario.machine
    if machine is not None:
        yield machine.anticoagulant
        if machine.prime is not None:
            yield machine.prime
    for session in scenario.sessions:
        yield from (r.fluid for r in session.prescription.replacement)
        if session.prescription.calcium is not None:
            yield session.prescription.calcium.fluid
    yield from (rule.fluid for rule in scenario.rules if rule.fluid is not None)
    for event in scenario.events:
        if isinstance(event, FluidDose):
            yield event.fluid
        elif isinstance(event, Setting) and isinstance(event.value, catalog.Fluid):
            yield event.value


def sources_of(scenario: Scenario) -> list[Use]:
    """The sources behind a run: those the scenario names, the catalog's, the equations'."""
    uses: dict[str, dict[str, str]] = {key: {} for key in scenario.references}
    for fact in facts_of(scenario):
        uses.setdefault(fact.source, {})[fact.path] = fact.seen
    for what, key in _equations(scenario):
        uses.setdefault(key, {})[what] = "equation"
    uses.pop("assumed", None)
    return [
        Use(key, tuple(numbers), tuple(numbers.values())) for key, numbers in sorted(uses.items())
    ]


def _equations(scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield from EQUATIONS.items()
    patient = scenario.patient
    if patient.f_cell_ratio != 1:
        yield "red cells of the body from the hematocrit of venous blood", "chaplin-1953"
    method = patient.blood_volume_method
    estimated = patient.blood_volume is None and patient.plasma_volume is None
    if estimated or (patient.blood_volume is None and method in PLASMA_VOLUME):
        yield "blood volume by " + method, VOLUME_SOURCES[method]


def assumptions_of(scenario: Scenario) -> list[Fact]:
    """The numbers of a run that no source states, each with its reason in `note`."""
    return sorted(
        {fact for fact in facts_of(scenario) if fact.source == "assumed"}, key=lambda f: f.path
    )
