"""One poller per subject, however many panes look at it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from types import TracebackType
from typing import Any, Generic, TypeVar

from console.watch.clock import Clock
from console.watch.poller import Poller
from console.watch.snapshot import Snapshot

T = TypeVar("T")


class Watch(Generic[T]):
    """One pane's view of a subject. Closed by :meth:`close`, or by leaving it as a context."""

    def __init__(
        self,
        subject: "_Subject[T]",
        listener: Callable[[Snapshot[T]], None],
        interval: float,
        close: Callable[[], None],
    ) -> None:
        self._subject = subject
        self._listener = listener
        self._close = close
        self._seen: Snapshot[T] = Snapshot()
        self.interval = interval
        self.paused = False

    @property
    def snapshot(self) -> Snapshot[T]:
        """The newest picture."""
        return self._subject.poller.snapshot

    def show(self, snapshot: Snapshot[T]) -> None:
        """Tell the listener, unless it looks away or has seen this picture."""
        if not self.paused and not snapshot.same_picture(self._seen):
            self._seen = snapshot
            self._listener(snapshot)

    def pause(self) -> None:
        """Look away: nothing is heard, and the subject rests when nobody looks."""
        self.paused = True
        self._subject.adapt()

    def resume(self) -> None:
        """Look again; what was missed is heard at once."""
        self.paused = False
        self.show(self.snapshot)
        self._subject.adapt()

    async def refresh(self) -> Snapshot[T]:
        """Ask now; returns the picture that this question gave."""
        return await self._subject.poller.refresh()

    def close(self) -> None:
        """Look no more. The subject is polled until its last watch is closed."""
        self._close()

    def __enter__(self) -> "Watch[T]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Subject(Generic[T]):
    """A poller and who looks at it."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], interval: float, clock: Clock | None) -> None:
        self.watches: list[Watch[T]] = []
        self.poller = Poller(fetch, self._spread, interval=interval, clock=clock)

    def adapt(self) -> None:
        """Poll as often as the most impatient of those who look; not at all when nobody does."""
        looking = [watch.interval for watch in self.watches if not watch.paused]
        if looking:
            self.poller.every(min(looking))
            if self.poller.paused:
                self.poller.resume()
        else:
            self.poller.pause()

    def _spread(self, snapshot: Snapshot[T]) -> None:
        for watch in tuple(self.watches):
            watch.show(snapshot)


class Shared:
    """The registry: key of a subject -> its poller, which runs while somebody watches.

    Args:
        clock: whose time the pollers go by.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._subjects: dict[Hashable, _Subject[Any]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._subjects)

    def watch(
        self,
        key: Hashable,
        fetch: Callable[[], Awaitable[T]],
        listener: Callable[[Snapshot[T]], None],
        *,
        interval: float = 2.0,
    ) -> Watch[T]:
        """Look at a subject.

        Args:
            key: names the subject; watches with the same key share the fetch of the first.
            fetch: asks the engine.
            listener: is told every picture that differs, and at once the one that is there already.
            interval: seconds between an answer and the next question that this watch is content with.
        """
        subject: _Subject[T] | None = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = _Subject(fetch, interval, self._clock)
        there = subject
        watch: Watch[T] = Watch(subject, listener, interval, lambda: self._leave(key, there, watch))
        subject.watches.append(watch)
        subject.adapt()
        subject.poller.start()
        watch.show(subject.poller.snapshot)
        return watch

    async def close(self) -> None:
        """End every poller, and wait until none is at work."""
        ending, self._subjects = list(self._subjects.values()), {}
        for subject in ending:
            await subject.poller.stop()
        await asyncio.gather(*self._ending)

    def _leave(self, key: Hashable, subject: _Subject[T], watch: Watch[T]) -> None:
        if watch not in subject.watches:
            return
        subject.watches.remove(watch)
        if subject.watches:
            subject.adapt()
        elif self._subjects.get(key) is subject:
            del self._subjects[key]
            ending = asyncio.get_running_loop().create_task(subject.poller.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
