"""What a user writes: every key of a scenario file, the kind of its value and its limits.

Here a value is read on its own. What needs its neighbors or the catalog is checked in `resolve`
and the modules it calls. A key that no model names is unknown; a key in `needs` must be there.
"""

from typing import ClassVar

from simulator.scenario.fields import (
    Anything,
    CatalogName,
    Choice,
    Exactly,
    MeasureOrWord,
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
    OPERATOR_ACTIONS,
    PER_DAY,
    PERCENT_UP,
    PLASMA_FLOW,
    RATIO,
    RESPONSE,
    SEES_TO,
    SEX,
    VITAL_SIGNS,
    VOLUME,
)
from simulator.scenario.measures import AnyMeasure, Measure
from simulator.scenario.written import ByName, Each, Key, OneOf, Part, PartOr, Written


class BloodVolume(Written):
    """How the blood volume is found."""

    method = Key(Choice(BLOOD_VOLUME_METHODS))
    value = Key(Measure("4.2 L", low="50 mL", high="20 L"))
    f_cell_ratio = Key(Measure("0.91", low="0.5", high="1.2"))


class Patient(Written):
    """Who is treated."""

    needs: ClassVar[dict[str, str]] = {
        "sex": "female or male",
        "weight": "a mass, such as '68 kg'",
        "height": "a length, such as '165 cm'",
        "hematocrit": "a percentage, such as '39 %'",
    }
    sex = Key(Choice(SEX))
    age = Key(Measure("48 y", low="0 y", high="130 y"))
    weight = Key(Measure("68 kg", low="0.5 kg", high="500 kg"))
    height = Key(Measure("165 cm", low="20 cm", high="260 cm"))
    hematocrit = Key(Measure("39 %", low="5 %", high="75 %"))
    albumin = Key(Measure("42 g/L", above="0 g/L", high="100 g/L"))
    plasma_volume = Key(Measure("2.46 L", low="20 mL", high="20 L"))
    blood_volume = Key(Part(BloodVolume))
    ionized_calcium = Key(Measure("1.22 mmol/L", low="0.2 mmol/L", high="3 mmol/L"))
    citrate_clearance = Key(CITRATE_CLEARANCE)
    fluid_shift = Key(Choice(("starling", "none")))


class Solute(Written):
    """A solute followed: from the catalog, like one of the catalog, or with its own kinetics."""

    like = Key(Text("the name of a solute in the catalog", longest=100))
    unit = Key(Text("a unit of concentration, such as 'g/L'", longest=30))
    initial = Key(AnyMeasure("10 g/L"))
    intravascular_fraction = Key(Measure("45 %", above="0 %", high="100 %"))
    transcapillary_escape = Key(Measure("3 %/h", low="0 %/h", high="1000 %/h"))
    half_life = Key(Measure("21 d", low="5 min", high="100 y"))
    fractional_catabolic_rate = Key(PER_DAY)
    synthesis = Key(PERCENT_UP)
    sieving = Key(Measure("1.0", low="0", high="1"))


class Anticoagulant(Written):
    """What keeps the circuit open: citrate by inlet flow over its own, heparin by the hour."""

    fluid = Key(CatalogName("fluids", "a fluid", has_default=True))
    ratio = Key(RATIO)
    rate = Key(HEPARIN_RATE)
    bolus = Key(HEPARIN_BOLUS)


class Machine(Written):
    """The machine as set up for a session."""

    device = Key(CatalogName("devices", "a device", has_default=True))
    access = Key(CatalogName("access", "a vascular access", has_default=True))
    inlet_flow = Key(INLET_FLOW)
    anticoagulant = Key(Part(Anticoagulant))
    disturbances = Key(Choice(("none", "typical")))
    prime = Key(CatalogName("fluids", "a fluid", has_default=True))
    rinseback = Key(YesNo())
    plasma_flow = Key(PLASMA_FLOW)
    needles = Key(Whole(1, 2))


class Operator(Written):
    """Who looks after the machine, and after how many more; how soon and how often he comes."""

    machines = Key(Whole(1, MAX_MACHINES))
    response = Key(RESPONSE)
    vital_signs = Key(MeasureOrWord(VITAL_SIGNS, "never"))
    sees_to = Key(Choice(SEES_TO))


class Replacement(Written):
    """One fluid of the replacement."""

    needs: ClassVar[dict[str, str]] = {"fluid": "the name of a fluid, such as albumin-5"}
    fluid = Key(CatalogName("fluids", "a fluid"))
    share = Key(Measure("80 %", low="0 %", high="100 %"))
    volume = Key(MeasureOrWord(VOLUME, "rest"))
    bottle = Key(Measure("250 mL", low="10 mL", high="10 L"))


class Calcium(Written):
    """Calcium by the hour, or by the liter of replacement fluid."""

    fluid = Key(CatalogName("fluids", "a fluid", has_default=True))
    rate = Key(CALCIUM_RATE)
    per_liter_replacement = Key(Measure("10 mL", low="0 mL", high="1 L"))


class Prescription(Written):
    """What one session is to do. A block of the course may write a part of it."""

    exchange = Key(EXCHANGE)
    replacement = Key(Each(Part(Replacement)))
    fluid_balance = Key(FLUID_BALANCE)
    calcium = Key(Part(Calcium))


class Weekly(Written):
    """Sessions by the week, spread evenly: three a week fall on days 0, 2 and 4."""

    needs: ClassVar[dict[str, str]] = {
        "per_week": "the number of sessions in a week",
        "weeks": "the number of weeks",
    }
    per_week = Key(Whole(1, 7))
    weeks = Key(Whole(1, 500))


PLAN = PartOr(Part(Weekly), Whole(0, MAX_SESSIONS))


class Block(Written):
    """A further block of sessions, with what its prescription changes."""

    sessions = Key(PLAN)
    every = Key(INTERVAL)
    at = Key(Each(MOMENT))
    prescription = Key(Part(Prescription))


class Course(Written):
    """When the sessions are: so many at an interval, at given times, or by the week."""

    sessions = Key(PLAN)
    every = Key(INTERVAL)
    at = Key(Each(MOMENT))
    then = Key(Each(Part(Block)))


class GiveEvent(Written):
    """A dose of a solute followed, or of a fluid, at a time of the course or within a session."""

    needs: ClassVar[dict[str, str]] = {
        "give": "the name of a solute followed, or of a fluid",
        "at": "a time, such as '3 d'",
        "dose": "a mass, an amount or units, such as '30 g', or the volume of a fluid",
    }
    session = Key(Whole(1, MAX_SESSIONS))
    at = Key(MOMENT)
    give = Key(Text("the name of a solute followed, or of a fluid", longest=100))
    dose = Key(AnyMeasure("30 g"))
    over = Key(Measure("6 h", low="0 min", high="20 y"))


class SetEvent(Written):
    """A setting changed at a time of the course, or within a session."""

    needs: ClassVar[dict[str, str]] = {
        "set": "a dotted path, such as machine.inlet_flow",
        "at": "a time, such as '3 d'",
        "to": "the new value",
    }
    session = Key(Whole(1, MAX_SESSIONS))
    at = Key(MOMENT)
    set = Key(Text("a dotted path, such as machine.inlet_flow", longest=200))
    to = Key(Anything())


class BlockadeEvent(Written):
    """A drug that blocks FcRn for a while."""

    needs: ClassVar[dict[str, str]] = {
        "fcrn_blockade": "a percentage, such as '75 %'",
        "at": "a time, such as '0 d'",
        "for": "a time, such as '7 d'",
    }
    at = Key(MOMENT)
    fcrn_blockade = Key(Measure("75 %", low="0 %", high="100 %"))
    lasting = Key(DURATION, "for")


class FaultEvent(Written):
    """Something goes wrong in a session."""

    needs: ClassVar[dict[str, str]] = {
        "fault": "what goes wrong",
        "session": "the number of a session, from 1",
        "at": "a time in the session, such as '30 min'",
    }
    session = Key(Whole(1, MAX_SESSIONS))
    at = Key(MOMENT)
    fault = Key(Choice(FAULTS, "the name of a fault"))
    lasting = Key(DURATION, "for")


class ActionEvent(Written):
    """The operator does something in a session."""

    needs: ClassVar[dict[str, str]] = {
        "do": "what the operator does",
        "session": "the number of a session, from 1",
        "at": "a time in the session, such as '30 min'",
    }
    session = Key(Whole(1, MAX_SESSIONS))
    at = Key(MOMENT)
    do = Key(Choice(OPERATOR_ACTIONS, "what an operator does"))


EVENT = OneOf(
    "an event",
    {
        "give": Part[Written](GiveEvent),
        "set": Part[Written](SetEvent),
        "fcrn_blockade": Part[Written](BlockadeEvent),
        "fault": Part[Written](FaultEvent),
        "do": Part[Written](ActionEvent),
    },
)


class Rule(Written):
    """What is done when a sample says so."""

    needs: ClassVar[dict[str, str]] = {
        "when": "a comparison, such as 'fibrinogen < 1.0 g/L'",
        "do": "replace-with, stop, skip or delay",
    }
    when = Key(Text("a comparison, such as 'fibrinogen < 1.0 g/L'", longest=200))
    do = Key(Choice(ACTIONS))
    fluid = Key(CatalogName("fluids", "a fluid"))
    by = Key(DELAY)


class Simulation(Written):
    """How long, with which luck, and how often the curves are written."""

    until = Key(Measure("28 d", above="0 min", high="20 y"))
    seed = Key(Whole(0, 2**63 - 1))
    output_interval = Key(Measure("1 h", low="1 s", high="1 y"))
    session_output_interval = Key(Measure("1 min", low="1 s", high="1 d"))


class Sweep(Written):
    """Which numbers a sweep varies, and by which design."""

    vary = Key(ByName(Anything()))
    population = Key(Text("a population of the catalog, such as adults", longest=100))
    design = Key(Choice(DESIGNS))
    samples = Key(Whole(1, 100_000_000))
    seed = Key(Whole(0, 2**63 - 1))


class Document(Written):
    """A whole scenario file."""

    needs: ClassVar[dict[str, str]] = {
        "format": "'format: 1', the version of this format",
        "patient": "who is treated: sex, weight, height, hematocrit",
    }
    format = Key(Exactly(1))
    name = Key(Text("a short name of letters, digits, '-', '_' and '.'", NAME))
    title = Key(Text(longest=300))
    description = Key(Text())
    references = Key(Each(Text("a key of the bibliography", longest=100)))
    extends = Key(Text("a bundled scenario or a file path", longest=1000))
    patient = Key(Part(Patient))
    solutes = Key(ByName(Part(Solute)))
    machine = Key(Part(Machine))
    operator = Key(Part(Operator))
    prescription = Key(Part(Prescription))
    course = Key(Part(Course))
    events = Key(Each(EVENT))
    rules = Key(Each(Part(Rule)))
    simulation = Key(Part(Simulation))
    sweep = Key(Part(Sweep))


#: Keys of the document that hold a part of the scenario, as a mapping or a list.
SECTIONS = (
    *("patient", "solutes", "machine", "operator", "prescription", "course", "events", "rules"),
    *("simulation", "sweep"),
)
