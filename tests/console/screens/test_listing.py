"""What the keys of a list do with its rows: filter by a cell, zoom, pages, pace, copies, files."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.language import matcher, parse
from retriage.console.language.by_cell import narrowed
from retriage.console.screens.events.line import told
from retriage.console.screens.events.screen import EventsScreen
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.screens.exporting.files import RowFile, create
from retriage.console.screens.row_filters import cell_words, path_of
from retriage.console.screens.task_states import state_of
from retriage.console.session.news import ANSWER_SECONDS, KEPT, Event, EventLog
from retriage.console.text.csv_field import plain
from retriage.console.text.ink import Ink
from retriage.console.widgets.pane import Pane
from retriage.console.widgets.text_view import TextView
from retriage.store.contract.records import ExternalTask, Job
from tests.console.fake import FakeEngine, job, task
from tests.console.settle import console, lines, text, until


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_of(app: RetriageApp) -> Any:
    return app.screen


# -- filter by the cell ---------------------------------------------------------------------------------------------


async def test_f_shows_only_rows_like_this_one_and_capital_f_leaves_them_out() -> None:
    async with console(FakeEngine(200)) as (app, pilot):
        await pilot.press("f")
        await until(pilot, lambda: list_of(app).filter_text == "topic:charge-card")
        await until(pilot, lambda: "50 match of 200" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: list_of(app).filter_text == "" and list_of(app).table.row is not None)
        await pilot.press("l", "l", "l", "l", "f")
        await until(pilot, lambda: list_of(app).filter_text == "retries:0")
        await until(pilot, lambda: list_of(app).table.row is not None)
        await pilot.press("h", "h", "F")
        await until(pilot, lambda: list_of(app).filter_text == "retries:0 -topic:charge-card")
        await until(pilot, lambda: list_of(app).table.row is not None)
        assert list_of(app).table.row.item.topic_name != "charge-card"


@pytest.mark.parametrize("state", ["X", "r", "w", "·", "S"])
async def test_f_on_a_state_keeps_all_rows_in_that_state_and_capital_f_none_of_them(state: str) -> None:
    engine = FakeEngine(60)
    now = datetime.now(UTC)
    alike = [one for index in range(60) if state_of(one := task(index), now) == state]
    word = cell_words("tasks", alike[0])["S"]
    for without in (False, True):
        parsed = parse(narrowed("", word, without=without), "tasks")
        fits = matcher(parsed.conditions, "tasks", now)
        shown = {one.id for one in await engine.external_tasks(parsed.query, 0, 60) if fits(one)}
        assert len(shown.intersection(one.id for one in alike)) == (0 if without else len(alike))


async def test_f_on_an_empty_error_shows_the_tasks_without_one() -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        titles = [column.title for column in list_of(app).subject.columns]
        await pilot.press("j", "j", "j")
        list_of(app).table.choose_column(titles.index("error"))
        await pilot.press("f")
        await until(pilot, lambda: list_of(app).filter_text == "-error" and list_of(app).matching == 4)


@pytest.mark.parametrize(
    ("one", "said", "cause"),
    [
        (job("1"), "retries:0", "error~"),
        (job("1", 2), "retrying", "error~"),
        (job("1", 3, None), "-failed", "-failed"),
        (job("1", 3).model_copy(update={"suspended": True}), "suspended", "error~"),
    ],
)
def test_a_job_is_like_others_in_its_state_and_its_cause(one: Job, said: str, cause: str) -> None:
    words = cell_words("jobs", one)
    assert words["S"] == said
    assert words["cause"].startswith(cause)


async def test_a_column_that_cannot_be_filtered_by_says_so() -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        titles = [column.title for column in list_of(app).subject.columns]
        list_of(app).table.choose_column(titles.index("age"))
        await pilot.press("f")
        await until(pilot, lambda: "Rows cannot be filtered by age" in text(app))
        assert list_of(app).filter_text == ""


async def test_the_chosen_cell_is_told_without_colour() -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        await pilot.press("l", "l")
        table = list_of(app).table
        heading, row = table.render_line(0), table.render_line(1)
        assert [segment.text.strip() for segment in heading if segment.style and segment.style.underline] == ["topic"]
        assert [segment.text.strip() for segment in row if segment.style and segment.style.underline] == ["charge-card"]
        assert len([s for s in table.render_line(2) if s.style and s.style.underline]) == 0


@given(st.integers(0, 400), st.booleans(), st.sampled_from(["", "topic:x retries:0 -suspended", "error~gone key:a"]))
def test_every_cell_of_every_task_makes_a_filter_that_the_task_passes_or_not(
    index: int, without: bool, before: str
) -> None:
    for word in cell_words("tasks", task(index)).values():
        found = narrowed(before, word, without=without)
        assert parse(found, "tasks").mistakes == []
        assert narrowed(found, word, without=without) == found


def test_words_about_the_same_thing_are_replaced_and_exclusions_add_up() -> None:
    assert narrowed("topic:a retries:0", "topic:b", without=False) == "retries:0 topic:b"
    assert narrowed("-topic:a", "topic:b", without=True) == "-topic:a -topic:b"
    assert narrowed("locked", "-locked", without=False) == "-locked"
    assert narrowed("", "-locked", without=True) == "locked"
    assert narrowed('error~"a b"', 'error~"x A b"', without=False) == 'error~"x A b"'
    assert narrowed("topic:a,b", "topic:b", without=False) == "topic:b"


@pytest.mark.parametrize(
    ("before", "word", "without"),
    [
        ("error~503", 'error~"gateway timeout in"', False),
        ("-error~504", 'error~"gateway timeout in"', False),
        ("error~503", 'error~"gateway timeout in"', True),
        ("topic:a,b", "topic:b", True),
        ("retries>1", "retries:2", True),
    ],
)
def test_what_a_filter_left_out_is_not_added_by_a_cell(before: str, word: str, without: bool) -> None:
    found = narrowed(before, word, without=without)
    assert found == f"{before} {'-' if without else ''}{word}"
    assert parse(found, "tasks").mistakes == []


class Timeouts(FakeEngine):
    """Half of its tasks have failed of 503, the others of 504."""

    def _one(self, index: int) -> ExternalTask:
        said = f"gateway timeout in {index + 100} ms: {503 + index % 2}"
        return super()._one(index).model_copy(update={"error_message": said})


@pytest.mark.parametrize(("key", "rows"), [("f", 6), ("F", 0)])
async def test_a_cell_of_a_cause_adds_none_that_the_filter_left_out(key: str, rows: int) -> None:
    async with console(Timeouts(12), (80, 24)) as (app, pilot):
        table = list_of(app).table
        titles = [column.title for column in list_of(app).subject.columns]
        await pilot.press("slash", *"error", "tilde", *"503", "enter")
        await until(pilot, lambda: list_of(app).matching == 6 and table.row is not None)
        table.choose_column(titles.index("error"))
        await pilot.press(key)
        await until(pilot, lambda: "gateway" in list_of(app).filter_text and list_of(app).matching == rows)
        assert list_of(app).filter_text.startswith("error~503 ")
        assert ": 504" not in text(app)


# -- panes, pages, pace -----------------------------------------------------------------------------------------------


async def test_z_gives_the_rows_and_then_the_detail_the_whole_screen() -> None:
    async with console(FakeEngine(200), (80, 24)) as (app, pilot):
        table, detail = list_of(app).table, app.screen.query_one("#detail", Pane)
        await until(pilot, lambda: table.lines > 1 and 0 < detail.size.height < 4)  # everything is laid out
        lines_before = table.lines
        await pilot.press("z")
        await until(pilot, lambda: table.lines > lines_before)
        await pilot.press("z")
        await until(pilot, lambda: detail.size.height > 10 and "created" in detail.text)
        key = table.cursor
        await pilot.press("j")
        await until(pilot, lambda: table.cursor == key + 1 and "ord-88001" in detail.text)
        await pilot.press("z")
        await until(pilot, lambda: table.lines == lines_before and detail.size.height < 4)


async def test_result_pages_keep_the_cursor_on_its_line_and_end_at_the_ends() -> None:
    async with console(FakeEngine(200)) as (app, pilot):
        table = list_of(app).table
        await pilot.press("j", "j", "right_square_bracket")
        assert (table.top, table.cursor) == (table.lines, table.lines + 2)
        assert table.page[0] == 2
        await pilot.press("left_square_bracket")
        assert (table.top, table.cursor) == (0, 2)
        await pilot.press("left_square_bracket")
        assert table.cursor == 0
        await pilot.press("G", "right_square_bracket")
        assert table.cursor == 199


async def test_the_pace_is_shown_and_kept_within_its_bounds() -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: "every 5s" in lines(app)[0])
        assert list_of(app).reader._poller._interval == 5.0
        for _ in range(6):
            await pilot.press("less_than_sign")
        assert app.session.watch.pace == 1.0
        await until(pilot, lambda: "every 1s" in lines(app)[0])


# -- copies -----------------------------------------------------------------------------------------------------------


async def copied(pilot: Pilot[None], app: RetriageApp, home: Path) -> str:
    path = home / "home" / "copied.txt"
    await until(pilot, lambda: path.exists() and path.read_text() == app.clipboard)
    return app.clipboard


async def test_y_copies_the_id_capital_y_curl_and_then_json(home: Path) -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "0191-0000000")
        assert await copied(pilot, app, home) == "0191-0000000"
        assert (home / "home" / "copied.txt").stat().st_mode & 0o777 == 0o600
        await until(pilot, lambda: "Copied 0191-0000000 (OSC 52); also in" in text(app))
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard.startswith("curl "))
        assert app.clipboard.endswith("/engine-rest/external-task/0191-0000000 -u ann")
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard.startswith("{"))
        assert json.loads(app.clipboard)["topicName"] == "charge-card"


async def test_behind_tmux_it_is_said_what_tmux_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with console(FakeEngine(20)) as (app, pilot):
        await pilot.press("y")
        await until(pilot, lambda: "set-clipboard on" in text(app))


def test_ids_are_quoted_in_addresses() -> None:
    assert path_of("tasks", "a/b?c d") == "external-task/a%2Fb%3Fc%20d"
    assert path_of("journal", "1") == ""


# -- files ------------------------------------------------------------------------------------------------------------


async def export(pilot: Pilot[None], app: RetriageApp, name: str) -> None:
    await pilot.press("x")
    await until(pilot, lambda: isinstance(app.screen, ExportDialog))
    app.screen.query_one("#file").value = name  # type: ignore[attr-defined]
    await pilot.press("enter")


async def test_all_rows_that_match_are_written_page_by_page(home: Path) -> None:
    engine = FakeEngine(1234)
    async with console(engine) as (app, pilot):
        await export(pilot, app, str(home / "rows.csv"))
        await until(pilot, lambda: "1,234 rows written to" in text(app), 30)
        assert max(size for _, size in engine.reads) <= 500
    rows = list(csv.DictReader((home / "rows.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == [f"0191-{index:07d}" for index in range(1234)]
    assert rows[0]["topicName"] == "charge-card"


async def test_only_marked_rows_are_written_as_json_beside_a_file_that_is_there(home: Path) -> None:
    (home / "rows.json").write_text("mine")
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space", "j", "space")
        await export(pilot, app, str(home / "rows.json"))
        await until(pilot, lambda: "2 rows written to" in text(app))
    assert (home / "rows.json").read_text() == "mine"
    assert [row["id"] for row in json.loads((home / "rows-2.json").read_text())] == ["0191-0000000", "0191-0000002"]


async def test_escape_stops_the_writing_and_takes_the_file_away(home: Path) -> None:
    engine = FakeEngine(1_000_000)
    async with console(engine) as (app, pilot):
        await export(pilot, app, str(home / "rows.csv"))
        await until(pilot, lambda: (home / "rows.csv").exists() and "rows written; esc stops" in text(app), 30)
        await pilot.press("escape")
        await until(pilot, lambda: "was not written" in text(app))
        assert not (home / "rows.csv").exists()


@pytest.mark.parametrize(
    ("name", "said"), [("rows.txt", "end in .csv or .json"), ("no/such/rows.csv", "no folder"), ("", "end in .csv")]
)
async def test_a_name_that_cannot_be_is_said_and_nothing_is_lost(name: str, said: str) -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        await export(pilot, app, name)
        await until(pilot, lambda: isinstance(app.screen, ExportDialog) and said in app.screen.query_one(Pane).text)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ExportDialog))


async def test_one_row_is_not_rows() -> None:
    async with console(FakeEngine(20)) as (app, pilot):
        await pilot.press("space", "x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        await until(pilot, lambda: "1 marked row, all their" in app.screen.query_one(Pane).text)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", " ="])
def test_no_field_is_a_formula(begin: str) -> None:
    assert plain(f"{begin}HYPERLINK(1)").startswith("'")
    assert plain(-5) == "-5"


@given(st.lists(st.dictionaries(st.just("error"), st.text(), min_size=1), min_size=1, max_size=5), st.booleans())
def test_files_hold_no_control_bytes_and_json_is_exact(rows: list[dict[str, str]], as_json: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path, file = create(Path(folder) / ("rows.json" if as_json else "rows.csv"))
        with RowFile(path, file) as target:
            target.write(rows)
        written = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written)
        if as_json:
            assert json.loads(written) == rows


@given(st.none() | st.text() | st.sampled_from(["", "'", "'=1", "\\x1b", "\\", "\\\\t", "\x1b[31m", "=1\u200b"]))
def test_a_csv_field_can_be_read_back(value: str | None) -> None:
    field = plain(value)
    escape = re.compile(r"\\(\\|[tr]|x[0-9a-f]{2}|u[0-9a-f]{4})")
    told = escape.sub(lambda found: found.group().encode().decode("unicode_escape"), field.removeprefix("'"))
    assert (told if field else None) == value


# -- events -----------------------------------------------------------------------------------------------------------


def test_what_weighs_more_stays_beside_what_is_newer() -> None:
    log = EventLog()
    log.add(Event("it failed", "failed"))
    log.add(Event("copied", "muted"))
    now = Event("").at
    assert [event.sentence for event in log.shown(now)] == ["it failed", "copied"]
    assert [event.sentence for event in log] == ["copied", "it failed"]


def test_an_answer_to_a_key_is_not_displaced_by_lighter_news_before_it_could_be_read() -> None:
    log = EventLog()
    for event in (Event("lost", "failed"), Event("nothing can be changed", "warning"), Event("it answers", "good")):
        log.add(event)
    now = Event("").at
    assert [event.sentence for event in log.shown(now)] == ["nothing can be changed", "it answers"]
    later = now + timedelta(seconds=ANSWER_SECONDS)
    assert [event.sentence for event in log.shown(later)] == ["lost", "it answers"]


def test_what_is_not_so_any_more_does_not_come_back_when_the_lighter_sentence_has_gone() -> None:
    log = EventLog()
    log.add(Event("nothing can be changed", "failed", about="orders"))
    log.add(Event("a batch has ended", "failed"))
    log.add(Event("it answers", "good", about="orders"))
    now = Event("").at
    assert [event.sentence for event in log.shown(now)] == ["a batch has ended", "it answers"]
    assert [event.sentence for event in log.shown(now + timedelta(seconds=30))] == ["a batch has ended"]
    assert len(log) == 3, "all of them stay among the events"


def test_the_last_events_are_kept_and_old_ones_are_not_shown() -> None:
    log = EventLog()
    for number in range(KEPT + 10):
        log.add(Event(f"event {number}"))
    assert len(log) == KEPT
    assert log.shown(Event("").at + timedelta(minutes=5)) == []


@pytest.mark.parametrize(("ink", "takes_both"), [("warning", True), ("muted", False)])
def test_a_long_warning_takes_both_lines(ink: Ink, takes_both: bool) -> None:
    older, newer = Event("ARMED", "failed"), Event("the launch was sent, but " + "word " * 20 + "the-end", ink)
    lines = ["".join(text for text, _ in line) for line in told([older, newer], 100, wrapped=True)]
    assert len(lines) == 2
    assert ("ARMED" in lines[0]) != takes_both
    assert "the-end" in lines[1]


async def test_long_news_take_a_second_line_and_m_shows_all_of_them() -> None:
    async with console(FakeEngine(20), (100, 30)) as (app, pilot):
        app.session.news.say("first " + "word " * 20 + "the-end", "failed")
        await until(pilot, lambda: "the-end" in text(app))
        app.session.news.say("second", "muted")
        await until(pilot, lambda: "second" in lines(app)[-2] and "first word" in lines(app)[-3])
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, EventsScreen) and "2 events" in text(app))
        await until(pilot, lambda: "the-end" in app.screen.query_one(TextView).text)
        shown = app.screen.query_one(TextView).text
        assert shown.index("second") < shown.index("the-end")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, EventsScreen))
