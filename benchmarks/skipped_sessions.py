"""A session written as a condition on time in the right-hand side: which solvers step over it.

Two pools of IgG, five sessions of two hours; each solver once with `if begin <= t < end` in the
rates, once told of every change. Prints the tables of EVENTS.md and draws its figure:

    python benchmarks/skipped_sessions.py [--plot plots/skipped-sessions/skipped-sessions.png]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy
from scipy.integrate import solve_ivp
from scipy.linalg import expm

Pools = npt.NDArray[np.float64]

PLASMA, OUTSIDE = 3.0, 3.6
"""L"""
LEVEL = 10.0
"""g/L of plasma, at rest"""
CATABOLISM = 0.07
"""Per day, of the mass in plasma."""
CLEARANCE = 0.9 * PLASMA
"""L/d each way between the pools, which have one concentration at rest but for catabolism."""
DAYS = (1.0, 3.0, 5.0, 7.0, 9.0)
LENGTH = 2 / 24
"""d"""
EXCHANGED = 4.0
"""L per session"""
END = 30.0
TIMES = (*(edge for day in DAYS for edge in (day, day + LENGTH)), END)
SYNTHESIS = CATABOLISM * PLASMA * LEVEL

METHODS = ("RK45", "DOP853", "LSODA", "BDF", "Radau")
TOLERANCES = (1e-3, 1e-6, 1e-9)
AT_REST: Pools = np.array([LEVEL, LEVEL])
"""Concentrations, g/L."""
NOT_AT_REST: Pools = np.array([2 * LEVEL, LEVEL])


def rates(exchange: float) -> tuple[Pools, Pools]:
    """Matrix and constant of dC/dt = A C + b, at an exchange in L/d."""
    matrix = np.array(
        [
            [-(CATABOLISM + (CLEARANCE + exchange) / PLASMA), CLEARANCE / PLASMA],
            [CLEARANCE / OUTSIDE, -CLEARANCE / OUTSIDE],
        ]
    )
    return matrix, np.array([SYNTHESIS / PLASMA, 0.0])


IDLE, BUSY = rates(0.0), rates(EXCHANGED / LENGTH)


def in_session(time: float) -> bool:
    return any(day <= time < day + LENGTH for day in DAYS)


def conditional(time: float, pools: Pools) -> Pools:
    """The rates with the sessions as a condition on time: what this is about."""
    matrix, constant = BUSY if in_session(time) else IDLE
    slope: Pools = matrix @ pools + constant
    return slope


def stretches() -> list[tuple[float, float, bool]]:
    """The same as stretches in which nothing changes."""
    edges = [0.0, *TIMES]
    return [(begin, end, in_session((begin + end) / 2)) for begin, end in pairwise(edges)]


def exact(start: Pools) -> list[float]:
    """Plasma just before and after each session and at the end, by matrix exponentials."""
    pools, seen = start, []
    for begin, end, busy in stretches():
        matrix, constant = BUSY if busy else IDLE
        augmented = np.zeros((3, 3))
        augmented[:2, :2], augmented[:2, 2] = matrix, constant
        pools = (expm(augmented * (end - begin)) @ [*pools, 1.0])[:2]
        seen.append(float(pools[0]))
    return seen


def by_condition(method: str, tolerance: float, start: Pools) -> list[float]:
    """The same by a solver of SciPy that meets the sessions only if it steps into them."""
    done = solve_ivp(
        conditional, (0, END), start, method=method, rtol=tolerance, atol=1e-3 * tolerance,
        t_eval=TIMES,
    )  # fmt: skip
    return [float(level) for level in done.y[0]]


def by_stretches(method: str, tolerance: float, start: Pools) -> list[float]:
    """The same by the same solver, begun anew at every change."""
    pools, seen = start, []
    for begin, end, busy in stretches():
        matrix, constant = BUSY if busy else IDLE
        slope: Callable[[float, Pools], Pools] = lambda _, c, a=matrix, b=constant: a @ c + b  # type: ignore[misc]  # noqa: E731
        done = solve_ivp(
            slope, (begin, end), pools, method=method, rtol=tolerance, atol=1e-3 * tolerance
        )
        pools = done.y[:, -1]
        seen.append(float(pools[0]))
    return seen


SBML_MODEL = """
model sessions()
  plasma = {plasma}; outside = {outside}; exchange = 0;
  plasma' = {made} - {catabolism}*plasma - {clearance}*(plasma - outside)/{v} - {flow}*plasma/{v};
  outside' = {clearance}*(plasma - outside)/{w};
  {events}
end
"""


def by_road_runner(
    tolerance: float, start: Pools, times: tuple[float, ...] = TIMES, *, events: bool
) -> list[float] | None:
    """The same by libRoadRunner, the sessions as `piecewise` or as events; None without it.

    `times` are those at which levels are asked for: the engine steps onto each of them.
    """
    try:
        import antimony
        import roadrunner
    except ImportError:
        return None
    flow, lines = "exchange", []
    for day in DAYS:
        lines.append(f"at (time >= {day!r}): exchange = {EXCHANGED / LENGTH!r};")
        lines.append(f"at (time >= {day + LENGTH!r}): exchange = 0;")
    if not events:
        when = " || ".join(f"(time >= {d!r} && time < {d + LENGTH!r})" for d in DAYS)
        flow, lines = f"piecewise({EXCHANGED / LENGTH!r}, {when}, 0)", []
    antimony.clearPreviousLoads()
    text = SBML_MODEL.format(
        plasma=start[0], outside=start[1], made=SYNTHESIS / PLASMA, catabolism=CATABOLISM,
        clearance=CLEARANCE, v=PLASMA, w=OUTSIDE, flow=flow, events="\n  ".join(lines),
    )  # fmt: skip
    if antimony.loadAntimonyString(text) < 0:
        raise ValueError(antimony.getLastError())
    engine = roadrunner.RoadRunner(antimony.getSBMLString("sessions"))
    engine.getIntegrator().setValue("relative_tolerance", tolerance)
    engine.getIntegrator().setValue("absolute_tolerance", 1e-3 * tolerance)
    engine.timeCourseSelections = ["plasma"]
    return [float(row[0]) for row in engine.simulate(times=[0.0, *times])][1:]


def skipped(levels: list[float]) -> int:
    """How many sessions left the level within a tenth of what it was before them."""
    return sum(
        after > 0.9 * before for before, after in zip(levels[0:-1:2], levels[1:-1:2], strict=True)
    )


def verdict(levels: list[float] | None, truth: list[float]) -> str:
    """One cell of the table: sessions skipped, and the error of the last level."""
    if levels is None:
        return "not installed"
    error = 100 * (levels[-1] / truth[-1] - 1)
    missing = f"{skipped(levels)} of 5, " if len(levels) == len(truth) else ""
    return f"{missing}{error:+.2g} %" if abs(error) > 0.05 else "none"


def report() -> str:
    """The tables, as Markdown."""
    lines = [
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    ]
    try:
        lines[0] += f", libRoadRunner {version('libroadrunner')}"
    except ImportError:
        lines[0] += ", libRoadRunner not installed"
    for title, start in (("at rest", AT_REST), ("not at rest", NOT_AT_REST)):
        truth = exact(start)
        levels = ", ".join(f"{level:.2f}" for level in truth[1:-1:2])
        lines += [
            "",
            f"**The patient begins {title}.** Exact level after each session: {levels} g/L; "
            f"on day 30: {truth[-1]:.2f} g/L.",
            "",
            "| sessions as a condition on time | "
            + " | ".join(f"rtol {t:g}" for t in TOLERANCES)
            + " |",
            "|---|" + "---|" * len(TOLERANCES),
        ]
        for method in METHODS:
            cells = [verdict(by_condition(method, t, start), truth) for t in TOLERANCES]
            lines.append(f"| SciPy {method} | " + " | ".join(cells) + " |")
        for words, times in (("each session's ends", TIMES), ("the end", (END,))):
            cells = [
                verdict(by_road_runner(t, start, times, events=False), truth) for t in TOLERANCES
            ]
            lines.append(
                f"| libRoadRunner, `piecewise`, asked for {words} | " + " | ".join(cells) + " |"
            )
        cells = [verdict(by_road_runner(t, start, events=True), truth) for t in TOLERANCES]
        lines.append("| *libRoadRunner, events* | " + " | ".join(cells) + " |")
        for method in METHODS:
            cells = [verdict(by_stretches(method, t, start), truth) for t in TOLERANCES]
            lines.append(f"| *SciPy {method}, stretches* | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def picture() -> bytes:
    """The exact course, and what a solver makes of the same rates with a condition on time."""
    import matplotlib
    from matplotlib.figure import Figure

    from simulator.figures import style
    from simulator.figures.files import rendered

    with matplotlib.rc_context(style.STYLE):
        figure = Figure(figsize=style.SIZE, dpi=style.DPI, layout="constrained")
        axes = figure.subplots()
        times, levels, pools = [0.0], [LEVEL], AT_REST
        for begin, end, busy in stretches():
            matrix, constant = BUSY if busy else IDLE
            done = solve_ivp(
                lambda _, c, a=matrix, b=constant: a @ c + b,
                (begin, end), pools, rtol=1e-9, atol=1e-9, dense_output=True,
            )  # fmt: skip
            grid = np.linspace(begin, end, 400)
            times += list(grid)
            levels += list(done.sol(grid)[0])
            pools = done.y[:, -1]
        axes.plot(times, levels, color=style.VERMILLION)
        done = solve_ivp(conditional, (0, END), AT_REST, method="LSODA", rtol=1e-9, atol=1e-12)
        axes.plot(done.t, done.y[0], color=style.BLUE, marker="o")
        axes.text(
            END,
            LEVEL - 0.3,
            "a condition on time, LSODA at 1e-9: the dots are its steps",
            color=style.ink(style.BLUE),
            ha="right",
            va="top",
        )
        axes.text(
            END,
            levels[-1] - 1.4,
            "sessions as events",
            color=style.ink(style.VERMILLION),
            ha="right",
            va="top",
        )
        axes.set_ylim(0, 11)
        style.panel(axes, ylabel="IgG in plasma (g/L)")
        style.time_axis(axes, "d", 0, END)
        figure.suptitle(
            "Five sessions that a solver never saw", fontsize=style.TITLE_SIZE, x=0.01, ha="left"
        )
        return rendered(figure, "png")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--plot", type=Path, help="also draw the figure, into this PNG")
    asked = parser.parse_args()
    print(report())
    if asked.plot:
        asked.plot.parent.mkdir(parents=True, exist_ok=True)
        asked.plot.write_bytes(picture())
        print(f"Written to {asked.plot}", file=sys.stderr)


if __name__ == "__main__":
    main()
