"""What the user of a request may do. Nothing is forbidden here but orders of a user who may only read."""

from typing import Annotated

from fastapi import Request, Response

from retriage.store.api.answers import answer
from retriage.store.api.declared import gives
from retriage.store.api.requests import text, whole_number
from retriage.store.api.router import Router
from retriage.store.api.users import User
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.permissions import named_resource, permissions_on
from retriage.store.contract.records import PermissionCheck

router = Router(prefix="/authorization", tags=["Authorization"])


@router.get("/check")
@gives(PermissionCheck, needs_user=True)
async def check_permission(
    request: Request,
    permission_name: Annotated[str | None, text("permissionName", "Name of the permission.")],
    resource_name: Annotated[str | None, text("resourceName", "Name of the resource, given back as it is.")],
    resource_type: Annotated[int | None, whole_number("resourceType", "Number of the resource.")],
    resource_id: Annotated[str | None, text("resourceId", "Id of one thing; without it all are meant.")],
) -> Response:
    """Whether the user may do something, as an engine without authorization answers it (observed on Camunda 7.24.0):
    yes, and 401 where there is no login."""
    if permission_name is None or resource_name is None or resource_type is None:
        named = {"permissionName": permission_name, "resourceName": resource_name, "resourceType": resource_type}
        missing = next(name for name, value in named.items() if value is None)
        raise invalid(f"Query parameter '{missing}' cannot be null")
    user: User | None = getattr(request.state, "user", None)
    if user is None:
        raise ContractError(401, "InvalidRequestException", "You must be authenticated in order to use this resource.")
    if permission_name not in permissions_on(resource_type):
        resource = named_resource(resource_type)
        sentence = f"The permission '{permission_name}' is not valid for '{resource}' resource type."
        raise ContractError(400, "BadUserRequestException", sentence, 0)
    authorized = not user.read_only or permission_name.startswith("READ") or permission_name == "NONE"
    return answer(
        PermissionCheck(
            permission_name=permission_name, resource_name=resource_name, resource_id=resource_id, authorized=authorized
        )
    )
