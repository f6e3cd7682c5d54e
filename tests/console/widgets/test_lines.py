"""One-line widgets and panes repaint only what differs."""

from typing import Any

from textual.app import App, ComposeResult
from textual.geometry import Region

from retriage.console.widgets.line import Line, fitted
from retriage.console.widgets.pane import Fact, Pane, Prose, Spans
from retriage.console.widgets.themes import DEFAULTS


class Bench(App[None]):
    """A line and a pane."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def compose(self) -> ComposeResult:
        yield Line(id="line")
        yield Pane(id="pane")


def counting(widget: Any) -> list[Region]:
    painted: list[Region] = []
    refresh = widget.refresh

    def counted(*regions: Region, **how: bool) -> Any:
        painted.extend(regions or [widget.size.region])
        return refresh(*regions, **how)

    widget.refresh = counted
    return painted


async def test_a_line_repaints_the_cells_that_differ() -> None:
    app = Bench()
    async with app.run_test(size=(40, 5)) as pilot:
        line = app.query_one(Line)
        line.show([("PROD", "chip"), (" engine", "")], [("LIVE 2s", "good")])
        await pilot.pause()
        painted = counting(line)
        line.show([("PROD", "chip"), (" engine", "")], [("LIVE 3s", "good")])
        assert painted == [Region(38, 0, 1, 1)]
        line.show([("PROD", "chip"), (" engine", "")], [("LIVE 3s", "good")])
        assert len(painted) == 1
        assert line.text == "PROD engine" + " " * 22 + "LIVE 3s"


async def test_the_right_end_of_a_line_is_never_cut() -> None:
    app = Bench()
    async with app.run_test(size=(20, 5)) as pilot:
        line = app.query_one(Line)
        line.show([("PROD", "chip"), ("  a-very-long-engine-name", "")], [("STALE 47s", "failed")])
        await pilot.pause()
        assert line.text == "PROD  a-v… STALE 47s"


def test_spans_are_cut_and_padded_to_the_width() -> None:
    assert "".join(text for text, _ in fitted([("abc", ""), ("def", "")], 5)) == "abcd…"
    assert "".join(text for text, _ in fitted([("abc", "")], 5)) == "abc  "


async def test_a_pane_repaints_the_lines_that_differ() -> None:
    app = Bench()
    async with app.run_test(size=(40, 8)) as pilot:
        pane = app.query_one(Pane)
        pane.show(
            [Fact("topic", "charge-card"), Fact("retries", "0"), Prose("a long sentence that wraps over two lines")]
        )
        await pilot.pause()
        painted = counting(pane)
        pane.show(
            [Fact("topic", "charge-card"), Fact("retries", "3"), Prose("a long sentence that wraps over two lines")]
        )
        assert painted == [Region(0, 1, 40, 1)]
        assert pane.text.splitlines()[1] == "retries   3"


async def test_a_pane_leaves_out_what_does_not_fit_and_reads_no_markup() -> None:
    app = Bench()
    async with app.run_test(size=(20, 3)) as pilot:
        pane = app.query_one(Pane)
        pane.entitle("[bold]x[/bold] [/]")
        pane.show([Spans((("[red]1[/red]", ""),)), Prose("2"), Prose("3"), Prose("4")])
        await pilot.pause()
        assert pane.render_line(0).text.startswith("[red]1[/red]")
