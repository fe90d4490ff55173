"""Every plus and minus of a source text, each turned into its opposite in a text of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

OPPOSITE = {"+": "-", "-": "+"}


@dataclass(frozen=True, slots=True)
class Flip:
    """One sign turned round."""

    line: int
    column: int
    text: str
    """The line as it was, with the sign marked."""
    source: str
    """The whole text with the sign turned round."""


def flips(source: str) -> Iterator[Flip]:
    """Each binary plus and minus, each `+=` and `-=`, and each minus before a value."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    encoded = source.encode()

    def place(line: int, column: int) -> int:
        return starts[line - 1] + column

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp):
            between = place(*_end(node.left)), place(node.right.lineno, node.right.col_offset)
        elif isinstance(node, ast.AugAssign):
            between = place(*_end(node.target)), place(node.value.lineno, node.value.col_offset)
        elif isinstance(node, ast.UnaryOp):
            start = place(node.lineno, node.col_offset)
            between = start, start + 1
        else:
            continue
        if not isinstance(node.op, ast.Add | ast.Sub | ast.USub):
            continue
        at = min(i for i in range(*between) if encoded[i : i + 1] in (b"+", b"-"))
        sign = encoded[at : at + 1].decode()
        number = encoded.count(b"\n", 0, at) + 1
        column = at - starts[number - 1]
        text = source.splitlines()[number - 1].encode()
        marked = text[:column] + f"[{sign}]".encode() + text[column + 1 :]
        flipped = encoded[:at] + OPPOSITE[sign].encode() + encoded[at + 1 :]
        yield Flip(number, column, marked.decode().strip(), flipped.decode())


def _end(node: ast.expr) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset
