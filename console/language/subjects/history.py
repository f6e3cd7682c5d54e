"""Words for process instances of the history, running or ended."""

from retriage.console.language.clock_words import Age, Moment
from retriage.console.language.console_words import Number, TextWord, field
from retriage.console.language.nested import AnyOf
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Apart, Subject
from retriage.console.language.subjects.instances import KEY, NO_CASES
from retriage.console.language.value_words import FlagWord
from retriage.console.language.variables import Variables
from retriage.console.language.words import Flag, Text
from retriage.store.contract.queries import HistoricProcessInstanceQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, FAILED_JOB

_STATES = ("active", "suspended", "completed", "externally_terminated", "internally_terminated")

HISTORY: Subject[HistoricProcessInstanceQuery] = Subject(
    name="history",
    query=HistoricProcessInstanceQuery,
    words=(
        Text(
            "key",
            one="process_instance_business_key",
            many="process_instance_business_key_in",
            like="process_instance_business_key_like",
            aliases=("businesskey",),
        ),
        Text(
            "process",
            one="process_definition_key",
            many="process_definition_key_in",
            none_of="process_definition_key_not_in",
        ),
        Text("processname", one="process_definition_name", like="process_definition_name_like"),
        Text("definition", one="process_definition_id"),
        Flag("finished", yes=("finished", True), no=("unfinished", True)),
        FlagWord("state", tuple((state.replace("_", ""), state) for state in _STATES)),
        Flag("incident", yes=("with_incidents", True)),
        Flag("ownincident", yes=("with_root_incidents", True)),
        Text("incidentstatus", one="incident_status", known=("open", "resolved")),
        Text("type", one="incident_type", known=(FAILED_EXTERNAL_TASK, FAILED_JOB)),
        Text("error", one="incident_message", like="incident_message_like", aliases=("message",)),
        Text("incidentid", many="incident_id_in"),
        Flag("retrying", yes=("with_jobs_retrying", True)),
        Age("age", before="started_before", after="started_after"),
        Moment("started", before="started_before", after="started_after"),
        Moment("ended", before="finished_before", after="finished_after"),
        Moment("worked", before="executed_activity_before", after="executed_activity_after"),
        Moment("jobran", before="executed_job_before", after="executed_job_after"),
        Text("activity", many="active_activity_id_in"),
        Text("passed", many="executed_activity_id_in"),
        Text("at", many="activity_id_in"),
        Text("by", one="started_by", aliases=("user",)),
        Text(
            "id",
            one="process_instance_id",
            many="process_instance_ids",
            none_of="process_instance_id_not_in",
            aliases=("instance",),
        ),
        Text("topmost", one="root_process_instance_id"),
        Text("caller", one="super_process_instance_id"),
        Text("called", one="sub_process_instance_id"),
        Flag("root", yes=("root_process_instances", True)),
        Text("tenant", many="tenant_id_in", absent="without_tenant_id"),
        Variables("variables", not_like=False),
        AnyOf("or_queries", lambda: HISTORY),
        FlagWord(
            "ignorecase",
            (("names", "variable_names_ignore_case"), ("values", "variable_values_ignore_case")),
            listed=True,
        ),
        SortWord(
            (
                ("started", "startTime"),
                ("ended", "endTime"),
                ("duration", "duration"),
                ("key", "businessKey"),
                ("process", "definitionKey"),
                ("processname", "definitionName"),
                ("version", "definitionVersion"),
                ("definition", "definitionId"),
                ("tenant", "tenantId"),
                ("id", "instanceId"),
            ),
            several=True,
        ),
    ),
    apart=(
        Apart(frozenset({"finished", "unfinished"})),
        Apart(frozenset(_STATES), "the engine looks for one state only"),
        Apart(frozenset({"tenant_id_in", "without_tenant_id"})),
        Apart(frozenset({"root_process_instances", "super_process_instance_id"})),
    ),
    left_out={
        "case_instance_id": NO_CASES,
        "super_case_instance_id": NO_CASES,
        "sub_case_instance_id": NO_CASES,
    },
    cannot={
        "topic": "by topic; among the tasks topic:name does",
        "retries": "by retries; among the tasks retries:0 does",
        "priority": "by priority",
    },
    plain="key~",
    local=(
        Number("version", field("process_definition_version"), "Version of the process."),
        KEY,
        TextWord("process", field("process_definition_key"), "A part of the key of the process."),
        TextWord("definition", field("process_definition_id"), "Several process definitions, or none of them."),
        TextWord("reason", field("delete_reason"), "Why the instance was deleted."),
        TextWord("by", field("start_user_id"), "Several users, or none of them.", aliases=("user",)),
        TextWord("tenant", field("tenant_id"), "A part of the tenant, or none of the tenants."),
    ),
)
