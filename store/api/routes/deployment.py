"""Deployments: create, lists, one, delete."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from store.api.answers import answer, no_content
from store.api.links import self_link
from store.api.requests import flag_param
from store.api.routes.lists import add_lists, add_one
from store.api.state import StoreDep
from store.api.uploads import read_upload
from store.commands.deployments import deploy
from store.commands.removals import remove_deployment
from store.contract.deployments import DeploymentQuery, DeploymentWithDefinitions
from store.contract.errors import invalid
from store.database import now
from store.queries import deployments as queries

router = APIRouter(prefix="/deployment", tags=["Deployment"])
add_lists(router, DeploymentQuery, queries.list_deployments, queries.count_deployments)

_RESERVED = frozenset(
    {
        "deployment-name",
        "deployment-source",
        "tenant-id",
        "enable-duplicate-filtering",
        "deploy-changed-only",
        "deployment-activation-time",
    }
)


@router.post("/create")
async def create_deployment(store: StoreDep, request: Request) -> Response:
    """Deploy files. Those named ``*.bpmn`` or ``*.bpmn20.xml`` are read as BPMN."""
    upload = await read_upload(request, _RESERVED)
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
            tenant_id=given.get("tenant-id") or None,
            filter_duplicates=_is_true(given.get("enable-duplicate-filtering")),
            changed_only=_is_true(given.get("deploy-changed-only")),
        )
    definitions = {definition.id: definition for definition in made.definitions}
    record = made.deployment.model_dump(exclude={"links"})
    links = [self_link(request, "deployment", "deployment", made.deployment.id)]
    return answer(DeploymentWithDefinitions(**record, links=links, deployed_process_definitions=definitions or None))


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip().lower() == "true"


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
async def delete_deployment(store: StoreDep, request: Request, deployment_id: str) -> Response:
    """Remove a deployment with its definitions."""
    cascade = flag_param(request, "cascade")
    async with store.database.writing() as connection:
        await remove_deployment(connection, deployment_id, cascade=cascade)
    return no_content()


add_one(router, queries.get_deployment)
