"""A query while it is built: texts, form and JSON say the same, and a mistake is one sentence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.language import SUBJECTS, parse
from retriage.console.language.form import entered, fields_of, shown, sought
from retriage.console.launch.draft import ALL, SOURCES, Draft, Source, Unusable, says_all
from retriage.console.launch.request_text import curl_list, curl_text
from retriage.console.reading.selection import Everything
from retriage.console.screens.builder.faces import form_of, from_saved, json_of, saved_text, with_value
from retriage.console.screens.builder.form import FormRow
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ProcessInstanceQuery, VariableFilter
from tests.console.language.test_properties import queries

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TASKS, IDS, INSTANCE_IDS, INSTANCES, HISTORY = SOURCES
ALONE = Source("query", "incidents", "incidents")


def draft(text: str = "", **texts: str) -> Draft:
    return Draft(SOURCES, {TASKS.field: text, **texts})


def row(of: Draft, source: Source, name: str, *, here: bool = False) -> FormRow:
    (found,) = [one for one in form_of(of, source) if one.name == name and one.here == here]
    return found


def put(of: Draft, source: Source, name: str, value: str, *, here: bool = False) -> Draft:
    return with_value(of, source, row(of, source, name, here=here), value)


def test_all_fields_of_the_request_can_be_built() -> None:
    built = Draft(
        SOURCES,
        {
            TASKS.field: "topic:a retries:0",
            IDS.field: "t-1, t-2 t-1",
            INSTANCE_IDS.field: "i-1",
            INSTANCES.field: "process:p incident",
            HISTORY.field: "started>2026-03-01 -finished",
        },
        retries=3,
    )
    assert built.refusal() == ""
    assert built.body() == {
        "retries": 3,
        "externalTaskIds": ["t-1", "t-2"],
        "processInstanceIds": ["i-1"],
        "externalTaskQuery": {"topicName": "a", "noRetriesLeft": True},
        "processInstanceQuery": {"processDefinitionKey": "p", "withIncident": True},
        "historicProcessInstanceQuery": {"startedAfter": "2026-03-01T00:00:00.000+0000", "unfinished": True},
    }
    fields = set(SetExternalTaskRetries.model_fields)
    assert {source.field for source in SOURCES} | {"retries"} == fields
    again = Draft(SOURCES).read_body(json_of(built))
    assert again.order() == built.order()


def test_the_order_holds_no_sort_keys_and_nothing_that_was_not_chosen() -> None:
    assert draft("topic:a sort:created").body() == {"retries": 1, "externalTaskQuery": {"topicName": "a"}}


def test_an_empty_query_is_refused_unless_it_is_meant() -> None:
    assert "EVERY external task" in draft().refusal()
    assert "EVERY external task" in draft("sort:created").refusal()
    assert "EVERY instance" in draft("topic:a", process_instance_query="sort:key").refusal()
    assert draft(ALL).refusal() == ""
    assert draft(f"{ALL} error~x").refusal() == ""
    assert draft("error~x").refusal() == ""
    assert draft(ALL).body() == {"retries": 1, "externalTaskQuery": {}}
    assert Draft((ALONE,)).refusal() == ""
    assert draft(ALL).read_body('{"retries": 2, "externalTaskQuery": {}}').text(TASKS) == ALL


@pytest.mark.parametrize(
    ("source", "query", "sentence"),
    [
        ("externalTaskQuery", "{}", "externalTaskQuery holds no filter and selects EVERY external task; type all:yes"),
        ("externalTaskQuery", '{"topicName": null}', "externalTaskQuery holds no filter"),
        ("processInstanceQuery", "{}", "processInstanceQuery holds no filter and selects the tasks of EVERY instance"),
        ("historicProcessInstanceQuery", "{}", "historicProcessInstanceQuery holds no filter"),
        ("processInstanceQuery", '{"processInstanceIds": []}', "processInstanceIds is an empty list and filters"),
        ("processInstanceQuery", '{"active": false}', "active is false and filters nothing: take it out."),
        ("externalTaskQuery", '{"active": false}', "active is false and filters nothing"),
        ("externalTaskQuery", '{"topicName": "a", "active": false}', "active is false and filters nothing"),
        ("externalTaskQuery", '{"externalTaskIdIn": []}', "externalTaskIdIn is an empty list and filters nothing"),
        ("externalTaskQuery", '{"processVariables": []}', "processVariables is an empty list and filters nothing"),
        ("externalTaskQuery", '{"topicName": "a", "topicName": "b"}', "topicName is given twice"),
        ("externalTaskQuery", '{"topicName": "a"}, "externalTaskQuery": {}', "externalTaskQuery is given twice"),
    ],
)  # fmt: skip
def test_json_never_means_everything_by_itself(source: str, query: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        draft("topic:a").read_body(f'{{"retries": 1, "{source}": {query}}}')
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("all:yes", True), ("all=yes x", True), ("all:no", False), ("wall:yes", False)]
)
def test_all_is_said_only_so(text: str, said: bool) -> None:
    assert says_all(text) == said


def test_only_one_query_of_tasks_is_a_selection_by_query() -> None:
    selection = draft("topic:a sort:id").everything()
    assert isinstance(selection, Everything)
    assert selection.query.wire() == {"topicName": "a"}
    assert draft("topic:a error~x").everything() is None
    assert draft("topic:a", external_task_ids="x").everything() is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This is not JSON: line 1, column 2"),
        ("[]", "The JSON has to be an object in braces."),
        ("{}", "retries is needed: a whole number, 0 or more."),
        ('{"retries": -1}', "retries is needed"),
        ('{"retries": "many"}', "retries: 'many' is not an integer."),
        ('{"retries": 1, "externalTaskQuerry": {}}', "did you mean externalTaskQuery?"),
        ('{"retries": 1, "externalTaskQuery": {"topic": "a"}}', "externalTaskQuery; did you mean topicName?"),
        ('{"retries": 1, "externalTaskQuery": {"locked": 3.5}}', "externalTaskQuery.locked"),
        ('{"retries": 1, "externalTaskQuery": {"locked": true, "notLocked": true}}', "cannot stand together"),
        ('{"retries": 1, "externalTaskQuery": {"processVariables": [{"name": "a", "op": 1}]}}', "op is not a field of"),
        ('{"retries": 1, "externalTaskQuery": {"sorting": [{"sortBy": "no"}]}}', "This query cannot be put into words"),
        ('{"retries": 1, "processInstanceQuery": {"caseInstanceId": "c"}}', "has no word here: this console does not"),
        ('{"retries": 1, "externalTaskIds": ["a b"]}', "externalTaskIds holds something that is not an id."),
        ('{"retries": 1, "externalTaskIds": "a"}', "externalTaskIds: a list is needed."),
        ("[" * 100_000, "nested too deeply"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_json_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        draft("topic:a").read_body(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_json_keeps_what_the_console_looks_for() -> None:
    after = draft("topic:a error~503").read_body('{"retries": 2, "externalTaskQuery": {"topicName": "b"}}')
    assert after.text(TASKS) == "topic:b error~503"
    assert after.retries == 2


@settings(deadline=None, max_examples=200)
@given(queries())
def test_any_query_comes_back_through_its_json(both: tuple[Any, Any]) -> None:
    subject, query = both
    source = Source("query", subject.name, subject.name)
    text = json.dumps(query.wire())
    built = Draft((source,)).read_body(text)
    assert built.refusal() == ""
    assert built.parsed(source).query.wire() == query.wire()


@settings(deadline=None, max_examples=200)
@given(queries())
def test_every_row_of_the_form_shows_what_it_would_be_set_to(both: tuple[Any, Any]) -> None:
    subject, query = both
    for field in fields_of(subject):
        if field.here:
            continue
        text = shown(field, query, (), subject)
        held = getattr(query, field.name)
        if held not in (None, "") and text.strip() == text:
            assert entered(field, text, subject, NOW) == held


@pytest.mark.parametrize("value", ["\\", "a\\", '\\"', '" b'])
def test_a_row_of_variables_is_cut_between_conditions_whatever_is_quoted(value: str) -> None:
    variables = [VariableFilter(name=name, operator="eq", value=value) for name in ("a", "b")]
    subject = SUBJECTS["instances"]
    (field,) = [field for field in fields_of(subject) if field.name == "variables"]
    text = shown(field, ProcessInstanceQuery(variables=variables), (), subject)
    assert entered(field, text, subject, NOW) == variables


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_every_declared_field_has_a_row_with_its_description(subject: Any) -> None:
    rows = fields_of(subject)
    names = {row.name for row in rows if not row.here}
    assert names == set(subject.query.model_fields) - {"sort_by", "sort_order"} - set(subject.left_out)
    assert {row.name for row in rows if row.here} == {word.name for word in subject.local}
    assert all(row.description for row in rows)


def test_rows_of_the_form_are_set_and_cleared() -> None:
    built = draft("topic:a error~503")
    assert row(built, TASKS, "topicName").value == "a"
    assert row(built, TASKS, "error", here=True).value == "error~503"
    built = put(built, TASKS, "topicName", "charge card")
    built = put(built, TASKS, "noRetriesLeft", "yes")
    built = put(built, TASKS, "priorityHigherThanOrEquals", "50")
    built = put(built, TASKS, "tenantIdIn", 'a,"b c"')
    built = put(built, TASKS, "processVariables", "amount>100 name=x")
    built = put(built, TASKS, "sorting", "created-desc")
    built = put(built, TASKS, "age", ">1h", here=True)
    built = put(built, TASKS, "error", "421", here=True)
    built = put(built, TASKS, "failed", "no", here=True)
    built = put(built, TASKS, "retries", "4")
    assert built.text(TASKS) == (
        'topic:"charge card" retries:0 tenant:a,"b c" priority>=50 var.amount>100 var.name=x sort:created-desc '
        "error~421 age>1h -failed"
    )
    assert built.retries == 4
    assert row(built, TASKS, "processVariables").value == "amount>100 name=x"
    for name, here in (
        ("topicName", False),
        ("noRetriesLeft", False),
        ("error", True),
        ("failed", True),
        ("age", True),
    ):
        built = put(built, TASKS, name, "", here=here)
    assert built.text(TASKS) == 'tenant:a,"b c" priority>=50 var.amount>100 var.name=x sort:created-desc'


@pytest.mark.parametrize(
    ("name", "here", "value", "sentence"),
    [
        ("priorityHigherThanOrEquals", False, "high", "needs a whole number"),
        ("lockExpirationBefore", False, "soon", "lockExpirationBefore needs a date in UTC"),
        ("sorting", False, "crated", "did you mean created?"),
        ("processVariables", False, "amount", "A variable is compared like this"),
        ("notLocked", False, "yes", "cannot stand together"),
        ("tenantIdIn", False, '"a', "A closing quote is missing."),
        ("retries", False, "many", "retries is a whole number, 0 or more."),
        ("retries", False, "99999999999", "retries is a whole number, 0 or more."),
        ("age", True, "soon", "age needs a duration"),
        ("version", True, "x", "version needs a whole number"),
    ],
)
def test_a_mistake_in_the_form_is_one_sentence(name: str, here: bool, value: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        put(draft("locked"), TASKS, name, value, here=here)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("word", "typed", "text"),
    [
        ("error", "503", "error~503"),
        ("error", "~503 -~card", "error~503 -error~card"),
        ("error", '"a b"', 'error~"a b"'),
        ("error", "-error", "-error"),
        ("key", ":ord-*", "key:ord-*"),
        ("version", "14", "version:14"),
        ("version", ">=13", "version>=13"),
        ("retries", "-", "retries:-"),
        ("age", "1h", "age>1h"),
        ("age", "<5m", "age<5m"),
        ("error", "", ""),
    ],
)
def test_a_row_of_the_console_takes_what_a_person_types(word: str, typed: str, text: str) -> None:
    subject = SUBJECTS["tasks"]
    field = next(field for field in fields_of(subject) if field.here and field.name == word)
    found = sought(field, typed, parse("failed", subject).conditions, subject)
    assert shown(field, subject.query(), found, subject) == text
    assert any(condition.word == "failed" for condition in found)


def test_durations_in_moments_count_the_way_their_word_does() -> None:
    for name, hour in (("lock_expiration_before", 13), ("started_before", 11)):
        subject = SUBJECTS["tasks" if name.startswith("lock") else "history"]
        field = next(field for field in fields_of(subject) if field.name == name)
        assert entered(field, "1h", subject, NOW) == NOW.replace(hour=hour)


def test_ids_are_a_list_in_form_and_json() -> None:
    built = put(draft(), IDS, "externalTaskIds", "a, b")
    assert built.body() == {"retries": 1, "externalTaskIds": ["a", "b"]}
    assert row(built, IDS, "externalTaskIds").value == "a, b"


def test_hostile_text_is_escaped_in_the_json() -> None:
    text = json_of(draft('topic:"a\x1b[31m\u202eb\U000e0001"'))
    assert text.isascii() or all(letter.isprintable() or letter == "\n" for letter in text)
    assert "\x1b" not in text
    assert json.loads(text)["externalTaskQuery"]["topicName"] == "a\x1b[31m\u202eb\U000e0001"


def test_a_saved_draft_comes_back_whole() -> None:
    one = draft("topic:a error~x")
    assert saved_text(one) == "topic:a error~x"
    assert from_saved(saved_text(one), draft()).texts == {TASKS.field: "topic:a error~x"}
    many = Draft(SOURCES, {TASKS.field: "topic:a", INSTANCES.field: "key:ord-*"}, retries=5)
    again = from_saved(saved_text(many), draft())
    assert (dict(again.texts), again.retries) == (dict(many.texts), 5)
    assert from_saved("{broken", draft()).text(TASKS) == "{broken"


def test_commands_hold_no_password_and_quote_for_the_shell() -> None:
    order = draft("""topic:"it's" """).order()
    said = curl_text(BatchRequest(order), "https://host/engine-rest", "ann")
    assert said.startswith("curl -X POST https://host/engine-rest/external-task/retries-async ")
    assert "-u ann " in said
    assert """'{"retries":1,"externalTaskQuery":{"topicName":"it'"'"'s"}}'""" in said
    listed = curl_list(
        "incidents",
        parse("error~x", "incidents").query,
        {"incidentMessageLike": "%x%"},
        "http://h",
        None,
        ("Authorization: Bearer $TOKEN",),
    )
    assert listed == (
        'curl -G http://h/incident -H "Authorization: Bearer $TOKEN" --data-urlencode incidentMessageLike=%x%'
    )
    assert curl_list("jobs", parse("retries:0", "jobs").query, {}, "http://h", None).endswith(
        """'{"noRetriesLeft":true}'"""
    )
