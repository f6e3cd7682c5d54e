"""Words for open incidents."""

from retriage.console.language.clock_words import Age, Moment
from retriage.console.language.console_words import Is, Number, TextWord, field, version
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Subject
from retriage.console.language.words import Text
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, FAILED_JOB, Incident


def _process(incident: Incident) -> str | None:
    """The key in a process definition id of the form ``key:version:id``."""
    return incident.process_definition_id and incident.process_definition_id.split(":")[0]


def _any(incident: Incident) -> bool:
    """An open incident tells by itself that its task has failed."""
    return True


INCIDENTS: Subject[IncidentQuery] = Subject(
    name="incidents",
    query=IncidentQuery,
    by_get=True,
    words=(
        Text("type", one="incident_type", known=(FAILED_EXTERNAL_TASK, FAILED_JOB)),
        Text("error", one="incident_message", like="incident_message_like", aliases=("message",)),
        Text("process", many="process_definition_key_in"),
        Text("activity", one="activity_id"),
        Text("instance", one="process_instance_id"),
        Text("task", one="configuration", aliases=("job", "configuration")),
        Age("age", before="incident_timestamp_before", after="incident_timestamp_after"),
        Moment("raised", before="incident_timestamp_before", after="incident_timestamp_after"),
        Text("tenant", many="tenant_id_in"),
        Text("id", one="incident_id"),
        Text("definition", one="process_definition_id"),
        Text("execution", one="execution_id"),
        Text("failedactivity", one="failed_activity_id"),
        Text("cause", one="cause_incident_id"),
        Text("rootcause", one="root_cause_incident_id"),
        Text("jobdefinition", many="job_definition_id_in"),
        SortWord(
            (
                ("raised", "incidentTimestamp"),
                ("error", "incidentMessage"),
                ("type", "incidentType"),
                ("activity", "activityId"),
                ("instance", "processInstanceId"),
                ("definition", "processDefinitionId"),
                ("execution", "executionId"),
                ("cause", "causeIncidentId"),
                ("rootcause", "rootCauseIncidentId"),
                ("task", "configuration"),
                ("tenant", "tenantId"),
                ("id", "incidentId"),
            ),
            several=False,
        ),
    ),
    cannot={
        "locked": "by lock; in the tasks view locked retries:0 does",
    },
    searched="text",
    task_id="configuration",
    local=(
        TextWord("topic", field("topic_name"), "Topic of the external task that failed.", of_task=True),
        TextWord(
            "key",
            field("business_key"),
            "Business key of the process instance whose task failed.",
            aliases=("businesskey",),
            of_task=True,
        ),
        TextWord(
            "worker",
            field("worker_id"),
            "The last worker of the task; -worker: no worker has it any more.",
            of_task=True,
        ),
        Number(
            "retries",
            field("retries"),
            "Retries of the task now; - where no task failed, or it is gone.",
            none="no task, or one that is gone",
            of_task=True,
        ),
        Number("priority", field("priority"), "Priority of the task that failed.", of_task=True),
        Is("suspended", field("suspended"), "The task is suspended with its process instance.", of_task=True),
        Is("gone", field("gone"), "The task that failed is gone.", of_task=True),
        Is("again", _any, "The task was retried from here before, and has failed once more.", remembered=True),
        TextWord(
            "error",
            field("incident_message"),
            "None of these messages, or none with this part.",
            cased=True,
            aliases=("message",),
        ),
        TextWord("text", field("incident_message"), "A part of the message, in any case; also written without text~."),
        TextWord("note", field("annotation"), "The note on the incident; -note: without one.", aliases=("annotation",)),
        Number("version", version("process_definition_id"), "Version of the process."),
        TextWord("type", field("incident_type"), "None of these types."),
        TextWord("process", _process, "A part of the key of the process, or none of the keys."),
        TextWord("activity", field("activity_id"), "A part of the activity, several, or none of them."),
        TextWord("instance", field("process_instance_id"), "Several process instances, or none of them."),
        TextWord(
            "task", field("configuration"), "Several tasks or jobs, or none of them.", aliases=("job", "configuration")
        ),
        TextWord("tenant", field("tenant_id"), "A part of the tenant, none of the tenants; -tenant: no tenant."),
    ),
)
