"""Whatever the text, the program answers with a scenario or with the one error it promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simulator import catalog, scenario
from simulator.errors import CommandError, ScenarioError
from simulator.scenario.library import folder
from simulator.units import parse

EVERYTHING = b"""
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
machine:
  device: {like: spectra-optia, disturbances: {clotting: 5 %}}
  access: {like: dialysis-catheter, recirculation: 15 %}
  disturbances: typical
  prime: {like: albumin-5, citrate: 1 mmol/L}
  rinseback: no
operator: {machines: 3, response: 30 s, vital_signs: never}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 2, every: 2 d}
events:
  - {session: 1, at: 40 min, give: calcium-gluconate-10, dose: 10 mL, over: 10 min}
  - {session: 1, at: 60 min, set: prescription.replacement, to: fresh-frozen-plasma}
  - {session: 2, at: 20 min, give: igg, dose: 0.4 g/kg}
"""
COLUMN = b"""
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {igm: {}, anti-achr: {like: igg1, initial: 10 U/L}}
machine:
  device:
    like: globaffin
    separator: {filtration_fraction: 25 %, filtration_fraction_max: 30 %, sieving: {igm: 90 %}}
    treatment: {columns: 1, plasma_per_column: 900 mL, capacity: 3 g, extraction: {igg: 80 %}}
    heparin_rate: 777 U/h
    disturbances: {filter-clotting: 5 %}
  plasma_flow: 30 mL/min
  needles: 2
  anticoagulant: {fluid: {like: heparin, activity: 90 U/mL}, bolus: 1234 U}
prescription: {exchange: 1.0 PV, replacement: []}
course: {sessions: 1}
events: [{session: 1, at: 20 min, fault: blood-leak}]
"""
FILES = [EVERYTHING, COLUMN]
FILES += [path.read_bytes() for path in sorted(folder().glob("*.yaml"))]
FILES += [p.read_bytes() for p in sorted((Path(__file__).parent / "invalid").glob("*.yaml"))]

VALUE = re.compile(rb": ([^,{}\[\]\n]+)")
KEY = re.compile(rb"([A-Za-z_-]+):")
STRANGE = [
    *(b"null", b"~", b"no", b"[]", b"{}", b"-1", b"0", b"1e999", b"1e3", b".nan", b"true", b'"x"'),
    *(b"5 %", b"10 kg", b"3 d", b"-5 mL/min", b"1e-300 d", b"1e300 kg", b"1/0 g", b"1 g/L/h"),
    *(b"rest", b"igg", b"spectra-optia", b"[1, 2]", b"{a: b}", b"{like: igg1}", b"{like: [1]}"),
    *(b"!!python/object:os.system x", b"&a 1", b"*a", b"9" * 50, b"{per_week: 3, weeks: 300}"),
    *(b"[0 d, 2 d, null, x]", b"[{at: 3}, 4, null]", b"{like: amicus, separator: 3}"),
    *(b"typical", b"never", b"yes", b"10 mL", b"5 mL/kg", b"saline", b"acd-a", b"250 mmHg"),
    *(b"{like: amicus, disturbances: {clotting: 3}}", b"{machines: 3, response: 0 s}"),
    *(b"[{at: 0 d, give: saline, dose: 5 mL/kg}, {at: 0 d, session: 1, give: igg, dose: 1 g}]",),
    *(b"[{at: 1 h, session: 1, set: prescription.replacement, to: saline}]",),
    *(
        b"tr-350",
        b"mcs-plus",
        b"dfpp-ec-50w",
        b"evacure-ec-4a",
        b"heparin",
        b"1",
        b"2",
        b"1500 U/h",
    ),
    *(b"2000 U", b"{fluid: heparin, rate: 1 U/h}", b"{fluid: acd-a, ratio: 10}", b"interface-loss"),
    *(b"{like: tr-350, treatment: {columns: 2, capacity: 1 g}}", b"{kind: bowl}", b"{igg: 50 %}"),
    *(
        b"{like: mcs-plus, separator: {bowl_volume: 0 mL}, treatment: {columns: 1}}",
        b"filter-fouling",
    ),
]

few = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def answer(text: str | bytes, *overrides: str) -> None:
    """Load a text; what loads must also come back."""
    try:
        loaded = scenario.loads(text, overrides=overrides)
    except ScenarioError as error:
        problems = error.problems
    else:
        problems = []
        assert scenario.loads(scenario.dump(loaded), name="again") == loaded
    assert all(problem.message for problem in problems)


@few
@given(st.text(max_size=300))
@example("a: &a [*a]")
@example("a: 0x" + "F" * 5000)
@example("? [a]\n: b")
@example("\ufeffformat: 1")
@example("a: \ud800")
@example("%YAML 1.1\n---\na: b")
def test_any_text(text: str) -> None:
    answer(text)


def test_the_files_that_are_damaged_below_are_whole() -> None:
    assert scenario.loads(EVERYTHING).operator is not None
    column = scenario.loads(COLUMN).machine
    assert column is not None
    treatment, usual = column.device.treatment, catalog.device("globaffin").treatment
    assert isinstance(treatment, catalog.AdsorberFacts)
    assert isinstance(usual, catalog.AdsorberFacts)
    assert (treatment.columns, treatment.plasma_per_column, treatment.capacity) == (1, 900, 3)
    assert treatment.extraction["igg"] == pytest.approx(0.8)
    assert treatment.extraction["iga"] == usual.extraction["iga"]


@pytest.mark.parametrize("device", catalog.names("devices"))
@pytest.mark.parametrize("rate", ["777 U/h", "1234.5 U/h", "0.1 U/min", "3 kU/d"])
def test_heparin_doses_come_back_from_the_resolved_file(device: str, rate: str) -> None:
    fluid = "anticoagulant: {fluid: heparin}"
    machine = f"machine={{device: {{like: {device}, heparin_rate: {rate}}}, {fluid}}}"
    answer(COLUMN, machine, "events=[]")
    settings = scenario.loads(COLUMN, overrides=[machine, "events=[]"]).machine
    assert settings is not None
    per_minute = settings.anticoagulant_flow * settings.anticoagulant.activity
    assert per_minute == pytest.approx(parse(rate).canonical, rel=1e-12)


@pytest.mark.parametrize("device", catalog.names("devices"))
@pytest.mark.parametrize("section", ["{fluid: acd-a, ratio: 10}", "{ratio: 10}", "{rate: 9 U/h}"])
def test_another_machine_on_the_command_line_is_run_or_refused(device: str, section: str) -> None:
    answer(EVERYTHING, f"machine.anticoagulant={section}", f"machine.device={device}")


def test_citrate_goes_along_to_a_membrane_and_a_bare_ratio_is_refused_there() -> None:
    def moved(section: str) -> scenario.Scenario:
        changes = [f"machine.anticoagulant={section}", "machine.device=tr-350"]
        return scenario.loads(EVERYTHING, overrides=changes)

    machine = moved("{fluid: acd-a, ratio: 10}").machine
    assert machine is not None
    assert (machine.anticoagulant.name, machine.anticoagulant_ratio) == ("acd-a", 10)
    assert machine.anticoagulant_flow == machine.anticoagulant_bolus == 0
    with pytest.raises(ScenarioError, match=r"anticoagulant\.ratio: heparin is given by the hour"):
        moved("{ratio: 10}")


@few
@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    answer(content)


def flip_byte(text: bytes, draw: Callable[[int], int]) -> bytes:
    place = draw(len(text))
    return text[:place] + bytes([draw(256)]) + text[place + 1 :]


def delete_line(text: bytes, draw: Callable[[int], int]) -> bytes:
    lines = text.split(b"\n")
    del lines[draw(len(lines))]
    return b"\n".join(lines)


def double_line(text: bytes, draw: Callable[[int], int]) -> bytes:
    lines = text.split(b"\n")
    lines.insert(draw(len(lines)), lines[draw(len(lines))])
    return b"\n".join(lines)


def replaced(text: bytes, pattern: re.Pattern[bytes], new: bytes, place: int) -> bytes:
    found = list(pattern.finditer(text))
    if not found:
        return text
    match = found[place % len(found)]
    return text[: match.start(1)] + new + text[match.end(1) :]


def swap_value(text: bytes, draw: Callable[[int], int]) -> bytes:
    found = VALUE.findall(text) or [b""]
    return replaced(text, VALUE, found[draw(len(found))], draw(1000))


def strange_value(text: bytes, draw: Callable[[int], int]) -> bytes:
    return replaced(text, VALUE, STRANGE[draw(len(STRANGE))], draw(1000))


def rename_key(text: bytes, draw: Callable[[int], int]) -> bytes:
    found = KEY.findall(text) or [b""]
    return replaced(text, KEY, found[draw(len(found))], draw(1000))


MUTATIONS = [flip_byte, delete_line, double_line, swap_value, strange_value, rename_key]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A scenario file with one to four things done to it."""

    def below(limit: int) -> int:
        return draw(st.integers(0, max(0, limit - 1)))

    text = draw(st.sampled_from(FILES))
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4)):
        text = mutate(text, below) if text else text
    return text


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_damaged_files(text: bytes) -> None:
    answer(text)


@few
@given(
    st.sampled_from(
        [
            *("patient", "patient.weight", "patient.blood_volume.value", "solutes.igg.initial"),
            *("solutes.x", "solutes.igg.like", "machine.device", "machine.device.inlet_flow_max"),
            *("prescription.replacement.0", "prescription.replacement.0.fluid.solutes.igg"),
            *("prescription.exchange", "prescription.calcium", "course", "course.at.0"),
            *("operator", "operator.machines", "operator.response", "operator.vital_signs"),
            *("machine.disturbances", "machine.prime", "machine.prime.citrate"),
            *("machine.rinseback", "machine.access.recirculation", "machine.access.like"),
            *("machine.device.disturbances", "machine.device.disturbances.clotting"),
            *("machine.anticoagulant", "machine.anticoagulant.rate", "machine.anticoagulant.bolus"),
            *("machine.anticoagulant.ratio", "machine.needles", "machine.plasma_flow"),
            *("machine.anticoagulant.fluid", "machine.anticoagulant.fluid.activity"),
            *("machine.device.separator", "machine.device.separator.kind"),
            *("machine.device.separator.sieving", "machine.device.separator.sieving.igg"),
            *("machine.device.separator.filtration_fraction", "machine.device.treatment"),
            *("machine.device.treatment.columns", "machine.device.treatment.extraction.igg"),
            *("machine.device.treatment.capacity", "events.0.fault", "events.0.set"),
            *("events.0", "events.0.give", "events.0.dose", "events.0.session", "events.0.to"),
            *(
                "course.then.0.prescription",
                "events.0.at",
                "rules",
                "simulation.until",
                "sweep.vary",
            ),
        ]
    ),
    st.one_of(st.sampled_from([s.decode() for s in STRANGE]), st.text(max_size=30)),
)
def test_any_setting(address: str, value: str) -> None:
    for file in FILES[:2]:
        with suppress(CommandError):  # the address is one, but the value may be too long
            answer(file, f"{address}={value}")
