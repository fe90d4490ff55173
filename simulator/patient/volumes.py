"""How much blood and plasma a patient has, by the published estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.elementary import power, square_root

if TYPE_CHECKING:
    from simulator.orders import PatientDescription

INTERSTITIAL_ML_PER_KG = 160.0
"""Interstitial fluid of an adult, mL per kg of body weight.

[assumed: 11 L in 70 kg, between the 0.15 L/kg of the benchmark problem and the textbook 0.17.]
"""


def nadler_blood_volume(height_m: float, weight_kg: float, sex: str) -> float:
    """Blood volume (mL) of an adult by height, weight and sex [nadler-1962].

    V = 1000 (a h³ + b w + c)
    """
    a, b, c = (0.3669, 0.03219, 0.6041) if sex == "male" else (0.3561, 0.03308, 0.1833)
    return 1000 * (a * height_m**3 + b * weight_kg + c)


def lemmens_blood_volume(height_m: float, weight_kg: float) -> float:
    """Blood volume (mL), falling per kg as body mass index rises [lemmens-2006, unverified].

    V = 70 w / √(BMI / 22)
    """
    body_mass_index = weight_kg / height_m**2
    return 70 * weight_kg / square_root(body_mass_index / 22)


def per_kg_blood_volume(weight_kg: float) -> float:
    """Blood volume (mL) at 70 mL per kg of body weight."""
    return 70 * weight_kg


def kaplan_plasma_volume(weight_kg: float, hematocrit: float) -> float:
    """Plasma volume (mL) by weight and hematocrit [kaplan-1992].

    V = 65 w (1 - Hct)
    """
    return 65 * weight_kg * (1 - hematocrit)


def icsh_plasma_volume(height_m: float, weight_kg: float, sex: str) -> float:
    """Plasma volume (mL) by body surface [icsh-1995; coefficients unverified].

    V = 1578 BSA (men), 1395 BSA (women)
    """
    return (1578 if sex == "male" else 1395) * body_surface(height_m, weight_kg)


def body_surface(height_m: float, weight_kg: float) -> float:
    """Body surface (m²) by DuBois and DuBois.

    BSA = 0.007184 w^0.425 (100 h)^0.725
    """
    return 0.007184 * power(weight_kg, 0.425) * power(100 * height_m, 0.725)


#: Methods that estimate the blood volume; the plasma volume follows from the hematocrit.
BLOOD_VOLUME: dict[str, Callable[[PatientDescription], float]] = {
    "nadler": lambda p: nadler_blood_volume(p.height, p.weight, p.sex),
    "lemmens": lambda p: lemmens_blood_volume(p.height, p.weight),
    "per-kg": lambda p: per_kg_blood_volume(p.weight),
}

#: Methods that estimate the plasma volume; the blood volume follows from the hematocrit.
PLASMA_VOLUME: dict[str, Callable[[PatientDescription], float]] = {
    "kaplan": lambda p: kaplan_plasma_volume(p.weight, p.hematocrit),
    "icsh": lambda p: icsh_plasma_volume(p.height, p.weight, p.sex),
}


@dataclass(frozen=True, slots=True)
class Volumes:
    """The patient's fluids at rest, mL."""

    plasma: float
    red_cells: float
    interstitial: float
    f_cell_ratio: float

    @property
    def blood(self) -> float:
        """Blood volume, mL."""
        return self.plasma + self.red_cells


def volumes(patient: PatientDescription) -> Volumes:
    """The patient's volumes at rest, from what is stated and, for the rest, the estimate.

    The body's red cells are the F-cell ratio times what venous blood would suggest
    [chaplin-1953]: red cells = F Hct V, plasma = (1 - F Hct) V.
    """
    whole_body_hematocrit = patient.f_cell_ratio * patient.hematocrit
    method = patient.blood_volume_method
    blood, plasma = patient.blood_volume, patient.plasma_volume
    f_cell_ratio = patient.f_cell_ratio
    if blood is not None and plasma is not None:
        # both stated: the ratio is no longer free
        f_cell_ratio = (1 - plasma / blood) / patient.hematocrit
    elif blood is not None:
        plasma = blood * (1 - whole_body_hematocrit)
    elif plasma is not None or method in PLASMA_VOLUME:
        plasma = PLASMA_VOLUME[method](patient) if plasma is None else plasma
        blood = plasma / (1 - whole_body_hematocrit)
    else:
        blood = BLOOD_VOLUME[method](patient)
        plasma = blood * (1 - whole_body_hematocrit)
    return Volumes(
        plasma=plasma,
        red_cells=blood - plasma,
        interstitial=INTERSTITIAL_ML_PER_KG * patient.weight,
        f_cell_ratio=f_cell_ratio,
    )
