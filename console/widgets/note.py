"""A note over what stands below it: as many lines as its words need."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from retriage.console.text.cells import wrap
from retriage.console.text.ink import Ink
from retriage.console.widgets.frugal import strip_of
from retriage.console.widgets.line import Line, Span

MOST = 3
"""Lines of a note."""


class Note(Line):
    """Like a line, but what does not fit goes on below; it is written with the ink of its last span then."""

    def show(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """Put these spans into the note."""
        shrinks = len(self._wrapped()) > 1 or not left
        super().show(left, right)
        self._fit()
        if shrinks:
            # What it leaves is drawn anew: Textual forgets a layered widget's old place, if something was scrolled
            # since the last layout (`Compositor.full_map` takes the new one for the old).
            self.call_after_refresh(self.screen.refresh)

    def on_resize(self, event: events.Resize) -> None:
        """Other words fit on a line now."""
        self._fit()

    def _fit(self) -> None:
        self.styles.height = max(len(self._wrapped()), 1)

    def _wrapped(self) -> list[str]:
        """The lines of a note that does not fit on one."""
        text = "".join(text for text, _ in self._left)
        margin = len(text) - len(text.lstrip())
        width = (self.size.width or self.screen.size.width) - margin
        return [" " * margin + line for line in wrap(text, max(width, 10), MOST)]

    def render_line(self, y: int) -> Strip:
        """A line of it."""
        lines = self._wrapped()
        if len(lines) <= 1:
            return super().render_line(y)
        ink: Ink = self._left[-1][1]
        text = (lines[y] if y < len(lines) else "").ljust(self.size.width)
        return strip_of([Segment(text, self.ink(ink))], self.size.width)
