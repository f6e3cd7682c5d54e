"""Groups of incidents of tasks and of jobs retried together by keys: a run of two parts. What was set is read from the
store's file, what is known of it from the journal's."""

from typing import Any

from retriage.console.runs.report import report
from retriage.console.runs.run_view import read_records
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.incidents.screen import IncidentsScreen
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.runs.screen import RunScreen
from retriage.store.database.clock import now
from tests.console.operations.test_retry_jobs import DONE, NUMBER, jobs, log_of, mend, yard
from tests.console.runs.a_run import Scene
from tests.console.screens.runs.a_run_on_screen import PROD, OnScreen, on_screen
from tests.console.settle import loaded

__all__ = ["yard"]

TASKS = 3


def tasks(yard: Scene) -> list[int | None]:
    """Retries of the tasks that had failed: those behind the jobs have none."""
    return [retries for (retries,) in yard.sql("SELECT retries FROM external_task WHERE retries IS NOT NULL")]


def batches(yard: Scene, type: str) -> list[int]:
    """Jobs of each batch of a type, the oldest first."""
    asked = "SELECT total_jobs FROM batch WHERE type = ? ORDER BY start_time, id"
    return [int(number) for (number,) in yard.sql(asked, type)]


def runs(yard: Scene) -> list[Any]:
    return yard.remembered("SELECT id, operation, retries, part, other_part, state FROM run ORDER BY id")


async def dialog(seen: OnScreen) -> LaunchDialog:
    """Both groups are marked and retried."""
    await seen.press("2")
    await seen.so(lambda: isinstance(seen.app.screen, IncidentsScreen) and loaded(seen.app))
    await seen.sees("groups")
    await seen.press("space", "space", "R")
    await seen.so(lambda: isinstance(seen.app.screen, LaunchDialog))
    found = seen.app.screen
    assert isinstance(found, LaunchDialog)
    await seen.so(lambda: found.preparation.complete and found.jobs is not None and found.jobs.to_be_read is not None)
    return found


async def begun(seen: OnScreen, found: LaunchDialog) -> None:
    await seen.so(lambda: found.delay.over and not found.why_not())
    await seen.press("L")
    await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)


async def both(yard: Scene) -> None:
    """Failed tasks beside the failed jobs, which fail no more."""
    await yard.outage(TASKS)
    assert tasks(yard) == [0] * TASKS
    await mend(yard, *jobs(yard))


async def test_one_confirmation_retries_tasks_and_jobs_at_once(yard: Scene) -> None:
    await both(yard)
    everyone = list(jobs(yard))
    async with on_screen(yard) as seen:
        found = await dialog(seen)
        await seen.sees(
            "Retry 3 tasks and 12 jobs", "12  jobs without retries", "a run of two parts",
            "1 wave: 3; jobs, 1 wave: 12", "POST /job/retries", "attempts each task and job is given",
        )  # fmt: skip
        await seen.press("2")
        await begun(seen, found)
        await seen.so(lambda: len(runs(yard)) == 2 and runs(yard)[1][5] == "passed")
        await seen.so(lambda: tasks(yard) == [2] * TASKS)
        assert (jobs(yard), log_of(yard, DONE)) == ({}, dict.fromkeys(everyone, 1))
        first, second = runs(yard)
        assert first == (1, "retry", 2, 1, 2, "running"), "nobody works on the tasks"
        assert second == (2, "retry-jobs", 2, 2, 1, "passed")
        await seen.sees("RUN 1", "Part 1 of 2. Part 2, run 2: 12 jobs, passed.", "part 1 of 2, tasks")
        await seen.press("escape")
        await seen.so(lambda: isinstance(seen.app.screen, IncidentsScreen) and not seen.app.screen.table.marks)


async def test_the_parts_go_on_in_the_same_waves_and_each_is_held_by_its_own_gate(yard: Scene) -> None:
    await both(yard)
    yard.works, yard.fail_all = True, "HTTP 503 from psp"
    async with on_screen(yard) as seen:
        found = await dialog(seen)
        await seen.press("W")
        found.query_one("#waves", Field).value = "2, rest"
        await seen.sees("2 waves: 2 + 1; jobs, 2 waves: 2 + 10")
        await begun(seen, found)
        await seen.so(lambda: [one[5] for one in runs(yard)] == ["held", "passed"])
        assert batches(yard, "set-external-task-retries") == [2]
        assert batches(yard, "set-job-retries") == [2, 10]
        assert (tasks(yard), jobs(yard)) == ([0] * TASKS, {})
        await seen.sees("RUN 1", "HELD", "Part 1 of 2. Part 2, run 2: 12 jobs, passed.")
        records = await read_records(yard.journal.runs, 2)
        assert records is not None
        assert records.other_said == "Part 2 of 2. Part 1, run 1: 3 tasks, held at wave 1 of 2."
        assert f"- {records.other_said}" in report(records, now())


async def test_at_80x24_both_parts_are_seen_and_production_wants_the_number_of_both(yard: Scene) -> None:
    await both(yard)
    async with on_screen(yard, PROD, size=(80, 24)) as seen:
        found = await dialog(seen)
        seen.app.session.connection.safety.arm()
        await seen.sees("Retry 3 tasks and 12 jobs", "15  3 tasks and 12 jobs: a run of two parts", "type 15 to launch")
        found.query_one("#reason", Field).value = "INC-1"
        found.query_one("#count", Field).value = "3"
        assert found.why_not() == "Type the number of tasks and jobs together, 15, to launch on PROD."
        found.query_one("#count", Field).value = "15"
        await begun(seen, found)
        await seen.so(lambda: len(runs(yard)) == 2 and runs(yard)[1][5] == "passed")
        await seen.sees("Part 1 of 2. Part 2, run 2: 12 jobs, passed.")
        assert (jobs(yard), set(tasks(yard))) == ({}, {1})


async def test_jobs_that_are_gone_leave_a_run_of_the_tasks_alone(yard: Scene) -> None:
    await both(yard)
    async with on_screen(yard) as seen:
        found = await dialog(seen)
        for job in jobs(yard):
            await yard.http.put(f"/job/{job}/retries", json={"retries": 1})
        await seen.so(lambda: not jobs(yard))
        await seen.press("F")
        await seen.sees("None of the jobs can be retried any more", "Retry 3 tasks ")
        await begun(seen, found)
        await seen.so(lambda: tasks(yard) == [1] * TASKS)
        assert [one[1:5] for one in runs(yard)] == [("retry", 1, 0, None)]
        assert len(log_of(yard, DONE)) == NUMBER


async def test_no_part_begins_where_the_other_cannot(yard: Scene) -> None:
    await both(yard)
    async with on_screen(yard) as seen:
        found = await dialog(seen)
        await seen.press("0")
        await seen.sees("Jobs: 0 is no number of retries")
        assert found.why_not().startswith("Jobs: 0 is no number")
        await seen.press("1")
        await seen.so(lambda: found.delay.over and not found.why_not())
        for (task,) in yard.sql("SELECT id FROM external_task"):
            await yard.http.put(f"/external-task/{task}/retries", json={"retries": 4})
        await seen.press("L")
        await seen.sees("Not begun", "Neither part has begun.")
        assert (runs(yard), tasks(yard), set(jobs(yard).values())) == ([], [4] * TASKS, {0})
