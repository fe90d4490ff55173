"""``apheresis verify``: what it prints, writes and ends with; and the documents made from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from test_published import GOOD

from simulator import documents, endpoints, figures, gallery
from simulator.cli import verify as verify_cli
from simulator.evidence import cases, closed_forms, document, verification, wording
from simulator.evidence.closed_forms import Check
from simulator.evidence.verdicts import Verdict
from simulator.export import engine
from simulator.figures.packing import LOSS, differing
from simulator.figures.places import visible_texts
from simulator.figures.verification import GROUPS, MISSED, PERCENT


def apheresis(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("law", "tolerance"), closed_forms.LAWS, ids=[law.__name__ for law, _ in closed_forms.LAWS]
)
def test_a_closed_form_holds(law: closed_forms.Law, tolerance: float) -> None:
    check = closed_forms.made(law, tolerance)
    assert check.met, f"{check.law}: {check.expected!r}, {check.found!r}"


def test_a_check_that_is_off_or_no_number_does_not_hold() -> None:
    assert Check("law", 1.0, 1.0 + 1e-8, 1e-7).met
    assert not Check("law", 1.0, 1.0 + 2e-7, 1e-7).met
    assert not Check("law", 0.0, 2e-9, 1e-9).met
    assert not Check("law", 1.0, float("nan"), 1e-7).met


def test_the_outcome_is_told_and_written(tmp_path: Path) -> None:
    done = apheresis("verify", "kim-2015", "--out", "here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "kim-2015, abstract" in done.stdout
    assert "94.2 ± 10.3 min" in done.stdout
    assert "All that must hold holds." in done.stdout
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        "verification.png",
        "verification.json",
    }


def test_json_is_all_that_is_printed(tmp_path: Path) -> None:
    done = apheresis("verify", "kim-2015", "--no-plots", "--json", cwd=tmp_path)
    outcome = json.loads(done.stdout)
    assert outcome["holds"]
    row = next(r for r in outcome["published"] if r["row"] == "kim-2015/efficiency-optia")
    assert row["measured"] == 92.5
    assert row["unit"] == "%"
    assert row["verdict"] == "met"
    assert abs(row["simulated"] - 90.4) < 0.1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_named_gets_its_table_also_without_a_figure(tmp_path: Path) -> None:
    done = apheresis("verify", "kim-2015", "--no-plots", "--out", "here", cwd=tmp_path)
    assert done.stderr == "Written to here/\n"
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["verification.json"]
    assert json.loads((tmp_path / "here/verification.json").read_text("utf-8"))["holds"]


def test_a_study_that_is_named_twice_counts_once() -> None:
    once, twice = (verification.verify(["cid-2014"] * n) for n in (1, 2))
    assert once.summary() == twice.summary()


def test_rows_over_many_sessions_say_how_they_are_run(tmp_path: Path) -> None:
    done = apheresis("verify", "philip-2013", "--no-plots", cwd=tmp_path)
    assert done.returncode == 0
    assert "not run (--all runs them)" in done.stdout


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    found = []
    for phrase in ("fall igg", "fall albumin"):
        file.write_text(GOOD.replace("fall igg", phrase), encoding="utf-8")
        found.append(verification.verify([str(file)]).verdicts[0].simulated)
    one, other = found
    assert None not in (one, other)
    assert one != other


def test_an_engine_that_cannot_run_the_model_does_not_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(scenario: object) -> None:
        raise RuntimeError("CVODE has given up")

    monkeypatch.setattr(engine, "installed", lambda: True)
    monkeypatch.setattr(engine, "final_levels", fail)
    check = verify_cli._engine()
    assert check is not None
    assert not check.met
    assert "could not run stiff-person-acute: CVODE has given up" in capsys.readouterr().err


def test_an_engine_that_is_there_and_broken_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> None:
        raise ImportError(f"{name}: undefined symbol")

    monkeypatch.setattr(engine, "import_module", broken)
    assert not engine.installed()


def test_a_gate_that_fails_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(GOOD.replace("60 %", "90 %"), encoding="utf-8")
    done = apheresis("verify", "case.yaml", "--no-plots", cwd=tmp_path)
    assert done.returncode == 1
    assert "MISSED" in done.stdout
    assert "NOT all that must hold holds." in done.stdout
    (tmp_path / "case.yaml").write_text(
        GOOD.replace("60 %", "90 %").replace("class: gate", "class: report"), encoding="utf-8"
    )
    assert apheresis("verify", "case.yaml", "--no-plots", cwd=tmp_path).returncode == 0


def test_an_unknown_study_and_a_wrong_file_are_told(tmp_path: Path) -> None:
    done = apheresis("verify", "kim-2051", "--no-plots", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'kim-2015'" in done.stderr
    (tmp_path / "case.yaml").write_text(GOOD.replace("fall igg", "fal igg"), encoding="utf-8")
    done = apheresis("verify", "case.yaml", "--no-plots", cwd=tmp_path)
    assert done.returncode == 3
    assert "case.yaml:11:11:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_outcome_with_one_process_and_with_two() -> None:
    one, two = (verification.verify(["kim-2015", "cid-2014"], jobs=jobs) for jobs in (1, 2))
    assert one.summary() == two.summary()


def test_a_check_that_fails_is_not_all_that_must_hold() -> None:
    outcome = verification.verify(["kim-2015"], engine=Check("another engine", 0.0, 1e-5, 1e-6))
    assert not outcome.holds
    assert wording.summary(outcome)[-1].startswith("NOT")


# -- the figure ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every() -> list[Verdict]:
    return document.as_recorded()


def marks(axes: Axes) -> list[tuple[float, float, str]]:
    """Where dots and arrows stand, and which."""
    found = []
    for line in axes.lines:
        if line.get_marker() in ("o", "<", ">", "^", "v"):
            ((x, y),) = line.get_xydata().tolist()  # type: ignore[union-attr]
            found.append((x, y, str(line.get_marker())))
    return sorted(found)


def title(figure: Figure) -> str:
    return " ".join(figure.get_suptitle().split())


def test_the_figure_draws_every_row_that_has_a_value_and_a_ratio(every: Sequence[Verdict]) -> None:
    figure = figures.verification(every)
    left, right = figure.axes
    levels = [
        v for v in every
        if v.measured is not None and v.unit == "%" and v.row.compare is None
        and v.row.read.name in PERCENT
    ]  # fmt: skip
    ratios = [
        v for v in every
        if v.measured and v not in levels and v.row.compare in (None, "ratio")
        and v.row.read.name != "over-mass-balance"
    ]  # fmt: skip
    expected = sorted(
        (min(v.measured, 105.0), min(v.simulated, 105.0))
        for v in levels
        if v.measured is not None and v.simulated is not None
    )
    assert [(x, y) for x, y, _ in marks(left)] == expected
    assert len(marks(left)) == len(levels) > 50
    assert len(marks(right)) == len(ratios) > 50


def test_the_title_counts_what_is_drawn_and_what_is_not(every: Sequence[Verdict]) -> None:
    figure = figures.verification(every)
    assert title(figure).count("…") == 0
    drawn = sum(len(marks(axes)) for axes in figure.axes)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    setting = int(legend[-1].removeprefix("set a parameter (").removesuffix(")"))
    said = [int(word) for word in title(figure).split() if word.isdigit()]
    rows, _studies, missed, *left_out = said
    assert rows + setting == drawn
    assert rows + setting + sum(left_out) == len(every)
    orange = sum(
        line.get_color() == MISSED and line.get_marker() not in ("None", "")
        for axes in figure.axes for line in axes.lines
    )  # fmt: skip
    grays = sum(v.row.kind == "calibration" for v in every)
    assert missed == orange
    assert 0 < setting <= grays


def test_what_lies_beyond_the_axes_stands_at_their_edge_as_an_arrow(
    every: Sequence[Verdict],
) -> None:
    usual = next(v for v in every if v.name == "ulrichts-2018/albumin")
    assert [mark for _, _, mark in marks(figures.verification([usual]).axes[0])] == ["^"]
    for value, y, arrow in ((-20.0, 0.0, "v"), (300.0, 105.0, "^"), (50.0, 50.0, "o")):
        one = replace(usual, measured=40.0, simulated=value)
        assert marks(figures.verification([one]).axes[0]) == [(40.0, y, arrow)]
    far = replace(usual, measured=140.0, simulated=50.0)
    assert marks(figures.verification([far]).axes[0]) == [(105.0, 50.0, ">")]


def test_the_figure_groups_endpoints_that_exist_each_once() -> None:
    grouped = [name for _, names in GROUPS for name in names]
    assert set(grouped) | set(PERCENT) <= set(endpoints.KINDS)
    assert len({*grouped, *PERCENT}) == len(grouped) + len(PERCENT)


@pytest.mark.parametrize("some", [["ohkubo-2016", "kim-2015", "crit-line"], None])
def test_the_texts_of_the_figure_are_apart_and_on_the_page(
    some: list[str] | None, every: Sequence[Verdict]
) -> None:
    figure = figures.verification([v for v in every if some is None or v.case.file in some])
    assert len(figure.axes[1].get_yticklabels()) >= 3
    figure.canvas.draw()
    page = figure.bbox
    texts = visible_texts(figure)
    for i, text in enumerate(texts):
        box = text.get_window_extent()
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        others = [t for t in texts[i + 1 :] if box.overlaps(t.get_window_extent())]
        assert others == [], (text, others)


# -- documents -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", document.DOCUMENTS)
def test_the_made_parts_of_a_document_are_not_stale(name: str, project: Path) -> None:
    text = (project / name).read_text(encoding="utf-8")
    assert "<!-- made:" in text
    assert text == document.remade(text, document.as_recorded()), f"{name} is stale: make model"


def test_a_changed_number_makes_the_model_stale(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project / "MODEL.md").read_text(encoding="utf-8")
    rows = document.as_recorded()
    changed = {**document.recorded(), rows[0].name: (rows[0].simulated or 0.0) + 3.0}
    monkeypatch.setattr(document, "recorded", lambda: changed)
    assert document.remade(text, document.as_recorded()) != text


def test_the_model_says_every_class_of_verdict_and_every_miss(project: Path) -> None:
    text = (project / "MODEL.md").read_text(encoding="utf-8")
    missed = [v for v in document.as_recorded() if v.met is False]
    assert missed
    for v in missed:
        assert v.row.miss, v.name
        assert f"- {v.name} ({v.row.kind}" in text


def test_the_picture_of_the_readme_shows_what_is_recorded(
    project: Path, every: Sequence[Verdict]
) -> None:
    there = project / documents.PICTURE
    assert [path.name for path in there.parent.iterdir()] == [there.name]
    page = (project / "plots" / gallery.INDEX).read_text(encoding="utf-8")
    if f"<!-- drawn with {gallery.DRAWN_WITH} -->" not in page:
        pytest.skip(f"plots/ was not drawn with {gallery.DRAWN_WITH}: letters may be set otherwise")
    now = figures.rendered(figures.verification(every), "png")
    count = differing(there.read_bytes(), now, LOSS)
    assert count <= 100, f"{documents.PICTURE} differs in {count} pixels now: make model"


def test_documents_are_written_only_in_a_checkout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere nothing is run and nothing is overwritten, in the package least of all."""
    monkeypatch.setattr(verification, "verify", None)
    record = cases.folder() / document.RECORDED
    before = record.read_bytes()
    assert documents.main(tmp_path, []) == 2
    assert "MODEL.md is not there; run this in the folder of a checkout" in capsys.readouterr().err
    for name in document.DOCUMENTS:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    assert documents.main(tmp_path, []) == 2
    assert f"is not of the checkout in {tmp_path}" in capsys.readouterr().err
    assert record.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == set(document.DOCUMENTS)


def test_making_the_documents_writes_record_parts_and_picture(
    tmp_path: Path, every: Sequence[Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not run keeps what was recorded; the rest of a document stays as it was."""
    (tmp_path / "published").mkdir()
    old = {v.name: v.simulated for v in every}
    record = tmp_path / "published" / document.RECORDED
    record.write_text(json.dumps(old), encoding="utf-8")
    for name in document.DOCUMENTS:
        text = "before\n<!-- made: counts -->\nold\n<!-- end -->\nafter\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    kept, moved, *_ = every
    verdicts = [replace(kept, simulated=None), replace(moved, simulated=1.23456789123)]
    outcome = verification.Verification((), Check("law", 0.0, 0.0, 1.0), None, tuple(verdicts))
    monkeypatch.setattr(verification, "verify", lambda **_: outcome)
    monkeypatch.setattr(cases, "folder", lambda: tmp_path / "published")
    monkeypatch.setattr(document, "as_recorded", lambda: list(every))
    documents.write(tmp_path, repeated=False)
    assert json.loads(record.read_text("utf-8")) == {
        kept.name: old[kept.name],
        moved.name: 1.23456789,
    }
    made = (tmp_path / "MODEL.md").read_text(encoding="utf-8")
    assert made.startswith("before\n<!-- made: counts -->\n")
    assert wording.sentence(every) in made
    assert made.endswith("<!-- end -->\nafter\n")
    assert (tmp_path / documents.PICTURE).read_bytes() == documents.picture(every)
