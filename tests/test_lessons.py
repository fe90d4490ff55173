"""Guided lessons: each can be taken, each answer is computed, and what is wrong in one is told."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator import catalog, lessons
from simulator import scenario as scenarios
from simulator.endpoints import parse
from simulator.errors import CommandError, ScenarioError
from simulator.lessons import Lesson, Verdict, phrases
from simulator.lessons.reading import read
from simulator.result import Result
from simulator.simulation import simulate

NAMES = lessons.names()
Events = Sequence[Mapping[str, Any]]

TO_PLASMA = {"set": "prescription.replacement", "to": "fresh-frozen-plasma"}
TO_ALBUMIN = {"set": "prescription.replacement", "to": "albumin-4"}
TO_SALINE = {"set": "prescription.replacement", "to": "saline"}
CUT_SHORT = {"set": "prescription.exchange", "to": "0.3 PV"}
DRUG = {"give": "natalizumab", "dose": "300 mg", "over": "1 h"}


def after(minutes: int, what: Mapping[str, Any]) -> dict[str, Any]:
    return {"session": 1, "at": f"{minutes} min", **what}


DONE: dict[str, Events] = {
    "5-albumin-is-not-harmless": [after(60, TO_PLASMA)],
    "6-saline-first-or-last": [after(80, TO_ALBUMIN)],
    "7-the-drug-of-this-morning": [after(150, DRUG)],
}
"""What a learner who has understood does."""

NOT_QUITE: list[tuple[str, Events, list[bool]]] = [
    ("5-albumin-is-not-harmless", [], [False, True, False]),
    ("5-albumin-is-not-harmless", [after(20, TO_SALINE)], [False, False, True]),
    ("5-albumin-is-not-harmless", [after(95, TO_PLASMA)], [False, True, True]),
    ("5-albumin-is-not-harmless", [after(10, CUT_SHORT)], [True, False, False]),
    ("6-saline-first-or-last", [], [False, True, False]),
    ("6-saline-first-or-last", [after(20, TO_SALINE)], [False, False, True]),
    ("6-saline-first-or-last", [after(115, TO_ALBUMIN)], [False, True, True]),
    ("6-saline-first-or-last", [after(10, CUT_SHORT)], [True, False, False]),
    ("7-the-drug-of-this-morning", [], [False, True, False]),
    ("7-the-drug-of-this-morning", [{"at": "0 h", **DRUG}], [True, False, False]),
    ("7-the-drug-of-this-morning", [after(60, DRUG)], [True, False, True]),
    ("7-the-drug-of-this-morning", [{"at": "3 d", **DRUG}], [True, True, False]),
    ("7-the-drug-of-this-morning", [after(150, {**DRUG, "dose": "30 mg"})], [False, True, False]),
    ("7-the-drug-of-this-morning", [after(150, DRUG), after(240, DRUG)], [False, True, True]),
]
"""What others do, and which conditions hold then."""


@cache
def lesson(name: str) -> Lesson:
    return lessons.load(name)


@cache
def runs(name: str) -> dict[str, Result]:
    """Every arm as it is written."""
    return lesson(name).as_written()


def played(name: str, events: Events) -> Verdict:
    """What is said to a learner who does that in the live run."""
    taken = lesson(name)
    live = simulate(taken.arms[0].scenario(events))
    return taken.judge(None, {taken.live: live}, runs(name))


def value(name: str, phrase: str) -> float:
    """A number of a lesson's runs."""
    return phrases.parse(phrase, [arm.label for arm in lesson(name).arms]).read(runs(name))


# -- every lesson ----------------------------------------------------------------------------------


def test_there_are_eight_in_the_order_in_which_they_are_taught() -> None:
    assert [name.partition("-")[0] for name in NAMES] == list("12345678")
    assert sum(bool(lesson(name).task) for name in NAMES) >= 3


def test_a_lesson_without_a_number_comes_last_and_10_after_9(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("10-b", "9-c", "a"):
        (tmp_path / f"{name}.yaml").write_text("")
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    assert lessons.names() == ("9-c", "10-b", "a")


@pytest.mark.parametrize("name", NAMES)
def test_exactly_one_answer_is_right_and_every_other_is_judged_wrong(name: str) -> None:
    taken = lesson(name)
    asked = taken.prediction
    assert asked is not None
    truth = asked.truth.read(runs(name))
    if asked.choices:
        held = [choice.low <= truth < choice.high for choice in asked.choices]
        assert held.count(True) == 1
        judged = [taken.judge(i, runs(name), runs(name)) for i in range(len(held))]
        assert [verdict.predicted_right for verdict in judged] == held
        right = asked.choices[held.index(True)].text
        assert all(verdict.truth_text.startswith(right) for verdict in judged)
    else:
        for off, right_so in [(0.0, True), (0.99, True), (-0.99, True), (1.01, False)]:
            answer = truth + off * asked.within
            assert taken.judge(answer, runs(name), runs(name)).predicted_right is right_so
    assert taken.judge(None, runs(name), runs(name)).predicted_right is None


@pytest.mark.parametrize("name", NAMES)
def test_the_question_does_not_give_the_answer_away(name: str) -> None:
    taken = lesson(name)
    asked = taken.prediction
    assert asked is not None
    data = taken.as_data()
    assert data == json.loads(json.dumps(data))
    assert not {"truth", "explanation", "within", "low", "high", "from", "to"} & set(data)
    assert all(isinstance(choice, str) for choice in data["choices"])
    told = phrases.in_words(asked.truth.read(runs(name)), asked.unit)
    assert told not in json.dumps(data, ensure_ascii=False)
    assert bool(data["choices"]) != bool(data["unit"])


@pytest.mark.parametrize("name", NAMES)
def test_the_explanation_is_filled_from_the_runs_and_has_its_sources(name: str) -> None:
    taken = lesson(name)
    verdict = taken.judge(None, runs(name), runs(name))
    assert not re.search(r"[{}]|no such number|nan", verdict.explanation)
    for phrase, unit in taken.phrases.values():
        assert phrases.in_words(phrase.read(runs(name)), unit) in verdict.explanation
    assert len(taken.phrases) >= 3
    assert len(verdict.sources) == len(taken.references) >= 1
    for key, source in zip(taken.references, verdict.sources, strict=True):
        entry = catalog.references()[key]
        assert entry.citation in source
        assert entry.note in source
    data = verdict.as_data()
    assert data == json.loads(json.dumps(data))
    wanted = {"passed", "predicted_right", "truth", "lines", "explanation", "sources"}
    assert set(data) == wanted


def test_what_a_lesson_cannot_judge_is_said() -> None:
    taken = lesson("1-two-volumes")
    with pytest.raises(CommandError, match="run of the arm 'one volume'"):
        taken.judge(0, {"two volumes": runs("1-two-volumes")["two volumes"]})
    for answer in (-1, 3, 0.5):
        with pytest.raises(CommandError, match="place of a choice, 0 to 2"):
            taken.judge(answer, runs("1-two-volumes"), runs("1-two-volumes"))
    number = lesson("2-the-next-level")
    with pytest.raises(CommandError, match="expected a number"):
        number.judge(math.nan, runs("2-the-next-level"), runs("2-the-next-level"))
    with pytest.raises(CommandError, match="no lesson '1-two-volume'; did you mean"):
        lessons.load("1-two-volume")
    with pytest.raises(CommandError, match="no lesson"):
        lessons.load("../../scenarios/saline-last")
    with pytest.raises(CommandError, match="cannot be read"):
        lessons.load_file(Path("nowhere.yaml"))


# -- tasks -----------------------------------------------------------------------------------------


def test_every_task_has_a_run_that_does_it() -> None:
    assert [name for name in NAMES if lesson(name).task] == list(DONE)


@pytest.mark.parametrize("name", DONE)
def test_a_task_is_done_by_doing_the_right_thing_only(name: str) -> None:
    done = played(name, DONE[name])
    assert done.passed, done.lines
    assert [line.text.split(" (")[0] for line in done.lines] == [
        check.asked for check in lesson(name).checks
    ]
    assert not played(name, []).passed


@pytest.mark.parametrize(("name", "events", "held"), NOT_QUITE)
def test_what_is_missing_is_said(name: str, events: Events, held: list[bool]) -> None:
    verdict = played(name, events)
    assert not verdict.passed
    assert [line.ok for line in verdict.lines] == held
    for check, line in zip(lesson(name).checks, verdict.lines, strict=True):
        assert line.text.startswith(check.asked if line.ok else check.otherwise)


@pytest.mark.parametrize("name", DONE)
def test_every_condition_can_fail_and_can_hold(name: str) -> None:
    rows = [held for other, _, held in NOT_QUITE if other == name]
    for outcomes in zip(*rows, strict=True):
        assert set(outcomes) == {True, False}


def test_what_the_learner_did_does_not_move_the_truth() -> None:
    """Read from the changed run, saline last would be the milder one."""
    taken = lesson("6-saline-first-or-last")
    changed = {taken.live: simulate(taken.arms[0].scenario(DONE[taken.name]))}
    verdict = taken.judge(0, changed)  # the untouched runs are made by the lesson
    assert verdict.predicted_right
    assert verdict.passed
    assert verdict.explanation == taken.judge(0, changed, runs(taken.name)).explanation
    moved = taken.judge(0, changed, {**runs(taken.name), **changed})
    assert moved.predicted_right is False


def test_without_a_task_the_prediction_decides_and_with_one_it_does_not() -> None:
    one, all_of_it = lesson("1-two-volumes"), runs("1-two-volumes")
    assert [one.judge(i, all_of_it, all_of_it).passed for i in range(3)] == [False, True, False]
    assert not one.judge(None, all_of_it, all_of_it).passed
    task = lesson("7-the-drug-of-this-morning")
    live = {task.live: simulate(task.arms[0].scenario(DONE[task.name]))}
    wrong = task.judge(0, live, runs(task.name))
    assert wrong.passed
    assert wrong.predicted_right is False


def test_a_run_that_has_no_such_number_fails_the_condition_and_says_why() -> None:
    taken = lesson("5-albumin-is-not-harmless")
    other = simulate(scenarios.load("closed-form"))
    verdict = taken.judge(None, {taken.live: other}, runs(taken.name))
    assert [line.ok for line in verdict.lines] == [False, False, False]
    assert "does not follow 'fibrinogen'" in verdict.lines[0].text


def test_what_a_learner_does_is_added_to_what_an_arm_says_itself() -> None:
    before = lesson("7-the-drug-of-this-morning").arms[1]
    more = before.scenario([after(5, TO_SALINE)], ["patient.weight=80 kg"])
    assert len(before.scenario().events) == 1
    assert len(more.events) == 2
    assert more.patient.weight == 80
    with pytest.raises(ScenarioError, match="there is no session 2; one session is planned"):
        before.scenario([{"session": 2, "at": "5 min", **TO_SALINE}])
    with pytest.raises(ScenarioError, match=r"events.1.*albumin-4"):
        before.scenario([after(5, {"set": "prescription.replacement", "to": "albumin-44"})])


# -- what the explanations claim holds in the runs -------------------------------------------------


def test_each_volume_takes_the_same_share_of_what_is_there() -> None:
    name = "1-two-volumes"
    one = value(name, "left igg @ session 1 of one volume") / 100
    two = value(name, "left igg @ session 1 of two volumes") / 100
    assert two == pytest.approx(one**2, abs=0.01)
    assert value(name, "minutes @ session 1 of two volumes over one volume") > 1.9
    assert value(name, "left igg @ 2 d after session 1 of two volumes") > 100 * two + 30


def test_most_of_what_comes_back_in_two_days_was_outside_the_vessels() -> None:
    """Without synthesis three quarters of it come back all the same."""
    name = "2-the-next-level"
    quiet = simulate(lesson(name).arms[0].scenario([], ["solutes.anti-gad65.synthesis=0 %"]))
    later = parse("left anti-gad65 @ 2 d after session 1")
    just_after = parse("left anti-gad65 @ session 1")
    came = later.read(quiet) - just_after.read(quiet)
    whole = value(name, str(later)) - value(name, str(just_after))
    assert 0.7 < came / whole < 1
    assert value(name, "recovered anti-gad65 @ 2 d after session 1") > 50
    slow = value(name, "left anti-gad65 @ 14 d") - value(name, str(later))
    assert 0 < slow < came


def test_alternate_days_remove_more_and_daily_ones_end_lower() -> None:
    name = "3-daily-or-alternate"
    for solute in ("igg", "igm"):
        assert value(name, f"removed-in-all {solute} of alternate days over daily") > 1.1
        gap = f"left {solute} @ session 5 of alternate days less daily"
        assert value(name, gap) > 2
    assert value(name, "left igm @ session 5 of alternate days less daily") > value(
        name, "left igg @ session 5 of alternate days less daily"
    )
    assert value(name, "left igg @ 14 d after session 5 of alternate days less daily") < 0


def test_igm_is_lower_at_two_days_and_higher_at_two_weeks() -> None:
    name = "4-igm-is-not-igg"
    assert value(name, "drop igm @ session 1 less drop igg @ session 1") == pytest.approx(0, abs=2)
    assert value(name, "left igm @ 2 d after session 1 less left igg @ 2 d after session 1") < -5
    assert value(name, "left igm @ 14 d after session 1 less left igg @ 14 d after session 1") > 5
    result = runs(name)["one session"]
    of_body = {}
    for solute in ("igg", "igm"):
        kinetics = result.scenario.solutes[solute].kinetics
        in_plasma = result.sessions[0].solutes[solute].pre * result.plasma_volume / 1000
        whole = in_plasma / kinetics.intravascular_fraction
        of_body[solute] = value(name, f"removed {solute} @ session 1") / whole
    assert of_body["igm"] > 1.5 * of_body["igg"]


def test_fibrinogen_sinks_like_the_antibody_and_from_session_to_session() -> None:
    name = "5-albumin-is-not-harmless"
    drops = "drop fibrinogen @ session 1 less drop anti-gad65 @ session 1"
    assert value(name, drops) == pytest.approx(0, abs=2)
    assert 53 < value(name, "drop fibrinogen @ session 1") < 75  # 64 (SD 11) % measured
    assert value(name, "level fibrinogen @ 2 d after session 1") < 1.8
    course = simulate(scenarios.load("stiff-person-acute", ["course.at=[0 d, 2 d, 4 d]"]))
    levels = [parse(f"level fibrinogen @ before session {i}").read(course) for i in (1, 2, 3)]
    assert levels[0] > levels[1] > levels[2]


def test_plasma_brings_igg_but_not_the_antibody() -> None:
    taken = lesson("5-albumin-is-not-harmless")
    done = simulate(taken.arms[0].scenario(DONE[taken.name]))
    plain = runs(taken.name)[taken.live]
    for phrase, change in [("drop igg @ session 1", -10), ("drop anti-gad65 @ session 1", 0)]:
        assert parse(phrase).read(done) - parse(phrase).read(plain) <= change + 3
    assert parse("drop anti-gad65 @ session 1").read(done) > 55


def test_saline_last_thins_plasma_and_costs_more_volume() -> None:
    name = "6-saline-first-or-last"
    assert value(name, "blood-volume-nadir @ session 1 of saline last") < -15
    assert -5 < value(name, "blood-volume-nadir @ session 1 less saline first") < -0.5
    assert value(name, "level albumin @ session 1 less saline first") < -2


def test_a_drug_given_three_hours_before_is_mostly_in_plasma_and_half_is_taken() -> None:
    name = "7-the-drug-of-this-morning"
    morning = runs(name)["drug in the morning"]
    session = morning.sessions[0]
    assert session.start == 4 * 60  # the drug runs in from 0 to 1 h
    in_plasma = session.solutes["natalizumab"].pre * morning.plasma_volume / 1000
    assert in_plasma > 0.85 * 300
    assert 0.5 < value(name, "removed natalizumab @ session 1 of drug in the morning") / 300 < 0.65
    evening = simulate(lesson(name).arms[0].scenario(DONE[name]))
    week = parse("level natalizumab @ 7 d")
    assert week.read(evening) > 2 * week.read(morning)


def test_the_tracer_follows_the_formula_and_igg_refills() -> None:
    name = "8-five-times-one-volume"
    assert value(name, "left tracer @ session 1") == pytest.approx(100 * math.exp(-1), abs=1.5)
    assert value(name, "left tracer @ session 5") < 1
    assert value(name, "left igg @ session 5") > 10
    assert value(name, "rebounds igg") > 1.5
    assert value(name, "left igg @ before session 5") > 2 * value(name, "left igg @ session 5")


# -- phrases ---------------------------------------------------------------------------------------

LABELS = ["one volume", "two volumes"]


def test_two_arms_or_two_endpoints_are_compared() -> None:
    def fall(label: str) -> float:
        return parse("fall igg @ session 1").read(runs("1-two-volumes")[label])

    one, two = fall("one volume"), fall("two volumes")
    for text, expected in [
        ("fall igg @ session 1", one),
        ("fall igg @ session 1 of two volumes", two),
        ("fall  igg @ session 1 of  two volumes over one volume", two / one),
        ("fall igg @ session 1 of two volumes less one volume", two - one),
        ("fall igg @ session 1 less two volumes", one - two),
        ("fall igg @ session 1 over fall igg @ session 1 of two volumes", one / two),
    ]:
        assert value("1-two-volumes", text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fal igg", "there is no outcome 'fal'; did you mean"),
        ("fall igg of three volumes", "no arm has the label 'three volumes'; did you mean"),
        ("fall igg over one volume", "another arm than 'one volume'"),
        ("fall igg over fall igm less fall igg", "one 'over' or 'less'"),
        ("fall igg over two", "there is no outcome 'two'"),
    ],
)
def test_a_phrase_that_is_none_says_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        phrases.parse(text, LABELS)


def test_what_cannot_be_compared_is_said() -> None:
    arms = {arm.label: arm.scenario() for arm in lesson("1-two-volumes").arms}
    mixed = phrases.parse("fall igg over minutes", LABELS)
    with pytest.raises(CommandError, match="two numbers of one unit, got % and min"):
        mixed.unit_in(arms)
    nothing = phrases.parse("fall igg over bowl-cycles", LABELS)
    with pytest.raises(CommandError, match="a share of nothing"):
        nothing.read(runs("1-two-volumes"))
    alone = phrases.parse("fall igg of two volumes", LABELS)
    with pytest.raises(CommandError, match="no run of the arm 'two volumes'"):
        alone.read({})
    units = {"over": "", "less": "%"}
    for word, unit in units.items():
        assert phrases.parse(f"fall igg {word} two volumes", LABELS).unit_in(arms) == unit


@pytest.mark.parametrize(
    ("text", "below", "at", "above", "said"),
    [
        (">= 1.0 g/L", False, True, True, "at least 1 g/L"),
        ("> 1 g/L", False, False, True, "more than 1 g/L"),
        ("<= 1000 mg/L", True, True, False, "at most 1000 mg/L"),
        ("< 100 mg/dL", True, False, False, "less than 100 mg/dL"),
        ("=1 g/L", False, True, False, "exactly 1 g/L"),
    ],
)
def test_a_bound_is_a_comparison_and_a_quantity(
    text: str, below: bool, at: bool, above: bool, said: str
) -> None:
    bound = phrases.parse_bound(text)
    assert [bound.holds(x, "g/L") for x in (0.9, 1.0, 1.1)] == [below, at, above]
    assert str(bound) == said


def test_numbers_are_said_to_so_many_digits() -> None:
    for number, unit, digits, said in [
        (38.948, "%", 2, "39 %"),
        (38.948, "%", 3, "38.9 %"),
        (1.3841, "", 2, "1.4"),
        (0.6461, "g/L", 3, "0.646 g/L"),
        (-17.8, "%", 2, "−18 %"),
        (195.989, "min", 2, "196 min"),
        (0.0, "mg", 3, "0 mg"),
    ]:
        assert phrases.in_words(number, unit, digits) == said


# -- files that are wrong --------------------------------------------------------------------------

GOOD = """\
format: 1
title: A lesson
misconception: What many think.
question: What is asked.
arms:
  - {label: one, scenario: closed-form}
  - label: two
    scenario: {extends: closed-form, title: Two}
    set: {prescription.exchange: 2.0 PV}
predict:
  ask: How much?
  truth: fall tracer @ session 1 of two over one
  choices:
    - {text: Little., to: 1.5}
    - {text: Much., from: 1.5}
task: Do it.
check:
  - {outcome: left tracer @ session 1, is: <= 30 %, asked: Low., otherwise: Too high.}
  - {event: "alarm:replacement-empty", count: ">= 1", asked: Heard., otherwise: Not heard.}
explain: It was {truth} and {left tracer}.
references: {reverberi-2007: What it says.}
"""


def wrong(text: str) -> str:
    """What is said to a file."""
    with pytest.raises(ScenarioError) as error:
        read(text.encode(), "my.yaml", "my")
    return str(error.value)


def test_the_good_one_is_good_and_can_be_taken(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(GOOD)
    mine = lessons.load_file(file)
    assert mine.name == "my"
    assert [check.asked for check in mine.checks] == ["Low.", "Heard."]
    assert [check.otherwise for check in mine.checks] == ["Too high.", "Not heard."]
    verdict = mine.judge(0, mine.as_written())
    assert verdict.predicted_right
    assert verdict.passed
    assert mine.arms[1].scenario().title == "Two"


def test_a_scenario_can_be_written_in_the_lesson_as_a_whole() -> None:
    whole = (
        "{patient: {sex: male, age: 40 y, weight: 70 kg, height: 175 cm, hematocrit: 42 %}, "
        "solutes: {tracer: {like: igg1, initial: 1 g/L}}, machine: {device: spectra-optia}, "
        "prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}, "
        "course: {sessions: 1}}"
    )
    mine = read(GOOD.replace("{extends: closed-form, title: Two}", whole).encode(), "m.yaml", "m")
    assert mine.arms[1].scenario().name == "m-2"


def test_a_wrong_arm_is_not_told_again_by_every_phrase() -> None:
    assert wrong(GOOD.replace("label: two", "label: two over")).startswith("1 problem:")
    assert wrong(GOOD.replace("title: Two", "titel: Two")).startswith("1 problem:")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: A lesson\n", "titel: A lesson\n", "my.yaml:2:1: titel: unknown key 'titel'; did"),
        ("title: A lesson\n", "", "title: missing; expected the lesson in a few words"),
        ("format: 1", "format: 2", "my.yaml:1:9: format: expected 1, got 2"),
        ("ask: How much?", "asks: How much?", "predict.asks: unknown key"),
        ("  ask: How much?\n", "", "predict.ask: missing; expected what is asked"),
        ("closed-form}", "closed-from}", "arms.0.scenario: expected a bundled scenario, got"),
        ("closed-form}", "../x.yaml}", "expected a bundled scenario, got '../x.yaml'"),
        ("{extends: closed-form", "{extends: open", "my.yaml:8:25: arms.1.scenario.extends"),
        ("{extends: closed-form, title: Two}", "[closed-form]", "or one written here"),
        ("title: Two", "patient: {weight: 70 m}", "my.yaml:8:56: patient.weight: expected a mass"),
        ("exchange: 2.0 PV", "exchanges: 2.0 PV", "prescription.exchanges: unknown key"),
        ("prescription.exchange:", "title.of:", "arms.1.set.title.of: there is nothing below"),
        ("label: two", "label: one", "my.yaml:7:12: arms.1.label: 'one' is the label of another"),
        ("label: two", "label: two over", "expected a label without 'over'"),
        ("  - label: two\n", "  - {label: t, scenario: faults}\n  - label: two\n", "or two, got 3"),
        ("fall tracer @", "fell tracer @", "my.yaml:12:10: predict.truth: 'fell tracer @ session"),
        ("fall tracer @", "fall trace @", "does not follow 'trace'; did you mean 'tracer'"),
        ("of two over one", "of three", "no arm has the label 'three'"),
        ("session 1 of", "session 2 of", "no session 2; 'two' plans 1 in all"),
        ("from: 1.5", "from: 1.6", "'Much.' leaves a gap to 'Little.'"),
        ("from: 1.5", "from: 1.4", "'Much.' overlaps with 'Little.'"),
        ("from: 1.5", "from: 1.5, to: 9", "choices.1.to: expected no upper end"),
        ("to: 1.5", "from: 0, to: 1.5", "choices.0.from: expected no lower end"),
        ("to: 1.5", "to: 1.5 g", "predict.choices.0.to: expected a pure number"),
        ("    - {text: Much., from: 1.5}\n", "", "expected two choices or more, got 1"),
        ("{text: Little., to: 1.5}", "{text: A, from: 2, to: 2}", "expected 'from' below 'to'"),
        ("  choices:", "  number: {unit: '%', within: 5 %}\n  choices:", "either 'choices' or"),
        ("<= 30 %", "30 %", "check.0.is: expected a bound, such as '>= 1.0 g/L', got '30 %'"),
        ("<= 30 %", "<= 30 g/L", "check.0.is: expected a pure number"),
        ("<= 30 %", "<= 30", "check.0.is: 30 needs a unit: '30 %'"),
        ("<= 30 %", "<= 30 parsec", "unknown unit 'parsec'"),
        ("outcome: left", "outcome: lift", "check.0.outcome: 'lift tracer @ session 1': there is"),
        ("otherwise: Too high.", "why: Too high.", "check.0.otherwise: missing; expected what is"),
        ("replacement-empty", "replacement-emty", "no alarm 'replacement-emty'; did you mean"),
        ('count: ">= 1"', 'count: ">= 1 L"', "check.1.count: expected a pure number"),
        ('{event: "alarm:', '{evens: "alarm:', "expected one of outcome, event in a condition"),
        ("{left tracer}", "{left trace}", "explain: left trace: this run does not follow"),
        ("{left tracer}", "{left tracer", "expected every { to have its }"),
        ("reverberi-2007", "reverberi-2006", "'reverberi-2006' is not in the bibliography; did"),
        ("{reverberi-2007: What it says.}", "{}", "references: expected at least one source"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert GOOD.count(old) >= 1
    assert said in wrong(GOOD.replace(old, new, 1))


NUMBER = GOOD[: GOOD.index("  choices:")] + "  number: {unit: '', within: 0.2}\n"
NUMBER += GOOD[GOOD.index("task:") :]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unit: ''", "unit: '%'", "predict.number.unit: expected ''"),
        ("within: 0.2", "within: 0.2 g", "predict.number.within: expected a pure number"),
        ("within: 0.2", "within: 0", "predict.number.within: expected more than 0"),
        (", within: 0.2", "", "predict.number.within: missing; expected how far off"),
    ],
)
def test_a_number_that_cannot_be_judged_is_told(old: str, new: str, said: str) -> None:
    assert read(NUMBER.encode(), "my.yaml", "my").prediction is not None
    assert said in wrong(NUMBER.replace(old, new, 1))


def test_a_lesson_must_be_judged_somehow() -> None:
    bare = GOOD[: GOOD.index("predict:")] + GOOD[GOOD.index("explain:") :]
    said = wrong(bare.replace("{truth}", "it"))
    assert "expected 'predict' or 'check': there is nothing to judge" in said
    assert "{truth}: nothing is predicted" in wrong(bare)
    without = GOOD[: GOOD.index("check:")] + GOOD[GOOD.index("explain:") :]
    assert "check: missing; expected the conditions" in wrong(without)
    assert "'key: value' lines" in wrong("- a\n")


def test_all_that_is_wrong_is_told_at_once() -> None:
    many = GOOD.replace("A lesson", "[a]").replace("<= 30 %", "30").replace("<= 1", "1")
    said = wrong(many.replace("reverberi-2007", "nobody-1900"))
    assert said.startswith("3 problems:")
