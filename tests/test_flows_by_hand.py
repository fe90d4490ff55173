"""The machine's flow relations at numbers of no meaning, worked out once more by hand.

Every number differs from every other and none is zero, so that a sign turned round or two flows
exchanged cannot come out even. Most signs that tests/test_sabotage.py turns round in the modules
compared here are noticed by these tests.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from stand_ins import machine, rinsed, run, session

from simulator import catalog
from simulator.boundary import Exchange
from simulator.catalog import BowlFacts, MembraneFacts
from simulator.errors import ImpossibleRunError
from simulator.machine.pumps import (
    Anticoagulation,
    ExchangeSettings,
    PumpFlows,
    exchange_flows,
    filling_flows,
    inlet_within_citrate_limit,
    pushing_flows,
    recirculating,
)
from simulator.machine.separators import Bowl, Centrifuge, Membrane
from simulator.machine.tally import Tally

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61)


def anything() -> PumpFlows:
    """Flows that belong to no machine, each another prime."""
    names = [f.name for f in fields(PumpFlows)]
    return PumpFlows(**dict(zip(names, map(float, PRIMES), strict=False)))


def settings(**changes: Any) -> ExchangeSettings:
    """A centrifuge that packs to 80 %, all of whose plasma is replaced, with calcium both ways."""
    one = ExchangeSettings(
        separator=Centrifuge(0.8), anticoagulation=Anticoagulation(12.0, 0.7), fluid_balance=1.05,
        replaces=True, calcium_flow=0.9, calcium_per_replacement=0.02, margin=0.95,
    )  # fmt: skip
    return replace(one, **changes)


def test_what_is_read_from_flows_is_the_sum_that_their_names_say() -> None:
    f = anything()
    assert f.counted_plasma == f.patient_plasma + f.recirculated
    assert f.dose == f.treated + f.treated_again
    assert replace(f, treated=0.0, treated_again=0.0).dose == f.counted_plasma
    assert f.treated_to_patient == f.plasma_back - f.anticoagulant_back
    assert f.anticoagulant_removed == f.plasma - f.patient_plasma - f.recirculated
    with_cells = f.anticoagulant - f.anticoagulant_removed
    with_cells += -f.anticoagulant_kept - f.anticoagulant_back
    assert f.anticoagulant_with_cells == with_cells
    assert f.fresh == with_cells + f.anticoagulant_released + f.replacement + f.calcium
    assert f.anticoagulant_returned == with_cells + f.anticoagulant_back + f.anticoagulant_released
    assert f.share_recirculated == f.recirculated / f.fresh
    assert replace(f, recirculated=0.0).share_recirculated == 0
    assert f.channel_hematocrit(0.4) == pytest.approx(0.4 * f.blood / f.inlet)


def test_a_tally_counts_every_flow_for_its_minutes_and_adds_up() -> None:
    tally, f = Tally(), anything()
    for minutes in (3.0, 4.0):
        tally.count(f, minutes)
    same = ("plasma_removed", "plasma"), ("blood_processed", "blood")
    names = ("patient_plasma", "plasma_processed", "replacement", "anticoagulant", "calcium",
             "recirculated", "treated", "treated_again", "plasma_back", "fresh")  # fmt: skip
    counts = {"patient_plasma": "patient_plasma_removed"}
    for count, flow in (*same, *((counts.get(n, n), n) for n in names)):
        assert getattr(tally, count) == pytest.approx(7 * getattr(f, flow)), count
    reaching = (1 - f.recirculated / f.fresh) * f.anticoagulant_returned
    assert tally.anticoagulant_to_patient == pytest.approx(7 * reaching)
    in_balance = f.anticoagulant - f.anticoagulant_kept + f.anticoagulant_released
    assert tally.exchange_anticoagulant == pytest.approx(7 * in_balance)
    assert tally.dose == pytest.approx(7 * (f.treated + f.treated_again))
    assert tally.share_recirculated == pytest.approx(f.recirculated / f.fresh)
    plain = Tally()
    plain.count(replace(f, treated=0.0, treated_again=0.0), 2.0)
    assert plain.dose == pytest.approx(2 * (f.patient_plasma + f.recirculated))


def test_the_flows_of_an_exchange() -> None:
    flows = exchange_flows(60.0, 0.37, settings())
    anticoagulant = 60 / 12 + 0.7
    blood = 60 - anticoagulant
    cells = 0.37 * blood
    separated = 60 * (1 - cells / 60 / 0.95 / 0.8)
    diluted = 1 - anticoagulant / (60 - cells)
    replacement = (1.05 * separated - anticoagulant - 0.9) / 1.02
    assert flows.blood == pytest.approx(blood)
    assert flows.anticoagulant == pytest.approx(anticoagulant)
    assert flows.separated == flows.plasma == pytest.approx(separated)
    assert flows.patient_plasma == pytest.approx(separated * diluted)
    assert flows.plasma_processed == pytest.approx(blood - cells)
    assert flows.replacement == pytest.approx(replacement)
    assert flows.calcium == pytest.approx(0.9 + 0.02 * replacement)
    assert (flows.treated, flows.plasma_back, flows.anticoagulant_back) == (0, 0, 0)


def test_the_flows_of_a_double_filtration() -> None:
    """A fifth discarded: what is given back carries its anticoagulant, the rest is replaced."""
    flows = exchange_flows(80.0, 0.37, settings(discarded=0.2, calcium_flow=0.1, fluid_balance=1.2))
    anticoagulant = 80 / 12 + 0.7
    cells = 0.37 * (80 - anticoagulant)
    separated = 80 * (1 - cells / 80 / 0.95 / 0.8)
    diluting = anticoagulant / (80 - cells)
    assert flows.plasma == pytest.approx(0.2 * separated)
    assert flows.plasma_back == pytest.approx(0.8 * separated)
    assert flows.anticoagulant_back == pytest.approx(0.8 * separated * diluting)
    assert flows.treated == pytest.approx(separated * (1 - diluting))
    assert flows.patient_plasma == pytest.approx(0.2 * separated * (1 - diluting))
    assert flows.replacement == max(0.0, (1.2 * 0.2 * separated - anticoagulant - 0.1) / 1.02)


@pytest.mark.parametrize("share", [0.1, 0.35])
@pytest.mark.parametrize("treats", [False, True])
def test_what_recirculates_solves_the_mass_balance_of_the_return_line(
    share: float, treats: bool
) -> None:
    """Iterated, not solved: the patient's share of the plasma drawn, of that returned."""
    flows = PumpFlows(
        inlet=80.0, blood=72.0, anticoagulant=8.0, separated=40.0, plasma=10.0, patient_plasma=8.5,
        treated=33.0 if treats else 0.0, plasma_back=30.0 if treats else 0.0,
        anticoagulant_back=5.0 if treats else 0.0, anticoagulant_released=0.6, replacement=9.0,
        calcium=0.4, plasma_processed=43.0,
    )  # fmt: skip
    given = (8.0 - 1.5 - flows.anticoagulant_back) + 0.6 + 9.0 + 0.4 + flows.anticoagulant_back
    returned = 43.0 - 8.5 + given
    own = untreated = 1.0
    for _ in range(200):
        own = 1 - share + share * own * (43.0 - 8.5) / returned
        untreated = 1 - share + share * untreated * (43.0 - 33.0) / returned
    again = recirculating(flows, share)
    assert again.patient_plasma == pytest.approx(own * 8.5)
    assert again.recirculated == pytest.approx((1 - own) * 8.5)
    if treats:
        assert again.treated == pytest.approx(untreated * 33)
        assert again.treated_again == pytest.approx((1 - untreated) * 33)
        assert again.plasma_back == pytest.approx(30 - (1 - untreated) * (33 - 8.5))
    else:
        assert (again.treated, again.treated_again, again.plasma_back) == (0, 0, 0)


def test_filling_keeps_the_anticoagulant_and_pushing_takes_its_share_out() -> None:
    filling = filling_flows(66.0, Anticoagulation(11.0, 1.5))
    assert filling.anticoagulant == filling.anticoagulant_kept == pytest.approx(7.5)
    assert filling.blood == pytest.approx(58.5)
    pushing = pushing_flows(filling, 0.4)
    removed = 66 * 7.5 / (66 - 58.5 * 0.4)
    assert pushing.plasma == pushing.separated == 66
    assert pushing.patient_plasma == pytest.approx(66 - removed)
    assert pushing.anticoagulant_kept == pytest.approx(7.5 - removed)


def test_the_citrate_limit_counts_what_reaches_the_patient_and_the_fluids_citrate() -> None:
    """Found by halving the interval, where the program puts straight lines through two points."""
    one, limit = settings(), 3.1

    def infused(inlet: float) -> float:
        flows = exchange_flows(inlet, 0.37, one)
        anticoagulant = flows.anticoagulant - (flows.plasma - flows.patient_plasma)
        return anticoagulant + 0.13 * flows.replacement

    low, high = 5.0, 90.0
    assert infused(low) < limit < infused(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if infused(middle) < limit else (low, middle)
    found = inlet_within_citrate_limit(90.0, 0.37, one, (1.0, 0.13), limit)
    assert found == pytest.approx(low, rel=1e-9)
    assert inlet_within_citrate_limit(low - 1, 0.37, one, (1.0, 0.13), limit) == low - 1


def test_what_cannot_be_separated_or_balanced_is_said() -> None:
    with pytest.raises(ImpossibleRunError, match="hematocrit of 84 %"):
        exchange_flows(60.0, 0.84, settings(anticoagulation=Anticoagulation()))
    with pytest.raises(ImpossibleRunError, match="fluid balance of 10 % cannot be held"):
        exchange_flows(60.0, 0.37, settings(fluid_balance=0.1))


# -- separators ------------------------------------------------------------------------------------

BOWL = BowlFacts(
    packed_hematocrit=0.8, bowl_volume=225.0, harness_volume=60.0, return_flow=90.0,
    turnaround=0.3, standing_limit=5.0,
)  # fmt: skip
FILTER = MembraneFacts(
    filtration_fraction=0.3, filtration_fraction_max=0.5, permeability=0.9, fouling=4.0,
    transmembrane_pressure_max=60.0, outlet_hematocrit_max=0.65,
)  # fmt: skip


def test_a_bowl_is_packed_by_the_cells_of_what_it_draws() -> None:
    bowl = Bowl(BOWL)
    assert bowl.volume == 285
    assert bowl.cells(0.3) == pytest.approx(0.8 * 225 + 0.3 * 60)
    assert bowl.cycle_volume(0.3) == pytest.approx(0.8 * 225 / 0.3 + 60)
    assert (bowl.plasma_flow(70, 0.79), bowl.plasma_flow(70, 0.8)) == (70, 0)


def test_a_membrane_filters_its_fraction_until_the_blood_is_too_thick() -> None:
    one = Membrane(FILTER)
    assert one.plasma_flow(100, 0.4) == pytest.approx(0.3 * 60)
    assert Membrane(FILTER, 50.0).plasma_flow(100, 0.4) == pytest.approx(100 * (1 - 0.4 / 0.65))
    one.ease()
    one.ease()
    assert one.plasma_flow(100, 0.4) == pytest.approx(0.8 * 0.8 * 0.3 * 60)
    one.order(12.0)
    assert one.plasma_flow(100, 0.4) == 12


def test_a_membrane_fouls_by_volume_and_pressure_until_its_limit() -> None:
    one = Membrane(FILTER)
    per_minute = 4 / 1000 * 20 / 60 * 20
    one.foul(20.0, 3.0)
    assert one.permeability == pytest.approx(0.9 - 3 * per_minute)
    left = one.until_pressure_limit(20.0)
    assert left == pytest.approx((one.permeability - 20 / 60) / per_minute)
    one.foul(20.0, left)
    assert one.pressure(20.0) == pytest.approx(60)
    assert Membrane(replace(FILTER, fouling=0.0)).until_pressure_limit(20.0) == math.inf


# -- prime and rinseback ---------------------------------------------------------------------------


@pytest.mark.parametrize("beyond", [0.0, 170.0])
@pytest.mark.parametrize("needles", [1, 2])
def test_a_rinse_gives_back_what_it_displaces_and_saline_beyond(
    beyond: float, needles: int
) -> None:
    """With one needle what was drawn ahead is given back, too."""
    facts = catalog.device("spectra-optia")
    facts = replace(facts, rinseback_volume=facts.extracorporeal_volume + beyond)
    env, bedside, one = session(settings=machine(device_facts=facts, needles=needles), target=800)
    run(env, one)
    saline = [
        (end - start) * flow
        for start, end, exchange, _ in bedside.stretches
        for fluid, flow in exchange.given
        if fluid.name == "saline" and exchange == Exchange(given=((fluid, flow),))
    ]
    ahead = facts.single_needle_volume if needles == 1 else 0.0
    assert rinsed(bedside) == pytest.approx(facts.extracorporeal_volume + ahead)
    assert sum(saline) == pytest.approx(beyond)


def test_a_prime_that_the_patient_gets_needs_no_room_in_the_waste_bag() -> None:
    """However full the bag is: nothing runs into it before plasma does."""
    small = replace(catalog.device("spectra-optia"), waste_bag=100.0)
    albumin = catalog.fluid("albumin-5")
    env, _, one = session(settings=machine(device_facts=small, prime=albumin), target=800)
    run(env, one)
    assert one.stop_reason is None
    assert one.upkeep.alarms["waste-bag-full"] == int(one.tally.plasma_removed // 100)
