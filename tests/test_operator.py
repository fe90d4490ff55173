"""The operator and what he does: who comes when, and how the staff answers a reaction."""

from __future__ import annotations

import math
import statistics
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import simpy
from stand_ins import (
    ALONE,
    LARGE_BOTTLES,
    StandIn,
    at,
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
from simulator.luck import Luck
from simulator.machine.alarms import Priority
from simulator.machine.operator import Operator
from simulator.machine.session import Session
from simulator.machine.staff import ANSWERS, OTHERWISE, Answer
from simulator.orders import Attendance

NURSE = catalog.operator("nurse")


def operator(attendance: Attendance | None = ALONE, luck: int | None = None) -> Operator:
    """Somebody who looks after machines of which this test is one."""
    env = simpy.Environment()
    return Operator(env, attendance, Luck(luck).stream("operator") if luck is not None else None)


def call(
    one: Operator, when: float, priority: Priority, busy: float, log: list[tuple[float, str]]
) -> Generator[Any, Any, None]:
    yield one.env.timeout(when)
    visit = yield from one.come(priority)
    log.append((one.env.now, priority.name))
    yield one.env.timeout(busy)
    one.leave(visit)


def mean_wait(machines: int, luck: int | None = None) -> float:
    """Of a machine that calls every quarter of an hour or so, for two days, min.

    At odd times, lest it fall into step with machines that call like clockwork.
    """
    one = operator(replace(ALONE, machines=machines), luck)
    odd, when = Random(1), 0.0
    for _ in range(200):
        when += odd.uniform(5.0, 25.0)
        one.env.process(call(one, when, Priority.STOP, 0.5, []))
    one.start()
    one.env.run(until=when + 60)
    assert one.calls == 200
    return one.waited / one.calls


# -- coming and going ------------------------------------------------------------------------------


def test_the_ideal_operator_is_there_at_once_and_never_busy() -> None:
    one, log = operator(None), list[tuple[float, str]]()
    for when in (1.0, 1.0, 2.0):
        one.env.process(call(one, when, Priority.ROUTINE, 5.0, log))
    one.env.run()
    assert [time for time, _ in log] == [1.0, 1.0, 2.0]
    assert (one.calls, one.waited) == (3, 0.0)
    assert one.handling(3.0) == 3.0


def test_a_free_operator_without_luck_takes_the_median_time() -> None:
    one, log = operator(replace(ALONE, response=0.7)), list[tuple[float, str]]()
    one.env.process(call(one, 2.0, Priority.STOP, 1.0, log))
    one.env.run()
    assert log == [(2.7, "STOP")]
    assert one.waited == pytest.approx(0.7)


def test_what_usually_takes_a_while_has_the_way_in_it() -> None:
    one = operator()
    assert one.handling(2.0) == pytest.approx(2.0 - NURSE.response)
    assert one.handling(0.1) == 0.0


def test_with_luck_times_are_log_normal_around_the_median() -> None:
    """Median within 3 standard errors (1.25 s / sqrt n), spread as well (s / sqrt 2n)."""
    one, draws = operator(luck=5), 4000
    logs = [math.log(one.around(2.0)) for _ in range(draws)]
    spread = NURSE.response_spread
    assert statistics.median(logs) == pytest.approx(
        math.log(2.0), abs=3 * 1.25 * spread / math.sqrt(draws)
    )
    assert statistics.stdev(logs) == pytest.approx(spread, rel=3 / math.sqrt(2 * draws))
    assert one.around(0.0) == 0.0


def test_the_more_machines_the_longer_the_wait() -> None:
    waits = [mean_wait(machines) for machines in (1, 2, 4, 8)]
    assert waits[0] == pytest.approx(NURSE.response)
    assert waits == sorted(set(waits))
    assert waits[-1] > 1.5 * waits[0]


def test_the_more_machines_the_longer_the_wait_with_luck_too() -> None:
    waits = [mean_wait(machines, luck=3) for machines in (1, 2, 4, 8)]
    assert waits == sorted(set(waits))
    assert waits[-1] > 2 * waits[0]


@pytest.mark.parametrize("luck", [None, 3])
def test_a_neighbor_calls_as_often_as_the_catalog_says(luck: int | None) -> None:
    """Share of time that one takes: within 3 standard errors of the mean.

    From call to call pass the interval, the way and the work, the last two log-normal with luck.
    """
    one, step, minutes = operator(replace(ALONE, machines=2), luck), 0.2, 20000.0
    busy = list[int]()

    def watch() -> Generator[Any, Any, None]:
        while one.env.now < minutes:
            yield one.env.timeout(step)
            busy.append(one._person.count)

    one.env.process(watch())
    one.start()
    one.env.run(until=minutes)
    mean = 1.0 if luck is None else math.exp(NURSE.response_spread**2 / 2)
    taken = mean * (NURSE.response + NURSE.call_time)
    cycle = NURSE.call_interval + taken
    assert statistics.mean(busy) == pytest.approx(taken / cycle, rel=3 / math.sqrt(minutes / cycle))


def test_the_patient_goes_before_a_stop_before_a_caution_before_a_routine() -> None:
    one, log = operator(), list[tuple[float, str]]()
    for when, priority in enumerate(
        (Priority.ROUTINE, Priority.ROUTINE, Priority.CAUTION, Priority.STOP, Priority.PATIENT)
    ):
        one.env.process(call(one, 0.1 * when, priority, 10.0, log))
    one.env.run()
    # the first is under way before anybody else calls, and nobody is left half-served
    assert [name for _, name in log] == ["ROUTINE", "PATIENT", "STOP", "CAUTION", "ROUTINE"]
    gaps = {round(b - a, 9) for (a, _), (b, _) in pairwise(log)}
    assert gaps == {round(10.0 + NURSE.response, 9)}


def test_calls_of_equal_urgency_are_answered_in_turn() -> None:
    one, waits = operator(), list[tuple[float, str]]()
    for when in (0.0, 1.0, 2.0):
        one.env.process(call(one, when, Priority.STOP, 5.0, waits))
    one.env.run()
    way = NURSE.response
    assert [time for time, _ in waits] == pytest.approx([way, 5 + 2 * way, 10 + 3 * way])
    assert one.waited == pytest.approx(sum(time for time, _ in waits) - 3.0)


# -- in a session ----------------------------------------------------------------------------------


def test_a_free_operator_changes_a_bottle_in_the_time_the_machine_states() -> None:
    ideal_env, _, ideal = session()
    run(ideal_env, ideal)
    env, _, one = session(attendance=ALONE)
    run(env, one)
    assert one.times.paused == pytest.approx(ideal.times.paused)
    assert one.times.paused > 5
    assert one.upkeep.operator.actions == ideal.upkeep.operator.actions


def test_waiting_is_what_lies_between_call_and_arrival() -> None:
    env, bedside, one = session(attendance=replace(ALONE, response=2.0))
    run(env, one)
    alarms = [time for time, _ in told(bedside, "alarm:replacement-empty")]
    hung = [time for time, _ in told(bedside, "operator:hang-a-bottle")]
    way_and_work = [b - a for a, b in zip(alarms, hung, strict=True)]
    assert way_and_work == pytest.approx([2.0 + 0.75 - NURSE.response] * len(alarms))
    assert one.upkeep.operator.waited == pytest.approx(2.0 * one.upkeep.operator.calls)


def test_a_busy_unit_makes_the_pumps_stand_longer() -> None:
    paused, waited = [], []
    for machines in (1, 2, 4, 8):
        env, _, one = session(attendance=replace(ALONE, machines=machines))
        run(env, one)
        paused.append(one.times.paused)
        waited.append(one.upkeep.operator.waited)
    assert paused == sorted(paused)
    assert paused[-1] > 1.3 * paused[0]
    assert waited[-1] - waited[0] == pytest.approx(paused[-1] - paused[0])


def test_an_operator_who_does_not_come_in_time_finds_a_clotted_circuit() -> None:
    env, bedside, one = session(attendance=replace(ALONE, response=12.0))
    run(env, one)
    assert one.stop_reason == "clotted: pumps stood still for 10 min (replacement-bottle-empty)"
    assert "operator:hang-a-bottle" not in event_names(bedside)


def test_vital_signs_are_taken_every_so_often_and_do_not_stop_the_pumps() -> None:
    plain_env, plain, never = session(target=1500, prescription=LARGE_BOTTLES, attendance=ALONE)
    run(plain_env, never)
    often = replace(ALONE, vital_signs=10.0)
    env, bedside, one = session(target=1500, prescription=LARGE_BOTTLES, attendance=often)
    run(env, one)
    assert "operator:take-vital-signs" not in event_names(plain)
    taken = [time for time, _ in told(bedside, "operator:take-vital-signs")]
    round_trip = 10.0 + NURSE.response + NURSE.vital_signs_time
    assert taken == pytest.approx([round_trip * (i + 1) for i in range(len(taken))])
    last_contact = one.times.disconnected - one.machine.device.disconnect_time
    assert len(taken) == int(last_contact // round_trip) >= 4
    assert one.upkeep.operator.actions["take-vital-signs"] == len(taken)
    assert bedside.stretches == plain.stretches


def test_a_bottle_waits_until_the_vital_signs_are_taken() -> None:
    """Whoever holds a cuff does not let go of it; the next in line is the most urgent."""
    env, bedside, one = session(
        prescription=LARGE_BOTTLES, attendance=replace(ALONE, vital_signs=10.0)
    )
    run(env, one, fault(one, "air-in-return", 10.5))
    ((purged, _),) = told(bedside, "operator:purge-the-air")
    free = 10.0 + NURSE.response + NURSE.vital_signs_time
    assert purged == pytest.approx(free + NURSE.response + 3.0 - NURSE.response)


@pytest.mark.parametrize("name", ["return-occlusion", "power-failure", "red-cell-spillover"])
def test_a_fault_that_comes_again_under_the_first_ones_alarm_is_mended_too(name: str) -> None:
    env, _, one = session(attendance=ALONE)
    run(env, one, fault(one, name, 30.0, 5.0), fault(one, name, 32.0))
    assert one.stop_reason is None
    assert one.tally.patient_plasma_removed == pytest.approx(3000)


def test_nothing_is_left_running_when_a_session_is_over() -> None:
    busy = Attendance(machines=5, response=0.5, vital_signs=7.0)
    for luck in (None, partial(Luck(2).stream, "session", 1)):
        env, bedside, one = session(attendance=busy, luck=luck)
        env.process(one.run())
        while env.peek() < 1e7:  # the rarest misfortune waits for 1e5 min on average
            env.step()
        assert env.peek() == math.inf
        assert event_names(bedside)[-1] == "disconnect"


# -- what is done about a reaction -----------------------------------------------------------------

ROWS = [(name, time) for name, row in ANSWERS.items() for time in range(1, len(row) + 1)]
MINUTES = (20.0, 36.0, 52.0, 68.0)
"""When the patient reacts; apart by more than any answer takes."""


def reacting(name: str, times: int, **more: Any) -> tuple[StandIn, Session]:
    """A session in which the patient reacts so many times."""
    env, bedside, one = session(prescription=LARGE_BOTTLES, **more)
    run(
        env,
        one,
        *(at(one, m, one.staff.react, name, "as asked", ends=False) for m in MINUTES[:times]),
    )
    return bedside, one


def inlet_around(bedside: StandIn, minute: float) -> tuple[float, float]:
    """The inlet flow just before a minute, and the next one after it."""
    before = [f.inlet for _, end, _, f in bedside.stretches if end <= minute and f.inlet]
    after = [f.inlet for start, _, _, f in bedside.stretches if start >= minute and f.inlet]
    return before[-1], after[0]


def balance_after(bedside: StandIn, minute: float) -> float:
    """All fluid given over plasma taken off, in the first exchange after a minute."""
    flows = next(f for start, _, _, f in bedside.stretches if start >= minute and f.plasma)
    return (flows.replacement + flows.calcium + flows.anticoagulant) / flows.plasma


def test_every_reaction_of_the_catalog_has_answers_that_end_in_ending() -> None:
    assert set(ANSWERS) == set(catalog.names("reactions"))
    for row in (*ANSWERS.values(), OTHERWISE):
        assert [answer.ends for answer in row] == [False] * (len(row) - 1) + [True]
        assert all(answer != Answer() for answer in row)
    fluids = {answer.fluid for row in ANSWERS.values() for answer in row if answer.fluid}
    assert fluids == {"saline", "calcium-gluconate-10"}
    assert fluids <= set(catalog.names("fluids"))


@pytest.mark.parametrize(("name", "time"), ROWS)
def test_each_answer_is_carried_out_in_its_turn(name: str, time: int) -> None:
    answer, minute = ANSWERS[name][time - 1], MINUTES[time - 1]
    bedside, one = reacting(name, time)
    assert one.staff.reactions[name] == time
    assert [when for when, _ in told(bedside, f"reaction:{name}")] == list(MINUTES[:time])
    given = [(f, volume, over) for when, f, volume, over in bedside.gifts if when == minute]
    if answer.ends:
        assert one.stop_reason == name
        assert one.times.exchange_end == minute
        assert given == []
        return
    assert one.stop_reason is None
    wanted = [(answer.fluid, answer.volume, answer.over)] if answer.fluid else []
    assert given == wanted
    before, after = inlet_around(bedside, minute)
    assert after == pytest.approx(answer.slower * before)
    times_raised = sum(each.balance != 1 for each in ANSWERS[name][:time])
    assert balance_after(bedside, minute) == pytest.approx(1.1**times_raised)
    held = [(s, e) for s, e in standing(bedside) if s == minute]
    assert held == ([(minute, minute + answer.hold)] if answer.hold else [])


@pytest.mark.parametrize(("name", "time"), ROWS)
def test_each_thing_done_about_a_reaction_is_told_with_its_cause(name: str, time: int) -> None:
    bedside, _ = reacting(name, time)
    answer, minute = ANSWERS[name][time - 1], MINUTES[time - 1]
    done = {
        "end-session": answer.ends, "slow-inlet": answer.slower != 1, "hold": answer.hold > 0,
        "raise-fluid-balance": answer.balance != 1, "give-fluid": bool(answer.fluid),
    }  # fmt: skip
    at_once = {e: d for when, e, d in bedside.events if when == minute}
    assert {e for e in at_once if e.startswith("operator:")} == {
        f"operator:{action}" for action, was_done in done.items() if was_done
    }
    assert all(d.startswith(name) for e, d in at_once.items() if e.startswith("operator:"))


def test_a_reaction_that_nobody_has_written_down_is_held_once_and_then_ends_it() -> None:
    bedside, one = reacting("hiccups", 2)
    assert [(s, e) for s, e in standing(bedside) if s == MINUTES[0]] == [(20.0, 25.0)]
    assert (one.stop_reason, one.times.exchange_end) == ("hiccups", MINUTES[1])


def test_a_severe_reaction_ends_the_session_the_first_time() -> None:
    env, bedside, one = session()
    run(env, one, at(one, 25.0, one.staff.react, "paresthesia", "severe", ends=True))
    assert (one.stop_reason, one.times.exchange_end) == ("paresthesia", 25.0)
    assert bedside.gifts == []


def test_different_reactions_are_counted_apart() -> None:
    env, bedside, one = session(prescription=LARGE_BOTTLES)
    run(
        env, one,
        at(one, 20.0, one.staff.react, "vasovagal", "", ends=False),
        at(one, 40.0, one.staff.react, "urticaria", "", ends=False),
    )  # fmt: skip
    assert one.stop_reason is None
    assert [s for s, _ in standing(bedside) if s in (20.0, 40.0)] == [20.0, 40.0]


@pytest.mark.parametrize("names", [("vasovagal", "urticaria"), ("hypotension", "hypotension")])
def test_two_holds_at_once_last_until_the_later_is_over(names: tuple[str, str]) -> None:
    env, bedside, one = session(prescription=LARGE_BOTTLES)
    run(
        env, one,
        at(one, 20.0, one.staff.react, names[0], "", ends=False),
        at(one, 23.0, one.staff.react, names[1], "", ends=False),
    )  # fmt: skip
    assert (20.0, 28.0) in standing(bedside)


def test_the_inlet_is_never_slowed_below_what_the_pump_can_do() -> None:
    env, bedside, one = session(target=200, settings=machine(inlet_flow=12.0))
    run(env, one, at(one, 25.0, one.staff.react, "paresthesia", "", ends=False))
    assert inlet_around(bedside, 25.0) == (12.0, one.machine.device.inlet_flow_min)


def test_the_answer_waits_for_the_operator() -> None:
    late = replace(ALONE, response=4.0)
    bedside, _ = reacting("paresthesia", 1, attendance=late)
    assert [when for when, *_ in bedside.gifts] == [24.0]
    assert inlet_around(bedside, 24.0) == pytest.approx((65.0, 0.75 * 65))


def test_a_session_ended_for_the_patient_gives_the_blood_back() -> None:
    bedside, one = reacting("vasovagal", 2)
    assert rinsed(bedside) == pytest.approx(one.machine.device.rinseback_volume)
    assert not one.circuit_lost


def test_a_failed_machine_and_a_clotted_circuit_lose_the_blood() -> None:
    for name, minutes, reason in (
        ("device-failure", None, "device failure"),
        ("air-in-return", 30.0, "clotted: pumps stood still for 10 min (air-in-return)"),
    ):
        env, bedside, one = session(prescription=LARGE_BOTTLES)
        run(env, one, fault(one, name, 20.0, minutes))
        assert one.stop_reason == reason
        assert one.circuit_lost
        assert rinsed(bedside) == 0
        assert "no-rinseback" in event_names(bedside)


def test_a_machine_that_fails_while_the_blood_is_given_back_keeps_the_rest() -> None:
    env, bedside, one = session(prescription=LARGE_BOTTLES)
    ending = at(one, 25.0, one.staff.react, "vasovagal", "", ends=True)
    run(env, one, ending, fault(one, "device-failure", 26.0))
    assert one.stop_reason == "vasovagal"
    assert rinsed(bedside) == pytest.approx(one.machine.device.rinseback_flow * 1.0)
    assert one.circuit_lost
