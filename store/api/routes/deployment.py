"""Deployments: create, lists, one, delete."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response

from retriage.store.api.answers import answer, no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives, gives_nothing
from retriage.store.api.links import self_link
from retriage.store.api.requests import flag
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one
from retriage.store.api.state import StoreDep
from retriage.store.api.uploads import Form, Upload
from retriage.store.commands.deployments import deploy
from retriage.store.commands.removals import remove_deployment
from retriage.store.contract.deployments import DeploymentWithDefinitions
from retriage.store.contract.errors import invalid
from retriage.store.database import now
from retriage.store.queries.deployments import DEPLOYMENTS

Cascade = Annotated[bool, flag("cascade", "Remove the instances of its definitions too.")]

router = Router(prefix="/deployment", tags=["Deployment"])
add_lists(router, DEPLOYMENTS)

FORM = Form(
    {
        "deployment-name": "Name of the deployment.",
        "deployment-source": "Where it comes from.",
        "tenant-id": "Tenant of all that is deployed.",
        "enable-duplicate-filtering": "true: nothing is deployed when the last one of this name had the same files.",
        "deploy-changed-only": "true: only files that differ from those of the last deployment of this name.",
        "deployment-activation-time": "When its definitions become active; a time in the future is refused.",
    }
)


@router.post("/create")
@gives(DeploymentWithDefinitions)
async def create_deployment(
    store: StoreDep, by: OperatorDep, request: Request, upload: Annotated[Upload, Depends(FORM)]
) -> Response:
    """Deploy files. Those named ``*.bpmn`` or ``*.bpmn20.xml`` are read as BPMN."""
    given = upload.settings
    if not upload.files:
        raise invalid("No deployment resources contained in the form upload.")
    _check_activation(given.get("deployment-activation-time"))
    async with store.database.writing() as connection:
        made = await deploy(
            connection,
            given.get("deployment-name"),
            upload.files,
            source=given.get("deployment-source"),
            tenant_id=given.get("tenant-id"),
            filter_duplicates=_is_true(given.get("enable-duplicate-filtering")),
            changed_only=_is_true(given.get("deploy-changed-only")),
            by=by,
        )
    definitions = {definition.id: definition for definition in made.definitions}
    record = made.deployment.model_dump(exclude={"links"})
    links = [self_link(request, "deployment", "deployment", made.deployment.id)]
    return answer(DeploymentWithDefinitions(**record, links=links, deployed_process_definitions=definitions or None))


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() == "true"


def _check_activation(text: str | None) -> None:
    """Definitions that become active later need timers, which are not here."""
    if not text:
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"Cannot parse deployment-activation-time '{text}'") from None
    if (moment if moment.tzinfo else moment.replace(tzinfo=now().tzinfo)) > now():
        raise invalid("A deployment-activation-time in the future is not supported.")


@router.delete("/{deployment_id}")
@gives_nothing
async def delete_deployment(store: StoreDep, by: OperatorDep, deployment_id: str, cascade: Cascade) -> Response:
    """Remove a deployment with its definitions."""
    async with store.database.writing() as connection:
        await remove_deployment(connection, deployment_id, cascade=cascade, by=by)
    return no_content()


add_one(router, DEPLOYMENTS, literals={"create"})
