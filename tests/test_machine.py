"""The machine on a stand-in patient: pump relations, phases, bottles, bags, faults."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import (
    LARGE_BOTTLES,
    albumin_only,
    at,
    collapse,
    event_names,
    fault,
    machine,
    rinsed,
    run,
    session,
    standing,
)

from simulator import catalog
from simulator.boundary import REST
from simulator.errors import ImpossibleRunError
from simulator.machine import pumps
from simulator.machine.alarms import BY_FAULT
from simulator.machine.protection import STOPPING
from simulator.machine.pumps import Anticoagulation, ExchangeSettings, exchange_flows
from simulator.machine.separators import Centrifuge
from simulator.machine.supplies import ReplacementLine
from simulator.orders import CalciumOrder, MachineSettings, Prescription, Replacement

SALINE, ALBUMIN = catalog.fluid("saline"), catalog.fluid("albumin-5")
PLASMA = catalog.fluid("fresh-frozen-plasma")


def settings(
    packed: float = 0.80,
    ratio: float = 10.0,
    balance: float = 1.0,
    calcium: float = 0.0,
    per_replacement: float = 0.0,
) -> ExchangeSettings:
    return ExchangeSettings(
        Centrifuge(packed), Anticoagulation(ratio), balance, True, calcium, per_replacement
    )


# -- pump relations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hematocrit", "packed", "efficiency"),
    [
        (0.25, 0.69, 0.870), (0.25, 0.75, 0.903), (0.25, 0.80, 0.927), (0.25, 0.82, 0.936),
        (0.30, 0.69, 0.834), (0.30, 0.80, 0.908), (0.35, 0.75, 0.847), (0.40, 0.69, 0.747),
        (0.40, 0.80, 0.859), (0.45, 0.69, 0.694), (0.45, 0.80, 0.830), (0.45, 0.82, 0.851),
    ],
)  # fmt: skip
def test_efficiency_follows_from_hematocrit_and_packing(
    hematocrit: float, packed: float, efficiency: float
) -> None:
    """The table of the reference, computed there from the red cell balance."""
    flows = exchange_flows(60, hematocrit, settings(packed))
    assert flows.patient_plasma / flows.plasma_processed == pytest.approx(efficiency, abs=6e-4)


@pytest.mark.parametrize(("inlet", "bag", "patient"), [(60, 33.0, 27.8), (80, 44.0, 37.1)])
def test_flows_of_the_worked_example(inlet: float, bag: float, patient: float) -> None:
    flows = exchange_flows(inlet, 0.40, settings())
    assert flows.plasma == pytest.approx(bag, abs=0.05)
    assert flows.patient_plasma == pytest.approx(patient, abs=0.05)
    assert flows.anticoagulant_returned == pytest.approx(0.84 * inlet / 60, abs=0.01)


def test_anticoagulant_to_the_patient_is_the_vendors_arithmetic() -> None:
    """At an efficiency of 87 % and a ratio of 10: 14.4 mL per liter of blood."""
    flows = exchange_flows(60, 0.38, settings(packed=0.7999))
    assert flows.patient_plasma / flows.plasma_processed == pytest.approx(0.87, abs=5e-4)
    assert 1000 * flows.anticoagulant_returned / flows.blood == pytest.approx(14.4, abs=0.1)


@given(
    st.floats(20, 120), st.floats(0.2, 0.5), st.floats(6, 15), st.floats(0.9, 1.15),
    st.floats(0, 0.5), st.floats(0, 0.02),
)  # fmt: skip
def test_what_goes_in_comes_out(
    inlet: float, hct: float, ratio: float, balance: float, calcium: float, per: float
) -> None:
    flows = exchange_flows(inlet, hct, settings(0.8, ratio, balance, calcium, per))
    assert flows.blood + flows.anticoagulant == pytest.approx(flows.inlet)
    given_back = flows.replacement + flows.anticoagulant + flows.calcium
    assert given_back == pytest.approx(balance * flows.plasma)
    assert flows.anticoagulant_removed + flows.patient_plasma == pytest.approx(flows.plasma)
    assert 0 < flows.patient_plasma < flows.plasma_processed
    # packed cells and plasma leave the channel; the cells are all there
    assert (flows.inlet - flows.plasma) * 0.8 == pytest.approx(flows.blood * hct)


def test_an_impossible_balance_and_an_impossible_hematocrit_are_refused() -> None:
    with pytest.raises(ImpossibleRunError, match="fluid balance of 10 %"):
        exchange_flows(60, 0.4, settings(balance=0.1))
    with pytest.raises(ImpossibleRunError, match="hematocrit of 95 %"):
        exchange_flows(60, 0.95, settings())


@given(st.floats(0.0, 0.5), st.floats(0.5, 6.0))
def test_the_citrate_limit_is_met_exactly_when_it_binds(calcium: float, limit: float) -> None:
    chosen = settings(calcium=calcium)
    x = PLASMA.citrate / catalog.fluid("acd-a").citrate
    inlet = pumps.inlet_within_citrate_limit(100, 0.4, chosen, (1.0, x), limit)
    flows = exchange_flows(inlet, 0.4, chosen)
    infused = flows.anticoagulant_returned + x * flows.replacement
    assert infused <= limit * (1 + 1e-9)
    assert inlet == 100 or infused == pytest.approx(limit)


# -- the session -----------------------------------------------------------------------------------


def test_a_session_goes_through_its_phases_in_order() -> None:
    env, bedside, one = session()
    run(env, one)
    phases = ("prime", "connect", "draw", "exchange", "target-reached", "rinseback", "disconnect")
    assert [e for e in event_names(bedside) if e in phases] == list(phases)
    assert one.stop_reason is None
    assert one.tally.patient_plasma_removed == pytest.approx(3000, rel=1e-12)


def test_pumps_run_at_constant_rates_between_events() -> None:
    env, bedside, one = session()
    run(env, one)
    pumped = sum((end - start) * flows.patient_plasma for start, end, _, flows in bedside.stretches)
    assert pumped == pytest.approx(3000, rel=1e-9)
    ends = [end for _, end, _, _ in bedside.stretches]
    starts = [start for start, _, _, _ in bedside.stretches]
    assert starts[1:] == ends[:-1]
    assert bedside.stretches[-1][1] <= env.now


def test_anticoagulant_is_blood_over_ratio_less_one() -> None:
    env, _, one = session()
    run(env, one)
    assert one.tally.anticoagulant == pytest.approx(one.tally.blood_processed / 9)


def test_one_plasma_volume_takes_as_long_as_published() -> None:
    """3000 mL of patient plasma at 60 mL/min: 108 min of pumping [reference, derived]."""
    env, _, one = session(settings=machine(inlet_flow=60.0))
    run(env, one)
    pumping = one.times.exchange_end - one.times.draw - one.times.paused - 141 / 60
    assert pumping == pytest.approx(108, abs=0.5)


@pytest.mark.parametrize(("bottle", "changes"), [(250, 11), (500, 5)])
def test_bottles_are_changed_as_they_run_dry(bottle: float, changes: int) -> None:
    fluid = replace(ALBUMIN, container=float(bottle))
    order = albumin_only(replacement=(Replacement(fluid, share=1.0),))
    env, _, one = session(prescription=order)
    run(env, one)
    assert one.upkeep.alarms["replacement-empty"] == int(one.tally.replacement // bottle) == changes
    gap, bags = one.machine.device.change_over_time, ("anticoagulant-empty", "waste-bag-full")
    others = sum(one.upkeep.alarms[name] for name in bags)
    assert one.times.paused == pytest.approx(gap * (changes + others))


def test_fluids_come_in_the_prescribed_order_and_shares() -> None:
    order = albumin_only(
        replacement=(Replacement(ALBUMIN, share=0.7), Replacement(SALINE, share=0.3))
    )
    env, bedside, one = session(prescription=order)
    run(env, one)
    used = one.line.used_by_fluid()
    assert list(used) == ["albumin-5", "saline"]
    assert used["albumin-5"] / sum(used.values()) == pytest.approx(0.7, rel=1e-9)
    fluids = [e.given[1][0].name for _, _, e, f in bedside.stretches if f.replacement]
    assert fluids == sorted(fluids)  # albumin throughout, then saline throughout


def test_a_volume_and_the_rest() -> None:
    order = albumin_only(replacement=(Replacement(ALBUMIN), Replacement(PLASMA, volume=1000.0)))
    env, _, one = session(prescription=order)
    run(env, one)
    used = one.line.used_by_fluid()
    assert used["fresh-frozen-plasma"] == pytest.approx(1000, rel=1e-9)


HEMATOCRITS = [0.30 + 0.005 * i for i in range(30)]
"""Enough of them that rounding falls either way."""


def _bottles_hung(settings: MachineSettings, order: Prescription, hematocrit: float) -> list[str]:
    """What was hung for bottles that ran dry, in order."""
    env, bedside, one = session(hematocrit, 2500.0, settings, order)
    run(env, one)
    assert one.tally.patient_plasma_removed == pytest.approx(2500.0, rel=1e-9)
    return [detail for _, event, detail in bedside.events if event == "alarm:replacement-empty"]


@pytest.mark.parametrize("device", ["spectra-optia", "prismaflex-tpe2000", "mcs-plus"])
@pytest.mark.parametrize(
    "first", [Replacement(ALBUMIN, volume=1000.0), Replacement(ALBUMIN, volume=500.0)]
)
def test_no_bottle_is_hung_for_nothing_before_the_next_fluid(
    device: str, first: Replacement
) -> None:
    order = albumin_only(replacement=(first, Replacement(PLASMA)))
    assert first.volume is not None
    for hematocrit in HEMATOCRITS:
        hung = _bottles_hung(machine(device), order, hematocrit)
        of_albumin = sum("albumin" in what for what in hung)
        assert of_albumin == first.volume / ALBUMIN.container - 1, hematocrit


@pytest.mark.parametrize(
    ("orders", "changes"),
    [
        ((Replacement(ALBUMIN, share=1.0),), 9),
        ((Replacement(ALBUMIN, share=0.5), Replacement(PLASMA, share=0.5)), 4 + 4),
        ((Replacement(SALINE), Replacement(PLASMA, volume=1000.0)), 2 + 3),
    ],
)
def test_no_bottle_is_hung_for_nothing_at_the_end(
    orders: tuple[Replacement, ...], changes: int
) -> None:
    """Without anticoagulant as much is given as plasma is taken off, here in whole bottles."""
    settings = machine("prismaflex-tpe2000", anticoagulant_ratio=math.inf)
    for hematocrit in HEMATOCRITS:
        hung = _bottles_hung(settings, albumin_only(replacement=orders), hematocrit)
        assert len(hung) == changes, hematocrit


def test_plasma_as_replacement_slows_the_inlet_and_albumin_does_not() -> None:
    order = albumin_only(replacement=(Replacement(PLASMA, share=1.0),))
    limit = 0.8 * 5.0
    env, bedside, one = session(prescription=order, citrate_limit=limit)
    run(env, one)
    assert "inlet-flow-limited" in event_names(bedside)
    x = PLASMA.citrate / one.machine.anticoagulant.citrate
    for _, _, _, flows in bedside.stretches:
        assert flows.anticoagulant_returned * bool(flows.plasma) + x * flows.replacement <= (
            limit * (1 + 1e-9)
        )
    env, bedside, one = session(citrate_limit=limit)
    run(env, one)
    assert "inlet-flow-limited" not in event_names(bedside)


def test_calcium_runs_at_its_rate_while_plasma_is_exchanged_and_counts_as_fluid_given() -> None:
    calcium = catalog.fluid("calcium-gluconate-10")
    order = albumin_only(calcium=CalciumOrder(calcium, flow=0.25))
    env, _, one = session(prescription=order)
    run(env, one)
    pumping = one.times.exchange_end - one.times.draw - one.times.paused - 141 / 65
    assert one.tally.calcium == pytest.approx(0.25 * pumping)
    given_back = one.tally.exchange_anticoagulant + one.tally.replacement + one.tally.calcium
    assert given_back == pytest.approx(one.tally.plasma_removed)


def test_without_replacement_nothing_is_given_but_anticoagulant() -> None:
    env, bedside, one = session(target=600, prescription=albumin_only(replacement=()))
    run(env, one)
    assert one.tally.replacement == 0
    assert {f.name for _, _, e, _ in bedside.stretches for f, _ in e.given} == {"acd-a"}


def test_cobe_rinses_with_more_than_its_circuit_holds() -> None:
    env, bedside, one = session(settings=machine("cobe-spectra"))
    run(env, one)
    rinses = [
        (end - start, e) for start, end, e, f in bedside.stretches if not f.inlet and e != REST
    ]
    assert rinses[0][0] * rinses[0][1].circuit_to_patient == pytest.approx(170)
    assert rinses[1][0] * rinses[1][1].given[0][1] == pytest.approx(337 - 170)


def test_an_access_that_delivers_less_limits_the_inlet_flow() -> None:
    veins = catalog.access("peripheral-veins")
    env, bedside, one = session(settings=machine(access=veins, inlet_flow=120.0))
    run(env, one)
    assert max(f.inlet for _, _, _, f in bedside.stretches) == veins.inlet_flow_max


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BY_FAULT))
def test_a_fault_holds_the_pumps_as_long_as_stated_and_lets_the_session_resume(name: str) -> None:
    alarm = BY_FAULT[name]
    env, bedside, one = session()
    run(env, one, fault(one, name, 30.0, 4.0))
    held = [time for stretch in standing(bedside, since=30) for time in stretch]
    if alarm.response in STOPPING:
        assert held[:2] == pytest.approx([30.0 + alarm.hold, 34.0])
    else:
        assert 30.0 not in held
    assert one.upkeep.alarms[alarm.name] >= 1
    assert "resumed" in event_names(bedside)
    assert one.stop_reason is None
    assert one.tally.patient_plasma_removed == pytest.approx(3000)


def test_faults_that_overlap_hold_until_the_last_is_cleared() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "return-occlusion", 30, 4), fault(one, "air-in-return", 32, 5))
    assert standing(bedside, since=30)[0] == (30.0, 37.0)


def test_the_same_fault_twice_holds_until_the_second_is_cleared() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "return-occlusion", 30, 4), fault(one, "return-occlusion", 32, 5))
    assert standing(bedside, since=30)[0] == (30.0, 37.0)


@pytest.mark.parametrize("name", ["anticoagulant-bag-empty", "waste-bag-full"])
def test_a_bag_that_gave_out_is_changed_for_a_full_or_empty_one(name: str) -> None:
    env, _, one = session()
    rooms = []

    def look() -> Generator[Any, Any, None]:
        yield one.env.timeout(44.5)
        bags = {"anticoagulant-bag-empty": one.anticoagulant_bag, "waste-bag-full": one.waste_bag}
        rooms.append(bags[name].room / bags[name].size)

    run(env, one, fault(one, name, 40.0, 4.0), look())
    assert rooms == [pytest.approx(1.0, abs=0.01)]  # it has run for half a minute


def test_a_waste_bag_smaller_than_the_prime_is_changed_while_the_circuit_fills() -> None:
    small = replace(catalog.device("spectra-optia"), waste_bag=100.0)
    env, _, one = session(settings=machine(device_facts=small))
    run(env, one)
    assert one.stop_reason is None
    total = 141 + one.tally.plasma_removed
    assert one.upkeep.alarms["waste-bag-full"] == int(total // 100)


def test_a_fault_in_rinseback_delays_it_and_nothing_is_lost() -> None:
    env, bedside, one = session()

    def occlude() -> Generator[Any, Any, None]:
        while one.phase != "rinseback":
            yield one.env.timeout(0.5)
        yield from fault(one, "return-occlusion", 0.0, 3.0)

    run(env, one, occlude())
    assert rinsed(bedside) == pytest.approx(124)
    assert one.stop_reason is None
    assert one.times.disconnected - one.times.exchange_end > 3 + 124 / 60 + 5 - 1e-9
    containers = ("replacement-empty", "anticoagulant-empty", "waste-bag-full")
    changes = sum(one.upkeep.alarms[name] for name in containers)
    assert one.times.paused == pytest.approx(0.75 * changes)  # rinsing is not counted


def test_a_session_given_up_before_blood_is_drawn_loses_none() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "air-in-return", 0.0, 60.0))
    assert one.stop_reason == (
        "given up before blood was drawn: pumps stood still for 10 min (air-in-return)"
    )
    assert not [x for _, _, x, _ in bedside.stretches if x != REST]
    assert "no-rinseback" not in event_names(bedside)


def test_a_calcium_rate_takes_the_place_of_calcium_by_volume() -> None:
    calcium = catalog.fluid("calcium-gluconate-10")
    order = albumin_only(calcium=CalciumOrder(calcium, per_replacement=0.01))
    env, bedside, one = session(prescription=order)
    run(env, one, at(one, 50, one.change, "prescription.calcium.rate", 0.3))
    late = [f.calcium for s, _, _, f in bedside.stretches if s > 50 and f.plasma]
    assert set(late) == {0.3}


def test_the_flows_follow_a_hematocrit_that_rises() -> None:
    env, bedside, one = session(prescription=albumin_only(replacement=()), target=900)

    def rise() -> Generator[Any, Any, None]:
        yield one.env.timeout(12.0)
        bedside.hematocrit = 0.45

    run(env, one, rise())
    plasma = [f.plasma for _, _, _, f in bedside.stretches if f.plasma]
    assert plasma[0] == pytest.approx(exchange_flows(65, 0.40, settings()).plasma)
    assert plasma[-1] == pytest.approx(exchange_flows(65, 0.45, settings()).plasma)


def test_a_bottle_found_empty_late_is_replaced_and_its_rest_not_given() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "replacement-bottle-empty", 30, 6))
    changes = [t for t, e, _ in bedside.events if e == "alarm:replacement-empty"]
    after = next(t for t in changes if t > 30)
    flow = next(f.replacement for s, _, _, f in bedside.stretches if s >= 36 and f.replacement)
    assert (after - 36) * flow == pytest.approx(250, rel=0.02)  # a full bottle, not what was left
    normal_env, _, normal = session()
    run(normal_env, normal)
    assert one.tally.replacement == pytest.approx(normal.tally.replacement, rel=1e-9)
    assert one.times.paused > normal.times.paused + 5


def test_pumps_that_stand_too_long_lose_the_circuit() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "access-occlusion", 30, 25))
    assert one.stop_reason == "clotted: pumps stood still for 10 min (access-occlusion)"
    assert "rinseback" not in event_names(bedside)
    changes = 0.75 * sum(one.upkeep.alarms[a] for a in ("replacement-empty", "anticoagulant-empty"))
    assert one.times.paused == pytest.approx(10 + changes)
    assert not one.running


def test_a_fault_in_the_draw_phase_only_delays_it() -> None:
    env, bedside, one = session()
    run(env, one, fault(one, "access-occlusion", 6.0, 2.0))
    filled = sum(
        (end - start) * (e.blood_to_circuit + e.anticoagulant_to_circuit)
        for start, end, e, _ in bedside.stretches
        if e.blood_to_circuit
    )
    assert filled == pytest.approx(141)
    assert one.times.paused >= 2


def test_the_inlet_flow_changes_when_it_is_set() -> None:
    env, bedside, one = session()
    run(env, one, at(one, 50, one.change, "machine.inlet_flow", 45.0))
    assert {f.inlet for s, _, _, f in bedside.stretches if f.inlet and s < 50} == {65.0}
    assert {f.inlet for s, _, _, f in bedside.stretches if f.inlet and s >= 50} == {45.0}


def test_an_inlet_flow_that_is_set_is_pumped_though_the_access_had_slowed_the_one_before() -> None:
    env, bedside, one = session(prescription=LARGE_BOTTLES)
    change = at(one, 50, one.change, "machine.inlet_flow", 45.0)
    run(env, one, collapse(one, 30.0), change)
    inlets = [(s, f.inlet) for s, _, _, f in bedside.stretches if f.inlet]
    assert {flow for time, flow in inlets if 31 < time < 50} == {0.9 * 65.0}
    assert {flow for time, flow in inlets if time >= 50} == {45.0}


def test_setting_what_is_already_set_touches_nothing() -> None:
    env, bedside, one = session()
    run(env, one, at(one, 50, one.change, "machine.inlet_flow", 65.0))
    plain_env, plain, other = session()
    run(plain_env, other)
    assert bedside.stretches == plain.stretches


def test_a_lower_target_ends_the_exchange_at_once() -> None:
    env, _, one = session()
    run(env, one, at(one, 50, one.change, "prescription.exchange", 100.0))
    assert one.times.exchange_end == pytest.approx(50.0)
    assert one.stop_reason is None


# -- bottles ---------------------------------------------------------------------------------------


def test_all_further_replacement_can_be_changed_to_one_fluid() -> None:
    line = ReplacementLine((Replacement(ALBUMIN, share=1.0),))
    line.give(100.0)
    line.replace_all_with(PLASMA)
    line.give(50.0)
    assert line.fluid is PLASMA
    assert line.used_by_fluid()["fresh-frozen-plasma"] == 50.0


@pytest.mark.parametrize(
    ("share", "volume", "left"), [(0.3, None, 2100.0), (None, 500.0, 2500.0), (0.3, 500.0, 1600.0)]
)
def test_the_rest_is_what_all_shares_and_volumes_leave(
    share: float | None, volume: float | None, left: float
) -> None:
    """Of 3000 mL, where the rest is given before them."""
    others = [Replacement(PLASMA, share=share)] if share else []
    others += [Replacement(SALINE, volume=volume)] if volume else []
    line = ReplacementLine((Replacement(ALBUMIN), *others))
    assert line.until_next_fluid(3000.0) == pytest.approx(left)
    line.give(200.0)
    assert line.until_next_fluid(3000.0) == pytest.approx(left - 200)
