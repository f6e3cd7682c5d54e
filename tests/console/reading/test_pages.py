"""Every list that is read to its end, while its rows end and appear between any two questions.

A row that was there all the time is met, whatever happens to the others, and none is given twice. Equal rows come in
another order with every question, as they may from an engine.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retriage.console.causes import retried_before
from retriage.console.engine.client import EngineClient
from retriage.console.launch import draft_counts
from retriage.console.launch.draft import ALL, SOURCES, Draft, Source
from retriage.console.reading import instance_activity, instance_ids, pages, task_history
from retriage.console.reading.chosen_jobs import ChosenJobs
from retriage.console.reading.filtered_pages import FilteredPages
from retriage.console.reading.incident_pages import IncidentPages
from retriage.console.reading.locks import locked
from retriage.console.reading.pages import Pages, pages_by_id, pieces
from retriage.console.reading.row_filter import RowFilter
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Composed, Everything, Marked
from retriage.console.reading.task_history import TaskLog
from retriage.console.screens.exporting import run
from retriage.console.screens.filtered_list import FilteredList
from retriage.console.screens.incidents.subject import IncidentSubject
from retriage.console.screens.tasks.subject import TaskSubject
from retriage.console.session.news import NewsFeed
from retriage.console.widgets.marks import Marks
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    IncidentQuery,
    JobQuery,
    ProcessInstanceQuery,
    Sorting,
)
from tests.console.reading.shifting_engine import Change, Row, ShiftingEngine

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SMALL = 4
"""Rows of a page here."""
SINCE = NOON - timedelta(days=1)


class Story(NamedTuple):
    """What happens on an engine while it is read."""

    rows: set[int]
    changes: list[Change]
    seed: int


ends = st.sets(st.integers(0, 29).map(lambda number: 2 * number), max_size=6)
begins = st.sets(st.integers(0, 29).map(lambda number: 2 * number + 1), max_size=6)
stories = st.builds(
    Story,
    st.integers(0, 30).map(lambda number: set(range(0, 2 * number, 2))),
    st.lists(st.tuples(ends, begins), max_size=10),
    st.integers(0, 2**32),
)
"""Even rows are there at first and may end, odd ones appear."""


def moment(number: int) -> str:
    """The time of a row: a few rows share one, as those of one transaction do."""
    return f"2026-03-01T12:00:{number // 7 % 60:02d}.000+0000"


def task(number: int) -> Row:
    """An external task, each of its own instance."""
    return {
        "id": f"t-{number:04d}",
        "activityId": "Charge",
        "activityInstanceId": f"ai-{number:04d}",
        "errorMessage": "HTTP 503",
        "executionId": f"e-{number:04d}",
        "lockExpirationTime": None,
        "createTime": moment(number),
        "processDefinitionId": "order:1:x",
        "processDefinitionKey": "order",
        "processDefinitionVersionTag": None,
        "processInstanceId": f"pi-{number:04d}",
        "retries": 0,
        "suspended": False,
        "workerId": "w",
        "topicName": "charge",
        "tenantId": None,
        "priority": 0,
        "businessKey": None,
    }


def crowded(number: int) -> Row:
    """An external task; many are of one instance."""
    return task(number) | {"processInstanceId": f"pi-{number % 3:04d}"}


def instance(number: int) -> Row:
    """A running instance."""
    return {
        "id": f"pi-{number:04d}",
        "definitionId": "order:1:x",
        "definitionKey": "order",
        "businessKey": None,
        "suspended": False,
        "tenantId": None,
    }


def historic(number: int) -> Row:
    """An instance as history tells it."""
    absent = dict.fromkeys(
        (
            "businessKey",
            "processDefinitionName",
            "processDefinitionVersion",
            "endTime",
            "durationInMillis",
            "startUserId",
            "startActivityId",
            "deleteReason",
            "rootProcessInstanceId",
            "tenantId",
        )
    )
    return absent | {
        "id": f"pi-{number:04d}",
        "processDefinitionId": "order:1:x",
        "processDefinitionKey": "order",
        "startTime": moment(number),
        "state": "ACTIVE",
    }


def job(number: int) -> Row:
    """A job."""
    return {
        "id": f"j-{number:04d}",
        "jobDefinitionId": "d",
        "exceptionMessage": None,
        "retries": 0,
        "dueDate": None,
        "suspended": False,
        "priority": 0,
        "createTime": None,
        "batchId": None,
    }


def incident(number: int) -> Row:
    """An incident, open or resolved."""
    id = f"i-{number:04d}"
    return {
        "id": id,
        "processDefinitionId": "order:1:x",
        "processDefinitionKey": "order",
        "processInstanceId": f"pi-{number:04d}",
        "executionId": f"e-{number:04d}",
        "incidentTimestamp": moment(number),
        "createTime": moment(number),
        "endTime": moment(number),
        "incidentType": "failedExternalTask",
        "activityId": "Charge",
        "failedActivityId": "Charge",
        "causeIncidentId": id,
        "rootCauseIncidentId": id,
        "configuration": f"t-{number:04d}",
        "historyConfiguration": None,
        "incidentMessage": "HTTP 503",
        "tenantId": None,
        "jobDefinitionId": None,
        "annotation": None,
        "removalTime": None,
        "rootProcessInstanceId": None,
        "open": False,
        "deleted": False,
        "resolved": True,
    }


def entry(number: int) -> Row:
    """An entry of the log: a worker has completed the task."""
    return {
        "id": f"x-{number:04d}",
        "timestamp": moment(number),
        "removalTime": None,
        "externalTaskId": f"t-{number:04d}",
        "topicName": "charge",
        "workerId": "w",
        "priority": 0,
        "retries": 1,
        "errorMessage": None,
        "activityId": "Charge",
        "activityInstanceId": f"ai-{number % 3:04d}",
        "executionId": "e",
        "processInstanceId": "pi",
        "processDefinitionId": "order:1:x",
        "processDefinitionKey": "order",
        "tenantId": None,
        "rootProcessInstanceId": None,
        "creationLog": False,
        "failureLog": True,
        "successLog": True,
        "deletionLog": False,
    }


@contextmanager
def small_pages() -> Iterator[None]:
    """Pages and pieces of a few rows, so that small lists have many."""
    with (
        patch.object(pages, "PAGE", SMALL),
        patch.object(instance_ids, "PAGE", SMALL),
        patch.object(instance_activity, "SLICE", 2 * SMALL),
        patch.object(draft_counts, "NAMED", 2 * SMALL),
        patch.object(task_history, "PAGE", SMALL),
    ):
        yield


EVERY_ID = [f"t-{number:04d}" for number in range(60)]
EVERY_INSTANCE = [f"pi-{number:04d}" for number in range(60)]


async def marked(client: EngineClient) -> list[str]:
    return await selected(client, Marked(frozenset(EVERY_ID)))


async def everything(client: EngineClient) -> list[str]:
    by_creation = ExternalTaskQuery(sorting=[Sorting(sort_by="createTime", sort_order="desc")])
    return await selected(client, Everything(by_creation))


async def composed(client: EngineClient, **sources: Any) -> list[str]:
    return await selected(client, Composed(SetExternalTaskRetries(retries=1, **sources)))


async def of_instances(client: EngineClient) -> list[str]:
    return await composed(client, process_instance_ids=EVERY_INSTANCE)


BY_PROCESS = ProcessInstanceQuery(sort_by="definitionKey", sort_order="asc")


async def of_instance_query(client: EngineClient) -> list[str]:
    return await composed(client, process_instance_query=BY_PROCESS)


async def of_historic_query(client: EngineClient) -> list[str]:
    by_start = HistoricProcessInstanceQuery(sort_by="startTime", sort_order="desc")
    return await composed(client, historic_process_instance_query=by_start)


async def of_task_query(client: EngineClient) -> list[str]:
    return await composed(client, external_task_query=ExternalTaskQuery())


async def selected(client: EngineClient, selection: Marked | Everything | Composed) -> list[str]:
    found = await read_selected_tasks(client, selection)
    assert found is not None
    return list(found.retries)


async def locks_of_query(client: EngineClient) -> list[str]:
    return [one.id for one in await locked(client, Everything(ExternalTaskQuery()))]


async def locks_of_marked(client: EngineClient) -> list[str]:
    return [one.id for one in await locked(client, Marked(frozenset(EVERY_ID)))]


async def failed_of_instances(client: EngineClient) -> list[str]:
    return list(await instance_activity.tasks_without_retries(client, EVERY_INSTANCE))


async def every_instance(client: EngineClient) -> list[str]:
    return list(await instance_ids.instance_ids(client, BY_PROCESS))


async def failed_jobs(client: EngineClient) -> list[str]:
    by_retries = JobQuery(sort_by="jobRetries", sort_order="asc")
    return [one.id for one in await ChosenJobs(query=by_retries).read(client, failed=True)]


async def named_jobs(client: EngineClient) -> list[str]:
    ids = frozenset(f"j-{number:04d}" for number in range(60))
    return [one.id for one in await ChosenJobs(ids=ids).read(client)]


async def newest_incidents(client: EngineClient) -> list[str]:
    return await walked(IncidentPages(client.incidents, IncidentQuery()))


async def oldest_incidents(client: EngineClient) -> list[str]:
    return await walked(IncidentPages(client.incidents, IncidentQuery(), newest_first=False))


async def walked(walk: IncidentPages) -> list[str]:
    found: list[str] = []
    while not walk.ended:
        found += [one.id for one in await walk.next()]
    return found


async def filtered(client: EngineClient) -> list[str]:
    query = ExternalTaskQuery(sort_by="createTime", sort_order="desc")
    going: FilteredPages[Any] = FilteredPages(
        lambda first, size: client.external_tasks(query, first, size), lambda row: str(row.id), lambda row: True
    )
    while not going.ended:
        await going.next()
    return [row.id for row in going.kept]


class Session:
    """The part of the session that reads rows."""

    def __init__(self, client: EngineClient) -> None:
        self.news, self.connection = NewsFeed(), Connection(client)


class Connection:
    """The part of the connection that reads rows."""

    stale = False

    def __init__(self, client: EngineClient) -> None:
        self._client = client

    async def ask(self, question: Callable[[EngineClient], Awaitable[Any]], view: Any = None) -> Any:
        return await question(self._client)


async def filtered_on_screen(client: EngineClient) -> list[str]:
    query = ExternalTaskQuery(sort_by="createTime", sort_order="asc")
    return await listed(client, TaskSubject(), query)


async def incidents_on_screen(client: EngineClient) -> list[str]:
    return await listed(client, IncidentSubject(), IncidentQuery(sort_by="incidentMessage", sort_order="asc"))


async def listed(client: EngineClient, subject: Any, query: Any) -> list[str]:
    session: Any = Session(client)
    rows = FilteredList(session, subject, query, RowFilter((), subject.words), lambda: None)
    await rows._through()
    assert rows.exact
    return [row.id for row in rows.rows]


class File:
    """Takes rows as a file of rows does."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def write(self, rows: list[Row]) -> None:
        self.ids += [row["id"] for row in rows]


async def exported_tasks(client: EngineClient) -> list[str]:
    return await exported(client, TaskSubject(), ExternalTaskQuery(sort_by="createTime", sort_order="asc"))


async def exported_incidents(client: EngineClient) -> list[str]:
    return await exported(client, IncidentSubject(), IncidentQuery(sort_by="incidentTimestamp", sort_order="desc"))


async def exported(client: EngineClient, subject: Any, query: Any) -> list[str]:
    session: Any = Session(client)
    file = File()
    await run.Export(session, subject, query, Marks(), None)._write(file)
    return file.ids


async def counted(client: EngineClient) -> list[str]:
    source = Source("external_task_query", "tasks", "tasks")
    return await counted_of(client, Draft((source,), {source.field: ALL}))


async def counted_of_instances(client: EngineClient) -> list[str]:
    return await counted_of(client, Draft(SOURCES, {"process_instance_query": ALL}))


async def counted_of(client: EngineClient, draft: Draft) -> list[str]:
    async def ask(question: Callable[[EngineClient], Awaitable[Any]]) -> Any:
        return await question(client)

    ids: set[str] = set()
    async for told in draft_counts.count_draft(ask, draft, NOON):
        ids = told.ids
        assert sum(source.tasks for source in told.sources.values()) == len(ids)
    return list(ids)


async def completed_lately(client: EngineClient) -> list[str]:
    log, found = TaskLog(SINCE), set[str]()
    while not log.read_back:
        found |= await log.lately_completed(client, EVERY_ID)
    return list(found)


async def resolved(client: EngineClient) -> list[str]:
    return list(await retried_before.known_to_history(client.historic_incidents))


CALLERS: list[tuple[Callable[[EngineClient], Awaitable[list[str]]], str, Callable[[int], str]]] = [
    (marked, "external-task", "t-{:04d}".format),
    (everything, "external-task", "t-{:04d}".format),
    (of_instances, "external-task", "t-{:04d}".format),
    (of_task_query, "external-task", "t-{:04d}".format),
    (of_instance_query, "process-instance", "t-{:04d}".format),
    (of_historic_query, "history/process-instance", "t-{:04d}".format),
    (locks_of_query, "external-task", "t-{:04d}".format),
    (locks_of_marked, "external-task", "t-{:04d}".format),
    (failed_of_instances, "external-task", "t-{:04d}".format),
    (every_instance, "process-instance", "pi-{:04d}".format),
    (failed_jobs, "job", "j-{:04d}".format),
    (named_jobs, "job", "j-{:04d}".format),
    (newest_incidents, "incident", "i-{:04d}".format),
    (oldest_incidents, "incident", "i-{:04d}".format),
    (filtered, "external-task", "t-{:04d}".format),
    (filtered_on_screen, "external-task", "t-{:04d}".format),
    (incidents_on_screen, "incident", "i-{:04d}".format),
    (exported_tasks, "external-task", "t-{:04d}".format),
    (exported_incidents, "incident", "i-{:04d}".format),
    (counted, "external-task", "t-{:04d}".format),
    (counted_of_instances, "process-instance", "t-{:04d}".format),
    (completed_lately, "history/external-task-log", "t-{:04d}".format),
    (resolved, "history/incident", "t-{:04d}".format),
]
"""Who reads a list to its end, the list that changes meanwhile, and what is told of the row of a number."""

MAKE: dict[str, Callable[[int], Row]] = {
    "external-task": task,
    "process-instance": instance,
    "history/process-instance": historic,
    "job": job,
    "incident": incident,
    "history/incident": incident,
    "history/external-task-log": entry,
}


every_caller = pytest.mark.parametrize(
    ("read", "changing", "named"), CALLERS, ids=[caller[0].__name__ for caller in CALLERS]
)


@every_caller
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories)
async def test_every_row_that_stays_is_met_once(
    read: Callable[[EngineClient], Awaitable[list[str]]], changing: str, named: Callable[[int], str], story: Story
) -> None:
    await meets_once(read, changing, named, story)


@pytest.mark.long
@every_caller
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories)
async def test_in_many_stories_every_row_that_stays_is_met_once(
    read: Callable[[EngineClient], Awaitable[list[str]]], changing: str, named: Callable[[int], str], story: Story
) -> None:
    await meets_once(read, changing, named, story)


async def meets_once(
    read: Callable[[EngineClient], Awaitable[list[str]]], changing: str, named: Callable[[int], str], story: Story
) -> None:
    """A list is read to its end while rows come and go: no row is met twice, and none is missed that was there."""
    # Tasks of an instance share it where the tasks of instances are what is read.
    make = MAKE | {"external-task": crowded} if read in (of_instances, failed_of_instances) else MAKE
    engine = ShiftingEngine(make, story.rows, story.changes, changing, story.seed)
    async with engine.client() as client:
        with small_pages():
            found = await read(client)
    assert len(found) == len(set(found))
    assert {named(number) for number in engine.stayed} <= set(found)


@settings(max_examples=25, deadline=None)
@given(stories)
async def test_rows_keep_the_order_that_was_asked_for(story: Story) -> None:
    engine = ShiftingEngine(MAKE, story.rows, [], "external-task", story.seed)
    async with engine.client() as client:
        with small_pages():
            assert await everything(client) == sorted(f"t-{number:04d}" for number in story.rows)
            newest = await exported(client, TaskSubject(), ExternalTaskQuery(sort_by="createTime", sort_order="desc"))
            latest = await exported_incidents(client)
    times = [task(int(id[2:]))["createTime"] for id in newest]
    assert times == sorted(times, reverse=True)
    times = [incident(int(id[2:]))["incidentTimestamp"] for id in latest]
    assert times == sorted(times, reverse=True)


async def test_thousands_of_rows_that_end_at_once_are_gone_back_over_in_a_few_questions() -> None:
    rows = set(range(0, 8000, 2))
    gone = {number for number in rows if number < 7000}
    changes: list[Change] = [(set(), set())] * 36 + [(gone, set())]
    engine = ShiftingEngine(MAKE, rows, changes, "external-task")
    async with engine.client() as client:
        found = [one.id async for page in pages_by_id(client.external_tasks, ExternalTaskQuery(), 100) for one in page]
    assert {f"t-{number:04d}" for number in engine.stayed} <= set(found)
    assert engine.asked < 90


async def test_a_page_that_was_not_answered_is_asked_for_again() -> None:
    asked: list[int] = []

    async def read(first: int, size: int) -> list[Any]:
        asked.append(first)
        if len(asked) == 2:
            raise ConnectionError
        return list("abcdefg"[first : first + size])

    way: Pages[str] = Pages(read, str, 3)
    assert await way.next() == ["a", "b", "c"]
    with pytest.raises(ConnectionError):
        await way.next()
    assert [row async for page in way for row in page] == ["d", "e", "f", "g"]
    assert way.looked == 7


def test_pieces_are_all_of_it_and_none_is_empty() -> None:
    assert list(pieces("abcde", 2)) == ["ab", "cd", "e"]
    assert list(pieces("", 2)) == []
    assert [len(piece) for piece in pieces(range(1000))] == [500, 500]
