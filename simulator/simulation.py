"""Introduces the machine to the patient and runs the course: the one place that has met both.

Events own the clock. Whoever changes something (machine, drug, end of a dose) first lets the
patient catch up to the present under what held until now; then the change takes effect.
"""

from __future__ import annotations

import operator
from collections.abc import Generator
from typing import Any

import simpy

from simulator import scenario as scenarios
from simulator.boundary import REST, Exchange, Vitals
from simulator.ledger import Ledger
from simulator.machine.alarms import BY_FAULT
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.session import Session
from simulator.orders import Prescription
from simulator.patient.patient import Patient
from simulator.provenance import sources_of
from simulator.recorder import Recorder
from simulator.result import Event, Result
from simulator.scenario.model import (
    Dose,
    Fault,
    FcrnBlockade,
    PlannedSession,
    Rule,
    Scenario,
    Setting,
)
from simulator.units import MINUTES_PER_DAY
from simulator.visits import Books, Visit, balance, read_books, session_result, solute_results

Process = Generator[simpy.Event, Any, None]

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FIRST_ACTIONS = ("stop", "delay", "skip", "replace-with")
"""Which rule decides when several hold."""


def simulate(scenario: Scenario) -> Result:
    """Run a scenario from start to end.

    Raises `ImpossibleRunError` when a volume or a mass would fall below zero, or the machine cannot
    do what it is asked.
    """
    return Run(scenario).result()


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
        self._due = [False] * len(scenario.sessions)
        self._stopped = False

    def result(self) -> Result:
        """Run to the end and sum up."""
        self.recorder.write_now()
        self.recorder.run(STOPPED)
        for number, event in enumerate(self.scenario.events):
            self._unplayed.add(number)
            self.env.process(self._play(number, event))
        self.env.process(self._course())
        self.env.run(until=self.scenario.until)
        self._catch_up()
        self.recorder.end()
        if self._present:
            self.visits[-1].session.count()
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
        if not visit.drawn and exchange.blood_to_circuit:
            visit.drawn = True
            self._take_baseline(visit)
        self._exchange = exchange
        self.recorder.run(flows)

    def connect(self) -> None:
        """The circuit is attached."""
        self._change()
        visit = self.visits[-1]
        self._take_baseline(visit)
        self.patient.connect()
        self.recorder.begin_session(visit.index)
        self.recorder.watched = [
            (visit.blood_volume, lambda y: self.patient.vitals_of(y).blood_volume),
            (visit.ionized_calcium, lambda y: self.patient.vitals_of(y).ionized_calcium),
        ]
        self.recorder.run(STOPPED)

    def _take_baseline(self, visit: Visit) -> None:
        """What the session's changes are measured from: the patient as he is now."""
        visit.pre = self._levels()
        visit.pre_blood_volume = self.patient.vitals().blood_volume

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
            wait = planned.at + shift - self.env.now
            yield self.env.timeout(max(0.0, wait))
            if wait < 0:
                self.log(
                    "session-delayed",
                    f"session {index}: the one before took {-wait:.0f} min longer",
                )
            while (rule := self._rule_that_holds()) is not None and rule.action == "delay":
                self.log("session-delayed", f"session {index}: {rule.text}")
                shift += rule.delay
                yield self.env.timeout(rule.delay)
            if rule is not None and rule.action == "stop":
                self._stopped = True
                self.log("course-stopped", f"before session {index}: {rule.text}")
                return
            self._due[index - 1] = True
            if rule is not None and rule.action == "skip":
                self.log("session-skipped", f"session {index}: {rule.text}")
                continue
            yield from self._visit(index, planned, rule)

    def _visit(self, index: int, planned: PlannedSession, rule: Rule | None) -> Process:
        """One session from set-up to disconnection."""
        session = self._set_up(planned.prescription)
        self._catch_up()
        visit = Visit(index, self.env.now, session, books_before=self._books())
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
        """Of the rules that hold on a sample drawn now, the one that decides.

        Stopping goes before delaying, delaying before skipping, skipping before another fluid; of
        several that ask for the same, the first in the file.
        """
        vitals = self.vitals()
        seen: dict[str, float] = self._levels() | {
            "hematocrit": vitals.hematocrit,
            "ionized_calcium": vitals.ionized_calcium,
            "plasma_volume": vitals.plasma_volume,
            "blood_volume": vitals.blood_volume,
        }
        holding = [
            rule
            for rule in self.scenario.rules
            if COMPARE[rule.comparison](seen[rule.quantity], rule.threshold)
        ]
        return min(holding, key=lambda rule: FIRST_ACTIONS.index(rule.action), default=None)

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
            self.patient.start_infusion(dose.solute, dose.amount / dose.over)
        self._resume()
        over = f" over {dose.over:g} min" if dose.over else ""
        self.log("dose", f"{dose.amount:g} {unit} {dose.solute}{over}")
        if dose.over:
            yield self.env.timeout(dose.over)
            self._change()
            self.patient.stop_infusion(dose.solute, dose.amount / dose.over)
            self._resume()
            self.log("dose-ended", dose.solute)

    def _block_fcrn(self, blockade: FcrnBlockade) -> Process:
        self._change()
        self.patient.start_blockade(blockade.fraction)
        self._resume()
        self.log("fcrn-blockade", f"{100 * blockade.fraction:g} %")
        yield self.env.timeout(blockade.duration)
        self._change()
        self.patient.stop_blockade(blockade.fraction)
        self._resume()
        self.log("fcrn-blockade-ended")

    def _fail(self, fault: Fault) -> Process:
        alarm = BY_FAULT[fault.fault]
        session = self.visits[-1].session
        if self._present != fault.session or not session.running:
            self.log("no-effect", f"{fault.fault}: the pumps are not running")
            return
        duration = alarm.usual if fault.duration is None else fault.duration
        session.begin_fault(alarm, f"{fault.fault} for {duration:g} min")
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
            session = self.visits[-1].session if self._present else None
            if session is not None and setting.session in (None, self._present):
                if setting.session is not None and not session.adjustable:
                    self.log("no-effect", f"{path}: the exchange of this session is over")
                    return
                if not session.change(path, value):
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
        """Nothing is lost: events and sessions that never came are in the log, too."""
        self._present = 0
        for number in sorted(self._unplayed):
            self.log("no-effect", f"event {number + 1} of the scenario was never due")
        if not self._stopped:
            for index, planned in enumerate(self.scenario.sessions, start=1):
                if not self._due[index - 1]:
                    day = planned.at / MINUTES_PER_DAY
                    self.log("session-not-run", f"session {index} of day {day:g}: the run is over")

    # -- summing up -------------------------------------------------------------------------------

    def _levels(self) -> dict[str, float]:
        return {name: self.patient.concentration(name) for name in self.names}

    def _books(self) -> Books:
        return read_books(self.ledger, self.names)

    def _sum_up(self) -> Result:
        scenario, books = self.scenario, self._books()
        return Result(
            scenario=scenario,
            digest=scenarios.digest(scenario),
            plasma_volume=self.plasma_volume,
            blood_volume=self.blood_volume,
            columns=self.recorder.columns,
            rows=self.recorder.rows,
            events=self.events,
            sessions=[
                session_result(
                    visit, books, scenario.until, self.plasma_volume, scenario.patient.weight
                )
                for visit in self.visits
                if visit.pre
            ],
            solutes=solute_results(scenario, self.recorder.nadirs, self._levels(), books),
            balance=balance(self.ledger, self.patient),
            references=[use.key for use in sources_of(scenario)],
        )
