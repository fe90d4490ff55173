"""SimPy is imported without parsers of e-mail, and still knows its version."""

from __future__ import annotations

import subprocess
import sys

import pytest


def said(script: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_run_reads_no_parsers_of_mail() -> None:
    loaded = "print(sorted({'email', 'importlib.metadata', 'simpy', 'zipfile'} & set(sys.modules)))"
    assert said(f"import sys, simulator.cli.run; {loaded}") == "['simpy']"
    assert "email" in said(f"import sys, simpy; {loaded}"), "SimPy no longer needs this"


@pytest.mark.parametrize("first", ["pass", "import importlib.metadata", "import simpy"])
def test_simpy_and_the_metadata_are_what_they_always_are(first: str) -> None:
    script = f"""
{first}
from simulator import lean
import importlib.metadata, simpy
assert simpy.__version__ == importlib.metadata.version("simpy"), simpy.__version__
assert importlib.metadata.metadata("simpy")["Name"] == "simpy"
assert "importlib/metadata" in importlib.metadata.__file__.replace("\\\\", "/")
try:
    simpy.nothing
except AttributeError as error:
    print(error)
"""
    assert said(script) == "module 'simpy' has no attribute 'nothing'"
