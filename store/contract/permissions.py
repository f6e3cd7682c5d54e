"""Which permissions there are on which resource, by the numbers and names of the engine.

Public reference: user guide of Camunda 7, "Authorization Service". Which names an engine takes for which number was
observed on Camunda 7.24.0; for a number without permissions of its own, also one that no resource has, it takes the
general ones.
"""

from collections.abc import Mapping


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BASIC = _names("NONE ALL READ UPDATE CREATE DELETE")
GENERAL = _BASIC | _names(
    "ACCESS READ_TASK UPDATE_TASK CREATE_INSTANCE READ_INSTANCE UPDATE_INSTANCE DELETE_INSTANCE READ_HISTORY "
    "DELETE_HISTORY TASK_WORK TASK_ASSIGN MIGRATE_INSTANCE"
)
_BATCHES = _names(
    "MIGRATE_PROCESS_INSTANCES MODIFY_PROCESS_INSTANCES RESTART_PROCESS_INSTANCES DELETE_RUNNING_PROCESS_INSTANCES "
    "DELETE_FINISHED_PROCESS_INSTANCES DELETE_DECISION_INSTANCES SET_JOB_RETRIES SET_REMOVAL_TIME "
    "SET_EXTERNAL_TASK_RETRIES UPDATE_PROCESS_INSTANCES_SUSPEND SET_VARIABLES CORRELATE_MESSAGE"
)
OF_RESOURCE: Mapping[int, frozenset[str]] = {
    6: (GENERAL - _names("CREATE ACCESS"))
    | _names(
        "RETRY_JOB SUSPEND SUSPEND_INSTANCE UPDATE_INSTANCE_VARIABLE UPDATE_TASK_VARIABLE READ_INSTANCE_VARIABLE "
        "READ_TASK_VARIABLE READ_HISTORY_VARIABLE UPDATE_HISTORY"
    ),
    7: _BASIC | _names("READ_HISTORY TASK_WORK TASK_ASSIGN READ_VARIABLE UPDATE_VARIABLE"),
    8: _BASIC | _names("RETRY_JOB SUSPEND UPDATE_VARIABLE"),
    13: _BASIC | _names("READ_HISTORY DELETE_HISTORY") | {f"CREATE_BATCH_{kind}" for kind in _BATCHES},
    17: _BASIC - {"CREATE"},
    18: _names("NONE ALL"),
    19: _names("NONE ALL READ READ_VARIABLE"),
    20: _names("NONE ALL READ"),
    21: _names("NONE ALL READ SET DELETE"),
}
"""Number of a resource that has permissions of its own -> their names."""

RESOURCES = (
    "APPLICATION",
    "USER",
    "GROUP",
    "GROUP_MEMBERSHIP",
    "AUTHORIZATION",
    "FILTER",
    "PROCESS_DEFINITION",
    "TASK",
    "PROCESS_INSTANCE",
    "DEPLOYMENT",
    "DECISION_DEFINITION",
    "TENANT",
    "TENANT_MEMBERSHIP",
    "BATCH",
    "DECISION_REQUIREMENTS_DEFINITION",
    "REPORT",
    "DASHBOARD",
    "OPERATION_LOG_CATEGORY",
    "OPTIMIZE",
    "HISTORIC_TASK",
    "HISTORIC_PROCESS_INSTANCE",
    "SYSTEM",
)
"""Names of the resources, in the order of their numbers."""


def permissions_on(resource: int) -> frozenset[str]:
    """Names of the permissions on a resource.

    Args:
        resource: its number.
    """
    return OF_RESOURCE.get(resource, GENERAL)


def named_resource(resource: int) -> str:
    """Name of a resource; ``null``, as the engine says it, where none has this number.

    Args:
        resource: its number.
    """
    return RESOURCES[resource] if 0 <= resource < len(RESOURCES) else "null"
