"""The exported model run by libRoadRunner, where that is installed, and held against the run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib import import_module

from simulator.export import model_of, sbml, title_of
from simulator.export.names import Names
from simulator.export.schedule import OverheardPatient
from simulator.scenario.model import Scenario
from simulator.simulation import Run

NEEDED = ("antimony", "libsbml", "roadrunner")
TOLERANCE = 1e-10
REMARKS = "SUNLOGGER_WARNING_FILENAME"
"""Where CVODE writes its remarks; standard output unless this says otherwise."""


def installed() -> bool:
    """Whether all that it takes is there and can be loaded."""
    try:
        for name in NEEDED:
            import_module(name)
    except (ImportError, OSError):  # of a library that is there and broken
        return False
    return True


def final_levels(scenario: Scenario) -> dict[str, tuple[float, float]]:
    """Plasma level of each solute at the end of a run: here, and in libRoadRunner.

    Raises `RuntimeError` if that cannot run it.
    """
    import roadrunner

    run = Run(scenario, OverheardPatient)
    result = run.result()
    assert isinstance(run.patient, OverheardPatient)
    text = sbml.sbml(model_of(scenario, run.patient.schedule()), title_of(scenario))
    with _quiet():  # it reads this when it is made
        engine = roadrunner.RoadRunner(text)
    for setting in ("relative_tolerance", "absolute_tolerance"):
        engine.getIntegrator().setValue(setting, TOLERANCE)
    engine.getIntegrator().setValue("maximum_num_steps", 1_000_000)
    of = Names().of
    columns = ["plasma_volume", *(of(name, "plasma") for name in result.solutes)]
    engine.timeCourseSelections = columns
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
    """Keep CVODE from remarking, on standard output, that steps after an event are short."""
    before = os.environ.get(REMARKS)
    os.environ[REMARKS] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ[REMARKS]
        else:
            os.environ[REMARKS] = before
