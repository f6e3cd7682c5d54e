"""Asks what is to be reported of one external task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.orders.by_hand import FORMS, HandWork, hand_work, work_by_hand
from retriage.console.screens.dialogs.line_dialog import LineDialog
from retriage.console.screens.verbs import carry_out
from retriage.console.text.inert import inert
from retriage.console.widgets.pane import Item, Prose

if TYPE_CHECKING:
    from retriage.console.screens.base import ConsoleScreen
    from retriage.store.contract.records import ExternalTask


async def work_on(screen: ConsoleScreen, task: ExternalTask) -> None:
    """Ask what is to be reported of a task, and report it once that is confirmed. Must run in a worker of the
    application."""
    session = screen.session
    if why := session.connection.why_no_orders():
        session.news.say(why, "warning")
        return
    work = await screen.app.push_screen_wait(ByHandDialog(f"Task {inert(task.id)} by hand", most=4000))
    if work is not None:
        await carry_out(screen, partial(work_by_hand, session, task.id, work))


class ByHandDialog(LineDialog[HandWork]):
    """Answers what was typed, or nothing."""

    LINES = len(FORMS) + 2
    FIELD = "report"
    ORDER = "Go on"

    def above(self, problem: str) -> Sequence[Item]:
        """What can be typed."""
        last = Prose(inert(problem), "warning", lines=2) if problem else Prose("A last question follows.")
        return [*(Prose(form, "muted") for form in FORMS), last]

    def answer(self, text: str) -> HandWork:
        """The work.

        Raises:
            HandWorkMistake: it is none.
        """
        return hand_work(text)
