"""The rates of one state far from rest, in which no term is zero, worked out once more by hand.

Laws and closed forms hold for many wrong programs; a second reckoning of a state in which
everything happens at once does not. It is written from MODEL.md, one quantity after the other, and
calls nothing of the patient's but his constants. Every sign in the modules compared here is turned
round by tests/test_sabotage.py, and most of that is noticed by these tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from scipy.optimize import brentq
from stand_ins import WOMAN, followed

from simulator import catalog
from simulator.boundary import Exchange, Passage
from simulator.orders import FollowedSolute
from simulator.patient import equations, extracorporeal, minerals, water
from simulator.patient.patient import Patient
from simulator.patient.state import FluxTotals, Minerals, concentration_in

PLASMA = replace(
    catalog.fluid("fresh-frozen-plasma"),
    citrate=20.0, calcium=2.1, magnesium=0.8, hematocrit=0.1,
    solutes={"albumin": "38 g/L", "igg": "9 g/L", "fibrinogen": "2 g/L"},
)  # fmt: skip
ENRICHED = replace(catalog.fluid("albumin-5"), calcium=3.0, magnesium=1.5, citrate=2.0)
ACD = catalog.fluid("acd-a")
PASSAGE = Passage(
    sieving={"igg": 0.8, "fibrinogen": 0.6, "albumin": 0.95},
    return_sieving={"igg": 0.3, "albumin": 0.7},
    extraction={"igg": 0.5, "fibrinogen": 0.2},
    capacity=40.0,
)
EVERYTHING = Exchange(
    blood_to_circuit=7.0, plasma_to_circuit=31.0, anticoagulant=ACD, anticoagulant_to_circuit=5.0,
    circuit_to_waste=11.0, circuit_to_patient=13.0, plasma_to_patient=17.0, passage=PASSAGE,
    given=((PLASMA, 19.0), (ENRICHED, 9.0)),
)  # fmt: skip
NAMES = ("albumin", "igg", "other-globulins", "fibrinogen", "antibody")


def patient_at_rest() -> Patient:
    """With an empty circuit."""
    antibody = FollowedSolute(replace(catalog.solute("igg1"), name="antibody"), 80.0, synthesis=0.4)
    patient = Patient(replace(WOMAN, f_cell_ratio=0.91), followed("fibrinogen", antibody=antibody))
    assert tuple(patient.names) == NAMES
    patient.connect()
    return patient


def patient_far_from_rest() -> Patient:
    """With drugs and a drip running, and a circuit on a column partly used up."""
    patient = patient_at_rest()
    patient.start_blockade(0.35)
    patient.start_infusion("igg", 0.05)
    patient.start_fluid(PLASMA, 3.0)
    patient.set_citrate_clearance(0.8)
    factors = [0.9, 1.07, 0.93, 4.0, 0.96, 0.9, 0.8, *(0.7 + 0.05 * i for i in range(10))]
    inside = [value * f for value, f in zip(patient.state, factors, strict=False)]
    outside = [70.0, 60.0, 12.0, 1.3, 0.2, 0.07, 9.0, 2.1, 0.5, 0.9, 0.17, 4.7]
    patient.state = [*inside, *outside]
    return patient


@dataclass
class Reckoned:
    """What there is, by name: masses in plasma, interstitium and circuit by solute."""

    patient: Patient

    def __post_init__(self) -> None:
        s = self.patient.state
        self.v_p, self.v_i, self.cells = s[:3]
        self.citrate, self.calcium, self.magnesium, self.store = s[3:7]
        self.p = dict(zip(NAMES, s[7:12], strict=True))
        self.e = dict(zip(NAMES, s[12:17], strict=True))
        self.cells_out, self.plasma_out, self.added_out = s[17:20]
        self.citrate_out, self.calcium_out, self.magnesium_out, self.on_column = s[20:24]
        self.m = dict(zip(NAMES, s[24:29], strict=True))

    def oncotic(self, masses: dict[str, float], volume: float) -> float:
        """mmHg by Landis and Pappenheimer, as the table of MODEL.md has it, each term alone."""
        a = 100 * masses["albumin"] / volume
        g = 100 * (masses["igg"] + masses["other-globulins"]) / volume
        c = a + g
        albumin = 2.8 * c + 0.18 * c**2 + 0.012 * c**3
        globulin = 1.6 * c + 0.15 * c**2 + 0.006 * c**3
        return a / c * 0.915 * albumin + g / c * globulin

    def ionized(self) -> tuple[float, float, float]:
        """Calcium, magnesium and free citrate, mmol/L, by a root finder."""
        liters = (self.v_p + self.v_i) / 1000
        albumin = self.p["albumin"] + self.e["albumin"]
        citrate_liters = 0.4 * 68
        for_calcium = liters * 1.19 + 12 * 0.1 / 66.5 * albumin
        for_magnesium = liters * 1.145 + 0.0087 * albumin

        def calcium(free: float) -> float:
            return self.calcium / (for_calcium + citrate_liters * 2.5 * free)

        def magnesium(free: float) -> float:
            return self.magnesium / (for_magnesium + citrate_liters * 2.0 * free)

        def missing(free: float) -> float:
            complexed = free * (2.5 * calcium(free) + 2.0 * magnesium(free))
            return citrate_liters * (free + complexed) - self.citrate

        free = brentq(missing, 0, 100, xtol=1e-14)
        return calcium(free), magnesium(free), free


def test_all_rates_of_a_state_in_which_everything_happens() -> None:  # noqa: PLR0915
    patient = patient_far_from_rest()
    now = Reckoned(patient)
    rest = Reckoned(patient_at_rest())
    constants = dict(zip(NAMES, patient.constants.solutes, strict=True))
    ionized_calcium, ionized_magnesium, free_citrate = now.ionized()
    albumin_level = now.p["albumin"] / (now.v_p / 1000)
    d: dict[str, float] = {}

    # water: hydrostatic and oncotic changes against each other, then the kidneys
    matrix_free = 0.5 * rest.v_i + 0.7 * (now.v_i - rest.v_i)
    rise_p = now.oncotic(now.p, now.v_p) - rest.oncotic(rest.p, rest.v_p)
    rise_i = now.oncotic(now.e, matrix_free) - rest.oncotic(rest.e, 0.5 * rest.v_i)
    pushed_out = (now.v_p / rest.v_p - 1) / 0.05
    pushed_back = (now.v_i / rest.v_i - 1) / 0.14
    pulled_in = 0.95 * (rise_p - rise_i)
    filtered = 10 * rest.v_p / 3000 * (pushed_out - pushed_back - pulled_in)
    excreted = (now.v_p + now.v_i - rest.v_p - rest.v_i) / 1440

    # what the machine and the drip bring
    given = ((PLASMA, 22.0), (ENRICHED, 9.0))
    water_in = 22 * 0.9 + 9
    citrate_in = (22 * 20 + 9 * 2.0) / 1000
    calcium_in = (22 * 2.1 + 9 * 3.0) / 1000
    magnesium_in = (22 * 0.8 + 9 * 1.5) / 1000

    # what leaves the patient for the circuit, what comes out as a plug, what streams through
    hematocrit = now.cells / (now.cells + now.v_p) / 0.91
    cells_away, plasma_away = 7 * hematocrit, 7 * (1 - hematocrit) + 31
    plug = 13 / (now.cells_out + now.plasma_out + now.added_out)
    stream = 28 / (now.plasma_out + now.added_out)
    back = 17 / 28

    d["plasma volume"] = (
        water_in - filtered - excreted - plasma_away
        + plug * (now.plasma_out + now.added_out) + 17
    )  # fmt: skip
    d["interstitial volume"] = filtered
    d["red cells"] = 2.2 - cells_away + plug * now.cells_out
    d["cells outside"] = cells_away - plug * now.cells_out
    d["plasma outside"] = plasma_away - (plug + stream) * now.plasma_out
    d["added outside"] = 5 - (plug + stream) * now.added_out

    # citrate and metals
    liver = 0.71 * (68 / 75) ** 0.75 * 0.8 * (now.citrate / 27.2 - 0.1)
    drive = 1 + 5 * math.exp((ionized_calcium - 1.22) / 0.08)
    hormone = now.store * 6 / drive
    bone = 0.034 * (68 / 75) ** 0.75 * (hormone - 1)
    magnesium_space = (now.v_p + now.v_i) / 1000 * 1.145
    magnesium_space += 0.0087 * (now.p["albumin"] + now.e["albumin"])
    cells_release = magnesium_space * (0.55 - ionized_magnesium) / 1440
    away = {
        "citrate": plasma_away / 1000 * now.citrate / 27.2,
        "calcium": plasma_away / 1000 * ionized_calcium
        * (1.19 + 12 * 0.1 / 66.5 * albumin_level + 2.5 * free_citrate),
        "magnesium": plasma_away / 1000 * ionized_magnesium
        * (1.145 + 0.0087 * albumin_level + 2.0 * free_citrate),
    }  # fmt: skip
    outside = {
        "citrate": now.citrate_out, "calcium": now.calcium_out, "magnesium": now.magnesium_out
    }  # fmt: skip
    body = {
        "citrate": citrate_in - liver, "calcium": calcium_in + bone,
        "magnesium": magnesium_in + cells_release,
    }  # fmt: skip
    fluxes = {"excreted": excreted, "metabolized": liver, "bone": bone, "cells": cells_release}
    for name, there in outside.items():
        fluxes[f"{name} wasted"] = stream * (1 - back) * there
        d[name] = body[name] - away[name] + (plug + stream * back) * there
        d[f"{name} outside"] = away[name] - (plug + stream) * there
    d["citrate outside"] += 5 * ACD.citrate / 1000
    d["parathyroid store"] = (1 - hormone + 2 * (1 - now.store)) / 60

    # solutes: two pools, synthesis, catabolism, and the way through filters and column
    igg_level = now.p["igg"] / (now.v_p / 1000)
    infused = {"igg": 0.05}
    fraction = {"antibody": 0.4}
    fresh = {"igg": 0.5, "antibody": 0.5, "fibrinogen": 0.2}
    first = {"igg": 0.8, "antibody": 0.8, "fibrinogen": 0.6, "albumin": 0.95}
    second = {"igg": 0.3, "antibody": 0.3, "albumin": 0.7}
    oncotic_ratio = now.oncotic(now.p, now.v_p) / rest.oncotic(rest.p, rest.v_p)
    for name, s in constants.items():
        k = s.catabolism
        recycled = k.protected_fraction * (1 - 0.35) * k.half_saturation
        spared = recycled / (k.half_saturation + igg_level) if recycled else 0.0
        broken_down = k.intrinsic * (1 - spared) * now.p[name]
        made = s.synthesis_at_rest * fraction.get(name, 1.0) * oncotic_ratio**-s.synthesis_gain
        brought = infused.get(name, 0.0)
        brought += sum(flow * concentration_in(fluid, s) for fluid, flow in given)
        net_escape = s.escape * now.p[name] - s.lymph_return * now.e[name]
        drawn = plasma_away / now.v_p * s.sieving * first.get(name, 1.0) * now.p[name]
        through = stream * now.m[name]
        column = fresh.get(name, 0.0) * (1 - now.on_column / 40) * through
        again = back * second.get(name, 1.0) * (through - column)
        d[name] = made + brought - broken_down - net_escape - drawn + plug * now.m[name] + again
        d[f"{name} in interstitium"] = net_escape
        d[f"{name} outside"] = drawn - plug * now.m[name] - through
        fluxes |= {
            f"{name} synthesized": made, f"{name} catabolized": broken_down,
            f"{name} wasted": through - column - again, f"{name} treated": through,
            f"{name} bound": column, f"{name} returned": again,
        }  # fmt: skip
    d["on the column"] = fluxes["igg bound"]

    solutes = [*NAMES, *(f"{n} in interstitium" for n in NAMES)]
    circuit = [f"{x} outside" for x in ("cells", "plasma", "added", *outside)]
    state = ["plasma volume", "interstitial volume", "red cells", *outside, "parathyroid store",
             *solutes, *circuit, "on the column", *(f"{n} outside" for n in NAMES)]  # fmt: skip
    found = equations.rates(patient.constants, patient.therapy, EVERYTHING, patient.state)(
        patient.state
    )
    assert len(state) == len(patient.state)
    for place, name in enumerate(state):
        assert found[place] == pytest.approx(d[name], rel=1e-9, abs=1e-12), name
    sums = FluxTotals.of(found[len(state) :], len(NAMES))
    common = [
        sums.excreted, sums.metabolized_citrate, sums.released_calcium, sums.regained_magnesium,
        sums.wasted_citrate, sums.wasted_calcium, sums.wasted_magnesium,
    ]  # fmt: skip
    assert common == pytest.approx(list(fluxes.values())[:7], rel=1e-9)
    kinds = ("synthesized", "catabolized", "wasted", "treated", "bound", "given_back")
    for kind in kinds:
        word = "returned" if kind == "given_back" else kind
        expected = [fluxes[f"{n} {word}"] for n in NAMES]
        assert getattr(sums, kind) == pytest.approx(expected, rel=1e-9, abs=1e-12), kind


def test_a_state_without_circuit_has_no_rates_outside_and_wastes_nothing() -> None:
    patient = patient_far_from_rest()
    state = patient.state[patient.layout.patient]
    found = equations.rates(patient.constants, patient.therapy, Exchange(), state)(state)
    sums = FluxTotals.of(found[len(state) :], len(NAMES))
    assert len(found) == len(state) + 7 + 3 * len(NAMES)
    assert [sums.wasted_citrate, sums.wasted_calcium, sums.wasted_magnesium] == [0, 0, 0]
    assert sums.wasted == [0.0] * len(NAMES)
    assert sums.treated == []


def test_the_fluxes_at_rest_are_those_that_keep_it() -> None:
    """Nothing filtered, nothing excreted, calcium and magnesium still, citrate made as burnt."""
    patient = Patient(WOMAN, followed("fibrinogen"))
    found = equations.rates(patient.constants, patient.therapy, Exchange(), patient.state)(
        patient.state
    )
    assert found[: len(patient.state)] == pytest.approx([0.0] * len(patient.state), abs=1e-12)
    assert water.filtration(3000, 0.01, 0.0, 0.0, 0.0) == pytest.approx(2.0)
    assert minerals.parathyroid_hormone(1.0, minerals.secretion(1.22, 1.22)) == pytest.approx(1.0)
    free = Minerals(1.2, 0.55, 0.1, 13.0)
    assert extracorporeal.no_circuit([], free, [], [0.0]) == ([], [0.0] * 4)
