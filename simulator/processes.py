"""Work spread over processes: answers in the order of the tasks, however many processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from simulator.errors import LostProcessError

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def available() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def each(
    function: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int | None = None
) -> Iterator[Answer]:
    """The answers to all tasks, in order, from `jobs` processes (None: one per processor).

    With one process, or one task, nothing is started. What a task raises is raised here, and the
    tasks that have not begun are given up. `function` must be one of a module. Raises
    `LostProcessError` if a process was ended from outside.
    """
    jobs = min(jobs or available(), len(tasks))
    if jobs <= 1:
        yield from map(function, tasks)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_leave_interrupts_to_the_parent)
    try:
        for waiting in [pool.submit(function, task) for task in tasks]:
            yield waiting.result()
    except BrokenProcessPool:
        raise LostProcessError(
            "a process was ended from outside (out of memory?); try --jobs 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
