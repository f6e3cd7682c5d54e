"""The table: a million rows, cursor and marks by id, only what differs is painted."""

import time
from collections.abc import Sequence

from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from retriage.console.widgets.columns import Column
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.marks import Marks
from retriage.console.widgets.rows import Cell, Row
from retriage.console.widgets.themes import DEFAULTS
from tests.console.settle import until

MILLION = 1_000_000


def rows(first: int, last: int) -> list[Row]:
    return [
        Row(f"id-{index}", (Cell(f"key-{index}"), Cell(f"error {index}", "failed"))) for index in range(first, last)
    ]


class Bench(App[None]):
    """A table and what it asked for."""

    def __init__(self, total: int, answer: bool = True) -> None:
        super().__init__()
        self.total = total
        self.answer = answer
        self.wanted: list[tuple[int, int]] = []
        self.painted: list[Region] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def compose(self) -> ComposeResult:
        yield LineTable([Column("key", 12), Column("error", 10, share=1)], id="rows", empty="nothing here")

    def on_mount(self) -> None:
        table = self.query_one(LineTable)
        table.set_total(self.total)
        table.focus()
        refresh = table.refresh

        def counted(*regions: Region, **how: bool) -> LineTable:
            self.painted.extend(regions or [table.size.region])
            return refresh(*regions, **how)  # type: ignore[return-value]

        table.refresh = counted  # type: ignore[method-assign]

    @on(LineTable.RowsWanted)
    def rows_wanted(self, message: LineTable.RowsWanted) -> None:
        self.wanted.append((message.first, message.last))
        if self.answer:
            message.table.put(message.first, rows(message.first, min(message.last + 1, self.total)))


def shown(app: Bench) -> list[str]:
    table = app.query_one(LineTable)
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def ready(pilot: Pilot[None], app: Bench) -> LineTable:
    table = app.query_one(LineTable)
    await until(pilot, lambda: table.row is not None)
    return table


async def test_it_asks_for_the_rows_in_sight_and_some_around_and_no_more() -> None:
    app = Bench(MILLION)
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot, app)
        assert len(app.wanted) == 1
        assert app.wanted[0][0] == 0
        assert 18 <= app.wanted[0][1] <= 60


async def test_rows_that_are_not_there_yet_are_drawn_as_dots_and_no_key_waits() -> None:
    app = Bench(MILLION, answer=False)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("G")
        table = app.query_one(LineTable)
        assert table.cursor == MILLION - 1
        assert shown(app)[-1].startswith("❯  …")
        await until(pilot, lambda: app.wanted)
        assert app.wanted[-1][1] == MILLION - 1


async def test_fast_scrolling_asks_once_when_it_rests() -> None:
    app = Bench(MILLION)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        app.wanted.clear()
        for _ in range(200):
            table.action_page_down()
        await until(pilot, lambda: app.wanted and table.row is not None)
        assert len(app.wanted) == 1


async def first_frame(total: int) -> float:
    """Least time of the processor that one of twenty first frames takes: what else runs on the machine is not in it."""
    app = Bench(total)
    async with app.run_test(size=(120, 40)) as pilot:
        table = await ready(pilot, app)
        table.notify_style_update()
        taken = []
        for _ in range(20):
            table._painter.clear()
            started = time.thread_time()
            shown(app)
            taken.append(time.thread_time() - started)
        return min(taken)


async def test_a_frame_of_a_million_rows_costs_what_a_frame_of_a_hundred_costs() -> None:
    hundred, million = await first_frame(100), await first_frame(MILLION)
    assert million < 3 * hundred


async def test_a_step_of_the_cursor_repaints_two_lines() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.pause(0.1)
        app.painted.clear()
        await pilot.press("j")
        await pilot.pause(0.1)
        assert table.cursor == 1
        assert [region.height for region in app.painted] == [1, 1]
        assert sorted(region.y for region in app.painted) == [1, 2]


async def test_a_refresh_that_changes_one_row_repaints_one_line() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.pause(0.1)
        app.painted.clear()
        fresh: Sequence[Row] = [
            *rows(0, 5),
            Row("id-5", (Cell("key-5"), Cell("changed", "good"))),
            *rows(6, 18),
        ]
        table.put(0, fresh)
        await pilot.pause(0.1)
        assert [(region.y, region.height) for region in app.painted] == [(6, 1)]
        assert "changed" in shown(app)[6]


async def test_the_cursor_stays_with_its_id_when_rows_move() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.press("j", "j", "j")
        assert table.cursor_id == "id-3"
        table.age()
        table.put(0, [*rows(990, 992), *rows(0, 30)])
        assert table.cursor == 5
        assert table.row is not None
        assert table.row.id == "id-3"


async def test_the_cursor_stays_on_its_line_of_the_screen_when_rows_above_go() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        for _ in range(3):
            await pilot.press("pagedown")
        await until(pilot, lambda: table.row is not None)
        before, top = table.cursor, round(table.scroll_y)
        assert table.row is not None
        cursor_id = table.row.id
        first, last = table.window()
        table.age()
        table.put(first, rows(first + 2, last + 3))
        assert table.row is not None
        assert table.row.id == cursor_id
        assert table.cursor == before - 2
        assert table.cursor - round(table.scroll_y) == before - top


async def test_marks_belong_to_ids_and_survive_a_refresh_that_moves_rows() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.press("space", "j", "space")
        assert table.marks == Marks(frozenset({"id-0", "id-2"}))
        table.age()
        table.put(0, rows(1, 30))
        marked = [line for line in shown(app) if "●" in line]
        assert len(marked) == 1
        assert "key-2" in marked[0]


async def test_a_range_marks_and_unmarks_as_the_cursor_moves() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.press("space", "j", "v", "j", "j", "k")
        assert table.marks.ids == {"id-0", "id-2", "id-3"}
        await pilot.press("v", "j", "j")
        assert table.marks.ids == {"id-0", "id-2", "id-3"}
        await pilot.press("shift+down")
        assert table.marks.ids == {"id-0", "id-2", "id-3", "id-5", "id-6"}


async def test_a_range_over_rows_that_were_never_read_says_how_many_are_not_marked() -> None:
    app = Bench(MILLION)
    said: list[int] = []
    async with app.run_test(size=(60, 20), message_hook=lambda m: said.append(getattr(m, "unread", 0))) as pilot:
        await ready(pilot, app)
        await pilot.press("v", "G")
        assert max(said) > MILLION - 200


async def test_page_all_and_none() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.press("a")
        assert table.marks.count(table.total) == 19
        await pilot.press("A")
        assert table.marks.count(table.total) == 1000
        await pilot.press("space")
        assert table.marks.count(table.total) == 999
        assert "id-0" not in table.marks
        await pilot.press("u")
        assert not table.marks


async def test_fewer_rows_take_the_cursor_to_the_last_one() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        await pilot.press("G")
        table.set_total(3)
        assert table.cursor == 2
        table.set_total(0)
        assert table.row is None
        assert "nothing here" in shown(app)[2]


async def test_every_line_is_exactly_as_wide_as_the_table_at_any_width() -> None:
    app = Bench(1000)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        for width in (20, 41, 80, 133):
            await pilot.resize_terminal(width, 20)
            await until(pilot, lambda width=width: table.size.width == width)  # type: ignore[misc]
            assert {table.render_line(y).cell_length for y in range(table.size.height)} == {width}


async def test_rows_that_found_no_room_when_they_came_are_drawn_in_the_room_that_there_is() -> None:
    app = Bench(5)
    async with app.run_test(size=(60, 20)) as pilot:
        table = await ready(pilot, app)
        before = shown(app)
        assert "error 4" in before[5]
        table._painter.resize(0)
        assert shown(app) == before
