"""Counting before a launch: filters must intersect, never replace each other."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.engine.connect import Demo, Embedded, connect
from console.triage.narrow import Trait, among, narrowed
from console.triage.selection import Everything, Marked, Selection
from console.triage.settle import listed, living, settled
from console.triage.survey import SLICE, survey
from store.contract.queries import ExternalTaskQuery, VariableFilter
from store.contract.records import ExternalTask
from tests.console.tasks_of import Tasks, matches, task

FLAG = st.sampled_from([None, False, True])
IDS = [f"t{number}" for number in range(12)]

query_strategy = st.builds(
    ExternalTaskQuery,
    topic_name=st.sampled_from([None, "a", "b"]),
    locked=FLAG,
    not_locked=FLAG,
    with_retries_left=FLAG,
    no_retries_left=FLAG,
    active=FLAG,
    suspended=FLAG,
    external_task_id_in=st.one_of(st.none(), st.lists(st.sampled_from(IDS), max_size=6)),
)
ids_strategy = st.frozensets(st.sampled_from([*IDS, "gone"]), max_size=6)
task_strategy = st.builds(
    task,
    id=st.sampled_from(IDS),
    retries=st.sampled_from([None, 0, 0, 1, 3]),
    locked=st.booleans(),
    suspended=st.booleans(),
    topic=st.sampled_from(["a", "b"]),
)
tasks_strategy = st.lists(task_strategy, unique_by=lambda task: task.id, max_size=12)
selection_strategy = st.one_of(st.builds(Marked, ids_strategy), st.builds(Everything, query_strategy, ids_strategy))


def selected(tasks: list[ExternalTask], selection: Selection) -> list[ExternalTask]:
    if isinstance(selection, Marked):
        return [task for task in tasks if task.id in selection.ids]
    return [task for task in tasks if matches(task, selection.query) and task.id not in selection.but]


@settings(deadline=None)
@given(tasks_strategy, selection_strategy)
async def test_a_survey_counts_what_is_selected(tasks: list[ExternalTask], selection: Selection) -> None:
    facts = await survey(Tasks(tasks), selection)
    taken = selected(tasks, selection)
    assert facts.found == len(taken)
    assert facts.asked == (len(selection.ids) if isinstance(selection, Marked) else len(taken))
    assert facts.no_retries == sum(task.retries == 0 for task in taken)
    assert facts.locked == sum(task.lock_expiration_time is not None for task in taken)
    assert facts.suspended == sum(task.suspended for task in taken)
    assert facts.looked
    assert facts.retries == Counter(task.retries for task in taken if task.retries != 0)
    assert facts.never_failed == sum(task.retries is None for task in taken)


@pytest.mark.parametrize(
    ("query", "trait"),
    [
        (ExternalTaskQuery(with_retries_left=True), "no_retries"),
        (ExternalTaskQuery(no_retries_left=True), "retries_left"),
        (ExternalTaskQuery(not_locked=True), "locked"),
        (ExternalTaskQuery(active=True), "suspended"),
    ],
)
async def test_the_opposite_filter_is_nothing_and_not_asked(query: ExternalTaskQuery, trait: Trait) -> None:
    assert narrowed(query, trait) is None
    tasks = Tasks([task("t1", 0, locked=True, suspended=True)])
    await survey(tasks, Everything(query))
    assert len(tasks.asked) == 4


async def test_marked_ids_are_asked_in_slices() -> None:
    ids = frozenset(f"t{number:05}" for number in range(2 * SLICE + 1))
    tasks = Tasks(task(id) for id in ids)
    facts = await survey(tasks, Marked(ids | {"gone"}))
    assert (facts.asked, facts.found, facts.gone) == (2 * SLICE + 2, 2 * SLICE + 1, 1)
    assert max(len(query.external_task_id_in or []) for query in tasks.asked) == SLICE


async def test_no_marks_ask_nothing_at_all() -> None:
    tasks = Tasks([task("t1")])
    facts = await survey(tasks, Marked(frozenset()))
    assert (facts.asked, facts.found, tasks.asked) == (0, 0, [])


async def test_many_with_retries_left_are_counted_and_not_listed() -> None:
    tasks = Tasks([task(f"t{number}", 3) for number in range(20)])
    facts = await survey(tasks, Everything(ExternalTaskQuery()), look=10)
    assert (facts.retries_left, facts.looked, facts.never_failed, tasks.pages) == (20, False, None, 0)


def test_ids_that_a_query_does_not_allow_are_none_and_never_an_empty_list() -> None:
    assert among(ExternalTaskQuery(external_task_id_in=["a"]), ["b"]) is None
    assert among(ExternalTaskQuery(), []) is None
    found = among(ExternalTaskQuery(external_task_id_in=["a", "b"]), ["b", "c"])
    assert found is not None
    assert found.external_task_id_in == ["b"]


async def test_a_selection_that_a_query_can_say_is_left_alone() -> None:
    tasks = Tasks([])
    for selection in (Marked(frozenset("a")), Everything(ExternalTaskQuery(topic_name="a"))):
        assert await settled(tasks, selection) is selection
    assert tasks.pages == 0


async def test_what_was_taken_out_is_listed_by_id() -> None:
    tasks = Tasks([task(f"t{number:04}", topic="ab"[number % 2]) for number in range(4500)])
    told: list[int] = []
    selection = Everything(ExternalTaskQuery(topic_name="a"), frozenset({"t0000", "t0001"}))
    found = await settled(tasks, selection, told.append)
    assert found == Marked(frozenset(f"t{number:04}" for number in range(2, 4500, 2)))
    assert told == sorted(told)
    assert told[-1] == 2249


async def test_variables_are_listed_by_id_as_camunda_cannot_launch_by_them() -> None:
    query = ExternalTaskQuery(process_variables=[VariableFilter(name="x", operator="eq", value=1)])
    assert await settled(Tasks([task("t1")]), Everything(query)) == Marked(frozenset({"t1"}))


async def test_tasks_that_end_while_the_list_is_read_hide_no_other() -> None:
    ids = [f"t{number:04}" for number in range(5000)]
    tasks = Tasks([task(id) for id in ids])
    vanishing = [ids[:400], ids[400:1500], [], ids[2000:2100], ids[1500:1800]]
    stay = set(ids).difference(*vanishing)
    with tasks.losing(iter(vanishing)):
        found = await listed(tasks, Everything(ExternalTaskQuery()))
    assert stay <= found


async def test_a_list_that_empties_while_it_is_read_ends() -> None:
    ids = [f"t{number:04}" for number in range(3000)]
    tasks = Tasks([task(id) for id in ids])
    with tasks.losing(iter([ids])):
        found = await listed(tasks, Everything(ExternalTaskQuery()))
    assert found == set(ids[:1000])


async def test_the_living_among_ids() -> None:
    ids = {f"t{number:04}" for number in range(1500)}
    tasks = Tasks([task(id) for id in ids])
    assert await living(tasks, frozenset(ids | {"gone", "gone too"})) == ids
    assert await living(tasks, frozenset()) == frozenset()


async def test_a_survey_of_the_embedded_engine(tmp_path: Path) -> None:
    async with connect(Embedded(str(tmp_path / "s.db"), Demo(tasks=400, seed=7, workers=False))) as client:
        everything = await client.external_tasks(ExternalTaskQuery(), 0, 1000)
        facts = await survey(client, Everything(ExternalTaskQuery()))
        assert facts.found == len(everything) == 400
        assert facts.no_retries == sum(task.retries == 0 for task in everything) > 0
        assert facts.suspended == sum(task.suspended for task in everything) > 0
        assert facts.locked <= sum(task.worker_id is not None for task in everything)
        assert facts.retries == Counter(task.retries for task in everything if task.retries != 0)
        ids = frozenset(task.id for task in everything[:50])
        some = await survey(client, Marked(ids | {"gone"}))
        assert (some.asked, some.found, some.gone) == (51, 50, 1)
        rest = await settled(client, Everything(ExternalTaskQuery(), but=ids))
        assert rest == Marked(frozenset(task.id for task in everything) - ids)
