"""Take the README's pictures from the running program: ``python screenshots/take.py``.

The program is the real one, on a demo world with simulated workers; only the terminal is not drawn but exported. Fonts
are not fetched from anywhere: the pictures name the reader's own monospaced font.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
SIZE = (120, 36)
SMALL = (100, 30)
STEP = 0.06
"""How much further the batch and its tasks are from one moment of the film to the next."""
ENOUGH = 0.8
"""So far they are at its end, or so many seconds are over."""
LONGEST = 240.0
TASKS = 12_000
PATIENCE = 180.0

sys.path.insert(0, str(FOLDER.parent))

from textual.pilot import Pilot  # noqa: E402

from retriage.console.app import RetriageApp  # noqa: E402
from retriage.console.batches.outcome_counts import OutcomeCounts  # noqa: E402
from retriage.console.engine.connect import connect  # noqa: E402
from retriage.console.engine.target import WATCHABLE, Demo, Embedded  # noqa: E402
from retriage.console.journal import journal_at  # noqa: E402
from retriage.console.session.connection_identity import ConnectionIdentity  # noqa: E402
from screenshots.moving import Moment, moment, moving_picture  # noqa: E402

FONT_FACE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
FONT = re.compile(r"Fira Code,\s*monospace|Fira Code")


def text_of(app: RetriageApp) -> str:
    """What stands on the screen now."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[None], condition: Callable[[str], bool]) -> None:
    """Wait until the screen fulfils a condition."""
    assert isinstance(pilot.app, RetriageApp)
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition(text_of(pilot.app)):
                await pilot.pause(0.05)
    except TimeoutError:
        raise SystemExit(f"this screen was not expected to stay:\n{text_of(pilot.app)}") from None


def take(pilot: Pilot[None], name: str) -> None:
    """Write the screen as it is now."""
    picture = pilot.app.export_screenshot(title="retriage demo")
    picture = FONT.sub("ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace", FONT_FACE.sub("", picture))
    (FOLDER / f"{name}.svg").write_text(picture)
    print(f"{name}.svg")


class Film:
    """Moments of a program, one after the other."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot
        self._moments: list[Moment] = []

    def shoot(self, seconds: float) -> None:
        """What stands on the screen now is seen for so many seconds."""
        app = self._pilot.app
        colour = app.theme_variables["foreground"]
        self._moments.append(moment(seconds, app.screen._compositor.render_strips(), colour))

    def write(self, name: str) -> None:
        """Write all of it."""
        (FOLDER / f"{name}.svg").write_text(moving_picture(self._moments, "retriage demo"))
        print(f"{name}.svg, {len(self._moments)} moments")


def through(work: OutcomeCounts) -> float:
    """The share of the tasks of which it is known what became of them."""
    return work.through / max(work.total, 1)


async def film() -> None:
    """The night in half a minute: the fire, what a retry would do, the batch as it goes, whether it helped."""
    demo = Demo(tasks=8_000, seed=7, jobs_per_second=WATCHABLE, outage=0.0)
    app = RetriageApp(
        lambda: connect(Embedded(demo=demo)),
        ConnectionIdentity(environment="DEMO"),
        journal=lambda: journal_at(None),
        demo=demo,
    )
    async with app.run_test(size=SMALL) as pilot:
        reel = Film(pilot)
        await until(pilot, lambda text: re.search(r"[\d,]{5,}[=v^]  .*HTTP 503", text) is not None)
        await pilot.pause(1)
        reel.shoot(3.0)
        await pilot.press("tab")
        await pilot.pause(0.2)
        reel.shoot(2.0)
        await pilot.press("R")
        await until(pilot, lambda text: "tasks in the launch" in text and "may hold some of these" in text)
        await pilot.pause(1)
        reel.shoot(3.0)
        await pilot.press("3", "tab", *"PSP is back")
        await until(pilot, lambda text: '"retries": 3' in text and "PSP is back" in text)
        await pilot.pause(1)
        reel.shoot(2.0)
        await pilot.press("shift+tab", "shift+tab")
        await pilot.press("L")
        await until(pilot, lambda text: "did it help?" in text)
        share, began = -STEP, time.monotonic()
        while time.monotonic() - began < LONGEST:
            ours = [view for view in app.session.watch.known_batches.all() if view.work is not None]
            done = sum((view.share + through(view.work)) / 2 for view in ours if view.work is not None)
            if done >= share + STEP:
                share = done
                reel.shoot(0.8)
            if " ENDED" in text_of(app) and done > ENOUGH:
                break
            await pilot.pause(0.3)
        reel.shoot(6.0)
        reel.write("night")


async def main() -> None:
    """The whole road, a picture at each station."""
    demo = Demo(tasks=TASKS, seed=7, jobs_per_second=WATCHABLE, outage=0.0)
    app = RetriageApp(
        lambda: connect(Embedded(demo=demo)),
        ConnectionIdentity(environment="DEMO"),
        journal=lambda: journal_at(None),
        demo=demo,
    )
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda text: "charge-card" in text and "503" in text)
        await pilot.press("2")
        await until(pilot, lambda text: "[2 Incidents" in text and "exact" in text and "503" in text)
        await pilot.pause(1)
        take(pilot, "incidents")
        await pilot.press("1", "slash")
        for letter in "topic:charge-card retries:0":
            await pilot.press({":": "colon", "-": "minus", " ": "space"}.get(letter, letter))
        await pilot.press("enter")
        await until(pilot, lambda text: "match of" in text)
        await pilot.press("b")
        await until(pilot, lambda text: "by topic" in text and "noRetriesLeft" in text)
        await pilot.pause(1)
        take(pilot, "builder")
        await pilot.press("escape")
        await until(pilot, lambda text: "match of" in text)
        await pilot.press("A")
        await pilot.pause(1)
        take(pilot, "tasks")
        await pilot.press("R", "3")
        await until(pilot, lambda text: '"retries": 3' in text)
        await pilot.pause(1)
        take(pilot, "launch")
        await pilot.press("L")
        await until(pilot, lambda text: "did it help?" in text)
        await until(pilot, lambda text: "It helps" in text and "░" in text.partition("Incidents since")[2])
        take(pilot, "batch")


if __name__ == "__main__":
    asyncio.run(film())
    asyncio.run(main())
