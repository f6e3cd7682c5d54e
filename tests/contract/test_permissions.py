"""What a user may do, asked of an engine whose authorization is off: whoever has logged in may do everything."""

from typing import Any

import pytest

from tests.contract.answers import refused
from tests.contract.engine import Engine

PATH = "/authorization/check"
CREATE = {"permissionName": "CREATE", "resourceName": "BATCH", "resourceType": "13"}


async def test_where_there_is_no_login_there_is_no_answer(engine: Engine) -> None:
    unknown = "You must be authenticated in order to use this resource."
    for params in (CREATE, CREATE | {"permissionName": "NOPE"}, CREATE | {"resourceType": "99"}):
        refused(await engine.http.get(PATH, params=params), 401, "InvalidRequestException", unknown)


@pytest.mark.parametrize("missing", CREATE)
async def test_a_permission_a_resource_and_its_number_are_named(engine: Engine, missing: str) -> None:
    params = {name: value for name, value in CREATE.items() if name != missing}
    sentence = f"Query parameter '{missing}' cannot be null"
    refused(await engine.http.get(PATH, params=params), 400, "InvalidRequestException", sentence)


@pytest.mark.parametrize("number", ["x", " 13 ", "1.0", "99999999999"])
async def test_the_resource_has_a_number(engine: Engine, number: str) -> None:
    answer = await engine.http.get(PATH, params={"resourceType": number})
    refused(answer, 404, "QueryParamException", "HTTP 404 Not Found")


async def test_an_empty_number_is_none(engine: Engine) -> None:
    answer = await engine.http.get(PATH, params=CREATE | {"resourceType": ""})
    refused(answer, 400, "InvalidRequestException", "Query parameter 'resourceType' cannot be null")


@pytest.mark.parametrize(
    ("permission", "resource", "number"),
    [
        ("CREATE", "BATCH", "13"),
        ("CREATE_BATCH_SET_EXTERNAL_TASK_RETRIES", "BATCH", "13"),
        ("READ_HISTORY", "BATCH", "013"),
        ("READ_INSTANCE", "PROCESS_DEFINITION", "6"),
        ("UPDATE_VARIABLE", "PROCESS_INSTANCE", "8"),
        ("READ_VARIABLE", "TASK", "7"),
        ("SET", "SYSTEM", "21"),
        ("ALL", "OPTIMIZE", "18"),
        ("READ", "", "13"),
        ("ACCESS", "NOPE", "99"),
        ("READ", "BATCH", "-1"),
    ],
)
async def test_whoever_has_logged_in_may_do_everything(
    guarded_engine: Engine, permission: str, resource: str, number: str
) -> None:
    params: dict[str, Any] = {"permissionName": permission, "resourceName": resource, "resourceType": number}
    told = {"permissionName": permission, "resourceName": resource, "resourceId": None, "authorized": True}
    assert await guarded_engine.get(PATH, **params) == told
    assert await guarded_engine.get(PATH, **params, resourceId="a", userId="bob") == told | {"resourceId": "a"}


@pytest.mark.parametrize(
    ("permission", "number", "name"),
    [
        ("NOPE", "13", "BATCH"),
        ("", "13", "BATCH"),
        ("read", "13", "BATCH"),
        ("READ_INSTANCE", "13", "BATCH"),
        ("CREATE", "6", "PROCESS_DEFINITION"),
        ("SET", "7", "TASK"),
        ("ACCESS", "8", "PROCESS_INSTANCE"),
        ("CREATE", "21", "SYSTEM"),
        ("SET", "22", "null"),
        ("SET", "-1", "null"),
    ],
)
async def test_a_permission_that_the_resource_does_not_have(
    guarded_engine: Engine, permission: str, number: str, name: str
) -> None:
    params = {"permissionName": permission, "resourceName": "thing", "resourceType": number}
    sentence = f"The permission '{permission}' is not valid for '{name}' resource type."
    refused(await guarded_engine.http.get(PATH, params=params), 400, "BadUserRequestException", sentence, 0)
