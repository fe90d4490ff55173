"""Which faults a device can have: not every kind of separator can have every fault."""

from __future__ import annotations

from simulator import catalog
from simulator.catalog import Device
from simulator.machine.alarms import BY_FAULT
from simulator.scenario.report import near, shown


def possible(device: Device) -> tuple[str, ...]:
    """Faults of a machine that this device can have."""
    kind = catalog.separator_kind(device)
    return tuple(fault for fault, alarm in BY_FAULT.items() if kind in (alarm.only or (kind,)))


def refusal(fault: str, device: Device) -> str:
    """Why a device cannot have a fault; empty if it can."""
    can = possible(device)
    if fault in can:
        return ""
    listed = ", ".join(can)
    if fault not in BY_FAULT:
        hint = near(fault, can) or f"; known: {listed}"
        return f"{shown(fault)} is not a fault of a machine{hint}"
    return f"{shown(fault)} cannot happen on {named(device)}; it can have: {listed}"


def named(device: Device) -> str:
    """A device by its name and what parts the plasma from the blood there."""
    return f"{device.name} ({catalog.separator_kind(device)})"


def check(device: Device) -> None:
    """Refuse a device of one's own to which something happens that cannot."""
    wrong = {fault: refusal(fault, device) for fault in device.disturbances}
    complaints = [(("disturbances", fault), why) for fault, why in wrong.items() if why]
    if complaints:
        catalog.refuse("devices", device.name, complaints)
