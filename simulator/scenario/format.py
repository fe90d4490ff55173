"""What a user writes: every key of a scenario file, the kind of its value and its limits.

Here a value is read on its own. What needs its neighbors or the catalog is checked in `resolve`
and the modules it calls. A key that no model names is unknown; a key in `needs` must be there.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from simulator.scenario.fields import (
    Anything,
    CatalogName,
    Choice,
    Exactly,
    MeasureOrWord,
    Reference,
    Text,
    Whole,
    YesNo,
)
from simulator.scenario.limits import (
    ACTIONS,
    BLOOD_VOLUME_METHODS,
    CALCIUM_RATE,
    CITRATE_CLEARANCE,
    DELAY,
    DESIGNS,
    DURATION,
    EXCHANGE,
    FAULTS,
    FLUID_BALANCE,
    HEPARIN_BOLUS,
    HEPARIN_RATE,
    INLET_FLOW,
    INTERVAL,
    MAX_MACHINES,
    MAX_SESSIONS,
    MOMENT,
    NAME,
    PER_DAY,
    PERCENT_UP,
    PLASMA_FLOW,
    RATIO,
    RESPONSE,
    SEX,
    VITAL_SIGNS,
    VOLUME,
)
from simulator.scenario.measures import AnyMeasure, Measure
from simulator.scenario.written import SKIP_UNUSABLE, Written
from simulator.units import Quantity


class BloodVolume(Written):
    """How the blood volume is found."""

    method: Annotated[str, Choice(BLOOD_VOLUME_METHODS)] | None = None
    value: Annotated[Quantity, Measure("4.2 L", low="50 mL", high="20 L")] | None = None
    f_cell_ratio: Annotated[Quantity, Measure("0.91", low="0.5", high="1.2")] | None = None


class Patient(Written):
    """Who is treated."""

    needs: ClassVar[dict[str, str]] = {
        "sex": "female or male",
        "weight": "a mass, such as '68 kg'",
        "height": "a length, such as '165 cm'",
        "hematocrit": "a percentage, such as '39 %'",
    }
    sex: Annotated[str, Choice(SEX)] | None = None
    age: Annotated[Quantity, Measure("48 y", low="0 y", high="130 y")] | None = None
    weight: Annotated[Quantity, Measure("68 kg", low="0.5 kg", high="500 kg")] | None = None
    height: Annotated[Quantity, Measure("165 cm", low="20 cm", high="260 cm")] | None = None
    hematocrit: Annotated[Quantity, Measure("39 %", low="5 %", high="75 %")] | None = None
    albumin: Annotated[Quantity, Measure("42 g/L", above="0 g/L", high="100 g/L")] | None = None
    plasma_volume: Annotated[Quantity, Measure("2.46 L", low="20 mL", high="20 L")] | None = None
    blood_volume: BloodVolume | None = None
    ionized_calcium: (
        Annotated[Quantity, Measure("1.22 mmol/L", low="0.2 mmol/L", high="3 mmol/L")] | None
    ) = None
    citrate_clearance: Annotated[Quantity, CITRATE_CLEARANCE] | None = None
    fluid_shift: Annotated[str, Choice(("starling", "none"))] | None = None


class Solute(Written):
    """A solute followed: from the catalog, like one of the catalog, or with its own kinetics."""

    like: Annotated[str, Text("the name of a solute in the catalog", longest=100)] | None = None
    unit: Annotated[str, Text("a unit of concentration, such as 'g/L'", longest=30)] | None = None
    initial: Annotated[Quantity, AnyMeasure("10 g/L")] | None = None
    intravascular_fraction: (
        Annotated[Quantity, Measure("45 %", above="0 %", high="100 %")] | None
    ) = None
    transcapillary_escape: (
        Annotated[Quantity, Measure("3 %/h", low="0 %/h", high="1000 %/h")] | None
    ) = None
    half_life: Annotated[Quantity, Measure("21 d", low="5 min", high="100 y")] | None = None
    fractional_catabolic_rate: Annotated[Quantity, PER_DAY] | None = None
    synthesis: Annotated[Quantity, PERCENT_UP] | None = None
    sieving: Annotated[Quantity, Measure("1.0", low="0", high="1")] | None = None


class Anticoagulant(Written):
    """What keeps the circuit open: citrate by inlet flow over its own, heparin by the hour."""

    fluid: Annotated[Reference, CatalogName("fluids", "a fluid", has_default=True)] | None = None
    ratio: Annotated[Quantity, RATIO] | None = None
    rate: Annotated[Quantity, HEPARIN_RATE] | None = None
    bolus: Annotated[Quantity, HEPARIN_BOLUS] | None = None


class Machine(Written):
    """The machine as set up for a session."""

    device: Annotated[Reference, CatalogName("devices", "a device", has_default=True)] | None = None
    access: (
        Annotated[Reference, CatalogName("access", "a vascular access", has_default=True)] | None
    ) = None
    inlet_flow: Annotated[Quantity, INLET_FLOW] | None = None
    anticoagulant: Anticoagulant | None = None
    disturbances: Annotated[str, Choice(("none", "typical"))] | None = None
    prime: Annotated[Reference, CatalogName("fluids", "a fluid", has_default=True)] | None = None
    rinseback: Annotated[bool, YesNo()] | None = None
    plasma_flow: Annotated[Quantity, PLASMA_FLOW] | None = None
    needles: Annotated[int, Whole(1, 2)] | None = None


class Operator(Written):
    """Who looks after the machine, and after how many more; how soon and how often he comes."""

    machines: Annotated[int, Whole(1, MAX_MACHINES)] | None = None
    response: Annotated[Quantity, RESPONSE] | None = None
    vital_signs: Annotated[Quantity | str, MeasureOrWord(VITAL_SIGNS, "never")] | None = None


class Replacement(Written):
    """One fluid of the replacement."""

    needs: ClassVar[dict[str, str]] = {"fluid": "the name of a fluid, such as albumin-5"}
    fluid: Annotated[Reference, CatalogName("fluids", "a fluid")] | None = None
    share: Annotated[Quantity, Measure("80 %", low="0 %", high="100 %")] | None = None
    volume: Annotated[Quantity | str, MeasureOrWord(VOLUME, "rest")] | None = None
    bottle: Annotated[Quantity, Measure("250 mL", low="10 mL", high="10 L")] | None = None


class Calcium(Written):
    """Calcium by the hour, or by the liter of replacement fluid."""

    fluid: Annotated[Reference, CatalogName("fluids", "a fluid", has_default=True)] | None = None
    rate: Annotated[Quantity, CALCIUM_RATE] | None = None
    per_liter_replacement: Annotated[Quantity, Measure("10 mL", low="0 mL", high="1 L")] | None = (
        None
    )


class Prescription(Written):
    """What one session is to do. A block of the course may write a part of it."""

    exchange: Annotated[Quantity, EXCHANGE] | None = None
    replacement: list[Annotated[Replacement, SKIP_UNUSABLE]] | None = None
    fluid_balance: Annotated[Quantity, FLUID_BALANCE] | None = None
    calcium: Calcium | None = None


class Weekly(Written):
    """Sessions by the week, spread evenly: three a week fall on days 0, 2 and 4."""

    needs: ClassVar[dict[str, str]] = {
        "per_week": "the number of sessions in a week",
        "weeks": "the number of weeks",
    }
    per_week: Annotated[int, Whole(1, 7)] | None = None
    weeks: Annotated[int, Whole(1, 500)] | None = None


def _plan_tag(value: Any) -> str:
    return "a weekly plan" if isinstance(value, dict | Weekly) else "a number of sessions"


Plan = Annotated[
    Annotated[int, Whole(0, MAX_SESSIONS), Tag("a number of sessions")]
    | Annotated[Weekly, Tag("a weekly plan")],
    Discriminator(_plan_tag),
]
Moments = list[Annotated[Quantity, MOMENT, SKIP_UNUSABLE]]


class Block(Written):
    """A further block of sessions, with what its prescription changes."""

    sessions: Plan | None = None
    every: Annotated[Quantity, INTERVAL] | None = None
    at: Moments | None = None
    prescription: Prescription | None = None


class Course(Written):
    """When the sessions are: so many at an interval, at given times, or by the week."""

    sessions: Plan | None = None
    every: Annotated[Quantity, INTERVAL] | None = None
    at: Moments | None = None
    then: list[Annotated[Block, SKIP_UNUSABLE]] | None = None


class GiveEvent(Written):
    """A dose of a solute followed, or of a fluid, at a time of the course or within a session."""

    needs: ClassVar[dict[str, str]] = {
        "give": "the name of a solute followed, or of a fluid",
        "at": "a time, such as '3 d'",
        "dose": "a mass, an amount or units, such as '30 g', or the volume of a fluid",
    }
    session: Annotated[int, Whole(1, MAX_SESSIONS)] | None = None
    at: Annotated[Quantity, MOMENT] | None = None
    give: (
        Annotated[str, Text("the name of a solute followed, or of a fluid", longest=100)] | None
    ) = None
    dose: Annotated[Quantity, AnyMeasure("30 g")] | None = None
    over: Annotated[Quantity, Measure("6 h", low="0 min", high="20 y")] | None = None


class SetEvent(Written):
    """A setting changed at a time of the course, or within a session."""

    needs: ClassVar[dict[str, str]] = {
        "set": "a dotted path, such as machine.inlet_flow",
        "at": "a time, such as '3 d'",
        "to": "the new value",
    }
    session: Annotated[int, Whole(1, MAX_SESSIONS)] | None = None
    at: Annotated[Quantity, MOMENT] | None = None
    set: Annotated[str, Text("a dotted path, such as machine.inlet_flow", longest=200)] | None = (
        None
    )
    to: Annotated[Any, Anything()] | None = None


class BlockadeEvent(Written):
    """A drug that blocks FcRn for a while."""

    needs: ClassVar[dict[str, str]] = {
        "fcrn_blockade": "a percentage, such as '75 %'",
        "at": "a time, such as '0 d'",
        "for": "a time, such as '7 d'",
    }
    at: Annotated[Quantity, MOMENT] | None = None
    fcrn_blockade: Annotated[Quantity, Measure("75 %", low="0 %", high="100 %")] | None = None
    lasting: Annotated[Quantity, DURATION] | None = Field(default=None, alias="for")


class FaultEvent(Written):
    """Something goes wrong in a session."""

    needs: ClassVar[dict[str, str]] = {
        "fault": "what goes wrong",
        "session": "the number of a session, from 1",
        "at": "a time in the session, such as '30 min'",
    }
    session: Annotated[int, Whole(1, MAX_SESSIONS)] | None = None
    at: Annotated[Quantity, MOMENT] | None = None
    fault: Annotated[str, Choice(FAULTS, "the name of a fault")] | None = None
    lasting: Annotated[Quantity, DURATION] | None = Field(default=None, alias="for")


EVENT_KEYS = ("give", "set", "fcrn_blockade", "fault")


def _event_tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((f"event {key}" for key in EVENT_KEYS if key in value), None)


Event = Annotated[
    Annotated[GiveEvent, Tag("event give")]
    | Annotated[SetEvent, Tag("event set")]
    | Annotated[BlockadeEvent, Tag("event fcrn_blockade")]
    | Annotated[FaultEvent, Tag("event fault")],
    Discriminator(_event_tag),
]


class Rule(Written):
    """What is done when a sample says so."""

    needs: ClassVar[dict[str, str]] = {
        "when": "a comparison, such as 'fibrinogen < 1.0 g/L'",
        "do": "replace-with, stop, skip or delay",
    }
    when: (
        Annotated[str, Text("a comparison, such as 'fibrinogen < 1.0 g/L'", longest=200)] | None
    ) = None
    do: Annotated[str, Choice(ACTIONS)] | None = None
    fluid: Annotated[Reference, CatalogName("fluids", "a fluid")] | None = None
    by: Annotated[Quantity, DELAY] | None = None


class Simulation(Written):
    """How long, with which luck, and how often the curves are written."""

    until: Annotated[Quantity, Measure("28 d", above="0 min", high="20 y")] | None = None
    seed: Annotated[int, Whole(0, 2**63 - 1)] | None = None
    output_interval: Annotated[Quantity, Measure("1 h", low="1 s", high="1 y")] | None = None
    session_output_interval: Annotated[Quantity, Measure("1 min", low="1 s", high="1 d")] | None = (
        None
    )


class Sweep(Written):
    """Which numbers a sweep varies, and by which design."""

    needs: ClassVar[dict[str, str]] = {"vary": "dotted paths and the values they take"}
    vary: dict[str, Annotated[Any, Anything()]] | None = None
    design: Annotated[str, Choice(DESIGNS)] | None = None
    samples: Annotated[int, Whole(1, 100_000_000)] | None = None


class Document(Written):
    """A whole scenario file."""

    needs: ClassVar[dict[str, str]] = {
        "format": "'format: 1', the version of this format",
        "patient": "who is treated: sex, weight, height, hematocrit",
    }
    format: Annotated[Literal[1], Exactly(1)] | None = None
    name: Annotated[str, Text("a short name of letters, digits, '-', '_' and '.'", NAME)] | None = (
        None
    )
    title: Annotated[str, Text(longest=300)] | None = None
    description: Annotated[str, Text()] | None = None
    references: (
        list[Annotated[str, Text("a key of the bibliography", longest=100), SKIP_UNUSABLE]] | None
    ) = None
    extends: Annotated[str, Text("a bundled scenario or a file path", longest=1000)] | None = None
    patient: Patient | None = None
    solutes: dict[str, Solute] | None = None
    machine: Machine | None = None
    operator: Operator | None = None
    prescription: Prescription | None = None
    course: Course | None = None
    events: list[Annotated[Event, SKIP_UNUSABLE]] | None = None
    rules: list[Annotated[Rule, SKIP_UNUSABLE]] | None = None
    simulation: Simulation | None = None
    sweep: Sweep | None = None


#: Keys of the document that hold a part of the scenario, as a mapping or a list.
SECTIONS = (
    *("patient", "solutes", "machine", "operator", "prescription", "course", "events", "rules"),
    *("simulation", "sweep"),
)
