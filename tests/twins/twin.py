"""One of the two engines: its client, and the common names of what it made."""

import asyncio
import re
from typing import Any

import httpx

from tests.contract.engine import Engine
from tests.twins.clock import Clock, write
from tests.twins.symbols import Ask, At, Pick

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(rf"(?:[\w.-]+:){{0,2}}{_UUID}")
_PLAIN_ID = re.compile(_UUID)
_MILLISECONDS = re.compile(r"\b1[6-9]\d{11}\b")
_ROOT = re.compile(r"^https?://[^/]+/engine-rest")
UNNAMED = "<?>"
_OWN_AFFAIR = {"durationInMillis", "hostname"}
"""Fields of which only whether there is a value is compared."""


class Twin:
    """An engine under comparison."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.living: dict[str, list[str]] = {}
        """Common names of what was there at the last census, by kind."""

    async def send(self, ask: Ask) -> httpx.Response:
        """The answer to a request. A refusal because another transaction was first is no answer yet."""
        for _ in range(20):
            response = await self.engine.http.request(**ask.resolved(self))
            if not (response.status_code == 500 and b"OptimisticLocking" in response.content):
                break
            await asyncio.sleep(0.05)
        return response

    def give_name(self, name: str, identity: str) -> None:
        """Call a thing by its common name from now on. A thing has one name."""
        self._names.setdefault(identity, name)
        self._ids.setdefault(name, identity)

    def name_of(self, identity: str) -> str | None:
        """The common name of a thing, if it has one."""
        return self._names.get(identity)

    def names(self, kind: str) -> list[str]:
        """The common names of a kind, in their own order, which is the same on both engines."""
        return sorted(name for name in self._ids if name.startswith(f"<{kind} "))

    def id_of(self, pick: Pick) -> str:
        """The id of a thing here."""
        known = (self.living.get(pick.kind) if pick.living else None) or self.names(pick.kind)
        return self._ids[known[pick.number % len(known)]] if known else f"no-{pick.kind}-at-all"

    def moment_of(self, at: At) -> str | int:
        """A moment as the contract writes it."""
        milliseconds = self.clock.moment(at.step, at.later)
        return milliseconds if at.as_number else write(milliseconds)

    def common(self, value: Any, field: str = "") -> Any:
        """A value of an answer in words that both engines share."""
        if field in _OWN_AFFAIR:
            return value is not None
        if isinstance(value, dict):
            return {self.common(name): self.common(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.common(inner) for inner in value]
        return self._common_text(value, field) if isinstance(value, str) else value

    def _common_text(self, text: str, field: str) -> str:
        if (name := self._names.get(text)) is not None:
            return name
        if _DATE.fullmatch(text):
            return self.clock.name(text)
        if field == "href":
            text = _ROOT.sub("", text)
        if len(text) < 13:
            return text
        return _MILLISECONDS.sub("<ms>", _ID.sub(self._found, text))

    def _found(self, found: re.Match[str]) -> str:
        whole = found[0]
        if (name := self._names.get(whole)) is not None:
            return name
        return _PLAIN_ID.sub(lambda inner: self._names.get(inner[0], UNNAMED), whole)
