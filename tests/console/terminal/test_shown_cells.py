"""What is sent to the terminal: it ends up showing what it should, in few bytes, in its own character set."""

from unicodedata import combining, normalize

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from retriage.console.terminal.glyphs import Glyphs, terminal_charset
from retriage.console.terminal.grid import Gridder
from retriage.console.terminal.look import PLAIN, Look, change, look_of
from retriage.console.terminal.shown_cells import ShownCells

WIDTH, HEIGHT = 24, 5
TEXTS = st.text(st.sampled_from("ab cdé│─❯●…語한̈ "), max_size=12)
COLOURS = st.sampled_from(["#0f1319", "#ff875f", "#eeeeee", "red", "bright_black", "default", None])
STYLES = st.builds(
    lambda ink, ground, bold, underline, reverse: Style(
        color=ink, bgcolor=ground, bold=bold, underline=underline, reverse=reverse
    ),
    COLOURS, COLOURS, st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip


def strip(parts: list[tuple[str, Style]], width: int = WIDTH) -> Strip:
    segments, left = [], width
    for text, style in parts:
        text = text.lstrip("̈")
        cells = min(cell_len(text), left)
        segments.append(Segment(set_cell_size(text, cells), style))
        left -= cells
    return Strip([*segments, Segment(" " * left, Style(bgcolor="#0f1319"))], width)


LINES = st.lists(st.tuples(TEXTS, STYLES), max_size=4).map(strip)
FRAMES = st.lists(LINES, min_size=HEIGHT, max_size=HEIGHT)


def whole(lines: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], Region(0, 0, WIDTH, HEIGHT))


def picture(colours: bool = True, charset: str = "utf-8", erases: bool = False) -> ShownCells:
    return ShownCells(Gridder(ColorSystem.TRUECOLOR, colours, Glyphs(charset)), erases)


class Screen:
    """A terminal that heeds what it is sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)
        self._stream.feed("\x1b[?7l")

    def feed(self, text: str | None) -> None:
        assert text is not None
        self._stream.feed(text)

    def cells(self) -> list[list[tuple[object, ...]]]:
        return [[self._cell(x, y) for x in range(WIDTH)] for y in range(HEIGHT)]

    def _cell(self, x: int, y: int) -> tuple[object, ...]:
        cell = self.screen.buffer[y][x]
        seen = cell.data != " " or cell.underscore or cell.reverse
        ink = (cell.fg, cell.bold) if seen and cell.data != "" else ()
        return (cell.data, cell.bg if cell.data else "", cell.underscore, cell.reverse, *ink)


def bare(line: str) -> str:
    """Without combining marks, which the terminal composes with what they stand on."""
    return "".join(one for one in normalize("NFD", line) if not combining(one)).rstrip()


@settings(deadline=None, max_examples=60)
@given(st.lists(FRAMES, min_size=2, max_size=4), st.booleans())
def test_the_terminal_shows_the_last_frame_whatever_it_showed_before(frames: list[list[Strip]], erases: bool) -> None:
    stepwise, at_once = Screen(), Screen()
    known = picture(erases=erases)
    for frame in frames:
        stepwise.feed(known.changes(whole(frame)))
    at_once.feed(picture().changes(whole(frames[-1])))
    assert stepwise.cells() == at_once.cells()
    said = [bare("".join(segment.text for segment in line)) for line in frames[-1]]
    assert [bare(line) for line in stepwise.screen.display] == said


@settings(deadline=None, max_examples=40)
@given(FRAMES, LINES, st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH))
def test_a_part_of_a_line_changes_that_part_and_nothing_else(
    frame: list[Strip], line: Strip, y: int, first: int, length: int
) -> None:
    end = min(first + length, WIDTH)
    plain = [Strip([Segment("x" * WIDTH, Style(color="red"))], WIDTH) for _ in frame]
    known, shown = picture(), Screen()
    shown.feed(known.changes(whole(plain)))
    before = shown.cells()
    ascii_line = Strip([Segment("".join(c if c.isascii() else "q" for c in line.text)[:WIDTH].ljust(WIDTH))], WIDTH)
    chops: list[dict[int, Strip | None]] = [{0: ascii_line if at == y else None} for at in range(HEIGHT)]
    shown.feed(known.changes(ChopsUpdate(chops, [(y, first, end)], [[WIDTH]] * HEIGHT)))
    after = shown.cells()
    assert [cell[0] for cell in after[y][first:end]] == list(ascii_line.text[first:end])
    assert after[y][:first] == before[y][:first]
    assert after[y][end:] == before[y][end:]
    assert [row for at, row in enumerate(after) if at != y] == [row for at, row in enumerate(before) if at != y]


def test_the_same_frame_again_sends_nothing_and_one_cell_a_few_bytes() -> None:
    known = picture()
    line = Strip([Segment("abcdefghij".ljust(WIDTH), Style(color="#ff875f"))], WIDTH)
    other = Strip([Segment("abcdeFghij".ljust(WIDTH), Style(color="#ff875f"))], WIDTH)
    assert known.changes(whole([line] * HEIGHT))
    assert known.changes(whole([line] * HEIGHT)) == ""
    assert len(known.changes(whole([line, other, *[line] * 3])) or "") <= 8
    known.forget()
    assert len(known.changes(whole([line] * HEIGHT)) or "") > 50


def test_blanks_on_their_ground_are_erased_where_the_terminal_can() -> None:
    ground = Style(color="#eeeeee", bgcolor="#0f1319")
    full = Strip([Segment("x" * WIDTH, ground)], WIDTH)
    left = Strip([Segment("ab" + " " * 18 + "cdef", ground)], WIDTH)
    marked = Strip([Segment("ab"), Segment(" " * 18, Style(underline=True)), Segment("cdef")], WIDTH)
    for line, erased in ((left, True), (marked, False)):
        writes, erases = picture(), picture(erases=True)
        shown = [Screen(), Screen()]
        sent = []
        for known, screen in zip((writes, erases), shown, strict=True):
            screen.feed(known.changes(whole([full] * HEIGHT)))
            sent.append(known.changes(whole([line] * HEIGHT)) or "")
            screen.feed(sent[-1])
        assert shown[0].cells() == shown[1].cells()
        assert ("\x1b[18X" in sent[1]) is erased
        assert "X" not in sent[0]


def test_a_cell_whose_width_terminals_disagree_about_displaces_nothing() -> None:
    known = picture()
    sent = known.changes(whole([Strip([Segment("a语b".ljust(WIDTH - 1))], WIDTH)] * HEIGHT)) or ""
    assert "语\x1b[4Gb" in sent


@settings(deadline=None)
@given(STYLES, STYLES)
def test_a_change_of_style_ends_in_the_style_that_was_wanted(before: Style, after: Style) -> None:
    first, then = (look_of(style, ColorSystem.TRUECOLOR, True) for style in (before, after))
    stepped, straight = Screen(), Screen()
    stepped.feed(change(None, first) + change(first, then) + "x")
    straight.feed(change(None, then) + "x")
    assert stepped.screen.buffer[0][0] == straight.screen.buffer[0][0]


def test_without_colours_only_attributes_are_sent() -> None:
    known = picture(colours=False)
    sent = known.changes(whole([strip([("ab", Style(color="red", bgcolor="#101010", bold=True))])] * HEIGHT)) or ""
    assert "\x1b[1m" in sent
    assert "38" not in sent
    assert "48" not in sent
    assert look_of(Style(color="red"), ColorSystem.TRUECOLOR, False) == PLAIN
    assert look_of(Style(color="#ff875f"), ColorSystem.TRUECOLOR, True) == Look(ink="38;5;209")


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["ascii", "latin-1", "cp437", "no-such-set"]))
def test_what_the_character_set_lacks_is_replaced_by_something_as_wide(text: str, charset: str) -> None:
    glyphs = Glyphs(charset)
    written = glyphs.written(text)
    written.encode(glyphs.charset)
    assert cell_len(written) == cell_len(text) or "\ufe0f" in text or "\u200d" in text


def test_frames_and_signs_have_ascii_twins() -> None:
    assert Glyphs("ascii").written("╭─ Tasks ─╮ ❯ ● … ▐ ━ ▲ ·") == "+- Tasks -+ > * ~ # - ^ ."
    assert Glyphs("utf-8").written("╭─❯") == "╭─❯"


def test_the_locale_decides_the_character_set(monkeypatch: object) -> None:
    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert terminal_charset("utf-8") == "utf-8"
    monkeypatch.setenv("LANG", "en_US.ISO-8859-1")
    assert terminal_charset("iso8859-1") == "iso8859-1"
    monkeypatch.setenv("LC_ALL", "C")
    assert terminal_charset("utf-8") == "ascii"
