"""A sensitivity study of a scenario: its inputs drawn, its runs made, its indices found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from simulator import catalog, endpoints, processes
from simulator import scenario as scenarios
from simulator.errors import CommandError, LostProcessError, SimulatorError
from simulator.result import Result
from simulator.simulation import simulate
from simulator.sweep import indices
from simulator.sweep.inputs import StudyInput, parse, read
from simulator.sweep.sensitivity import Progress, Study, StudyError, inputs_in_words
from simulator.units import MINUTES_PER_DAY

WEEKS_AFTER = 14
"""Days after the last session, at which a level is looked at unless something else is asked for."""
SAMPLES = {"sobol": 128, "morris": 20}
MOST_RUNS = 1_000_000


def inputs_of(
    source: str | Path, overrides: Sequence[str], over: Sequence[str]
) -> list[StudyInput]:
    """What is varied: as the command line says, else as the scenario's sweep block says.

    Raises `CommandError` if neither says anything, or one address stands twice.
    """
    if over:
        found = [parse(text) for text in over]
    else:
        block = scenarios.load(source, overrides).document.get("sweep") or {}
        found = [read(address, spec) for address, spec in (block.get("vary") or {}).items()]
    if not found:
        raise CommandError(
            "nothing to vary: name inputs with --over PATH=SPEC, such as "
            "--over 'patient.weight=50 kg..110 kg', or give the scenario a sweep block"
        )
    addresses = [each.address for each in found]
    twice = {address for address in addresses if addresses.count(address) > 1}
    if twice:
        raise CommandError(f"--over {min(twice)}: named twice")
    return found


def usual_outcome(result: Result) -> str:
    """What is looked at unless something else is asked for: what is left of the antibody.

    Two weeks after the last session, if the run lasts so long; else just after it, or at the end
    of a run without sessions.
    """
    known = catalog.names("solutes")
    solute = next((name for name in result.solutes if name not in known), "igg")
    if not result.sessions:
        return f"final {solute}"
    last = result.sessions[-1]
    lasts = last.connected[1] + WEEKS_AFTER * MINUTES_PER_DAY <= result.scenario.until
    when = f"{WEEKS_AFTER} d after session" if lasts else "session"
    return f"left {solute} @ {when} {last.index}"


def study(
    source: str | Path,
    inputs: Sequence[StudyInput],
    outcome: str | None = None,
    method: str = "sobol",
    samples: int | None = None,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    jobs: int | None = None,
    announce: Callable[[int, str], None] = lambda runs, outcome: None,
    progress: Progress = lambda done, of: None,
) -> Study:
    """Draw the inputs, run the scenario for each, and find what its outcome depends on.

    The scenario is run as it stands, and with every input in its middle, before anything is
    announced: what is wrong with an address or an outcome is told by then. Raises `StudyError` if
    a run fails.
    """
    base = scenarios.load(source, overrides, seed)
    usual = simulate(base)
    endpoint = endpoints.parse(outcome or usual_outcome(usual))
    endpoint.read(usual)
    middle = [*overrides, *(each.override(0.5) for each in inputs)]
    endpoint.read(simulate(scenarios.load(source, middle, seed)))

    count = SAMPLES[method] if samples is None else samples
    runs = indices.rows_needed(method, len(inputs), count)
    if runs > MOST_RUNS:
        raise CommandError(f"{runs:,} runs are more than {MOST_RUNS:,}; take fewer samples")
    points = indices.points(method, len(inputs), count, base.seed)
    announce(runs, str(endpoint))
    whole = method == "morris"
    tasks = [
        tuple(each.override(float(u), whole) for each, u in zip(inputs, row, strict=True))
        for row in points
    ]
    measure = partial(measured, source, tuple(overrides), base.seed, str(endpoint))
    values = np.empty(runs)
    for run, answer in enumerate(processes.each(measure, tasks, jobs)):
        if isinstance(answer, str):
            raise StudyError(_failed(run, runs, tasks[run], answer))
        values[run] = answer
        progress(run + 1, runs)
    names = [each.address for each in inputs]
    found = indices.indices(method, names, points, values, base.seed)
    ranges = tuple(each.words for each in inputs)
    unit = endpoint.unit(usual)
    return Study(base.title, str(endpoint), unit, method, found, ranges, values, base.seed)


def measured(
    source: str | Path,
    overrides: tuple[str, ...],
    seed: int,
    outcome: str,
    changes: tuple[str, ...],
) -> float | str:
    """The outcome of one run; or why it has none."""
    try:
        result = simulate(scenarios.load(source, [*overrides, *changes], seed))
        return endpoints.parse(outcome).read(result)
    except LostProcessError:
        raise
    except SimulatorError as error:
        return " ".join(str(error).split())


def _failed(run: int, runs: int, changes: Sequence[str], why: str) -> str:
    addresses, values = zip(*(change.split("=", 1) for change in changes), strict=True)
    return (
        f"run {run + 1} of {runs:,} has no outcome, and the indices need every run: {why}\n"
        f"Its inputs: {inputs_in_words(addresses, values)}.\n"
        "Narrow the ranges with --over until all of them can be run."
    )
