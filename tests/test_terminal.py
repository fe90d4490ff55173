"""Tables and text keep to the width of the terminal, and do no harm to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import terminal
from simulator.terminal import Table, cells_of, folded

WORDS = st.text("ab é語 \n", max_size=60)


def table(*rows: tuple[str, str, str]) -> Table:
    made = Table("A title")
    made.column("name")
    made.column("what it\nis", broken=True)
    made.column("size", "right")
    for row in rows:
        made.row(*row)
    return made


def test_columns_are_as_wide_as_their_longest_cell_and_stand_two_apart() -> None:
    made = table(("a", "first", "1"), ("bcd", "the second", "1,234"))
    made.row()
    made.row("all", "", "1,235")
    made.caption = "a caption"
    assert made.lines() == [
        "A title",
        "      what it",
        "name  is           size",
        "───────────────────────",
        "a     first           1",
        "bcd   the second  1,234",
        "",
        "all               1,235",
        "a caption",
    ]


def test_what_may_be_broken_gives_way_first_and_names_are_kept_whole() -> None:
    made = table(("a-rather-long-name", "words that go on and on and on", "1,234"))
    assert made.lines(40)[3:] == [
        "─" * 40,
        "a-rather-long-name  words that go  1,234",
        "                    on and on and",
        "                    on",
    ]


def test_without_room_even_names_are_cut_and_say_so() -> None:
    made = table(("a-rather-long-name", "words that go on and on and on", "1,234"))
    lines = made.lines(20)
    assert max(map(cells_of, lines)) <= 20
    assert any("…" in line for line in lines)


@given(rows=st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=4), width=st.integers(16, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    assert all(cells_of(line) <= width for line in table(*rows).lines(width))


@given(text=WORDS, width=st.integers(2, 30))
def test_folding_keeps_every_letter_and_the_width(text: str, width: int) -> None:
    lines = folded(text, width)
    assert all(cells_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_an_indented_line_stays_indented_and_breaks_between_words() -> None:
    assert folded("    one two three", 12) == ["    one two", "three"]
    assert folded("", 10) == [""]


def test_wide_characters_and_accents_are_counted_as_they_are_shown() -> None:
    assert cells_of("igg") == 3
    assert cells_of("血漿") == 4
    assert cells_of("e\u0301") == 1


def test_text_is_no_markup_and_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.show("[red]a[/nothing] :smile: \x1b[31mred\x07\x9b2J", table(("\x1b]0;x\x07", "", "")))
    printed = capsys.readouterr().out
    assert "[red]a[/nothing] :smile: [31mred2J" in printed
    assert "]0;x" in printed
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in printed)
