"""Orders to a launch of the journal, in the list and in the detail: undo, once more, its batch, its request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from console.engine.retries_request import RetriesRequest
from console.screens.base import ConsoleScreen
from console.session import saved_filters
from console.text.words import count, short, things

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.launch.decided_launch import DecidedLaunch
    from console.launch.undo import Undo
    from console.reading.selected_tasks import SelectedTasks
    from console.reading.selection import Marked
    from console.screens.dialogs.confirm import Confirm
    from console.session.session import Session
    from store.contract.orders import SetExternalTaskRetries
    from store.journal import Launch, TaskBefore


class LaunchOrders(ConsoleScreen):
    """A screen with a launch that orders go to."""

    def chosen(self) -> Launch | None:
        """The launch that an order would go to."""
        raise NotImplementedError

    async def _pieces(self, launch: Launch) -> AsyncIterator[list[TaskBefore]]:
        """Its tasks in pieces; none where the journal is gone or cannot be read."""
        from sqlalchemy.exc import SQLAlchemyError

        with suppress(SQLAlchemyError):
            if self.session.journal is not None:
                async for piece in self.session.journal.all_tasks(launch):
                    yield piece

    # -- its batch --------------------------------------------------------------------------------------------------

    @work(group="journal.batch", exclusive=True, exit_on_error=False)
    async def action_batch(self) -> None:
        """To its batch."""
        launch = self.chosen()
        if launch is None or launch.batch_id is None:
            self.session.say("This launch has no batch.", "warning")
        else:
            await self.navigator.show_batch(launch.batch_id)

    # -- its request ------------------------------------------------------------------------------------------------

    async def _ids(self, launch: Launch) -> list[str]:
        """The ids that its request named."""
        from sqlalchemy.exc import SQLAlchemyError

        ids: list[str] = []
        with suppress(SQLAlchemyError):
            if self.session.journal is not None:
                async for piece in self.session.journal.all_tasks(launch, named=True):
                    ids += [task.task_id for task in piece]
        return ids

    async def _order(self, launch: Launch) -> SetExternalTaskRetries:
        """The order as it was sent."""
        from store.contract.orders import SetExternalTaskRetries

        order = SetExternalTaskRetries.model_validate_json(launch.request)
        return order.model_copy(update={"external_task_ids": await self._ids(launch) or None})

    @work(group="journal.copy", exclusive=True, exit_on_error=False)
    async def action_copy(self) -> None:
        """Copy the body of the request."""
        from console.launch.request_text import json_text

        launch = self.chosen()
        if launch is not None:
            self.hand_out(json_text(RetriesRequest(await self._order(launch)), None), "the request's JSON")

    @work(group="journal.copy", exclusive=True, exit_on_error=False)
    async def action_copy_curl(self) -> None:
        """Copy the request as a command."""
        from console.launch.request_text import curl_text

        launch = self.chosen()
        if launch is not None:
            request = RetriesRequest(await self._order(launch))
            text = curl_text(request, launch.url, launch.user if launch.url else None, False)
            self.hand_out(text, "the request as curl")

    # -- once more --------------------------------------------------------------------------------------------------

    @work(group="journal.again", exclusive=True, exit_on_error=False)
    async def action_again(self) -> None:
        """Launch the same tasks once more, through the dialog."""
        from console.reading.selection import Composed, Marked, Selection
        from console.screens.launch.flow import open_launch

        launch = self.chosen()
        if launch is None:
            return
        said = f"the tasks of launch {launch.id}"
        chosen: Selection
        if launch.listed:
            ids = [task.task_id async for piece in self._pieces(launch) for task in piece]
            chosen = Marked(frozenset(ids), said)
        else:
            # Which tasks it took is not known, so what its query matches today is all that can be taken.
            chosen = Composed(await self._order(launch), f"what the request of launch {launch.id} names today")
        if not self.left_meanwhile("The launch dialog"):
            open_launch(self.app, self.session, chosen, retries=launch.retries, reason=launch.reason)

    # -- undo -------------------------------------------------------------------------------------------------------

    @work(group="journal.undo", exclusive=True, exit_on_error=False)
    async def action_undo(self) -> None:
        """Set back the retries that its tasks had, where that can be done."""
        from console.engine.errors import EngineProblem
        from console.screens.launch.flow import send_off

        launch = self.chosen()
        why = self._why_no_undo(launch)
        if launch is None or why:
            self.session.say(why or "There is no launch.", "warning")
            return
        self.session.say("Looking at what the tasks have now …")
        try:
            undo, selected_tasks = await self._look(launch)
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
            return
        if not undo.count:
            self.session.say(f"Nothing can be set back: {left_alone(undo)}.", "warning")
            return
        if not await self.ask_late(question(launch, undo, self.session)):
            return
        # A launch may have begun while this was being looked at.
        if why := self._why_no_undo(launch):
            self.session.say(why, "warning")
            return
        # An undo may be several batches, and the journal tells what becomes of all of them: it stays in front.
        send_off(self.app, self.session, self._set_back(launch, undo, selected_tasks), follow=False)

    def _why_no_undo(self, launch: Launch | None) -> str:
        if launch is None:
            return "There is no launch."
        if busy := self.session.why_no_launch():
            return busy
        if launch.state in ("preparing", "refused", "unsent", "not_carried_out"):
            return "This launch has changed nothing."
        if not launch.listed:
            return "What its tasks had before is not known: there were too many to be read."
        view = self.session.book.get(launch.batch_id or "")
        if view is not None and not view.ended:
            return f"Batch {short(view.id)} still runs and would set them again: delete it first, or let it end."
        return ""

    async def _look(self, launch: Launch) -> tuple[Undo, SelectedTasks]:
        """Compare what the tasks had before with what they have now, piece by piece."""
        from console.launch.undo import Undo
        from console.reading.selected_tasks import SelectedTasks, read_selected_tasks
        from console.reading.selection import Marked

        undo, all_of_them = Undo(launch.retries), SelectedTasks(datetime.now(UTC))
        async for piece in self._pieces(launch):
            selection = Marked(frozenset(task.task_id for task in piece))
            selected_tasks = await self.session.ask(partial(_selected, read_selected_tasks, selection))
            last = await saved_filters.launched(self.session, selected_tasks.retries)
            later = {id for id, other in last.items() if other.launch_id > launch.id}
            undo.look_at(piece, selected_tasks.retries, selected_tasks.held, later)
            all_of_them.retries |= selected_tasks.retries
        return undo, all_of_them

    def _set_back(self, launch: Launch, undo: Undo, selected_tasks: SelectedTasks) -> Iterator[DecidedLaunch]:
        """One batch for each former value."""
        from console.launch.decided_launch import DecidedLaunch
        from console.launch.plan import LaunchPlan
        from console.reading.selection import Marked

        for retries, ids in sorted(undo.back.items()):
            part = selected_tasks.only(ids)
            said = f"undo of launch {launch.id}: {things(len(ids), 'task')} back to {retries}"
            plan = LaunchPlan(Marked(frozenset(ids), said), retries, part.facts(), part, frozenset({"lowered"}))
            if self.session.follower is not None and launch.batch_id is not None:
                self.session.follower.undone(launch.batch_id, ids)
            yield DecidedLaunch(plan, f"undo of launch {launch.id}", launch.id)


async def _selected(
    read: Callable[..., Awaitable[SelectedTasks | None]], selection: Marked, client: EngineClient
) -> SelectedTasks:
    selected_tasks = await read(client, selection)
    assert selected_tasks is not None, "nothing limits this reading"
    return selected_tasks


def left_alone(undo: Undo) -> str:
    """What an undo leaves alone, in words."""
    parts = (
        (undo.never, "had never failed, which cannot be set"),
        (undo.gone, "have ended"),
        (undo.changed, f"do not have {undo.launched} any more"),
        (undo.later, "were launched again since"),
        (undo.locked, "are locked by a worker"),
        (undo.same, f"had {undo.launched} before"),
    )
    return "; ".join(f"{count(number)} {what}" for number, what in parts if number)


def question(launch: Launch, undo: Undo, session: Session) -> Confirm:
    """Asks whether to set back."""
    from console.screens.dialogs.confirm import Confirm

    back = ", ".join(f"{count(len(ids))} to {retries}" for retries, ids in sorted(undo.back.items()))
    sentences = [
        f"{things(undo.count, 'task')} still have {launch.retries} and get back what they had: {back}.",
        f"It is done by {things(len(undo.back), 'batch', 'batches')}.",
    ]
    if launch.state in ("sent", "unknown", "unknowable"):
        sentences.append("It is not known whether this launch was carried out: somebody else may have set them.")
    elif launch.probable:
        sentences.append(f"Batch {short(launch.batch_id)} is probably its own; nothing proves it yet.")
    if undo.back.get(0):
        sentences.append("With 0 retries no worker gets them, and each gets an incident again.")
    if undo.left_alone:
        sentences.append(f"Left alone: {left_alone(undo)}.")
    typed = str(undo.count) if session.safety.guarded else ""
    return Confirm(f"Undo launch {launch.id}?", sentences, "Set back", "L", typed=typed)
