"""What a machine needs of the place where it stands."""

from __future__ import annotations

from typing import Protocol

from simulator.boundary import Exchange, Vitals
from simulator.catalog import Fluid
from simulator.machine.pumps import PumpFlows


class Bedside(Protocol):
    """Where the machine meets the patient, without knowing that there is physiology."""

    def vitals(self) -> Vitals:
        """The patient as seen now."""
        ...

    def exchange(self, exchange: Exchange, flows: PumpFlows) -> None:
        """From now on do this to the patient, with the pumps at these flows."""
        ...

    def connect(self) -> None:
        """The circuit is attached."""
        ...

    def disconnect(self) -> None:
        """The circuit is taken away and discarded."""
        ...

    def swap_column(self) -> None:
        """A regenerated column takes the place of the loaded one."""
        ...

    def give(self, fluid: Fluid, volume: float, minutes: float) -> None:
        """Somebody gives the patient a fluid by hand: mL, over so many minutes."""
        ...

    def log(self, event: str, detail: str = "") -> None:
        """Something happened."""
        ...
