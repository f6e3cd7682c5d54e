"""Words for jobs."""

from retriage.console.language.clock_words import Moments
from retriage.console.language.console_words import Is, Number, TextWord, field
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Apart, Subject
from retriage.console.language.value_words import FlagWord, Range
from retriage.console.language.words import Flag, Text
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Job

_BROKEN = "Camunda 7 fails on both at once, with an SQL error"


def _has_failed(job: Job) -> bool:
    return job.exception_message is not None


def _is_retried(job: Job) -> bool:
    return job.exception_message is not None and job.retries > 0


JOBS: Subject[JobQuery] = Subject(
    name="jobs",
    query=JobQuery,
    words=(
        Text("definition", one="job_definition_id", aliases=("jobdefinition",)),
        FlagWord(
            "retries",
            (("0", "no_retries_left"), (">0", "with_retries_left")),
            why_not="The engine cannot filter {things} by a number of retries; it takes retries:0 and retries:>0.",
        ),
        Flag("failed", yes=("with_exception", True)),
        Text("error", one="exception_message", aliases=("message",)),
        Flag("suspended", yes=("suspended", True), no=("active", True)),
        Flag("executable", yes=("executable", True)),
        Flag("acquired", yes=("acquired", True), aliases=("locked",)),
        Moments("due", field="due_dates", ahead=True),
        Moments("created", field="create_times"),
        Moments("age", field="create_times", age=True),
        Range("priority", at_least="priority_higher_than_or_equals", at_most="priority_lower_than_or_equals"),
        FlagWord("kind", (("timer", "timers"), ("message", "messages"))),
        Text("id", one="job_id", many="job_ids", aliases=("job",)),
        Text("instance", one="process_instance_id", many="process_instance_ids"),
        Text("process", one="process_definition_key"),
        Text("processdefinition", one="process_definition_id"),
        Text("activity", one="activity_id"),
        Text("failedactivity", one="failed_activity_id"),
        Text("execution", one="execution_id"),
        Text("tenant", many="tenant_id_in", absent="without_tenant_id"),
        Flag("shared", yes=("include_jobs_without_tenant_id", True)),
        SortWord(
            (
                ("due", "jobDueDate"),
                ("retries", "jobRetries"),
                ("priority", "jobPriority"),
                ("process", "processDefinitionKey"),
                ("definition", "processDefinitionId"),
                ("instance", "processInstanceId"),
                ("execution", "executionId"),
                ("tenant", "tenantId"),
                ("id", "jobId"),
            ),
            several=True,
        ),
    ),
    apart=(
        Apart(frozenset({"with_retries_left", "no_retries_left"})),
        Apart(frozenset({"active", "suspended"})),
        Apart(frozenset({"timers", "messages"})),
        Apart(frozenset({"tenant_id_in", "without_tenant_id"})),
        Apart(frozenset({"job_id", "job_ids", "job_definition_id", "activity_id", "process_instance_ids"}), _BROKEN),
        Apart(frozenset({"process_instance_id", "process_instance_ids"}), _BROKEN),
    ),
    searched="error",
    local=(
        TextWord(
            "error", field("exception_message"), "A part of the message of the last failure.", aliases=("message",)
        ),
        TextWord("batch", field("batch_id"), "Batch the job belongs to."),
        Number("retries", field("retries"), "Retries that are left."),
        Number("priority", field("priority"), "None of these priorities."),
        Is("failed", _has_failed, "Has never failed."),
        Is("retrying", _is_retried, "Has failed, and has retries left."),
        TextWord(
            "definition",
            field("job_definition_id"),
            "Several job definitions, or none of them.",
            aliases=("jobdefinition",),
        ),
        TextWord("process", field("process_definition_key"), "A part of the key of the process; -process: none."),
        TextWord("instance", field("process_instance_id"), "None of these instances; -instance: none."),
        TextWord("failedactivity", field("failed_activity_id"), "A part of the activity, or none of the activities."),
        TextWord("tenant", field("tenant_id"), "A part of the tenant, or none of the tenants."),
        TextWord("id", field("id"), "None of these jobs.", aliases=("job",)),
    ),
    cannot={
        "type": "by type; definition:id names the jobs of one kind",
        "by": "by user",
    },
)
