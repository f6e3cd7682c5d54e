"""Queries: one field per filter, declared once.

A field's type says how its value is read and its description says what it matches. From this declaration come the
API's parameters and their documentation, the SQL condition (``store/queries`` has a table from field to condition,
and a test that none is missing) and the words of the console's filter line. A new filter is one field here and one
condition there.

All filters of a query are joined by AND. A filter that is absent, or a false flag, filters nothing; the few flags
that mean something when false say so.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from retriage.store.contract.model import Shape
from retriage.store.contract.model import filtering as _filter
from retriage.store.contract.values import Bool, Long, MaybeMoment, Text, Texts


class Sorting(Shape):
    """One sort key of a POST query."""

    sort_by: Text = None
    sort_order: Text = None


class VariableFilter(Shape):
    """A comparison with a process variable."""

    name: Text = Field(default=None, description="Name of the variable.")
    operator: Text = Field(default=None, description="eq, neq, gt, gteq, lt, lteq, like or notLike.")
    value: Any = Field(default=None, description="Value to compare with.")


class TimeFilter(Shape):
    """A comparison with a time."""

    operator: Text = Field(default=None, description="gt or lt.")
    value: Text = Field(default=None, description="A date of the contract.")


def _objects(value: Any) -> Any:
    if value is not None and not isinstance(value, list):
        raise ValueError("a list is needed")
    return value


VariableFilters = Annotated[list[VariableFilter] | None, BeforeValidator(_objects)]
TimeFilters = Annotated[list[TimeFilter] | None, BeforeValidator(_objects)]


class Query(Shape):
    """What every query has: sort keys.

    ``sort_by`` and ``sort_order`` are the form of GET; POST bodies may carry them too, before ``sorting``.
    """

    SORT_KEYS: ClassVar[tuple[str, ...]] = ()
    NOT_FILTERS: ClassVar[frozenset[str]] = frozenset({"sort_by", "sort_order", "sorting"})
    KEEPS_EMPTY: ClassVar[frozenset[str]] = frozenset()
    """Lists for which an empty text in a query string is one empty element; for the others it is no filter."""
    PER_ELEMENT: ClassVar[frozenset[str]] = frozenset()
    """Lists whose elements are a condition each; the others are one condition, however long they are."""

    sort_by: Text = Field(default=None, description="Sort key.")
    sort_order: Text = Field(default=None, description="asc or desc.")
    sorting: Annotated[list[Sorting] | None, BeforeValidator(_objects)] = Field(
        default=None, description="Sort keys, the most significant first."
    )

    @classmethod
    def filters(cls) -> tuple[str, ...]:
        """Names of the fields that filter, in the order of their declaration."""
        return tuple(name for name in cls.model_fields if name not in cls.NOT_FILTERS)

    def chosen(self) -> dict[str, Any]:
        """The filters that are set, by field name; false flags count only where the declaration says so."""
        return {name: value for name in self.filters() if (value := getattr(self, name)) is not None}

    def wire(self) -> dict[str, Any]:
        """The query as a JSON object, without what is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ExternalTaskQuery(Query):
    """Which external tasks. The empty query matches every task."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "id",
        "lockExpirationTime",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "tenantId",
        "taskPriority",
        "createTime",
    )
    NOT_FILTERS = Query.NOT_FILTERS | {"variable_names_ignore_case", "variable_values_ignore_case"}
    KEEPS_EMPTY = frozenset({"process_definition_key_in"})

    external_task_id: Text = _filter("Id of the task, exactly.")
    external_task_id_in: Texts = _filter("Ids of tasks. An empty list filters nothing.")
    worker_id: Text = _filter("The last worker that locked the task, also after the lock expired.")
    lock_expiration_before: MaybeMoment = _filter("Lock expires before this moment; unlocked tasks never match.")
    lock_expiration_after: MaybeMoment = _filter("Lock expires after this moment; unlocked tasks never match.")
    topic_name: Text = _filter("Topic, exactly.")
    locked: Bool = _filter("Its lock expiration is to come: a worker holds it, or it waits for its retry time.")
    not_locked: Bool = _filter("Not locked, or the lock has expired.")
    execution_id: Text = _filter("Execution the task belongs to.")
    process_instance_id: Text = _filter("Process instance, by id.")
    process_instance_id_in: Texts = _filter("Process instances, by id.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key: Text = _filter("Process definition, by key: all its versions.")
    process_definition_key_in: Texts = _filter("Process definitions, by key.")
    process_definition_name: Text = _filter("Process definition, by name.")
    process_definition_name_like: Text = _filter("Name of the process definition, with % and _ as wildcards.")
    activity_id: Text = _filter("Activity the task waits at.")
    activity_id_in: Texts = _filter("Activities the task waits at.")
    with_retries_left: Bool = _filter("Retries above 0, or never failed.")
    no_retries_left: Bool = _filter("Retries are 0: the task has an incident and no worker gets it.")
    active: Bool = _filter("The process instance is active.")
    suspended: Bool = _filter("The process instance is suspended.")
    priority_higher_than_or_equals: Long = _filter("Priority is at least this.")
    priority_lower_than_or_equals: Long = _filter("Priority is at most this.")
    tenant_id_in: Texts = _filter("Tenants.")
    process_variables: VariableFilters = _filter("Comparisons with process variables.")
    variable_names_ignore_case: Bool = _filter("Variable names match in any case.")
    variable_values_ignore_case: Bool = _filter("Text values of variables match in any case.")


class ProcessInstanceQuery(Query):
    """Which running process instances."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("instanceId", "definitionKey", "definitionId", "tenantId", "businessKey")
    NOT_FILTERS = Query.NOT_FILTERS | {
        "variable_names_ignore_case",
        "variable_values_ignore_case",
        "or_queries",
    }

    process_instance_ids: Texts = _filter("Ids of instances.")
    business_key: Text = _filter("Business key, exactly.")
    business_key_like: Text = _filter("Business key, with % and _ as wildcards.")
    case_instance_id: Text = _filter("Case instance, by the id that was given at the start.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key: Text = _filter("Process definition, by key: all its versions.")
    process_definition_key_in: Texts = _filter("Process definitions, by key.")
    process_definition_key_not_in: Texts = _filter("None of these process definitions, by key.")
    deployment_id: Text = _filter("Deployment of the process definition.")
    root_process_instance_id: Text = _filter("Topmost instance of the call hierarchy.")
    super_process_instance: Text = _filter("Instance that called this one.")
    sub_process_instance: Text = _filter("Instance that this one called.")
    super_case_instance: Text = _filter("Case that called this one; never matches.")
    sub_case_instance: Text = _filter("Case that this one called; never matches.")
    active: Bool = _filter("The instance is active.")
    suspended: Bool = _filter("The instance is suspended.")
    with_incident: Bool = _filter("At least one open incident.")
    incident_id: Text = _filter("Open incident, by id.")
    incident_type: Text = _filter("Type of an open incident.")
    incident_message: Text = _filter("Message of an open incident, exactly.")
    incident_message_like: Text = _filter("Message of an open incident, with % and _ as wildcards.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant.")
    process_definition_without_tenant_id: Bool = _filter("The process definition has no tenant.")
    activity_id_in: Texts = _filter("Waits at one of these activities.")
    root_process_instances: Bool = _filter("Not called by another instance.")
    leaf_process_instances: Bool = _filter("Calls no running instance.")
    variables: VariableFilters = _filter("Comparisons with variables of the instance.")
    variable_names_ignore_case: Bool = _filter("Variable names match in any case.")
    variable_values_ignore_case: Bool = _filter("Text values of variables match in any case.")
    or_queries: list["ProcessInstanceQuery"] | None = _filter(
        "Further conditions: inside an entry the filters are joined by OR, the entries by AND."
    )


class HistoricProcessInstanceQuery(Query):
    """Which process instances, running or ended."""

    PER_ELEMENT = frozenset({"process_definition_key_not_in"})

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "instanceId",
        "definitionId",
        "definitionKey",
        "definitionName",
        "definitionVersion",
        "businessKey",
        "startTime",
        "endTime",
        "duration",
        "tenantId",
    )
    NOT_FILTERS = Query.NOT_FILTERS | {
        "variable_names_ignore_case",
        "variable_values_ignore_case",
        "or_queries",
    }

    process_instance_id: Text = _filter("Id of the instance, exactly.")
    process_instance_ids: Texts = _filter("Ids of instances.")
    process_instance_id_not_in: Texts = _filter("None of these ids.")
    root_process_instance_id: Text = _filter("Topmost instance of the call hierarchy.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key: Text = _filter("Process definition, by key: all its versions.")
    process_definition_key_in: Texts = _filter("Process definitions, by key.")
    process_definition_key_not_in: Texts = _filter("None of these keys, with % and _ as wildcards.")
    process_definition_name: Text = _filter("Process definition, by name.")
    process_definition_name_like: Text = _filter("Name of the process definition, with % and _ as wildcards.")
    process_instance_business_key: Text = _filter("Business key, exactly.")
    process_instance_business_key_in: Texts = _filter("Business keys.")
    process_instance_business_key_like: Text = _filter("Business key, with % and _ as wildcards.")
    root_process_instances: Bool = _filter("Not called by another instance.")
    finished: Bool = _filter("Has ended.")
    unfinished: Bool = _filter("Is running.")
    with_jobs_retrying: Bool = _filter("Has a job that failed and will be tried again; never matches here.")
    with_incidents: Bool = _filter("Has, or had, an incident.")
    with_root_incidents: Bool = _filter("Has, or had, an incident of its own.")
    incident_type: Text = _filter("Type of an incident, open or not.")
    incident_status: Text = _filter("open or resolved; any other text means any incident.")
    incident_message: Text = _filter("Message of an incident, exactly.")
    incident_message_like: Text = _filter("Message of an incident, with % and _ as wildcards.")
    incident_id_in: Texts = _filter("Incidents, by id.")
    started_before: MaybeMoment = _filter("Started at or before this moment.")
    started_after: MaybeMoment = _filter("Started at or after this moment.")
    finished_before: MaybeMoment = _filter("Ended at or before this moment.")
    finished_after: MaybeMoment = _filter("Ended at or after this moment.")
    executed_activity_before: MaybeMoment = _filter("Some activity began or ended at or before this moment.")
    executed_activity_after: MaybeMoment = _filter("Some activity began or ended at or after this moment.")
    executed_activity_id_in: Texts = _filter("One of these activities has ended.")
    active_activity_id_in: Texts = _filter("Waits at one of these activities.")
    activity_id_in: Texts = _filter("Waits at one of these activities.")
    executed_job_before: MaybeMoment = _filter("A job ran at or before this moment; never matches here.")
    executed_job_after: MaybeMoment = _filter("A job ran at or after this moment; never matches here.")
    started_by: Text = _filter("User who started the instance.")
    super_process_instance_id: Text = _filter("Instance that called this one.")
    sub_process_instance_id: Text = _filter("Instance that this one called.")
    super_case_instance_id: Text = _filter("Case that called this one; never matches.")
    sub_case_instance_id: Text = _filter("Case that this one called; never matches.")
    case_instance_id: Text = _filter("Case instance, by the id that was given at the start.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant.")
    active: Bool = _filter("State is ACTIVE.")
    suspended: Bool = _filter("State is SUSPENDED.")
    completed: Bool = _filter("State is COMPLETED.")
    externally_terminated: Bool = _filter("State is EXTERNALLY_TERMINATED.")
    internally_terminated: Bool = _filter("State is INTERNALLY_TERMINATED.")
    variables: VariableFilters = _filter("Comparisons with variables of the instance.")
    variable_names_ignore_case: Bool = _filter("Variable names match in any case.")
    variable_values_ignore_case: Bool = _filter("Text values of variables match in any case.")
    or_queries: list["HistoricProcessInstanceQuery"] | None = _filter(
        "Further conditions: inside an entry the filters are joined by OR, the entries by AND."
    )


class IncidentQuery(Query):
    """Which open incidents."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "incidentId",
        "incidentMessage",
        "incidentTimestamp",
        "incidentType",
        "executionId",
        "activityId",
        "processInstanceId",
        "processDefinitionId",
        "causeIncidentId",
        "rootCauseIncidentId",
        "configuration",
        "tenantId",
    )
    KEEPS_EMPTY = frozenset({"process_definition_key_in"})

    incident_id: Text = _filter("Id of the incident, exactly.")
    incident_type: Text = _filter("failedExternalTask or failedJob.")
    incident_message: Text = _filter("Message, exactly.")
    incident_message_like: Text = _filter("Message, with % and _ as wildcards.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key_in: Texts = _filter("Process definitions, by key; incidents of jobs of batches have none.")
    process_instance_id: Text = _filter("Process instance, by id.")
    execution_id: Text = _filter("Execution, by id.")
    incident_timestamp_before: MaybeMoment = _filter("Raised before this moment.")
    incident_timestamp_after: MaybeMoment = _filter("Raised after this moment.")
    activity_id: Text = _filter("Activity.")
    failed_activity_id: Text = _filter("Activity that failed.")
    cause_incident_id: Text = _filter("Incident that caused this one.")
    root_cause_incident_id: Text = _filter("Incident at the root of this one.")
    configuration: Text = _filter("Id of the external task or job that failed.")
    tenant_id_in: Texts = _filter("Tenants.")
    job_definition_id_in: Texts = _filter("Job definitions, by id.")


class BatchQuery(Query):
    """Which running batches."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("batchId", "tenantId")

    batch_id: Text = _filter("Id of the batch, exactly.")
    type: Text = _filter("Type of the batch.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant; tenantIdIn wins over it.")
    suspended: Bool = _filter("True: suspended ones; false: active ones.")


class BatchStatisticsQuery(BatchQuery):
    """Which running batches, with their progress."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("batchId", "tenantId", "startTime")

    created_by: Text = _filter("User who created the batch.")
    started_before: MaybeMoment = _filter("Created at or before this moment.")
    started_after: MaybeMoment = _filter("Created at or after this moment.")
    with_failures: Bool = _filter("At least one job without retries.")
    without_failures: Bool = _filter("No job without retries; wins over withFailures.")


class HistoricBatchQuery(Query):
    """Which batches, running or ended."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("batchId", "startTime", "endTime", "tenantId")

    batch_id: Text = _filter("Id of the batch, exactly.")
    type: Text = _filter("Type of the batch.")
    completed: Bool = _filter("True: ended ones, deleted ones too; false: running ones.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant; tenantIdIn wins over it.")


class JobQuery(Query):
    """Which jobs."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "jobId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "jobPriority",
        "jobRetries",
        "jobDueDate",
        "tenantId",
    )
    NOT_FILTERS = Query.NOT_FILTERS | {"include_jobs_without_tenant_id"}

    job_id: Text = _filter("Id of the job, exactly.")
    job_ids: Texts = _filter("Ids of jobs.")
    job_definition_id: Text = _filter("Job definition, by id.")
    activity_id: Text = _filter("Activity of the job definition; jobs of batches have none.")
    process_instance_id: Text = _filter("Process instance, by id; jobs of batches have none.")
    process_instance_ids: Texts = _filter("Process instances, by id; jobs of batches have none.")
    execution_id: Text = _filter("Execution, by id; jobs of batches have none.")
    process_definition_id: Text = _filter("Process definition, by id; jobs of batches have none.")
    process_definition_key: Text = _filter("Process definition, by key; jobs of batches have none.")
    with_retries_left: Bool = _filter("Retries above 0.")
    no_retries_left: Bool = _filter("Retries are 0: the job has failed and waits for a person.")
    executable: Bool = _filter("Retries above 0 and due; locks and suspension are not looked at.")
    timers: Bool = _filter("Timers.")
    messages: Bool = _filter("All that are no timers.")
    due_dates: TimeFilters = _filter("Comparisons with the due date; a job without one never matches.")
    create_times: TimeFilters = _filter("Comparisons with the time of creation; lt includes the moment itself.")
    with_exception: Bool = _filter("Has failed at least once.")
    exception_message: Text = _filter("Message of the last failure, exactly.")
    failed_activity_id: Text = _filter("Activity that failed; jobs of batches have none.")
    active: Bool = _filter("Not suspended.")
    suspended: Bool = _filter("Suspended; wins over active.")
    acquired: Bool = _filter("Locked by a job executor now.")
    priority_higher_than_or_equals: Long = _filter("Priority is at least this.")
    priority_lower_than_or_equals: Long = _filter("Priority is at most this.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant; wins over tenantIdIn.")
    include_jobs_without_tenant_id: Bool = _filter("With tenantIdIn: jobs without a tenant too.")


class JobDefinitionQuery(Query):
    """Which job definitions."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "jobDefinitionId",
        "activityId",
        "processDefinitionId",
        "processDefinitionKey",
        "jobType",
        "jobConfiguration",
        "tenantId",
    )
    NOT_FILTERS = Query.NOT_FILTERS | {"include_job_definitions_without_tenant_id"}
    KEEPS_EMPTY = frozenset({"activity_id_in"})

    job_definition_id: Text = _filter("Id of the job definition, exactly.")
    activity_id_in: Texts = _filter("Activities; those of batches have none.")
    process_definition_id: Text = _filter("Process definition, by id; those of batches have none.")
    process_definition_key: Text = _filter("Process definition, by key; those of batches have none.")
    job_type: Text = _filter(
        "batch-seed-job, batch-monitor-job, the type of the batch, async-continuation or timer-intermediate-transition."
    )
    job_configuration: Text = _filter("Id of the batch, async-before, async-after, or when a timer is due.")
    active: Bool = _filter("Not suspended.")
    suspended: Bool = _filter("Suspended; wins over active.")
    with_overriding_job_priority: Bool = _filter("A priority was set on the definition.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant; wins over tenantIdIn.")
    include_job_definitions_without_tenant_id: Bool = _filter("With tenantIdIn: those without a tenant too.")
