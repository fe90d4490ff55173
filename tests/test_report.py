"""``run --report``: one file, small, with all in it and nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from simulator import report, run_folder, scenario, simulation
from simulator.cli import cli
from simulator.playback import page
from simulator.playback.recording import recorded

LARGE = ("stiff-person-maintenance", "busy-unit", "mixed-replacement")
ADDRESSES = re.compile(r"""(?:src|href|action|data)\s*=\s*["']([^"']*)["']""")
SVG_NAMESPACE = "http://www.w3.org/"


def made(tmp_path: Path, *options: str) -> str:
    folder = tmp_path / "run"
    result = CliRunner().invoke(
        cli, ["run", "one-volume-or-two", "--report", "--out", str(folder), *options]
    )
    assert result.exit_code == 0, result.output
    return (folder / "report.html").read_text(encoding="utf-8")


def embedded(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="embedded">(.*?)</script>', text, re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_a_report_is_one_file_with_figures_and_the_run(tmp_path: Path) -> None:
    text = made(tmp_path)
    assert len(text.encode()) < 1_000_000
    assert text.count("data:image/png;base64,") == 3
    run = embedded(text)["run"]
    one = scenario.load("one-volume-or-two")
    result = simulation.simulate(one)
    assert [e["event"] for e in run["events"]] == [e.event for e in result.events]
    assert len(run["curves"]["time"]) == len(result.rows)
    assert run["tables"][0]["rows"][0][0] == "1"
    assert run["sources"]


def test_a_report_fetches_nothing_and_says_that_it_may_not(tmp_path: Path) -> None:
    text = made(tmp_path)
    without_data = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.S)
    for address in ADDRESSES.findall(without_data):
        assert address.startswith(("data:", "#")) or address == "", address
    outside = set(re.findall(r"https?://[\w./-]*", without_data))
    assert {a for a in outside if not a.startswith(SVG_NAMESPACE)} <= set(NAMED_IN_LICENSES)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "connect-src" not in policy[1]
    for kind in ("script", "style"):
        parts = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.S)
        assert len(parts) == 1
        digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]


NAMED_IN_LICENSES = ("https://github.com/leeoniya/uPlot",)


@pytest.mark.parametrize("name", LARGE)
def test_the_report_of_a_long_course_is_small_enough(name: str) -> None:
    """With figures of 60 kB each, which is more than any has."""
    run = recorded(scenario.load(name))
    figures = dict.fromkeys(("volumes", "solutes", "sessions"), bytes(60_000))
    text = report.document(run, figures)
    assert len(text.encode()) < report.LARGEST
    data = embedded(text)["run"]
    assert len(data["events"]) == len(run.events)
    assert len(data["states"]) == len(run.states)


def test_the_same_run_gives_the_same_report(tmp_path: Path) -> None:
    assert made(tmp_path / "a", "--no-plots") == made(tmp_path / "b", "--no-plots")


def test_a_hostile_title_stays_a_title() -> None:
    hostile = "</title></script><script>alert(1)</script>"
    one = scenario.load("one-volume-or-two", [f"title={json.dumps(hostile)}"])
    text = report.document(recorded(one))
    assert hostile not in text
    assert "<script>alert" not in text
    assert embedded(text)["run"]["title"] == hostile


def test_a_run_folder_with_a_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    made(tmp_path)
    folder = tmp_path / "run"
    run_folder.check_target(folder)
    CliRunner().invoke(cli, ["run", "one-volume-or-two", "--no-plots", "--out", str(folder)])
    assert not (folder / "report.html").exists()


def test_what_cannot_be_finished_has_no_report(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli,
        ["run", "one-volume-or-two", "--report", "--out", str(tmp_path / "run"),
         "--set", "prescription.fluid_balance=20 %"],
    )  # fmt: skip
    assert result.exception is not None
    assert "cannot be held" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_the_page_is_built() -> None:
    for name in ("page.js", "page.css", "page.html"):
        assert len(page.part(name)) > 1000
