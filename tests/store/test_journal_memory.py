"""What the journal remembers: filters, launches, and what the tasks had before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from retriage.store.journal import Journal, NewLaunch, TaskBefore
from retriage.store.journal.journal import PIECE
from retriage.store.journal.saved import KEPT

HERE, THERE = "https://here/engine-rest", "https://there/engine-rest"


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def launched(journal: Journal, tasks: list[tuple[str, int | None]], batch: str, **other: object) -> int:
    values = {"engine": HERE, "url": HERE, "user": "ann", "retries": 3, "request": "{}", "tasks": len(tasks)}
    number = await journal.begin(NewLaunch(**(values | other)))  # type: ignore[arg-type]
    await journal.add_tasks(number, tasks)
    await journal.sent(number, len(tasks))
    await journal.ended(number, "launched", batch_id=batch, jobs=len(tasks))
    return number


async def test_saved_filters_belong_to_an_engine_and_a_subject(journal: Journal) -> None:
    await journal.save_query(HERE, "tasks", "psp", "retries:0 topic:charge")
    await journal.save_query(HERE, "tasks", "all", "")
    await journal.save_query(HERE, "tasks", "psp", "retries:0")
    await journal.save_query(HERE, "jobs", "psp", "type:x")
    await journal.save_query(THERE, "tasks", "other", "topic:y")
    assert [(q.name, q.text) for q in await journal.saved_queries(HERE, "tasks")] == [("all", ""), ("psp", "retries:0")]
    assert (await journal.saved_queries(HERE, "tasks"))[1].saved_at.tzinfo is not None
    assert await journal.forget_query(HERE, "tasks", "psp")
    assert not await journal.forget_query(HERE, "tasks", "psp")
    assert [q.name for q in await journal.saved_queries(HERE, "tasks")] == ["all"]
    assert [q.name for q in await journal.saved_queries(HERE, "jobs")] == ["psp"]


async def test_used_texts_are_kept_once_newest_first_and_not_for_ever(journal: Journal) -> None:
    for text in ("a", "b", "a", "c'; DROP TABLE launch; --"):
        await journal.remember(HERE, "tasks", text)
    assert await journal.recent(HERE, "tasks") == ["c'; DROP TABLE launch; --", "a", "b"]
    assert await journal.recent(HERE, "tasks", 1) == ["c'; DROP TABLE launch; --"]
    assert await journal.recent(HERE, "jobs") == []
    for number in range(KEPT + 5):
        await journal.remember(HERE, "jobs", f"text {number}")
    kept = await journal.recent(HERE, "jobs", KEPT * 2)
    assert len(kept) == KEPT
    assert (kept[0], kept[-1]) == (f"text {KEPT + 4}", "text 5")
    assert len(await journal.recent(HERE, "tasks")) == 3


async def test_a_launch_is_written_down_before_it_is_sent(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    number = await journal.begin(NewLaunch(HERE, HERE, "ann", 3, '{"retries": 3}', 2, "2 marked tasks", "INC-1"))
    past = await journal.add_tasks(number, [("t1", 0), ("t2", None)])
    assert past == 2
    (launch,) = await journal.launches(HERE)
    assert (launch.state, launch.listed, launch.ended_at) == ("preparing", None, None)
    await journal.sent(number, 2)
    await journal.close()

    journal = await Journal.open(tmp_path / "journal.db")
    (launch,) = await journal.launches(HERE)
    assert (launch.state, launch.listed, launch.reason, launch.title) == ("sent", 2, "INC-1", "2 marked tasks")
    assert await journal.tasks(number) == [TaskBefore("t1", 0), TaskBefore("t2", None)]
    await journal.ended(number, "launched", batch_id="b41", jobs=2)
    launch = (await journal.launches(HERE))[0]
    assert (launch.state, launch.batch_id, launch.jobs) == ("launched", "b41", 2)
    assert launch.ended_at is not None
    assert launch.ended_at >= launch.began_at
    assert await journal.launch(number) == launch == await journal.launch_of("b41")
    assert await journal.launch_of("b42") is None
    assert await journal.launch(number + 1) is None
    assert await journal.launches(THERE) == []
    await journal.close()


async def test_many_tasks_come_back_in_order_and_in_pieces(journal: Journal) -> None:
    tasks: list[tuple[str, int | None]] = [(f"t{number:05}", number % 3 or None) for number in range(PIECE * 2 + 7)]
    number = await launched(journal, tasks, "b1")
    launch = await journal.launch(number)
    assert launch is not None
    pieces = [piece async for piece in journal.all_tasks(launch)]
    assert [len(piece) for piece in pieces] == [PIECE, PIECE, 7]
    assert [task for piece in pieces for task in piece] == tasks
    assert await journal.tasks(number, PIECE * 2) == tasks[PIECE * 2 :]
    assert await journal.tasks(number, 5, 2) == tasks[5:7]
    third = len([1 for _, retries in tasks if retries == 1])
    assert await journal.former(number) == {None: len(tasks) - 2 * third, 1: third, 2: third}


async def test_tasks_named_in_the_request_are_told_from_those_of_its_query(journal: Journal) -> None:
    number = await journal.begin(NewLaunch(HERE, HERE, "ann", 3, "{}", 3))
    past = await journal.add_tasks(number, [("named", 0)])
    assert await journal.add_tasks(number, [("q1", 0), ("q2", 2)], first=past, named=False) == 3
    await journal.sent(number, 3)
    launch = await journal.launch(number)
    assert launch is not None
    named = [task async for piece in journal.all_tasks(launch, named=True) for task in piece]
    others = [task.task_id async for piece in journal.all_tasks(launch, named=False) for task in piece]
    assert (named, others) == ([TaskBefore("named", 0)], ["q1", "q2"])


async def test_newest_launches_first(journal: Journal) -> None:
    for number in range(4):
        await launched(journal, [(f"t{number}", 0)], f"b{number}")
    await launched(journal, [("x", 0)], "there", engine=THERE)
    assert [launch.batch_id for launch in await journal.launches(HERE, 3)] == ["b3", "b2", "b1"]


async def test_who_was_retried_before(journal: Journal) -> None:
    first = await launched(journal, [("t1", 0), ("t2", 0)], "b1")
    second = await launched(journal, [("t2", 0), ("t3", 0)], "b2")
    await launched(journal, [("t4", 3)], "b3", retries=0)
    await launched(journal, [("t5", 3)], "b4", undoes=first)
    await launched(journal, [("t6", 0)], "b5", engine=THERE)
    for number, state in enumerate(("refused", "unsent", "unknown")):
        other = await journal.begin(NewLaunch(HERE, HERE, "ann", 3, "{}", 2))
        await journal.add_tasks(other, [(f"t{number + 7}", 0), ("t1", 0)])
        await journal.ended(other, state, said="no")
    found = await journal.earlier(HERE, [f"t{number}" for number in range(12_000)])
    assert {task: (earlier.launch_id, earlier.batch_id) for task, earlier in found.items()} == {
        "t1": (first, "b1"),
        "t2": (second, "b2"),
        "t3": (second, "b2"),
    }


async def test_an_undone_launch_does_not_count_for_the_tasks_that_it_set_back(journal: Journal) -> None:
    first = await launched(journal, [("t1", 0), ("t2", 0)], "b1")
    second = await launched(journal, [("t1", 0), ("t2", 0), ("t3", 0)], "b2")
    undo = await launched(journal, [("t2", 3), ("t3", 3)], "b3", undoes=second, retries=0)
    refused = await journal.begin(NewLaunch(HERE, HERE, "ann", 0, "{}", 1, undoes=second))
    await journal.add_tasks(refused, [("t1", 3)])
    await journal.ended(refused, "refused", said="no")
    ids = ["t1", "t2", "t3"]
    found = await journal.earlier(HERE, ids)
    assert {task: earlier.launch_id for task, earlier in found.items()} == {"t1": second, "t2": first}
    assert {task: earlier.launch_id for task, earlier in (await journal.undone(HERE, ids)).items()} == {
        "t2": undo,
        "t3": undo,
    }
    assert await journal.set_back(second) == {"t2", "t3"}
    assert await journal.set_back(first) == set()


async def test_which_batches_cover_the_same_tasks(journal: Journal) -> None:
    await launched(journal, [("t1", 0), ("t2", 0)], "b1")
    await launched(journal, [("t2", 0), ("t9000", 0)], "b2")
    await launched(journal, [("t1", 0)], "b3")
    ids = [f"t{number}" for number in range(10_000)]
    assert await journal.covered(["b1", "b2", "unknown"], ids) == {"b1": 2, "b2": 2}
    assert await journal.covered([], ids) == {}
    assert await journal.covered(["b1"], []) == {}


async def test_two_consoles_have_the_same_journal_open(tmp_path: Path) -> None:
    one, other = await Journal.open(tmp_path / "journal.db"), await Journal.open(tmp_path / "journal.db")
    first = await launched(one, [("t1", 0)], "b1")
    second = await launched(other, [("t1", 0)], "b2")
    assert second > first
    assert [launch.batch_id for launch in await one.launches(HERE)] == ["b2", "b1"]
    await one.close()
    await other.close()
