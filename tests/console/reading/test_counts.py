"""Counting before a launch: filters must intersect, never replace each other."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriage.console.engine.connect import Demo, Embedded, connect
from retriage.console.reading.counts import SelectionCounts, count_selection
from retriage.console.reading.narrowed_queries import Trait, among, narrowed
from retriage.console.reading.pages import PAGE
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Composed, Everything, Marked
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.contract.records import ExternalTask
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


def selected(tasks: list[ExternalTask], selection: Marked | Everything) -> list[ExternalTask]:
    if isinstance(selection, Marked):
        return [task for task in tasks if task.id in selection.ids]
    return [task for task in tasks if matches(task, selection.query) and task.id not in selection.but]


def agree(facts: SelectionCounts, taken: list[ExternalTask]) -> None:
    assert facts.found == len(taken)
    assert facts.no_retries == sum(task.retries == 0 for task in taken)
    held = [task for task in taken if task.lock_expiration_time is not None]
    # A count takes them for retry times; no log and no incident of these tasks proves that.
    assert facts.delayed == (sum(task.retries == 0 for task in held) if facts.unsure is None else 0)
    assert facts.locked == len(held) - facts.delayed
    assert facts.suspended == sum(task.suspended for task in taken)
    assert facts.looked
    assert facts.retries == Counter(task.retries for task in taken if task.retries != 0)
    assert facts.retries.get(None, 0) == sum(task.retries is None for task in taken)


@settings(deadline=None)
@given(tasks_strategy, query_strategy)
async def test_a_survey_counts_what_a_query_matches(tasks: list[ExternalTask], query: ExternalTaskQuery) -> None:
    facts = await count_selection(Tasks(tasks), query)
    taken = selected(tasks, Everything(query))
    agree(facts, taken)
    assert facts.asked == len(taken)
    failed = [task for task in taken if task.retries == 0]
    if facts.failed_suspended is not None:
        assert facts.failed_suspended == sum(task.suspended for task in failed)
    else:
        assert len(failed) in (0, len(taken))


@settings(deadline=None)
@given(tasks_strategy, selection_strategy)
async def test_a_roll_holds_what_is_selected(tasks: list[ExternalTask], selection: Marked | Everything) -> None:
    engine = Tasks(tasks)
    selected_tasks = await read_selected_tasks(engine, selection)
    assert selected_tasks is not None
    taken = selected(tasks, selection)
    assert selected_tasks.retries == {task.id: task.retries for task in taken}
    agree(selected_tasks.facts(), taken)
    assert set(selected_tasks.gone) == (selection.ids if isinstance(selection, Marked) else set()) - {
        task.id for task in taken
    }
    assert selected_tasks.topics == Counter(task.topic_name for task in taken)
    for value in (0, 1, 5):
        assert selected_tasks.facts().above(value) == sum((task.retries or 0) > value for task in taken)


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
    await count_selection(tasks, query)
    assert query in tasks.asked
    assert all(narrowed(asked, trait) is None for asked in tasks.asked)


async def test_ids_are_asked_in_slices() -> None:
    ids = frozenset(f"t{number:05}" for number in range(2 * PAGE + 1))
    tasks = Tasks(task(id) for id in ids)
    selected_tasks = await read_selected_tasks(tasks, Marked(ids | {"gone"}))
    assert selected_tasks is not None
    facts = selected_tasks.facts()
    assert (facts.asked, facts.found, facts.gone) == (2 * PAGE + 2, 2 * PAGE + 1, 1)
    assert tasks.pages == 3


async def test_no_marks_ask_nothing_at_all() -> None:
    tasks = Tasks([task("t1")])
    selected_tasks = await read_selected_tasks(tasks, Marked(frozenset()))
    assert selected_tasks is not None
    assert (selected_tasks.facts().asked, selected_tasks.retries, tasks.pages) == (0, {}, 0)


async def test_many_with_retries_left_are_counted_and_not_listed() -> None:
    tasks = Tasks([task(f"t{number}", 3) for number in range(20)])
    facts = await count_selection(tasks, ExternalTaskQuery(), look=10)
    assert (facts.retries_left, facts.looked, tasks.pages) == (20, False, 1)
    assert facts.above(5) == 20


def test_ids_that_a_query_does_not_allow_are_none_and_never_an_empty_list() -> None:
    assert among(ExternalTaskQuery(external_task_id_in=["a"]), ["b"]) is None
    assert among(ExternalTaskQuery(), []) is None
    found = among(ExternalTaskQuery(external_task_id_in=["a", "b"]), ["b", "c"])
    assert found is not None
    assert found.external_task_id_in == ["b"]


async def test_progress_is_told_and_too_many_are_not_read() -> None:
    tasks = Tasks([task(f"t{number:04}", topic="ab"[number % 2]) for number in range(4500)])
    told: list[int] = []
    selection = Everything(ExternalTaskQuery(topic_name="a"), frozenset({"t0000", "t0001"}))
    selected_tasks = await read_selected_tasks(tasks, selection, told.append)
    assert selected_tasks is not None
    assert selected_tasks.retries.keys() == {f"t{number:04}" for number in range(2, 4500, 2)}
    assert told == sorted(told)
    assert told[-1] == 2249
    tasks.pages = 0
    assert await read_selected_tasks(tasks, selection, most=1000) is None
    assert tasks.pages == 3


async def test_tasks_that_end_while_the_list_is_read_hide_no_other() -> None:
    ids = [f"t{number:04}" for number in range(5000)]
    tasks = Tasks([task(id) for id in ids])
    vanishing = [ids[:400], ids[400:1500], [], ids[2000:2100], ids[1500:1800]]
    stay = set(ids).difference(*vanishing)
    with tasks.losing(iter(vanishing)):
        selected_tasks = await read_selected_tasks(tasks, Everything(ExternalTaskQuery()))
    assert selected_tasks is not None
    assert stay <= selected_tasks.retries.keys()


async def test_a_list_that_empties_while_it_is_read_ends() -> None:
    ids = [f"t{number:04}" for number in range(3000)]
    tasks = Tasks([task(id) for id in ids])
    with tasks.losing(iter([ids])):
        selected_tasks = await read_selected_tasks(tasks, Everything(ExternalTaskQuery()))
    assert selected_tasks is not None
    assert selected_tasks.retries.keys() == set(ids[:PAGE])


async def test_a_part_of_a_roll_has_only_its_tasks() -> None:
    selected_tasks = await read_selected_tasks(
        Tasks([task("t1", 2), task("t2", 0), task("t3")]), Everything(ExternalTaskQuery())
    )
    assert selected_tasks is not None
    part = selected_tasks.only(["t2", "t3", "gone"])
    assert part.retries == {"t2": 0, "t3": 0}
    assert part.gone == ["gone"]


async def test_the_union_of_all_sources_is_read_from_the_embedded_engine(tmp_path: Path) -> None:
    async with connect(Embedded(str(tmp_path / "s.db"), Demo(tasks=400, seed=7, workers=False))) as client:
        everything = await client.external_tasks(ExternalTaskQuery(), 0, 1000)
        facts = await count_selection(client, ExternalTaskQuery())
        assert facts.found == len(everything) == 400
        assert facts.no_retries == sum(task.retries == 0 for task in everything) > 0
        assert facts.suspended == sum(task.suspended for task in everything) > 0
        assert facts.retries == Counter(task.retries for task in everything if task.retries != 0)
        oldest = min(task.create_time for task in everything if task.create_time and task.retries == 0)
        assert facts.sample[0].create_time == oldest
        by_instance, by_key, by_topic = everything[7], everything[30], everything[60]
        sources = SetExternalTaskRetries(
            external_task_ids=[everything[0].id, "gone"],
            process_instance_ids=[by_instance.process_instance_id],
            external_task_query=ExternalTaskQuery(topic_name=by_topic.topic_name),
            process_instance_query=ProcessInstanceQuery(business_key=by_key.business_key),
            historic_process_instance_query=HistoricProcessInstanceQuery(
                process_definition_key=by_key.process_definition_key, unfinished=True
            ),
        )
        selected_tasks = await read_selected_tasks(client, Composed(sources))
        assert selected_tasks is not None
        assert selected_tasks.retries == {
            task.id: task.retries
            for task in everything
            if task.id == everything[0].id
            or task.process_instance_id == by_instance.process_instance_id
            or task.topic_name == by_topic.topic_name
            or task.business_key == by_key.business_key
            or task.process_definition_key == by_key.process_definition_key
        }
