"""Plans of sweeps and the columns of their rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import CommandError
from simulator.result import Result
from simulator.sweep import plain
from simulator.sweep.plan import SWEEP_TOLERANCE, Plan, plan_of

SCENARIO = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {antibody: {like: igg1, initial: 100 U/mL}}
course: {sessions: 0}
simulation: {until: 2 d, output_interval: 12 h}
sweep:
  vary: {"solutes.antibody.initial": [50 U/mL, 100 U/mL]}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    return file


def test_a_plan_survives_being_written_as_json(scenario: Path) -> None:
    plan = plan_of(scenario, below=["antibody=60 U/mL"])
    again = Plan.from_data(json.loads(json.dumps(plan.to_data())))
    assert again.to_data() == plan.to_data()
    assert again.fingerprint == plan.fingerprint
    assert plan.tolerance == SWEEP_TOLERANCE


def test_a_fingerprint_changes_with_what_changes_the_table(scenario: Path) -> None:
    plan = plan_of(scenario)
    for change in ({"below": {"antibody": "60 U/mL"}}, {"tolerance": 1e-7}, {"curves": True}):
        assert dataclasses.replace(plan, **change).fingerprint != plan.fingerprint
    assert dataclasses.replace(plan, engine="plain").fingerprint == plan.fingerprint


def test_days_below_are_counted_from_the_level_that_was_asked_for(scenario: Path) -> None:
    rows = plain.rows(plan_of(scenario, below=["antibody=75 U/mL"]), 0, 2)
    assert rows.status == ["done", "done"]
    assert rows.outcomes["antibody_days_below_d"] == pytest.approx([2, 0])
    assert np.isnan(rows.outcomes["ionized_calcium_nadir_mmol_per_L"]).all()  # no session


def test_a_threshold_of_a_solute_that_is_not_followed_is_told(scenario: Path) -> None:
    with pytest.raises(CommandError, match="does not follow"):
        plan_of(scenario, below=["igm=1 g/L"])


def test_a_run_that_fails_in_any_way_is_a_row_and_the_others_go_on(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = plain.result_of

    def sometimes(plan: Plan, number: int) -> Result:
        if number == 0:
            raise ZeroDivisionError("of\nall things")
        return run(plan, number)

    monkeypatch.setattr(plain, "result_of", sometimes)
    rows = plain.rows(plan_of(scenario), 0, 2)
    assert rows.status == ["failed", "done"]
    assert rows.error == ["internal error, please report: ZeroDivisionError: of all things", ""]
