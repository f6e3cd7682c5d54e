"""The filter line: stays in sight while it acts, and says what is wrong with it while it is typed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from console.actions import at
from console.widgets.bindings import bindings
from console.widgets.line import Line, Span


@dataclass(frozen=True)
class Advice:
    """What a language says about a text: a mistake to explain, words that could follow."""

    mistake: str = ""
    """One sentence, or nothing if the text can be used."""
    where: tuple[int, int] = (0, 0)
    """First character of the mistake and the one after its last."""
    words: Sequence[str] = field(default_factory=tuple)
    """Whole texts that the operator may mean, the likeliest first."""


class FilterInput(Input):
    """Where the filter is typed. No letter typed here acts on rows."""

    PLACES: ClassVar[tuple[str, ...]] = ("typing",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"typing"}))

    async def action_apply(self) -> None:
        """Ask for what is typed."""
        await self.action_submit()

    def action_leave(self) -> None:
        """Close the line without a change."""
        self.post_message(FilterLine.Left())

    def action_complete(self) -> None:
        """Take the likeliest word."""
        self.post_message(FilterLine.Completed())

    def action_older(self) -> None:
        """The filter used before."""
        self.post_message(FilterLine.Recalled(1))

    def action_newer(self) -> None:
        """The filter used after."""
        self.post_message(FilterLine.Recalled(-1))


class FilterLine(Horizontal):
    """Shows the filter and the count; opens for typing."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        & > #shown { width: 1fr; }
        & > #count { width: auto; min-width: 10; }
        & > #sign { width: 3; display: none; }
        & > FilterInput {
            display: none; width: 1fr; height: 1; background: $row-cursor;
        }
        &.-typing > #sign, &.-typing > FilterInput { display: block; }
        &.-typing > #shown { display: none; }
    }
    """

    class Left(Message):
        """Typing was given up."""

    class Completed(Message):
        """A word was asked for."""

    @dataclass
    class Recalled(Message):
        """An older (1) or newer (-1) filter was asked for."""

        step: int

    @dataclass
    class Applied(Message):
        """The operator wants this filter. The text has no mistake."""

        text: str

    @dataclass
    class Advised(Message):
        """What the language says about the text being typed; nothing when typing has ended."""

        spans: list[Span]

    @dataclass
    class Typed(Message):
        """A text without a mistake is being typed."""

        text: str

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
        self._history: list[str] = []
        self._recalled = 0
        self.applied = ""

    def compose(self) -> ComposeResult:
        """The line as text, and the field that takes its place."""
        yield Line(id="sign")
        yield Line(id="shown")
        yield FilterInput(id="typed", select_on_focus=False, compact=True)
        yield Line(id="count")

    def on_mount(self) -> None:
        """No blinking: it would be sent to the terminal twice a second."""
        self._input.cursor_blink = False
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
        self._recalled = 0
        self._input.value = self.applied + (" " if self.applied else "")
        self._input.cursor_position = len(self._input.value)
        self._input.focus()
        self._say()

    def set(self, text: str) -> None:
        """Show another filter as the one that acts."""
        self.applied = text
        self._show_applied()

    def show_count(self, spans: list[Span]) -> None:
        """What stands at the right end: how many match."""
        line = self.query_one("#count", Line)
        line.styles.width = max(sum(len(text) for text, _ in spans), 10)
        line.show([], spans)

    def _close(self) -> None:
        self.remove_class("-typing")
        self.post_message(self.Advised([]))

    def _show_applied(self) -> None:
        spans: list[Span] = [(" / ", "accent")]
        spans.append((self.applied, "strong") if self.applied else ("everything", "faint"))
        self.query_one("#shown", Line).show(spans)

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.typing:
            self._say()

    def _say(self) -> None:
        text = self._input.value
        advice = self._advise(text, self._input.cursor_position)
        if advice.mistake:
            self.post_message(self.Advised([("   " + _pointer(text, advice), "warning"), (advice.mistake, "warning")]))
        else:
            words = "   " + "   ".join(advice.words[:8]) if advice.words else ""
            self.post_message(self.Advised([(words, "muted")] if words else []))
            self.post_message(self.Typed(text))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        text = message.value.strip()
        if self._advise(text, len(text)).mistake:
            return
        if text and text not in self._history[:1]:
            self._history.insert(0, text)
        self.applied = text
        self._show_applied()
        self._close()
        self.post_message(self.Applied(text))

    @on(Left)
    def _left(self, message: Left) -> None:
        self._close()

    @on(Completed)
    def _completed(self, message: Completed) -> None:
        message.stop()
        text, cursor = self._input.value, self._input.cursor_position
        words = self._advise(text, cursor).words
        if words:
            self._input.value, self._input.cursor_position = self._put(text, cursor, words[0])

    @on(Recalled)
    def _recall(self, message: Recalled) -> None:
        message.stop()
        if self._history:
            self._recalled = max(0, min(self._recalled + message.step, len(self._history)))
            self._input.value = self._history[self._recalled - 1] if self._recalled else self.applied
            self._input.cursor_position = len(self._input.value)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field without the focus is closed."""
        if self.typing:
            self._close()


def _pointer(text: str, advice: Advice) -> str:
    start, end = advice.where
    return f"{text[start:end]!r} " if 0 <= start < end else ""
