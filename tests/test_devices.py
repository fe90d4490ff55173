"""Every kind of machine on the same patient: books, limits, bowls, donors, one's own devices."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import catalog, run_folder
from simulator import scenario as scenarios
from simulator.catalog import AdsorberFacts, BowlFacts, MembraneFacts
from simulator.errors import ImpossibleRunError, ScenarioError
from simulator.ledger import ADSORBER, PLASMA_LINE, RETURNED, Ledger
from simulator.machine.alarms import BY_FAULT, FAULTS
from simulator.result import Result
from simulator.simulation import Run

DEVICES = catalog.names("devices")
BOWLS = [name for name in DEVICES if isinstance(catalog.device(name).separator, BowlFacts)]
ONE_NEEDLE = [name for name in DEVICES if catalog.device(name).single_needle_volume]
ONE = """
format: 1
patient: {sex: female, weight: 60 kg, height: 165 cm, hematocrit: 38 %}
solutes:
  igm: {}
  antibody: {like: igg1, initial: 100 U/mL}
  tracer: {unit: mg/L, initial: 100 mg/L, intravascular_fraction: 100 %,
           transcapillary_escape: 0 %/h, fractional_catabolic_rate: 0 %/d, synthesis: 0 %}
prescription: {exchange: 0.5 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""
NO_SHIFT = "patient.fluid_shift=none"
ALBUMIN, SALINE, PLASMA = (
    f"[{{fluid: {name}, share: 100 %}}]" for name in ("albumin-5", "saline", "fresh-frozen-plasma")
)
BOTH = "[{fluid: saline, share: 40 %}, {fluid: albumin-5, share: 60 %}]"


def run(device: str, *overrides: str) -> tuple[Result, Ledger]:
    """What a run leaves, and its ledger."""
    whole = Run(scenarios.loads(ONE, "one", [f"machine.device={device}", *overrides]))
    return whole.result(), whole.ledger


def check(result: Result, ledger: Ledger) -> None:
    """What holds after any run: closed books, the same in the machine's, and nothing negative."""
    for substance, residual in result.balance.items():
        assert abs(residual) < (1e-6 if substance.endswith("_mL") else 1e-9), substance
    sessions, machine = result.sessions, result.scenario.machine
    assert machine is not None
    water = ledger.accounts("water")
    wasted = sum(s.plasma_removed for s in sessions)
    assert water.get("waste", 0.0) == pytest.approx(wasted, abs=1e-6)
    bolus = machine.anticoagulant_bolus * len(sessions)
    ordered = {"saline": 0.0, machine.anticoagulant.name: bolus}
    for s in sessions:
        fluids = (*s.replacement_by_fluid.items(), (machine.anticoagulant.name, s.anticoagulant))
        ordered |= {fluid: ordered.get(fluid, 0.0) + volume for fluid, volume in fluids}
    for fluid, volume in ordered.items():
        more = -water.get(fluid, 0.0) - volume
        beside = ("saline", machine.prime and machine.prime.name)  # to rinse and to prime
        assert more >= -1e-6 if fluid in beside else abs(more) < 1e-6, fluid
    for name in result.solutes:
        through = ledger.received(name, PLASMA_LINE)
        for account in (PLASMA_LINE, RETURNED):
            assert abs(ledger.balance(name, account)) <= 1e-12 * through, (name, account)
        seen = [s.solutes[name] for s in sessions]
        in_the_books = [ledger.received(name, account) for account in (ADSORBER, RETURNED)]
        told = [sum(x.adsorbed for x in seen), sum(x.returned for x in seen)]
        assert told == pytest.approx(in_the_books, rel=1e-9, abs=1e-12), name
        for account in ("waste", "set", ADSORBER, "catabolism", RETURNED):
            least = 1e-12 * ledger.balance(name, "start")
            assert ledger.received(name, account) >= least, (name, account)
    for name, _ in result.columns:
        assert min(result.column(name)) >= 0, name
    for name in ("plasma_treated", "plasma_removed", "replacement", "anticoagulant"):
        total = sum(getattr(s, name) for s in sessions)
        assert result.column(name)[-1] == pytest.approx(total, rel=1e-9, abs=1e-9), name


def times(result: Result, name: str) -> list[float]:
    """When something happened, min."""
    return [e.time for e in result.events if e.event == name]


def seen_at(result: Result, minute: float, *columns: str) -> list[float]:
    """Columns of the last row up to a time."""
    clock = result.column("time")
    place = max(i for i, day in enumerate(clock) if day * 1440 <= minute * (1 + 1e-12))
    return [result.column(name)[place] for name in columns]


# -- every device ----------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_does_two_sessions_and_its_books_close(device: str) -> None:
    result, ledger = run(device, "course={sessions: 2, every: 6 h}")
    check(result, ledger)
    facts = catalog.device(device)
    columns = isinstance(facts.treatment, AdsorberFacts)
    for session in result.sessions:
        assert session.completed
        assert session.dose == pytest.approx(0.5 * result.plasma_volume, rel=1e-9)
        assert (session.plasma_treated > 0) == (facts.treatment is not None)
        with_it = session.plasma_removed + session.plasma_returned - session.dose
        assert 0 < with_it < session.anticoagulant
        assert (session.bowl_cycles > 0) == (device in BOWLS)
        assert (session.heparin > 0) == (facts.anticoagulant == "heparin")
        assert session.blood_outside >= facts.extracorporeal_volume * (1 - 1e-9)
        assert (session.solutes["antibody"].adsorbed > 0) == columns
        assert (session.solutes["tracer"].returned > 0) == (facts.treatment is not None)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("replacement", [ALBUMIN, "[]"])
def test_books_close_where_the_return_is_drawn_again(device: str, replacement: str) -> None:
    reversed_lines = "machine.access=dialysis-catheter-reversed"
    check(*run(device, reversed_lines, f"prescription.replacement={replacement}"))


@pytest.mark.parametrize("device", ONE_NEEDLE)
def test_one_needle_takes_longer_and_the_books_close(device: str) -> None:
    one, two = run(device, "machine.needles=1"), run(device)
    check(*one)
    slower, faster = one[0].sessions[0], two[0].sessions[0]
    assert slower.run_minutes > 1.3 * faster.run_minutes
    assert slower.blood_outside == pytest.approx(faster.blood_outside + 80)


@st.composite
def cases(draw: st.DrawFn) -> list[str]:
    """A device, and what else a scenario may say of patient, machine and misfortune."""
    device = draw(st.sampled_from(DEVICES))
    kind = catalog.tree("devices", device)["separator"]["kind"]
    possible = [f for f in FAULTS if kind in (getattr(BY_FAULT.get(f), "only", ()) or (kind,))]
    lasting = st.sampled_from(["", ", for: 1 min", ", for: 4 min", ", for: 11 min"])
    faults = [
        f"{{session: 1, at: {draw(st.integers(0, 90))} min, "
        f"fault: {draw(st.sampled_from(possible))}{draw(lasting)}}}"
        for _ in range(draw(st.integers(0, 3)))
    ]
    weight = draw(st.integers(20, 110))
    primes = ["saline"] if kind == "bowl" else ["saline", "albumin-5", "red-cells"]
    return [
        device, f"patient.weight={weight} kg", f"patient.height={95 + 0.8 * weight:.0f} cm",
        f"patient.hematocrit={draw(st.integers(20, 55))} %",
        f"patient.fluid_shift={draw(st.sampled_from(['starling', 'none']))}",
        f"machine.access={draw(st.sampled_from(catalog.names('access')))}",
        f"machine.disturbances={draw(st.sampled_from(['none', 'typical']))}",
        f"machine.anticoagulant={draw(st.sampled_from(['{}', '{fluid: acd-a}']))}",
        f"machine.prime={draw(st.sampled_from(primes))}",
        f"machine.rinseback={draw(st.sampled_from(['yes', 'no']))}",
        f"prescription.exchange={draw(st.floats(0.3, 2.0)):.2f} PV",
        f"prescription.replacement={draw(st.sampled_from(['[]', ALBUMIN, PLASMA, BOTH]))}",
        f"events=[{', '.join(faults)}]",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_any_machine_on_any_patient_closes_its_books_or_says_why_not(case: list[str]) -> None:
    problems, said = set(), ""
    try:
        result, ledger = run(*case)
    except ScenarioError as error:  # slow veins on a machine that pumps faster
        problems = {problem.path for problem in error.problems}
    except ImpossibleRunError as error:
        said = str(error)
    else:
        check(result, ledger)
        return
    assert problems == {"machine.inlet_flow"} or re.match(r"at [0-9.e-]+ d", said)


# -- bowls -----------------------------------------------------------------------------------------


def cycles(result: Result) -> list[tuple[float, float, float]]:
    """Of each cycle: plasma volume before the draw, plasma off (mL), blood volume drawn."""
    columns = ("plasma_volume", "patient_plasma_removed", "blood_volume")
    begins = [seen_at(result, time, *columns) for time in times(result, "draw")]
    ends = [seen_at(result, time, *columns) for time in times(result, "return")]
    pairs = zip(begins, ends, strict=True)
    return [(v, after - before, blood - least) for (v, before, blood), (_, after, least) in pairs]


@pytest.mark.parametrize("device", BOWLS)
@pytest.mark.parametrize("balance", [80, 100, 110])
def test_a_bowl_leaves_the_product_over_its_cycles(device: str, balance: int) -> None:
    """P/P0 = (1 - v_1/V_1) ... (1 - v_n/V_n), each with the V of its moment."""
    result, _ = run(device, NO_SHIFT, f"prescription.fluid_balance={balance} %")
    tracer = result.sessions[0].solutes["tracer"]
    done = cycles(result)
    assert len(done) == result.sessions[0].bowl_cycles > 3
    expected = math.prod(1 - removed / volume for volume, removed, _ in done)
    begin, end = done[0][0], result.column("plasma_volume")[-1]
    assert tracer.post is not None
    assert tracer.post * end / (tracer.pre * begin) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("device", BOWLS)
def test_n_equal_withdrawals_leave_one_less_v_over_v_to_the_nth(device: str) -> None:
    first, _ = run(device, NO_SHIFT)
    volume, removed, _ = cycles(first)[0]
    result, _ = run(device, NO_SHIFT, f"prescription.exchange={4 * removed:.9f} mL")
    session = result.sessions[0]
    tracer = session.solutes["tracer"]
    assert session.bowl_cycles == 4
    assert tracer.post is not None
    assert tracer.post / tracer.pre == pytest.approx((1 - removed / volume) ** 4, rel=1e-7)


@pytest.mark.parametrize("device", BOWLS)
def test_the_thinner_the_blood_the_more_of_it_is_outside(device: str) -> None:
    facts, outside = catalog.device(device), []
    bowl = facts.separator
    assert isinstance(bowl, BowlFacts)
    for hematocrit in (20, 30, 40, 50):
        result, _ = run(device, NO_SHIFT, f"patient.hematocrit={hematocrit} %")
        thinned = hematocrit / 100 * (1 - 1 / facts.anticoagulant_ratio)
        packed = bowl.bowl_volume * bowl.packed_hematocrit / thinned + bowl.harness_volume
        outside.append(result.sessions[0].blood_outside)
        assert outside[-1] == pytest.approx(packed, rel=1e-6)
    assert all(thinner > thicker for thinner, thicker in pairwise(outside))


@pytest.mark.parametrize("device", BOWLS)
def test_the_blood_volume_swings_with_every_cycle(device: str) -> None:
    result, _ = run(device, NO_SHIFT)
    drawn = [blood for *_, blood in cycles(result)]
    processed = [seen_at(result, t, "blood_processed")[0] for t in times(result, "return")]
    assert drawn == pytest.approx([b - a for a, b in pairwise([0.0, *processed])], rel=1e-9)
    assert drawn[:-1] == pytest.approx([drawn[0]] * (len(drawn) - 1), rel=1e-6)
    nadir = 1 + result.sessions[0].blood_volume_nadir
    assert nadir == pytest.approx(1 - drawn[0] / result.blood_volume, rel=1e-9)
    assert result.column("blood_volume")[-1] == pytest.approx(result.blood_volume, rel=1e-9)


@pytest.mark.parametrize(("minutes", "packs"), [(2, False), (4, True)])
def test_a_pump_that_stands_too_long_over_packs_the_bowl(minutes: int, packs: bool) -> None:
    fault = f"{{session: 1, at: 11 min, fault: return-occlusion, for: {minutes} min}}"
    (result, ledger), (usual, _) = run("mcs-plus", f"events=[{fault}]"), run("mcs-plus")
    check(result, ledger)
    assert result.sessions[0].completed
    assert bool(times(result, "bowl-over-packed")) == packs
    if packs:
        assert cycles(result)[0][1] < 0.8 * cycles(usual)[0][1]
        assert times(result, "return")[0] == pytest.approx(15 + 0.25)


@pytest.mark.parametrize("device", ["spectra-optia", "mcs-plus"])
def test_a_session_that_leaves_too_little_plasma_says_when(device: str) -> None:
    with pytest.raises(ImpossibleRunError, match=r"^at 0\.\d+ d.* the plasma volume has fallen to"):
        run(device, NO_SHIFT, "prescription={exchange: 1.3 PV, replacement: []}")


# -- limits ----------------------------------------------------------------------------------------


def apheresis(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", "run", "one.yaml", "--no-plots", *arguments],
        cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(ONE, encoding="utf-8")
    return tmp_path


CHILD = "patient={sex: female, weight: 20 kg, height: 115 cm, hematocrit: 38 %}"
THICK, SHALLOW = "patient.hematocrit=65 %", "separator: {packed_hematocrit: 55 %}"
NONE = "no plasma can be separated at a hematocrit of 65 %"


@pytest.mark.parametrize(("told", "code", "device", "override"), [
    ("each draw will take", 0, "mcs-plus", CHILD),
    ("the filtration fraction is", 0, "plasmaflo-op-08w", "machine.plasma_flow=45 mL/min"),
    ("instead of", 0, "plasmaflo-op-08w", "patient.hematocrit=57 %"),
    ("What happened", 0, "{like: plasmaflo-op-08w, separator: {fouling: 2 1/L}}", NO_SHIFT),
    (NONE, 1, "prismaflex-tpe2000", THICK),
    (NONE, 1, f"{{like: spectra-optia, {SHALLOW}}}", THICK),
    (NONE, 1, f"{{like: mcs-plus, {SHALLOW}}}", THICK),
])  # fmt: skip
def test_a_limit_that_is_hit_is_told(
    folder: Path, told: str, code: int, device: str, override: str
) -> None:
    done = apheresis(folder, "--set", f"machine.device={device}", "--set", override)
    assert done.returncode == code, done.stderr
    assert told in " ".join((done.stderr if code else done.stdout).split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("device", ["plasmaflo-op-08w", "prismaflex-tpe2000", "evacure-ec-4a"])
def test_a_filter_that_fouls_is_eased_whenever_its_pressure_is_at_the_limit(device: str) -> None:
    """Permeability summed up anew from the curves: dL/dV = -k Q / TMP_max; then given up."""
    facts = catalog.device(device).separator
    assert isinstance(facts, MembraneFacts)
    fouling = f"{{like: {device}, separator: {{fouling: 2 1/L}}}}"
    result, ledger = run(fouling, "prescription.exchange=1.2 PV")
    check(result, ledger)
    session, limit = result.sessions[0], facts.transmembrane_pressure_max
    assert session.alarms["transmembrane-pressure-high"] == 4
    assert session.stop_reason == "filter-clotting"
    permeability, highest = facts.permeability, 0.0
    rows = zip(result.column("time"), result.column("plasma_removed"), strict=True)
    for (before, removed), (time, more) in pairwise(rows):
        if more > removed:
            flow = (more - removed) / (time - before) / 1440
            permeability -= 2 / 1000 * flow / limit * (more - removed)
            highest = max(highest, flow / permeability)
    assert highest == pytest.approx(limit, rel=1e-4)


# -- donors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("replacement", ["[]", SALINE])
def test_a_donor_comes_to_a_new_steady_state_below_the_old(replacement: str) -> None:
    order = f"prescription={{exchange: 650 mL, replacement: {replacement}}}"
    half_a_year = ("course={sessions: 26, every: 7 d}", "simulation.until=182 d")
    result, ledger = run("pcs2", order, *half_a_year)
    check(result, ledger)
    assert [s.completed for s in result.sessions] == [True] * 26
    assert -ledger.balance("water", "sodium-citrate-4") > 26 * 650 / 16
    assert all((s.replacement > 0) == (replacement != "[]") for s in result.sessions)
    for name in ("igg", "albumin"):
        first, second, *_, last_but_one, last = (s.solutes[name].pre for s in result.sessions)
        assert second < first
        assert last < 0.98 * first
        assert abs(last - last_but_one) < 0.05 * (first - second)


# -- the same again --------------------------------------------------------------------------------


def files(text: str) -> list[str]:
    """All that a run writes, as text."""
    result = Run(scenarios.loads(text, "one")).result()
    write = (run_folder.summary_json, run_folder.curves_csv, run_folder.events_csv)
    return [*(each(result) for each in write), scenarios.dump(result.scenario)]


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_scenario_and_the_resolved_one_give_the_same_bytes(device: str) -> None:
    text = f"{ONE}machine: {{device: {device}, disturbances: typical}}\n"
    first = files(text)
    assert files(text) == first
    assert files(first[-1]) == first


# -- devices of one's own --------------------------------------------------------------------------

HALF = {"value": "50 %", "source": "assumed", "seen": "assumed", "note": "made up"}
OWN: dict[str, tuple[str, dict[str, Any]]] = {
    "my-centrifuge": ("spectra-optia", {"separator": {"packed_hematocrit": HALF}}),
    "my-membrane": ("evacure-ec-4a", {"separator": {"sieving": {"tracer": HALF}}}),
    "my-column": ("tr-350", {"treatment": {"extraction": {"tracer": HALF}}}),
    **{f"my-whole-{name}": (name, dict(catalog.tree("devices", name)))
       for name in ("cobe-spectra", "mcs-plus", "dfpp-ec-50w", "globaffin")},
}  # fmt: skip
"""What each is like, and its file; the last are like none and say everything themselves."""


@pytest.mark.parametrize("name", OWN)
def test_a_new_device_is_one_file(folder: Path, name: str) -> None:
    base, content = OWN[name]
    mine = folder / "catalog" / "devices"
    mine.mkdir(parents=True)
    whole = name.startswith("my-whole-")
    text = yaml.safe_dump(content if whole else {"like": base, "title": "My own", **content})
    (mine / f"{name}.yaml").write_text(text, encoding="utf-8")
    device = ("--set", f"machine.device={name}")
    done = apheresis(folder, "--json", *device, APHERESIS_CATALOG=str(mine.parent))
    assert done.returncode == 0, done.stderr
    new = json.loads(done.stdout)["sessions"][0]
    known = json.loads(run_folder.summary_json(run(base)[0]))["sessions"][0]
    tracer, usual = (one["solutes"]["tracer"] for one in (new, known))
    if whole:
        assert new == known
    elif name == "my-centrifuge":
        assert new["plasma_removal_efficiency"] < known["plasma_removal_efficiency"] - 0.2
    else:
        assert (tracer["adsorbed"] > 0) == (name == "my-column")
        assert abs(math.log(tracer["post"] / usual["post"])) > 0.15
