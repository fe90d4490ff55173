"""Introduces the machine to the patient and runs the course: the one place that has met both.

Events own the clock. Whoever changes something (machine, drug, end of a dose) first lets the
patient catch up to the present under what held until now; then the change takes effect.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simulator import scenario as scenarios
from simulator.boundary import REST, Exchange, Vitals
from simulator.errors import ImpossibleRunError
from simulator.ledger import IN_CIRCULATION, Ledger
from simulator.machine.alarms import BY_FAULT
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.session import Session
from simulator.orders import Prescription
from simulator.patient.patient import INTERNAL, Patient
from simulator.provenance import sources_of
from simulator.recorder import Nadir, Recorder
from simulator.result import (
    Event,
    Result,
    SessionResult,
    SessionSolute,
    SoluteResult,
)
from simulator.scenario.model import (
    Dose,
    Fault,
    FcrnBlockade,
    PlannedSession,
    Rule,
    Scenario,
    Setting,
)

Process = Generator[simpy.Event, Any, None]

NOT_FLUIDS = frozenset(
    (IN_CIRCULATION, "start", "waste", "set", "synthesis", "catabolism", "doses")
)
"""Accounts of a solute that are not a bottle or bag."""

CITRATE_GRAMS_PER_MMOL = 0.1891
"""Citrate ion, 189.1 g/mol."""


def simulate(scenario: Scenario) -> Result:
    """Run a scenario from start to end.

    Raises `ImpossibleRunError` when a volume or a mass would fall below zero, or the machine cannot
    do what it is asked.
    """
    if scenario.machine is not None and scenario.machine.disturbances != "none":
        raise ImpossibleRunError(
            f"machine.disturbances: {scenario.machine.disturbances} is not available yet; use none"
        )
    return Run(scenario).result()


@dataclass
class Visit:
    """What is noted of one session while it runs."""

    index: int
    start: float
    session: Session
    blood_volume: Nadir = field(default_factory=Nadir)
    ionized_calcium: Nadir = field(default_factory=Nadir)
    pre: dict[str, float] | None = None
    post: dict[str, float] | None = None
    pre_blood_volume: float = float("nan")
    books_before: dict[str, tuple[float, float]] = field(default_factory=dict)
    books_after: dict[str, tuple[float, float]] | None = None


class Run:
    """One scenario on one clock. Implements the machine's `Bedside`."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.env = simpy.Environment()
        self.ledger = Ledger()
        self.patient = Patient(scenario.patient, scenario.solutes, self.ledger)
        self.recorder = Recorder(
            self.patient, scenario.output_interval, scenario.session_output_interval
        )
        self.names = self.recorder.names
        at_rest = self.patient.vitals()
        self.plasma_volume, self.blood_volume = at_rest.plasma_volume, at_rest.blood_volume
        self.events: list[Event] = []
        self.visits: list[Visit] = []
        self._exchange: Exchange = REST
        self._settings: dict[str, Any] = {}
        """Machine settings and prescription items changed for all sessions to come."""
        self._begun = [self.env.event() for _ in scenario.sessions]
        self._unplayed: set[int] = set()

    def result(self) -> Result:
        """Run to the end and sum up."""
        self.recorder.run(STOPPED)
        for number, event in enumerate(self.scenario.events):
            self._unplayed.add(number)
            self.env.process(self._play(number, event))
        self.env.process(self._course())
        self.env.run(until=self.scenario.until)
        self._catch_up()
        self.recorder.end()
        self._tell_unplayed()
        return self._sum_up()

    # -- the machine's view of the bedside ------------------------------------------------------

    def vitals(self) -> Vitals:
        """The patient as seen now."""
        self._catch_up()
        return self.patient.vitals()

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        """From now on do this to the patient, with the pumps at these flows."""
        self._change()
        visit = self.visits[-1]
        if visit.pre is None and exchange.blood_to_circuit:
            visit.pre = self._levels()
            visit.pre_blood_volume = self.patient.vitals().blood_volume
        self._exchange = exchange
        self.recorder.run(flows)

    def connect(self) -> None:
        """The circuit is attached."""
        self._change()
        visit = self.visits[-1]
        self.patient.connect()
        self.recorder.begin_session(visit.index)
        self.recorder.watched = [
            (visit.blood_volume, lambda y: self.patient.vitals_of(y).blood_volume),
            (visit.ionized_calcium, lambda y: self.patient.vitals_of(y).ionized_calcium),
        ]
        self.recorder.run(STOPPED)

    def disconnect(self) -> None:
        """The circuit is taken away and discarded."""
        self._change()
        self.patient.disconnect()
        visit = self.visits[-1]
        visit.post = self._levels()
        visit.books_after = self._books()
        self._exchange = REST
        self.recorder.run(STOPPED)

    def log(self, event: str, detail: str = "") -> None:
        """Something happened, in the session that runs if one does."""
        index, minute = 0, None
        if self.visits and self.visits[-1].index == self._present:
            visit = self.visits[-1]
            index, minute = visit.index, self.env.now - visit.start
        self.events.append(Event(self.env.now, index, minute, event, detail))

    # -- the clock --------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Let the patient live up to the present under what held until now."""
        self.patient.advance(self.env.now, self._exchange, self.recorder.see)

    def _change(self) -> None:
        """Something is about to change: close the stretch that ends now."""
        self._catch_up()
        self.recorder.end()

    # -- the course -------------------------------------------------------------------------------

    _present = 0
    """Index of the session that is on, 0 between sessions."""

    def _course(self) -> Process:
        """One session after the other, each as the rules of the moment allow."""
        shift = 0.0
        for index, planned in enumerate(self.scenario.sessions, start=1):
            yield self.env.timeout(max(0.0, planned.at + shift - self.env.now))
            while (rule := self._rule_that_holds()) is not None and rule.action == "delay":
                self.log("session-delayed", f"session {index}: {rule.text}")
                shift += rule.delay
                yield self.env.timeout(rule.delay)
            if rule is not None and rule.action == "stop":
                self.log("course-stopped", f"before session {index}: {rule.text}")
                return
            if rule is not None and rule.action == "skip":
                self.log("session-skipped", f"session {index}: {rule.text}")
                continue
            yield from self._visit(index, planned, rule)

    def _visit(self, index: int, planned: PlannedSession, rule: Rule | None) -> Process:
        """One session from set-up to disconnection."""
        session = self._set_up(planned.prescription)
        visit = Visit(index, self.env.now, session)
        visit.books_before = self._books()
        self.visits.append(visit)
        self._present = index
        for path, value in self._settings.items():
            session.change(path, value)
        if rule is not None and rule.action == "replace-with":
            assert rule.fluid is not None  # the format asks for it
            session.line.replace_all_with(rule.fluid)
            self.log("replacement-changed", f"all {rule.fluid.name}: {rule.text}")
        self._begun[index - 1].succeed(session)
        yield from session.run()
        self._change()
        self._present = 0
        self.recorder.watched = []
        self.recorder.begin_session(0)
        self.recorder.run(STOPPED)

    def _set_up(self, prescription: Prescription) -> Session:
        machine = self.scenario.machine
        assert machine is not None  # the format refuses sessions without a machine
        return Session(
            env=self.env,
            bedside=self,
            machine=machine,
            prescription=prescription,
            target=self._target(prescription.exchange, prescription.exchange_unit),
            citrate_limit=machine.device.anticoagulant_infusion_limit * self.blood_volume / 1000,
        )

    def _target(self, exchange: float, unit: str) -> float:
        """Patient plasma to remove, mL."""
        per = {"PV": self.plasma_volume, "mL": 1.0, "mL/kg": self.scenario.patient.weight}
        return exchange * per[unit]

    def _rule_that_holds(self) -> Rule | None:
        """The first rule whose condition holds on a sample drawn now."""
        vitals = self.vitals()
        seen: dict[str, float] = self._levels() | {
            "hematocrit": vitals.hematocrit,
            "ionized_calcium": vitals.ionized_calcium,
            "plasma_volume": vitals.plasma_volume,
            "blood_volume": vitals.blood_volume,
        }
        for rule in self.scenario.rules:
            value = seen[rule.quantity]
            if {
                "<": value < rule.threshold,
                "<=": value <= rule.threshold,
                ">": value > rule.threshold,
                ">=": value >= rule.threshold,
            }[rule.comparison]:
                return rule
        return None

    # -- events of the scenario -------------------------------------------------------------------

    def _play(self, number: int, event: Dose | FcrnBlockade | Setting | Fault) -> Process:
        """Wait until an event is due, then let it happen."""
        session = event.session if isinstance(event, (Setting, Fault)) else None
        if session is not None:
            yield self._begun[session - 1]
        yield self.env.timeout(event.at)
        self._unplayed.discard(number)
        if isinstance(event, Dose):
            yield from self._give(event)
        elif isinstance(event, FcrnBlockade):
            yield from self._block_fcrn(event)
        elif isinstance(event, Fault):
            yield from self._fail(event)
        else:
            self._set(event)

    def _give(self, dose: Dose) -> Process:
        unit = self.scenario.solutes[dose.solute].kinetics.mass_unit
        self._change()
        if dose.over == 0:
            self.patient.inject(dose.solute, dose.amount)
        else:
            self.patient.infuse(dose.solute, dose.amount / dose.over)
        self._resume()
        over = f" over {dose.over:g} min" if dose.over else ""
        self.log("dose", f"{dose.amount:g} {unit} {dose.solute}{over}")
        if dose.over:
            yield self.env.timeout(dose.over)
            self._change()
            self.patient.infuse(dose.solute, -dose.amount / dose.over)
            self._resume()
            self.log("dose-ended", dose.solute)

    def _block_fcrn(self, blockade: FcrnBlockade) -> Process:
        self._change()
        self.patient.block_fcrn(blockade.fraction)
        self._resume()
        self.log("fcrn-blockade", f"{100 * blockade.fraction:g} %")
        yield self.env.timeout(blockade.duration)
        self._change()
        self.patient.block_fcrn(0.0)
        self._resume()
        self.log("fcrn-blockade-ended")

    def _fail(self, fault: Fault) -> Process:
        alarm = BY_FAULT[fault.fault]
        session = self.visits[-1].session
        if self._present != fault.session or not session.running:
            self.log("no-effect", f"{fault.fault}: the pumps are not running")
            return
        duration = alarm.usual if fault.duration is None else fault.duration
        session.begin_fault(alarm, f"{fault.fault} for {duration:g} min: all pumps stop")
        yield self.env.timeout(duration)
        session.end_fault(alarm)

    def _set(self, setting: Setting) -> None:
        path, value = setting.path, setting.value
        if path.startswith("solutes."):
            self._change()
            self.patient.set_synthesis(path.split(".")[1], value)
            self._resume()
        elif path == "patient.citrate_clearance":
            self._change()
            self.patient.set_citrate_clearance(value)
            self._resume()
        else:
            if path == "prescription.exchange":
                value = self._target(*value)
            if setting.session is None:
                self._settings[path] = value
            if self._present and setting.session in (None, self._present):
                changed = self.visits[-1].session.change(path, value)
                if not changed:
                    self.log("unchanged", f"{path} already is {setting.text}")
                    return
            elif setting.session is not None:
                self.log("no-effect", f"{path}: session {setting.session} is over")
                return
        self.log("set", f"{path} to {setting.text}")

    def _resume(self) -> None:
        """The stretch goes on after a change that is not the machine's."""
        self.recorder.run(self.recorder.flows)

    def _tell_unplayed(self) -> None:
        """Nothing is lost: events whose session never came are in the log, too."""
        self._present = 0
        for number in sorted(self._unplayed):
            self.log("no-effect", f"event {number + 1} of the scenario was never due")

    # -- summing up -------------------------------------------------------------------------------

    def _levels(self) -> dict[str, float]:
        return {name: self.patient.concentration(name) for name in self.names}

    def _books(self) -> dict[str, tuple[float, float]]:
        """Of each solute, what has left for good and what fluids have brought."""
        books = {}
        for name in self.names:
            accounts = self.ledger.accounts(name)
            removed = accounts.get("waste", 0.0) + accounts.get("set", 0.0)
            given = -sum(v for account, v in accounts.items() if account not in NOT_FLUIDS)
            books[name] = (removed, given)
        return books

    def _sum_up(self) -> Result:
        scenario = self.scenario
        final = self._levels()
        removed = self._books()
        solutes = {
            name: SoluteResult(
                unit=scenario.solutes[name].kinetics.unit,
                mass_unit=scenario.solutes[name].kinetics.mass_unit,
                initial=scenario.solutes[name].initial,
                nadir=self.recorder.nadirs[name].value,
                nadir_time=self.recorder.nadirs[name].time,
                final=final[name],
                removed=removed[name][0],
            )
            for name in scenario.solutes
        }
        return Result(
            scenario=scenario,
            digest=scenarios.digest(scenario),
            plasma_volume=self.plasma_volume,
            blood_volume=self.blood_volume,
            columns=self.recorder.columns,
            rows=self.recorder.rows,
            events=self.events,
            sessions=[self._session_result(visit) for visit in self.visits if visit.pre],
            solutes=solutes,
            balance=self._balance(),
            references=[use.key for use in sources_of(scenario)],
        )

    def _balance(self) -> dict[str, float]:
        """Residuals of the ledger: mL for water and red cells, relative for all else."""
        weighed = self.patient.weigh()
        balance = {
            "water_mL": self.ledger.residual("water", weighed["water"]),
            "red_cells_mL": self.ledger.residual("red_cells", weighed["red_cells"]),
        }
        for substance, weight in weighed.items():
            if substance not in ("water", "red_cells", INTERNAL):
                name = substance.replace("-", "_")
                balance[f"{name}_relative"] = self.ledger.relative_residual(substance, weight)
        return balance

    def _session_result(self, visit: Visit) -> SessionResult:
        session, end = visit.session, self.scenario.until
        tally, times = session.tally, session.times
        over = times.disconnected == times.disconnected  # not NaN: it has come to its end
        exchange_end = times.exchange_end if times.exchange_end == times.exchange_end else end
        run = (times.draw, exchange_end)
        given = tally.exchange_anticoagulant + tally.replacement + tally.calcium
        citrate = tally.anticoagulant_to_patient * session.machine.anticoagulant.citrate / 1000
        by_fluid = session.line.used_by_fluid()
        citrate += session.line.citrate_given()
        minutes = run[1] - run[0]
        grams = citrate * CITRATE_GRAMS_PER_MMOL
        after = visit.books_after or self._books()
        post = visit.post or {}
        assert visit.pre is not None
        return SessionResult(
            index=visit.index,
            start=visit.start,
            connected=(times.connected, times.disconnected if over else end),
            run=run,
            completed=over and session.stop_reason is None,
            stop_reason=session.stop_reason if over else "the run ended during the session",
            blood_processed=tally.blood_processed,
            plasma_removed=tally.plasma_removed,
            patient_plasma_removed=tally.patient_plasma_removed,
            plasma_volumes_exchanged=tally.patient_plasma_removed / self.plasma_volume,
            plasma_removal_efficiency=_ratio(tally.patient_plasma_removed, tally.plasma_processed),
            replacement=tally.replacement,
            replacement_by_fluid=by_fluid,
            anticoagulant=tally.anticoagulant,
            anticoagulant_to_patient=tally.anticoagulant_to_patient,
            citrate_to_patient=citrate,
            citrate_rate=1000 * grams / self.scenario.patient.weight / minutes if minutes else 0.0,
            fluid_balance=_ratio(given, tally.plasma_removed),
            blood_volume_nadir=visit.blood_volume.value / visit.pre_blood_volume - 1,
            ionized_calcium_nadir=visit.ionized_calcium.value,
            alarms=session.alarms,
            pauses=times.paused,
            solutes={
                name: SessionSolute(
                    pre=visit.pre[name],
                    post=post.get(name),
                    removed=after[name][0] - visit.books_before[name][0],
                    given=after[name][1] - visit.books_before[name][1],
                )
                for name in self.names
            },
        )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
