"""Orders: bodies that change something."""

from typing import Any

from pydantic import Field

from retriage.store.contract.model import Shape
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    JobQuery,
    ProcessInstanceQuery,
)
from retriage.store.contract.values import Bool, Flag, Int, Long, MaybeMoment, Text, Texts


class SetRetries(Shape):
    """Set the retries of one task or job. ``due_date`` matters for jobs only, where an explicit null clears it."""

    retries: Int = Field(default=None, description="Attempts that are left, 0 or more.")
    due_date: MaybeMoment = Field(default=None, description="New due date of the job; null clears it.")


class NamesInstances(Shape):
    """Names process instances: the union of everything that the sources name."""

    process_instance_ids: Texts = Field(default=None, description="Ids of process instances.")
    process_instance_query: ProcessInstanceQuery | None = Field(
        default=None, description="All running instances that match; an empty query matches all of them."
    )
    historic_process_instance_query: HistoricProcessInstanceQuery | None = Field(
        default=None, description="All instances that match, ended ones too."
    )


class SetExternalTaskRetries(Shape):
    """Set the retries of many external tasks: the union of everything that the sources name."""

    retries: Int = Field(default=None, description="Attempts that are left, 0 or more. Required.")
    external_task_ids: Texts = Field(default=None, description="Ids of external tasks.")
    process_instance_ids: Texts = Field(
        default=None, description="Running instances; all their external tasks are taken."
    )
    external_task_query: ExternalTaskQuery | None = Field(
        default=None, description="All tasks that match; an empty query matches every task."
    )
    process_instance_query: ProcessInstanceQuery | None = Field(
        default=None, description="All tasks of the running instances that match."
    )
    historic_process_instance_query: HistoricProcessInstanceQuery | None = Field(
        default=None, description="All tasks of the instances that match; ended ones have none."
    )


class SetInstancesVariables(NamesInstances):
    """Set variables of many instances, in the scope of each. Ended instances and unknown ids are passed over."""

    variables: dict[str, Any] | None = Field(default=None, description="The values by name. Required.")


class DeleteInstances(NamesInstances):
    """Delete many running instances. What has ended, or is unknown, is passed over."""

    delete_reason: Text = Field(default=None, description="Kept with the instances.")
    skip_custom_listeners: Bool = Field(default=None, description="Makes no difference; there are no listeners here.")
    skip_subprocesses: Bool = Field(default=None, description="Makes no difference; no instance calls another here.")
    skip_io_mappings: Bool = Field(default=None, description="Makes no difference; there are no mappings here.")


class SetSuspended(Shape):
    """Suspend or activate. Missing means activate."""

    suspended: Flag = False


class SetJobsRetries(Shape):
    """Set the retries of many jobs: those that are named and those that match."""

    retries: Int = Field(default=None, description="Attempts that are left, 0 or more. Required.")
    job_ids: Texts = Field(default=None, description="Ids of jobs.")
    job_query: JobQuery | None = Field(default=None, description="All jobs that match; an empty one matches all.")
    due_date: MaybeMoment = Field(default=None, description="New due date of the jobs; null clears it.")


class SetInstancesJobsRetries(Shape):
    """Set the retries of all jobs of many process instances."""

    retries: Int = Field(default=None, description="Attempts that are left, 0 or more. Required.")
    process_instances: Texts = Field(default=None, description="Ids of process instances.")
    process_instance_query: ProcessInstanceQuery | None = Field(
        default=None, description="All running instances that match; an empty query matches all of them."
    )
    historic_process_instance_query: HistoricProcessInstanceQuery | None = Field(
        default=None, description="All instances that match; looked at where the path says so."
    )
    due_date: MaybeMoment = Field(default=None, description="New due date of the jobs; null clears it.")


class SetJobsSuspended(SetSuspended):
    """Suspend or activate the jobs of one definition, instance or process definition. Missing means activate."""

    job_id: Text = Field(default=None, description="Refused: a job has an order of its own.")
    job_definition_id: Text = Field(default=None, description="Job definition, by id.")
    process_instance_id: Text = Field(default=None, description="Process instance, by id; jobs of batches have none.")
    process_definition_id: Text = Field(
        default=None, description="Process definition, by id; jobs of batches have none."
    )
    process_definition_key: Text = Field(
        default=None, description="Process definition, by key; jobs of batches have none."
    )


class SetDefinitionSuspended(SetSuspended):
    """Suspend or activate a job definition: the jobs that it will have, and with ``includeJobs`` those it has."""

    include_jobs: Flag = Field(default=False, description="Existing jobs too.")
    execution_date: Text = Field(default=None, description="When to do it; only moments that have passed.")


class SetDefinitionPriority(Shape):
    """Set or reset the priority of a job definition. Where one is set, the jobs that exist get it too."""

    priority: Long = Field(default=None, description="The priority; missing resets that of the definition.")
    include_jobs: Flag = Field(default=False, description="Makes no difference, but is refused without a priority.")


class SetDueDate(Shape):
    """Set the due date of a job; missing or null clears it."""

    duedate: MaybeMoment = Field(default=None, description="When the job may run.")
    cascade: Flag = Field(default=False, description="Move later timers of the same activity too; there are none.")


class SetAnnotation(Shape):
    """A note on an incident, or on an operation of the log."""

    annotation: Text = None


class CompleteTask(Shape):
    """A worker has done the work."""

    worker_id: Text = None
    variables: dict[str, Any] | None = None
    local_variables: dict[str, Any] | None = None


class FailTask(Shape):
    """A worker could not do the work. Missing ``retries`` means 0, and so an incident."""

    worker_id: Text = None
    error_message: Text = None
    error_details: Text = None
    retries: Int = None
    retry_timeout: Long = None
    variables: dict[str, Any] | None = None
    local_variables: dict[str, Any] | None = None


class FetchTopic(Shape):
    """What a worker wants of one topic."""

    topic_name: Text = None
    lock_duration: Long = None
    business_key: Text = None
    process_definition_id: Text = None
    process_definition_id_in: Texts = None
    process_definition_key: Text = None
    process_definition_key_in: Texts = None
    process_definition_version_tag: Text = None
    process_variables: dict[str, Any] | None = None
    without_tenant_id: Bool = None
    tenant_id_in: Texts = None
    variables: Texts = None
    local_variables: Bool = None
    deserialize_values: Bool = None
    include_extension_properties: Bool = None


class FetchSorting(Shape):
    """One sort key of a fetch; only ``createTime`` exists."""

    sort_by: Text = None
    sort_order: Text = None


class FetchAndLock(Shape):
    """A worker asks for tasks and locks what it gets."""

    worker_id: Text = None
    max_tasks: Int = None
    use_priority: Bool = None
    sorting: list[FetchSorting] | None = None
    async_response_timeout: Long = None
    include_extension_properties: Bool = None
    topics: list[FetchTopic] | None = None
