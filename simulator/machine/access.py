"""The vascular access: what pressure a flow costs, and how the vessel moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from simulator.catalog import Access

MOVES_EVERY = 1.0
"""Mean minutes between two movements of the vessel at the tip [assumed; see `Vessel`]."""
SLOWER = 0.9
"""Factor on the inlet flow with each new try [reference rule, unverified]."""
RETRY_AFTER = 20 / 60
"""Median minutes until the machine tries again [reference rule, unverified]."""
RETRY_SPREAD = 0.3
"""Standard deviation of the logarithm of that time [assumed]."""
REPOSITIONINGS = 3
"""How often the operator repositions needle or catheter before giving it up [assumed]."""


def access_pressure(vein: float, flow: float, access: Access) -> float:
    """Pressure before the inlet pump, mmHg, at a flow (mL/min) and a vein pressure (mmHg).

    P = P_vein - a Q - b Q²  (laminar and turbulent loss; a and b from the losses at 50 and 100)
    """
    b = (access.pressure_drop_100 - 2 * access.pressure_drop_50) / 5000
    a = access.pressure_drop_50 / 50 - 50 * b
    return vein - a * flow - b * flow**2


@dataclass
class Vessel:
    """Vein pressure at the tip: an Ornstein-Uhlenbeck process, seen when something moves.

    Between two movements (at random, `MOVES_EVERY` min apart) the pressure stays; each brings it on
    by the exact transition of the process, so nothing ticks. Without luck it stays at its mean.
    """

    access: Access
    luck: Random | None = None
    deviation: float = 0.0
    """mmHg above the mean."""

    @property
    def pressure(self) -> float:
        """mmHg"""
        return self.access.vein_pressure + self.deviation

    def settle(self) -> None:
        """Needle or catheter lies anew, where it delivers well."""
        self.deviation = 0.0

    def move(self, minutes: float) -> None:
        """Move on by the transition of the process over so many minutes."""
        if self.luck:
            kept = math.exp(-minutes / self.access.pressure_time)
            fresh = self.access.pressure_spread * math.sqrt(1 - kept**2)
            self.deviation = kept * self.deviation + self.luck.gauss(0.0, fresh)
