"""The exported model, run by an engine that shares no code with this program.

libRoadRunner (CVODE, implicit) reads the SBML and must give the volumes and masses of the run that
was exported. Errors allowed in one step here are 1e-7, there 1e-10; what was seen is 3e-7 at most.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_ins import SMALL

from simulator import catalog, export
from simulator import scenario as scenarios
from simulator.boundary import REST, Exchange
from simulator.errors import CommandError
from simulator.export import schedule
from simulator.export.names import Names, one_line
from simulator.export.schedule import Bolus, FluidAtOnce, Stretch, joined
from simulator.patient.integrator import Step
from simulator.patient.patient import Observer, Watch
from simulator.patient.state import BODY
from simulator.scenario.model import Scenario
from simulator.simulation import Run, simulate
from simulator.writing import write_whole

AGREEMENT = 1e-6

DRUGS = """
format: 1
title: Everything that is given by hand
patient: {sex: male, weight: 80 kg, height: 1.8 m, hematocrit: 0.44,
  blood_volume: {method: nadler, f_cell_ratio: 0.91}}
solutes:
  igg1: {}
  igm: {}
  natalizumab: {unit: mg/L, initial: 0 mg/L, intravascular_fraction: 53 %,
    transcapillary_escape: 3 %/h, half_life: 11 d, synthesis: 0 %}
prescription:
  exchange: 0.5 PV
  replacement: [{fluid: fresh-frozen-plasma, share: 50 %}, {fluid: albumin-5, share: 50 %}]
course: {sessions: 2, every: 2 d}
events:
  - {at: 6 h, give: natalizumab, dose: 300 mg}
  - {at: 12 h, give: natalizumab, dose: 300 mg, over: 1 h}
  - {at: 18 h, fcrn_blockade: 75 %, for: 5 d}
  - {at: 20 h, set: solutes.igg1.synthesis, to: 30 %}
  - {at: 24 h, give: igg, dose: 30 g, over: 6 h}
  - {at: 25 h, fcrn_blockade: 90 %, for: 1 d}
  - {at: 60 h, give: albumin, dose: 10 g}
  - {session: 1, at: 10 min, give: red-cells, dose: 250 mL, over: 20 min}
  - {at: 80 h, give: red-cells, dose: 250 mL}
  - {session: 2, at: 20 min, give: saline, dose: 300 mL, over: 10 min}
  - {session: 2, at: 25 min, give: fresh-frozen-plasma, dose: 200 mL}
simulation: {until: 9 d}
"""

DAY = """
format: 1
title: One session on each machine
patient: {sex: male, weight: 75 kg, height: 1.75 m, hematocrit: 0.4}
solutes: {igm: {}, fibrinogen: {}, iga: {}, anti-achr: {like: igg1, initial: 20 nmol/L}}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 2 d}
"""


class Seen(schedule.OverheardPatient):
    """An overheard patient whose states at the ends of all steps are kept."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.states: dict[float, list[float]] = {}

    def advance(
        self,
        until: float,
        exchange: Exchange = REST,
        observe: Observer | None = None,
        watch: Watch | None = None,
    ) -> None:
        def see(step: Step) -> None:
            self.states[step.end] = step.after
            if observe is not None:
                observe(step)

        super().advance(until, exchange, see, watch)


def lived(scenario: Scenario) -> Seen:
    run = Run(scenario, Seen)
    run.result()
    assert isinstance(run.patient, Seen)
    return run.patient


def engine(sbml: str) -> Any:
    roadrunner = pytest.importorskip(
        "roadrunner", reason="libroadrunner has no wheel for this machine"
    )
    loaded = roadrunner.RoadRunner(sbml)
    for setting, value in (
        ("relative_tolerance", 1e-10),
        ("absolute_tolerance", 1e-10),
        ("maximum_num_steps", 1_000_000),
    ):
        loaded.getIntegrator().setValue(setting, value)
    return loaded


def disagreement(scenario: Scenario, change: tuple[str, str] | None = None) -> float:
    """The worst relative difference in any volume or mass at any step of the run.

    `change`: a piece of the exported text, and what is put in its place.
    """
    patient = lived(scenario)
    plan = patient.schedule()
    model = export.model_of(scenario, plan)
    if change is not None:
        assert change[0] in model.text
        model = replace(model, text=model.text.replace(*change))
    other = engine(export.sbml.sbml(model, "a test"))

    at_once = {
        s.begin for s in plan.stretches if any(isinstance(j, Bolus | FluidAtOnce) for j in s.first)
    }
    times = sorted(time for time in patient.states if time not in at_once)
    assert len(times) > 100, "before, in and after sessions"
    of, count = Names().of, len(patient.names)
    names = ["plasma_volume", "interstitial_volume", "red_cells"]
    names += [of(n, pool) for pool in ("plasma", "interstitium") for n in patient.names]
    places = [0, 1, 2, *range(BODY, BODY + 2 * count)]
    other.timeCourseSelections = names
    theirs = np.array(other.simulate(times=[0.0, *times]))[1:]
    ours = np.array([[patient.states[time][place] for place in places] for time in times])
    assert theirs.shape == ours.shape
    # a pool that is empty but for rounding (a tracer outside the vessels) has no relative error
    scale = np.maximum(np.abs(ours), 1e-9 * np.abs(ours).max(axis=0) + 1e-12)
    return float(np.max(np.abs(theirs - ours) / scale))


@pytest.mark.parametrize(
    "name",
    [
        "stiff-person-acute",
        "closed-form",
        "membrane",
        "double-filtration",
        "selective-exchange",
        "mixed-replacement",
        "natalizumab",
        "bad-veins",
        "faults",
        "saline-last",
        "liver-failure",
    ],
)
def test_another_engine_gives_the_run_of_a_scenario(name: str) -> None:
    assert disagreement(scenarios.load(name)) < AGREEMENT


def test_another_engine_gives_four_donations_of_four_bowls() -> None:
    donor = scenarios.load("plasma-donor", ("course.sessions=4", "simulation.until=20 d"))
    assert disagreement(donor) < AGREEMENT


def test_another_engine_gives_what_drugs_and_infusions_do() -> None:
    assert disagreement(scenarios.loads(DRUGS)) < AGREEMENT


def test_another_engine_gives_drugs_without_any_session() -> None:
    scenario = scenarios.loads(
        """
        format: 1
        patient: {sex: female, weight: 60 kg, height: 1.6 m, hematocrit: 0.4, fluid_shift: none}
        solutes: {igg4: {}}
        course: {sessions: 0}
        events:
          - {at: 1 d, fcrn_blockade: 60 %, for: 7 d}
          - {at: 2 d, give: igg, dose: 60 g, over: 8 h}
        simulation: {until: 60 d}
        """
    )
    assert "circuit" not in export.exported(scenario, "antimony").partition("model ")[2]
    assert disagreement(scenario) < AGREEMENT


@pytest.mark.parametrize("device", catalog.names("devices"))
def test_another_engine_gives_a_session_on_every_machine(device: str) -> None:
    scenario = scenarios.loads(DAY, overrides=(f"machine.device={device}",))
    assert disagreement(scenario) < AGREEMENT


@pytest.mark.parametrize(
    "change",
    [
        ("- igg_drawn + igg_returning", "+ igg_drawn + igg_returning"),
        ("fluids_given - filtered", "fluids_given + filtered"),
        ("reflection = 0.95", "reflection = 0.9501"),
        ("igg_escape - igg_lymph_return", "igg_escape + igg_lymph_return"),
        ("igg_half_saturation = 110.0", "igg_half_saturation = 110.01"),
        ("anti_achr_return_sieving = 0.", "anti_achr_return_sieving = 0.0"),
        ("albumin_synthesis_gain = 2.0", "albumin_synthesis_gain = 2.001"),
        ("0.7*(interstitial_volume", "0.6*(interstitial_volume"),
        ("+ added_volume_returning", ""),
    ],
)
def test_a_wrong_equation_would_be_noticed(change: tuple[str, str]) -> None:
    scenario = scenarios.loads(DAY, overrides=("machine.device=dfpp-ec-20w",))
    assert disagreement(scenario, change) > 2 * AGREEMENT


@pytest.mark.parametrize(
    "change", [("1 - column_bound_igg/", "1 - 0.999*column_bound_igg/"), ("column_free*", "1*")]
)
def test_a_wrong_column_would_be_noticed(change: tuple[str, str]) -> None:
    scenario = scenarios.loads(DAY, overrides=("machine.device=tr-350",))
    assert disagreement(scenario, change) > 2 * AGREEMENT


def test_an_event_that_comes_a_second_late_would_be_noticed() -> None:
    scenario = scenarios.load("stiff-person-acute")
    change = ("at (time >= 5.0)", f"at (time >= {5 + 1 / 60})")
    assert disagreement(scenario, change) > 2 * AGREEMENT


# -- the schedule ---------------------------------------------------------------------------------


def test_overhearing_changes_nothing() -> None:
    scenario = scenarios.load("bad-veins")
    run = Run(scenario, schedule.OverheardPatient)
    assert run.result() == simulate(scenario)


def test_a_schedule_has_no_gaps_and_no_two_alike() -> None:
    plan = schedule.overheard(scenarios.load("stiff-person-acute"))
    assert plan.stretches[0].begin == 0
    assert plan.end == scenarios.load("stiff-person-acute").until
    for before, after in zip(plan.stretches, plan.stretches[1:], strict=False):
        assert before.end == after.begin
        assert after.first or (before.exchange, before.therapy) != (after.exchange, after.therapy)


def test_a_stretch_is_not_joined_across_what_is_done_at_once() -> None:
    therapy = schedule.overheard(scenarios.loads(SMALL)).stretches[0].therapy
    one, two = Stretch(0, 1, REST, therapy), Stretch(1, 2, REST, therapy)
    assert joined([one, two]) == [Stretch(0, 2, REST, therapy)]
    after_bolus = replace(two, first=(Bolus("igg", 1.0),))
    assert joined([one, after_bolus]) == [one, after_bolus]
    other = replace(two, exchange=Exchange(circuit_to_waste=1.0))
    assert joined([one, other]) == [one, other]


# -- the text -------------------------------------------------------------------------------------


def test_the_same_scenario_gives_the_same_bytes() -> None:
    pytest.importorskip("antimony", reason="the extra sbml is not installed")
    scenario = scenarios.load("faults")
    for kind in export.FORMATS:
        assert export.exported(scenario, kind) == export.exported(scenario, kind)


def test_a_model_tells_what_it_is() -> None:
    pytest.importorskip("antimony", reason="the extra sbml is not installed")
    scenario = scenarios.load("faults")
    for kind in export.FORMATS:
        text = export.exported(scenario, kind)
        assert scenarios.digest(scenario) in text
        assert "For teaching and research, not for treating patients." in text
        assert "Citrate, calcium and magnesium are left out" in text
        assert not re.search(r"20\d\d-\d\d-\d\d|Created", text), "the time of day"


HOSTILE = '*/ end """ ``` <b>&amp; & &#0; &lt;i> "quoted" // \\\n\nmodel other()\u2028x = 1; end é'


def test_a_title_cannot_become_part_of_the_model() -> None:
    scenario = replace(scenarios.loads(SMALL), title=HOSTILE, name="time")
    plain = export.exported(replace(scenario, title="plain"), "antimony")
    written = export.exported(scenario, "antimony")
    assert written.splitlines()[1:] == plain.splitlines()[1:]
    assert written.splitlines()[0].startswith("// */ end")
    libsbml = pytest.importorskip("libsbml", reason="the extra sbml is not installed")
    document = libsbml.readSBMLFromString(export.exported(scenario, "sbml"))
    assert document.getNumErrors() == 0
    assert document.getModel().getName() == one_line(HOSTILE)
    notes = document.getModel().getNotes().getChild(0).getChild(0).getChild(0)
    assert notes.getCharacters() == one_line(HOSTILE)
    assert document.getModel().getId() == "time_2"


def test_solutes_named_like_parts_of_the_model_are_told_apart() -> None:
    scenario = scenarios.loads(
        SMALL.replace(
            "prescription:",
            "solutes: {share: {like: igg1, initial: 1 g/L}, circuit: {like: igm, initial: 1 g/L},"
            " oncotic-pressure: {like: igm, initial: 2 U/mL}, igg-plasma: {like: igg1,"
            " initial: 3 g/L}}\nprescription:",
            1,
        )
    )
    text = export.exported(scenario, "antimony")
    names = re.findall(r"^  (\w+)(?:'| :=) ?=? ", text, re.MULTILINE)
    assert len(names) > 60
    assert len(set(names)) == len(names)
    assert "share_leaving_2 := share_leaving*share_circuit;" in text
    if export_is_installed():
        engine(export.exported(scenario, "sbml"))


def export_is_installed() -> bool:
    try:
        export.sbml.require()
    except CommandError:
        return False
    return True


def test_names_are_legal_and_different() -> None:
    names = Names(())
    assert names.of("anti-gad65", "plasma") == "anti_gad65_plasma"
    assert names.of("anti_gad65", "plasma") == "anti_gad65_plasma_2"
    assert names.of("anti-gad65", "plasma") == "anti_gad65_plasma"
    assert names.of("time") == "time_2"
    assert names.of("4-factor") == "_4_factor"
    assert names.of("é") == "unnamed"


# -- the command ----------------------------------------------------------------------------------


def apheresis(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    script = "from simulator.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip


def test_the_command_writes_to_stdout_or_to_a_file(tmp_path: Path) -> None:
    one = apheresis("export", "closed-form", "--format", "antimony", cwd=tmp_path)
    assert (one.returncode, one.stderr) == (0, "")
    assert "model closed_form()" in one.stdout
    assert list(tmp_path.iterdir()) == []
    arguments = ("export", "closed-form", "--format", "antimony", "--out", "one.ant")
    two = apheresis(*arguments, cwd=tmp_path)
    assert (two.returncode, two.stdout, two.stderr) == (0, "", "Written to one.ant\n")
    assert (tmp_path / "one.ant").read_text(encoding="utf-8") == one.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["one.ant"]


def test_a_pipe_is_written_into_and_a_link_stays_a_link(tmp_path: Path) -> None:
    pipe, real, link = tmp_path / "pipe", tmp_path / "real", tmp_path / "link"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    write_whole(link, "new")
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with a name here")
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_text, "utf-8")
        write_whole(pipe, "told")
        assert read.result(10) == "told"
    assert pipe.is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "real", "link"}


def test_the_rights_of_a_new_file_are_the_usual_ones(tmp_path: Path) -> None:
    write_whole(tmp_path / "one", "text")
    (tmp_path / "other").write_text("text", encoding="utf-8")
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_place_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    arguments = ("export", "closed-form", "--format", "antimony", "--out", "nowhere/one.ant")
    done = apheresis(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: cannot write nowhere/one.ant: No such file or directory\n"


def test_without_its_extra_sbml_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(CommandError, match=r"pip install 'apheresis-simulator\[sbml\]'") as refused:
        export.exported(scenarios.load("closed-form"), "sbml")
    assert refused.value.exit_code == 2
    assert "model closed_form()" in export.exported(scenarios.load("closed-form"), "antimony")


def test_the_exported_numbers_are_those_of_the_changed_scenario(tmp_path: Path) -> None:
    done = apheresis(
        "export", "closed-form", "--format", "antimony", "--set", "machine.device=cobe-spectra",
        "--seed", "7", cwd=tmp_path,
    )  # fmt: skip
    assert "// Scenario closed-form, seed 7, sha256 " in done.stdout
    assert done.stdout != export.exported(scenarios.load("closed-form"), "antimony")
