"""A session as the run has seen it, and what it and the whole run add up to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.ledger import ADSORBER, IN_CIRCULATION, PLASMA_LINE, RETURNED, Ledger
from simulator.machine.session import Session
from simulator.machine.tally import has_come
from simulator.patient.patient import INTERNAL, Patient
from simulator.recorder import Course, Nadir
from simulator.records import record
from simulator.result import SessionResult, SessionSolute, SoluteResult
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

NOT_FLUIDS = frozenset(
    (
        *(IN_CIRCULATION, "start", "synthesis", "catabolism", "doses"),
        *("waste", "set", ADSORBER, PLASMA_LINE, RETURNED),
    )
)
"""Accounts of a solute that are not a bottle or bag."""

CITRATE_GRAMS_PER_MMOL = 0.1891
"""Citrate ion, 189.1 g/mol."""

CUT_OFF = "the run ended during the session"


@record
class Moved:
    """What has become of one solute so far, in its mass unit."""

    removed: float
    """Left for good: in waste bags, on columns and in discarded sets."""
    adsorbed: float
    """Of that, on columns."""
    returned: float
    """Given back with treated plasma."""
    given: float
    """Brought by replacement fluids."""


Books = dict[str, Moved]


@dataclass
class Visit:
    """What is noted of one session while it runs."""

    index: int
    start: float
    session: Session
    books_before: Books
    blood_volume: Nadir = field(default_factory=Nadir)
    ionized_calcium: Nadir = field(default_factory=Nadir)
    pre: dict[str, float] | None = None
    """Plasma concentrations just before blood is first drawn; before that, at first contact."""
    post: dict[str, float] | None = None
    """Plasma concentrations just after rinseback."""
    pre_blood_volume: float = math.nan
    drawn: bool = False
    books_after: Books | None = None


def read_books(ledger: Ledger, names: Sequence[str]) -> Books:
    """Of each solute, what has left for good and what fluids have brought, so far."""
    books = {}
    for name in names:
        accounts = ledger.accounts(name)
        given = -sum(v for account, v in accounts.items() if account not in NOT_FLUIDS)
        bound = accounts.get(ADSORBER, 0.0)
        books[name] = Moved(
            removed=accounts.get("waste", 0.0) + accounts.get("set", 0.0) + bound,
            adsorbed=bound,
            returned=ledger.received(name, RETURNED),
            given=given,
        )
    return books


def balance(ledger: Ledger, patient: Patient) -> dict[str, float]:
    """Residuals of the ledger: mL for water and red cells, relative for all else."""
    weighed = patient.weigh()
    residuals = {f"{s}_mL": ledger.residual(s, weighed[s]) for s in ("water", "red_cells")}
    for substance, weight in weighed.items():
        if substance not in ("water", "red_cells", INTERNAL):
            key = f"{substance.replace('-', '_')}_relative"
            residuals[key] = ledger.relative_residual(substance, weight)
    return residuals


def solute_results(
    scenario: Scenario, courses: Mapping[str, Course], final: dict[str, float], books: Books
) -> dict[str, SoluteResult]:
    """Each solute over the whole run."""
    return {
        name: SoluteResult(
            unit=followed.kinetics.unit,
            mass_unit=followed.kinetics.mass_unit,
            initial=followed.initial,
            nadir=courses[name].lowest.value,
            nadir_time=courses[name].lowest.time,
            final=final[name],
            removed=books[name].removed,
            area=courses[name].area / MINUTES_PER_DAY,
            days_below=courses[name].below / MINUTES_PER_DAY,
        )
        for name, followed in scenario.solutes.items()
    }


def session_result(
    visit: Visit, books_now: Books, until: float, plasma_volume: float, weight: float
) -> SessionResult:
    """One session in numbers; one that still runs is taken as it stands at `until`.

    `plasma_volume`: the patient's at rest, mL; `weight` in kg.
    """
    assert visit.pre is not None  # there has been a first contact
    session = visit.session
    tally, times, machine = session.tally, session.times, session.machine
    separated = tally.treated or tally.patient_plasma_removed
    over = has_come(times.disconnected)
    exchange_end = times.exchange_end if has_come(times.exchange_end) else until
    first_draw = times.draw if has_come(times.draw) else exchange_end
    minutes = exchange_end - first_draw
    given = tally.exchange_anticoagulant + tally.replacement + tally.calcium
    from_anticoagulant = tally.anticoagulant_to_patient * machine.anticoagulant.citrate
    from_replacement = (1 - tally.share_recirculated) * session.line.citrate_given()
    citrate = from_anticoagulant / 1000 + from_replacement
    citrate_mg = 1000 * citrate * CITRATE_GRAMS_PER_MMOL
    after = visit.books_after or books_now
    post = visit.post or {}
    return SessionResult(
        index=visit.index,
        start=visit.start,
        connected=(times.connected, times.disconnected if over else until),
        run=(first_draw, exchange_end),
        completed=over and session.stop_reason is None,
        stop_reason=session.stop_reason if over else CUT_OFF,
        blood_processed=tally.blood_processed,
        plasma_removed=tally.plasma_removed,
        patient_plasma_removed=tally.patient_plasma_removed,
        plasma_treated=tally.treated,
        plasma_returned=tally.plasma_back,
        plasma_volumes_exchanged=separated / plasma_volume,
        plasma_removal_efficiency=_ratio(separated, tally.plasma_processed),
        replacement=tally.replacement,
        replacement_by_fluid=session.line.used_by_fluid(),
        anticoagulant=tally.anticoagulant,
        anticoagulant_to_patient=tally.anticoagulant_to_patient,
        citrate_to_patient=citrate,
        citrate_rate=_ratio(citrate_mg, weight * minutes) or 0.0,
        fluid_balance=_ratio(given, tally.plasma_removed),
        blood_volume_nadir=visit.blood_volume.value / visit.pre_blood_volume - 1,
        ionized_calcium_nadir=visit.ionized_calcium.value,
        alarms=session.upkeep.alarms,
        pauses=times.paused,
        reactions=session.staff.reactions,
        operator_calls=session.upkeep.operator.calls,
        operator_actions=session.upkeep.operator.actions,
        operator_waiting=session.upkeep.operator.waited,
        recirculated=tally.recirculated,
        blood_outside=tally.outside_most,
        bowl_cycles=tally.cycles,
        heparin=(tally.anticoagulant + machine.anticoagulant_bolus)
        * machine.anticoagulant.activity,
        solutes={
            name: SessionSolute(
                pre=pre,
                post=post.get(name),
                removed=after[name].removed - visit.books_before[name].removed,
                given=after[name].given - visit.books_before[name].given,
                adsorbed=after[name].adsorbed - visit.books_before[name].adsorbed,
                returned=after[name].returned - visit.books_before[name].returned,
            )
            for name, pre in visit.pre.items()
        },
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
