"""Differences that are known, each with the reason why both engines may keep their way.

A row speaks of one behaviour of the reference engine as narrowly as it can be told from a request and the two answers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.twins.symbols import Ask, Joined, Text

Answer = httpx.Response


@dataclass(frozen=True)
class Known:
    """One difference: where it shows, and why it may."""

    reason: str
    shows: Callable[[Ask, Answer, Answer], bool]


def _said(answer: Answer) -> tuple[Any, Any]:
    """Type and message of a refusal."""
    if answer.status_code < 400 or not answer.headers["content-type"].startswith("application/json"):
        return None, None
    body = answer.json()
    return body.get("type"), body.get("message")


def _path(ask: Ask) -> str:
    return ask.path.pattern if isinstance(ask.path, Text) else str(ask.path)


def objects(ask: Ask) -> Iterator[dict[str, Any]]:
    """The query string, and every object in the body, each as a dict."""
    yield dict(ask.params)
    yield from _inner(ask.body)


def _inner(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _inner(part)


def _is_empty(value: Any) -> bool:
    parts = value.parts if isinstance(value, Joined) else value
    return parts is not None and all(part == "" for part in ([parts.strip()] if isinstance(parts, str) else parts))


def _broken_sql(shape: Callable[[Ask], bool]) -> Callable[[Ask, Answer, Answer], bool]:
    """The reference engine writes SQL that its database refuses, for requests of this shape; the store answers."""

    def shows(ask: Ask, ours: Answer, theirs: Answer) -> bool:
        broken = theirs.status_code == 500 and _said(theirs)[0] == "ProcessEnginePersistenceException"
        return broken and ours.status_code < 500 and shape(ask)

    return shows


def _null_pointer(_ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return ours.status_code == theirs.status_code == 500 and _said(theirs)[0] == "NullPointerException"


def _two_wrong_parameters(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    start = "Cannot set query parameter '"
    return (
        all(answer.status_code == 400 and str(_said(answer)[1]).startswith(start) for answer in (ours, theirs))
        and len(ask.params) > 1
    )


_JOB_FILTERS = {"jobId", "jobIds", "jobDefinitionId", "activityId", "processInstanceId", "processInstanceIds"}


def _two_job_filters(ask: Ask) -> bool:
    return any(len(_JOB_FILTERS & set(one)) > 1 for one in objects(ask))


def _no_keys(ask: Ask) -> bool:
    return any(
        "processDefinitionKeyNotIn" in one and _is_empty(one["processDefinitionKeyNotIn"]) for one in objects(ask)
    )


def _incident_id_in_entry(ask: Ask) -> bool:
    entries = [entry for one in objects(ask) for entry in one.get("orQueries") or ()]
    return any(entry.get("incidentIdIn") for entry in entries)


def _tasks_by_variable(ask: Ask) -> bool:
    nested = [one.get("externalTaskQuery") or {} for one in objects(ask)]
    return any(query.get("processVariables") for query in nested)


def _incident_beside_entries(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    if not ask.rows and not str(ask.path).endswith("/count"):
        return False
    body = ask.body if isinstance(ask.body, dict) else {}
    entries = body.get("orQueries") or ()
    return bool(entries) and ours.is_success and theirs.is_success and any(map(_has_an_incident, (body, *entries)))


def _has_an_incident(query: dict[str, Any]) -> bool:
    flags = query.get("withIncident") is True or query.get("withIncidents") is True
    return flags or query.get("incidentStatus") not in (None, "open", "resolved")


def _history_of_a_running_batch(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    deletes = ask.method == "DELETE" and _path(ask) == "/history/batch/%s"
    return deletes and theirs.is_success and str(_said(ours)[1]).endswith("it is still running")


def _passed_event(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    """Which of them the request names does not matter: what differs is that a row is lacking."""
    named = [one["executedActivityIdIn"] for one in objects(ask) if one.get("executedActivityIdIn")]
    words = {word for value in named for word in (value.parts if isinstance(value, Joined) else value)}
    return ours.is_success and theirs.is_success and bool(words - {"Begin", "Task0", "Task1", "Task2"})


KNOWN: tuple[Known, ...] = (
    Known(
        "instances: a filter that asks for nothing but an incident filters nothing beside orQueries in the reference "
        "engine, which joins the incidents in another way then; in the store it filters",
        _incident_beside_entries,
    ),
    Known(
        "batches: the reference engine forgets the history of a batch that still runs; in the store a batch is one row "
        "for all of its life, and the order is refused",
        _history_of_a_running_batch,
    ),
    Known(
        "historic instances: the store keeps no trace of the events and gateways that a token has passed",
        _passed_event,
    ),
    Known(
        "of several wrong parameters of one query string, the reference engine names the first of a hash table",
        _two_wrong_parameters,
    ),
    Known(
        "where the reference engine stumbles over a null that it did not expect, its words are Java's", _null_pointer
    ),
    Known(
        "jobs: the reference engine forgets an AND between two filters by id; the store joins them",
        _broken_sql(_two_job_filters),
    ),
    Known(
        "historic instances: an empty processDefinitionKeyNotIn is an empty pair of brackets in the reference engine's "
        "SQL; the store takes it for no filter",
        _broken_sql(_no_keys),
    ),
    Known(
        "historic instances: incidentIdIn inside orQueries lacks its join in the reference engine; the store has it",
        _broken_sql(_incident_id_in_entry),
    ),
    Known(
        "bulk orders: processVariables inside externalTaskQuery lack their conditions in the reference engine's SQL; "
        "the store has them",
        _broken_sql(_tasks_by_variable),
    ),
)
"""In the order in which they are asked."""


def reason(ask: Ask, ours: Answer, theirs: Answer) -> str | None:
    """Why these answers may differ; none if nobody knows."""
    return next((known.reason for known in KNOWN if known.shows(ask, ours, theirs)), None)
