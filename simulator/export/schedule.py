"""A run overheard: what was done to the patient, as a list of stretches in which nothing changes.

Nothing is simulated twice and nothing is guessed: the run of a scenario lives with a patient who
notes what reaches him, and the notes are the schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.boundary import REST, Exchange
from simulator.catalog import Fluid
from simulator.patient.patient import Observer, Patient, Watch
from simulator.patient.state import Constants, Therapy
from simulator.scenario.model import Scenario
from simulator.simulation import Run


@dataclass(frozen=True, slots=True)
class Bolus:
    """A mass of a solute (in its mass unit) given into plasma at once."""

    solute: str
    amount: float


@dataclass(frozen=True, slots=True)
class FluidAtOnce:
    """A volume (mL) of a fluid given into plasma at once."""

    fluid: Fluid
    volume: float


@dataclass(frozen=True, slots=True)
class Connected:
    """A circuit is attached, with none of the patient's blood in it."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The circuit is taken away; what is in it is discarded with it."""


@dataclass(frozen=True, slots=True)
class ColumnSwapped:
    """A column with nothing bound takes the place of the one in use."""


Jump = Bolus | FluidAtOnce | Connected | Disconnected | ColumnSwapped
"""What changes the state at an instant."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the same things are done to the patient; min from the start of the run."""

    begin: float
    end: float
    exchange: Exchange
    """What the machine does."""
    therapy: Therapy
    """What is done by hand."""
    first: tuple[Jump, ...] = ()
    """What happens at the instant at which it begins, in this order."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One patient and all that was done to him in a run, without gaps from its start to its end."""

    constants: Constants
    start: tuple[float, ...]
    """The state at the start of the run, as `patient.state` orders it."""
    stretches: tuple[Stretch, ...]

    @property
    def end(self) -> float:
        """Length of the run, min."""
        return self.stretches[-1].end if self.stretches else 0.0


class OverheardPatient(Patient):
    """A patient who notes what is done to him and otherwise is as any other."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._start = tuple(self.state)
        self._stretches: list[Stretch] = []
        self._jumps: list[Jump] = []

    def schedule(self) -> Schedule:
        """What was done up to now; adjoining stretches that do not differ are one."""
        return Schedule(self.constants, self._start, tuple(joined(self._stretches)))

    def inject(self, name: str, amount: float) -> None:
        super().inject(name, amount)
        self._jumps.append(Bolus(name, amount))

    def inject_fluid(self, fluid: Fluid, volume: float) -> None:
        super().inject_fluid(fluid, volume)
        self._jumps.append(FluidAtOnce(fluid, volume))

    def connect(self) -> None:
        super().connect()
        self._jumps.append(Connected())

    def disconnect(self) -> None:
        super().disconnect()
        self._jumps.append(Disconnected())

    def swap_column(self) -> None:
        super().swap_column()
        self._jumps.append(ColumnSwapped())

    def advance(
        self,
        until: float,
        exchange: Exchange = REST,
        observe: Observer | None = None,
        watch: Watch | None = None,
    ) -> None:
        begin = self.time
        super().advance(until, exchange, observe, watch)
        if self.time > begin:
            first = tuple(self._jumps)
            self._jumps.clear()
            self._stretches.append(Stretch(begin, self.time, exchange, self.therapy, first))


def overheard(scenario: Scenario) -> Schedule:
    """Run a scenario and return what was done to the patient.

    Raises `ImpossibleRunError` as `simulate` does.
    """
    run = Run(scenario, OverheardPatient)
    run.result()
    assert isinstance(run.patient, OverheardPatient)
    return run.patient.schedule()


def joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same stretches, adjoining ones in one where only the clock went on between them."""
    result: list[Stretch] = []
    for stretch in stretches:
        if result and _goes_on(result[-1], stretch):
            result[-1] = replace(result[-1], end=stretch.end)
        else:
            result.append(stretch)
    return result


def _goes_on(before: Stretch, after: Stretch) -> bool:
    """Whether nothing changes between two stretches that adjoin.

    What is given back of the circuit has the composition that it has when a stretch begins. That
    composition stays the same as long as nothing else enters or leaves the circuit.
    """
    same = not after.first and (before.exchange, before.therapy) == (after.exchange, after.therapy)
    now = after.exchange
    others = (
        now.blood_to_circuit, now.plasma_to_circuit, now.anticoagulant_to_circuit,
        now.circuit_to_waste, now.plasma_to_patient,
    )  # fmt: skip
    return same and not (now.circuit_to_patient and any(others))
