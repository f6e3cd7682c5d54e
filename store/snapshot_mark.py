"""What a snapshot of an engine says about itself, and how its file is told from a store's.

A snapshot is an SQLite file with the tables of a store. Its header is marked, so that nothing opens it as a store and
writes into it; the mark is read without opening a database.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

MARK = 0x534E4150
"""The ``user_version`` of a snapshot's file: ``SNAP`` in ASCII."""
FORMAT = 1
"""Of what a snapshot holds beside the tables of a store."""
FEWEST = 5
"""Tasks of a topic that must have been worked on before its share of failures tells anything."""
_MADE = re.compile(r"CREATE (TABLE|(UNIQUE )?INDEX) ", re.IGNORECASE)
_RUNS = re.compile(r"\b(VIRTUAL|CHECK|GENERATED|AS)\b", re.IGNORECASE)
"""Words of SQL that no table or index of a snapshot is made with."""
_MARK_AT = 60
_HEADER = 100


class NoSnapshot(ValueError):
    """The file cannot be opened as a snapshot; the text is one sentence."""


class NoRate(ValueError):
    """Nobody knows how often tasks fail; the text is one sentence."""


@dataclass(frozen=True)
class FailureRates:
    """How often an attempt fails, 0 to 1.

    Attributes:
        usual: in topics of which nothing else is known.
        topics: by topic.
    """

    usual: float
    topics: Mapping[str, float] = field(default_factory=dict)

    def of(self, topic: str) -> float:
        """In a topic."""
        return self.topics.get(topic, self.usual)


@dataclass(frozen=True)
class ObservedRate:
    """What became of tasks of a topic that were worked on before the snapshot was taken.

    Attributes:
        topic: of the tasks.
        done: how many were completed.
        failed: how many failed.
        source: what tells it: ``runs`` or ``log``.
    """

    topic: str
    done: int
    failed: int
    source: str


@dataclass(frozen=True)
class SnapshotMark:
    """What is known of a snapshot.

    Attributes:
        engine: stable name of the engine that it is of.
        address: of that engine, without a password; empty for one that was in the console's own process.
        kind: what the engine is, with its version.
        taken_at: when it was begun, by the engine's clock.
        taken_by: who has taken it.
        part: which tasks, in the filter language; empty for all.
        numbers: what is in it -> how many.
        left_out: what is not in it although one might look for it, a sentence each.
        rates: how often tasks had failed.
    """

    engine: str
    address: str
    kind: str
    taken_at: datetime
    taken_by: str
    part: str
    numbers: dict[str, int]
    left_out: Sequence[str] = ()
    rates: Sequence[ObservedRate] = ()

    def failure_rates(self, chosen: float | None = None) -> FailureRates:
        """How often attempts fail in a rehearsal: as was observed; in a topic of which too little is known as in all
        topics together.

        Args:
            chosen: what the operator says instead.

        Raises:
            NoRate: neither the operator nor the snapshot says it.
        """
        if chosen is not None:
            return FailureRates(chosen)
        done, failed = sum(rate.done for rate in self.rates), sum(rate.failed for rate in self.rates)
        if done + failed < FEWEST:
            raise NoRate(
                "the snapshot does not say how often tasks failed when they were worked on; give --failure-rate."
            )
        known = {rate.topic: rate for rate in self.rates if rate.done + rate.failed >= FEWEST}
        topics = {topic: rate.failed / (rate.done + rate.failed) for topic, rate in known.items()}
        return FailureRates(failed / (done + failed), topics)

    def text(self) -> str:
        """As it stands in the file."""
        return json.dumps({"format": FORMAT, **asdict(self), "taken_at": self.taken_at.isoformat()})


def is_marked(header: bytes) -> bool:
    """Whether a file that begins so is a snapshot.

    Args:
        header: its first hundred bytes.
    """
    return header.startswith(b"SQLite format 3\0") and int.from_bytes(header[_MARK_AT : _MARK_AT + 4]) == MARK


def is_snapshot(store: str) -> bool:
    """Whether a store, given as a path or a URL, is the file of a snapshot."""
    if "://" in store and not store.startswith("sqlite"):
        return False
    try:
        with path_of(store).open("rb") as file:
            return is_marked(file.read(_HEADER))
    except (OSError, ValueError):
        return False


def read_mark(store: str) -> SnapshotMark:
    """What a snapshot says about itself. Nothing of its file is changed.

    Args:
        store: its path.

    Raises:
        NoSnapshot: it is none, is broken, or was written by a newer version.
    """
    path = path_of(store)
    if not is_snapshot(store):
        raise NoSnapshot(f"{path} is not a snapshot; `retriage snapshot` writes one.")
    try:
        with closing(_opened(path)) as database:
            (text,) = database.execute("SELECT facts FROM snapshot").fetchone()
        told = json.loads(text)
        version = told.pop("format")
        if version != FORMAT:
            raise NoSnapshot(f"{path} was written by another version of Retriage (format {version}, here {FORMAT}).")
        told["taken_at"] = datetime.fromisoformat(told["taken_at"])
        told["rates"] = tuple(ObservedRate(**one) for one in told["rates"])
        told["left_out"] = tuple(told["left_out"])
        mark = SnapshotMark(**told)
        _check(mark)
        return mark
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        if isinstance(problem, NoSnapshot):
            raise
        raise NoSnapshot(f"The snapshot {path} is broken.") from problem


def _check(mark: SnapshotMark) -> None:
    """Whoever has written the file may have been another program.

    Raises:
        ValueError: something is not what it has to be.
    """
    texts = (mark.engine, mark.address, mark.kind, mark.taken_by, mark.part, *mark.left_out)
    texts += tuple(rate.topic for rate in mark.rates)
    numbers = [number for rate in mark.rates for number in (rate.done, rate.failed)]
    if mark.taken_at.tzinfo is None or not all(isinstance(text, str) for text in texts):
        raise ValueError
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError


def run_lines(store: str) -> Iterator[list[str]]:
    """The runs of the journal that a snapshot holds, the oldest first: the lines of the hand-over file of each.

    Args:
        store: its path.

    Raises:
        NoSnapshot: it is broken.
    """
    try:
        with closing(_opened(path_of(store))) as database:
            told = database.execute("SELECT run, text FROM snapshot_run ORDER BY run, line")
            for _, lines in groupby(told, key=itemgetter(0)):
                yield [text for _, text in lines]
    except sqlite3.Error as problem:
        raise NoSnapshot(f"The snapshot {path_of(store)} is broken.") from problem


def _opened(path: Path) -> sqlite3.Connection:
    """Read as it lies there: no file is put beside it.

    Raises:
        NoSnapshot: it holds something that would run.
    """
    database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    try:
        check_passive(database, path)
    except BaseException:
        database.close()
        raise
    return database


def check_passive(database: sqlite3.Connection, path: Path) -> None:
    """Check that a database holds tables and indexes of columns, and nothing that runs when they are read or written:
    no triggers, views, virtual tables, checks or computed columns.

    Args:
        database: open, and not yet read.
        path: for the sentence.

    Raises:
        NoSnapshot: it holds more.
    """
    # SQLite goes by the statement alone, whatever the other columns say; an index of its own has none.
    for (statement,) in database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        if not isinstance(statement, str) or not _MADE.match(statement) or _RUNS.search(statement):
            raise NoSnapshot(f"{path} holds more than tables, so `retriage snapshot` did not write it: not opened.")


def path_of(store: str) -> Path:
    """The file of a store that is given as a path or as a URL of SQLite."""
    return Path(store.partition("://")[2].removeprefix("/") if "://" in store else store).expanduser()
