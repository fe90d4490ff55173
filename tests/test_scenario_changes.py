"""What is laid over a scenario: `--set`, `--seed` and `extends`."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import scenario
from simulator.errors import CommandError, ScenarioError
from simulator.scenario.model import Scenario

BASE = """
format: 1
title: Base
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {igm: {initial: 2 g/L}}
prescription:
  exchange: 1.0 PV
  replacement: [{fluid: albumin-5, share: 80 %}, {fluid: saline, share: 20 %}]
  calcium: {rate: 1.6 g/h}
course: {sessions: 5, every: 2 d, then: [{sessions: 2, every: 7 d}]}
"""


def loaded(*overrides: str) -> Scenario:
    return scenario.loads(BASE, overrides=overrides)


def refused(*overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loaded(*overrides)
    return "\n".join(map(str, caught.value.problems))


def test_values_are_set_at_their_addresses() -> None:
    assert loaded("patient.weight=82 kg").patient.weight == 82
    assert loaded("solutes.igm.initial=1 g/L").solutes["igm"].initial == 1
    assert loaded("solutes.anti-x={like: igg1, initial: 5 U/mL}").solutes["anti-x"].initial == 5
    assert len(loaded("course.then.0.sessions=4").sessions) == 9
    assert len(loaded("course.sessions=1", "course.then=").sessions) == 1
    shares = loaded(
        "prescription.replacement.0.share=70 %", "prescription.replacement.1.share=30 %"
    )
    assert [r.share for r in shares.sessions[0].prescription.replacement] == pytest.approx(
        [0.7, 0.3]
    )


def test_the_last_of_two_settings_of_one_address_counts() -> None:
    assert loaded("patient.weight=82 kg", "patient.weight=90 kg").patient.weight == 90


def test_a_number_of_a_catalog_entry_can_be_set() -> None:
    machine = loaded("machine.device=amicus", "machine.device.inlet_flow_max=99 mL/min").machine
    assert machine is not None
    assert (machine.device.name, machine.device.inlet_flow_max) == ("amicus", 99)
    bottle = loaded("prescription.replacement.1.fluid.container=1 L").sessions[0]
    assert bottle.prescription.replacement[1].fluid.container == 1000


def test_saying_it_in_the_other_way_replaces_the_first() -> None:
    assert [s.at for s in loaded("course.at=[0 d, 1 d]", "course.then=").sessions] == [0, 1440]
    weekly = loaded("course.sessions={per_week: 3, weeks: 1}", "course.then=")
    assert len(weekly.sessions) == 3
    calcium = loaded("prescription.calcium.per_liter_replacement=10 mL").sessions[0]
    assert calcium.prescription.calcium is not None
    assert calcium.prescription.calcium.flow is None
    again = scenario.loads(scenario.dump(loaded()), overrides=["patient.blood_volume.value=4 L"])
    assert again.patient.blood_volume == 4000


def test_the_seed_of_the_command_line_counts() -> None:
    assert scenario.loads(BASE, seed=7).seed == 7
    assert (
        scenario.loads(BASE, overrides=["simulation.seed=3"], seed=7).document["simulation"]["seed"]
        == 7
    )


def test_overrides_stand_in_the_document() -> None:
    changed = loaded("patient.weight=82 kg")
    assert changed.document["patient"]["weight"] == "82 kg"
    assert scenario.loads(scenario.dump(changed)) == changed
    assert scenario.digest(changed) != scenario.digest(loaded())


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("patient.wieght=82 kg", "--set: patient.wieght: unknown key 'wieght'; did you mean"),
        ("patient.weight=82", "--set: patient.weight: a mass needs a unit, such as '82 kg'"),
        ("patient.weight.x=82", "--set: patient.weight.x: there is nothing below 'weight'"),
        ("prescription.replacement.5.share=1 %", "no item 5: the list has items 0 to 1"),
        ("course.at.0=3 d", "--set: course.at.0: no item 0: there is no list 'at'"),
        ("title=[", "--set: title: this is not readable as YAML"),
        ("title={a: 1, a: 2}", "--set: title: duplicate key 'a'"),
        ("extends=closed-form", "--set: extends: cannot be set"),
        ("prescription=3", "--set: prescription: expected a mapping"),
    ],
)
def test_what_cannot_be_set_names_the_option(override: str, words: str) -> None:
    assert words in refused(override)


def test_a_setting_can_spoil_what_the_file_says() -> None:
    assert "prescription.replacement: expected shares that add up to 100 %, got 90 %" in refused(
        "prescription.replacement.0.share=70 %"
    )


@pytest.mark.parametrize(
    "override", ["patient.weight", "=3", "a..b=3", "a b=3", "x=" + "1" * 20_000]
)
def test_what_is_no_setting_is_a_wrong_command_line(override: str) -> None:
    with pytest.raises(CommandError, match="--set"):
        loaded(override)


# -- extends ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text("name: base-name\n" + BASE, encoding="utf-8")
    return tmp_path


def extending(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_mappings_merge_and_lists_replace(folder: Path) -> None:
    mine = scenario.load(
        extending(
            folder,
            "extends: base.yaml\n"
            "patient: {weight: 90 kg}\n"
            "prescription: {replacement: [{fluid: albumin-4, share: 100 %}]}\n",
        )
    )
    assert (mine.name, mine.title) == ("mine", "Base")
    assert (mine.patient.weight, mine.patient.hematocrit) == (90, 0.39)
    prescription = mine.sessions[0].prescription
    assert [r.fluid.name for r in prescription.replacement] == ["albumin-4"]
    assert prescription.calcium is not None
    assert "extends" not in mine.document


def test_an_empty_value_takes_an_inherited_one_away(folder: Path) -> None:
    mine = scenario.load(extending(folder, "extends: base.yaml\nprescription: {calcium: }\n"))
    assert mine.sessions[0].prescription.calcium is None


def test_a_bundled_scenario_can_be_extended(folder: Path) -> None:
    mine = scenario.load(extending(folder, "extends: closed-form\npatient: {weight: 90 kg}\n"))
    assert mine.patient.weight == 90
    assert "tracer" in mine.solutes
    assert scenario.loads("extends: closed-form").name == "scenario"


def test_the_resolved_file_runs_without_what_it_extended(folder: Path) -> None:
    mine = scenario.load(extending(folder, "extends: base.yaml\npatient: {weight: 90 kg}\n"))
    (folder / "base.yaml").unlink()
    assert scenario.loads(scenario.dump(mine)) == mine


def test_an_inherited_problem_names_the_file_it_stands_in(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("68 kg", "68 cm"), encoding="utf-8")
    problems = scenario.check(extending(folder, "extends: base.yaml\nruls: []\n"))
    assert [Path(problem.file).name for problem in problems] == ["base.yaml", "mine.yaml"]
    assert [problem.line for problem in problems] == [4, 2]


def test_a_circle_is_told(folder: Path) -> None:
    extending(folder, "extends: two.yml\n", "one.yaml")
    extending(folder, "extends: one.yaml\n", "two.yml")
    problems = scenario.check(folder / "one.yaml")
    assert len(problems) == 1
    assert "extends itself" in problems[0].message


def test_only_scenario_files_are_read(folder: Path) -> None:
    (folder / "secret.txt").write_text(BASE, encoding="utf-8")
    for target in ("secret.txt", "base.yaml/", "nowhere.yaml", "http://localhost/base.yaml"):
        problems = scenario.check(extending(folder, f"extends: {target}\n"))
        assert [problem.path for problem in problems] == ["extends"]


def test_text_without_a_folder_extends_only_bundled_scenarios(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="only a file can extend a file"):
        scenario.loads(f"extends: {folder / 'base.yaml'}")
