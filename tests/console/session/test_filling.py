"""While the world of a demo is written, what is read of it is a part: it is read again, and nothing is changed."""

import asyncio
from typing import Any

from retriage.console.actions import at
from retriage.console.app import RetriageApp
from retriage.console.engine.target import Demo
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.watch import FILLED_EVERY
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import lines, loaded, until


class Pace:
    """A pace that can be turned."""

    factor = 1.0

    def faster(self) -> float:
        """Twice as fast."""
        self.factor *= 2
        return self.factor

    def slower(self) -> float:
        """Half as fast."""
        self.factor /= 2
        return self.factor


async def test_a_world_that_is_written_is_counted_again_and_changed_only_when_it_is_whole() -> None:
    demo = Demo(tasks=300)
    demo.handle.wrote(100)
    engine = FakeEngine(100)
    app = RetriageApp(connecting(engine), ConnectionIdentity("DEMO"), demo=demo)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app) and "writing this world: 100 of 300 tasks" in lines(app)[2])
        await pilot.press("R")
        await until(pilot, lambda: "still being written" in "\n".join(lines(app)))
        screen: Any = app.screen
        demo.handle.indexed(2, 12)
        await until(pilot, lambda: "writing this world: sorting index 3 of 12" in lines(app)[2])
        engine.total = 300
        demo.handle.wrote(300)
        await until(pilot, lambda: "[1 Tasks 300]" in lines(app)[1] and "writing" not in lines(app)[2])
        await until(pilot, lambda: screen._whole)


async def test_a_world_that_is_whole_while_the_console_is_paused_is_read_when_it_goes_on() -> None:
    demo = Demo(tasks=300)
    demo.handle.wrote(100)
    engine = FakeEngine(100)
    app = RetriageApp(connecting(engine), ConnectionIdentity("DEMO"), demo=demo)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app) and "writing this world: 100 of 300 tasks" in lines(app)[2])
        await pilot.press("p")
        await until(pilot, lambda: "PAUSED" in lines(app)[0])
        engine.total = 300
        demo.handle.wrote(300)
        await asyncio.sleep(3 * FILLED_EVERY)
        assert "[1 Tasks 100]" in lines(app)[1]
        await pilot.press("p")
        await until(pilot, lambda: "[1 Tasks 300]" in lines(app)[1])


async def test_the_pace_of_a_demo_is_turned_by_two_keys_and_shown() -> None:
    demo = Demo(tasks=50)
    demo.handle.wrote(50)
    app = RetriageApp(connecting(FakeEngine(50)), ConnectionIdentity("DEMO"), demo=demo)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app))
        assert "demo" not in app.PLACES
        await pilot.press("full_stop")
        demo.handle.pace = Pace()
        await pilot.press("full_stop", "full_stop", "comma")
        assert demo.handle.pace.factor == 2
        await until(pilot, lambda: "batches 2x" in lines(app)[0])
        await pilot.press("comma", "comma")
        await until(pilot, lambda: "batches 1/2x" in lines(app)[0])
        assert {"comma", "full_stop"} == {key for action in at(app.PLACES) for key in action.keys if len(key) > 4} & {
            "comma", "full_stop",
        }  # fmt: skip
