"""Events: fluids given by hand, doses within a session, another replacement from some minute on."""

from __future__ import annotations

import pytest
from stand_ins import SMALL

from simulator import catalog, scenario
from simulator.errors import ScenarioError
from simulator.machine.alarms import BY_FAULT, FAULTS, REACTIONS
from simulator.scenario.model import Dose, Event, Fault, FluidDose, Setting


def events(*lines: str, also: str = "") -> tuple[Event, ...]:
    """What a scenario makes of events, and its resolved file after it."""
    text = SMALL + also + "events:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    loaded = scenario.loads(text)
    assert scenario.loads(scenario.dump(loaded)) == loaded
    return loaded.events


def test_fluids_given_by_hand() -> None:
    calcium, citrate, saline = map(catalog.fluid, ("calcium-gluconate-10", "acd-a", "saline"))
    assert events(
        "at: 40 min, session: 1, give: calcium-gluconate-10, dose: 10 mL, over: 10 min",
        "at: 0 d, give: acd-a, dose: 0.6 L, over: 90 min",
        "at: 1 d, give: saline, dose: 5 mL/kg",
        "at: 1 d, give: saline, dose: 0 mL",
    ) == (
        FluidDose(40, calcium, 10, 10, 1),
        FluidDose(0, citrate, 600, 90),
        FluidDose(1440, saline, 340),
        FluidDose(1440, saline, 0),
    )


def test_solutes_given_within_a_session() -> None:
    assert events("session: 2, at: 1.5 h, give: igg, dose: 0.5 g/kg, over: 1 h") == (
        Dose(90, "igg", 34, 60, 2),
    )


def test_a_solute_followed_hides_a_fluid_of_its_name() -> None:
    followed = "solutes: {saline: {like: igg1, initial: 3 mg/L}}\n"
    assert events("at: 1 d, give: saline, dose: 3 mg", also=followed) == (Dose(1440, "saline", 3),)
    with pytest.raises(ScenarioError, match="expected a mass, such as '1 mg'"):
        events("at: 1 d, give: saline, dose: 3 mL", also=followed)


def test_what_could_be_given_is_told() -> None:
    with pytest.raises(ScenarioError, match=r"known: albumin, igg, acd-a, .*saline"):
        events("at: 1 d, give: xyzzy, dose: 3 mL")


@pytest.mark.parametrize(
    ("when", "at", "session"),
    [("session: 1, at: 60 min", 60, 1), ("at: 1 d", 1440, None)],
)
def test_another_replacement_from_now_on(when: str, at: float, session: int | None) -> None:
    plasma = catalog.fluid("fresh-frozen-plasma")
    set_it = "set: prescription.replacement, to:"
    assert events(f"{when}, {set_it} fresh-frozen-plasma") == (
        Setting("prescription.replacement", plasma, "fresh-frozen-plasma", at, session),
    )
    (changed,) = events(f"{when}, {set_it} {{like: albumin-4, container: 250 mL}}")
    assert isinstance(changed, Setting)
    assert (changed.value.container, changed.text) == (250, "albumin-4")


def test_what_could_go_wrong_is_told() -> None:
    with pytest.raises(ScenarioError, match=f"; known: {', '.join(FAULTS)}"):
        events("session: 1, at: 20 min, fault: xyzzy")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_let_happen_where_it_can_happen(fault: str) -> None:
    some = {"membrane": "tr-350", "bowl": "mcs-plus"}
    only = BY_FAULT[fault].only if fault in BY_FAULT else ()
    device = some.get(only[0], "amicus") if only else "amicus"
    machine = f"machine: {{device: {device}}}\n"
    assert events(f"session: 1, at: 20 min, fault: {fault}", also=machine) == (Fault(1, 20, fault),)


@pytest.mark.parametrize("device", catalog.names("devices"))
def test_a_device_can_have_the_faults_of_its_separator_and_no_others(device: str) -> None:
    kind = catalog.separator_kind(catalog.device(device))
    machine = f"machine: {{device: {device}}}\n"
    for fault, alarm in BY_FAULT.items():
        line = f"session: 1, at: 20 min, fault: {fault}"
        if not alarm.only or kind in alarm.only:
            assert events(line, also=machine)
        else:
            with pytest.raises(ScenarioError, match=f"cannot happen on {device}.*; it can have: "):
                events(line, also=machine)


@pytest.mark.parametrize("device", catalog.names("devices"))
def test_reactions_of_the_patient_happen_on_every_device(device: str) -> None:
    for reaction in REACTIONS:
        line = f"session: 1, at: 20 min, fault: {reaction}"
        assert events(line, also=f"machine: {{device: {device}}}\n")
