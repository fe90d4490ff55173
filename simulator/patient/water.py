"""Water between plasma, interstitium and kidneys: what holds the blood volume up.

Only differences from the patient at rest matter, so the equations carry no resting pressures:
at rest filtration equals lymph flow, and intake equals urine.
"""

from __future__ import annotations

ALBUMIN_SCALE = 0.915
"""Makes the albumin polynomial give the 13.6 mmHg measured for 4 % albumin [derived; aas-1993]."""

FILTRATION = 10.0
"""Capillary filtration coefficient, mL/min per mmHg, of a body with 3 L of plasma.

[pietribiasi-2016, abstract: 10.0 (SD 8.4), estimated from plasma volume and protein in hemodialysis
sessions of hours; that it grows with the plasma volume is assumed. Published values span 2 to 20.
Above some 5, saline is felt most when it comes last; see MODEL.md.]
"""

REFLECTION = 0.95
"""Share of the oncotic pressure difference that acts across the capillary wall.

[derived: of a prototype tuned to the relative blood volumes of three patients (CRIT-LINE).]
"""

COMPLIANCE = 0.05
"""Relative rise of plasma volume per mmHg of capillary pressure: 150 mL of 3 L [as REFLECTION]."""

INTERSTITIAL_COMPLIANCE = 0.14
"""Relative rise of interstitial volume per mmHg of interstitial pressure.

[reed-1981, abstract: rat muscle, 14 % per mmHg about and below the volume at rest; far above it the
pressure levels off 1-1.5 mmHg above rest, which is not modeled.]
"""

AVAILABLE = 0.5
"""Share of the interstitial volume at rest that is open to albumin.

[reed-1989, abstract: 44-58 % of it is closed in rat skin. Used for globulin too: assumed. With it
the interstitial oncotic pressure at rest is 12-13 mmHg; measured in man 10-16, noddeland-1982.]
"""

AVAILABLE_OF_RISE = 0.7
"""Share of a change of interstitial volume that is open to albumin [reed-1989, abstract]."""

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


def protein_space(interstitial: float, interstitial_at_rest: float) -> float:
    """Interstitial volume (mL) in which protein is dissolved; the matrix keeps it out of the rest.

    V_a = 0.5 V_i,rest + 0.7 (V_i - V_i,rest)     [reed-1989, abstract; rat skin]
    """
    excess = interstitial - interstitial_at_rest
    return AVAILABLE * interstitial_at_rest + AVAILABLE_OF_RISE * excess


def filtration(
    plasma_at_rest: float,
    plasma_excess: float,
    interstitial_excess: float,
    plasma_oncotic_rise: float,
    interstitial_oncotic_rise: float,
) -> float:
    """Net water leaving plasma for the interstitium, mL/min, from the state at rest [Starling].

    J = K_f V_p,rest / 3 L [ΔV_p / V_p,rest / c_p - ΔV_i / V_i,rest / c_i - σ (Δπ_p - Δπ_i)]

    `plasma_at_rest` in mL; both excesses as fractions of the volumes at rest; oncotic rises in mmHg
    above rest. Lymph flow is held at rest.
    """
    hydrostatic_rise = plasma_excess / COMPLIANCE - interstitial_excess / INTERSTITIAL_COMPLIANCE
    oncotic_rise = REFLECTION * (plasma_oncotic_rise - interstitial_oncotic_rise)
    return FILTRATION * plasma_at_rest / 3000 * (hydrostatic_rise - oncotic_rise)


def excretion(water_excess: float) -> float:
    """Urine in excess of intake, mL/min, for a body water above rest (mL) [assumed]."""
    return water_excess / RENAL_TIME
