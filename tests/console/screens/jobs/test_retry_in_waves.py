"""Failed jobs retried in waves by keys: the dialog and its run. What was set is read from the store's file."""

import pytest

from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.incidents.screen import IncidentsScreen
from retriage.console.screens.jobs.detail import JobDetail
from retriage.console.screens.operations.dialog import OperationDialog
from retriage.console.screens.runs.screen import RunScreen
from tests.console.operations.test_retry_jobs import NUMBER, jobs, mend, yard
from tests.console.runs.a_run import Scene
from tests.console.screens.runs.a_run_on_screen import PROD, OnScreen, on_screen
from tests.console.settle import filter_by, loaded

__all__ = ["yard"]


def sizes(yard: Scene) -> list[int]:
    """Jobs of each batch that sets retries, the oldest first."""
    found = yard.sql("SELECT total_jobs FROM batch WHERE type = 'set-job-retries' ORDER BY start_time, id")
    return [int(number) for (number,) in found]


async def view(seen: OnScreen, key: str, name: str) -> None:
    await seen.press(key)
    await seen.so(lambda: seen.app.screen.VIEW == name and loaded(seen.app))  # type: ignore[attr-defined]


async def begun(seen: OnScreen) -> None:
    await seen.press("L")
    await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)


def write(found: OperationDialog, field: str, text: str) -> None:
    found.query_one(f"#{field}", Field).value = text


async def test_all_that_match_are_retried_in_waves_and_held_by_the_gate(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await yard.http.put(f"/job/{everyone[-1]}/retries", json={"retries": 2})
    await yard.http.put(f"/job/{everyone[-1]}/suspended", json={"suspended": True})
    async with on_screen(yard) as seen:
        await view(seen, "5", "jobs")
        await seen.press("A")
        found = await seen.operation("R")
        await seen.sees(
            "Retry 11 jobs", "11  without retries", "2 waves: 10 + 1", "EVERY failed job", "POST /job/retries"
        )
        assert sorted(found.preparation.frozen.tasks[n].task_id for n in range(11)) == sorted(everyone[:-1])  # type: ignore[union-attr]
        await seen.press("L")
        await seen.sees("Press E if that is meant")
        assert sizes(yard) == []
        await seen.press("E")
        write(found, "waves", "4, rest")
        write(found, "retries", "3")
        await seen.sees("2 waves: 4 + 7", '"retries": 3', "--retries 3 --jobs '' --gate 5%", "--waves 4,rest")
        await seen.so(lambda: not found.preparation.why_not("", "") and found.delay.over)
        await seen.press("L")
        await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
        await seen.sees("HELD", "4 of 4 decided jobs failed again")
        assert (sizes(yard), jobs(yard)) == ([4], dict.fromkeys(everyone[:-1], 0) | {everyone[-1]: 2})
        given = yard.remembered("SELECT operation, retries, tasks FROM launch")
        assert given == [("retry-jobs", 3, 4)]


async def test_marked_jobs_are_retried_and_those_with_retries_left_are_named(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    async with on_screen(yard) as seen:
        await view(seen, "5", "jobs")
        await seen.press("space", "space", "space")
        marked = set(seen.app.screen.table.marks.ids)  # type: ignore[attr-defined]
        other = min(marked)
        await yard.http.put(f"/job/{other}/suspended", json={"suspended": True})
        await yard.http.put(f"/job/{other}/retries", json={"retries": 2})
        found = await seen.operation("R")
        await seen.sees("Retry 2 jobs", "3 marked jobs", "1  with retries left", "--do retry-jobs", "--ids ids.txt")
        write(found, "retries", "0")
        await seen.sees("gets 1 retry or more")
        assert found.preparation.why_not("", "")
        write(found, "retries", "1")
        await seen.so(lambda: not found.preparation.why_not("", "") and found.delay.over)
        await begun(seen)
        await seen.sees("PASSED", "2 done")
        assert set(jobs(yard)) == {*everyone} - marked | {other}
        await seen.press("escape")
        await seen.so(lambda: not seen.app.screen.table.marks)  # type: ignore[attr-defined]


async def test_the_job_under_the_cursor_and_the_one_of_the_page_are_retried(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    async with on_screen(yard) as seen:
        await view(seen, "5", "jobs")
        first = seen.app.screen.table.row.id  # type: ignore[attr-defined]
        await seen.operation("R")
        await seen.sees("Retry 1 job", "1 wave: 1")
        await begun(seen)
        await seen.sees("PASSED")
        assert set(jobs(yard)) == {*everyone} - {first}
        await seen.press("escape", "r")
        await seen.so(lambda: getattr(seen.app.screen, "VIEW", "") == "jobs" and seen.app.screen.table.row.id != first)  # type: ignore[attr-defined]
        await seen.press("enter")
        await seen.so(lambda: isinstance(seen.app.screen, JobDetail))
        second = seen.app.screen.job().id  # type: ignore[attr-defined]
        await seen.operation("R")
        await begun(seen)
        await seen.sees("PASSED")
        assert set(jobs(yard)) == {*everyone} - {first, second}


async def test_the_command_names_what_is_filtered_and_an_engine_in_production_wants_the_number(yard: Scene) -> None:
    everyone = list(jobs(yard))
    async with on_screen(yard, PROD) as seen:
        await view(seen, "5", "jobs")
        await filter_by(seen.app, seen.pilot, "process:judged")
        await seen.so(lambda: loaded(seen.app))
        await seen.press("A")
        found = await seen.operation("R")
        await seen.sees("12  jobs in the run", "--jobs process:judged", "--count 12")
        assert found.preparation.why_not("", "")
        seen.app.session.connection.safety.arm()
        assert "reason" in found.preparation.why_not("", "")
        assert "number of jobs" in found.preparation.why_not("INC-1", "")
        await seen.press("escape")
        assert jobs(yard) == dict.fromkeys(everyone, 0)


@pytest.mark.parametrize("members", [False, True])
async def test_jobs_are_retried_from_their_incidents(yard: Scene, members: bool) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    async with on_screen(yard) as seen:
        await view(seen, "2", "incidents")
        await seen.so(lambda: isinstance(seen.app.screen, IncidentsScreen) and seen.app.screen.table.row is not None)
        if members:
            await seen.press("enter")
            await seen.so(lambda: "Members of" in str(seen.app.screen.table.border_title) and loaded(seen.app))  # type: ignore[attr-defined]
            await seen.press("space", "space")
        taken = 2 if members else NUMBER
        await seen.operation("R")
        await seen.sees(f"Retry {taken} jobs", f"{taken}  without retries")
        await begun(seen)
        await seen.sees("PASSED", f"{taken} done")
        assert len(jobs(yard)) == NUMBER - taken
