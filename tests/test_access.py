"""The vascular access: pressure and flow, the vessel's moves, new tries, and recirculation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import (
    ALONE,
    LARGE_BOTTLES,
    StandIn,
    at,
    collapse,
    collapses,
    event_names,
    fault,
    machine,
    rinsed,
    run,
    session,
    standing,
    told,
)

from simulator import catalog
from simulator.errors import ImpossibleRunError
from simulator.luck import Luck
from simulator.machine.access import REPOSITIONINGS, RETRY_AFTER, Vessel, access_pressure
from simulator.machine.alarms import BY_FAULT, LOWEST_SHARE
from simulator.machine.pumps import (
    Anticoagulation,
    ExchangeSettings,
    PumpFlows,
    exchange_flows,
    recirculating,
)
from simulator.machine.separators import Centrifuge
from simulator.machine.session import Session
from simulator.orders import MachineSettings

NAMES = catalog.names("access")
VEINS = catalog.access("peripheral-veins")
REVERSED = catalog.access("dialysis-catheter-reversed")
HOLD = BY_FAULT["access-occlusion"].hold
every_access = pytest.mark.parametrize("name", NAMES)


# -- what a flow costs -----------------------------------------------------------------------------


@every_access
def test_the_losses_at_50_and_100_are_those_of_the_catalog(name: str) -> None:
    access = catalog.access(name)
    assert access_pressure(12.0, 50.0, access) == pytest.approx(12.0 - access.pressure_drop_50)
    assert access_pressure(12.0, 100.0, access) == pytest.approx(12.0 - access.pressure_drop_100)
    assert access_pressure(12.0, 0.0, access) == 12.0


@given(st.sampled_from(NAMES), st.floats(0, 200), st.floats(0.1, 50), st.floats(-200, 30))
def test_more_flow_is_a_lower_pressure(name: str, flow: float, more: float, vein: float) -> None:
    access = catalog.access(name)
    assert access_pressure(vein, flow + more, access) < access_pressure(vein, flow, access)


@every_access
@pytest.mark.parametrize("device", catalog.names("devices"))
def test_an_access_delivers_what_the_catalog_says_without_an_alarm(name: str, device: str) -> None:
    access, facts = catalog.access(name), catalog.device(device)
    most = min(access.inlet_flow_max, facts.inlet_flow_max)
    env, bedside, one = session(
        target=400, settings=machine(device, access=access, inlet_flow=most)
    )
    if most < facts.inlet_flow_min:
        with pytest.raises(ImpossibleRunError, match=f"{name} delivers at most {most:g} mL/min"):
            run(env, one)
        return
    run(env, one)
    assert max(f.inlet for *_, f in bedside.stretches) == most
    assert one.upkeep.alarms["access-pressure-low"] == 0
    assert access_pressure(access.vein_pressure, most, access) > facts.access_pressure_limit


def test_a_flow_that_the_vessel_cannot_give_sounds_the_alarm() -> None:
    narrow = replace(VEINS, pressure_drop_50=220.0, pressure_drop_100=500.0)
    env, bedside, one = session(settings=machine(access=narrow, inlet_flow=65.0))
    run(env, one)
    assert one.upkeep.alarms["access-pressure-low"] > 0
    assert min(f.inlet for *_, f in bedside.stretches if f.plasma) < 65


# -- how the vessel moves --------------------------------------------------------------------------


def test_a_vessel_without_luck_stays_at_its_mean() -> None:
    vessel = Vessel(VEINS)
    for _ in range(10):
        vessel.move(1.0)
    assert vessel.pressure == VEINS.vein_pressure


def test_the_vessel_has_the_catalogs_spread_about_its_mean() -> None:
    """40000 min of a correlation time of 3 min: some 6700 independent draws, so 3 % is 3.4 sd."""
    luck = Random(11)
    vessel, moves, times = Vessel(VEINS, luck), 40_000, Random(12)
    seen = []
    for _ in range(moves):
        vessel.move(times.expovariate(1.0))
        seen.append(vessel.pressure)
    independent = moves / (2 * VEINS.pressure_time)
    assert statistics.pstdev(seen) == pytest.approx(VEINS.pressure_spread, rel=0.03)
    assert statistics.fmean(seen) == pytest.approx(
        VEINS.vein_pressure, abs=3 * VEINS.pressure_spread / math.sqrt(independent)
    )


@pytest.mark.parametrize("moves", [1, 4])
def test_a_move_is_forgotten_within_the_catalogs_time(moves: int) -> None:
    """Correlation exp(-1) over that time, in one move or in four; its error is 1 / sqrt(n)."""
    vessel, pairs = Vessel(VEINS, Random(13)), []
    for _ in range(20_000):
        before = vessel.deviation
        for _ in range(moves):
            vessel.move(VEINS.pressure_time / moves)
        pairs.append((before, vessel.deviation))
    befores, afters = zip(*pairs, strict=True)
    assert statistics.correlation(befores, afters) == pytest.approx(
        math.exp(-1), abs=3 / math.sqrt(len(pairs))
    )


def test_a_needle_that_lies_anew_lies_well() -> None:
    vessel = Vessel(VEINS, Random(14), deviation=-100.0)
    vessel.settle()
    assert vessel.pressure == VEINS.vein_pressure


def test_vessels_that_move_more_pause_the_machine_more_often() -> None:
    counts = []
    for spread in (0.0, 75.0, 110.0):
        calm = replace(catalog.device("spectra-optia"), disturbances={})
        access = replace(VEINS, pressure_spread=spread, failure=0.0)
        settings = machine(device_facts=calm, access=access, inlet_flow=60.0)
        total = 0
        for seed in range(10):
            env, _, one = session(
                settings=settings, luck=partial(Luck(seed).stream, "session", 1), attendance=ALONE
            )
            run(env, one)
            total += one.upkeep.alarms["access-pressure-low"]
        counts.append(total)
    assert counts[0] == 0
    assert counts == sorted(set(counts))


# -- new tries -------------------------------------------------------------------------------------


def inlets(bedside: StandIn, since: float = 0.0) -> list[tuple[float, float]]:
    """When the inlet flow became what, mL/min, pauses left out."""
    changes: list[tuple[float, float]] = []
    for start, end, _, flows in bedside.stretches:
        if end > since and flows.inlet and (not changes or changes[-1][1] != flows.inlet):
            changes.append((start, flows.inlet))
    return changes


def plain(**more: Any) -> tuple[Any, StandIn, Session]:
    return session(prescription=LARGE_BOTTLES, **more)


def test_a_low_pressure_pauses_the_pumps_and_is_tried_again_a_tenth_slower() -> None:
    env, bedside, one = plain()
    run(env, one, *collapses(one, 30.0))
    sounded = 30.0 + HOLD
    (held, *_) = standing(bedside, since=30.0)
    assert held == pytest.approx((sounded, sounded + RETRY_AFTER))
    (_, fast), (slowed_at, slow) = inlets(bedside, since=29.0)
    assert (fast, slow) == pytest.approx((65.0, 0.9 * 65.0))
    assert slowed_at == held[1]
    assert not [e for time, e, _ in bedside.events if time < 60 and e.startswith("operator:")]


def test_the_operator_gives_back_a_step_on_each_round_after_a_quiet_time() -> None:
    rounds = replace(ALONE, vital_signs=10.0)
    env, bedside, one = plain(attendance=rounds)
    run(env, one, *collapses(one, 30.0, 35.0))
    seen = [time for time, _ in told(bedside, "operator:take-vital-signs")]
    raised = [time for time, _ in told(bedside, "operator:raise-inlet-flow")]
    assert raised == [time for time in seen if time > 35.0 + HOLD + 10][:2]
    flows = inlets(bedside, since=29.0)
    assert [flow for _, flow in flows] == pytest.approx([65.0, 58.5, 52.65, 58.5, 65.0])
    assert [time for time, _ in flows[-2:]] == raised
    assert one.upkeep.operator.actions["raise-inlet-flow"] == 2


def test_the_inlet_is_never_lowered_below_the_pumps_range() -> None:
    env, bedside, one = plain(settings=machine(inlet_flow=11.0), target=300)
    run(env, one, *collapses(one, 30.0, 33.0, 36.0))
    assert min(flow for _, flow in inlets(bedside)) == one.machine.device.inlet_flow_min


def test_five_failures_within_five_minutes_call_the_operator() -> None:
    env, bedside, one = plain()
    run(env, one, *collapses(one, 30.0, 30.5, 31.0, 31.5, 32.0))
    ((called, _),) = told(bedside, "alarm:access-not-delivering")
    ((done, _),) = told(bedside, "operator:reposition-the-access")
    assert (called, done) == pytest.approx((32.0 + HOLD, 34.0 + HOLD))
    assert standing(bedside, since=32.0)[0] == (called, done)
    assert one.stop_reason is None


def test_four_failures_are_the_machines_own_business() -> None:
    env, bedside, one = plain()
    run(env, one, *collapses(one, 30.0, 31.0, 32.0, 33.0))
    assert one.upkeep.alarms["access-pressure-low"] == 4
    assert one.upkeep.alarms["access-not-delivering"] == 0
    assert "operator:reposition-the-access" not in event_names(bedside)


def test_only_failures_of_the_last_five_minutes_are_counted() -> None:
    env, _, one = plain()
    seen: list[int] = []

    def count() -> None:
        seen.append(one.upkeep.readings().failed_draws)

    run(env, one, *collapses(one, 30.0, 32.0, 34.0), *(at(one, m, count) for m in (34.9, 35.2, 38)))
    assert seen == [3, 2, 1]


def test_a_flow_that_has_become_too_slow_calls_the_operator_who_makes_it_what_it_was() -> None:
    env, bedside, one = plain()
    run(env, one, *collapses(one, 20.0, 25.5, 31.0, 36.5, 42.0))
    ((called, _),) = told(bedside, "alarm:access-not-delivering")
    assert called == pytest.approx(42.0 + HOLD + RETRY_AFTER)
    before, after = (flow for _, flow in inlets(bedside, since=40.0))
    assert 0.9 * before / 65.0 < LOWEST_SHARE < before / 65.0
    assert after == 65.0


def test_failures_that_grow_old_while_the_operator_comes_do_not_send_him_away() -> None:
    """The access needs him whether or not the first failure is meanwhile five minutes old."""
    env, bedside, one = plain(attendance=replace(ALONE, response=2.0))
    run(env, one, *collapses(one, 30.0, 31.1, 32.2, 33.3, 34.4))
    ((done, _),) = told(bedside, "operator:reposition-the-access")
    assert standing(bedside, since=34.4)[0][1] == done > 36.4


def test_an_occlusion_while_the_machine_tries_again_calls_the_operator() -> None:
    env, bedside, one = plain(attendance=ALONE)
    run(env, one, collapse(one, 30.0), fault(one, "access-occlusion", 30.1))
    assert one.stop_reason is None
    assert "operator:straighten-the-access-line" in event_names(bedside)


def test_a_vessel_that_stays_shut_is_tried_again_and_again_until_the_operator_is_called() -> None:
    env, bedside, one = plain(attendance=ALONE)
    run(env, one, collapse(one, 30.0, lasting=60.0))
    assert one.upkeep.alarms["access-pressure-low"] >= 5
    assert "operator:reposition-the-access" in event_names(bedside)
    assert one.tally.patient_plasma_removed == pytest.approx(3000)


def test_a_vein_shut_even_to_standing_pumps_is_not_left_alone_until_the_circuit_clots() -> None:
    env, bedside, one = plain(attendance=ALONE)

    def shut() -> None:
        one.upkeep.vessel.deviation = -400.0
        one.upkeep.look()

    run(env, one, at(one, 30.0, shut))
    assert "operator:straighten-the-access-line" in event_names(bedside)
    assert one.stop_reason is None


# -- the access lost -------------------------------------------------------------------------------


def test_an_access_repositioned_in_vain_is_given_up_and_the_blood_given_back() -> None:
    env, bedside, one = plain()

    def stubborn() -> Generator[Any, Any, None]:
        yield env.timeout(20.0)
        while one.running:
            yield from collapse(one, 0.4)

    run(env, one, stubborn())
    assert one.stop_reason == "access lost"
    # so often he tries; when he is called once more he gives it up
    assert one.upkeep.operator.actions["reposition-the-access"] == REPOSITIONINGS + 1
    assert one.upkeep.alarms["access-not-delivering"] == REPOSITIONINGS + 1
    assert not one.circuit_lost
    assert rinsed(bedside) == pytest.approx(one.machine.device.rinseback_volume)


def test_an_access_repositioned_with_success_is_kept() -> None:
    for times, reason in ((REPOSITIONINGS, None), (REPOSITIONINGS + 1, "access lost")):
        env, bedside, one = plain()
        run(env, one, *(fault(one, "access-failure", 15.0 * i) for i in range(1, times + 1)))
        assert one.upkeep.operator.actions["reposition-the-access"] == times
        assert (one.stop_reason, one.circuit_lost) == (reason, False)
        assert rinsed(bedside) == pytest.approx(one.machine.device.rinseback_volume)


def test_an_access_lost_for_good_by_chance_is_not_repositioned_twice() -> None:
    calm = replace(catalog.device("spectra-optia"), disturbances={})
    doomed = replace(VEINS, failure=1 - 1e-9, pressure_spread=0.0)
    env, bedside, one = session(
        settings=machine(device_facts=calm, access=doomed, inlet_flow=50.0),
        luck=partial(Luck(4).stream, "session", 1),
    )
    run(env, one)
    assert (one.stop_reason, one.circuit_lost) == ("access lost", False)
    assert one.upkeep.operator.actions["reposition-the-access"] == 1
    assert rinsed(bedside) > 0


# -- recirculation ---------------------------------------------------------------------------------

ORDERED = ExchangeSettings(Centrifuge(0.80), Anticoagulation(10.0), 1.0, True, 0.2, 0.0)


def own_share_by_iteration(flows: PumpFlows, recirculation: float) -> float:
    """The patient's own share of the plasma drawn: blood goes round until nothing changes.

    Drawn: 1 - r comes fresh from the patient, r from the return line. Returned: of the plasma drawn
    what was not taken off, mixed with all the fluid given.
    """
    left = flows.plasma_processed - flows.patient_plasma
    given = flows.replacement + flows.calcium + flows.anticoagulant_returned
    drawn = 1.0
    for _ in range(500):
        returned = drawn * left / (left + given)
        drawn = (1 - recirculation) * 1.0 + recirculation * returned
    return drawn


@given(st.floats(0.01, 0.6), st.floats(20, 120), st.floats(0.25, 0.5))
def test_recirculation_is_the_fixed_point_of_the_return_lines_mass_balance(
    recirculation: float, inlet: float, hematocrit: float
) -> None:
    without = exchange_flows(inlet, hematocrit, ORDERED)
    flows = exchange_flows(inlet, hematocrit, replace(ORDERED, recirculation=recirculation))
    own = own_share_by_iteration(without, recirculation)
    assert flows.patient_plasma == pytest.approx(own * without.patient_plasma, rel=1e-12)
    assert flows == recirculating(without, recirculation)


@given(st.floats(0.0, 0.6), st.floats(0.01, 0.3), st.floats(0.25, 0.5))
def test_the_more_recirculates_the_less_is_removed_and_no_pump_runs_otherwise(
    recirculation: float, more: float, hematocrit: float
) -> None:
    less, lots = (
        exchange_flows(65.0, hematocrit, replace(ORDERED, recirculation=r))
        for r in (recirculation, recirculation + more)
    )
    assert 0 < lots.patient_plasma < less.patient_plasma
    assert lots.counted_plasma == pytest.approx(less.counted_plasma)
    changed = {"patient_plasma": 0.0, "recirculated": 0.0}
    assert replace(lots, **changed) == replace(less, **changed)


@given(st.floats(0.01, 0.5), st.floats(0.3, 0.45))
def test_what_recirculates_is_given_and_wasted_and_the_bag_fills_as_before(
    recirculation: float, hematocrit: float
) -> None:
    access = replace(REVERSED, recirculation=recirculation)
    exchange, flows = _exchange(machine(access=access), hematocrit)
    plain_exchange, plain_flows = _exchange(machine(), hematocrit)
    wasted = {fluid.name: flow for fluid, flow in exchange.wasted}
    assert sum(wasted.values()) == pytest.approx(flows.recirculated)
    both = {fluid.name: flow + wasted[fluid.name] for fluid, flow in exchange.given}
    assert both == pytest.approx({fluid.name: flow for fluid, flow in plain_exchange.given})
    assert exchange.circuit_to_waste + sum(wasted.values()) == pytest.approx(plain_flows.plasma)
    assert exchange.plasma_to_circuit + exchange.anticoagulant_to_circuit == pytest.approx(
        exchange.circuit_to_waste
    )


def test_reversed_lines_reach_the_machines_target_but_not_the_patients() -> None:
    env, _, one = plain(settings=machine(access=REVERSED))
    run(env, one)
    assert one.stop_reason is None
    assert one.tally.dose == pytest.approx(3000)
    assert one.tally.dose == one.tally.patient_plasma_removed + one.tally.recirculated
    assert 50 < one.tally.recirculated < 0.15 * 3000
    env, _, usual = plain(settings=machine(access=catalog.access("dialysis-catheter")))
    run(env, usual)
    assert usual.tally.recirculated == 0
    assert usual.tally.plasma_removed == pytest.approx(one.tally.plasma_removed)


def _exchange(settings: MachineSettings, hematocrit: float) -> tuple[Any, PumpFlows]:
    """What an exchange does to a patient of this hematocrit."""
    _, bedside, one = session(hematocrit=hematocrit, settings=settings)
    flows = one.controller.exchanging(bedside.vitals(), one.line)
    return one.controller.exchanges(flows, one.line), flows
