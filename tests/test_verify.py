"""``apheresis verify``: what it prints, writes and ends with; and the documents made from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_published import GOOD

from simulator import figures
from simulator.evidence import closed_forms, document, verification, wording
from simulator.evidence.closed_forms import Check
from simulator.figures.places import visible_texts


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


def test_the_figure_draws_every_row_that_has_a_value_and_its_texts_are_apart() -> None:
    outcome = verification.verify(["ohkubo-2016", "kim-2015", "crit-line"], jobs=1)
    figure = figures.verification(outcome)
    left, right = figure.axes
    dots = [line for line in left.lines if line.get_marker() == "o"]
    levels = [
        v
        for v in outcome.verdicts
        if v.measured is not None
        and v.simulated is not None
        and v.unit == "%"
        and v.row.read.name in ("fall", "left", "drop")
        and v.row.compare is None
    ]
    assert len(dots) == len(levels) > 5
    drawn = sorted((float(x.get_xdata()[0]), float(x.get_ydata()[0])) for x in dots)  # type: ignore[index, arg-type]
    assert drawn == sorted((v.measured, v.simulated) for v in levels)
    assert len(right.get_yticklabels()) >= 3
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
