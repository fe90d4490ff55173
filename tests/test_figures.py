"""Figures: no word runs into another, numbers are the run's, a figure is always the same file."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from simulator import figures
from simulator.figures.places import extent, spread, visible_texts
from simulator.figures.session_events import access_pauses, calcium_given, labels, lines, phases
from simulator.figures.sessions import chosen_sessions
from simulator.figures.slide import FOOTER, Slide
from simulator.figures.strip import Flag, flags_of
from simulator.figures.style import GRAY, PURPLE, SERIES, display_name, ink, number
from simulator.result import Event, Result
from simulator.scenario import loads
from simulator.simulation import simulate

SMALLEST = 12  # points; the last row has to read it
TOUCH = 1.0  # pixel by which two boxes may meet: rounding of glyphs

PATIENT = "patient: {sex: female, age: 48 y, weight: 68 kg, height: 165 cm, hematocrit: 39 %}"
ORDER = "prescription: {exchange: 1.0 PV, replacement: [{fluid: albumin-5, share: 100 %}]}"
LONG = (
    "A title that is so long that it cannot stand on one line of a slide, nor perhaps on two, "
    "because whoever wrote it meant to say everything at once, costs of $5_0 and $10^ included"
)

#: What each scenario adds to patient and prescription; LONG stands for a long title.
SCENARIOS: dict[str, str] = {
    "five": """
        title: Five exchanges in ten days
        solutes: {anti-gad65: {like: igg1, initial: 23508 U/mL}, igm: {}, fibrinogen: {}}
        course: {at: [0 d, 2 d, 5 d, 7 d, 10 d]}
        simulation: {until: 42 d}""",
    "one": """
        title: One exchange
        course: {sessions: 1}""",
    "weekly": """
        title: LONG
        course: {sessions: 13, every: 7 d}
        simulation: {until: 100 d}""",
    "eight solutes": """
        title: LONG
        solutes:
          anti-gad65: {like: igg1, initial: 23508 U/mL}
          an-antibody-with-a-long-name: {like: igg4, initial: 12.5 nmol/L}
          igm: {}
          iga: {}
          fibrinogen: {}
          c3: {}
          adamts13: {}
        course: {sessions: 5, every: 1 d}
        simulation: {until: 14 d}""",
    "faults": """
        title: Everything goes wrong
        course: {sessions: 3, every: 2 d}
        events:
          - {session: 1, at: 60 min, fault: power-failure, for: 30 min}
          - {session: 3, at: 20 min, fault: access-occlusion, for: 4 min}
          - {session: 3, at: 50 min, set: machine.inlet_flow, to: 45 mL/min}
          - {session: 3, at: 52 min, set: machine.inlet_flow, to: 50 mL/min}
          - {session: 3, at: 54 min, set: machine.inlet_flow, to: 55 mL/min}
          - {session: 3, at: 70 min, fault: return-occlusion, for: 2 min}
          - {session: 3, at: 74 min, fault: air-in-return, for: 3 min}
          - {session: 3, at: 80 min, fault: air-in-return, for: 3 min}
          - {session: 3, at: 86 min, fault: air-in-return, for: 3 min}
          - {session: 3, at: 92 min, fault: access-occlusion, for: 3 min}
        simulation: {until: 6 d}""",
    "no session": """
        title: A drug and no machine
        solutes:
          my-drug:
            unit: mg/L
            initial: 0 mg/L
            intravascular_fraction: 45 %
            transcapillary_escape: 3 %/h
            half_life: 21 d
            synthesis: 0 %
        course: {sessions: 0}
        events:
          - {at: 1 d, give: my-drug, dose: 300 mg, over: 1 h}
          - {at: 15 d, give: my-drug, dose: 300 mg, over: 1 h}
        simulation: {until: 28 d}""",
    "nothing happens": """
        title: Rest
        course: {sessions: 0}
        simulation: {until: 3 d}""",
    "drug between": """
        title: A drug between two exchanges
        solutes:
          my-drug: {like: igg4, unit: mg/L, initial: 0 mg/L, synthesis: 0 %}
        course: {sessions: 2, every: 4 d}
        events: [{at: 2 d, give: my-drug, dose: 300 mg}]""",
    "cut short": """
        title: A run that ends within its only session
        course: {sessions: 1}
        simulation: {until: 50 min}""",
    "reacting": """
        title: A patient who reacts again and again
        course: {sessions: 3, every: 2 d}
        events:
          - {session: 2, at: 20 min, fault: paresthesia}
          - {session: 2, at: 32 min, fault: hypotension}
          - {session: 2, at: 45 min, fault: clotting}
          - {session: 2, at: 55 min, fault: urticaria}
          - {session: 2, at: 62 min, fault: access-failure}
          - {session: 2, at: 65 min, give: calcium-chloride-10, dose: 5 mL, over: 10 min}
          - {session: 2, at: 78 min, fault: paresthesia}
          - {session: 2, at: 95 min, fault: paresthesia}
        simulation: {until: 6 d}""",
    "turbulent": """
        title: Whatever comes, on veins that give little, with one nurse for four machines
        machine: {access: peripheral-veins, inlet_flow: 65 mL/min, disturbances: typical}
        operator: {machines: 4}
        course: {sessions: 3, every: 2 d}
        events:
          - {session: 3, at: 20 min, fault: paresthesia}
          - {session: 3, at: 30 min, fault: vasovagal}
          - {session: 3, at: 32 min, fault: access-failure}
        simulation: {until: 6 d, seed: 3}""",
    "turbulent alone": """
        title: One session on veins that give little
        machine: {access: peripheral-veins, inlet_flow: 65 mL/min, disturbances: typical}
        course: {sessions: 1}
        events:
          - {session: 1, at: 6 min, give: calcium-gluconate-10, dose: 20 mL, over: 5 min}
          - {session: 1, at: 40 min, fault: vasovagal}
          - {session: 1, at: 41 min, fault: paresthesia}
        simulation: {until: 1 d, seed: 4}""",
}


@cache
def run(name: str) -> Result:
    own = textwrap.dedent(SCENARIOS[name]).replace("LONG", LONG)
    return simulate(loads(f"format: 1\n{PATIENT}\n{ORDER}\n{own}\n", name.replace(" ", "-")))


def drawn(name: str) -> dict[str, Figure]:
    """All figures of one run."""
    result = run(name)
    made = {
        "volumes": figures.volumes(result),
        "solutes": figures.solutes(result),
        "sessions": figures.sessions(result),
    }
    return {kind: figure for kind, figure in made.items() if figure is not None}


def words(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in visible_texts(figure))


def collisions(figure: Figure) -> list[str]:
    """Texts that run into each other, leave the page, or are too small."""
    figure.draw_without_rendering()
    texts = visible_texts(figure)
    boxes = [(text.get_text(), extent(text)) for text in texts]
    page = figure.bbox
    found = [
        f"{a!r} runs into {b!r}"
        for (a, one), (b, other) in itertools.combinations(boxes, 2)
        if min(one.x1, other.x1) - max(one.x0, other.x0) > TOUCH
        and min(one.y1, other.y1) - max(one.y0, other.y0) > TOUCH
    ]
    found += [
        f"{text!r} leaves the page"
        for text, box in boxes
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1
    ]
    found += [f"{t.get_text()!r} is too small" for t in texts if float(t.get_fontsize()) < SMALLEST]
    return found


# -- nothing runs into anything --------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_text_of_a_figure_runs_into_another_or_leaves_the_page(name: str) -> None:
    for kind, figure in drawn(name).items():
        assert len(visible_texts(figure)) > 5, kind
        assert collisions(figure) == [], kind


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_no_text_of_a_comparison_runs_into_another(count: int) -> None:
    names = itertools.islice(itertools.cycle(SCENARIOS), count)
    results = [run(name) for name in names]
    labels = [f"arm {i} of a comparison at an inlet flow of 65 mL/min" for i in range(count)]
    figure = figures.comparison(results, labels)
    assert collisions(figure) == []
    assert ("the first 7 of 9" in words(figure)) == (count == 9)


def _move_a_label(figure: Figure) -> None:
    labels = [text for text in visible_texts(figure) if "anti-GAD65" in text.get_text()]
    box = extent(labels[0])
    figure.text(box.x0 / figure.bbox.width, box.y0 / figure.bbox.height, "in the way")


def _push_a_label_out(figure: Figure) -> None:
    figure.text(0.99, 0.5, "off the page")


def _shrink_a_label(figure: Figure) -> None:
    visible_texts(figure)[0].set_fontsize(8)


@pytest.mark.parametrize(
    ("sabotage", "complaint"),
    [
        (_move_a_label, "runs into"),
        (_push_a_label_out, "leaves the page"),
        (_shrink_a_label, "is too small"),
    ],
)
def test_the_check_notices(sabotage: Callable[[Figure], None], complaint: str) -> None:
    figure = figures.solutes(run("five"))
    sabotage(figure)
    assert complaint in " ".join(collisions(figure))


@given(
    st.lists(st.tuples(st.floats(-50, 150), st.floats(1, 20)), min_size=1, max_size=8),
)
def test_labels_spread_without_overlap_and_stay_where_there_is_room(
    labels: list[tuple[float, float]],
) -> None:
    wanted, sizes = [w for w, _ in labels], [s for _, s in labels]
    room = sum(sizes)
    places = spread(wanted, sizes, 0.0, 100.0)
    edges = sorted((p - s / 2, p + s / 2) for p, s in zip(places, sizes, strict=True))
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(edges))
    assert edges[0][0] >= -1e-9
    if room <= 100:
        assert edges[-1][1] <= 100 + 1e-9


def test_labels_that_are_apart_stay_where_they_are() -> None:
    assert spread([10.0, 50.0, 30.0], [10.0, 10.0, 10.0], 0.0, 100.0) == [10.0, 50.0, 30.0]
    assert spread([50.0, 50.0], [10.0, 10.0], 0.0, 100.0) == [45.0, 55.0]


# -- what they show --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_figure_says_what_it_is_and_what_it_is_not_for(name: str) -> None:
    for kind, figure in drawn(name).items():
        assert FOOTER in words(figure), kind
        assert "not for treating patients" in FOOTER
        title = figure.get_suptitle().replace("\n", " ").removesuffix("…")
        assert title
        assert run(name).scenario.title.startswith(title.strip())


@pytest.mark.parametrize("name", ["no session", "nothing happens"])
def test_a_run_without_sessions_has_no_figure_of_sessions(name: str) -> None:
    assert figures.sessions(run(name)) is None
    assert set(drawn(name)) == {"volumes", "solutes"}


def test_volumes_end_at_the_totals_of_the_sessions() -> None:
    result = run("five")
    shown = words(figures.volumes(result))
    total = sum(session.patient_plasma_removed for session in result.sessions) / 1000
    assert f"Patient plasma removed {total:.1f} L" in shown
    total = sum(session.blood_processed for session in result.sessions) / 1000
    assert f"Blood processed {total:.1f} L" in shown


def test_solutes_name_the_antibody_first_and_say_its_lowest_level() -> None:
    result = run("five")
    figure = figures.solutes(result)
    lowest = result.solutes["anti-gad65"]
    shown = words(figure)
    assert f"{100 * lowest.nadir / lowest.initial:.0f} %" in shown
    assert f"{number(lowest.nadir)} U/mL" in shown
    assert f"anti-GAD65 {number(lowest.final)} U/mL" in shown
    assert "albumin" not in shown
    upper = figure.axes[0]
    marks = [line.get_path().vertices for line in upper.lines if line.get_marker() == "o"]
    minutes = [1440 * float(np.asarray(mark)[0, 0]) for mark in marks]
    assert min(abs(minute - lowest.nadir_time) for minute in minutes) < 1e-6


def test_solutes_beyond_five_are_named_where_they_are_left_out() -> None:
    shown = words(figures.solutes(run("eight solutes")))
    assert "not drawn: " in shown
    assert "anti-GAD65" in shown


def test_a_drug_that_starts_at_nothing_is_drawn_in_percent_of_its_peak() -> None:
    result = run("no session")
    figure = figures.solutes(result)
    shown = words(figure)
    assert "% of peak" in shown
    assert "unchanged: IgG" in shown
    peak = max(result.column("my-drug_plasma"))
    final = result.solutes["my-drug"].final
    assert f"my-drug {100 * final / peak:.0f} % of peak" in shown
    assert f"my-drug {number(final)} mg/L" in shown


def test_sessions_carry_the_numbers_of_the_summary() -> None:
    result = run("five")
    shown = words(drawn("five")["sessions"])
    for session in (result.sessions[0], result.sessions[-1]):
        assert f"Session {session.index}, day {session.start / 1440:.4g}" in shown
        assert f"{100 * session.blood_volume_nadir:.1f} %".replace("-", "−") in shown
        assert f"{session.ionized_calcium_nadir:.2f} mmol/L" in shown
        assert f"removed {session.patient_plasma_removed / 1000:.2f} L" in shown


def test_faults_are_labeled_and_shaded_and_bottles_are_only_ticks() -> None:
    result = run("faults")
    figure = drawn("faults")["sessions"]
    shown = words(figure).split(" | ")
    assert {"access pressure low", "air in return × 3", "power failure"} <= set(shown)
    assert "ended early: clotted" in shown
    assert "bottle, bag" in shown
    assert "replacement empty" not in shown
    first = result.sessions[0]
    spans = [phase for phase, _, _ in phases(result, first)]
    assert spans == ["draw", "exchange"], "the circuit clotted: there was no rinseback"


def covered(flags: Sequence[Flag]) -> list[str]:
    """Texts of flags that cover another, or the pole of another."""
    found = []
    for one, other in itertools.permutations(flags, 2):
        low, high = one.reach
        if one.row == other.row and low < other.reach[1] - 1e-9 and other.reach[0] < high - 1e-9:
            found.append(f"{one.text} covers {other.text}")
        if one.row < other.row and low + 1e-9 < other.minute < high - 1e-9:
            found.append(f"{one.text} covers the pole of {other.text}")
    return found


@pytest.mark.parametrize("name", ["faults", "reacting", "turbulent", "turbulent alone"])
def test_flags_cover_neither_each_other_nor_a_pole(name: str) -> None:
    result = run(name)
    chosen = chosen_sessions(result)
    flags = flags_of(result, chosen[-1], len(chosen), Slide("").points)
    assert len(flags) >= 4
    assert covered(flags) == []


NAMES = st.sampled_from(
    ["alarm:access-pressure-low", "alarm:air-in-return", "alarm:replacement-empty", "set",
     "reaction:paresthesia", "reaction:vasovagal", "operator:slow-inlet", "operator:give-fluid",
     "operator:hold", "operator:hang-a-bottle", "alarm:pumps-stopped", "session-ended-early"]
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, st.floats(5, 105)), max_size=40))
def test_whatever_happens_flags_stay_apart(happened: list[tuple[str, float]]) -> None:
    result = run("one")
    session = result.sessions[0]
    detail = "paresthesia: 10 mL calcium-gluconate-10"
    happened = [(name, min(minute, session.connected_minutes)) for name, minute in happened]
    events = [Event(0.0, 1, m, name, detail) for name, m in sorted(happened, key=lambda x: x[1])]
    result = dataclasses.replace(result, events=events)
    flags = flags_of(result, session, 2, lambda words, size: 6.0 * len(words))
    assert covered(flags) == []
    assert all(
        f.reach[0] >= -1e-9 and f.reach[1] <= session.connected_minutes + 1e-9 for f in flags
    )
    assert bool(flags) == bool(labels(result, session)), "something is said if anything happened"


def test_what_stops_the_pumps_is_never_left_out_for_a_phase() -> None:
    result = run("faults")
    flags = flags_of(result, result.sessions[-1], 2, lambda words, size: 5.0 * len(words))
    alarms = {event.event for event in result.events if event.event.startswith("alarm:")}
    assert {"alarm:access-pressure-low", "alarm:air-in-return"} <= alarms
    kept = {flag.text for flag in flags}
    assert "access pressure low" in kept
    assert "draw" not in kept


def test_a_reaction_is_said_with_what_was_done_about_it_and_crosses_the_curves() -> None:
    result = run("reacting")
    session = result.sessions[1]
    said = [label.words for label in labels(result, session)]
    assert [text for text in said if text.startswith("paresthesia")] == [
        "paresthesia: slower, calcium",
        "paresthesia: slower, calcium, pause",
        "paresthesia: session ended",
    ]
    assert "hypotension: more fluid, saline, pause" in said
    assert not [text for text in said if "hang" in text or "early" in text]
    crossing = [minute for minute, color in lines(result, session) if color == PURPLE]
    assert crossing == pytest.approx([20.0, 32.0, 55.0, 78.0, 95.0])


def test_calcium_given_by_hand_is_shown_for_as_long_as_it_ran_in() -> None:
    result = run("reacting")
    doses = [minute for dose in calcium_given(result, result.sessions[1]) for minute in dose]
    assert doses == pytest.approx([20.0, 30.0, 65.0, 75.0, 78.0, 83.0])
    assert "calcium given" in words(drawn("reacting")["sessions"])
    assert "calcium given" not in words(drawn("five")["sessions"])


def test_what_comes_again_and_again_is_named_once_and_marked_each_time() -> None:
    result = run("one")
    session = result.sessions[0]
    events = [Event(0.0, 1, 5.0 * i, "alarm:access-pressure-low", "") for i in range(1, 13)]
    result = dataclasses.replace(result, events=events)
    assert [label.words for label in labels(result, session)] == ["access pressure low × 12"]
    assert access_pauses(result, session) == [event.minute for event in events]
    assert lines(result, session) == [], "the machine helps itself: the curves stay clear"


def test_the_most_eventful_session_is_shown_instead_of_the_last_and_says_so() -> None:
    result = run("reacting")
    assert [session.index for session in chosen_sessions(result)] == [1, 2]
    assert "Session 2, day 2: the most eventful" in words(drawn("reacting")["sessions"])
    assert [session.index for session in chosen_sessions(run("five"))] == [1, 5]
    assert "eventful" not in words(drawn("five")["sessions"])


def test_arms_that_are_felt_differently_are_compared_minute_by_minute() -> None:
    alike = figures.comparison([run("five"), run("weekly")], ["a", "b"])
    apart = figures.comparison([run("five"), run("turbulent alone")], ["a", "b"])
    assert "First session: blood volume (%)" not in words(alike)
    assert "First session: blood volume (%)" in words(apart)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("igg", "IgG"), ("igm", "IgM"), ("igg4", "IgG4"), ("anti-gad65", "anti-GAD65"),
        ("anti-gbm", "anti-GBM"), ("anti-achr", "anti-AChR"), ("c3", "C3"), ("ldl", "LDL"),
        ("adamts13", "ADAMTS13"), ("fibrinogen", "fibrinogen"), ("my-drug", "my-drug"),
        ("Anti-Hu", "Anti-Hu"), ("a" * 40, "a" * 23 + "…"),
    ],
)  # fmt: skip
def test_solutes_are_written_as_in_running_text(name: str, shown: str) -> None:
    assert display_name(name) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (3588.2, "3,590"), (17802, "17,800"), (1.5263, "1.53"), (0.1628, "0.163"),
     (999.6, "1,000"), (121_620_306, "122 million"), (105, "105")],
)  # fmt: skip
def test_numbers_have_three_digits_and_no_exponent(value: float, shown: str) -> None:
    assert number(value) == shown


def test_text_is_dark_enough_on_white() -> None:
    for color in (*SERIES, GRAY):
        linear = [((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(ink(color))]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) >= 4.5, "contrast that WCAG asks of text"


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_figure_twice_gives_the_same_bytes(kind: str) -> None:
    one, two = (figures.rendered(figures.volumes(run("one")), kind) for _ in range(2))
    assert one == two
    assert one.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    for secret in (b"Software", b"dc:date", b"CreationDate", b"matplotlib.org"):
        assert secret not in one


def test_a_users_own_settings_of_matplotlib_change_nothing() -> None:
    plain = figures.rendered(figures.solutes(run("one")), "png")
    own = {"font.family": ["serif"], "font.size": 30, "savefig.bbox": "tight", "axes.grid": True}
    own |= {"xtick.labelsize": 30, "text.usetex": False, "lines.linewidth": 9}
    with matplotlib.rc_context(own):  # type: ignore[arg-type]
        assert figures.rendered(figures.solutes(run("one")), "png") == plain
        assert matplotlib.rcParams["font.size"] == 30, "and theirs are left as they are"


def test_saving_names_each_file_by_its_format(tmp_path: Path) -> None:
    figure = figures.volumes(run("one"))
    assert figures.save(figure, tmp_path / "v1.0") == [tmp_path / "v1.0.png"]
    both = figures.save(figure, tmp_path / "volumes.png", ("png", "svg"))
    assert both == [tmp_path / "volumes.png", tmp_path / "volumes.svg"]
    assert all(path.stat().st_size > 1000 for path in both)
    with pytest.raises(ValueError, match="expected one of png, svg, pdf"):
        figures.save(figure, tmp_path / "x", ("bmp",))


def test_figures_never_import_pyplot() -> None:
    script = "import sys, simulator.figures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_dose_in_a_session_is_marked_where_it_was_given() -> None:
    result = simulate(
        loads(
            "format: 1\n"
            "patient: {sex: male, weight: 75 kg, height: 178 cm, hematocrit: 40 %}\n"
            "solutes: {igm: {}}\n"
            "prescription: {exchange: 0.3 PV, replacement: [{fluid: albumin-5, share: 100 %}]}\n"
            "course: {sessions: 2, every: 2 d}\n"
            "events: [{session: 2, at: 36 min, give: igg, dose: 20 g, over: 1 h}]\n",
            "dose",
        )
    )
    upper = figures.solutes(result).axes[0]
    marks = [np.asarray(line.get_xdata())[0] for line in upper.lines if line.get_marker() == "v"]
    assert marks == [pytest.approx(2 + 36 / 1440)]


@pytest.mark.parametrize(
    ("removed", "said"),
    [(9_990.0, "(g) 9,990"), (508_000.0, "(thousand g) 508"), (2e6, "(million g) 2")],
)
def test_large_amounts_removed_are_told_in_larger_units(removed: float, said: str) -> None:
    result = run("one")
    solutes = {"igg": dataclasses.replace(result.solutes["igg"], removed=removed)}
    figure = figures.comparison([dataclasses.replace(result, solutes=solutes)] * 2, ["a", "b"])
    unit, amount = said.rsplit(" ", 1)
    assert f"Removed in all {unit}" in words(figure)
    assert amount in words(figure).split(" | ")
    assert "a: " in words(figure)
