"""What devices must show beside the published cases: two numbers that no run's outcome shows, and
what the descriptions of their scenarios say.
"""

from __future__ import annotations

import pytest

from simulator import catalog
from simulator import scenario as scenarios
from simulator.catalog import MembraneFacts
from simulator.machine.separators import Bowl, Membrane, separator
from simulator.result import SessionResult
from simulator.simulation import simulate

CONVENTIONAL, NOVEL = "dfpp-ec-20w", "dfpp-ec-50w"


def test_transmembrane_pressure_is_that_of_sessions_without_a_clot() -> None:
    """Calibration: 44.4 mmHg on average without, 57.5 mmHg with a clot (jca-2021)."""
    device = catalog.device("plasmaflo-op-08w")
    membrane = separator(device)
    assert isinstance(membrane, Membrane)
    assert isinstance(device.separator, MembraneFacts)
    flow = membrane.plasma_flow(device.inlet_flow, 0.40)
    pressures = []
    for _ in range(300):  # 3 L in steps of 10 mL
        pressures.append(membrane.pressure(flow))
        membrane.foul(flow, 10 / flow)
    assert sum(pressures) / len(pressures) == pytest.approx(44.4, abs=0.5)
    assert pressures[-1] < 57.5 < device.separator.transmembrane_pressure_max


def test_a_cycle_draws_the_volume_of_the_vendors_chart() -> None:
    """535 mL for a bowl of 225 mL, hematocrit 40 %, ratio 10 (haemonetics-red-book, input)."""
    bowl = separator(catalog.device("mcs-plus"))
    assert isinstance(bowl, Bowl)
    assert bowl.cycle_volume(0.40 * 0.9) == pytest.approx(535, abs=0.5)


# -- what the scenarios of the devices say ---------------------------------------------------------


def percent(name: str, *changes: str) -> dict[str, int]:
    """Levels after the last session, % of the first ones."""
    result = simulate(scenarios.load(name, changes))
    after = result.sessions[-1].solutes
    return {k: round(100 * (after[k].post or 0) / s.initial) for k, s in result.solutes.items()}


def first_session(name: str, *changes: str) -> SessionResult:
    return simulate(scenarios.load(name, changes)).sessions[0]


def test_the_bowl_scenario_says_what_comes_out() -> None:
    bowl = first_session("bowl-or-continuous")
    continuous = first_session("bowl-or-continuous", "machine.device=spectra-optia")
    thin = first_session("bowl-or-continuous", "patient.hematocrit=28 %")
    assert bowl.bowl_cycles == 10
    assert [round(s.run_minutes) for s in (bowl, continuous)] == [148, 87]
    assert [round(s.blood_outside) for s in (bowl, continuous, thin)] == [592, 141, 751]
    assert [round(100 * s.blood_volume_nadir) for s in (bowl, continuous)] == [-18, -9]


def test_the_membrane_scenario_says_what_comes_out() -> None:
    result = simulate(scenarios.load("membrane"))
    alarm = next(e for e in result.events if e.event == "alarm:transmembrane-pressure-high")
    assert "60 mmHg" in alarm.detail
    assert round(alarm.minute or 0) == 100
    assert round(result.sessions[0].run_minutes) == 167
    other = first_session("membrane", "machine.device=prismaflex-tpe2000")
    assert round(other.run_minutes) == 153
    assert not other.alarms["transmembrane-pressure-high"]
    assert percent("membrane")["igg"] == 33


def test_the_scenarios_of_selective_exchange_say_what_comes_out() -> None:
    names = ("igg", "iga", "fibrinogen", "igm")
    selective, conventional = percent("selective-exchange"), percent("conventional-exchange")
    assert [100 - selective[n] for n in names] == [70, 41, 29, 3]
    assert [100 - conventional[n] for n in names] == [77, 71, 76, 80]
    assert selective["albumin"] == 138


def test_the_scenario_of_double_filtration_says_what_comes_out() -> None:
    names = ("igg", "igm", "fibrinogen")
    novel = percent("double-filtration", f"machine.device={NOVEL}")
    assert [100 - percent("double-filtration")[n] for n in names] == [75, 85, 77]
    assert [100 - novel[n] for n in names] == [63, 16, 39]
    for device, lowest in ((CONVENTIONAL, -16), (NOVEL, -11)):
        session = first_session("double-filtration", f"machine.device={device}")
        assert round(100 * session.blood_volume_nadir) == lowest
        assert session.alarms["transmembrane-pressure-high"] == 1


@pytest.mark.parametrize(
    ("device", "levels", "minutes"),
    [
        ("spectra-optia", [16, 22, 15, 19, 120], 92),
        (CONVENTIONAL, [24, 28, 15, 24, 103], 100),
        ("tr-350", [21, 44, 24, 24, 84], 127),
    ],
)
def test_the_scenario_of_immunoadsorption_says_what_comes_out(
    device: str, levels: list[int], minutes: int
) -> None:
    change = f"machine.device={device}"
    after = percent("immunoadsorption-or-exchange", change)
    names = ("anti-achr", "iga", "igm", "fibrinogen", "albumin")
    assert [after[n] for n in names] == levels
    result = simulate(scenarios.load("immunoadsorption-or-exchange", (change,)))
    assert round(result.sessions[-1].run_minutes) == minutes
    assert 0.675 <= result.solutes["anti-achr"].final / 20 <= 0.725


def test_the_donor_scenario_says_what_comes_out() -> None:
    result = simulate(scenarios.load("plasma-donor"))
    last = result.sessions[-1]
    igg, albumin = last.solutes["igg"], last.solutes["albumin"]
    assert (round(igg.pre, 2), round(igg.post or 0, 2)) == (7.74, 7.07)
    assert (round(albumin.pre), round(albumin.post or 0)) == (41, 38)
    assert round(100 * last.solutes["igm"].pre) == 92
    assert round(100 * last.solutes["iga"].pre / result.solutes["iga"].initial) == 96
    assert round(10 * result.solutes["igg"].final) == 91
    assert (round(last.run_minutes), last.bowl_cycles) == (46, 4)
    assert last.plasma_removed == pytest.approx(730, abs=5)
    assert min(round(100 * s.blood_volume_nadir) for s in result.sessions) == -14
