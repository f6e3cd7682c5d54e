"""Text on its way to the terminal: inert, and exactly as wide as it should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from retriage.console.text.cells import cut, cut_start, wrap
from retriage.console.text.inert import inert, inert_lines


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07", "bell␇"),
        ("a\x9b2Jb", "a�2Jb"),
        ("user\u202egnp.exe", "user�gnp.exe"),
        ("line\nnext\ttab", "line next tab"),
        ("zero\u200bwidth", "zero�width"),
        ("[bold]markup[/]", "[bold]markup[/]"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_hostile_text_is_shown_as_signs(hostile: str, shown: str) -> None:
    assert inert(hostile) == shown


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for line in [inert(text), *inert_lines(text)]:
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in line)
        assert not any("\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" for character in line)


def test_piles_of_combining_marks_are_cut() -> None:
    assert inert("a" + "\u0301" * 50) == "a\u0301\u0301"


@given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, align: str) -> None:
    assert cell_len(cut(inert(text), width, align)) == width  # type: ignore[arg-type]
    assert cell_len(cut_start(inert(text), width)) == width


def test_ids_keep_their_end_and_words_their_beginning() -> None:
    assert cut("0191-aaaa-0042", 8) == "0191-aa…"
    assert cut_start("0191-aaaa-0042", 8) == "…aa-0042"
    assert cut("42", 5, "right") == "   42"


def test_wide_characters_are_not_cut_in_the_middle() -> None:
    assert cut("日本語", 4) == "日 …"
    assert cell_len(cut_start("日本語", 4)) == 4


@given(st.text(), st.integers(1, 30), st.integers(1, 5))
def test_wrapped_lines_fit_and_are_no_more_than_asked_for(text: str, width: int, limit: int) -> None:
    lines = wrap(inert(text), width, limit)
    assert len(lines) <= limit
    assert all(cell_len(line) <= max(width, 2) for line in lines)


@given(
    st.lists(st.sampled_from(["or", "and", "not", "HTTP", "503", "psp"]), min_size=1),
    st.integers(12, 40),
    st.integers(1, 4),
)
def test_a_text_that_is_cut_loses_no_word_but_at_its_end_and_shows_it(words: list[str], width: int, limit: int) -> None:
    shown = " ".join(wrap(" ".join(words), width, limit))
    whole = " ".join(words)
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown.removesuffix("…").rstrip()))


def test_wrapping_breaks_at_blanks_and_says_what_is_left_out() -> None:
    assert wrap("upstream connect error", 10, 3) == ["upstream", "connect", "error"]
    assert wrap("upstream connect error", 10, 2) == ["upstream", "connect e…"]
