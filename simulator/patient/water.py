"""Water between plasma, interstitium and kidneys: what holds the blood volume up.

Only differences from the patient at rest matter, so the equations carry no resting pressures:
at rest filtration equals lymph flow, and intake equals urine.
"""

from __future__ import annotations

ALBUMIN_SCALE = 0.915
"""Makes the albumin polynomial give the 13.6 mmHg measured for 4 % albumin [derived; aas-1993]."""

FILTRATION = 121 / 60
"""Whole-body capillary filtration coefficient, mL/min per mmHg.

[unverified: the literature's value, as the reference quotes it; not tuned.]
"""

REFLECTION = 0.95
"""Share of the oncotic pressure difference that acts across the capillary wall.

[derived: of a prototype tuned to the relative blood volumes of three patients (CRIT-LINE).]
"""

COMPLIANCE = 150.0
"""Plasma volume per capillary pressure, mL/mmHg; 150-200 [as REFLECTION]."""

RENAL_TIME = 1440.0
"""Time constant, min, with which intake and urine bring the body water back [assumed: a day]."""


def oncotic_pressure(albumin: float, globulin: float) -> float:
    """Colloid oncotic pressure, mmHg, of albumin and globulin in g/dL [landis-pappenheimer].

    Each polynomial at the total concentration c, weighted by the share of its protein:
    albumin 2.8 c + 0.18 c² + 0.012 c³, globulin 1.6 c + 0.15 c² + 0.006 c³ [unverified].
    """
    total = albumin + globulin
    per_albumin = ALBUMIN_SCALE * (2.8 + total * (0.18 + total * 0.012))
    per_globulin = 1.6 + total * (0.15 + total * 0.006)
    return albumin * per_albumin + globulin * per_globulin


def filtration(
    plasma_excess: float, plasma_oncotic_rise: float, interstitial_oncotic_rise: float
) -> float:
    """Net water leaving plasma for the interstitium, mL/min, from the state at rest [Starling].

    J = K_f [ΔV_p / C - σ (Δπ_p - Δπ_i)]

    `plasma_excess`: plasma volume above rest, mL; oncotic rises in mmHg above rest. Interstitial
    pressure and lymph flow are held at rest.
    """
    hydrostatic_rise = plasma_excess / COMPLIANCE
    oncotic_rise = REFLECTION * (plasma_oncotic_rise - interstitial_oncotic_rise)
    return FILTRATION * (hydrostatic_rise - oncotic_rise)


def excretion(water_excess: float) -> float:
    """Urine in excess of intake, mL/min, for a body water above rest (mL) [assumed]."""
    return water_excess / RENAL_TIME
