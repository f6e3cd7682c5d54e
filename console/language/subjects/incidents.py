"""Words for open incidents."""

from console.language.clock_words import Age, Moment
from console.language.sorting import Sort
from console.language.subject import Subject
from console.language.words import Text
from store.contract.queries import IncidentQuery
from store.contract.records import FAILED_EXTERNAL_TASK, FAILED_JOB

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
        Sort(
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
        "topic": "by topic; in the tasks view topic:name retries:0 does",
        "key": "by business key; in the instances view key:value does",
        "worker": "by worker",
        "priority": "by priority",
        "retries": "by retries: an incident is there because none are left",
    },
    plain="error~",
)
