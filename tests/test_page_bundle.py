"""What is served to the browser is what its committed sources build."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import browser as browsers
import pytest

pytestmark = pytest.mark.timeout(600)  # the compiler and the bundler may have to be downloaded


@pytest.fixture(scope="module")
def npm() -> str:
    """Node's package manager; without it the tests are skipped, but fail in CI."""
    program = shutil.which("npm")
    if program is None or shutil.which("node") is None:
        browsers.lacking("no Node: node and npm are not both on the path")
    return program


@pytest.fixture(scope="module")
def fresh(project: Path, npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources of the page, with what they are built with beside them."""
    folder = tmp_path_factory.mktemp("playback")
    sources = project / "simulator" / "playback" / "web"
    shutil.copytree(sources, folder / "web", ignore=shutil.ignore_patterns("node_modules"))
    run(npm, "ci", "--prefer-offline", cwd=folder / "web")
    return folder


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def test_the_types_of_the_page_are_sound(fresh: Path, npm: str) -> None:
    run(npm, "run", "check", cwd=fresh / "web")


def test_the_page_is_built_from_its_sources(fresh: Path, npm: str, project: Path) -> None:
    run(npm, "run", "build", cwd=fresh / "web")
    committed = project / "simulator" / "playback" / "static"
    built = sorted((fresh / "static").iterdir())
    assert {path.name for path in built} >= {"page.css", "page.js"}
    stale = [
        path.name
        for path in built
        if not (served := committed / path.name).exists()
        or served.read_bytes() != path.read_bytes()
    ]
    assert not stale, f"not what the sources build: {', '.join(stale)}; run `make page`"


def test_the_lock_names_no_registry(project: Path) -> None:
    web = project / "simulator" / "playback" / "web"
    for file in ("package-lock.json", ".npmrc"):
        assert "://" not in (web / file).read_text(encoding="utf-8"), file


def test_the_page_carries_the_license_of_what_is_bundled(project: Path) -> None:
    script = (project / "simulator/playback/static/page.js").read_text(encoding="utf-8")
    assert "Copyright (c) 2022 Leon Sorokin" in script
    assert "The above copyright notice and this permission notice shall be included" in script
