"""The form face of the builder: rows are switched, or typed on their line."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.launch.draft import Unusable
from retriage.console.screens.builder.edited_draft import EditedDraft
from retriage.console.screens.builder.faces import form_of, with_value
from retriage.console.screens.builder.form import FormRow, FormView
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.inert_input import InertInput
from retriage.console.widgets.line import Span


class ValueInput(InertInput):
    """A value of the form while it is typed, on the line of its row."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-value",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-value"}))
    DEFAULT_CSS = """
    ValueInput { height: 1; background: $row-cursor; display: none; layer: above; position: absolute; }
    """

    def __init__(self, form: FormFace) -> None:
        super().__init__(id="value", select_on_focus=False, compact=True)
        self._form = form

    def open(self, value: str, place: tuple[int, int, int]) -> None:
        """Stand on a row: column and line on the screen, and a width in cells."""
        x, y, width = place
        self.styles.offset, self.styles.width = (x, y), width
        self.value = value
        self.cursor_position = len(value)
        self.display = True
        self.screen.set_focus(self)

    def action_take(self) -> None:
        """Keep what is typed."""
        self._form.take_value(0)

    def action_next(self) -> None:
        """Keep it, and type the next value."""
        self._form.take_value(1)

    def action_previous(self) -> None:
        """Keep it, and type the value before."""
        self._form.take_value(-1)

    def action_leave(self) -> None:
        """Keep what was there before."""
        self._form.leave_value()


class FormFace(FormView):
    """Shows the source in sight as a form, and changes it there.

    Args:
        edited: whose query it is.
        session: is told what cannot be done.
    """

    def __init__(self, edited: EditedDraft, session: Session) -> None:
        super().__init__(id="form", classes="framed")
        self._edited = edited
        self._session = session
        self._typed: FormRow | None = None
        self._refused: tuple[Span, ...] = ()
        self.value_input = ValueInput(self)
        """Where a value is typed; the screen lays it above the form."""

    def show_form(self) -> None:
        """Show the draft."""
        self.show(form_of(self._edited.draft, self._edited.source))
        self.entitle()

    def entitle(self) -> None:
        """Say which fields are in sight, and how many of the others are set."""
        hidden = f"   {self.set_out_of_sight} more set" if self.set_out_of_sight else ""
        seen, total = self.in_sight, len(self.rows)
        which = f"  {seen.start + 1}-{seen.stop} of {total} fields" if 0 < len(seen) < total else ""
        self.border_title = f"Form{which}   S the engine filters, C the console{hidden}"

    def about_row(self) -> tuple[Span, ...]:
        """What the row under the cursor means, or why it cannot be changed now."""
        mistake = self._edited.draft.mistake(self._edited.source)
        if mistake is not None:
            return (("   the text has a mistake: ", "warning"), (inert(mistake.sentence), "warning"))
        if self.row is not None:
            return ((f"   {self.row.name}  ", "strong"), (self.row.about, "muted"))
        return ()

    def take_refusal(self) -> tuple[Span, ...]:
        """Why the last value was not taken, once."""
        refused, self._refused = self._refused, ()
        return refused

    @on(FormView.Moved)
    def _moved(self) -> None:
        self._edited.changed("advice")
        self.entitle()

    @on(FormView.Changed)
    def _row_changed(self, message: FormView.Changed) -> None:
        if self._edited.draft.mistake(self._edited.source) is not None:
            self._session.news.say("The text has a mistake: correct it first; / goes there.", "warning")
        elif message.value is None:
            self._type_value(message.row)
        else:
            self._set_value(message.row, message.value)

    def _set_value(self, row: FormRow, text: str) -> bool:
        edited = self._edited
        try:
            draft = with_value(edited.draft, edited.source, row, text)
        except Unusable as problem:
            self._refused = (("   " + inert(str(problem)), "warning"),)
            edited.changed("advice")
            return False
        edited.change(draft, "form")
        return True

    def _type_value(self, row: FormRow) -> None:
        self._typed = row
        self.value_input.open(row.value, self.place())

    def take_value(self, step: int) -> None:
        """Keep the value that is typed, and go on by so many rows; a mistake keeps it open."""
        row = self._typed
        if row is None or not self._set_value(row, self.value_input.value):
            return
        self.leave_value()
        if step:
            self.move_to(self.cursor + step)
            if self.row is not None and not self.row.flag:
                self._type_value(self.row)

    def leave_value(self) -> None:
        """Type a value no more."""
        self._typed = None
        self.screen.set_focus(self)
        self.value_input.display = False
        self._edited.changed("advice")
