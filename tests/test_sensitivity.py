"""Sensitivity indices are those of textbooks, and a study says in words what they mean."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from simulator import scenario
from simulator.cli import cli
from simulator.errors import CommandError, SimulatorError
from simulator.simulation import simulate
from simulator.sweep import indices as found_by
from simulator.sweep import sensitivity, study
from simulator.sweep.indices import METHODS, Index
from simulator.sweep.sensitivity import Study, in_words

Numbers = NDArray[np.float64]


def ishigami(unit: Numbers) -> Numbers:
    """Ishigami's function, a = 7, b = 0.1, over [−π, π]³."""
    x, y, z = (2 * np.pi * unit - np.pi).T
    return np.asarray(np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))


def analytic_indices_of_ishigami() -> tuple[list[float], list[float]]:
    """First and total indices, from its variances in closed form."""
    a, b, pi = 7.0, 0.1, np.pi
    alone = [(1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8, 0.0]
    joint = 8 * b**2 * pi**8 / 225
    variance = sum(alone) + joint
    totals = [alone[0] + joint, alone[1], joint]
    return [v / variance for v in alone], [v / variance for v in totals]


def study_of(method: str, *found: Index) -> Study:
    names = tuple("" for _ in found)
    values = np.linspace(10.0, 30.0, 101)
    return Study("T", "left igg @ 14 d", "%", method, found, names, values, seed=1)


# -- indices ---------------------------------------------------------------------------------------


def test_sobol_indices_of_ishigami_are_the_analytic_ones() -> None:
    points = found_by.points("sobol", 3, 4096, seed=1)
    found = found_by.indices("sobol", ["x", "y", "z"], points, ishigami(points), seed=1)
    first, total = analytic_indices_of_ishigami()
    assert [each.first for each in found] == pytest.approx(first, abs=0.02)
    assert [each.total for each in found] == pytest.approx(total, abs=0.02)


def test_intervals_of_sobol_indices_hold_the_analytic_ones() -> None:
    inside = []
    first, total = analytic_indices_of_ishigami()
    for seed in range(10):
        points = found_by.points("sobol", 3, 256, seed=seed)
        found = found_by.indices("sobol", ["x", "y", "z"], points, ishigami(points), seed=seed)
        inside += [
            abs(e.first - s) <= e.first_half_width for e, s in zip(found, first, strict=True)
        ]
        inside += [
            abs(e.total - s) <= (e.total_half_width or 0) for e, s in zip(found, total, strict=True)
        ]
    # of 60 intervals of 95 %; quasi-random points are better than the bootstrap believes
    assert sum(inside) >= 54


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_outcome_has_the_indices_of_its_coefficients(method: str) -> None:
    coefficients = np.array([3.0, -2.0, 1.0, 0.0])
    points = found_by.points(method, 4, 1024 if method == "sobol" else 10, seed=3)
    found = found_by.indices(method, list("abcd"), points, points @ coefficients, seed=3)
    if method == "sobol":
        shares = coefficients**2 / (coefficients**2).sum()
        assert [each.first for each in found] == pytest.approx(list(shares), abs=0.02)
        assert [each.total for each in found] == pytest.approx(list(shares), abs=0.02)
    else:
        assert [each.first for each in found] == pytest.approx([3, 2, 1, 0], abs=1e-9)
        assert [each.mean for each in found] == pytest.approx([3, -2, 1, 0], abs=1e-9)
        assert [each.total for each in found] == pytest.approx([0, 0, 0, 0], abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_indices_to_the_last_digit(method: str, seed: int) -> None:
    def once() -> tuple[Index, ...]:
        points = found_by.points(method, 3, 16, seed)
        return found_by.indices(method, ["x", "y", "z"], points, ishigami(points), seed)

    assert once() == once()


@pytest.mark.parametrize("method", METHODS)
def test_as_many_points_are_asked_for_as_are_said(method: str) -> None:
    points = found_by.points(method, 5, 8, seed=1)
    assert points.shape == (found_by.rows_needed(method, 5, 8), 5)
    assert points.min() >= 0
    assert points.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_what_never_changes_depends_on_nothing(method: str) -> None:
    points = found_by.points(method, 2, 8, seed=1)
    found = found_by.indices(method, ["a", "b"], points, np.full(len(points), 5.0), seed=1)
    assert [(each.first, each.total) for each in found] == [(0, 0), (0, 0)]
    assert in_words(study_of(method, *found)) == ["left igg @ 14 d is the same in all 101 runs."]


def test_samples_of_sobol_are_a_power_of_two() -> None:
    with pytest.raises(CommandError, match=r"--samples 100: .* expected 64 or 128"):
        found_by.points("sobol", 2, 100, seed=1)


def test_an_outcome_that_is_missing_is_not_overlooked() -> None:
    points = found_by.points("sobol", 2, 8, seed=1)
    values = ishigami(np.column_stack([points, points[:, 0]]))
    values[3] = np.nan
    with pytest.raises(ValueError, match="at every point"):
        found_by.indices("sobol", ["a", "b"], points, values, seed=1)


# -- in words --------------------------------------------------------------------------------------


def test_shares_of_the_variance_are_told_in_words() -> None:
    study = study_of(
        "sobol",
        Index("patient.weight", 0.01, 0.02, 0.02, 0.01),
        Index("solutes.antibody.half_life", 0.66, 0.05, 0.68, 0.06),
        Index("prescription.exchange", 0.28, 0.04, 0.30, 0.04),
    )
    said = in_words(study)
    assert said[0] == (
        "Over 101 runs, left igg @ 14 d lies around 20 %, nine of ten from 11 to 29 %."
    )
    assert said[1] == (
        "The half life of antibody explains two thirds of the variance of left igg @ 14 d alone: "
        "66 % ± 5."
    )
    assert said[2] == "Then exchange 28 % ± 4."
    assert said[3] == "Hardly any share, even together with others: weight 2 % ± 1."
    assert len(said) == 4


def test_inputs_that_act_together_and_wide_intervals_are_told() -> None:
    study = study_of(
        "sobol", Index("patient.weight", 0.3, 0.12, 0.7, 0.2), Index("x.y", 0.3, 0.05, 0.7, 0.1)
    )
    said = " ".join(in_words(study))
    assert "About 40 % of the variance comes from inputs acting together." in said
    assert "as wide as ± 20 %" in said


def test_effects_are_told_with_their_direction() -> None:
    study = study_of(
        "morris",
        Index("patient.weight", 0.2, 0.1, 0.1, None, 0.2),
        Index("solutes.antibody.half_life", 12.0, 1.5, 3.0, None, -12.0),
        Index("prescription.exchange", 6.0, 1.0, 8.0, None, 1.0),
    )
    said = in_words(study)
    assert said[1] == (
        "The half life of antibody matters most: from one end of its range to the other it moves "
        "left igg @ 14 d down by 12 % on average (± 1.5)."
    )
    assert said[2] == "Then exchange up or down by 6 %."
    assert said[3] == "Less than a tenth of that: weight."
    assert re.search(r"σ above µ\*\): exchange\.$", said[4])


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "practically all"), (2 / 3, "two thirds"), (0.5, "half"), (1 / 3, "a third"),
     (0.25, "a quarter"), (0.9, "nine tenths"), (0.75, "three quarters"), (0.01, "little")],
)  # fmt: skip
def test_a_share_has_words(share: float, words: str) -> None:
    assert sensitivity._fraction(share) == words


# -- inputs ----------------------------------------------------------------------------------------


def test_an_endless_distribution_is_cut_where_a_method_asks_for_its_ends() -> None:
    (one,) = study.inputs_of("what-matters", (), ["patient.weight=normal(70 kg, 10 kg)"])
    assert study.range_of(one) == "53.55 to 86.45 kg"
    (bounded,) = study.inputs_of("what-matters", (), ["patient.weight=50 kg..110 kg"])
    assert study.range_of(bounded) == "50 to 110 kg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient.weight", "expected PATH=SPEC"),
        ("patient.weight=normel(70 kg, 2 kg)", "did you mean 'normal'"),
        ("patient.weight=normal(70 kg, 0 kg)", "expected an sd above 0"),
        ("patient.weight=90 kg..50 cm", "--over patient.weight: "),
    ],
)
def test_an_input_that_cannot_be_says_why(text: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        study.inputs_of("what-matters", (), [text])
    assert message in str(caught.value)
    assert str(caught.value).startswith("--over patient.weight")


# -- a study ---------------------------------------------------------------------------------------

DRUG = """
format: 1
title: A drug that is given once
patient: {sex: male, weight: 68 kg, height: 165 cm, hematocrit: 39 %, fluid_shift: none}
solutes:
  drug:
    unit: mg/L
    initial: 100 mg/L
    intravascular_fraction: 100 %
    transcapillary_escape: 0 %/h
    fractional_catabolic_rate: 10 %/d
    synthesis: 0 %
course: {sessions: 0}
simulation: {until: 2 d, seed: 5}
"""


@pytest.fixture
def drug(tmp_path: Path) -> Path:
    file = tmp_path / "drug.yaml"
    file.write_text(DRUG, encoding="utf-8")
    return file


OVER = ("solutes.drug.initial=50 mg/L..150 mg/L", "patient.hematocrit=35 %..45 %")


def test_a_level_that_only_decays_depends_on_where_it_began(drug: Path) -> None:
    found = study.study(drug, study.inputs_of(drug, (), OVER), "final drug", "morris", 4, jobs=1)
    began, hematocrit = found.indices
    # linear: from one end of 50 to 150 mg/L to the other, times what two days leave
    assert began.first == pytest.approx(100 * np.exp(-0.2), rel=1e-4)
    assert began.total == pytest.approx(0, abs=1e-3)
    assert hematocrit.first == pytest.approx(0, abs=1e-6)
    assert found.unit == "mg/L"
    shares = study.study(drug, study.inputs_of(drug, (), OVER), "final drug", "sobol", 16, jobs=1)
    assert shares.indices[0].total == pytest.approx(1, abs=0.1)
    assert shares.indices[1].total == pytest.approx(0, abs=1e-6)
    assert len(shares.values) == 16 * 4


def test_a_run_that_fails_ends_the_study_and_its_inputs_are_named(drug: Path) -> None:
    # half of the hematocrits are above what the format takes
    over = ("solutes.drug.initial=50 mg/L..150 mg/L", "patient.hematocrit=30 %..90 %")
    with pytest.raises(SimulatorError) as caught:
        study.study(drug, study.inputs_of(drug, (), over), "final drug", "morris", 4, jobs=1)
    message = str(caught.value)
    assert "patient.hematocrit=" in message
    assert "solutes.drug.initial=" in message
    assert "needs every run" in message or "need every run" in message
    assert caught.value.exit_code == 1


def test_inputs_come_from_the_sweep_block_unless_they_are_named(drug: Path) -> None:
    named = [each.address for each in study.inputs_of("what-matters", (), ())]
    assert "solutes.antibody.half_life" in named
    assert len(study.inputs_of("what-matters", (), OVER[:1])) == 1
    with pytest.raises(CommandError, match="nothing to vary"):
        study.inputs_of(drug, (), ())
    with pytest.raises(CommandError, match="named twice"):
        study.inputs_of(drug, (), [OVER[0], OVER[0]])


def test_the_antibody_at_the_end_is_looked_at_if_nothing_is_asked_for(drug: Path) -> None:
    loaded = scenario.load("what-matters")
    assert study.usual_outcome(loaded) == "antibody_final_U_per_mL"
    # which is two weeks after the last session
    assert loaded.until == simulate(loaded).sessions[-1].start + 14 * 1440
    assert study.usual_outcome(scenario.load(drug)) == "drug_final_mg_per_L"
    found = study.study(drug, study.inputs_of(drug, (), OVER), None, "morris", 2, jobs=1)
    assert (found.outcome, found.unit) == ("drug at the end", "mg/L")


# -- the command -----------------------------------------------------------------------------------


def called(*words: str) -> Any:
    return CliRunner().invoke(cli, ["sensitivity", *words])


def words_for(drug: Path, out: Path) -> list[str]:
    over = [word for spec in OVER for word in ("--over", spec)]
    return [str(drug), *over, "--outcome", "final drug", "--jobs", "1", "--out", str(out)]


def test_the_command_prints_a_table_and_sentences_and_writes_a_folder(
    drug: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = called(*words_for(drug, out), "--samples", "8")
    assert done.exit_code == 0, done.output
    assert "2 inputs, 32 runs, for final drug" in done.stderr
    assert "The initial of drug explains" in done.stdout
    assert "solutes.drug.initial" in done.stdout
    assert {path.name for path in out.iterdir()} == {"sensitivity.json", "sensitivity.png"}
    again = called(*words_for(drug, out), "--samples", "8", "--no-plots")
    assert again.exit_code == 0
    assert {path.name for path in out.iterdir()} == {"sensitivity.json"}


def test_json_is_alone_on_stdout_and_the_same_for_any_number_of_processes(
    drug: Path, tmp_path: Path
) -> None:
    words = [*words_for(drug, tmp_path / "out"), "--method", "morris", "--trajectories", "2"]
    one = called(*words, "--json", "--no-plots").stdout
    two = called(*words, "--json", "--no-plots", "--jobs", "2").stdout
    assert one == two
    data = json.loads(one)
    assert data["runs"] == 6
    assert [each["path"] for each in data["inputs"]] == [s.partition("=")[0] for s in OVER]


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--samples", "100"], "a power of two|powers of two", 2),
        (["--trajectories", "4"], "no meaning with --method sobol", 2),
        (["--method", "morris", "--samples", "4"], "no meaning with --method morris", 2),
        (["--outcome", "finel drug"], "did you mean 'final'", 2),
        (["--over", "patient.wieght=5 kg..6 kg"], "--over: patient.wieght: .* mean 'weight'", 3),
        (["--over", "patient.weight=50 cm..60 cm"], "patient.weight", 3),
    ],
)
def test_a_wrong_command_line_is_a_message(
    drug: Path, tmp_path: Path, words: list[str], message: str, code: int
) -> None:
    done = called(*words_for(drug, tmp_path / "out"), *words)
    assert isinstance(done.exception, SimulatorError)
    assert done.exception.exit_code == code
    assert re.search(message, str(done.exception))
    assert not (tmp_path / "out").exists()


def test_nothing_foreign_is_replaced(drug: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = called(*words_for(drug, tmp_path))
    assert isinstance(done.exception, CommandError)
    assert "thesis.txt" in str(done.exception) or "drug.yaml" in str(done.exception)
