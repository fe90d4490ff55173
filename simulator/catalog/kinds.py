"""What kind of machine a device is, in words, and what its filters know of a solute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.catalog.entries import (
    SEPARATORS,
    TREATMENTS,
    AdsorberFacts,
    Device,
    FractionatorFacts,
    MembraneFacts,
)

SELECTIVE = 0.9
"""A membrane that lets less than this share of a solute through is meant to tell proteins apart
[assumed]."""


def separator_kind(device: Device) -> str:
    """The kind of a device's separator, as its file says it: centrifuge, bowl or membrane."""
    return next(kind for kind, facts in SEPARATORS.items() if isinstance(device.separator, facts))


def treatment_kind(device: Device) -> str | None:
    """What the plasma passes before it is given back: fractionator or adsorber; None if it is not.

    As for separators, the word of the device's file.
    """
    kinds = (kind for kind, facts in TREATMENTS.items() if isinstance(device.treatment, facts))
    return next(kinds, None)


def machine_kind(device: Device) -> str:
    """What a device is, in a word or two: bowl, double filtration, adsorption."""
    if isinstance(device.treatment, AdsorberFacts):
        return "adsorption"
    if isinstance(device.treatment, FractionatorFacts):
        return "double filtration"
    if _selective_sieving(device):
        return "selective membrane"
    return separator_kind(device)


def unknown_to(device: Device, kin: Sequence[str]) -> tuple[str, ...]:
    """The selective filters of a device that have no coefficient for a solute.

    `kin` are the names of the solute, `Solute.kin`. What such a filter does not know it is taken to
    let pass freely. A membrane that holds nothing back is not asked, nor is a column: what that
    does not name it does not bind.
    """
    tables = {}
    if sieving := _selective_sieving(device):
        tables["membrane"] = sieving
    if isinstance(device.treatment, FractionatorFacts):
        tables["second filter"] = device.treatment.sieving
    return tuple(what for what, table in tables.items() if not any(name in table for name in kin))


def _selective_sieving(device: Device) -> Mapping[str, float]:
    """The sieving coefficients of a membrane that tells proteins apart; empty for all others."""
    separator = device.separator
    if not isinstance(separator, MembraneFacts):
        return {}
    selective = any(share < SELECTIVE for share in separator.sieving.values())
    return separator.sieving if selective else {}
