"""Requests as text: JSON for the eye, curl for the clipboard."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.nouns import NOUNS
from retriage.store.contract.queries import Query


def json_text(request: BatchRequest, ids: int | None) -> str:
    """The body with one field a line.

    Args:
        request: the request.
        ids: of a longer list of texts so many are shown and the others counted; ``None`` shows all.
    """
    return pretty(_short(request.value, ids))


def pretty(value: Any) -> str:
    """A JSON value with one field a line."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def curl_text(request: BatchRequest, url: str, user: str | None, headers: Sequence[str] = ()) -> str:
    """The launch as a command for a POSIX shell, its body byte for byte; it holds no password.

    Args:
        request: the request.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        headers: those that log in, each with a shell variable in place of its value.
    """
    return _curl("POST", _at(url, request.path), request.body.decode("ascii"), user, headers)


def curl_list(
    subject: str, query: Query, parameters: dict[str, str], url: str, user: str | None, headers: Sequence[str] = ()
) -> str:
    """A list as a command for a POSIX shell; it holds no password.

    Args:
        subject: what is listed, name of its noun.
        query: what it filters.
        parameters: the same as parameters, for lists that are asked for with GET.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        headers: those that log in, each with a shell variable in place of its value.
    """
    noun = NOUNS[subject]
    if noun.method == "POST":
        return _curl("POST", _at(url, noun.path), json.dumps(query.wire(), separators=(",", ":")), user, headers)
    data = [word for name, value in parameters.items() for word in ("--data-urlencode", shlex.quote(f"{name}={value}"))]
    return " ".join(["curl", "-G", _at(url, noun.path), *_login(user, headers), *data])


def curl_of_reading(path: str, url: str, user: str | None, headers: Sequence[str] = ()) -> str:
    """The command that reads one thing of the engine; it holds no password.

    Args:
        path: below the REST root, its parts quoted already.
        url: REST root of the engine; empty for the engine in this process.
        user: user for HTTP Basic; curl asks for the password.
        headers: those that log in, each with a shell variable in place of its value.
    """
    return " ".join(["curl", _at(url, path), *_login(user, headers)])


def _at(url: str, path: str) -> str:
    """A path of the engine, quoted; an engine without an address stands there as the variable ``ENGINE_REST``."""
    return shlex.quote(f"{url}/{path}") if url else f'"$ENGINE_REST"/{shlex.quote(path)}'


def _curl(method: str, address: str, body: str, user: str | None, headers: Sequence[str]) -> str:
    words = ["curl", "-X", method, address, "-H", shlex.quote("Content-Type: application/json")]
    return " ".join([*words, *_login(user, headers), "--data-binary", shlex.quote(body)])


def _login(user: str | None, headers: Sequence[str]) -> list[str]:
    words = [word for header in headers for word in ("-H", f'"{header}"')]
    by_header = any(header.lower().startswith("authorization:") for header in headers)
    return words if user is None or by_header else ["-u", shlex.quote(user), *words]


def _short(value: Any, most: int | None) -> Any:
    if isinstance(value, dict):
        return {name: _short(item, most) for name, item in value.items()}
    if isinstance(value, list) and most is not None and len(value) > most and all(isinstance(v, str) for v in value):
        return [*value[:most], f"... {len(value) - most:,} more"]
    return [_short(item, most) for item in value] if isinstance(value, list) else value
