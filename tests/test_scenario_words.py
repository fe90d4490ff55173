"""Every word that a scenario can name is listed, and shown with what it means."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from simulator import catalog
from simulator.cli.catalog import KINDS, RULES, list_command, show_command
from simulator.machine.alarms import ALARMS, FAULTS, Alarm


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


@pytest.mark.parametrize(
    ("name", "kind", "plasma", "needles"),
    [
        ("spectra-optia", "centrifuge", "discarded", "1 or 2"),
        ("pcs2", "bowl", "discarded", "1"),
        ("prismaflex-tpe2000", "membrane", "discarded", "2"),
        ("evacure-ec-4a", "selective membrane", "discarded", "2"),
        ("dfpp-ec-20w", "double filtration", "given back after a second filter", "2"),
        ("tr-350", "adsorption", "given back after a column", "2"),
        ("globaffin", "adsorption", "given back after one of two columns in turn", "2"),
    ],
)
def test_a_device_is_listed_and_shown_with_its_kind(
    name: str, kind: str, plasma: str, needles: str
) -> None:
    (line,) = [line for line in listed("devices").splitlines() if line.startswith(f"{name} ")]
    assert line.removeprefix(name).strip().startswith(f"{kind}: ")
    words = shown(name).splitlines()
    assert f"  kind of machine: {kind}" in words
    assert f"  plasma: {plasma}" in words
    assert f"  needles: {needles}" in words


@pytest.mark.parametrize("name", catalog.names("devices"))
def test_every_number_of_a_device_is_shown_with_value_source_and_grade(name: str) -> None:
    blocks = shown(name).split("\n\n")[1:]
    facts = catalog.device(name).facts.values()
    assert len(blocks) == len(facts) > 20
    for block, fact in zip(blocks, facts, strict=True):
        grade = "assumed" if fact.source == "assumed" else f"{fact.source} [{fact.seen}]"
        lines = [line.strip() for line in block.splitlines()]
        assert lines[0] == f"{fact.path.split('.', 2)[2]} = {fact.value}"
        assert lines[1] == grade


def test_numbers_of_filters_and_columns_are_among_them() -> None:
    assert "  treatment.extraction.igg = " in shown("tr-350")
    assert "  treatment.plasma_per_column = " in shown("tr-350")
    assert "  treatment.sieving.igm = " in shown("dfpp-ec-20w")
    assert "  separator.sieving.albumin = " in shown("evacure-ec-4a")
    assert "  separator.bowl_volume = " in shown("mcs-plus")


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_what_can_have_a_fault_is_said(alarm: Alarm) -> None:
    where = " or ".join(alarm.only)
    assert f"    happens on: {where or 'every machine'}\n" in shown(alarm.name)
    text = " ".join(listed("faults").split())
    if alarm.action:
        assert (f"{alarm.meaning} ({where} only)" in text) == bool(where)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_shown_as_it_is_listed(kind: str) -> None:
    assert shown(kind) == listed(kind)
