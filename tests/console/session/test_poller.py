"""Pollers: gentle, never two at once, quiet when nothing differs, honest when the engine is away."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from math import inf

import pytest

from retriage.console.engine.errors import LoginRefused, Refused, Unreachable
from retriage.console.session.poller import Poller, RealClock, reconsider_all, until_wanted
from retriage.console.session.snapshot import Snapshot
from tests.console.turned_clock import START, TurnedClock, settle


class Subject:
    """Answers with ``value``, or raises ``problem``; ``gate`` holds an answer back."""

    def __init__(self, clock: TurnedClock, takes: float = 0.0) -> None:
        self.value = 1
        self.problem: Exception | None = None
        self.asked = 0
        self.under_way = 0
        self.most_under_way = 0
        self.gate: asyncio.Event | None = None
        self.takes = takes
        self._clock = clock

    async def fetch(self) -> int:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        value = self.value
        try:
            if self.gate is not None:
                await self.gate.wait()
            self._clock.pass_by(self.takes)
            if self.problem is not None:
                raise self.problem
        finally:
            self.under_way -= 1
        return value


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def subject(clock: TurnedClock) -> Subject:
    return Subject(clock)


class Seen(list[Snapshot[int]]):
    @property
    def values(self) -> list[int | None]:
        return [snapshot.value for snapshot in self]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def poller(clock: TurnedClock, subject: Subject, seen: Seen):  # type: ignore[no-untyped-def]
    made = Poller(subject.fetch, seen.append, interval=2.0, clock=clock)
    made.start()
    await settle()
    yield made
    await made.stop()


async def test_the_first_question_is_asked_at_once(poller: Poller[int], seen: Seen) -> None:
    assert seen == [Snapshot(1, START)]


async def test_it_asks_again_after_the_interval_and_publishes_what_differs(
    poller: Poller[int], clock: TurnedClock, subject: Subject, seen: Seen
) -> None:
    await clock.turn(1.9)
    assert subject.asked == 1
    await clock.turn(0.1)
    assert (subject.asked, seen.values) == (2, [1])
    subject.value = 2
    await clock.turn(2)
    assert (subject.asked, seen.values) == (3, [1, 2])


async def test_an_equal_answer_moves_the_age_on_and_is_not_published(
    poller: Poller[int], clock: TurnedClock, seen: Seen
) -> None:
    await clock.turn(2)
    assert len(seen) == 1
    assert poller.snapshot.at == START + timedelta(seconds=2)


async def test_a_slow_engine_is_asked_less(clock: TurnedClock, seen: Seen) -> None:
    slow = Subject(clock, takes=1.5)
    poller = Poller(slow.fetch, seen.append, interval=2.0, clock=clock)
    poller.start()
    await settle()
    assert clock.waiting_for() == [15.0]
    await poller.stop()


async def test_an_engine_that_works_long_rests_ten_times_as_long(clock: TurnedClock, seen: Seen) -> None:
    slow = Subject(clock, takes=30)
    poller = Poller(slow.fetch, seen.append, interval=2.0, clock=clock)
    poller.start()
    await settle()
    assert clock.waiting_for() == [300.0]
    await poller.stop()


async def test_what_is_watched_rests_no_longer_than_was_asked_for(clock: TurnedClock, seen: Seen) -> None:
    for takes, rests in ((0.1, 3.0), (1.5, 4.0), (6.0, 6.0)):
        poller = Poller(Subject(clock, takes=takes).fetch, seen.append, interval=3.0, at_most=4.0, clock=clock)
        poller.start()
        await settle()
        assert clock.waiting_for() == pytest.approx([rests])
        await poller.stop()


async def test_it_waits_as_long_as_the_answer_told(clock: TurnedClock, seen: Seen) -> None:
    busy = Subject(clock)
    busy.problem = Refused("Too many questions.", 429, retry_after=37.0)
    poller = Poller(busy.fetch, seen.append, interval=2.0, clock=clock)
    poller.start()
    await settle()
    assert clock.waiting_for() == [37.0]
    await poller.stop()


async def test_after_a_refused_login_it_asks_only_when_it_is_told_to(clock: TurnedClock, seen: Seen) -> None:
    refusing = Subject(clock)
    refusing.problem = LoginRefused("Who?", 401, retry_after=inf)
    poller = Poller(refusing.fetch, seen.append, interval=2.0, clock=clock)
    poller.start()
    await settle()
    assert clock.waiting_for() == [None]
    assert poller.rests is None
    refusing.problem = None
    poller.hurry()
    await settle()
    assert clock.waiting_for() == [2.0]
    await poller.stop()


async def test_after_a_failure_it_rests_as_long_as_that_took(clock: TurnedClock, seen: Seen) -> None:
    hanging = Subject(clock, takes=20)
    hanging.problem = Unreachable("no answer in time")
    poller = Poller(hanging.fetch, seen.append, interval=2.0, clock=clock)
    poller.start()
    await settle()
    assert clock.waiting_for() == [20.0]
    assert poller.rests == 20.0
    await poller.stop()
    assert poller.rests is None


async def test_what_is_asked_seldom_is_asked_again_soon_after_a_failure(clock: TurnedClock, seen: Seen) -> None:
    counts = Subject(clock)
    counts.problem = Unreachable("502, once")
    poller = Poller(counts.fetch, seen.append, interval=30.0, clock=clock)
    poller.start()
    await settle()
    for rests in (4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        assert clock.waiting_for() == [rests]
        await clock.turn(rests)
    counts.problem = None
    await clock.turn(60)
    assert clock.waiting_for() == [30.0]
    await poller.stop()


async def test_a_question_that_hangs_is_given_up_when_it_is_asked_anew(
    poller: Poller[int], clock: TurnedClock, subject: Subject
) -> None:
    subject.gate = asyncio.Event()
    await clock.turn(2)
    assert (subject.asked, poller.rests) == (2, 0.0)
    waiting = asyncio.create_task(poller.refresh())
    await settle()
    subject.gate, subject.value = None, 7
    assert (await poller.refresh(anew=True)).value == 7
    assert (await waiting).value == 7
    assert (subject.asked, subject.under_way, poller.rests) == (3, 0, 2.0)


async def test_hurried_it_asks_at_once_and_forgets_its_failures(
    poller: Poller[int], clock: TurnedClock, subject: Subject
) -> None:
    subject.problem = Unreachable("nothing listens there")
    for wait in (2, 4, 8):
        await clock.turn(wait)
    asked = subject.asked
    poller.hurry()
    await settle()
    assert subject.asked == asked + 1
    assert clock.waiting_for() == [4.0]


async def test_failures_keep_the_value_and_tell_since_when_it_is_stale(
    poller: Poller[int], clock: TurnedClock, subject: Subject, seen: Seen
) -> None:
    subject.problem = Unreachable("nothing listens there")
    await clock.turn(2)
    lost = seen[-1]
    assert (lost.value, lost.problem, lost.stale) == (1, "nothing listens there", True)
    assert lost.at == START
    assert lost.stale_since == START + timedelta(seconds=2)
    assert clock.waiting_for() == [4.0]
    await clock.turn(4)
    assert clock.waiting_for() == [8.0]
    assert len(seen) == 2
    assert poller.snapshot.stale_since == START + timedelta(seconds=2)
    subject.problem = None
    await clock.turn(8)
    assert seen[-1] == Snapshot(1, clock.now())
    assert not seen[-1].stale
    assert clock.waiting_for() == [2.0]


async def test_another_problem_is_published(
    poller: Poller[int], clock: TurnedClock, subject: Subject, seen: Seen
) -> None:
    subject.problem = Unreachable("one")
    await clock.turn(2)
    subject.problem = Unreachable("two")
    await clock.turn(4)
    assert [snapshot.problem for snapshot in seen] == [None, "one", "two"]


async def test_a_mistake_of_the_console_is_told_and_logged_and_polling_goes_on(
    poller: Poller[int], clock: TurnedClock, subject: Subject, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    subject.problem = KeyError("oops")
    with caplog.at_level(logging.ERROR):
        await clock.turn(2)
    assert seen[-1].problem == "The console made a mistake: KeyError('oops')"
    assert "oops" in caplog.text
    subject.problem = None
    await clock.turn(4)
    assert not seen[-1].stale


async def test_a_listener_that_fails_does_not_end_the_polling(
    clock: TurnedClock, subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(snapshot: Snapshot[int]) -> None:
        raise RuntimeError("bad listener")

    poller = Poller(subject.fetch, listener, clock=clock)
    poller.start()
    await clock.turn(2)
    assert subject.asked == 2
    assert "bad listener" in caplog.text
    await poller.stop()


class Wished:
    """A poller that is wanted until it is not."""

    def __init__(self, subject: Subject, clock: TurnedClock) -> None:
        self._is = True
        self.poller = Poller(subject.fetch, lambda _: None, wanted=lambda: self._is, clock=clock)

    def be(self, wanted: bool) -> None:
        self._is = wanted
        reconsider_all()


@pytest.fixture
async def wished(subject: Subject, clock: TurnedClock) -> AsyncIterator[Wished]:
    wish = Wished(subject, clock)
    wish.poller.start()
    await settle()
    yield wish
    await wish.poller.stop()


async def test_unwanted_it_asks_nothing_and_wanted_again_it_asks_at_once_if_overdue(
    wished: Wished, clock: TurnedClock, subject: Subject
) -> None:
    wished.be(False)
    await clock.turn(100)
    assert subject.asked == 1
    assert wished.poller.rests is None
    wished.be(True)
    await settle()
    assert subject.asked == 2


async def test_wanted_again_soon_it_waits_for_the_rest_of_the_interval(
    wished: Wished, clock: TurnedClock, subject: Subject
) -> None:
    wished.be(False)
    await clock.turn(0.5)
    wished.be(True)
    await settle()
    assert subject.asked == 1
    assert clock.waiting_for() == [1.5]


async def test_one_that_was_wanted_all_the_time_is_not_woken_when_others_are(
    wished: Wished, clock: TurnedClock, subject: Subject
) -> None:
    clock.pass_by(100)  # no waiter has noticed
    reconsider_all()
    await settle()
    assert wished.poller.rests == 0
    assert subject.asked == 1


async def test_refresh_asks_now_even_while_unwanted(wished: Wished, clock: TurnedClock, subject: Subject) -> None:
    wished.be(False)
    subject.value = 7
    assert (await wished.poller.refresh()).value == 7
    await clock.turn(100)
    assert subject.asked == 2


async def test_a_longer_reading_waits_until_it_is_wanted() -> None:
    wanted = False
    waiting = asyncio.create_task(until_wanted(lambda: wanted))
    reconsider_all()
    await settle()
    assert not waiting.done()
    wanted = True
    reconsider_all()
    await waiting


async def test_refresh_does_not_take_an_answer_that_was_under_way(poller: Poller[int], subject: Subject) -> None:
    subject.gate = asyncio.Event()
    first = asyncio.create_task(poller.refresh())
    await settle()
    subject.value = 9
    second = asyncio.create_task(poller.refresh())
    await settle()
    assert subject.under_way == 1
    subject.gate.set()
    assert (await first).value == 1
    assert (await second).value == 9
    assert (subject.asked, subject.most_under_way) == (3, 1)


async def test_many_refreshes_are_one_question(poller: Poller[int], subject: Subject) -> None:
    await asyncio.gather(*(poller.refresh() for _ in range(10)))
    assert subject.asked == 2


async def test_a_refresh_that_fails_returns_the_stale_picture(poller: Poller[int], subject: Subject) -> None:
    subject.problem = Unreachable("gone")
    snapshot = await poller.refresh()
    assert (snapshot.value, snapshot.problem) == (1, "gone")


async def test_stopping_lets_waiters_go_and_drops_the_question(poller: Poller[int], subject: Subject) -> None:
    subject.gate = asyncio.Event()
    waiting = asyncio.create_task(poller.refresh())
    await settle()
    await poller.stop()
    assert (await waiting).value == 1
    assert (subject.under_way, poller.running) == (0, False)
    with pytest.raises(RuntimeError):
        await poller.refresh()


async def test_a_stopped_poller_can_be_started_again(poller: Poller[int], clock: TurnedClock, subject: Subject) -> None:
    await poller.stop()
    await clock.turn(10)
    poller.start()
    await settle()
    assert subject.asked == 2


async def test_a_shorter_interval_holds_at_once(poller: Poller[int], clock: TurnedClock, subject: Subject) -> None:
    poller.every(0.5)
    await clock.turn(0.5)
    assert subject.asked == 2


async def test_a_shorter_interval_does_not_hurry_a_failing_engine(
    poller: Poller[int], clock: TurnedClock, subject: Subject
) -> None:
    subject.problem = Unreachable("gone")
    await clock.turn(2)
    poller.every(0.5)
    await clock.turn(0.5)
    assert subject.asked == 2


async def test_the_real_clock_wakes_by_event_and_by_time() -> None:
    clock = RealClock()
    woken = asyncio.Event()
    woken.set()
    await clock.wait(woken, None)
    started = clock.monotonic()
    await clock.wait(asyncio.Event(), 0.01)
    assert clock.monotonic() - started >= 0.009
