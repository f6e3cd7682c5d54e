"""A run over failed jobs that a command began, on its page and in the journal."""

from retriage.console.screens.journal.detail import LaunchDetail
from retriage.console.screens.runs.screen import RunScreen
from tests.console.operations.test_retry_jobs import NUMBER, jobs, mend, run_over, yard
from tests.console.runs.a_run import Scene
from tests.console.screens.runs.a_run_on_screen import on_screen
from tests.console.settle import said_last

__all__ = ["yard"]


async def test_it_is_released_and_undone_by_keys_and_shown_in_the_journal(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone[1:])
    rests = everyone[-1]
    run = await run_over(yard, watch=1.0)
    await yard.http.put(f"/job/{rests}/suspended", json={"suspended": True})
    await yard.drive(run)
    async with on_screen(yard) as seen:
        await seen.press("6")
        await seen.sees("all of them")
        for key in ("Z", "R", "b"):
            before = seen.app.session.news.newest
            await seen.press(key)
            await seen.so(lambda: seen.app.session.news.newest is not before)  # noqa: B023 - asked at once
            assert f"Enter opens run {run}" in said_last(seen.app)
        await seen.press("enter")
        await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
        await seen.sees(
            "HELD",
            "1 of 4 decided jobs failed again",
            f"{NUMBER} jobs",
            "4 jobs to 1 as batch",
            f"written     {NUMBER} jobs",
        )
        await seen.order("R", "Wave 1 is let through", "8 jobs")
        await seen.so(lambda: jobs(yard) == {everyone[0]: 0, rests: 1})
        await seen.sees("FINISHED", "10 done, 1 failed again, 1 still open", "12 jobs")
        await seen.order(
            "Z", "1 job gets back 0 retries.", "the job executor leaves them alone", f"{NUMBER - 2} gone by now"
        )
        await seen.so(lambda: jobs(yard) == {everyone[0]: 0, rests: 0})
        await seen.press("escape", "k", "enter")
        await seen.so(lambda: isinstance(seen.app.screen, LaunchDetail))
        await seen.sees("1 job, retries before and now", rests[-9:])
        (row,) = [line for line in seen.text.splitlines() if rests[-9:] in line]
        assert "ended" not in row, "it is no external task, and is there"
        await seen.press("R")
        await seen.sees("Retry 1 job", "the jobs of launch", "0 is no number of retries")
