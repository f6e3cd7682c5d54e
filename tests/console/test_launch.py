"""The plan of a launch: what it says it will do, and the exact request."""

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest

from console.triage.launch import Plan
from console.triage.selection import Everything, Marked, matches_all
from console.triage.survey import Facts
from store.contract.queries import ExternalTaskQuery, Sorting, VariableFilter

SOME = ExternalTaskQuery(topic_name="charge-card", no_retries_left=True)


def facts(asked: int = 0, **counts: Any) -> Facts:
    known = {"found": asked, "no_retries": asked, "retries_left": 0, "locked": 0, "suspended": 0, "retries": {}}
    return Facts(asked=asked, **{**known, **counts}, at=datetime(2026, 3, 1, tzinfo=UTC))


def plan(to: int = 3, asked: int = 1, selection: Marked | Everything | None = None, **counts: Any) -> Plan:
    return Plan(selection or Everything(SOME), to, facts(asked, **counts))


@pytest.mark.parametrize(
    ("tasks", "jobs", "seeds"), [(0, 0, 0), (1, 1, 1), (100, 100, 1), (101, 101, 2), (4601, 4601, 47)]
)
def test_jobs_and_seeds(tasks: int, jobs: int, seeds: int) -> None:
    launch = plan(asked=tasks)
    assert (launch.count, launch.jobs, launch.seeds) == (tasks, jobs, seeds)


def test_jobs_and_seeds_of_an_engine_with_other_settings() -> None:
    launch = Plan(Everything(SOME), 3, facts(95), jobs_per_seed=4, tasks_per_job=10)
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
    assert launch.curl("u").isascii()
    assert '"Authorization: Bearer $TOKEN"' in launch.curl("http://host/engine-rest", token=True)


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
    launch = plan(selection=Everything(query))
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
def test_what_no_query_can_say_must_be_settled_first(selection: Everything) -> None:
    launch = plan(selection=selection)
    assert launch.by_ids
    assert not launch.ready
    with pytest.raises(ValueError, match="settled"):
        _ = launch.request


def said(launch: Plan) -> list[tuple[int, str, str]]:
    return [(outcome.count, outcome.label, outcome.effect) for outcome in launch.outcomes()]


def test_what_becomes_of_each_group() -> None:
    launch = plan(
        3, 20, selection=Marked(frozenset("x")), found=18, no_retries=10, retries_left=8, locked=2, suspended=1,
        retries={5: 2, 3: 1, 1: 4, None: 1},
    )  # fmt: skip
    assert said(launch) == [
        (10, "tries 0 -> 3", "incident closes, a worker may fetch it"),
        (4, "tries 1 -> 3", "raised"),
        (2, "tries 5 -> 3", "LOWERED"),
        (1, "tries 3 -> 3", "unchanged"),
        (1, "never failed (-) -> 3", "has no need of it"),
        (2, "locked by a worker", "set now, fetchable later"),
        (1, "suspended", "set now, waits for its instance"),
        (2, "gone since they were marked", "their jobs fail and keep the batch open"),
    ]


def test_setting_to_0_raises_incidents() -> None:
    launch = plan(0, 4, no_retries=1, retries_left=3, retries={2: 1, None: 2})
    assert said(launch) == [
        (1, "tries 0 -> 0", "nothing changes"),
        (1, "tries 2 -> 0", "LOWERED to 0: raises an incident"),
        (2, "never failed (-) -> 0", "raises an incident"),
    ]
    assert any("raises an incident" in warning for warning in launch.warnings())


def test_retries_that_were_not_looked_at_may_be_lowered() -> None:
    launch = plan(1, 9000, no_retries=1000, retries_left=8000)
    assert said(launch)[1] == (8000, "tries left or never failed", "set to 1: those with more are LOWERED")
    assert launch.facts.never_failed is None


def test_nothing_to_launch_is_told() -> None:
    assert plan(asked=0).warnings() == ["Nothing matches: the engine would refuse the launch."]


def test_words_for_a_selection() -> None:
    assert Marked(frozenset("a")).describe() == "1 marked task"
    assert Marked(frozenset("abc")).describe() == "3 marked tasks"
    assert Everything(SOME).describe() == "all tasks that match"
    assert Everything(ExternalTaskQuery(), frozenset("ab")).describe() == "every external task of the engine but 2"
