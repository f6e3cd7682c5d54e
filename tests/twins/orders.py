"""Random steps of a world's life: what workers and operators order, right and wrong."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from tests.twins.batch_orders import RETRIES, SUSPEND, Steps, a, batch_orders, given, order
from tests.twins.clock import HOUR
from tests.twins.drawings import ERROR_CODES, KEYS, PROCESSES, TOPICS, file
from tests.twins.queries import filters_of
from tests.twins.symbols import Ask, Pick, Text
from tests.twins.values import (
    BUSINESS_KEYS,
    MESSAGES,
    TENANTS,
    VARIABLES,
    WORKERS,
    typed_variables,
)

LOCKS = st.sampled_from((HOUR, HOUR, 10 * HOUR, 1, 0, -5))
_WORKER = st.sampled_from((*WORKERS, "w1", "w1", "w1"))


@st.composite
def deployments(draw: st.DrawFn) -> Ask:
    """A file with one process or two."""
    processes = draw(st.lists(PROCESSES, min_size=1, max_size=2, unique_by=lambda process: process.key))
    name, source, tenant = (
        draw(st.sampled_from(known)) for known in (("first", "second", None), (None, "here"), TENANTS)
    )
    given = {"deployment-name": name, "deployment-source": source, "tenant-id": tenant}
    if draw(st.integers(0, 5)) == 5:
        given["enable-duplicate-filtering"] = "true"
    parts = [(field, None, value) for field, value in given.items() if value is not None]
    resource = draw(st.sampled_from(("one.bpmn", "two.bpmn")))
    return Ask("POST", "/deployment/create", parts=(*parts, ("data", resource, file(tuple(processes)))))


@st.composite
def starts(draw: st.DrawFn) -> Ask:
    """A start by id, by key, by key and tenant."""
    key, tenant = draw(st.sampled_from(KEYS)), draw(st.sampled_from(("t1", "t2")))
    by_id = Text("/process-definition/%s/start", (draw(a("definition")),))
    path = draw(
        st.sampled_from(
            (
                by_id,
                by_id,
                by_id,
                f"/process-definition/key/{key}/start",
                f"/process-definition/key/{key}/tenant-id/{tenant}/start",
            )
        )
    )
    always = {"amount": {"value": draw(st.sampled_from((5, 6, 4, "5")))}} if draw(st.integers(0, 4)) else {}
    body = {
        "businessKey": draw(st.sampled_from((*BUSINESS_KEYS, None))),
        "variables": {**always, **draw(typed_variables())},
        "withVariablesInReturn": draw(st.sampled_from((None, None, True))),
    }
    return Ask("POST", path, body=given(body))


@st.composite
def fetches(draw: st.DrawFn) -> Ask:
    """A worker takes all that it can get: which of many it would get is the engine's affair."""
    topics = draw(st.lists(_topics(), min_size=0, max_size=2))
    body = {
        "workerId": draw(st.sampled_from((*WORKERS, "w1", "w1", None))),
        "maxTasks": draw(st.sampled_from((1000, 1000, 1000, 1000, 0, -1, None))),
        "usePriority": draw(st.sampled_from((None, True, False))),
        "sorting": draw(
            st.sampled_from(
                (
                    None,
                    None,
                    [{"sortBy": "createTime", "sortOrder": "desc"}],
                    [{"sortBy": "createTime"}],
                    [{"sortBy": "priority", "sortOrder": "asc"}],
                )
            )
        ),
        "asyncResponseTimeout": draw(st.sampled_from((None, None, None, 0, 1, 1_800_001))),
        "topics": topics,
    }
    return Ask("POST", "/external-task/fetchAndLock", body=given(body))


@st.composite
def _topics(draw: st.DrawFn) -> dict[str, Any]:
    optional = {
        "businessKey": st.sampled_from(BUSINESS_KEYS),
        "processDefinitionId": a("definition"),
        "processDefinitionIdIn": st.lists(a("definition"), max_size=2),
        "processDefinitionKey": st.sampled_from(KEYS),
        "processDefinitionKeyIn": st.lists(st.sampled_from(KEYS), max_size=2),
        "processDefinitionVersionTag": st.sampled_from(("1.0", "v_2", "v%")),
        "processVariables": st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from((5, "five", True)), max_size=2),
        "withoutTenantId": st.booleans(),
        "tenantIdIn": st.lists(st.sampled_from(("t1", "t2")), max_size=2),
        "variables": st.lists(st.sampled_from(VARIABLES), max_size=2),
        "localVariables": st.booleans(),
        "includeExtensionProperties": st.booleans(),
    }
    names = draw(st.lists(st.sampled_from(sorted(optional)), max_size=2, unique=True))
    topic: dict[str, Any] = {name: draw(optional[name]) for name in names}
    topic["lockDuration"] = draw(st.sampled_from((HOUR, HOUR, HOUR, 10 * HOUR, 1, 0)))
    topic["topicName"] = draw(st.sampled_from((*TOPICS, *TOPICS, "nothing", None)))
    return given(topic)


def _worker_orders(task: st.SearchStrategy[Any]) -> tuple[Steps, ...]:
    variables = st.one_of(st.none(), typed_variables())
    return (
        order("POST", "/external-task/%s/lock", task, workerId=_WORKER, lockDuration=LOCKS),
        order("POST", "/external-task/%s/complete", task, workerId=_WORKER, variables=variables),
        order(
            "POST",
            "/external-task/%s/failure",
            task,
            workerId=_WORKER,
            errorMessage=st.sampled_from((*MESSAGES, None, "long " * 200)),
            errorDetails=st.sampled_from((None, "line 1\nline 2")),
            retries=RETRIES,
            retryTimeout=st.sampled_from((None, 0, 1, HOUR, -1)),
            variables=variables,
        ),
        order(
            "POST",
            "/external-task/%s/bpmnError",
            task,
            workerId=_WORKER,
            errorCode=st.sampled_from((*ERROR_CODES, "E1", None)),
            errorMessage=st.sampled_from((None, "declined")),
            variables=variables,
        ),
        order("POST", "/external-task/%s/extendLock", task, workerId=_WORKER, newDuration=LOCKS),
        order("POST", "/external-task/%s/unlock", task),
        order("PUT", "/external-task/%s/priority", task, priority=st.sampled_from((0, 7, -3, "8"))),
        order("PUT", "/external-task/%s/retries", task, retries=RETRIES),
    )


@st.composite
def task_sources(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the five ways to say which tasks are meant."""
    sources = {
        "externalTaskIds": st.lists(a("task"), max_size=4),
        "processInstanceIds": st.lists(a("instance"), max_size=3),
        "externalTaskQuery": filters_of(ExternalTaskQuery, wrong=False, most=2),
        "processInstanceQuery": filters_of(ProcessInstanceQuery, wrong=False, most=2),
        "historicProcessInstanceQuery": filters_of(HistoricProcessInstanceQuery, wrong=False, most=2),
    }
    names = draw(st.lists(st.sampled_from(sorted(sources)), max_size=2, unique=True))
    return {name: draw(sources[name]) for name in names}


@st.composite
def _bulk(draw: st.DrawFn, method: str, path: str) -> Ask:
    retries = draw(st.sampled_from((0, 0, 1, 3, 3, None)))
    return Ask(method, path, body=given({"retries": retries, **draw(task_sources())}))


@st.composite
def _suspensions(draw: st.DrawFn) -> Ask:
    """Instances, many at a time."""
    targets = {
        "processDefinitionId": a("definition"),
        "processDefinitionKey": st.sampled_from(KEYS),
        "processInstanceIds": st.lists(a("instance"), max_size=3),
        "processInstanceQuery": filters_of(ProcessInstanceQuery, wrong=False, most=2),
        "historicProcessInstanceQuery": filters_of(HistoricProcessInstanceQuery, wrong=False, most=2),
    }
    names = draw(st.lists(st.sampled_from(sorted(targets)), min_size=0, max_size=2, unique=True))
    body = {name: draw(targets[name]) for name in names}
    return Ask("PUT", "/process-instance/suspended", body=given({"suspended": draw(SUSPEND), **body}))


@st.composite
def _variable_orders(draw: st.DrawFn) -> Ask:
    instance, name = draw(a("instance")), draw(st.sampled_from(VARIABLES))
    root = "/process-instance/%s/variables"
    given = draw(typed_variables())
    value = next(iter(given.values()), {"value": 1})
    bad = draw(st.sampled_from((None, None, None, {"value": "x", "type": "Integer"}, {"value": 1, "type": "Nothing"})))
    return draw(
        st.sampled_from(
            (
                Ask("PUT", Text(f"{root}/{name}", (instance,)), body=bad or value),
                Ask("DELETE", Text(f"{root}/{name}", (instance,))),
                Ask("POST", Text(root, (instance,)), body={"modifications": given, "deletions": [name]}),
            )
        )
    )


def _operator_orders() -> tuple[Steps, ...]:
    return (
        order("PUT", "/process-instance/%s/suspended", a("instance"), suspended=SUSPEND),
        _suspensions(),
        _variable_orders(),
        order("DELETE", "/process-instance/%s", a("instance")),
        order("DELETE", "/history/process-instance/%s", a("instance")),
        order("PUT", "/incident/%s/annotation", a("incident"), annotation=st.sampled_from(("seen", "", None))),
        order("DELETE", "/incident/%s/annotation", a("incident")),
        order("DELETE", "/incident/%s", a("incident")),
    )


@st.composite
def _work(draw: st.DrawFn) -> list[Ask]:
    """A worker takes a task and reports."""
    task = st.just(draw(a("task")))
    worker = draw(st.sampled_from(WORKERS))
    lock = Ask("POST", Text("/external-task/%s/lock", (draw(task),)), body={"workerId": worker, "lockDuration": HOUR})
    report = draw(st.one_of(*_worker_orders(task)))
    return [lock, replace(report, body=report.body | {"workerId": worker})]


_ONE = st.one_of(
    starts(),
    starts(),
    starts(),
    deployments(),
    fetches(),
    fetches(),
    *_worker_orders(a("task")),
    *_operator_orders(),
    _bulk("PUT", "/external-task/retries"),
    _bulk("POST", "/external-task/retries-async"),
    _bulk("POST", "/external-task/retries-async"),
    *batch_orders(),
)

ORDERS = st.one_of(_ONE.map(lambda order: [order]), _ONE.map(lambda order: [order]), _work())
"""Any order, or a worker's two."""

LENGTHS = (0, 1, 2, 3, 5, 8, 12, 16, 20, 24, 28, 30)
"""Of lives. Left to itself, hypothesis would mostly draw short ones."""


@st.composite
def lives(draw: st.DrawFn) -> list[Ask]:
    """The steps of one world: something to begin with, then anything."""
    begin = [draw(deployments()) for _ in range(2)] + [draw(starts()) for _ in range(5)]
    trouble = [order for _ in range(2) for order in draw(_failures())]
    stuck = {"retries": 3, "externalTaskIds": [draw(a("task")), "nowhere"]}
    launched = [Ask("POST", "/external-task/retries-async", body=stuck)] if draw(st.booleans()) else []
    return begin + trouble + launched + [order for _ in range(draw(st.sampled_from(LENGTHS))) for order in draw(ORDERS)]


@st.composite
def _failures(draw: st.DrawFn) -> list[Ask]:
    """A worker takes a task and gives it up."""
    task, worker = Pick("task", draw(st.integers(0, 40)), True), draw(st.sampled_from(WORKERS))
    lock = {"workerId": worker, "lockDuration": HOUR}
    gone = {"workerId": worker, "errorMessage": draw(st.sampled_from(MESSAGES)), "retries": 0}
    return [
        Ask("POST", Text("/external-task/%s/lock", (task,)), body=lock),
        Ask("POST", Text("/external-task/%s/failure", (task,)), body=gone),
    ]
