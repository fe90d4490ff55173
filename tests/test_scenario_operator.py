"""Who attends the machine, what fills its circuit, and its numbers changed in place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from stand_ins import SMALL

from simulator import catalog, scenario
from simulator.errors import ScenarioError
from simulator.scenario.model import Attendance, MachineSettings, Scenario

TYPICAL = SMALL + "machine: {disturbances: typical}\n"
NURSE = catalog.operator("nurse")
USUAL = Attendance(1, NURSE.response, NURSE.vital_signs)


def comes_back(text: str, *overrides: str) -> Scenario:
    """The scenario of a text, whose resolved file says the same."""
    loaded = scenario.loads(text, overrides=overrides)
    again = scenario.loads(scenario.dump(loaded))
    assert again == loaded
    assert scenario.dump(again) == scenario.dump(loaded)
    assert scenario.digest(again) == scenario.digest(loaded)
    return loaded


def machine_of(lines: str) -> MachineSettings:
    machine = comes_back(SMALL + f"machine: {lines}\n").machine
    assert machine is not None
    return machine


# ---- the operator


def test_the_catalogs_operator() -> None:
    assert catalog.operator("nurse").response == pytest.approx(20 / 60)
    assert (NURSE.response_spread, NURSE.vital_signs, NURSE.vital_signs_time) == (0.5, 15, 1.5)
    assert {fact.path.split(".")[2] for fact in NURSE.facts.values()} == set(
        catalog.quantity_fields(catalog.Operator)
    )
    assert catalog.operator("nurse", {"response": "1 min"}).response == 1


def test_nobody_is_called_while_nothing_random_happens() -> None:
    loaded = comes_back(SMALL)
    assert loaded.operator is None
    assert "operator" not in loaded.document


def test_what_usually_goes_wrong_needs_the_usual_operator() -> None:
    loaded = comes_back(TYPICAL)
    assert loaded.machine is not None
    assert loaded.machine.disturbances == "typical"
    assert loaded.operator == USUAL
    assert loaded.document["operator"] == {
        "machines": 1,
        "response": "20 s",
        "vital_signs": "15 min",
    }


@pytest.mark.parametrize(
    ("written", "attendance"),
    [
        ("{}", USUAL),
        ("{machines: 3}", Attendance(3, USUAL.response, USUAL.vital_signs)),
        ("{machines: 3, response: 30 s, vital_signs: 20 min}", Attendance(3, 0.5, 20)),
        ("{response: 0 s, vital_signs: 1 h}", Attendance(1, 0, 60)),
        ("{vital_signs: never}", Attendance(1, USUAL.response, math.inf)),
    ],
)
def test_an_operator_is_who_the_file_says(written: str, attendance: Attendance) -> None:
    for text in (SMALL, TYPICAL):
        loaded = comes_back(text + f"operator: {written}\n")
        assert loaded.operator == attendance
        assert set(loaded.document["operator"]) == {"machines", "response", "vital_signs"}


def test_the_section_stands_after_the_machine_in_the_resolved_file() -> None:
    keys = list(scenario.loads("operator: {}\n" + SMALL.lstrip()).document)
    assert keys[keys.index("machine") + 1] == "operator"


def test_an_empty_section_is_none() -> None:
    assert comes_back(SMALL + "operator:\n").operator is None
    assert comes_back(TYPICAL + "operator:\n").operator == USUAL


def test_the_command_line_sets_the_operator() -> None:
    assert comes_back(TYPICAL, "operator.machines=4").operator == Attendance(
        4, USUAL.response, USUAL.vital_signs
    )
    assert comes_back(SMALL, "operator.vital_signs=never").operator == Attendance(
        1, USUAL.response, math.inf
    )
    resolved = scenario.dump(scenario.loads(TYPICAL))
    assert comes_back(resolved, "operator.response=1 min").operator == Attendance(
        1, 1.0, USUAL.vital_signs
    )


def test_operators_differ_in_the_fingerprint() -> None:
    prints = [
        scenario.digest(scenario.loads(SMALL + f"operator: {{machines: {machines}}}\n"))
        for machines in (1, 2)
    ]
    assert len({*prints, scenario.digest(scenario.loads(SMALL))}) == 3


def test_the_number_of_machines_can_be_swept() -> None:
    sweep = "sweep: {vary: {operator.machines: [1, 2, 3], operator.response: [20 s, 1 min]}}\n"
    assert comes_back(SMALL + sweep).operator is None
    with pytest.raises(ScenarioError, match="a whole number from 1 to 20, got 30"):
        scenario.loads(SMALL + sweep.replace("3]", "30]"))


# ---- prime and rinseback


@pytest.mark.parametrize(
    "lines", ["{}", "{prime: saline}", "{prime: {like: saline}}", "{prime: {container: 125 mL}}"]
)
def test_saline_is_the_usual_prime(lines: str) -> None:
    assert machine_of(lines).prime is None
    assert scenario.loads(SMALL).document["machine"]["prime"] == "saline"


def test_another_prime() -> None:
    albumin = machine_of("{prime: albumin-5}").prime
    assert albumin == catalog.fluid("albumin-5")
    citrated = machine_of("{prime: {like: saline, citrate: 10 mmol/L}}").prime
    assert citrated is not None
    assert (citrated.name, citrated.citrate) == ("saline", 10)
    assert machine_of("{prime: {citrate: 10 mmol/L}}").prime == citrated
    over = comes_back(
        SMALL, "machine.prime=albumin-5", "machine.prime.solutes.albumin=40 g/L"
    ).machine
    assert over is not None
    assert over.prime is not None
    assert over.prime.solutes["albumin"] == "40 g/L"


@pytest.mark.parametrize(
    ("lines", "rinsed"),
    [
        ("{}", True),
        ("{rinseback: yes}", True),
        ("{rinseback: true}", True),
        ('{rinseback: "no"}', False),
        ("{rinseback: no}", False),
        ("{rinseback: false}", False),
    ],
)
def test_rinseback_in_words_or_as_yaml_has_it(lines: str, rinsed: bool) -> None:
    assert machine_of(lines).rinseback is rinsed
    text = scenario.dump(scenario.loads(SMALL + f"machine: {lines}\n"))
    assert f"  rinseback: {str(rinsed).lower()}\n" in text


def test_rinseback_on_the_command_line() -> None:
    machine = comes_back(SMALL, "machine.rinseback=no").machine
    assert machine is not None
    assert not machine.rinseback


# ---- numbers changed in place


def numbers(entry: Any) -> dict[str, str]:
    """Every number that the catalog has of an entry, by its key, as text."""
    own = catalog.quantity_fields(type(entry))
    found = {}
    for path, fact in entry.facts.items():
        if (key := path.split(".", 2)[2]) in own:
            found[key] = fact.value
    return found


def mapping(content: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in content.items())


@pytest.mark.parametrize("name", catalog.names("access"))
def test_an_access_written_out_is_the_catalogs(name: str) -> None:
    entry = catalog.access(name)
    content = numbers(entry)
    assert "inlet_flow_max" in content
    flow = f"{min(entry.inlet_flow_max, 50)} mL/min"
    changed = machine_of(f"{{access: {{like: {name}, {mapping(content)}}}, inlet_flow: {flow}}}")
    assert changed.access == entry


@pytest.mark.parametrize("name", catalog.names("devices"))
def test_a_device_written_out_is_the_catalogs(name: str) -> None:
    entry = catalog.device(name)
    content = numbers(entry)
    assert len(content) > 15
    assert machine_of(f"{{device: {{like: {name}, {mapping(content)}}}}}").device == entry


@pytest.mark.parametrize("name", catalog.names("fluids"))
def test_a_fluid_written_out_is_the_catalogs(name: str) -> None:
    entry = catalog.fluid(name)
    fluid = machine_of(
        f"{{anticoagulant: {{fluid: {{like: {name}, {mapping(numbers(entry))}}}}}}}"
    ).anticoagulant
    assert fluid == entry


def test_an_access_that_recirculates() -> None:
    access = machine_of("{access: {like: dialysis-catheter, recirculation: 15 %}}").access
    assert access.recirculation == pytest.approx(0.15)
    assert machine_of("{access: {recirculation: 0 %}}").access.recirculation == 0


def test_a_device_on_which_something_else_goes_wrong() -> None:
    usual = catalog.device("amicus").disturbances
    device = machine_of("{device: {like: amicus, disturbances: {clotting: 20 %}}}").device
    assert device.disturbances == {**usual, "clotting": pytest.approx(0.2)}
    assert "devices.amicus.disturbances.clotting" not in device.facts
    assert "devices.amicus.disturbances.power-failure" in device.facts
