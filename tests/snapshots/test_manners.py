"""Manners: events, a chosen cell, zoom, writing rows, no colours."""

import pytest

from retriage.console.screens.events.screen import EventsScreen
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.widgets.themes import PLAIN
from tests.snapshots.conftest import Picture
from tests.snapshots.hostile import TEXTS
from tests.snapshots.night import with_batches
from tests.snapshots.stage import Stage

SENTENCES = (
    ("Nothing can be changed. The engine does not answer. Its last answer came at 03:11:02Z.", "failed"),
    ("The engine answers again.", "good"),
    (TEXTS[0], "warning"),
    (TEXTS[2], "failed"),
    ("Copied 5f1c1a1e-1f5e-11f1-9c3a-0242ac120002 (OSC 52); also in ~/.local/share/retriage/copied.txt.", "muted"),
)


async def said(stage: Stage) -> None:
    await stage.full()
    for sentence, ink in SENTENCES:
        stage.app.session.news.say(sentence, ink)  # type: ignore[arg-type]
        stage.clock.pass_by(1)


async def news(stage: Stage) -> None:
    await said(stage)
    await stage.sees("Copied 5f1c1a1e", "cleared and red")
    await stage.still()


async def events(stage: Stage) -> None:
    await said(stage)
    await stage.press("m")
    await stage.so(lambda: isinstance(stage.app.screen, EventsScreen))
    await stage.sees("5 events, the newest first", "The engine answers again.")
    await stage.still()


async def chosen_cell(stage: Stage) -> None:
    await stage.full()
    await stage.press("j", "j", "l", "l", "f")
    await stage.so(lambda: stage.app.screen.filter_text)  # type: ignore[attr-defined]
    await stage.full()


async def detail_alone(stage: Stage) -> None:
    await stage.full()
    await stage.press("z", "z")
    await stage.still()


async def rows_alone(stage: Stage) -> None:
    await stage.full()
    await stage.press("z")
    await stage.full()


async def writing(stage: Stage) -> None:
    await stage.full()
    await stage.press("space", "space", "x")
    await stage.so(lambda: isinstance(stage.app.screen, ExportDialog))
    stage.app.screen.query_one("#file").value = "/srv/night/rows.txt"  # type: ignore[attr-defined]
    await stage.press("enter")
    await stage.sees("has to end in .csv or .json", "2 marked rows")
    await stage.still(working=True)


@pytest.mark.parametrize("steps", [news, events, chosen_cell, detail_alone, rows_alone, writing])
def test_manners(picture: Picture, size: tuple[int, int], steps: object) -> None:
    assert picture(with_batches(), size, steps)


def test_no_colours(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, chosen_cell, theme=PLAIN.name)
