"""What can be done with a launch of the journal: undo, once more, its batch, its request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.journal import journal_problem
from retriage.console.launch.request_text import curl_text, json_text
from retriage.console.launch.undo import undo_of_launch
from retriage.console.operations.known import operation_of
from retriage.console.operations.retry import SetRetries
from retriage.console.orders.undo import doubts_of, undo_order
from retriage.console.reading.selection import Composed, Instances, Marked, Selection
from retriage.console.screens.journal.rows import no_request
from retriage.console.screens.launch.flow import open_launch, send_off
from retriage.console.screens.operations.dialog import open_operation
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.store.contract.orders import SetExternalTaskRetries

if TYPE_CHECKING:
    from retriage.console.screens.base import ConsoleScreen
    from retriage.console.session.memory import Memory
    from retriage.store.journal import Launch, TaskBefore


class LaunchVerbs(Verbs["ConsoleScreen"]):
    """Actions about a launch, in the list and in its detail.

    Args:
        screen: the list of launches, or one of them.
        launch: the launch that is meant.
        why_none: where none is meant, what to say to one who orders something.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("journal",)

    def __init__(
        self,
        screen: ConsoleScreen,
        launch: Callable[[], Launch | None],
        why_none: Callable[[], str] = lambda: "There is no launch.",
    ) -> None:
        super().__init__(screen)
        self._launch = launch
        self._why_none = why_none

    def _meant(self) -> Launch | None:
        """The launch; where there is none, that is said."""
        launch = self._launch()
        if launch is None:
            self.session.news.say(self._why_none(), "warning")
        return launch

    # -- its batch --------------------------------------------------------------------------------------------------

    def action_batch(self) -> None:
        """To its batch."""
        launch = self._meant()
        if launch is None:
            return
        if launch.batch_id is None:
            self.session.news.say("This launch has no batch.", "warning")
        else:
            self.look_up(partial(self.navigator.show_batch, launch.batch_id), "journal.batch")

    # -- its request ------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Copy the body of the request."""
        launch = self._with_one_request()
        if launch is not None:
            self.look_up(partial(self._copy, launch), "journal.copy")

    async def _copy(self, launch: Launch) -> None:
        text = json_text(await self._request(launch), None)
        self.screen.hand_out(text, "the request's JSON")

    def action_copy_curl(self) -> None:
        """Copy the request as a command."""
        launch = self._with_one_request()
        if launch is not None:
            self.look_up(partial(self._copy_curl, launch), "journal.copy")

    async def _copy_curl(self, launch: Launch) -> None:
        request = await self._request(launch)
        client = self.screen.session.connection.client
        headers = (
            client.login_headers
            if client is not None and self.screen.session.connection.identity.url == launch.url
            else ()
        )
        text = curl_text(request, launch.url, launch.user if launch.url else None, headers)
        self.screen.hand_out(text, "the request as curl")

    def _with_one_request(self) -> Launch | None:
        """The launch, unless each of its units had a request of its own: the undo of its run is ordered again."""
        launch = self._meant()
        if launch is None or not operation_of(launch).one_by_one:
            return launch
        self.session.news.say(no_request(launch), "warning")
        return None

    async def _request(self, launch: Launch) -> BatchRequest:
        """The request as it was sent."""
        if launch.operation == SetRetries.name:
            return BatchRequest(await self._sources(launch))
        return operation_of(launch).request(await self._named(launch))

    async def _sources(self, launch: Launch) -> SetExternalTaskRetries:
        """What the request of a retry names."""
        request = SetExternalTaskRetries.model_validate_json(launch.request)
        return request.model_copy(update={"external_task_ids": await self._named(launch) or None})

    async def _named(self, launch: Launch) -> list[str]:
        """The ids that the request names."""
        return [task.task_id async for piece in _pieces_of(self.session.memory, launch, named=True) for task in piece]

    # -- once more --------------------------------------------------------------------------------------------------

    def action_again(self) -> None:
        """Launch the same tasks once more, through the dialog."""
        launch = self._with_one_request()
        if launch is not None:
            self.look_up(partial(self._again, launch), "journal.again")

    async def _again(self, launch: Launch) -> None:
        if launch.operation != SetRetries.name or launch.retries is None:
            await self._operation_again(launch)
            return
        chosen: Selection
        if launch.listed:
            ids = [task.task_id async for piece in _pieces_of(self.session.memory, launch) for task in piece]
            chosen = Marked(frozenset(ids), f"the tasks of launch {launch.id}")
        else:
            # Which tasks it took is not known, so what its query matches today is all that can be taken.
            said = f"what the request of launch {launch.id} names today"
            chosen = Composed(await self._sources(launch), said)
        if not self.screen.left_meanwhile("The launch dialog"):
            open_launch(self.app, self.session, chosen, retries=launch.retries, reason=launch.reason)

    async def _operation_again(self, launch: Launch) -> None:
        operation, ids = operation_of(launch), frozenset(await self._named(launch))
        said = f"the {operation.unit}s of launch {launch.id}"
        chosen = Marked(ids, said) if operation.unit == "job" else Instances(ids, said=said)
        if not self.screen.left_meanwhile("The dialog"):
            open_operation(self.app, self.session, operation, chosen, lambda: None, reason=launch.reason)

    # -- undo -------------------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Set back the retries that its tasks had, where that can be done."""
        launch = self._meant()
        if launch is not None:
            self.order(partial(self._undo, launch), "journal.undo")

    async def _undo(self, launch: Launch) -> None:
        # An undo may be several batches, and the journal shows what becomes of all of them: it stays in front.
        send = partial(send_off, self.app, self.session, follow=False)
        look = partial(undo_of_launch, self.session, launch)
        await carry_out(self.screen, partial(undo_order, self.session, look, send, doubts_of(launch)))


async def _pieces_of(memory: Memory, launch: Launch, *, named: bool | None = None) -> AsyncIterator[list[TaskBefore]]:
    """The tasks of a launch in pieces; none where the journal is gone or cannot be read.

    Args:
        memory: whose journal it is.
        launch: the launch.
        named: only tasks that its request named by id, or only the others; ``None`` for all of them.
    """
    if memory.journal is None:
        return
    try:
        async for piece in memory.journal.all_tasks(launch, named=named):
            yield piece
    except journal_problem():
        return
