"""Guided lessons: a question, a prediction, a run, and what came of it.

A lesson is a YAML file in this folder (`format` says what stands in it); whoever puts another one
there has another lesson. `judge` computes what is true from the runs themselves, by the phrases
with which studies are read (`phrases`), so no lesson knows its answer as a number.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from simulator import catalog
from simulator.errors import CommandError
from simulator.lessons.model import Arm as Arm
from simulator.lessons.model import Lesson as Lesson
from simulator.lessons.model import Line as Line
from simulator.lessons.model import Prediction as Prediction
from simulator.lessons.model import Verdict as Verdict

FOLDER = Path(__file__).resolve().parent


def names() -> tuple[str, ...]:
    """Names of the bundled lessons, in the order in which they are taught: by their numbers."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.yaml")), key=_place))


def load(name: str) -> Lesson:
    """A bundled lesson by its name; raises `CommandError` if there is none."""
    if name not in names():
        raise CommandError(f"there is no lesson {name!r}; {catalog.nearest(name, names())}")
    return load_file(FOLDER / f"{name}.yaml")


def load_file(path: Path) -> Lesson:
    """A lesson of one's own from its file.

    Raises `ScenarioError` with everything that is wrong in it.
    """
    from simulator.lessons import reading

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}") from None
    return reading.read(content, str(path), path.stem)


def _place(name: str) -> tuple[float, str]:
    number = re.match(r"\d+", name)
    return (float(number[0]) if number else math.inf, name)
