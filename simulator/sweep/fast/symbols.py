"""Numbers that remember how they were made: one run of plain code tells what it would do for all.

A `Symbol` has the value of one patient and a place on a `Tape` that says from which other places it
came. Code that adds, multiplies and compares cannot tell it from a float. Each comparison is noted
as a guard: for another patient the tape holds as long as every comparison comes out as it did here.
What would need the value itself, such as ``float()``, is refused: nothing is lost unnoticed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

Value = Any
"""A float, or a `Symbol` that stands for one."""

OPERATIONS: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "power": math.pow,
    "ratio": lambda part, whole: part / whole if whole else 0.0,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "neg": operator.neg,
    "abs": abs,
}
"""What a tape can hold, by name; those from "tanh" on have one operand."""

_LASTING = ("input", "constant")

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


class UntraceableError(TypeError):
    """Code asked of a symbol what only a number can give."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A comparison of two places, and how it came out."""

    comparison: str
    left: int
    right: int
    outcome: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of some places holds the least; the first of equals."""

    places: tuple[int, ...]
    outcome: int


@dataclass
class Tape:
    """What has been computed, in order: each place an input, a constant or an operation."""

    code: list[tuple[str, Any, Any]] = field(default_factory=list)
    """("input", name, None), ("constant", value, None), or an operation and the places it takes."""
    guards: list[Guard | Choice] = field(default_factory=list)
    noted: Callable[[Guard | Choice], None] | None = None
    """Told of each new guard as it comes, if somebody wants to know."""
    words: bool = True
    """Whether a symbol may be written into a text; not where texts are read again."""
    _places: dict[tuple[str, Any, Any], int] = field(default_factory=dict)
    _guarded: set[Any] = field(default_factory=set)

    def input(self, name: Any, value: float) -> Symbol:
        """A number that comes from outside."""
        return Symbol(self, self._place(("input", name, None)), value)

    def place_of(self, value: Value) -> int:
        """Where a symbol or a plain number stands."""
        if isinstance(value, Symbol):
            return value.place
        return self._place(("constant", float(value), None))

    def operate(self, name: str, *operands: Value) -> Symbol:
        """The result of an operation; one that was made before stands where it stood."""
        numbers = [x.value if isinstance(x, Symbol) else float(x) for x in operands]
        places = [self.place_of(x) for x in operands]
        value = OPERATIONS[name](*numbers)
        if isinstance(value, complex):
            raise UntraceableError("a power that is no real number")
        one, *rest = places
        return Symbol(self, self._place((name, one, rest[0] if rest else None)), value)

    def compare(self, comparison: str, left: Value, right: Value) -> bool:
        """How two numbers compare; noted, unless it was asked before or is plain."""
        a, b = (x.value if isinstance(x, Symbol) else float(x) for x in (left, right))
        outcome = COMPARISONS[comparison](a, b)
        key = comparison, self.place_of(left), self.place_of(right)
        if key[1] == key[2] or not (isinstance(left, Symbol) or isinstance(right, Symbol)):
            return outcome
        self._note(key, Guard(*key, outcome))
        return outcome

    def least(self, values: Sequence[Value]) -> int:
        """Place of the least of some values, the first of equals; noted like a comparison."""
        numbers = [v.value if isinstance(v, Symbol) else float(v) for v in values]
        place = numbers.index(min(numbers))
        # what is plainly infinite never comes first
        finite = [i for i, v in enumerate(values) if isinstance(v, Symbol) or v < math.inf]
        if len(finite) > 1:
            places = tuple(self.place_of(values[i]) for i in finite)
            self._note(places, Choice(places, finite.index(place)))
        return place

    def forget(self) -> None:
        """From now on nothing counts as asked or computed before."""
        self._guarded.clear()
        self._places = {
            entry: place for entry, place in self._places.items() if entry[0] in _LASTING
        }

    def _note(self, key: Any, guard: Guard | Choice) -> None:
        if key in self._guarded:
            return
        self._guarded.add(key)
        self.guards.append(guard)
        if self.noted is not None:
            self.noted(guard)

    def _place(self, entry: tuple[str, Any, Any]) -> int:
        place = self._places.get(entry)
        if place is None:
            place = self._places[entry] = len(self.code)
            self.code.append(entry)
        return place


class Symbol:
    """A number on a tape."""

    __slots__ = ("place", "tape", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tape: Tape, place: int, value: float) -> None:
        self.tape, self.place, self.value = tape, place, value

    # -- arithmetic: what changes nothing makes no entry ---------------------------------------

    def __add__(self, other: Value) -> Value:
        return self if _is(other, 0) else self.tape.operate("+", self, other)

    def __radd__(self, other: Value) -> Value:
        return self if _is(other, 0) else self.tape.operate("+", other, self)

    def __sub__(self, other: Value) -> Value:
        return self if _is(other, 0) else self.tape.operate("-", self, other)

    def __rsub__(self, other: Value) -> Value:
        return self.tape.operate("-", other, self)

    def __mul__(self, other: Value) -> Value:
        if _is(other, 1):
            return self
        return 0.0 if _is(other, 0) else self.tape.operate("*", self, other)

    def __rmul__(self, other: Value) -> Value:
        if _is(other, 1):
            return self
        return 0.0 if _is(other, 0) else self.tape.operate("*", other, self)

    def __truediv__(self, other: Value) -> Value:
        return self if _is(other, 1) else self.tape.operate("/", self, other)

    def __rtruediv__(self, other: Value) -> Value:
        return 0.0 if _is(other, 0) else self.tape.operate("/", other, self)

    def __pow__(self, other: Value) -> Value:
        if _is(other, 2):
            return self.tape.operate("*", self, self)
        return self.power(other)

    def __neg__(self) -> Value:
        return self.tape.operate("neg", self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return self.tape.operate("abs", self)

    # -- elementary functions, see patient.elementary -----------------------------------------

    def power(self, exponent: Value) -> Value:
        """This number to a power."""
        return self.tape.operate("power", self, exponent)

    def under(self, part: Value) -> Value:
        """A part over this number; 0 where this is 0."""
        return 0.0 if _is(part, 0) else self.tape.operate("ratio", part, self)

    def tanh(self) -> Value:
        """Hyperbolic tangent."""
        return self.tape.operate("tanh", self)

    def sqrt(self) -> Value:
        """Square root."""
        return self.tape.operate("sqrt", self)

    def least(self, values: Sequence[Value]) -> int:
        """Place of the least of some values, this one among them; the first of equals."""
        return self.tape.least(values)

    # -- comparisons ----------------------------------------------------------------------------

    def __lt__(self, other: Value) -> bool:
        return self.tape.compare("<", self, other)

    def __le__(self, other: Value) -> bool:
        return self.tape.compare("<=", self, other)

    def __gt__(self, other: Value) -> bool:
        return self.tape.compare("<", other, self)

    def __ge__(self, other: Value) -> bool:
        return self.tape.compare("<=", other, self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Symbol | int | float):
            return False
        return self.tape.compare("==", self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return not self.tape.compare("==", self, 0.0)

    # -- what a symbol cannot be --------------------------------------------------------------

    def __float__(self) -> NoReturn:
        raise UntraceableError("a symbol has no single value")

    __int__ = __index__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = __float__

    def __format__(self, form: str) -> str:
        if not self.tape.words:
            raise UntraceableError("a symbol in a text that is read again")
        return format(self.value, form)

    def __str__(self) -> str:
        return format(self)

    def __repr__(self) -> str:
        return f"Symbol({self.value!r})"


def _is(value: Value, number: int) -> bool:
    """Whether a value is exactly this plain number."""
    return not isinstance(value, Symbol) and value == number
