"""The built wheel alone is the whole program: catalog and scenarios travel in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # an empty environment downloads what the program needs


def run(*command: str | Path, cwd: Path) -> str:
    """What the command prints; fails with all it said if it fails."""
    surroundings = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", folder, project, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_catalog_scenarios_and_published_cases_and_nothing_else(
    wheel: Path, project: Path
) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    content = {name for name in names if ".dist-info/" not in name}
    web, built = (project / "simulator" / "playback" / folder for folder in ("web", "static"))
    in_package = (
        path.relative_to(project).as_posix()
        for path in (project / "simulator").rglob("*")
        if path.is_file() and (path.suffix in {".py", ".yaml", ".typed"} or path.parent == built)
        if web not in path.parents
    )
    bundled = (
        f"simulator/_scenarios/{path.name}" for path in (project / "scenarios").glob("*.yaml")
    )
    assert "simulator/_scenarios/stiff-person-acute.yaml" in content
    assert "simulator/catalog/solutes/igg.yaml" in content
    assert "simulator/playback/static/page.js" in content
    folder = project / "tests" / "published"
    published = (
        f"simulator/_published/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file()
    )
    assert content == {*in_package, *bundled, *published}


def test_an_installed_wheel_runs_the_main_scenario_from_any_folder(
    wheel: Path, tmp_path: Path
) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "empty", cwd=tmp_path)
    programs = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    here = tmp_path / "somewhere"
    here.mkdir()

    printed = run(programs / "apheresis", "run", "stiff-person-acute", cwd=here)

    assert "anti-gad65" in printed
    folder = here / "runs" / "stiff-person-acute"
    expected = {"summary.json", "curves.csv", "events.csv", "scenario.yaml"}
    figures = {"volumes.png", "solutes.png", "sessions.png"}
    assert {path.name for path in folder.iterdir()} == expected | figures
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert [session["completed"] for session in summary["sessions"]] == [True] * 5

    verified = run(programs / "apheresis", "verify", "kim-2015", "--no-plots", cwd=here)
    assert "All that must hold holds." in verified
