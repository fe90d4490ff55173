"""Introduces the machine to the patient and runs the course: the one place that has met both.

Events own the clock. Whoever changes something (machine, drug, end of a dose) first lets the
patient catch up to the present under what held until now; then the change takes effect.
"""

from __future__ import annotations

import operator
from collections.abc import Generator, Mapping
from functools import partial
from random import Random
from typing import Any

import simpy

from simulator import catalog
from simulator import scenario as scenarios
from simulator.boundary import REST, Exchange, Vitals
from simulator.ledger import Ledger
from simulator.luck import Luck
from simulator.machine.alarms import REACTIONS
from simulator.machine.pumps import STOPPED, PumpFlows
from simulator.machine.session import Session
from simulator.orders import Prescription
from simulator.patient.integrator import State
from simulator.patient.patient import TOLERANCE, Patient
from simulator.patient.reactions import Susceptibility
from simulator.provenance import sources_of
from simulator.recorder import Recorder
from simulator.result import Event, Result
from simulator.scenario.model import PlannedSession, Rule, Scenario
from simulator.script import Script
from simulator.units import MINUTES_PER_DAY
from simulator.visits import Books, Visit, balance, read_books, session_result, solute_results

Process = Generator[simpy.Event, Any, None]

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FIRST_ACTIONS = ("stop", "delay", "skip", "replace-with")  # which decides when several rules hold


def simulate(
    scenario: Scenario,
    below: Mapping[str, float] | None = None,
    tolerance: float = TOLERANCE,
) -> Result:
    """Run a scenario from start to end.

    `below`: levels, in the solutes' units, below which days are counted (else half of the first).
    `tolerance`: relative error of a step.

    Raises `ImpossibleRunError` when a volume or a mass would fall below zero, or the machine cannot
    do what it is asked.
    """
    return Run(scenario, below=below, tolerance=tolerance).result()


class Run:
    """One scenario on one clock. Implements the machine's `Bedside`.

    `patient`: the kind of patient who lives through it, such as one who notes what is done to him.
    """

    def __init__(
        self,
        scenario: Scenario,
        patient: type[Patient] = Patient,
        below: Mapping[str, float] | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.scenario = scenario
        self.env = simpy.Environment()
        self.ledger = Ledger()
        self.patient = patient(scenario.patient, scenario.solutes, self.ledger, tolerance)
        self.recorder = Recorder(
            self.patient, scenario.output_interval, scenario.session_output_interval, below or {}
        )
        self.names = self.recorder.names
        at_rest = self.patient.vitals()
        self.plasma_volume, self.blood_volume = at_rest.plasma_volume, at_rest.blood_volume
        self.events: list[Event] = []
        self.visits: list[Visit] = []
        self._exchange: Exchange = REST
        self._luck = self._luck_of(scenario)
        self._reactions = tuple(map(catalog.reaction, REACTIONS if self._luck else ()))
        self._susceptibility: Susceptibility | None = None
        """What can happen in the patient before the next event; None outside sessions."""
        self.script = Script(self)
        self.begun = [self.env.event() for _ in scenario.sessions]
        self._due = [False] * len(scenario.sessions)
        self._stopped = False

    def result(self) -> Result:
        """Run to the end and sum up."""
        self.recorder.write_now()
        self.recorder.run(STOPPED)
        self.script.start()
        self.env.process(self._course())
        self._live(self.scenario.until)
        self._catch_up()
        self.recorder.end()
        if self.present:
            self.visits[-1].session.count()
        self.present = 0
        self.script.tell_unplayed()
        self._tell_not_run()
        return self._sum_up()

    # -- the machine's view of the bedside ------------------------------------------------------

    def vitals(self) -> Vitals:
        """The patient as seen now."""
        self._catch_up()
        return self.patient.vitals()

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        """From now on do this to the patient, with the pumps at these flows."""
        self.change()
        visit = self.visits[-1]
        if not visit.drawn and exchange.blood_to_circuit:
            visit.drawn = True
            self._take_baseline(visit)
        self._exchange = exchange
        if self._susceptibility is not None:
            self._susceptibility.begin(exchange)
        self.recorder.run(flows)

    def connect(self) -> None:
        """The circuit is attached."""
        self.change()
        visit = self.visits[-1]
        self._take_baseline(visit)
        self.patient.connect()
        self.recorder.begin_session(visit.index)
        self.recorder.watched = [
            (visit.blood_volume, self.patient.blood_volume),
            (visit.ionized_calcium, self._ionized_calcium),
        ]
        self.recorder.run(STOPPED)
        if self._luck is not None:
            self._susceptibility = self._become_susceptible(self._luck, visit.index)

    def swap_column(self) -> None:
        """A regenerated column takes the place of the loaded one."""
        self.change()
        self.patient.swap_column()

    def give(self, fluid: catalog.Fluid, volume: float, minutes: float) -> None:
        """Somebody gives the patient a fluid by hand: mL, over so many minutes."""
        self.env.process(self.script.infuse(fluid, volume, minutes))

    def _take_baseline(self, visit: Visit) -> None:
        """What the session's changes are measured from: the patient as he is now."""
        visit.pre = self._levels()
        visit.pre_blood_volume = self.patient.vitals().blood_volume

    def disconnect(self) -> None:
        """The circuit is taken away and discarded."""
        self.change()
        self._susceptibility = None
        self.patient.disconnect()
        visit = self.visits[-1]
        visit.post = self._levels()
        visit.books_after = self._books()
        self._exchange = REST
        self.recorder.run(STOPPED)

    def log(self, event: str, detail: str = "") -> None:
        """Something happened, in the session that runs if one does."""
        index, minute = 0, None
        if self.visits and self.visits[-1].index == self.present:
            visit = self.visits[-1]
            index, minute = visit.index, self.env.now - visit.start
        self.events.append(Event(self.env.now, index, minute, event, detail))

    # -- the clock --------------------------------------------------------------------------------

    def _live(self, until: float) -> None:
        """One event after the other; what happens in the patient before the next comes first."""
        while (due := self.env.peek()) < until:
            if due > self.env.now:
                self.settle()
            if self._susceptibility is None or not self._reacts_before(due):
                self.env.step()
        self.settle()
        self.env.run(until=until)

    def settle(self) -> None:
        """All that belongs to this instant has happened, and time goes on: for onlookers."""

    def _reacts_before(self, next_event: float) -> bool:
        """Let the patient live up to the next event, or to a reaction that comes before it.

        Until then nothing else can happen, so he may be ahead of the clock.
        """
        susceptibility = self._susceptibility
        assert susceptibility is not None
        self.patient.advance(next_event, self._exchange, self.recorder.see, susceptibility.watch)
        if susceptibility.due is None:
            return False
        reaction, ends = susceptibility.taken()
        wait = max(0.0, self.patient.time - self.env.now)
        self.env.process(self._react(reaction, wait, ends=ends))
        return True

    def _catch_up(self) -> None:
        """Let the patient live up to the present under what held until now."""
        self.patient.advance(self.env.now, self._exchange, self.recorder.see)

    def change(self) -> None:
        """Something is about to change: close the stretch that ends now."""
        self._catch_up()
        self.recorder.end()

    def resume(self) -> None:
        """The stretch goes on after a change that is not the machine's."""
        self.recorder.run(self.recorder.flows)

    # -- the course -------------------------------------------------------------------------------

    present = 0
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
        session = self._set_up(index, planned.prescription)
        self._catch_up()
        visit = Visit(index, self.env.now, session, books_before=self._books())
        self.visits.append(visit)
        self.present = index
        for path, value in self.script.settings.items():
            session.change(path, value)
        if rule is not None and rule.action == "replace-with":
            assert rule.fluid is not None  # the format asks for it
            session.line.replace_all_with(rule.fluid)
            self.log("replacement-changed", f"all {rule.fluid.name}: {rule.text}")
        if len(self.visits) == 1:
            self._tell_strangers()
        self.begun[index - 1].succeed(session)
        yield from session.run()
        self.change()
        self.present = 0
        self.recorder.watched = []
        self.recorder.begin_session(0)
        self.recorder.run(STOPPED)

    def _tell_strangers(self) -> None:
        """Warn of solutes of which nothing is known that a selective filter would do to them."""
        machine = self.scenario.machine
        assert machine is not None
        for name, followed in self.scenario.solutes.items():
            filters = catalog.unknown_to(machine.device, followed.kinetics.kin)
            if filters:
                self.log(
                    "warning",
                    f"nothing is known of how {name} passes the {' and the '.join(filters)} of "
                    f"{machine.device.name}; it is taken to pass freely",
                )

    def _set_up(self, index: int, prescription: Prescription) -> Session:
        machine = self.scenario.machine
        assert machine is not None  # the format refuses sessions without a machine
        luck = partial(self._luck.stream, "session", index) if self._luck else None
        return Session(
            env=self.env,
            bedside=self,
            machine=machine,
            prescription=prescription,
            target=self.target(prescription.exchange, prescription.exchange_unit),
            citrate_limit=machine.device.anticoagulant_infusion_limit * self.blood_volume / 1000,
            attendance=self.scenario.operator,
            sees_to=self.scenario.sees_to,
            luck=luck,
        )

    def target(self, exchange: float, unit: str) -> float:
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

    def _tell_not_run(self) -> None:
        """Sessions that never came are in the log, too."""
        if self._stopped:
            return
        for index, planned in enumerate(self.scenario.sessions, start=1):
            if not self._due[index - 1]:
                day = planned.at / MINUTES_PER_DAY
                self.log("session-not-run", f"session {index} of day {day:g}: the run is over")

    # -- chance -----------------------------------------------------------------------------------

    @staticmethod
    def _luck_of(scenario: Scenario) -> Luck | None:
        """Luck, if the scenario leaves anything to it."""
        by_chance = scenario.machine is not None and scenario.machine.disturbances == "typical"
        return Luck(scenario.seed) if by_chance else None

    def _become_susceptible(self, luck: Luck, index: int) -> Susceptibility:
        """What this patient can suffer in this session."""

        def stream(whose: str, purpose: str) -> Random:
            return luck.stream(*((whose, index) if whose == "session" else (whose,)), purpose)

        return Susceptibility(
            self._reactions,
            self.patient.state,
            self._ionized_calcium,
            self.patient.blood_volume,
            stream,
            first_session=index == 1,
        )

    def _react(self, reaction: catalog.Reaction, wait: float, *, ends: bool) -> Process:
        """A reaction, at its instant."""
        yield self.env.timeout(wait)
        visit = self.visits[-1]
        vitals = self.patient.vitals()
        volume = vitals.blood_volume / visit.pre_blood_volume - 1
        calcium = f"ionized calcium {vitals.ionized_calcium:.2f} mmol/L"
        cause = f"{calcium}, blood volume {100 * volume:+.1f} %"
        visit.session.staff.react(reaction.name, cause, ends=ends)

    # -- summing up -------------------------------------------------------------------------------

    def _ionized_calcium(self, state: State) -> float:
        return self.patient.vitals_of(state).ionized_calcium

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
            solutes=solute_results(scenario, self.recorder.courses, self._levels(), books),
            balance=balance(self.ledger, self.patient),
            references=[use.key for use in sources_of(scenario)],
        )
