"""What an older engine lacks, as the console finds it out at connect, and which failures of the suite that excuses.

No list of cases is kept by hand: a case that fails there is skipped if it sent a filter that the engine was seen to
ignore, or a sort key that it refuses, or if what failed names a field that its records do not have.
"""

import asyncio
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from retriage.console.engine.capabilities import LISTS, Capabilities, learn, wire_name
from retriage.console.engine.client import EngineClient


class Lacking:
    """The capabilities of one engine beside what the running test has asked of it.

    Args:
        root: where it answers.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._known = Capabilities()
        self.sent: set[str] = set()
        """Names of fields and query parameters, and sort keys, that the running test has sent."""

    async def note(self, request: httpx.Request) -> None:
        """Remember what is sent."""
        self.sent |= set(request.url.params)
        self.sent |= {value for name, value in request.url.params.multi_items() if name == "sortBy"}
        if "json" in request.headers.get("content-type", ""):
            try:
                self.sent |= set(_names(json.loads(await request.aread() or b"null")))
            except ValueError:
                return

    def excuse(self, failure: str) -> str:
        """Why the running test may fail, in words; empty if it may not.

        Args:
            failure: what was raised, as text.
        """
        known = self._learnt()
        for subject, table in LISTS.items():
            lacks = known.of(subject)
            for name in sorted(lacks.ignored):
                # GET names a field of variables in the query string as POST does in the body.
                if wire_name(table.query, name) in self.sent:
                    return f"ignores {wire_name(table.query, name)} of {subject}"
            for key in sorted(lacks.unsortable & self.sent):
                return f"cannot sort {subject} by {key}"
            for name in sorted(lacks.absent):
                if re.search(rf"\b{wire_name(table.record, name)}\b", failure):
                    return f"returns no {wire_name(table.record, name)} of {subject}"
        return ""

    def _learnt(self) -> Capabilities:
        """What the engine lacks; lists that had no row to look at are looked at again."""
        if not all(self._known.of(subject).seen for subject in LISTS):
            # The suite's own loop is at rest between two tests, but it is not ours.
            with ThreadPoolExecutor(1) as hand:
                self._known = hand.submit(asyncio.run, self._learn()).result()
        return self._known

    async def _learn(self) -> Capabilities:
        known = self._known
        async with httpx.AsyncClient(base_url=self._root, timeout=60, trust_env=False) as http:
            client = EngineClient(http)
            for subject in LISTS:
                known = await learn(client, known, subject)
        return known


def _names(value: Any) -> Iterable[str]:
    """Keys of objects at any depth, and the keys that are sorted by."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            if name == "sortBy" and isinstance(inner, str):
                yield inner
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
