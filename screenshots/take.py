"""Take the README's pictures from the running program: ``python screenshots/take.py``.

The program is the real one, on a demo world with simulated workers; only the terminal is not drawn but exported. Fonts
are not fetched from anywhere: the pictures name the reader's own monospaced font.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
SIZE = (120, 36)
TASKS = 12_000
PATIENCE = 60.0

# Small sets, so that a batch is slow enough to be seen at work.
os.environ |= {"RETRIAGE_RUNNER_SET_SIZE": "5", "RETRIAGE_BATCH_JOBS_PER_SEED": "5"}
sys.path.insert(0, str(FOLDER.parent))

from textual.pilot import Pilot  # noqa: E402

from console.app import RetriageApp  # noqa: E402
from console.engine.connect import connect  # noqa: E402
from console.engine.target import Demo, Embedded  # noqa: E402
from console.journal import journal_at  # noqa: E402
from console.session.session import ConnectionIdentity  # noqa: E402

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


async def main() -> None:
    """The whole road, a picture at each station."""
    target = Embedded(demo=Demo(tasks=TASKS, seed=7))
    app = RetriageApp(lambda: connect(target), ConnectionIdentity(environment="DEMO"), journal=lambda: journal_at(None))
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
        await until(pilot, lambda text: "launched" in text)
        await until(pilot, lambda text: re.search(r"\b[2-7]\d%", text) is not None)
        await pilot.press("4", "enter")
        await until(pilot, lambda text: "Are the retries set?" in text or "are the retries set?" in text)
        await until(pilot, lambda text: "waiting" in text)
        take(pilot, "batch")


if __name__ == "__main__":
    asyncio.run(main())
