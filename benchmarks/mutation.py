"""Mutation score of patient and machine: of a seeded sample of small changes, how many are noticed.

    python benchmarks/mutation.py --sample 60 --seed 1

Of each package so many mutants are drawn from all that the operators below can make: arithmetic,
comparison, boolean and `not`, numbers, names of flags, statements left out. Each is tried against
the tests that are about its package, the quickest first, up to the first failure. Survivors are
printed like the rest; whether one is equivalent to the original is for a reader to say.
"""

from __future__ import annotations

import argparse
import ast
import copy
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests"))

from changed_source import Worker  # noqa: E402

PATIENT = ["rates_by_hand", "patient", "minerals", "extracorporeal", "quiet", "integrator"]
MACHINE = ["flows_by_hand", "machine", "session_limits", "access", "alarms", "separators"]
FIRST = {
    "reactions": ["reactions"], "volumes": ["patient"], "integrator": ["integrator"],
    "quiet": ["quiet"], "minerals": ["rates_by_hand", "minerals"], "operator": ["operator"],
    "staff": ["reactions"], "upkeep": ["alarms", "operator"], "protection": ["alarms"],
    "alarms": ["alarms"], "access": ["access"], "bedside": ["operator"],
    "intermittent": ["separators"],
}  # fmt: skip
"""What is tried first for a module, before all else of its package."""
LAST = {"patient": ["reactions", "laws"], "machine": ["operator", "reactions", "devices"]}
SECONDS = 90
"""CPU time of one mutant."""

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one thing changed."""

    path: str
    line: int
    change: str
    source: str


def possible(source: str) -> Iterator[tuple[int, int]]:
    """What the operators can do to a file: which node, and which of its changes."""
    tree = ast.parse(source)
    skipped = _not_behavior(tree)
    for place, node in enumerate(ast.walk(tree)):
        if place not in skipped:
            yield from ((place, which) for which, _ in enumerate(_changes(node)))


def mutant(path: str, source: str, place: int, which: int) -> Mutant:
    """One of them, made."""
    tree = ast.parse(source)
    node = _node(tree, place)
    before, line = ast.unparse(node), getattr(node, "lineno", 0)
    after = list(_changes(node))[which](node)
    text = f"{before} -> {ast.unparse(after)}".replace("\n", " ")
    _put(tree, node, after)
    return Mutant(path, line, text[:150], ast.unparse(ast.fix_missing_locations(tree)))


def _node(tree: ast.AST, place: int) -> ast.AST:
    return next(node for i, node in enumerate(ast.walk(tree)) if i == place)


def _put(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(item is old for item in value):
                setattr(parent, name, [new if item is old else item for item in value])


def _not_behavior(tree: ast.AST) -> set[int]:
    """Places of annotations, decorators, imports for the type checker, and text alone."""
    unwanted: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            parts = [*node.decorator_list]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = [node]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp | ast.Subscript):
            if isinstance(node.value, ast.Subscript) or isinstance(node.value.op, ast.BitOr):
                parts = [node.value] if node.col_offset == 0 else []  # a type's name
        elif isinstance(node, ast.JoinedStr):
            parts = [node]  # how something is said
        unwanted |= {id(x) for part in parts if part for x in ast.walk(part)}
    return {i for i, node in enumerate(ast.walk(tree)) if id(node) in unwanted}


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    """What can be done to a node; each takes the node's copy and gives what stands in its place."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield lambda n: _with(n, op=ARITHMETIC[type(n.op)]())  # type: ignore[attr-defined]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield lambda n: _with(n, ops=[COMPARISON[type(n.ops[0])]()])  # type: ignore[attr-defined]
    elif isinstance(node, ast.BoolOp):
        other = ast.And if isinstance(node.op, ast.Or) else ast.Or
        yield lambda n: _with(n, op=other())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield lambda n: n.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.IfExp):
        yield lambda n: n.body  # type: ignore[attr-defined]
        yield lambda n: n.orelse  # type: ignore[attr-defined]
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: ast.Constant(not n.value)  # type: ignore[attr-defined]
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        if node.value + 1 != node.value:
            yield lambda n: ast.Constant(n.value + 1)  # type: ignore[attr-defined]
    elif isinstance(node, ast.Assign) and node.col_offset and len(node.targets) == 1:
        if isinstance(node.targets[0], ast.Attribute | ast.Subscript):
            yield lambda _: ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield lambda _: ast.Pass()


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def wilson(killed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share, as Wilson defines it."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.96, killed / tried
    middle = share + z * z / (2 * tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    return (middle - half) / (1 + z * z / tried), (middle + half) / (1 + z * z / tried)


def tests_for(package: str, module: str) -> list[str]:
    """Test files in the order in which they are tried."""
    usual = PATIENT if package == "patient" else MACHINE
    names = dict.fromkeys([*FIRST.get(module, []), *usual, *LAST[package]])
    files = [f"tests/test_{name}.py" for name in names]
    return [f for f in files if (PROJECT / f).exists()]


def sampled(package: str, size: int, random: Random) -> tuple[list[Mutant], int]:
    """So many mutants of a package, and how many there are."""
    every = []
    for file in sorted((PROJECT / "simulator" / package).glob("*.py")):
        source = file.read_text(encoding="utf-8")
        path = str(file.relative_to(PROJECT))
        every += [(path, source, place, which) for place, which in possible(source)]
    drawn = random.sample(every, min(size, len(every)))
    return [mutant(*one) for one in drawn], len(every)


def unchanged(worker: Worker, package: str) -> None:
    """Nothing may fail without a change; ends the program otherwise."""
    path = "simulator/patient/volumes.py" if package == "patient" else "simulator/machine/pumps.py"
    source = (PROJECT / path).read_text(encoding="utf-8")
    outcome = worker.try_out(path, source, tests_for(package, ""), SECONDS)
    if outcome.word != "passed":
        sys.exit(f"{outcome.word} without a change: {outcome.test} {outcome.error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=60, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--package", choices=list(LAST), action="append")
    chosen = parser.parse_args()
    with Worker() as worker:
        for package in chosen.package or LAST:
            unchanged(worker, package)
            drawn, count = sampled(package, chosen.sample, Random(chosen.seed))
            killed = 0
            for one in drawn:
                tests = tests_for(package, Path(one.path).stem)
                outcome = worker.try_out(one.path, one.source, tests, SECONDS)
                survived = outcome.word in ("passed", "not imported")
                killed += not survived
                by = "survived" if survived else f"noticed by {outcome.test or outcome.word}"
                print(f"{one.path}:{one.line} {one.change}: {by}", flush=True)
            low, high = wilson(killed, len(drawn))
            print(
                f"{package}: {killed} of {len(drawn)} noticed, {100 * killed / len(drawn):.0f} % "
                f"(95 % interval {100 * low:.0f}-{100 * high:.0f}), of {count} possible",
                flush=True,
            )


if __name__ == "__main__":
    main()
