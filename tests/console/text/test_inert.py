"""Text of others: it does nothing to a terminal, and a megabyte of it costs what a line costs."""

from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from retriage.console.text.cells import cut, flow, wrap
from retriage.console.text.inert import LONGEST, inert, inert_lines
from retriage.console.widgets.text_view import _flowing

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x00\x9b\x9d\u202e\u2066\u200b\u200d\ufeff\u0301\u0300\u20dd\ufe0f語😀[]\t\r\n "),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=400)
@given(HOSTILE)
def test_nothing_that_is_shown_acts_on_a_terminal(text: str) -> None:
    shown = inert(text)
    assert not any(category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)
    assert cell_len(cut(shown, 10)) == 10
    assert inert(shown) == shown


@settings(deadline=None, max_examples=200)
@given(HOSTILE, st.integers(2, 30))
def test_wrapped_lines_fit_and_hold_every_word(text: str, width: int) -> None:
    lines = list(flow(inert(text), width))
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(inert(text).split())
    assert wrap(inert(text), width, 1000) == list(lines)


@settings(deadline=None)
@given(st.lists(HOSTILE, max_size=6).map("\n".join))
def test_the_lines_of_a_text_are_its_lines(text: str) -> None:
    lines = list(inert_lines(text))
    assert len(lines) == text.count("\n") + 1
    assert all(category(character) not in ("Cc", "Cf") for line in lines for character in line)


def test_escape_sequences_overrides_and_piles_are_signs() -> None:
    assert inert("\x1b]0;owned\x07") == "␛]0;owned␇"
    assert inert("abc\u202edcba") == "abc\ufffddcba"
    assert inert("a\u200bb\ufeff") == "a\ufffdb\ufffd"
    assert inert("e" + "\u0301" * 50) == "e\u0301\u0301"
    assert inert("[red]no markup[/red]") == "[red]no markup[/red]"


def test_of_a_megabyte_a_cell_looks_at_its_beginning_only() -> None:
    megabyte = "é\u202e" * 500_000
    assert len(inert(megabyte)) == LONGEST + 1
    assert inert(megabyte).endswith("…")


def test_of_a_megabyte_the_first_screen_is_there_before_the_rest_was_looked_at() -> None:
    looked: list[int] = []

    class Counting(str):
        def find(self, *where: object) -> int:  # type: ignore[override]
            looked.append(1)
            return str.find(self, *where)  # type: ignore[arg-type]

    text = Counting("\n".join(f"line {number} é" for number in range(100_000)))
    lines = _flowing(text, 80)
    assert [next(lines) for _ in range(40)][-1] == "line 39 é"
    assert len(looked) <= 45


def test_a_long_text_is_whole_in_a_view() -> None:
    text = "x" * 1_000_000
    assert sum(map(len, _flowing(text, 97))) == 1_000_000
