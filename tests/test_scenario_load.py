"""Good files: what they mean, that they come back unchanged, and the defaults filled in."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from stand_ins import SMALL

from simulator import scenario
from simulator.errors import CommandError, ScenarioError
from simulator.scenario import writer
from simulator.scenario.library import names
from simulator.scenario.model import Dose, Fault, FcrnBlockade, Setting
from simulator.scenario.reader import parse

DAY = 1440.0

FULL = """
format: 1
title: Everything at once
description: Every key of the format.
references: [mercure-corriveau-2023, albahra-2016]
patient:
  {sex: female, age: 48 y, weight: 68 kg, height: 165 cm, hematocrit: 39 %, albumin: 38 g/L,
   plasma_volume: 2.46 L, blood_volume: {method: nadler}, ionized_calcium: 1.22 mmol/L,
   citrate_clearance: 48 %, fluid_shift: none}
solutes:
  igg: {initial: 1000 mg/dL}
  igm: {}
  anti-gad65: {like: igg1, initial: 23508 U/mL, synthesis: 100 %}
  my-drug:
    unit: mg/L
    initial: 0 mg/L
    intravascular_fraction: 45 %
    transcapillary_escape: 3 %/h
    half_life: 21 d
    synthesis: 0 %
    sieving: 0.9
machine:
  device: {like: spectra-optia, inlet_flow_max: 90 mL/min}
  access: central-venous-catheter
  inlet_flow: 3.9 L/h
  anticoagulant: {fluid: acd-a, ratio: 12}
  disturbances: none
prescription:
  exchange: 40 mL/kg
  replacement:
    - {fluid: albumin-5, volume: rest}
    - {fluid: fresh-frozen-plasma, volume: 1 L, bottle: 300 mL}
  fluid_balance: 95 %
  calcium: {fluid: calcium-gluconate-10, rate: 1.6 g/h}
course:
  sessions: 3
  every: 2 d
  then:
    - {sessions: 2, every: 14 d, prescription: {exchange: 0.8 PV}}
    - {at: [40 d, 50 d], prescription: {calcium: {per_liter_replacement: 10 mL}}}
events:
  - {at: 3 d, give: igg, dose: 30 g, over: 6 h}
  - {at: 3 d, give: igg, dose: 0.4 g/kg}
  - {at: 0 d, set: solutes.anti-gad65.synthesis, to: 30 %}
  - {at: 0 d, fcrn_blockade: 75 %, for: 7 d}
  - {session: 2, at: 30 min, fault: access-occlusion, for: 3 min}
  - {session: 3, at: 45 min, set: machine.inlet_flow, to: 50 mL/min}
  - {session: 3, at: 50 min, set: prescription.exchange, to: 1500 mL}
  - {session: 3, at: 55 min, set: prescription.calcium.rate, to: 0.8 g/h}
rules:
  - {when: anti-gad65 < 1000 U/mL, do: stop}
  - {when: igm<=50 mg/dL, do: replace-with, fluid: fresh-frozen-plasma}
  - {when: hematocrit < 25 %, do: skip}
  - {when: plasma_volume < 2 L, do: delay, by: 36 h}
simulation: {until: 100 d, seed: 7, output_interval: 6 h, session_output_interval: 30 s}
"""


@pytest.mark.parametrize("name", names())
def test_bundled_scenarios_load_and_come_back(name: str) -> None:
    loaded = scenario.load(name)
    assert loaded.name == name
    text = scenario.dump(loaded)
    again = scenario.loads(text, name="elsewhere")
    assert again == loaded
    assert scenario.dump(again) == text
    assert scenario.digest(again) == scenario.digest(loaded)


def test_bundled_names_and_titles() -> None:
    titles = scenario.bundled()
    assert sorted(titles) == names()
    assert "stiff-person-acute" in titles
    assert titles["closed-form"].startswith("One exchange")


def test_a_bundled_scenario_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed-form").mkdir()  # a run folder of that name does not hide it
    assert scenario.load("closed-form").name == "closed-form"


def test_full_file_comes_back() -> None:
    loaded = scenario.loads(FULL)
    assert scenario.loads(scenario.dump(loaded)) == loaded


def test_patient_in_canonical_units() -> None:
    patient = scenario.loads(FULL).patient
    assert (patient.sex, patient.age, patient.weight) == ("female", 48, 68)
    assert patient.height == pytest.approx(1.65)
    assert patient.hematocrit == 0.39
    assert patient.plasma_volume == 2460
    assert (patient.blood_volume_method, patient.blood_volume) == ("nadler", None)
    assert patient.ionized_calcium == 1.22
    assert patient.citrate_clearance == pytest.approx(0.48)
    assert patient.fluid_shift == "none"


def test_machine_and_prescription_in_canonical_units() -> None:
    loaded = scenario.loads(FULL)
    machine = loaded.machine
    assert machine is not None
    assert machine.device.inlet_flow_max == 90
    assert machine.device.extracorporeal_volume == 141  # the rest is the catalog's
    assert machine.inlet_flow == pytest.approx(65)
    assert (machine.anticoagulant.name, machine.anticoagulant_ratio) == ("acd-a", 12)
    assert machine.disturbances == "none"
    first = loaded.sessions[0].prescription
    assert first.exchange_unit == "mL/kg"
    assert first.exchange == pytest.approx(40)
    assert [(r.fluid.name, r.share, r.volume) for r in first.replacement] == [
        ("albumin-5", None, None),
        ("fresh-frozen-plasma", None, 1000),
    ]
    assert first.replacement[1].fluid.container == 300
    assert first.fluid_balance == pytest.approx(0.95)
    assert first.calcium is not None
    # 1.6 g/h of a solution of 100 g/L is 16 mL/h
    assert first.calcium.flow == pytest.approx(16 / 60)


def test_course_with_further_blocks() -> None:
    sessions = scenario.loads(FULL).sessions
    assert [session.at / DAY for session in sessions] == [0, 2, 4, 18, 32, 40, 50]
    exchanges = [session.prescription.exchange_unit for session in sessions]
    assert exchanges == ["mL/kg"] * 3 + ["PV"] * 2 + ["mL/kg"] * 2
    last = sessions[-1].prescription.calcium
    assert last is not None
    assert last.flow is None
    assert last.per_replacement == pytest.approx(0.01)
    balance = sessions[3].prescription.fluid_balance
    assert balance == pytest.approx(0.95)  # the main prescription's


@pytest.mark.parametrize(
    ("course", "days"),
    [
        ("{sessions: 1}", [0]),
        ("{sessions: 3, every: 36 h}", [0, 1.5, 3]),
        ("{at: [0 d, 4 d, 8 d]}", [0, 4, 8]),
        ("{at: [1 d, 12 d]}", [1, 12]),
        ("{sessions: {per_week: 3, weeks: 2}}", [0, 2, 4, 7, 9, 11]),
        ("{sessions: {per_week: 2, weeks: 2}}", [0, 3, 7, 10]),
        ("{sessions: {per_week: 5, weeks: 1}}", [0, 1, 2, 4, 5]),
        (
            "{sessions: {per_week: 3, weeks: 1}, then: [{sessions: 2, every: 14 d}]}",
            [0, 2, 4, 18, 32],
        ),
        (
            "{sessions: 2, every: 1 d, then: [{sessions: {per_week: 3, weeks: 1}}]}",
            [0, 1, 4, 6, 8],
        ),
        ("{sessions: 1, then: [{sessions: 1, every: 7 d}, {at: [9 d]}]}", [0, 7, 9]),
    ],
)
def test_times_of_sessions(course: str, days: list[float]) -> None:
    loaded = scenario.loads(SMALL.replace("{sessions: 2, every: 2 d}", course))
    assert [session.at / DAY for session in loaded.sessions] == days
    assert loaded.until == days[-1] * DAY + 7 * DAY


def test_a_run_without_a_machine() -> None:
    loaded = scenario.loads(
        "format: 1\n"
        "patient: {sex: male, weight: 70 kg, height: 175 cm, hematocrit: 42 %}\n"
        "course: {sessions: 0}\n"
        "events: [{at: 1 d, give: igg, dose: 30 g}]\n"
    )
    assert (loaded.sessions, loaded.machine) == ((), None)
    assert loaded.until == 7 * DAY
    assert "machine" not in loaded.document


def test_replacement_with_nothing_is_a_donation() -> None:
    loaded = scenario.loads(SMALL.replace("[{fluid: albumin-5, share: 100 %}]", "[]"))
    assert loaded.sessions[0].prescription.replacement == ()


def test_shares_may_be_off_by_rounding() -> None:
    thirds = ", ".join("{fluid: albumin-5, share: 33.3 %}" for _ in range(3))
    loaded = scenario.loads(SMALL.replace("{fluid: albumin-5, share: 100 %}", thirds))
    assert len(loaded.sessions[0].prescription.replacement) == 3


def test_events_in_canonical_units() -> None:
    assert scenario.loads(FULL).events == (
        Dose(3 * DAY, "igg", 30, 360),
        Dose(3 * DAY, "igg", 0.4 * 68),
        Setting("solutes.anti-gad65.synthesis", 0.3, "30 %", 0),
        FcrnBlockade(0, 0.75, 7 * DAY),
        Fault(2, 30, "access-occlusion", 3),
        Setting("machine.inlet_flow", 50, "50 mL/min", 45, 3),
        Setting("prescription.exchange", (1500, "mL"), "1500 mL", 50, 3),
        Setting("prescription.calcium.rate", pytest.approx(8 / 60), "0.8 g/h", 55, 3),
    )


def test_rules_in_the_units_they_are_compared_in() -> None:
    rules = scenario.loads(FULL).rules
    assert [(r.quantity, r.comparison, r.threshold, r.action) for r in rules] == [
        ("anti-gad65", "<", 1000, "stop"),
        ("igm", "<=", pytest.approx(0.5), "replace-with"),
        ("hematocrit", "<", 0.25, "skip"),
        ("plasma_volume", "<", 2000, "delay"),
    ]
    assert rules[1].fluid is not None
    assert rules[1].fluid.name == "fresh-frozen-plasma"
    assert rules[3].delay == 36 * 60


def test_solutes_from_catalog_likeness_and_kinetics() -> None:
    solutes = scenario.loads(FULL).solutes
    assert list(solutes) == ["igg", "igm", "anti-gad65", "my-drug", "albumin"]
    igg, antibody, drug = solutes["igg"], solutes["anti-gad65"], solutes["my-drug"]
    assert igg.kinetics.unit == "g/L"
    assert igg.initial == pytest.approx(10)
    assert (antibody.kinetics.unit, antibody.initial) == ("U/mL", 23508)
    assert antibody.kinetics.catabolism == igg.kinetics.catabolism
    assert antibody.kinetics.name == "anti-gad65"
    assert (drug.kinetics.unit, drug.initial, drug.synthesis) == ("mg/L", 0, 0)
    # a half-life of the whole body, by breakdown in plasma alone: ln 2 / (t f)
    rate = math.log(2) / (21 * DAY * 0.45)
    assert drug.kinetics.catabolism.intrinsic == pytest.approx(rate, rel=1e-12)
    assert drug.kinetics.catabolism.protected_fraction == 0
    assert drug.kinetics.transcapillary_escape == pytest.approx(0.03 / 60)
    assert drug.kinetics.sieving == 0.9
    assert solutes["albumin"].initial == 38  # from patient.albumin


def test_a_half_life_keeps_fcrn_and_holds_at_the_initial_igg() -> None:
    from simulator.patient.proteins import catabolic_rate

    text = SMALL + "solutes: {igg: {initial: 6 g/L}, drug: {like: igg1, half_life: 11 d}}"
    law = scenario.loads(text).solutes["drug"].kinetics
    assert law.catabolism.protected_fraction > 0
    rate = catabolic_rate(
        law.catabolism.intrinsic,
        law.catabolism.protected_fraction,
        law.catabolism.half_saturation,
        6.0,
    )
    assert rate == pytest.approx(math.log(2) / (11 * DAY * law.intravascular_fraction))


def test_own_numbers_take_the_catalogs_sources_away() -> None:
    text = SMALL + "solutes: {igm: {half_life: 5 d, transcapillary_escape: 10 %/d}}"
    facts = scenario.loads(text).solutes["igm"].kinetics.facts
    assert not any("catabolism" in path or "escape" in path for path in facts)
    assert any("intravascular_fraction" in path for path in facts)


def test_the_unit_of_a_likeness_is_the_one_written() -> None:
    text = SMALL + "solutes: {a: {like: igg1}, b: {like: igg1, initial: 70 mg/dL}}"
    solutes = scenario.loads(text).solutes
    assert solutes["a"].kinetics.unit == "g/L"
    assert (solutes["b"].kinetics.unit, solutes["b"].initial) == ("mg/dL", 70)
    assert solutes["b"].kinetics.mass_unit == "mg"


def test_defaults_stand_in_the_document() -> None:
    document = scenario.loads(SMALL, name="small").document
    assert document["name"] == document["title"] == "small"
    assert document["patient"]["blood_volume"]["method"] == "nadler"
    assert document["patient"]["weight"] == "68 kg"  # as written
    assert document["machine"] == {
        "device": "spectra-optia",
        "access": "central-venous-catheter",
        "inlet_flow": "65 mL/min",
        "anticoagulant": {"fluid": "acd-a", "ratio": 10},
        "disturbances": "none",
        "prime": "saline",
        "rinseback": True,
        "needles": 2,
    }
    assert document["prescription"]["fluid_balance"] == "100 %"
    assert document["simulation"] == {
        "until": "9 d",
        "seed": 1,
        "output_interval": "60 min",
        "session_output_interval": "1 min",
    }


def test_the_default_inlet_flow_is_one_the_access_can_give() -> None:
    machine = "machine: {device: {like: amicus, inlet_flow: 90 mL/min}, access: peripheral-veins}"
    loaded = scenario.loads(SMALL + machine)
    assert loaded.machine is not None
    assert loaded.machine.inlet_flow == loaded.machine.access.inlet_flow_max == 80


def test_the_order_of_keys_does_not_matter() -> None:
    lines = SMALL.strip().splitlines()
    turned = "\n".join([lines[-1], *lines[2:5], lines[1], lines[0]])
    one, other = scenario.loads(SMALL), scenario.loads(turned)
    assert one == other
    assert scenario.dump(one) == scenario.dump(other)


def test_the_same_length_in_other_units_is_the_same_patient() -> None:
    one = scenario.loads(SMALL)
    other = scenario.loads(SMALL.replace("1.65 m", "165 cm").replace("0.39", "39 %"))
    assert replace(one.patient, height=0) == replace(other.patient, height=0)
    assert one.patient.height == pytest.approx(other.patient.height, rel=1e-15)


def test_yaml_words_stay_words() -> None:
    text = SMALL + 'title: "1e3"\ndescription: "no"\n'
    loaded = scenario.loads(text)
    assert (loaded.title, loaded.description) == ("1e3", "no")
    assert scenario.loads(scenario.dump(loaded)) == loaded
    assert scenario.loads(SMALL + "title: 2024-01-02\n").title == "2024-01-02"


def test_an_empty_value_is_as_good_as_none() -> None:
    loaded = scenario.loads(SMALL + "events:\nrules:\nsolutes:\n  igm:\n")
    assert (loaded.events, loaded.rules) == ((), ())
    assert "igm" in loaded.solutes


def test_what_does_not_exist_is_a_wrong_command_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="did you mean 'stiff-person-acute'"):
        scenario.load("stif-person-acute")
    with pytest.raises(CommandError, match="no such file"):
        scenario.load(tmp_path / "missing.yaml")
    with pytest.raises(CommandError, match="folder"):
        scenario.load(tmp_path)


def test_check_lists_problems_in_the_order_of_the_file() -> None:
    assert scenario.check("closed-form") == []
    problems = scenario.check(Path(__file__).parent / "invalid" / "unknown-keys.yaml")
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert len(problems) == 3


def test_the_error_prints_every_problem() -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.loads("format: 1\npatient: {}\n", name="mine.yaml")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{len(caught.value.problems)} problems:"
    assert all(line.startswith("  mine.yaml:") for line in lines[1:])


def test_a_text_may_be_called_anything() -> None:
    text = (
        "format: 1\npatient: {sex: female, weight: 60 kg, height: 165 cm, hematocrit: 38 %}\n"
        "course: {sessions: 0}\n"
    )
    assert scenario.loads(text, "my first try").name == "my-first-try"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "é — ü: x",
            "a: b",
            "- x",
            "#no",
            "'q'",
            '"dq"',
            "multi\nline\n",
            "  lead",
            "trail ",
            "no",
        ),
        *("1:32", "010", "~", "null", "true", "a\\Ub", "😀 smile", "a\x07b", "long words " * 30),
    ],
)
def test_both_ways_of_writing_yaml_write_the_same(text: str) -> None:
    document = {"title": text, "list": [text, {"within": text}]}
    slow = writer._dumped(document, writer._Dumper)
    assert writer.to_yaml(document) == slow
    assert parse(slow, "written")[0].plain() == document
