"""What the README shows is what the program does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator import catalog, scenario
from simulator.cli import cli
from simulator.simulation import simulate

LONGEST = 150  # lines


@pytest.fixture(scope="module")
def readme() -> str:
    return (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_the_output_shown_is_the_output_printed(readme: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "stiff-person-acute", "--no-plots"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"
    assert printed in blocks(readme, "")


def test_the_scenario_shown_runs(readme: str) -> None:
    text, _ = blocks(readme, "yaml")
    result = simulate(scenario.loads(text, "readme"))
    assert len(result.sessions) == 5
    assert "my-antibody" in result.solutes


def test_the_sweeps_shown_can_be_run(readme: str, tmp_path: Path) -> None:
    (example, *_) = blocks(readme, "yaml")
    (tmp_path / "my.yaml").write_text(example, encoding="utf-8")
    shown = re.findall(r"^apheresis (sweep .*?)(?: +#.*| --dask .*)?$", readme, flags=re.MULTILINE)
    assert len(shown) >= 4
    for line in shown:
        done = CliRunner().invoke(
            cli, [*shlex.split(line.replace("my.yaml", str(tmp_path / "my.yaml"))), "--dry-run"]
        )
        assert done.exit_code == 0, f"{line}: {done.output} {done.exception}"
        assert "runs" in done.stderr


def test_the_device_shown_is_one_of_your_own(
    readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example, device = blocks(readme, "yaml")
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/my-filter.yaml").write_text(device, encoding="utf-8")
    monkeypatch.setenv("APHERESIS_CATALOG", str(tmp_path))
    result = simulate(scenario.loads(example, "own", ["machine.device=my-filter"]))
    igm = result.sessions[0].solutes["igm"]
    assert igm.post is not None
    assert 0.6 < igm.post / igm.pre < 0.8


def test_links_lead_somewhere_and_the_page_is_short(readme: str, project: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", readme)
    assert targets
    assert [t for t in targets if not (project / t).exists()] == []
    assert len(readme.splitlines()) <= LONGEST


def test_every_source_that_is_named_is_in_the_bibliography(readme: str) -> None:
    named = re.findall(r"\[abstracts? of ([^\]]+)\]", readme)
    keys = [key for each in named for key in each.split(", ")]
    assert len(keys) >= 4
    assert [key for key in keys if key not in catalog.references()] == []


def test_every_module_is_in_the_map_of_the_design(project: Path) -> None:
    design = (project / "DESIGN.md").read_text(encoding="utf-8")
    package = project / "simulator"
    modules = {p.stem for p in package.iterdir() if not p.name.startswith("_")} - {"py"}
    assert [name for name in sorted(modules) if f"`{name}" not in design] == []
