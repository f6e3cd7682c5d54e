"""The embedded store as an engine of the field: it does not know what Camunda 7.21.0 does not know.

Filters that such an engine lacks are dropped from every body and query string before the store sees them, and fields
that it lacks are taken out of the records: to whoever asks it looks as if the filters were not there (observed on
Camunda 7.21.0; which ones is told in ``LACKING``). As a program it takes the arguments of ``retriage serve``.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn

from retriage.store.embedded import embedded_app
from retriage.store.server.users import read_users

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

TASK_FILTERS = frozenset({
    "processDefinitionKey", "processDefinitionKeyIn", "processDefinitionName", "processDefinitionNameLike",
    "processVariables", "variableNamesIgnoreCase", "variableValuesIgnoreCase",
})  # fmt: skip
LACKING: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "external-task": (TASK_FILTERS, frozenset({"createTime"})),
    "process-instance": (frozenset({"rootProcessInstanceId"}), frozenset({"definitionKey", "rootProcessInstanceId"})),
    "history/process-instance": (
        frozenset({"activityIdIn", "incidentIdIn", "processInstanceIdNotIn", "rootProcessInstanceId"}),
        frozenset({"restartedProcessInstanceId"}),
    ),
    "job": (frozenset({"acquired"}), frozenset({"batchId"})),
}
"""Path of a list -> filters and fields of records that are not there."""
INSIDE = {
    "externalTaskQuery": "external-task",
    "processInstanceQuery": "process-instance",
    "historicProcessInstanceQuery": "history/process-instance",
    "jobQuery": "job",
}
"""Field of an order -> the list whose filters it holds."""
_PATH = re.compile(r"/engine-rest/(history/process-instance|external-task|process-instance|job)(?:/|$)")


def forgetful(app: App) -> App:
    """The application, less what an older engine lacks."""

    async def older(scope: Message, receive: Receive, send: Send) -> None:
        found = _PATH.match(scope.get("path", ""))
        if scope["type"] != "http" or found is None:
            await app(scope, receive, send)
            return
        filters, fields = LACKING[found[1]]
        asked = [(name, value) for name, value in parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
                 if name not in filters]  # fmt: skip
        scope = {**scope, "query_string": urlencode(asked).encode()}
        if scope["method"] == "POST" and "retries" not in scope["path"] and "fetchAndLock" not in scope["path"]:
            receive = _changed(receive, lambda body: _without(body, filters))
        elif scope["method"] == "POST":
            receive = _changed(receive, _order)
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        await app(scope, receive, _answering(send, fields))

    return older


def _changed(receive: Receive, change: Callable[[Any], Any]) -> Receive:
    """The whole body, changed where it is JSON."""
    given = False

    async def changed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given, body, more = True, b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body, more = body + message.get("body", b""), message.get("more_body", False)
        with suppress(ValueError):
            body = json.dumps(change(json.loads(body))).encode()
        return {"type": "http.request", "body": body, "more_body": False}

    return changed


def _answering(send: Send, fields: frozenset[str]) -> Send:
    """The answer in one piece, its records without some fields."""
    head: list[Message] = []
    body = b""

    async def sent(message: Message) -> None:
        nonlocal body
        if message["type"] == "http.response.start":
            head.append(message)
            return
        body += message.get("body", b"")
        if message.get("more_body", False):
            return
        start = head.pop()
        if start["status"] == 200:
            with suppress(ValueError):
                body = json.dumps(_without(json.loads(body), fields)).encode()
        start["headers"] = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"].append((b"content-length", str(len(body)).encode()))
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return sent


def _without(value: Any, names: frozenset[str]) -> Any:
    """A JSON value whose objects do not have these names; what stands inside ``sorting`` stays."""
    if isinstance(value, list):
        return [_without(one, names) for one in value]
    if isinstance(value, dict):
        return {name: _without(one, names) if name == "orQueries" else one
                for name, one in value.items() if name not in names}  # fmt: skip
    return value


def _order(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: _without(value, LACKING[INSIDE[name]][0]) if name in INSIDE else value
            for name, value in body.items()}  # fmt: skip


def main() -> None:
    """Serve a store as an engine of the field."""
    parser = argparse.ArgumentParser()
    parser.add_argument("serve")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--user", action="append", default=[])
    given = parser.parse_args()
    app = forgetful(embedded_app(given.store, users=read_users(given.user)))  # type: ignore[arg-type]
    config = uvicorn.Config(app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)  # type: ignore[arg-type]
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
