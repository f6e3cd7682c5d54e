"""Words for jobs."""

from console.language.clock_words import Moments
from console.language.sorting import Sort
from console.language.subject import Apart, Subject
from console.language.value_words import Choice, Range
from console.language.words import Flag, Text
from store.contract.queries import JobQuery

_BROKEN = "next to each other Camunda 7 fails on them with an SQL error"

JOBS: Subject[JobQuery] = Subject(
    name="jobs",
    query=JobQuery,
    words=(
        Text("definition", one="job_definition_id", aliases=("jobdefinition",)),
        Choice(
            "retries",
            (("0", "no_retries_left"), (">0", "with_retries_left")),
            why_not="The engine cannot filter {things} by a number of retries; it knows retries:0 and retries:>0.",
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
        Choice("kind", (("timer", "timers"), ("message", "messages"))),
        Text("id", one="job_id", many="job_ids", aliases=("job",)),
        Text("instance", one="process_instance_id", many="process_instance_ids"),
        Text("process", one="process_definition_key"),
        Text("processdefinition", one="process_definition_id"),
        Text("activity", one="activity_id"),
        Text("failedactivity", one="failed_activity_id"),
        Text("execution", one="execution_id"),
        Text("tenant", many="tenant_id_in", absent="without_tenant_id"),
        Flag("shared", yes=("include_jobs_without_tenant_id", True)),
        Sort(
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
    cannot={
        "batch": "by batch; the batch's own page names its job definition, and definition:id finds its jobs",
        "type": "by type; definition:id names the jobs of one kind",
        "by": "by user",
    },
)
