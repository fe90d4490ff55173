"""Each way to spoil the program is noticed by the test that is named for it; see sabotages.py.

The tests run in a process of their own, on the spoiled text (changed_source.py). The same tests
must pass on the text as it is, and a spoiled program must be refuted: by an assertion, by the
simulator's own error or by numbers that do not fit together, not by a text that cannot run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="changes are tried in processes that fork")

from changed_source import PROJECT, Outcome, Worker
from sabotages import ENDLESS, NO_SIGN, SIGNS, TABLE, Sabotage
from sign_flips import Flip, flips

FLIPS = [
    (path, flip) for path in SIGNS for flip in flips((PROJECT / path).read_text(encoding="utf-8"))
]


class Trial:
    """Tries changes out, and the text as it is before the first change of a file."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._passed: set[tuple[str, tuple[str, ...]]] = set()

    def of(self, path: str, source: str, tests: list[str], seconds: int = 20) -> Outcome:
        """What tests say of a source text in the place of a file."""
        names = tuple(f"tests/{test}" for test in tests)
        if (path, names) not in self._passed:
            honest = (PROJECT / path).read_text(encoding="utf-8")
            outcome = self._worker.try_out(path, honest, names, 60)
            assert outcome.word == "passed", f"without sabotage: {outcome}"
            self._passed.add((path, names))
        return self._worker.try_out(path, source, names, seconds)


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Worker() as worker:
        yield Trial(worker)


@pytest.mark.parametrize("row", TABLE, ids=[f"{Path(r.path).stem}: {r.new}"[:70] for r in TABLE])
def test_the_named_test_notices(row: Sabotage, trial: Trial) -> None:
    source = (PROJECT / row.path).read_text(encoding="utf-8")
    assert source.count(row.old) == 1, "the table is out of date"
    outcome = trial.of(row.path, source.replace(row.old, row.new), [row.test])
    assert outcome.refuted, outcome


@pytest.mark.parametrize(
    ("path", "flip"), FLIPS, ids=[f"{Path(p).stem}-{f.line}-{f.column}" for p, f in FLIPS]
)
def test_no_sign_can_be_turned_round(path: str, flip: Flip, trial: Trial) -> None:
    if flip.text in NO_SIGN:
        pytest.skip(NO_SIGN[flip.text])
    endless = flip.text in ENDLESS
    outcome = trial.of(path, flip.source, SIGNS[path], 3 if endless else 20)
    assert outcome.word == "timeout" if endless else outcome.refuted, (flip.text, outcome)


def test_what_is_excepted_is_there() -> None:
    texts = Counter(flip.text for _, flip in FLIPS)
    assert all(texts[text] == 1 for text in [*NO_SIGN, *ENDLESS])


def test_a_change_that_cannot_run_or_is_not_imported_is_not_taken_for_noticed(trial: Trial) -> None:
    path, test = (
        "simulator/patient/water.py",
        "test_patient.py::test_oncotic_pressures_are_those_measured",
    )
    source = (PROJECT / path).read_text(encoding="utf-8")
    unnamed = source.replace("return albumin * per_albumin", "return albumen * per_albumin")
    assert trial.of(path, unnamed, [test]).kinds[0] == "NameError"
    assert not trial.of(path, unnamed, [test]).refuted
    assert trial.of(path, source + "\n(", [test]).word == "broken"
    elsewhere = "simulator/figures/strip.py"
    text = (PROJECT / elsewhere).read_text(encoding="utf-8")
    with Worker() as worker:
        assert worker.try_out(elsewhere, text, [f"tests/{test}"]).word == "not imported"


def test_a_change_that_sleeps_is_given_up_and_the_next_is_tried() -> None:
    path = "simulator/patient/water.py"
    test = "tests/test_patient.py::test_oncotic_pressures_are_those_measured"
    text = (PROJECT / path).read_text(encoding="utf-8")
    with Worker() as worker:
        assert worker.try_out(path, f"{text}\nimport time\ntime.sleep(600)\n", [test], 1) == (
            Outcome("timeout", error="no answer in 5 s")
        )
        assert worker.try_out(path, text, [test]).word == "passed"
