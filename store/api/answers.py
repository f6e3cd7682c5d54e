"""How a shape of the contract becomes a response."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from retriage.store.contract.errors import engine_error
from retriage.store.contract.model import Shape

_WORD = r"[\w!#$%&'*+.^`|~-]+"
_VALUE = rf'(?:{_WORD}|"[ !#-~]*")'
_TYPE = re.compile(rf"\s*({_WORD}/{_WORD})\s*((?:;\s*(?:{_WORD}={_VALUE}\s*)?)*)", re.ASCII)
_PARAMETER = re.compile(rf"({_WORD})=({_VALUE})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

AT_ONCE = 500
"""Records that are written in one turn of the event loop; a longer list is sent in pieces."""

_LISTS: dict[type[Shape], TypeAdapter[Any]] = {}


def answer(record: Shape, status: int = 200) -> Response:
    """One record. All fields are present; absent values are null."""
    return Response(record.model_dump_json(by_alias=True), status, media_type="application/json")


def answer_list(records: Sequence[Shape]) -> Response:
    """A list of records of one kind."""
    if not records:
        return Response(b"[]", media_type="application/json")
    kind = type(records[0])
    adapter = _LISTS.get(kind)
    if adapter is None:
        adapter = _LISTS[kind] = TypeAdapter(list[kind])  # type: ignore[valid-type]
    if len(records) > AT_ONCE:
        return StreamingResponse(_pieces(adapter, records), media_type="application/json")
    return Response(adapter.dump_json(list(records), by_alias=True), media_type="application/json")


async def _pieces(adapter: TypeAdapter[Any], records: Sequence[Shape]) -> AsyncIterator[bytes]:
    """A long list as JSON, some records in each turn of the event loop."""
    for begin in range(0, len(records), AT_ONCE):
        written = adapter.dump_json(list(records[begin : begin + AT_ONCE]), by_alias=True)
        yield (b"," if begin else b"[") + written[1:-1]
        await asyncio.sleep(0)
    yield b"]"


def answer_text(text: str | None) -> Response:
    """A plain text; 204 if there is none."""
    if text is None:
        return no_content()
    return Response(text, media_type="text/plain")


def answer_file(data: bytes, info: Mapping[str, str]) -> Response:
    """A file to be kept.

    Args:
        data: its content.
        info: what is known of it: ``filename``, ``mimeType``, ``encoding``.

    Raises:
        ContractError: 500, its type is none.
    """
    written = info.get("mimeType") or "application/octet-stream"
    if encoding := info.get("encoding"):
        written = f"{written}; charset={encoding}"
    headers = {"Content-Type": _media_type(written)}
    if (name := info.get("filename")) is not None:
        headers["Content-Disposition"] = _disposition(name)
    return Response(data, headers=headers)


def _media_type(written: str) -> str:
    """A media type without blanks; of two parameters of one name the last counts (observed on Camunda 7.24.0)."""
    found = _TYPE.fullmatch(written)
    if found is None:
        raise engine_error(f"Error parsing media type '{written}'", "IllegalArgumentException", None)
    parameters = {name.lower(): value for name, value in _PARAMETER.findall(found[2])}
    return ";".join([found[1], *(f"{name}={value}" for name, value in parameters.items())])


def _disposition(name: str) -> str:
    """The name of a file in both forms; a name that is not in Latin letters only in the form for all letters."""
    plain = _CONTROL.sub(" ", name)
    forms = [f'filename="{plain}"'] if all(letter < "\u0100" for letter in name) else []
    encoded = quote(name, safe="*").replace("~", "%7E")
    return "; ".join(["attachment", *forms, f"filename*=UTF-8''{encoded}"])


def no_content() -> Response:
    """204: done, nothing to say."""
    return Response(status_code=204)


def answer_json(value: Any) -> Response:
    """A plain value."""
    return Response(written(value), media_type="application/json")


def written(value: Any) -> bytes:
    """A plain value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
