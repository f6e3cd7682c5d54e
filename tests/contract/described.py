"""Every answer of the store in the suite is held against its own OpenAPI document."""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from retriage.store.api.app import described

Operation = tuple[re.Pattern[str], dict[str, Any]]


async def check(response: httpx.Response) -> None:
    """A hook of the client. Paths that are not described at all must be refused.

    HEAD is what GET is, and OPTIONS is described in words.

    Raises:
        AssertionError: the answer is not as described.
    """
    await response.aread()
    request = response.request
    if request.method in ("HEAD", "OPTIONS"):
        return
    operation = _operation(request.method, re.sub("/engine/[^/]+/", "/", request.url.path, count=1).rstrip("/"))
    if operation is None:
        assert response.status_code >= 400, f"{request.method} {request.url.path} is not described"
        return
    label = f"{request.method} {request.url.path}: {response.status_code}"
    answer = operation["responses"].get(str(response.status_code))
    assert answer is not None, f"{label} is not described"
    media = response.headers.get("content-type", "").partition(";")[0]
    content = answer.get("content", {})
    known = not content.keys().isdisjoint({media, "*/*"}) if content else not response.content
    assert known, f"{label} as {media!r} is not described"
    if media == "application/json" and media in content:
        faults = [error.message for error in _validator(_key(content[media]["schema"])).iter_errors(response.json())]
        assert not faults, f"{label}: {faults[:3]}"


@cache
def _operations() -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = {}
    # Literal paths win over those with an id, as in the router.
    for path in sorted(described()["paths"], key=lambda path: path.count("{")):
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for method, operation in described()["paths"][path].items():
            found.setdefault(method.upper(), []).append((pattern, operation))
    return found


def _operation(method: str, path: str) -> dict[str, Any] | None:
    return next((operation for pattern, operation in _operations().get(method, ()) if pattern.fullmatch(path)), None)


def _key(schema: dict[str, Any]) -> tuple[bool, str]:
    """A schema of an answer as something that can be looked up: whether it is a list, and what of."""
    inner = schema["items"] if schema.get("type") == "array" else schema
    return inner is not schema, str(inner.get("$ref") or repr(inner))


@cache
def _validator(key: tuple[bool, str]) -> Any:
    schema = next(
        content["schema"]
        for operations in _operations().values()
        for _, operation in operations
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        if _key(content["schema"]) == key
    )
    return jsonschema_rs.validator_for({**schema, "components": described()["components"]})
