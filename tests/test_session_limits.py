"""What is changed in the middle of a session on a bowl, and what ends any session; whole runs."""

from __future__ import annotations

import pytest
from stand_ins import SMALL

from simulator import scenario
from simulator.errors import ImpossibleRunError, ScenarioError
from simulator.result import Result
from simulator.simulation import simulate


def run(device: str, *overrides: str) -> Result:
    chosen = [f"machine={{device: {device}}}", "course={sessions: 1}", *overrides]
    return simulate(scenario.loads(SMALL, "changes", chosen))


def calcium_given(result: Result) -> float:
    """mL of calcium gluconate: what the fluid balance leaves beside anticoagulant and albumin."""
    session = result.sessions[0]
    assert session.fluid_balance is not None
    given = session.fluid_balance * session.plasma_removed
    return given - session.anticoagulant - session.replacement


def test_a_calcium_rate_that_is_changed_holds_from_then_on_and_not_backward() -> None:
    order = "prescription.calcium={fluid: calcium-gluconate-10, rate: 0 g/h}"
    change = "events=[{session: 1, at: 60 min, set: prescription.calcium.rate, to: 10 g/h}]"
    result = run("mcs-plus", order, change)
    last_return = max(e.minute or 0.0 for e in result.events if e.event == "return")
    assert calcium_given(result) == pytest.approx((last_return - 60) * 10 / 6, abs=1e-6)


def test_a_fluid_balance_that_is_changed_holds_for_the_plasma_taken_off_from_then_on() -> None:
    change = "events=[{session: 1, at: 120 min, set: prescription.fluid_balance, to: 120 %}]"
    session = run("mcs-plus", change).sessions[0]
    assert session.fluid_balance is not None
    assert 1.01 < session.fluid_balance < 1.15
    assert run("mcs-plus").sessions[0].fluid_balance == pytest.approx(1.0, abs=1e-9)


def test_blood_too_thick_for_a_filter_ends_the_session_and_not_the_day() -> None:
    for hematocrit in ("58 %", "59 %"):
        result = run(
            "plasmaflo-op-08w", f"patient.hematocrit={hematocrit}", "patient.fluid_shift=none",
            "prescription.replacement=[]",
        )  # fmt: skip
        session = result.sessions[0]
        assert not session.completed
        assert session.stop_reason is not None
        assert session.stop_reason.startswith("the filter gives hardly any plasma at a hematocrit")
        assert session.run_minutes < 300


def test_blood_nearly_as_thick_as_the_cells_that_a_centrifuge_packs_ends_the_session() -> None:
    result = run(
        "cobe-spectra", "patient.hematocrit=45 %", "patient.fluid_shift=none",
        "prescription={exchange: 1.5 PV, replacement: []}",
    )  # fmt: skip
    session = result.sessions[0]
    assert session.stop_reason is not None
    assert session.stop_reason.startswith("the centrifuge gives hardly any plasma")
    warnings = [event.detail for event in result.events if event.event == "warning"]
    assert any("nearly as thick as the cells" in text for text in warnings)
    assert any("of the blood volume" in text or "blood volume is" in text for text in warnings)


def test_a_draw_that_leaves_hardly_any_blood_is_refused() -> None:
    child = (
        "patient={sex: female, weight: 8 kg, height: 70 cm, hematocrit: 38 %, "
        "blood_volume: {value: 560 mL}}"
    )
    with pytest.raises(ImpossibleRunError, match="blood volume has fallen to"):
        run("pcs2", child)


@pytest.mark.parametrize("fault", ["blood-leak", "filter-clotting"])
@pytest.mark.parametrize("lasting", ["", ", for: 3 min"])
def test_what_nobody_can_mend_ends_the_session_however_long_it_is_said_to_last(
    fault: str, lasting: str
) -> None:
    event = f"events=[{{session: 1, at: 30 min, fault: {fault}{lasting}}}]"
    session = run("tr-350", event).sessions[0]
    assert session.stop_reason == fault


def test_clumps_are_answered_with_more_anticoagulant() -> None:
    event = "events=[{session: 1, at: 30 min, fault: clotting}]"
    calm, clumped = run("spectra-optia").sessions[0], run("spectra-optia", event).sessions[0]
    assert clumped.anticoagulant > 1.1 * calm.anticoagulant


def test_an_anticoagulant_of_blood_neither_replaces_plasma_nor_primes() -> None:
    with pytest.raises(ScenarioError, match="heparin keeps blood from clotting"):
        run("tr-350", "prescription.replacement=[{fluid: heparin, share: 100 %}]")
    with pytest.raises(ScenarioError, match="would be an overdose"):
        run("tr-350", "machine.prime=heparin")


def test_warnings_stand_in_the_summary() -> None:
    result = run("plasmaflo-op-08w", "machine.plasma_flow=45 mL/min")
    told = [event.detail for event in result.events if event.event == "warning"]
    assert told
    assert [w["warning"] for w in result.summary()["warnings"]] == told
