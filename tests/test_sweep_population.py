"""Virtual populations: covariates have the spread and the correlations that the catalog states."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from simulator import catalog, scenario
from simulator.errors import CommandError, ScenarioError
from simulator.sweep import population
from simulator.sweep.designs import Design, design_of
from simulator.sweep.plan import plan_of

COUNT = 8192
FOLLOWED = dict.fromkeys(("albumin", "igg", "iga", "igm", "fibrinogen"), ())
NAMES = catalog.bundled.names("populations")


def adults(kind: str = "random", samples: int = COUNT, **block: object) -> Design:
    said = {"population": "adults", "design": kind, "samples": samples, "said": FOLLOWED}
    return design_of({**said, **block}, 5)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_population_has_a_source_of_the_bibliography(name: str) -> None:
    def facts(content: object) -> list[dict[str, str]]:
        if not isinstance(content, dict):
            return []
        if "value" in content:
            return [content]
        return [fact for value in content.values() for fact in facts(value)]

    found = facts(population.written(name))
    assert len(found) > 10
    assert {fact["source"] for fact in found} <= {*catalog.references(), "assumed"}


@pytest.mark.parametrize("kind", ["grid", "random", "lhs", "sobol"])
def test_covariates_are_correlated_as_the_catalog_states(kind: str) -> None:
    made = adults(kind).values(0, COUNT)
    women = made["patient.sex"] == "female"
    assert women.mean() == pytest.approx(0.5, abs=0.02)
    height, weight = made["patient.height"], np.log(made["patient.weight"])
    for sex in (women, ~women):
        assert np.corrcoef(height[sex], weight[sex])[0, 1] == pytest.approx(0.45, abs=0.04)
    igg, iga = np.log(made["solutes.igg.initial"]), np.log(made["solutes.iga.initial"])
    assert np.corrcoef(igg, iga)[0, 1] == pytest.approx(0.3, abs=0.04)
    igm = np.log(made["solutes.igm.initial"])
    assert abs(np.corrcoef(height[women], igm[women])[0, 1]) < 0.06


def test_what_is_correlated_keeps_its_own_distribution() -> None:
    made = adults().values(0, COUNT)
    women = made["patient.sex"] == "female"
    low, high = (135 - 176) / 7.5, (210 - 176) / 7.5
    men = stats.truncnorm(low, high, 176, 7.5)
    assert stats.kstest(made["patient.height"][~women], men.cdf).pvalue > 0.001
    assert np.median(made["patient.weight"][women]) == pytest.approx(72, rel=0.02)
    assert np.median(made["patient.weight"][~women]) == pytest.approx(85, rel=0.02)
    fibrinogen = stats.truncnorm((1 - 2.84) / 0.71, (8 - 2.84) / 0.71, 2.84, 0.71)
    assert stats.kstest(made["solutes.fibrinogen.initial"], fibrinogen.cdf).pvalue > 0.001


@pytest.mark.parametrize("kind", ["grid", "random", "lhs", "sobol"])
def test_a_patient_is_the_same_however_the_population_is_cut(kind: str) -> None:
    made = adults(kind, 512)
    whole = made.values(0, 512)
    for start, stop in ((0, 1), (5, 12), (100, 401), (511, 512)):
        part = made.values(start, stop)
        assert all((part[key] == whole[key][start:stop]).all() for key in whole)
    again = Design.from_data(json.loads(json.dumps(made.to_data()))).values(0, 512)
    assert all((again[key] == whole[key]).all() for key in whole)


def test_arms_treat_the_same_patients() -> None:
    made = adults("grid", 64, vary={"machine.device": ["spectra-optia", "amicus"]})
    one, other = made.values(0, 64), made.values(64, 128)
    assert made.size == 128
    assert all((one[key] == other[key]).all() for key in one if key.startswith("patient"))


def test_what_is_varied_by_hand_takes_the_place_of_a_covariate() -> None:
    made = adults("grid", 16, vary={"patient.sex": ["male"], "solutes.igg.initial": ["9 g/L"]})
    drawn = made.values(0, 16)
    assert set(drawn["patient.sex"]) == {"male"}
    assert set(drawn["solutes.igg.initial"]) == {9.0}
    men = adults("grid", 16).values(0, 16)
    here = men["patient.sex"] == "male"
    assert (drawn["patient.height"][here] == men["patient.height"][here]).all()


def test_what_a_scenario_does_not_follow_or_says_otherwise_is_left_out_and_named() -> None:
    said = {"igg": ("half_life",), "albumin": (), "patient": ("albumin",)}
    found = population.factors("adults", said)
    addresses = {factor.address for factor in found.factors}
    assert "solutes.igg.initial" in addresses
    assert "solutes.igg.fractional_catabolic_rate" in found.left_out
    assert "solutes.igm.initial" in found.left_out
    assert "solutes.albumin.initial" in found.left_out
    told = adults("lhs", 4, said=said).in_words()
    assert any(line.startswith("not in this scenario: ") and "igm" in line for line in told)


def test_every_patient_of_a_population_can_be_run() -> None:
    text = json.dumps(
        {**scenario.load("stiff-person-acute").document, "sweep": {"population": "adults"}}
    )
    assert scenario.loads(text).document["sweep"] == {"population": "adults"}
    plan = plan_of("stiff-person-acute", vary=["course.sessions=1"])
    made = adults("lhs", 40, said=dict.fromkeys(("albumin", "igg", "fibrinogen"), ()))
    for run in range(40):
        loaded = scenario.loads(plan.text, plan.name, made.overrides(run))
        assert loaded.solutes["igg"].initial == made.values(run, run + 1)["solutes.igg.initial"][0]


def test_a_population_that_nobody_knows_is_told_with_the_nearest() -> None:
    with pytest.raises(CommandError, match="did you mean 'adults'"):
        population.factors("adult", {})
    text = json.dumps(
        {**scenario.load("stiff-person-acute").document, "sweep": {"population": "adult"}}
    )
    with pytest.raises(ScenarioError, match="did you mean 'adults'"):
        scenario.loads(text)
