"""What the catalog holds: an entry of each kind, with every number a `Fact` behind it.

Fields that a file gives as quantities are declared with `quantity(unit)`; all are canonical (mL, g,
mmol, min, mmHg) but for those that spell out "per liter".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from simulator import units
from simulator.errors import CatalogError
from simulator.records import record

#: How a number was seen, from the strongest evidence to the weakest.
GRADES = (
    "paper",
    "abstract",
    "opening",
    "published model code",
    "vendor manual",
    "second-hand",
    "derived",
    "unverified",
    "assumed",
)


REFERENCE_SESSION = 100.0
"""min; the session for which entries state probabilities."""


def chance_rate(probability: float) -> float:
    """Events per min that make at least one in a reference session as probable as stated.

    Raises `CatalogError` for 1 and above: no rate makes a thing certain.
    """
    if probability >= 1:
        raise CatalogError(f"expected a probability below 100 %, got {100 * probability:g} %")
    return -math.log1p(-probability) / REFERENCE_SESSION


NEED_A_NOTE = ("assumed", "unverified")
"""Grades of numbers that say why they are what they are."""


@record
class Fact:
    """A number somebody stated, where they said so, and how we saw it."""

    path: str
    value: str
    source: str
    seen: str
    at: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.seen not in GRADES:
            raise CatalogError(f"{self.path}: seen must be one of {', '.join(GRADES)}")
        if not self.source:
            raise CatalogError(f"{self.path}: a number needs a source")
        if self.seen in NEED_A_NOTE and not self.note:
            raise CatalogError(f"{self.path}: a number {self.seen} needs a note saying why")


Facts = Mapping[str, Fact]


def quantity(unit: str, **default: Any) -> Any:
    """A dataclass field that a catalog file gives as a quantity convertible to `unit`."""
    return field(metadata={"unit": unit}, **default)


@record
class Catabolism:
    """How fast the intravascular pool is broken down, per min.

    Without FcRn, `intrinsic` is the fractional catabolic rate itself. With it, recycling protects
    `protected_fraction` of what would be broken down, less as total IgG (g/L) approaches
    `half_saturation` [reference: Kim 2007, Valenzuela 2025; see patient.solutes].
    """

    intrinsic: float = quantity("1/min")
    protected_fraction: float = quantity("1", default=0.0)
    half_saturation: float = quantity("g/L", default=1.0)


@record
class Solute:
    """A substance followed in the patient's plasma and interstitium."""

    name: str
    title: str
    unit: str
    catabolism: Catabolism
    initial: float = 0.0
    """Typical plasma concentration, in `unit`."""
    intravascular_fraction: float = quantity("1", default=1.0)
    """Share of the whole-body pool that is in plasma at rest."""
    transcapillary_escape: float = quantity("1/min", default=0.0)
    """Share of the plasma pool that leaves for the interstitium per min."""
    sieving: float = quantity("1", default=1.0)
    """Concentration in the removed plasma over concentration in the patient's plasma."""
    synthesis_gain: float = quantity("1", default=0.0)
    """Relative rise of synthesis per relative fall of plasma oncotic pressure."""
    kin: tuple[str, ...] = ()
    """Names under which a filter or column may know it: its own, then those it is like."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)

    @property
    def mass_unit(self) -> str:
        """The unit its amounts are counted in."""
        return units.concentration_unit(self.unit)[0]

    @property
    def per_volume(self) -> float:
        """Milliliters that one `mass_unit` at a concentration of one `unit` fills."""
        return units.concentration_unit(self.unit)[1]


@record
class Fluid:
    """A fluid given to the patient or to the circuit, with its composition."""

    name: str
    title: str
    container: float = quantity("mL")
    """Volume of one bottle or bag."""
    citrate: float = quantity("mmol/L", default=0.0)
    calcium: float = quantity("mmol/L", default=0.0)
    """In all its forms."""
    magnesium: float = quantity("mmol/L", default=0.0)
    """In all its forms."""
    hematocrit: float = quantity("1", default=0.0)
    """Share of the volume that is red cells; all other contents are per liter of the whole."""
    urticaria: float = quantity("1/L", default=0.0)
    """Urticarial reactions to expect per liter given: u; the probability is 1 - exp(-u liters)."""
    strength: float = quantity("g/L", default=0.0)
    """Mass of the named salt per liter, for drugs that are ordered in grams."""
    activity: float = quantity("U/mL", default=0.0)
    """Units per mL of an anticoagulant that is given by the hour, not by the blood: heparin."""
    solutes: Mapping[str, str] = field(default_factory=dict)
    """Concentration text by solute name; what is not named is absent."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@record
class Access:
    """How blood is reached, and what pressure that costs; see `machine.access`."""

    name: str
    title: str
    inlet_flow_max: float = quantity("mL/min")
    vein_pressure: float = quantity("mmHg")
    """Mean pressure in the vessel at the tip of needle or catheter."""
    pressure_drop_50: float = quantity("mmHg")
    """Lost between vessel and pump at 50 mL/min."""
    pressure_drop_100: float = quantity("mmHg")
    """Lost between vessel and pump at 100 mL/min."""
    pressure_spread: float = quantity("mmHg")
    """Standard deviation of the pressure as the vessel collapses and opens, the patient moves."""
    pressure_time: float = quantity("min")
    """Time within which such a movement is forgotten."""
    recirculation: float = quantity("1", default=0.0)
    """Share of the blood drawn that was returned just before."""
    failure: float = quantity("1", default=0.0)
    """Probability that the access is lost for good in a session of 100 min."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@record
class Reaction:
    """How a patient can react to a session, how often, and how often that ends it."""

    name: str
    title: str
    law: str
    """Which function of `patient.reactions` gives the hazard."""
    rate: float = quantity("1", default=0.0)
    """Probability in a session of 100 min under the conditions that the law names."""
    reference_fall: float = quantity("1", default=1.0)
    """Relative fall (of ionized calcium, of blood volume) at which `rate` holds."""
    exponent: float = quantity("1", default=0.0)
    """Power of the fall with which the hazard grows."""
    speed_gain: float = quantity("min", default=0.0)
    """How much a falling level counts: the fall that this many minutes would add."""
    spread: float = quantity("1", default=0.0)
    """Standard deviation between patients of the logarithm of the hazard."""
    first_session: float = quantity("1", default=1.0)
    """Factor of the hazard in the first session."""
    after_paresthesia: float = quantity("1", default=1.0)
    """Factor of the hazard once there has been paresthesia in the session."""
    ends_session: float = quantity("1", default=0.0)
    """Probability that it ends the session at once."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@record
class Operator:
    """Who looks after the machine, and how long things take."""

    name: str
    title: str
    response: float = quantity("min")
    """Median time from a call until a free operator stands at the machine."""
    response_spread: float = quantity("1")
    """Standard deviation of the logarithm of a time that a person takes."""
    vital_signs: float = quantity("min")
    """How often vital signs are taken."""
    vital_signs_time: float = quantity("min")
    """How long that takes."""
    call_interval: float = quantity("min")
    """Mean time from call to call of another machine that the operator looks after."""
    call_time: float = quantity("min")
    """Median time that such a call keeps the operator there."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


Shares = Mapping[str, float]
"""Fractions by name of the solute."""
BY_SOLUTE = {"shares": True}
"""Marks a field that a catalog file gives as fractions by name of the solute."""


@record
class CentrifugeFacts:
    """A continuous-flow centrifuge; see `machine.separators.Centrifuge`."""

    packed_hematocrit: float = quantity("1")


@record
class BowlFacts:
    """A bowl that is filled, packed and emptied in turn; see `machine.separators.Bowl`."""

    packed_hematocrit: float = quantity("1")
    """Of the bowl's content when the draw ends."""
    bowl_volume: float = quantity("mL")
    harness_volume: float = quantity("mL")
    """Blood in the tubing, beside that in the bowl."""
    return_flow: float = quantity("mL/min")
    turnaround: float = quantity("min")
    """Between draw and return, and between return and draw."""
    standing_limit: float = quantity("min")
    """Pumps that stand still longer during a draw let the spinning bowl over-pack."""


@record
class MembraneFacts:
    """A plasma filter of hollow fibers; see `machine.separators.Membrane`."""

    filtration_fraction: float = quantity("1")
    """Share of the plasma that the machine filters off, if nothing limits it."""
    filtration_fraction_max: float = quantity("1")
    permeability: float = quantity("mL/min/mmHg")
    """Of the whole clean filter: plasma flow over transmembrane pressure."""
    fouling: float = quantity("1/L")
    """Share of the permeability lost per liter filtered at the highest transmembrane pressure."""
    transmembrane_pressure_max: float = quantity("mmHg")
    outlet_hematocrit_max: float = quantity("1")
    """Of the blood that leaves the filter; beyond it the fibers clot."""
    sieving: Shares = field(metadata=BY_SOLUTE, default_factory=dict)
    """Concentration in the filtered plasma over that in the patient's; 1 for what is not named."""


@record
class FractionatorFacts:
    """A second filter that gives plasma back without its large proteins."""

    discarded_share: float = quantity("1")
    """Share of the filtered plasma that is discarded with what the filter holds back."""
    sieving: Shares = field(metadata=BY_SOLUTE, default_factory=dict)
    """Concentration in the plasma given back over that coming in; 1 for what is not named."""


@record
class AdsorberFacts:
    """A column, or two in turn, that binds some proteins and gives the plasma back."""

    columns: float = quantity("1")
    """1, or 2 of which one is regenerated while the other works."""
    plasma_per_column: float = quantity("mL")
    """What one column is meant to treat before it is spent, or regenerated."""
    capacity: float = quantity("g")
    """IgG that one column can bind; each solute is bound the less, the less of this is left."""
    extraction: Shares = field(metadata=BY_SOLUTE, default_factory=dict)
    """Share that a fresh column binds; nothing of what is not named."""


SeparatorFacts = CentrifugeFacts | BowlFacts | MembraneFacts
TreatmentFacts = FractionatorFacts | AdsorberFacts

SEPARATORS: Mapping[str, type[SeparatorFacts]] = {
    "centrifuge": CentrifugeFacts,
    "bowl": BowlFacts,
    "membrane": MembraneFacts,
}
TREATMENTS: Mapping[str, type[TreatmentFacts]] = {
    "fractionator": FractionatorFacts,
    "adsorber": AdsorberFacts,
}


@record
class Device:
    """An apheresis machine with its disposable set."""

    name: str
    title: str
    separator: SeparatorFacts
    anticoagulant: str
    """Name of the fluid it is anticoagulated with by default."""
    anticoagulant_ratio: float = quantity("1")
    """Inlet flow (blood and anticoagulant) over anticoagulant flow."""
    anticoagulant_ratio_min: float = quantity("1")
    anticoagulant_ratio_max: float = quantity("1")
    anticoagulant_infusion_limit: float = quantity("mL/min/L")
    """Most anticoagulant the patient may get, per liter of blood volume."""
    inlet_flow: float = quantity("mL/min")
    inlet_flow_min: float = quantity("mL/min")
    inlet_flow_max: float = quantity("mL/min")
    extracorporeal_volume: float = quantity("mL")
    rinseback_volume: float = quantity("mL")
    rinseback_flow: float = quantity("mL/min")
    prime_time: float = quantity("min")
    connect_time: float = quantity("min")
    disconnect_time: float = quantity("min")
    hematocrit_update: float = quantity("min")
    """The plasma flow follows the patient's hematocrit at every event, and at least this often."""
    change_over_time: float = quantity("min")
    """Pumps stand still this long while a bottle or bag is changed."""
    pump_stop_limit: float = quantity("min")
    """After standing still longer than this the circuit is given up as clotted."""
    waste_bag: float = quantity("mL")
    access_pressure_limit: float = quantity("mmHg")
    """Lowest access pressure at which the inlet pump runs."""
    return_pressure_limit: float = quantity("mmHg")
    treatment: TreatmentFacts | None = None
    """What becomes of the separated plasma; None: it is discarded."""
    heparin_bolus: float = quantity("U", default=0.0)
    """Given at first contact, where heparin is the anticoagulant."""
    heparin_rate: float = quantity("U/min", default=0.0)
    single_needle_volume: float = quantity("mL", default=0.0)
    """Blood drawn between two returns through the same needle; 0: the device cannot."""
    return_flow: float = quantity("mL/min", default=0.0)
    """At which blood goes back through a single needle."""
    disturbances: Mapping[str, float] = field(default_factory=dict)
    """Probability in a session of 100 min, by name of the fault."""
    facts: Facts = field(default_factory=dict, compare=False, repr=False)


@record
class Reference:
    """One entry of the bibliography."""

    key: str
    citation: str
    doi: str = ""
    pmid: str = ""
    note: str = ""
