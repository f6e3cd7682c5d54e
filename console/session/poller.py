"""Asks the same question again and again, gently.

Never two at once; the next one waits ``interval`` or ten times as long as the last answer took, whichever is longer,
so that a slow engine is asked less. After a failure it waits four seconds, or twice the interval where that is shorter;
failures in a row double that, to no less than the last one took and no more than a minute; where the answer told how
long to wait it is that long. Only a picture that differs is published.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from retriage.console.engine.errors import EngineProblem, one_line
from retriage.console.session.snapshot import Snapshot

T = TypeVar("T")

_log = logging.getLogger(__name__)
_started: "WeakSet[Poller[Any]]" = WeakSet()
_waiting: set[asyncio.Event] = set()

PACES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between two readings that can be chosen."""
USUAL_PACE = 2.0

GENTLE = 10.0
"""The engine rests so many times as long as it worked."""

FIRST_WAIT = 4.0
"""Seconds after a first failure, however long the interval: one page of a proxy must not lose the engine for long."""

LONGEST = 60.0
"""No wait after a failure is longer than this many seconds, unless the interval is."""


class Clock(Protocol):
    """A clock, and the art of waiting by it."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def now(self) -> datetime:
        """The time of day, aware."""
        ...

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        """Return when ``woken`` is set or the seconds have passed (``None``: never)."""
        ...


class RealClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        """Return when ``woken`` is set or the seconds have passed (``None``: never)."""
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return


class Poller(Generic[T]):
    """Polls one subject.

    Args:
        fetch: asks the engine.
        publish: is told of every picture that differs from the one before.
        interval: seconds between an answer and the next question, at least.
        at_most: seconds that it rests because a question took long, unless that took longer: for what is watched.
        wanted: whether it may ask by itself now; where that has become so it has to reconsider.
        clock: whose time it goes by.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        publish: Callable[[Snapshot[T]], None],
        *,
        interval: float = 2.0,
        at_most: float = inf,
        wanted: Callable[[], bool] = lambda: True,
        clock: Clock | None = None,
    ) -> None:
        self._fetch = fetch
        self._publish = publish
        self._interval = interval
        self._at_most = at_most
        self._wanted = wanted
        self._clock = clock or RealClock()
        self._snapshot: Snapshot[T] = Snapshot()
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._asked: list[asyncio.Future[Snapshot[T]]] = []
        self._answering: list[asyncio.Future[Snapshot[T]]] = []
        self._due = self._clock.monotonic()
        self._failures = 0
        self._closed = False
        self._resting = False
        """It waits until it is wanted."""
        self._under_way: object | None = None

    @property
    def snapshot(self) -> Snapshot[T]:
        """The newest picture; its ``at`` moves on even while nothing differs."""
        return self._snapshot

    @property
    def running(self) -> bool:
        """It was started and not stopped."""
        return self._task is not None and not self._task.done()

    @property
    def failing(self) -> bool:
        """Its last question got no answer."""
        return self.running and self._failures > 0

    @property
    def rests(self) -> float | None:
        """Seconds until it asks again, 0 while it asks; nothing where it only asks when told to."""
        if self._under_way:
            return 0.0
        if not self._wanted() or not self.running or self._due == inf:
            return None
        return max(self._due - self._clock.monotonic(), 0.0)

    def start(self) -> None:
        """Begin; the first question is asked at once."""
        if not self.running:
            self._closed = False
            _started.add(self)
            self._task = asyncio.create_task(self._run(), name="poller")

    def close(self) -> None:
        """End without waiting; whoever waits for a refresh gets the picture as it is. Nothing is published any more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        self._settle(self._answering)
        self._settle(self._asked)

    async def stop(self) -> None:
        """End, and wait for a question that is under way to be dropped."""
        self.close()
        if self._task is not None:
            await asyncio.wait([self._task])

    def reconsider(self) -> None:
        """It may be wanted again: ask at once if it is overdue. One that was wanted all the time waits on."""
        if self._resting:
            self._woken.set()

    def every(self, interval: float) -> None:
        """Change the interval, in seconds."""
        sooner = interval < self._interval
        self._interval = interval
        if sooner and not self._failures:
            self._due = min(self._due, self._clock.monotonic() + interval)
            self._woken.set()

    def hurry(self) -> None:
        """Ask at once and not after the wait that failures have made long."""
        self._failures = 0
        self._due = min(self._due, self._clock.monotonic())
        self._woken.set()

    async def refresh(self, *, anew: bool = False) -> Snapshot[T]:
        """Ask now, even while it is not wanted; returns the picture that this question gave.

        A question that is already under way does not count: it may have seen the engine before what the caller did.

        Args:
            anew: give that question up instead of waiting for its answer.

        Raises:
            RuntimeError: the poller is not running.
        """
        if not self.running:
            raise RuntimeError("a poller that does not run cannot refresh")
        answered: asyncio.Future[Snapshot[T]] = asyncio.get_running_loop().create_future()
        self._asked.append(answered)
        self._woken.set()
        if anew and self._under_way and self._task is not None:
            self._task.cancel()
            self._asked += self._answering
            self._answering = []
            self._task = asyncio.create_task(self._run(), name="poller")
        return await answered

    async def _run(self) -> None:
        while True:
            await self._until_due()
            await self._round()

    async def _until_due(self) -> None:
        while not self._asked:
            self._resting = not self._wanted()
            left = None if self._resting or self._due == inf else self._due - self._clock.monotonic()
            if left is not None and left <= 0:
                return
            await self._clock.wait(self._woken, left)
            self._woken.clear()

    async def _round(self) -> None:
        self._answering, self._asked = self._asked, []
        started = self._clock.monotonic()
        this = self._under_way = object()
        told: float | None = None
        try:
            value = await self._fetch()
        except EngineProblem as problem:
            told = problem.retry_after
            self._failed(problem.sentence)
        except Exception as problem:
            if self._closed:
                return  # the screen that asks is being taken down
            _log.exception("a poller's question failed in the console itself")
            self._failed(f"The console made a mistake: {one_line(repr(problem), 200)}")
        else:
            self._failures = 0
            self._show(Snapshot(value, self._clock.now()))
        finally:
            if self._under_way is this:
                self._under_way = None
        self._due = self._clock.monotonic() + (told or self._rest(self._clock.monotonic() - started))
        self._settle(self._answering)

    def _rest(self, took: float) -> float:
        if not self._failures:
            return max(self._interval, min(GENTLE * took, max(self._at_most, took)))
        backing_off = min(2 * self._interval, FIRST_WAIT) * 2.0 ** min(self._failures - 1, 10)
        return min(max(backing_off, took), max(LONGEST, self._interval))

    def _failed(self, sentence: str) -> None:
        self._failures += 1
        since = self._snapshot.stale_since or self._clock.now()
        self._show(replace(self._snapshot, problem=sentence, stale_since=since))

    def _show(self, snapshot: Snapshot[T]) -> None:
        differs = not snapshot.same_picture(self._snapshot)
        self._snapshot = snapshot
        if not differs or self._closed:
            return
        try:
            self._publish(snapshot)
        except Exception:
            if self._closed:
                return
            _log.exception("a listener of a poller failed")

    def _settle(self, waiting: list[asyncio.Future[Snapshot[T]]]) -> None:
        for answered in waiting:
            if not answered.done():
                answered.set_result(self._snapshot)
        waiting.clear()


def close_all() -> None:
    """End every poller of the process: the screens that listen are about to be taken down."""
    for poller in list(_started):
        poller.close()


def soonest() -> float | None:
    """Seconds until a poller of the process asks again what it got no answer to, 0 while one asks.

    Nothing if none will by itself. Where none has failed yet all of them count.
    """
    failing = [poller for poller in _started if poller.failing]
    return min((rest for poller in failing or _started if (rest := poller.rests) is not None), default=None)


def hurry_all() -> None:
    """Every poller of the process asks at once: what they ask answers again."""
    for poller in list(_started):
        poller.hurry()


def reconsider_all() -> None:
    """Whatever waits until it is wanted looks anew: something was paused or goes on, or has come to the front."""
    for poller in list(_started):
        poller.reconsider()
    for woken in _waiting:
        woken.set()


async def until_wanted(wanted: Callable[[], bool]) -> None:
    """Wait as a poller does that is not wanted; for questions that belong to a longer reading."""
    while not wanted():
        woken = asyncio.Event()
        _waiting.add(woken)
        try:
            await woken.wait()
        finally:
            _waiting.discard(woken)
