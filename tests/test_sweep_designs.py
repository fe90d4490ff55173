"""Designs: any run of any design alone, draws that follow their laws, and text that reads back."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from simulator import units
from simulator.errors import CommandError
from simulator.sweep import grammar, population
from simulator.sweep.designs import Design, design_of
from simulator.sweep.plan import plan_of

VARY = {
    "patient.weight": {"from": "50 kg", "to": "110 kg", "steps": 7},
    "prescription.exchange": ["0.8 PV", "1.0 PV", "1500 mL"],
    "machine.device": ["spectra-optia", "amicus"],
    "solutes.igg.initial": {"normal": {"mean": "10 g/L", "sd": "2 g/L"}},
}


def design(kind: str = "grid", samples: int | None = None, **vary: object) -> Design:
    return design_of({"vary": vary or VARY, "design": kind, "samples": samples}, seed=3)


@pytest.mark.parametrize("kind", ["grid", "random", "lhs", "sobol"])
def test_a_slice_is_the_same_however_the_sweep_is_cut(kind: str) -> None:
    whole = design(kind, 16)
    everything = whole.values(0, whole.size)
    for cuts in ([0, 1, whole.size], [0, 5, 6, 11, whole.size]):
        for address, column in everything.items():
            parts = [whole.values(a, b)[address] for a, b in pairwise(cuts)]
            assert (np.concatenate(parts) == column).all()


def test_a_grid_crosses_lists_and_ranges_and_draws_alike_for_every_arm() -> None:
    made = design("grid", 5)
    assert (made.arms, made.size) == (7 * 3 * 2, 7 * 3 * 2 * 5)
    levels = made.values(0, made.size)["solutes.igg.initial"].reshape(made.arms, 5)
    assert (levels == levels[0]).all(), "arms do not share their draws"
    assert len(np.unique(levels[0])) == 5
    seeds = made.seeds(0, made.size).reshape(made.arms, 5)
    assert (seeds == seeds[0]).all(), "arms do not share their luck"
    assert len(np.unique(seeds[0])) == 5


def test_the_first_sample_has_the_seed_of_the_scenario() -> None:
    assert design("grid", 4).seeds(0, 1)[0] == 3


def test_a_zip_takes_lists_in_parallel() -> None:
    made = design("zip", a=["1 kg", "2 kg"], b=["x", "y"])
    assert [made.overrides(k) for k in range(made.size)] == [
        ("a=1.0 kg", "b=x"), ("a=2.0 kg", "b=y"),
    ]  # fmt: skip
    with pytest.raises(CommandError, match="a has 2, b has 1"):
        design("zip", a=["1 kg", "2 kg"], b=["x"])


def test_a_latin_hypercube_has_one_draw_in_every_stratum() -> None:
    made = design("lhs", 1000, x={"uniform": {"from": "0 kg", "to": "1 kg"}})
    strata = np.sort(np.floor(1000 * made.values(0, 1000)["x"]))
    assert (strata == np.arange(1000)).all()


@pytest.mark.parametrize("kind", ["random", "lhs", "sobol"])
@pytest.mark.parametrize(
    ("spec", "law"),
    [
        ({"normal": {"mean": "10 kg", "sd": "2 kg"}}, stats.norm(10, 2)),
        ({"lognormal": {"median": "10 kg", "gsd": 1.5}}, stats.lognorm(np.log(1.5), scale=10)),
        ({"uniform": {"from": "2 kg", "to": "5 kg"}}, stats.uniform(2, 3)),
        ({"triangular": {"from": "2 kg", "mode": "3 kg", "to": "6 kg"}},
         stats.triang(0.25, 2, 4)),
        ({"normal": {"mean": "10 kg", "sd": "2 kg", "min": "9 kg", "max": "13 kg"}},
         stats.truncnorm(-0.5, 1.5, 10, 2)),
    ],
)  # fmt: skip
def test_draws_follow_their_law(kind: str, spec: object, law: object) -> None:
    drawn = design(kind, 4096, x=spec).values(0, 4096)["x"]
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3  # type: ignore[attr-defined]
    shifted = law.cdf  # type: ignore[attr-defined]
    assert stats.kstest(drawn + 0.3, shifted).pvalue < 1e-3, "the comparison sees nothing"


def test_a_lognormal_by_mean_and_sd_has_them() -> None:
    drawn = design("sobol", 1 << 14, x={"lognormal": {"mean": "10 kg", "sd": "3 kg"}})
    values = drawn.values(0, 1 << 14)["x"]
    assert np.mean(values) == pytest.approx(10, rel=2e-3)
    assert np.std(values) == pytest.approx(3, rel=1e-2)


@pytest.mark.parametrize("run", [0, 17, 209])
def test_what_repeats_a_run_reads_back_to_the_same_numbers(run: int) -> None:
    made = design("grid", 5)
    values = made.values(run, run + 1)
    for text in made.overrides(run):
        address, _, value = text.partition("=")
        factor = next(f for f in made.factors if f.address == address)
        if factor.numeric:
            assert units.parse(value).value == values[address][0]
        else:
            assert value == values[address][0]


def test_a_design_survives_being_written_down() -> None:
    made = design("lhs", 8)
    assert Design.from_data(json.loads(json.dumps(made.to_data()))) == made


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a.b=50 kg..110 kg/7", {"from": "50 kg", "to": "110 kg", "steps": 7}),
        ("a.b=0.8 PV,1.0 PV", ["0.8 PV", "1.0 PV"]),
        ("a=normal(10 g/L, 2 g/L)", {"normal": {"mean": "10 g/L", "sd": "2 g/L"}}),
        ("a=lognormal(70 kg, 1.2)", {"lognormal": {"median": "70 kg", "gsd": "1.2"}}),
        ("a=lognormal(70 kg, 9 kg)", {"lognormal": {"mean": "70 kg", "sd": "9 kg"}}),
        ("a=uniform(1 d, 2 d, max=1.5 d)",
         {"uniform": {"from": "1 d", "to": "2 d", "max": "1.5 d"}}),
        ("a=[1, 2],[3]", [[1, 2], [3]]),
        ("a={x: 1}", [{"x": 1}]),
    ],
)  # fmt: skip
def test_the_command_line_says_what_a_block_says(text: str, spec: object) -> None:
    assert grammar.parse(text)[1] == spec


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weight", "expected PATH=SPEC"),
        ("a=norml(1 kg, 2 kg)", "did you mean 'normal'"),
        ("a=normal(1 kg)", "expected normal(mean, sd), got 1 values"),
    ],
)
def test_a_wrong_specification_is_told(text: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        grammar.parse(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"normal": {"mean": "1 kg", "sd": "2 L"}}, "expected a mass"),
        ({"lognormal": {"median": "1 kg", "gsd": 0.9}}, "a gsd above 1"),
        ({"uniform": {"from": "2 kg", "to": "1 kg"}}, "from below to"),
        ({"normal": {"mean": "1 kg", "sd": "1 kg", "min": "3 kg", "max": "2 kg"}}, "min below"),
        ([], "at least one value"),
    ],
)
def test_an_impossible_specification_is_told_with_its_address(spec: object, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        design("random", 4, x=spec)
    assert words in str(caught.value)
    assert "--vary x" in str(caught.value)


def test_a_sobol_design_needs_a_power_of_two() -> None:
    with pytest.raises(CommandError, match="64 or 128, got 100"):
        design("sobol", 100)


def test_a_sweep_of_too_many_runs_is_refused_before_it_is_counted_out() -> None:
    with pytest.raises(CommandError, match="more than 100,000,000"):
        design("grid", 10_000_000)


SCENARIO = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {fibrinogen: {}, antibody: {like: igg1, initial: 100 U/mL}}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
sweep: {population: adults, design: lhs, samples: 2048}
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    file = tmp_path_factory.mktemp("population") / "people.yaml"
    file.write_text(SCENARIO)
    return plan_of(file).design.values(0, 2048)


def test_a_population_has_sizes_by_sex(people: dict[str, np.ndarray]) -> None:
    women = people["patient.sex"] == "female"
    assert women.mean() == pytest.approx(0.5, abs=0.01)
    assert people["patient.height"][women].mean() == pytest.approx(162, abs=1)
    assert people["patient.height"][~women].mean() == pytest.approx(176, abs=1)
    assert np.median(people["patient.weight"][~women]) == pytest.approx(85, rel=0.03)


def test_what_goes_together_in_a_population_does(people: dict[str, np.ndarray]) -> None:
    women = people["patient.sex"] == "female"
    said = population.written("adults")["correlations"]
    for pair, fact in said.items():
        one, other = pair.split()
        if one in people and other in people:
            r = units.parse(str(fact["value"])).canonical
            expected = 6 / np.pi * np.arcsin(r / 2)  # Spearman's of a Gaussian copula
            found = stats.spearmanr(people[one][women], people[other][women]).statistic
            assert found == pytest.approx(expected, abs=0.08), pair
    apart = stats.spearmanr(people["patient.height"], people["solutes.fibrinogen.initial"])
    assert abs(apart.statistic) < 0.08


def test_nobody_in_a_population_is_beyond_its_limits(people: dict[str, np.ndarray]) -> None:
    assert people["patient.weight"].min() >= 40
    assert people["patient.weight"].max() <= 180
    assert people["solutes.fibrinogen.initial"].min() >= 1


def test_an_unknown_population_is_told(tmp_path: object) -> None:
    with pytest.raises(Exception, match="did you mean"):
        plan_of(_written(tmp_path, SCENARIO.replace("adults", "adult")))


def _written(folder: object, text: str) -> str:
    file = f"{folder}/scenario.yaml"
    with open(file, "w", encoding="utf-8") as place:
        place.write(text)
    return file
