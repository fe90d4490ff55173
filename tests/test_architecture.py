"""The shape of the program: who imports whom, what starting costs, how modules are written."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import simulator

PACKAGE = Path(simulator.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400  # lines; a longer module is two modules

#: Costly imports, each bought by the one command that needs it.
HEAVY = {"matplotlib", "numpy", "pyarrow", "scipy", "simpy", "yaml"}


def packages_imported_by(*arguments: str, cwd: Path) -> set[str]:
    """Names of the top-level packages in memory after `apheresis` ran with these arguments."""
    script = (
        "import sys\n"
        "from simulator.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print('\\nIMPORTED', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "IMPORTED"
    return set(last[1:])


def test_imports_run_downward_only(project: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    imported = packages_imported_by("--help", cwd=tmp_path)
    assert {"simulator", "click"} <= imported
    assert imported & HEAVY == set()


def test_a_run_without_figures_imports_nothing_costly(tmp_path: Path) -> None:
    imported = packages_imported_by(
        "run", "closed-form", "--no-plots", "--out", str(tmp_path / "run"), cwd=tmp_path
    )
    assert "simpy" in imported
    costly = {"email", "matplotlib", "numba", "numpy", "pandas", "pyarrow", "scipy", "starlette"}
    assert imported & costly == set()


def test_checking_a_file_imports_no_machine(tmp_path: Path, scenarios: Path) -> None:
    imported = packages_imported_by("check", str(scenarios / "closed-form.yaml"), cwd=tmp_path)
    assert imported & {"matplotlib", "numpy", "simpy"} == set()


def test_the_version_is_the_same_wherever_it_is_written(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from simulator.cli import main; main()", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert simulator.__version__ in done.stdout.split()
    assert f"version: {simulator.__version__}\n" in (project / "CITATION.cff").read_text()
    assert f"## {simulator.__version__} (" in (project / "CHANGELOG.md").read_text()


def test_there_are_modules_to_look_at() -> None:
    assert {path.name for path in MODULES} >= {"units.py", "simulation.py", "result.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module begins with what it is for"
    assert len(text.splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_text_is_read_and_written_in_a_stated_encoding(path: Path) -> None:
    """Without one it would be that of the machine, which is not UTF-8 everywhere."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
    ]
    unstated = [c.lineno for c in calls if "encoding" not in {word.arg for word in c.keywords}]
    assert unstated == []
