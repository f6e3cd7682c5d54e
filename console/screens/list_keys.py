"""What the keys of a list do with the row and the cell under the cursor: filter by it, copy it, write rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import work

from console.screens.exporting.run import Export
from console.screens.paging import PagedScreen
from console.text.words import things
from console.widgets.filter_line import FilterLine

if TYPE_CHECKING:
    from console.screens.subject import ListSubject
    from console.session.session import Session
    from console.widgets.rows import Row

ZOOMS = ("", "-rows-only", "-detail-only")
"""What ``z`` goes through: everything, the rows alone, the detail alone."""


class ListKeys(PagedScreen):
    """Actions of a list that need no more than its rows."""

    def __init__(self, session: Session, subject: ListSubject[Any]) -> None:
        super().__init__(session, subject)
        self._zoom = 0
        self._exporting: Export | None = None
        self._curl_of: str | None = None

    def focused_row(self) -> Row | None:
        """The row under the cursor of the table that has the focus."""
        raise NotImplementedError

    # -- filter by the cell -----------------------------------------------------------------------------------------

    def action_only(self) -> None:
        """Show only rows that are like this one in the cell under the cursor."""
        self._by_cell(without=False)

    def action_without(self) -> None:
        """Leave rows out that are like this one in the cell under the cursor."""
        self._by_cell(without=True)

    def _by_cell(self, *, without: bool) -> None:
        from console.language.by_cell import narrowed
        from console.screens.row_filters import cell_words

        row = self.table.row
        if row is None:
            return
        words = cell_words(self.subject.name, row.item)
        titles = [column.title for column in self.subject.columns]
        chosen = titles[self.table.column] if self.table.column is not None else self._likeliest(titles, words)
        word = words.get(chosen)
        if not word:
            self.session.say(f"The column {chosen} cannot be filtered by; h and l choose another one.", "warning")
            return
        text = narrowed(self.filter_text, word, without=without)
        mistakes = self.subject.parsed(text).mistakes
        if mistakes:
            self.session.say(mistakes[0].sentence, "warning")
            return
        self.query_one("#filter", FilterLine).set(text)
        self._apply(text)
        if self.table.column is None:
            self.session.say(f"Filtered by {chosen}; h and l choose another column, esc clears the filter.", "muted")

    def _likeliest(self, titles: list[str], words: dict[str, str]) -> str:
        """The column that is meant while none was chosen: the first one that can be filtered by, the state aside."""
        return next((title for title in titles if words.get(title) and title != "S"), titles[0])

    # -- panes, rate ------------------------------------------------------------------------------------------------

    def action_zoom(self) -> None:
        """The rows alone, the detail alone, everything again."""
        self.remove_class(*filter(None, ZOOMS))
        self._zoom = (self._zoom + 1) % len(ZOOMS)
        if ZOOMS[self._zoom]:
            self.add_class(ZOOMS[self._zoom])
        self.call_after_refresh(self._shown_anew)

    def _shown_anew(self) -> None:
        """Panes have other sizes."""

    def action_slower(self) -> None:
        """Read less often."""
        self.session.change_pace(1)

    def action_faster(self) -> None:
        """Read more often."""
        self.session.change_pace(-1)

    # -- taking away ------------------------------------------------------------------------------------------------

    def action_copy_curl(self) -> None:
        """Copy the request that reads the row; pressed again on the same row, its JSON."""
        row = self.focused_row()
        client = self.session.client
        if row is None or client is None:
            return
        again = self._curl_of == row.id
        self._curl_of = None if again else row.id
        from console.launch.request_text import curl_of_reading, pretty
        from console.screens.row_filters import path_of

        path = path_of(self.subject.name, row.id)
        if again or not path or not self.session.identity.url:
            record = row.item
            text = pretty(record.model_dump(mode="json", by_alias=True)) if hasattr(record, "model_dump") else row.id
            self.hand_out(text, "the row as JSON")
            return
        user = self.session.identity.user or None
        self.hand_out(curl_of_reading(path, client.url, user, False), "a curl command (Y again: the row as JSON)")

    def action_export(self) -> None:
        """Ask for a file, and write the rows to it."""
        if self._query is None:
            return
        if self._exporting is not None and self._exporting.running:
            self.session.say("Rows are being written already; esc stops that.", "warning")
            return
        self._ask_for_file()

    @work(group="list.export", exit_on_error=False)
    async def _ask_for_file(self) -> None:
        from console.screens.exporting.dialog import ExportDialog
        from console.screens.exporting.files import proposed

        marks = self.table.marks
        number = marks.count(self.table.total) if marks else self.matching
        row = "marked row" if marks else "row"
        rows = things(number, row) if number is not None else "all rows that match"
        path = await self.app.push_screen_wait(ExportDialog(proposed(self.subject.name), rows))
        if path is None or self._query is None:
            return
        self._exporting = Export(self.session, self.subject, self._query, marks, number)
        if self.filtered_list is not None:
            self._exporting.take(self.filtered_list.ids)
        self._exporting.start(path)

    def stop_export(self) -> bool:
        """Stop writing rows, if that is going on."""
        if self._exporting is None or not self._exporting.running:
            return False
        self._exporting.stop()
        return True

    def on_unmount(self) -> None:
        """Write no more."""
        self.stop_export()
