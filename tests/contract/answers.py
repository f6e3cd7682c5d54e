"""What answers look like: field sets, refusals, dates."""

import re
from datetime import datetime
from typing import Any

import httpx

from tests.contract.engine import Engine


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


EXTERNAL_TASK = _fields(
    "activityId activityInstanceId errorMessage executionId id lockExpirationTime createTime processDefinitionId "
    "processDefinitionKey processDefinitionVersionTag processInstanceId retries suspended workerId topicName tenantId "
    "priority businessKey"
)
LOCKED_TASK = EXTERNAL_TASK | {"errorDetails", "variables", "extensionProperties"}
PROCESS_INSTANCE = _fields("links id definitionId businessKey caseInstanceId ended suspended tenantId definitionKey")
HISTORIC_INSTANCE = _fields(
    "id businessKey processDefinitionId processDefinitionKey processDefinitionName processDefinitionVersion startTime "
    "endTime removalTime durationInMillis startUserId startActivityId deleteReason rootProcessInstanceId "
    "superProcessInstanceId superCaseInstanceId caseInstanceId tenantId state restartedProcessInstanceId"
)
INCIDENT = _fields(
    "id processDefinitionId processInstanceId executionId incidentTimestamp incidentType activityId failedActivityId "
    "causeIncidentId rootCauseIncidentId configuration incidentMessage tenantId jobDefinitionId annotation"
)
HISTORIC_INCIDENT = (INCIDENT - {"incidentTimestamp"}) | _fields(
    "processDefinitionKey rootProcessInstanceId createTime endTime removalTime historyConfiguration open deleted "
    "resolved"
)
JOB_LOG = _fields(
    "id timestamp removalTime jobId jobDueDate jobRetries jobPriority jobExceptionMessage jobDefinitionId "
    "jobDefinitionType jobDefinitionConfiguration activityId failedActivityId executionId processInstanceId "
    "processDefinitionId processDefinitionKey deploymentId tenantId hostname rootProcessInstanceId batchId creationLog "
    "failureLog successLog deletionLog"
)
EXTERNAL_TASK_LOG = _fields(
    "id timestamp removalTime externalTaskId topicName workerId priority retries errorMessage activityId "
    "activityInstanceId executionId processInstanceId processDefinitionId processDefinitionKey tenantId "
    "rootProcessInstanceId creationLog failureLog successLog deletionLog"
)
BATCH = _fields(
    "id type totalJobs jobsCreated batchJobsPerSeed invocationsPerBatchJob seedJobDefinitionId monitorJobDefinitionId "
    "batchJobDefinitionId suspended tenantId createUserId startTime executionStartTime"
)
BATCH_STATISTICS = BATCH | {"remainingJobs", "completedJobs", "failedJobs"}
HISTORIC_BATCH = (BATCH - {"jobsCreated", "suspended"}) | {"endTime", "removalTime"}
JOB = _fields(
    "id jobDefinitionId processInstanceId processDefinitionId processDefinitionKey executionId exceptionMessage "
    "failedActivityId retries dueDate suspended priority tenantId createTime batchId"
)
JOB_DEFINITION = _fields(
    "id processDefinitionId processDefinitionKey jobType jobConfiguration activityId suspended overridingJobPriority "
    "tenantId deploymentId"
)
VARIABLE_INSTANCE = _fields(
    "type value valueInfo id name processDefinitionId processInstanceId executionId caseInstanceId caseExecutionId "
    "taskId batchId activityInstanceId errorMessage tenantId"
)
HISTORIC_VARIABLE_INSTANCE = _fields(
    "type value valueInfo id name processDefinitionKey processDefinitionId processInstanceId executionId "
    "activityInstanceId caseDefinitionKey caseDefinitionId caseInstanceId caseExecutionId taskId errorMessage tenantId "
    "state createTime removalTime rootProcessInstanceId"
)
HISTORIC_ACTIVITY_INSTANCE = _fields(
    "id parentActivityInstanceId activityId activityName activityType processDefinitionKey processDefinitionId "
    "processInstanceId executionId taskId calledProcessInstanceId calledCaseInstanceId assignee startTime endTime "
    "durationInMillis canceled completeScope tenantId removalTime rootProcessInstanceId"
)
USER_OPERATION = _fields(
    "id deploymentId processDefinitionId processDefinitionKey processInstanceId executionId caseDefinitionId "
    "caseInstanceId caseExecutionId taskId jobId jobDefinitionId batchId userId timestamp operationId externalTaskId "
    "operationType entityType property orgValue newValue removalTime rootProcessInstanceId category annotation"
)

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")


def moment(text: str) -> datetime:
    """A date of the contract. Asserts the one output form: three digits of milliseconds, an offset without colon."""
    assert _DATE.fullmatch(text), text
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def wire(when: datetime) -> str:
    """A date in the contract's form; ``when`` has a zone."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}{when:%z}"


def refused(response: httpx.Response, status: int, type_: str, message: str, code: int | None = None) -> None:
    """Assert that the answer is exactly this refusal."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].split(";")[0] == "application/json"
    assert response.json() == {"type": type_, "message": message, "code": code}


def malformed(response: httpx.Response, engine: Engine) -> None:
    """Assert the refusal of a body that cannot be read: 400 without a word, see :func:`in_the_words_of_a_library`."""
    if not in_the_words_of_a_library(response, engine):
        refused(response, 400, "InvalidRequestException", "")


def unreadable(response: httpx.Response, engine: Engine) -> None:
    """Assert the refusal of a value of the wrong kind: 400, in no certain words, but the store must have some."""
    if in_the_words_of_a_library(response, engine):
        return
    assert response.status_code == 400, response.text
    assert response.headers["content-type"].split(";")[0] == "application/json"
    body = response.json()
    assert set(body) == {"type", "message", "code"}
    assert (body["type"], body["code"]) == ("InvalidRequestException", None)
    assert body["message"] or engine.is_reference


def in_the_words_of_a_library(response: httpx.Response, engine: Engine) -> bool:
    """Whether the reference engine let its JSON library refuse a body, in plain text.

    Which of its error handlers comes first differs from one start of the same engine to the next.
    """
    plain = response.headers.get("content-type", "").startswith("text/plain")
    return engine.is_reference and response.status_code == 400 and plain and bool(response.text)


def ids(records: list[dict[str, Any]]) -> list[str]:
    """The ids of a list, in its order."""
    return [record["id"] for record in records]
