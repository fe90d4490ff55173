"""The sweep block: its shape, and that every value it names could stand at its address.

A value is tried where it would be written: what the scenario then complains about is the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.catalog import bundled
from simulator.errors import Problem
from simulator.scenario.fields import Whole
from simulator.scenario.format import Sweep
from simulator.scenario.measures import read_quantity
from simulator.scenario.overrides import steps
from simulator.scenario.report import Report, near_or_all, shown
from simulator.scenario.tree import Node, Path, assign

DISTRIBUTIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "normal": (("mean", "sd"),),
    "lognormal": (("mean", "sd"), ("median", "gsd")),
    "uniform": (("from", "to"),),
    "triangular": (("from", "mode", "to"),),
}
LIMITS = ("min", "max")
"""Where a distribution may be cut off: what is left is spread over all of it."""
_SPREADS = ("sd", "gsd")
_FIXED = ("format", "name", "extends", "sweep")
_STEPS = Whole(2, 100_000)
# A sweep may name thousands of values; those beyond these numbers are met when they are run.
_MOST_TRIED = 50  # of one address
_MOST_ADDRESSES = 100

Problems = Callable[[Node], list[Problem]]


def check(sweep: Sweep, tree: Node, report: Report, problems_of: Problems) -> None:
    """Report what a sweep could not do. `problems_of` tells what is wrong with a whole tree."""
    if sweep.vary is None and sweep.population is None:
        report.missing(("sweep", "vary"), "dotted paths and the values they take")
    known = bundled.names("populations")
    if sweep.population is not None and sweep.population not in known:
        hint = near_or_all(sweep.population, known)
        message = f"{shown(sweep.population)} is not in the catalog of populations{hint}"
        report.add(("sweep", "population"), message)
    plain = {key: node for key, node in _entries(tree).items() if key != "sweep"}
    base = Node(plain, tree.mark, tree.key)
    usual = {problem.path for problem in problems_of(base)}
    lengths: dict[str, int] = {}
    for place, (address, spec) in enumerate((sweep.vary or {}).items()):
        path = ("sweep", "vary", address)
        if address.split(".")[0] in _FIXED:
            report.add(path, f"{shown(address)} cannot be varied", on_key=True)
            continue
        candidates = list(_candidates(spec, path, report))
        if isinstance(spec, list):
            lengths[address] = len(spec)
        elif isinstance(spec, dict) and isinstance(spec.get("steps"), int):
            lengths[address] = spec["steps"]
        if report.touches(steps(address)) or place >= _MOST_ADDRESSES:
            continue
        for where in candidates[:_MOST_TRIED]:
            _try(base, address, where, report, problems_of, usual)
    _check_design(sweep, lengths, report)


def _entries(tree: Node) -> dict[str, Node]:
    return tree.value if isinstance(tree.value, dict) else {}


def _candidates(spec: Any, path: Path, report: Report) -> Iterator[Path]:
    """Places of the values that a specification names."""
    if isinstance(spec, list):
        if not spec:
            report.add(path, "expected at least one value")
        yield from ((*path, place) for place in range(len(spec)))
    elif isinstance(spec, dict) and {"from", "to", "steps"} & set(spec):
        yield from _range(spec, path, report)
    elif isinstance(spec, dict) and len(spec) == 1:
        yield from _distribution(spec, path, report)
    else:
        report.add(
            path,
            "expected a list of values, {from: …, to: …, steps: …}, or one distribution such as "
            f"{{normal: {{mean: …, sd: …}}}}; got {shown(spec)}",
        )


def _range(spec: dict[str, Any], path: Path, report: Report) -> Iterator[Path]:
    yield from _keys(spec, ("from", "to", "steps"), path, report, ("from", "to"))
    if "steps" in spec:
        try:
            _STEPS.read(spec["steps"])
        except ValueError as error:
            report.add((*path, "steps"), str(error))


def _distribution(spec: dict[str, Any], path: Path, report: Report) -> Iterator[Path]:
    (name, parameters), *_ = spec.items()
    here = (*path, name)
    if name not in DISTRIBUTIONS:
        hint = near_or_all(name, DISTRIBUTIONS)
        report.add(here, f"{shown(name)} is not a distribution{hint}", on_key=True)
        return
    forms = DISTRIBUTIONS[name]
    if not isinstance(parameters, dict):
        wanted = " or ".join(f"{{{', '.join(f'{key}: …' for key in form)}}}" for form in forms)
        report.add(here, f"expected {wanted}, got {shown(parameters)}")
        return
    form = max(forms, key=lambda form: len(set(form) & set(parameters)))
    values = tuple(key for key in form if key not in _SPREADS)
    limits = tuple(key for key in LIMITS if key in parameters)
    yield from _keys(parameters, (*form, *limits), here, report, (*values, *limits))
    for key in _SPREADS:
        if key in form and key in parameters:
            _check_spread(parameters, key, values[0], here, report)


def _check_spread(
    parameters: dict[str, Any], key: str, center: str, path: Path, report: Report
) -> None:
    """A standard deviation has the dimension of its mean; a geometric one is a ratio above 1."""
    expectation = "a ratio above 1" if key == "gsd" else "a quantity like the mean"
    try:
        spread = read_quantity(parameters[key], expectation)
        if key == "gsd":
            good = not spread.unit.dimension and spread.canonical > 1
        else:
            middle = read_quantity(parameters.get(center, parameters[key]), expectation)
            good = spread.unit.dimension == middle.unit.dimension
            if good and spread.value < 0:
                good, expectation = False, "0 or more"
    except ValueError as error:
        report.add((*path, key), str(error))
        return
    if not good:
        report.add((*path, key), f"expected {expectation}, got {shown(parameters[key])}")


def _keys(
    content: dict[str, Any], known: tuple[str, ...], path: Path, report: Report, tried: Path
) -> Iterator[Path]:
    """Places of the values among `tried`; reports keys that are unknown or missing."""
    for key in content:
        if key not in known:
            hint = near_or_all(key, known)
            report.add((*path, key), f"unknown key {shown(key)}{hint}", on_key=True)
    for key in known:
        if key not in content:
            report.missing((*path, key), f"all of {', '.join(known)}")
        elif key in tried:
            yield (*path, key)


def _try(
    base: Node,
    address: str,
    where: Path,
    report: Report,
    problems_of: Problems,
    usual: set[str],
) -> None:
    """Write one value at its address and see what the scenario says to it."""
    value, _ = report.tree.find(where)
    try:
        problems = problems_of(assign(base, steps(address), value))
    except LookupError as error:
        report.add(where, str(error.args[0]))
        return
    for problem in problems:
        if problem.path not in usual:
            elsewhere = "" if problem.path == address else f"{problem.path}: "
            report.add(where, f"{elsewhere}{problem.message}")
            return


def _check_design(sweep: Sweep, lengths: dict[str, int], report: Report) -> None:
    design = sweep.design or "grid"
    if design == "zip" and len(set(lengths.values())) > 1:
        counts = ", ".join(f"{address} has {count}" for address, count in lengths.items())
        report.add(("sweep", "design"), f"zip needs lists of one length; {counts}")
    samples = sweep.samples
    if design == "sobol" and samples is not None and samples & (samples - 1):
        below = 1 << (samples.bit_length() - 1)
        report.add(
            ("sweep", "samples"),
            f"sobol needs a power of two, such as {below} or {2 * below}, got {samples}",
        )
