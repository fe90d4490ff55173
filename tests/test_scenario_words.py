"""Every word that a scenario can name is listed, and shown with what it means."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from simulator import catalog
from simulator.cli.catalog import KINDS, RULES, list_command, show_command
from simulator.machine.alarms import ALARMS, FAULTS


def shown(name: str) -> str:
    done = CliRunner().invoke(show_command, [name], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def listed(kind: str) -> str:
    done = CliRunner().invoke(list_command, [kind], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_every_kind_of_the_catalog_is_listed_and_shown(kind: str) -> None:
    assert kind in KINDS
    for name in catalog.names(kind):
        assert name in listed(kind)
        assert shown(name).startswith(f"{name}: ")


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_is_shown_by_its_name_and_by_its_fault(alarm: object) -> None:
    name, fault, meaning = (getattr(alarm, key) for key in ("name", "fault", "meaning"))
    assert name in listed("alarms")
    assert f"{name}: {meaning}\n    fault: {fault}\n" in shown(name)
    assert f"{name}: {meaning}\n    fault: {fault}\n" in shown(fault)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_listed_and_shown(fault: str) -> None:
    assert fault in listed("faults")
    assert fault in shown(fault)


@pytest.mark.parametrize("word", RULES)
def test_a_word_of_a_rule_is_shown_with_and_without_its_key(word: str) -> None:
    assert shown(word) == shown(word.removeprefix("do: ")) == f"{word}: {RULES[word]}\n"
