"""What the keys of a list do with the row and the cell under the cursor: filter by it, copy it, write rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from retriage.console.language.by_cell import narrowed
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.screens.exporting.files import proposed
from retriage.console.screens.exporting.run import Export
from retriage.console.screens.row_filters import path_of
from retriage.console.screens.verbs import Verbs
from retriage.console.text.words import things
from retriage.console.widgets.filter_line import FilterLine

if TYPE_CHECKING:
    from retriage.console.screens.base import ConsoleScreen
    from retriage.console.screens.row_reader import RowReader
    from retriage.console.widgets.rows import Row

ZOOMS = ("", "-rows-only", "-detail-only")
"""What ``z`` goes through: everything, the rows alone, the detail alone."""


class ListVerbs(Verbs["ConsoleScreen"]):
    """Actions of a list that need no more than its rows.

    Args:
        screen: the list.
        reader: what reads its rows.
        row: the row under the cursor of the table that has the focus.
        resized: called when the panes have got other sizes.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("list",)

    def __init__(
        self,
        screen: ConsoleScreen,
        reader: RowReader,
        row: Callable[[], Row | None],
        resized: Callable[[], None],
    ) -> None:
        super().__init__(screen)
        self._reader = reader
        self._row = row
        self._resized = resized
        self._exporting: Export | None = None
        self._curl_of: str | None = None

    # -- filter by the cell -----------------------------------------------------------------------------------------

    def action_only(self) -> None:
        """Show only rows that are like this one in the cell under the cursor."""
        self._by_cell(without=False)

    def action_without(self) -> None:
        """Leave rows out that are like this one in the cell under the cursor."""
        self._by_cell(without=True)

    def _by_cell(self, *, without: bool) -> None:
        row = self._reader.view.table.row
        if row is None:
            return
        words = self._reader.subject.cell_words(row.item)
        titles = [column.title for column in self._reader.subject.columns]
        column = self._reader.view.table.column
        chosen = titles[column] if column is not None else self._likeliest(titles, words)
        word = words.get(chosen)
        if not word:
            self.session.news.say(f"Rows cannot be filtered by {chosen}; h and l choose another column.", "warning")
            return
        text = narrowed(self._reader.text, word, without=without)
        mistakes = self._reader.subject.parsed(text).mistakes
        if mistakes:
            self.session.news.say(mistakes[0].sentence, "warning")
            return
        self.screen.query_one("#filter", FilterLine).set(text)
        self._reader.apply(text)
        if column is None:
            self.session.news.say(
                f"Filtered by {chosen}; h and l choose another column, esc clears the filter.", "muted"
            )

    def _likeliest(self, titles: list[str], words: Mapping[str, str]) -> str:
        """The column that is meant while none was chosen: the first one that can be filtered by, signs aside."""
        return next((title for title in titles if words.get(title) and len(title) > 1), titles[0])

    # -- panes, rate ------------------------------------------------------------------------------------------------

    def zoom(self, step: int) -> int:
        """Show everything (0), the rows alone (1), the detail alone (2), and so on; answers which it is."""
        zoom = step % len(ZOOMS)
        self.screen.remove_class(*filter(None, ZOOMS))
        if ZOOMS[zoom]:
            self.screen.add_class(ZOOMS[zoom])
        self.screen.call_after_refresh(self._resized)
        return zoom

    def action_slower(self) -> None:
        """Read less often."""
        self.session.watch.change_pace(1)

    def action_faster(self) -> None:
        """Read more often."""
        self.session.watch.change_pace(-1)

    # -- taking away ------------------------------------------------------------------------------------------------

    def action_copy_curl(self) -> None:
        """Copy the request that reads the row; pressed again on the same row, its JSON."""
        row = self._row()
        client = self.session.connection.client
        if row is None or client is None:
            return
        again = self._curl_of == row.id
        self._curl_of = None if again else row.id
        from retriage.console.launch.request_text import curl_of_reading, pretty  # 13 ms

        path = path_of(self._reader.subject.name, row.id)
        if again or not path or not self.session.connection.identity.url:
            record = row.item
            text = pretty(record.model_dump(mode="json", by_alias=True)) if hasattr(record, "model_dump") else row.id
            self.screen.hand_out(text, "the row as JSON")
            return
        user = self.session.connection.identity.user or None
        self.screen.hand_out(
            curl_of_reading(path, client.url, user, client.login_headers), "a curl command (Y again: the row as JSON)"
        )

    def action_export(self) -> None:
        """Ask for a file, and write the rows to it."""
        if self._reader.query is None:
            return
        if self._exporting is not None and self._exporting.running:
            self.session.news.say("Rows are being written already; esc stops that.", "warning")
            return
        if why := self._reader.why_not_all_known():
            self.session.news.say(why, "warning")
            return
        self.screen.run_worker(self._ask_for_file(), group="list.export", exit_on_error=False)

    async def _ask_for_file(self) -> None:
        table = self._reader.view.table
        marks = table.marks
        number = marks.count(table.total) if marks else self._reader.matching
        row = "marked row" if marks else "row"
        rows = things(number, row) if number is not None else "all rows that match"
        told = f"{rows}, all their fields. The ending decides: .json, as they are, or .csv, safe for spreadsheets."
        path = await self.app.push_screen_wait(ExportDialog(proposed(self._reader.subject.name), told))
        if path is None or self._reader.query is None:
            return
        self._exporting = Export(self.session, self._reader.subject, self._reader.query, marks, number)
        if (known := self._reader.ids_that_fit()) is not None:
            self._exporting.take(known)
        self._exporting.start(path)

    def stop_export(self) -> bool:
        """Stop writing rows, if that is going on."""
        if self._exporting is None or not self._exporting.running:
            return False
        self._exporting.stop()
        return True
