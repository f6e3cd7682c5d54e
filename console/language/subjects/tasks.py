"""Words for external tasks."""

from retriage.console.language.clock_words import Moment
from retriage.console.language.console_words import Is, Number, Since, TextWord, field, version
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Apart, Subject
from retriage.console.language.value_words import FlagWord, Range
from retriage.console.language.variables import Variables
from retriage.console.language.words import Flag, Text
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask


def _has_failed(task: ExternalTask) -> bool:
    """Failed once: setting retries leaves the message in place, and an empty message is one too."""
    return task.error_message is not None or task.retries == 0


def _is_retried(task: ExternalTask) -> bool:
    return task.retries is not None and task.retries > 0 and task.error_message is not None


def _gave_up(task: ExternalTask) -> bool:
    return task.retries == 0


TASKS: Subject[ExternalTaskQuery] = Subject(
    name="tasks",
    query=ExternalTaskQuery,
    words=(
        Text("topic", one="topic_name"),
        Text(
            "process", one="process_definition_key", many="process_definition_key_in", aliases=("processdefinitionkey",)
        ),
        FlagWord(
            "retries",
            (("0", "no_retries_left"), (">0", "with_retries_left")),
            why_not="The engine cannot filter {things} by a number of retries; it takes retries:0 (none left) and "
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
        FlagWord(
            "ignorecase",
            (("names", "variable_names_ignore_case"), ("values", "variable_values_ignore_case")),
            listed=True,
        ),
        SortWord(
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
    local=(
        TextWord("error", field("error_message"), "Message of the last failure.", aliases=("message",)),
        TextWord("key", field("business_key"), "Business key of the process instance.", aliases=("businesskey",)),
        Since("age", field("create_time"), "How long ago the task was created.", age=True),
        Since("created", field("create_time"), "When the task was created."),
        Is("failed", _has_failed, "Has failed at least once, whatever retries it has."),
        Is("retrying", _is_retried, "Has failed, and has retries left."),
        Is("again", _gave_up, "Was retried from here before, and is out of retries again.", remembered=True),
        Number(
            "retries",
            field("retries"),
            "Retries that are left; - for never failed, which is more than any number.",
            none="never failed",
        ),
        Number("version", version("process_definition_id"), "Version of the process."),
        TextWord("versiontag", field("process_definition_version_tag"), "Version tag of the process."),
        TextWord("topic", field("topic_name"), "A part of the topic, several topics, or none of them."),
        TextWord("process", field("process_definition_key"), "A part of the key of the process, or none of the keys."),
        TextWord("activity", field("activity_id"), "A part of the activity, or none of the activities."),
        TextWord("worker", field("worker_id"), "A part of the last worker's name; -worker: no worker ever had it."),
        TextWord("tenant", field("tenant_id"), "A part of the tenant, none of the tenants; -tenant: no tenant."),
        TextWord("instance", field("process_instance_id"), "None of these process instances."),
        TextWord("id", field("id"), "None of these tasks.", aliases=("task",)),
    ),
    cannot={
        "incident": "by incident; retries:0 finds those that have one",
    },
    searched="error",
)
