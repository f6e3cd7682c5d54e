"""The line of the guided walk, above the hints of whatever screen is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retriage.console.session.tour import BAD_VALUE, Seen, Tour
from retriage.console.widgets.line import Line, Span

if TYPE_CHECKING:
    from textual.app import App

    from retriage.console.screens.runs.screen import RunScreen
    from retriage.console.session.session import Session

FEWEST = 5
"""Tasks that are through before it is said whether a launch of the walk helped."""


class TourLine(Line):
    """Which step it is, what to press, and why."""

    DEFAULT_CSS = """
    TourLine { dock: bottom; margin-bottom: 1; background: $panel; }
    """

    def tell(self, tour: Tour) -> None:
        """Show what comes next."""
        step = tour.step
        said: list[Span] = [(" TOUR ", "chip"), (f" {tour.place}  " if tour.place else "  ", "muted")]
        if step.keys:
            said += [(step.keys, "accent"), ("  ", "")]
        self.show([*said, (step.why, "strong")])


class TourGuide:
    """Looks at what the console shows, and keeps the line of the walk on the screen in front.

    Args:
        app: the application.
        session: what it has done.
        tour: the walk.
    """

    def __init__(self, app: App[None], session: Session, tour: Tour) -> None:
        self._app = app
        self._session = session
        self.tour = tour
        self._ran = self._judged = False

    def look(self) -> None:
        """Go on where a step is done. Called now and again, also while the application ends and has no screen."""
        if not self._app.screen_stack:
            return
        self.tour.heed(self.seen())
        screen = self._app.screen
        if not screen.is_mounted or not screen.query("HintLine"):
            return
        line = next(iter(screen.query(TourLine)), None)
        if line is None:
            line = TourLine()
            screen.add_class("-tour")
            screen.mount(line)
        line.tell(self.tour)

    def seen(self) -> Seen:
        """What the steps ask for."""
        session, screen, focused = self._session, self._app.screen, self._app.focused
        batches = session.watch.known_batches.batches()
        views = [batch.view for batch in batches if batch.view.id not in session.watch.watched_by_run]
        works = [view.work for view in views if view.work is not None]
        launches = [batch.launched_tasks for batch in batches if batch.launched_tasks is not None]
        told = session.watch.run_told[0]
        # Whoever has read for longer than the outage lasts sees the run go through.
        self._judged = self._judged or "held" in told or (self._ran and not told)
        self._ran = self._ran or bool(told)
        shown = cast("RunScreen", screen).view() if hasattr(screen, "run_id") else None
        run = shown if shown is not None and BAD_VALUE in shown.run.title else None
        fixes = run is not None and run.operation.fix is not None
        return Seen(
            on_causes=getattr(screen, "VIEW", "") == "incidents" or (focused is not None and focused.id == "causes"),
            asking=bool(screen.query("#request")) and bool(screen.query("#launch")),
            launched=bool(works) or self._ran,
            judged=self._judged or any(work.of("done") + work.of("again") >= FEWEST for work in works),
            at_once=bool(works),
            undone=any(launched.retries == 0 for launched in launches),
            narrowed=BAD_VALUE in getattr(screen, "task_filter", ""),
            retried=run is not None and not fixes,
            refused=run is not None and not fixes and (run.word == "held" or run.run.over),
            fixed=fixes,
            repaired=run is not None and fixes and (run.waves[0].state == "passed" or run.run.over),
            filling=session.connection.filling,
        )
