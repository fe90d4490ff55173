"""The patient's state, one list of numbers: what stands where, and what can be read from it.

Units: mL, mmol, the solutes' own mass units, per min.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simulator import catalog, units
from simulator.catalog import Catabolism, Fluid, Solute
from simulator.patient import minerals, proteins, water
from simulator.patient.integrator import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.orders import FollowedSolute

BODY = 7
"""Plasma volume, interstitial volume, red cells (mL), citrate, calcium, magnesium (mmol), and what
the parathyroid glands hold ready (1 at rest)."""
BODY_POOLS = (
    "plasma volume",
    "interstitial volume",
    "red cells",
    "citrate",
    "calcium",
    "magnesium",
    "parathyroid store",
)
"""Their names, in words."""
CIRCUIT = 7
"""Red cells, plasma, added fluid (mL), citrate, calcium, magnesium (mmol) outside the body, and the
IgG that the column in use has bound (g)."""
ALBUMIN, IGG, OTHER_GLOBULINS = 0, 1, 2
"""Places of the solutes that hold the oncotic pressure; these always come first."""
INTERNAL = "other-globulins"
"""Carries oncotic pressure with albumin and IgG; followed in every patient, shown in none."""
COMMON_FLUXES = 7
"""Fluxes that stand before those of the solutes: see `FluxTotals`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number stands in the state: body, plasma, interstitium, circuit, its solutes."""

    solutes: int

    @property
    def plasma(self) -> slice:
        """Masses of the solutes in plasma."""
        return slice(BODY, BODY + self.solutes)

    @property
    def interstitium(self) -> slice:
        """Masses of the solutes in the interstitium."""
        return slice(BODY + self.solutes, BODY + 2 * self.solutes)

    @property
    def patient(self) -> slice:
        """All that is inside the body."""
        return slice(0, BODY + 2 * self.solutes)

    @property
    def circuit(self) -> slice:
        """Volumes and minerals outside the body."""
        start = BODY + 2 * self.solutes
        return slice(start, start + CIRCUIT)

    @property
    def circuit_solutes(self) -> slice:
        """Masses of the solutes outside the body."""
        start = BODY + 2 * self.solutes + CIRCUIT
        return slice(start, start + self.solutes)


@dataclass(frozen=True, slots=True)
class SoluteConstants:
    """What the equations need to know of one solute; rates per min."""

    name: str
    escape: float
    lymph_return: float
    catabolism: Catabolism
    synthesis_at_rest: float
    """Mass per min that keeps the initial level steady."""
    synthesis_gain: float
    sieving: float
    per_volume: float
    unit: str
    kin: tuple[str, ...]
    """Names under which a filter or a column may know it."""

    @classmethod
    def of(cls, solute: Solute, plasma_mass: float, total_igg: float) -> SoluteConstants:
        """The constants of a solute in a patient at rest with this plasma mass and IgG (g/L)."""
        escape = solute.transcapillary_escape
        k = solute.catabolism
        at_rest = proteins.catabolic_rate(
            k.intrinsic, k.protected_fraction, k.half_saturation, total_igg
        )
        return cls(
            name=solute.name,
            escape=escape,
            lymph_return=proteins.lymph_return_rate(escape, solute.intravascular_fraction),
            catabolism=solute.catabolism,
            synthesis_at_rest=at_rest * plasma_mass,
            synthesis_gain=solute.synthesis_gain,
            sieving=solute.sieving,
            per_volume=solute.per_volume,
            unit=solute.unit,
            kin=solute.kin or (solute.name,),
        )


@dataclass(frozen=True, slots=True)
class Constants:
    """The patient at rest, and what is not part of the state."""

    solutes: tuple[SoluteConstants, ...]
    plasma_volume: float
    body_water: float
    plasma_oncotic_pressure: float
    interstitial_oncotic_pressure: float
    f_cell_ratio: float
    citrate_volume: float
    """L"""
    citrate_clearance: float
    """Normal, L/min"""
    bone_release: float
    """Calcium per multiple of parathyroid hormone above rest, mmol/min"""
    ionized_calcium: float
    """mmol/L at rest"""
    starling: bool


@dataclass(frozen=True, slots=True)
class Therapy:
    """What is done by hand: synthesis as a fraction of rest, FcRn blocked, drugs and fluids."""

    synthesis: tuple[float, ...]
    infused: tuple[float, ...]
    """Masses per min."""
    fcrn_blockade: float
    citrate_clearance: float
    """L/min"""
    given: tuple[tuple[Fluid, float], ...] = ()
    """Fluids beside those of the machine, each with its flow, mL/min."""


@dataclass(frozen=True, slots=True)
class FluxTotals:
    """Fluxes summed over a step, in the order in which the equations append them."""

    excreted: float
    metabolized_citrate: float
    released_calcium: float
    regained_magnesium: float
    wasted_citrate: float
    wasted_calcium: float
    wasted_magnesium: float
    synthesized: list[float]
    catabolized: list[float]
    wasted: list[float]
    treated: list[float]
    """Out of the mixed volume of the circuit, where plasma is treated; otherwise empty."""
    bound: list[float]
    """Of it, onto the column."""
    given_back: list[float]

    @classmethod
    def of(cls, sums: list[float], solutes: int) -> FluxTotals:
        """The sums by name."""
        excreted, metabolized, released, regained, citrate, calcium, magnesium, *rest = sums
        return cls(
            excreted, metabolized, released, regained, citrate, calcium, magnesium,
            *(rest[i * solutes : (i + 1) * solutes] for i in range(6)),
        )  # fmt: skip


def concentration_in(fluid: Fluid, solute: SoluteConstants) -> float:
    """Concentration of a solute in a fluid, in the solute's mass unit per mL."""
    text = fluid.solutes.get(solute.name)
    return 0.0 if text is None else units.parse(text).to(solute.unit) / solute.per_volume


def plasma_oncotic_pressure(plasma: State, plasma_volume: float) -> float:
    """Oncotic pressure (mmHg) of the protein masses (g) in a volume of plasma (mL)."""
    per_dl = 100 / plasma_volume
    globulin = (plasma[IGG] + plasma[OTHER_GLOBULINS]) * per_dl
    return water.oncotic_pressure(plasma[ALBUMIN] * per_dl, globulin)


class Minerals(NamedTuple):
    """What is free in a state, mmol/L, and where magnesium is spread."""

    ionized_calcium: float
    ionized_magnesium: float
    free_citrate: float
    magnesium_space: float
    """L; see `minerals.magnesium_space`."""


def minerals_of(state: State, solutes: int, citrate_volume: float) -> Minerals:
    """The equilibrium of a state that follows so many solutes; `citrate_volume` in L."""
    albumin = state[BODY + ALBUMIN] + state[BODY + solutes + ALBUMIN]
    fluid_volume = (state[0] + state[1]) / 1000
    magnesium_space = minerals.magnesium_space(fluid_volume, albumin)
    return Minerals(
        *minerals.equilibrium(
            state[4],
            state[5],
            state[3],
            minerals.calcium_space(fluid_volume, albumin),
            magnesium_space,
            citrate_volume,
        ),
        magnesium_space,
    )


def albumin_level(state: State) -> float:
    """Albumin of plasma, g/L."""
    return 1000 * state[BODY + ALBUMIN] / state[0]


def oncotic_first(solutes: Mapping[str, FollowedSolute]) -> list[FollowedSolute]:
    """Albumin, IgG and the other globulins, in these places, then what else is followed."""
    from simulator.orders import FollowedSolute

    kinetics = catalog.solute(INTERNAL)
    internal = FollowedSolute(kinetics, kinetics.initial)
    first: list[FollowedSolute] = [internal] * 3
    first[ALBUMIN], first[IGG], first[OTHER_GLOBULINS] = (
        solutes["albumin"],
        solutes["igg"],
        internal,
    )
    return [*first, *(f for name, f in solutes.items() if name not in ("albumin", "igg"))]
