"""The machine's settings, who attends it, and the prescription, as written or by the catalog."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar, cast

from simulator import catalog, units
from simulator.catalog import Access, BowlFacts, Device, Fluid, MembraneFacts
from simulator.orders import (
    OPERATOR,
    SALINE,
    Attendance,
    CalciumOrder,
    MachineSettings,
    Replacement,
)
from simulator.records import record
from simulator.scenario import format as written
from simulator.scenario.entries import Entries
from simulator.scenario.faults import named
from simulator.scenario.fields import Reference
from simulator.scenario.report import Report, number
from simulator.scenario.tree import Path
from simulator.scenario.written import usable
from simulator.units import Quantity

DEFAULT_DEVICE = "spectra-optia"
DEFAULT_ACCESS = "central-venous-catheter"
HEPARIN_DEVICE = "prismaflex-tpe2000"
"""Whose heparin doses are usual."""
DEFAULT_CALCIUM = "calcium-gluconate-10"
SHARE_TOLERANCE = 0.001 + 1e-9  # 0.1 %, and what adding floats leaves

Entry = TypeVar("Entry")
ExchangeUnit = Literal["PV", "mL", "mL/kg"]


@record
class Prescribed:
    """What one prescription, or a part of one, says. None: it says nothing."""

    exchange: tuple[float, ExchangeUnit] | None = None
    replacement: tuple[Replacement, ...] | None = None
    fluid_balance: float | None = None
    calcium: CalciumOrder | None = None

    def under(self, own: Prescribed) -> Prescribed:
        """This prescription with what a block of the course says of its own."""
        said = {
            key: value
            for key in ("exchange", "replacement", "fluid_balance", "calcium")
            if (value := getattr(own, key)) is not None
        }
        return replace(self, **said)


def machine(model: written.Machine, entries: Entries) -> MachineSettings | None:
    """The machine as set up; what is not written is the device's default."""
    report, path = entries.report, ("machine",)
    device = _named(entries.device, model.device, DEFAULT_DEVICE, (*path, "device"), report)
    access = _named(entries.access, model.access, DEFAULT_ACCESS, (*path, "access"), report)
    anticoagulant = model.anticoagulant or written.Anticoagulant()
    where = (*path, "anticoagulant")
    default_fluid = device.anticoagulant if device else "acd-a"
    fluid = _named(entries.fluid, anticoagulant.fluid, default_fluid, (*where, "fluid"), report)
    prime = _named(entries.fluid, model.prime, SALINE, (*path, "prime"), report)
    if device is None or access is None or fluid is None:
        return None
    inlet_flow = model.inlet_flow
    usual = min(device.inlet_flow, device.inlet_flow_max, access.inlet_flow_max)
    flow = usual if inlet_flow is None else inlet_flow.canonical
    check_inlet_flow(flow, device, access, (*path, "inlet_flow"), report)
    plasma_flow = None if model.plasma_flow is None else model.plasma_flow.canonical
    if plasma_flow is not None:
        check_plasma_flow(plasma_flow, flow, device, (*path, "plasma_flow"), report)
    needles = _needles(model, device, path, report)
    return MachineSettings(
        device,
        access,
        flow,
        fluid,
        disturbances=cast("Literal['none', 'typical']", model.disturbances or "none"),
        prime=_prime(prime, device, path, report),
        rinseback=model.rinseback is not False,
        plasma_flow=plasma_flow,
        needles=needles,
        **_anticoagulation(anticoagulant, fluid, device, flow, where, report),
    )


def _anticoagulation(
    model: written.Anticoagulant,
    fluid: Fluid,
    device: Device,
    inlet_flow: float,
    path: Path,
    report: Report,
) -> dict[str, float]:
    """Citrate by ratio, heparin by the hour after a bolus."""
    if fluid.activity == 0:
        for key in ("rate", "bolus"):
            if getattr(model, key) is not None:
                message = f"{fluid.name} is given with the blood; write `ratio` instead, such as 12"
                report.add((*path, key), message, on_key=True)
        to_one = device.anticoagulant_ratio if model.ratio is None else model.ratio.canonical
        check_ratio(to_one, device, (*path, "ratio"), report)
        return {"anticoagulant_ratio": to_one}
    if model.ratio is not None:
        message = (
            f"{fluid.name} is given by the hour; write `rate` and `bolus` instead, or a fluid that "
            "is given with the blood, such as 'fluid: acd-a'"
        )
        report.add((*path, "ratio"), message, on_key=True)
    usual_rate, usual_bolus = (units.parse(text) for text in heparin_doses(device))
    rate = (usual_rate if model.rate is None else model.rate).canonical / fluid.activity
    bolus = (usual_bolus if model.bolus is None else model.bolus).canonical / fluid.activity
    if rate > inlet_flow / 2:
        message = f"is {rate:.4g} mL/min of {fluid.name}, more than half of the inlet flow"
        report.add((*path, "rate"), message)
    if bolus > fluid.container:
        message = f"is {bolus:.4g} mL of {fluid.name}, more than is in one container"
        report.add((*path, "bolus"), message)
    return {
        "anticoagulant_ratio": math.inf,
        "anticoagulant_flow": rate,
        "anticoagulant_bolus": bolus,
    }


def heparin_doses(device: Device) -> tuple[str, str]:
    """Rate and bolus of heparin as they would be written without a thought."""
    usual = device if device.heparin_rate else catalog.device(HEPARIN_DEVICE)
    return f"{number(60 * usual.heparin_rate)} U/h", f"{number(usual.heparin_bolus)} U"


def check_plasma_flow(
    flow: float, inlet_flow: float, device: Device, path: Path, report: Report
) -> None:
    """Only of a membrane can staff order a plasma flow (mL/min); it is less than the blood's."""
    if not isinstance(device.separator, MembraneFacts):
        what = f"the plasma flow of {named(device)} follows from the hematocrit"
        report.add(path, f"{what}; leave it out", on_key=True)
    elif flow >= inlet_flow:
        report.add(
            path,
            f"expected less than the inlet flow, {number(inlet_flow)} mL/min, "
            f"got {number(flow)} mL/min",
        )


def _needles(model: written.Machine, device: Device, path: Path, report: Report) -> Literal[1, 2]:
    """A bowl has one needle; of the others, some can do with one."""
    bowl = isinstance(device.separator, BowlFacts)
    if model.needles is None:
        return 1 if bowl else 2
    if model.needles == 2 and bowl:
        message = f"{named(device)} draws and returns in turn; expected 1"
        report.add((*path, "needles"), message)
    elif model.needles == 1 and not bowl and not device.single_needle_volume:
        message = f"{device.name} cannot be used with one needle; expected 2"
        report.add((*path, "needles"), message)
    return cast("Literal[1, 2]", model.needles)


def _prime(fluid: Fluid | None, device: Device, path: Path, report: Report) -> Fluid | None:
    """What fills the circuit at first; None: saline, or nothing, as in a bowl."""
    if fluid is None or _is_saline(fluid):
        return None
    if fluid.activity:
        message = f"{fluid.name} keeps blood from clotting; a circuit of it would be an overdose"
        report.add((*path, "prime"), message)
    if isinstance(device.separator, BowlFacts):
        message = f"the bowl of {named(device)} is empty at first; there is nothing to prime"
        report.add((*path, "prime"), message, on_key=True)
    return fluid


def operator(model: written.Operator | None, machine: MachineSettings | None) -> Attendance | None:
    """Who attends; nobody is called where nothing random happens and no habits are written."""
    habits = model is not None and (
        model.sees_to is None or model.machines or model.response or model.vital_signs
    )
    if not habits and (machine is None or machine.disturbances == "none"):
        return None
    said, usual = model or written.Operator(), operator_defaults()
    response = said.response or units.parse(usual["response"])
    vital_signs = said.vital_signs or units.parse(usual["vital_signs"])
    return Attendance(
        machines=said.machines or usual["machines"],
        response=response.canonical,
        vital_signs=vital_signs.canonical if isinstance(vital_signs, Quantity) else math.inf,
    )


def sees_to(model: written.Operator | None) -> Literal["all", "bottles"]:
    """What is seen to without an event that says so."""
    return "bottles" if model is not None and model.sees_to == "bottles" else "all"


def operator_defaults() -> dict[str, Any]:
    """The section `operator` as it would be written without a thought."""
    usual = catalog.tree("operators", OPERATOR)
    times = {key: str(usual[key]["value"]) for key in ("response", "vital_signs")}
    return {"machines": 1, **times}


def _is_saline(prime: Fluid) -> bool:
    """Whether a prime holds what saline holds; the size of the bag does not matter."""
    saline = catalog.fluid(SALINE)
    return replace(prime, container=saline.container) == saline


def check_inlet_flow(
    flow: float, device: Device, access: Access, path: Path, report: Report
) -> None:
    """The inlet pump has its range, and so has the access."""
    low, high = device.inlet_flow_min, device.inlet_flow_max
    if not low <= flow <= high:
        report.add(
            path,
            f"expected between {number(low)} and {number(high)} mL/min, the range of "
            f"{device.name}, got {number(flow)} mL/min",
        )
    elif flow > access.inlet_flow_max:
        report.add(
            path,
            f"expected at most {number(access.inlet_flow_max)} mL/min, which {access.name} can "
            f"deliver, got {number(flow)} mL/min",
        )


def check_ratio(ratio: float, device: Device, path: Path, report: Report) -> None:
    """The device's range of inlet flow to anticoagulant flow."""
    low, high = device.anticoagulant_ratio_min, device.anticoagulant_ratio_max
    if not low <= ratio <= high:
        report.add(
            path,
            f"expected between {number(low)} and {number(high)}, the range of {device.name}, "
            f"got {number(ratio)}",
        )


def prescribed(
    model: written.Prescription, path: Path, entries: Entries, main: Prescribed | None = None
) -> Prescribed:
    """What a prescription says; `main` is the one that a block of the course changes."""
    replacement = None
    if model.replacement is not None:
        replacement = _replacement(model.replacement, (*path, "replacement"), entries)
    calcium = None
    if model.calcium is not None:
        inherited = main.calcium if main else None
        calcium = _calcium(model.calcium, (*path, "calcium"), entries, inherited)
    balance = model.fluid_balance
    return Prescribed(
        exchange=None if model.exchange is None else exchange(model.exchange),
        replacement=replacement,
        fluid_balance=None if balance is None else balance.canonical,
        calcium=calcium,
    )


def exchange(quantity: Quantity) -> tuple[float, ExchangeUnit]:
    """Patient plasma to remove, as a number and what it counts."""
    counted: tuple[ExchangeUnit, ...] = ("PV", "mL", "mL/kg")
    for unit in counted:
        if units.parse_unit(unit).dimension == quantity.unit.dimension:
            return quantity.to(unit), unit
    raise units.UnitError(f"not an exchange: {quantity}")


def calcium_flow(rate: Quantity, fluid: Fluid) -> float:
    """mL/min of a calcium solution; raises `ValueError` if the solution does not say enough."""
    if units.parse_unit("mL/h").dimension == rate.unit.dimension:
        return rate.to("mL/min")
    by_mass = units.parse_unit("g/h").dimension == rate.unit.dimension
    per_liter = fluid.strength if by_mass else fluid.calcium
    if per_liter == 0:
        what = "strength (grams of salt per liter)" if by_mass else "calcium"
        raise ValueError(f"{fluid.name} has no {what} in the catalog; write the rate in mL/h")
    return 1000 * rate.to("g/min" if by_mass else "mmol/min") / per_liter


def _replacement(
    items: Sequence[written.Replacement], path: Path, entries: Entries
) -> tuple[Replacement, ...]:
    """The replacement in order of use, by shares or by volumes."""
    report = entries.report
    known = len(report.problems)
    read = [_one_replacement(i, (*path, place), entries) for place, i in usable(items)]
    if len(read) == len(items):
        _check_amounts(items, path, report)
    if len(report.problems) > known or len(read) < len(items):
        return ()
    return tuple(replacement for replacement in read if replacement is not None)


def _one_replacement(item: written.Replacement, path: Path, entries: Entries) -> Replacement | None:
    report = entries.report
    if item.share is not None and item.volume is not None:
        report.add((*path, "volume"), "share says how much already; write one of them")
    elif item.share is None and item.volume is None and not report.spoiled(path):
        report.add(path, "missing; expected a share, such as '80 %', or a volume")
    if item.fluid is None:
        return None
    fluid = entries.fluid(item.fluid, (*path, "fluid"))
    if fluid is None:
        return None
    if fluid.activity:
        report.add((*path, "fluid"), f"{fluid.name} keeps blood from clotting; it replaces nothing")
    if item.bottle is not None:
        fluid = replace(fluid, container=item.bottle.canonical)
    volume = item.volume.canonical if isinstance(item.volume, Quantity) else None
    return Replacement(fluid, item.share.canonical if item.share else None, volume)


def _check_amounts(items: Sequence[written.Replacement], path: Path, report: Report) -> None:
    """Shares make up the whole, or one item takes the rest of what shares and volumes leave."""
    unread = any(
        report.touches((*path, place, key))
        for place in range(len(items))
        for key in ("share", "volume")
    )
    shares = [item.share.canonical for item in items if item.share is not None]
    volumes = [item.volume for item in items if item.volume is not None]
    if unread or len(shares) + len(volumes) != len(items):
        return
    rests = volumes.count("rest")
    total = number(round(100 * sum(shares), 4))
    if rests > 1:
        report.add(path, "expected at most one volume: rest")
    elif shares and volumes and not rests:
        report.add(path, "shares and volumes together need one item with 'volume: rest'")
    elif shares and rests and sum(shares) > 1 + SHARE_TOLERANCE:
        report.add(path, f"expected shares that leave something for the rest, got {total} %")
    elif shares and not rests and abs(sum(shares) - 1) > SHARE_TOLERANCE:
        report.add(path, f"expected shares that add up to 100 %, got {total} %")


def _calcium(
    model: written.Calcium, path: Path, entries: Entries, inherited: CalciumOrder | None
) -> CalciumOrder | None:
    report = entries.report
    if model.fluid is None and inherited is not None:
        fluid: Fluid | None = inherited.fluid
    else:
        where = (*path, "fluid")
        fluid = _named(entries.fluid, model.fluid, DEFAULT_CALCIUM, where, report)
    if fluid is None:
        return None
    if fluid.calcium == 0:
        report.add((*path, "fluid"), f"{fluid.name} contains no calcium")
        return None
    return _calcium_amount(model, fluid, path, report, inherited)


def _calcium_amount(
    model: written.Calcium, fluid: Fluid, path: Path, report: Report, inherited: CalciumOrder | None
) -> CalciumOrder | None:
    """Calcium by the hour or by the liter, or as the block before has it."""
    rate, per_liter = model.rate, model.per_liter_replacement
    if rate is not None and per_liter is not None:
        report.add((*path, "per_liter_replacement"), "rate says it already; write one of them")
    elif rate is not None:
        try:
            return CalciumOrder(fluid, flow=calcium_flow(rate, fluid))
        except ValueError as error:
            report.add((*path, "rate"), str(error))
    elif per_liter is not None:
        return CalciumOrder(fluid, per_replacement=per_liter.to("mL") / 1000)
    elif inherited is not None:
        return replace(inherited, fluid=fluid)
    elif not report.spoiled(path):
        report.add(path, "missing; expected a rate, such as '1.6 g/h', or per_liter_replacement")
    return None


def _named(
    look_up: Callable[[Reference, Path], Entry | None],
    reference: Reference | None,
    default: str,
    path: Path,
    report: Report,
) -> Entry | None:
    """The entry written, or the default where nothing is."""
    if reference is None and report.touches(path):
        return None
    if reference is None:
        reference = Reference(default, {}, in_place=False)
    elif not reference.like:
        reference = replace(reference, like=default)
    return look_up(reference, path)
