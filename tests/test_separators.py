"""Bowl, membrane, second filter and column at the machine, on a stand-in patient."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from stand_ins import (
    LARGE_BOTTLES,
    StandIn,
    albumin_only,
    at,
    event_names,
    fault,
    machine,
    run,
    session,
    standing,
    told,
)

from simulator import catalog
from simulator import scenario as scenarios
from simulator.boundary import Exchange
from simulator.catalog import (
    AdsorberFacts,
    BowlFacts,
    CentrifugeFacts,
    Device,
    FractionatorFacts,
    MembraneFacts,
)
from simulator.errors import ImpossibleRunError, ScenarioError
from simulator.machine.pumps import (
    Anticoagulation,
    ExchangeSettings,
    PumpFlows,
    exchange_flows,
    filling_flows,
    inlet_within_citrate_limit,
    pushing_flows,
)
from simulator.machine.separators import (
    GENTLER,
    Bowl,
    Membrane,
    Separator,
    discarded_share,
    passage,
    separator,
)
from simulator.machine.session import Session
from simulator.orders import CalciumOrder, MachineSettings, Prescription, Replacement

ACD, HEPARIN = catalog.fluid("acd-a"), catalog.fluid("heparin")
PLASMA = catalog.fluid("fresh-frozen-plasma")
ONLY_PLASMA = albumin_only(replacement=(Replacement(PLASMA, share=1.0),))
PROMISED = """
    mcs-plus pcs2 prismaflex-tpe2000 plasmaflo-op-08w evacure-ec-4a dfpp-ec-20w dfpp-ec-50w tr-350
    globaffin spectra-optia cobe-spectra amicus
"""
DEVICES = {name: catalog.device(name) for name in PROMISED.split()}
BOWLS = [name for name, d in DEVICES.items() if isinstance(d.separator, BowlFacts)]
MEMBRANES = [name for name, d in DEVICES.items() if isinstance(d.separator, MembraneFacts)]
CENTRIFUGES = [name for name, d in DEVICES.items() if isinstance(d.separator, CentrifugeFacts)]
FRACTIONATORS = [name for name, d in DEVICES.items() if isinstance(d.treatment, FractionatorFacts)]
ADSORBERS = [name for name, d in DEVICES.items() if isinstance(d.treatment, AdsorberFacts)]
CONTINUOUS = [name for name in DEVICES if name not in BOWLS]

MCS = BowlFacts(0.80, bowl_volume=225.0, harness_volume=35.0, return_flow=90.0,
                turnaround=0.25, standing_limit=2.5)  # fmt: skip
FILTER = MembraneFacts(
    filtration_fraction=0.28, filtration_fraction_max=0.30, permeability=0.63, fouling=0.1,
    transmembrane_pressure_max=60.0, outlet_hematocrit_max=0.60,
)  # fmt: skip


def set_up(name: str, facts: Device | None = None, **changes: Any) -> MachineSettings:
    """A device with its own anticoagulant: citrate by the ratio, heparin by the minute."""
    device = facts or DEVICES[name]
    usual: dict[str, Any] = {"needles": 1} if isinstance(device.separator, BowlFacts) else {}
    if isinstance(device.separator, MembraneFacts):
        usual["access"] = catalog.access("dialysis-catheter")
    if catalog.fluid(device.anticoagulant).activity:
        usual |= {
            "anticoagulant_ratio": math.inf,
            "anticoagulant_flow": device.heparin_rate / HEPARIN.activity,
            "anticoagulant_bolus": device.heparin_bolus / HEPARIN.activity,
        }
    return machine(device_facts=device, **(usual | changes))


def whole(name: str, *others: Any, **details: Any) -> tuple[StandIn, Session]:
    """A session on a device, run to its end."""
    settings = set_up(name, **details.pop("machine", {}))
    env, bedside, one = session(settings=settings, **details)
    run(env, one, *(other(one) for other in others))
    return bedside, one


def moved(bedside: StandIn, what: str) -> float:
    """mL that a flow of the boundary has moved in all."""
    return math.fsum((e - s) * getattr(x, what) for s, e, x, _ in bedside.stretches)


def given_in_all(bedside: StandIn) -> dict[str, float]:
    """mL by fluid that the machine has given."""
    volumes: dict[str, float] = {}
    for start, end, exchange, _ in bedside.stretches:
        for fluid, flow in exchange.given:
            volumes[fluid.name] = volumes.get(fluid.name, 0.0) + (end - start) * flow
    return volumes


def drawing(bedside: StandIn) -> list[tuple[float, float, Exchange, PumpFlows]]:
    return [stretch for stretch in bedside.stretches if stretch[3].inlet]


def returning(bedside: StandIn) -> list[tuple[float, float, Exchange, PumpFlows]]:
    return [stretch for stretch in bedside.stretches if stretch[3].content_back]


def nothing_is_lost(bedside: StandIn, one: Session) -> None:
    """What a bowl drew is in the bag or back in the patient, blood and anticoagulant alike."""
    drawn = moved(bedside, "blood_to_circuit") + moved(bedside, "anticoagulant_to_circuit")
    back, bag = moved(bedside, "circuit_to_patient"), moved(bedside, "circuit_to_waste")
    assert drawn == pytest.approx(back + bag, rel=1e-12)
    assert one.outside == 0
    tally = one.tally
    assert tally.blood_processed + tally.anticoagulant == pytest.approx(drawn, rel=1e-12)
    assert tally.plasma_removed == pytest.approx(bag, rel=1e-12)
    released = sum((e - s) * f.anticoagulant_released for s, e, _, f in bedside.stretches)
    in_bag = tally.plasma_removed - tally.patient_plasma_removed
    assert tally.anticoagulant == pytest.approx(in_bag + released, rel=1e-12)
    assert tally.anticoagulant_to_patient == pytest.approx(released, rel=1e-12)
    assert tally.exchange_anticoagulant == pytest.approx(tally.anticoagulant, rel=1e-12)


# -- the bowl ------------------------------------------------------------------------------------


def test_a_bowl_packs_at_the_volume_of_the_red_book() -> None:
    """225 mL at a packed hematocrit of 80 %, 35 mL of tubing; blood of 40 % at a ratio of 10."""
    bowl, in_channel = Bowl(MCS), 0.40 * 0.9
    assert bowl.volume == 260
    assert bowl.cells(in_channel) == pytest.approx(0.8 * 225 + 0.36 * 35)
    assert bowl.cycle_volume(in_channel) == pytest.approx(535)
    assert bowl.cycle_volume(in_channel) == pytest.approx(225 * 0.8 / 0.36 + 35)


@given(st.floats(0.15, 0.65), st.floats(0.01, 0.1))
def test_the_thinner_the_blood_the_more_of_it_a_bowl_takes(hematocrit: float, more: float) -> None:
    bowl = Bowl(MCS)
    assert bowl.cycle_volume(hematocrit) > bowl.cycle_volume(hematocrit + more) > bowl.volume


@pytest.mark.parametrize("hematocrit", [0.80, 0.85])
def test_a_bowl_yields_nothing_of_blood_as_thick_as_its_packed_cells(hematocrit: float) -> None:
    assert Bowl(MCS).plasma_flow(60.0, hematocrit) == 0
    assert Bowl(MCS).plasma_flow(60.0, 0.79) == 60


@given(st.floats(20, 120), st.floats(0.2, 0.6), st.floats(8, 20))
def test_a_full_bowl_pushes_out_what_flows_in_but_no_cells(
    inlet: float, hematocrit: float, ratio: float
) -> None:
    filling = filling_flows(inlet, Anticoagulation(ratio))
    flows = pushing_flows(filling, hematocrit)
    assert filling.anticoagulant_kept == filling.anticoagulant == pytest.approx(inlet / ratio)
    assert filling.blood + filling.anticoagulant == pytest.approx(inlet)
    assert flows.plasma == flows.separated == flows.inlet
    # the plasma in the bag is that of the inlet: as much anticoagulant per mL of plasma phase
    phase = flows.blood * (1 - hematocrit) + flows.anticoagulant
    assert flows.anticoagulant_removed / flows.plasma == pytest.approx(flows.anticoagulant / phase)
    assert flows.patient_plasma + flows.anticoagulant_removed == pytest.approx(flows.inlet)
    assert flows.anticoagulant_kept + flows.anticoagulant_removed == pytest.approx(inlet / ratio)
    assert flows.anticoagulant_returned == pytest.approx(0.0, abs=1e-12)
    # a volume of cells takes the place of as much plasma phase in the bowl
    cells = flows.blood * hematocrit
    assert phase - flows.plasma == pytest.approx(-cells)


# -- sessions with a bowl -------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOWLS)
@pytest.mark.parametrize("hematocrit", [0.22, 0.40, 0.52])
def test_all_that_a_bowl_draws_is_given_back_or_in_the_bag(name: str, hematocrit: float) -> None:
    bedside, one = whole(name, hematocrit=hematocrit)
    tally = one.tally
    nothing_is_lost(bedside, one)
    assert one.stop_reason is None
    assert tally.patient_plasma_removed == pytest.approx(3000, rel=1e-12)
    names = event_names(bedside)
    assert names.count("draw") == names.count("return") == tally.cycles > 4
    bowl = one.separator
    assert isinstance(bowl, Bowl)
    full = bowl.cycle_volume(hematocrit * (1 - 1 / one.settings.ratio))
    assert tally.outside_most == pytest.approx(full, rel=1e-12) == one.way.outside_most
    assert tally.cycles == math.ceil(tally.plasma_removed / (full - bowl.volume))


@pytest.mark.parametrize("balance", [0.9, 1.0, 1.1])
@pytest.mark.parametrize("target", [1000.0, 2000.0, 3000.0])
@pytest.mark.parametrize("hematocrit", [0.25, 0.40, 0.50])
def test_the_fluid_balance_of_a_bowl_is_kept_exactly(
    hematocrit: float, target: float, balance: float
) -> None:
    """But for a last part-bowl whose plasma is less than the anticoagulant that it brings back."""
    order = albumin_only(fluid_balance=balance)
    bedside, one = whole("mcs-plus", hematocrit=hematocrit, target=target, prescription=order)
    last = told(bedside, "draw")[-1][0]
    stretches = [(e - s, f) for s, e, _, f in bedside.stretches if s >= last]
    brought = sum(minutes * f.anticoagulant for minutes, f in stretches)
    too_much = max(0.0, brought - balance * sum(minutes * f.plasma for minutes, f in stretches))
    tally = one.tally
    fluids = tally.exchange_anticoagulant + tally.replacement
    assert fluids == pytest.approx(balance * tally.plasma_removed + too_much, rel=1e-12)
    assert too_much < 0.1 * MCS.bowl_volume + 0.1 * MCS.harness_volume


def test_every_full_cycle_takes_the_same_and_the_last_part_bowl_is_returned() -> None:
    bedside, one = whole("mcs-plus", target=1000.0, prescription=LARGE_BOTTLES)
    (*full, last), volume = _cycles(bedside), 535.0
    assert [drawn for drawn, _ in full] == pytest.approx([volume] * len(full))
    assert 260 < last[0] < volume
    for drawn, back in (*full, last):
        in_bag = drawn - back
        assert back == pytest.approx(260)
        assert 0 < in_bag <= volume - 260 + 1e-9
    assert one.tally.patient_plasma_removed == pytest.approx(1000, rel=1e-12)


def _cycles(bedside: StandIn) -> list[tuple[float, float]]:
    """Of each cycle, what was drawn (with anticoagulant) and what was given back of it, mL."""
    marks = [time for time, _ in told(bedside, "draw")]
    ends = [*marks[1:], math.inf]
    return [
        (
            sum((e - s) * f.inlet for s, e, _, f in bedside.stretches if mark <= s < end),
            sum((e - s) * f.content_back for s, e, _, f in bedside.stretches if mark <= s < end),
        )
        for mark, end in zip(marks, ends, strict=True)
    ]


def test_a_bowl_that_is_not_full_at_the_target_is_given_back_unseparated() -> None:
    """Less plasma is asked for in mid-draw, before the second bowl is full."""
    bedside, one = whole(
        "mcs-plus",
        lambda one: at(one, 20.0, one.change, "prescription.exchange", 200.0),
        prescription=LARGE_BOTTLES,
    )
    _, second = _cycles(bedside)
    assert 0 < second[0] < 260
    assert second[1] == pytest.approx(second[0])
    nothing_is_lost(bedside, one)
    assert "target-reached" in event_names(bedside)


def test_blood_is_drawn_or_returned_never_both() -> None:
    bedside, _ = whole("mcs-plus")
    assert not [f for *_, f in bedside.stretches if f.inlet and f.content_back]
    for _, _, exchange, flows in drawing(bedside):
        assert exchange.given == ()
        assert exchange.circuit_to_patient == 0
        assert exchange.blood_to_circuit + exchange.anticoagulant_to_circuit == flows.inlet
    for _, _, exchange, _ in returning(bedside):
        assert exchange.blood_to_circuit == exchange.circuit_to_waste == 0


def test_bowl_plasma_without_replacement_is_collected_and_nothing_else_is_given() -> None:
    bedside, one = whole("pcs2", target=760.0, prescription=albumin_only(replacement=()))
    assert given_in_all(bedside) == {}
    assert one.tally.replacement == 0
    assert one.tally.patient_plasma_removed == pytest.approx(760)
    nothing_is_lost(bedside, one)


def test_calcium_given_with_a_bowl_counts_as_fluid_given() -> None:
    calcium = catalog.fluid("calcium-gluconate-10")
    for order in (CalciumOrder(calcium, flow=0.25), CalciumOrder(calcium, per_replacement=0.01)):
        bedside, one = whole("mcs-plus", prescription=albumin_only(calcium=order))
        tally = one.tally
        fluids = tally.exchange_anticoagulant + tally.replacement + tally.calcium
        assert fluids == pytest.approx(tally.plasma_removed, rel=1e-12)
        assert given_in_all(bedside)[calcium.name] == pytest.approx(tally.calcium)
        last = told(bedside, "return")[-1][0]
        if order.flow:
            assert tally.calcium == pytest.approx(0.25 * (last - one.times.draw))
        else:
            assert tally.calcium == pytest.approx(0.01 * tally.replacement)


@pytest.mark.parametrize("phase", ["draw", "return"])
def test_a_calcium_rate_changed_in_mid_cycle_holds_from_that_minute_on(phase: str) -> None:
    """What was ordered at either rate, minute by minute, is given by the end of the last return."""
    before, after = 0.25, 1.0
    change: dict[str, float] = {}

    def alter(one: Session) -> Generator[Any, Any, None]:
        while one.env.now < 40 or one.phase == phase:
            yield one.env.timeout(0.1)
        while one.phase != phase:
            yield one.env.timeout(0.1)
        yield one.env.timeout(1.0)
        assert one.phase == phase
        change["at"] = one.env.now
        one.change("prescription.calcium.rate", after)

    order = CalciumOrder(catalog.fluid("calcium-gluconate-10"), flow=before)
    bedside, one = whole("mcs-plus", alter, prescription=albumin_only(calcium=order))
    last = told(bedside, "return")[-1][0]
    expected = before * (change["at"] - one.times.draw) + after * (last - change["at"])
    assert one.tally.calcium == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mcs-plus", "each draw will take 18.0 % of the blood volume; above 15 % is not advised"),
        (
            "spectra-optia",
            "the circuit will hold 28.2 % of the blood volume; "
            "above 15 % a prime of red cells is advised",
        ),
    ],
)
def test_red_cells_are_advised_only_for_a_circuit_that_can_be_primed_with_them(
    name: str, said: str
) -> None:
    env, bedside, one = session(settings=set_up(name), target=100.0)
    blood = 535.0 / 0.18 if name == "mcs-plus" else 500.0
    vitals = replace(bedside.vitals(), blood_volume=blood)
    bedside.vitals = lambda: vitals  # type: ignore[method-assign]
    run(env, one)
    assert told(bedside, "warning")[0] == (0.0, said)


def test_pumps_that_stand_in_a_draw_for_too_long_over_pack_the_bowl() -> None:
    short, long = 2.4, 2.6
    bedside, _ = whole("mcs-plus", lambda one: fault(one, "air-in-return", 10.0, short))
    assert "bowl-over-packed" not in event_names(bedside)
    bedside, one = whole("mcs-plus", lambda one: fault(one, "air-in-return", 10.0, long))
    ((when, detail),) = told(bedside, "bowl-over-packed")
    assert when == pytest.approx(12.6)
    assert detail == "the pumps stood still for 2.6 min; it is emptied now"
    cycles = _cycles(bedside)
    assert cycles[0][0] == pytest.approx(5 * 70)  # drawn from minute 5 to 10, then no more
    assert one.tally.patient_plasma_removed == pytest.approx(3000)
    assert one.tally.exchange_anticoagulant + one.tally.replacement == pytest.approx(
        one.tally.plasma_removed, rel=1e-12
    )
    nothing_is_lost(bedside, one)


@pytest.mark.parametrize("when", [7.0, 11.0, 15.0])
def test_a_pump_stop_in_filling_drawing_or_returning_delays_and_loses_nothing(when: float) -> None:
    plain, usual = whole("mcs-plus", prescription=LARGE_BOTTLES, target=1000.0)
    bedside, one = whole(
        "mcs-plus",
        lambda one: fault(one, "air-in-return", when, 2.0),
        prescription=LARGE_BOTTLES,
        target=1000.0,
    )
    assert one.times.exchange_end == pytest.approx(usual.times.exchange_end + 2.0)
    assert one.times.paused == pytest.approx(usual.times.paused + 2.0)
    cycles = zip(_cycles(bedside), _cycles(plain), strict=True)
    assert all(one == pytest.approx(other) for one, other in cycles)
    assert one.tally.replacement == pytest.approx(usual.tally.replacement, rel=1e-12)
    nothing_is_lost(bedside, one)


@dataclass
class Brief(StandIn):
    """Does not listen to a session that has no end."""

    def log(self, event: str, detail: str = "") -> None:
        assert len(self.events) < 300, "an endless session"
        super().log(event, detail)


@pytest.mark.parametrize("early", [0.0, 4e-15, 1e-13, 1e-12, 1e-11, 1e-9, 1e-6])
def test_a_fault_at_the_last_instant_of_a_return_does_not_leave_the_bowl_packed(
    early: float,
) -> None:
    plain, _ = whole("mcs-plus", target=600.0, prescription=LARGE_BOTTLES)
    end = returning(plain)[0][1] - early
    env, _, one = session(settings=set_up("mcs-plus"), target=600.0, prescription=LARGE_BOTTLES)
    one.bedside = bedside = Brief(env)
    env.process(fault(one, "return-occlusion", end, 1.0))  # first, if at the same instant
    run(env, one)
    assert one.tally.cycles == 3
    assert one.tally.patient_plasma_removed == pytest.approx(600)
    nothing_is_lost(bedside, one)


def test_bottles_run_dry_while_a_bowl_is_returned() -> None:
    bedside, one = whole("mcs-plus")
    returns = [(s, e) for s, e, _, _ in returning(bedside)]
    dry = [time for time, _ in told(bedside, "alarm:replacement-empty")]
    assert len(dry) == int(one.tally.replacement // 250) == 11
    for time in dry:
        assert any(e == time for _, e in returns)
        (stood,) = [s for s in standing(bedside) if s[0] == time]
        assert stood[1] - stood[0] == pytest.approx(0.75)


def test_fluids_of_a_bowl_come_in_the_prescribed_order_and_shares() -> None:
    albumin, saline = catalog.fluid("albumin-5"), catalog.fluid("saline")
    order = albumin_only(
        replacement=(Replacement(albumin, share=0.7), Replacement(saline, share=0.3))
    )
    bedside, one = whole("mcs-plus", prescription=order)
    used = one.line.used_by_fluid()
    assert used["albumin-5"] / sum(used.values()) == pytest.approx(0.7, abs=0.005)
    fluids = [x.given[0][0].name for _, _, x, f in bedside.stretches if f.replacement]
    assert fluids == sorted(fluids)
    assert set(fluids) == {"albumin-5", "saline"}


@pytest.mark.parametrize("when", [7.0, 11.0, 21.5, 15.0])
def test_a_session_ended_early_gives_the_bowl_back(when: float) -> None:
    def end(one: Session) -> Any:
        return at(one, when, one.give_up, "by the test", circuit_lost=False)

    bedside, one = whole("mcs-plus", end)
    assert one.stop_reason == "by the test"
    nothing_is_lost(bedside, one)
    assert event_names(bedside)[-1] == "disconnect"
    assert not [s for s, *_ in drawing(bedside) if s >= when]


def test_a_bowl_is_lost_with_its_blood_when_the_machine_fails() -> None:
    bedside, one = whole("mcs-plus", lambda one: fault(one, "device-failure", 11.0))
    assert one.stop_reason == "device failure"
    assert returning(bedside) == []
    assert one.outside == pytest.approx(260)
    assert "no-rinseback" in event_names(bedside)


def test_pumps_that_stand_too_long_lose_the_bowl() -> None:
    bedside, one = whole("mcs-plus", lambda one: fault(one, "air-in-return", 11.0, 30.0))
    assert one.circuit_lost
    assert one.stop_reason == "clotted: pumps stood still for 10 min (air-in-return)"
    assert moved(bedside, "circuit_to_patient") == 0


@pytest.mark.parametrize("limit", [1.2, 2.0, 3.0])
@pytest.mark.parametrize("order", [albumin_only(), ONLY_PLASMA], ids=["albumin", "plasma"])
def test_a_bowl_is_given_back_no_faster_than_citrate_allows(
    limit: float, order: Prescription
) -> None:
    """Over each cycle, from draw to draw, the mean is at most the limit."""
    bedside, one = whole("mcs-plus", prescription=order, citrate_limit=limit, target=1500.0)
    x = order.replacement[0].fluid.citrate / ACD.citrate
    marks = [*(t for t, _ in told(bedside, "draw")), one.times.exchange_end]
    means = []
    for begin, end in pairwise(marks):
        citrate = sum(
            (e - s) * (f.anticoagulant_released + x * f.replacement)
            for s, e, _, f in bedside.stretches
            if begin <= s < end
        )
        means.append(citrate / (end - begin))
    assert max(means) <= limit * (1 + 1e-9)
    back = (f.content_back + f.replacement for *_, f in returning(bedside))
    slowed = min(back) < 90 * (1 - 1e-9)
    assert slowed is (limit < 3.1 if x else limit < 1.5), "of albumin, the last part-bowl"
    assert len(told(bedside, "warning")) == slowed
    if slowed:
        assert max(means) > 0.95 * limit, "but for the turnaround and pump stops"
        assert "instead of 90 mL/min: citrate" in told(bedside, "warning")[0][1]


def test_a_slowed_return_with_calcium_takes_just_as_long_as_citrate_asks() -> None:
    """From one empty bowl to the next the mean is the limit; no bottle is changed meanwhile."""
    limit, fluid = 2.0, replace(PLASMA, container=9000.0)
    calcium = CalciumOrder(catalog.fluid("calcium-gluconate-10"), per_replacement=0.1)
    order = albumin_only(replacement=(Replacement(fluid, share=1.0),), calcium=calcium)
    bedside, one = whole("mcs-plus", prescription=order, citrate_limit=limit, target=1500.0)
    marks = [time for time, _ in told(bedside, "draw")]
    emptied = [max(e for _, e, _, _ in returning(bedside) if e <= mark) for mark in marks[1:]]
    x = fluid.citrate / ACD.citrate
    means = [
        sum(
            (e - s) * (f.anticoagulant_released + x * f.replacement)
            for s, e, _, f in bedside.stretches
            if begin <= s < end
        )
        / (end - begin)
        for begin, end in pairwise([one.times.draw, *emptied])
    ]
    assert len(means) > 3
    assert means == pytest.approx([limit] * len(means), rel=1e-9)


def test_a_bowl_refuses_blood_that_is_packed_already() -> None:
    thin = replace(MCS, packed_hematocrit=0.55)
    device = replace(DEVICES["mcs-plus"], separator=thin)
    env, _, one = session(hematocrit=0.65, settings=set_up("mcs-plus", device))
    with pytest.raises(
        ImpossibleRunError, match=r"^at 0\.\d+ d, 5 min.*separated at a hematocrit of 65 %"
    ):
        run(env, one)


def test_much_blood_in_a_bowl_is_told_before_it_is_drawn() -> None:
    """750 mL at 15 % of the stand-in's 5 L: blood thinner than 28 % needs more."""
    for hematocrit, many in ((0.27, True), (0.29, False)):
        bedside, one = whole("mcs-plus", hematocrit=hematocrit, target=300.0)
        warnings = [text for _, text in told(bedside, "warning")]
        assert (one.way.outside_most > 750) is many
        assert len(warnings) == many
        if many:
            assert "each draw will take 15.5 % of the blood volume" in warnings[0]


# -- the membrane --------------------------------------------------------------------------------


@given(st.floats(50, 250), st.floats(0.15, 0.45))
def test_a_membrane_filters_its_fraction_of_the_plasma(inlet: float, hematocrit: float) -> None:
    flow = Membrane(FILTER).plasma_flow(inlet, hematocrit)
    assert flow == pytest.approx(0.28 * inlet * (1 - hematocrit))


@given(st.floats(50, 250), st.floats(0.15, 0.7), st.floats(1, 300))
def test_blood_that_leaves_a_membrane_is_never_thicker_than_its_limit(
    inlet: float, hematocrit: float, ordered: float
) -> None:
    membrane = Membrane(FILTER, ordered)
    flow = membrane.plasma_flow(inlet, hematocrit)
    assert flow <= ordered
    if hematocrit >= 0.60:
        assert flow <= 0
        return
    leaving = inlet * hematocrit / (inlet - flow)
    assert leaving <= 0.60 * (1 + 1e-12)
    assert flow == ordered or leaving == pytest.approx(0.60)


def test_a_membrane_eases_by_a_fifth_each_time() -> None:
    for membrane in (Membrane(FILTER), Membrane(FILTER, 30.0)):
        before = membrane.plasma_flow(150.0, 0.36)
        for time in range(1, 4):
            membrane.ease()
            assert membrane.plasma_flow(150.0, 0.36) == pytest.approx(GENTLER**time * before)


@given(st.floats(5, 35), st.floats(0.01, 0.5), st.floats(0.1, 5))
def test_fouling_is_the_integral_of_its_law(flow: float, fouling: float, liters: float) -> None:
    """dL/dV = -k L TMP / TMP_max with TMP = Q / L, by steps of the midpoint rule."""
    facts = replace(FILTER, fouling=fouling)
    steps, permeability = 400, facts.permeability
    step = liters / steps

    def slope(now: float) -> float:
        return -fouling * now * (flow / now) / facts.transmembrane_pressure_max

    for _ in range(steps):
        permeability += step * slope(permeability + step / 2 * slope(permeability))
    membrane = Membrane(facts)
    assert membrane.pressure(flow) == pytest.approx(flow / facts.permeability)
    membrane.foul(flow, 1000 * liters / flow)
    assert membrane.permeability == pytest.approx(permeability, rel=1e-9, abs=1e-9)


@given(st.floats(5, 37), st.floats(0.01, 0.5))
def test_the_pressure_limit_is_reached_when_it_is_said_to_be(flow: float, fouling: float) -> None:
    membrane = Membrane(replace(FILTER, fouling=fouling))
    minutes = membrane.until_pressure_limit(flow)
    membrane.foul(flow, 0.999 * minutes)
    assert membrane.pressure(flow) < 60
    membrane.foul(flow, 0.001 * minutes)
    assert membrane.pressure(flow) == pytest.approx(60, rel=1e-9)
    assert Membrane(FILTER).until_pressure_limit(0.0) == math.inf


def test_the_pressure_rises_through_a_session_as_the_law_says() -> None:
    """At a constant flow 1/TMP falls by fouling / TMP_max per liter of filtered plasma."""
    bedside, one = whole("plasmaflo-op-08w", prescription=LARGE_BOTTLES)
    facts, membrane = one.machine.device.separator, one.separator
    assert isinstance(facts, MembraneFacts)
    assert isinstance(membrane, Membrane)
    (flow,) = {round(f.separated, 9) for *_, f in bedside.stretches if f.separated}
    liters = one.tally.plasma_removed / 1000
    inverse = facts.permeability / flow - facts.fouling * liters / facts.transmembrane_pressure_max
    assert membrane.pressure(flow) == pytest.approx(1 / inverse, rel=1e-9)
    assert membrane.pressure(flow) > 1.2 * flow / facts.permeability


def fouled(fouling: float, **more: Any) -> tuple[StandIn, Session]:
    """A session whose filter fouls so much faster."""
    usual = DEVICES["plasmaflo-op-08w"]
    assert isinstance(usual.separator, MembraneFacts)
    device = replace(usual, separator=replace(usual.separator, fouling=fouling))
    return whole(
        "", machine={"facts": device} | more, prescription=LARGE_BOTTLES, hematocrit=0.40
    )  # fmt: skip


def test_a_filter_that_reaches_its_limit_is_eased_by_a_fifth_and_goes_on() -> None:
    bedside, one = fouled(0.3)
    sounded = told(bedside, "alarm:transmembrane-pressure-high")
    assert len(sounded) == one.upkeep.alarms["transmembrane-pressure-high"] >= 1
    assert "transmembrane pressure 60 mmHg" in sounded[0][1]
    flows = [f.separated for *_, f in bedside.stretches if f.separated]
    levels = sorted({round(q, 9) for q in flows}, reverse=True)
    assert len(levels) == len(sounded) + 1
    for before, after in pairwise(levels):
        assert after / before == pytest.approx(0.8)
    assert one.stop_reason is None
    assert one.tally.patient_plasma_removed == pytest.approx(3000)
    for when, _ in sounded:
        assert not [s for s in standing(bedside) if s[0] <= when <= s[1]], "nothing stops for it"
    facts = one.machine.device.separator
    assert isinstance(facts, MembraneFacts)
    clean = facts.permeability - flows[0] / 60
    lost_per_minute = facts.fouling / 1000 * flows[0] ** 2 / 60
    filtered = sum(e - s for s, e, _, f in bedside.stretches if f.separated and s < sounded[0][0])
    assert filtered == pytest.approx(clean / lost_per_minute, rel=1e-9)


def test_a_filter_that_fouls_on_and_on_is_given_up_with_its_blood() -> None:
    bedside, one = fouled(3.0)
    names = [n for n in event_names(bedside) if n.startswith("alarm:")]
    assert names.count("alarm:transmembrane-pressure-high") == 4
    assert names.count("alarm:filter-clotted") == 1
    assert names[-1] == "alarm:pumps-stopped", "while the operator takes the filter off"
    assert one.stop_reason == "filter-clotting"
    assert one.circuit_lost
    assert "no-rinseback" in event_names(bedside)
    flows = {round(f.separated, 6) for *_, f in bedside.stretches if f.separated}
    assert min(flows) == pytest.approx(0.8**4 * max(flows), rel=1e-5)
    assert 0 < one.tally.patient_plasma_removed < 3000


@pytest.mark.parametrize("name", ["filter-clotting", "blood-leak"])
def test_a_spoiled_filter_ends_the_session_without_rinseback(name: str) -> None:
    bedside, one = whole("plasmaflo-op-08w", lambda one: fault(one, name, 30.0))
    assert one.stop_reason == name
    assert moved(bedside, "circuit_to_patient") == 0


def test_more_than_the_filtration_fraction_is_told_once() -> None:
    """30 % of 150 mL/min at a hematocrit of 40 % are 27 mL/min of plasma."""
    for ordered, many in ((26.5, 0), (28.5, 1)):
        bedside, one = whole("plasmaflo-op-08w", machine={"plasma_flow": ordered})
        warnings = [text for _, text in told(bedside, "warning")]
        assert len(warnings) == many, ordered
        assert {round(f.separated, 9) for *_, f in bedside.stretches if f.separated} == {ordered}
        if many:
            assert warnings == ["the filtration fraction is 32 %; above 30 % filters clot"]
        assert one.stop_reason is None


def test_blood_too_thick_to_filter_more_is_told_once() -> None:
    bedside, _ = whole("plasmaflo-op-08w", hematocrit=0.55, target=300.0)
    warnings = [text for _, text in told(bedside, "warning")]
    assert len(warnings) == 1
    assert "instead of 19 mL/min of plasma: the blood that leaves it" in warnings[0]
    assert "thicker than 60 %" in warnings[0]


@pytest.mark.parametrize("name", MEMBRANES)
def test_a_membrane_with_blood_of_65_percent_is_refused(name: str) -> None:
    env, _, one = session(hematocrit=0.65, settings=set_up(name))
    with pytest.raises(ImpossibleRunError, match="no plasma can be separated at a hematocrit"):
        run(env, one)


# -- heparin and citrate --------------------------------------------------------------------------


def test_heparin_runs_by_the_minute_whatever_the_blood_does() -> None:
    by_time = Anticoagulation(by_time=0.25)
    assert [by_time.flow(inlet) for inlet in (50.0, 150.0)] == [0.25, 0.25]
    assert Anticoagulation(10.0).flow(65.0) == 6.5
    bedside, one = whole("plasmaflo-op-08w", prescription=LARGE_BOTTLES)
    pumping = sum(e - s for s, e, _, _ in drawing(bedside))
    assert one.tally.anticoagulant == pytest.approx(0.25 * pumping, rel=1e-12)
    assert bedside.gifts == [(0.0, "heparin", 20.0, 1.0)]
    assert told(bedside, "anticoagulant-bolus") == [(0.0, "2000 U heparin")]


def test_an_empty_syringe_of_heparin_sounds_and_is_changed() -> None:
    small = replace(HEPARIN, container=10.0)
    bedside, one = whole(
        "plasmaflo-op-08w", machine={"anticoagulant": small}, prescription=LARGE_BOTTLES
    )
    times = [time for time, _ in told(bedside, "alarm:anticoagulant-empty")]
    assert len(times) == int(one.tally.anticoagulant // 10) == 3
    assert times[0] == pytest.approx(one.times.draw + 40.0)
    assert times[1] - times[0] == pytest.approx(40.0 + 0.75)


@pytest.mark.parametrize("name", ["plasmaflo-op-08w", "spectra-optia", "mcs-plus"])
def test_no_heparin_at_all_is_a_way_to_run(name: str) -> None:
    free: dict[str, Any] = {"anticoagulant_flow": 0.0, "anticoagulant_bolus": 0.0}
    free |= {"anticoagulant": HEPARIN, "anticoagulant_ratio": math.inf}
    bedside, one = whole(name, machine=free, target=600.0)
    assert one.tally.anticoagulant == 0
    assert one.tally.patient_plasma_removed == pytest.approx(600)
    assert bedside.gifts == []


def test_citrate_on_a_membrane_runs_by_the_ratio() -> None:
    citrate = {"anticoagulant": ACD, "anticoagulant_ratio": 15.0, "anticoagulant_bolus": 0.0}
    bedside, one = whole("plasmaflo-op-08w", machine=citrate | {"anticoagulant_flow": 0.0})
    tally = one.tally
    assert tally.anticoagulant == pytest.approx(tally.blood_processed / 14)
    given_back = tally.exchange_anticoagulant + tally.replacement
    assert given_back == pytest.approx(tally.plasma_removed)
    removed = tally.plasma_removed - tally.patient_plasma_removed
    reaches = tally.exchange_anticoagulant - removed
    assert tally.anticoagulant_to_patient == pytest.approx(reaches)
    assert bedside.gifts == []


def with_settings(
    name: str, ratio: float, plasma_flow: float | None, **more: Any
) -> ExchangeSettings:
    """Settings of an exchange with citrate on a device."""
    device = DEVICES[name]
    usual = ExchangeSettings(
        separator=separator(device, plasma_flow), anticoagulation=Anticoagulation(ratio),
        fluid_balance=1.0, replaces=True, calcium_flow=0.0, calcium_per_replacement=0.0,
        discarded=discarded_share(device),
    )  # fmt: skip
    return replace(usual, **more)


@pytest.mark.parametrize("name", CONTINUOUS)
@given(
    ratio=st.floats(10, 16), hematocrit=st.floats(0.2, 0.5), limit=st.floats(0.5, 6.0),
    share=st.floats(0.0, 1.0), ordered=st.one_of(st.none(), st.floats(8, 60)),
    calcium=st.sampled_from([0.0, 0.02]), recirculation=st.sampled_from([0.0, 0.15]),
    plasma=st.booleans(),
)  # fmt: skip
def test_the_citrate_limit_is_met_exactly_on_each_kind(
    *, name: str, ratio: float, hematocrit: float, limit: float, share: float,
    ordered: float | None, calcium: float, recirculation: float, plasma: bool,
) -> None:  # fmt: skip
    device = DEVICES[name]
    inlet = device.inlet_flow_min + share * (device.inlet_flow_max - device.inlet_flow_min)
    flow = ordered if name in MEMBRANES else None
    chosen = with_settings(
        name, ratio, flow, recirculation=recirculation, calcium_per_replacement=calcium
    )
    x = PLASMA.citrate / ACD.citrate if plasma else 0.0

    def infused(at_flow: float) -> float:
        flows = exchange_flows(at_flow, hematocrit, chosen)
        return flows.anticoagulant_returned + x * flows.replacement

    try:
        infused(inlet)
    except ImpossibleRunError:
        assume(False)  # less plasma is ordered than anticoagulant runs in
    found = inlet_within_citrate_limit(inlet, hematocrit, chosen, (1.0, x), limit)
    event("limited" if found < inlet else "free")
    assert 0 < found <= inlet
    assert infused(found) <= limit * (1 + 1e-9)
    assert found == inlet or infused(found) == pytest.approx(limit, rel=1e-9)


def test_an_ordered_plasma_flow_does_not_make_the_citrate_limit_unanswerable() -> None:
    """40 mL/min of plasma replaced by plasma: below the machine's range the limit would be met."""
    citrate: dict[str, Any] = {"anticoagulant": ACD, "anticoagulant_ratio": 15.0}
    citrate |= {"anticoagulant_flow": 0.0, "anticoagulant_bolus": 0.0, "plasma_flow": 40.0}
    settings = set_up("plasmaflo-op-08w", **citrate)
    env, _, one = session(settings=settings, prescription=ONLY_PLASMA, citrate_limit=3.0)
    with pytest.raises(ImpossibleRunError, match="citrate limit asks for an inlet flow of"):
        run(env, one)


# -- treated plasma -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FRACTIONATORS, *ADSORBERS])
@pytest.mark.parametrize("ratio", [math.inf, 15.0])
@given(hematocrit=st.floats(0.2, 0.5), inlet=st.floats(60, 200))
def test_treated_plasma_goes_back_but_for_its_discarded_share(
    name: str, ratio: float, hematocrit: float, inlet: float
) -> None:
    anticoagulation = Anticoagulation(ratio, 0.25 if ratio == math.inf else 0.0)
    settings = with_settings(name, 10.0, None, anticoagulation=anticoagulation)
    flows = exchange_flows(inlet, hematocrit, settings)
    discarded = settings.discarded
    assert flows.plasma == pytest.approx(discarded * flows.separated)
    assert flows.plasma + flows.plasma_back == pytest.approx(flows.separated)
    assert flows.patient_plasma == pytest.approx(discarded * flows.treated)
    assert flows.dose == flows.treated
    total = flows.anticoagulant_removed + flows.anticoagulant_back + flows.anticoagulant_with_cells
    assert total == pytest.approx(flows.anticoagulant)
    back, removed = flows.anticoagulant_back, flows.anticoagulant_removed
    assert discarded * (back + removed) == pytest.approx(removed)
    in_plasma = flows.anticoagulant / (inlet * (1 - hematocrit * flows.blood / inlet))
    assert back + removed == pytest.approx(in_plasma * flows.separated)
    assert flows.separated == pytest.approx(flows.treated + back + removed)
    spare = flows.plasma - flows.anticoagulant
    assert flows.replacement == pytest.approx(max(0.0, spare))


@pytest.mark.parametrize("name", FRACTIONATORS)
def test_double_filtration_makes_up_the_volume_it_discards(name: str) -> None:
    bedside, one = whole(name, prescription=LARGE_BOTTLES)
    tally, share = one.tally, discarded_share(DEVICES[name])
    assert tally.dose == tally.treated == pytest.approx(3000)
    assert tally.patient_plasma_removed == pytest.approx(share * 3000)
    assert tally.exchange_anticoagulant + tally.replacement == pytest.approx(tally.plasma_removed)
    assert tally.plasma_back == pytest.approx((1 - share) / share * tally.plasma_removed)
    _what_enters_the_circuit_leaves_it(bedside)
    assert told(bedside, "target-reached")[0][1] == "3000 mL of patient plasma treated"
    assert told(bedside, "exchange")[0][1] == "3000 mL of patient plasma to treat"


def _what_enters_the_circuit_leaves_it(bedside: StandIn) -> None:
    for _, _, exchange, flows in bedside.stretches:
        if flows.separated:
            into = exchange.plasma_to_circuit + exchange.anticoagulant_to_circuit
            out = exchange.circuit_to_waste + exchange.plasma_to_patient
            assert into == pytest.approx(out, rel=1e-12)


@pytest.mark.parametrize("name", ADSORBERS)
def test_an_adsorber_discards_nothing_and_needs_no_replacement(name: str) -> None:
    bedside, one = whole(name)
    tally = one.tally
    assert tally.treated == pytest.approx(3000)
    assert tally.plasma_removed == tally.patient_plasma_removed == tally.replacement == 0
    assert one.upkeep.alarms["replacement-empty"] == one.upkeep.alarms["waste-bag-full"] == 0
    assert moved(bedside, "circuit_to_waste") == 0
    assert moved(bedside, "plasma_to_patient") == pytest.approx(tally.plasma_back)
    assert set(given_in_all(bedside)) == {"heparin"}
    _what_enters_the_circuit_leaves_it(bedside)


def test_twin_columns_swap_whenever_one_has_treated_its_share() -> None:
    facts = DEVICES["globaffin"].treatment
    assert isinstance(facts, AdsorberFacts)
    bedside, one = whole("globaffin", target=3100.0)
    swaps = [time for time, _ in told(bedside, "column-swapped")]
    assert [time for time, _ in told(bedside, "swapped")] == swaps
    assert len(swaps) == int(3100 // facts.plasma_per_column) == 5
    treated = [
        sum(max(0.0, min(e, swap) - s) * f.treated for s, e, _, f in bedside.stretches if s < swap)
        for swap in swaps
    ]
    assert treated == pytest.approx([600.0 * n for n in range(1, 6)])
    assert "warning" not in event_names(bedside)
    assert one.stop_reason is None


def test_the_column_does_not_swap_at_the_end_of_the_session() -> None:
    bedside, _ = whole("globaffin", target=1200.0)
    assert event_names(bedside).count("column-swapped") == 1


def test_a_single_column_is_used_on_and_that_it_is_spent_is_told_once() -> None:
    for target, many in ((1900.0, 0), (6500.0, 1)):
        bedside, one = whole("tr-350", target=target)
        warnings = [text for _, text in told(bedside, "warning") if "column" in text]
        assert len(warnings) == many
        assert event_names(bedside).count("swapped") == 0
        assert one.tally.treated == pytest.approx(target)
        if many:
            assert warnings == [
                "the column is spent: it has treated the 2000 mL of plasma that it is meant for, "
                "and binds less and less"
            ]


def test_what_filters_and_columns_let_pass_is_told_to_the_patient() -> None:
    for name in (*MEMBRANES, *CENTRIFUGES):
        device, (_, bedside, one) = DEVICES[name], session(settings=set_up(name))
        flows = one.controller.exchanging(bedside.vitals(), one.line)
        told_of = one.controller.exchanges(flows, one.line).passage
        assert told_of == passage(device)
        facts, treatment = device.separator, device.treatment
        assert told_of.sieving == (facts.sieving if isinstance(facts, MembraneFacts) else {})
        second = treatment.sieving if isinstance(treatment, FractionatorFacts) else {}
        assert told_of.return_sieving == second
        bound = treatment.extraction if isinstance(treatment, AdsorberFacts) else {}
        assert told_of.extraction == bound
        most = treatment.capacity if isinstance(treatment, AdsorberFacts) else math.inf
        assert told_of.capacity == most


# -- recirculation on treating devices -------------------------------------------------------------


def recirculating_exchange(
    name: str, share: float, citrate: bool, order: Prescription
) -> tuple[Exchange, PumpFlows]:
    access = replace(catalog.access("dialysis-catheter-reversed"), recirculation=share)
    more: dict[str, Any] = {"access": access}
    if citrate:
        more |= {"anticoagulant": ACD, "anticoagulant_ratio": 15.0}
        more |= {"anticoagulant_flow": 0.0, "anticoagulant_bolus": 0.0}
    _, bedside, one = session(settings=set_up(name, **more), prescription=order)
    flows = one.controller.exchanging(bedside.vitals(), one.line)
    return one.controller.exchanges(flows, one.line), flows


every_recirculation = pytest.mark.parametrize(
    ("name", "citrate", "order"),
    [
        (name, citrate, order)
        for name in (*FRACTIONATORS, *ADSORBERS, "plasmaflo-op-08w")
        for citrate in (False, True)
        for order in (albumin_only(), albumin_only(replacement=()))
    ],
)


@every_recirculation
@pytest.mark.parametrize("share", [0.05, 0.15])
def test_recirculated_plasma_keeps_the_volume_of_the_circuit(
    name: str, citrate: bool, order: Prescription, share: float
) -> None:
    exchange, flows = recirculating_exchange(name, share, citrate, order)
    plain, usual = recirculating_exchange(name, 0.0, citrate, order)
    into = exchange.plasma_to_circuit + exchange.anticoagulant_to_circuit
    out = exchange.circuit_to_waste + exchange.plasma_to_patient
    assert into == pytest.approx(out, rel=1e-12)
    assert exchange.plasma_to_circuit < plain.plasma_to_circuit, "less of it is the patient's own"
    pumped = ("inlet", "blood", "anticoagulant", "separated", "plasma", "replacement", "calcium")
    assert [getattr(flows, p) for p in pumped] == [getattr(usual, p) for p in pumped]


@every_recirculation
def test_what_recirculates_is_no_more_than_what_is_given(
    name: str, citrate: bool, order: Prescription
) -> None:
    exchange, _ = recirculating_exchange(name, 0.3, citrate, order)
    assert all(flow >= 0 for _, flow in (*exchange.given, *exchange.wasted))


@every_recirculation
def test_the_waste_bag_holds_what_the_machine_says(
    name: str, citrate: bool, order: Prescription
) -> None:
    exchange, flows = recirculating_exchange(name, 0.15, citrate, order)
    wasted = sum(flow for _, flow in exchange.wasted)
    assert exchange.circuit_to_waste + wasted == pytest.approx(flows.plasma)


@pytest.mark.parametrize("citrate", [False, True])
@pytest.mark.parametrize("name", ["plasmaflo-op-08w", *FRACTIONATORS, *ADSORBERS])
def test_the_machine_cannot_see_what_recirculates(name: str, citrate: bool) -> None:
    _, flows = recirculating_exchange(name, 0.15, citrate, albumin_only())
    _, usual = recirculating_exchange(name, 0.0, citrate, albumin_only())
    assert flows.dose == pytest.approx(usual.dose)


# -- a single needle ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CENTRIFUGES)
def test_a_single_needle_draws_for_a_while_and_returns_for_a_while(name: str) -> None:
    """To draw v at Q_in and return it at Q_ret takes v/Q_in + v/Q_ret: the mean is v over that."""
    device = DEVICES[name]
    settings = set_up(name, needles=1)
    _, bedside, one = session(settings=settings)
    drawn, back, volume = settings.inlet_flow, device.return_flow, 80.0
    mean = volume / (volume / drawn + volume / back)
    assert one.controller.mean_inlet() == pytest.approx(mean)
    assert one.controller.drawn(one.controller.mean_inlet()) == pytest.approx(drawn)
    assert one.controller.drawn(0.0) == 0
    flows = one.controller.exchanging(bedside.vitals(), one.line)
    assert flows.inlet == pytest.approx(mean)
    assert one.circuit_volume == device.extracorporeal_volume + device.single_needle_volume


@pytest.mark.parametrize("name", CENTRIFUGES)
def test_a_session_with_one_needle_takes_longer_and_removes_as_much(name: str) -> None:
    _, two = whole(name, prescription=LARGE_BOTTLES)
    bedside, one = whole(name, prescription=LARGE_BOTTLES, machine={"needles": 1})
    slower = one.machine.inlet_flow / one.controller.mean_inlet()
    assert slower == pytest.approx(1 + one.machine.inlet_flow / one.machine.device.return_flow)
    pumping = [
        sum(e - s for s, e, _, f in stand_in.stretches if f.separated)
        for stand_in in (bedside, whole(name, prescription=LARGE_BOTTLES)[0])
    ]
    assert pumping[0] == pytest.approx(slower * pumping[1])
    assert one.times.exchange_end > 1.4 * two.times.exchange_end
    assert one.tally.patient_plasma_removed == pytest.approx(two.tally.patient_plasma_removed)
    assert one.tally.outside_most > two.tally.outside_most


@pytest.mark.parametrize("name", CENTRIFUGES)
@given(flow=st.floats(10, 140), share=st.floats(0, 1))
def test_one_needle_at_the_lowest_flow_is_not_refused_for_rounding(
    name: str, flow: float, share: float
) -> None:
    device = replace(DEVICES[name], inlet_flow_min=flow)
    veins = replace(catalog.access("peripheral-veins"), inlet_flow_max=150.0)
    settings = set_up(name, device, needles=1, inlet_flow=flow, access=veins)
    _, bedside, one = session(settings=settings)
    assert one.controller.exchanging(bedside.vitals(), one.line).inlet > 0


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n not in CENTRIFUGES])
def test_one_needle_is_refused_where_the_device_cannot(name: str) -> None:
    text = (
        "format: 1\npatient: {sex: female, weight: 68 kg, height: 1.65 m, hematocrit: 0.39}\n"
        "prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}\n"
        f"course: {{sessions: 1}}\nmachine: {{device: {name}, needles: 1}}\n"
    )
    with pytest.raises(ScenarioError, match="with one needle"):
        scenarios.loads(text, "one")


def test_two_needles_are_refused_for_a_bowl() -> None:
    text = (
        "format: 1\npatient: {sex: female, weight: 68 kg, height: 1.65 m, hematocrit: 0.39}\n"
        "prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}\n"
        "course: {sessions: 1}\nmachine: {device: mcs-plus, needles: 2}\n"
    )
    with pytest.raises(ScenarioError, match="draws and returns in turn"):
        scenarios.loads(text, "one")


def test_each_kind_of_facts_has_its_separator() -> None:
    for name, device in DEVICES.items():
        one: Separator = separator(device)
        expected = (Bowl, Membrane) if name not in CENTRIFUGES else ()
        assert isinstance(one, expected) is (name not in CENTRIFUGES)
        assert one.plasma_flow(60.0, 0.35) > 0


def test_a_plasma_flow_ordered_anew_forgets_that_the_filter_was_eased() -> None:
    _, one = whole("plasmaflo-op-08w", target=200.0)
    membrane = one.separator
    assert isinstance(membrane, Membrane)
    assert one.change("machine.plasma_flow", 25.0)
    assert not one.change("machine.plasma_flow", 25.0)
    membrane.ease()
    assert one.change("machine.plasma_flow", 25.0)
    assert membrane.asked(150.0, 0.4) == 25.0


def test_a_plasma_flow_ordered_anew_runs_from_that_minute_on() -> None:
    bedside, _ = whole(
        "plasmaflo-op-08w",
        lambda one: at(one, 23.0, one.change, "machine.plasma_flow", 12.0),
        prescription=LARGE_BOTTLES,
        target=700.0,
    )
    filtering = [(s, e, f.separated) for s, e, _, f in bedside.stretches if f.separated]
    assert filtering[-1][1] > 23
    assert 12.0 not in {flow for start, _, flow in filtering if start < 23}
    assert {flow for _, end, flow in filtering if end > 23} == {12.0}


def test_staff_cannot_order_a_plasma_flow_of_a_centrifuge_or_a_bowl() -> None:
    for name in ("spectra-optia", "mcs-plus"):
        _, one = whole(name, target=200.0)
        assert not one.change("machine.plasma_flow", 25.0)
