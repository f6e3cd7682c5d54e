"""Figures of an engine as Prometheus text: read politely, printed once or served on the loopback.

What is refused is no zero: its figures are absent, and ``retriage_part_complete`` is 0. While the engine does not
answer, ``retriage_engine_up`` is 0 and there are no other figures, since old ones would look like new ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, get_args
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import journal_if_any, opened_session
from retriage.console.cli.output import write
from retriage.console.cli.program import fail, say
from retriage.console.engine.errors import Denied, EngineProblem, LoginRefused, Refused
from retriage.console.engine.rights import Rights, find_rights
from retriage.console.journal import journal_problem
from retriage.console.reading.pages import pages_by_id
from retriage.console.snapshots.questions import PacedQuestions
from retriage.console.text.inert import inert
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery, IncidentQuery
from retriage.store.journal import RunState

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.console.session.session import Session

EVERY = 60.0
"""Seconds from the beginning of a reading to that of the next one, at least."""
MOST_LABELS = 100
"""Pairs of labels that a figure has, those with most behind them; the others are counted under ``(other)``."""
OTHER = ("(other)", "(other)")
LONGEST = 100
"""Characters of a label."""
MOST_RUNS = 1_000
HERE = ("127.0.0.1", "localhost")
STALLED = 10
"""Seconds that a client has to send its request."""

Labels = tuple[str, str]


@dataclass
class Tally:
    """How many there are by two labels, and since when the oldest of them is there.

    Attributes:
        numbers: labels -> how many.
        oldest: labels -> when the oldest began, where that is known.
    """

    numbers: dict[Labels, int] = field(default_factory=dict)
    oldest: dict[Labels, datetime] = field(default_factory=dict)

    @property
    def all(self) -> int:
        return sum(self.numbers.values())

    def add(self, labels: Labels, at: datetime | None = None, number: int = 1) -> None:
        """Count one more, or so many."""
        self.numbers[labels] = self.numbers.get(labels, 0) + number
        if at is not None:
            self.oldest[labels] = min(at, self.oldest.get(labels, at))

    def bounded(self) -> Tally:
        """The same with few enough labels, each of them inert."""
        kept, found = set(sorted(self.numbers, key=lambda one: (-self.numbers[one], one))[:MOST_LABELS]), Tally()
        for labels, number in self.numbers.items():
            shown = (_label(labels[0]), _label(labels[1])) if labels in kept else OTHER
            found.add(shown, self.oldest.get(labels), number)
        return found


def _label(text: str) -> str:
    shown = inert(text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


@dataclass(eq=False)
class MetricsReading(Collector):
    """One reading of an engine.

    Attributes:
        engine: its name, on every figure.
        families: what was read.
        problem: why the engine was not read, in one sentence; empty if it was.
        said: what was refused, a sentence each.
    """

    engine: str
    families: list[GaugeMetricFamily] = field(default_factory=list)
    problem: str = ""
    said: list[str] = field(default_factory=list)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All figures, and whether the engine answered."""
        up = self._gauge("engine_up", "Whether the engine answered when it was read last.", {(): int(not self.problem)})
        return [up, *([] if self.problem else self.families)]

    def add(self, name: str, help: str, figures: Mapping[Any, float], labels: tuple[str, ...] = ()) -> None:
        """Add a figure by its labels."""
        self.families.append(self._gauge(name, help, figures, labels))

    def _gauge(
        self, name: str, help: str, figures: Mapping[Any, float], labels: tuple[str, ...] = ()
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"retriage_{name}", help, labels=["engine", *labels])
        for values, figure in figures.items():
            family.add_metric([_label(self.engine), *values], figure)
        return family

    @property
    def text(self) -> str:
        """In the text format of Prometheus."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry).decode()


class EngineFigures:
    """Reads the figures of one engine.

    Args:
        session: whose engine and journal.
        questions: asks the engine.
    """

    def __init__(self, session: Session, questions: PacedQuestions) -> None:
        self._session = session
        self._questions = questions
        self._keys: dict[str, str] = {}
        """Id of a process definition -> its key, as tasks tell; a long key is not part of the id."""

    async def read(self) -> MetricsReading:
        """Read all of it. An engine that does not answer is the problem of the reading."""
        reading, complete = MetricsReading(self._session.connection.identity.name), dict[tuple[str], int]()
        parts = {"tasks": self._tasks, "incidents": self._incidents, "batches": self._batches, "runs": self._runs}
        refused: list[Refused] = []
        try:
            rights = await self._rights()
            for part, read in parts.items():
                unseen = rights.unseen(part) if part != "runs" else ""
                try:
                    whole = await read(reading, not unseen) and not unseen
                except Refused as problem:
                    if not _of_a_part(problem):
                        raise
                    refused.append(problem)
                    unseen, whole = problem.sentence, False
                complete[(part,)] = int(whole)
                if unseen:
                    reading.said.append(f"{part}: {unseen}")
            if len(refused) == len(parts) - 1:
                raise refused[0]
        except EngineProblem as problem:
            return MetricsReading(reading.engine, problem=problem.sentence)
        reading.add("part_complete", "1 if all of a part was read, 0 if it was refused or this user does not see all of"
                    " it.", complete, ("part",))  # fmt: skip
        reading.add("reading_timestamp_seconds", "When the figures were read.", {(): time.time()})
        return reading

    async def _rights(self) -> Rights:
        try:
            return await self._session.connection.ask(find_rights)
        except Refused as problem:
            if not _of_a_part(problem):
                raise
            return Rights()

    async def _tasks(self, reading: MetricsReading, sees_all: bool) -> bool:
        tally = Tally()
        async for task in self._rows("external_tasks", ExternalTaskQuery(no_retries_left=True)):
            self._keys[task.process_definition_id] = task.process_definition_key
            tally.add((task.process_definition_key, task.topic_name), task.create_time)
        _tell(reading, tally, sees_all, "tasks_without_retries", "External tasks without retries", "topic",
              "oldest_task_without_retries", "When the oldest task without retries was created")  # fmt: skip
        return True

    async def _incidents(self, reading: MetricsReading, sees_all: bool) -> bool:
        tally = Tally()
        async for incident in self._rows("incidents", IncidentQuery()):
            definition = incident.process_definition_id or ""
            key = self._keys.get(definition) or definition.partition(":")[0]
            tally.add((key, incident.incident_type), incident.incident_timestamp)
        _tell(reading, tally, sees_all, "open_incidents", "Open incidents", "type",
              "oldest_open_incident", "When the oldest open incident was raised")  # fmt: skip
        return True

    async def _batches(self, reading: MetricsReading, sees_all: bool) -> bool:
        tally, failed = Tally(), Tally()
        async for batch in self._rows("batches", BatchStatisticsQuery()):
            tally.add((batch.type, "yes" if batch.suspended else "no"))
            failed.add((batch.type, ""), number=batch.failed_jobs)
        if tally.all or sees_all:
            reading.add("running_batches", "Running batches.", {(): tally.all})
            reading.add("running_batches_by_type", "Running batches by type.", tally.bounded().numbers,
                        ("type", "suspended"))  # fmt: skip
            of_types = {(type,): number for (type, _), number in failed.bounded().numbers.items()}
            reading.add("running_batch_failed_jobs", "Failed jobs of running batches.", of_types, ("type",))
        return True

    async def _runs(self, reading: MetricsReading, sees_all: bool) -> bool:
        """Runs of the operator's own journal."""
        journal = self._session.memory.journal
        if journal is None:
            return False
        try:
            runs = await journal.runs.runs(self._session.connection.identity.name, MOST_RUNS)
        except journal_problem():
            return False
        states = {(state,): sum(run.state == state for run in runs) for state in get_args(RunState)}
        reading.add("runs", f"Runs of the journal by state, the newest {MOST_RUNS}.", states, ("state",))
        return True

    async def _rows(self, listed: str, query: Any) -> AsyncIterator[Any]:
        pages = pages_by_id(lambda *page: self._questions.page(lambda client: getattr(client, listed)(*page)), query)
        async for rows in pages:
            for row in rows:
                yield row
            await asyncio.sleep(0)


def _of_a_part(problem: Refused) -> bool:
    """It refuses one thing, by the engine or by a gateway that lets others through."""
    return not isinstance(problem, LoginRefused) and (isinstance(problem, Denied) or not problem.between)


def _tell(
    reading: MetricsReading, tally: Tally, sees_all: bool, name: str, help: str, by: str, oldest: str, since: str
) -> None:
    """Add a number, the same by labels, and since when. Nothing seen is not nothing there."""
    if not tally.all and not sees_all:
        return
    bounded = tally.bounded()
    reading.add(name, f"{help}.", {(): tally.all})
    reading.add(f"{name}_by_{by}", f"{help} by process and {by}.", bounded.numbers, ("process", by))
    times = {labels: at.timestamp() for labels, at in bounded.oldest.items()}
    reading.add(f"{oldest}_timestamp_seconds", f"{since}.", times, ("process", by))


@asynccontextmanager
async def _figures(connection: NamedEngine) -> AsyncIterator[EngineFigures]:
    async with journal_if_any(connection) as journal, opened_session(connection, journal) as session:
        yield EngineFigures(session, PacedQuestions(session, polite=bool(session.connection.identity.url)))


async def print_metrics(connection: NamedEngine) -> int:
    """Print the figures of now; returns the exit code.

    Raises:
        EngineProblem: the engine did not answer; nothing was printed.
    """
    async with _figures(connection) as figures:
        reading = await figures.read()
    for sentence in reading.said:
        say(sentence)
    if reading.problem:
        say(f"retriage: {reading.problem}")
        return ExitCode.ENGINE
    write(reading.text)
    return ExitCode.DONE


async def serve_metrics(
    connection: NamedEngine, port: int, sleep: Callable[[float], Any] = asyncio.sleep, every: float = EVERY
) -> int:
    """Serve the figures until the process is asked to end; returns the exit code. Scrapes are answered from the last
    reading.

    Args:
        connection: the engine.
        port: on 127.0.0.1; 0 takes a free one.
        sleep: waits so many seconds.
        every: seconds between the beginnings of two readings.
    """
    served = _Served()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(served)
    try:
        server = make_server(HERE[0], port, partial(_for_this_machine, make_wsgi_app(registry)), ThreadingWSGIServer,
                             _QuietHandler)  # fmt: skip
    except OSError as problem:
        raise fail(f"cannot listen on {HERE[0]}:{port}: {problem.strerror}.") from None
    thread = Thread(target=server.serve_forever, daemon=True, name="metrics")
    thread.start()
    say(f"Serving http://{HERE[0]}:{server.server_port}/metrics")
    try:
        await _keep_reading(connection, served, sleep, every)
    except asyncio.CancelledError:
        return ExitCode.DONE  # SIGTERM, or ctrl+c
    finally:
        server.shutdown()
        server.server_close()
    return ExitCode.DONE


async def _keep_reading(connection: NamedEngine, served: _Served, sleep: Callable[[float], Any], every: float) -> None:
    said: list[str] = []
    while True:
        began = time.monotonic()
        try:
            async with _figures(connection) as figures:
                while True:
                    began = time.monotonic()
                    served.reading = await figures.read()
                    said = _say_new(said, [*served.reading.said, *filter(None, [served.reading.problem])])
                    await sleep(max(0.0, every - (time.monotonic() - began)))
        except EngineProblem as problem:  # it could not be opened
            served.reading = MetricsReading(connection.name, problem=problem.sentence)
            said = _say_new(said, [problem.sentence])
            await sleep(max(0.0, every - (time.monotonic() - began)))


def _say_new(before: list[str], now: list[str]) -> list[str]:
    for sentence in now:
        if sentence not in before:
            say(sentence)
    return now


class _Served(Collector):
    """Hands out the last reading; nothing before the first one has ended."""

    def __init__(self) -> None:
        self.reading: MetricsReading | None = None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self.reading.collect() if self.reading is not None else []


class _QuietHandler(WSGIRequestHandler):
    """Logs no request, and waits for none that does not come."""

    timeout = STALLED

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()


def _for_this_machine(app: Callable[..., Any], environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer GET to a name of this machine only: a web page could reach the port by a name of its own."""
    if environ.get("HTTP_HOST", HERE[0]).rpartition(":")[0] not in HERE and environ.get("HTTP_HOST") not in HERE:
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"This server answers to 127.0.0.1 and localhost only.\n"]
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        start("405 Method Not Allowed", [("Content-Type", "text/plain"), ("Allow", "GET, HEAD")])
        return [b"Read only.\n"]
    answer: Iterable[bytes] = app(environ, start)
    return answer
