"""From a tape to the text of a function that does the same for many patients side by side.

A function of the text loops over `LANES` patients; its arrays have one column for each. What does
not depend on the state is worked out once for a stretch, by `prepare`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.patient.quiet import Pair
from simulator.sweep.fast.symbols import Tape, Value

LANES = 16
"""Patients side by side: two to four times what a processor adds at once, to hide its waiting."""

TEXTS = {
    "+": "{} + {}",
    "-": "{} - {}",
    "*": "{} * {}",
    "/": "{} / {}",
    "neg": "-{}",
    "abs": "abs({})",
    "sqrt": "math.sqrt({})",
    "tanh": "hyperbolic_tangent({})",
    "power": "to_the_power({}, {})",
    "ratio": "part_of({}, {})",
}

Rates = Callable[[list[Value]], Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Text:
    """The text of `prepare` and `rates`, and how many numbers the one hands to the other."""

    text: str
    prepared: int


def rates_text(
    size: int,
    parameters: Mapping[Any, float],
    state: Sequence[float],
    make: Callable[[Mapping[Any, Value], list[Value]], Rates],
) -> Text:
    """The text of rates that `make` makes of parameters and of the state a stretch begins with.

    `parameters` and `state` hold the values of some patient, to decide what is asked of them.
    """
    tape = Tape()
    given = {name: tape.input(("p", name), value) for name, value in parameters.items()}
    begins = [tape.input(("s", i), value) for i, value in enumerate(state)]
    rates = make(given, begins)
    slopes = list(rates([tape.input(("y", i), value) for i, value in enumerate(state)]))[:size]
    where = {("p", name): f"p[{i * LANES} + lane]" for i, name in enumerate(parameters)}
    changing = _depending_on_state(tape)
    results = [tape.place_of(value) for value in slopes]
    hoisted = _handed_over(tape, results, changing)
    known = {place: f"q[{j * LANES} + lane]" for j, place in enumerate(hoisted)}
    start = {("s", i): f"y[{i * LANES} + lane]" for i in range(size)}
    prepare = function(
        "prepare", ("y", "p", "q", "fresh"), tape, where | start,
        [(f"q[{j * LANES} + lane]", place) for j, place in enumerate(hoisted)], only="fresh[lane]",
    )  # fmt: skip
    present = {("y", i): f"y[{i * LANES} + lane]" for i in range(size)}
    text = function(
        "rates", ("y", "p", "q", "out"), tape, where | present | known,
        [(f"out[{i * LANES} + lane]", place) for i, place in enumerate(results)],
    )  # fmt: skip
    return Text(f"\n{prepare}\n\n{text}", len(hoisted))


def reading_text(
    name: str,
    size: int,
    parameters: Mapping[Any, float],
    state: Sequence[float],
    read: Callable[[Mapping[Any, Value], list[Value]], Sequence[Value]],
) -> str:
    """The text of `name(y, p, out)` and, for a single lane, `name_one(y, p, out, lane)`."""
    tape = Tape()
    given = {key: tape.input(("p", key), value) for key, value in parameters.items()}
    values = read(given, [tape.input(("y", i), value) for i, value in enumerate(state)])
    where: dict[Any, str] = {
        ("p", key): f"p[{i * LANES} + lane]" for i, key in enumerate(parameters)
    }
    where |= {("y", i): f"y[{i * LANES} + lane]" for i in range(size)}
    results = [(f"out[{i * LANES} + lane]", tape.place_of(value)) for i, value in enumerate(values)]
    many = function(name, ("y", "p", "out"), tape, where, results)
    one = function(f"{name}_one", ("y", "p", "out", "lane"), tape, where, results, loop=False)
    return f"\n{many}\n\n{one}"


def pairs_text(pairs: Sequence[Pair], columns: Sequence[int]) -> str:
    """The text of `take_inverse` and `add_fast`: what is solved for the fast pairs; see `quiet`.

    `columns`: the places by which the derivatives were taken, in the order in which `jacobian`
    holds them; it has a row for each of the two rates of each pair.
    """
    width = len(columns)

    def derivative(row: int, place: int) -> str:
        return f"jacobian[{(row * width + columns.index(place)) * LANES} + lane]"

    solving = ["def take_inverse(jacobian, h, share, inverse):", "    for lane in range(LANES):",
               "        size = h[lane] * share"]  # fmt: skip
    adding = ["def add_fast(move, jacobian, inverse):", "    for lane in range(LANES):"]
    for number, pair in enumerate(pairs):
        one, two = pair.felt[:2]
        entries = [(2 * number, one), (2 * number, two), (2 * number + 1, one)]
        a, b, c, d = (derivative(*e) for e in (*entries, (2 * number + 1, two)))
        solving += [
            f"        a, b, c, d = size * {a}, size * {b}, size * {c}, size * {d}",
            "        scale = size / ((1.0 - a) * (1.0 - d) - b * c)",
        ]
        values = ("(1.0 - d) * scale", "b * scale", "c * scale", "(1.0 - a) * scale")
        there = [f"inverse[{(4 * number + j) * LANES} + lane]" for j in range(4)]
        solving += [f"        {t} = {value}" for t, value in zip(there, values, strict=True)]
        for name, row in (("first", 2 * number), ("second", 2 * number + 1)):
            terms = [f"{derivative(row, x)} * move[{x * LANES} + lane]" for x in pair.felt]
            adding.append(f"        {name} = {' + '.join(terms)}")
        adding += [
            f"        move[{one * LANES} + lane] += {there[0]} * first + {there[1]} * second",
            f"        move[{two * LANES} + lane] += {there[2]} * first + {there[3]} * second",
        ]
    return "\n" + "\n".join(solving) + "\n\n\n" + "\n".join(adding) + "\n"


def function(
    name: str,
    arguments: Sequence[str],
    tape: Tape,
    known: Mapping[Any, str],
    results: Sequence[tuple[str, int]],
    *,
    only: str = "",
    loop: bool = True,
) -> str:
    """The text of a function that works out `results`: (where to, place on the tape).

    `known`: texts of inputs by name, and of places that are worked out already. `only`: a condition
    on which alone a result is changed.
    """
    deep = "        " if loop else "    "
    lines = [f"def {name}({', '.join(arguments)}):"]
    if loop:
        lines.append("    for lane in range(LANES):")
    for place in needed(tape, [place for _, place in results], known):
        operation, a, b = tape.code[place]
        if operation == "input":
            lines.append(f"{deep}v{place} = {known[a]}")
            continue
        operands = [_operand(tape, p, known) for p in (a, b) if p is not None]
        lines.append(f"{deep}v{place} = {TEXTS[operation].format(*operands)}")
    for target, place in results:
        value = _operand(tape, place, known)
        otherwise = f" if {only} else {target}" if only else ""
        lines.append(f"{deep}{target} = {value}{otherwise}")
    if not results:
        lines.append(f"{deep}pass")
    return "\n".join(lines) + "\n"


def needed(tape: Tape, outputs: Iterable[int], known: Mapping[Any, str]) -> list[int]:
    """The places that some outputs rest on and that are not known yet, in order."""
    seen: set[int] = set()
    waiting = list(outputs)
    while waiting:
        place = waiting.pop()
        name, a, b = tape.code[place]
        if place in seen or place in known or name == "constant":
            continue
        seen.add(place)
        if name != "input":
            waiting += [p for p in (a, b) if p is not None]
    return sorted(seen)


def _depending_on_state(tape: Tape) -> set[int]:
    """The places that change while a stretch goes on."""
    changing: set[int] = set()
    for place, (name, a, b) in enumerate(tape.code):
        if name == "input":
            if a[0] == "y":
                changing.add(place)
        elif name != "constant" and (a in changing or b in changing):
            changing.add(place)
    return changing


def _handed_over(tape: Tape, results: Sequence[int], changing: set[int]) -> list[int]:
    """The places that stay in a stretch and are used by what changes, or are results."""
    used: set[int] = set()
    for place in needed(tape, results, {}):
        name, a, b = tape.code[place]
        if place in changing and name != "input":
            used |= {p for p in (a, b) if p is not None and p not in changing}
        elif place in results:
            used.add(place)
    plain = ("constant",)
    return sorted(
        p
        for p in used
        if tape.code[p][0] not in plain
        and not (tape.code[p][0] == "input" and tape.code[p][1][0] == "p")
    )


def _operand(tape: Tape, place: int, known: Mapping[Any, str]) -> str:
    name, value, _ = tape.code[place]
    if name == "constant":
        return f"({value!r})"
    return known.get(place, f"v{place}")
