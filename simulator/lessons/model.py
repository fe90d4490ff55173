"""A lesson as it is taught: what is asked, what is run, and how an answer is judged."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from simulator import catalog
from simulator.errors import CommandError
from simulator.lessons.phrases import Bound, Phrase, in_words
from simulator.records import record
from simulator.result import Result
from simulator.scenario import overrides as command_line
from simulator.scenario.model import Scenario
from simulator.scenario.reader import parse
from simulator.scenario.resolve import resolve
from simulator.scenario.tree import Node, assign
from simulator.simulation import simulate

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
TRUTH = "truth"
_NO_NUMBER = "(no such number)"


@record
class Arm:
    """One run of a lesson."""

    label: str
    name: str
    """What its runs are called."""
    tree: Node
    """The scenario as it is written, inheritance and changes included."""

    def scenario(
        self, extra_events: Sequence[Mapping[str, Any]] = (), overrides: Sequence[str] = ()
    ) -> Scenario:
        """What is run, with what a learner does: events as a scenario writes them, PATH=VALUE.

        Raises `ScenarioError` with all that is wrong in them.
        """
        tree, problems = command_line.apply(self.tree, overrides, None)
        if extra_events:
            written, more = parse(json.dumps(list(extra_events)), "events")
            before, there = tree.find(("events",))
            held = before.value if there and isinstance(before.value, list) else []
            added = written.value if isinstance(written.value, list) else []
            events = Node([*held, *added], written.mark, written.key)
            tree, problems = assign(tree, ("events",), events), [*problems, *more]
        return resolve(tree, self.name, problems)


@record
class Choice:
    """One answer; right if the truth is at least `low` and below `high`, in its unit."""

    text: str
    low: float
    high: float


@record
class Prediction:
    """What the learner says before the run. There are choices, or a number within a tolerance."""

    ask: str
    truth: Phrase
    unit: str
    """That of the truth; of an answer typed as a number too."""
    choices: tuple[Choice, ...] = ()
    within: float = 0.0

    def right_choice(self, value: float) -> int:
        """The place of the choice in whose range a value lies."""
        return next(i for i, choice in enumerate(self.choices) if choice.low <= value < choice.high)

    def is_right(self, answer: float, value: float) -> bool:
        """Whether an answer, the place of a choice or a number, fits a value."""
        if self.choices:
            if answer not in range(len(self.choices)):
                raise CommandError(
                    f"expected the place of a choice, 0 to {len(self.choices) - 1}, got {answer}"
                )
            return answer == self.right_choice(value)
        if not math.isfinite(answer):
            raise CommandError(f"expected a number, got {answer}")
        return abs(answer - value) <= self.within

    def told(self, value: float) -> str:
        """The truth, in words."""
        said = f"The run gives {in_words(value, self.unit, 3)}."
        return f"{self.choices[self.right_choice(value)].text} {said}" if self.choices else said


@record
class Line:
    """What one condition came to."""

    ok: bool
    text: str


@record
class OutcomeCheck:
    """A condition on the results."""

    asked: str
    otherwise: str
    phrase: Phrase
    unit: str
    bound: Bound

    def judge(self, results: Mapping[str, Result], live: str) -> Line:
        """Whether it holds; a run that has no such number fails it."""
        try:
            value = self.phrase.read(results)
        except CommandError as error:
            return Line(False, f"{self.otherwise} ({error})")
        return _line(self, self.bound.holds(value, self.unit), in_words(value, self.unit, 3))


@record
class EventCheck:
    """A condition on the log of the live run."""

    asked: str
    otherwise: str
    event: str
    detail: str
    session: int | None
    bound: Bound

    def judge(self, results: Mapping[str, Result], live: str) -> Line:
        """Whether it stands in the log as often as asked."""
        count = sum(
            event.event == self.event
            and self.detail in event.detail
            and self.session in (None, event.session)
            for event in results[live].events
        )
        return _line(self, self.bound.holds(count, ""), f"{count} in the log")


def _line(check: OutcomeCheck | EventCheck, ok: bool, found: str) -> Line:
    said = check.asked if ok else check.otherwise
    return Line(ok, f"{said} ({found}; asked: {check.bound})")


@record
class Verdict:
    """What a lesson says to what was predicted and done."""

    passed: bool
    """All conditions hold; where a lesson has none, the prediction was right."""
    predicted_right: bool | None
    """None if nothing was predicted."""
    truth_text: str
    lines: tuple[Line, ...]
    explanation: str
    sources: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "passed": self.passed,
            "predicted_right": self.predicted_right,
            "truth": self.truth_text,
            "lines": [{"ok": line.ok, "text": line.text} for line in self.lines],
            "explanation": self.explanation,
            "sources": list(self.sources),
        }


@record
class Lesson:
    """One lesson."""

    name: str
    title: str
    misconception: str
    question: str
    arms: tuple[Arm, ...]
    """The live run first."""
    prediction: Prediction | None
    task: str
    """What the learner does on the machine; empty without anything to do."""
    checks: tuple[OutcomeCheck | EventCheck, ...]
    explain: str
    phrases: Mapping[str, tuple[Phrase, str]]
    """The placeholders of `explain`, each with its unit."""
    references: Mapping[str, str]
    """Keys of the bibliography, and what each says."""

    @property
    def live(self) -> str:
        """The label of the run that the learner can change."""
        return self.arms[0].label

    def as_data(self) -> dict[str, Any]:
        """What the page asks, as JSON can hold it; what is right is not in it."""
        prediction = self.prediction
        return {
            "name": self.name,
            "title": self.title,
            "misconception": self.misconception,
            "question": self.question,
            "arms": [arm.label for arm in self.arms],
            "ask": prediction.ask if prediction else "",
            "choices": [choice.text for choice in prediction.choices] if prediction else [],
            "unit": prediction.unit if prediction and not prediction.choices else "",
            "task": self.task,
            "goals": [check.asked for check in self.checks],
        }

    def as_written(self, known: Mapping[str, Result] | None = None) -> dict[str, Result]:
        """A run of every arm as the lesson writes it; those that are known are taken over."""
        given = known or {}
        return {
            arm.label: given[arm.label] if arm.label in given else simulate(arm.scenario())
            for arm in self.arms
        }

    def judge(
        self,
        prediction: float | None,
        results: Mapping[str, Result],
        as_written: Mapping[str, Result] | None = None,
    ) -> Verdict:
        """What to say to a prediction, and to the run that the learner has made.

        `results` are runs by the labels of their arms; the live one, as the learner has left it, is
        what conditions read. The truth and the numbers of the explanation are read from runs that
        nobody has touched: `as_written`, and what is missing there is simulated. Raises
        `CommandError` for a prediction that is none, or without a live run.
        """
        if self.live not in results:
            raise CommandError(f"{self.name}: expected a run of the arm {self.live!r}")
        others = {label: result for label, result in results.items() if label != self.live}
        plain = self.as_written({**others, **(as_written or {})})
        lines = tuple(check.judge({**plain, **results}, self.live) for check in self.checks)
        right, told = None, ""
        if self.prediction is not None:
            value = self.prediction.truth.read(plain)
            told = self.prediction.told(value)
            if prediction is not None:
                right = self.prediction.is_right(prediction, value)
        passed = all(line.ok for line in lines) if lines else right is True
        return Verdict(passed, right, told, lines, self._explained(plain), self.sources())

    def sources(self) -> tuple[str, ...]:
        """The sources in words: what each says, and how much of it was seen."""
        known = catalog.references()
        return tuple(
            f"{says} {known[key].citation}" + (f" [{known[key].note}]" if known[key].note else "")
            for key, says in self.references.items()
        )

    def _explained(self, results: Mapping[str, Result]) -> str:
        def filled(found: re.Match[str]) -> str:
            phrase, unit = self.phrases[found[1]]
            try:
                return in_words(phrase.read(results), unit)
            except CommandError:
                return _NO_NUMBER

        return PLACEHOLDER.sub(filled, self.explain)
