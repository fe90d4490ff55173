"""A folder of one's own entries: what it adds, what it may not, and how mistakes in it are told."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import catalog, scenario
from simulator.catalog import checks
from simulator.cli.catalog import list_command, show_command
from simulator.cli.check import check_command
from simulator.errors import CatalogError
from simulator.simulation import simulate

FACT = "source: assumed, seen: assumed, note: for this test"
CENTRIFUGE = f"""\
like: spectra-optia
title: A thicker pack
separator:
  packed_hematocrit: {{value: 85 %, source: my-lab, seen: paper, at: table 2}}
disturbances:
  clotting: {{value: 3 %, {FACT}}}
"""
ANTIBODY = f"""\
like: igg1
title: My antibody
unit: U/mL
initial: {{value: 100 U/mL, {FACT}}}
"""
ALBUMIN = f"""\
like: albumin-5
title: With an antibody
solutes: {{my-antibody: {{value: 1 U/mL, {FACT}}}}}
"""
CATHETER = f"""\
like: central-venous-catheter
inlet_flow_max: {{value: 55 mL/min, {FACT}}}
"""
LIBRARY = "my-lab: {citation: 'Our laboratory, twelve sessions of 2024', pmid: 12345678}\n"
SCENARIO = """\
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {my-antibody: {}}
machine: {device: my-centrifuge, access: my-catheter}
prescription: {exchange: 0.3 PV, replacement: [{fluid: my-albumin, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""
FILES = {
    "devices/my-centrifuge.yaml": CENTRIFUGE,
    "solutes/my-antibody.yaml": ANTIBODY,
    "fluids/my-albumin.yaml": ALBUMIN,
    "access/my-catheter.yaml": CATHETER,
    "references.yaml": LIBRARY,
}
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Makes the folder of files by their paths in it."""
    place = tmp_path / "mine"

    def made(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    monkeypatch.setenv(catalog.OWN_CATALOG, str(place))
    return made


def refusal(kind: str = "devices", name: str = "mine") -> str:
    """What is said when an entry is used."""
    load = {"devices": catalog.device, "fluids": catalog.fluid, "solutes": catalog.solute}
    with pytest.raises(CatalogError) as error:
        load[kind](name)
    return str(error.value)


# ---- what it adds


def test_one_file_each_adds_a_device_a_solute_a_fluid_and_an_access(folder: Folder) -> None:
    folder(FILES)
    result = simulate(scenario.loads(SCENARIO, "own"))
    session = result.sessions[0]
    assert session.solutes["my-antibody"].pre == pytest.approx(100)
    assert session.solutes["my-antibody"].given == pytest.approx(session.replacement)
    assert catalog.device("my-centrifuge").separator == catalog.CentrifugeFacts(0.85)
    machine = result.scenario.machine
    assert machine is not None
    assert machine.inlet_flow == 55
    assert "my-lab" in result.references
    assert catalog.references()["my-lab"].pmid == "12345678"


def test_what_is_not_said_is_that_of_the_entry_it_is_like(folder: Folder) -> None:
    folder(FILES)
    usual, own = catalog.device("spectra-optia"), catalog.device("my-centrifuge")
    assert own.disturbances == {**usual.disturbances, "clotting": 0.03}
    assert replace(
        own,
        name=usual.name,
        title=usual.title,
        separator=usual.separator,
        disturbances=usual.disturbances,
    ) == replace(usual, facts=own.facts)
    assert catalog.access("my-catheter").title == "my-catheter, like central-venous-catheter"
    assert catalog.solute("my-antibody").kin == ("my-antibody", "igg1", "igg")


@pytest.mark.parametrize("kind", ["devices", "fluids", "solutes", "access"])
def test_a_bundled_entry_written_out_whole_is_an_entry_of_ones_own(
    kind: str, folder: Folder
) -> None:
    folder(FILES)
    bundled = sorted(set(catalog.names(kind)) - set(catalog.own_names(kind)))
    folder(
        {
            f"{kind}/own-{name}.yaml": yaml.safe_dump(dict(catalog.tree(kind, name)))
            for name in bundled
        }
    )
    for name in bundled:
        usual, own = content_of(kind, name), content_of(kind, f"own-{name}")
        assert own == {**usual, "name": f"own-{name}", "kin": usual.get("kin") and own["kin"]}


def content_of(kind: str, name: str) -> dict[str, Any]:
    """The fields of an entry but for its facts."""
    entry: Any = getattr(catalog, kind.removesuffix("s") if kind != "access" else kind)(name)
    fields = [field.name for field in dataclasses.fields(entry) if field.name != "facts"]
    content = {field: getattr(entry, field) for field in fields}
    return {"kin": None, **content}


def test_own_entries_are_listed_as_such_and_shown_with_their_file(folder: Folder) -> None:
    place = folder(FILES)
    listed = CliRunner().invoke(list_command, ["devices"]).output
    (line,) = [line for line in listed.splitlines() if "my-centrifuge" in line]
    assert "centrifuge: A thicker pack (your own)" in line
    assert "your own" not in listed.replace(line, "")
    shown = CliRunner().invoke(show_command, ["my-centrifuge"]).output
    assert f"  from: {place / 'devices/my-centrifuge.yaml'}\n" in shown
    assert "  separator.packed_hematocrit = 85 %\n      my-lab [paper]\n      table 2\n" in shown
    library = CliRunner().invoke(show_command, ["my-lab"]).output
    assert "devices.my-centrifuge.separator.packed_hematocrit = 85 % [paper] table 2" in library


def test_a_change_of_a_file_is_seen_at_once(folder: Folder) -> None:
    folder(FILES)
    assert catalog.device("my-centrifuge").separator == catalog.CentrifugeFacts(0.85)
    folder({"devices/my-centrifuge.yaml": CENTRIFUGE.replace("85 %", "71.5 %")})
    assert catalog.device("my-centrifuge").separator == catalog.CentrifugeFacts(0.715)


def test_without_the_folder_nothing_is_there(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(FILES)
    assert catalog.own_names("devices") == ("my-centrifuge",)
    monkeypatch.setenv(catalog.OWN_CATALOG, "")
    assert catalog.own_names("devices") == ()
    with pytest.raises(CatalogError, match="'my-centrifuge' is not in the catalog of devices"):
        catalog.device("my-centrifuge")


# ---- reproducibility


def test_the_fingerprint_covers_what_own_entries_say(folder: Folder) -> None:
    folder(FILES)
    first = scenario.loads(SCENARIO, "own")
    assert set(first.own_entries) == {
        *("devices/my-centrifuge", "solutes/my-antibody"),
        *("fluids/my-albumin", "access/my-catheter"),
    }
    again = scenario.loads(scenario.dump(first), "again")
    assert scenario.digest(again) == scenario.digest(first)
    for name, old, new in (
        ("devices/my-centrifuge.yaml", "85 %", "84 %"),
        ("fluids/my-albumin.yaml", "1 U", "2 U"),
        ("access/my-catheter.yaml", "55 mL", "54 mL"),
        ("solutes/my-antibody.yaml", "value: 100", "value: 101"),
    ):
        assert old in FILES[name]
        folder({name: FILES[name].replace(old, new)})
        assert scenario.digest(scenario.loads(SCENARIO, "own")) != scenario.digest(first), name
        folder({name: FILES[name]})
        assert scenario.digest(scenario.loads(SCENARIO, "own")) == scenario.digest(first), name


def test_own_entries_that_a_scenario_does_not_name_leave_its_fingerprint_alone(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(FILES)
    with_folder = scenario.load("closed-form")
    monkeypatch.delenv(catalog.OWN_CATALOG)
    assert scenario.digest(with_folder) == scenario.digest(scenario.load("closed-form"))


# ---- mistakes, each at its line


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("inlet_flo: 3", "4: inlet_flo: unknown key 'inlet_flo'; did you mean 'inlet_flow'?"),
        ("inlet_flow: 50 mL/min", "4: inlet_flow: a number needs a source"),
        (f"inlet_flow: {{value: 50 mL, {FACT}}}", "4: inlet_flow.value: expected a flow"),
        (f"inlet_flow: {{value: 0 mL/min, {FACT}}}", "value: expected more than 0, got '0 mL/min'"),
        (f"inlet_flow: {{value: [1], {FACT}}}", "4: inlet_flow.value: expected text"),
        (f"inlet_flow: {{{FACT}}}", "4: inlet_flow: a number needs its value"),
        (f"inlet_flow: {{value: 50 mL/min, page: 3, {FACT}}}", "4: inlet_flow.page: unknown key"),
        (f"inlet_flow: {{value: 5000 mL/min, {FACT}}}", "4: inlet_flow: expected between 10 and"),
        ("inlet_flow: {value: 50 mL/min, source: ein-1968, seen: paper}", "did you mean 'ein-1969"),
        ("inlet_flow: {value: 50 mL/min, source: zzz, seen: paper}", "'zzz' is not in the bibliog"),
        ("inlet_flow: {value: 50 mL/min, source: ein-1969, seen: heard}", "4: inlet_flow.seen: ex"),
        ("inlet_flow: {value: 50 mL/min, source: assumed, seen: assumed}", "needs a note"),
        ("inlet_flow: {value: 50 mL/min, source: ein-1969, seen: assumed, note: x}", "both say so"),
        ("separator: {kind: bowl}", "4: separator.kind: what this is like has a centrifuge"),
        ("separator: {kind: bowel}", "got 'bowel'; did you mean 'bowl'?"),
        ("separator: 3", "4: separator: expected a mapping"),
        (f"separator: {{packed_hematocrit: {{value: 120 %, {FACT}}}}}", "between 0 % and 100 %"),
        ("treatment: {kind: adsorber}", "4: treatment: missing: columns, plasma_per_column, cap"),
        ("treatment: {columns: 1}", "4: treatment.kind: expected fractionator or adsorber"),
        ("anticoagulant: acd-b", "4: anticoagulant: 'acd-b' is not in the catalog of fluids; did"),
        (
            f"disturbances: {{cloting: {{value: 1 %, {FACT}}}}}",
            "4: disturbances.cloting: 'clot",
        ),
        (f"disturbances: {{blood-leak: {{value: 1 %, {FACT}}}}}", "cannot happen on mine (centrif"),
        (f"disturbances: {{clotting: {{value: 100 %, {FACT}}}}}", "expected less than 100 %"),
        (f"return_flow: {{value: 0 mL/min, {FACT}}}", "single_needle_volume: needs return_flow"),
        (f"single_needle_volume: {{value: 0 mL, {FACT}}}", "return_flow: needs single_needle_vol"),
        ("title: {a: b}", "4: title: expected text"),
        ("like: amicus", "4: like: a duplicate key"),
        ("? [a]\n: b", "4: expected a plain word before the colon"),
        ("a: b: c", "4: this is not readable as YAML: mapping values are not allowed"),
        ("\tprime_time: 3", "4: this is not readable as YAML"),
        ("title: &a b", "4: anchors (&), aliases (*) and tags (!) are not supported"),
        ("title: !!int 3", "4: anchors (&), aliases (*) and tags (!) are not supported"),
        ("title: " + "[" * 30 + "]" * 30, "4: nested more than 20 levels deep"),
    ],
)
def test_a_mistake_in_a_device_is_told_at_its_line(
    line: str, complaint: str, folder: Folder
) -> None:
    place = folder({"devices/mine.yaml": f"# Mine.\n\nlike: spectra-optia\n{line}\n"})
    text = SCENARIO.replace("my-centrifuge, access: my-catheter", "mine")
    with pytest.raises(CatalogError) as error:
        scenario.loads(text)
    told = str(error.value)
    assert f"{place / 'devices' / 'mine.yaml'}:" in told
    assert complaint in told
    with pytest.raises(CatalogError) as error:
        CliRunner().invoke(show_command, ["mine"], catch_exceptions=False)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "mine.yaml: expected 'key: value' lines"),
        ("- a", "mine.yaml: expected 'key: value' lines"),
        (b"\xff\xfe", "this is not UTF-8 text"),
        ("title: \x00", "this is not readable as YAML"),
        ("title: x # " + "x" * 2_000_000, "larger than 1 MiB"),
        ("title: x\n---\ntitle: y", "this is not readable as YAML"),
        ("title: x", "missing: separator, anticoagulant, anticoagulant_ratio, "),
        ("like: spectra-optea", ":1: like: 'spectra-optea' is not in the catalog of devices; did"),
        ("like: mine", ":1: like: goes in a circle: mine, which is like mine"),
        ("like: [a]", ":1: like: ['a'] is not in the catalog"),
    ],
    ids=range(10),
)
def test_a_file_that_is_no_device(content: str | bytes, complaint: str, folder: Folder) -> None:
    folder({"devices/mine.yaml": content})
    assert complaint in refusal()


def test_a_bowl_cannot_treat_its_plasma(folder: Folder) -> None:
    folder({"references.yaml": LIBRARY})
    column = {"like": "mcs-plus", "treatment": catalog.tree("devices", "tr-350")["treatment"]}
    folder({"devices/mine.yaml": yaml.safe_dump(column, sort_keys=False)})
    assert "mine.yaml:2: treatment: the plasma of a bowl goes to a bag" in refusal()
    column["like"] = "amicus"
    folder({"devices/mine.yaml": yaml.safe_dump(column, sort_keys=False)})
    assert catalog.machine_kind(catalog.device("mine")) == "adsorption"


def test_a_solute_needs_a_level_to_start_at(folder: Folder) -> None:
    folder({"references.yaml": LIBRARY})
    whole = dict(catalog.tree("solutes", "igg"))
    del whole["initial"]
    folder({"solutes/mine.yaml": yaml.safe_dump(whole)})
    assert "mine.yaml: missing: initial; or `like: <name>`" in refusal("solutes")


def test_a_circle_of_several_files_is_told(folder: Folder) -> None:
    folder({"devices/mine.yaml": "title: x\nlike: other\n", "devices/other.yaml": "like: mine"})
    assert "goes in a circle: mine, which is like other, which is like mine" in refusal()


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        (
            "fluids",
            f"solutes: {{iggg: {{value: 1 g/L, {FACT}}}}}",
            "no such solute; did you mean",
        ),
        ("fluids", f"solutes: {{igg: {{value: 1 mL, {FACT}}}}}", "expected a mass concentration"),
        ("fluids", f"citrate: {{value: -1 mmol/L, {FACT}}}", "expected at least 0"),
        ("solutes", "unit: U/mL", "2: unit: needs an `initial` in this unit"),
        ("solutes", "unit: mL", "2: unit: expected a concentration"),
        ("solutes", f"initial: {{value: 3 U, {FACT}}}", "2: initial.value: expected a mass conc"),
        (
            "solutes",
            f"catabolism: {{intrinsic: {{value: 3 g, {FACT}}}}}",
            "intrinsic.value: expe",
        ),
        ("solutes", f"intravascular_fraction: {{value: 45, {FACT}}}", "between 0 % and 100 %"),
    ],
)
def test_a_mistake_in_a_fluid_or_a_solute_is_told(
    kind: str, content: str, complaint: str, folder: Folder
) -> None:
    like = {"fluids": "albumin-5", "solutes": "igg"}[kind]
    folder({f"{kind}/mine.yaml": f"like: {like}\n{content}\n"})
    assert complaint in refusal(kind)


def test_all_mistakes_of_a_file_are_told_at_once(folder: Folder) -> None:
    folder({"devices/mine.yaml": "like: tr-350\nseparator: 3\ntitel: x\nprime_time: 3 min\n"})
    told = refusal().splitlines()
    assert told[0] == "3 problems in a catalog file of your own:"
    assert [line.split("mine.yaml:")[1][:2] for line in told[1:]] == ["2:", "3:", "4:"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [("iggg", "did you mean 'igg'?"), ("fibrinogn", "did you mean 'fibrinogen'?")],
)
def test_a_slip_of_the_pen_in_a_table_is_told(table: str, complaint: str, folder: Folder) -> None:
    extraction = f"treatment: {{extraction: {{{table}: {{value: 50 %, {FACT}}}}}}}"
    folder({"devices/mine.yaml": f"like: tr-350\n{extraction}\n"})
    assert complaint in refusal()


def test_a_table_may_know_a_solute_that_only_scenarios_follow(folder: Folder) -> None:
    extraction = f"treatment: {{extraction: {{anti-musk: {{value: 50 %, {FACT}}}}}}}"
    folder({"devices/mine.yaml": f"like: tr-350\n{extraction}\n"})
    treatment = catalog.device("mine").treatment
    assert isinstance(treatment, catalog.AdsorberFacts)
    assert treatment.extraction["anti-musk"] == 0.5


# ---- names and places


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("devices/spectra-optia.yaml", "'spectra-optia' is bundled with the program; choose anoth"),
        ("devices/My Device.yaml", "expected a name of lowercase letters, digits and hyphens"),
        ("devices/mine.yml", "expected a name that ends in .yaml"),
        ("device/mine.yaml", "did you mean devices/?"),
        ("mine.yaml", "has none of devices/, fluids/, solutes/, access/ references.yaml"),
    ],
)
def test_a_file_that_cannot_be_used_is_not_passed_over(
    file: str, complaint: str, folder: Folder
) -> None:
    folder({file: CENTRIFUGE})
    with pytest.raises(CatalogError) as error:
        catalog.names("devices")
    assert complaint in str(error.value)


def test_files_of_other_programs_are_passed_over(folder: Folder) -> None:
    others = {f"devices/{name}": "x" for name in ("README.md", ".mine.yaml.swp", "._mine.yaml")}
    folder({**FILES, **others, "notes/x.yaml": "x", "devices/old.yaml/x": "x"})
    assert catalog.own_names("devices") == ("my-centrifuge",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("ein-1969: {citation: Another one}", ":1: ein-1969: is in the bundled bibliography"),
        ("assumed: {citation: Another one}", ":1: assumed: means that there is no source"),
        (
            "my-lab: {cited: x}",
            ":1: my-lab.cited: unknown key 'cited'; known: citation, doi,",
        ),
        ("my-lab: x", ":1: my-lab: expected a mapping with a citation"),
        ("my-lab: {citation: [x]}", ":1: my-lab.citation: expected text"),
    ],
)
def test_a_mistake_in_ones_own_bibliography_is_told(
    content: str, complaint: str, folder: Folder
) -> None:
    folder({"references.yaml": content})
    with pytest.raises(CatalogError) as error:
        catalog.references()
    assert complaint in str(error.value)


def test_every_bundled_entry_would_pass_as_ones_own() -> None:
    """The checks of own files ask for no more than the bundled ones give."""
    known = checks.Known(
        catalog.names, catalog.references(), lambda name: str(catalog.tree("solutes", name)["unit"])
    )
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            text = yaml.safe_dump(dict(catalog.tree(kind, name)))
            content = yaml.load(text, Loader=yaml.BaseLoader)
            assert checks.complaints(kind, content, {}, known) == []


# ---- what filters know


@pytest.mark.parametrize(
    ("device", "kin", "unknown"),
    [
        ("spectra-optia", ("anti-x",), ()),
        ("plasmaflo-op-08w", ("anti-x",), ()),
        ("evacure-ec-4a", ("anti-x",), ("membrane",)),
        ("evacure-ec-4a", ("anti-x", "igg1", "igg"), ()),
        ("evacure-ec-4a", ("igm",), ()),
        ("dfpp-ec-20w", ("anti-x",), ("second filter",)),
        ("dfpp-ec-50w", ("anti-x",), ("membrane", "second filter")),
        ("tr-350", ("anti-x",), ()),
    ],
)
def test_a_filter_that_tells_proteins_apart_says_which_it_does_not_know(
    device: str, kin: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    assert catalog.unknown_to(catalog.device(device), kin) == unknown


def test_a_solute_with_kinetics_of_its_own_is_known_by_its_name() -> None:
    """A column in which a scenario names it would otherwise pass it over."""
    text = SCENARIO.replace(
        "{my-antibody: {}}",
        "{anti-x: {unit: U/L, initial: 10 U/L, intravascular_fraction: 50 %, "
        "transcapillary_escape: 3 %/h, half_life: 20 d}}",
    ).replace("device: my-centrifuge, access: my-catheter", "device: tr-350")
    text = text.replace("my-albumin", "albumin-5")
    assert scenario.loads(text).solutes["anti-x"].kinetics.kin == ("anti-x",)
    named = "machine.device={like: tr-350, treatment: {extraction: {anti-x: 100 %}}}"
    unbound, bound = (simulate(scenario.loads(text, overrides=o)) for o in ((), (named,)))
    before, after = (r.sessions[0].solutes["anti-x"].post for r in (unbound, bound))
    assert before is not None
    assert after is not None
    assert before > 9.5
    assert after < 8.5


# ---- the command line


def run(*arguments: str, cwd: Path, catalog_folder: str) -> tuple[int, str]:
    """Exit code and what is said on the error stream."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=cwd,
        env={**os.environ, catalog.OWN_CATALOG: catalog_folder},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("check", "s.yaml"), ("run", "s.yaml"), ("show", "my-centrifuge"), ("list", "devices")],
    ids=lambda arguments: arguments[0],
)
def test_a_bad_file_is_an_error_with_code_3(
    arguments: tuple[str, ...], tmp_path: Path, folder: Folder
) -> None:
    place = folder({**FILES, "devices/my-centrifuge.yaml": CENTRIFUGE + "inlet_flo: 3\n"})
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    code, told = run(*arguments, cwd=tmp_path, catalog_folder=str(place))
    assert code == 3
    assert told.startswith("Error: 1 problem in a catalog file of your own:\n")
    assert "my-centrifuge.yaml:7: inlet_flo: unknown key 'inlet_flo'; did you mean" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("named", ["nowhere", "s.yaml"])
def test_a_folder_that_is_none_is_an_error_with_code_3(named: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    code, told = run("check", "closed-form", cwd=tmp_path, catalog_folder=named)
    assert code == 3
    assert told.startswith(f"Error: APHERESIS_CATALOG: {named} is ")


def test_help_does_not_need_the_folder(tmp_path: Path) -> None:
    assert run("--help", cwd=tmp_path, catalog_folder="nowhere") == (0, "")


def test_problems_of_scenarios_are_told_beside_those_of_the_catalog(
    tmp_path: Path, folder: Folder
) -> None:
    folder({**FILES, "devices/my-centrifuge.yaml": "like: x"})
    for name, text in (("a", SCENARIO), ("b", SCENARIO.replace("68 kg", "68 cm"))):
        other = text.replace("my-centrifuge", "amicus") if name == "b" else text
        (tmp_path / f"{name}.yaml").write_text(other, encoding="utf-8")
    files = [str(tmp_path / f"{name}.yaml") for name in "aab"]
    done = CliRunner().invoke(check_command, files)
    assert done.output.count("in a catalog file of your own") == 1
    assert "patient.weight" in str(done.exception)


# ---- any text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cuts=st.lists(
        st.tuples(
            st.integers(0, len(CENTRIFUGE) - 1),
            st.sampled_from(
                [
                    *"\n\t :{}[]&*!#%-,'\"é",
                    "null",
                    "- ",
                    "1e999",
                    "<<: ",
                    "kind: bowl",
                    "like: mine",
                ]
            ),
            st.integers(0, 12),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_a_file_says_it_is_used_or_refused(
    cuts: list[tuple[int, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = CENTRIFUGE
    for place, new, length in cuts:
        text = text[:place] + new + text[place + length :]
    mine = tmp_path_factory.mktemp("any")
    (mine / "devices").mkdir()
    (mine / "devices" / "mine.yaml").write_text(text, encoding="utf-8")
    (mine / "references.yaml").write_text(LIBRARY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(catalog.OWN_CATALOG, str(mine))
        with suppress(CatalogError):
            assert catalog.device("mine").name == "mine"
