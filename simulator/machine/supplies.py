"""Bottles and bags: what is hanging on the machine, and when the next one is due."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.catalog import Fluid
from simulator.orders import Replacement

LEFT_BY_ROUNDING = 1e-6
"""mL: more than rounding ever leaves of what has been given, or is still to be given."""


@dataclass(slots=True)
class Container:
    """A bag that is drawn from or filled, of finite size, replaced by an equal one."""

    size: float
    """mL"""
    room: float = math.nan
    """mL left in it to be used."""

    def __post_init__(self) -> None:
        self.room = self.size

    def change(self) -> None:
        """Hang a new one."""
        self.room = self.size

    def run_out(self) -> None:
        """Nothing is left of it, but for what rounding would leave."""
        self.room = 0.0


class ReplacementLine:
    """The replacement fluids in the prescribed order of use, bottle by bottle.

    Shares are of the whole volume that the session will replace. That volume is only known at its
    end; the best estimate at the moment (`total`) decides when the next fluid is due.
    """

    def __init__(self, orders: tuple[Replacement, ...]) -> None:
        self.orders = orders
        self.used = [0.0] * len(orders)
        self._place = 0
        self._bottle = Container(orders[0].fluid.container) if orders else Container(math.inf)

    @property
    def fluid(self) -> Fluid:
        """The fluid that is hanging."""
        return self.orders[self._place].fluid

    @property
    def replaced(self) -> float:
        """Volume given so far, mL."""
        return sum(self.used)

    def until_bottle_empty(self) -> float:
        """mL left in the bottle."""
        return self._bottle.room

    def until_next_fluid(self, total: float) -> float:
        """mL to give before the next fluid is due; infinite for the last one."""
        if self._place == len(self.orders) - 1:
            return math.inf
        return max(0.0, self._amount(total) - self.used[self._place])

    def empties_first(self, total: float) -> bool:
        """Whether the bottle is empty before the next fluid is due.

        An amount of whole bottles ends with its last one, and rounding must not decide whether one
        more is hung for nothing: of both at once, only the next fluid counts.
        """
        if self._place == len(self.orders) - 1:
            return True
        return self.until_next_fluid(total) > self._bottle.room + LEFT_BY_ROUNDING

    def give(self, volume: float) -> None:
        """Count a volume (mL) as given."""
        self.used[self._place] += volume
        self._bottle.room -= volume

    def run_out(self) -> None:
        """The bottle is empty."""
        self._bottle.run_out()

    def change_bottle(self) -> None:
        """Hang the next bottle of the same fluid."""
        self._bottle.change()

    def change_fluid(self) -> None:
        """Hang the first bottle of the next fluid."""
        self._place += 1
        self._bottle = Container(self.fluid.container)

    def only(self, fluid: Fluid) -> bool:
        """Whether nothing but this fluid is still to come."""
        return all(order.fluid == fluid for order in self.orders[self._place :])

    def replace_all_with(self, fluid: Fluid) -> None:
        """From now on give this fluid only; what has been given stays counted."""
        if self.orders and self.used[self._place] > 0:
            self._place += 1
        self.orders = (*self.orders[: self._place], Replacement(fluid, share=1.0))
        self.used = [*self.used[: self._place], 0.0]
        self._bottle = Container(fluid.container)

    def beyond_order(self) -> float:
        """mL of the last fluid given beyond a volume that was ordered of it."""
        order = self.orders[self._place] if self.orders else None
        if order is None or order.volume is None:
            return 0.0
        return self.used[self._place] - order.volume

    def used_by_fluid(self) -> dict[str, float]:
        """mL given so far, by fluid."""
        volumes: dict[str, float] = {}
        for order, used in zip(self.orders, self.used, strict=True):
            volumes[order.fluid.name] = volumes.get(order.fluid.name, 0.0) + used
        return volumes

    def citrate_given(self) -> float:
        """Citrate in the fluids given so far, mmol."""
        per_order = zip(self.orders, self.used, strict=True)
        return sum(used * order.fluid.citrate for order, used in per_order) / 1000

    def _amount(self, total: float) -> float:
        """How much of the present fluid the prescription asks for, mL."""
        order = self.orders[self._place]
        if order.share is not None:
            return order.share * total
        if order.volume is not None:
            return order.volume
        shares = sum(o.share or 0.0 for o in self.orders)
        return (1 - shares) * total - sum(o.volume or 0.0 for o in self.orders)
