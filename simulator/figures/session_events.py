"""What happened in a session, in the words and marks of a figure: all read from its log.

Daily work (a new bottle) and what passes by itself (an access that does not deliver for a moment)
are marks in rows; what stops the session, what the patient feels, and what was changed get a label.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from simulator.figures.style import BLACK, GRAY, PURPLE, VERMILLION
from simulator.machine.alarms import ALARMS, CONTAINERS, Response
from simulator.result import Event, Result, SessionResult

ALARM, ACT, REACTION = "alarm:", "operator:", "reaction:"
"""How the names of events begin."""

PHASES = ("draw", "exchange", "return", "rinseback")
"""A bowl is drawn full and returned again and again; else blood goes around."""
_NAMED_PHASES = {"draw": 0, "return": 0, "rinseback": 1}
"""Those that get a label, and its weight."""
BOLUS, SWAP = "anticoagulant-bolus", "column-swapped"

_ENDS = ("session-ended-early", "no-rinseback")
_QUIET = (
    "prime", "connect", "exchange", "disconnect", "target-reached", "cleared", "resumed", "warning",
    "no-effect", "unchanged", "dose-ended", "fcrn-blockade-ended", "inlet-flow-lowered",
    "inlet-flow-raised", SWAP,
)  # fmt: skip
"""Events that need no label: they follow from one that has, or stand elsewhere."""
NEEDED = 3
"""Labels of this weight have a place before anything is said at length."""
_SEVERAL = 2
"""More alarms of one name than this are labeled once, with their number; those that pass by
themselves already from two on."""

_SPENT = "the column is spent"
"""How the warning begins that gets a label."""
_ANSWERS = {"slow-inlet": "slower", "hold": "pause", "raise-fluid-balance": "more fluid"}
_END = "session ended"

_RESPONSES = {ALARM + alarm.name: alarm.response for alarm in ALARMS}


@dataclass(slots=True)
class Label:
    """What is said of something that happened."""

    minute: float
    text: str
    color: str
    weight: int
    """The less, the sooner it is left out."""
    answers: list[str] = field(default_factory=list)
    """What the staff did about it, in order."""

    @property
    def brief(self) -> str:
        """The least that has to be said."""
        return f"{self.text}: {_END}" if _END in self.answers else self.text

    @property
    def words(self) -> str:
        """All of it on one line."""
        return f"{self.text}: {', '.join(self.answers)}" if self.answers else self.text


def phases(result: Result, session: SessionResult) -> list[tuple[str, float, float]]:
    """Name, first and last minute of each phase in which blood moves, as far as they came."""
    begun = [(e.event, e.minute or 0.0) for e in _events(result, session) if e.event in PHASES]
    end = session.run[1] - session.connected[0]
    if begun and (begun[-1][0] == "rinseback" or begun[-1][1] >= end):
        end = session.connected_minutes
    ends = [*(minute for _, minute in begun[1:]), end]
    return [(name, begin, stop) for (name, begin), stop in zip(begun, ends, strict=False)]


def changes(result: Result, session: SessionResult) -> list[float]:
    """Minutes at which a bottle or a bag had to be changed."""
    return [event.minute or 0.0 for event in _events(result, session) if _is_change(event)]


def swaps(result: Result, session: SessionResult) -> list[float]:
    """Minutes at which a fresh column took the place of the one in use."""
    return [event.minute or 0.0 for event in _events(result, session) if event.event == SWAP]


def access_pauses(result: Result, session: SessionResult) -> list[float]:
    """Minutes at which the access did not deliver, and the machine tried again by itself."""
    return [event.minute or 0.0 for event in _events(result, session) if _passes(event)]


def lines(result: Result, session: SessionResult) -> list[tuple[float, str]]:
    """Minute and color of what is carried down through the curves."""
    found = []
    for event in _events(result, session):
        if event.event.startswith(REACTION):
            found.append((event.minute or 0.0, PURPLE))
        elif event.event in _ENDS or _stops(event):
            found.append((event.minute or 0.0, VERMILLION))
    return found


def calcium_given(result: Result, session: SessionResult) -> list[tuple[float, float]]:
    """First and last minute of each dose of calcium that was given by hand."""
    found = []
    for event in _events(result, session):
        dose = re.fullmatch(r"\S+ mL calcium\S*(?: over (\S+) min)?", event.detail)
        if event.event == "dose" and dose:
            begin = event.minute or 0.0
            end = begin + float(dose[1] or 0.0)
            found.append((begin, min(end, session.connected_minutes)))
    return found


def eventful(result: Result, session: SessionResult) -> tuple[int, ...]:
    """How much happened in a session: an early end counts most, then reactions, then alarms."""
    events = _events(result, session)
    return (
        int(session.stop_reason is not None),
        sum(session.reactions.values()),
        sum(_stops(event) for event in events),
        sum(_passes(event) for event in events),
    )


def labels(result: Result, session: SessionResult) -> list[Label]:
    """What is worth words, in the order in which it happened."""
    events = _events(result, session)
    often = Counter((event.event, _passes(event)) for event in events if _is_alarm(event))
    found: list[Label] = []
    reactions: dict[str, Label] = {}
    said: set[str] = set()
    bolus: list[str] = []
    for event in events:
        minute, kind = event.minute or 0.0, event.event
        if kind.startswith(REACTION):
            name = kind.removeprefix(REACTION)
            reactions[name] = Label(minute, _plain(name), PURPLE, 5)
            found.append(reactions[name])
        elif kind.startswith(ACT):
            name, _, what = event.detail.partition(": ")
            if name in reactions:
                reactions[name].answers.append(_answer(kind.removeprefix(ACT), what))
        elif kind == BOLUS:
            found.append(Label(minute, event.detail, GRAY, 0))
            bolus = event.detail.split()[-1:]
        elif _is_quiet(event) or _told(event, reactions):
            continue
        elif kind != "dose" or event.detail.split()[2:3] != bolus:
            label = _label(event)
            count = often[kind, _passes(event)]
            once = not _is_alarm(event) or count > (1 if _passes(event) else _SEVERAL)
            if _is_alarm(event) and once:
                label.text += f" × {count}"
            if not (once and label.text in said):
                found.append(label)
            said.add(label.text)
    return found


def _events(result: Result, session: SessionResult) -> list[Event]:
    return [event for event in result.events if event.session == session.index]


def _is_change(event: Event) -> bool:
    """Whether a bottle or a bag has to be changed as planned: daily work, a small tick."""
    return event.event.removeprefix(ALARM) in CONTAINERS and event.detail.startswith("next")


def _is_quiet(event: Event) -> bool:
    """Whether it needs no label; of the warnings only that comes with time has one."""
    spent = event.event == "warning" and event.detail.startswith(_SPENT)
    return _is_change(event) or (event.event in _QUIET and not spent)


def _passes(event: Event) -> bool:
    """Whether it is an alarm that the machine itself puts right."""
    by_itself = _RESPONSES.get(event.event) is Response.RETRY
    return by_itself and not event.detail.endswith("all pumps stop")


def _stops(event: Event) -> bool:
    """Whether it is an alarm that stops the pumps until somebody comes; bottles do not count."""
    stopping = _RESPONSES.get(event.event) in (Response.STOP, Response.RETRY)
    return stopping and not _passes(event) and not _is_change(event)


def _is_alarm(event: Event) -> bool:
    """Whether it is an alarm that is worth a label; mere advice follows from another."""
    quiet = _is_change(event) or _RESPONSES.get(event.event) is Response.TELL
    return event.event.startswith(ALARM) and not quiet


def _told(event: Event, reactions: dict[str, Label]) -> bool:
    """Whether the label of another event says it already."""
    if event.event == "dose":  # by the staff, as their answer
        words = {event.detail.split()[2].split("-")[0]} if event.detail.count(" ") > 1 else set()
        return any(words & set(label.answers) for label in reactions.values())
    if event.event == "session-ended-early":
        return event.detail in reactions and _END in reactions[event.detail].answers
    return _RESPONSES.get(event.event) is Response.TELL


def _answer(action: str, what: str) -> str:
    if action == "give-fluid":  # such as "10 mL calcium-gluconate-10"
        return what.rpartition(" ")[2].partition("-")[0]
    return _END if action == "end-session" else _ANSWERS.get(action, _plain(action))


def _label(event: Event) -> Label:
    """The label of one event that is no reaction."""
    text, color, weight = _words(event.event, event.detail)
    weaker = 1 if _passes(event) else 0
    return Label(event.minute or 0.0, text, color, weight - weaker)


def _words(kind: str, detail: str) -> tuple[str, str, int]:
    """What the label of an event says, its color, and its weight."""
    text, color, weight = _plain(kind.removeprefix(ALARM)), BLACK, 2
    if kind.startswith(ALARM) or kind in _ENDS:
        color, weight = VERMILLION, 3
        if kind == "session-ended-early":
            text, weight = f"ended early: {_plain(re.split(r': | [(]', detail)[0])}", 4
    elif kind in _NAMED_PHASES:
        color, weight = GRAY, _NAMED_PHASES[kind]
    elif kind == "bowl-over-packed":
        text, color = "bowl over-packed", VERMILLION
    elif kind == "warning":
        text = "column spent"
    elif kind == "set":
        path, _, value = detail.partition(" to ")
        text = f"{path.removesuffix('.ratio').rpartition('.')[2].replace('_', ' ')} {value}"
    elif kind == "replacement-changed":
        text = detail.partition(":")[0]
    elif kind == "dose":
        text = detail.partition(" over ")[0]
    else:
        weight = 1
    return text, color, weight


def _plain(name: str) -> str:
    return name.replace("-", " ")
