"""What can be done with a launch of the journal: undo, once more, its batch, its request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from console.engine.retries_request import RetriesRequest
from console.launch.request_text import curl_text, json_text
from console.orders.undo_launch import pieces_of, undo_launch
from console.reading.selection import Composed, Marked, Selection
from console.screens.launch.flow import open_launch, send_off
from console.screens.verbs import Verbs, carry_out
from store.contract.orders import SetExternalTaskRetries

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen
    from store.journal import Launch


class LaunchVerbs(Verbs["ConsoleScreen"]):
    """Actions about a launch, in the list and in its detail.

    Args:
        screen: the list of launches, or one of them.
        launch: the launch that is meant.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("journal",)

    def __init__(self, screen: ConsoleScreen, launch: Callable[[], Launch | None]) -> None:
        super().__init__(screen)
        self._launch = launch

    # -- its batch --------------------------------------------------------------------------------------------------

    def action_batch(self) -> None:
        """To its batch."""
        launch = self._launch()
        if launch is None or launch.batch_id is None:
            self.session.say("This launch has no batch.", "warning")
        else:
            self.look_up(partial(self.navigator.show_batch, launch.batch_id), "journal.batch")

    # -- its request ------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Copy the body of the request."""
        launch = self._launch()
        if launch is not None:
            self.look_up(partial(self._copy, launch), "journal.copy")

    async def _copy(self, launch: Launch) -> None:
        text = json_text(RetriesRequest(await self._request(launch)), None)
        self.screen.hand_out(text, "the request's JSON")

    def action_copy_curl(self) -> None:
        """Copy the request as a command."""
        launch = self._launch()
        if launch is not None:
            self.look_up(partial(self._copy_curl, launch), "journal.copy")

    async def _copy_curl(self, launch: Launch) -> None:
        request = RetriesRequest(await self._request(launch))
        text = curl_text(request, launch.url, launch.user if launch.url else None, False)
        self.screen.hand_out(text, "the request as curl")

    async def _request(self, launch: Launch) -> SetExternalTaskRetries:
        """The request as it was sent."""
        request = SetExternalTaskRetries.model_validate_json(launch.request)
        ids = [task.task_id async for piece in pieces_of(self.session, launch, named=True) for task in piece]
        return request.model_copy(update={"external_task_ids": ids or None})

    # -- once more --------------------------------------------------------------------------------------------------

    def action_again(self) -> None:
        """Launch the same tasks once more, through the dialog."""
        launch = self._launch()
        if launch is not None:
            self.look_up(partial(self._again, launch), "journal.again")

    async def _again(self, launch: Launch) -> None:
        chosen: Selection
        if launch.listed:
            ids = [task.task_id async for piece in pieces_of(self.session, launch) for task in piece]
            chosen = Marked(frozenset(ids), f"the tasks of launch {launch.id}")
        else:
            # Which tasks it took is not known, so what its query matches today is all that can be taken.
            said = f"what the request of launch {launch.id} names today"
            chosen = Composed(await self._request(launch), said)
        if not self.screen.left_meanwhile("The launch dialog"):
            open_launch(self.app, self.session, chosen, retries=launch.retries, reason=launch.reason)

    # -- undo -------------------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Set back the retries that its tasks had, where that can be done."""
        self.order(partial(self._undo, self._launch()), "journal.undo")

    async def _undo(self, launch: Launch | None) -> None:
        # An undo may be several batches, and the journal tells what becomes of all of them: it stays in front.
        send = partial(send_off, self.app, self.session, follow=False)
        await carry_out(self.screen, partial(undo_launch, self.session, launch, send))
