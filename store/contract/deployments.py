"""Deployments and process definitions: what is asked for, ordered and answered."""

from typing import Any, ClassVar

from pydantic import Field

from retriage.store.contract.model import Shape
from retriage.store.contract.model import filtering as _filter
from retriage.store.contract.orders import NamesInstances
from retriage.store.contract.queries import Query
from retriage.store.contract.records import Link, ProcessDefinition, ProcessInstance, VariableValue
from retriage.store.contract.values import Bool, Flag, Int, Long, MaybeMoment, Moment, Text, Texts


class DeploymentQuery(Query):
    """Which deployments."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = ("id", "name", "deploymentTime", "tenantId")
    NOT_FILTERS = Query.NOT_FILTERS | {"include_deployments_without_tenant_id"}

    id: Text = _filter("Id of the deployment, exactly.")
    name: Text = _filter("Name, exactly.")
    name_like: Text = _filter("Name, with % and _ as wildcards.")
    source: Text = _filter("Source, exactly.")
    without_source: Bool = _filter("No source.")
    before: MaybeMoment = _filter("Deployed before this moment.")
    after: MaybeMoment = _filter("Deployed after this moment.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant.")
    include_deployments_without_tenant_id: Bool = _filter("With tenantIdIn: deployments without a tenant too.")


class ProcessDefinitionQuery(Query):
    """Which process definitions."""

    SORT_KEYS: ClassVar[tuple[str, ...]] = (
        "category",
        "key",
        "id",
        "name",
        "version",
        "deploymentId",
        "deployTime",
        "tenantId",
        "versionTag",
    )
    NOT_FILTERS = Query.NOT_FILTERS | {"include_process_definitions_without_tenant_id"}

    process_definition_id: Text = _filter("Id of the definition, exactly.")
    process_definition_id_in: Texts = _filter("Ids of definitions.")
    key: Text = _filter("Key, exactly: all versions.")
    key_like: Text = _filter("Key, with % and _ as wildcards.")
    keys_in: Texts = _filter("Keys.")
    name: Text = _filter("Name, exactly.")
    name_like: Text = _filter("Name in any case, with % and _ as wildcards.")
    version: Int = _filter("Version.")
    latest_version: Bool = _filter("The highest version of each key and tenant.")
    version_tag: Text = _filter("Version tag, exactly.")
    version_tag_like: Text = _filter("Version tag, with % and _ as wildcards.")
    without_version_tag: Bool = _filter("No version tag.")
    category: Text = _filter("Category (target namespace), exactly.")
    category_like: Text = _filter("Category, with % and _ as wildcards.")
    resource_name: Text = _filter("Name of the file, exactly.")
    resource_name_like: Text = _filter("Name of the file, with % and _ as wildcards.")
    deployment_id: Text = _filter("Deployment, by id.")
    deployed_after: MaybeMoment = _filter("Deployed after this moment.")
    deployed_at: MaybeMoment = _filter("Deployed at this moment.")
    active: Bool = _filter("Not suspended.")
    suspended: Bool = _filter("Suspended; wins over active.")
    incident_id: Text = _filter("Open incident, by id.")
    incident_type: Text = _filter("Type of an open incident.")
    incident_message: Text = _filter("Message of an open incident, exactly.")
    incident_message_like: Text = _filter("Message of an open incident, with % and _ as wildcards.")
    tenant_id_in: Texts = _filter("Tenants.")
    without_tenant_id: Bool = _filter("No tenant.")
    include_process_definitions_without_tenant_id: Bool = _filter("With tenantIdIn: those without a tenant too.")


class Deployment(Shape):
    """A set of files deployed together."""

    links: list[Link] = []
    id: str
    name: str | None
    source: str | None
    deployment_time: Moment
    tenant_id: str | None


class DeploymentWithDefinitions(Deployment):
    """A new deployment with what came of it, by id of the definition; null when nothing did."""

    deployed_process_definitions: dict[str, ProcessDefinition] | None
    deployed_case_definitions: dict[str, Any] | None = None
    deployed_decision_definitions: dict[str, Any] | None = None
    deployed_decision_requirements_definitions: dict[str, Any] | None = None


class ProcessDefinitionXml(Shape):
    """The drawing of a process definition."""

    id: str
    bpmn20_xml: str = Field(alias="bpmn20Xml")


class StartProcess(Shape):
    """Start an instance."""

    business_key: Text = None
    variables: dict[str, Any] | None = None
    case_instance_id: Text = None
    start_instructions: list[Any] | None = None
    with_variables_in_return: Flag = False


class StartedInstance(ProcessInstance):
    """A started instance with its variables."""

    variables: dict[str, VariableValue]


class SetVariable(Shape):
    """Set one variable. What fits its type is judged where variables are read."""

    type: Any = None
    value: Any = None
    value_info: Any = None


class ChangeVariables(Shape):
    """Set some variables and delete others."""

    modifications: dict[str, Any] | None = None
    deletions: Texts = None


class SetInstancesSuspended(NamesInstances):
    """Suspend or activate the instances of a definition, or those that are named."""

    suspended: Flag = False
    process_definition_id: Text = None
    process_definition_key: Text = None
    process_definition_tenant_id: Text = None
    process_definition_without_tenant_id: Flag = False


class SetPriority(Shape):
    """Set the priority of a task."""

    priority: Long = None


class LockTask(Shape):
    """Lock one task for a worker, for ``lock_duration`` milliseconds."""

    worker_id: Text = None
    lock_duration: Long = None


class ExtendLock(Shape):
    """Let a lock expire ``new_duration`` milliseconds from now."""

    worker_id: Text = None
    new_duration: Long = None


class BpmnError(Shape):
    """A worker reports an error of the business."""

    worker_id: Text = None
    error_code: Text = None
    error_message: Text = None
    variables: dict[str, Any] | None = None
