"""Incidents: lists, one, notes."""

from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives_nothing
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one
from retriage.store.api.state import StoreDep
from retriage.store.commands import incidents as commands
from retriage.store.contract.errors import invalid, missing
from retriage.store.contract.orders import SetAnnotation
from retriage.store.queries.incidents import INCIDENTS

router = Router(prefix="/incident", tags=["Incident"])
add_lists(router, INCIDENTS)
add_one(router, INCIDENTS)


@router.delete("/{incident_id}")
@gives_nothing
async def delete_incident(store: StoreDep, incident_id: str) -> Response:
    """Resolve an incident of a custom type. The store has none: all its incidents end with their cause."""
    async with store.database.reading() as connection:
        found = await INCIDENTS.find(connection, incident_id)
    if found is None:
        raise missing(f"Cannot find an incident with id '{incident_id}': incident is null")
    raise invalid(f"Cannot resolve an incident of type {found.incident_type}")


@router.put("/{incident_id}/annotation")
@gives_nothing
async def put_annotation(
    store: StoreDep, by: OperatorDep, incident_id: str, order: Annotated[SetAnnotation, body(SetAnnotation)]
) -> Response:
    """Write a note on an incident."""
    async with store.database.writing() as connection:
        await commands.annotate(connection, incident_id, order.annotation, by)
    return no_content()


@router.delete("/{incident_id}/annotation")
@gives_nothing
async def delete_annotation(store: StoreDep, by: OperatorDep, incident_id: str) -> Response:
    """Remove the note on an incident."""
    async with store.database.writing() as connection:
        await commands.annotate(connection, incident_id, None, by)
    return no_content()
