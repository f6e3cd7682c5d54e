"""Requests as text: JSON for the eye, curl for the clipboard."""

import json
import shlex
from typing import Any

from console.engine.retries_request import PATH, RetriesRequest
from store.contract.queries import Query

LISTS: dict[str, tuple[str, str]] = {
    "tasks": ("POST", "external-task"),
    "instances": ("POST", "process-instance"),
    "history": ("POST", "history/process-instance"),
    "jobs": ("POST", "job"),
    "incidents": ("GET", "incident"),
    "batches": ("GET", "batch/statistics"),
}
"""Subject -> how its list is asked for."""


def json_text(request: RetriesRequest, ids: int | None) -> str:
    """The body with one field a line.

    Args:
        request: the request.
        ids: of a longer list of texts so many are shown and the others counted; ``None`` shows all.
    """
    return pretty(_short(request.value, ids))


def pretty(value: Any) -> str:
    """A JSON value with one field a line."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def curl_text(request: RetriesRequest, url: str, user: str | None, token: bool) -> str:
    """The launch as a command for a POSIX shell, its body byte for byte; it holds no password.

    Args:
        request: the request.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        token: a bearer token is needed; the command takes it from the variable ``TOKEN``.
    """
    return _curl("POST", _at(url, PATH), request.body.decode("ascii"), user, token)


def curl_list(subject: str, query: Query, parameters: dict[str, str], url: str, user: str | None, token: bool) -> str:
    """A list as a command for a POSIX shell; it holds no password.

    Args:
        subject: what is listed, a key of :data:`LISTS`.
        query: what it filters.
        parameters: the same as parameters, for lists that are asked for with GET.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        token: a bearer token is needed; the command takes it from the variable ``TOKEN``.
    """
    method, path = LISTS[subject]
    if method == "POST":
        return _curl(method, _at(url, path), json.dumps(query.wire(), separators=(",", ":")), user, token)
    data = [word for name, value in parameters.items() for word in ("--data-urlencode", shlex.quote(f"{name}={value}"))]
    return " ".join(["curl", "-G", _at(url, path), *_login(user, token), *data])


def curl_of_reading(path: str, url: str, user: str | None, token: bool) -> str:
    """The command that reads one thing of the engine; it holds no password.

    Args:
        path: below the REST root, its parts quoted already.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        token: a bearer token is needed; the command takes it from the variable ``TOKEN``.
    """
    return " ".join(["curl", _at(url, path), *_login(user, token)])


def _at(url: str, path: str) -> str:
    """A path of the engine, quoted; an engine without an address stands there as the variable ``ENGINE_REST``."""
    return shlex.quote(f"{url}/{path}") if url else f'"$ENGINE_REST"/{shlex.quote(path)}'


def _curl(method: str, address: str, body: str, user: str | None, token: bool) -> str:
    words = ["curl", "-X", method, address, "-H", shlex.quote("Content-Type: application/json")]
    return " ".join([*words, *_login(user, token), "--data-binary", shlex.quote(body)])


def _login(user: str | None, token: bool) -> list[str]:
    if token:
        return ["-H", '"Authorization: Bearer $TOKEN"']
    return [] if user is None else ["-u", shlex.quote(user)]


def _short(value: Any, most: int | None) -> Any:
    if isinstance(value, dict):
        return {name: _short(item, most) for name, item in value.items()}
    if isinstance(value, list) and most is not None and len(value) > most and all(isinstance(v, str) for v in value):
        return [*value[:most], f"... {len(value) - most:,} more"]
    return [_short(item, most) for item in value] if isinstance(value, list) else value
