"""What is shown in a window that is too small: one sentence and the numbers that matter."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from console.screens.session import News, Session
from console.screens.words import count, percent, short, things
from console.widgets.inert import inert
from console.widgets.pane import Item, Pane, Prose, Spans


class TooSmall(Screen[None]):
    """Covers everything until the window has grown."""

    PLACES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Session, wanted: tuple[int, int]) -> None:
        super().__init__()
        self.session = session
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        """One pane."""
        yield Pane(id="small")

    def on_mount(self) -> None:
        """Follow the batches."""
        self.session.news.subscribe(self, self._heard)

    def _heard(self, news: News) -> None:
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """The size is part of the sentence."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        width, height = self.app.size
        environment = inert(self.session.identity.environment)
        health = "NO ENGINE" if self.session.failed_to_open else "STALE" if self.session.silent else ""
        items: list[Item] = [
            Spans(
                (
                    (f" {environment} ", "chip"),
                    (f"  {inert(self.session.identity.called)}", "strong"),
                    (f"  {health}", "failed"),
                )
            ),
            Prose(f"Too small: {self._wanted[0]}x{self._wanted[1]} is needed, {width}x{height} is here.", "warning"),
        ]
        for view in [view for view in self.session.book.all() if not view.ended][:2]:
            failed = f"  !{count(view.failed)}" if view.failed else ""
            done = percent(view.completed, view.total)
            items.append(Prose(f"batch {short(view.id)} {done}{failed}", lines=1))
        open_ = self.session.counts.get("incidents")
        if open_ is not None:
            items.append(Prose(f"{things(open_, 'incident')} open", "failed" if open_ else "good", lines=1))
        items.append(Prose("No key acts but q and ? until the window grows.", "muted"))
        self.query_one(Pane).show(items)
