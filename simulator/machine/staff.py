"""The staff's answer to a patient who reacts: slow down, give something, hold, go on, or end.

The machine does not see physiology. It is told that the patient has a reaction, by name, and what
is done about it stands in `ANSWERS`: a first answer, a second if it comes again, and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy

from simulator import catalog
from simulator.machine.alarms import REACTIONS, Priority

if TYPE_CHECKING:
    from simulator.machine.session import Session

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is done about one reaction; in this order."""

    ends: bool = False
    """End the session, blood in the circuit given back."""
    slower: float = 1.0
    """Factor on the inlet flow."""
    balance: float = 1.0
    """Factor on the fluid balance."""
    fluid: str = ""
    """What is given by hand."""
    volume: float = 0.0
    """mL of it"""
    over: float = 0.0
    """min"""
    hold: float = 0.0
    """min without pumps"""


ANSWERS: dict[str, tuple[Answer, ...]] = {
    "paresthesia": (
        Answer(slower=0.75, fluid="calcium-gluconate-10", volume=10, over=10),
        Answer(slower=0.75, fluid="calcium-gluconate-10", volume=10, over=5, hold=5),
        Answer(ends=True),
    ),
    "hypotension": (
        Answer(fluid="saline", volume=250, over=10, balance=1.10, hold=5),
        Answer(fluid="saline", volume=250, over=10, hold=5),
        Answer(ends=True),
    ),
    "vasovagal": (Answer(hold=5), Answer(ends=True)),
    "urticaria": (Answer(hold=5), Answer(hold=5), Answer(ends=True)),
}
"""By reaction: the first, second, ... answer in a session; the last one stands for all further.

[The reference's rules, unverified: inlet 75 % and calcium, a pause of 5 min if it comes again;
250 mL of fluid and a balance of 110 % for a low pressure. How often holds are repeated: assumed.]
"""
OTHERWISE = (Answer(hold=5), Answer(ends=True))
"""For a reaction that has no row of its own."""


class Staff:
    """Answers the reactions of one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.reactions: Counter[str] = Counter(dict.fromkeys(REACTIONS, 0))
        """How often the patient reacted."""

    def react(self, name: str, cause: str, *, ends: bool) -> None:
        """The patient has a reaction; `ends` if it is one after which nobody goes on."""
        session = self.session
        self.reactions[name] += 1
        session.bedside.log(f"reaction:{name}", cause)
        if ends or session.sees_to == "all":
            session.env.process(self._answer(name, self.reactions[name], ends=ends))

    def _answer(self, name: str, time: int, *, ends: bool) -> Process:
        session, upkeep = self.session, self.session.upkeep
        visit = yield from upkeep.operator.come(Priority.PATIENT)
        answers = ANSWERS.get(name, OTHERWISE)
        answer = Answer(ends=True) if ends else answers[min(time, len(answers)) - 1]
        goes_on = session.running and session.stop_reason is None
        if goes_on:
            self._carry_out(answer, name)
        upkeep.operator.leave(visit)
        if answer.hold and goes_on:
            upkeep.did("hold", name)
            upkeep.hold(name)
            yield session.env.timeout(answer.hold)
            upkeep.let_go(name)

    def _carry_out(self, answer: Answer, name: str) -> None:
        session, did = self.session, self.session.upkeep.did
        if answer.ends:
            did("end-session", name)
            session.give_up(name, circuit_lost=False)
            return
        if answer.slower != 1 and session.adjustable:
            delivered = session.controller.deliverable_inlet()
            flow = max(answer.slower * delivered, session.machine.device.inlet_flow_min)
            session.change("machine.inlet_flow", flow)
            did("slow-inlet", f"{name}: to {flow:.3g} mL/min")
        if answer.balance != 1 and session.adjustable:
            balance = answer.balance * session.settings.fluid_balance
            session.change("prescription.fluid_balance", balance)
            did("raise-fluid-balance", f"{name}: to {100 * balance:.3g} %")
        if answer.fluid:
            did("give-fluid", f"{name}: {answer.volume:g} mL {answer.fluid}")
            session.bedside.give(catalog.fluid(answer.fluid), answer.volume, answer.over)
