"""Designs: a run is what it is alone, however a sweep is cut; samples follow their law."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from simulator import scenario, units
from simulator.errors import CommandError, ScenarioError
from simulator.sweep import grammar
from simulator.sweep.designs import MOST_RUNS, Design, design_of, factor_of
from simulator.sweep.distributions import quantiles
from simulator.sweep.plan import plan_of

SEED = 11
WEIGHT = {"lognormal": {"median": "70 kg", "gsd": 1.2}}
IGG = {"normal": {"mean": "10 g/L", "sd": "2 g/L", "min": "4 g/L", "max": "20 g/L"}}
AGE = {"triangular": {"from": "20 y", "mode": "60 y", "to": "90 y"}}
VOLUME = {"from": "0.5 PV", "to": "1.5 PV", "steps": 5}
DEVICES = ["spectra-optia", "amicus"]
ALL = {
    "patient.weight": WEIGHT,
    "solutes.igg.initial": IGG,
    "patient.age": AGE,
    "prescription.exchange": VOLUME,
    "machine.device": DEVICES,
}


def design(vary: dict[str, Any], kind: str = "grid", samples: int | None = None) -> Design:
    return design_of({"vary": vary, "design": kind, "samples": samples}, SEED)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)


# -- what a run is --------------------------------------------------------------------------------


def test_a_grid_crosses_and_a_zip_runs_in_parallel() -> None:
    vary = {"course.sessions": [1, 2], "prescription.exchange": ["0.8 PV", "1.0 PV"]}
    crossed, parallel = design(vary), design(vary, "zip")
    assert (crossed.size, parallel.size) == (4, 2)
    pairs = [tuple(crossed.overrides(run)) for run in range(4)]
    assert len(set(pairs)) == 4
    assert parallel.overrides(1) == ("course.sessions=2", "prescription.exchange=1.0 PV")


@pytest.mark.parametrize("kind", ["grid", "random", "lhs", "sobol"])
@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_a_sweep_is_the_same_however_it_is_cut(kind: str, chunk: int) -> None:
    made = design(ALL, kind, 64)
    whole, seeds = made.values(0, made.size), made.seeds(0, made.size)
    cuts = range(0, made.size, chunk)
    parts = [made.values(at, min(at + chunk, made.size)) for at in cuts]
    assert same({key: np.concatenate([part[key] for part in parts]) for key in whole}, whole)
    joined = np.concatenate([made.seeds(at, min(at + chunk, made.size)) for at in cuts])
    assert (joined == seeds).all()


def test_a_run_far_into_a_huge_sweep_is_found_at_once() -> None:
    made = design({"patient.weight": WEIGHT, "patient.age": AGE}, "lhs", MOST_RUNS)
    assert made.values(MOST_RUNS - 1, MOST_RUNS)["patient.weight"].shape == (1,)


@pytest.mark.parametrize("kind", ["grid", "random", "lhs", "sobol"])
def test_what_repeats_a_run_reads_back_to_the_very_same_numbers(kind: str) -> None:
    made = design(ALL, kind, 16)
    for run in range(0, made.size, 5):
        values = made.values(run, run + 1)
        for factor, override in zip(made.factors, made.overrides(run), strict=True):
            text = override.removeprefix(f"{factor.address}=")
            if factor.numeric:
                read = units.parse(text)
                assert read.value == values[factor.address][0]
                assert read.unit.text == factor.unit
            else:
                assert text == values[factor.address][0]


def test_arms_share_the_draws_and_the_luck_of_a_sample() -> None:
    made = design({"patient.weight": WEIGHT, "machine.device": DEVICES}, samples=32)
    assert (made.arms, made.size) == (2, 64)
    one, other = made.values(0, 32), made.values(32, 64)
    assert (one["patient.weight"] == other["patient.weight"]).all()
    assert (one["machine.device"] != other["machine.device"]).all()
    assert (made.seeds(0, 32) == made.seeds(32, 64)).all()
    assert len(set(made.seeds(0, 32).tolist())) == 32


def test_samples_of_a_sweep_without_distributions_are_replicates() -> None:
    made = design({"course.sessions": [1, 2]}, samples=3)
    assert made.values(0, 6)["course.sessions"].tolist() == [1, 1, 1, 2, 2, 2]
    assert made.seeds(0, 1)[0] == SEED  # the first is the scenario's own


def test_another_factor_does_not_move_the_draws_of_the_first() -> None:
    alone = design({"patient.weight": WEIGHT}, "random", 50).values(0, 50)
    beside = design({"patient.age": AGE, "patient.weight": WEIGHT}, "random", 50).values(0, 50)
    assert (alone["patient.weight"] == beside["patient.weight"]).all()
    assert np.unique(alone["patient.weight"]).size == 50


@pytest.mark.parametrize("kind", ["grid", "zip", "random", "lhs", "sobol"])
def test_a_design_survives_being_written_as_text(kind: str) -> None:
    vary = ALL if kind != "zip" else {"patient.weight": WEIGHT, "machine.device": DEVICES}
    made = design(vary, kind, 16)
    again = Design.from_data(json.loads(json.dumps(made.to_data())))
    assert same(again.values(0, made.size), made.values(0, made.size))


# -- laws of the samples --------------------------------------------------------------------------

LAWS = [
    (WEIGHT, stats.lognorm(np.log(1.2), scale=70)),
    ({"normal": {"mean": "10 g/L", "sd": "2 g/L"}}, stats.norm(10, 2)),
    (IGG, stats.truncnorm(-3, 5, 10, 2)),
    ({"lognormal": {"mean": "70 kg", "sd": "14 kg"}},
     stats.lognorm(np.sqrt(np.log(1.04)), scale=70 / np.sqrt(1.04))),
    ({"uniform": {"from": "2 h", "to": "5 h"}}, stats.uniform(2, 3)),
    ({"uniform": {"from": "2 h", "to": "5 h", "min": "4 h"}}, stats.uniform(4, 1)),
    (AGE, stats.triang(40 / 70, 20, 70)),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "law"), LAWS)
def test_quantiles_are_those_of_scipy(spec: dict[str, Any], law: Any) -> None:
    shares = np.linspace(0.001, 0.999, 499)
    factor = factor_of("any", spec)
    assert factor.at(shares) == pytest.approx(law.ppf(shares), rel=1e-9)


@pytest.mark.parametrize("kind", ["random", "lhs", "sobol"])
@pytest.mark.parametrize(("spec", "law"), LAWS)
def test_samples_follow_their_law(spec: dict[str, Any], law: Any, kind: str) -> None:
    drawn = design({"any": spec, "other": AGE}, kind, 4096).values(0, 4096)
    assert stats.kstest(drawn["any"], law.cdf).pvalue > 0.001
    assert abs(stats.spearmanr(drawn["any"], drawn["other"]).statistic) < 0.06


def test_a_cut_off_distribution_is_not_heaped_at_its_limits() -> None:
    cut = {"normal": {"mean": "10 g/L", "sd": "5 g/L", "min": "9 g/L", "max": "11 g/L"}}
    drawn = design({"any": cut}, "random", 5000).values(0, 5000)["any"]
    assert drawn.min() >= 9
    assert drawn.max() <= 11
    assert np.unique(drawn).size == 5000


@pytest.mark.parametrize("count", [1, 2, 3, 100, 257, 1024])
def test_a_latin_hypercube_has_one_sample_in_every_stratum(count: int) -> None:
    spec = {"uniform": {"from": 0, "to": 1}}
    drawn = design({"a": spec, "b": spec}, "lhs", count).values(0, count)
    for values in drawn.values():
        assert sorted((values * count).astype(int)) == list(range(count))
    assert count < 100 or (drawn["a"] != drawn["b"]).all()


def test_a_sobol_design_is_the_sequence_of_scipy() -> None:
    spec = {"uniform": {"from": 0, "to": 1}}
    drawn = design({"a": spec, "b": spec, "c": spec}, "sobol", 256).values(0, 256)
    expected = qmc.Sobol(3, scramble=True, rng=SEED).random(256)
    assert np.stack(list(drawn.values()), axis=1) == pytest.approx(expected, abs=0)


def test_lists_and_ranges_are_drawn_evenly_where_everything_is_drawn() -> None:
    drawn = design({"d": ["a", "b", "c"], "r": VOLUME}, "lhs", 3000).values(0, 3000)
    assert [int((drawn["d"] == each).sum()) for each in "abc"] == [1000, 1000, 1000]
    assert stats.kstest(drawn["r"], stats.uniform(0.5, 1).cdf).pvalue > 0.001


def test_the_limits_of_a_distribution_are_its_outermost_values() -> None:
    p = {"mean": 10.0, "sd": 2.0, "min": 4.0, "max": 20.0}
    ends = quantiles("normal", p, np.array([2.0**-53, 1 - 2.0**-53]))
    assert ends == pytest.approx([4, 20], rel=1e-6)


# -- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("patient.weight=50 kg..110 kg/7", {"from": "50 kg", "to": "110 kg", "steps": 7}),
        ("prescription.exchange=0.8 PV,1.0 PV", ["0.8 PV", "1.0 PV"]),
        ("course.sessions=1, 2", [1, 2]),
        ("title=no, 1:30", ["no", "1:30"]),  # nothing is a truth value or a count of seconds
        ("a=normal(10 g/L, 2 g/L)", {"normal": {"mean": "10 g/L", "sd": "2 g/L"}}),
        ("a=normal(10 g/L, 2 g/L, min=4 g/L)",
         {"normal": {"mean": "10 g/L", "sd": "2 g/L", "min": "4 g/L"}}),
        ("a=lognormal(70 kg, 1.2)", {"lognormal": {"median": "70 kg", "gsd": "1.2"}}),
        ("a=lognormal(70 kg, 9 kg)", {"lognormal": {"mean": "70 kg", "sd": "9 kg"}}),
        ("a=uniform(1 h, 2 h)", {"uniform": {"from": "1 h", "to": "2 h"}}),
        ("a=triangular(1, 2, 4)", {"triangular": {"from": "1", "mode": "2", "to": "4"}}),
        ("r=[{fluid: saline, share: 100 %}], []", [[{"fluid": "saline", "share": "100 %"}], []]),
    ],
)  # fmt: skip
def test_the_command_line_says_what_a_block_says(text: str, spec: Any) -> None:
    assert grammar.parse(text)[1] == spec


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a=[1, 2", "--vary a: "),
        ("a=&x [1]", "anchors"),
        ("patient.weight", "expected PATH=SPEC, such as"),
        ("patient.weight=normel(70 kg, 9 kg)", "did you mean 'normal'"),
        ("patient.weight=normal(70 kg)", r"expected normal\(mean, sd\), got 1 value"),
        ("patient.weight=normal(70 kg, 9 cm)", "--vary patient.weight: normal: "),
        ("patient.weight=normal(70 kg, 0 kg)", "an sd above 0"),
        ("patient.weight=normal(70 kg, 9 kg, mean=3 kg, mox=3 kg)", "mox"),
        ("patient.weight=lognormal(70 kg, 0.9)", "a gsd above 1"),
        ("patient.weight=uniform(70 kg, 60 kg)", "expected from below to"),
        ("patient.weight=triangular(1 kg, 9 kg, 3 kg)", "the mode between"),
        ("patient.weight=normal(70 kg, 9 kg, min=90 kg, max=80 kg)", "min below max"),
        ("patient.weight=50 kg..110 cm/7", "--vary patient.weight: "),
        ("patient.weight=50 kg..110 kg/1", "at least 2 steps"),
    ],
)
def test_what_cannot_be_varied_so_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        factor_of(*grammar.parse(text))


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        (["patient.wieght=60 kg"], "did you mean 'weight'"),
        (["machine.device=spectra-optia,amikus"], "did you mean 'amicus'"),
        (
            ["patient.weight=60 kg..900 kg/3"],
            "--vary: patient.weight: expected between 0.5 kg and 500 kg",
        ),
        (["patient.weight=normal(70 cm, 9 cm)"], "expected a mass"),
    ],
)
def test_a_value_that_the_scenario_refuses_stops_the_sweep_before_it_starts(
    vary: list[str], words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        plan_of("weight-and-dose", vary=vary)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"vary": {"a": [1, 2]}, "design": "sobol", "samples": 100}, "a power of two, such as 64"),
        ({"vary": {"a": [1, 2], "b": [1, 2, 3]}, "design": "zip"}, "a has 2, b has 3"),
        ({"vary": {"a": [1, 2]}, "samples": 60_000_000}, "120,000,000 runs are more than"),
        ({}, "nothing is varied"),
    ],
)
def test_a_design_that_cannot_be_is_told_in_words(block: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        design_of(block, SEED)


def test_a_design_is_told_in_words_with_the_number_of_its_runs() -> None:
    vary = {"patient.weight": {"from": "50 kg", "to": "110 kg", "steps": 7},
            "prescription.exchange": ["0.8 PV", "1.0 PV", "1.5 PV"]}  # fmt: skip
    assert design(vary).in_words() == [
        "patient.weight: 7 values from 50 to 110 kg",
        "prescription.exchange: 0.8, 1, 1.5 PV",
        "grid: 21 arms = 21 runs",
    ]


def test_a_block_may_cut_a_distribution_off() -> None:
    base = scenario.load("weight-and-dose").document
    text = json.dumps({**base, "sweep": {"vary": {"solutes.igg.initial": IGG}, "samples": 8}})
    assert scenario.loads(text).document["sweep"]["vary"]["solutes.igg.initial"] == IGG
    wrong = {"normal": {**IGG["normal"], "min": "4 cm"}}
    with pytest.raises(ScenarioError, match=r"normal\.min"):
        scenario.loads(json.dumps({**base, "sweep": {"vary": {"solutes.igg.initial": wrong}}}))
