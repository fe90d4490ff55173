"""Figures of every kind of machine, and of several machines side by side."""

from __future__ import annotations

import dataclasses
import itertools
import re
from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_figures import collisions, words

from simulator import catalog, figures, tables
from simulator.figures.curves import curves_of
from simulator.figures.machines import compared_solutes
from simulator.figures.places import visible_texts
from simulator.figures.session_events import BOLUS, labels, phases, swaps
from simulator.figures.style import SERIES
from simulator.result import Event, Result
from simulator.scenario import loads
from simulator.simulation import simulate

DEVICES = (
    "spectra-optia", "mcs-plus", "tr-350", "dfpp-ec-20w", "evacure-ec-4a", "globaffin",
    "prismaflex-tpe2000", "pcs2",
)  # fmt: skip
CALM, TYPICAL = "none", "typical"


@cache
def run(
    device: str, disturbances: str = CALM, exchange: str = "1.0 PV", events: str = "[]"
) -> Result:
    """Two sessions on one machine; a donor is given nothing back."""
    fluids = "[]" if device == "pcs2" else "[{fluid: albumin-5, share: 100 %}]"
    veins = disturbances == TYPICAL and device in ("mcs-plus", "pcs2")
    access = "peripheral-veins" if veins else "central-venous-catheter"
    return simulate(
        loads(
            "format: 1\n"
            "title: The same course\n"
            "patient: {sex: female, age: 48 y, weight: 68 kg, height: 165 cm, hematocrit: 39 %}\n"
            "solutes: {igm: {}, iga: {}, fibrinogen: {}, c3: {}, anti-achr: {like: igg1,"
            " initial: 20 nmol/L}}\n"
            f"machine: {{device: {device}, access: {access}, disturbances: {disturbances}}}\n"
            f"prescription: {{exchange: {exchange}, replacement: {fluids}}}\n"
            "course: {sessions: 2, every: 2 d}\n"
            f"events: {events}\n"
            "simulation: {until: 4 d, seed: 5}\n",
            device,
        )
    )


def compared(*devices: str) -> Figure:
    return figures.comparison([run(device) for device in devices], devices)


def sessions(result: Result) -> Figure:
    figure = figures.sessions(result)
    assert figure is not None
    return figure


# -- one machine -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "disturbances"), list(itertools.product(DEVICES[1:], (CALM, TYPICAL)))
)
def test_no_text_runs_into_another_on_any_kind_of_machine(device: str, disturbances: str) -> None:
    result = run(device, disturbances)
    for figure in (figures.volumes(result), figures.solutes(result), sessions(result)):
        assert len(visible_texts(figure)) > 5
        assert collisions(figure) == []


@pytest.mark.parametrize("device", ["mcs-plus", "pcs2"])
def test_a_bowl_is_shown_as_draws_and_returns_in_turn(device: str) -> None:
    result = run(device)
    session = result.sessions[0]
    found = phases(result, session)
    assert [name for name, _, _ in found] == ["draw", "return"] * session.bowl_cycles
    assert all(one[2] == other[1] for one, other in itertools.pairwise(found))
    assert found[-1][2] == pytest.approx(session.run[1] - session.connected[0])
    assert f"Session 1, day 0, {session.bowl_cycles} cycles" in words(sessions(result))
    said = [label.text for label in labels(result, session)]
    assert said.count("draw") == said.count("return") == 1


@pytest.mark.parametrize("disturbances", [CALM, TYPICAL])
@pytest.mark.parametrize("device", ["mcs-plus", "pcs2"])
def test_a_bowl_stands_still_where_its_log_says_so_not_while_it_is_emptied(
    device: str, disturbances: str
) -> None:
    result = run(device, disturbances)
    for session in result.sessions:
        pauses = curves_of(result, session).pauses
        assert all(begin < end for begin, end in pauses)
        assert all(one[1] <= other[0] + 0.1 for one, other in itertools.pairwise(pauses))
        rounding = 0.05 * len(pauses)  # the log has tenths of a minute
        shaded = sum(end - begin for begin, end in pauses)
        assert shaded == pytest.approx(session.pauses, abs=rounding + 1e-6)


def test_a_bowl_that_clots_in_a_draw_is_seen_to_have_stood_still_until_the_end() -> None:
    result = run("mcs-plus", events="[{session: 2, at: 22 min, fault: access-failure, for: 1 h}]")
    first, second = result.sessions
    assert second.stop_reason is not None
    assert "clotted" in second.stop_reason
    pauses = curves_of(result, second).pauses
    end = second.run[1] - second.connected[0]
    limit = catalog.device("mcs-plus").pump_stop_limit
    assert pauses[-1] == pytest.approx((end - limit, end), abs=0.01)
    assert len(pauses) == 1
    assert [name for name, _, _ in phases(result, second)][-1] == "draw"
    assert first.completed


@pytest.mark.parametrize("device", ["tr-350", "globaffin", "dfpp-ec-20w", "dfpp-ec-50w"])
def test_plasma_that_is_given_back_is_said_to_be_treated(device: str) -> None:
    result = run(device)
    session = result.sessions[0]
    shown = words(sessions(result))
    assert f"treated {session.plasma_treated / 1000:.2f} L" in shown
    assert "removed" not in shown
    assert "treatment" in shown.split(" | ")
    assert "exchange" not in shown.split(" | ")
    assert ("nothing replaced" in shown) == (session.replacement == 0)
    course = words(figures.volumes(result))
    treated = sum(s.plasma_treated for s in result.sessions) / 1000
    assert f"Patient plasma treated {treated:.2f} L" in course
    discarded = sum(s.patient_plasma_removed for s in result.sessions) / 1000
    assert (f"Of that discarded {discarded:.2f} L" in course) == (discarded > 0)
    assert "removed" not in course


def test_plasma_that_is_not_given_back_is_said_to_be_removed() -> None:
    for device in ("mcs-plus", "evacure-ec-4a", "pcs2"):
        result = run(device)
        removed = result.sessions[0].patient_plasma_removed / 1000
        assert f"removed {removed:.2f} L" in words(sessions(result)), device
        assert "treated" not in words(sessions(result)) + words(figures.volumes(result)), device


def test_a_column_that_takes_over_is_a_tick_and_a_spent_one_is_named() -> None:
    twin = run("globaffin")
    session = twin.sessions[0]
    assert len(swaps(twin, session)) == session.plasma_treated // 600
    shown = words(sessions(twin)).split(" | ")
    assert "column" in shown
    assert "column swapped" not in shown
    single = run("tr-350")
    (spent,) = (x for x in labels(single, single.sessions[0]) if x.text == "column spent")
    treated = curves_of(single, single.sessions[0])
    at = float(np.interp(spent.minute, treated.minutes, treated.plasma))
    assert at == pytest.approx(2.0, abs=1e-3), "after 2 L, as its catalog entry says"
    assert "column spent" in words(sessions(single))


def test_other_warnings_are_left_to_the_terminal() -> None:
    result = run("tr-350")
    told = Event(
        0.0, 1, 30.0, "warning", "the filtration fraction is 40 %; above 35 % filters clot"
    )
    result = dataclasses.replace(result, events=[told])
    assert labels(result, result.sessions[0]) == []


def test_a_bolus_of_heparin_is_named_once() -> None:
    result = run("prismaflex-tpe2000")
    session = result.sessions[0]
    assert [e.event for e in result.events if e.session == 1].count(BOLUS) == 1
    said = [label.text for label in labels(result, session) if "heparin" in label.text]
    assert said == ["2000 U heparin"]


def test_a_bowl_that_over_packs_and_a_filter_that_fouls_are_named() -> None:
    result = run("mcs-plus")
    events = [
        Event(0.0, 1, 20.0, "bowl-over-packed", "the pumps stood still for 5.0 min"),
        Event(0.0, 1, 40.0, "alarm:transmembrane-pressure-high", "eased"),
    ]
    result = dataclasses.replace(result, events=events)
    said = [label.text for label in labels(result, result.sessions[0])]
    assert said == ["bowl over-packed", "transmembrane pressure high"]


# -- side by side ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 4, 5, 7, 9])
def test_no_text_runs_into_another_however_many_machines_are_compared(count: int) -> None:
    chosen = list(itertools.islice(itertools.cycle(DEVICES), count))
    results = [run(device) for device in chosen]
    names = [f"{device} at an inlet flow of 65 mL/min" for device in chosen]
    for named in (chosen, names):
        figure = figures.comparison(results, named)
        assert collisions(figure) == []
        assert ("the first 7 of 9" in words(figure)) == (count == 9)


@pytest.mark.parametrize("scale", [-2.0, -0.3, 0.01, 1.5])
def test_no_text_runs_into_another_however_far_levels_fall_or_rise(scale: float) -> None:
    """On every axis, with names that leave it as little room as they may."""
    names = [f"{device} at an inlet flow of 65 mL/min" for device in DEVICES[:7]]
    for count in (3, 4, 7):
        results = [_falling(run(device), scale) for device in DEVICES[:count]]
        assert collisions(figures.comparison(results, names[:count])) == []


def _falling(result: Result, scale: float) -> Result:
    """The result, with all falls of levels so many times what they were."""
    sessions = [
        dataclasses.replace(
            session,
            solutes={
                name: dataclasses.replace(x, post=x.pre + scale * (x.post - x.pre))
                for name, x in session.solutes.items()
                if x.post is not None
            },
        )
        for session in result.sessions
    ]
    return dataclasses.replace(result, sessions=sessions)


def test_the_check_notices_machines_whose_names_run_into_each_other() -> None:
    figure = compared("spectra-optia", "mcs-plus")
    figure.axes[1].set_title("a heading that is far too long for its panel", loc="left")
    assert "runs into" in " ".join(collisions(figure))


def test_only_runs_on_different_machines_are_compared_as_machines() -> None:
    same = figures.comparison([run("mcs-plus"), run("mcs-plus", exchange="0.5 PV")], ["a", "b"])
    assert "Removed in all (nmol)" in words(same)
    assert "machines compared" not in words(same)
    apart = compared("spectra-optia", "mcs-plus")
    assert "2 machines compared: The same course" in words(apart)
    assert "Removed in all (nmol)" not in words(apart)
    runs = [run("mcs-plus"), run("mcs-plus", exchange="0.5 PV"), run("tr-350")]
    assert "3 runs on 2 machines" in words(figures.comparison(runs, ["a", "b", "c"]))


def test_machines_are_compared_by_the_antibody_first_and_albumin_last() -> None:
    results = [run("spectra-optia"), run("tr-350")]
    shown = compared_solutes(results)
    assert shown[0] == "anti-achr"
    assert shown[1] == "igg"
    assert shown[-1] == "albumin"
    assert len(shown) == 6
    headings = words(compared("spectra-optia", "tr-350")).split(" | ")
    assert {"anti-AChR", "IgG", "IgM", "IgA", "fibrinogen", "albumin"} <= set(headings)


def test_every_dot_is_a_session_and_every_number_the_mean_of_the_table() -> None:
    devices = ("spectra-optia", "dfpp-ec-20w", "tr-350", "globaffin")
    results = [_emptier_at_last(run(device)) for device in devices]
    table = dict(tables.comparison_rows(results))
    figure = figures.comparison(results, devices)
    shown = compared_solutes(results)
    for axes, name in zip(figure.axes, shown, strict=False):
        ends = [t.get_text() for t in axes.texts]
        means = table[f"{name} fall per session, mean, %"]
        assert ends == [str(round(m)).replace("-", "−") for m in means if m is not None], name
        rows = [line for line in axes.lines if line.get_marker() == "o"]
        for line, result, color in zip(rows, results, SERIES, strict=False):
            levels = [s.solutes[name] for s in result.sessions]
            expected = [100 * (1 - x.post / x.pre) for x in levels if x.post is not None]
            assert np.asarray(line.get_xdata()) == pytest.approx(expected)
            assert line.get_color() == color
        low, high = axes.get_xlim()
        for line in rows:
            assert all(low < x < high for x in np.asarray(line.get_xdata()))
    minutes, outside = figure.axes[len(shown) : len(shown) + 2]
    mean = table["connected, min, mean per session"]
    assert [t.get_text() for t in minutes.texts] == [f"{m:.0f}" for m in mean if m is not None]
    most = table["most blood outside the body, mL"]
    assert [t.get_text() for t in outside.texts] == [f"{m:.0f}" for m in most if m is not None]


def test_a_rise_beyond_its_room_is_an_arrow_and_does_not_dwarf_the_falls() -> None:
    results = [run("spectra-optia"), _falling(run("mcs-plus"), -8.0)]
    axes = figures.comparison(results, ["a", "b"]).axes[0]
    low, high = axes.get_xlim()
    assert -1.2 * high < low < 0
    arrows = [line for line in axes.lines if line.get_marker() == "<"]
    assert [float(np.asarray(line.get_ydata())[0]) for line in arrows] == [1]
    assert float(axes.texts[1].get_text().replace("−", "-")) < 3 * low, "the number says how far"
    assert not [x for x in compared("spectra-optia", "mcs-plus").axes[0].lines
                if x.get_marker() == "<"]  # fmt: skip


def _emptier_at_last(result: Result) -> Result:
    """The result, with half as much blood outside in its last session."""
    *others, last = result.sessions
    last = dataclasses.replace(last, blood_outside=last.blood_outside / 2)
    return dataclasses.replace(result, sessions=[*others, last])


def test_the_swings_of_a_bowl_are_drawn_through_the_whole_first_session() -> None:
    results = [run("spectra-optia"), run("mcs-plus")]
    figure = compared("spectra-optia", "mcs-plus")
    (axes,) = (a for a in figure.axes if a.get_title(loc="left").startswith("Blood volume"))
    curves = [np.asarray(line.get_ydata()) for line in axes.lines if np.size(line.get_xdata()) > 2]
    for result, drawn in zip(results, curves, strict=True):
        session = result.sessions[0]
        assert min(drawn) == pytest.approx(100 * session.blood_volume_nadir, abs=0.05)
    risen = [float(np.sum(np.maximum(np.diff(drawn), 0.0))) for drawn in curves]
    assert risen[1] > 5 * results[1].sessions[0].bowl_cycles, "% that cycle after cycle gives back"
    assert risen[0] < 5
    lowest = [text for text in words(figure).split(" | ") if re.fullmatch(r"−[\d.]+ %", text)]
    assert len(lowest) == 2, "each of a few runs says how low it goes"
