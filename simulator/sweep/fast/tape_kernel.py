"""Runs programs (`programs.Library`) for many patients, each up to his next stretch of time.

Every operation is one of the machine's arithmetic, done as Python does it, so that comparisons come
out as they would in a single run. Joined and compiled like `kernel`, but without any liberty.
"""


# mypy: ignore-errors

import math

import numpy as np


def compiled(function):
    """Replaced by numba's compiler where this text is joined."""
    return function


@compiled
def run_programs(
    rows, first, code, other, lists, constants, branches, roots, program, at, numbers, state,
    parameters,
    minutes, wants, differs, baseline, results, inputs, first_flow, inside, bound, cells_ratio,
):  # fmt: skip
    """Let each of `rows` go on in its program until it wants time, is over, or is stuck.

    `program` and `at` (instruction, from its beginning) say where each is; `numbers` hold what he
    has worked out. `wants` becomes 1 or 2 (time without or with a circuit: `minutes` and, from
    `first_flow` on, `parameters` are set), 3 (over: `results` are set) or 4 (a comparison came out
    as in no program known: `differs` says how; or no program is known from a waypoint on).
    """
    between = np.empty(numbers.shape[1])
    for which in range(len(rows)):
        row = rows[which]
        mine = numbers[row]
        begin = first[program[row]]
        place = at[row]
        while True:
            here = begin + place
            kind, a, b, target = code[here, 0], code[here, 1], code[here, 2], code[here, 3]
            if kind == 29:
                least, which_one = math.inf, 0
                for i in range(b):
                    operand = lists[a + i]
                    value = mine[operand] if operand >= 0 else constants[-1 - operand]
                    if value < least:
                        least, which_one = value, i
                if which_one != target:
                    there = branches[other[here] + which_one]
                    if there < 0:
                        wants[row], differs[row] = 4, which_one
                        break
                    program[row] = there
                    begin = first[there]
            elif kind < 30:
                x = mine[a] if a >= 0 else constants[-1 - a]
                y = mine[b] if b >= 0 else constants[-1 - b]
                if kind >= 20:
                    if kind == 20:
                        outcome = x < y
                    elif kind == 21:
                        outcome = x <= y
                    else:
                        outcome = x == y
                    if outcome != (target == 1):
                        if other[here] < 0:
                            wants[row], differs[row] = 4, 1 - target
                            break
                        program[row] = other[here]
                        begin = first[program[row]]
                elif kind == 0:
                    mine[target] = x + y
                elif kind == 1:
                    mine[target] = x - y
                elif kind == 2:
                    mine[target] = x * y
                elif kind == 3:
                    mine[target] = x / y
                elif kind == 4:
                    mine[target] = -x
                elif kind == 5:
                    mine[target] = abs(x)
                elif kind == 6:
                    mine[target] = math.pow(x, y)
                elif kind == 7:
                    mine[target] = x / y if y != 0.0 else 0.0
                elif kind == 8:
                    mine[target] = math.sqrt(x)
                else:
                    mine[target] = math.tanh(x)
            elif kind == 31:
                blood = state[row, 0] + state[row, 2]
                mine[lists[a]] = state[row, 2] / blood / parameters[row, cells_ratio]
                mine[lists[a + 1]] = blood
                mine[lists[a + 2]] = state[row, 0]
            elif kind == 32:
                for i in range(inside, state.shape[1]):
                    state[row, i] = 0.0
            elif kind == 34:
                baseline[row] = state[row, 0] + state[row, 2]
            elif kind == 35:
                state[row, bound] = 0.0
            elif kind == 30:
                for i in range(b):
                    operand = lists[a + i]
                    value = mine[operand] if operand >= 0 else constants[-1 - operand]
                    if i == 0:
                        minutes[row] = value
                    else:
                        parameters[row, first_flow + i - 1] = value
                wants[row] = 1 + target
                place += 1
                break
            elif kind == 41:
                if roots[target] < 0:  # whoever came here first could not go on
                    wants[row], differs[row] = 4, 0
                    break
                for i in range(b):
                    operand = lists[a + i]
                    between[i] = mine[operand] if operand >= 0 else constants[-1 - operand]
                for i in range(b):
                    mine[inputs + i] = between[i]
                program[row] = roots[target]
                begin = first[program[row]]
                place = -1
            elif kind == 40:
                for i in range(b):
                    operand = lists[a + i]
                    results[row, i] = mine[operand] if operand >= 0 else constants[-1 - operand]
                wants[row] = 3
                break
            place += 1
        at[row] = place
