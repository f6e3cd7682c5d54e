"""Variables of running process instances and of their executions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Response
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.api.answers import answer, answer_file, no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives, gives_file, gives_nothing
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.state import Store, StoreDep
from retriage.store.commands.operators import Operator
from retriage.store.commands.variables import change_variables
from retriage.store.contract.deployments import ChangeVariables, SetVariable
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.records import VariableValue
from retriage.store.queries.variables import Holder, get_content, get_variable, get_variables

router = Router()
OF_INSTANCE = "/process-instance/{instance_id}/variables"
OF_EXECUTION = "/execution/{execution_id}/localVariables"
_BY_NAME = TypeAdapter(dict[str, VariableValue])


async def _answer_all(store: Store, holder: Holder, holder_id: str) -> Response:
    async with store.database.reading() as connection:
        found = await get_variables(connection, holder, holder_id)
    return Response(_BY_NAME.dump_json(found, by_alias=True), media_type="application/json")


async def _answer_one(store: Store, holder: Holder, holder_id: str, name: str) -> Response:
    async with store.database.reading() as connection:
        return answer(await get_variable(connection, holder, holder_id, name))


async def _answer_content(store: Store, holder: Holder, holder_id: str, name: str) -> Response:
    async with store.database.reading() as connection:
        content = await get_content(connection, holder, holder_id, name)
    return answer_file(content.data, content.info)


@router.get(OF_INSTANCE, tags=["Process Instance"])
@gives(dict[str, VariableValue])
async def get_all(store: StoreDep, instance_id: str) -> Response:
    """All variables of an instance."""
    return await _answer_all(store, "process instance", instance_id)


@router.get(f"{OF_INSTANCE}/{{name}}", tags=["Process Instance"])
@gives(VariableValue)
async def get_one(store: StoreDep, instance_id: str, name: str) -> Response:
    """One variable of an instance."""
    return await _answer_one(store, "process instance", instance_id, name)


@router.get(f"{OF_INSTANCE}/{{name}}/data", tags=["Process Instance"])
@gives_file
async def get_data(store: StoreDep, instance_id: str, name: str) -> Response:
    """The content of a Bytes or File variable of an instance."""
    return await _answer_content(store, "process instance", instance_id, name)


@router.get(OF_EXECUTION, tags=["Execution"])
@gives(dict[str, VariableValue])
async def get_all_local(store: StoreDep, execution_id: str) -> Response:
    """The variables of an execution alone; the instance is an execution too."""
    return await _answer_all(store, "execution", execution_id)


@router.get(f"{OF_EXECUTION}/{{name}}", tags=["Execution"])
@gives(VariableValue)
async def get_one_local(store: StoreDep, execution_id: str, name: str) -> Response:
    """One variable of an execution alone."""
    return await _answer_one(store, "execution", execution_id, name)


@router.get(f"{OF_EXECUTION}/{{name}}/data", tags=["Execution"])
@gives_file
async def get_local_data(store: StoreDep, execution_id: str, name: str) -> Response:
    """The content of a Bytes or File variable of an execution alone."""
    return await _answer_content(store, "execution", execution_id, name)


async def _put(store: Store, by: Operator, holder: Holder, holder_id: str, name: str, order: SetVariable) -> Response:
    change = ChangeVariables(modifications={name: order.model_dump(by_alias=True)})
    prefix = f"Cannot put {holder} variable {name}: "
    async with _changing(store, prefix, prefix) as connection:
        await change_variables(connection, holder, holder_id, change, by, "SetVariable")
    return no_content()


async def _delete(store: Store, by: Operator, holder: Holder, holder_id: str, name: str) -> Response:
    prefix = f"Cannot delete {holder} variable {name}: "
    async with _changing(store, prefix, prefix) as connection:
        await change_variables(connection, holder, holder_id, ChangeVariables(deletions=[name]), by, "RemoveVariable")
    return no_content()


async def _change(store: Store, by: Operator, holder: Holder, holder_id: str, order: ChangeVariables) -> Response:
    subject = f"Cannot modify variables for {holder}"
    async with _changing(store, f"{subject}: ", f"{subject} {holder_id}: ", 500) as connection:
        await change_variables(connection, holder, holder_id, order, by)
    return no_content()


@router.put(f"{OF_INSTANCE}/{{name}}", tags=["Process Instance"])
@gives_nothing
async def put_one(
    store: StoreDep, by: OperatorDep, instance_id: str, name: str, order: Annotated[SetVariable, body(SetVariable)]
) -> Response:
    """Set one variable."""
    return await _put(store, by, "process instance", instance_id, name, order)


@router.delete(f"{OF_INSTANCE}/{{name}}", tags=["Process Instance"])
@gives_nothing
async def delete_one(store: StoreDep, by: OperatorDep, instance_id: str, name: str) -> Response:
    """Delete one variable; one that is not there too."""
    return await _delete(store, by, "process instance", instance_id, name)


@router.post(OF_INSTANCE, tags=["Process Instance"])
@gives_nothing
async def change_many(
    store: StoreDep, by: OperatorDep, instance_id: str, order: Annotated[ChangeVariables, body(ChangeVariables)]
) -> Response:
    """Set some variables and delete others."""
    return await _change(store, by, "process instance", instance_id, order)


@router.put(f"{OF_EXECUTION}/{{name}}", tags=["Execution"])
@gives_nothing
async def put_one_local(
    store: StoreDep, by: OperatorDep, execution_id: str, name: str, order: Annotated[SetVariable, body(SetVariable)]
) -> Response:
    """Set one variable of an execution alone. It hides that of the instance from the execution's task."""
    return await _put(store, by, "execution", execution_id, name, order)


@router.delete(f"{OF_EXECUTION}/{{name}}", tags=["Execution"])
@gives_nothing
async def delete_one_local(store: StoreDep, by: OperatorDep, execution_id: str, name: str) -> Response:
    """Delete one variable of an execution alone; one that is not there too."""
    return await _delete(store, by, "execution", execution_id, name)


@router.post(OF_EXECUTION, tags=["Execution"])
@gives_nothing
async def change_many_local(
    store: StoreDep, by: OperatorDep, execution_id: str, order: Annotated[ChangeVariables, body(ChangeVariables)]
) -> Response:
    """Set some variables of an execution alone and delete others."""
    return await _change(store, by, "execution", execution_id, order)


@asynccontextmanager
async def _changing(
    store: Store, bad_value: str, engine: str, bad_request: int = 400
) -> AsyncIterator[AsyncConnection]:
    """A transaction whose refusals begin with one of these texts: that for values, or that for the engine's own. What
    the engine calls a bad request has its own status.
    """
    try:
        async with store.changing_tasks() as connection:
            yield connection
    except ContractError as refusal:
        if refusal.status == 400 and refusal.body.code is None:
            raise invalid(bad_value + refusal.message) from None
        if refusal.body.code is None:
            raise
        status = bad_request if refusal.status == 400 else 500
        raise ContractError(status, "RestException", engine + refusal.message, refusal.body.code) from None
