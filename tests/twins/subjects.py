"""The lists of the contract: where they are, what may be asked, what their rows are sorted by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retriage.store.contract import deployments, history, queries


@dataclass(frozen=True)
class Subject:
    """One list. ``sorted_by`` names the field of a row for each sort key that a row shows.

    ``within`` is part of every question: values for one filter, the first of them for a look at everything.
    """

    name: str
    path: str
    query: type[queries.Query]
    kind: str
    post: bool = True
    sorted_by: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, tuple[str, ...]] | None = None


_DEFINITION = {"processDefinitionId": "processDefinitionId", "processDefinitionKey": "processDefinitionKey"}
_SAME = {name: name for name in ("id", "tenantId", "executionId", "processInstanceId", "activityId", "configuration")}

SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(
            "external tasks",
            "/external-task",
            queries.ExternalTaskQuery,
            "task",
            sorted_by=_SAME
            | _DEFINITION
            | {
                "lockExpirationTime": "lockExpirationTime",
                "taskPriority": "priority",
                "createTime": "createTime",
            },
        ),
        Subject(
            "process instances",
            "/process-instance",
            queries.ProcessInstanceQuery,
            "instance",
            sorted_by={
                "instanceId": "id",
                "definitionKey": "definitionKey",
                "definitionId": "definitionId",
                "tenantId": "tenantId",
                "businessKey": "businessKey",
            },
        ),
        Subject(
            "historic process instances",
            "/history/process-instance",
            queries.HistoricProcessInstanceQuery,
            "instance",
            sorted_by={
                "instanceId": "id",
                "definitionId": "processDefinitionId",
                "definitionKey": "processDefinitionKey",
                "definitionName": "processDefinitionName",
                "definitionVersion": "processDefinitionVersion",
                "businessKey": "businessKey",
                "startTime": "startTime",
                "endTime": "endTime",
                "duration": "durationInMillis",
                "tenantId": "tenantId",
            },
        ),
        Subject(
            "incidents",
            "/incident",
            queries.IncidentQuery,
            "incident",
            post=False,
            sorted_by=_SAME
            | _DEFINITION
            | {
                "incidentId": "id",
                "incidentMessage": "incidentMessage",
                "incidentTimestamp": "incidentTimestamp",
                "incidentType": "incidentType",
                "causeIncidentId": "causeIncidentId",
                "rootCauseIncidentId": "rootCauseIncidentId",
            },
        ),
        Subject(
            "batches",
            "/batch",
            queries.BatchQuery,
            "batch",
            post=False,
            sorted_by={"batchId": "id", "tenantId": "tenantId"},
        ),
        Subject(
            "batch statistics",
            "/batch/statistics",
            queries.BatchStatisticsQuery,
            "batch",
            post=False,
            sorted_by={"batchId": "id", "tenantId": "tenantId", "startTime": "startTime"},
        ),
        Subject(
            "historic batches",
            "/history/batch",
            queries.HistoricBatchQuery,
            "batch",
            post=False,
            sorted_by={"batchId": "id", "tenantId": "tenantId", "startTime": "startTime", "endTime": "endTime"},
        ),
        Subject(
            "jobs",
            "/job",
            queries.JobQuery,
            "job",
            sorted_by=_SAME
            | _DEFINITION
            | {"jobId": "id", "jobPriority": "priority", "jobRetries": "retries", "jobDueDate": "dueDate"},
        ),
        Subject(
            "job definitions",
            "/job-definition",
            queries.JobDefinitionQuery,
            "jobDefinition",
            sorted_by=_SAME
            | _DEFINITION
            | {"jobDefinitionId": "id", "jobType": "jobType", "jobConfiguration": "jobConfiguration"},
        ),
        Subject(
            "process definitions",
            "/process-definition",
            deployments.ProcessDefinitionQuery,
            "definition",
            post=False,
            sorted_by={
                "category": "category",
                "key": "key",
                "id": "id",
                "name": "name",
                "version": "version",
                "deploymentId": "deploymentId",
                "tenantId": "tenantId",
                "versionTag": "versionTag",
            },
        ),
        Subject(
            "historic incidents",
            "/history/incident",
            history.HistoricIncidentQuery,
            "incident",
            post=False,
            sorted_by=_SAME
            | _DEFINITION
            | {
                "incidentId": "id",
                "incidentMessage": "incidentMessage",
                "createTime": "createTime",
                "endTime": "endTime",
                "incidentType": "incidentType",
                "causeIncidentId": "causeIncidentId",
                "rootCauseIncidentId": "rootCauseIncidentId",
                "historyConfiguration": "historyConfiguration",
            },
        ),
        Subject(
            "job log",
            "/history/job-log",
            history.HistoricJobLogQuery,
            "jobLog",
            sorted_by=_SAME
            | _DEFINITION
            | {
                "timestamp": "timestamp",
                "jobId": "jobId",
                "jobDueDate": "jobDueDate",
                "jobRetries": "jobRetries",
                "jobPriority": "jobPriority",
                "jobDefinitionId": "jobDefinitionId",
                "deploymentId": "deploymentId",
                "hostname": "hostname",
            },
            # How often a monitor looks is each engine's affair.
            within=("jobDefinitionType", ("set-external-task-retries", "batch-seed-job", "set-job-retries")),
        ),
        Subject(
            "external task log",
            "/history/external-task-log",
            history.HistoricExternalTaskLogQuery,
            "taskLog",
            sorted_by=_SAME
            | _DEFINITION
            | {
                "timestamp": "timestamp",
                "externalTaskId": "externalTaskId",
                "retries": "retries",
                "priority": "priority",
                "topicName": "topicName",
                "workerId": "workerId",
                "activityInstanceId": "activityInstanceId",
            },
        ),
        Subject(
            "deployments",
            "/deployment",
            deployments.DeploymentQuery,
            "deployment",
            post=False,
            sorted_by={"id": "id", "name": "name", "deploymentTime": "deploymentTime", "tenantId": "tenantId"},
        ),
    )
}
"""By name. A query that the contract gains is one entry here."""
