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


PLASMA_BY = {
    "prescribed": ("prescription.replacement=[{fluid: fresh-frozen-plasma, share: 100 %}]",),
    "by a rule": (
        "rules=[{when: fibrinogen > 0 g/L, do: replace-with, fluid: fresh-frozen-plasma}]",
    ),
    "by an event": (
        "events=[{session: 1, at: 0 min, set: prescription.replacement, to: fresh-frozen-plasma}]",
    ),
}


@pytest.mark.parametrize("way", PLASMA_BY)
def test_a_mass_balance_knows_a_fluid_whoever_asked_for_it(way: str) -> None:
    """By hand: one plasma volume against plasma of 2.27 g/L, whichever way it came to hang."""
    text = PATIENT + "solutes: {fibrinogen: {}}\n" + SESSION + "simulation: {until: 1 d}\n"
    result = simulate(scenarios.loads(text, "plasma", PLASMA_BY[way]))
    (session,) = result.sessions
    assert list(session.replacement_by_fluid) == ["fresh-frozen-plasma"]
    solute = session.solutes["fibrinogen"]
    by_hand = 2.27 + (solute.pre - 2.27) * math.exp(-session.dose / result.plasma_volume)
    over = endpoints.parse("over-mass-balance fibrinogen").read(result)
    assert over == pytest.approx(100 * ((solute.post or 0) / by_hand - 1), rel=1e-9)


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
    phrase = f"{name} igg" if kind.of_solute else name
    if kind.about != "run":
        phrase += " @ session 2"
    endpoint = endpoints.parse(phrase)
    assert str(endpoint) == phrase
    assert math.isfinite(endpoint.read(course()))
    assert endpoint.unit(course()) == endpoint.unit_in(course().scenario)
    assert kind.words


# -- values reckoned again from the sessions and the curves ----------------------------------------


def test_rebounds_are_the_geometric_mean_of_those_between_sessions() -> None:
    between = [read(f"rebound igg @ session {n}") for n in (2, 3, 4, 5)]
    assert read("rebounds igg") == pytest.approx(math.exp(sum(map(math.log, between)) / 4))
    assert min(between) < read("rebounds igg") < max(between)


def test_the_peak_after_the_course_is_the_highest_row_after_it() -> None:
    """The run ends so early that the level still rises: the peak is its end."""
    igg, start = course().solutes["igg"], course().sessions[0].solutes["igg"].pre
    after = course().sessions[-1].connected[1] / 1440
    levels = course().column("igg_plasma")
    later = [c for day, c in zip(course().column("time"), levels, strict=True) if day > after]
    assert read("peak-after igg") == pytest.approx(100 * igg.final / start, rel=1e-9)
    assert max(later) == later[-1] < max(levels)


def test_what_all_sessions_removed_is_their_sum() -> None:
    each = [read(f"removed igg @ session {s.index}") for s in course().sessions]
    assert len(each) > 1
    assert read("removed-in-all igg") == pytest.approx(sum(each), rel=1e-9)


def test_what_is_mobilized_came_from_outside_plasma() -> None:
    """A tracer that cannot leave plasma gives 0; IgG refills from outside, by hand."""
    closed = simulate(scenarios.load("closed-form"))
    tracer = endpoints.parse("mobilized tracer @ session 1").read(closed)
    assert tracer == pytest.approx(0.0, abs=1e-9)
    first = course().sessions[0]
    igg, days = first.solutes["igg"], course().column("time")
    row = days.index(next(d for d in days if d >= first.connected[1] / 1440 - 1e-12))
    assert igg.post is not None
    start = course().column("igg_plasma")[0] * course().column("plasma_volume")[0] / 1000
    left = igg.post * course().column("plasma_volume")[row] / 1000
    mobilized = read("mobilized igg @ session 1")
    assert mobilized == pytest.approx(100 * ((igg.removed + left) / start - 1), rel=1e-9)
    assert mobilized > 0.5


def test_the_fall_of_ionized_calcium_is_from_the_first_draw_to_the_lowest() -> None:
    session, days = course().sessions[2], course().column("time")
    row = days.index(next(d for d in days if d >= session.run[0] / 1440 - 1e-12))
    before = course().column("ionized_calcium")[row]
    fall = read("ionized-calcium-fall @ session 3")
    assert fall == pytest.approx(100 * (session.ionized_calcium_nadir / before - 1), rel=1e-9)
    assert fall < -5


# -- what a run has no number for ------------------------------------------------------------------

PATIENT = "format: 1\npatient: {sex: male, weight: 75 kg, height: 178 cm, hematocrit: 40 %}\n"
DRUG = """
solutes:
  drug: {unit: mg/L, initial: 0 mg/L, intravascular_fraction: 45 %, half_life: 9 d,
    transcapillary_escape: 3 %/h, synthesis: 0 %}
"""
SESSION = """
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
"""
BROKEN = "events: [{session: 1, at: 0 min, fault: device-failure}]\n"
NOTHING = "course: {sessions: 0}\n"
TEXTS = {
    "no session": PATIENT + DRUG + NOTHING + "simulation: {until: 3 d}",
    "a drug from 0": PATIENT + DRUG + SESSION + "simulation: {until: 3 d}",
    "a spoiled session": PATIENT + DRUG + SESSION + BROKEN + "simulation: {until: 3 d}",
    "a session and no more": PATIENT + DRUG + SESSION + "simulation: {until: 2 h}",
}


@cache
def poor(which: str) -> Result:
    return simulate(scenarios.loads(TEXTS[which], "poor"))


def test_the_spoiled_session_removed_nothing() -> None:
    (session,) = poor("a spoiled session").sessions
    assert session.dose == 0
    assert not session.completed


@pytest.mark.parametrize("which", TEXTS)
@pytest.mark.parametrize("name", endpoints.KINDS)
def test_every_endpoint_is_a_number_or_a_message(name: str, which: str) -> None:
    endpoint = endpoints.parse(f"{name} drug" if endpoints.KINDS[name].of_solute else name)
    try:
        value = endpoint.read(poor(which))
    except CommandError as error:
        value, said = 0.0, str(error)
    else:
        said = str(endpoint)
    assert math.isfinite(value)
    assert said.startswith(str(endpoint))


@pytest.mark.parametrize(
    ("phrase", "which", "said"),
    [
        ("left drug", "a drug from 0", "share of nothing"),
        ("exponent drug", "a drug from 0", "share of nothing"),
        ("peak-after igg", "no session", "no session"),
        ("protein-bound", "no session", "share of nothing"),
        ("citrate-burnt", "no session", "share of nothing"),
        ("blood-volumes", "a spoiled session", "share of nothing"),
        ("efficiency", "a spoiled session", "removed no plasma"),
        ("rebounds igg", "a drug from 0", "nothing is between two"),
    ],
)
def test_a_share_of_nothing_is_a_message(phrase: str, which: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        endpoints.parse(phrase).read(poor(which))


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
        ("minutes @ 1 d", "minutes is of a session; expected '@ session 5'"),
        ("drop igg @ before session 2", "drop is of a session"),
        ("removed igg @ 1 d after session 1", "removed is of a session"),
        ("final igg @ session 1", "final is of the whole run"),
        ("nadir igg @ session 1", "nadir is of the whole run"),
        ("citrate-peak @ 3 d", "citrate-peak is of the whole run"),
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
