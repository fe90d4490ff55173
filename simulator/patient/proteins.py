"""Two pools of a protein, its catabolism, and the FcRn that spares IgG."""

from __future__ import annotations

from simulator.elementary import power


def turnover(
    plasma: float, interstitial: float, escape: float, lymph_return: float, catabolism: float
) -> tuple[float, float, float]:
    """Fluxes of one solute between its two pools and out of plasma, mass per min.

    escaping = k₁₂ P,  returning = k₂₁ E,  catabolized = k_c P     [reverberi-2007; textbook]

    `plasma` and `interstitial` in mass, the rates per min.
    """
    return escape * plasma, lymph_return * interstitial, catabolism * plasma


def lymph_return_rate(escape: float, intravascular_fraction: float) -> float:
    """Rate of return k₂₁ (per min) that keeps the pools at rest in their known proportion.

    k₂₁ = k₁₂ f / (1 - f); nothing returns where there is no interstitial pool (f = 1).
    """
    if intravascular_fraction == 1:
        return 0.0
    return escape * intravascular_fraction / (1 - intravascular_fraction)


def interstitial_at_rest(plasma: float, intravascular_fraction: float) -> float:
    """Interstitial mass that belongs to a plasma mass at rest: E = P (1 - f) / f."""
    return plasma * (1 - intravascular_fraction) / intravascular_fraction


def catabolic_rate(
    intrinsic: float,
    protected_fraction: float,
    half_saturation: float,
    total_igg: float,
    fcrn_blockade: float = 0.0,
) -> float:
    """Fractional catabolic rate of the plasma pool, per min, at a total IgG (g/L).

    k_c = k_int [1 - φ (1 - b) K / (K + C)]

    FcRn recycles the share φ of what is taken up, less as total IgG C competes for it and less
    the share b that a drug blocks [form: kim-2007; values: valenzuela-2025 with the catabolic
    rates of waldmann-1969]. Without FcRn, φ is 0 and the rate is k_int.
    """
    free = half_saturation / (half_saturation + total_igg)
    return intrinsic * (1 - protected_fraction * (1 - fcrn_blockade) * free)


def oncotic_synthesis(at_rest: float, oncotic_ratio: float, gain: float) -> float:
    """Synthesis (mass per min) that answers a fall of plasma oncotic pressure.

    S = S_rest (π_rest / π)^g

    To first order the S_rest [1 + g (1 - π / π_rest)] of the reference model, but never negative.
    """
    return at_rest * power(oncotic_ratio, -gain)
