"""The program against what can be worked out by hand: washout, two pools, bowls, red cell balance.

Each check is a function: its docstring says the law, it returns what the law gives and what the
program gives. None of them uses the program's equations for the first of the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from simulator import catalog
from simulator import scenario as scenarios
from simulator.boundary import Exchange
from simulator.machine.separators import Bowl, Centrifuge, separator
from simulator.orders import FollowedSolute, PatientDescription
from simulator.patient.patient import Patient
from simulator.simulation import simulate
from simulator.units import MINUTES_PER_DAY

WOMAN = PatientDescription("female", 68.0, 1.65, 0.39, fluid_shift="none")
FLOW = 30.0
"""Plasma exchanged, mL/min."""

ONE_SESSION = """
format: 1
title: Closed form
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %, fluid_shift: none}
prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 1}
simulation: {until: 1 d}
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One law, and how closely the program follows it."""

    law: str
    expected: float
    found: float
    tolerance: float
    """Relative; where nothing is expected (0), absolute."""

    @property
    def error(self) -> float:
        """Relative difference; absolute where nothing is expected."""
        difference = abs(self.found - self.expected)
        return difference / abs(self.expected) if self.expected else difference

    @property
    def met(self) -> bool:
        """Whether it is within the tolerance; a difference that is no number is not."""
        return self.error <= self.tolerance


Law = Callable[[], tuple[float, float]]

LAWS: list[tuple[Law, float]] = []
"""Each with the relative error that is allowed."""


def law(tolerance: float) -> Callable[[Law], Law]:
    """Enter a function into the list of checks, with the relative error that is allowed."""

    def enter(function: Law) -> Law:
        LAWS.append((function, tolerance))
        return function

    return enter


def checks() -> Iterator[Check]:
    """All of them, made now."""
    return (made(*entry) for entry in LAWS)


def made(function: Law, tolerance: float) -> Check:
    """One of them, made now."""
    expected, found = function()
    assert function.__doc__ is not None
    return Check(function.__doc__.strip(), expected, found, tolerance)


# -- the patient -----------------------------------------------------------------------------------


def _tracer(
    catabolism: float = 0.0, fraction: float = 1.0, escape: float = 0.0, synthesis: float = 1.0
) -> FollowedSolute:
    """Something that stays in plasma, neither made nor broken down, unless it is said to."""
    kinetics = replace(
        catalog.Solute("tracer", "tracer", "mg/L", catalog.Catabolism(catabolism)),
        intravascular_fraction=fraction,
        transcapillary_escape=escape,
    )
    return FollowedSolute(kinetics, 100.0, synthesis=synthesis)


def _patient(solute: FollowedSolute) -> Patient:
    """A patient whose volumes do not shift, with a solute beside those that every patient has."""
    always = {name: catalog.solute(name) for name in ("albumin", "igg")}
    followed = {name: FollowedSolute(each, each.initial) for name, each in always.items()}
    return Patient(WOMAN, {**followed, "tracer": solute})


def _connected(solute: FollowedSolute) -> Patient:
    """With a circuit that is filled, so that only plasma is exchanged from now on."""
    patient = _patient(solute)
    patient.connect()
    patient.advance(2.0, Exchange(blood_to_circuit=60.0))
    return patient


def _exchange(fluid: catalog.Fluid, returned: float = 1.0) -> Exchange:
    return Exchange(
        plasma_to_circuit=FLOW, circuit_to_waste=FLOW, given=((fluid, FLOW * returned),)
    )


@law(1e-7)
def washout() -> tuple[float, float]:
    """One pool of constant volume after 1.5 volumes: C / C₀ = exp(-1.5)"""
    patient = _connected(_tracer())
    before = patient.concentration("tracer")
    patient.advance(
        patient.time + 1.5 * patient.state[0] / FLOW, _exchange(catalog.fluid("albumin-5"))
    )
    return math.exp(-1.5), patient.concentration("tracer") / before


@law(1e-7)
def washout_with_a_deficit() -> tuple[float, float]:
    """Of what is removed 80 % is given back: C / C₀ = (V / V₀)^(0.8 / 0.2)"""
    patient = _connected(_tracer())
    before, volume = patient.concentration("tracer"), patient.state[0]
    patient.advance(patient.time + 60, _exchange(catalog.fluid("albumin-5"), 0.8))
    expected = (1 - 0.2 * FLOW * 60 / volume) ** (0.8 / 0.2)
    return expected, patient.concentration("tracer") / before


@law(1e-7)
def replenishment() -> tuple[float, float]:
    """A fluid that holds 40 mg/L, 1.2 volumes: C = 40 + (C₀ - 40) exp(-1.2)"""
    patient = _connected(_tracer())
    before = patient.concentration("tracer")
    fluid = replace(catalog.fluid("albumin-5"), solutes={"tracer": "40 mg/L"})
    patient.advance(patient.time + 1.2 * patient.state[0] / FLOW, _exchange(fluid))
    return 40 + (before - 40) * math.exp(-1.2), patient.concentration("tracer")


@law(1e-7)
def two_pools_in_exchange() -> tuple[float, float]:
    """Two pools, 100 min of exchange: P(t) by the eigenvalues of the linear system"""
    escape, fraction, catabolism = 0.5 / MINUTES_PER_DAY, 0.45, 0.07 / MINUTES_PER_DAY
    patient = _connected(_tracer(catabolism, fraction, escape, synthesis=0.0))
    layout, place = patient.layout, patient.names.index("tracer")
    plasma = patient.state[layout.plasma][place]
    outside = patient.state[layout.interstitium][place]
    volume = patient.state[0]
    patient.advance(patient.time + 100, _exchange(catalog.fluid("albumin-5")))
    # dP/dt = -a P + b E, dE/dt = c P - b E
    a, b, c = FLOW / volume + escape + catabolism, escape * fraction / (1 - fraction), escape
    root = math.sqrt((a - b) ** 2 + 4 * b * c)
    slow, fast = (-(a + b) + root) / 2, (-(a + b) - root) / 2
    weight = (plasma * (-a - fast) + b * outside) / (slow - fast)
    expected = weight * math.exp(slow * 100) + (plasma - weight) * math.exp(fast * 100)
    return expected, patient.state[layout.plasma][place]


@law(1e-7)
def rest() -> tuple[float, float]:
    """At rest for 28 days: the level stays what it was"""
    patient = _patient(_tracer(0.1 / MINUTES_PER_DAY, 0.45, 0.5 / MINUTES_PER_DAY))
    patient.advance(28 * MINUTES_PER_DAY)
    return 100.0, patient.concentration("tracer")


@law(1e-7)
def decay() -> tuple[float, float]:
    """One pool that is no longer made, 10 days at 20 %/d: C / C₀ = exp(-2)"""
    patient = _patient(_tracer(0.2 / MINUTES_PER_DAY, synthesis=0.0))
    patient.advance(10 * MINUTES_PER_DAY)
    return math.exp(-2), patient.concentration("tracer") / 100


# -- the machine -----------------------------------------------------------------------------------


@law(1e-12)
def red_cell_balance() -> tuple[float, float]:
    """A centrifuge that packs blood of hematocrit h to H takes off 1 - h / H of it"""
    device = catalog.device("spectra-optia")
    centrifuge = separator(device)
    assert isinstance(centrifuge, Centrifuge)
    packed, entering = centrifuge.packed_hematocrit, 0.40 * (1 - 1 / device.anticoagulant_ratio)
    return 60 * (1 - entering / packed), centrifuge.plasma_flow(60.0, entering)


@law(1e-12)
def bowl_cycle() -> tuple[float, float]:
    """A bowl of volume B is packed by B H / h of anticoagulated blood of hematocrit h"""
    bowl = separator(catalog.device("mcs-plus"))
    assert isinstance(bowl, Bowl)
    packed = bowl.facts.bowl_volume * bowl.facts.packed_hematocrit / 0.36
    return packed, bowl.cycle_volume(0.36) - bowl.facts.harness_volume


@law(1e-9)
def fluid_balance() -> tuple[float, float]:
    """A session at 100 % fluid balance: as much is given as plasma with anticoagulant is taken"""
    (session,) = simulate(scenarios.loads(ONE_SESSION, "balance")).sessions
    assert session.fluid_balance is not None
    return 1.0, session.fluid_balance


@law(1e-9)
def anticoagulant() -> tuple[float, float]:
    """At a ratio of 10 the anticoagulant used is a ninth of the blood processed"""
    (session,) = simulate(scenarios.loads(ONE_SESSION, "anticoagulant")).sessions
    return session.blood_processed / 9, session.anticoagulant


@law(1e-9)
def dose() -> tuple[float, float]:
    """Of a prescription of 1.0 PV exactly one plasma volume at rest is removed"""
    result = simulate(scenarios.loads(ONE_SESSION, "dose"))
    return result.plasma_volume, result.sessions[0].patient_plasma_removed


# -- the method ------------------------------------------------------------------------------------


@law(1e-9)
def output_grid() -> tuple[float, float]:
    """Curves written every minute or every day: the same final level"""
    coarse, fine = (
        simulate(scenarios.loads(ONE_SESSION, "grid", (f"simulation.output_interval={interval}",)))
        for interval in ("1 d", "1 min")
    )
    return coarse.solutes["igg"].final, fine.solutes["igg"].final


@law(1e-9)
def never_skipped() -> tuple[float, float]:
    """A course that begins at rest: all sessions that were planned run, none is stepped over"""
    result = simulate(
        scenarios.loads(
            ONE_SESSION,
            "skipped",
            ("course.sessions=5", "course.every=2 d", "simulation.until=60 d"),
        )
    )
    return 5.0, float(sum(session.completed for session in result.sessions))
