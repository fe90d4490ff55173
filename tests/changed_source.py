"""Runs tests while one module of the simulator has another source text, in a process for each.

A worker imports the libraries once and forks for every change, so that one costs a few tenths of a
second. A finder before all others hands out the changed text; what is told of a change whose text
was never asked for is `not imported`, so nothing passes for caught that was not tried.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import IO, Any

PROJECT = Path(__file__).resolve().parent.parent
KEPT = ("simulator.errors", "simulator.units", "simulator.catalog", "simulator.boundary",
        "simulator.orders", "simulator.ledger", "simulator.luck")  # fmt: skip
"""Below machine and patient: what is changed cannot have been bound there."""
SECONDS = 20
"""CPU time after which a change is taken to have made an endless loop."""
PATIENCE = 5
"""Times the CPU time allowed, after which a change is taken to sleep; other work may slow it."""
MEMORY = 4 << 30
"""Bytes of address space that an endless loop may fill."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests did under a change."""

    word: str
    """passed, failed, broken (nothing could be collected), timeout, crashed or not imported"""
    test: str = ""
    """The first that failed."""
    error: str = ""
    kinds: tuple[str, ...] = ()
    """Names of the error's class and of those above it."""

    @property
    def refuted(self) -> bool:
        """Whether a test said that something is wrong, other than that the text cannot run.

        By an assertion, by the simulator's own error, or because lists or numbers do not fit.
        """
        said = {
            "AssertionError", "Failed", "SimulatorError",
            "ValueError", "LookupError", "ArithmeticError",
        }  # fmt: skip
        return self.word == "failed" and bool(said & set(self.kinds))


class Worker:
    """A process of its own in which changes are tried, one after the other."""

    def __enter__(self) -> Worker:
        self._process = self._started()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @staticmethod
    def _started() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, __file__], cwd=PROJECT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, start_new_session=True,
        )  # fmt: skip

    def _end(self) -> None:
        """Killed with its child, not waited for: that may sleep."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):  # what could not be sent any more
            self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()

    def try_out(
        self, path: str, source: str, tests: Sequence[str], seconds: int = SECONDS
    ) -> Outcome:
        """Run tests (in order, up to the first failure) with a file of this source.

        `path` is that of the file in the project, such as ``simulator/patient/water.py``; `seconds`
        the CPU time after which they are stopped.
        """
        request = {
            "module": path.removesuffix(".py").replace("/", "."),
            "source": source,
            "tests": list(tests),
            "seconds": seconds,
        }
        requests = self._pipe(self._process.stdin)
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        answers = self._pipe(self._process.stdout)
        if not select.select([answers], [], [], PATIENCE * seconds)[0]:
            self._end()
            self._process = self._started()
            return Outcome("timeout", error=f"no answer in {PATIENCE * seconds} s")
        answer = json.loads(answers.readline())
        return Outcome(answer["word"], answer["test"], answer["error"], tuple(answer["kinds"]))

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


# -- inside the worker -----------------------------------------------------------------------------


class _Changed(MetaPathFinder, Loader):
    """Finds one module in a text, wherever else it may stand."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source, self.loaded = module, source, False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self._file())

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._file()
        exec(self._code(), module.__dict__)
        self.loaded = True

    def _code(self) -> CodeType:
        return compile(self.source, self._file(), "exec")

    def _file(self) -> str:
        return str(PROJECT / (self.module.replace(".", "/") + ".py"))


class _FirstFailure:
    """A pytest plugin that remembers what failed first."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"word": "passed", "test": "", "error": "", "kinds": []}

    def pytest_collection(self) -> None:
        """The same examples every time, and no shorter ones once one has failed."""
        from hypothesis import Phase, settings

        settings.register_profile(
            "changed", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
        )
        settings.load_profile("changed")

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        if self.told["word"] != "passed":
            return
        error: BaseException = call.excinfo.value
        while isinstance(error, BaseExceptionGroup):  # hypothesis found more than one
            error = error.exceptions[0]
        self.told = {
            "word": "failed" if report.when == "call" else "broken",
            "test": node.nodeid,
            "error": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:200],
            "kinds": [c.__name__ for c in type(error).__mro__],
        }


def _test(request: dict[str, Any]) -> dict[str, Any]:
    import pytest

    for name in [n for n in sys.modules if n.startswith("simulator.")]:
        if not name.startswith(KEPT):
            del sys.modules[name]
    changed = _Changed(request["module"], request["source"])
    sys.meta_path.insert(0, changed)
    seen = _FirstFailure()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--tb=no"]
    code = pytest.main([*options, *request["tests"]], plugins=[seen])
    if seen.told["word"] == "passed":
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            seen.told |= {"word": "broken", "error": f"pytest ended with {code!r}"}
        elif not changed.loaded:
            seen.told |= {"word": "not imported"}
    return seen.told


def _fork(request: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a request, found out in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"],) * 2)
        with contextlib.suppress(ValueError, OSError):  # not every system lets a process be bounded
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            told = _test(request)
            with os.fdopen(writing, "w") as pipe:
                json.dump(told, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if text:
        answer: dict[str, Any] = json.loads(text)
        return answer
    word = "timeout" if os.WIFSIGNALED(status) else "crashed"
    return {"word": word, "test": "", "error": "", "kinds": []}


def _serve() -> None:
    import hypothesis  # noqa: F401
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import scipy.integrate
    import scipy.linalg  # noqa: F401
    import simpy  # noqa: F401

    from simulator import catalog, orders  # noqa: F401

    for solute in catalog.names("solutes"):
        catalog.solute(solute)
    for device in catalog.names("devices"):
        catalog.device(device)
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _serve()
