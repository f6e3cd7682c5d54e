"""Counts the query while it is written: some time after the last key, one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.draft import counted_from
from retriage.console.launch.draft_counts import count_draft
from retriage.console.launch.earlier_launches import earlier_launches_of

if TYPE_CHECKING:
    from retriage.console.launch.draft import Draft
    from retriage.console.launch.draft_counts import DraftCounts
    from retriage.console.session.session import Session

RESTING = 0.3
"""Seconds without a change after which counting begins."""


class QueryCount:
    """Follows a draft.

    A question that is under way is never broken off, for the engine would work on; its answer is passed over when the
    draft has changed meanwhile.

    Args:
        session: whose engine is asked.
        show: is handed what is known, and a problem in one sentence.
    """

    def __init__(self, session: Session, show: Callable[[DraftCounts | None, str], None]) -> None:
        self._session = session
        self._show = show
        self._draft: Draft | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.known: DraftCounts | None = None
        """What is known of the draft as it is now."""

    def count(self, draft: Draft | None) -> None:
        """Count this draft from now on; nothing while it has a mistake."""
        self._draft = draft
        self.known = None
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="query count")

    def close(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            while self._changed.is_set():
                self._changed.clear()
                await asyncio.sleep(RESTING)
            if self._draft is not None:
                await self._through(self._draft)

    async def _through(self, draft: Draft) -> None:
        await self._session.connection.opened()
        now = datetime.now(UTC)
        try:
            retried, record = (
                self._session.watch.retried,
                partial(earlier_launches_of, self._session),
            )
            async for known in count_draft(
                self._session.connection.ask, counted_from(draft, now), now, retried=retried, record=record
            ):
                if self._changed.is_set():
                    return
                self.known = known
                self._show(known, "")
        except EngineProblem as problem:
            if not self._changed.is_set():
                self._show(self.known, problem.sentence)
