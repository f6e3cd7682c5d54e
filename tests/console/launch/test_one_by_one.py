"""Instances get back what they had by a request each. What they have is read over HTTP past the console, and a book
between console and engine keeps what the engine was asked and has carried out."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from retriage.console.launch import one_by_one
from retriage.console.launch.launch_events import GivenBack, LaunchEvent
from retriage.console.launch.send import Sent, send_launch, send_launches
from retriage.console.launch.undo import Undo, undo_of_run
from retriage.console.operations.set_variables import MOST_WAYS
from retriage.console.screens.journal.rows import facts, row_of
from retriage.console.screens.runs.rows import step_rows
from retriage.console.session.session import Session
from retriage.store.journal import Journal
from tests.console.operations.test_set_variables import ALL, begun, has, operation, put
from tests.console.operations.test_suspension import instances
from tests.console.runs.a_run import Scene, scene
from tests.support.fault_proxy import Answer, Drop, engine_error, page

NUMBER = 8
OURS = ("Integer", 130)
CHANGE = re.compile(r"/process-instance/([^/]+)/variables$")


class Killed(BaseException):
    """The console is gone in the midst of a request, or of writing."""


class Book(httpx.AsyncBaseTransport):
    """Passes requests on, and counts by instance those that have changed its variables."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.carried_out: Counter[str] = Counter()
        self.sent: list[str] = []
        """Instances in the order in which changes of theirs were asked for."""
        self.before: Callable[[str], Awaitable[None]] | None = None
        """What happens in the world before the change of an instance is passed on."""
        self.killed_at: tuple[int, bool] | None = None
        """After so many changes the console is gone, before or after the engine has carried the last one out."""
        self.dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise Killed
        found = CHANGE.search(request.url.path) if request.method == "POST" else None
        if found is None:
            return await self._inner.handle_async_request(request)
        self.sent.append(found[1])
        if self.before is not None:
            await self.before(found[1])
        last = self.killed_at is not None and len(self.sent) > self.killed_at[0]
        if last and self.killed_at is not None and not self.killed_at[1]:
            self.dead = True
            raise Killed
        answer = await self._inner.handle_async_request(request)
        self.carried_out[found[1]] += answer.status_code == 204
        if last:
            self.dead = True
            raise Killed
        return answer


@pytest.fixture
async def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Groups of three, so that a few instances are several of them."""
    monkeypatch.setattr(one_by_one, "GROUP", 3)
    monkeypatch.setattr(one_by_one, "EVERY", 0.0)
    async with scene(tmp_path, NUMBER) as one:
        one.works = False
        yield one


def booked(night: Scene) -> Book:
    book = Book(night.transport)
    night.transport = book  # type: ignore[assignment]
    return book


def at_work(night: Scene) -> list[Any]:
    """Undos that the pages show as begun."""
    return night.remembered(
        "SELECT id FROM launch WHERE undoes_run IS NOT NULL AND state = 'launched' AND ended_at IS NULL"
    )


async def set_where_absent(night: Scene) -> int:
    """A run that has set a variable that nobody had."""
    run = await begun(night, operation("amount:Integer=130", new=True))
    await night.drive(run)
    assert set((await has(night)).values()) == {OURS}
    return run


async def looked(night: Scene, run: int) -> tuple[Session, Undo]:
    session, found = night.console(), await night.journal.runs.run(run)
    assert found is not None
    return session, await undo_of_run(session, found)


async def sent(session: Session, undo: Undo) -> GivenBack:
    """Send the undo; returns how its last part ended."""
    told: list[LaunchEvent] = []

    async def send(order: Any) -> Sent:
        return Sent(order, await send_launch(session, order, told.append), told)

    await send_launches(session, undo.launches(), send)
    end = told[-1]
    assert isinstance(end, GivenBack)
    assert end.over
    return end


async def undone(night: Scene, run: int) -> tuple[Undo, GivenBack]:
    session, undo = await looked(night, run)
    return undo, await sent(session, undo)


async def test_what_was_absent_is_taken_away_and_what_differs_is_given_back_each_by_a_request(tmp_path: Path) -> None:
    async with scene(tmp_path, MOST_WAYS + 6) as night:
        night.works = False
        everyone = instances(night)
        for place, id in enumerate(everyone[2:]):
            await put(night, id, "amount", max(place, 1), "Long" if place == 7 else "Integer")
        before = await has(night)
        chosen = operation("amount:Integer=0")
        client = await night.console().connection.opened()
        frozen = await chosen.freeze(client, ALL, client.engine_now())
        assert frozen.one_by_one == 2 + 52
        run = await begun(night, chosen)
        await night.drive(run)
        book = booked(night)
        undo, end = await undone(night, run)
        await night.carry_out()
        assert (undo.count, dict(undo.left_alone), len(undo.back)) == (MOST_WAYS + 6, {}, 2)
        assert undo.sentences()[:2] == [
            f"{MOST_WAYS + 6} instances get back what was in amount.",
            "It is done by 1 batch and 54 requests, one for each instance, at most 100 a second.",
        ]
        assert await has(night) == before
        assert book.carried_out == dict.fromkeys({*everyone[:2], *everyone[4:]}, 1)
        assert (end.sentence, end.rest) == ("54 of 54 instances got back what they had.", 0)
        assert night.sql("SELECT total_jobs FROM batch ORDER BY total_jobs") == [(2,), (MOST_WAYS + 6,)]
        again = (await looked(night, run))[1]
        assert (again.count, dict(again.left_alone)) == (0, {"undone": MOST_WAYS + 6})


async def test_each_result_is_in_the_journal_and_no_value(night: Scene) -> None:
    run = await set_where_absent(night)
    await undone(night, run)
    found = (
        "SELECT id, state, batch_id, tasks, listed, jobs, arguments, request, ended_at FROM launch WHERE undoes_run = ?"
    )
    ((launch, *row, ended),) = night.remembered(found, run)
    assert row == ["launched", None, NUMBER, NUMBER, NUMBER, '{"oneByOne": ["amount"]}', "{}"]
    assert ended is not None
    rows = night.remembered("SELECT task_id, outcome FROM launch_task WHERE launch_id = ?", launch)
    assert dict(rows) == dict.fromkeys(instances(night), "done")
    kept = await night.journal.launch(launch)
    assert kept is not None
    assert "one by one" in str([cell.text for cell in row_of(kept, None, kept.began_at).cells])
    assert f"{NUMBER} got back what they had" in str(facts(kept, None))
    (shown,) = step_rows([], [], [kept])
    assert [cell.text for cell in shown.cells][2:] == [
        "undone", f"{NUMBER} instances to get back what each had in amount, one by one"
    ]  # fmt: skip
    # A colleague who takes the run over knows what was given back.
    lines = [line async for line in night.journal.runs.lines_of(run, "a")]
    other = await night.journal.runs.take_over(lines, "e")
    ours = [one.id for one in await night.journal.runs.launches(other)]
    assert await night.journal.set_back(ours[0]) == set(instances(night))


async def test_it_is_paced(night: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await set_where_absent(night)
    book, waits = booked(night), list[int]()

    class Limit:
        def __init__(self, *, every: float) -> None:
            assert every == one_by_one.EVERY

        async def wait(self) -> None:
            waits.append(len(book.sent))

    monkeypatch.setattr(one_by_one, "PageLimit", Limit)
    await undone(night, run)
    assert waits == [0, 3, 6]


async def test_what_somebody_changed_or_ended_since_the_question_is_left_alone(night: Scene) -> None:
    run = await set_where_absent(night)
    book, everyone = booked(night), instances(night)

    async def meanwhile(id: str) -> None:
        """While the first group is sent."""
        if len(book.sent) == 1:
            await put(night, everyone[4], "amount", 7, "Integer")
            assert (await night.http.delete(f"/process-instance/{everyone[6]}")).status_code == 204

    book.before = meanwhile
    _, end = await undone(night, run)
    assert end.came == {"done": 6, "changed": 1, "gone": 1}
    assert end.sentence == "6 of 8 instances got back what they had; 1 ended; 1 changed by somebody."
    now = await has(night)
    assert now.pop(everyone[4]) == ("Integer", 7)
    assert set(now.values()) <= {None, OURS}
    assert not {everyone[4], everyone[6]} & set(book.sent)


async def test_one_that_ends_while_its_request_is_under_way_has_ended(night: Scene) -> None:
    run = await set_where_absent(night)
    book, everyone = booked(night), instances(night)

    async def meanwhile(id: str) -> None:
        if id == everyone[4]:
            assert (await night.http.delete(f"/process-instance/{id}")).status_code == 204

    book.before = meanwhile
    _, end = await undone(night, run)
    assert (end.came, end.stopped) == ({"done": 7, "gone": 1}, "")
    assert sorted(book.sent) == sorted(everyone)


async def test_the_only_one_of_a_group_may_have_ended_meanwhile(night: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await set_where_absent(night)
    monkeypatch.setattr(one_by_one, "GROUP", 1)
    book, everyone = booked(night), instances(night)

    async def meanwhile(id: str) -> None:
        if id == everyone[4]:
            assert (await night.http.delete(f"/process-instance/{id}")).status_code == 204

    book.before = meanwhile
    _, end = await undone(night, run)
    assert (end.came, end.stopped) == ({"done": 7, "gone": 1}, "")


async def test_a_journal_that_is_full_stops_it_before_anything_more_is_sent(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await set_where_absent(night)
    book = booked(night)

    async def full(*args: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "answered", full)
        _, end = await undone(night, run)
    assert (end.came, end.stopped) == ({"done": 3}, "The journal cannot be written: database or disk is full.")
    assert len(book.sent) == 3
    undo, end = await undone(night, run)
    assert (dict(undo.left_alone), end.came) == ({"before": 3}, {"done": 5})
    assert book.carried_out == dict.fromkeys(instances(night), 1)


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("after", [0, 1, 2, 3, 5, 7])
async def test_a_console_that_is_killed_between_two_requests_goes_on_and_changes_nothing_twice(
    night: Scene, after: int, carried_out: bool
) -> None:
    run = await set_where_absent(night)
    living, everyone = night.transport, instances(night)
    first = booked(night)
    first.killed_at = after, carried_out
    with pytest.raises(Killed):
        await undone(night, run)
    night.transport = living
    second = booked(night)
    session, undo = await looked(night, run)
    assert (await sent(session, undo)).rest == 0 if undo.count else after == NUMBER - 1
    assert first.carried_out + second.carried_out == dict.fromkeys(everyone, 1)
    assert set((await has(night)).values()) == {None}
    assert set(undo.left_alone) <= {"undone", "before"}
    assert at_work(night) == [], "the interrupted one is not at work any more"
    known = night.remembered("SELECT count(*) FROM launch_task WHERE outcome = 'done'")
    assert night.remembered("SELECT sum(jobs) FROM launch WHERE undoes_run = ?", run) == known


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", ["begin", "asking", "answered", "ended"])
async def test_a_console_that_is_killed_while_it_writes_goes_on_and_changes_nothing_twice(
    night: Scene, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    run = await set_where_absent(night)
    book, write = booked(night), getattr(Journal, step)

    async def killed(*args: Any, **named: Any) -> Any:
        if late:
            await write(*args, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Journal, step, killed)
        with pytest.raises(Killed):
            await undone(night, run)
    assert step != "ended" or at_work(night) == [], "every value has an outcome"
    session, undo = await looked(night, run)
    if undo.count:
        await sent(session, undo)
    assert at_work(night) == []
    assert book.carried_out == dict.fromkeys(instances(night), 1)
    assert set((await has(night)).values()) == {None}


async def test_what_was_given_back_and_is_set_again_by_somebody_is_not_undone_twice(night: Scene) -> None:
    run = await set_where_absent(night)
    living, first = night.transport, booked(night)
    first.killed_at = 4, True
    with pytest.raises(Killed):
        await undone(night, run)
    night.transport = living
    known = night.remembered("SELECT task_id FROM launch_task WHERE outcome = 'done'")
    theirs = known[0][0]
    await put(night, theirs, "amount", 130, "Integer")
    book = booked(night)
    await undone(night, run)
    now = await has(night)
    assert (now.pop(theirs), set(now.values()), theirs in book.sent) == (OURS, {None}, False)


async def test_who_may_not_change_some_changes_the_others_and_the_rest_can_be_ordered_later(night: Scene) -> None:
    run = await set_where_absent(night)
    book, everyone = booked(night), instances(night)
    denied = engine_error(403, "AuthorizationException", "not yours")
    for id in everyone[:4]:
        night.faults.play(denied, on=f"^POST .*/process-instance/{id}/variables")
    _, end = await undone(night, run)
    assert (end.came, end.stopped) == ({"refused": 4, "done": 4}, "")
    assert "4 refused (" in end.sentence
    night.faults.clear()
    undo, end = await undone(night, run)
    assert (undo.count, end.came, dict(undo.left_alone)) == (4, {"done": 4}, {"undone": 4})
    assert book.carried_out == dict.fromkeys(everyone, 1)


async def test_an_engine_that_fails_at_all_of_them_is_left_alone(night: Scene) -> None:
    run = await set_where_absent(night)
    book = booked(night)
    night.faults.play(engine_error(500, "ProcessEngineException", "database gone"), on=r"^POST .*/variables$")
    _, end = await undone(night, run)
    assert (end.came, len(book.sent), "database gone" in end.stopped) == ({"refused": 3}, 3, True)
    assert end.sentence.endswith("5 not tried. Order the undo again to go on.")
    night.faults.clear()
    assert (await undone(night, run))[1].came == {"done": 8}


@pytest.mark.parametrize("status", [502, 503])
async def test_a_page_of_a_proxy_in_the_middle_stops_it_and_nothing_is_lost(night: Scene, status: int) -> None:
    run = await set_where_absent(night)
    book, everyone = booked(night), instances(night)

    async def meanwhile(id: str) -> None:
        if len(book.sent) == 5:
            night.faults.play(page(status), on=r"^POST .*/variables$")

    book.before = meanwhile
    _, end = await undone(night, run)
    assert (end.came["unknown"] > 0, end.came["done"] >= 3, bool(end.stopped)) == (True, True, True)
    assert end.came.total() <= 6, "no group is sent after that"
    night.faults.clear()
    undo, end = await undone(night, run)
    assert end.came == {"done": undo.count}
    assert book.carried_out == dict.fromkeys(everyone, 1)
    assert set((await has(night)).values()) == {None}


async def test_a_lost_answer_is_looked_for_and_it_goes_on(night: Scene) -> None:
    run = await set_where_absent(night)
    book = booked(night)
    night.faults.play(Drop(passed_on=True), on=r"^POST .*/variables$", times=2)
    _, end = await undone(night, run)
    assert (end.came, end.stopped) == ({"done": NUMBER}, "")
    assert Counter(book.sent) == dict.fromkeys(instances(night), 1)


async def test_a_refused_connection_stops_it_and_nothing_is_sent(night: Scene) -> None:
    run = await set_where_absent(night)
    session, undo = await looked(night, run)
    client = await session.connection.opened()
    client.guard_orders(lambda: "SAFE: this is PROD.")
    book = booked(night)
    end = await sent(session, undo)
    assert (end.came, end.stopped, book.sent) == ({"unsent": 3}, "SAFE: this is PROD.", [])
    assert night.remembered("SELECT state FROM launch WHERE undoes_run = ?", run) == [("refused",)]
    assert (await undone(night, run))[1].came == {"done": NUMBER}


async def test_of_two_consoles_the_second_goes_on_and_the_first_stops(night: Scene) -> None:
    run = await set_where_absent(night)
    book, ends = booked(night), list[GivenBack]()
    session, undo = await looked(night, run)

    async def meanwhile(id: str) -> None:
        if len(book.sent) == 1:
            other = await looked(night, run)
            book.before = None
            ends.append(await sent(*other))

    book.before = meanwhile
    end = await sent(session, undo)
    assert end.stopped == one_by_one.NOT_THEIRS
    assert ends[0].rest == 0
    assert set((await has(night)).values()) == {None}
    # Only what was under way when the second one looked may have been asked for twice.
    assert {id for id, times in Counter(book.sent).items() if times > 1} <= set(instances(night)[:3])


async def test_a_user_without_the_right_is_told_before_and_nothing_is_sent(night: Scene) -> None:
    run = await set_where_absent(night)
    none = Answer(200, b'{"authorized": false}', "application/json")
    night.faults.play(none, on=r"/authorization/check\?.*permissionName=UPDATE")
    yes = Answer(200, b'{"authorized": true}', "application/json")
    night.faults.play(yes, on=r"/authorization/check\?(?!.*permissionName=UPDATE)")
    book = booked(night)
    _, undo = await looked(night, run)
    assert (undo.count, dict(undo.left_alone)) == (0, {"forbidden": NUMBER})
    assert "which this user has no right to (UPDATE_VARIABLE)" in undo.why_not
    assert book.sent == []
    night.faults.clear()
    just_these = Answer(200, b'{"authorized": true}', "application/json")
    night.faults.play(none, on=r"/authorization/check\?.*permissionName=UPDATE")
    night.faults.play(just_these, on=r"/authorization/check\?.*permissionName=UPDATE_VARIABLE&")
    assert (await looked(night, run))[1].count == NUMBER
