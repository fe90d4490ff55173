"""Where a walk stands: everything that decides how it goes on, with the numbers left open.

Two walks of which the pictures are equal go on alike, number for number. The picture follows every
object from the machine's processes on: what they wait for, where in their text they stand, and what
their names hold. What only tells of the past, such as how often an alarm has sounded, is left out.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from simulator.catalog import Access, Device, Fluid, Operator, Solute
from simulator.machine.alarms import Alarm
from simulator.orders import Attendance, MachineSettings, Prescription
from simulator.sweep.fast.symbols import Symbol, Tape

NAMED = (Fluid, Device, Access, Operator, Solute, Alarm)
"""Entries that are known by their names."""
GIVEN = (MachineSettings, Prescription, Attendance)
"""What a walk is given at the beginning and never changes."""
OF_THE_PAST = frozenset(
    ("alarms", "calls", "actions", "waited", "reactions", "cycles", "_details", "items", "tape",
     "live", "_count", "_delay", "_eid",
     "stretches")
)  # fmt: skip
"""Names of attributes that are told, and decide nothing."""


class UnclearError(TypeError):
    """Something of which it is not known what it holds."""


@dataclass
class Picture:
    """One picture: `key` is equal for walks that go on alike; `numbers` are its symbols."""

    numbers: list[Symbol] = field(default_factory=list)
    _objects: dict[int, int] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)

    def of(self, thing: Any) -> Any:
        """What a value looks like."""
        kind = type(thing)
        if kind is Symbol:
            place = self._places.setdefault(thing.place, len(self.numbers))
            if place == len(self.numbers):
                self.numbers.append(thing)
            return place  # an integer among texts
        if kind in (float, int, bool, str, types.NoneType):
            return repr(thing)
        if isinstance(thing, NAMED):
            return f"{kind.__name__} {thing.name}"
        if isinstance(thing, (*GIVEN, enum.Enum, type, types.ModuleType, Tape)):
            return f"{kind.__name__} {thing.name if isinstance(thing, enum.Enum) else ''}"
        seen = self._objects.get(id(thing))
        if seen is not None:
            return ("again", str(seen))
        self._objects[id(thing)] = len(self._objects)
        self._kept.append(thing)  # so that no other object takes its identity
        return (kind.__qualname__, self._inside(thing))

    def _inside(self, thing: Any) -> Any:  # noqa: PLR0911  (a line for each kind of thing)
        if isinstance(thing, tuple | list):
            return tuple(self.of(x) for x in thing)
        if isinstance(thing, Mapping):
            return tuple((repr(key), self.of(thing[key])) for key in thing)
        if isinstance(thing, set | frozenset):
            return tuple(sorted(map(repr, thing)))
        if isinstance(thing, types.GeneratorType):
            frame = thing.gi_frame
            if frame is None:
                return "over"
            held = {k: v for k, v in frame.f_locals.items() if k not in OF_THE_PAST}
            return (
                thing.__qualname__, str(frame.f_lasti), self.of(held), self.of(thing.gi_yieldfrom)
            )  # fmt: skip
        if isinstance(thing, types.MethodType):
            return (thing.__func__.__qualname__, self.of(thing.__self__))
        if isinstance(thing, types.BuiltinMethodType):
            return (thing.__name__, self.of(thing.__self__))
        if isinstance(thing, types.FunctionType):
            cells = thing.__closure__ or ()
            return (thing.__qualname__, tuple(self.of(cell.cell_contents) for cell in cells))
        if type(thing) is object:
            return "pending"
        names = _names(thing)
        if names is None:
            raise UnclearError(type(thing).__qualname__)
        return tuple((name, self.of(getattr(thing, name))) for name in names)


_SLOTS: dict[type, tuple[str, ...]] = {}


def _names(thing: Any) -> tuple[str, ...] | None:
    """The names of what an object holds."""
    kind = type(thing)
    slots = _SLOTS.get(kind)
    if slots is None:
        found = [n for c in kind.__mro__ for n in getattr(c, "__slots__", ()) if n[:2] != "__"]
        slots = _SLOTS[kind] = tuple(n for n in dict.fromkeys(found) if n not in OF_THE_PAST)
    own = getattr(thing, "__dict__", None)
    if own is None and not slots and kind.__module__ == "builtins":
        return None
    held = tuple(n for n in slots if hasattr(thing, n))
    bound = isinstance(thing, simpy.Environment)
    return (
        *held,
        *(
            n
            for n in own or ()
            if n not in OF_THE_PAST and not (bound and n not in ("_now", "_due"))
        ),
    )
