"""Endpoints: phrases that read one number from a run."""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulator import endpoints
from simulator import scenario as scenarios
from simulator.errors import CommandError
from simulator.result import Result
from simulator.simulation import simulate


@cache
def course() -> Result:
    return simulate(scenarios.load("stiff-person-acute", ("simulation.until=20 d",)))


def read(phrase: str) -> float:
    return endpoints.parse(phrase).read(course())


def test_levels_are_those_of_the_sessions() -> None:
    first, last = course().sessions[0], course().sessions[-1]
    igg, end = first.solutes["igg"], last.solutes["igg"]
    assert igg.post is not None
    assert end.post is not None
    assert read("level igg @ before session 1") == igg.pre
    assert read("level igg @ session 1") == igg.post
    assert read("left igg") == 100 * end.post / igg.pre
    assert read("fall igg @ session 1") == pytest.approx(100 * (1 - igg.post / igg.pre), rel=1e-12)
    assert read("drop igg @ session 5") == pytest.approx(100 * (1 - end.post / end.pre), rel=1e-12)
    second = course().sessions[1].solutes["igg"]
    assert read("rebound igg @ session 2") == second.pre / igg.post
    assert read("final igg") == course().solutes["igg"].final
    assert read("nadir igg") == course().solutes["igg"].nadir
    assert read("nadir-left igg") == 100 * course().solutes["igg"].nadir / igg.pre


def test_times_are_counted_from_where_the_phrase_says() -> None:
    session = course().sessions[1]
    days = course().column("time")
    levels = course().column("igg_plasma")
    after = session.connected[1] / 1440 + 1
    low = max(i for i, day in enumerate(days) if day <= after)
    assert min(levels[low : low + 2]) <= read("level igg @ 1 d after session 2")
    assert read("level igg @ 1 d after session 2") <= max(levels[low : low + 2])
    assert read("level igg @ 24 h after session 2") == read("level igg @ 1 d after session 2")
    assert read("level igg @ 20 d") == pytest.approx(levels[-1], rel=1e-12)
    calcium = course().column("ionized_calcium")
    assert read("ionized-calcium @ 0 d") == calcium[0]
    assert read("ionized-calcium-change @ 0 min in session 2") == 0
    assert read("ionized-calcium-change @ 30 min in session 2") < -1


def test_recovery_is_of_what_the_session_took() -> None:
    igg = course().sessions[-1].solutes["igg"]
    assert igg.post is not None
    later = read("level igg @ 2 d after session 5")
    expected = 100 * (later - igg.post) / (igg.pre - igg.post)
    assert read("recovered igg @ 2 d after session 5") == pytest.approx(expected, rel=1e-12)


def test_a_mass_balance_knows_what_the_fluids_hold() -> None:
    """By hand: one plasma volume of albumin, exp(-1); then as half plasma of 2.27 g/L."""
    text = """
format: 1
patient: {sex: male, weight: 75 kg, height: 178 cm, hematocrit: 40 %}
solutes: {fibrinogen: {}}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""
    half = (
        "prescription.replacement=[{fluid: albumin-5, share: 50 %}, "
        "{fluid: fresh-frozen-plasma, share: 50 %}]"
    )
    plain = simulate(scenarios.loads(text, "plain"))
    mixed = simulate(scenarios.loads(text, "mixed", (half,)))
    over = endpoints.parse("over-mass-balance fibrinogen")
    solute = plain.sessions[0].solutes["fibrinogen"]
    assert over.read(plain) == pytest.approx(
        100 * ((solute.post or 0) / (solute.pre * math.exp(-1)) - 1), rel=1e-9
    )
    solute = mixed.sessions[0].solutes["fibrinogen"]
    halfway = solute.pre * math.exp(-0.5)
    by_hand = 2.27 + (halfway - 2.27) * math.exp(-0.5)
    # the shares are of the volume that was planned, a bottle's rest more or less is given
    assert over.read(mixed) == pytest.approx(100 * ((solute.post or 0) / by_hand - 1), abs=0.05)


def test_what_the_machine_did_is_read_by_session() -> None:
    first = course().sessions[0]
    assert read("minutes @ session 1") == first.run_minutes
    assert read("connected @ session 1") == first.connected_minutes
    assert first.plasma_removal_efficiency is not None
    assert read("efficiency @ session 1") == 100 * first.plasma_removal_efficiency
    assert read("blood-volume-nadir @ session 1") == 100 * first.blood_volume_nadir
    assert read("completed") == 1


@pytest.mark.parametrize("name", endpoints.KINDS)
def test_every_endpoint_can_be_read_and_has_words(name: str) -> None:
    kind = endpoints.KINDS[name]
    phrase = f"{name} igg @ session 2" if kind.of_solute else f"{name} @ session 2"
    endpoint = endpoints.parse(phrase)
    assert str(endpoint) == phrase
    assert math.isfinite(endpoint.read(course()))
    assert endpoint.unit(course()) == endpoint.unit_in(course().scenario)
    assert kind.words


def test_a_solutes_endpoint_has_its_unit() -> None:
    assert endpoints.parse("level anti-gad65").unit(course()) == "U/mL"
    assert endpoints.parse("removed anti-gad65").unit(course()) == "U"


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("", "names no outcome"),
        ("fal igg", "did you mean 'fall'"),
        ("fall", "expected 'fall SOLUTE'"),
        ("minutes igg", "expected 'minutes'"),
        ("fall igg @ never", "expected when it is read"),
        ("fall igg @ 3 kg", "expected when it is read"),
        ("fall igg @", "expected when it is read"),
        ("fall ig @ session 1", "does not follow 'ig'; did you mean 'igm'"),
        ("fall igg @ session 9", "no session 9"),
        ("rebound igg @ session 1", "no session before session 1"),
        ("level igg @ 400 d", "beyond the run"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_told(phrase: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        read(phrase)


def test_a_run_without_sessions_is_read_at_its_end() -> None:
    text = """
format: 1
patient: {sex: male, weight: 75 kg, height: 178 cm, hematocrit: 40 %}
course: {sessions: 0}
events: [{at: 0 d, fcrn_blockade: 75 %, for: 7 d}]
simulation: {until: 14 d}
"""
    result = simulate(scenarios.loads(text, "drug"))
    left = endpoints.parse("left igg").read(result)
    assert left == 100 * result.solutes["igg"].final / result.solutes["igg"].initial
    assert endpoints.parse("left igg @ 7 d").read(result) < left
    with pytest.raises(CommandError, match="no session"):
        endpoints.parse("minutes").read(result)
