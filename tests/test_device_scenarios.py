"""Published rows of each device: what comes out, what does not, and what was used to set it.

No study states all that a run needs. Unless a test says otherwise the patient is a man of 75 kg
and 178 cm with a hematocrit of 40 %, albumin 5 % is given, and flows are those of the catalog; all
of that is assumed. No paper behind a number here was read in full (`apheresis show ohkubo-2016`).

A row that is met lies within its printed spread; where none is printed, within `POINTS` of the
level at the start. A test whose name ends in `is_missed` holds what comes out instead, and why.
"""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulator import catalog
from simulator import scenario as scenarios
from simulator.catalog import MembraneFacts
from simulator.machine.separators import Bowl, Membrane, separator
from simulator.result import Result, SessionResult
from simulator.simulation import simulate

POINTS = 6.0
"""Tolerance, percentage points of the level at the start, where no spread is printed."""
FEW_PATIENTS = 8.0
"""The same for rows of two patients."""
CALIBRATED = 0.5
"""Points by which a row may be off that coefficients, printed with two digits, were solved for."""
AS_DOCUMENTED = 1.0
"""Points by which a documented miss may move before somebody has to look at it again."""

TREATED = """
format: 1
title: One patient on one device
patient: {sex: male, age: 50 y, weight: 75 kg, height: 178 cm, hematocrit: 40 %}
solutes: {igg: {}, iga: {}, igm: {}, fibrinogen: {}, antibody: {like: igg1, initial: 100 U/mL}}
machine: {access: dialysis-catheter}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1, every: 2 d}
simulation: {until: 14 d, output_interval: 1 d}
"""

DONATED = """
format: 1
title: One donation
patient: {sex: male, age: 35 y, weight: 80 kg, height: 178 cm, hematocrit: 43 %}
machine: {device: pcs2, access: peripheral-veins}
prescription: {replacement: []}
course: {sessions: 1}
simulation: {until: 1 d}
"""

FOUR_PERCENT = "prescription.replacement=[{fluid: albumin-4, share: 100 %}]"


@cache
def treat(device: str, exchange: str = "1.0 PV", sessions: int = 1, *changes: str) -> Result:
    """The patient on a device, by default for one session."""
    said = (
        f"machine.device={device}",
        f"prescription.exchange={exchange}",
        f"course.sessions={sessions}",
    )
    return simulate(scenarios.loads(TREATED, "treated", (*said, *changes)))


def donate(patient_plasma: str, *changes: str) -> SessionResult:
    said = (f"prescription.exchange={patient_plasma}", *changes)
    (session,) = simulate(scenarios.loads(DONATED, "donated", said)).sessions
    return session


def left(result: Result, name: str) -> float:
    """Level after the last session, % of that before the first."""
    return (
        100 * (result.sessions[-1].solutes[name].post or 0) / result.sessions[0].solutes[name].pre
    )


def fall(result: Result, name: str) -> float:
    return 100 - left(result, name)


def is_missed(
    simulated: float, documented: float, measured: float, tolerance: float = POINTS
) -> None:
    """What comes out is what is documented, and further from the row than it should be."""
    assert simulated == pytest.approx(documented, abs=AS_DOCUMENTED)
    assert abs(simulated - measured) > tolerance


# -- centrifuges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "hematocrit", "measured", "sd"),
    [
        ("spectra-optia", 30, 92.5, 4.9),  # kim-2015
        ("cobe-spectra", 30, 83.2, 3.7),  # kim-2015
        ("amicus", 38, 81.9, 7.6),  # amicus-cobe-2013, calibration
        ("cobe-spectra", 38, 75.2, 6.3),  # amicus-cobe-2013, calibration
        ("amicus", 38, 79.8, 8.2),  # cid-2014
        ("spectra-optia", 38, 82.9, 5.8),  # cid-2014
        ("cobe-spectra", 38, 70.4, 8.2),  # cid-2014
    ],
)
def test_removal_efficiency_of_a_centrifuge_is_within_a_standard_deviation(
    device: str, hematocrit: int, measured: float, sd: float
) -> None:
    """No abstract states the hematocrit: 30 % is assumed of kidney recipients, 38 % of others."""
    (session,) = treat(device, "1.0 PV", 1, f"patient.hematocrit={hematocrit} %").sessions
    assert session.plasma_removal_efficiency is not None
    assert abs(100 * session.plasma_removal_efficiency - measured) <= sd


RECIPIENT = ("patient.weight=62 kg", "patient.height=166 cm", "patient.hematocrit=30 %")
"""A kidney recipient in Korea, assumed."""


@pytest.mark.parametrize(
    ("device", "patient", "measured", "sd"),
    [
        ("spectra-optia", RECIPIENT, 94.2, 10.3),  # kim-2015
        ("cobe-spectra", RECIPIENT, 100.4, 11.2),  # kim-2015
        ("amicus", ("patient.hematocrit=38 %",), 103.9, 30.8),  # amicus-cobe-2013
        ("cobe-spectra", ("patient.hematocrit=38 %",), 110.5, 27.1),  # amicus-cobe-2013
    ],
)
def test_minutes_for_one_plasma_volume_are_within_a_standard_deviation(
    device: str, patient: tuple[str, ...], measured: float, sd: float
) -> None:
    """Neither flows nor sizes of the patients are in the abstracts."""
    (session,) = treat(device, "1.0 PV", 1, *patient).sessions
    assert abs(session.run_minutes - measured) <= sd


OHKUBO_FALLS = {"igg": 82.0, "iga": 80.4, "igm": 87.3, "fibrinogen": 80.9}
"""After three conventional exchanges of 0.9 plasma volumes, two patients (ohkubo-2016)."""


@pytest.mark.parametrize("name", OHKUBO_FALLS)
def test_one_centrifuge_exchange_of_less_than_a_volume_lowers_all_alike(name: str) -> None:
    """62-65 % (ohkubo-2016): all come out at 56-57 %, as 0.9 volumes in one pool give 59 %."""
    assert 62 - POINTS <= fall(treat("spectra-optia", "0.9 PV"), name) <= 65 + POINTS


@pytest.mark.parametrize("name", ["igg", "fibrinogen"])
def test_three_centrifuge_exchanges_lower_igg_and_fibrinogen_as_measured(name: str) -> None:
    result = treat("spectra-optia", "0.9 PV", 3)
    assert abs(fall(result, name) - OHKUBO_FALLS[name]) <= FEW_PATIENTS


@pytest.mark.parametrize(("name", "documented"), [("iga", 70.8), ("igm", 79.3)])
def test_the_fall_of_iga_and_igm_after_three_exchanges_is_missed(
    name: str, documented: float
) -> None:
    """By 9.6 and 8.0 points; two patients.

    Each session already removes less than was measured, more than which one pool cannot give: the
    study's plasma volume was probably too small. The rest is what came back between sessions.
    """
    is_missed(
        fall(treat("spectra-optia", "0.9 PV", 3), name),
        documented,
        OHKUBO_FALLS[name],
        FEW_PATIENTS,
    )


@pytest.mark.parametrize(
    ("name", "measured", "documented"),
    [("igg", 1.92, 1.69), ("iga", 2.0, 1.82), ("igm", 1.62, 1.49), ("fibrinogen", 1.98, 1.64)],
)
def test_the_rebound_between_exchanges_is_missed(
    name: str, measured: float, documented: float
) -> None:
    """8-17 % below what the falls of ohkubo-2016 imply if each session removes 63.5 %.

    The level after a session is higher here than was measured, so the same return is less of it.
    """
    first, second, _ = treat("spectra-optia", "0.9 PV", 3).sessions
    rebound = second.solutes[name].pre / (first.solutes[name].post or math.nan)
    assert rebound == pytest.approx(documented, abs=0.02)
    assert rebound < 0.93 * measured


# -- membranes -------------------------------------------------------------------------------------


def test_transmembrane_pressure_is_that_of_sessions_without_a_clot() -> None:
    """Calibration: 44.4 mmHg on average without, 57.5 mmHg with a clot (jca-2021)."""
    device = catalog.device("plasmaflo-op-08w")
    membrane = separator(device)
    assert isinstance(membrane, Membrane)
    assert isinstance(device.separator, MembraneFacts)
    flow = membrane.plasma_flow(device.inlet_flow, 0.40)
    pressures = []
    for _ in range(300):  # 3 L in steps of 10 mL
        pressures.append(membrane.pressure(flow))
        membrane.foul(flow, 10 / flow)
    assert sum(pressures) / len(pressures) == pytest.approx(44.4, abs=0.5)
    assert pressures[-1] < 57.5 < device.separator.transmembrane_pressure_max


HAFER = ("patient.hematocrit=35 %", "solutes.igg.initial=5.6 g/L")
"""Patients of a hospital, the hematocrit assumed."""


@pytest.mark.parametrize(
    ("device", "before", "after"),
    [("plasmaflo-op-08w", 5.34, 1.96), ("spectra-optia", 5.88, 1.89)],
)
def test_membrane_and_centrifuge_lower_igg_as_in_the_crossover_study(
    device: str, before: float, after: float
) -> None:
    """1.2 plasma volumes, medians of 21 patients (hafer-2016); size of the filter not stated."""
    measured = 100 * after / before
    assert abs(left(treat(device, "1.2 PV", 1, *HAFER), "igg") - measured) <= POINTS


def test_how_much_longer_the_membrane_takes_in_the_crossover_study_is_missed() -> None:
    """10.5 % (hafer-2016); 19 % comes out: flows of both machines are those of the catalog.

    The abstract states neither. More blood alone does not mend it: from 160 mL/min on the filter
    of the catalog reaches its highest pressure, and plasma has to flow more slowly again.
    """
    membrane, centrifuge = (
        treat(device, "1.2 PV", 1, *HAFER).sessions[0].run_minutes
        for device in ("plasmaflo-op-08w", "spectra-optia")
    )
    is_missed(100 * (membrane / centrifuge - 1), 18.6, 10.5)


HOSPITAL = ("patient.weight=80 kg", "patient.hematocrit=35 %")


@pytest.mark.parametrize(
    ("device", "lower", "upper"),
    [("plasmaflo-op-08w", 125, 140), ("spectra-optia", 112.5, 135)],
)
def test_minutes_by_technique_are_within_the_quartiles(
    device: str, lower: float, upper: float
) -> None:
    """Of 912 treatments (tpe-disease-2018): 135 min by membrane, 120 min by centrifuge.

    One plasma volume of 3.4 L at a hematocrit of 35 % is assumed: the abstract has plasma volumes
    of 3.1-4.0 L and hematocrits of 30-40 %, but neither devices nor flows.
    """
    (session,) = treat(device, "1.0 PV", 1, *HOSPITAL).sessions
    assert lower <= session.run_minutes <= upper


def test_minutes_by_membrane_on_prismaflex_is_missed() -> None:
    """117 min, not 125-140: 180 mL/min of blood, as 3 L in 100 min ask for, is faster."""
    (session,) = treat("prismaflex-tpe2000", "1.0 PV", 1, *HOSPITAL).sessions
    is_missed(session.run_minutes, 117.0, 132.5, 7.5)


FELL = ("ige", "igg", "igm", "iga", "c3", "c4")
COMPLEMENT = ("solutes.ige={}", "solutes.c3={}", "solutes.c4={}")


@pytest.mark.parametrize("device", ["prismaflex-tpe2000", "plasmaflo-op-08w"])
@pytest.mark.parametrize("name", FELL)
def test_three_liters_by_membrane_lower_each_by_more_than_two_fifths(
    device: str, name: str
) -> None:
    """single-needle-1988; three older filters."""
    assert fall(treat(device, "3000 mL", 1, *COMPLEMENT), name) > 40


def test_three_liters_by_prismaflex_take_as_long_as_measured() -> None:
    """92-121 min, 26.7-36.6 mL/min (single-needle-1988)."""
    (session,) = treat("prismaflex-tpe2000", "3000 mL", 1, *COMPLEMENT).sessions
    assert 92 <= session.run_minutes <= 121
    assert 26.7 <= 3000 / session.run_minutes <= 36.6


def test_three_liters_by_plasmaflo_is_missed() -> None:
    """131 min, not 92-121: it is run at 150 mL/min of blood, the other filters were not stated."""
    (session,) = treat("plasmaflo-op-08w", "3000 mL", 1, *COMPLEMENT).sessions
    is_missed(session.run_minutes, 131.5, 106.5, 14.5)


# -- selective exchange ----------------------------------------------------------------------------

OHKUBO = ("patient.sex=female", "patient.weight=58 kg", "patient.height=160 cm")


@pytest.mark.parametrize(
    ("name", "measured"), [("igg", 53.1), ("iga", 30.1), ("igm", 3.6), ("fibrinogen", 19.0)]
)
def test_one_selective_exchange_gives_what_its_membrane_was_set_by(
    name: str, measured: float
) -> None:
    """Calibration: ohkubo-2016, 1.1 plasma volumes, 14 patients; the fluid is not stated."""
    simulated = fall(treat("evacure-ec-4a", "1.1 PV", 1, *OHKUBO), name)
    assert abs(simulated - measured) <= CALIBRATED


@pytest.mark.parametrize(("name", "measured"), [("igg", 75.4), ("igm", 3.2), ("fibrinogen", 29.3)])
def test_three_selective_exchanges_lower_igg_igm_and_fibrinogen_as_measured(
    name: str, measured: float
) -> None:
    """ohkubo-2016, alternate days."""
    assert abs(fall(treat("evacure-ec-4a", "1.1 PV", 3, *OHKUBO), name) - measured) <= POINTS


def test_iga_after_three_selective_exchanges_is_missed() -> None:
    """41 %, not 50.6 % (ohkubo-2016).

    Between sessions it rises by 29 and 32 % here, by 20 % in the study if each session removed as
    much as the first. What comes from outside the plasma gives 22 % at most if half of all IgA is
    there; the rest is made anew. Of conventional exchange, too, the study has less IgA left.
    """
    is_missed(fall(treat("evacure-ec-4a", "1.1 PV", 3, *OHKUBO), "iga"), 41.0, 50.6)


def test_fibrinogen_falls_as_in_the_second_study_of_the_selective_filter() -> None:
    """15 % after 1.15 plasma volumes, five patients (fibrinogen-fouling-2017)."""
    simulated = fall(treat("evacure-ec-4a", "1.15 PV", 1, *OHKUBO), "fibrinogen")
    assert abs(simulated - 15) <= POINTS


@pytest.mark.parametrize("name", OHKUBO_FALLS)
def test_one_membrane_exchange_of_less_than_a_volume_lowers_all_alike(name: str) -> None:
    """62-65 % (ohkubo-2016)."""
    simulated = fall(treat("plasmaflo-op-08w", "0.9 PV", 1, *OHKUBO), name)
    assert 62 - POINTS <= simulated <= 65 + POINTS


# -- double filtration -----------------------------------------------------------------------------

CONVENTIONAL, NOVEL = "dfpp-ec-20w", "dfpp-ec-50w"


@pytest.mark.parametrize(
    ("device", "name", "measured"),
    [
        (CONVENTIONAL, "igg", 74.5),
        (CONVENTIONAL, "igm", 85.0),
        (CONVENTIONAL, "fibrinogen", 76.6),
        (NOVEL, "igg", 62.1),
        (NOVEL, "igm", 15.7),
        (NOVEL, "fibrinogen", 37.6),
    ],
)
def test_double_filtration_gives_what_its_filters_were_set_by(
    device: str, name: str, measured: float
) -> None:
    """Calibration: dfpp-abo-2021, medians; 2.0 plasma volumes are assumed."""
    assert abs(fall(treat(device, "2.0 PV"), name) - measured) <= CALIBRATED


def test_fibrinogen_after_the_first_double_filtration_is_within_a_standard_deviation() -> None:
    """332 to 96 (SD 44) mg/dL in 37 patients (pan-2024); 2.0 plasma volumes are assumed."""
    (session,) = treat(CONVENTIONAL, "2.0 PV", 1, "solutes.fibrinogen.initial=3.32 g/L").sessions
    assert abs((session.solutes["fibrinogen"].post or 0) - 0.96) <= 0.44


def test_fibrinogen_after_one_plasma_volume_of_double_filtration_is_missed() -> None:
    """158 mg/dL: if pan-2024 treated 1.0 plasma volume the second filter lets through too much."""
    (session,) = treat(CONVENTIONAL, "1.0 PV", 1, "solutes.fibrinogen.initial=3.32 g/L").sessions
    is_missed(100 * (session.solutes["fibrinogen"].post or 0), 157.7, 96, 44)


def test_an_antibody_falls_per_double_filtration_as_in_two_patients() -> None:
    """19-56 %, on average 45 % (musk-dfpp-2007); 1.0 plasma volume is assumed.

    The antibody is taken to behave as IgG1; it is IgG4.
    """
    result = treat(CONVENTIONAL, "1.0 PV", 5)
    for session in result.sessions:
        antibody = session.solutes["antibody"]
        assert 19 <= 100 * (1 - (antibody.post or 0) / antibody.pre) <= 56
    first = result.sessions[0].solutes["antibody"]
    assert abs(100 * (1 - (first.post or 0) / first.pre) - 45) <= POINTS


AS_MUCH = "1.03 PV"
"""By which the conventional arm of ec50w-prospective comes to its fall of IgG, 50 %."""


@pytest.mark.parametrize(("device", "measured"), [(CONVENTIONAL, 50), (NOVEL, 45)])
def test_igg_falls_as_in_the_prospective_comparison_of_first_filters(
    device: str, measured: float
) -> None:
    """ec50w-prospective, seven patients each; the volume, not stated, is chosen by the first.

    The second comes out at 40 %, barely met.
    """
    assert abs(fall(treat(device, AS_MUCH), "igg") - measured) <= POINTS


@pytest.mark.parametrize(
    ("device", "measured", "documented"), [(CONVENTIONAL, 70, 53.4), (NOVEL, 31, 21.8)]
)
def test_fibrinogen_in_the_prospective_comparison_of_first_filters_is_missed(
    device: str, measured: float, documented: float
) -> None:
    """By 17 and 9 points at a volume that lowers IgG by 50 %.

    Measured was more loss of fibrinogen for as much IgG than in dfpp-abo-2021, which set the
    filters; the ratio of the two arms' logarithms (0.31) comes out as 0.32. The second filter of
    the study is not stated, and fibrinogen stays on membranes.
    """
    is_missed(fall(treat(device, AS_MUCH), "fibrinogen"), documented, measured)


def test_the_ratio_of_fibrinogen_lost_by_first_filter_is_that_of_the_prospective_comparison() -> (
    None
):
    """0.31 (ec50w-prospective); 0.32 by the study that set the filters."""
    novel, conventional = (
        math.log(left(treat(device, AS_MUCH), "fibrinogen") / 100)
        for device in (NOVEL, CONVENTIONAL)
    )
    assert novel / conventional == pytest.approx(0.31, abs=0.05)


def test_blood_volume_in_double_filtration_is_lowest_in_the_measured_range() -> None:
    """7-15 % down with albumin 4 % throughout (crit-line, three patients); 1.0 PV is assumed."""
    (session,) = treat(CONVENTIONAL, "1.0 PV", 1, FOUR_PERCENT).sessions
    assert -15 <= 100 * session.blood_volume_nadir <= -7


@pytest.mark.parametrize(("name", "measured"), [("iga", 72), ("igm", 89)])
def test_five_double_filtrations_lower_iga_and_igm_as_measured(name: str, measured: float) -> None:
    """yeh-chiu-2000, another second filter (Evaflux 4A); 1.0 plasma volume is assumed."""
    assert abs(fall(treat(CONVENTIONAL, "1.0 PV", 5), name) - measured) <= POINTS


def test_the_antibody_after_five_double_filtrations_is_missed() -> None:
    """79 %, not 54 % (yeh-chiu-2000): less IgG seems to be held back by Evaflux 4A than by the
    second filter here, Cascadeflo EC-20W; the volume is not stated.
    """
    is_missed(fall(treat(CONVENTIONAL, "1.0 PV", 5), "antibody"), 78.6, 54)


# -- columns ---------------------------------------------------------------------------------------

MYASTHENIA = (
    "solutes.igg.initial=11 g/L",
    "solutes.c3={}",
    "solutes.c4={}",
    "solutes.anti-achr={like: igg1, initial: 20 nmol/L}",
)
GROB = ("2500 mL", 4, *MYASTHENIA)


@pytest.mark.parametrize(("name", "measured"), [("igg", 35), ("iga", 54), ("igm", 33), ("c3", 42)])
def test_four_sessions_on_a_column_leave_what_it_was_set_by(name: str, measured: float) -> None:
    """Calibration: grob-1995, 16 patients; a plasma volume of 3.1 L comes out."""
    assert abs(left(treat("tr-350", *GROB), name) - measured) <= CALIBRATED


@pytest.mark.parametrize(
    ("name", "measured", "documented"),
    [
        ("fibrinogen", 26, 33.6),
        ("c4", 29, 43.2),
        ("anti-achr", 23, 31.0),
        ("albumin", 76, 88.4),
    ],
)
def test_what_a_column_leaves_of_what_it_binds_best_and_least_is_missed(
    name: str, measured: float, documented: float
) -> None:
    """Calibration (grob-1995), missed by 8, 14, 8 and 12 points.

    Fibrinogen, complement and antibody: a fresh column cannot bind more than all; complement is
    activated, too. Albumin: its extraction is set by the 37 g of protein of the same abstract; as
    much as its level asks for would be 50 g. Saline that primes the plasma side, which would dilute
    all by some 10 %, is not modeled.
    """
    is_missed(left(treat("tr-350", *GROB), name), documented, measured)


def test_a_column_binds_as_much_protein_as_was_measured() -> None:
    """Calibration: 37 g per session (grob-1995), here without what is bound of other globulins."""
    bound = [
        sum(s.adsorbed for name, s in session.solutes.items() if name in PROTEINS)
        for session in treat("tr-350", *GROB).sessions
    ]
    assert sum(bound) / len(bound) == pytest.approx(37, abs=0.5)
    assert bound == pytest.approx([37] * 4, abs=5)


PROTEINS = ("albumin", "igg", "iga", "igm", "fibrinogen", "c3", "c4")
YEH = ("2000 mL", 5, "patient.weight=60 kg", "patient.height=166 cm", *MYASTHENIA)
"""2 L per session are assumed: what the same group calls optimal (yeh-optimal-volume)."""


@pytest.mark.parametrize(
    ("name", "measured", "documented"),
    [("anti-achr", 66, 74.5), ("iga", 21, 50.2), ("igm", 57, 70.6)],
)
def test_five_sessions_on_a_column_in_the_second_study_is_missed(
    name: str, measured: float, documented: float
) -> None:
    """yeh-chiu-2000: 9, 29 and 14 points too much with 2.0 L; with 1.5 L only IgA is missed.

    The study that set the column has IgA at 54 % after four sessions, this one at 79 % after five:
    both cannot be met. The volume is not stated.
    """
    is_missed(fall(treat("tr-350", *YEH), name), documented, measured)


@pytest.mark.parametrize(("name", "measured"), [("anti-achr", 66), ("igm", 57)])
def test_five_sessions_of_less_plasma_lower_antibody_and_igm_as_measured(
    name: str, measured: float
) -> None:
    """yeh-chiu-2000, if 1.5 L were treated; the volume is not stated."""
    assert abs(fall(treat("tr-350", "1500 mL", *YEH[1:]), name) - measured) <= POINTS


def test_igg_after_five_sessions_on_a_column_in_the_third_study_is_missed() -> None:
    """12.32 to 5.44 (SD 0.72) g/L in seven women (tryptophan-nmosd); 2.9 g/L comes out.

    With 2.0 L, assumed. When the last sample was drawn is not known: 2 d later it is 5.1 g/L.
    """
    woman = ("patient.sex=female", "patient.weight=55 kg", "patient.height=160 cm")
    result = treat("tr-350", "2000 mL", 5, *woman, "solutes.igg.initial=12.32 g/L")
    after = result.sessions[-1].solutes["igg"].post or 0
    assert after == pytest.approx(2.85, abs=0.1)
    assert abs(after - 5.44) > 0.72


def test_two_columns_lower_igg_by_what_they_were_set_by() -> None:
    """Calibration: 74.1 (SD 5.0) % (globaffin-2022); 2.5 plasma volumes are assumed."""
    assert abs(fall(treat("globaffin", "2.5 PV"), "igg") - 74.1) <= CALIBRATED


def test_two_sessions_on_two_columns_lower_igg_as_a_course_did() -> None:
    """62-90 % (globaffin-2022); how many sessions a course had is not in the abstract."""
    assert 62 <= fall(treat("globaffin", "2.5 PV", 2), "igg") <= 90


def test_five_sessions_on_two_columns_is_missed() -> None:
    """96 %, more than 62-90 %, if a course of globaffin-2022 was five sessions of as much plasma.

    It was perhaps shorter, the volume less; or the columns hold IgG back less well when there is
    little of it, which a share that does not depend on the level cannot show.
    """
    is_missed(fall(treat("globaffin", "2.5 PV", 5), "igg"), 96.0, 76, 14)


# -- bowls and donation ----------------------------------------------------------------------------


def test_a_cycle_draws_the_volume_of_the_vendors_chart() -> None:
    """535 mL for a bowl of 225 mL, hematocrit 40 %, ratio 10 (haemonetics-red-book, input)."""
    bowl = separator(catalog.device("mcs-plus"))
    assert isinstance(bowl, Bowl)
    assert bowl.cycle_volume(0.40 * 0.9) == pytest.approx(535, abs=0.5)


def test_a_donation_takes_as_long_as_measured() -> None:
    """622 mL in 36.1 (SD 6.3) min, 17.8 (SD 2.8) mL/min (wbc-reduced-plasma-2004).

    Whether that counts the citrate is not said: taken to. Donor and flow of blood are assumed.
    """
    session = donate("555 mL")
    assert session.plasma_removed == pytest.approx(622, abs=7)
    assert abs(session.run_minutes - 36.1) <= 6.3
    assert abs(session.plasma_removed / session.run_minutes - 17.8) <= 2.8


EVERS = ("machine.anticoagulant.ratio=11.3",)
"""Gives 760 mL of product with 130 mL of citrate if none is lost in the bowl."""


def test_citrate_in_donation_is_missed() -> None:
    """130 (SD 12) mL used, 20 mL to the donor (evers-2016); 168 and 55 mL come out.

    A packed bowl holds plasma that goes back with its citrate, and a last part-bowl, filled for
    20 mL of plasma, all of it: two thirds of the plasma drawn are collected, not 84.6 %. The
    device measured was probably run to end on a full bowl; here each draw packs the bowl until the
    target is reached.
    """
    session = donate("650 mL", *EVERS)
    assert session.plasma_removed == pytest.approx(760, abs=5)
    is_missed(session.anticoagulant, 168.4, 130, 12)
    is_missed(session.anticoagulant_to_patient, 55.4, 20, 12)


def test_citrate_in_donation_to_the_donor_by_the_minute_is_missed() -> None:
    """0.16 mg/kg/min (evers-2016); more than twice that, as more of it goes back."""
    session = donate("650 mL", *EVERS)
    assert session.citrate_rate == pytest.approx(0.384, abs=0.02)


# -- what the scenarios of the devices say ---------------------------------------------------------


def percent(name: str, *changes: str) -> dict[str, int]:
    """Levels after the last session, % of the first ones."""
    result = simulate(scenarios.load(name, changes))
    after = result.sessions[-1].solutes
    return {k: round(100 * (after[k].post or 0) / s.initial) for k, s in result.solutes.items()}


def first_session(name: str, *changes: str) -> SessionResult:
    return simulate(scenarios.load(name, changes)).sessions[0]


def test_the_bowl_scenario_says_what_comes_out() -> None:
    bowl = first_session("bowl-or-continuous")
    continuous = first_session("bowl-or-continuous", "machine.device=spectra-optia")
    thin = first_session("bowl-or-continuous", "patient.hematocrit=28 %")
    assert bowl.bowl_cycles == 10
    assert [round(s.run_minutes) for s in (bowl, continuous)] == [148, 87]
    assert [round(s.blood_outside) for s in (bowl, continuous, thin)] == [592, 141, 751]
    assert [round(100 * s.blood_volume_nadir) for s in (bowl, continuous)] == [-18, -9]


def test_the_membrane_scenario_says_what_comes_out() -> None:
    result = simulate(scenarios.load("membrane"))
    alarm = next(e for e in result.events if e.event == "alarm:transmembrane-pressure-high")
    assert "60 mmHg" in alarm.detail
    assert round(alarm.minute or 0) == 100
    assert round(result.sessions[0].run_minutes) == 167
    other = first_session("membrane", "machine.device=prismaflex-tpe2000")
    assert round(other.run_minutes) == 153
    assert not other.alarms["transmembrane-pressure-high"]
    assert percent("membrane")["igg"] == 33


def test_the_scenarios_of_selective_exchange_say_what_comes_out() -> None:
    names = ("igg", "iga", "fibrinogen", "igm")
    selective, conventional = percent("selective-exchange"), percent("conventional-exchange")
    assert [100 - selective[n] for n in names] == [70, 41, 29, 3]
    assert [100 - conventional[n] for n in names] == [77, 71, 76, 80]
    assert selective["albumin"] == 138


def test_the_scenario_of_double_filtration_says_what_comes_out() -> None:
    names = ("igg", "igm", "fibrinogen")
    novel = percent("double-filtration", f"machine.device={NOVEL}")
    assert [100 - percent("double-filtration")[n] for n in names] == [75, 85, 77]
    assert [100 - novel[n] for n in names] == [63, 16, 39]
    for device, lowest in ((CONVENTIONAL, -16), (NOVEL, -11)):
        session = first_session("double-filtration", f"machine.device={device}")
        assert round(100 * session.blood_volume_nadir) == lowest
        assert session.alarms["transmembrane-pressure-high"] == 1


@pytest.mark.parametrize(
    ("device", "levels", "minutes"),
    [
        ("spectra-optia", [16, 22, 15, 19, 120], 92),
        (CONVENTIONAL, [24, 28, 15, 24, 103], 100),
        ("tr-350", [21, 44, 24, 24, 84], 127),
    ],
)
def test_the_scenario_of_immunoadsorption_says_what_comes_out(
    device: str, levels: list[int], minutes: int
) -> None:
    change = f"machine.device={device}"
    after = percent("immunoadsorption-or-exchange", change)
    names = ("anti-achr", "iga", "igm", "fibrinogen", "albumin")
    assert [after[n] for n in names] == levels
    result = simulate(scenarios.load("immunoadsorption-or-exchange", (change,)))
    assert round(result.sessions[-1].run_minutes) == minutes
    assert 0.675 <= result.solutes["anti-achr"].final / 20 <= 0.725


def test_the_donor_scenario_says_what_comes_out() -> None:
    result = simulate(scenarios.load("plasma-donor"))
    last = result.sessions[-1]
    igg, albumin = last.solutes["igg"], last.solutes["albumin"]
    assert (round(igg.pre, 2), round(igg.post or 0, 2)) == (7.74, 7.07)
    assert (round(albumin.pre), round(albumin.post or 0)) == (41, 38)
    assert round(100 * last.solutes["igm"].pre) == 92
    assert round(100 * last.solutes["iga"].pre / result.solutes["iga"].initial) == 96
    assert round(10 * result.solutes["igg"].final) == 91
    assert (round(last.run_minutes), last.bowl_cycles) == (46, 4)
    assert last.plasma_removed == pytest.approx(730, abs=5)
    assert min(round(100 * s.blood_volume_nadir) for s in result.sessions) == -14
