"""Words that the engine cannot filter by: they are read as conditions, and find the rows that a person would mean."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from retriage.console.engine.capabilities import Capabilities, ListCapabilities
from retriage.console.language import (
    INCIDENTS,
    INSTANCES,
    JOBS,
    SUBJECTS,
    TASKS,
    Subject,
    asks_tasks,
    matcher,
    parse,
    remembers,
    subject_on,
    write,
)
from retriage.store.contract.queries import Query
from tests.console.fake import incident, instance, job, task

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FAILED = task(0).model_copy(
    update={
        "error_message": "HTTP 503 from PSP",
        "retries": 0,
        "business_key": "ord-88213",
        "create_time": NOW - timedelta(hours=2),
        "process_definition_id": "OrderProcess:14:abc",
        "process_definition_version_tag": "v2.1",
        "topic_name": "charge-card",
        "worker_id": "w-3",
        "tenant_id": "shop-eu",
    }
)
FRESH = FAILED.model_copy(
    update={
        "error_message": None,
        "retries": None,
        "business_key": None,
        "create_time": NOW - timedelta(minutes=3),
        "worker_id": None,
        "tenant_id": None,
        "process_definition_version_tag": None,
    }
)


def fits(text: str, record: Any, subject: Subject[Any] = TASKS) -> bool:
    """Whether a record fits a line that only the console can apply."""
    parsed = parse(text, subject, NOW)
    assert parsed.mistakes == []
    assert parsed.conditions
    assert not parsed.query.chosen()
    return matcher(parsed.conditions, subject, NOW)(record)


@pytest.mark.parametrize(
    "text",
    [
        "error~503", 'error~"503 from psp"', 'error:"HTTP 503 from PSP"', "error:HTTP*", "error:*PSP", "error:*503*",
        "error:H*5*P", "error", "-error~421", "-error:HTTP", "message~psp", "error:x,HTTP*",
        "age>1h", "age<3h", "-age<1h", "created<1h", "created>3h", "created>2026-02-28", "created<2026-03-02T00:00",
        "key:ord-88213", "key:ord-*", "key:*213", "key~882", "-key:ord-1*", "businesskey:ord-88213",
        "-key:ORD-88213", "key~ORD-88213",
        "failed", "-retries:-", "retries:1,0", "retries<1", "retries<=0", "-retries>0", "retries>=0",
        "version:14", "version>13", "version:13,14", "-version:13", "versiontag:v2.1", "versiontag:v2.*",
        "topic~card", "topic:a,charge-card", "-topic:send-mail", "-topic~mail", "topic:*-card",
        "worker~w-", "-worker:w-1", "worker:w-*", "-tenant:shop-us", "tenant~shop", "-process:Other", "-activity:x",
        "-instance:a,b", "-id:a", "-worker:W-3", "-tenant:Shop-EU",
    ],
)  # fmt: skip
def test_finds_the_failed_task(text: str) -> None:
    assert fits(text, FAILED)


@pytest.mark.parametrize(
    "text",
    [
        "error~503", "error", "-age<1h", "age>1h", "created<1h", "key:*", "key~o", "failed", "retries:0", "-retries:-",
        "retries<3", "-retries>0", "-retries>=1", "versiontag:v2.1", "worker~w", "tenant~shop",
    ],
)  # fmt: skip
def test_passes_by_the_task_that_has_never_failed(text: str) -> None:
    if text == "retries:0":  # the engine knows this one
        assert parse(text, TASKS).query.chosen() == {"no_retries_left": True}
        return
    assert not fits(text, FRESH)


@pytest.mark.parametrize(
    "text",
    ["-error", "-error~503", "-key", "-failed", "retries:-", "retries>=0", "retries>2", "-worker", "-tenant", "age<5m"],
)
def test_finds_the_task_that_has_never_failed(text: str) -> None:
    assert fits(text, FRESH)


@pytest.mark.parametrize(
    ("subject", "record", "yes", "no"),
    [
        (INCIDENTS, incident(FAILED), "-error~421", "-error~503"),
        (INCIDENTS, incident(FAILED).model_copy(update={"annotation": "INC-4412 (ann)"}), "note~4412", "-note"),
        (INCIDENTS, incident(FAILED), "process~order version:14", "-process:OrderProcess"),
        (INSTANCES, instance(FAILED), "version:14 -key:ord-1*", "-key:ord-*"),
        (INSTANCES, instance(FRESH), "-key", "version:13"),
        (INCIDENTS, incident(FAILED), "-error~psp", "-error~PSP"),
        (INSTANCES, instance(FAILED), "-key~ORD", "-key~ord"),
        (JOBS, job("j", 2), "error~cannot retries:2 batch:batch-1", "-failed"),
    ],
)
def test_other_subjects(subject: Subject[Any], record: Any, yes: str, no: str) -> None:
    assert fits(yes, record, subject)
    assert not fits(no, record, subject)


class _Task(NamedTuple):
    topic_name: str | None = "charge-card"
    business_key: str | None = "ord-7"
    worker_id: str | None = "worker-3"
    retries: int | None = 0
    suspended: bool = False
    priority: int | None = 50
    gone: bool = False


@pytest.mark.parametrize(
    ("text", "task_", "expected"),
    [
        ("topic:charge-card", _Task(), True),
        ("topic:charge", _Task(), False),
        ("topic~charge", _Task(), True),
        ("topic:send-mail,charge-card", _Task(), True),
        ("-topic:charge-card", _Task(), False),
        ("-topic:charge-card", _Task(None), True),
        ("topic", _Task(None), False),
        ("key:ord-*", _Task(), True),
        ("businesskey:ord-7", _Task(), True),
        ("worker:worker-3", _Task(), True),
        ("-worker", _Task(worker_id=None), True),
        ("retries:0", _Task(), True),
        ("retries:0", _Task(retries=3), False),
        ("retries:-", _Task(retries=None), True),
        ("priority>=50", _Task(), True),
        ("suspended", _Task(suspended=True), True),
        ("-suspended", _Task(), True),
        ("gone", _Task(gone=True), True),
        ("-gone", _Task(gone=True), False),
        ("topic:charge-card error~psp -worker:worker-9 retries<1", _Task(), True),
    ],
)
def test_incidents_are_filtered_by_what_their_tasks_tell(text: str, task_: _Task, expected: bool) -> None:
    parsed = parse(text, INCIDENTS)
    assert parsed.mistakes == []
    assert asks_tasks(parsed.conditions, INCIDENTS)
    said = write(parsed.query, INCIDENTS, parsed.conditions)
    assert sorted(said.split()) == sorted(text.replace("businesskey", "key").split())
    assert matcher(parsed.conditions, INCIDENTS, NOW, task_of=lambda record: task_)(incident(FAILED)) is expected


def test_who_has_not_asked_for_the_tasks_is_not_told_that_nothing_fits() -> None:
    parsed = parse("topic:charge-card", INCIDENTS)
    with pytest.raises(ValueError, match="topic looks at tasks"):
        matcher(parsed.conditions, INCIDENTS, NOW)
    assert not asks_tasks(parse("error~psp version:3", INCIDENTS).conditions, INCIDENTS)


def test_what_this_engine_s_tasks_do_not_tell_no_incident_is_filtered_by() -> None:
    limited = Capabilities({"tasks": ListCapabilities(asked=True, absent=frozenset({"business_key", "tenant_id"}))})
    table = subject_on("incidents", limited)
    assert parse("key:ord-7", table).mistakes[0].sentence == (
        "This engine's tasks do not show their business key: key cannot be applied."
    )
    assert parse("topic:x tenant:a", table).mistakes == []


def test_an_incident_is_there_again_by_the_id_of_its_task() -> None:
    conditions = parse("again", INCIDENTS).conditions
    assert matcher(conditions, INCIDENTS, NOW, {FAILED.id})(incident(FAILED))
    assert not matcher(conditions, INCIDENTS, NOW, {f"i-{FAILED.id}"})(incident(FAILED))


def test_again_needs_to_know_what_was_retried_from_here() -> None:
    for text, retried, task_, expected in (
        ("again", {FAILED.id}, FAILED, True),
        ("again", set(), FAILED, False),
        ("again", {FAILED.id}, FAILED.model_copy(update={"retries": 2}), False),
        ("-again", {FAILED.id}, FAILED, False),
        ("-again", set(), FAILED, True),
        ("-again", {FAILED.id}, FAILED.model_copy(update={"retries": 2}), True),
    ):
        conditions = parse(text, TASKS).conditions
        assert remembers(conditions, TASKS)
        assert matcher(conditions, TASKS, NOW, retried)(task_) is expected
    assert not remembers(parse("failed", TASKS).conditions, TASKS)


def test_what_the_engine_can_filter_is_left_to_it() -> None:
    parsed = parse('topic:a retries:0 error~"503" tenant:x age>1h', TASKS)
    assert parsed.query.wire() == {"topicName": "a", "noRetriesLeft": True, "tenantIdIn": ["x"]}
    assert write(parsed.query, TASKS, parsed.conditions) == "topic:a retries:0 tenant:x error~503 age>1h"
    assert not parsed.plain
    assert parse("topic:a", TASKS).plain


def test_a_star_asks_the_engine_where_it_has_patterns() -> None:
    assert parse("key:ord-*", INSTANCES).query.wire() == {"businessKeyLike": "ord-%"}
    assert parse("key:a_*%*", INSTANCES).query.wire() == {"businessKeyLike": "a\\_%\\%%"}
    assert parse('key:"ord-*"', INSTANCES).query.wire() == {"businessKey": "ord-*"}
    assert write(parse("key:ord-*", INSTANCES).query, INSTANCES) == "key:ord-*"
    assert parse("key:*", TASKS).conditions


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_words_of_the_console_are_explained_and_beside_those_of_the_engine(subject: Subject[Query]) -> None:
    names = [name for word in subject.local for name in (word.name, *word.aliases)]
    assert len(names) == len(set(names))
    assert all(word.help.endswith(".") for word in subject.local)
    assert not set(names) & set(subject.cannot)
    for word in subject.local:
        engine = subject.by_name.get(word.name)
        assert engine is None or engine.name == word.name
        assert {subject.by_name.get(alias) for alias in word.aliases} <= {engine}
