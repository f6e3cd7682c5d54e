"""What the values of a filter are, by the filter's name: ids of which things, words of which meaning."""

from datetime import datetime
from typing import Any, get_args

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from retriage.store.contract.queries import Query, TimeFilter, VariableFilter
from tests.twins.drawings import KEYS, NAMES, TAGS
from tests.twins.symbols import At
from tests.twins.values import BUSINESS_KEYS, MESSAGES, MOMENTS, TEXTS, VARIABLE_FILTERS, ids, patterns

_INSTANCE, _DEFINITION, _NEVER = ids("instance"), ids("definition"), st.sampled_from(("no such thing", ""))

MEANINGS: dict[str, st.SearchStrategy[Any]] = {
    "externalTaskId": ids("task"),
    "externalTaskIdIn": ids("task"),
    "executionId": ids("execution", "instance"),
    "executionIdIn": ids("execution", "instance"),
    "activityInstanceIdIn": ids("activityInstance"),
    "processInstanceId": _INSTANCE,
    "processInstanceIdIn": _INSTANCE,
    "processInstanceIds": _INSTANCE,
    "processInstanceIdNotIn": _INSTANCE,
    "rootProcessInstanceId": _INSTANCE,
    "superProcessInstance": _INSTANCE,
    "subProcessInstance": _INSTANCE,
    "superProcessInstanceId": _INSTANCE,
    "subProcessInstanceId": _INSTANCE,
    "caseInstanceId": _NEVER,
    "superCaseInstance": _NEVER,
    "subCaseInstance": _NEVER,
    "superCaseInstanceId": _NEVER,
    "subCaseInstanceId": _NEVER,
    "caseDefinitionId": _NEVER,
    "caseExecutionId": _NEVER,
    "taskId": _NEVER,
    "startedBy": TEXTS["user"],
    "createdBy": TEXTS["user"],
    "userId": TEXTS["user"],
    "hostname": TEXTS["nobody"],
    "processDefinitionId": _DEFINITION,
    "processDefinitionIdIn": _DEFINITION,
    "deploymentId": ids("deployment"),
    "incidentId": ids("incident"),
    "incidentIdIn": ids("incident"),
    "causeIncidentId": ids("incident"),
    "rootCauseIncidentId": ids("incident"),
    "configuration": ids("task", "job"),
    "historyConfiguration": ids("taskLog", "jobLog"),
    "jobDefinitionId": ids("jobDefinition"),
    "jobDefinitionIdIn": ids("jobDefinition"),
    "jobConfiguration": ids("batch"),
    "jobDefinitionConfiguration": ids("batch"),
    "batchId": ids("batch"),
    "jobId": ids("job"),
    "jobIds": ids("job"),
    "logId": ids("jobLog", "taskLog"),
    "workerId": TEXTS["worker"],
    "topicName": TEXTS["topic"],
    "processDefinitionKey": TEXTS["key"],
    "processDefinitionKeyIn": TEXTS["key"],
    "processDefinitionKeyNotIn": st.one_of(TEXTS["key"], patterns(KEYS)),
    "key": TEXTS["key"],
    "keysIn": TEXTS["key"],
    "keyLike": patterns(KEYS),
    "processDefinitionName": TEXTS["name"],
    "processDefinitionNameLike": patterns(NAMES),
    "nameLike": patterns((*NAMES, "first")),
    "versionTag": TEXTS["tag"],
    "versionTagLike": patterns(TAGS),
    "categoryLike": patterns(("http://retriage/twins",)),
    "resourceName": TEXTS["resource"],
    "resourceNameLike": patterns(("one.bpmn",)),
    "source": TEXTS["source"],
    "activityId": TEXTS["activity"],
    "activityIdIn": TEXTS["activity"],
    "failedActivityId": TEXTS["activity"],
    "failedActivityIdIn": TEXTS["activity"],
    "executedActivityIdIn": TEXTS["activity"],
    "activeActivityIdIn": TEXTS["activity"],
    "businessKey": TEXTS["businessKey"],
    "businessKeyLike": patterns(BUSINESS_KEYS),
    "processInstanceBusinessKey": TEXTS["businessKey"],
    "processInstanceBusinessKeyIn": TEXTS["businessKey"],
    "processInstanceBusinessKeyLike": patterns(BUSINESS_KEYS),
    "incidentType": TEXTS["incidentType"],
    "incidentStatus": TEXTS["status"],
    "incidentMessage": TEXTS["message"],
    "incidentMessageLike": patterns(MESSAGES),
    "errorMessage": TEXTS["message"],
    "exceptionMessage": TEXTS["message"],
    "jobExceptionMessage": TEXTS["message"],
    "tenantIdIn": TEXTS["tenant"],
    "type": TEXTS["batchType"],
    "jobType": TEXTS["jobType"],
    "jobDefinitionType": TEXTS["jobType"],
}
"""By the name that it has on the wire; the same name means the same everywhere but in ``OF_ONE_QUERY``."""

NEVER = frozenset(name for name, meaning in MEANINGS.items() if meaning is _NEVER)
"""Filters on what is in no world, and so match nothing."""

OF_ONE_QUERY: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("DeploymentQuery", "id"): ids("deployment"),
    ("DeploymentQuery", "name"): TEXTS["deploymentName"],
    ("ProcessDefinitionQuery", "name"): TEXTS["name"],
    ("ProcessDefinitionQuery", "category"): TEXTS["category"],
}

WHOLE = st.sampled_from((-3, 0, 4, 5, 7, 1, 2**40))


def text_meaning(query: type[Query], alias: str) -> st.SearchStrategy[Any]:
    """Values of a filter on text. Raises ``KeyError`` for a filter whose meaning nobody has written down."""
    return OF_ONE_QUERY[query.__name__, alias] if (query.__name__, alias) in OF_ONE_QUERY else MEANINGS[alias]


_TIME_FILTERS = st.lists(
    st.fixed_dictionaries({"operator": st.sampled_from(("gt", "lt", "gt", "lt", "eq")), "value": MOMENTS}),
    min_size=1,
    max_size=2,
)


def values(query: type[Query], name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    """Values of a filter as a JSON body has them, sometimes absent or empty ones."""
    kinds, alias = get_args(field.annotation), field.alias or name
    if bool in kinds:
        return st.sampled_from((True, True, True, False))
    if int in kinds:
        return WHOLE
    if datetime in kinds:
        return st.one_of(MOMENTS, st.builds(At, st.integers(0, 60), st.just(0), st.just(True)))
    if list[VariableFilter] in kinds:
        return VARIABLE_FILTERS
    if list[TimeFilter] in kinds:
        return _TIME_FILTERS
    meaning = text_meaning(query, alias)
    if any(getattr(kind, "__origin__", None) is list for kind in kinds):
        return st.lists(meaning, min_size=0 if alias != "processInstanceIds" else 1, max_size=3)
    return meaning
