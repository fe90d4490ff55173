"""A finished sweep is read rightly, and its figures show what was read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from simulator import figures, scenario
from simulator.figures.places import visible_texts
from simulator.figures.style import DPI, SIZE, SMALL_SIZE
from simulator.simulation import simulate
from simulator.sweep import ensemble as ensembles
from simulator.sweep import glimpse, plain
from simulator.sweep import reading as readings
from simulator.sweep.indices import Index
from simulator.sweep.plan import plan_of
from simulator.sweep.reading import Input, Outcome, Reading, in_words, least, map_of, swings

WEIGHTS, DOSES = (50.0, 70.0, 90.0), (0.8, 1.0, 1.5)


def crossed(samples: int = 1) -> tuple[Input, Input]:
    """Weights and doses, each with each, so many runs of each."""
    cells = [c for c in itertools.product(WEIGHTS, DOSES) for _ in range(samples)]
    weight, dose = (np.array(column) for column in zip(*cells, strict=True))
    return Input("patient.weight", "kg", weight), Input("prescription.exchange", "PV", dose)


def reading_of(inputs: tuple[Input, ...], *outcomes: Outcome) -> Reading:
    named = {outcome.name: outcome for outcome in outcomes}
    return Reading("Weight and dose", inputs, named, tuple(named), days=40.0)


def drawn(names: int = 4, runs: int = 500) -> tuple[Input, ...]:
    rng = np.random.default_rng(1)
    addresses = ("patient.weight", "patient.hematocrit", "solutes.igg.initial", "patient.height")
    return tuple(Input(a, "u", rng.normal(10, 1, runs)) for a in addresses[:names])


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in visible_texts(figure))


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that share room on the page."""
    found = [t for t in visible_texts(figure) if t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent().shrunk(0.96, 0.8)) for t in found]
    return [
        (one, other) for (one, a), (other, b) in itertools.combinations(boxes, 2) if a.overlaps(b)
    ]


def assert_readable(figure: Figure) -> None:
    """Every text is on the page, large enough, and alone where it stands."""
    figure.canvas.draw()
    assert overlapping(figure) == []
    width, height = (side * DPI for side in SIZE)
    for text in visible_texts(figure):
        if text.get_text().strip():
            box = text.get_window_extent()
            assert float(text.get_fontsize()) >= SMALL_SIZE, text.get_text()
            assert box.x0 >= -1, text.get_text()
            assert box.x1 <= width + 1, text.get_text()
            assert box.y0 >= -1, text.get_text()
            assert box.y1 <= height + 1, text.get_text()


# -- reading ---------------------------------------------------------------------------------------


def test_a_cell_of_a_map_is_the_median_of_its_runs() -> None:
    weight, dose = crossed(samples=3)
    around = np.tile([-1.0, 0.0, 7.0], 9)
    outcome = Outcome("x", "x", "g/L", weight.values + 1000 * dose.values + around)
    found = map_of(outcome, weight, dose)
    assert found.xs == list(WEIGHTS)
    assert found.ys == list(DOSES)
    for i, each in enumerate(DOSES):
        assert found.cells[i].tolist() == [w + 1000 * each for w in WEIGHTS]


def test_a_failed_run_is_in_no_cell() -> None:
    weight, dose = crossed()
    values = weight.values.copy()
    values[4] = np.nan
    cells = map_of(Outcome("x", "x", "", values), weight, dose).cells
    assert np.isnan(cells[1, 1])
    assert np.isfinite(cells).sum() == 8


def test_less_of_a_dose_is_better_so_it_is_upright_in_the_map() -> None:
    weight, dose = crossed()
    outcome = Outcome("x", "x", "", weight.values)
    for inputs in ((weight, dose), (dose, weight)):
        pair = reading_of(inputs, outcome).pair
        assert pair is not None
        assert pair[1].address == "prescription.exchange"


def test_the_least_dose_that_keeps_a_level_below_is_told_by_weight() -> None:
    weight, dose = crossed()
    days = 40 * dose.values - 0.1 * weight.values  # 1.0 PV suffices at 50 kg (35 of 40 d)
    outcome = Outcome("anti_x_days_below_d", "days anti-x is below 5 U/mL", "d", days)
    reading = reading_of((weight, dose), outcome)
    pair = reading.pair
    assert pair is not None
    assert least(map_of(outcome, *pair), 40.0) == {
        "50 kg": "1 PV",
        "70 kg": "1 PV",
        "90 kg": "1 PV",
    }
    assert least(map_of(outcome, *pair), 46.0) == {
        "50 kg": "1 PV", "70 kg": "1.5 PV", "90 kg": "1.5 PV",
    }  # fmt: skip
    assert least(map_of(outcome, *pair), 90.0) == dict.fromkeys(("50 kg", "70 kg", "90 kg"))
    said = " ".join(in_words(reading))
    assert "by weight: 1 PV for 50 kg, 70 kg, 90 kg." in said
    assert "from 23 d (weight 90 kg, exchange 0.8 PV) to 55 d (weight 50 kg" in said


def test_swings_are_sorted_and_have_the_sign_of_the_effect() -> None:
    inputs = drawn(3)
    a, b, _ = (each.values for each in inputs)
    outcome = Outcome("x", "x", "g/L", 100 + a - 5 * b)
    first, second, third = swings(reading_of(inputs, outcome), outcome)
    assert first.input.address == "patient.hematocrit"
    assert first.low > first.high
    # the mean of the outer fifth of a normal distribution is 1.4 standard deviations away
    assert first.low - first.high == pytest.approx(5 * 2 * 1.4, rel=0.1)
    assert second.input.address == "patient.weight"
    assert second.high > second.low
    assert third.size <= 2 * third.error


def test_named_values_swing_from_the_lowest_mean_to_the_highest() -> None:
    devices = np.array(["b", "a", "c"] * 10, dtype=object)
    outcome = Outcome("x", "x", "", np.array([1.0, 5.0, 3.0] * 10))
    one = Input("machine.device", "", devices)
    (swing,) = swings(reading_of((one,), outcome), outcome)
    assert (swing.low_words, swing.high_words) == ("b", "a")
    assert (swing.low, swing.high) == (1.0, 5.0)


def test_what_does_not_vary_is_said_and_not_drawn() -> None:
    weight, dose = crossed()
    still = Outcome("x", "sessions", "", np.full(9, 5.0))
    reading = reading_of((weight, dose), still)
    assert reading.shown == []
    assert in_words(reading) == ["The same in all runs: sessions."]
    assert figures.sweep_pictures(reading) == {}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("patient.weight", "weight"),
        ("solutes.anti-gad65.half_life", "half life of anti-gad65"),
        ("course.every", "interval"),
        ("machine.inlet_flow", "inlet flow"),
    ],
)
def test_an_address_has_words(address: str, words: str) -> None:
    assert readings.words_of(address) == words


# -- bands -----------------------------------------------------------------------------------------


def test_bands_are_quantiles_over_the_runs() -> None:
    days = np.linspace(0, 10, 5)
    curves = np.arange(101.0)[:, None, None] * np.ones((101, 1, 5))
    found = ensembles.ensemble(days, curves, {"igg": "g/L"}, runs=1000)
    assert found.courses[0].quantiles[:, 2].tolist() == [5, 25, 50, 75, 95]
    assert (found.drawn, found.runs) == (101, 1000)


def test_runs_that_are_drawn_are_not_in_step_with_a_design() -> None:
    assert ensembles.chosen(7, 10) == list(range(7))
    few = ensembles.chosen(256, 64)
    assert few == ensembles.chosen(256, 64)
    assert len(set(few)) == 64
    plan = plan_of("what-matters")
    values = plan.design.values(0, 256).values()
    middles = [np.median(column) for column in values]

    def above(runs: list[int]) -> list[float]:
        """Of each input, the share of some runs that have more than the middle of all."""
        return [float((c[runs] > m).mean()) for c, m in zip(values, middles, strict=True)]

    assert above(few) == pytest.approx([0.5] * 8, abs=0.16)
    # every fourth point of a Sobol sequence sees one half of some of its inputs
    assert above(list(range(0, 256, 4))) != pytest.approx([0.5] * 8, abs=0.16)


def test_a_sampled_run_has_its_own_levels() -> None:
    result = simulate(scenario.load("closed-form"))
    days = ensembles.days_of(result.scenario.until)
    (levels,) = ensembles.sampled(result, ["tracer"], days)
    solute = result.solutes["tracer"]
    assert levels[0] == pytest.approx(solute.initial)
    assert levels[-1] == pytest.approx(solute.final)
    assert (np.diff(levels) < 1e-9).all()


# -- figures ---------------------------------------------------------------------------------------


def test_two_inputs_with_few_values_are_a_map_with_a_number_in_each_cell() -> None:
    weight, dose = crossed()
    a = Outcome("a", "days anti-gad65 is below 11,754 U/mL", "d", 10 * dose.values)
    b = Outcome("b", "lowest anti-gad65", "U/mL", 100 * weight.values)
    found = figures.sweep_pictures(reading_of((weight, dose), a, b))
    assert set(found) == {"map"}
    assert_readable(found["map"])
    said = texts(found["map"])
    for words in ("Weight (kg)", "Exchange (PV)", "lowest anti-gad65 (U/mL)", "15", "9,000"):
        assert words in said


def test_one_input_is_a_response() -> None:
    _, dose = crossed(samples=4)
    a = Outcome("a", "days below", "d", 10 * dose.values)
    found = figures.sweep_pictures(reading_of((dose,), a))
    assert set(found) == {"response"}
    assert_readable(found["response"])
    assert "nine of ten runs" in texts(found["response"])


def test_drawn_inputs_are_a_tornado_with_the_largest_on_top() -> None:
    inputs = drawn()
    outcome = Outcome("x", "final igg", "g/L", 50 + inputs[1].values - 0.2 * inputs[0].values)
    found = figures.sweep_pictures(reading_of(inputs, outcome))
    assert set(found) == {"tornado"}
    assert_readable(found["tornado"])
    (axes,) = found["tornado"].axes
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["hematocrit", "weight"]
    low, high = (patch.get_window_extent() for patch in axes.patches[:2])
    assert low.x0 < high.x0
    assert low.x1 == pytest.approx(high.x0)


def test_labels_stay_apart_where_both_ends_of_a_bar_are_on_one_side() -> None:
    (one,) = drawn(1)
    bent = Outcome("x", "x", "g/L", 20 - (one.values - 10.0) ** 2)
    (swing,) = swings(reading_of((one,), bent), bent)
    assert max(swing.low, swing.high) < bent.values.mean()
    assert_readable(figures.tornado([swing], bent, "A hill"))


@pytest.mark.parametrize("solutes", [1, 2, 3, 4])
def test_bands_say_how_many_runs_they_are_of(solutes: int) -> None:
    days = np.linspace(0, 28, 50)
    rng = np.random.default_rng(1)
    curves = rng.lognormal(3, 0.2, (40, solutes, 1)) * (1 + days / 28)
    names = ["anti-gad65", "igg", "igm", "fibrinogen"][:solutes]
    ensemble = ensembles.ensemble(days, curves, dict.fromkeys(names, "g/L"), runs=500)
    figure = figures.bands(ensemble, "Five exchanges")
    assert_readable(figure)
    assert "40 of 500 runs" in texts(figure)
    assert "Anti-GAD65 in plasma (g/L)" in texts(figure)


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_the_input_that_matters_most_is_on_top(method: str) -> None:
    found = [
        Index("weight", 0.1, 0.05, 0.2, 0.1),
        Index("half life of anti-gad65", 0.6, 0.1, 0.7, 0.1),
        Index("exchange", 0.02, 0.03, 0.03, 0.02),
    ]
    figure = figures.sensitivity(found, method, "U/mL", "What matters")
    assert_readable(figure)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["half life of anti-gad65", "weight", "exchange"]


# -- from a plan -----------------------------------------------------------------------------------


def test_a_glimpse_of_a_sweep_is_rows_of_its_table() -> None:
    plan = plan_of(
        "closed-form",
        vary={"prescription.exchange": ["0.5 PV", "1.0 PV"]},
        outcomes=["left tracer"],
    )
    reading, ensemble = glimpse.glimpse(plan)
    assert ensemble is None  # nothing is drawn
    rows = plain.rows(plan, 0, 2)
    assert reading.headline[:2] == (list(rows.outcomes)[-1], "tracer_days_below_d")
    for name, outcome in reading.outcomes.items():
        assert outcome.values == pytest.approx(rows.outcomes[name], nan_ok=True)
    assert reading.inputs[0].label == "exchange (PV)"
    assert reading.outcomes["tracer_days_below_d"].label == "days tracer is below half of its start"


def test_a_sweep_that_draws_is_shown_by_some_of_its_runs() -> None:
    vary = {"solutes.tracer.initial": {"uniform": {"from": "50 mg/L", "to": "150 mg/L"}}}
    plan = plan_of("closed-form", vary=vary, design="lhs", samples=1000)
    reading, ensemble = glimpse.glimpse(plan, most=4)
    assert (reading.runs, reading.counted) == (4, "4 of 1,000 runs")
    assert ensemble is not None
    assert (ensemble.drawn, ensemble.runs) == (4, 1000)
    first = ensemble.courses[0]
    assert first.solute == "tracer"
    assert first.quantiles[:, 0].min() >= 50
    assert first.quantiles[:, 0].max() <= 150
