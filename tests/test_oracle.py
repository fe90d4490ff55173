"""The patient against a second implementation that solves the same equations without steps."""

from __future__ import annotations

import ast
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Span, Substance, Vector, after, course
from stand_ins import WOMAN

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.orders import FollowedSolute
from simulator.patient.patient import Patient
from simulator.patient.state import BODY

RIGID = replace(WOMAN, fluid_shift="none")
"""Water stays where it is, so that the plasma volume does not change and the model is linear."""

BETWEEN = 5e-7
"""Relative difference allowed: the patient's steps are each good to 1e-7, quiet ones to 3e-7."""


def followed(substance: Substance) -> dict[str, FollowedSolute]:
    tracer = catalog.Solute(
        "tracer",
        "tracer",
        "g/L",
        catalog.Catabolism(substance.catabolism),
        intravascular_fraction=substance.intravascular,
        transcapillary_escape=substance.escape,
        sieving=substance.sieving,
    )
    rest = {
        name: FollowedSolute(catalog.solute(name), catalog.solute(name).initial)
        for name in ("albumin", "igg")
    }
    return {
        "tracer": FollowedSolute(tracer, 1000 * substance.level, synthesis=substance.synthesis),
        **rest,
    }


def lived(substance: Substance, spans: list[Span]) -> list[Vector]:
    """What the simulator's patient has in his pools under the same exchanges."""
    patient = Patient(RIGID, followed(substance))
    place = patient.names.index("tracer")
    pools = [place + BODY, place + BODY + len(patient.names)]
    seen = [np.array([patient.state[p] for p in pools])]
    for span in spans:
        if span.bolus:
            patient.inject("tracer", span.bolus)
        if not span.plasma_drawn:
            patient.start_infusion("tracer", span.given)
            patient.advance(patient.time + span.minutes, REST)
            patient.stop_infusion("tracer", span.given)
        else:
            flow = span.plasma_drawn
            content = f"{1000 * span.given / flow!r} g/L"
            fluid = catalog.Fluid(
                "drip", "drip", 500.0, calcium=2.0, solutes={"tracer": content, "albumin": "42 g/L"}
            )
            patient.connect()
            exchange = Exchange(plasma_to_circuit=flow, given=((fluid, flow),))
            patient.advance(patient.time + span.minutes, exchange)
            patient.disconnect()
        seen.append(np.array([patient.state[p] for p in pools]))
    return seen


def difference(ours: list[Vector], theirs: list[Vector]) -> float:
    """The worst relative difference in any pool at the end of any span.

    What is left of a pool below a tenth of its start is measured on that scale: an error of 1e-7
    in each step adds up over steps, and there are many on the way to nothing.
    """
    assert len(ours) == len(theirs) > 1
    a, b = np.array(ours), np.array(theirs)
    assert a.shape == b.shape
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 0.1 * b[0])))


VOLUME = Patient(RIGID, followed(Substance(1.0, 0.001, 0.5, 0.0, 0.0))).state[0]

substances = st.builds(
    Substance,
    plasma_volume=st.just(VOLUME),
    level=st.floats(1e-4, 0.05),
    intravascular=st.floats(0.2, 0.9),  # nearer to 1 the model is stiff
    escape=st.floats(0.0, 2e-3),
    catabolism=st.floats(0.0, 1e-3),
    synthesis=st.floats(0.0, 2.0),
    sieving=st.floats(0.0, 1.0),
)
rests = st.builds(
    Span,
    minutes=st.floats(1.0, 7 * 1440.0),
    given=st.sampled_from([0.0, 0.0, 0.02]),
    bolus=st.sampled_from([0.0, 0.0, 10.0]),
)
sessions = st.builds(
    Span,
    minutes=st.floats(1.0, 120.0),
    plasma_drawn=st.floats(1.0, 40.0),
    given=st.sampled_from([0.0, 0.3]),
)
courses = st.lists(st.one_of(rests, sessions), min_size=1, max_size=6)


@settings(max_examples=60)
@given(substances, courses)
def test_any_course_is_as_the_matrix_exponential_has_it(
    substance: Substance, spans: list[Span]
) -> None:
    assert difference(lived(substance, spans), course(substance, spans)) < BETWEEN


FIVE = [Span(90.0, 30.0), Span(2 * 1440.0)] * 5 + [Span(28 * 1440.0)]
IGG = Substance(VOLUME, 0.01, 0.44, 0.5 / 1440, 0.062 / 1440)


def test_five_sessions_and_a_month_are_as_the_matrix_exponential_has_them() -> None:
    assert difference(lived(IGG, FIVE), course(IGG, FIVE)) < BETWEEN


@pytest.mark.parametrize("what", ["intravascular", "escape", "catabolism", "synthesis", "sieving"])
def test_a_constant_that_is_off_by_a_hundred_thousandth_would_be_seen(what: str) -> None:
    other = replace(IGG, **{what: getattr(IGG, what) * (1 - 1e-5)})
    assert difference(lived(IGG, FIVE), course(other, FIVE)) > BETWEEN


# -- the oracle itself ----------------------------------------------------------------------------


def test_the_oracle_stays_at_rest() -> None:
    assert course(IGG, [Span(1e5)])[-1] == pytest.approx(IGG.at_rest(), rel=1e-12)


def test_the_oracle_washes_a_tracer_out_exponentially() -> None:
    tracer = Substance(3000.0, 0.01, 1.0, 0.0, 0.0)
    left = course(tracer, [Span(100.0, 45.0)])[-1][0] / tracer.at_rest()[0]
    assert left == pytest.approx(math.exp(-1.5), rel=1e-13)


def test_the_oracle_equilibrates_at_the_rate_of_both_ways_together() -> None:
    closed = replace(IGG, catabolism=0.0)
    start = np.array([1.0, 0.0])
    half = math.log(2) / (closed.escape + closed.back)
    plasma = after(closed, start, Span(half))[0]
    assert plasma == pytest.approx((1.0 + closed.intravascular) / 2, rel=1e-12)


def test_the_oracle_imports_nothing_of_the_program() -> None:
    import oracle

    assert oracle.__file__ is not None
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.partition(".")[0] for name in imported} <= {*sys.stdlib_module_names} | {
        "numpy",
        "scipy",
    }
