"""The promise to a newcomer: one new file or row, and everything else follows by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import catalog, scenario
from simulator.catalog import bundled
from simulator.machine import separators
from simulator.machine.alarms import BY_FAULT, Alarm
from simulator.patient.reactions import LAWS
from simulator.simulation import simulate

NEW_FILES = {
    "solutes/newcomer.yaml": """
        title: A protein nobody has followed before
        unit: mg/L
        initial: {value: 50 mg/L, source: assumed, seen: assumed, note: for this test}
        intravascular_fraction: {value: 60 %, source: assumed, seen: assumed, note: for this test}
        transcapillary_escape: {value: 2 %/h, source: assumed, seen: assumed, note: for this test}
        catabolism:
          intrinsic: {value: 20 %/d, source: assumed, seen: assumed, note: for this test}
    """,
    "fluids/newcomer-fluid.yaml": """
        like: albumin-5
        title: Albumin with a little of the newcomer
        solutes:
          newcomer: {value: 10 mg/L, source: assumed, seen: assumed, note: for this test}
    """,
    "devices/newcomer-machine.yaml": """
        like: spectra-optia
        title: A centrifuge that packs less
        separator:
          packed_hematocrit: {value: 70 %, source: assumed, seen: assumed, note: for this test}
    """,
    "access/newcomer-access.yaml": """
        like: central-venous-catheter
        title: A thin catheter
        inlet_flow_max: {value: 50 mL/min, source: assumed, seen: assumed, note: for this test}
    """,
}

SCENARIO = """
format: 1
title: Everything new
patient: {sex: female, weight: 60 kg, height: 165 cm, hematocrit: 38 %}
solutes: {newcomer: {}}
machine: {device: newcomer-machine, access: newcomer-access}
prescription: {exchange: 1.0 PV, replacement: [{fluid: newcomer-fluid, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 2 d}
"""


@pytest.fixture
def grown_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The catalog in a folder of its own, with one new file of each kind."""
    place = tmp_path / "catalog"
    shutil.copytree(Path(catalog.__file__).parent, place)
    for name, text in NEW_FILES.items():
        (place / name).write_text(text.replace("\n        ", "\n"), encoding="utf-8")
    monkeypatch.setattr(bundled, "FOLDER", place)
    catalog.tree.cache_clear()
    yield
    catalog.tree.cache_clear()


@pytest.mark.usefixtures("grown_catalog")
def test_one_file_each_adds_a_solute_a_fluid_a_device_and_an_access() -> None:
    result = simulate(scenario.loads(SCENARIO, "new"))
    session = result.sessions[0]
    newcomer = session.solutes["newcomer"]
    assert newcomer.pre == pytest.approx(50)
    assert newcomer.post is not None
    assert 10 < newcomer.post < 30
    assert newcomer.given == pytest.approx(session.replacement * 10 / 1000)
    assert session.plasma_removal_efficiency == pytest.approx(0.77, abs=0.03)
    assert session.run_minutes > 110  # at 50 mL/min
    assert abs(result.balance["newcomer_relative"]) < 1e-12


ONE_OF_EACH = {
    next(kind for kind, of in catalog.SEPARATORS.items() if type(device.separator) is of): name
    for name, device in ((name, catalog.device(name)) for name in catalog.names("devices"))
}
"""A device by the kind of its separator."""

PLAIN = """
format: 1
title: Nothing new
patient: {sex: female, weight: 60 kg, height: 165 cm, hematocrit: 38 %}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
"""


@pytest.mark.parametrize("alarm", BY_FAULT.values(), ids=lambda alarm: alarm.name)
def test_every_row_of_the_alarms_is_a_fault_that_a_scenario_may_name(alarm: Alarm) -> None:
    event = f"events=[{{session: 1, at: 30 min, fault: {alarm.fault}, for: 1 min}}]"
    for kind in alarm.only or catalog.SEPARATORS:
        device = f"machine={{device: {ONE_OF_EACH[kind]}}}"
        result = simulate(scenario.loads(PLAIN, "alarms", [device, event]))
        assert result.sessions[0].alarms[alarm.name] >= 1, kind


@pytest.mark.parametrize("name", catalog.names("reactions"))
def test_every_file_of_the_reactions_is_one_that_a_scenario_may_name(name: str) -> None:
    assert catalog.reaction(name).law in LAWS
    event = f"events=[{{session: 1, at: 30 min, fault: {name}}}]"
    assert simulate(scenario.loads(PLAIN, "reactions", [event])).sessions[0].reactions[name] == 1


def test_every_device_names_a_kind_of_separator_that_exists() -> None:
    names = catalog.names("devices")
    assert names
    for name in names:
        device = catalog.device(name)
        assert separators.separator(device).plasma_flow(60, 0.35) > 0
