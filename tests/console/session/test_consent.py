"""What an operator has consented to beforehand goes on when the safety is back; nothing else gets anything from it."""

import asyncio

from retriage.console.session.safety import Safety


async def test_only_the_task_that_was_consented_to_may_order() -> None:
    safety, other, inside, leave = Safety("PROD"), Safety("PROD"), asyncio.Event(), asyncio.Event()

    async def work() -> str:
        with safety.consented():
            inside.set()
            await leave.wait()
            assert other.why_not(), "it holds for another engine"
            return safety.why_not()

    task = asyncio.create_task(work())
    await inside.wait()
    assert safety.why_not().startswith("SAFE")
    leave.set()
    assert await task == ""
    assert safety.why_not().startswith("SAFE")


async def test_a_connection_that_is_read_only_stays_so() -> None:
    safety = Safety("DEV", readonly=True)
    with safety.consented():
        assert "read-only" in safety.why_not()
