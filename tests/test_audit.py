"""The audit: effects with a known answer, weighed by evidence, and nothing left altered."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import audit, catalog, endpoints, provenance, scenario
from simulator.audit import WEAKNESS, Audit, Row
from simulator.catalog import GRADES
from simulator.cli.audit import footer_of
from simulator.constants import CONSTANTS
from simulator.errors import CatalogError, CommandError, ScenarioError
from simulator.simulation import simulate

DAYS = 10
DECAY = f"""
format: 1
title: A protein that nothing makes and that stays in plasma
patient: {{sex: male, weight: 75 kg, height: 178 cm, hematocrit: 40 %, fluid_shift: none}}
solutes:
  igm: {{intravascular_fraction: 100 %, transcapillary_escape: 0 %/h, synthesis: 0 %}}
course: {{sessions: 0}}
simulation: {{until: {DAYS} d}}
"""
"""IgM falls as exp(-k t) from the catalog's level; k and the level are all that can move it."""

LEVEL, RATE = "solutes.igm.initial", "solutes.igm.catabolism.intrinsic"


@pytest.fixture(scope="module")
def decay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("audit") / "decay.yaml"
    file.write_text(DECAY, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def found(decay: Path) -> Audit:
    return audit.audit(decay)


def row_of(found: Audit, path: str) -> Row:
    return next(row for row in found.rows if row.fact.path == path)


# ---- effects with a known answer


def test_the_effect_is_that_of_the_closed_form(found: Audit) -> None:
    rate = 1440 * catalog.solute("igm").catabolism.intrinsic * DAYS
    assert found.outcome == "final igm"
    assert found.value == pytest.approx(math.exp(-rate), rel=1e-5)
    assert row_of(found, LEVEL).effect == pytest.approx(10, rel=1e-6)
    assert row_of(found, RATE).effect == pytest.approx(100 * math.expm1(-0.1 * rate), rel=1e-5)


def test_what_plays_no_part_has_no_effect(found: Audit) -> None:
    assert {row.fact.path for row in found.moving} == {LEVEL, RATE}
    assert len(found.rows) > 30


def test_the_heaviest_is_effect_times_weakness_not_effect_alone(found: Audit) -> None:
    level, rate = found.moving
    assert (level.fact.path, rate.fact.path) == (LEVEL, RATE)
    assert abs(level.effect) < abs(rate.effect), "the stronger lever has the better evidence"
    assert (level.fact.seen, rate.fact.seen) == ("unverified", "derived")
    assert level.weight == pytest.approx(abs(level.effect) * WEAKNESS["unverified"])
    weights = [row.weight for row in found.rows]
    assert weights == sorted(weights, reverse=True)


def test_a_number_that_the_scenario_states_itself_is_not_ranked(decay: Path) -> None:
    stated = audit.audit(decay, ["solutes.igm.initial=2 g/L"])
    assert {row.fact.path for row in stated.moving} == {RATE}
    assert all(row.fact.path != LEVEL for row in stated.rows)


def test_the_volume_that_is_ordered_does_not_depend_on_how_well_cells_are_packed() -> None:
    changes = ["patient.fluid_shift=none", "course={sessions: 1}", "simulation.until=1 d"]
    packed = "devices.spectra-optia.separator.packed_hematocrit"
    loaded = scenario.load("albumin-throughout", changes)
    fact = next(fact for fact in audit.facts_of(loaded) if fact.path == packed)
    effects = {}
    for outcome in ("plasma @ session 1", "minutes @ session 1"):
        usual = endpoints.parse(outcome).read(simulate(loaded))
        row = audit.measured("albumin-throughout", tuple(changes), outcome, usual, fact)
        assert isinstance(row, Row)
        effects[outcome] = row.effect
    assert abs(effects["plasma @ session 1"]) < 0.5
    assert effects["minutes @ session 1"] < -3, "but the time it takes does"


def test_of_an_outcome_that_is_zero_the_change_itself_is_told(decay: Path) -> None:
    # nothing of it is there, and nothing makes any
    nothing = audit.audit(decay, ["solutes.igm.initial=0 g/L"])
    assert not nothing.relative
    assert nothing.moving == ()
    assert audit.in_words(nothing, 20) == ["No number that has a grade moves final igm."]


def test_a_share_that_cannot_be_a_tenth_more_is_lowered() -> None:
    loaded = scenario.load("natalizumab")
    path = "solutes.igg.catabolism.protected_fraction"
    fact = next(fact for fact in audit.facts_of(loaded) if fact.path == path)
    with pytest.raises(CatalogError, match="between 0 % and 100 %"):
        catalog.altered(path, "101.97 %").__enter__()
    drug = next(name for name in loaded.solutes if name not in ("igg", "albumin"))
    outcome = f"final {drug}"
    usual = endpoints.parse(outcome).read(simulate(loaded))
    row = audit.measured("natalizumab", (), outcome, usual, fact)
    assert isinstance(row, Row)
    assert row.lowered


def test_what_cannot_be_changed_by_a_tenth_says_why() -> None:
    loaded = scenario.load("immunoadsorption-or-exchange", ["machine.device=tr-350"])
    by_path = {fact.path: fact for fact in audit.facts_of(loaded)}
    for path, reason in (
        ("fluids.albumin-5.calcium", "it is 0"),
        ("devices.tr-350.treatment.columns", "1 or 2"),
    ):
        said = audit.measured(
            loaded.name, ("machine.device=tr-350",), "final igg", 1, by_path[path]
        )
        assert isinstance(said, str)
        assert reason in said


# ---- nothing stays altered


def test_everything_is_as_before(found: Audit, decay: Path) -> None:
    assert catalog.alteration.stamp() == ()
    again = audit.audit(decay)
    assert [row.fact.path for row in again.rows] == [row.fact.path for row in found.rows]
    assert [row.effect for row in again.rows] == [row.effect for row in found.rows]


def test_the_catalog_is_as_before_after_an_error() -> None:
    usual = catalog.solute("igm")

    def fail() -> None:
        with catalog.altered(LEVEL, "3 g/L"), catalog.altered(RATE, "1 %/d"):
            assert catalog.solute("igm").initial == 3.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert catalog.solute("igm") == usual
    assert catalog.alteration.stamp() == ()


def test_the_number_of_processes_changes_nothing(decay: Path, found: Audit) -> None:
    told: list[tuple[int, int]] = []
    assert audit.audit(decay, jobs=2, progress=lambda *at: told.append(at)).rows == found.rows
    assert told[0][0] == 1
    assert told[-1] == (len(told), len(told))


# ---- the numbers and their weakness


def test_every_grade_has_a_weakness() -> None:
    assert set(WEAKNESS) == set(GRADES)
    assert all(0 < weakness <= 1 for weakness in WEAKNESS.values())
    assert WEAKNESS["paper"] < WEAKNESS["abstract"] < WEAKNESS["unverified"] < WEAKNESS["assumed"]


@pytest.mark.parametrize("name", ["stiff-person-acute", "selective-exchange", "bad-veins"])
def test_every_number_is_looked_at_once_where_it_is_written(name: str) -> None:
    loaded = scenario.load(name)
    paths = [fact.path for fact in audit.facts_of(loaded)]
    assert len(paths) == len(set(paths))
    assert {catalog.written_at(fact.path) for fact in provenance.facts_of(loaded)} <= set(paths)
    assert all(catalog.written_at(p) == p for p in paths if p.partition(".")[0] in catalog.KINDS)
    assert {constant.path for constant in CONSTANTS} & set(paths)


# ---- outcomes and words


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("stiff-person-acute", "final anti-gad65"),
        ("selective-exchange", "final iga"),
        ("natalizumab", "final natalizumab"),
    ],
)
def test_the_outcome_is_what_the_scenario_is_about(name: str, outcome: str) -> None:
    assert audit.default_outcome(scenario.load(name)) == outcome


def test_the_words_name_the_weakest_number_that_matters(found: Audit) -> None:
    first, second = audit.in_words(found, 20)
    assert first == "Of the 2 numbers that move final igm most, 0 are assumed and 1 unverified."
    assert second.startswith("The unverified number that matters most is solutes.igm.initial = ")
    assert catalog.solute("igm").facts[LEVEL].note in second
    assert (
        audit.in_words(found, 1)[0] == "The number that moves final igm most is of grade derived."
    )


@pytest.mark.parametrize("outcome", ["bogus igm", "final bogus", "minutes @ session 1"])
def test_an_outcome_that_the_run_has_not_is_refused(decay: Path, outcome: str) -> None:
    with pytest.raises(CommandError):
        audit.audit(decay, outcome=outcome)


def test_a_scenario_that_is_wrong_says_so(decay: Path) -> None:
    with pytest.raises(ScenarioError):
        audit.audit(decay, ["patient.weight=heavy"])


# ---- the command


def apheresis(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_says_which_number_matters(decay: Path) -> None:
    done = apheresis("audit", str(decay), "--jobs", "1")
    assert done.returncode == 0
    assert done.stderr == "", "no progress where nobody waits at a terminal"
    lines = done.stdout.splitlines()
    first, second = (line.split() for line in lines if " solutes." in line and line[:1].isdigit())
    assert (first[0], first[1], second[1]) == ("1", LEVEL, RATE)
    assert " ".join(first[-4:]) == "general-knowledge +10 % 9"
    assert "has no grade and is not ranked" in " ".join(done.stdout.split())


def test_json_has_every_number(decay: Path, found: Audit) -> None:
    done = apheresis("audit", str(decay), "--json", "--jobs", "2")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert [number["path"] for number in told["numbers"]] == [r.fact.path for r in found.rows]
    assert told["numbers"][0]["weight"] == pytest.approx(found.rows[0].weight, rel=1e-11)


def test_luck_is_said_to_be_held_fixed() -> None:
    def footer(name: str) -> str:
        loaded = scenario.load(name, seed=7)
        return " ".join(footer_of(Audit(loaded, "final igg", 1.0, "g/L", (), {}), ()))

    assert "same seed, 7," in footer("bad-veins")
    assert "seed" not in footer("stiff-person-acute")


def test_of_a_drug_that_starts_from_nothing_no_share_is_told(tmp_path: Path) -> None:
    drug = (
        "{unit: mg/L, initial: 0 mg/L, intravascular_fraction: 45 %, half_life: 9 d, "
        "transcapillary_escape: 3 %/h, synthesis: 0 %}"
    )
    file = tmp_path / "drug.yaml"
    file.write_text(DECAY.replace("solutes:", f"solutes:\n  drug: {drug}"), encoding="utf-8")
    done = apheresis("audit", str(file), "--outcome", "left drug")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: left drug: this run has no such number: it would be a share of nothing\n"
    )


@pytest.mark.parametrize(
    ("outcome", "hint"),
    [("fal igg", "did you mean 'fall'"), ("final iggg", "did you mean 'igg'"), ("", "no outcome")],
)
def test_an_unknown_outcome_is_one_line_and_exit_code_2(
    decay: Path, outcome: str, hint: str
) -> None:
    done = apheresis("audit", str(decay), "--outcome", outcome)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert hint in done.stderr
