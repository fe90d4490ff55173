"""What EVENTS.md says: solvers step over a session that is a condition on time; we cannot.

The table itself is measured by benchmarks/skipped_sessions.py.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from simulator import scenario as scenarios
from simulator.boundary import Exchange
from simulator.catalog import fluid
from simulator.ledger import Ledger
from simulator.patient.patient import Patient
from simulator.simulation import simulate

SESSIONS = 5


@pytest.fixture(scope="module")
def bench(project: Path) -> ModuleType:
    place = project / "benchmarks" / "skipped_sessions.py"
    spec = importlib.util.spec_from_file_location("skipped_sessions", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["skipped_sessions"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA", "BDF", "Radau"])
def test_from_rest_every_solver_skips_every_conditional_session(
    bench: ModuleType, method: str, tolerance: float
) -> None:
    levels = bench.by_condition(method, tolerance, bench.AT_REST)
    assert bench.skipped(levels) == SESSIONS
    assert min(levels) > 0.999 * bench.LEVEL
    assert bench.skipped(bench.exact(bench.AT_REST)) == 0


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA", "BDF", "Radau"])
def test_the_same_solvers_are_right_when_told_of_the_changes(
    bench: ModuleType, method: str
) -> None:
    levels = bench.by_stretches(method, 1e-9, bench.AT_REST)
    assert levels == pytest.approx(bench.exact(bench.AT_REST), rel=1e-6)


def test_a_tighter_tolerance_is_no_remedy(bench: ModuleType) -> None:
    """Which tolerance leaves how many out depends on the rounding of the processor."""
    loose = bench.skipped(bench.by_condition("DOP853", 1e-3, bench.NOT_AT_REST))
    tight = [
        bench.skipped(bench.by_condition("DOP853", tolerance, bench.NOT_AT_REST))
        for tolerance in (1e-6, 1e-7, 1e-8, 1e-9)
    ]
    assert loose > 0
    assert max(tight) > 0


def test_another_engine_skips_conditions_and_sees_events(bench: ModuleType) -> None:
    pytest.importorskip("roadrunner", reason="libroadrunner has no wheel for this machine")
    pytest.importorskip("antimony", reason="the extra sbml is not installed")
    end = (bench.END,)
    assert bench.by_road_runner(1e-9, bench.AT_REST, end, events=False) == pytest.approx(
        [bench.LEVEL]
    )
    assert bench.by_road_runner(1e-9, bench.AT_REST, events=True) == pytest.approx(
        bench.exact(bench.AT_REST), rel=1e-6
    )


def test_here_a_session_after_a_month_at_rest_is_not_skipped() -> None:
    """A month in which nothing moves lets the steps grow as long as they can."""
    scenario = scenarios.load("closed-form", ("course.at=[30 d]", "simulation.until=60 d"))
    (session,) = simulate(scenario).sessions
    tracer = session.solutes["tracer"]
    assert tracer.pre == pytest.approx(100, rel=1e-9)
    assert tracer.post is not None
    assert tracer.post < 30


@pytest.mark.parametrize("interval", [1.0, 60.0, 1e6])
def test_here_the_output_interval_changes_no_bit(interval: float) -> None:
    usual = scenarios.load("stiff-person-acute")
    other = replace(usual, output_interval=interval, session_output_interval=interval)
    one, two = simulate(usual), simulate(other)
    assert len(one.rows) != len(two.rows)
    assert two.sessions == one.sessions
    assert two.solutes == one.solutes


@pytest.mark.parametrize("longest", [0.01, 1.0, 1e5])
def test_here_a_session_is_the_closed_form_whatever_the_first_step(longest: float) -> None:
    """An exchange at constant volume leaves exp(-x) of a tracer, however the steps are taken."""
    scenario = scenarios.load("closed-form")
    patient = Patient(scenario.patient, scenario.solutes, Ledger())
    volume, flow = patient.state[0], 40.0
    patient.advance(30 * 1440.0)
    patient._next_step = longest  # what the integrator tries first
    patient.connect()
    exchange = Exchange(plasma_to_circuit=flow, given=((fluid("albumin-5"), flow),))
    begin = patient.concentration("tracer")
    patient.advance(patient.time + 1.5 * volume / flow, exchange)
    assert patient.concentration("tracer") / begin == pytest.approx(math.exp(-1.5), rel=1e-7)
