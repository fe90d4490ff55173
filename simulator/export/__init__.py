"""A run as a model for the engines of others: the patient's equations, and events for the rest."""

from __future__ import annotations

from simulator import __version__, provenance
from simulator import scenario as scenarios
from simulator.export import antimony_text, names, sbml
from simulator.export.antimony_text import Model
from simulator.export.schedule import Schedule, overheard
from simulator.scenario.model import Scenario

FORMATS = ("sbml", "antimony")

__all__ = ["FORMATS", "Model", "Schedule", "exported", "model_of", "overheard"]


def exported(scenario: Scenario, kind: str) -> str:
    """Run a scenario and write it as a model, `kind` being one of `FORMATS`.

    Raises `ImpossibleRunError` as `simulate` does, and `CommandError` where SBML is asked for and
    its libraries are not installed.
    """
    if kind == "sbml":
        sbml.require()  # before the run, which may take long
    model = model_of(scenario, overheard(scenario))
    return model.text if kind == "antimony" else sbml.sbml(model, title_of(scenario))


def model_of(scenario: Scenario, schedule: Schedule) -> Model:
    """The model of a scenario's patient and of the schedule of its run."""
    return antimony_text.model(schedule, scenario.name, notes_of(scenario))


def notes_of(scenario: Scenario) -> tuple[str, ...]:
    """What a reader must know of a model who has nothing else of the run."""
    sources = ", ".join(use.key for use in provenance.sources_of(scenario))
    return (
        title_of(scenario),
        f"Scenario {scenario.name}, seed {scenario.seed}, sha256 {scenarios.digest(scenario)}",
        f"Written by apheresis-simulator {__version__}",
        f"Sources: {sources}",
        "For teaching and research, not for treating patients.",
    )


def title_of(scenario: Scenario) -> str:
    """The title as one line."""
    return names.one_line(scenario.title) or scenario.name
