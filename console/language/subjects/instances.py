"""Words for running process instances."""

from retriage.console.language.console_words import Number, TextWord, field, version
from retriage.console.language.nested import AnyOf
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Apart, Subject
from retriage.console.language.value_words import FlagWord
from retriage.console.language.variables import Variables
from retriage.console.language.words import Flag, Text
from retriage.store.contract.queries import ProcessInstanceQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, FAILED_JOB

NO_CASES = "this console does not deal with cases (CMMN)"
KEY = TextWord(
    "key",
    field("business_key"),
    "None of these business keys, or none with this part; -key: without one.",
    cased=True,
    aliases=("businesskey",),
)
"""What the engine has no filter for about business keys."""

INSTANCES: Subject[ProcessInstanceQuery] = Subject(
    name="instances",
    query=ProcessInstanceQuery,
    words=(
        Text("key", one="business_key", like="business_key_like", aliases=("businesskey",)),
        Text(
            "process",
            one="process_definition_key",
            many="process_definition_key_in",
            none_of="process_definition_key_not_in",
        ),
        Flag("incident", yes=("with_incident", True)),
        Flag("suspended", yes=("suspended", True), no=("active", True)),
        Text("error", one="incident_message", like="incident_message_like", aliases=("message",)),
        Text("type", one="incident_type", known=(FAILED_EXTERNAL_TASK, FAILED_JOB)),
        Text("incidentid", one="incident_id"),
        Text("activity", many="activity_id_in"),
        Text("tenant", many="tenant_id_in", absent="without_tenant_id"),
        Text("id", many="process_instance_ids", aliases=("instance",)),
        Text("definition", one="process_definition_id"),
        Text("deployment", one="deployment_id"),
        Text("topmost", one="root_process_instance_id"),
        Text("caller", one="super_process_instance"),
        Text("called", one="sub_process_instance"),
        Flag("root", yes=("root_process_instances", True)),
        Flag("leaf", yes=("leaf_process_instances", True)),
        Flag("shared", yes=("process_definition_without_tenant_id", True)),
        Variables("variables", not_like=False),
        AnyOf("or_queries", lambda: INSTANCES),
        FlagWord(
            "ignorecase",
            (("names", "variable_names_ignore_case"), ("values", "variable_values_ignore_case")),
            listed=True,
        ),
        SortWord(
            (
                ("key", "businessKey"),
                ("process", "definitionKey"),
                ("definition", "definitionId"),
                ("tenant", "tenantId"),
                ("id", "instanceId"),
            ),
            several=True,
        ),
    ),
    apart=(
        Apart(frozenset({"active", "suspended"})),
        Apart(frozenset({"tenant_id_in", "without_tenant_id"})),
        Apart(frozenset({"root_process_instances", "super_process_instance"})),
        Apart(frozenset({"leaf_process_instances", "sub_process_instance"})),
    ),
    left_out={
        "case_instance_id": NO_CASES,
        "super_case_instance": NO_CASES,
        "sub_case_instance": NO_CASES,
    },
    cannot={
        "topic": "by topic; in the tasks view topic:name does",
        "retries": "by retries; incident finds those with a failed task",
        "age": "by age",
        "started": "by their start",
        "priority": "by priority",
    },
    plain="key~",
    local=(
        KEY,
        Number("version", version("definition_id"), "Version of the process."),
        TextWord("process", field("definition_key"), "A part of the key of the process."),
        TextWord("definition", field("definition_id"), "Several process definitions, or none of them."),
        TextWord("tenant", field("tenant_id"), "A part of the tenant, or none of the tenants."),
        TextWord("id", field("id"), "None of these instances.", aliases=("instance",)),
    ),
)
