"""Citrate and calcium: what anticoagulant, plasma loss and calcium given do to ionized calcium.

One well-mixed compartment each. The constants are those of the reference prototype; they are not
yet calibrated against measured sessions, so ionized calcium is a first estimate [unverified].
"""

from __future__ import annotations

import math

CITRATE_VOLUME = 30.0
"""Distribution volume of citrate, L [derived from kramer-2003]."""

CITRATE_CLEARANCE = 0.71
"""Normal clearance of citrate, L/min [kramer-2003, abstract]."""

CITRATE_AT_REST = 0.1
"""Citrate of normal plasma, mmol/L [unverified]."""

CALCIUM_LITER_PER_KG = 0.2
"""Distribution volume of diffusible calcium: extracellular fluid, L/kg [textbook, unverified]."""

CITRATE_DISSOCIATION = 0.40
"""Dissociation constant of calcium citrate, mmol/L [unverified: 1.6-3 /mmol/L association]."""

ALBUMIN_SITES = 12 * 0.1 / 66.5
"""Calcium bound per g/L of albumin and mmol/L of ionized calcium, mmol/g

[unverified: about 12 sites of 0.1 per mmol/L on a protein of 66.5 kg/mol, far from saturation.]
"""

BONE_EXCHANGE = 0.9
"""Fast exchange of ionized calcium with bone, L/min [derived from zhao-weinstein-2019]."""


def metabolized_citrate(citrate: float, clearance: float) -> float:
    """Citrate burnt beyond the body's own production, mmol/min [kramer-2003].

    `citrate` mmol/L, `clearance` L/min: J = CL (C - C_rest)
    """
    return clearance * (citrate - CITRATE_AT_REST)


def ionized_calcium(
    calcium: float, citrate: float, albumin: float, plasma_volume: float, fluid_volume: float
) -> float:
    """Ionized calcium, mmol/L, in equilibrium with citrate and albumin.

    `calcium` mmol in the extracellular fluid of `fluid_volume` L, of which `plasma_volume` L holds
    `albumin` g/L; `citrate` mmol/L. With i the ionized and z = i citrate/(K + i) the citrate-bound
    concentration, and a the albumin-bound share: calcium / V = i (1 + a) + z, solved for i.
    """
    bound = ALBUMIN_SITES * albumin * plasma_volume / fluid_volume
    a = 1 + bound
    m = calcium / fluid_volume
    b = a * CITRATE_DISSOCIATION + citrate - m
    return (-b + math.sqrt(b * b + 4 * a * m * CITRATE_DISSOCIATION)) / (2 * a)


def total_calcium(ionized: float, citrate: float, albumin: float) -> float:
    """Calcium of plasma in all its forms, mmol/L."""
    citrate_bound = citrate * ionized / (CITRATE_DISSOCIATION + ionized)
    return ionized + citrate_bound + ALBUMIN_SITES * albumin * ionized


def calcium_content(
    ionized: float, citrate: float, albumin: float, plasma_volume: float, fluid_volume: float
) -> float:
    """Calcium (mmol) of the extracellular fluid; the inverse of `ionized_calcium`."""
    bound = ALBUMIN_SITES * albumin * plasma_volume / fluid_volume
    citrate_bound = citrate * ionized / (CITRATE_DISSOCIATION + ionized)
    return fluid_volume * (ionized * (1 + bound) + citrate_bound)


def released_from_bone(ionized: float, at_rest: float) -> float:
    """Calcium that bone gives to the blood, mmol/min; negative when it takes calcium up."""
    return BONE_EXCHANGE * (at_rest - ionized)
