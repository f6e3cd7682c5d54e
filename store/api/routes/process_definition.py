"""Process definitions: lists, one, its file, start. By id, by key, or by key and tenant."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.api.answers import answer
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives
from retriage.store.api.links import self_link
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists
from retriage.store.api.state import Store, StoreDep
from retriage.store.commands.instances import start
from retriage.store.commands.operators import Operator
from retriage.store.commands.typed import transient, typed
from retriage.store.contract.deployments import ProcessDefinitionXml, StartedInstance, StartProcess
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.records import ProcessDefinition, ProcessInstance
from retriage.store.queries import definitions as queries
from retriage.store.queries.variables import of_instance

router = Router(prefix="/process-definition", tags=["Process Definition"])
add_lists(router, queries.DEFINITIONS)

StartBody = Annotated[StartProcess, body(StartProcess)]
Find = Callable[[AsyncConnection], Awaitable[str]]


def _by_key(key: str, tenant_id: str | None = None) -> Find:
    async def find(connection: AsyncConnection) -> str:
        return await queries.latest_definition_id(connection, key, tenant_id)

    return find


def _by_id(definition_id: str) -> Find:
    async def find(_connection: AsyncConnection) -> str:
        return definition_id

    return find


async def _answer_definition(store: Store, find: Find) -> Response:
    async with store.database.reading() as connection:
        return answer(await queries.DEFINITIONS.get(connection, await find(connection)))


async def _answer_xml(store: Store, find: Find) -> Response:
    async with store.database.reading() as connection:
        return answer(await queries.definition_xml(connection, await find(connection)))


async def _answer_start(store: Store, by: Operator, request: Request, find: Find, order: StartProcess) -> Response:
    async def started(connection: AsyncConnection) -> ProcessInstance:
        definition_id = await find(connection)
        try:
            if order.start_instructions:
                raise invalid("Start instructions are not supported.")
            given = typed(order.variables)
            instance = await start(
                connection,
                definition_id,
                business_key=order.business_key,
                case_instance_id=order.case_instance_id,
                variables=given,
                by=by,
            )
        except ContractError as refusal:
            raise _not_started(definition_id, refusal) from None
        instance.links = [self_link(request, "process-definition", "process-instance", instance.id)]
        if order.with_variables_in_return:
            seen = await of_instance(connection, instance.id) | transient(given)
            return StartedInstance(**dict(instance), variables=seen)
        return instance

    return answer(await store.change_tasks(started))


def _not_started(definition_id: str, refusal: ContractError) -> ContractError:
    """A refusal of the request stays 400, one of the engine becomes 500; what is no refusal stays as it is."""
    if refusal.status == 500 and refusal.body.code is None:
        return refusal
    message = f"Cannot instantiate process definition {definition_id}: {refusal.message}"
    if refusal.body.code is None:
        return invalid(message)
    return ContractError(500, "RestException", message, refusal.body.code)


@router.get("/key/{key}")
@gives(ProcessDefinition)
async def get_by_key(store: StoreDep, key: str) -> Response:
    """The latest version of a key without tenant."""
    return await _answer_definition(store, _by_key(key))


@router.get("/key/{key}/xml")
@gives(ProcessDefinitionXml)
async def get_xml_by_key(store: StoreDep, key: str) -> Response:
    """The file of the latest version of a key without tenant."""
    return await _answer_xml(store, _by_key(key))


@router.post("/key/{key}/start")
@gives(ProcessInstance | StartedInstance)
async def start_by_key(store: StoreDep, by: OperatorDep, request: Request, key: str, order: StartBody) -> Response:
    """Start an instance of the latest version of a key without tenant."""
    return await _answer_start(store, by, request, _by_key(key), order)


@router.get("/key/{key}/tenant-id/{tenant_id}")
@gives(ProcessDefinition)
async def get_by_tenant(store: StoreDep, key: str, tenant_id: str) -> Response:
    """The latest version of a tenant's key."""
    return await _answer_definition(store, _by_key(key, tenant_id))


@router.get("/key/{key}/tenant-id/{tenant_id}/xml")
@gives(ProcessDefinitionXml)
async def get_xml_by_tenant(store: StoreDep, key: str, tenant_id: str) -> Response:
    """The file of the latest version of a tenant's key."""
    return await _answer_xml(store, _by_key(key, tenant_id))


@router.post("/key/{key}/tenant-id/{tenant_id}/start")
@gives(ProcessInstance | StartedInstance)
async def start_by_tenant(
    store: StoreDep, by: OperatorDep, request: Request, key: str, tenant_id: str, order: StartBody
) -> Response:
    """Start an instance of the latest version of a tenant's key."""
    return await _answer_start(store, by, request, _by_key(key, tenant_id), order)


@router.get("/{definition_id}")
@gives(ProcessDefinition)
async def get_by_id(store: StoreDep, definition_id: str) -> Response:
    """One definition."""
    return await _answer_definition(store, _by_id(definition_id))


@router.get("/{definition_id}/xml")
@gives(ProcessDefinitionXml)
async def get_xml_by_id(store: StoreDep, definition_id: str) -> Response:
    """The file of a definition."""
    return await _answer_xml(store, _by_id(definition_id))


@router.post("/{definition_id}/start")
@gives(ProcessInstance | StartedInstance)
async def start_by_id(
    store: StoreDep, by: OperatorDep, request: Request, definition_id: str, order: StartBody
) -> Response:
    """Start an instance of a definition."""
    return await _answer_start(store, by, request, _by_id(definition_id), order)
