"""Jobs that tokens wait for: asynchronous continuations and timers; how they fail, and what helps them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.answers import JOB, JOB_DEFINITION, JOB_LOG, moment, refused
from tests.contract.engine import Engine
from tests.contract.stage import Record, Stage, deploy, frozen, stage
from tests.contract.waiting import eventually
from tests.store.drawings import END, START, catch, file, flows, process, task

MISSING = "Unknown property used in expression: ${ok == 1}. Cause: Cannot resolve identifier 'ok'"


def timer(name: str, time: str) -> str:
    """A timer catch event."""
    definition = f"<timerEventDefinition>{time}</timerEventDefinition>"
    return f'<intermediateCatchEvent id="{name}">{definition}</intermediateCatchEvent>'


HOUR = timer("wait", "<timeDuration>PT1H</timeDuration>")
JUDGED = file(
    process(
        START,
        '<exclusiveGateway id="judge" camunda:asyncBefore="true"/>',
        task("good"),
        HOUR,
        END,
        flows("begin>judge", "judge>good?${ok == 1}", "judge>wait?${ok == 2}", "good>done", "wait>done"),
    )
)
"""A process whose first job fails while the variable ``ok`` is missing."""

AROUND = file(
    process(
        START,
        task("work", 'camunda:asyncBefore="true" camunda:asyncAfter="true"'),
        HOUR,
        '<endEvent id="done" operaton:asyncBefore="true"/>',
        flows("begin>work", "work>wait", "wait>done"),
    )
)


async def fail_three_times(made: Stage, instance: str) -> Record:
    """Carry out the job of an instance until it has no retries left."""
    job = await made.job(instance)
    for _ in range(3):
        response = await made.engine.http.post(f"/job/{job['id']}/execute")
        refused(response, 404, "InvalidRequestException", MISSING)
    return await made.job(instance)


async def test_the_kinds_of_jobs_of_a_process(engine: Engine) -> None:
    made = await stage(engine, AROUND.replace(b"operaton:asyncBefore", b"camunda:async"))
    (definition,) = made.definitions
    found = await engine.get("/job-definition", processDefinitionId=definition, sortBy="activityId", sortOrder="asc")
    assert [set(one) for one in found] == [JOB_DEFINITION] * 4
    assert sorted((one["activityId"], one["jobType"], one["jobConfiguration"]) for one in found) == [
        ("done", "async-continuation", "async-before"),
        ("wait", "timer-intermediate-transition", "DURATION: PT1H"),
        ("work", "async-continuation", "async-after"),
        ("work", "async-continuation", "async-before"),
    ]
    one = found[1]
    key = definition.partition(":")[0]
    assert (one["processDefinitionId"], one["processDefinitionKey"]) == (definition, key)
    assert (one["suspended"], one["overridingJobPriority"], one["tenantId"], one["deploymentId"]) == (
        False,
        None,
        None,
        None,
    )
    of_kind = {"processDefinitionId": definition, "jobType": "async-continuation"}
    assert (await engine.get("/job-definition/count", **of_kind, jobConfiguration="async-before"))["count"] == 2
    assert (await engine.get("/job-definition/count", processDefinitionId=definition, activityIdIn="work"))[
        "count"
    ] == 2


@pytest.mark.parametrize("attribute", ['asyncBefore="false"', 'asyncBefore="TRUE"', 'asyncAfter="yes"'])
async def test_only_true_makes_a_job(engine: Engine, attribute: str) -> None:
    made = await stage(engine, file(process(START, task("a", f"camunda:{attribute}"), flows("begin>a"))))
    assert await made.places(await made.started("order")) == ["a"]


async def test_a_token_goes_from_job_to_job(engine: Engine) -> None:
    """Before a task, after it, at a timer, before an end; each by hand."""
    made = await frozen(engine, AROUND.replace(b"operaton:", b"camunda:"))
    instance = await made.started("order")
    assert await made.places(instance) == ["(work)"]
    job = await made.job(instance)
    (definition,) = made.definitions
    assert set(job) == JOB
    assert {name: job[name] for name in job if name not in ("id", "jobDefinitionId", "createTime")} == {
        "processInstanceId": instance,
        "processDefinitionId": definition,
        "processDefinitionKey": "order",
        "executionId": instance,
        "exceptionMessage": None,
        "failedActivityId": None,
        "retries": 3,
        "dueDate": None,
        "suspended": True,
        "priority": 0,
        "tenantId": None,
        "batchId": None,
    }
    await made.execute(instance)
    assert await made.places(instance) == ["work"]
    assert await made.jobs(instance) == []
    await made.work(instance, "work", "complete")
    assert await made.places(instance) == ["(work)"]
    assert (await made.job(instance))["executionId"] == instance
    await made.execute(instance)
    assert await made.places(instance) == ["wait"]
    clock = await made.job(instance)
    assert clock["executionId"] != instance
    late = moment(clock["dueDate"]) - moment(clock["createTime"])
    # An engine reads its clock for each of the two.
    assert abs(late - timedelta(hours=1)) < timedelta(seconds=1)
    await made.execute(instance)
    assert await made.places(instance) == ["(done)"]
    await made.execute(instance)
    assert await made.state(instance) == "COMPLETED"
    log = await engine.get("/history/job-log", processInstanceId=instance, successLog=True)
    assert sorted((one["activityId"], one["jobDefinitionConfiguration"]) for one in log) == [
        ("done", "async-before"),
        ("wait", "DURATION: PT1H"),
        ("work", "async-after"),
        ("work", "async-before"),
    ]


async def test_the_executor_carries_them_out(engine: Engine) -> None:
    made = await stage(engine, AROUND.replace(b"PT1H", b"PT0S").replace(b"operaton:", b"camunda:"))
    instance = await made.started("order")
    await eventually(lambda: made.tasks(instance))
    await made.work(instance, "work", "complete")
    await eventually(lambda: made.state(instance), until=lambda state: state == "COMPLETED")


async def test_many_instances_at_once(engine: Engine) -> None:
    made = await stage(engine, JUDGED)
    instances = [await made.started("order", ok=1 + number % 2) for number in range(10)]

    async def waiting() -> int:
        jobs: dict[str, int] = await engine.get(
            "/job/count", processDefinitionId=next(iter(made.definitions)), timers=True
        )
        return jobs["count"]

    await eventually(waiting, until=lambda count: count == 5)
    places = [await made.places(instance) for instance in instances]
    assert places == [["good"], ["wait"]] * 5


async def test_a_job_fails_until_it_has_no_retries_left(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order")
    job = await fail_three_times(made, instance)
    assert (job["retries"], job["exceptionMessage"], job["failedActivityId"]) == (0, MISSING, "judge")
    assert job["dueDate"] is None
    trace = await engine.http.get(f"/job/{job['id']}/stacktrace")
    assert MISSING in trace.text
    (incident,) = await engine.get("/incident", processInstanceId=instance)
    (definition,) = made.definitions
    told = {name: incident[name] for name in incident if name not in ("id", "incidentTimestamp")}
    assert told == {
        "processDefinitionId": definition,
        "processInstanceId": instance,
        "executionId": instance,
        "incidentType": "failedJob",
        "activityId": "judge",
        "failedActivityId": "judge",
        "causeIncidentId": incident["id"],
        "rootCauseIncidentId": incident["id"],
        "configuration": job["id"],
        "incidentMessage": MISSING,
        "tenantId": None,
        "jobDefinitionId": job["jobDefinitionId"],
        "annotation": None,
    }
    (transition,) = (await made.tree(instance))["childTransitionInstances"]
    assert transition["incidents"] == [{"id": incident["id"], "activityId": "judge"}]
    log = await engine.get("/history/job-log", jobId=job["id"], failureLog=True, sortBy="jobRetries", sortOrder="desc")
    assert [one["jobRetries"] for one in log] == [3, 2, 1]
    assert set(log[0]) == JOB_LOG
    names = "activityId failedActivityId executionId processInstanceId processDefinitionId processDefinitionKey"
    assert [log[0][name] for name in names.split()] == ["judge", "judge", instance, instance, definition, "order"]
    assert (log[0]["jobDefinitionType"], log[0]["jobDefinitionConfiguration"]) == ("async-continuation", "async-before")
    assert (log[0]["rootProcessInstanceId"], log[0]["batchId"]) == (instance, None)
    assert log[0]["deploymentId"] == (await engine.get(f"/process-definition/{definition}"))["deploymentId"]
    (past,) = await engine.get("/history/incident", processInstanceId=instance)
    assert past["historyConfiguration"] == log[2]["id"]


async def test_the_executor_tries_three_times(engine: Engine) -> None:
    made = await stage(engine, JUDGED)
    instance = await made.started("order")
    await eventually(lambda: engine.get("/incident", processInstanceId=instance))
    job = await made.job(instance)
    assert (job["retries"], job["exceptionMessage"]) == (0, MISSING)
    await engine.order("PUT", f"/process-instance/{instance}/variables/ok", {"value": 1})
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 1})
    await eventually(lambda: made.tasks(instance))
    (past,) = await engine.get("/history/incident", processInstanceId=instance)
    assert (past["resolved"], past["deleted"]) == (True, False)


async def test_success_resolves_the_incident(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order")
    job = await fail_three_times(made, instance)
    await engine.order("PUT", f"/process-instance/{instance}/variables/ok", {"value": 2})
    await engine.order("POST", f"/job/{job['id']}/execute")
    assert await made.places(instance) == ["wait"]
    (past,) = await engine.get("/history/incident", processInstanceId=instance)
    assert past["resolved"]


async def test_retries_of_one_job(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order")
    job = await fail_three_times(made, instance)
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 2})
    assert await engine.get("/incident", processInstanceId=instance) == []
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 0})
    (incident,) = await engine.get("/incident", processInstanceId=instance)
    assert (incident["activityId"], incident["failedActivityId"], incident["executionId"]) == (
        "judge",
        "judge",
        instance,
    )


@pytest.mark.parametrize(
    ("variables", "message", "failed"),
    [
        ({}, "Unknown property used in expression: ${n > 1}. Cause: Cannot resolve identifier 'n'", "how"),
        (
            {"n": "abc"},
            "Error while evaluating expression: ${n > 1}. Cause: Cannot coerce 'abc' to class java.lang.Long",
            "how",
        ),
        (
            {"n": 0},
            "ENGINE-02004 No outgoing sequence flow for the element with id 'how' could be selected for continuing the "
            "process.",
            "how",
        ),
        ({"n": 2, "rank": "x"}, ": Priority value is not an Integer", "rare"),
        ({"n": 2, "rank": 1, "until": "soon"}, "ENGINE-09027 Exception while resolving duedate 'soon'", "clock"),
    ],
)
async def test_why_a_job_fails(engine: Engine, variables: dict[str, Any], message: str, failed: str) -> None:
    """The activity of the job is where the token waits, the failed one is where it could not go on."""
    drawn = file(
        process(
            START,
            '<parallelGateway id="fork" camunda:asyncAfter="true"/>',
            '<exclusiveGateway id="how"/>',
            '<parallelGateway id="both"/>',
            task("rare", 'camunda:taskPriority="${rank}"'),
            timer("clock", "<timeDuration>${until}</timeDuration>"),
            END,
            flows("begin>fork", "fork>how", "how>both?${n > 1}", "how>done?${n > 5}", "both>rare", "both>clock"),
        )
    )
    made = await frozen(engine, drawn)
    instance = await made.started("order", **variables)
    job = await made.job(instance)
    answer = await engine.http.post(f"/job/{job['id']}/execute")
    assert (answer.status_code, answer.json()["type"]) == (404, "InvalidRequestException")
    assert answer.json()["message"].startswith(message)
    job = await made.job(instance)
    assert (job["retries"], job["failedActivityId"]) == (2, failed)
    assert job["exceptionMessage"].startswith(message)
    (entry,) = await engine.get("/history/job-log", jobId=job["id"], failureLog=True)
    assert (entry["activityId"], entry["failedActivityId"]) == ("fork", failed)
    assert await made.places(instance) == ["(fork)"]


async def test_a_fork_with_jobs_before_and_after_its_branches(engine: Engine) -> None:
    drawn = file(
        process(
            START,
            '<parallelGateway id="fork" camunda:asyncAfter="true" camunda:exclusive="false"/>',
            task("a"),
            task("b", 'camunda:asyncAfter="true" camunda:jobPriority="7"'),
            '<parallelGateway id="join" camunda:asyncBefore="true" camunda:asyncAfter="true"/>',
            '<endEvent id="done" camunda:asyncAfter="true"/>',
            flows("begin>fork", "fork>a", "fork>b", "a>join", "b>join", "join>done"),
        )
    )
    made = await frozen(engine, drawn)
    instance = await made.started("order")
    assert await made.places(instance) == ["(fork)", "(fork)"]
    jobs = await made.jobs(instance)
    assert len({job["executionId"] for job in jobs} | {instance}) == 3
    for job in jobs:
        await made.execute(instance, job)
    assert await made.places(instance) == ["a", "b"]
    await made.work(instance, "a", "complete")
    assert await made.places(instance) == ["(join)", "b"]
    await made.work(instance, "b", "complete")
    assert await made.places(instance) == ["(b)", "(join)"]
    assert sorted(job["priority"] for job in await made.jobs(instance)) == [0, 7]
    first, second = sorted(await made.jobs(instance), key=lambda job: int(job["priority"]))
    await made.execute(instance, first)
    assert await made.places(instance) == ["(b)", "join"]
    await made.execute(instance, second)
    assert await made.places(instance) == ["(join)", "join"]
    await made.execute(instance)
    assert await made.places(instance) == ["(join)"]
    assert (await made.job(instance))["executionId"] == instance
    await made.execute(instance)
    assert await made.places(instance) == ["(done)"]
    await made.execute(instance)
    assert await made.state(instance) == "COMPLETED"


async def test_jobs_at_the_start_and_at_a_boundary_event(engine: Engine) -> None:
    drawn = file(
        process(
            '<startEvent id="begin" camunda:asyncBefore="true"/>',
            task("work"),
            catch("caught", "work").replace("<boundaryEvent", '<boundaryEvent camunda:asyncBefore="true"'),
            END,
            '<endEvent id="other"/>',
            flows("begin>work", "work>done", "caught>other"),
        )
    )
    made = await frozen(engine, drawn)
    instance = await made.started("order")
    assert await made.places(instance) == ["(begin)"]
    assert (await engine.get(f"/history/process-instance/{instance}"))["startActivityId"] == "begin"
    await made.execute(instance)
    await made.work(instance, "work", "bpmnError", errorCode="any")
    (transition,) = (await made.tree(instance))["childTransitionInstances"]
    assert (transition["activityId"], transition["activityType"]) == ("caught", "boundaryError")
    await made.execute(instance)
    assert await made.state(instance) == "COMPLETED"


@pytest.mark.parametrize(
    ("more", "variables", "priorities"),
    [
        ('camunda:jobPriority="5"', {}, {"a": 5, "b": 9}),
        ('camunda:jobPriority="${p}"', {"p": 8}, {"a": 8, "b": 9}),
        ('camunda:jobPriority="${p}"', {}, {"a": 0, "b": 9}),
    ],
)
async def test_priorities_of_jobs(
    engine: Engine, more: str, variables: dict[str, Any], priorities: dict[str, int]
) -> None:
    parts = (
        START,
        '<parallelGateway id="fork"/>',
        task("a", 'camunda:asyncBefore="true"'),
        task("b", 'camunda:asyncBefore="true" camunda:jobPriority="9"'),
        flows("begin>fork", "fork>a", "fork>b"),
    )
    made = await frozen(engine, file(process(*parts, more=more)))
    instance = await made.started("order", **variables)
    log = await engine.get("/history/job-log", processInstanceId=instance, creationLog=True)
    assert {one["activityId"]: one["jobPriority"] for one in log} == priorities
    assert sorted(job["priority"] for job in await made.jobs(instance)) == sorted(priorities.values())


@pytest.mark.parametrize(
    ("time", "due"),
    [
        ("<timeDate>2098-01-01T10:00:00+05:00</timeDate>", "2098-01-01T05:00:00"),
        ("<timeDate>${when}</timeDate>", "2099-03-01T00:00:00"),
    ],
)
async def test_dates(engine: Engine, time: str, due: str) -> None:
    made = await frozen(engine, file(process(START, timer("wait", time), END, flows("begin>wait", "wait>done"))))
    instance = await made.started("order", when={"value": "2099-03-01T00:00:00.000+0000", "type": "Date"})
    job = await made.job(instance)
    assert moment(job["dueDate"]).astimezone(moment("2098-01-01T00:00:00.000+0000").tzinfo).isoformat()[:19] == due
    (definition,) = await engine.get("/job-definition", processDefinitionId=job["processDefinitionId"])
    assert definition["jobConfiguration"] == f"DATE: {time[10:-11]}"


@pytest.mark.parametrize("time", ["<timeDuration>soon</timeDuration>", "<timeDate>soon</timeDate>"])
async def test_a_timer_that_says_nothing(engine: Engine, time: str) -> None:
    made = await stage(engine, file(process(START, timer("wait", time), END, flows("begin>wait", "wait>done"))))
    response = await made.start("order")
    assert response.status_code == 500
    assert (
        "ENGINE-09027 Exception while resolving duedate 'soon': Invalid format: \"soon\"" in response.json()["message"]
    )


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ('<intermediateCatchEvent id="wait"/>', "Unsupported intermediate catch event type"),
        (timer("wait", ""), "Timer needs configuration (either timeDate, timeCycle or timeDuration is needed)."),
    ],
)
async def test_events_without_a_time_are_refused(engine: Engine, event: str, sentence: str) -> None:
    response = await deploy(engine, file(process(START, event, END, flows("begin>wait", "wait>done"))))
    assert (response.status_code, response.json()["type"]) == (400, "ParseException")
    ((problem,),) = (found["errors"] for found in response.json()["details"].values())
    assert (problem["message"], problem["mainElementId"]) == (sentence, "wait")


async def test_a_suspended_instance_holds_its_jobs(engine: Engine) -> None:
    made = await stage(engine, AROUND.replace(b'camunda:asyncBefore="true"', b"").replace(b"operaton:", b"camunda:"))
    instance = await made.started("order")
    await made.work(instance, "work", "complete")
    await eventually(lambda: made.jobs(instance, timers=True))
    await engine.order("PUT", f"/process-instance/{instance}/suspended", {"suspended": True})
    job = await made.job(instance)
    assert job["suspended"]
    response = await engine.http.post(f"/job/{job['id']}/execute")
    suspended = f"ENGINE-03043 Execution with id '{job['executionId']}' is suspended."
    refused(response, 404, "InvalidRequestException", suspended)
    job = await made.job(instance)
    assert (job["retries"], job["exceptionMessage"], job["failedActivityId"]) == (2, suspended, None)
    await engine.order("PUT", f"/process-instance/{instance}/suspended", {"suspended": False})
    assert not (await made.job(instance))["suspended"]
    assert await made.places(instance) == ["wait"]


@pytest.mark.parametrize(
    "selector", ["processInstanceId", "processDefinitionId", "processDefinitionKey", "jobDefinitionId"]
)
async def test_jobs_are_suspended_by_what_they_belong_to(engine: Engine, selector: str) -> None:
    key = f"o{selector}{id(engine)}"
    drawn = process(START, HOUR, END, flows("begin>wait", "wait>done"), key=key)
    made = await stage(engine, file(drawn))
    one, other = [await made.started(key) for _ in range(2)]
    job = await made.job(one)
    for state in (True, False):
        await engine.order("PUT", "/job/suspended", {selector: job[selector], "suspended": state})
        assert (await made.job(one))["suspended"] is state
        assert (await made.job(other))["suspended"] is (state and selector != "processInstanceId")


async def test_cancelling_takes_jobs_and_incidents_away(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order")
    job = await fail_three_times(made, instance)
    await engine.order("DELETE", f"/process-instance/{instance}")
    assert await made.jobs(instance) == []
    (entry,) = await engine.get("/history/job-log", jobId=job["id"], deletionLog=True)
    assert (entry["jobRetries"], entry["activityId"]) == (0, "judge")
    (past,) = await engine.get("/history/incident", processInstanceId=instance)
    assert (past["deleted"], past["resolved"], past["endTime"] is not None) == (True, False, True)


async def test_a_deleted_job_leaves_its_token(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order", ok=1)
    await engine.order("DELETE", f"/job/{(await made.job(instance))['id']}")
    assert await made.jobs(instance) == []
    assert await made.state(instance) == "ACTIVE"


async def test_jobs_are_found_by_their_process(engine: Engine) -> None:
    made = await frozen(engine, AROUND.replace(b"operaton:", b"camunda:"))
    instance = await made.started("order")
    job = await made.job(instance)
    await the_log_is_found(engine, job)
    for query, found in (
        ({"activityId": "work"}, True),
        ({"activityId": "wait"}, False),
        ({"executionId": instance}, True),
        ({"processDefinitionId": job["processDefinitionId"]}, True),
        ({"processDefinitionKey": "order"}, True),
        ({"processDefinitionKey": "other"}, False),
        ({"messages": True}, True),
        ({"timers": True}, False),
        ({"failedActivityId": "work"}, False),
        ({"withoutTenantId": True}, True),
        ({"tenantIdIn": ["t"]}, False),
        ({"tenantIdIn": ["t"], "includeJobsWithoutTenantId": True}, True),
    ):
        assert bool(await made.jobs(instance, **query)) is found, query
    # Beside processInstanceId it is a database error of the engine.
    assert len(await engine.post("/job", {"processInstanceIds": [instance, "nowhere"]})) == 1
    for name in ("executionId", "processInstanceId", "processDefinitionId", "processDefinitionKey", "tenantId"):
        body = {"processInstanceId": instance, "sorting": [{"sortBy": name, "sortOrder": "asc"}]}
        assert len(await engine.post("/job", body)) == 1


async def the_log_is_found(engine: Engine, job: Record) -> None:
    """Filters of the log that name a job's process."""
    for name, value, found in (
        ("activityIdIn", "work", 1),
        ("executionIdIn", job["executionId"], 1),
        ("processDefinitionId", job["processDefinitionId"], 1),
        ("processDefinitionKey", "order", 1),
        ("jobDefinitionConfiguration", "async-before", 1),
        ("jobDefinitionConfiguration", "async-after", 0),
        ("failedActivityIdIn", "work", 0),
    ):
        query = {"processInstanceId": job["processInstanceId"], name: value}
        assert (await engine.get("/history/job-log/count", **query))["count"] == found, name


async def test_instances_are_found_by_their_jobs(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instance = await made.started("order")
    mine = {"processInstanceId": instance}

    async def found(**query: Any) -> bool:
        count: dict[str, int] = await engine.get("/history/process-instance/count", **mine, **query)
        return count["count"] == 1

    assert not await found(withJobsRetrying=True)
    assert await found(activityIdIn="judge")
    assert not await found(activeActivityIdIn="judge")
    assert (await engine.get("/process-instance/count", processInstanceIds=instance, activityIdIn="judge"))[
        "count"
    ] == 1
    await engine.http.post(f"/job/{(await made.job(instance))['id']}/execute")
    assert await found(withJobsRetrying=True)
    assert await found(executedJobAfter="2020-01-01T00:00:00.000+0000")
    assert not await found(executedJobBefore="2020-01-01T00:00:00.000+0000")
    await fail_three_times_more(made, instance)
    assert not await found(withJobsRetrying=True)


async def fail_three_times_more(made: Stage, instance: str) -> None:
    """Two more failures, and no retries are left."""
    for _ in range(2):
        await made.engine.http.post(f"/job/{(await made.job(instance))['id']}/execute")


async def test_retries_of_a_job_definition(engine: Engine) -> None:
    made = await frozen(engine, JUDGED)
    instances = [await made.started("order") for _ in range(2)]
    jobs = [await fail_three_times(made, instance) for instance in instances]
    await engine.order("PUT", f"/job-definition/{jobs[0]['jobDefinitionId']}/retries", {"retries": 4})
    assert [(await made.job(instance))["retries"] for instance in instances] == [4, 4]
    (definition,) = made.definitions
    assert (await engine.get("/incident/count", processDefinitionId=definition))["count"] == 2


async def test_a_batch_sets_retries_of_jobs_of_tokens(engine: Engine) -> None:
    made = await stage(engine, JUDGED)
    instances = [await made.started("order") for _ in range(3)]
    (definition,) = made.definitions
    failed = {"processDefinitionId": definition, "noRetriesLeft": True}
    await eventually(lambda: engine.post("/job", failed), until=lambda found: len(found) == 3)
    for instance in instances:
        await engine.order("PUT", f"/process-instance/{instance}/variables/ok", {"value": 1})
    batch = await engine.post("/job/retries", {"retries": 1, "jobQuery": failed})
    assert (batch["type"], batch["totalJobs"]) == ("set-job-retries", 3)
    for instance in instances:
        await eventually(lambda instance=instance: made.tasks(instance))  # type: ignore[misc]
    assert (await engine.get("/incident/count", processDefinitionId=definition))["count"] == 0
