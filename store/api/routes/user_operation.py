"""The user operation log, and notes on its operations."""

from typing import Annotated

from fastapi import Response

from store.api.answers import no_content
from store.api.authentication import OperatorDep
from store.api.declared import gives_nothing
from store.api.requests import body
from store.api.router import Router
from store.api.routes.lists import add_lists
from store.api.state import StoreDep
from store.commands.operators import annotate
from store.contract.orders import SetAnnotation
from store.queries.operations import OPERATIONS

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
