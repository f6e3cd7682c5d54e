"""Words for external tasks."""

from console.language.clock_words import Moment
from console.language.sorting import Sort
from console.language.subject import Apart, Subject
from console.language.value_words import Choice, Range
from console.language.variables import Variables
from console.language.words import Flag, Text
from store.contract.queries import ExternalTaskQuery

TASKS: Subject[ExternalTaskQuery] = Subject(
    name="tasks",
    query=ExternalTaskQuery,
    words=(
        Text("topic", one="topic_name"),
        Text(
            "process", one="process_definition_key", many="process_definition_key_in", aliases=("processdefinitionkey",)
        ),
        Choice(
            "retries",
            (("0", "no_retries_left"), (">0", "with_retries_left")),
            why_not="The engine cannot filter {things} by a number of retries; it knows retries:0 (none left) and "
            "retries:>0 (some left, or never failed).",
        ),
        Flag("locked", yes=("locked", True), no=("not_locked", True)),
        Flag("suspended", yes=("suspended", True), no=("active", True)),
        Text("worker", one="worker_id"),
        Text("tenant", many="tenant_id_in"),
        Text("activity", one="activity_id", many="activity_id_in"),
        Text("instance", one="process_instance_id", many="process_instance_id_in"),
        Text("id", one="external_task_id", many="external_task_id_in", aliases=("task",)),
        Text("execution", one="execution_id"),
        Text("definition", one="process_definition_id"),
        Text("processname", one="process_definition_name", like="process_definition_name_like"),
        Range("priority", at_least="priority_higher_than_or_equals", at_most="priority_lower_than_or_equals"),
        Moment("lock", before="lock_expiration_before", after="lock_expiration_after", ahead=True),
        Variables("process_variables", not_like=True),
        Choice(
            "ignorecase",
            (("names", "variable_names_ignore_case"), ("values", "variable_values_ignore_case")),
            listed=True,
        ),
        Sort(
            (
                ("created", "createTime"),
                ("priority", "taskPriority"),
                ("lock", "lockExpirationTime"),
                ("process", "processDefinitionKey"),
                ("definition", "processDefinitionId"),
                ("instance", "processInstanceId"),
                ("tenant", "tenantId"),
                ("id", "id"),
            ),
            several=True,
        ),
    ),
    apart=(
        Apart(frozenset({"locked", "not_locked"})),
        Apart(frozenset({"with_retries_left", "no_retries_left"})),
        Apart(frozenset({"active", "suspended"})),
    ),
    cannot={
        "error": "by error; in the incidents view error~text does",
        "message": "by error; in the incidents view error~text does",
        "age": "by age; sort:created brings the oldest to the top",
        "created": "by the time of their creation; sort:created brings the oldest to the top",
        "key": "by business key; in the instances view key:value does",
        "businesskey": "by business key; in the instances view key:value does",
        "failed": "by having failed once; retries:0 finds those that gave up",
        "incident": "by incident; retries:0 finds those that have one",
        "version": "by version; definition:id names one version of a process",
    },
)
