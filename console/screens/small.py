"""What is shown in a window that is too small: one sentence and the numbers that matter."""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from retriage.console.screens.chrome import safety_said
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.words import count, percent, short, things
from retriage.console.widgets.line import Span, width_of
from retriage.console.widgets.pane import Item, Pane, Prose, Spans


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
        """Follow the batches, and the safety."""
        self.session.news.subscribe(self, self._heard)
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.is_current:
            self.session.connection.heed_time()
            self._tell()

    def _heard(self, news: News) -> None:
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """The size is part of the sentence."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        width, height = self.app.size
        items: list[Item] = [
            Spans(tuple(self._identity(width))),
            Prose(f"Too small: this is {width}x{height}, {self._wanted[0]}x{self._wanted[1]} is needed.", "warning"),
        ]
        for view in [view for view in self.session.watch.known_batches.all() if not view.ended][:2]:
            failed = f"  !{count(view.failed)}" if view.failed else ""
            done = percent(view.completed, view.total)
            items.append(Prose(f"batch {short(view.id)} {done}{failed}", lines=1))
        open_ = self.session.watch.counts.get("incidents")
        if open_ is not None:
            items.append(Prose(f"{things(open_, 'incident')} open", "failed" if open_ else "good", lines=1))
        items.append(Prose("Only q and ? work until the window grows.", "muted"))
        self.query_one(Pane).show(items)

    def _identity(self, width: int) -> list[Span]:
        """Where this is and whether it can be changed from here; only the name of the engine is cut."""
        session = self.session
        word: Span = (f" {inert(session.connection.identity.environment)} ", "chip")
        health = (
            "NO ENGINE" if session.connection.failed_to_open else "STALE" if session.connection.state.silent else ""
        )
        state: list[Span] = [*safety_said(session.connection.safety), (health, "failed")]
        name = f"  {inert(session.connection.identity.called)}  "
        return [word, (cut(name, max(min(cell_len(name), width - width_of([word, *state])), 0)), "strong"), *state]
