"""Words and limits of the format that more than one module needs."""

from simulator.machine.alarms import FAULTS as FAULTS
from simulator.machine.alarms import OPERATOR_ACTIONS as OPERATOR_ACTIONS
from simulator.patient.volumes import BLOOD_VOLUME, PLASMA_VOLUME
from simulator.scenario.measures import AnyMeasure, Measure

SEX = ("female", "male")
BLOOD_VOLUME_METHODS = (*BLOOD_VOLUME, *PLASMA_VOLUME)
ACTIONS = ("replace-with", "stop", "skip", "delay")
SEES_TO = ("all", "bottles")
DESIGNS = ("grid", "zip", "random", "lhs", "sobol")
SLUG = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
MAX_SESSIONS = 1000
MAX_MACHINES = 20  # that one operator looks after

PERCENT_UP = Measure("100 %", low="0 %", high="1000 %")
FRACTION = Measure("44 %", low="0 %", high="100 %")
DURATION = Measure("3 min", above="0 min", high="20 y")
MOMENT = Measure("2 d", low="0 d", high="20 y")
CITRATE_CLEARANCE = Measure("100 %", low="0 %", high="500 %")
INLET_FLOW = Measure("65 mL/min", above="0 mL/min")
RATIO = Measure("10", above="0")
PLASMA_FLOW = Measure("30 mL/min", above="0 mL/min", high="500 mL/min")
HEPARIN_RATE = Measure("1000 U/h", low="0 U/h", high="10000 U/h")
HEPARIN_BOLUS = Measure("3000 U", low="0 U", high="20000 U")
FLUID_BALANCE = Measure("100 %", low="0 %", high="200 %")
EXCHANGE = AnyMeasure(
    "1.0 PV",
    (
        Measure("1.0 PV", above="0 PV", high="20 PV"),
        Measure("2500 mL", above="0 mL", high="100 L"),
        Measure("40 mL/kg", above="0 mL/kg", high="1000 mL/kg"),
    ),
)
CALCIUM_RATE = AnyMeasure(
    "1.6 g/h",
    (
        Measure("1.6 g/h", low="0 g/h", high="100 g/h"),
        Measure("16 mL/h", low="0 mL/h", high="1000 mL/h"),
        Measure("3.6 mmol/h", low="0 mmol/h", high="300 mmol/h"),
    ),
)
RESPONSE = Measure("30 s", low="0 s", high="1 h")
VITAL_SIGNS = Measure("15 min", low="1 min", high="24 h")
GIVEN = Measure("10 mL", low="0 mL", high="100 L")
VOLUME = Measure("1000 mL", above="0 mL", high="100 L")
INTERVAL = Measure("2 d", above="0 d", high="20 y")
DELAY = Measure("1 d", low="1 h", high="20 y")  # nobody draws samples more often
PER_DAY = Measure("6.7 %/d", low="0 %/d", high="1000 %/h")
