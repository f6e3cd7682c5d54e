"""Incidents and activities of the past, and the logs of jobs and external tasks: what is asked for and answered."""

from typing import ClassVar

from retriage.store.contract.model import Shape, filtering
from retriage.store.contract.queries import Query
from retriage.store.contract.values import Bool, Long, MaybeMoment, Moment, Text, Texts


class HistoricIncidentQuery(Query):
    """Which incidents, open or ended."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "incidentId",
        "incidentMessage",
        "createTime",
        "endTime",
        "incidentType",
        "executionId",
        "activityId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "causeIncidentId",
        "rootCauseIncidentId",
        "configuration",
        "historyConfiguration",
        "tenantId",
        "incidentState",
    )
    KEEPS_EMPTY = frozenset({"process_definition_key_in"})

    incident_id: Text = filtering("Id of the incident, exactly.")
    incident_type: Text = filtering("failedExternalTask or failedJob.")
    incident_message: Text = filtering("Message, exactly.")
    incident_message_like: Text = filtering("Message, with % and _ as wildcards.")
    process_definition_id: Text = filtering("Process definition, by id.")
    process_definition_key: Text = filtering("Process definition, by key; incidents of jobs of batches have none.")
    process_definition_key_in: Texts = filtering("Process definitions, by key; incidents of jobs of batches have none.")
    process_instance_id: Text = filtering("Process instance, by id.")
    execution_id: Text = filtering("Execution, by id.")
    create_time_before: MaybeMoment = filtering("Raised before this moment.")
    create_time_after: MaybeMoment = filtering("Raised after this moment.")
    end_time_before: MaybeMoment = filtering("Ended before this moment; open incidents never match.")
    end_time_after: MaybeMoment = filtering("Ended after this moment; open incidents never match.")
    activity_id: Text = filtering("Activity.")
    failed_activity_id: Text = filtering("Activity that failed.")
    cause_incident_id: Text = filtering("Incident that caused this one.")
    root_cause_incident_id: Text = filtering("Incident at the root of this one.")
    configuration: Text = filtering("Id of the external task or job that failed.")
    history_configuration: Text = filtering("Id of the log entry of the last failure before the incident.")
    tenant_id_in: Texts = filtering("Tenants.")
    without_tenant_id: Bool = filtering("No tenant; wins over tenantIdIn.")
    job_definition_id_in: Texts = filtering("Job definitions, by id.")
    open: Bool = filtering("Open ones; false means the same as true. Only one state can be asked for.")
    resolved: Bool = filtering("Ended because the task or job got retries again or succeeded.")
    deleted: Bool = filtering("Ended because the task or job was removed.")


class HistoricIncident(Shape):
    """An incident, open or ended. ``history_configuration`` is the id of the last failure's log entry."""

    id: str
    process_definition_key: str | None
    process_definition_id: str | None
    process_instance_id: str | None
    execution_id: str | None
    root_process_instance_id: str | None
    create_time: Moment
    end_time: Moment | None
    removal_time: Moment | None
    incident_type: str
    activity_id: str | None
    failed_activity_id: str | None = None
    cause_incident_id: str
    root_cause_incident_id: str
    configuration: str | None
    history_configuration: str | None
    incident_message: str | None
    tenant_id: str | None
    job_definition_id: str | None
    open: bool
    deleted: bool
    resolved: bool
    annotation: str | None


class HistoricJobLogQuery(Query):
    """Which entries of the job log."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "timestamp",
        "jobId",
        "jobDueDate",
        "jobRetries",
        "jobPriority",
        "jobDefinitionId",
        "activityId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "deploymentId",
        "occurrence",
        "tenantId",
        "hostname",
    )
    KEEPS_EMPTY = frozenset({"activity_id_in", "failed_activity_id_in", "execution_id_in"})

    log_id: Text = filtering("Id of the entry, exactly.")
    job_id: Text = filtering("Job, by id.")
    job_exception_message: Text = filtering("Message of the failure, exactly; only failures have one.")
    job_definition_id: Text = filtering("Job definition, by id.")
    job_definition_type: Text = filtering(
        "batch-seed-job, batch-monitor-job, the type of the batch, async-continuation or timer-intermediate-transition."
    )
    job_definition_configuration: Text = filtering(
        "Id of the batch, async-before, async-after, or when a timer is due."
    )
    activity_id_in: Texts = filtering("Activities; jobs of batches have none.")
    failed_activity_id_in: Texts = filtering("Activities that failed; jobs of batches have none.")
    execution_id_in: Texts = filtering("Executions, by id; jobs of batches have none.")
    process_instance_id: Text = filtering("Process instance, by id; jobs of batches have none.")
    process_definition_id: Text = filtering("Process definition, by id; jobs of batches have none.")
    process_definition_key: Text = filtering("Process definition, by key; jobs of batches have none.")
    deployment_id: Text = filtering("Deployment that the job's tasks come from.")
    tenant_id_in: Texts = filtering("Tenants; jobs of batches have none.")
    without_tenant_id: Bool = filtering("No tenant; wins over tenantIdIn.")
    hostname: Text = filtering("Engine that wrote the entry: its host, a dollar sign, its name.")
    job_priority_higher_than_or_equals: Long = filtering("Priority is at least this.")
    job_priority_lower_than_or_equals: Long = filtering("Priority is at most this.")
    creation_log: Bool = filtering("Creations.")
    failure_log: Bool = filtering("Failures; wins over creationLog.")
    success_log: Bool = filtering("Successes; wins over creationLog and failureLog.")
    deletion_log: Bool = filtering("Deletions; wins over the other three.")


class HistoricJobLog(Shape):
    """One event in the life of a job. ``job_retries`` of a failure is the value before it."""

    id: str
    timestamp: Moment
    removal_time: Moment | None = None
    job_id: str
    job_due_date: Moment | None
    job_retries: int
    job_priority: int
    job_exception_message: str | None
    job_definition_id: str | None
    job_definition_type: str
    job_definition_configuration: str | None
    activity_id: str | None = None
    failed_activity_id: str | None = None
    execution_id: str | None = None
    process_instance_id: str | None = None
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    deployment_id: str | None
    tenant_id: str | None = None
    hostname: str | None
    root_process_instance_id: str | None = None
    batch_id: str | None
    creation_log: bool
    failure_log: bool
    success_log: bool
    deletion_log: bool


class HistoricExternalTaskLogQuery(Query):
    """Which entries of the external task log."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "timestamp",
        "externalTaskId",
        "retries",
        "priority",
        "topicName",
        "workerId",
        "activityId",
        "activityInstanceId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "tenantId",
    )
    KEEPS_EMPTY = frozenset({"activity_id_in", "activity_instance_id_in", "execution_id_in", "tenant_id_in"})

    log_id: Text = filtering("Id of the entry, exactly.")
    external_task_id: Text = filtering("External task, by id.")
    topic_name: Text = filtering("Topic, exactly.")
    worker_id: Text = filtering("Worker that held the task.")
    error_message: Text = filtering("Message of the failure, exactly; only failures have one.")
    activity_id_in: Texts = filtering("Activities.")
    activity_instance_id_in: Texts = filtering("Activity instances, by id.")
    execution_id_in: Texts = filtering("Executions, by id.")
    process_instance_id: Text = filtering("Process instance, by id.")
    process_definition_id: Text = filtering("Process definition, by id.")
    process_definition_key: Text = filtering("Process definition, by key: all its versions.")
    tenant_id_in: Texts = filtering("Tenants.")
    without_tenant_id: Bool = filtering("No tenant; wins over tenantIdIn.")
    priority_higher_than_or_equals: Long = filtering("Priority is at least this.")
    priority_lower_than_or_equals: Long = filtering("Priority is at most this.")
    creation_log: Bool = filtering("Creations.")
    failure_log: Bool = filtering("Failures; wins over creationLog.")
    success_log: Bool = filtering("Completions; wins over creationLog and failureLog.")
    deletion_log: Bool = filtering("Deletions; wins over the other three.")


class HistoricExternalTaskLog(Shape):
    """One event in the life of an external task. ``retries`` of a failure is the value before it."""

    id: str
    timestamp: Moment
    removal_time: Moment | None
    external_task_id: str
    topic_name: str
    worker_id: str | None
    priority: int
    retries: int | None
    error_message: str | None
    activity_id: str
    activity_instance_id: str
    execution_id: str
    process_instance_id: str
    process_definition_id: str
    process_definition_key: str
    tenant_id: str | None
    root_process_instance_id: str | None
    creation_log: bool
    failure_log: bool
    success_log: bool
    deletion_log: bool


class HistoricActivityInstanceQuery(Query):
    """Which activity instances of the history."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "activityInstanceId",
        "instanceId",
        "executionId",
        "activityId",
        "activityType",
        "startTime",
        "endTime",
        "duration",
        "definitionId",
        "occurrence",
        "tenantId",
    )

    activity_instance_id: Text = filtering("Id of the activity instance, exactly.")
    process_instance_id: Text = filtering("Process instance, by id.")
    process_definition_id: Text = filtering("Process definition, by id.")
    execution_id: Text = filtering("Execution, by id.")
    activity_id: Text = filtering("Activity.")
    activity_name: Text = filtering("Name of the activity. The embedded store refuses it: it keeps no names.")
    activity_name_like: Text = filtering("Name of the activity. The embedded store refuses it: it keeps no names.")
    activity_type: Text = filtering("Kind of the activity. The embedded store has serviceTask only.")
    task_assignee: Text = filtering("Assignee of a user task; never matches, there are none here.")
    started_before: MaybeMoment = filtering("Begun at this moment or earlier.")
    started_after: MaybeMoment = filtering("Begun at this moment or later.")
    finished_before: MaybeMoment = filtering("Ended at this moment or earlier.")
    finished_after: MaybeMoment = filtering("Ended at this moment or later.")
    finished: Bool = filtering("Those that have ended.")
    unfinished: Bool = filtering("Those that have not ended.")
    canceled: Bool = filtering("Those that were cancelled. Only one of this and completeScope can be asked for.")
    complete_scope: Bool = filtering("Those that ended their scope; never matches here.")
    tenant_id_in: Texts = filtering("Tenants.")
    without_tenant_id: Bool = filtering("No tenant; wins over tenantIdIn.")


class HistoricActivityInstance(Shape):
    """An activity that an instance has come to, running or ended."""

    id: str
    parent_activity_instance_id: str | None = None
    activity_id: str | None = None
    activity_name: str | None = None
    activity_type: str | None = None
    process_definition_key: str | None = None
    process_definition_id: str | None = None
    process_instance_id: str | None = None
    execution_id: str | None = None
    task_id: str | None = None
    called_process_instance_id: str | None = None
    called_case_instance_id: str | None = None
    assignee: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None
    duration_in_millis: int | None = None
    canceled: bool | None
    complete_scope: bool | None = None
    """It was the last of its scope: no sequence flow was taken from it."""
    tenant_id: str | None = None
    removal_time: Moment | None = None
    root_process_instance_id: str | None = None
