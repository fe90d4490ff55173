"""The benchmark problem against its golden values, and what is timed against what is true."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.integrate import solve_ivp


@pytest.fixture(scope="module")
def bench(project: Path) -> Iterator[tuple[ModuleType, ModuleType]]:
    folder = str(project / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("pex28"), importlib.import_module("engines")
    sys.path.remove(folder)


def test_the_golden_values_come_out(bench: tuple[ModuleType, ModuleType]) -> None:
    problem, _ = bench
    p = problem.defaults()
    y, time, seen = np.array(problem.at_rest(p)), 0.0, 0
    for minutes, per_liter in problem.segments():
        rates = problem.make({**p, **problem.flows_of(per_liter, p["qs"])}, y.tolist())
        y = solve_ivp(
            lambda _, state, f=rates: f(state.tolist()), (0.0, minutes), y,
            method="Radau", rtol=1e-10, atol=1e-13,
        ).y[:, -1]  # fmt: skip
        time += minutes
        for hours, values in problem.GOLDEN.items():
            if abs(time - 60 * hours) < 1e-3:
                seen += 1
                for name, value in values.items():
                    assert y[problem.NAMES.index(name)] == pytest.approx(value, rel=1e-8), name
    assert seen == len(problem.GOLDEN)


def test_the_engines_that_are_timed_solve_it(
    bench: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    problem, engines = bench
    people = engines.population(2)
    end = problem.GOLDEN[672.0]
    places = [problem.NAMES.index(name) for name in end]
    runs = {
        "interpreted": engines.interpreted(people, 1e-7),
        "LSODA": engines.by_scipy(people, "LSODA", 1e-7, 1e-10),
        "C": engines.by_c(people, 1e-6, tmp_path),
    }
    for name, run in runs.items():
        if run is None:
            continue  # no compiler on this machine
        final = run(2)[0]
        assert final[places] == pytest.approx(list(end.values()), rel=1e-5), name
