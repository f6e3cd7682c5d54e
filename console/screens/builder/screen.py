"""The builder: a query as text, as a form and as JSON, counted while it is written.

The texts of the draft are the truth. A face that holds something that cannot be read says so in one sentence and keeps
it; the other faces show the last query that could be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input

from console.actions import at
from console.launch.draft import Draft, Source
from console.screens.base import BASE_CSS
from console.screens.builder.counting import Counting
from console.screens.builder.explanations import count_lines, sources_line
from console.screens.builder.faces import from_saved
from console.screens.builder.form import FormView
from console.screens.builder.json_face import JsonFace
from console.screens.builder.typing import JsonArea, QueryInput, ValueInput, put
from console.screens.filter_advice import advised
from console.session.session import News, Session
from console.text.inert import inert
from console.widgets.bindings import bindings
from console.widgets.filter_line import Advice, spans
from console.widgets.line import Line
from console.widgets.pane import Pane

if TYPE_CHECKING:
    from console.launch.draft_counts import DraftCounts


class List(Protocol):
    """The list that the builder was opened from."""

    @property
    def history(self) -> list[str]:
        """Queries used before, the newest first."""
        ...

    def built(self, text: str) -> None:
        """Show what this query matches."""
        ...

    def keep_draft(self, draft: Draft) -> None:
        """Remember what was built, to go on with it later."""
        ...


class BuilderScreen(JsonFace):
    """Builds a query, or a request with several sources."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("build",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build"}))
    AUTO_FOCUS = "QueryInput"

    def __init__(self, session: Session, view: str, rows: tuple[str, str], draft: Draft, origin: List) -> None:
        super().__init__(session)
        self.VIEW = view  # type: ignore[misc]
        self.draft = draft
        self.source: Source = draft.sources[0]
        self.origin = origin
        self.counting = Counting(session, self._show_count)
        self._rows = rows
        self._recalled = 0
        self.add_class("builder")
        self.set_class(not draft.request, "-plain")

    # -- what is on it ----------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Text, form, JSON and counts."""
        yield Line(id="heading")
        yield Line(id="sources")
        with Horizontal(id="query"):
            yield Line(id="sign")
            yield QueryInput(id="text", select_on_focus=False, compact=True)
        yield Line(id="advice")
        with Horizontal(id="upper"):
            yield FormView(id="form", classes="framed")
            with Vertical(id="sent", classes="framed"):
                yield JsonArea(id="json", compact=True, highlight_cursor_line=False)
                yield Pane(id="then")
        yield Pane("Count", id="count", classes="framed")
        yield ValueInput(id="value", select_on_focus=False, compact=True)

    def on_mount(self) -> None:
        """Show the draft in all faces."""
        for input_ in self.query(Input):
            input_.cursor_blink = False
        area = self.query_one("#json", JsonArea)
        area.cursor_blink = area.match_cursor_bracket = False
        self.query_one("#sign", Line).show([(" > ", "accent")])
        self._show_all()

    def on_unmount(self) -> None:
        """Count no more."""
        self.counting.close()

    def on_news(self, news: News) -> None:
        """An engine that answers again is asked again."""
        if news == "state" and not self.session.stale and self.counting.known is None:
            self.count()

    def places(self) -> tuple[str, ...]:
        """Keys go to what is typed; otherwise to the form and the builder."""
        focused = self.focused
        if isinstance(focused, QueryInput | JsonArea | ValueInput):
            return focused.PLACES
        return super().places()

    @property
    def narrow(self) -> bool:
        """Form and JSON do not fit beside each other."""
        return self.size.width < 100

    # -- showing ----------------------------------------------------------------------------------------------------

    def _show_all(self) -> None:
        put(self.query_one("#text", QueryInput), self.draft.text(self.source))
        self.show_form()
        self.show_json()
        self._show_sources()
        self.advise()
        self.count()

    def change(self, draft: Draft, face: str) -> None:
        """Another draft, made in this face; the others follow."""
        self.draft = draft
        self.origin.keep_draft(draft)
        if face != "text":
            put(self.query_one("#text", QueryInput), draft.text(self.source))
        self.show_form()
        if face != "json":
            self.show_json()
        self.advise()
        self.count()
        self._show_sources()

    def _show_sources(self) -> None:
        whole = "  all their tasks, healthy too" if self.source.whole else ""
        self.query_one("#heading", Line).show(
            [(" BUILD QUERY  ", "strong"), (self._rows[1], "muted"), (whole, "warning")],
            [("  F2 text  F3 form  F4 JSON ", "muted")],
        )
        if self.draft.request:
            self.query_one("#sources", Line).show(sources_line(self.draft, self.source, self.counting.known))

    def advise(self) -> None:
        """The line under the text: a mistake, what could follow, or what the row of the form means."""
        line = self.query_one("#advice", Line)
        if self.json_wrong and isinstance(self.focused, JsonArea):
            line.show([("   " + inert(self.json_wrong), "warning")])
        elif isinstance(self.focused, FormView):
            self.tell_row()
        elif self.source.subject:
            field = self.query_one("#text", QueryInput)
            line.show(spans(field.value, self._advice(), self.size.width))
        else:
            line.show([("   ids, separated by blanks or commas", "muted")])

    def _advice(self) -> Advice:
        field = self.query_one("#text", QueryInput)
        values = self.session.known.values(self.session, self.source.subject)
        from console.launch.draft import without_all

        return advised(without_all(field.value), field.cursor_position, self.source.subject, values)

    # -- counting ---------------------------------------------------------------------------------------------------

    def count(self) -> None:
        """Count the draft anew, some time after the last change."""
        refusal = self.draft.refusal()
        self.counting.count(None if refusal else self.draft)
        self._show_count(None, "")

    def _show_count(self, known: DraftCounts | None, problem: str) -> None:
        pane = self.query_one("#count", Pane)
        pane.show(count_lines(self.draft, known, problem, pane.size.width, self._rows))
        self._show_sources()

    def on_resize(self) -> None:
        """Lines are as long as there is room."""
        self.call_after_refresh(lambda: self._show_count(self.counting.known, ""))
        self.call_after_refresh(self.entitle_form)

    # -- the text face ----------------------------------------------------------------------------------------------

    @on(Input.Changed, "#text")
    def _text_changed(self, message: Input.Changed) -> None:
        message.stop()
        if message.value != self.draft.text(self.source):
            self.change(self.draft.with_text(self.source, message.value), "text")
        elif isinstance(self.focused, QueryInput):
            self.advise()

    def complete(self) -> None:
        """Take the likeliest word if one is begun, else go on to the form."""
        from console.language import completed
        from console.launch.draft import without_all

        field = self.query_one("#text", QueryInput)
        text, cursor = field.value, field.cursor_position
        begun = bool(without_all(text)[:cursor].strip()) and not without_all(text)[cursor - 1].isspace()
        words = self._advice().words if self.source.subject and begun else ()
        done, place = completed(text, cursor, words[0]) if words else (text, cursor)
        if done == text:
            self.face("form")
        else:
            field.value, field.cursor_position = done, place

    def recall(self, step: int) -> None:
        """An older (1) or newer (-1) query."""
        history = [text for text in self.origin.history if text != self.draft.text(self.source)]
        if history and self.source == self.draft.sources[0]:
            self._recalled = max(1, min(self._recalled + step, len(history)))
            put(self.query_one("#text", QueryInput), history[self._recalled - 1])

    # -- faces and sources ------------------------------------------------------------------------------------------

    def face(self, name: str) -> None:
        """Go to a face."""
        self.set_class(name == "json", "-json")
        self.set_focus(self.query_one(f"#{name}"))
        if name != "json":
            self.show_json()
        self.advise()
        self.tell_hints()

    def on_descendant_focus(self) -> None:
        """Other keys matter, and another line of advice."""
        super().on_descendant_focus()
        self.advise()

    def load(self, text: str) -> None:
        """Go on with a query that was saved."""
        self.json_wrong = ""
        self.draft = from_saved(text, self.draft)
        self.source = self.draft.sources[0]
        self._show_all()

    def to_source(self, step: int) -> None:
        """Another source of the request."""
        sources = self.draft.sources
        self.source = sources[(sources.index(self.source) + step) % len(sources)]
        self._recalled = 0
        put(self.query_one("#text", QueryInput), self.draft.text(self.source))
        self.show_form()
        self.advise()
        self._show_sources()
