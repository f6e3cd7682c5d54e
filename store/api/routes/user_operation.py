"""The user operation log, and notes on its operations."""

from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives_nothing
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists
from retriage.store.api.state import StoreDep
from retriage.store.commands.operators import annotate
from retriage.store.contract.orders import SetAnnotation
from retriage.store.queries.operations import OPERATIONS

router = Router(prefix="/history/user-operation", tags=["History"])
add_lists(router, OPERATIONS)


@router.put("/{operation_id}/set-annotation")
@gives_nothing
async def set_annotation(
    store: StoreDep, by: OperatorDep, operation_id: str, order: Annotated[SetAnnotation, body(SetAnnotation)]
) -> Response:
    """Write a note on an operation: on all its entries."""
    async with store.database.writing() as connection:
        await annotate(connection, operation_id, order.annotation, by)
    return no_content()


@router.put("/{operation_id}/clear-annotation")
@gives_nothing
async def clear_annotation(store: StoreDep, by: OperatorDep, operation_id: str) -> Response:
    """Remove the note on an operation."""
    async with store.database.writing() as connection:
        await annotate(connection, operation_id, None, by)
    return no_content()
