"""What the operator does because a scenario says so, by name, at its moment.

He is there at that moment: what he is asked to do begins at once and takes as long as it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.machine.alarms import ACKNOWLEDGE, BY_ACTION, END_SESSION, HOLD, Alarm

if TYPE_CHECKING:
    from simulator.machine.session import Session

BY_REQUEST = "as asked"
"""Why the pumps are held, or the session ended."""


def carry_out(session: Session, action: str) -> None:
    """The operator does what is asked of him; what cannot be done is told in the log."""
    if not session.running:
        told = f"{action}: the machine is not connected"
    elif action in BY_ACTION:
        told = _answer(session, BY_ACTION[action], action)
    elif action == ACKNOWLEDGE:
        told = _acknowledge(session)
    elif action == END_SESSION:
        told = _end(session)
    else:
        told = _hold_or_go_on(session, action)
    if told:
        session.bedside.log("no-effect", told)


def _answer(session: Session, alarm: Alarm, action: str) -> str:
    """Do what an alarm asks for. Returns why that is idle, empty if it is not; so do the others."""
    if not session.upkeep.protection.is_latched(alarm):
        return f"{action}: {alarm.name} does not sound"
    begun = session.upkeep.see_to_now(alarm)
    return "" if begun else f"{action}: somebody already sees to {alarm.name}"


def _acknowledge(session: Session) -> str:
    """Acknowledge what sounds; what still has a cause stays."""
    protection = session.upkeep.protection
    sounding = protection.unacknowledged()
    for alarm in sounding:
        session.upkeep.did(ACKNOWLEDGE, alarm.name)
        protection.acknowledge(alarm)
    return "" if sounding else f"{ACKNOWLEDGE}: no alarm waits for it"


def _end(session: Session) -> str:
    if session.stop_reason is not None or session.phase == "rinseback":
        return f"{END_SESSION}: the session is ending already"
    session.upkeep.did(END_SESSION, BY_REQUEST)
    session.give_up("ended by the operator", circuit_lost=False)
    return ""


def _hold_or_go_on(session: Session, action: str) -> str:
    upkeep, held = session.upkeep, session.upkeep.holds(BY_REQUEST)
    if (action == HOLD) == held:
        state = "already stand still" if held else "are not held"
        return f"{action}: the pumps {state}"
    upkeep.did(action, BY_REQUEST)
    if action == HOLD:
        upkeep.hold(BY_REQUEST)
    else:
        upkeep.let_go(BY_REQUEST)
    return ""
