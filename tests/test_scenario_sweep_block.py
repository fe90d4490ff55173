"""The sweep block: its shape is checked, and each value is tried at its address."""

from __future__ import annotations

import pytest

from simulator import scenario
from simulator.errors import ScenarioError

BASE = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 2, every: 2 d}
"""


@pytest.mark.parametrize(
    "block",
    [
        "{vary: {patient.weight: {from: 50 kg, to: 110 kg, steps: 7}}}",
        "{vary: {prescription.exchange: [0.8 PV, 2500 mL, 40 mL/kg]}, design: grid}",
        "{vary: {machine.device: [spectra-optia, amicus], course.sessions: [1, 2]}, design: zip}",
        "{vary: {machine.device.inlet_flow_max: [80 mL/min]}}",
        # a grid may hold a distribution: what it is sampled by is the sweep's business
        "{vary: {patient.weight: {normal: {mean: 50 kg, sd: 1 kg}}}, design: grid, samples: 256}",
        "{vary: {solutes.igg.initial: {normal: {mean: 10 g/L, sd: 2 g/L}}}, design: lhs}",
        "{vary: {solutes.igg.synthesis: {uniform: {from: 10 %, to: 90 %}}}, design: random}",
        "{vary: {patient.age: {lognormal: {median: 50 y, gsd: 1.2}}}, design: sobol, samples: 64}",
        "{vary: {patient.age: {triangular: {from: 50 y, mode: 70 y, to: 90 y}}}, design: lhs}",
    ],
)
def test_good_sweeps_change_nothing_else(block: str) -> None:
    loaded = scenario.loads(f"{BASE}\nsweep: {block}\n")
    assert loaded == scenario.loads(BASE)
    assert loaded.document["sweep"]["vary"]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{vary: {patient.weight: [68 kg, 68 cm]}}", "patient.weight.1: expected a mass"),
        ("{vary: {patient.wieght: [68 kg]}}", "unknown key 'wieght'; did you mean 'weight'"),
        ("{vary: {machine.device: [amikus]}}", "did you mean 'amicus'"),
        ("{vary: {machine.inlet_flow: [500 mL/min]}}", "the range of spectra-optia"),
        ("{vary: {patient.weight: {from: 50 kg, to: 50 L, steps: 3}}}", "patient.weight.to: exp"),
        ("{vary: {patient.weight: {cauchy: {mean: 50 kg, sd: 1 kg}}}}", "is not a distribution"),
        ("{vary: {patient.weight: {normal: 50 kg}}, design: lhs}", "expected {mean: …, sd: …}"),
        ("{vary: {patient.weight: {lognormal: {median: 9 kg, gsd: 1}}}, design: lhs}", "above 1"),
        ("{vary: {patient.weight: []}}", "expected at least one value"),
        ("{vary: {sweep.design: [grid]}}", "cannot be varied"),
        ("{vary: {course.sessions: [1, 2], patient.age: [40 y]}, design: zip}", "one length"),
        ("{vary: {patient.weight: [60 kg]}, design: sobol, samples: 100}", "a power of two"),
        ("{vary: {patient.weight: [60 kg]}, design: latin}", "expected grid, zip, random, lhs"),
        ("{design: grid}", "sweep.vary: missing"),
    ],
)
def test_bad_sweeps_say_why(block: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.loads(f"{BASE}\nsweep: {block}\n")
    assert words in str(caught.value)
    assert len(caught.value.problems) == 1
