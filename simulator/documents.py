"""Writes all that is made from a verification: the record, parts of documents, README's figure.

``python -m simulator.documents`` is `make model`, to be run in the folder of a checkout; tests fail
when anything of it is stale. ``--all`` also runs the rows over many seeded sessions, of which
otherwise what was recorded is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator import figures
from simulator.errors import CommandError, SimulatorError
from simulator.evidence import cases, document, verification, wording
from simulator.evidence.verdicts import Verdict
from simulator.figures.packing import packed
from simulator.writing import write_whole

PICTURE = Path("plots", "verification", "verification.png")


def picture(verdicts: Sequence[Verdict]) -> bytes:
    """The figure of the README as a small PNG."""
    return packed(figures.rendered(figures.verification(verdicts), "png"))


def write(folder: Path, *, repeated: bool) -> list[str]:
    """Verify, record what every row gives, and write documents and figure of a checkout anew.

    Rows over many seeded sessions keep what was recorded of them, unless `repeated`. Returns the
    outcome in lines; raises `CommandError` if the folder is not that of a checkout.
    """
    record = cases.folder() / document.RECORDED
    texts = {}
    for name in document.DOCUMENTS:
        if not (folder / name).is_file():
            raise CommandError(
                f"{folder / name} is not there; run this in the folder of a checkout"
            )
        texts[name] = (folder / name).read_text(encoding="utf-8")
    if folder.resolve() not in record.resolve().parents:
        raise CommandError(f"{record} is not of the checkout in {folder.resolve()}")
    outcome = verification.verify(repeated=repeated, jobs=None)
    write_whole(record, json.dumps(_values(outcome.verdicts), indent=1) + "\n")
    verdicts = document.as_recorded()
    for name, text in texts.items():
        write_whole(folder / name, document.remade(text, verdicts))
    (folder / PICTURE).parent.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PICTURE, picture(verdicts))
    return wording.summary(outcome)


def _values(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """What every row gives, to nine digits; of rows that were not run, what was recorded."""
    kept = document.recorded()
    values = {}
    for v in verdicts:
        value = kept.get(v.name) if v.simulated is None else float(f"{v.simulated:.9g}")
        if value is not None:
            values[v.name] = value
    return values


def main(folder: Path = Path(), arguments: Sequence[str] | None = None) -> int:
    """Write everything anew and say how it comes out; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        lines = write(folder, repeated="--all" in given)
    except SimulatorError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
