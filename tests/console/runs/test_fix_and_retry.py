"""Variables are set before retries are given, wave by wave: what workers see, and what an engine has, is read over HTTP
and with SQL, past the console."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.launch import send
from retriage.console.operations.fix_and_retry import FixAndRetry
from retriage.console.operations.known import operation_of
from retriage.console.operations.set_variables import SetVariables
from retriage.console.operations.variable_values import VariableMistake, typed
from retriage.console.runs.change import RestChange, change_rest
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.events import RunEnded, RunHeld, WaveStep
from retriage.console.runs.gate import Gate
from retriage.console.runs.hold import NOT_SET
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.run_view import NOTHING_SENT
from retriage.console.runs.waves import kept_together, waves_of
from tests.console.operations.test_set_variables import has, put
from tests.console.operations.test_suspension import instances, undone
from tests.console.runs.a_run import OUTAGE, Scene, scene
from tests.store.drawings import FORKED

NUMBER = 24
RIGHT = 130


@dataclass
class Crew:
    """Workers that fail every task but those with the right amount, and keep a book of what they were given."""

    night: Scene
    seen: list[tuple[str, Any]] = field(default_factory=list)

    async def turn(self) -> None:
        await self.night.carry_out()
        body = {"workerId": "w", "maxTasks": 1000, "topics": [{"topicName": "charge", "lockDuration": 60_000}]}
        for task in (await self.night.http.post("/external-task/fetchAndLock", json=body)).json():
            amount = task["variables"].get("amount", {}).get("value")
            self.seen.append((task["processInstanceId"], amount))
            if amount == RIGHT:
                report, order = "complete", {}
            else:
                report, order = "failure", {"errorMessage": OUTAGE, "retries": 0, "retryTimeout": 0}
            answer = await self.night.http.post(
                f"/external-task/{task['id']}/{report}", json={"workerId": "w", **order}
            )
            assert answer.status_code == 204, answer.text


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, NUMBER) as one:
        yield one


async def wronged(night: Scene) -> dict[str, Any]:
    """Every instance has an amount of its own below zero, but for one that has none."""
    for place, id in enumerate(instances(night)[1:], 1):
        await put(night, id, "amount", -place, "Integer")
    return await has(night)


def order(*values: str, waves: str = "10, rest", **other: Any) -> RunOrder:
    fix = SetVariables(given=tuple(map(typed, values)))
    return RunOrder("all", FixAndRetry(1, fix), waves_of(waves), Gate(0.2), watch=20.0, **other)


async def begun(night: Scene, *values: str, waves: str = "10, rest") -> int:
    session, chosen = night.console(), order(*values, waves=waves)
    frozen = await night.frozen(session, chosen)
    assert frozen.operation is not None
    resolved = RunOrder("all", frozen.operation, chosen.waves, chosen.gate, watch=20.0)
    run = await write_down(session, resolved, frozen, driver_name())
    night.forget_driver(run)
    return run


def jobs_of(night: Scene) -> dict[str, int]:
    """Jobs of all batches, by type."""
    return dict(night.sql("SELECT type, sum(total_jobs) FROM batch GROUP BY type"))


async def test_a_wrong_fix_is_held_and_undone_and_the_right_one_passes(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, crew = await wronged(night), Crew(night)
    night.clock.turned = crew.turn
    run = await begun(night, "amount:Integer=7")
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave, held.counts.again) == ("failed-again", 1, 10)
    now = await has(night)
    changed = {id for id in now if now[id] != before[id]}
    assert (len(changed), {now[id] for id in changed}) == (10, {("Integer", 7)})
    assert sorted(crew.seen) == sorted((id, 7) for id in changed), "no worker saw anything but the new value"
    assert jobs_of(night) == {"set-variables": 10, "set-external-task-retries": 10}
    undo, _ = await undone(night, run)
    assert dict(undo.left_alone) == {"again": 10}
    assert await has(night) == before
    assert undo.units == "10 instances"
    crew.seen.clear()
    run = await begun(night, f"amount:Integer={RIGHT}")
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.again) == ("passed", NUMBER, 0)
    assert sorted(crew.seen) == sorted((id, RIGHT) for id in before)
    assert night.sql("SELECT count(*) FROM external_task") == [(0,)]
    assert night.sql("SELECT count(*) FROM process_instance WHERE end_time IS NULL") == [(0,)]


async def test_old_values_and_new_ones_are_in_the_journal_before_anything_is_sent(night: Scene) -> None:
    before = await wronged(night)
    run = await begun(night, f"amount={RIGHT}")
    assert night.sql("SELECT count(*) FROM batch") == [(0,)]
    kept = dict(night.remembered("SELECT process_instance, was FROM run_task"))
    assert kept == {
        id: f'{{"amount": ["Integer", "{had[1]}"]}}' if had else '{"amount": null}' for id, had in before.items()
    }
    found = await night.journal.runs.run(run)
    assert found is not None
    operation = operation_of(found)
    assert (operation.retries, operation.variables, operation.name) == (1, ("amount",), "retry")
    lines = "".join([line async for line in night.journal.runs.lines_of(run, "a")])
    assert '"was"' not in lines


async def test_no_value_stands_in_an_event(night: Scene) -> None:
    await wronged(night)
    session, chosen = night.console(), order("amount=471147")
    frozen = await night.frozen(session, chosen)
    assert frozen.operation is not None
    plan = RunOrder("all", frozen.operation, chosen.waves).plan(frozen)
    assert (plan.record()["instances"], plan.record()["variables"]) == (NUMBER, ["amount"])
    assert "471147" not in str(plan.record()) + frozen.operation.aim
    run = await begun(night, "amount=471147")
    night.clock.turned = Crew(night).turn
    await night.drive(run)
    steps = [event.record() for event in night.told if isinstance(event, WaveStep)]
    assert [(one["state"], one["sent"]) for one in steps] == [
        ("sending", 0), ("setting", 10), ("sent", 10), ("watching", 10),
    ]  # fmt: skip
    assert "471147" not in str([event.record() for event in night.told])


async def test_retries_are_lowered_before_values_are_given_back(night: Scene) -> None:
    """A worker that sees a task while it is undone must not see its old value."""
    before, crew = await wronged(night), Crew(night)
    run = await begun(night, f"amount={RIGHT}", waves="rest")
    night.clock.turned = night.carry_out
    assert isinstance(await night.drive(run), RunHeld)
    assert set((await has(night)).values()) == {("Integer", RIGHT)}
    pauses = 0

    class Pauses:
        @staticmethod
        async def sleep(seconds: float) -> None:
            nonlocal pauses
            pauses += 1
            assert set((await has(night)).values()) == {("Integer", RIGHT)}
            await crew.turn() if pauses > 1 else None

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(send, "asyncio", Pauses)
        undo, sent = await undone(night, run)
    assert pauses
    assert [one.order.plan.operation.name for one in sent] == ["retry"] + ["set"] * (len(sent) - 1)
    assert undo.units == f"{NUMBER} tasks and {NUMBER} instances"
    assert undo.sentences()[:3] == [
        f"{NUMBER} tasks get back 0 retries.",
        f"{NUMBER} instances get back what was in amount.",
        f"It is done by {NUMBER} batches and 1 request, one for each instance, at most 100 a second.",
    ]
    assert dict(undo.left_alone) == {}
    assert crew.seen == []
    assert night.sql("SELECT count(*) FROM external_task WHERE retries = 0") == [(NUMBER,)]
    assert await has(night) == before


async def test_what_changed_or_ended_before_its_wave_or_while_it_is_set_is_left_out(night: Scene) -> None:
    await wronged(night)
    run = await begun(night, f"amount={RIGHT}", waves="rest")
    everyone = instances(night)
    await put(night, everyone[3], "amount", 5, "Integer")
    assert (await night.http.delete(f"/process-instance/{everyone[4]}")).status_code == 204
    crew, turns = Crew(night), 0

    async def turn() -> None:
        nonlocal turns
        if (turns := turns + 1) == 1:
            await night.carry_out()
            await put(night, everyone[5], "amount", 6, "Integer")
            assert (await night.http.delete(f"/process-instance/{everyone[6]}")).status_code == 204
        await crew.turn()

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", NUMBER - 4)
    left = night.remembered("SELECT process_instance, left_out FROM run_task WHERE left_out <> ''")
    assert dict(left) == {everyone[3]: "changed", everyone[4]: "gone", everyone[5]: "changed", everyone[6]: "gone"}
    assert jobs_of(night) == {"set-variables": NUMBER - 2, "set-external-task-retries": NUMBER - 4}
    assert sorted(crew.seen) == sorted((id, RIGHT) for id in everyone if id not in dict(left))


async def test_a_run_that_gave_no_retries_has_not_passed(night: Scene) -> None:
    await wronged(night)
    run = await begun(night, f"amount={RIGHT}", waves="rest")

    async def turn() -> None:
        await night.carry_out()
        for id in instances(night):
            await put(night, id, "amount", 6, "Integer")

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.cause, done.said) == (
        "finished", NOTHING_SENT, f"Nothing was sent: {NUMBER} changed by somebody since."
    )  # fmt: skip
    assert jobs_of(night) == {"set-variables": NUMBER}
    assert night.sql("SELECT count(*) FROM external_task WHERE retries > 0") == [(0,)]


async def test_a_wave_that_is_not_set_gives_no_retries_and_is_set_once_more_on_request(night: Scene) -> None:
    before, crew = await wronged(night), Crew(night)
    run = await begun(night, f"amount={RIGHT}")

    async def deleted() -> None:
        for (batch,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            assert (await night.http.delete(f"/batch/{batch}?cascade=false")).status_code == 204

    night.clock.turned = deleted
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave) == (NOT_SET, 1)
    assert held.said.startswith("10 instances of this wave do not show the new amount")
    assert jobs_of(night) == {"set-variables": 10}
    assert await has(night) == before
    night.clock.turned = crew.turn
    done = await night.drive(run, release=True)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", NUMBER)
    assert jobs_of(night) == {"set-variables": 10 + NUMBER, "set-external-task-retries": NUMBER}


async def test_a_batch_that_does_not_get_on_holds_the_wave_and_is_not_sent_again(night: Scene) -> None:
    before = await wronged(night)
    run = await begun(night, f"amount={RIGHT}")

    async def nothing() -> None: ...

    night.clock.turned = nothing
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave, held.counts.not_set) == (NOT_SET, 1, 10)
    assert (await has(night), jobs_of(night)) == (before, {"set-variables": 10})
    night.clock.turned = Crew(night).turn
    done = await night.drive(run, release=True)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", NUMBER)
    assert jobs_of(night) == {"set-variables": NUMBER, "set-external-task-retries": NUMBER}


async def test_instances_that_show_the_value_already_are_not_set(night: Scene) -> None:
    await wronged(night)
    right = instances(night)[:5]
    for id in right:
        await put(night, id, "amount", RIGHT, "Integer")
    night.clock.turned = Crew(night).turn
    run = await begun(night, f"amount={RIGHT}", waves="rest")
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == NUMBER
    assert jobs_of(night) == {"set-variables": NUMBER - 5, "set-external-task-retries": NUMBER}


async def test_tasks_of_one_instance_are_in_one_wave_also_when_the_rest_is_cut_anew(tmp_path: Path) -> None:
    async with scene(tmp_path, 2) as night:
        parts = {"deployment-name": (None, "forked"), "data": ("order.bpmn", FORKED)}
        assert (await night.http.post("/deployment/create", files=parts)).status_code == 200
        for _ in range(4):
            assert (await night.http.post("/process-definition/key/order/start", json={})).status_code == 200
        night.sql("UPDATE external_task SET retries = 0")
        one = night.sql("SELECT id FROM external_task WHERE topic_name = 'pack' ORDER BY id")[0][0]
        session, chosen = night.console(), order("note=7", waves="3, 2, rest")
        with pytest.raises(VariableMistake, match="no instance has note"):
            await night.frozen(session, chosen)
        fix = SetVariables(given=(typed("note=7"),), new=True)
        chosen = replace(chosen, operation=FixAndRetry(1, fix))
        frozen = await night.frozen(session, chosen, [id for id in await night.ids() if id != one])
        assert dict(frozen.also) == {"others": 1}
        assert frozen.operation is not None
        resolved = replace(chosen, operation=frozen.operation)
        assert sum(resolved.plan(frozen).waves) == 9
        run = await write_down(session, resolved, frozen, "me")
        split = (
            "SELECT count(*) FROM (SELECT 1 FROM run_task GROUP BY process_instance HAVING count(DISTINCT wave) > 1)"
        )
        sizes = "SELECT count(*) FROM run_task GROUP BY wave ORDER BY wave"
        first = [number for (number,) in night.remembered(sizes)]
        assert (night.remembered(split), tuple(first)) == ([(0,)], resolved.plan(frozen).waves)
        await change_rest(night.journal.runs, run, "me", RestChange(waves_of("1, 1, 1, 1, 1, rest")))
        again = [number for (number,) in night.remembered(sizes)]
        assert (night.remembered(split), sum(again)) == ([(0,)], 9)
        assert len(again) == 6, "one for each instance"


class Killed(BaseException):
    """The console is gone in the midst of a request: it never heard of the answer."""


class Mortal(httpx.AsyncBaseTransport):
    """Passes requests on. From the order that sets variables on, nobody hears the answer to the first request to
    ``path``, or to the one that comes ``later`` requests after it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, path: str, later: int) -> None:
        self._inner, self._path, self._left = inner, path, later
        self._set = self._counts = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        self._set = self._set or request.url.path.endswith("/variables-async")
        self._counts = self._counts or (self._set and request.url.path.endswith(self._path))
        if self._counts:
            self._left -= 1
        if self._left < 0:
            raise Killed
        return answer


@pytest.mark.parametrize(
    ("path", "later"),
    [
        ("/variables-async", 0),
        ("/variables-async", 1),
        ("/statistics", 0),
        ("/variable-instance", 0),
        ("/external-task", 0),
        ("/retries-async", 0),
        ("/retries-async", 1),
        ("/retries-async", 4),
    ],
)
async def test_a_console_that_is_killed_between_two_steps_neither_doubles_nor_forgets(
    tmp_path: Path, path: str, later: int
) -> None:
    async with scene(tmp_path, 4) as night:
        for id in instances(night):
            await put(night, id, "amount", -1, "Integer")
        crew = Crew(night)
        night.clock.turned = crew.turn
        run = await begun(night, f"amount={RIGHT}", waves="2, rest")
        living, night.transport = night.transport, Mortal(night.transport, path, later)  # type: ignore[assignment]
        with pytest.raises(Killed):
            await night.drive(run)
        night.transport = living
        night.forget_driver(run)
        done = await night.drive(run)
        assert isinstance(done, RunEnded), done
        assert (done.state, done.counts.done) == ("passed", 4)
        assert jobs_of(night) == {"set-variables": 4, "set-external-task-retries": 4}
        assert sorted(crew.seen) == [(id, RIGHT) for id in sorted(id for id, _ in crew.seen)]
        assert len(crew.seen) == 4


@pytest.mark.parametrize(
    ("sizes", "instances", "kept"),
    [
        ([2, 3], "aabbc", [2, 3]),
        ([1, 4], "aabbc", [2, 3]),
        ([1, 1, 3], "aaabc", [3, 1, 1]),
        ([3, 2], "abbbb", [5]),
        ([2, 2], [None] * 4, [2, 2]),
    ],
)
def test_an_instance_is_never_split_across_waves(
    sizes: list[int], instances: list[str | None], kept: list[int]
) -> None:
    assert kept_together(sizes, list(instances)) == kept
