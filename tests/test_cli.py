"""The command as a user types it: output, exit codes, files, and what is left alone."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import simulator
from simulator import run_folder, scenario
from simulator.errors import CommandError
from simulator.simulation import simulate

FILES = {"summary.json", "curves.csv", "events.csv", "scenario.yaml"}
QUICK = """
format: 1
title: Quick
patient: {sex: female, weight: 60 kg, height: 165 cm, hematocrit: 38 %}
solutes: {antibody: {like: igg1, initial: 100 U/mL}, adamts13: {}}
prescription: {exchange: 0.5 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 2, every: 1 d}
simulation: {until: 2 d}
"""


def apheresis(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    return tmp_path


def test_a_run_prints_two_tables_and_writes_the_run_folder(folder: Path) -> None:
    done = apheresis("run", "quick.yaml", "--no-plots", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Sessions" in done.stdout
    assert "Solutes" in done.stdout
    assert "antibody" in done.stdout
    assert "not for treating patients" in done.stdout
    assert {p.name for p in (folder / "runs" / "quick").iterdir()} == FILES
    assert "\x1b" not in done.stdout


def test_json_is_the_summary_and_nothing_else(folder: Path) -> None:
    done = apheresis("run", "quick.yaml", "--json", "--no-plots", cwd=folder)
    printed = json.loads(done.stdout)
    written = json.loads((folder / "runs/quick/summary.json").read_text())
    assert printed == written
    assert printed["version"] == simulator.__version__
    assert [s["index"] for s in printed["sessions"]] == [1, 2]


def test_the_summary_has_every_key_of_the_format(folder: Path) -> None:
    apheresis("run", "quick.yaml", "--no-plots", cwd=folder)
    summary = json.loads((folder / "runs/quick/summary.json").read_text())
    session = {
        "index", "start_d", "completed", "stop_reason", "connected_min", "run_min",
        "blood_processed_mL", "plasma_removed_mL", "patient_plasma_removed_mL",
        "plasma_volumes_exchanged", "plasma_removal_efficiency", "replacement_mL",
        "replacement_by_fluid_mL", "anticoagulant_mL", "anticoagulant_to_patient_mL",
        "citrate_to_patient_mmol", "citrate_rate_mg_per_kg_min", "fluid_balance",
        "blood_volume_nadir_percent", "ionized_calcium_nadir_mmol_per_L", "alarms", "pauses_min",
        "reactions", "operator_calls", "operator_actions", "operator_waiting_min",
        "recirculated_mL", "plasma_treated_mL", "plasma_returned_mL", "blood_outside_max_mL",
        "bowl_cycles", "heparin_U", "solutes",
    }  # fmt: skip
    solute = {"unit", "mass_unit", "initial", "nadir", "nadir_d", "final", "removed_total"}
    assert set(summary) == {
        "format", "scenario", "title", "version", "seed", "scenario_sha256", "patient", "sessions",
        "solutes", "balance", "references", "warnings",
    }  # fmt: skip
    assert set(summary["patient"]) == {"blood_volume_mL", "plasma_volume_mL", "hematocrit"}
    assert set(summary["sessions"][0]) == session
    assert set(summary["sessions"][0]["solutes"]["igg"]) == {
        "pre", "post", "removed", "given", "adsorbed", "returned",
    }  # fmt: skip
    assert set(summary["solutes"]["antibody"]) == solute
    assert {"water_mL", "red_cells_mL", "igg_relative"} <= set(summary["balance"])
    assert set(summary["solutes"]) == {"antibody", "adamts13", "albumin", "igg"}


def test_curves_have_the_columns_of_the_format(folder: Path) -> None:
    apheresis("run", "quick.yaml", "--no-plots", cwd=folder)
    with (folder / "runs/quick/curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {
        "time_d", "session", "plasma_volume_mL", "blood_volume_mL", "hematocrit",
        "ionized_calcium_mmol_per_L", "citrate_mmol_per_L", "blood_processed_mL",
        "plasma_removed_mL", "patient_plasma_removed_mL", "replacement_mL", "anticoagulant_mL",
        "plasma_treated_mL",
        "antibody_plasma_U_per_mL", "antibody_interstitial_U_per_mL", "igg_plasma_g_per_L",
        "adamts13_plasma_percent",
    } <= set(rows[0])  # fmt: skip
    assert {row["session"] for row in rows} == {"0", "1", "2"}
    with (folder / "runs/quick/events.csv").open() as file:
        events = list(csv.DictReader(file))
    assert list(events[0]) == ["time_d", "session", "minute", "event", "detail"]


def test_running_twice_and_running_the_resolved_file_give_the_same_bytes(folder: Path) -> None:
    apheresis("run", "quick.yaml", "--out", "a", cwd=folder)
    apheresis("run", "quick.yaml", "--out", "b", cwd=folder)
    apheresis("run", "a/scenario.yaml", "--out", "c", cwd=folder)
    names = sorted(p.name for p in (folder / "a").iterdir())
    assert names == sorted(FILES | {"volumes.png", "solutes.png", "sessions.png"})
    for name in names:
        content = (folder / "a" / name).read_bytes()
        assert (folder / "b" / name).read_bytes() == content, name
        assert (folder / "c" / name).read_bytes() == content, name


def test_set_and_seed_override_the_file(folder: Path) -> None:
    done = apheresis(
        "run", "quick.yaml", "--json", "--no-plots", "--seed", "7",
        "--set", "prescription.exchange=1.0 PV", "--set", "patient.weight=80 kg", cwd=folder,
    )  # fmt: skip
    summary = json.loads(done.stdout)
    assert summary["seed"] == 7
    assert summary["sessions"][0]["plasma_volumes_exchanged"] == pytest.approx(1.0)
    assert summary["patient"]["blood_volume_mL"] > 4300


def test_several_scenarios_get_a_folder_each(folder: Path) -> None:
    done = apheresis(
        "run", "quick.yaml", "closed-form", "--json", "--no-plots", "--out", "all", cwd=folder
    )
    assert [s["scenario"] for s in json.loads(done.stdout)] == ["quick", "closed-form"]
    assert {p.name for p in (folder / "all").iterdir()} == {"quick", "closed-form"}


def test_svg_comes_beside_png(folder: Path) -> None:
    apheresis("run", "quick.yaml", "--format", "svg", cwd=folder)
    names = {p.name for p in (folder / "runs/quick").iterdir()}
    assert {"volumes.svg", "volumes.png", "sessions.svg"} <= names


# -- exit codes and messages -----------------------------------------------------------------------


def test_a_bad_file_reports_every_problem_and_writes_nothing(folder: Path, project: Path) -> None:
    bad = project / "tests" / "invalid" / "bad-units.yaml"
    done = apheresis("run", str(bad), cwd=folder)
    assert done.returncode == 3
    lines = [line for line in done.stderr.splitlines() if f"{bad}:" in line]
    assert len(lines) == 7
    assert done.stdout == ""
    assert not (folder / "runs").exists()


def test_check_tells_good_from_bad(folder: Path, project: Path) -> None:
    assert apheresis("check", "quick.yaml", "closed-form", cwd=folder).returncode == 0
    bad = str(project / "tests" / "invalid" / "bad-units.yaml")
    done = apheresis("check", "quick.yaml", bad, cwd=folder)
    assert done.returncode == 3
    assert "quick.yaml: ok" in done.stdout
    assert "7 problems" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "stiff-person-acut"), 2, "stiff-person-acute"),
        (("run", "nowhere.yaml"), 2, "nowhere.yaml"),
        (("rum", "quick.yaml"), 2, "did you mean 'run'"),
        (("run", "quick.yaml", "--sed", "1"), 2, "--seed"),
        (("run", "quick.yaml", "--seed", "-1"), 2, "seed"),
        (("run",), 2, "SCENARIO"),
        (("show", "iggg"), 2, "did you mean 'igg'"),
        (("compare", "quick.yaml"), 2, "nothing to compare"),
        (("run", "quick.yaml", "--set", "patient.wieght=70 kg"), 3, "weight"),
        (("run", "quick.yaml", "--set", "patient.weight=70 cm"), 3, "patient.weight"),
        (("run", "quick.yaml", "--set", "machine.disturbances=typicl"), 3, "mean 'typical'?"),
        (("run", "quick.yaml", "--set", "prescription={exchange: 3 PV, replacement: []}"), 1,
         "min into the session: the plasma volume has fallen to"),
    ],
)  # fmt: skip
def test_errors_are_messages_with_an_exit_code(
    arguments: tuple[str, ...], code: int, words: str, folder: Path
) -> None:
    done = apheresis(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (folder / "runs").exists()


def test_a_run_whose_reader_has_gone_is_still_written(folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m simulator run quick.yaml --no-plots | true; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert {p.name for p in (folder / "runs" / "quick").iterdir()} == FILES


def test_check_reports_files_that_are_there_beside_one_that_is_not(folder: Path) -> None:
    done = apheresis("check", "nowhere.yaml", "quick.yaml", cwd=folder)
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "quick.yaml: ok" in done.stdout


def test_a_reader_that_stops_reading_is_no_error(folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m simulator list | head -1",
        shell=True, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


# -- the run folder --------------------------------------------------------------------------------


def test_a_folder_with_other_things_in_it_is_not_replaced(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.docx").write_text("years of work")
    done = apheresis("run", "quick.yaml", "--no-plots", "--out", "mine", cwd=folder)
    assert done.returncode == 2
    assert "thesis.docx" in done.stderr
    assert [p.name for p in (folder / "mine").iterdir()] == ["thesis.docx"]


def test_a_run_folder_is_replaced_as_a_whole(folder: Path) -> None:
    apheresis("run", "quick.yaml", "--out", "a", cwd=folder)
    apheresis("run", "quick.yaml", "--out", "a", "--no-plots", cwd=folder)
    assert {p.name for p in (folder / "a").iterdir()} == FILES
    assert {p.name for p in folder.iterdir()} == {"a", "quick.yaml"}


def test_a_write_that_fails_leaves_the_old_run(folder: Path) -> None:
    target = folder / "run"
    result = simulate(scenario.loads(QUICK, "quick"))
    run_folder.write(result, target, {"volumes.png": b"old"})
    with pytest.raises(TypeError):
        run_folder.write(result, target, {"volumes.png": None})  # type: ignore[dict-item]
    assert (target / "volumes.png").read_bytes() == b"old"
    assert json.loads((target / "summary.json").read_text())["scenario"] == "quick"
    assert {p.name for p in folder.iterdir()} == {"run", "quick.yaml"}


def test_a_link_or_a_file_is_not_a_run_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(CommandError, match=name):
            run_folder.check_target(tmp_path / name)


# -- other commands --------------------------------------------------------------------------------


def test_compare_names_the_arm_that_cannot_be_run(folder: Path) -> None:
    done = apheresis(
        "compare", "quick.yaml", "--set", "prescription.exchange=0.5 PV,3 PV",
        "--set", "prescription.replacement=[]", "--no-plots", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 3 PV: at 0.")
    assert not (folder / "runs").exists()


def test_compare_lays_runs_over_each_other(folder: Path) -> None:
    done = apheresis(
        "compare", "quick.yaml", "--set", "prescription.exchange=0.5 PV,1.0 PV", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "vs first" in done.stdout
    (compared,) = (folder / "runs").iterdir()
    assert {p.name for p in compared.iterdir()} == {"comparison.png", "comparison.csv"}
    with (compared / "comparison.csv").open() as file:
        header = next(csv.reader(file))
    assert header == ["quantity", "0.5 PV", "1.0 PV"]


@pytest.mark.parametrize("kind", ["scenarios", "devices", "solutes", "fluids", "access",
                                  "operators", "reactions", "references", "rules", "faults",
                                  "alarms"])  # fmt: skip
def test_list_and_show_know_everything(kind: str, folder: Path) -> None:
    done = apheresis("list", kind, cwd=folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 3
    if kind in ("rules", "faults"):
        return
    name = done.stdout.splitlines()[3].split()[0]
    assert apheresis("show", name, cwd=folder).returncode == 0


def test_show_gives_each_number_its_source_and_grade(folder: Path) -> None:
    done = apheresis("show", "igg", cwd=folder)
    assert "intravascular_fraction = 44 %" in done.stdout
    assert "ein-1969 [abstract]" in done.stdout


def test_cite_names_sources_and_what_for(folder: Path) -> None:
    done = apheresis("cite", "stiff-person-acute", cwd=folder)
    assert "mercure-corriveau-2023: " in done.stdout
    assert "solutes.igg.intravascular_fraction [abstract]" in done.stdout
    assert "nadler-1962" in done.stdout
    assert "Assumed, without a source" in done.stdout


def test_schema_is_json(folder: Path) -> None:
    schema = json.loads(apheresis("schema", cwd=folder).stdout)
    assert "patient" in schema["properties"]


def test_completion_offers_commands_and_scenarios(folder: Path) -> None:
    done = apheresis(
        cwd=folder, _APHERESIS_COMPLETE="bash_complete", COMP_WORDS="apheresis run stiff",
        COMP_CWORD="2",
    )  # fmt: skip
    assert "stiff-person-acute" in done.stdout
