"""All that the program can show for itself, made anew on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import __version__, processes
from simulator.evidence import cases, closed_forms, verdicts
from simulator.evidence.closed_forms import Check
from simulator.evidence.verdicts import Verdict

CONSERVED = 1e-9
"""Largest relative residual of the ledger that any run may have."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found: closed forms, conservation, an independent engine, published cases."""

    laws: tuple[Check, ...]
    conservation: Check
    """The worst residual of all runs that were made."""
    engine: Check | None
    """None where no independent engine is at hand."""
    verdicts: tuple[Verdict, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All that must agree to many digits."""
        return (*self.laws, self.conservation, *([self.engine] if self.engine else []))

    @property
    def holds(self) -> bool:
        """Whether every check and every gate holds that was run."""
        return all(check.met for check in self.checks) and all(
            v.met is not False for v in self.of_kind("gate")
        )

    def of_kind(self, *kinds: str) -> list[Verdict]:
        """Rows of some classes."""
        return [v for v in self.verdicts if v.row.kind in kinds]

    def summary(self) -> dict[str, Any]:
        """As data, for ``--json``."""
        return {
            "format": 1,
            "version": __version__,
            "holds": self.holds,
            "checks": [
                {
                    "law": check.law,
                    "expected": check.expected,
                    "found": check.found,
                    "relative_error": check.error,
                    "tolerance": check.tolerance,
                    "holds": check.met,
                }
                for check in self.checks
            ],
            "published": [_row(verdict) for verdict in self.verdicts],
        }


def _row(v: Verdict) -> dict[str, Any]:
    return {
        "study": v.case.study,
        "row": v.name,
        "quantity": v.row.quantity,
        "class": v.row.kind,
        "would_be": v.row.would_be or None,
        "seen": v.case.seen,
        "unit": v.unit,
        "measured": v.measured,
        "spread": v.spread,
        "spread_kind": v.row.measured.spread_kind or None,
        "n": v.row.measured.n,
        "accepted": v.accepted,
        "simulated": v.simulated,
        "verdict": v.word,
        "why": v.row.why,
        "miss": v.row.miss or None,
    }


Progress = Callable[[int, int], None]


def verify(
    names: Sequence[str] = (),
    *,
    repeated: bool = False,
    jobs: int | None = 1,
    progress: Progress | None = None,
    engine: Check | None = None,
) -> Verification:
    """Run the closed forms and the published cases (all, or those named), and judge them.

    `repeated`: also the rows that take hundreds of seeded sessions, some minutes. `progress` is
    told how many of how many runs are made. More `jobs` than one (None: one per processor) start
    processes, which a script of one's own must allow for (``if __name__ == "__main__":``). `engine`
    is what an independent engine has made of a run, if one was asked. A study that is named twice
    counts once.
    """
    verdicts.case_of.cache_clear()
    all_cases = [verdicts.case_of(name) for name in dict.fromkeys(names) or cases.names()]
    wanted = verdicts.wanted(all_cases, repeated=repeated)
    found: dict[tuple[str, str, str], list[float]] = {}
    worst = 0.0
    for done, read in enumerate(processes.each(verdicts.read_run, wanted, jobs), start=1):
        found |= read.values
        worst = max(worst, read.residual)
        if progress is not None:
            progress(done, len(wanted))
    return Verification(
        laws=tuple(closed_forms.checks()),
        conservation=Check(
            f"Water, red cells, minerals and every solute in {len(wanted)} runs: nothing is lost",
            0.0,
            worst,
            CONSERVED,
        ),
        engine=engine,
        verdicts=tuple(verdicts.judge(case, row, found) for case in all_cases for row in case.rows),
    )
