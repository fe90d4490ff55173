"""The exported model run by libRoadRunner, where that is installed, and held against the run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib.util import find_spec

from simulator.export import model_of, overheard, sbml, title_of
from simulator.export.names import Names
from simulator.scenario.model import Scenario
from simulator.simulation import simulate

NEEDED = ("antimony", "libsbml", "roadrunner")
TOLERANCE = 1e-10


def installed() -> bool:
    """Whether all that it takes is there."""
    return all(find_spec(name) is not None for name in NEEDED)


def final_levels(scenario: Scenario) -> dict[str, tuple[float, float]]:
    """Plasma level of each solute at the end of a run: here, and in libRoadRunner."""
    import roadrunner

    result = simulate(scenario)
    text = sbml.sbml(model_of(scenario, overheard(scenario)), title_of(scenario))
    engine = roadrunner.RoadRunner(text)
    for setting in ("relative_tolerance", "absolute_tolerance"):
        engine.getIntegrator().setValue(setting, TOLERANCE)
    engine.getIntegrator().setValue("maximum_num_steps", 1_000_000)
    of = Names().of
    columns = ["plasma_volume", *(of(name, "plasma") for name in result.solutes)]
    engine.timeCourseSelections = columns
    with _quiet():
        volume, *masses = engine.simulate(0.0, scenario.until, 2)[-1]
    return {
        name: (
            solute.final,
            scenario.solutes[name].kinetics.per_volume * float(mass) / float(volume),
        )
        for (name, solute), mass in zip(result.solutes.items(), masses, strict=True)
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """CVODE remarks on steps that are short beside the time, which they are after each event."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
