"""Undo of a launch or a run: which units can get back what they had before, and which cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from retriage.console.batches.batch_end import CutShort, cut_short
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.one_by_one import MOST_A_SECOND
from retriage.console.launch.plan_by_ids import PlanByIds, PlanOneByOne
from retriage.console.operations.fix_and_retry import FIX_LEFT_ALONE
from retriage.console.operations.known import operation_of
from retriage.console.operations.local_variables import SetLocal
from retriage.console.operations.operation import Operation, WayBack
from retriage.console.operations.set_variables import LOCAL, SetVariables, by_batches
from retriage.console.operations.variable_values import hiders_of, written
from retriage.console.text.words import count, short, things
from retriage.store.contract.queries import BatchStatisticsQuery
from retriage.store.contract.records import FAILED_EXTERNAL_TASK

if TYPE_CHECKING:
    from retriage.console.session.connection import Connection
    from retriage.console.session.session import Session
    from retriage.store.journal import Launch, Run

UNTAKEN = frozenset({"preparing", "refused", "unsent", "not_carried_out"})
"""States of a launch that has changed nothing."""
RUN_ENDS = "The run ends: waves that were not sent are dropped."


@dataclass
class Undo:
    """What an undo would do.

    Attributes:
        kind: whether a launch or a run is undone.
        number: its number in the journal.
        operation: what is undone.
        back: what is done -> ids of the units that it is done to.
        left_alone: a key of :attr:`Operation.left_alone` -> number of units that keep what they have.
        batch_of: id of a unit that is set back -> the batch that had set it.
        now: id of a unit -> the retries that it has now.
        was: id of an instance that gets a request of its own -> what it had.
        ends: the run is not over: it has to be ended first, or somebody could go on with what was undone.
        why_not: one sentence where nothing can be set back now; empty where it can.
    """

    kind: Literal["launch", "run"]
    number: int
    operation: Operation
    back: dict[Operation, list[str]] = field(default_factory=dict)
    left_alone: Counter[str] = field(default_factory=Counter)
    batch_of: dict[str, str] = field(default_factory=dict)
    now: dict[str, int | None] = field(default_factory=dict)
    was: dict[str, str] = field(default_factory=dict)
    ends: bool = False
    why_not: str = ""

    @property
    def name(self) -> str:
        """What is undone, in words."""
        return f"{self.kind} {self.number}"

    @property
    def count(self) -> int:
        """Units that would be set back."""
        return sum(map(len, self.back.values()))

    @property
    def units(self) -> str:
        """Units that would be set back, in words: "3 tasks and 2 instances"."""
        units = {operation.unit: operation.units for operation in self.back}
        number = Counter({unit: sum(len(ids) for one, ids in self.back.items() if one.unit == unit) for unit in units})
        return " and ".join(units[unit](number[unit]) for unit in sorted(units, reverse=True))

    def take(self, way: WayBack, batch_id: str | None, kind: str = "") -> None:
        """What becomes of some more units, which this batch had set, where it is known.

        Args:
            way: what becomes of them.
            batch_id: the batch.
            kind: what the keys of those that are left alone begin with.
        """
        self.left_alone += Counter({f"{kind}{why}": number for why, number in way.left_alone.items()})
        self.now |= way.now
        for operation, ids in way.back.items():
            self.back.setdefault(operation, []).extend(ids)
            if batch_id is not None:
                self.batch_of |= dict.fromkeys(ids, batch_id)

    @property
    def parts(self) -> list[tuple[Operation, list[str]]]:
        """What is done to which units, in a fixed order: retries are lowered before variables are given back, batches
        come before single requests."""

        def place(part: tuple[Operation, list[str]]) -> tuple[str, bool, int, str]:
            return part[0].name, part[0].one_by_one, part[0].retries or 0, part[0].arguments

        return sorted(self.back.items(), key=place)

    @property
    def ways(self) -> list[tuple[Operation, int]]:
        """The same for the operator's eyes, with the number of units: former values of variables are named by none, so
        that all of them are one way."""
        found: dict[str, tuple[Operation, int]] = {}
        for operation, ids in self.parts:
            first, number = found.get(operation.gets_back, (operation, 0))
            found[operation.gets_back] = first, number + len(ids)
        return list(found.values())

    def launches(self) -> Iterator[DecidedLaunch]:
        """What is to be sent: one launch for each operation."""
        for operation, ids in self.parts:
            said = f"undo of {self.name}: {operation.units(len(ids))} {operation.back_aim}"
            now, sets = {id: self.now[id] for id in ids}, self.sets
            yield DecidedLaunch(
                PlanOneByOne(operation, now, said, self.was, sets)
                if isinstance(operation, SetVariables) and operation.gives_back and sets is not None
                else PlanByIds(operation, now, said),
                f"undo of {self.name}",
                undoes=self.number if self.kind == "launch" else None,
                undoes_run=self.number if self.kind == "run" else None,
            )

    @property
    def sets(self) -> SetVariables | None:
        """What set the variables that are given back; ``None`` where none were set."""
        return next((one for one in (self.operation, self.operation.fix) if isinstance(one, SetVariables)), None)

    @property
    def done_by(self) -> str:
        """By which requests it is done, as a sentence."""
        number = sum(len(ids) for operation, ids in self.back.items() if operation.one_by_one)
        each = " and ".join(sorted({one.unit for one in self.back if one.one_by_one}, reverse=True))
        batches = sum(not operation.one_by_one for operation in self.back)
        parts = [things(batches, "batch", "batches")] if batches else []
        if number:
            parts.append(f"{things(number, 'request')}, one for each {each}, at most {count(MOST_A_SECOND)} a second")
        return f"It is done by {' and '.join(parts)}."

    def left_alone_in_words(self) -> str:
        """How many units are left alone and why; empty if none are."""
        reasons = self.operation.left_alone.items()
        return "; ".join(f"{self.left_alone[why]:,} {said}" for why, said in reasons if self.left_alone[why])

    def sentences(self) -> list[str]:
        """What it means, for who is about to confirm it."""
        sentences = [operation.back_said(number) for operation, number in self.ways]
        sentences += [self.done_by, RUN_ENDS] if self.ends else [self.done_by]
        if any(operation.retries == 0 for operation in self.back):
            nobody = "no worker gets them" if self.operation.unit == "task" else "the job executor leaves them alone"
            sentences.append(f"With 0 retries {nobody}, and each gets an incident again.")
        left = self.left_alone_in_words()
        sentences.append(f"Left alone: {left}." if left else f"No {self.operation.unit} is left alone.")
        return sentences


async def undo_of_launch(session: Session, launch: Launch) -> Undo:
    """Compare the tasks of a launch as they were with what they are now.

    Raises:
        EngineProblem: the engine did not answer.
        SQLAlchemyError: the journal cannot be read.
    """
    undo = Undo("launch", launch.id, operation_of(launch))
    if undo.operation.no_way_back:
        undo.why_not = undo.operation.no_way_back
    elif launch.state in UNTAKEN:
        undo.why_not = "This launch has changed nothing."
    elif not launch.listed:
        undo.why_not = "What its tasks had before is not known: there were too many to be read."
    else:
        await _look_at_launches(session, undo, [launch])
    return undo


async def undo_of_run(session: Session, run: Run) -> Undo:
    """Compare the tasks of a run, which nobody drives, as they were with what they are now.

    Raises:
        EngineProblem: the engine did not answer.
        SQLAlchemyError: the journal cannot be read.
    """
    assert session.memory.journal is not None, "the run comes from the journal"
    undo = Undo("run", run.id, operation_of(run), ends=not run.over)
    if undo.operation.no_way_back:
        undo.why_not = undo.operation.no_way_back
    else:
        launches = await session.memory.journal.runs.launches(run.id)
        await _look_at_launches(session, undo, [one for one in launches if one.state not in UNTAKEN])
    return undo


async def _look_at_launches(session: Session, undo: Undo, launches: Sequence[Launch]) -> None:
    await session.connection.ask(lambda client: client.check_clock())
    for launch in launches:
        if launch.batch_id is not None and await _still_sets(session.connection, launch.batch_id):
            batch = short(launch.batch_id)
            undo.why_not = f"Batch {batch} still runs and would set them again: delete it first, or let it end."
            return
    for launch in launches:
        await _look_at(session, undo, launch)
    if (sets := undo.sets) is not None:
        await session.connection.learn_rights()
        if any(isinstance(one, SetVariables) for one in undo.back):
            _take_one_by_one(undo, sets, session.connection.rights.why_no_variables())
        else:
            # A console that was killed after its last request could not write down that it was through.
            assert session.memory.journal is not None, "the launches come from the journal"
            if await session.memory.journal.nothing_left(undo.kind, undo.number):
                session.news.publish("journal")
    if not undo.count:
        left = undo.left_alone_in_words()
        undo.why_not = f"Nothing can be restored: {left}." if left else "Nothing can be restored."


def _take_one_by_one(undo: Undo, sets: SetVariables, why_not: str) -> None:
    """Leave the most frequent former values to batches; the others, and variables that were absent, are given back by
    a request each, where this user may do that."""
    local = [one for one in undo.back.items() if isinstance(one[0], SetLocal)]
    ways = [one for one in undo.back.items() if isinstance(one[0], SetVariables) and one not in local]
    kept = by_batches({operation: len(ids) for operation, ids in ways if not operation.one_by_one})
    single = [id for operation, ids in ways if operation not in kept for id in ids]
    undo.back = {one: ids for one, ids in undo.back.items() if one in kept or not isinstance(one, SetVariables)}
    if single and why_not:
        undo.left_alone["forbidden" if sets is undo.operation else f"{FIX_LEFT_ALONE}forbidden"] += len(single)
        single = []
    if single:
        undo.back[SetVariables(gives_back=sets.variables)] = single
    for operation, ids in local:
        if why_not:
            undo.left_alone[f"{LOCAL}forbidden"] += len(ids)
        else:
            undo.back[operation], single = ids, [*single, *ids]
    undo.was = {id: undo.was[id] for id in single}


async def _still_sets(connection: Connection, batch_id: str) -> bool:
    query = BatchStatisticsQuery(batch_id=batch_id)
    for batch in await connection.ask(lambda client: client.batches(query, 0, 1)):
        # One whose jobs are all done is removed by its monitor job and sets nothing more.
        return batch.remaining_jobs > 0 or batch.completed_jobs < batch.total_jobs
    return False


async def _cut_short(session: Session, launch: Launch) -> CutShort | None:
    """How far its batch had come, where it was deleted before it was through; ``None`` where nothing says so."""
    batch_id = launch.batch_id
    if batch_id is None:
        return None
    of = operation_of(launch).incident_type or FAILED_EXTERNAL_TASK
    cut = await session.connection.ask(lambda client: cut_short(client, batch_id, of))
    if cut is None or cut.done is not None:
        return cut
    # No history tells: the last look at its wave may have found tasks that were not set.
    assert session.memory.journal is not None, "the launch comes from the journal"
    runs, number = session.memory.journal.runs, launch.run_id
    for wave in await runs.waves(number) if number is not None else ():
        if wave.wave == launch.wave and number is not None:
            unset = wave.counts.get("notSet", 0) - await runs.count_unsent(number, wave.wave)
            return cut if unset > 0 else None
    return None


async def _look_at(session: Session, undo: Undo, launch: Launch) -> None:
    assert session.memory.journal is not None, "the launch comes from the journal"
    done = operation_of(launch)
    local = done.name == SetLocal.name
    kind = LOCAL if local else "" if done.name == undo.operation.name else FIX_LEFT_ALONE
    left, was = dict.fromkeys(await session.memory.journal.set_back(launch.id), "undone"), dict[str, str]()
    cut, reached = await _cut_short(session, launch), set[str]()
    if launch.run_id is not None:
        async for some in session.memory.journal.runs.tasks(launch.run_id, launch.wave):
            left |= {task.task_id: "again" for task in some if done.gated and task.outcome in ("again", "new")}
            reached.update(task.task_id for task in some if not done.gated and task.outcome == "done")
            was |= {task.process_instance or task.task_id: task.was for task in some if task.was}
            was |= {id: written(had) for task in some if local for id, had in hiders_of(task.was).items()}
    async for whole in session.memory.journal.all_tasks(launch):
        piece = [task for task in whole if task.task_id not in left]
        undo.left_alone.update(f"{kind}{left[task.task_id]}" for task in whole if task.task_id in left)
        last = await session.memory.earlier([task.task_id for task in piece])
        later = {id for id, other in last.items() if other.launch_id > launch.id}
        way = await session.connection.ask(lambda client: done.way_back(client, piece, later, was))  # noqa: B023 - asked at once
        if cut is not None:
            way.only(cut.tasks | reached if cut.done else ())
        undo.take(way, launch.batch_id, kind)
        if isinstance(done, SetVariables):
            undo.was |= {id: was[id] for ids in way.back.values() for id in ids}
