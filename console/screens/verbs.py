"""Verbs: what the keys of one place of the table of actions do, attached to a screen instead of inherited by it.

A verb object has a method ``action_<name>`` for each action of its places. It is handed the screen and a function that
says what is under the cursor there, and so serves a list and the detail of one thing alike. The application asks the
verbs of a screen before the screen itself (:meth:`retriage.console.app.RetriageApp.run_action`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.dialogs.confirm import Confirm

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.worker import WorkType

    from retriage.console.orders.order import Order, Report
    from retriage.console.screens.base import ConsoleScreen
    from retriage.console.screens.navigator import Navigator

S = TypeVar("S", bound="ConsoleScreen")


class Verbs(Generic[S]):
    """Actions of a screen.

    Args:
        screen: the screen that they are attached to.
    """

    PLACES: ClassVar[tuple[str, ...]] = ()
    """The places of the table of actions whose methods are here."""

    def __init__(self, screen: S) -> None:
        self.screen = screen
        self.session = screen.session

    @property
    def app(self) -> App[None]:
        """The application that shows the screen."""
        app: App[None] = self.screen.app
        return app

    @property
    def navigator(self) -> Navigator:
        """The ways to other screens."""
        return self.screen.navigator

    def places(self) -> Collection[str]:
        """Where actions are found now; those that would go to nothing may be left out."""
        return self.PLACES

    def hint_labels(self) -> dict[str, str]:
        """Labels that say more than the table of actions, by the name of the action."""
        return {}

    def idle(self) -> Collection[str]:
        """Names of actions that would do nothing now."""
        return ()

    def look_up(self, question: Callable[[], Awaitable[None]], group: str) -> None:
        """Run a question that opens something; it ends with the screen, and a newer one of its group ends it.

        Args:
            question: is called when the worker begins: one that is ended before that has begun nothing.
            group: of which one runs at a time.
        """
        self.screen.run_worker(_begun_by_worker(question), group=group, exclusive=True, exit_on_error=False)

    def order(self, order: Callable[[], Awaitable[None]], group: str) -> None:
        """Run an order to the engine: it is carried through, and told, also when the screen is left meanwhile.

        Args:
            order: is called when the worker begins.
            group: name of the workers that do so.
        """
        self.app.run_worker(_begun_by_worker(order), group=group, exit_on_error=False)


def _begun_by_worker(work: Callable[[], Awaitable[None]]) -> WorkType[None]:
    """Work as a worker takes it: nothing of it exists before the worker begins."""

    async def begin() -> None:
        await work()

    return begin


async def carry_out(screen: ConsoleScreen, plan: Callable[[], Awaitable[Order | str]]) -> Report | None:
    """Carry an order out: whether it may be given, what it means, whether it is meant, what became of it.

    Must run in a worker of the application (:meth:`Verbs.order`).

    Args:
        screen: where it is asked for.
        plan: reads what the order needs, and answers it; or a sentence that says why there is nothing to order.

    Returns:
        what became of it; nothing where nothing was sent, and why was told.
    """
    session = screen.session
    if why := session.connection.why_no_orders():
        session.news.say(why, "warning")
        return None
    try:
        order = await plan()
        if isinstance(order, str):
            session.news.say(order, "warning")
            return None
        typed = str(order.number) if order.number and session.connection.safety.guarded else ""
        if not await screen.ask_late(Confirm(order.title, order.sentences, order.label, order.key, typed=typed)):
            return None
        report = await order.send(session)
    except EngineProblem as problem:
        session.news.say(problem.sentence, "failed")
        return None
    if report.sentence:
        session.news.say(report.sentence, report.ink)
    if report.changed:
        session.watch.count_soon()
    return report
