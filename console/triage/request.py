"""The request of a launch as text: JSON for the eye, curl for the clipboard."""

import json
import shlex
from typing import Any

from store.contract.orders import SetExternalTaskRetries

PATH = "external-task/retries-async"


def body_of(order: SetExternalTaskRetries) -> dict[str, Any]:
    """The JSON object that is sent: what is absent is left out."""
    return order.model_dump(mode="json", by_alias=True, exclude_none=True)


def json_text(order: SetExternalTaskRetries, ids: int | None) -> str:
    """The body with one field a line.

    Args:
        order: the order.
        ids: of a longer list of texts so many are shown and the others counted; ``None`` shows all.
    """
    return json.dumps(_short(body_of(order), ids), indent=2, ensure_ascii=False)


def curl_text(order: SetExternalTaskRetries, url: str, user: str | None, token: bool) -> str:
    """The request as a command for a POSIX shell; it holds no password.

    Args:
        order: the order.
        url: REST root of the engine.
        user: user for HTTP Basic; curl asks for the password.
        token: a bearer token is needed; the command takes it from the variable ``TOKEN``.
    """
    words = ["curl", "-X", "POST", shlex.quote(f"{url}/{PATH}"), "-H", shlex.quote("Content-Type: application/json")]
    if token:
        words += ["-H", '"Authorization: Bearer $TOKEN"']
    elif user is not None:
        words += ["-u", shlex.quote(user)]
    body = json.dumps(body_of(order), separators=(",", ":"))
    return " ".join([*words, "--data-binary", shlex.quote(body)])


def _short(value: Any, most: int | None) -> Any:
    if isinstance(value, dict):
        return {name: _short(item, most) for name, item in value.items()}
    if isinstance(value, list) and most is not None and len(value) > most and all(isinstance(v, str) for v in value):
        return [*value[:most], f"... {len(value) - most:,} more"]
    return [_short(item, most) for item in value] if isinstance(value, list) else value
