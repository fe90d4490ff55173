"""Work spread over processes: answers in order, and a message where a process is lost."""

from __future__ import annotations

import os

import pytest

from simulator import processes
from simulator.errors import LostProcessError


def test_answers_come_in_the_order_of_the_tasks() -> None:
    assert list(processes.each(abs, [-3, 2, -1], 2)) == [3, 2, 1]
    assert list(processes.each(abs, [-3], 8)) == [3]


def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(processes.each(int, ["1", "one"], 2))


def test_a_process_that_is_ended_from_outside_is_a_message() -> None:
    with pytest.raises(LostProcessError, match=r"ended from outside .*; try --jobs 1") as lost:
        list(processes.each(os._exit, [9, 9], 2))
    assert lost.value.exit_code == 1
