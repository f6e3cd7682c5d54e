"""Books of a night: what became of each task, by its workers' deeds and the engine's own records, and when.

Nothing here shares code with the console. All times are seconds since the epoch by this machine's clock. A deed lies
somewhere between the beginning and the end of its request, so a figure is untrue only if no state that its tasks may
have had in its window of time gives it.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

OPEN = ("waiting", "delayed", "locked", "notSet")
STATES = ("done", "again", "changed", "cancelled", "unknown", *OPEN)
"""Names of the figures, as JSON and the journal have them."""
FINAL = frozenset({"done", "again", "changed", "cancelled"})


class Deed(NamedTuple):
    """What somebody did to a task: take, fail, complete, unlock, change, cancel or suspend."""

    begin: float
    end: float
    what: str
    message: str = ""


@dataclass(frozen=True)
class Sight:
    """All tasks as the engine had them: id -> retries and when its lock expires."""

    begin: float
    end: float
    tasks: Mapping[str, tuple[int | None, float]]


class Span(NamedTuple):
    """A state of a task: from when at the earliest, until when at the latest."""

    state: str
    begin: float
    end: float
    message: str = ""


@dataclass
class Books:
    """The truth about the tasks of a night.

    Attributes:
        kept: the history says how tasks ended, to the user of the console; otherwise they are gone, outcome not kept.
        new_error: message of failures that no task had before.
    """

    kept: bool = True
    new_error: str = ""
    deeds: dict[str, list[Deed]] = field(default_factory=dict)
    sights: list[Sight] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: dict[str, list[Span]] | None = None

    def close(self) -> None:
        """Nothing more happens."""
        self._closed = {}

    def write(self, id: str, deed: Deed) -> None:
        """Enter a deed."""
        with self._lock:
            self.deeds.setdefault(id, []).append(deed)

    def see(self, sight: Sight) -> None:
        """Enter the engine's records."""
        with self._lock:
            self.sights.append(sight)

    def of(self, id: str) -> list[Deed]:
        """Deeds done to a task so far."""
        with self._lock:
            return sorted(self.deeds.get(id, ()))

    def spans(self, id: str) -> list[Span]:
        """States of a task of a run, one after the other, from the moment at which its wave was begun."""
        if self._closed is None:
            return self._spans(id)
        if id not in self._closed:
            self._closed[id] = self._spans(id)
        return self._closed[id]

    def _spans(self, id: str) -> list[Span]:
        deeds = self.of(id)
        with self._lock:
            sights = list(self.sights)
        found: list[Span] = []
        state, since, said = "notSet", -inf, ""

        def enter(new: str, deed: Deed, message: str = "") -> None:
            nonlocal state, since, said
            found.append(Span(state, since, deed.end, said))
            state, since, said = new, deed.begin, message

        set_at, expires = _set_at(id, sights, [deed for deed in deeds if deed.what == "take"])
        if set_at is not None:
            enter("delayed" if expires > set_at.end else "waiting", set_at)
        for deed in deeds:
            if state in FINAL or (deed.what in ("complete", "fail", "take", "change") and set_at is None):
                continue
            match deed.what:
                case "take":
                    enter("locked", deed)
                case "unlock":
                    enter("waiting", deed)
                case "complete":
                    enter("done", deed)
                case "fail":
                    enter("again", deed, deed.message)
                case "change":
                    enter("changed", deed)
                case "cancel":
                    enter("cancelled", deed)
        found.append(Span(state, since, inf, said))
        if self.kept:
            return found
        return [span._replace(state="unknown") if span.state in ("done", "cancelled") else span for span in found]

    def possible(self, id: str, begin: float, end: float) -> list[Span]:
        """States that a task may have had in a window of time."""
        return [span for span in self.spans(id) if span.begin <= end and span.end >= begin]

    def lies(
        self, told: Mapping[str, Any], ids: Iterable[str], begin: float, end: float, where: str, names: Sequence[str]
    ) -> list[str]:
        """What of some figures cannot be so in a window of time, a sentence each.

        Args:
            told: figures by name.
            ids: the tasks that they count.
            begin: of the window.
            end: of the window.
            where: who told them.
            names: which of the figures are compared; ``a+b`` is the sum of two.
        """
        low: Counter[str] = Counter()
        high: Counter[str] = Counter()
        number = 0
        for id in ids:
            number += 1
            spans = self.possible(id, begin, end)
            marks = [self._marks(id, span, begin, end) for span in spans]
            high.update({mark for some in marks for mark in some[0]})
            low.update(set.intersection(*(some[1] for some in marks)))
        found = []
        for name in names:
            parts = name.split("+")
            value = sum(int(told.get(part) or 0) for part in parts)
            least, most = sum(low[part] for part in parts), sum(high[part] for part in parts)
            if len(parts) > 1:
                least, most = min(least, number), min(most, number)
            if not least <= value <= most:
                truth = str(least) if least == most else f"{least} to {most}"
                figures = {key: value for key, value in told.items() if key in STATES and value}
                found.append(f"{where}: {name} {value}, in truth {truth} of {number} at {end:.1f}; all: {figures}")
        return found

    def _marks(self, id: str, span: Span, begin: float, end: float) -> tuple[set[str], set[str]]:
        """Figures that count a task in this state: those that may, and those that have to."""
        marks = {span.state}
        if span.state not in ("changed", "cancelled"):
            marks.add("judged")
        if span.state == "again" or span.state in OPEN:
            marks.add("atWorst")
        if span.state == "again" and span.message.startswith(self.new_error or "\0"):
            marks.add("newCause")
        may = set(marks)
        if span.state in ("waiting", "delayed", "locked"):
            suspended = [deed for deed in self.of(id) if deed.what == "suspend"]
            may |= {"suspended"} if any(deed.begin <= end for deed in suspended) else set()
            marks |= {"suspended"} if any(deed.end <= begin for deed in suspended) else set()
        return may, marks

    def now(self, id: str) -> str:
        """State of a task as far as it is known."""
        return self.spans(id)[-1].state

    def taken(self, ids: Iterable[str], until: float = inf) -> bool:
        """A worker had one of the tasks."""
        return any(deed.what == "take" and deed.begin <= until for id in ids for deed in self.of(id))


def _set_at(id: str, sights: Sequence[Sight], taken: Sequence[Deed]) -> tuple[Deed | None, float]:
    """Between which moments the retries of a task were set, and when the lock that it had then expires: it had none
    before, and no worker gets a task that has none."""
    before, expires = -inf, -inf
    for sight in sights:
        record = sight.tasks.get(id)
        if record is None:
            continue
        if taken and sight.end > taken[0].begin:
            break
        if record[0]:
            return Deed(before, sight.end, "set"), record[1]
        before, expires = sight.begin, record[1]
    return (Deed(before, taken[0].end, "set"), expires) if taken else (None, expires)
