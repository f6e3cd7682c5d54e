"""Random questions: every filter of every query, by GET and POST, lists, counts, sorted and in pages."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from retriage.store.contract.queries import Query
from tests.twins.meanings import NEVER, values
from tests.twins.subjects import SUBJECTS, Subject
from tests.twins.symbols import Ask, Joined, Text
from tests.twins.values import ids

Filters = dict[str, Any]

WRONG: tuple[Any, ...] = (
    "",
    " ",
    "TRUE",
    "yes",
    "5.5",
    "many",
    -1,
    1.5,
    True,
    [],
    {},
    ["x"],
    "2026-03-01",
    "2026-02-30T00:00:00.000+0000",
)
"""Values that are wrong for most filters; what is right for one is no harm."""


@dataclass(frozen=True)
class Question:
    """A query and every way to ask it. ``page`` is first and most rows, if a page is asked for too."""

    asks: tuple[Ask, ...]
    page: tuple[int | None, int | None] | None


def _filters(query: type[Query]) -> dict[str, st.SearchStrategy[Any]]:
    """All fields that filter or change how others do, by wire name."""
    skipped = {"sort_by", "sort_order", "sorting", "or_queries"}
    return {
        field.alias or name: values(query, name, field)
        for name, field in query.model_fields.items()
        if name not in skipped
    }


def in_query_string(value: Any) -> Any:
    """A value of a body as a query string has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return Joined(tuple(_as_words(item) for item in value))
    if isinstance(value, list):
        return Joined(tuple(in_query_string(item) for item in value))
    return value if not isinstance(value, int | float | dict) else str(value)


def _as_words(item: dict[str, Any]) -> Text:
    parts = [item.get(name) for name in ("name", "operator", "value") if name in item]
    return Text("_".join(["%s"] * len(parts)), tuple(in_query_string(part) for part in parts))


@st.composite
def filters_of(draw: st.DrawFn, query: type[Query], wrong: bool = True, most: int = 4) -> Filters:
    """Some filters of a query with their values."""
    known = _filters(query)
    # Many filters together match nothing on any engine, which says little.
    size = min(draw(st.sampled_from((0, 1, 1, 1, 1, 1, 2, 2, 3, 4))), most)
    offered = sorted(known) if draw(st.integers(0, 9)) == 7 else sorted(name for name in known if name not in NEVER)
    names = draw(st.lists(st.sampled_from(offered), min_size=size, max_size=size, unique=True))
    chosen = {name: draw(known[name]) for name in names}
    if names and wrong and draw(st.integers(0, 19)) == 7:
        chosen[draw(st.sampled_from(names))] = draw(st.sampled_from(WRONG))
    return chosen


@st.composite
def _sorting(draw: st.DrawFn, query: type[Query], most: int) -> list[dict[str, Any]]:
    keys, order = st.sampled_from(query.SORT_KEYS), st.sampled_from(("asc", "desc"))
    entry = st.fixed_dictionaries({"sortBy": keys, "sortOrder": order})
    if draw(st.integers(0, 9)) == 7:
        any_key, any_order = st.one_of(keys, st.just("nothing")), st.one_of(order, st.just("up"))
        entry = st.fixed_dictionaries({}, optional={"sortBy": any_key, "sortOrder": any_order})
    return draw(st.lists(entry, max_size=most))


_PAGES = st.one_of(
    st.none(),
    st.tuples(st.sampled_from((None, 0, 1, 2, 5, 100, -1)), st.sampled_from((None, 0, 1, 2, 3, 100, -1))),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """One query, asked in every way there is."""
    often = ("external tasks", "process instances", "historic process instances", "external task log")
    subject = SUBJECTS[draw(st.sampled_from((*sorted(SUBJECTS), *often, *often)))]
    filters = draw(filters_of(subject.query))
    if subject.within is not None:
        filters[subject.within[0]] = draw(st.sampled_from(subject.within[1]))
    asks = [_by_get(draw, subject, filters)]
    if subject.post:
        asks.append(_by_post(draw, subject, filters))
    counts = [Ask(ask.method, f"{ask.path}/count", ask.params, ask.body) for ask in asks]
    return Question((*asks, *counts), draw(_PAGES))


def _by_get(draw: st.DrawFn, subject: Subject, filters: Filters) -> Ask:
    params = {name: in_query_string(value) for name, value in filters.items()}
    for entry in draw(_sorting(subject.query, 1)):
        params |= entry
    return Ask("GET", subject.path, params, rows=subject.name)


def _by_post(draw: st.DrawFn, subject: Subject, filters: Filters) -> Ask:
    body: dict[str, Any] = dict(filters)
    sorting = draw(_sorting(subject.query, 3))
    if sorting and draw(st.integers(0, 3)) == 3:
        body |= sorting.pop(0)
    if sorting:
        body["sorting"] = sorting
    if "or_queries" in subject.query.model_fields and draw(st.integers(0, 3)) == 3:
        body["orQueries"] = draw(st.lists(filters_of(subject.query, wrong=False, most=3), max_size=2))
    return Ask("POST", subject.path, body=body, rows=subject.name)


_ONE = {
    "task": ("/external-task/%s", "/external-task/%s/errorDetails"),
    "instance": (
        "/process-instance/%s",
        "/history/process-instance/%s",
        "/process-instance/%s/variables",
        "/process-instance/%s/variables/amount",
    ),
    "definition": ("/process-definition/%s", "/process-definition/%s/xml"),
    "deployment": ("/deployment/%s",),
    "incident": ("/incident/%s",),
    "batch": ("/batch/%s", "/history/batch/%s"),
    "job": ("/job/%s", "/job/%s/stacktrace"),
    "jobDefinition": ("/job-definition/%s",),
    "jobLog": ("/history/job-log/%s", "/history/job-log/%s/stacktrace"),
    "taskLog": ("/history/external-task-log/%s", "/history/external-task-log/%s/error-details"),
}


@st.composite
def single_things(draw: st.DrawFn) -> Question:
    """One thing by its id, or by the id of something else."""
    kind = draw(st.sampled_from(sorted(_ONE)))
    identity = draw(ids(kind).filter(lambda value: value != ""))
    return Question((Ask("GET", Text(draw(st.sampled_from(_ONE[kind])), (identity,))),), None)


@st.composite
def other_reads(draw: st.DrawFn) -> Question:
    """What is neither a list with filters nor one thing by its id."""
    flags = st.sampled_from(("true", "false", "true", "", "TRUE", "1"))
    names = ("withLockedTasks", "withUnlockedTasks", "withRetriesLeft")
    topics = st.dictionaries(st.sampled_from(names), flags).map(
        lambda params: Ask("GET", "/external-task/topic-names", params)
    )
    key, tenant = st.sampled_from(("alpha", "beta", "none")), st.sampled_from(("t1", "t2", "t9"))
    by_key = st.builds(
        lambda key, tail: Ask("GET", f"/process-definition/key/{key}{tail}"), key, st.sampled_from(("", "/xml"))
    )
    of_tenant = st.builds(
        lambda key, tenant: Ask("GET", f"/process-definition/key/{key}/tenant-id/{tenant}"), key, tenant
    )
    return Question((draw(st.one_of(topics, by_key, of_tenant)),), None)


BROKEN = st.builds(
    lambda path, raw: Question((Ask("POST", path, raw=raw),), None),
    st.sampled_from(
        (
            "/external-task",
            "/external-task/retries-async",
            "/external-task/fetchAndLock",
            "/job/count",
            "/process-instance",
            "/history/process-instance/count",
        )
    ),
    st.sampled_from(("{", "[]", '"x"', "{'a':1}", '{"retries":"many"}', '{"sorting":5}', "5", '{"sorting":[5]}')),
)
"""Bodies that are no JSON objects, or whose parts are of the wrong kind."""

ANY = st.one_of(*[questions()] * 8, single_things(), single_things(), other_reads(), BROKEN)
"""Any question."""
