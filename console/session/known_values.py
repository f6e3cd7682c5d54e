"""Values that exist on this engine, for completion: asked for now and then, and picked up from rows that are read.

A question never waits for them: what is known is answered at once, and the next key finds more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retriage.console.engine.errors import EngineProblem

if TYPE_CHECKING:
    from retriage.console.batches.known_batches import KnownBatches
    from retriage.console.session.connection import Connection
    from retriage.store.contract.records import ProcessDefinition

FRESH = 60.0
"""Seconds that topics and process definitions are taken for true."""
MOST = 400
"""Values of one kind that are kept from rows, the newest ones."""
DEFINITIONS = 500
"""Versions of processes that are asked for, the newest ones."""

SEEN: dict[str, tuple[str, ...]] = {
    "topic": ("topic_name",),
    "process": ("process_definition_key", "definition_key"),
    "definition": ("process_definition_id", "definition_id", "job_definition_id"),
    "processdefinition": ("process_definition_id",),
    "worker": ("worker_id",),
    "tenant": ("tenant_id",),
    "activity": ("activity_id",),
    "failedactivity": ("failed_activity_id",),
    "type": ("incident_type",),
    "batch": ("batch_id",),
    "versiontag": ("process_definition_version_tag",),
    "note": ("annotation",),
}
"""Word -> fields of records whose values it takes."""
BORROWED = {"at": "activity", "passed": "activity"}
"""Word -> word with the same values."""
LASTING = ("topic", "process", "activity", "worker", "tenant", "type")
"""Words whose values are worth keeping for the next time."""


class KnownValues:
    """What one console knows of its engine's values; ids of batches are those of ``batches``."""

    def __init__(self, connection: Connection, batches: KnownBatches) -> None:
        self._connection = connection
        self._batches = batches
        self._seen: dict[str, dict[str, None]] = {word: {} for word in SEEN}
        self._told: dict[str, Sequence[str]] = {}
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None

    def note(self, records: Iterable[Any]) -> None:
        """Remember what rows hold."""
        for record in records:
            for word, fields in SEEN.items():
                for field in fields:
                    value = getattr(record, field, None)
                    if isinstance(value, str) and value:
                        self._keep(self._seen[word], value)

    def values(self, subject: str) -> Mapping[str, Sequence[str]]:
        """Word -> values that are known to exist; what the engine can tell is asked for anew if it is old."""
        self._ask()
        found = {word: list(dict.fromkeys((*self._told.get(word, ()), *seen))) for word, seen in self._seen.items()}
        found |= {word: list(values) for word, values in self._told.items() if word not in found}
        found |= {word: found[other] for word, other in BORROWED.items()}
        if subject == "batches":
            views = self._batches.all()
            found["id"] = found["batch"] = [view.id for view in views]
        else:
            found["batch"] = list(dict.fromkeys((*(view.id for view in self._batches.all()), *found["batch"])))
        return found

    def lasting(self) -> dict[str, list[str]]:
        """Word -> values that a shell may complete the next time, those that were seen last first."""
        return {word: list(dict.fromkeys((*reversed(self._seen[word]), *self._told.get(word, ())))) for word in LASTING}

    async def answered(self) -> None:
        """Wait until a question that is under way is answered."""
        if self._asking is not None:
            await asyncio.wait({self._asking})

    def _ask(self) -> None:
        now = time.monotonic()
        if self._connection.client is None or (self._asked_at is not None and now - self._asked_at < FRESH):
            return
        self._asked_at = now
        self._asking = asyncio.create_task(self._read(), name="known values")

    async def _read(self) -> None:
        """Ask for topics and process definitions. An engine that does not tell them is no problem."""
        try:
            topics = await self._connection.ask(lambda client: client.topic_names())
            self._told["topic"] = sorted(topics)
            definitions = await self._connection.ask(lambda client: client.process_definitions(0, DEFINITIONS))
            self._told |= _of(definitions)
        except EngineProblem:
            return

    def _keep(self, values: dict[str, None], value: str) -> None:
        values.pop(value, None)
        values[value] = None
        if len(values) > MOST:
            del values[next(iter(values))]


def _of(definitions: Sequence[ProcessDefinition]) -> dict[str, Sequence[str]]:
    ids = [one.id for one in definitions]
    return {
        "process": sorted({one.key for one in definitions}),
        "processname": sorted({one.name for one in definitions if one.name}),
        "definition": ids,
        "processdefinition": ids,
        "deployment": sorted({one.deployment_id for one in definitions}),
        "version": [str(number) for number in sorted({one.version for one in definitions}, reverse=True)],
        "versiontag": sorted({one.version_tag for one in definitions if one.version_tag}),
    }
