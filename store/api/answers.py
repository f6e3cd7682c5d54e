"""How a shape of the contract becomes a response."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Response
from pydantic import TypeAdapter

from store.contract.model import Shape

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
    return Response(adapter.dump_json(list(records), by_alias=True), media_type="application/json")


def answer_text(text: str | None) -> Response:
    """A plain text; 204 if there is none."""
    if text is None:
        return no_content()
    return Response(text, media_type="text/plain")


def no_content() -> Response:
    """204: done, nothing to say."""
    return Response(status_code=204)


def answer_json(value: Any) -> Response:
    """A plain value."""
    return Response(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), media_type="application/json"
    )
