"""Rinseback: saline pushes the blood in the circuit back to the patient."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.machine.pumps import STOPPED
from simulator.orders import SALINE

if TYPE_CHECKING:
    from simulator.machine.session import Session

Process = Generator[simpy.Event, Any, None]


def rinse_back(session: Session) -> Process:
    """Give back what the rinse displaces; an emptied bowl leaves nothing to displace.

    With one needle, the bag of blood drawn ahead is given back first.
    """
    device = session.machine.device
    if session.outside == 0:
        return
    if session.circuit_lost:
        session.bedside.log("no-rinseback", "the blood in the circuit is lost")
        return
    if not session.machine.rinseback:
        session.bedside.log("rinseback-omitted", "as ordered; the blood stays in the set")
        return
    session.enter("rinseback", f"{device.rinseback_volume:.0f} mL saline")
    content = min(device.rinseback_volume + session.drawn_ahead, session.outside)
    flow = device.rinseback_flow
    yield from _push(session, Exchange(circuit_to_patient=flow), content / flow)
    beyond = device.rinseback_volume + session.drawn_ahead - content
    if beyond > 0:
        saline = catalog.fluid(SALINE)
        beyond = min(beyond, device.rinseback_volume)
        yield from _push(session, Exchange(given=((saline, flow),)), beyond / flow)


def _push(session: Session, exchange: Exchange, minutes: float) -> Process:
    """Rinse for so many minutes, not counting those in which a fault holds the pumps."""
    while minutes > 0:
        yield from session.until_free()
        if session.circuit_lost:
            return
        session.bedside.exchange(exchange, STOPPED)
        session.upkeep.look()
        elapsed = yield from session.wait_while_running(minutes)
        session.bedside.exchange(REST, STOPPED)
        minutes -= elapsed
