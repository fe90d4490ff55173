"""The double-entry ledger: what is in circulation equals what came in less what went out."""

from __future__ import annotations

from collections import defaultdict

IN_CIRCULATION = "in circulation"
"""The account of everything inside the patient or the circuit."""
PLASMA_LINE = "plasma line"
"""Plasma under treatment: what comes in goes to waste, to the adsorber or back; nothing stays."""
ADSORBER = "adsorber"
"""What columns have bound."""
RETURNED = "returned plasma"
"""What treated plasma brings back; from here it is in circulation again."""


class Ledger:
    """Amounts moved between accounts, by substance.

    Every posting has two sides. The account `IN_CIRCULATION` can be weighed independently, from
    the state of the patient and the circuit; the difference is the residual that must vanish.
    Amounts: mL for water and red cells, mmol for citrate and calcium, the solute's own mass unit.
    """

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], float] = defaultdict(float)
        self._received: dict[tuple[str, str], float] = defaultdict(float)
        self._turned_over: dict[str, float] = defaultdict(float)

    def post(self, substance: str, amount: float, *, source: str, target: str) -> None:
        """Move `amount` of `substance` from one account to another."""
        self._accounts[substance, source] -= amount
        self._accounts[substance, target] += amount
        self._received[substance, target] += amount
        self._turned_over[substance] += abs(amount)

    def balance(self, substance: str, account: str) -> float:
        """What an account has received less what it has given."""
        return self._accounts.get((substance, account), 0.0)

    def received(self, substance: str, account: str) -> float:
        """All that was ever moved to an account, whatever left it again."""
        return self._received.get((substance, account), 0.0)

    def accounts(self, substance: str) -> dict[str, float]:
        """All accounts of one substance; their sum is zero."""
        return {account: v for (s, account), v in self._accounts.items() if s == substance}

    def residual(self, substance: str, weighed: float) -> float:
        """What is found in circulation less what the books say should be there."""
        return weighed - self.balance(substance, IN_CIRCULATION)

    def relative_residual(self, substance: str, weighed: float) -> float:
        """The residual over all that was ever moved (0 where nothing was)."""
        moved = self._turned_over[substance]
        return self.residual(substance, weighed) / moved if moved else 0.0
