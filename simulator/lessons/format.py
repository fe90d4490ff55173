"""What stands in the file of a lesson: every key, and the kind of its value."""

from typing import ClassVar

from simulator.scenario.fields import Anything, Exactly, Text, Whole
from simulator.scenario.measures import AnyMeasure
from simulator.scenario.written import ByName, Each, Key, OneOf, Part
from simulator.scenario.written import Written as Written

AMOUNT = AnyMeasure("62 %")
PHRASE = "a phrase, such as 'fall igg @ session 1' or 'removed igg of two volumes over one volume'"
SENTENCE = Text(longest=300)


class Arm(Written):
    """One run of the lesson: a scenario, and what is different in it."""

    needs: ClassVar[dict[str, str]] = {
        "label": "a few words that name the run on the page",
        "scenario": "a bundled scenario, or one written here",
    }
    label = Key(Text("a few words", longest=40))
    scenario = Key(Anything())
    """A bundled name; or a mapping, which may extend a bundled name."""
    set = Key(ByName(Anything()))
    """Dotted paths of the scenario and their values."""


class Choice(Written):
    """One answer to choose, right if the truth is at least `from` and below `to`."""

    needs: ClassVar[dict[str, str]] = {"text": "the answer, in words"}
    text = Key(SENTENCE)
    low = Key(AMOUNT, "from")
    high = Key(AMOUNT, "to")


class Number(Written):
    """An answer typed as a number."""

    needs: ClassVar[dict[str, str]] = {
        "unit": "the unit of the answer, such as '%'",
        "within": "how far off is still right, such as '8 %'",
    }
    unit = Key(Text("a unit, such as '%'", longest=30))
    within = Key(AMOUNT)


class Prediction(Written):
    """What the learner says before the run."""

    needs: ClassVar[dict[str, str]] = {"ask": "what is asked, in words", "truth": PHRASE}
    ask = Key(SENTENCE)
    truth = Key(Text(PHRASE, longest=200))
    choices = Key(Each(Part(Choice)))
    number = Key(Part(Number))


class OutcomeCheck(Written):
    """A condition on the results."""

    needs: ClassVar[dict[str, str]] = {
        "outcome": PHRASE,
        "is": "a bound, such as '>= 1.0 g/L'",
        "asked": "what is to hold, in words",
        "otherwise": "what is missing if it does not hold, in words",
    }
    outcome = Key(Text(PHRASE, longest=200))
    bound = Key(Text("a bound, such as '>= 1.0 g/L'", longest=60), "is")
    asked = Key(SENTENCE)
    otherwise = Key(SENTENCE)


class EventCheck(Written):
    """A condition on the log: how often something stands in it."""

    needs: ClassVar[dict[str, str]] = {
        "event": "an event of the log, such as 'set', 'dose' or 'alarm:replacement-empty'",
        "asked": "what is to hold, in words",
        "otherwise": "what is missing if it does not hold, in words",
    }
    event = Key(Text("an event of the log", r"[a-z-]+(:[a-z-]+)?", longest=60))
    detail = Key(Text("words that its detail contains", longest=100))
    session = Key(Whole(0, 100_000))
    """0 means between sessions; without it, all of the run."""
    count = Key(Text("a bound, such as '>= 1'", longest=60))
    asked = Key(SENTENCE)
    otherwise = Key(SENTENCE)


CHECK = OneOf(
    "a condition",
    {"outcome": Part[Written](OutcomeCheck), "event": Part[Written](EventCheck)},
)


class Lesson(Written):
    """One lesson."""

    needs: ClassVar[dict[str, str]] = {
        "format": "'format: 1', the version of this format",
        "title": "the lesson in a few words",
        "misconception": "what many think, in a sentence",
        "question": "where the learner stands, and what the lesson is about",
        "arms": "what is run: the live run first, and another beside it if wanted",
        "explain": "why it came out so; numbers as {truth} or {fall igg @ session 1}",
        "references": "keys of the bibliography, and what each of them says",
    }
    format = Key(Exactly(1))
    title = Key(Text(longest=100))
    misconception = Key(SENTENCE)
    question = Key(Text(longest=1000))
    arms = Key(Each(Part(Arm)))
    predict = Key(Part(Prediction))
    task = Key(Text(longest=500))
    check = Key(Each(CHECK))
    explain = Key(Text(longest=3000))
    references = Key(ByName(SENTENCE))
