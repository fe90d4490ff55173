"""What all tests share: how hypothesis searches, and where the project and its scenarios are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parent.parent

# No deadline: the first example of a property pays for imports. In CI the search is derandomized,
# so that a red build is red again when it is repeated.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the repository."""
    return PROJECT


@pytest.fixture(scope="session")
def scenarios(project: Path) -> Path:
    """The folder of the bundled scenarios."""
    return project / "scenarios"
