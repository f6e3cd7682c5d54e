"""The filter line: every filter of the contract has a word, and every mistake one sentence with its place."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.language import (
    BATCHES,
    INCIDENTS,
    INSTANCES,
    JOBS,
    SUBJECTS,
    TASKS,
    Subject,
    matcher,
    parse,
    write,
)
from retriage.console.language.conditions import Condition
from retriage.store.contract.queries import Query

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALL = list(SUBJECTS.values())


def fields(text: str, subject: Subject[Any]) -> dict[str, Any]:
    """What a line without a mistake sets."""
    parsed = parse(text, subject, NOW)
    assert parsed.mistakes == []
    wire: dict[str, Any] = parsed.query.wire()
    return wire


def mistake(text: str, subject: Subject[Any]) -> tuple[str, str]:
    """The marked text of the only mistake, and its sentence."""
    parsed = parse(text, subject, NOW)
    (found,) = parsed.mistakes
    return text[found.start : found.end], found.sentence


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_every_filter_of_the_contract_has_a_word_or_a_reason(subject: Subject[Query]) -> None:
    said = {name for word in subject.words for name in word.fields()}
    known = set(subject.query.model_fields) - {"sort_by", "sort_order"}
    assert said | set(subject.left_out) == known
    assert not said & set(subject.left_out)
    assert all(subject.left_out.values())


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_every_sort_key_of_the_contract_has_a_name(subject: Subject[Query]) -> None:
    (sort,) = [word for word in subject.words if word.name == "sort"]
    assert {key for _, key in sort.keys} == set(subject.query.SORT_KEYS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_names_are_unique_and_none_is_both_a_word_and_impossible(subject: Subject[Query]) -> None:
    names = [name for word in subject.words for name in (word.name, *word.aliases)]
    assert len(names) == len(set(names))
    assert not set(names) & set(subject.cannot)


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_every_word_has_help_from_the_contract(subject: Subject[Query]) -> None:
    assert all(subject.help(word) for word in subject.words)


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_fields_that_stand_apart_exist(subject: Subject[Query]) -> None:
    assert all(apart.fields <= set(subject.query.model_fields) for apart in subject.apart)


TASK_LINES = [
    ("", {}),
    ("topic:charge-card", {"topicName": "charge-card"}),
    ("TOPIC:x", {"topicName": "x"}),
    ("topic=x", {"topicName": "x"}),
    ('topic:"a, b \\"c\\" \\\\"', {"topicName": 'a, b "c" \\'}),
    ('topic:""', {"topicName": ""}),
    ("process:OrderProcess", {"processDefinitionKey": "OrderProcess"}),
    ("process:a,b", {"processDefinitionKeyIn": ["a", "b"]}),
    ("process:a,", {"processDefinitionKeyIn": ["a"]}),
    ('process:"a,b","c d"', {"processDefinitionKeyIn": ["a,b", "c d"]}),
    ("process:a process:b,c", {"processDefinitionKey": "a", "processDefinitionKeyIn": ["b", "c"]}),
    ("definition:order:2:pd-9", {"processDefinitionId": "order:2:pd-9"}),
    ("processname~Order", {"processDefinitionNameLike": "%Order%"}),
    ("processname~~Ord_r%", {"processDefinitionNameLike": "Ord_r%"}),
    ("retries:0", {"noRetriesLeft": True}),
    ("retries:>0", {"withRetriesLeft": True}),
    ("retries>0", {"withRetriesLeft": True}),
    ("locked", {"locked": True}),
    ("-locked", {"notLocked": True}),
    ("suspended", {"suspended": True}),
    ("-suspended", {"active": True}),
    ("worker:w-1", {"workerId": "w-1"}),
    ("tenant:a", {"tenantIdIn": ["a"]}),
    ("tenant:a,b", {"tenantIdIn": ["a", "b"]}),
    ("activity:x", {"activityId": "x"}),
    ("instance:i", {"processInstanceId": "i"}),
    ("id:1,2", {"externalTaskIdIn": ["1", "2"]}),
    ("priority>=50 priority<=90", {"priorityHigherThanOrEquals": 50, "priorityLowerThanOrEquals": 90}),
    ("priority>50 priority<90", {"priorityHigherThanOrEquals": 51, "priorityLowerThanOrEquals": 89}),
    ("priority:>=50", {"priorityHigherThanOrEquals": 50}),
    ("priority:-7", {"priorityHigherThanOrEquals": -7, "priorityLowerThanOrEquals": -7}),
    ("lock<5m", {"lockExpirationBefore": "2026-03-01T12:05:00.000+0000"}),
    ("lock>1h30m", {"lockExpirationAfter": "2026-03-01T13:30:00.000+0000"}),
    ("lock<-1d", {"lockExpirationBefore": "2026-02-28T12:00:00.000+0000"}),
    ("lock<2026-03-02", {"lockExpirationBefore": "2026-03-02T00:00:00.000+0000"}),
    ("lock<2026-03-02T09:15+01:00", {"lockExpirationBefore": "2026-03-02T08:15:00.000+0000"}),
    ("ignorecase:names,values", {"variableNamesIgnoreCase": True, "variableValuesIgnoreCase": True}),
    ("sort:created-desc,priority", {"sorting": [
        {"sortBy": "createTime", "sortOrder": "desc"}, {"sortBy": "taskPriority", "sortOrder": "asc"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wire"), TASK_LINES)
def test_words_of_tasks(text: str, wire: dict[str, Any]) -> None:
    assert fields(text, TASKS) == wire


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ("var.amount>100", "amount", "gt", 100),
        ("var.amount>=1.5", "amount", "gteq", 1.5),
        ("var.amount<-3", "amount", "lt", -3),
        ("var.amount<=1e3", "amount", "lteq", 1000.0),
        ("var.name=x", "name", "eq", "x"),
        ("var.name:x", "name", "eq", "x"),
        ("var.name!=x", "name", "neq", "x"),
        ("var.Name=X", "Name", "eq", "X"),
        ("var.done=true", "done", "eq", True),
        ('var.done="true"', "done", "eq", "true"),
        ('var.zip="01234"', "zip", "eq", "01234"),
        ("var.gone=null", "gone", "eq", None),
        ("var.name~50%", "name", "like", "%50\\%%"),
        ("var.name~~50%", "name", "like", "50%"),
        ("var.name!~x", "name", "notLike", "%x%"),
        ('var."a b=c">1', "a b=c", "gt", 1),
        ("var.a.b-c=1", "a.b-c", "eq", 1),
    ],
)
def test_variables(text: str, name: str, operator: str, value: object) -> None:
    (found,) = parse(text, TASKS).query.process_variables or []
    assert (found.name, found.operator, found.value) == (name, operator, value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ('error~"50% _off"', {"incidentMessageLike": "%50\\% \\_off%"}),
        ("error:~timeout", {"incidentMessageLike": "%timeout%"}),
        ('error:"exact one"', {"incidentMessage": "exact one"}),
        ("type:failedJob", {"incidentType": "failedJob"}),
        ("process:a", {"processDefinitionKeyIn": ["a"]}),
        ("task:t-1", {"configuration": "t-1"}),
        ("job:j-1", {"configuration": "j-1"}),
        ("age>1h", {"incidentTimestampBefore": "2026-03-01T11:00:00.000+0000"}),
        ("age<5m", {"incidentTimestampAfter": "2026-03-01T11:55:00.000+0000"}),
        ("age:>1h age<2w", {"incidentTimestampBefore": "2026-03-01T11:00:00.000+0000",
                            "incidentTimestampAfter": "2026-02-15T12:00:00.000+0000"}),
        ("raised>2026-02-01", {"incidentTimestampAfter": "2026-02-01T00:00:00.000+0000"}),
        ("raised<2h", {"incidentTimestampBefore": "2026-03-01T10:00:00.000+0000"}),
    ],
)  # fmt: skip
def test_words_of_incidents(text: str, wire: dict[str, Any]) -> None:
    assert fields(text, INCIDENTS) == wire


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("key:A-1 process:order", {"businessKey": "A-1", "processDefinitionKey": "order"}),
        ("key~A-", {"businessKeyLike": "%A-%"}),
        ("-process:a,b", {"processDefinitionKeyNotIn": ["a", "b"]}),
        ("incident suspended", {"withIncident": True, "suspended": True}),
        ("-tenant", {"withoutTenantId": True}),
        ("var.x=1", {"variables": [{"name": "x", "operator": "eq", "value": 1}]}),
        ("id:a", {"processInstanceIds": ["a"]}),
        (
            'any:"key~a suspended" any:process:b',
            {"orQueries": [{"businessKeyLike": "%a%", "suspended": True}, {"processDefinitionKey": "b"}]},
        ),
        ('any:"key:\\"x y\\""', {"orQueries": [{"businessKey": "x y"}]}),
    ],
)
def test_words_of_instances(text: str, wire: dict[str, Any]) -> None:
    assert fields(text, INSTANCES) == wire


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("suspended failed", {"suspended": True, "withFailures": True}),
        ("-suspended -failed", {"suspended": False, "withoutFailures": True}),
        ("by:ann id:b-1 type:set-external-task-retries",
         {"createdBy": "ann", "batchId": "b-1", "type": "set-external-task-retries"}),
        ("age<1d", {"startedAfter": "2026-02-28T12:00:00.000+0000"}),
    ],
)  # fmt: skip
def test_words_of_batches(text: str, wire: dict[str, Any]) -> None:
    assert fields(text, BATCHES) == wire


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("definition:jd retries:0", {"jobDefinitionId": "jd", "noRetriesLeft": True}),
        ('error:"Cannot find it"', {"exceptionMessage": "Cannot find it"}),
        ("due<5m", {"dueDates": [{"operator": "lt", "value": "2026-03-01T12:05:00.000+0000"}]}),
        ("due>0s due<1h", {"dueDates": [{"operator": "gt", "value": "2026-03-01T12:00:00.000+0000"},
                                        {"operator": "lt", "value": "2026-03-01T13:00:00.000+0000"}]}),
        ("created>1h", {"createTimes": [{"operator": "gt", "value": "2026-03-01T11:00:00.000+0000"}]}),
        ("age>1h", {"createTimes": [{"operator": "lt", "value": "2026-03-01T11:00:00.000+0000"}]}),
        ("kind:message executable failed", {"messages": True, "executable": True, "withException": True}),
    ],
)  # fmt: skip
def test_words_of_jobs(text: str, wire: dict[str, Any]) -> None:
    assert fields(text, JOBS) == wire


@pytest.mark.parametrize(
    ("subject", "text", "place", "words"),
    [
        (TASKS, "locked tpoic:x", "tpoic:x", "tpoic is not a filter for tasks; did you mean topic:?"),
        (TASKS, "topic:", "topic:", "topic: needs a value."),
        (TASKS, "topic", "topic", "topic needs a value: topic:value."),
        (TASKS, "topic:a topic:b", "topic:b", "topic is given twice; keep one."),
        (TASKS, "topic>a", "topic>a", "topic takes : or ~, not >."),
        (TASKS, "locked:yes", "locked:yes", "locked takes no value; write locked or -locked."),
        (TASKS, "locked -locked", "-locked", "locked and -locked cannot stand together: they contradict each other."),
        (TASKS, "retries:0 retries:>0", "retries:>0", "retries:0 and retries:>0 cannot stand together"),
        (TASKS, "retries:", "retries:", "retries: needs a value: 0 or >0."),
        (TASKS, "priority:high", "priority:high", "priority needs a whole number, not high."),
        (TASKS, "priority>9223372036854775807", "priority>9223372036854775807", "too large for priority"),
        (TASKS, "priority", "priority", "priority needs a number"),
        (TASKS, "priority~5", "priority~5", "not ~"),
        (TASKS, "lock<soon", "lock<soon", "lock needs a duration like 30m or 2h, or a date in UTC"),
        (TASKS, "lock<2026-02-30", "lock<2026-02-30", "lock needs a duration"),
        (TASKS, "lock<999999999w", "lock<999999999w", "lock needs a duration"),
        (TASKS, "lock<500000w", "lock<500000w", "reaches beyond the calendar"),
        (TASKS, "lock:5m", "lock:5m", "lock is compared with < or >"),
        (TASKS, "var.x", "var.x", "A variable is compared like this"),
        (TASKS, "var.=1", "var.=1", "A variable is compared like this"),
        (TASKS, "var.x>true", "var.x>true", "true cannot be compared with < or >"),
        (TASKS, "var.x=99999999999999999999", "var.x=99999999999999999999", None),
        (TASKS, "var.x=9999999999999999999", "var.x=9999999999999999999", "too large for a variable"),
        (TASKS, "var.x=1e999", "var.x=1e999", "too large for a variable"),
        (TASKS, "var.x=1,2", "var.x=1,2", "takes one value"),
        (TASKS, "-var.x=1", "-var.x=1", "Write var.x!=value instead of a minus."),
        (TASKS, 'worker:"a b', 'worker:"a b', "A closing quote is missing."),
        (TASKS, 'worker:"a"b locked', 'worker:"a"b', "A closing quote needs a space or a comma after it."),
        (TASKS, "sort:crated", "crated", "sort has no key crated; did you mean created?"),
        (TASKS, "sort:created-up", "created-up", "did you mean created"),
        (TASKS, "-sort:id", "-sort:id", "sort is written like"),
        (TASKS, "-", "-", "A minus goes right before the word that it negates, as in -locked."),
        (INCIDENTS, "error~", "error~", "error~ needs a value."),
        (INCIDENTS, "error~a,b", "error~a,b", "a value that holds a comma goes in double quotes"),
        (INCIDENTS, 'tenant:x,"a,b"', '"a,b"', "The engine cannot be asked for a tenant that holds a comma."),
        (INCIDENTS, 'tenant:""', '""', "The engine cannot be asked for a tenant that is empty."),
        (INCIDENTS, "sort:raised,id", "sort:raised,id", "The engine sorts incidents by one key only."),
        (INCIDENTS, "age<-5m", "age<-5m", "age needs a duration like"),
        (TASKS, "execution:a,b", "execution:a,b", "takes one value"),
        (TASKS, "-execution:a", "-execution:a", "The engine cannot exclude tasks by execution."),
        (TASKS, "execution~a", "execution~a", "The engine cannot search inside execution"),
        (TASKS, "execution>a", "execution>a", "The engine cannot compare execution with >"),
        (TASKS, "execution:a*", "execution:a*", "The engine takes no star in execution"),
        (TASKS, "retries:many", "retries:many", "retries needs a whole number, or - (never failed), not many."),
        (TASKS, "retries:>many", "retries:>many", "retries needs a whole number"),
        (TASKS, "-retries", "-retries", "retries is retries:0 or retries:>0."),
        (TASKS, "age:1h", "age:1h", "age is compared with < or >, as in age>1h."),
        (TASKS, "age>2026-03-01", "age>2026-03-01", "age needs a duration like 30m, 2h or 3d."),
        (TASKS, "created>soon", "created>soon", "created needs a duration like 30m, 2h or 3d, or a date in UTC"),
        (TASKS, "created>-5m", "created>-5m", "created needs a duration"),
        (TASKS, "failed:yes", "failed:yes", "failed takes no value; write failed or -failed."),
        (TASKS, "key>a", "key>a", "key takes : or ~, not >."),
        (TASKS, "key:", "key:", "key: needs a value."),
        (TASKS, "error~a,b", "error~a,b", "error~ takes one value"),
        (TASKS, 'key:a*,"b*"', '"b*"', "A text in quotes cannot stand beside one with a star"),
        (TASKS, "version:x", "version:x", "version needs a whole number, not x."),
        (TASKS, "version>1,2", "version>1,2", "version> takes one value"),
        (TASKS, "eror~x", "eror~x", "eror is not a filter for tasks; did you mean error:?"),
        (
            TASKS,
            "psp or 503",
            "or",
            "or joins nothing: every word must match. Several values of one word take commas",
        ),
        (BATCHES, "&&", "&&", "as in tenant:a,b; to search for it, quote it."),
        (INCIDENTS, "not psp", "not", "a minus before a word does, as in -tenant:a; to search for it, quote it."),
        (TASKS, '""', '""', "The text to search for goes between the quotes."),
        (TASKS, '"a', '"a', "A closing quote is missing."),
        (TASKS, '"a"b', '"a"b', "A closing quote needs a space after it."),
        (
            TASKS,
            "http://a/503",
            "http://a/503",
            'http is not a filter for tasks; to search for the text write "http://a/',
        ),
        (TASKS, "incident", "incident", "The engine cannot filter tasks by incident"),
        (BATCHES, "psp", "psp", "psp is not a filter for batches; each word is one like type:value."),
        (INSTANCES, "psp", "psp", "psp is not a filter for instances; to search for it write key~psp."),
        (INSTANCES, '-"ord 7"', '-"ord 7"', 'to leave out what holds it write -key~"ord 7".'),
        (TASKS, "retries!=0", "retries!=0", "retries takes no !=; write -retries:0."),
        (TASKS, "topic!=x,y", "topic!=x,y", "topic takes no !=; write -topic:x,y."),
        (TASKS, "-key!~x", "-key!~x", "key takes no !~; write key~x."),
        (JOBS, "priority!=5", "priority!=5", "priority takes no !=; write -priority:5."),
        (TASKS, "priority!=5", "priority!=5", "priority takes >=, <=, >, < or :, not !=."),
        (TASKS, "locked!=yes", "locked!=yes", "locked takes no value"),
        (INCIDENTS, "locked", "locked", "The engine cannot filter incidents by lock; in the tasks view locked"),
        (INSTANCES, "-incident", "-incident", "cannot filter instances by the opposite of incident"),
        (INSTANCES, "tenant:a -tenant", "-tenant", "tenant:… and -tenant cannot stand together"),
        (INSTANCES, "var.x!~a", "var.x!~a", "The engine cannot exclude instances by a part of a variable."),
        (INSTANCES, 'any:"kye:a"', '"kye:a"', "In any: kye is not a filter for instances; did you mean key:?"),
        (INSTANCES, 'any:"version:3"', '"version:3"', "any: takes filters of the engine only"),
        (INSTANCES, 'any:"sort:key"', '"sort:key"', "any: takes filters of the engine only"),
        (INSTANCES, "-any:key:a", "-any:key:a", "any is written like any:"),
        (BATCHES, "suspended -suspended", "-suspended", "suspended is given twice"),
        (JOBS, "definition:a activity:b", "activity:b", "Camunda 7 fails on both at once, with an SQL error"),
        (JOBS, "id:a id:b,c", "id:b,c", "Camunda 7 fails"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(subject: Subject[Query], text: str, place: str, words: str) -> None:
    if words is None:  # more digits than any number has: it is a text
        assert parse(text, subject).mistakes == []
        return
    marked, sentence = mistake(text, subject)
    assert marked == place
    assert words in sentence
    assert sentence[-1] in ".?"
    assert "\n" not in sentence


def test_what_can_be_read_beside_a_mistake_is_in_the_query() -> None:
    parsed = parse("topic:a oops:1 locked", TASKS)
    assert parsed.query.wire() == {"topicName": "a", "locked": True}
    assert len(parsed.mistakes) == 1


def test_a_mistake_in_the_middle_of_a_word_leaves_nothing_of_it() -> None:
    assert parse("ignorecase:names,letters", TASKS).query.wire() == {}


def test_a_relative_time_is_fixed_when_it_is_read() -> None:
    parsed = parse("age>1h", INCIDENTS, NOW + timedelta(microseconds=1234))
    assert parsed.query.incident_timestamp_before == NOW - timedelta(hours=1) + timedelta(milliseconds=1)
    assert write(parsed.query, INCIDENTS) == "raised<2026-03-01T11:00:00.001Z"


def test_a_subject_can_be_named() -> None:
    assert parse("topic:a", "tasks").query == parse("topic:a", TASKS).query
    assert write(parse("topic:a", "tasks").query, "tasks") == "topic:a"


@pytest.mark.parametrize(
    ("subject", "word"),
    [(TASKS, "error"), (INCIDENTS, "text"), (JOBS, "error")],
    ids=lambda one: getattr(one, "name", one),
)
def test_words_without_a_qualifier_search_the_error_text(subject: Subject[Query], word: str) -> None:
    parsed = parse('psp -/503 "time out" retry-after or?', subject, NOW)
    assert parsed.mistakes == []
    assert parsed.conditions == (
        Condition(word, "~", ("psp",)),
        Condition(word, "~", ("/503",), negated=True),
        Condition(word, "~", ("time out",)),
        Condition(word, "~", ("retry-after",)),
        Condition(word, "~", ("or?",)),
    )
    assert parse(write(parsed.query, subject, parsed.conditions), subject, NOW) == parsed


def test_a_text_is_found_in_any_case_among_incidents_too() -> None:
    finds = matcher(parse("PSP 503", INCIDENTS, NOW).conditions, INCIDENTS, NOW)
    assert finds(SimpleNamespace(incident_message="psp answered 503"))
    assert not finds(SimpleNamespace(incident_message="psp answered 502"))
    assert not finds(SimpleNamespace(incident_message=None))
