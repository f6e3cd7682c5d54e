"""The user operation log: its query, its entries, and notes on them."""

from typing import ClassVar

from retriage.store.contract.model import Shape
from retriage.store.contract.model import filtering as _filter
from retriage.store.contract.queries import Query
from retriage.store.contract.values import MaybeMoment, Moment, Text, Texts

OPERATOR = "Operator"
"""The category of everything that is written down here: what was done to running things, not to users or tasks."""


class UserOperationQuery(Query):
    """Which entries of the user operation log."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("timestamp",)
    KEEPS_EMPTY = frozenset({"entity_type_in", "category_in"})

    deployment_id: Text = _filter("Deployment, by id.")
    process_definition_id: Text = _filter("Process definition, by id.")
    process_definition_key: Text = _filter("Process definition, by key: all its versions.")
    process_instance_id: Text = _filter("Process instance, by id.")
    execution_id: Text = _filter("Execution, by id; no entry here has one.")
    case_definition_id: Text = _filter("Case definition; never matches, there are no cases here.")
    case_instance_id: Text = _filter("Case instance; never matches, there are no cases here.")
    case_execution_id: Text = _filter("Case execution; never matches, there are no cases here.")
    task_id: Text = _filter("User task; never matches, there are none here.")
    job_id: Text = _filter("Job, by id.")
    job_definition_id: Text = _filter("Job definition, by id.")
    batch_id: Text = _filter("Batch, by id. The creation of a batch is not linked to it.")
    external_task_id: Text = _filter("External task, by id.")
    user_id: Text = _filter("User who gave the order.")
    operation_id: Text = _filter("The call: all entries of one order share this id.")
    operation_type: Text = _filter("What was done, like SetExternalTaskRetries or SuspendBatch.")
    entity_type: Text = _filter("Kind of thing it was done to, like ExternalTask, Job or Batch.")
    entity_type_in: Texts = _filter("Kinds of things.")
    category: Text = _filter("Operator for every entry here.")
    category_in: Texts = _filter("Categories.")
    property: Text = _filter("What was changed, like retries.")
    after_timestamp: MaybeMoment = _filter("Written after this moment.")
    before_timestamp: MaybeMoment = _filter("Written before this moment.")


class UserOperation(Shape):
    """What one order changed of one property. Values are texts; times among them are milliseconds since 1970."""

    id: str
    deployment_id: str | None = None
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    process_instance_id: str | None = None
    execution_id: str | None = None
    case_definition_id: str | None = None
    case_instance_id: str | None = None
    case_execution_id: str | None = None
    task_id: str | None = None
    job_id: str | None = None
    job_definition_id: str | None = None
    batch_id: str | None = None
    user_id: str | None = None
    timestamp: Moment
    operation_id: str
    external_task_id: str | None = None
    operation_type: str
    entity_type: str
    property: str | None = None
    org_value: str | None = None
    new_value: str | None = None
    removal_time: Moment | None = None
    root_process_instance_id: str | None = None
    category: str | None = OPERATOR
    annotation: str | None = None
