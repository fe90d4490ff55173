"""Identifiers of an exported model: readable, legal in SBML, and never the same for two things."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RESERVED = """
    abs and assigned at avogadro boundary ceil compartment const delay delete delta delta_t
    e end event exp exponentiale extent factorial false floor formula function gene has identity
    import in inf infinity is length ln log log10 max min model module nan not or pi piecewise
    priority quotient rate rateof reaction rem root species sqrt substance substanceonly t0 time
    time_unit true unit uncertainty var volume xor maximize minimize constraint fromtrigger
    persistent area interaction
"""
_COMMON = """
    oncotic_pressure blood_to_circuit plasma_to_circuit anticoagulant_to_circuit circuit_to_waste
    plasma_to_patient fcrn_blockade column_capacity column_bound_igg column_free f_cell_ratio
    fluids_given red_cells_given oncotic_pressure_at_rest plasma_oncotic_pressure
    interstitial_oncotic_pressure interstitial_oncotic_pressure_at_rest plasma_volume
    interstitial_volume red_cells blood_volume hematocrit plasma_volume_at_rest
    interstitial_volume_at_rest filtration_coefficient reflection plasma_compliance
    interstitial_compliance renal_time protein_space filtered excreted red_cells_drawn plasma_drawn
    circuit_volume share_per_mL share_leaving share_given_back circuit_red_cells
    circuit_plasma_volume circuit_added_volume red_cells_returning plasma_volume_returning
    added_volume_returning
"""

RESERVED = frozenset(_RESERVED.split())
"""Words of the Antimony language, and what a reader of formulas takes for something else."""
COMMON = tuple(_COMMON.split())
"""What every model may hold, whatever its solutes and fluids are called."""


class Names:
    """Gives out identifiers; what was asked for before gets the same one again."""

    def __init__(self, common: Iterable[str] = COMMON) -> None:
        self._given: dict[tuple[str, ...], str] = {(name,): name for name in common}
        self._taken = {*RESERVED, *(name.lower() for name in self._given.values())}

    def of(self, *parts: str) -> str:
        """The identifier of what these words name: hyphens and the like become underscores.

        Two things whose words come out the same are told apart by a number.
        """
        if parts not in self._given:
            words = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(parts)).strip("_") or "unnamed"
            stem = f"_{words}" if words[0].isdigit() else words
            identifier, number = stem, 1
            while identifier.lower() in self._taken:
                number += 1
                identifier = f"{stem}_{number}"
            self._taken.add(identifier.lower())
            self._given[parts] = identifier
        return self._given[parts]


def one_line(text: str) -> str:
    """Any text as one line of printable characters without double quotes: safe in a comment."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.replace('"', "'").split())
