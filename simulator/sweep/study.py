"""A sensitivity study of a scenario: its inputs drawn, its runs made, its indices found.

Its points are a sweep like any other: a ``zip`` of lists, one value for each run, and all runs with
the scenario's own seed, so that luck is held fixed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from simulator import catalog, endpoints, processes
from simulator import scenario as scenarios
from simulator.errors import CommandError, Problem, ScenarioError, SimulatorError
from simulator.result import header
from simulator.simulation import simulate
from simulator.sweep import engines, fast, grammar, indices
from simulator.sweep.designs import Design, Factor, factor_of
from simulator.sweep.outcomes import outcomes_of
from simulator.sweep.plan import Plan, plan_of
from simulator.sweep.sensitivity import Numbers, Progress, Study, StudyError

SAMPLES = {"sobol": 256, "morris": 20}
MOST_RUNS = 1_000_000
TAIL = 0.05
"""Where a distribution without an end is cut for Morris' grid, whose outer levels are 0 and 1."""
ENDLESS = ("normal", "lognormal")
CHUNK = 8
"""Runs that a process takes at once by the plain path."""
LANES = 4096
"""The same by the fast path."""


def inputs_of(source: str | Path, overrides: Sequence[str], over: Sequence[str]) -> list[Factor]:
    """What is varied: as the command line says, else as the scenario's sweep block says.

    Raises `CommandError` if neither says anything, or one address stands twice.
    """
    try:
        if over:
            said = [grammar.parse(text) for text in over]
        else:
            block = scenarios.load(source, overrides).document.get("sweep") or {}
            said = list((block.get("vary") or {}).items())
        found = [factor_of(address, spec) for address, spec in said]
    except CommandError as error:
        raise CommandError(str(error).replace("--vary", "--over")) from None
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


def usual_outcome(base: scenarios.Scenario) -> str:
    """What is looked at unless something else is asked for: the antibody at the end of the run."""
    known = catalog.names("solutes")
    solute = next((name for name in base.solutes if name not in known), "igg")
    return header(f"{solute}_final", base.solutes[solute].kinetics.unit)


def study(
    source: str | Path,
    inputs: Sequence[Factor],
    outcome: str | None = None,
    method: str = "sobol",
    samples: int | None = None,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    jobs: int | None = None,
    announce: Callable[[str], None] = lambda words: None,
    progress: Progress = lambda done, of: None,
) -> Study:
    """Draw the inputs, run the scenario for each, and find what its outcome depends on.

    `outcome` is a phrase, or the name of a column of every sweep. What is wrong with it or with an
    address is told before anything is announced. Raises `StudyError` if a run fails.
    """
    base = scenarios.load(source, overrides, seed)
    column, phrases, label, unit = _read(base, outcome)
    count = SAMPLES[method] if samples is None else samples
    runs = indices.rows_needed(method, len(inputs), count)
    if runs > MOST_RUNS:
        raise CommandError(f"{runs:,} runs are more than {MOST_RUNS:,}; take fewer samples")
    points = indices.points(method, len(inputs), count, base.seed)
    columns = [_shared(each, points[:, i], method == "morris") for i, each in enumerate(inputs)]
    middles = {each.address: [each.text(each.at(np.array([0.5]))[0])] for each in inputs}
    # in place of the scenario's own sweep, which may vary more
    block = json.dumps({"vary": middles, "design": "zip", "samples": 1})
    try:
        checked = plan_of(
            source, set_to=[*overrides, f"sweep={block}"], seed=seed, outcomes=phrases
        )
    except ScenarioError as error:
        raise ScenarioError([_as_said(problem) for problem in error.problems]) from None
    plan = replace(checked, design=Design(tuple(columns), "zip", 1, base.seed))
    announce(f"{len(inputs)} inputs, {runs:,} runs, for {label}")
    values = _run(plan, column, jobs, announce, progress)
    names = [each.address for each in inputs]
    found = indices.indices(method, names, points, values, base.seed)
    ranges = tuple(map(range_of, inputs))
    return Study(base.title, label, unit, method, found, ranges, values, base.seed)


def _as_said(problem: Problem) -> Problem:
    """A problem of what is varied, told of the option that said it."""
    if not problem.path.startswith(_VARIED):
        return problem
    path = problem.path.removeprefix(_VARIED).removesuffix(".0")
    return Problem("--over", 0, 0, path, problem.message)


_VARIED = "sweep.vary."


def range_of(one: Factor) -> str:
    """Its range in words: whole, or from the fifth to the ninety-fifth of a hundred."""
    if not one.numeric or (one.values and not one.ends):
        return one.words
    ends = (TAIL, 1 - TAIL) if one.distribution in ENDLESS else (0.0, 1.0)
    low, high = one.at(np.array(ends))
    return f"{low:.4g} to {high:.4g} {one.unit}".rstrip()


def _read(base: scenarios.Scenario, outcome: str | None) -> tuple[str, tuple[str, ...], str, str]:
    """Of an outcome: its column, the phrases that make it one, what it is called, its unit."""
    standard = {column.name: column for column in outcomes_of(base)}
    if outcome is None or outcome in standard:
        column = standard[outcome or usual_outcome(base)]
        return column.name, (), column.label, column.unit
    endpoint = endpoints.parse(outcome)
    endpoint.read(simulate(base))
    phrase = str(endpoint)
    column = outcomes_of(base, [phrase])[-1]
    return column.name, (phrase,), phrase, column.unit


def _shared(one: Factor, shares: Numbers, whole_range: bool) -> Factor:
    """The input as a list: its value at each of the points."""
    if whole_range and one.distribution in ENDLESS:
        shares = TAIL + (1 - 2 * TAIL) * shares
    found = one.at(shares)
    values = tuple(map(float, found)) if one.numeric else tuple(found)
    return Factor(one.address, one.unit, values)


def _run(
    plan: Plan,
    column: str,
    jobs: int | None,
    announce: Callable[[str], None],
    progress: Progress,
) -> Numbers:
    size = plan.design.size
    compiled = size >= engines.LARGE and not fast.refusal(plan)
    if compiled:
        fast.prepare(plan, announce)
    chunk = LANES if compiled else CHUNK
    values = np.empty(size)
    tasks = [(start, min(start + chunk, size)) for start in range(0, size, chunk)]
    engine = "fast" if compiled else "plain"
    answers = processes.each(partial(outcome_of, plan, column, engine), tasks, jobs)
    for (start, stop), answer in zip(tasks, answers, strict=True):
        if isinstance(answer, str):
            raise StudyError(answer)
        values[start:stop] = answer
        progress(stop, size)
    return values


def outcome_of(plan: Plan, column: str, engine: str, task: tuple[int, int]) -> Numbers | str:
    """The outcome of some runs; or, in words, which of them has none, and why."""
    try:
        rows = engines.rows(plan, engine, *task)
    except SimulatorError as error:
        return str(error)
    values: Numbers = rows.outcomes[column]
    for i in np.flatnonzero(~np.isfinite(values)):
        run = task[0] + int(i)
        return (
            f"run {run + 1} of {plan.design.size:,} has no outcome, and the indices need every "
            f"run: {rows.error[i] or 'it has no such number'}\n"
            f"Its inputs: {', '.join(plan.design.overrides(run))}.\n"
            "Narrow the ranges with --over until all of them can be run."
        )
    return values
