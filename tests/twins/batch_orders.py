"""Orders to batches, jobs and job definitions, and how an order to one thing is drawn."""

from typing import Any

from hypothesis import strategies as st

from retriage.store.contract.queries import JobQuery
from tests.twins.queries import filters_of
from tests.twins.symbols import Ask, Pick, Text
from tests.twins.values import DATES, ids

Steps = st.SearchStrategy[Ask]

RETRIES = st.sampled_from((0, 0, 1, 3, 3, -1, None, "2"))
SUSPEND = st.sampled_from((True, True, False, None))


def a(*kinds: str) -> st.SearchStrategy[Any]:
    """The id of a thing that is there; seldom of something else."""
    good = st.builds(Pick, st.sampled_from(kinds), st.integers(0, 40), st.just(True))
    return st.one_of(good, good, good, good, good, ids(*kinds).filter(lambda value: value != ""))


def order(method: str, pattern: str, target: st.SearchStrategy[Any], **body: st.SearchStrategy[Any]) -> Steps:
    """An order to one thing; absent values are left out of the body."""
    return st.builds(
        lambda identity, values: Ask(method, Text(pattern, (identity,)), body=given(values)),
        target,
        st.fixed_dictionaries(body),
    )


def given(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


@st.composite
def _jobs_suspended(draw: st.DrawFn) -> Ask:
    targets = {"jobDefinitionId": a("jobDefinition"), "processInstanceId": a("instance")}
    names = draw(st.lists(st.sampled_from(sorted(targets)), max_size=2, unique=True))
    body = {"suspended": draw(SUSPEND), **{name: draw(targets[name]) for name in names}}
    return Ask("PUT", "/job/suspended", body=given(body))


@st.composite
def _jobs_retries(draw: st.DrawFn) -> Ask:
    sources = {"jobIds": st.lists(a("job"), max_size=3), "jobQuery": filters_of(JobQuery, wrong=False, most=2)}
    names = draw(st.lists(st.sampled_from(sorted(sources)), max_size=2, unique=True))
    body = {"retries": draw(RETRIES), **{name: draw(sources[name]) for name in names}}
    return Ask("POST", "/job/retries", body=given(body))


def batch_orders() -> tuple[Steps, ...]:
    batch = a("batch")
    return (
        order("PUT", "/batch/%s/suspended", batch, suspended=SUSPEND),
        order("DELETE", "/batch/%s", batch),
        order("DELETE", "/batch/%s?cascade=true", batch),
        order("DELETE", "/history/batch/%s", batch),
        order("PUT", "/job/%s/retries", a("job"), retries=RETRIES),
        order("DELETE", "/job/%s", a("job")),
        order("POST", "/job/%s/execute", a("job")),
        order("PUT", "/job/%s/suspended", a("job"), suspended=SUSPEND),
        order("PUT", "/job/%s/priority", a("job"), priority=st.sampled_from((0, 5, None))),
        order("PUT", "/job/%s/duedate", a("job"), duedate=st.sampled_from((*DATES, None))),
        order(
            "PUT",
            "/job-definition/%s/suspended",
            a("jobDefinition"),
            suspended=SUSPEND,
            includeJobs=st.sampled_from((True, None)),
        ),
        order(
            "PUT",
            "/job-definition/%s/jobPriority",
            a("jobDefinition"),
            priority=st.sampled_from((0, 5, None)),
            includeJobs=st.sampled_from((True, None)),
        ),
        _jobs_suspended(),
        _jobs_retries(),
        order("PUT", "/job-definition/%s/retries", a("jobDefinition"), retries=RETRIES),
    )
