"""The plan of a launch: what it says it will do, and the exact request."""

import json
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.credentials import Credentials
from retriage.console.launch.plan import LaunchPlan
from retriage.console.operations.preview import Kind
from retriage.console.reading.counts import SelectionCounts
from retriage.console.reading.selected_tasks import SelectedTasks
from retriage.console.reading.selection import Composed, Everything, Marked, matches_all
from retriage.console.screens.launch.page import total_spans
from retriage.console.widgets.line import fitted
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    ProcessInstanceQuery,
    Sorting,
    VariableFilter,
)

SOME = ExternalTaskQuery(topic_name="charge-card", no_retries_left=True)


def facts(asked: int = 0, **counts: Any) -> SelectionCounts:
    known = {"found": asked, "no_retries": asked, "retries_left": 0, "locked": 0, "suspended": 0, "retries": {}}
    return SelectionCounts(asked=asked, **{**known, **counts}, at=datetime(2026, 3, 1, tzinfo=UTC))


def plan(to: int = 3, asked: int = 1, selection: Marked | Everything | None = None, **counts: Any) -> LaunchPlan:
    return LaunchPlan(selection or Everything(SOME), to, facts(asked, **counts))


@pytest.mark.parametrize(
    ("tasks", "jobs", "seeds"), [(0, 0, 0), (1, 1, 1), (100, 100, 1), (101, 101, 2), (4601, 4601, 47)]
)
def test_jobs_and_seeds(tasks: int, jobs: int, seeds: int) -> None:
    launch = plan(asked=tasks)
    assert (launch.count, launch.jobs, launch.seeds) == (tasks, jobs, seeds)


def test_jobs_and_seeds_of_an_engine_with_other_settings() -> None:
    launch = LaunchPlan(Everything(SOME), 3, facts(95), jobs_per_seed=4, tasks_per_job=10)
    assert (launch.jobs, launch.seeds) == (10, 3)


@pytest.mark.parametrize("retries", [-1, 2**31])
def test_a_number_of_retries_that_is_none_is_refused(retries: int) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        plan(retries)


def test_a_query_is_sent_as_it_is_but_without_its_order() -> None:
    ordered = SOME.model_copy(update={"sorting": [Sorting(sort_by="createTime", sort_order="asc")]})
    request = plan(0, selection=Everything(ordered)).request
    wire = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert wire == {"retries": 0, "externalTaskQuery": {"topicName": "charge-card", "noRetriesLeft": True}}


def test_ids_are_sent_all_and_shown_a_few() -> None:
    ids = frozenset(f"et-{number:04}" for number in range(5000))
    launch = plan(selection=Marked(ids), asked=5000)
    assert launch.request.external_task_ids == sorted(ids)
    shown = json.loads(launch.json())
    assert shown == {"retries": 3, "externalTaskIds": ["et-0000", "et-0001", "et-0002", "... 4,997 more"]}
    assert len(json.loads(launch.json(None))["externalTaskIds"]) == 5000


def test_curl_is_the_whole_request_and_holds_no_secret() -> None:
    ids = frozenset({"a'b", "c d", "e$f\u202e"})
    launch = plan(selection=Marked(ids), asked=3)
    words = shlex.split(launch.curl("http://host/engine-rest", user="ann"))
    assert words[:4] == ["curl", "-X", "POST", "http://host/engine-rest/external-task/retries-async"]
    assert words[words.index("-u") + 1] == "ann"
    assert json.loads(words[-1]) == {"retries": 3, "externalTaskIds": sorted(ids)}
    assert launch.curl("").startswith('curl -X POST "$ENGINE_REST"/external-task/retries-async ')
    assert launch.curl("u").isascii()
    assert '"Authorization: Bearer $TOKEN"' in launch.curl(
        "http://host/engine-rest", headers=("Authorization: Bearer $TOKEN",)
    )


@pytest.mark.parametrize(
    ("query", "everything"),
    [
        (ExternalTaskQuery(), True),
        (ExternalTaskQuery(external_task_id_in=[], locked=False), True),
        (ExternalTaskQuery(variable_names_ignore_case=True), True),
        (ExternalTaskQuery(sorting=[Sorting(sort_by="id", sort_order="asc")]), True),
        (ExternalTaskQuery(topic_name=""), False),
        (ExternalTaskQuery(priority_higher_than_or_equals=0), False),
        (ExternalTaskQuery(locked=True), False),
    ],
)
def test_a_query_that_matches_every_task_is_flagged(query: ExternalTaskQuery, everything: bool) -> None:
    assert matches_all(query) is everything
    launch = plan(selection=Everything(query), asked=7)
    assert launch.everything is everything
    assert ("This takes EVERY external task of the engine." in launch.warnings()) is everything


@pytest.mark.parametrize(
    ("sources", "everything"),
    [
        ({"process_instance_query": ProcessInstanceQuery()}, True),
        ({"process_instance_query": ProcessInstanceQuery(active=False)}, True),
        ({"historic_process_instance_query": HistoricProcessInstanceQuery()}, True),
        ({"external_task_query": SOME, "process_instance_query": ProcessInstanceQuery()}, True),
        ({"process_instance_query": ProcessInstanceQuery(active=True)}, False),
        ({"process_instance_ids": ["p"]}, False),
    ],
)
def test_a_composed_request_for_every_instance_is_flagged(sources: dict[str, Any], everything: bool) -> None:
    read = selected_tasks({"a": 0, "b": 0})
    launch = LaunchPlan(Composed(SetExternalTaskRetries(**sources)), 3, read.facts(), read)
    assert launch.everything is everything
    assert ("This takes EVERY external task of the engine." in launch.warnings()) is everything


def test_marks_are_never_everything() -> None:
    assert not plan(selection=Marked(frozenset())).everything


@pytest.mark.parametrize(
    "selection",
    [
        Everything(SOME, but=frozenset({"a"})),
        Everything(ExternalTaskQuery(process_variables=[VariableFilter(name="x", operator="eq", value=1)])),
    ],
    ids=["some taken out", "variables, on which Camunda 7 fails"],
)
def test_what_no_query_can_say_is_sent_as_the_ids_that_were_read(selection: Everything) -> None:
    launch = plan(selection=selection)
    assert launch.by_ids
    assert not launch.ready
    with pytest.raises(ValueError, match="must be read"):
        _ = launch.request
    known = launch.but(selected_tasks=selected_tasks({"b": 0, "a": 0}))
    assert known.ready
    assert known.request.external_task_ids == ["a", "b"]


def selected_tasks(retries: dict[str, int | None], named: frozenset[str] = frozenset()) -> SelectedTasks:
    made = SelectedTasks(datetime(2026, 3, 1, tzinfo=UTC), named)
    made.retries.update(retries)
    return made


def of_ids(to: int, retries: dict[str, int | None], *gone: str, included: Iterable[Kind] = ()) -> LaunchPlan:
    ids = frozenset((*retries, *gone))
    read = selected_tasks(retries, ids)
    return LaunchPlan(Marked(ids), to, read.facts(), read, frozenset(included))


MIXED: dict[str, int | None] = {"a": 0, "b": 5, "c": None, "d": 1, "e": 3}


@pytest.mark.parametrize(
    ("included", "ids"),
    [
        ((), "ad"),
        (("lowered",), "abd"),
        (("never_failed",), "acd"),
        (("unchanged",), "ade"),
        (("gone",), "adx"),
        (("lowered", "never_failed", "unchanged", "gone"), "abcdex"),
    ],
)
def test_what_has_no_need_of_it_is_left_out_unless_taken_in_by_hand(included: tuple[Kind, ...], ids: str) -> None:
    for selection in (Marked(frozenset({*MIXED, "x"})), Everything(SOME, frozenset({"y"})), Composed(INSTANCES)):
        read = selected_tasks(MIXED, frozenset({*MIXED, "x"}))
        launch = LaunchPlan(selection, 3, read.facts(), read, frozenset(included))
        assert launch.request.external_task_ids == list(ids) if launch.by_ids else len(ids) == 6
        assert launch.count == len(ids)
        assert launch.left_out == 6 - len(ids)


def test_setting_to_0_takes_those_that_lose_retries_and_says_so() -> None:
    launch = of_ids(0, MIXED)
    assert launch.request.external_task_ids == ["b", "d", "e"]
    assert said(launch) == [(3, "now have 1-5 tries", "1-5 -> 0 LOWERED to 0, an incident each")]
    assert [by_hand(launch, kind)[:2] for kind in ("never_failed", "unchanged")] == [
        (1, "never failed (-) -> 0"),
        (1, "tries 0 -> 0"),
    ]
    assert launch.class_by_hand("lowered") is None


@pytest.mark.parametrize(
    ("to", "retries", "included", "way", "count"),
    [
        (3, {}, (), "failed", 10),
        (3, {None: 3, 4: 2, 3: 1}, (), "failed", 10),
        (3, {None: 3, 4: 2, 1: 1}, (), "ids", 11),
        (3, {1: 1}, (), "ids", 11),
        (3, {1: 1}, ("never_failed", "lowered"), "query", 11),
        (3, {None: 3, 4: 2}, ("never_failed", "lowered"), "query", 15),
        (3, {None: 3, 4: 2}, ("never_failed",), "ids", 13),
        (3, {None: 3, 3: 2}, ("never_failed", "lowered"), "ids", 13),
        (0, {}, ("unchanged",), "failed", 10),
        (0, {2: 4}, (), "ids", 4),
        (0, {2: 4, None: 1}, ("never_failed",), "left", 5),
        (0, {2: 4, None: 1}, ("never_failed", "unchanged"), "query", 15),
    ],
)
def test_a_query_is_sent_only_where_it_can_take_nothing_that_is_left_out(
    to: int, retries: dict[int | None, int], included: tuple[Kind, ...], way: str, count: int
) -> None:
    left = sum(retries.values())
    counted = facts(10 + left, no_retries=10, retries_left=left, retries=retries)
    launch = LaunchPlan(Everything(ExternalTaskQuery(topic_name="t")), to, counted, included=frozenset(included))
    assert (launch.way, launch.count) == (way, count)
    assert launch.ready is (way != "ids")
    if way == "ids":
        assert launch.why_by_ids == "no query leaves the others out"
        return
    query = launch.request.external_task_query
    assert query is not None
    assert (query.topic_name, query.no_retries_left, query.with_retries_left) == (
        "t", True if way == "failed" else None, True if way == "left" else None
    )  # fmt: skip


def test_what_is_too_much_to_be_told_apart_is_taken_or_left_out_as_a_whole() -> None:
    counts = {"no_retries": 10, "retries_left": 5, "retries": {4: 2, None: 3}}
    launch = plan(3, 15, selection=Everything(ExternalTaskQuery()), **counts).but(apart=False)
    assert (launch.way, launch.count, launch.everything) == ("failed", 10, False)
    assert launch.request.external_task_query == ExternalTaskQuery(no_retries_left=True)
    assert launch.describe() == "all without retries left"
    assert by_hand(launch, "unknown") == (5, "tries left, or never failed", "2 LOWERED 4 -> 3")
    whole = launch.but(included=frozenset({"unknown"}))
    assert (whole.way, whole.count, whole.everything) == ("query", 15, True)
    assert whole.request.external_task_query == ExternalTaskQuery()
    to_0 = launch.but(retries=0)
    assert to_0.count == 0
    assert to_0.but(included=frozenset({"unknown"})).request.external_task_query == ExternalTaskQuery(
        with_retries_left=True
    )


def test_an_engine_that_cannot_be_told_the_query_is_told_the_ids() -> None:
    read = selected_tasks({"a": 0, "b": 0})
    launch = LaunchPlan(Everything(SOME), 3, read.facts(), read, by_ids_because="it ignores the process")
    assert launch.request.external_task_ids == ["a", "b"]
    assert launch.why_by_ids == "it ignores the process"


INSTANCES = SetExternalTaskRetries(process_instance_ids=["p"], external_task_ids=["a"])


def test_a_composed_request_is_sent_as_it_is_only_where_it_can_take_nothing_that_is_left_out() -> None:
    failed = SetExternalTaskRetries(external_task_ids=["a"], external_task_query=SOME)
    read = selected_tasks({"a": 0, "b": 0})
    assert LaunchPlan(Composed(failed), 3, read.facts(), read).request == failed.model_copy(update={"retries": 3})
    # An instance may come to a task that never failed before the engine reads this.
    by_ids = LaunchPlan(Composed(INSTANCES), 3, read.facts(), read)
    assert by_ids.request.external_task_ids == ["a", "b"]
    all_of_it = by_ids.but(included=frozenset({"never_failed", "lowered"}))
    assert all_of_it.request == INSTANCES.model_copy(update={"retries": 3})
    lowers = selected_tasks({"a": 0, "b": 2})
    assert LaunchPlan(Composed(INSTANCES), 1, lowers.facts(), lowers).request.external_task_ids == ["a"]


def by_hand(launch: LaunchPlan, kind: Kind) -> tuple[int, str, str]:
    effect = launch.class_by_hand(kind)
    assert effect is not None
    return (effect.count, effect.label, effect.effect)


def said(launch: LaunchPlan) -> list[tuple[int, str, str]]:
    return [(effect.count, effect.label, effect.effect) for effect in launch.preview()]


def test_what_becomes_of_each_group() -> None:
    launch = plan(
        3, 20, selection=Marked(frozenset("x")), found=18, no_retries=10, retries_left=8, locked=3, suspended=1,
        unsure=1, delayed=4, retries={5: 2, 3: 1, 1: 4, None: 1}, locked_until=datetime(2026, 3, 1, 3, 28, tzinfo=UTC),
    )  # fmt: skip
    assert said(launch) == [
        (10, "tries 0 -> 3", "incident resolves, workers fetch it"),
        (4, "tries 1 -> 3", "raised"),
        (2, "of them locked until 03:28Z", "set now, fetchable later"),
        (1, "lock/retry time until 03:28Z", "set now, fetchable later"),
        (4, "in retry time until 03:28Z", "fetchable then, or after U"),
        (1, "of them suspended", "set now; runs once it is activated"),
    ]
    assert by_hand(launch, "never_failed") == (1, "never failed (-) -> 3", "needs no retry")
    assert by_hand(launch, "unchanged") == (1, "tries 3 -> 3", "unchanged")
    assert by_hand(launch, "lowered") == (2, "now have 5 tries", "5 -> 3 LOWERED")
    assert by_hand(launch, "gone") == (2, "gone since listing", "would wedge the batch")
    assert launch.count == 14


def test_many_different_numbers_of_retries_are_told_in_one_line() -> None:
    launch = plan(9, 21, no_retries=0, retries_left=21, retries={n: n for n in range(1, 7)})
    assert said(launch)[-1] == (6, "other retries left", "set to 9")
    assert sum(number for number, _, _ in said(launch)) == 21


def test_setting_to_0_raises_incidents() -> None:
    launch = plan(0, 4, selection=Marked(frozenset("x")), no_retries=1, retries_left=3, retries={2: 1, None: 2})
    assert launch.numbers["lowered"] == 1
    assert by_hand(launch, "never_failed") == (2, "never failed (-) -> 0", "raises an incident")
    assert any("raises an incident" in warning for warning in launch.warnings())
    assert plan(0, 4).warnings() == ["They all have 0 retries already: this changes nothing."]


def test_retries_that_were_not_looked_at_may_be_lowered() -> None:
    launch = plan(1, 9000, no_retries=1000, retries_left=8000)
    assert by_hand(launch, "unknown") == (8000, "tries left, or never failed", "some LOWERED")
    assert launch.count == 1000
    assert not launch.facts.looked


def test_nothing_to_launch_is_told_in_one_sentence() -> None:
    assert plan(asked=0).warnings() == ["There is nothing to launch: no task matches."]
    everything = plan(asked=0, selection=Everything(ExternalTaskQuery()))
    assert everything.warnings() == ["There is nothing to launch: no task matches."]
    assert of_ids(1, {"a": 3}).warnings() == ["Nothing is left to launch: space includes what is left out."]


def test_words_for_a_selection() -> None:
    assert Marked(frozenset("a")).describe() == "1 marked task"
    assert Marked(frozenset("abc")).describe() == "3 marked tasks"
    assert Everything(SOME).describe() == "all tasks that match"
    assert Everything(ExternalTaskQuery(), frozenset("ab")).describe() == "every external task of the engine but 2"


def test_how_many_failed_again_is_not_what_a_narrow_screen_cuts_off() -> None:
    launch = of_ids(1, {f"t-{number}": 0 for number in range(1234)})
    for again in (1, 12_345):
        shown = "".join(text for text, _ in fitted(total_spans(launch, again), 76))
        assert f"1,234  tasks in the launch  {again:,} failed again after a retry" in shown
    assert "tasks in the launch          1,234 batch jobs" in "".join(text for text, _ in total_spans(launch, None))


async def test_a_copied_command_names_the_headers_that_log_in_and_never_their_values() -> None:
    http = httpx.AsyncClient(base_url="http://host/engine-rest", headers={"X-Api-Key": "k3y"})
    client = EngineClient(http)
    client.log_in(Credentials({"Authorization": "Bearer t0ken", "Cookie": "session=s3cret"}), None)
    command = plan().curl(client.url, "ann", client.login_headers)
    for header in ("Authorization: Bearer $TOKEN", "X-Api-Key: $X_API_KEY", "Cookie: $COOKIE"):
        assert f'-H "{header}"' in command
    assert "-u ann" not in command, "the token says who it is"
    assert not any(secret in command for secret in ("t0ken", "k3y", "s3cret"))
    for plain in (
        EngineClient(httpx.AsyncClient(base_url="http://host")),
        EngineClient(httpx.AsyncClient(auth=("a", "b"))),
    ):
        assert plain.login_headers == ()
