"""Bad files: every problem is told, at its place, in words; each file states what it expects.

The first line of a file in `invalid/` says what it is about, the comment lines after it are the
problems expected, in order: line, column, path, message. An "…" at the end stands for any ending.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import scenario
from simulator.errors import ScenarioError

FILES = sorted((Path(__file__).parent / "invalid").glob("*.yaml"))


def expected(file: Path) -> list[str]:
    """The problems that a file says it has."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        if not line.startswith("# "):
            break
        lines.append(line.removeprefix("# "))
    return lines


def test_there_are_many_bad_files() -> None:
    assert len(FILES) >= 35
    assert all(expected(file) for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_all_problems_are_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    told = [str(p).removeprefix(f"{file.name}:") for p in scenario.check(file.name)]
    wanted = expected(file)
    matched = [
        got if want == got or (want.endswith("…") and got.startswith(want[:-1])) else want
        for want, got in zip(wanted, told, strict=False)
    ]
    assert told == matched + wanted[len(told) :]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_words_are_the_users(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No names of classes, libraries or Python types reach the user."""
    monkeypatch.chdir(file.parent)
    text = "\n".join(p.message for p in scenario.check(file.name))
    for jargon in ("pydantic", "Input should", "instance of", "NoneType", "dict", "not understood"):
        assert jargon not in text


def test_bad_units_has_seven_problems() -> None:
    bad = Path(__file__).parent / "invalid" / "bad-units.yaml"
    with pytest.raises(ScenarioError, match=r"^7 problems:") as caught:
        scenario.load(bad)
    assert caught.value.exit_code == 3
    assert [problem.path for problem in caught.value.problems] == [
        "patient.sex",
        "patient.weight",
        "patient.height",
        "patient.hematocrit",
        "solutes.iggg",
        "machine.device",
        "prescription.replacement",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"title: \x00", "not readable as YAML"),
        (b"a: 1\n" * 300_000, "1 MiB"),
        ("[" * 50 + "]" * 50, "levels deep"),
        ("- 1\n" * 60_000, "values"),
        ("", "empty"),
        ("# only a comment", "empty"),
    ],
    ids=["bytes", "control", "large", "deep", "many", "empty", "comment"],
)
def test_text_that_is_no_scenario(content: str | bytes, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        scenario.loads(content)
