"""The form face of the builder: rows are switched, or typed on their line."""

from __future__ import annotations

from textual import on

from console.launch.draft import Draft, Unusable
from console.screens.builder.faces import form_of, with_value
from console.screens.builder.form import FormRow, FormView
from console.screens.builder.typing import ValueInput
from console.screens.builder.verbs import TakingAway
from console.text.inert import inert
from console.widgets.line import Line


class FormFace(TakingAway):
    """Shows the draft as a form, and changes it there."""

    _typed_value: FormRow | None = None

    def change(self, draft: Draft, face: str) -> None:
        """Another draft, made in this face."""
        raise NotImplementedError

    def advise(self) -> None:
        """Bring the line under the text up to date."""
        raise NotImplementedError

    def show_form(self) -> None:
        self.query_one("#form", FormView).show(form_of(self.draft, self.source))
        self.entitle_form()

    def entitle_form(self) -> None:
        form = self.query_one("#form", FormView)
        hidden = f"   {form.set_out_of_sight} more set" if form.set_out_of_sight else ""
        seen, total = form.in_sight, len(form.rows)
        which = f"  {seen.start + 1}-{seen.stop} of {total} fields" if 0 < len(seen) < total else ""
        form.border_title = f"Form{which}   S the engine filters, C the console{hidden}"

    def tell_row(self) -> None:
        mistake = self.draft.mistake(self.source)
        row = self.query_one("#form", FormView).row
        line = self.query_one("#advice", Line)
        if mistake is not None:
            line.show([("   the text has a mistake: ", "warning"), (inert(mistake.sentence), "warning")])
        elif row is not None:
            line.show([(f"   {row.name}  ", "strong"), (row.about, "muted")])

    @on(FormView.Moved)
    def _form_moved(self) -> None:
        self.advise()
        self.entitle_form()

    @on(FormView.Changed)
    def _form_changed(self, message: FormView.Changed) -> None:
        if self.draft.mistake(self.source) is not None:
            self.session.say("The text has a mistake: mend it first, / goes there.", "warning")
        elif message.value is None:
            self._type_value(message.row)
        else:
            self._set_value(message.row, message.value)

    def _set_value(self, row: FormRow, text: str) -> bool:
        try:
            draft = with_value(self.draft, self.source, row, text)
        except Unusable as problem:
            self.query_one("#advice", Line).show([("   " + inert(str(problem)), "warning")])
            return False
        self.change(draft, "form")
        return True

    def _type_value(self, row: FormRow) -> None:
        x, y, width = self.query_one("#form", FormView).place()
        field = self.query_one("#value", ValueInput)
        field.styles.offset, field.styles.width = (x, y), width
        self._typed_value = row
        field.value = row.value
        field.cursor_position = len(row.value)
        field.display = True
        self.set_focus(field)

    def take_value(self, step: int) -> None:
        """Keep the value that is typed, and go on by so many rows; a mistake keeps it open."""
        row, form = self._typed_value, self.query_one("#form", FormView)
        if row is None or not self._set_value(row, self.query_one("#value", ValueInput).value):
            return
        self.leave_value()
        if step:
            form.move_to(form.cursor + step)
            if form.row is not None and not form.row.flag:
                self._type_value(form.row)

    def leave_value(self) -> None:
        """Type a value no more."""
        self._typed_value = None
        self.set_focus(self.query_one("#form", FormView))
        self.query_one("#value", ValueInput).display = False
        self.advise()
