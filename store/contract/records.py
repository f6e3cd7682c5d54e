"""Records: what the engine answers. Fields in the order of the contract, all always present."""

from typing import Any

from retriage.store.contract.model import Shape
from retriage.store.contract.values import Moment

SET_EXTERNAL_TASK_RETRIES = "set-external-task-retries"
"""The batch type of ``POST /external-task/retries-async``."""

SET_JOB_RETRIES = "set-job-retries"
"""The batch type of ``POST /job/retries``."""

SET_VARIABLES = "set-variables"
"""The batch type of ``POST /process-instance/variables-async``."""

INSTANCE_DELETION = "instance-deletion"
"""The batch type of ``POST /process-instance/delete``."""

INSTANCE_SUSPENSION = "instance-update-suspension-state"
INSTANCE_MODIFICATION = "instance-modification"
"""The batch type of ``POST /process-instance/suspended-async``."""

FAILED_EXTERNAL_TASK = "failedExternalTask"
FAILED_JOB = "failedJob"

SEED_JOB = "batch-seed-job"
MONITOR_JOB = "batch-monitor-job"
ASYNC_JOB = "async-continuation"
TIMER_JOB = "timer-intermediate-transition"
"""Types of jobs."""


class Product(Shape):
    """What serves the contract."""

    name: str
    version: str
    edition: str


class Telemetry(Shape):
    """What an engine tells about itself. Only the product is told."""

    installation: str | None
    product: Product


class PermissionCheck(Shape):
    """Whether the user has a permission."""

    permission_name: str
    resource_name: str
    resource_id: str | None
    authorized: bool


class Count(Shape):
    """How many rows match."""

    count: int


class VariableValue(Shape):
    """A variable with its type."""

    type: str | None = None
    value: Any = None
    value_info: dict[str, Any] = {}


class ExternalTask(Shape):
    """One unit of work that waits for a worker. ``retries`` is null until the task has failed once."""

    activity_id: str
    activity_instance_id: str
    error_message: str | None
    execution_id: str
    id: str
    lock_expiration_time: Moment | None
    create_time: Moment | None
    process_definition_id: str
    process_definition_key: str
    process_definition_version_tag: str | None
    process_instance_id: str
    retries: int | None
    suspended: bool
    worker_id: str | None
    topic_name: str
    tenant_id: str | None
    priority: int
    business_key: str | None


class LockedExternalTask(Shape):
    """A task as ``fetchAndLock`` hands it to a worker. ``suspended`` is never filled here."""

    activity_id: str
    activity_instance_id: str
    error_message: str | None
    error_details: str | None
    execution_id: str
    id: str
    lock_expiration_time: Moment | None
    create_time: Moment | None
    process_definition_id: str
    process_definition_key: str
    process_definition_version_tag: str | None
    process_instance_id: str
    retries: int | None
    suspended: bool = False
    worker_id: str | None
    topic_name: str
    tenant_id: str | None
    variables: dict[str, VariableValue]
    priority: int
    business_key: str | None
    extension_properties: dict[str, str] = {}


class Link(Shape):
    """Where to find a thing again."""

    method: str
    href: str
    rel: str


class ProcessInstance(Shape):
    """A running process instance."""

    links: list[Link] = []
    id: str
    definition_id: str
    business_key: str | None
    case_instance_id: str | None = None
    ended: bool = False
    suspended: bool
    tenant_id: str | None
    definition_key: str


class HistoricProcessInstance(Shape):
    """A process instance, running or ended."""

    id: str
    business_key: str | None
    process_definition_id: str
    process_definition_key: str
    process_definition_name: str | None
    process_definition_version: int | None
    start_time: Moment
    end_time: Moment | None
    removal_time: Moment | None = None
    duration_in_millis: int | None
    start_user_id: str | None
    start_activity_id: str | None
    delete_reason: str | None
    root_process_instance_id: str | None
    super_process_instance_id: str | None = None
    super_case_instance_id: str | None = None
    case_instance_id: str | None = None
    tenant_id: str | None
    state: str
    restarted_process_instance_id: str | None = None


class ProcessDefinition(Shape):
    """A version of a process."""

    id: str
    key: str
    category: str | None
    description: str | None = None
    name: str | None
    version: int
    resource: str
    deployment_id: str
    diagram: str | None = None
    suspended: bool
    tenant_id: str | None
    version_tag: str | None
    history_time_to_live: int | None
    startable_in_tasklist: bool = True


class Incident(Shape):
    """An open incident. ``configuration`` is the id of the external task or job that failed."""

    id: str
    process_definition_id: str | None
    process_instance_id: str | None
    execution_id: str | None
    incident_timestamp: Moment
    incident_type: str
    activity_id: str | None
    failed_activity_id: str | None = None
    cause_incident_id: str
    root_cause_incident_id: str
    configuration: str | None
    incident_message: str | None
    tenant_id: str | None
    job_definition_id: str | None
    annotation: str | None


class Batch(Shape):
    """A running batch. ``jobs_created`` counts what the seed job has made so far."""

    id: str
    type: str
    total_jobs: int
    jobs_created: int
    batch_jobs_per_seed: int
    invocations_per_batch_job: int
    seed_job_definition_id: str
    monitor_job_definition_id: str
    batch_job_definition_id: str
    suspended: bool
    tenant_id: str | None
    create_user_id: str | None
    start_time: Moment
    execution_start_time: Moment | None


class BatchStatistics(Batch):
    """A running batch with its progress. Failed jobs are also among the remaining ones."""

    remaining_jobs: int
    completed_jobs: int
    failed_jobs: int


class HistoricBatch(Shape):
    """A batch, running or ended."""

    id: str
    type: str
    total_jobs: int
    batch_jobs_per_seed: int
    invocations_per_batch_job: int
    seed_job_definition_id: str
    monitor_job_definition_id: str
    batch_job_definition_id: str
    tenant_id: str | None
    create_user_id: str | None
    start_time: Moment
    end_time: Moment | None
    removal_time: Moment | None = None
    execution_start_time: Moment | None


class Job(Shape):
    """A job that waits for, or failed under, the job executor. Locks are not shown."""

    id: str
    job_definition_id: str | None
    process_instance_id: str | None = None
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    execution_id: str | None = None
    exception_message: str | None
    failed_activity_id: str | None = None
    retries: int
    due_date: Moment | None
    suspended: bool
    priority: int
    tenant_id: str | None = None
    create_time: Moment | None
    batch_id: str | None


class JobDefinition(Shape):
    """What the jobs of one kind share, in one batch or at one activity.

    ``job_configuration`` is the batch id, ``async-before``, ``async-after``, or when a timer is due.
    """

    id: str
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    job_type: str
    job_configuration: str | None
    activity_id: str | None = None
    suspended: bool
    overriding_job_priority: int | None
    tenant_id: str | None = None
    deployment_id: str | None


class Engine(Shape):
    """The name of an engine."""

    name: str


class Version(Shape):
    """The version of the contract that is served."""

    version: str | None
