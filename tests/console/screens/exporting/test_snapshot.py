"""The key that writes a snapshot of what is shown, and the console that is opened on one."""

from functools import partial
from pathlib import Path

from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.connections import to_rehearsal, to_store
from retriage.console.engine.connect import connect
from retriage.console.journal import journal_of
from retriage.console.runs.command_text import engine_words
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.widgets.pane import Pane
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.snapshot_mark import read_mark
from tests.console.screens.test_embedded_engine import ENGINE, world
from tests.console.settle import loaded, screen, text, until
from tests.store.test_snapshot_rehearsal import task, written

CHARGES = "topic:charge-card retries:0"


async def asked_for_file(pilot: Pilot[None], app: RetriageApp) -> Path:
    await pilot.press("8")
    await until(pilot, lambda: isinstance(app.screen, ExportDialog))
    return Path(app.screen.query_one("#file").value)  # type: ignore[attr-defined]


def files(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_what_is_shown_is_written_and_opened_again(tmp_path: Path) -> None:
    place = tmp_path / "night.db"
    async with world(60) as (app, pilot):
        await pilot.press("slash", *CHARGES, "enter")
        await until(pilot, lambda: "match" in text(app) or loaded(app))
        proposed = await asked_for_file(pilot, app)
        assert (proposed.suffix, proposed.name.startswith("snapshot-")) == (".db", True)
        assert CHARGES in app.screen.query_one(Pane).text
        app.screen.query_one("#file").value = str(place)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "A snapshot with" in text(app), ENGINE)
        # A second one does not write over it.
        await asked_for_file(pilot, app)
        app.screen.query_one("#file").value = str(place)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "cannot be written: there is a file already" in text(app), ENGINE)
        # A file with nothing in it is none.
        await pilot.press("escape", "slash", *"topic:none", "enter")
        await until(pilot, lambda: screen(app).matching == 0)
        await asked_for_file(pilot, app)
        app.screen.query_one("#file").value = str(tmp_path / "none.db")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "No snapshot was written: no external task matches." in text(app), ENGINE)
        assert files(tmp_path) == [place.name]
        client = await app.session.connection.opened()
        query = ExternalTaskQuery(topic_name="charge-card", no_retries_left=True)
        expected = await client.external_tasks(query, 0, 100)
    mark = read_mark(str(place))
    assert (mark.part, mark.numbers["external tasks"]) == (CHARGES, len(expected))
    connection = to_store(str(place), None, False)
    opened = RetriageApp(
        lambda: connect(connection.target), connection.identity(), journal=partial(journal_of, connection)
    )
    async with opened.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: opened.session.connection.client is not None and loaded(opened), ENGINE)
        await until(pilot, lambda: f"AS OF {mark.taken_at:%H:%M}Z" in text(opened))
        assert "SNAPSHOT" in text(opened)
        assert "READ-ONLY" in text(opened)
        assert "LIVE" not in text(opened)
        client = await opened.session.connection.opened()
        assert await client.external_tasks(ExternalTaskQuery(), 0, 100) == expected
        assert opened.session.connection.now() == mark.taken_at
        assert opened.session.connection.why_no_orders()
        # What is not in it is not said to be nowhere.
        await pilot.press("d")
        await until(pilot, lambda: "It has none in this snapshot" in text(opened), ENGINE)


async def test_the_words_of_a_rehearsal(tmp_path: Path) -> None:
    """Its orders are given without a safety, and it is called what it is a copy of."""
    place = await written(tmp_path / "night.db", task(1))
    identity = to_rehearsal(place, 0.2).identity()
    assert (identity.environment, identity.called) == ("REHEARSAL", "of prod, taken 2026-03-01 03:12Z")
    assert (identity.stands_at, identity.readonly) == (None, False)
    assert "all its times are moved to now" in identity.about_snapshot
    assert engine_words(identity, "") == ["--rehearse", str(place)]
    assert not Session(identity).connection.safety.guarded
    assert Session(ConnectionIdentity("REHEARSAL", "http://engine")).connection.safety.guarded, (
        "the word alone proves nothing"
    )
