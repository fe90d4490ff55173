"""The benchmark problem PEX-28: five exchanges in 28 days, eleven states, in minutes.

One set of rates, written once in plain Python; every contender gets it in its own way. Order of the
states: Vp, Cit, CaT, then plasma and interstitial amounts of antibody, IgG, albumin, fibrinogen
(L, mmol/L, g). The values are plausible choices made for a benchmark, not a clinical parameter set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.elementary import square_root

HOUR = 60.0
NAMES = ("Vp", "Cit", "CaT", "ABp", "IGp", "ALp", "FBp", "ABi", "IGi", "ALi", "FBi")
SOLUTES = ("AB", "IG", "AL", "FB")
FLOWS = ("Q", "Qrep", "Qin", "alb_in", "cit_in")
UNTIL = 672 * HOUR

#: Phases of a session: minutes, exchange fraction, saline per liter and hour, citrate factor.
PHASES = ((3, 0.0, 0.10, 0.0), (7, 0.5, 0.0, 0.5), (40, 1.0, 0.0, 1.0), (5, 0.0, 0.0, 0.0),
          (45, 0.95, 0.0, 0.95), (10, 0.0, 0.36, 0.2))  # fmt: skip
EXCHANGE_RATE = 60 / 86.25  # of the exchange volume, per hour

GOLDEN: Mapping[float, Mapping[str, float]] = {
    9.8333333333: {"ABp": 0.0849787182336218, "IGp": 16.9957436467244, "ALp": 128.471754795395,
                       "FBp": 5.09357930410008, "Vp": 2.91015016736901, "Cit": 0.488922915917325,
                       "CaT": 1.14970308789097},
    10.8333333333: {"ABp": 0.0510007045052575, "IGp": 10.2001409010515, "ALp": 133.371468719651,
                        "FBp": 3.04084815807502, "Vp": 3.04684148716336, "Cit": 0.552896593167344,
                        "CaT": 1.21380013903706},
    202.8333333333: {"ABp": 0.0178402446412677, "IGp": 3.56804892825353, "ALp": 135.202848420932,
                         "FBp": 1.45721079818597, "Vp": 2.98132962731094, "Cit": 0.55289659316734,
                         "CaT": 1.21380013904703},
    672.0: {"ABp": 0.10352901093365, "IGp": 20.70580218673, "ALp": 125.753882152048,
                "FBp": 8.6785520527216, "Vp": 2.93078501983591, "CaT": 1.2},
}  # fmt: skip
"""Values of the default patient at hours, from an 80-bit integration with steps of 9 s."""


def defaults(weight: float = 70.0, hematocrit: float = 0.40, **changes: float) -> dict[str, float]:
    """The parameters of a patient, per hour; what depends on others is derived."""
    p = {
        "Vp0": 0.070 * weight * (1 - hematocrit), "Vi": 0.15 * weight, "Vecf": 0.20 * weight,
        "C_AB": 0.05, "C_IG": 10.0, "C_AL": 40.0, "C_FB": 3.0,
        "r_AB": 1.1, "r_IG": 1.1, "r_AL": 1.5, "r_FB": 0.25,
        "TER_IG": 0.03, "TER_AL": 0.05, "TER_FB": 0.02,
        "k0": 0.17 / 24, "Fr": 0.94, "KF": 14.0, "kal": 0.10 / 24, "kfb": 0.25 / 24,
        "Kf": 0.05, "E": 15.0, "coth": 1.5, "cothi": 0.5, "kcit": 1.2, "Kd": 0.40, "kbone": 0.5,
        "Ca0": 1.20, "dose": 1.1,
    }  # fmt: skip
    p |= changes
    p["TER_AB"], p["qs"] = p["TER_IG"], p["dose"] * p["Vp0"]
    fcr = p["k0"] * (1 - p["Fr"] * p["KF"] / (p["KF"] + p["C_AB"] + p["C_IG"]))
    for s in SOLUTES:
        amount = p[f"C_{s}"] * p["Vp0"]
        p[f"K1_{s}"] = p[f"TER_{s}"] * p["Vp0"]
        p[f"K2_{s}"] = p[f"K1_{s}"] * p[f"C_{s}"] / (p[f"r_{s}"] * amount / p["Vi"])
        p[f"S_{s}"] = {"AL": p["kal"], "FB": p["kfb"]}.get(s, fcr) * amount
    pressures = [
        oncotic(0.1 * sum(p[f"C_{s}"] for s in SOLUTES) + p["coth"]),
        oncotic(0.1 * sum(p[f"r_{s}"] * p[f"C_{s}"] * p["Vp0"] / p["Vi"] for s in SOLUTES)
                + p["cothi"]),
    ]  # fmt: skip
    p["dP0"] = pressures[0] - pressures[1]
    return p


def oncotic(c: float) -> float:
    """Oncotic pressure, mmHg, of a protein concentration, g/dL."""
    return c * (2.1 + c * (0.16 + 0.009 * c))


def at_rest(p: Mapping[str, float]) -> list[float]:
    """The equilibrium, from which every run begins."""
    plasma = [p[f"C_{s}"] * p["Vp0"] for s in SOLUTES]
    return [p["Vp0"], 0.0, p["Ca0"], *plasma,
            *(p[f"r_{s}"] * amount for s, amount in zip(SOLUTES, plasma, strict=True))]  # fmt: skip


def make(p: Mapping[str, Any], start: Sequence[Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """The rates per minute of a patient under constant flows (`FLOWS` among the parameters)."""
    del start
    kf, fr, k0 = p["KF"], p["Fr"], p["k0"]
    vi, vecf = p["Vi"], p["Vecf"]
    k1_ab, k1_al, k1_fb = p["K1_AB"], p["K1_AL"], p["K1_FB"]
    k2_ab, k2_al, k2_fb = p["K2_AB"], p["K2_AL"], p["K2_FB"]
    s_ab, s_ig, s_al, s_fb = p["S_AB"], p["S_IG"], p["S_AL"], p["S_FB"]
    kal, kfb, kcit, kbone, ca0, kd = p["kal"], p["kfb"], p["kcit"], p["kbone"], p["Ca0"], p["Kd"]
    k_f, e, coth, cothi, dp0, vp0 = p["Kf"], p["E"], p["coth"], p["cothi"], p["dP0"], p["Vp0"]
    q, q_rep, q_in, alb_in, cit_in = (p[name] for name in FLOWS)

    def rates(y: Sequence[Any]) -> list[Any]:
        vp, cit, cat, ab, ig, al, fb, abi, igi, ali, fbi = y
        c_ab, c_ig, c_al, c_fb = ab / vp, ig / vp, al / vp, fb / vp
        i_ab, i_ig, i_al, i_fb = abi / vi, igi / vi, ali / vi, fbi / vi
        fcr = k0 * (1 - fr * kf / (kf + c_ab + c_ig))
        x_ab, x_ig = k1_ab * c_ab - k2_ab * i_ab, k1_ab * c_ig - k2_ab * i_ig
        x_al, x_fb = k1_al * c_al - k2_al * i_al, k1_fb * c_fb - k2_fb * i_fb
        cp = 0.1 * (c_ab + c_ig + c_al + c_fb) + coth
        ci = 0.1 * (i_ab + i_ig + i_al + i_fb) + cothi
        pull = cp * (2.1 + cp * (0.16 + 0.009 * cp)) - ci * (2.1 + ci * (0.16 + 0.009 * ci))
        b = cat + cit + kd
        free = cat - (b - square_root(b * b - 4 * cat * cit)) / 2
        return [
            (q_rep + q_in - q + k_f * (pull - dp0 - e * (vp - vp0))) / HOUR,
            ((cit_in - q * cit) / vecf - kcit * cit) / HOUR,
            (kbone * (ca0 - free) - q * cat / vecf) / HOUR,
            (s_ab - fcr * ab - x_ab - q * c_ab) / HOUR,
            (s_ig - fcr * ig - x_ig - q * c_ig) / HOUR,
            (s_al - kal * al - x_al - q * c_al + alb_in) / HOUR,
            (s_fb - kfb * fb - x_fb - q * c_fb) / HOUR,
            x_ab / HOUR, x_ig / HOUR, x_al / HOUR, x_fb / HOUR,
        ]  # fmt: skip

    return rates


def ionized(y: Sequence[Any], kd: Any) -> Any:
    """Ionized calcium, mmol/L."""
    b = y[2] + y[1] + kd
    return y[2] - (b - square_root(b * b - 4 * y[2] * y[1])) / 2


def segments() -> list[tuple[float, tuple[float, ...]]]:
    """Minutes and flows (`FLOWS`, per liter of exchange volume and hour) of all stretches."""
    none = (0.0,) * len(FLOWS)
    found: list[tuple[float, tuple[float, ...]]] = []
    time = 0.0
    for session in range(5):
        start = (9 + 48 * session) * HOUR
        found.append((start - time, none))
        time = start
        for minutes, fraction, saline, citrate in PHASES:
            q = fraction * EXCHANGE_RATE
            flows = (q, 0.98 * q, saline, 50 * 0.98 * q, 4.6 * citrate)
            found.append((float(minutes), flows))
            time += minutes
    found.append((UNTIL - time, none))
    return found


def flows_of(per_liter: Sequence[float], qs: float) -> dict[str, float]:
    """The flows of a patient whose exchange volume is `qs` L."""
    return {name: qs * value for name, value in zip(FLOWS, per_liter, strict=True)}


PAIRS_FELT = ((1, 2), (0, 5, 3, 4, 6, 7, 8, 9, 10))
"""What relaxes within hours: citrate and calcium; the plasma volume, with albumin."""
