"""Runs in the journal: each step is written down before it is taken, and only by whoever drives the run."""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, insert, literal_column, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.database.engine import Database
from retriage.store.journal import launching, run_file
from retriage.store.journal.reading import TAKEN, launches_of_run, undos_of_run
from retriage.store.journal.records import Launch
from retriage.store.journal.run_drivers import LEASE, check_driver, check_unwatched
from retriage.store.journal.run_records import (
    OVER,
    FrozenTask,
    NewRun,
    NotYours,
    Run,
    RunCause,
    RunState,
    RunStep,
    RunTask,
    RunWave,
    WaveState,
)
from retriage.store.journal.tables import (
    LaunchRow,
    LaunchTaskRow,
    RunCauseRow,
    RunRow,
    RunStepRow,
    RunTaskRow,
    RunWaveRow,
)
from retriage.store.tables.types import col

PIECE = 1000
"""Tasks that one transaction writes, or one question reads."""
_RUN_FIELDS = tuple(Run.__dataclass_fields__)


class Runs:
    """The runs of a journal.

    Methods with a ``driver`` raise NotYours, and change nothing, where the run is driven by another by now. Every
    method may raise ``sqlalchemy.exc.SQLAlchemyError`` when the file cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- a run is frozen --------------------------------------------------------------------------------------------

    async def begin(
        self,
        run: NewRun,
        driver: str,
        waves: Iterable[tuple[int, Iterable[FrozenTask]]],
        causes: Iterable[RunCause] = (),
    ) -> int:
        """Write a run down with its tasks, in pieces; returns its number. Its other part is written down before it.

        Args:
            run: the run.
            driver: who drives it.
            waves: number of each wave, from 1, and its tasks.
            causes: why they had failed.
        """
        async with self._database.writing() as connection:
            made = await connection.execute(
                insert(RunRow).values(
                    **asdict(run), began_at=now(), state="preparing", driver=driver, driven_until=now() + LEASE
                )
            )
            run_id = int(made.inserted_primary_key[0])  # type: ignore[index]
            if (other := run.other_part) is not None:
                await connection.execute(update(RunRow).where(col(RunRow.id) == other).values(other_part=run_id))
            if why := [{"run_id": run_id, **cause._asdict()} for cause in causes]:
                await connection.execute(insert(RunCauseRow), why)
        ordinal = 0
        for wave, tasks in waves:
            rest = iter(tasks)
            while piece := list(islice(rest, PIECE)):
                rows = [
                    {"run_id": run_id, "ordinal": at, "wave": wave, **task._asdict()}
                    for at, task in enumerate(piece, ordinal)
                ]
                async with self._database.writing() as connection:
                    await connection.execute(insert(RunTaskRow), rows)
                    await self._change(connection, run_id, driver, driven_until=now() + LEASE)
                ordinal += len(piece)
            async with self._database.writing() as connection:
                await connection.execute(insert(RunWaveRow).values(run_id=run_id, wave=wave, state="planned"))
        async with self._database.writing() as connection:
            await self._change(connection, run_id, driver, listed=ordinal, state="running", driven_until=now() + LEASE)
            unit = {"retry": "task", "retry-jobs": "job"}.get(run.operation, "instance")
            await _step(connection, run_id, None, "begin", f"{ordinal:,} {unit}{'' if ordinal == 1 else 's'}")
        return run_id

    # -- who drives -------------------------------------------------------------------------------------------------

    async def take(self, run_id: int, driver: str, dead: str = "") -> Run:
        """Drive a run from now on.

        Args:
            run_id: the run.
            driver: who wants to drive it.
            dead: a driver that is known to be gone, whose time need not be waited for.

        Raises:
            NotYours: somebody else drives it.
        """
        at = now()
        mine = col(RunRow.driver).in_(("", driver, dead))
        free = mine | col(RunRow.driven_until).is_(None) | (col(RunRow.driven_until) < at)
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(RunRow)
                .where(col(RunRow.id) == run_id, free)
                .values(driver=driver, driven_until=at + LEASE, wish="")
            )
            if not changed.rowcount:
                raise NotYours
            await launching.taken_over(connection, run_id)
            await _step(connection, run_id, None, "take", driver)
            return await _run(connection, run_id)

    async def renew(self, run_id: int, driver: str) -> str:
        """Go on driving it; answers what was asked of its driver since, and takes note of it.

        Raises:
            NotYours: somebody else drives it by now.
        """
        async with self._database.writing() as connection:
            run = await _run(connection, run_id)
            await self._change(connection, run_id, driver, driven_until=now() + LEASE, wish="")
            return run.wish

    async def leave(self, run_id: int, driver: str) -> None:
        """Drive it no more."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(RunRow)
                .where(col(RunRow.id) == run_id, col(RunRow.driver) == driver)
                .values(driver="", driven_until=None)
            )

    async def wish(self, run_id: int, wish: str) -> bool:
        """Ask something of whoever drives it; answers whether anybody does."""
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(RunRow)
                .where(col(RunRow.id) == run_id, col(RunRow.driver) != "", col(RunRow.driven_until) >= now())
                .values(wish=wish)
            )
            return changed.rowcount > 0

    # -- steps ------------------------------------------------------------------------------------------------------

    async def state(
        self, run_id: int, driver: str, state: RunState, cause: str = "", said: str = "", *, at: datetime | None = None
    ) -> None:
        """The run is held, goes on, or has ended (``at`` then)."""
        async with self._database.writing() as connection:
            await self._change(connection, run_id, driver, state=state, cause=cause, said=said, ended_at=at)
            await _step(connection, run_id, None, state, said)

    async def wave(
        self, run_id: int, driver: str, wave: int, state: WaveState, said: str = "", **values: object
    ) -> None:
        """A wave is taken a step further; ``values`` are further columns of it."""
        times: dict[str, object] = {"began_at": now()} if state == "sending" else {}
        if state in OVER:
            times["ended_at"] = now()
        async with self._database.writing() as connection:
            await check_driver(connection, run_id, driver)
            await connection.execute(
                update(RunWaveRow).where(*_of(RunWaveRow, run_id, wave)).values(state=state, **times | values)
            )
            await _step(connection, run_id, wave, state, said)

    async def note(
        self,
        run_id: int,
        driver: str | None,
        wave: int,
        counts: Mapping[str, int],
        watched: float | None,
        outcomes: Mapping[int, str],
        at: datetime | None = None,
    ) -> None:
        """What has become of the tasks of a wave: in numbers, and by ordinal for those decided since.

        Args:
            run_id: the run.
            driver: who drives it; ``None`` for somebody who only follows a wave that no driver counts.
            wave: the wave.
            counts: its tasks by state.
            watched: seconds of its watch that have passed; ``None`` leaves them as they are.
            outcomes: ordinal -> what its retry came to.
            at: every task that may still change was looked at since; now if that is not given.
        """
        values = {} if watched is None else {"watched": watched}
        decided = list(outcomes.items())
        for first in range(0, max(len(decided), 1), PIECE):
            async with self._database.writing() as connection:
                if driver is None:
                    await check_unwatched(connection, run_id, wave)
                else:
                    await check_driver(connection, run_id, driver)
                by_outcome: dict[str, list[int]] = {}
                for ordinal, outcome in decided[first : first + PIECE]:
                    by_outcome.setdefault(outcome, []).append(ordinal)
                for outcome, ordinals in by_outcome.items():
                    await connection.execute(
                        update(RunTaskRow)
                        .where(col(RunTaskRow.run_id) == run_id, col(RunTaskRow.ordinal).in_(ordinals))
                        .values(outcome=outcome)
                    )
                await connection.execute(
                    update(RunWaveRow)
                    .where(*_of(RunWaveRow, run_id, wave))
                    .values(counts=json.dumps(dict(counts)), counted_at=at or now(), **values)
                )

    async def remark(self, run_id: int, wave: int, what: str, said: str, about: str) -> bool:
        """Write down a step of a wave that no driver counts; answers whether no step that begins with the words
        ``about`` was written yet: consoles know more or less of the same."""
        async with self._database.writing() as connection:
            await check_unwatched(connection, run_id, wave)
            same = [col(RunStepRow.run_id) == run_id, col(RunStepRow.said).startswith(about, autoescape=True)]
            known = (await connection.execute(select(col(RunStepRow.id)).where(*same))).first() is not None
            if not known:
                await _step(connection, run_id, wave, what, said)
            return not known

    async def leave_out(self, run_id: int, driver: str, why: Mapping[int, str]) -> None:
        """These tasks, by ordinal, are not sent."""
        reasons: dict[str, list[int]] = {}
        for ordinal, reason in why.items():
            reasons.setdefault(reason, []).append(ordinal)
        for reason, ordinals in reasons.items():
            for first in range(0, len(ordinals), PIECE):
                async with self._database.writing() as connection:
                    await check_driver(connection, run_id, driver)
                    some = ordinals[first : first + PIECE]
                    await connection.execute(
                        update(RunTaskRow)
                        .where(col(RunTaskRow.run_id) == run_id, col(RunTaskRow.ordinal).in_(some))
                        .values(left_out=reason)
                    )

    async def drop_rest(self, run_id: int, driver: str) -> None:
        """What has not begun is never sent, and a wave at work sends no more."""
        async with self._database.writing() as connection:
            await check_driver(connection, run_id, driver)
            for before, after in (("planned", "dropped"), ("sending", "stopped"), ("watching", "stopped")):
                await connection.execute(
                    update(RunWaveRow)
                    .where(col(RunWaveRow.run_id) == run_id, col(RunWaveRow.state) == before)
                    .values(state=after, ended_at=now())
                )
            await _step(connection, run_id, None, "drop")

    async def change(self, run_id: int, driver: str, sizes: Sequence[int] | None, **settings: object) -> None:
        """Change what has not begun.

        Args:
            run_id: the run.
            driver: who drives it.
            sizes: tasks of each wave from the first one that has not begun on; together as many as those have.
                ``None`` leaves the waves as they are.
            settings: columns of the run.
        """
        async with self._database.writing() as connection:
            await self._change(connection, run_id, driver, **(settings or {"wish": ""}))
            await _step(connection, run_id, None, "change", json.dumps({"waves": sizes, **settings}))
            if sizes is None:
                return
            planned = col(RunWaveRow.run_id) == run_id, col(RunWaveRow.state) == "planned"
            numbers = list(
                (await connection.execute(select(col(RunWaveRow.wave)).where(*planned).order_by("wave"))).scalars()
            )
            if not numbers:
                return
            first = await connection.execute(
                select(func.min(col(RunTaskRow.ordinal))).where(
                    col(RunTaskRow.run_id) == run_id, col(RunTaskRow.wave) >= numbers[0]
                )
            )
            ordinal = int(first.scalar_one())
            await connection.execute(RunWaveRow.__table__.delete().where(*planned))  # type: ignore[attr-defined]
            for wave, size in enumerate(sizes, numbers[0]):
                await connection.execute(insert(RunWaveRow).values(run_id=run_id, wave=wave, state="planned"))
                await connection.execute(
                    update(RunTaskRow)
                    .where(
                        col(RunTaskRow.run_id) == run_id,
                        col(RunTaskRow.ordinal) >= ordinal,
                        col(RunTaskRow.ordinal) < ordinal + size,
                    )
                    .values(wave=wave)
                )
                ordinal += size

    # -- and read again ---------------------------------------------------------------------------------------------

    async def run(self, run_id: int) -> Run | None:
        """One run."""
        async with self._database.reading() as connection:
            return await _found(connection, run_id)

    async def runs(self, engine: str | None = None, limit: int = 100) -> list[Run]:
        """Runs, the newest first; of one engine, or of all."""
        wanted = _runs().order_by(col(RunRow.id).desc()).limit(limit)
        if engine is not None:
            wanted = wanted.where(col(RunRow.engine) == engine)
        async with self._database.reading() as connection:
            return [Run(**row._mapping) for row in await connection.execute(wanted)]

    async def with_waves(self, engine: str, limit: int = 100) -> list[tuple[Run, list[RunWave]]]:
        """Runs of an engine, the newest first, with what is written down of their waves; tasks are not counted."""
        return await self._with_waves(await self.runs(engine, limit))

    async def over_causes(
        self, engine: str, causes: Collection[tuple[str, str]], limit: int
    ) -> list[tuple[Run, list[RunWave]]]:
        """Runs of an engine over tasks that had failed of one of these causes, the newest first, with their waves.

        Args:
            engine: stable name of the engine.
            causes: topics with error messages folded to their causes; a hundred at most.
            limit: so many runs at most.
        """
        same = tuple_(col(RunCauseRow.topic), col(RunCauseRow.cause)).in_(list(causes))
        over = select(col(RunCauseRow.run_id)).where(same)
        wanted = _runs().where(col(RunRow.engine) == engine, col(RunRow.id).in_(over), col(RunRow.listed).is_not(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(wanted.order_by(col(RunRow.id).desc()).limit(limit))
            runs = [Run(**row._mapping) for row in rows]
        return await self._with_waves(runs)

    async def causes(self, run_id: int) -> list[RunCause]:
        """Why the tasks of a run had failed, that of most tasks first."""
        cause = RunCauseRow
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(col(cause.topic), col(cause.cause), col(cause.tasks))
                .where(col(cause.run_id) == run_id)
                .order_by(col(cause.tasks).desc(), col(cause.cause))
            )
            return [RunCause(*row) for row in rows]

    def lines_of(self, run_id: int, name: str) -> AsyncIterator[str]:
        """A run as the lines of a file, for a colleague's machine.

        Args:
            run_id: the run.
            name: a name that no other file has.
        """
        return run_file.lines_of(self._database, run_id, name)

    async def take_over(self, lines: Iterable[str], engine: str | None = None, *, as_it_was: bool = False) -> int:
        """Write the run of a file down, held; answers its number here.

        Args:
            lines: of the file.
            engine: what the engine is called here; none keeps the name in the file.
            as_it_was: with its number and its state, in a journal that has no other run of that number.

        Raises:
            NoRunFile: it is no such file, is broken, or was taken over already.
        """
        return await run_file.take_over(self._database, lines, engine, as_it_was)

    async def _with_waves(self, runs: Sequence[Run]) -> list[tuple[Run, list[RunWave]]]:
        wave = RunWaveRow
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(wave.__table__)  # type: ignore[attr-defined]
                .where(col(wave.run_id).in_([run.id for run in runs]))
                .order_by(col(wave.run_id), col(wave.wave))
            )
            by_run: dict[int, list[RunWave]] = {}
            for row in rows:
                counts = json.loads(row.counts) if row.counts else {}
                times = row.began_at, row.ended_at, row.watched
                one = RunWave(row.wave, row.state, *times, counts, counted_at=row.counted_at)
                by_run.setdefault(row.run_id, []).append(one)
        return [(run, by_run.get(run.id, [])) for run in runs]

    async def waves(self, run_id: int) -> list[RunWave]:
        """The waves of a run, in their order."""
        task = RunTaskRow
        async with self._database.reading() as connection:
            rows = list(
                await connection.execute(
                    select(RunWaveRow.__table__)  # type: ignore[attr-defined]
                    .where(col(RunWaveRow.run_id) == run_id)
                    .order_by(col(RunWaveRow.wave))
                )
            )
            counted = await connection.execute(
                select(col(task.wave), func.count()).where(col(task.run_id) == run_id).group_by(col(task.wave))
            )
            totals: dict[int, int] = {row[0]: row[1] for row in counted}
            # Written out, not bound: SQLite takes the index of those that were left out only where it can be proven.
            some = col(task.left_out) != literal_column("''")
            left_out: dict[int, dict[str, int]] = {}
            for wave, why, number in await connection.execute(
                select(col(task.wave), col(task.left_out), func.count())
                .where(col(task.run_id) == run_id, some)
                .group_by(col(task.wave), col(task.left_out))
            ):
                left_out.setdefault(wave, {})[why] = number
        return [
            RunWave(
                row.wave, row.state, row.began_at, row.ended_at, row.watched,
                json.loads(row.counts) if row.counts else {},
                totals.get(row.wave, 0),
                left_out.get(row.wave, {}),
                row.counted_at,
            )
            for row in rows
        ]  # fmt: skip

    async def steps(self, run_id: int) -> list[RunStep]:
        """The steps of a run, the oldest first."""
        step = RunStepRow
        columns = (col(step.id), col(step.wave), col(step.at), col(step.what), col(step.said))
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*columns).where(col(step.run_id) == run_id).order_by(col(step.id)))
            return [RunStep(*row) for row in rows]  # type: ignore[arg-type]

    async def unsent(self, run_id: int, wave: int, limit: int) -> list[RunTask]:
        """Tasks of a wave that are to be sent still: not left out, and in no launch of the run that has changed its
        tasks, or may have. What a launch that is proven not to have been carried out had is among them again."""
        async with self._database.reading() as connection:
            wanted = _tasks(run_id, wave).where(*_unsent(run_id)).order_by(col(RunTaskRow.ordinal))
            return [RunTask(*row) for row in await connection.execute(wanted.limit(limit))]

    async def count_unsent(self, run_id: int, wave: int) -> int:
        """How many those are."""
        async with self._database.reading() as connection:
            wanted = select(func.count()).where(*_of(RunTaskRow, run_id, wave), *_unsent(run_id))
            return int((await connection.execute(wanted)).scalar_one())

    async def launches(self, run_id: int, wave: int | None = None) -> list[Launch]:
        """The launches of a run, or of one of its waves, the oldest first."""
        async with self._database.reading() as connection:
            return await launches_of_run(connection, run_id, wave)

    async def undos(self, run_id: int) -> list[Launch]:
        """The launches that set the run back, the oldest first."""
        async with self._database.reading() as connection:
            return await undos_of_run(connection, run_id)

    async def tasks(self, run_id: int, wave: int | None = None) -> AsyncIterator[list[RunTask]]:
        """The tasks of a run or a wave, in pieces and in their order."""
        after = -1
        while True:
            async with self._database.reading() as connection:
                rows = await connection.execute(
                    _tasks(run_id, wave)
                    .where(col(RunTaskRow.ordinal) > after)
                    .order_by(col(RunTaskRow.ordinal))
                    .limit(PIECE)
                )
                piece = [RunTask(*row) for row in rows]
            if not piece:
                return
            yield piece
            after = piece[-1].ordinal

    # -- helpers ----------------------------------------------------------------------------------------------------

    async def _change(self, connection: AsyncConnection, run_id: int, driver: str, **values: object) -> None:
        changed = await connection.execute(
            update(RunRow).where(col(RunRow.id) == run_id, col(RunRow.driver) == driver).values(**values)
        )
        if not changed.rowcount:
            raise NotYours


async def _step(connection: AsyncConnection, run_id: int, wave: int | None, what: str, said: str = "") -> None:
    await connection.execute(insert(RunStepRow).values(run_id=run_id, wave=wave, at=now(), what=what, said=said))


def _runs() -> "Select[Any]":
    return select(*(col(getattr(RunRow, name)) for name in _RUN_FIELDS))


async def _found(connection: AsyncConnection, run_id: int) -> Run | None:
    row = (await connection.execute(_runs().where(col(RunRow.id) == run_id))).first()
    return Run(**row._mapping) if row else None


async def _run(connection: AsyncConnection, run_id: int) -> Run:
    run = await _found(connection, run_id)
    if run is None:
        raise NotYours
    return run


def _of(table: Any, run_id: int, wave: int | None) -> list[ColumnElement[bool]]:
    both = [col(table.run_id) == run_id]
    return both if wave is None else [*both, col(table.wave) == wave]


def _tasks(run_id: int, wave: int | None) -> "Select[Any]":
    return select(*(col(getattr(RunTaskRow, name)) for name in RunTask._fields)).where(*_of(RunTaskRow, run_id, wave))


def _unsent(run_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    sent = exists(
        select(col(LaunchTaskRow.task_id))
        .join(LaunchRow, col(LaunchRow.id) == col(LaunchTaskRow.launch_id))
        .where(
            col(LaunchTaskRow.task_id) == col(RunTaskRow.task_id),
            col(LaunchRow.run_id) == run_id,
            col(LaunchRow.state).in_(TAKEN),
        )
    )
    return col(RunTaskRow.left_out) == "", ~sent
