"""An engine whose rows end and appear between any two questions, asked by the console's own client.

It lists by the rules of the contract: in the order of the sort keys that it is given, rows that are equal by them in
another order every time; without a sort key in the order of ids.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx

from retriage.console.engine.client import EngineClient
from retriage.store.contract.values import parse_moment

Row = dict[str, Any]
Change = tuple[set[int], set[int]]
"""Numbers of rows that end, and of rows that appear, after a question."""

ID_KEYS = ("id", "instanceId", "jobId", "incidentId", "batchId")
FIELDS = {
    "instanceId": "id",
    "jobId": "id",
    "incidentId": "id",
    "taskPriority": "priority",
    "jobRetries": "retries",
    "definitionKey": "definitionKey",
}
"""Sort key -> field of the record where that has another name."""


class ShiftingEngine:
    """Holds rows by number.

    Args:
        make: the record of a number, as the engine writes it; its ``id`` grows with the number.
        rows: numbers of the rows that are there at first.
        changes: what happens after each question; nothing more when they are used up.
        changing: lists that change; the others are as they were.
        seed: decides about the order of equal rows.
    """

    def __init__(
        self,
        make: Mapping[str, Callable[[int], Row]],
        rows: set[int],
        changes: Sequence[Change],
        changing: str,
        seed: int = 0,
    ) -> None:
        self._make = make
        self._rows = {path: set(rows) for path in make}
        self.stayed = set(rows)
        """Numbers of the rows that were there all the time."""
        self._changes: Iterator[Change] = iter(changes)
        self._changing = changing
        self._random = Random(seed)
        self.asked = 0

    @asynccontextmanager
    async def client(self) -> AsyncIterator[EngineClient]:
        """The console's client of this engine."""
        transport = httpx.MockTransport(self._answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine.test/engine-rest") as http:
            yield EngineClient(http)

    def ids(self, path: str, numbers: set[int]) -> set[str]:
        """Ids of rows by their numbers."""
        return {self._make[path](number)["id"] for number in numbers}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert self.asked < 3000, "it reads without an end"
        path = request.url.path.removeprefix("/engine-rest/")
        params = dict(request.url.params)
        asked = json.loads(request.content) if request.content else params
        counts = path.endswith("/count")
        path = path.removesuffix("/count")
        rows = [row for row in map(self._make[path], self._rows[path]) if _matches(row, asked)]
        if counts:
            return httpx.Response(200, json={"count": len(rows)})
        first, size = int(params["firstResult"]), int(params["maxResults"])
        answer = self._sorted(rows, asked)[first : first + size]
        if path == self._changing:
            self._change(path)
        return httpx.Response(200, json=answer)

    def _sorted(self, rows: list[Row], asked: Row) -> list[Row]:
        self._random.shuffle(rows)
        keys = [(asked["sortBy"], asked["sortOrder"])] if "sortBy" in asked else []
        keys += [(key["sortBy"], key["sortOrder"]) for key in asked.get("sorting", ())]
        for key, order in reversed(keys or [("id", "asc")]):
            rows.sort(key=lambda row: str(row[FIELDS.get(key, key)]), reverse=order == "desc")
        return rows

    def _change(self, path: str) -> None:
        gone, came = next(self._changes, (set(), set()))
        self._rows[path] = (self._rows[path] - gone) | came
        self.stayed -= gone


def _matches(row: Row, asked: Row) -> bool:
    ids = asked.get("externalTaskIdIn") or asked.get("jobIds") or asked.get("processInstanceIds")
    instances = asked.get("processInstanceIdIn") or asked.get("activityInstanceIdIn")
    of = row.get("activityInstanceId") if "activityInstanceIdIn" in asked else row.get("processInstanceId")
    return (
        (not ids or row["id"] in ids)
        and (not instances or of in instances)
        and (not asked.get("noRetriesLeft") or row["retries"] == 0)
        and _between(row, asked, "incidentTimestamp")
        and _between(row, asked, "endTime")
    )


def _between(row: Row, asked: Row, field: str) -> bool:
    before, after = asked.get(f"{field}Before"), asked.get(f"{field}After")
    if before is None and after is None:
        return True
    at = parse_moment(row[field])
    return (before is None or at < parse_moment(before)) and (after is None or at > parse_moment(after))
