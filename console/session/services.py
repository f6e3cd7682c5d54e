"""Who works beside the screens for as long as the engine is open, as the session and the screens see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from console.batches.known_batches import KnownBatches
    from console.batches.launched_tasks import LaunchedTasks
    from console.engine.client import EngineClient
    from console.launch.find_batch import SoughtLaunch

T = TypeVar("T")


class AsksEngine(Protocol):
    """What a service needs of the session to ask."""

    @property
    def client(self) -> EngineClient | None:
        """The engine, once it is open."""
        ...

    @property
    def known_batches(self) -> KnownBatches:
        """Batches, running and ended."""
        ...

    async def ask(self, question: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Ask the engine. Raises an ``EngineProblem`` where it refused, or did not answer."""
        ...


class BatchFollower(Protocol):
    """Keeps batches, what became of their tasks, and the counts of the views up to date
    (:class:`console.session.background.BackgroundReading`)."""

    def start(self) -> None:
        """Begin to look."""
        ...

    async def stop(self) -> None:
        """Look no more."""
        ...

    def heed_pause(self) -> None:
        """Rest while the session is paused; look no more often than its pace."""
        ...

    async def look(self) -> None:
        """Read the batches now."""
        ...

    async def count(self) -> None:
        """Count the rows of each view now."""
        ...

    def count_soon(self) -> None:
        """Count the rows of each view now, without waiting for it."""
        ...

    async def look_at_work(self) -> None:
        """Look at the tasks of the batches now."""
        ...

    async def launched(self, batch_id: str) -> None:
        """A batch was launched here: it is looked for until it has ended, and its tasks are followed."""
        ...

    def forget(self, batch_id: str) -> None:
        """What is known of the tasks of a batch is not so any more."""
        ...

    def undone(self, batch_id: str, ids: Iterable[str]) -> None:
        """These tasks of a batch were set back."""
        ...

    def launched_tasks(self, batch_id: str) -> LaunchedTasks | None:
        """The tasks that a batch was launched for, as far as they were looked up."""
        ...


class LaunchSearch(Protocol):
    """Looks for launches that were not answered until it is known what became of them
    (:class:`console.launch.unanswered.UnansweredLaunches`)."""

    def start(self) -> None:
        """Begin to look."""
        ...

    async def stop(self) -> None:
        """Look no more."""
        ...

    def heed_pause(self) -> None:
        """Rest while the session is paused."""
        ...

    def add(self, launch: SoughtLaunch) -> None:
        """Look for this one too."""
        ...

    def hurry(self) -> None:
        """Look now."""
        ...
