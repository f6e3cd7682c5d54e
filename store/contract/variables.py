"""Variables as things of their own, now and in the past: their queries, and what is answered."""

from typing import Any, ClassVar

from retriage.store.contract.model import Shape
from retriage.store.contract.model import filtering as _filter
from retriage.store.contract.queries import Query, VariableFilters
from retriage.store.contract.values import Bool, Moment, Text, Texts


class VariableInstanceQuery(Query):
    """Which variables of running instances, and of batches that are to set them."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("variableName", "variableType", "activityInstanceId", "tenantId")
    NOT_FILTERS = Query.NOT_FILTERS | {"variable_names_ignore_case", "variable_values_ignore_case"}
    KEEPS_EMPTY = frozenset(
        {
            "process_instance_id_in",
            "execution_id_in",
            "case_instance_id_in",
            "case_execution_id_in",
            "task_id_in",
            "batch_id_in",
            "activity_instance_id_in",
            "variable_scope_id_in",
            "tenant_id_in",
        }
    )

    variable_name: Text = _filter("Name, exactly.")
    variable_name_like: Text = _filter("Name, with % and _ as wildcards.")
    variable_values: VariableFilters = _filter("Name and value of the variable; several must all hold of it.")
    variable_names_ignore_case: Bool = _filter("Names in variableValues match in any case.")
    variable_values_ignore_case: Bool = _filter("Texts in variableValues match in any case.")
    process_instance_id_in: Texts = _filter("Process instances, by id.")
    execution_id_in: Texts = _filter("Executions, by id; an instance is one of them.")
    case_instance_id_in: Texts = _filter("Case instances; never matches, there are no cases here.")
    case_execution_id_in: Texts = _filter("Case executions; never matches, there are no cases here.")
    task_id_in: Texts = _filter("User tasks; never matches, there are none here.")
    batch_id_in: Texts = _filter("Batches, by id: what they set.")
    activity_instance_id_in: Texts = _filter("Activity instances, by id; an instance is one of them.")
    variable_scope_id_in: Texts = _filter("Scopes, by id: executions, instances among them.")
    tenant_id_in: Texts = _filter("Tenants.")


class VariableInstance(Shape):
    """A variable with its place."""

    type: str | None
    value: Any
    value_info: dict[str, Any] = {}
    id: str
    name: str
    process_definition_id: str | None
    process_instance_id: str | None
    execution_id: str | None
    case_instance_id: str | None = None
    case_execution_id: str | None = None
    task_id: str | None = None
    batch_id: str | None
    activity_instance_id: str | None
    error_message: str | None = None
    tenant_id: str | None


class HistoricVariableInstanceQuery(Query):
    """Which variables of running and ended instances."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("instanceId", "variableName", "tenantId")
    NOT_FILTERS = Query.NOT_FILTERS | {"variable_names_ignore_case", "variable_values_ignore_case"}

    variable_name: Text = _filter("Name, exactly.")
    variable_name_like: Text = _filter("Name, with % and _ as wildcards.")
    variable_name_in: Texts = _filter("Names.")
    variable_value: Any = _filter("Value, of the variable that variableName names.")
    variable_names_ignore_case: Bool = _filter("variableName matches in any case where there is a variableValue.")
    variable_values_ignore_case: Bool = _filter("A text in variableValue matches in any case.")
    variable_type_in: Texts = _filter("Types, in any case.")
    include_deleted: Bool = _filter("Deleted ones too.")
    process_instance_id: Text = _filter("Process instance, by id.")
    process_instance_id_in: Texts = _filter("Process instances, by id.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key: Text = _filter("Process definition, by key: all its versions.")
    execution_id_in: Texts = _filter("Executions, by id; an instance is one of them.")
    activity_instance_id_in: Texts = _filter("Activity instances, by id; an instance is one of them.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant; wins over tenantIdIn.")


class HistoricVariableInstance(Shape):
    """A variable with its last value. ``state`` is CREATED, or DELETED by an order; the end of an activity or of an
    instance deletes none."""

    type: str | None
    value: Any
    value_info: dict[str, Any] = {}
    id: str
    name: str
    process_definition_key: str
    process_definition_id: str
    process_instance_id: str
    execution_id: str
    activity_instance_id: str
    case_definition_key: str | None = None
    case_definition_id: str | None = None
    case_instance_id: str | None = None
    case_execution_id: str | None = None
    task_id: str | None = None
    error_message: str | None = None
    tenant_id: str | None
    state: str
    create_time: Moment
    removal_time: Moment | None
    root_process_instance_id: str
