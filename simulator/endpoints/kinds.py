"""The kinds of endpoint: each a name, a unit, how it is read from a run, and what it is in words.

A new one is a row of `KINDS`, and a function where a line does not do. What is a share goes
through `Reading.share`, which tells a reader that there is nothing to be a share of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from simulator import units
from simulator.endpoints.reading import Reading
from simulator.errors import CommandError
from simulator.result import SessionResult
from simulator.scenario.fluids import fluids_of
from simulator.units import MINUTES_PER_DAY

About = Literal["moment", "session", "run"]
"""What an endpoint is of: a moment, which any phrase can name; a session; or the run as a whole."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of endpoint: its unit, how it is read, and what it is in words."""

    unit: str
    """``unit`` and ``mass_unit`` stand for those of the solute."""
    read: Callable[[Reading], float]
    words: str
    about: About = "session"
    of_solute: bool = False


def _of(unit: str, words: str, read: Callable[[Reading], float], about: About = "session") -> Kind:
    return Kind(unit, read, words, about, of_solute=True)


def _left(r: Reading) -> float:
    return 100 * r.share(r.level(), r.start())


def _drop(r: Reading) -> float:
    return 100 * (1 - r.share(r.post(r.session), r.session.solutes[r.solute].pre))


def _rebound(r: Reading) -> float:
    before = r.session.index - 1
    last = next((s for s in r.result.sessions if s.index == before), None)
    if last is None:
        raise CommandError(f"{r.phrase}: there is no session before session {before + 1}")
    return _over_gap(r, last, r.session)


def _over_gap(r: Reading, before: SessionResult, after: SessionResult) -> float:
    """Level before a session over that after another."""
    return r.share(after.solutes[r.solute].pre, r.post(before))


def _rebounds(r: Reading) -> float:
    """Geometric mean, over all gaps, of the level before a session over that after the last."""
    ran = r.result.sessions
    if len(ran) < 2:
        raise CommandError(f"{r.phrase}: {len(ran)} sessions ran, so nothing is between two")
    ratios = [_over_gap(r, before, after) for before, after in pairwise(ran)]
    return math.prod(ratios) ** (1 / len(ratios))


def _peak_after(r: Reading) -> float:
    """Highest level of the curve after the last session, % of that before the first."""
    end = r.session.connected[1] / MINUTES_PER_DAY
    curve = zip(r.result.column("time"), r.result.column(f"{r.solute}_plasma"), strict=True)
    levels = [level for day, level in curve if day > end]
    if not levels:
        raise CommandError(f"{r.phrase}: the run ends with its last session")
    return 100 * r.share(max(levels), r.start())


def _recovered(r: Reading) -> float:
    solute, post = r.session.solutes[r.solute], r.post(r.session)
    return 100 * r.share(r.level() - post, solute.pre - post)


def _mobilized(r: Reading) -> float:
    """What was removed and is left in plasma, over what was in plasma, less 1."""
    session, result = r.session, r.result
    solute = session.solutes[r.solute]
    before = r.curve(f"{r.solute}_plasma", session.connected[0])
    volume = r.curve("plasma_volume", session.connected[0])
    after = r.curve("plasma_volume", session.connected[1])
    per_volume = result.scenario.solutes[r.solute].kinetics.per_volume
    in_plasma = before * volume / per_volume
    left = r.post(session) * after / per_volume
    return 100 * (r.share(solute.removed + left, in_plasma) - 1)


def _over_mass_balance(r: Reading) -> float:
    """Level after a session over that of a mass balance, less 1.

    C = c + (C₀ - c) exp(-Q / V)    for each fluid in turn

    One well-mixed pool of the plasma volume at rest V, from which the plasma Q is taken against a
    fluid that holds c: what whoever knows the prescription, and what came of it, can work out
    [zhang-2020].
    """
    session, kinetics = r.session, r.result.scenario.solutes[r.solute].kinetics
    level = session.solutes[r.solute].pre
    fluids = {fluid.name: fluid for fluid in fluids_of(r.result.scenario)}
    for name, volume in session.replacement_by_fluid.items():
        if name not in fluids:
            raise CommandError(f"{r.phrase}: it is not known what {name} holds")
        held = fluids[name].solutes.get(r.solute)
        there = 0.0 if held is None else units.parse(held).to(kinetics.unit)
        exchanged = session.dose * r.share(volume, session.replacement) / r.result.plasma_volume
        level = there + (level - there) * math.exp(-exchanged)
    return 100 * (r.share(r.post(session), level) - 1)


def _efficiency(r: Reading) -> float:
    efficiency = r.session.plasma_removal_efficiency
    if efficiency is None:
        raise CommandError(f"{r.phrase}: session {r.session.index} removed no plasma")
    return 100 * efficiency


def _blood_volumes(r: Reading) -> float:
    session = r.session
    processed = session.blood_processed / r.result.blood_volume
    return r.share(processed, session.plasma_volumes_exchanged)


def _exponent(r: Reading) -> float:
    over = r.share(r.start(), r.level())
    if over <= 0:
        raise CommandError(f"{r.phrase}: this run has no such number: it started from nothing")
    return math.log(over)


def _protein_bound(r: Reading) -> float:
    sessions, followed = r.result.sessions, r.result.scenario.solutes
    proteins = [name for name, solute in followed.items() if solute.kinetics.mass_unit == "g"]
    bound = sum(s.solutes[name].adsorbed for s in sessions for name in proteins)
    return r.share(bound, len(sessions))


def _citrate_area(r: Reading, until: float = math.inf) -> float:
    """Area of citrate above its first level, up to a time (min), mmol/L by the day."""
    curve = zip(r.result.column("time"), r.result.column("citrate"), strict=True)
    rest = r.result.column("citrate")[0]
    seen = [(day, level - rest) for day, level in curve if day * MINUTES_PER_DAY <= until + 1e-6]
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(seen))


def _citrate_burnt(r: Reading) -> float:
    return 100 * r.share(_citrate_area(r, r.moment()), _citrate_area(r))


def _hormone_peak(r: Reading) -> float:
    levels = r.result.column("parathyroid_hormone")
    return r.result.column("time")[levels.index(max(levels))] * MINUTES_PER_DAY


def _calcium_nadir(r: Reading) -> float:
    before = r.curve("ionized_calcium", r.session.run[0])
    return 100 * (r.share(r.session.ionized_calcium_nadir, before) - 1)


def _per_minute(r: Reading, volume: float) -> float:
    return r.share(volume, r.session.run_minutes)


KINDS: Mapping[str, Kind] = {
    "level": _of("unit", "level in plasma", lambda r: r.level(), "moment"),
    "left": _of("%", "level in plasma, % of that before the first session", _left,
                "moment"),
    "fall": _of("%", "fall of the level, % of that before the first session",
                lambda r: 100 - _left(r), "moment"),
    "drop": _of("%", "fall in one session, % of the level before it", _drop),
    "rebound": _of("", "level before a session over that after the one before", _rebound),
    "rebounds": _of("", "the same, geometric mean over all gaps between sessions", _rebounds,
                    "run"),
    "peak-after": _of("%", "highest level after the last session, % of that before the first",
                      _peak_after, "run"),
    "recovered": _of("%", "share of a session's loss that has come back", _recovered,
                     "moment"),
    "mobilized": _of("%", "removed and left in plasma, over what was in plasma, less 1",
                     _mobilized),
    "over-mass-balance": _of("%", "level after a session over that of a plain mass balance, less 1",
                             _over_mass_balance),
    "nadir": _of("unit", "lowest level of the run", lambda r: r.result.solutes[r.solute].nadir,
                 "run"),
    "nadir-day": _of("d", "day of the lowest level",
                     lambda r: r.result.solutes[r.solute].nadir_time / MINUTES_PER_DAY, "run"),
    "nadir-left": _of("%", "lowest level, % of that before the first session",
                      lambda r: 100 * r.share(r.result.solutes[r.solute].nadir, r.start()), "run"),
    "final": _of("unit", "level at the end", lambda r: r.result.solutes[r.solute].final, "run"),
    "exponent": _of("", "logarithm of the level before the first session over that after",
                    _exponent, "moment"),
    "removed": _of("mass_unit", "removed in a session",
                   lambda r: r.session.solutes[r.solute].removed),
    "removed-in-all": _of("mass_unit", "removed in all sessions",
                          lambda r: r.result.solutes[r.solute].removed, "run"),
    "adsorbed": _of("mass_unit", "bound by columns in a session",
                    lambda r: r.session.solutes[r.solute].adsorbed),
    "protein-bound": Kind("g", _protein_bound,
                          "followed proteins bound by columns, mean over the sessions", "run"),
    "minutes": Kind("min", lambda r: r.session.run_minutes,
                    "first draw to end of exchange, pauses included"),
    "connected": Kind("min", lambda r: r.session.connected_minutes, "first to last contact"),
    "efficiency": Kind("%", _efficiency, "plasma removed over all that passed the separator"),
    "plasma-flow": Kind("mL/min", lambda r: _per_minute(r, r.session.plasma_removed),
                        "plasma with its anticoagulant removed, by the minute of the run"),
    "dose-flow": Kind("mL/min", lambda r: _per_minute(r, r.session.dose),
                      "patient plasma removed or treated, by the minute of the run"),
    "plasma": Kind("mL", lambda r: r.session.plasma_removed, "plasma removed, anticoagulant too"),
    "blood-volumes": Kind("", _blood_volumes, "blood volumes processed per plasma volume"),
    "anticoagulant": Kind("mL", lambda r: r.session.anticoagulant, "anticoagulant used"),
    "anticoagulant-to-patient": Kind("mL", lambda r: r.session.anticoagulant_to_patient,
                                     "anticoagulant that reached the patient"),
    "anticoagulant-per-liter": Kind(
        "mL/L",
        lambda r: 1000 * r.share(r.session.anticoagulant_to_patient, r.session.blood_processed),
        "anticoagulant to the patient per liter of blood processed",
    ),
    "citrate-rate": Kind("mg/kg/min", lambda r: r.session.citrate_rate, "citrate to the patient"),
    "blood-volume-nadir": Kind("%", lambda r: 100 * r.session.blood_volume_nadir,
                               "lowest blood volume, change from that before the first draw"),
    "blood-outside": Kind("mL", lambda r: r.session.blood_outside, "most blood outside the body"),
    "bowl-cycles": Kind("", lambda r: float(r.session.bowl_cycles), "cycles of the bowl"),
    "completed": Kind("", lambda r: float(r.session.completed), "1 if the session was completed"),
    "access-pauses": Kind("", lambda r: float(r.session.alarms.get("access-pressure-low", 0)),
                          "pauses for access pressure"),
    "ionized-calcium": Kind("mmol/L", lambda r: r.curve("ionized_calcium"), "ionized calcium",
                            "moment"),
    "ionized-calcium-change": Kind("%", lambda r: r.change("ionized_calcium"),
                                   "change of ionized calcium since the first draw", "moment"),
    "ionized-calcium-nadir": Kind("mmol/L", lambda r: r.session.ionized_calcium_nadir,
                                  "lowest ionized calcium, rinseback included"),
    "ionized-calcium-fall": Kind("%", _calcium_nadir,
                                 "lowest ionized calcium, change since the first draw"),
    "total-calcium-change": Kind("%", lambda r: r.change("total_calcium"),
                                 "change of calcium in all its forms since the first draw",
                                 "moment"),
    "ionized-magnesium-change": Kind("%", lambda r: r.change("ionized_magnesium"),
                                     "change of ionized magnesium since the first draw", "moment"),
    "citrate": Kind("mmol/L", lambda r: r.curve("citrate"), "citrate", "moment"),
    "citrate-peak": Kind(
        "mmol/L",
        lambda r: max(r.result.column("citrate")) - r.result.column("citrate")[0],
        "highest rise of citrate in the run",
        "run",
    ),
    "citrate-mean": Kind("mmol/L", lambda r: r.share(_citrate_area(r), r.result.column("time")[-1]),
                         "mean rise of citrate over the run", "run"),
    "citrate-burnt": Kind("%", _citrate_burnt,
                          "share of the citrate's area above rest that is over, of a long run",
                          "moment"),
    "parathyroid-hormone": Kind("", lambda r: r.curve("parathyroid_hormone"),
                                "parathyroid hormone, times that at rest", "moment"),
    "parathyroid-peak": Kind("min", _hormone_peak, "time of the most parathyroid hormone", "run"),
    "reactions": Kind("", lambda r: float(sum(r.session.reactions.values())),
                      "reactions of all kinds in a session"),
    **{
        name: Kind("", lambda r, n=name: float(r.session.reactions.get(n, 0)),  # type: ignore[misc]
                   f"how often: {name}")
        for name in ("paresthesia", "hypotension", "urticaria", "vasovagal")
    },
}  # fmt: skip
