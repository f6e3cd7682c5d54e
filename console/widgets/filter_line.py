"""The filter line: stays in sight while it acts, and says what is wrong with it while it is typed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.inert_input import InertInput
from retriage.console.widgets.line import Line, Span, width_of

MOST_POINTED = 40
"""Cells of a mistaken word that are shown beside the sentence about it."""


@dataclass(frozen=True)
class Advice:
    """What a language says about a text: a mistake to explain, words that could follow."""

    mistake: str = ""
    """One sentence, or nothing if the text can be used."""
    where: tuple[int, int] = (0, 0)
    """First character of the mistake and the one after its last."""
    words: Sequence[str] = field(default_factory=tuple)
    """Whole texts that the operator may mean, the likeliest first."""
    here: Sequence[str] = field(default_factory=tuple)
    """Words of the text that the console applies itself, since the engine cannot."""


class FilterInput(InertInput):
    """Where the filter is typed. No letter typed here acts on rows."""

    PLACES: ClassVar[tuple[str, ...]] = ("typing",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"typing"}))

    def action_apply(self) -> None:
        """Take the word that was chosen, else ask for what is typed."""
        self._line.take_or_submit()

    def action_leave(self) -> None:
        """Close the line without a change."""
        self._line.leave()

    def action_complete(self) -> None:
        """Take the word that was chosen, else the likeliest."""
        self._line.complete()

    def action_older(self) -> None:
        """The word offered before the chosen one; above the first, the filter used before."""
        self._line.up()

    def action_newer(self) -> None:
        """The filter used after; below what is typed, the next of the words offered."""
        self._line.down()

    @property
    def _line(self) -> "FilterLine":
        """The line that this is the field of. Called directly: a message would arrive after the keys that follow."""
        assert isinstance(self.parent, FilterLine)
        return self.parent


class FilterLine(Horizontal):
    """Shows the filter and the count; opens for typing."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        & > #shown { width: 1fr; }
        & > #count { width: 10; display: none; }
        & > #sign { width: 3; display: none; }
        & > FilterInput {
            width: 1fr; height: 1; background: $row-cursor;
        }
        &.-typing > #sign, &.-typing > #count { display: block; }
        &.-typing > #shown { display: none; }
    }
    """

    @dataclass
    class Applied(Message):
        """The operator wants this filter. The text has no mistake. ``at`` is when, by the monotonic clock."""

        text: str
        at: float

    @dataclass
    class Advised(Message):
        """What the language says about the text being typed; nothing when typing has ended."""

        spans: list[Span]

    def __init__(
        self,
        advise: Callable[[str, int], Advice],
        completed: Callable[[str, int, str], tuple[str, int]],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._advise = advise
        self._put = completed
        self.history: list[str] = []
        """Filters used before, the newest first."""
        self._recalled = 0
        """How many filters the field is back in the history; 0 is what is typed."""
        self._draft = ""
        """What is typed, while the field shows an older filter."""
        self._given_up = ""
        """What was typed when the line was closed without asking for it."""
        self._choice: int | None = None
        """Which of the words offered is chosen."""
        self._count: list[Span] = []
        self.applied = ""
        self.applied_at = 0.0
        """When it was asked for, by the monotonic clock."""

    def compose(self) -> ComposeResult:
        """The line as text, and the field that takes its place."""
        yield Line(id="sign")
        yield Line(id="shown")
        yield FilterInput(id="typed", select_on_focus=False, compact=True)
        yield Line(id="count")

    def on_mount(self) -> None:
        """No blinking: it would be sent to the terminal twice a second."""
        self._input.cursor_blink = False
        self._input.display = False
        self.query_one("#sign", Line).show([(" / ", "accent")])
        self._show_applied()

    @property
    def _input(self) -> FilterInput:
        return self.query_one(FilterInput)

    @property
    def typing(self) -> bool:
        """The field is open."""
        return self.has_class("-typing")

    def open(self) -> None:
        """Let the operator type."""
        self.add_class("-typing")
        self._recalled, self._choice = 0, None
        self._input.value = self.applied + (" " if self.applied else "")
        self._make_room()
        self._input.cursor_position = len(self._input.value)
        # Not `focus()`, which takes effect after the keys that are already on their way: a fast typist's next letter
        # would act on the rows. What is not displayed can not have the focus, and the class takes effect later too.
        self._before = self.screen.focused
        self._input.display = True
        self.screen.set_focus(self._input)
        self._say()

    def set(self, text: str) -> None:
        """Show another filter as the one that acts."""
        self.applied = text
        self._show_applied()

    def show_count(self, spans: list[Span]) -> None:
        """What stands at the right end: how many match."""
        self._count = spans
        self._show_applied()
        if self.typing:
            self._make_room()

    def _make_room(self) -> None:
        """For the count beside the field, and a blank between the two. It counts the filter that acts: beside another
        text there is none."""
        spans: list[Span] = self._count if self._input.value.strip() == self.applied.strip() else [("… ", "faint")]
        line = self.query_one("#count", Line)
        line.styles.width = width_of(spans) + 1
        line.show([], spans)

    def _close(self) -> None:
        """End typing; the focus goes back at once to where it was."""
        self._choice = None
        self.remove_class("-typing")
        self._input.display = False
        before, self._before = self._before, None
        if before is not None and before.is_attached:
            self.screen.set_focus(before)
        self.post_message(self.Advised([]))

    def _show_applied(self) -> None:
        spans: list[Span] = [(" / ", "accent")]
        spans.append((inert(self.applied), "strong") if self.applied else ("everything", "faint"))
        self.query_one("#shown", Line).show(spans, self._count)

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.typing:
            self._choice = None
            if self._recalled and self._input.value != self._past[self._recalled - 1]:
                self._recalled = 0
            self._make_room()
            self._say()

    def _say(self, *, refused: bool = False) -> None:
        """Tell of the text; where it was ``refused``, of its mistake only."""
        text, width = self._input.value, self.size.width
        advice = self._advise(text, self._input.cursor_position)
        if refused:
            advice = replace(advice, words=())
        self.post_message(self.Advised(spans(text, advice, width, self._choice)))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.submit()

    def take_or_submit(self) -> None:
        """Take the word that was chosen, else ask for what is typed."""
        if self._choice is None:
            self.submit()
        else:
            self.complete()

    def submit(self) -> None:
        """Ask for what is typed, unless it holds a mistake, which is told then."""
        text = self._input.value.strip()
        if self._advise(text, len(text)).mistake:
            self._say(refused=True)
            return
        self._given_up = ""
        self._close()
        self.enter(text)

    def enter(self, text: str) -> None:
        """Ask for a filter without a mistake."""
        if text:
            self.history = [text, *(other for other in self.history if other != text)]
        self.applied = text
        self.applied_at = time.monotonic()
        self._show_applied()
        self.post_message(self.Applied(text, self.applied_at))

    def leave(self) -> None:
        """Give up typing; the filter that acts stays, and what was typed is the first of those used before."""
        text = (self._draft if self._recalled else self._input.value).strip()
        if text and text != self.applied:
            self._given_up = text
        self._close()

    @property
    def _offered(self) -> Sequence[str]:
        return self._advise(self._input.value, self._input.cursor_position).words

    def complete(self) -> None:
        """Take the word that was chosen, else the likeliest."""
        words = self._offered
        if words:
            word = words[min(self._choice or 0, len(words) - 1)]
            text, cursor = self._input.value, self._input.cursor_position
            self._choice = None
            self._input.value, self._input.cursor_position = self._put(text, cursor, word)

    def down(self) -> None:
        """The filter used after; below what is typed, the next of the words offered."""
        if self._recalled:
            self._recall(self._recalled - 1)
        elif words := self._offered:
            self._choose(0 if self._choice is None else min(self._choice + 1, len(words) - 1))

    def up(self) -> None:
        """The word offered before the chosen one, or none of them; then the filter used before."""
        if self._choice is not None:
            self._choose(self._choice - 1 if self._choice else None)
        elif self._recalled < len(self._past):
            self._recall(self._recalled + 1)

    def _choose(self, choice: int | None) -> None:
        self._choice = choice
        self._say()

    @property
    def _past(self) -> list[str]:
        """What the field can be filled with again, the newest first."""
        return [*([self._given_up] if self._given_up else []), *self.history]

    def _recall(self, back: int) -> None:
        """Show the filter so many back; none back is what was typed."""
        if not self._recalled:
            self._draft = self._input.value
        self._recalled = back
        self._input.value = self._past[back - 1] if back else self._draft
        self._input.cursor_position = len(self._input.value)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field without the focus is closed."""
        if self.typing:
            self._close()


def spans(text: str, advice: Advice, width: int, choice: int | None = None) -> list[Span]:
    """An advice as one line: the mistake, or what the console does itself and the words that could follow.

    Args:
        text: what is typed.
        advice: what the language says about it.
        width: cells of the line; words that do not fit are counted.
        choice: which of the words is chosen; it is always among those shown.
    """
    if advice.mistake and not advice.words:
        return [("   " + _pointer(text, advice), "warning"), (advice.mistake, "warning")]
    said: list[Span] = []
    if advice.here:
        said = [
            ("   C ", "accent"),
            (inert("  ".join(advice.here)), "strong"),
            (" filtered in the console, not by the engine", "muted"),
        ]
    if advice.words:
        said += _as_fit(advice.words, width - width_of(said), choice)
    return said


def _as_fit(words: Sequence[str], room: int, choice: int | None) -> list[Span]:
    """Words, as many as there is room for, and how many more there are: from the first one on, or from where the
    chosen one is the last that fits."""
    first, chosen = 0, choice or 0
    while (count := _fitting(words[first:], first, room)) and first + count <= chosen:
        first += 1
    shown = words[first : first + count]
    said: list[Span] = []
    for place, word in enumerate(shown, first):
        said += [("   ", ""), (inert(word), "chip" if place == choice else "muted")]
    rest = len(words) - len(shown)
    return [*said, (f"   +{rest} more", "muted")] if rest else said


def _fitting(words: Sequence[str], before: int, room: int) -> int:
    """How many of the words fit beside the count of the others, of which so many stand before; one at least."""
    used = 0
    for number, word in enumerate(words):
        used += 3 + cell_len(inert(word))
        rest = before + len(words) - number - 1
        if number and used + (cell_len(f"   +{rest} more") if rest else 0) > room:
            return number
    return len(words)


def _pointer(text: str, advice: Advice) -> str:
    start, end = advice.where
    if not 0 <= start < end:
        return ""
    said = inert(text[start:end])
    return f"{cut(said, MOST_POINTED) if cell_len(said) > MOST_POINTED else said!r} "
