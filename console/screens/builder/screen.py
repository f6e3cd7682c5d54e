"""The builder: a query as text, as a form and as JSON, counted while it is written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.launch.draft import Draft
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.builder.edited_draft import Change, EditedDraft, List
from retriage.console.screens.builder.explanations import count_lines, sources_line
from retriage.console.screens.builder.form_face import FormFace, ValueInput
from retriage.console.screens.builder.json_face import JsonArea, JsonFace
from retriage.console.screens.builder.query_count import QueryCount
from retriage.console.screens.builder.text_face import QueryInput
from retriage.console.screens.builder.verbs import BuilderVerbs
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.filter_line import spans
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Pane

if TYPE_CHECKING:
    from retriage.console.launch.draft_counts import DraftCounts


class BuilderScreen(ConsoleScreen):
    """Builds a query, or a request with several sources."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("build",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build"}))
    AUTO_FOCUS = "QueryInput"

    def __init__(self, session: Session, view: str, rows: tuple[str, str], draft: Draft, origin: List) -> None:
        super().__init__(session)
        self.VIEW = view  # type: ignore[misc]
        self.edited = EditedDraft(draft, origin)
        self.query_count = QueryCount(session, self._show_count)
        self._rows = rows
        self._text = QueryInput(self.edited, self, lambda subject: session.watch.known_values.values(subject))
        self._form = FormFace(self.edited, session)
        self._json = JsonFace(self.edited, self)
        self._orders = BuilderVerbs(self, self.edited, self.query_count, self.face)
        self.attach(self._orders)
        self.add_class("builder")
        self.set_class(not draft.request, "-plain")

    # -- what is on it ----------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Text, form, JSON and counts."""
        yield Line(id="heading")
        yield Line(id="sources")
        with Horizontal(id="query"):
            yield Line(id="sign")
            yield self._text
        yield Line(id="advice")
        with Horizontal(id="upper"):
            yield self._form
            yield self._json
        yield Pane("Count", id="count", classes="framed")
        yield self._form.value_input

    def on_mount(self) -> None:
        """Show the draft in all faces."""
        for input_ in self.query(Input):
            input_.cursor_blink = False
        area = self._json.area
        area.cursor_blink = area.match_cursor_bracket = False
        self.query_one("#sign", Line).show([(" > ", "accent")])
        self.edited.tell(self._changed)
        self._changed("loaded")

    def on_unmount(self) -> None:
        """Count no more."""
        self.query_count.close()

    def on_news(self, news: News) -> None:
        """An engine that answers again is asked again."""
        if news == "state" and not self.session.connection.stale and self.query_count.known is None:
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

    def _changed(self, what: Change) -> None:
        """Show a change of the draft in every face but the one that it was made in."""
        if what == "advice":
            self.advise()
            return
        if what != "text":
            self._text.show_text()
        if what == "source":
            self._text.forget_recalled()
        self._form.show_form()
        if what not in ("json", "source"):
            self._json.show_json()
        self.advise()
        if what != "source":
            self.count()
        self._show_sources()

    def _show_sources(self) -> None:
        edited = self.edited
        whole = "  all their tasks, healthy too" if edited.source.whole else ""
        self.query_one("#heading", Line).show(
            [(" BUILD QUERY  ", "strong"), (self._rows[1], "muted"), (whole, "warning")],
            [("  F2 text  F3 form  F4 JSON ", "muted")],
        )
        if edited.draft.request:
            self.query_one("#sources", Line).show(sources_line(edited.draft, edited.source, self.query_count.known))

    def advise(self) -> None:
        """The line under the text: a mistake, what could follow, or what the row of the form means."""
        line, edited = self.query_one("#advice", Line), self.edited
        if refused := self._form.take_refusal():
            line.show(list(refused))
        elif edited.json_wrong and isinstance(self.focused, JsonArea):
            line.show([("   " + inert(edited.json_wrong), "warning")])
        elif isinstance(self.focused, FormFace):
            if about := self._form.about_row():
                line.show(list(about))
        elif edited.source.subject:
            line.show(spans(self._text.value, self._text.advice(), self.size.width))
        else:
            line.show([("   ids, separated by spaces or commas", "muted")])

    # -- counts -----------------------------------------------------------------------------------------------------

    def count(self) -> None:
        """Count the draft anew, some time after the last change."""
        refusal = self.edited.draft.refusal()
        self.query_count.count(None if refusal else self.edited.draft)
        self._show_count(None, "")

    def _show_count(self, known: DraftCounts | None, problem: str) -> None:
        pane = self.query_one("#count", Pane)
        pane.show(count_lines(self.edited.draft, known, problem, pane.size.width, self._rows))
        self._show_sources()

    def on_resize(self) -> None:
        """Lines are as long as there is room."""
        self.call_after_refresh(lambda: self._show_count(self.query_count.known, ""))
        self.call_after_refresh(self._form.entitle)

    # -- what a face asks for ---------------------------------------------------------------------------------------

    def face(self, name: str) -> None:
        """Go to a face."""
        self.set_class(name == "json", "-json")
        self.set_focus(self.query_one(f"#{name}"))
        if name != "json":
            self._json.show_json()
        self.advise()
        self.tell_hints()

    def apply(self) -> None:
        """Show in the list what matches."""
        self._orders.action_apply()

    def back(self) -> None:
        """Back to the list as it was."""
        self._orders.action_back()

    def on_descendant_focus(self) -> None:
        """Other keys matter, and another line of advice."""
        super().on_descendant_focus()
        self.advise()
