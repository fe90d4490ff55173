"""Provenance: every number has a source and a grade, and every source says what rests on it."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator import catalog, citations, constants, provenance, scenario
from simulator.catalog import GRADES, Fact
from simulator.constants import CONSTANTS, Constant
from simulator.simulation import simulate

PACKAGE = Path(simulator.__file__).parent
NAMES = scenario.bundled_names()
GRADED = re.compile(rf"\b({'|'.join((*GRADES, 'calibrated'))})\b")
NAMED = [constant for constant in CONSTANTS if constant.value is not None]
BY_PATH = {constant.path: constant for constant in CONSTANTS}


def facts_with_constants() -> list[Fact]:
    return [*provenance.catalog_facts(), *(constant.fact() for constant in CONSTANTS)]


@pytest.fixture(scope="module")
def standings() -> Mapping[str, provenance.Standing]:
    named = {name: scenario.load(name).references for name in NAMES}
    return provenance.standings({}, named)


def test_there_are_numbers_to_look_at() -> None:
    assert len(list(provenance.catalog_facts())) > 350
    assert len(CONSTANTS) > 50
    assert len(BY_PATH) == len(CONSTANTS), "each stands in the table once"


@pytest.mark.parametrize("fact", facts_with_constants(), ids=lambda fact: fact.path)
def test_no_number_is_without_a_source_and_a_grade(fact: Fact) -> None:
    assert fact.seen in GRADES
    assert (fact.source == "assumed") == (fact.seen == "assumed")
    assert fact.source == "assumed" or fact.source in catalog.references()
    assert fact.note or fact.at


# ---- constants of the equations


def assigned(path: Path) -> Iterator[tuple[str, str]]:
    """Names that a module gives a number, each with the docstring below it."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, following in itertools.pairwise(body):
        if not isinstance(node, ast.Assign) or not isinstance(following, ast.Expr):
            continue
        words = following.value
        if isinstance(words, ast.Constant) and isinstance(words.value, str):
            for name in (n for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)):
                yield name.id, words.value


def graded_in_the_modules() -> Iterator[str]:
    for folder in ("patient", "machine"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            module = f"{folder}.{path.stem}"
            loaded = vars(__import__(f"simulator.{module}", fromlist=["x"]))
            for name, words in assigned(path):
                bracket = " ".join(re.findall(r"\[([^\]]*)\]", words, re.DOTALL))
                if isinstance(loaded[name], (int, float)) and GRADED.search(bracket):
                    yield f"{module}.{name}"


def test_every_constant_that_says_its_grade_is_in_the_table() -> None:
    graded = set(graded_in_the_modules())
    assert len(graded) > 40
    assert graded - set(BY_PATH) == set()


def bracket_of(constant: Constant) -> str:
    """What the docstring says of evidence, also where it refers to another constant's."""
    text = " ".join(re.findall(r"\[([^\]]*)\]", constant.words))
    other = re.fullmatch(r"as (\w+)", text)
    return bracket_of(BY_PATH[f"{constant.module}.{other[1]}"]) if other else text


@pytest.mark.parametrize("constant", NAMED, ids=lambda constant: constant.path)
def test_the_table_says_of_a_constant_what_its_module_says(constant: Constant) -> None:
    words = bracket_of(constant)
    grade = "calibrated" if "calibrated" in words else constant.seen
    assert grade in words
    if constant.source not in ("assumed", "general-knowledge"):
        assert constant.source in words.lower()


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda constant: constant.path)
def test_a_constant_can_be_told_and_changed_and_is_itself_again(constant: Constant) -> None:
    assert len(constant.title) > 5
    usual = constant.fact()
    with constants.altered(constant, 1.1):
        assert constant.value is None or constant.fact().value != usual.value
    assert constant.fact() == usual


def test_a_constant_is_changed_wherever_it_was_imported_by_name() -> None:
    from simulator.machine import alarms, upkeep

    with constants.altered(BY_PATH["machine.alarms.TRIES_WITHIN"], 2.0):
        assert [vars(module)["TRIES_WITHIN"] for module in (alarms, upkeep)] == [10.0, 10.0]
    assert [vars(module)["TRIES_WITHIN"] for module in (alarms, upkeep)] == [5.0, 5.0]


def test_what_was_made_from_a_constant_follows_it() -> None:
    from simulator.patient import minerals

    usual = minerals.secretion(1.22, 1.22), minerals.CITRATE_LITER_PER_KG
    with constants.altered(BY_PATH["patient.minerals.SECRETION_MOST"], 1.5):
        assert minerals.secretion(1.22, 1.22) == pytest.approx(1.0), "rest stays rest"
        assert minerals.secretion(0.0, 1.22) == pytest.approx(9.0, rel=1e-3)
    with constants.altered(BY_PATH["patient.minerals.REFERENCE_WEIGHT"], 2.0):
        assert pytest.approx(0.2) == minerals.CITRATE_LITER_PER_KG
    assert (minerals.secretion(1.22, 1.22), minerals.CITRATE_LITER_PER_KG) == usual


FOLLOWERS = [(constant, name) for constant in CONSTANTS for name in constant.followers]


@pytest.mark.parametrize(
    ("constant", "name"), FOLLOWERS, ids=[f"{constant.path} {name}" for constant, name in FOLLOWERS]
)
def test_a_follower_of_a_constant_is_what_its_module_makes_of_it(
    constant: Constant, name: str
) -> None:
    home = import_module(f"simulator.{constant.module}")
    assert constant.value is not None
    assert constant.followers[name](constant.value) == getattr(home, name)
    assert len(FOLLOWERS) >= 2


def test_an_equation_is_changed_by_all_its_coefficients_at_once() -> None:
    from simulator.patient.volumes import volumes

    patient = scenario.load("natalizumab", ["patient.blood_volume={method: nadler}"]).patient
    usual = volumes(patient)
    with constants.altered(BY_PATH["patient.volumes.nadler_blood_volume"], 1.1):
        assert volumes(patient).blood == pytest.approx(1.1 * usual.blood)
    assert volumes(patient) == usual


def test_nothing_stays_changed_after_an_error() -> None:
    constant = BY_PATH["patient.water.FILTRATION"]
    usual = constant.value
    with pytest.raises(ZeroDivisionError), constants.altered(constant, 3.0):
        raise ZeroDivisionError
    assert constant.value == usual


# ---- what a run reads


@pytest.mark.parametrize("name", NAMES)
def test_cite_names_every_source_of_a_runs_numbers(name: str) -> None:
    loaded = scenario.load(name)
    uses = {use.key: use for use in provenance.sources_of(loaded)}
    assumed = {fact.path for fact in provenance.assumptions_of(loaded)}
    constants_read = [constant.fact() for constant in provenance.constants_of(loaded)]
    for fact in (*provenance.facts_of(loaded), *constants_read):
        if fact.source == "assumed":
            assert fact.path in assumed
        else:
            assert fact.path in uses[fact.source].numbers
    assert set(loaded.references) <= set(uses)
    assert set(uses) <= set(catalog.references())


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("stiff-person-acute", []),
        ("bad-veins", []),
        ("faults", []),
        ("plasma-donor", []),
        ("membrane", []),
        ("membrane", ["machine.device=tr-350"]),
        (
            "albumin-throughout",
            [
                "events=[{session: 1, at: 20 min, fault: paresthesia}]",
                "prescription={exchange: 1 PV, replacement: [{fluid: albumin-5, share: 100 %}]}",
            ],
        ),
        (
            "albumin-throughout",
            ["machine.device={like: spectra-optia, rinseback_volume: 400 mL}"],
        ),
    ],
)
def test_a_run_reads_no_entry_that_cite_leaves_out(
    name: str, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = scenario.load(name, changes)
    cited = {tuple(fact.path.split(".")[:2]) for fact in provenance.facts_of(loaded)}
    read: set[tuple[str, ...]] = set()
    usual = catalog.tree

    def recorded(kind: str, entry: str) -> Mapping[str, Any]:
        read.add((kind, entry))
        return usual(kind, entry)

    monkeypatch.setattr(catalog, "tree", recorded)
    simulate(loaded)
    assert read
    assert read - cited == set()


def test_only_the_estimate_that_is_used_is_cited() -> None:
    def estimates(*changes: str) -> set[str]:
        loaded = scenario.load("albumin-throughout", changes)
        return {c.name for c in provenance.constants_of(loaded) if c.name.endswith("_volume")}

    assert estimates() == {"nadler_blood_volume"}
    assert estimates("patient.blood_volume={method: kaplan}") == {"kaplan_plasma_volume"}
    assert estimates("patient.plasma_volume=2.5 L") == set()


# ---- what a reference stands behind


def test_every_number_stands_behind_exactly_one_reference_or_is_assumed(
    standings: Mapping[str, provenance.Standing],
) -> None:
    behind = [fact.path for standing in standings.values() for fact in standing.facts]
    assumed = [fact.path for fact in facts_with_constants() if fact.source == "assumed"]
    assert sorted([*behind, *assumed]) == sorted(fact.path for fact in facts_with_constants())


def test_an_inherited_number_is_counted_where_it_is_written() -> None:
    paths = [fact.path for fact in provenance.catalog_facts()]
    assert "solutes.igg.catabolism.intrinsic" in paths
    assert "solutes.igg1.catabolism.intrinsic" not in paths
    assert "solutes.igg3.catabolism.protected_fraction" in paths
    assert len(paths) == len(set(paths))


def test_each_reference_stands_behind_something_or_says_that_it_is_background(
    standings: Mapping[str, provenance.Standing],
) -> None:
    assert list(standings) == list(catalog.references())
    for standing in standings.values():
        line = citations.standing_of(standing)
        assert line.startswith("background") == standing.background
        in_full = citations.standing_in_full(standing)
        assert ("background" in in_full[0]) == standing.background


def test_a_published_case_counts_as_standing_behind() -> None:
    key = "keller-1979"
    assert provenance.standings({}, {})[key].background
    standing = provenance.standings({key: ["keller-1979"]}, {})[key]
    assert not standing.background
    assert citations.standing_of(standing) == "published cases: keller-1979"


def test_a_reference_that_a_longer_key_begins_with_is_not_the_one_named() -> None:
    fact = Fact("a.b.c", "1", "assumed", "assumed", note="as in zhao-weinstein-2019")
    assert provenance.names_source(fact, "zhao-weinstein-2019")
    assert not provenance.names_source(fact, "weinstein-2019")


def test_list_and_show_say_what_rests_on_a_reference() -> None:
    def printed(*arguments: str) -> str:
        command = [sys.executable, "-m", "simulator", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    listed = " ".join(printed("list", "references").split())
    assert "1 number: solutes.albumin.catabolism.intrinsic" in listed
    shown = printed("show", "kramer-2003")
    assert "patient.minerals.CITRATE_CLEARANCE = 0.71 L/min [abstract]" in shown
    assert "scenarios: liver-failure" in shown
