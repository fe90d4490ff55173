"""Reads the file of a lesson; all that is wrong in it is told together, each at its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from simulator import catalog, units
from simulator.errors import CommandError, ScenarioError
from simulator.lessons import format as written
from simulator.lessons import phrases
from simulator.lessons.model import (
    PLACEHOLDER,
    TRUTH,
    Arm,
    Choice,
    EventCheck,
    Lesson,
    OutcomeCheck,
    Prediction,
)
from simulator.lessons.phrases import Bound, Phrase
from simulator.machine.alarms import ALARMS
from simulator.scenario import library
from simulator.scenario.model import Scenario
from simulator.scenario.overrides import steps
from simulator.scenario.report import near, near_or_all, shown
from simulator.scenario.shape import read_file
from simulator.scenario.tree import Node, Path, assign, overlay
from simulator.scenario.written import usable
from simulator.units import Quantity

MOST_ARMS = 2


def read(content: bytes, label: str, name: str) -> Lesson:
    """The lesson that a text writes; `label` stands for the file in messages.

    Raises `ScenarioError` with everything that is wrong in it.
    """
    return _Reader(content, label, name).lesson()


class _Reader:
    """Reads one file."""

    def __init__(self, content: bytes, label: str, name: str) -> None:
        self.name = name
        self.written, self.report = read_file(written.Lesson, content, label)
        self.labels: list[str] = []
        self.scenarios: dict[str, Scenario] = {}

    def lesson(self) -> Lesson:
        file, report = self.written, self.report
        arms = tuple(self._arms())
        prediction = self._prediction()
        checks = tuple(self._checks())
        explained = self._placeholders(prediction)
        self._references()
        if file.predict is None and not file.check and not report.problems:
            report.add((), "expected 'predict' or 'check': there is nothing to judge")
        if file.task is not None and not file.check:
            report.missing(("check",), "the conditions under which the task is done")
        report.finish()
        return Lesson(
            name=self.name,
            title=cast("str", file.title),
            misconception=cast("str", file.misconception),
            question=_paragraphs(file.question),
            arms=arms,
            prediction=prediction,
            task=_paragraphs(file.task),
            checks=checks,
            explain=_paragraphs(file.explain),
            phrases=explained,
            references=dict(file.references or {}),
        )

    # -- arms -------------------------------------------------------------------------------------

    def _arms(self) -> Iterator[Arm]:
        arms = list(usable(self.written.arms))
        if self.written.arms is not None and not 1 <= len(self.written.arms) <= MOST_ARMS:
            self.report.add(("arms",), f"expected one arm or two, got {len(self.written.arms)}")
        for place, arm in arms:
            path: Path = ("arms", place)
            if arm.label is not None and self._is_label(arm.label, (*path, "label")):
                self.labels.append(arm.label)
            if arm.scenario is None or arm.label is None:
                continue
            tree = self._scenario((*path, "scenario"))
            tree = self._changed(tree, (*path, "set")) if tree is not None else None
            if tree is None or self.report.spoiled(path):
                continue
            made = Arm(arm.label, f"{self.name}-{place + 1}", tree)
            try:
                self.scenarios[arm.label] = made.scenario()
            except ScenarioError as error:
                self.report.problems += error.problems
            else:
                yield made

    def _is_label(self, label: str, path: Path) -> bool:
        if label in self.labels:
            self.report.add(path, f"{shown(label)} is the label of another arm")
            return False
        for word in phrases.JOINING:
            if word in f" {label} ":
                message = f"expected a label without {word.strip()!r}, which parts phrases"
                self.report.add(path, message)
                return False
        return True

    def _scenario(self, path: Path) -> Node | None:
        """The tree of a bundled scenario, or of one written here over what it extends."""
        node, _ = self.report.tree.find(path)
        if isinstance(node.value, str):
            return self._bundled(node.value, path)
        if not isinstance(node.value, dict):
            self.report.add(path, "expected the name of a bundled scenario, or one written here")
            return None
        own = {key: value for key, value in node.value.items() if key != "extends"}
        own.setdefault("format", Node(1, node.mark, node.key))
        over = Node(own, node.mark, node.key)
        if "extends" not in node.value:
            return over
        base = self._bundled(node.value["extends"].value, (*path, "extends"))
        return None if base is None else overlay(base, over)

    def _bundled(self, name: object, path: Path) -> Node | None:
        known = library.names()
        if not isinstance(name, str) or name not in known:
            hint = near_or_all(name, known) if isinstance(name, str) else ""
            self.report.add(path, f"expected a bundled scenario, got {shown(name)}{hint}")
            return None
        tree, problems = library.merged(library.find(name))
        self.report.problems += problems
        return tree

    def _changed(self, tree: Node, path: Path) -> Node:
        changes, there = self.report.tree.find(path)
        if there and isinstance(changes.value, dict):
            for address, value in changes.value.items():
                try:
                    tree = assign(tree, steps(address), value)
                except LookupError as error:
                    self.report.add((*path, address), str(error.args[0]))
        return tree

    # -- phrases ----------------------------------------------------------------------------------

    def _phrase(self, text: str, path: Path) -> tuple[Phrase, str] | None:
        """A phrase and its unit."""
        if self.report.spoiled(("arms",)) or not self.labels:
            return None  # what an arm would be called is not known
        try:
            phrase = phrases.parse(text, self.labels)
            if any(side.arm not in self.scenarios for side in phrase.sides):
                return None  # the arm is wrong, and reported
            unit = phrase.unit_in(self.scenarios)
        except CommandError as error:
            self.report.add(path, str(error))
            return None
        for side in phrase.sides:
            session, planned = side.endpoint.when.session, self.scenarios[side.arm].sessions
            if session is not None and not 1 <= session <= len(planned):
                there = f"{side.arm!r} plans {len(planned)} in all"
                self.report.add(path, f"{phrase.text!r}: there is no session {session}; {there}")
                return None
        return phrase, unit

    def _fits(self, quantity: Quantity, unit: str, path: Path) -> bool:
        """Whether a quantity can be had in the unit in which it is read."""
        if unit == "%" and quantity.unit.text == "1" and quantity.value:
            given = f"{quantity.value:g}"
            self.report.add(path, f"{given} needs a unit: '{given} %'")
            return False
        try:
            quantity.to(unit or "1")
        except units.UnitError as error:
            self.report.add(path, f"{error}: it is read in {unit or 'numbers'}")
            return False
        return True

    # -- prediction -------------------------------------------------------------------------------

    def _prediction(self) -> Prediction | None:
        predict, path = self.written.predict, ("predict",)
        if predict is None:
            return None
        if (predict.choices is None) == (predict.number is None):
            self.report.add(path, "expected either 'choices' or 'number'")
            return None
        truth = self._phrase(predict.truth, (*path, "truth")) if predict.truth else None
        if truth is None or predict.ask is None:
            return None
        phrase, unit = truth
        if predict.choices is not None:
            return Prediction(predict.ask, phrase, unit, self._choices(predict.choices, unit))
        within = self._within(cast("written.Number", predict.number), unit)
        return None if within is None else Prediction(predict.ask, phrase, unit, within=within)

    def _within(self, number: written.Number, unit: str) -> float | None:
        """How far off an answer may be, in the unit of the truth."""
        path: Path = ("predict", "number")
        if number.unit is not None and number.unit != unit:
            self.report.add((*path, "unit"), f"expected {unit!r}, in which the truth is read")
        if number.within is None or not self._fits(number.within, unit, (*path, "within")):
            return None
        if number.within.value <= 0:
            self.report.add((*path, "within"), "expected more than 0")
        return number.within.to(unit or "1")

    def _choices(self, choices: list[written.Choice], unit: str) -> tuple[Choice, ...]:
        """The choices; their ranges must follow each other without gap from end to end."""
        path: Path = ("predict", "choices")
        found: list[tuple[int, Choice]] = []
        for place, choice in usable(choices):
            ends = (("from", choice.low, -math.inf), ("to", choice.high, math.inf))
            low, high = (
                self._end(end, unit, (*path, place, key), otherwise) for key, end, otherwise in ends
            )
            found.append((place, Choice(choice.text or "", low, high)))
            if low >= high and not self.report.spoiled((*path, place)):
                self.report.add((*path, place), "expected 'from' below 'to'")
        if self.report.spoiled(path):
            return ()
        if len(found) < 2:
            self.report.add(path, f"expected two choices or more, got {len(found)}")
            return ()
        found.sort(key=lambda item: item[1].low)
        if not math.isinf(found[0][1].low):
            self.report.add((*path, found[0][0], "from"), "expected no lower end: it is the lowest")
        if not math.isinf(found[-1][1].high):
            where = (*path, found[-1][0], "to")
            self.report.add(where, "expected no upper end: it is the highest")
        for (_, below), (place, above) in pairwise(found):
            if below.high != above.low:
                what = "leaves a gap to" if below.high < above.low else "overlaps with"
                one, two = shown(above.text), shown(below.text)
                message = f"{one} {what} {two}: every value must be in one range, and in one only"
                self.report.add((*path, place), message)
        return tuple(choice for _, choice in sorted(found, key=lambda item: item[0]))

    def _end(self, end: Quantity | None, unit: str, path: Path, otherwise: float) -> float:
        if end is None or not self._fits(end, unit, path):
            return otherwise
        return end.to(unit or "1")

    # -- checks -----------------------------------------------------------------------------------

    def _checks(self) -> Iterator[OutcomeCheck | EventCheck]:
        for place, check in usable(self.written.check):
            path: Path = ("check", place)
            made: OutcomeCheck | EventCheck | None
            if isinstance(check, written.OutcomeCheck):
                made = self._outcome(check, path)
            else:
                made = self._event(cast("written.EventCheck", check), path)
            if made is not None and not self.report.spoiled(path):
                yield made

    def _outcome(self, check: written.OutcomeCheck, path: Path) -> OutcomeCheck | None:
        where = (*path, "is")
        bound = self._bound(check.bound, where)
        found = self._phrase(check.outcome, (*path, "outcome")) if check.outcome else None
        if bound is None or found is None or not self._fits(bound.quantity, found[1], where):
            return None
        return OutcomeCheck(check.asked or "", check.otherwise or "", *found, bound)

    def _event(self, check: written.EventCheck, path: Path) -> EventCheck | None:
        bound = self._bound(check.count or ">= 1", (*path, "count"))
        if bound is None or check.event is None:
            return None
        self._fits(bound.quantity, "", (*path, "count"))
        kind, alarm, name = check.event.partition(":")
        known = [a.name for a in ALARMS]
        if alarm and kind == "alarm" and name not in known:
            hint = near_or_all(name, known)
            self.report.add((*path, "event"), f"there is no alarm {shown(name)}{hint}")
        return EventCheck(
            check.asked or "", check.otherwise or "", check.event, check.detail or "",
            check.session, bound,
        )  # fmt: skip

    def _bound(self, text: str | None, path: Path) -> Bound | None:
        if text is None:
            return None
        try:
            return phrases.parse_bound(text)
        except ValueError as error:
            self.report.add(path, str(error))
            return None

    # -- explanation ------------------------------------------------------------------------------

    def _placeholders(self, prediction: Prediction | None) -> dict[str, tuple[Phrase, str]]:
        text, path = self.written.explain or "", ("explain",)
        if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
            self.report.add(path, "expected every { to have its }, with a phrase between them")
        found: dict[str, tuple[Phrase, str]] = {}
        for inner in PLACEHOLDER.findall(text):
            if inner == TRUTH and self.written.predict is None:
                self.report.add(path, "{truth}: nothing is predicted")
            elif inner == TRUTH:
                if prediction is not None:
                    found[inner] = prediction.truth, prediction.unit
            elif (phrase := self._phrase(inner, path)) is not None:
                found[inner] = phrase
        return found

    def _references(self) -> None:
        known = catalog.references()
        if self.written.references is not None and not self.written.references:
            self.report.add(("references",), "expected at least one source")
        for key in self.written.references or {}:
            if key not in known:
                hint = near(key, known) or "; see `apheresis list references`"
                message = f"{shown(key)} is not in the bibliography{hint}"
                self.report.add(("references", key), message, on_key=True)


def _paragraphs(text: str | None) -> str:
    """Text without the line breaks of the file; an empty line parts paragraphs."""
    return "\n".join(" ".join(part.split()) for part in re.split(r"\n+", (text or "").strip()))
