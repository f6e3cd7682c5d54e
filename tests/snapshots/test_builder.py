"""The query builder and the pages of the help."""

import pytest

from retriage.console.screens.builder.json_face import JsonArea
from retriage.console.screens.builder.text_face import QueryInput, put
from retriage.console.widgets.themes import LIGHT
from tests.snapshots.conftest import NARROW, WIDE, Picture, Steps
from tests.snapshots.night import Night, uuid, with_batches
from tests.snapshots.stage import Stage

MIDDLE, BROAD = (100, 30), (140, 45)
three_sizes = pytest.mark.parametrize(
    "size", [NARROW, MIDDLE, pytest.param(BROAD, marks=pytest.mark.long)], ids=["narrow", "middle", "broad"]
)


async def opened(stage: Stage, text: str) -> None:
    await stage.full()
    await stage.press("b")
    await stage.so(lambda: isinstance(stage.app.focused, QueryInput))
    field = stage.app.focused
    assert isinstance(field, QueryInput)
    put(field, text)


async def built(stage: Stage) -> None:
    await opened(stage, 'topic:charge-card retries:0 error~"503 from psp" age>1h')
    await stage.sees("here ")
    await stage.sees("exact   03")
    await stage.still()


async def in_the_form(stage: Stage) -> None:
    await built(stage)
    await stage.press("tab", "j", "j")
    await stage.sees("Process definition, by key: all its versions.")
    await stage.still()


async def typing_a_value(stage: Stage) -> None:
    await in_the_form(stage)
    await stage.press("space", *"OrderPr")
    await stage.sees("OrderPr")
    await stage.still()


async def mistaken(stage: Stage) -> None:
    await opened(stage, "topic:charge-card retires:0 ")
    await stage.sees("did you mean retries:?", "!")
    await stage.still()


async def mistaken_json(stage: Stage) -> None:
    await opened(stage, "retries:0")
    await stage.sees("(exact)")
    await stage.press("f4")
    await stage.so(lambda: isinstance(stage.app.focused, JsonArea))
    area = stage.app.focused
    assert isinstance(area, JsonArea)
    area.load_text('{\n  "retries": 1,\n  "externalTaskQuery": { "topc": "charge-card" }\n}')
    await stage.sees("topc is not a field of externalTaskQuery; did you mean topicName?")
    await stage.still()


async def union(stage: Stage) -> None:
    await opened(stage, "topic:send-mail retries:0")
    await stage.press("tab", "right_square_bracket", "slash")
    field = stage.app.screen.query_one(QueryInput)
    await stage.so(lambda: field.value == "")
    put(field, " ".join(uuid(index) for index in (3, 8, 10, 13)))
    await stage.sees("in the union (exact)", "healthy tasks too")
    await stage.still()


async def empty(stage: Stage) -> None:
    await opened(stage, "")
    await stage.sees("type all:yes to mean it")
    await stage.still()


async def counting(stage: Stage) -> None:
    await stage.full()
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    client.held_back = {"count_external_tasks"}
    await opened_again(stage, "retries:0")
    await stage.sees("counting …")
    await stage.still(working=True)


async def opened_again(stage: Stage, text: str) -> None:
    await stage.press("b")
    await stage.so(lambda: isinstance(stage.app.focused, QueryInput))
    put(stage.app.screen.query_one(QueryInput), text)


async def lost(stage: Stage) -> None:
    await stage.full()
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    await stage.press("p")
    client.gone = True
    await opened_again(stage, "retries:0")
    await stage.sees("The engine does not answer.", "STALE")
    await stage.so(lambda: "counting" not in stage.text)
    await stage.still()


async def hostile(stage: Stage) -> None:
    await opened(stage, 'topic:"a\x1b[31m\u202eb" worker:"[red]w[/]" error~"\x07日本語 é"')
    await stage.sees("exact   03")
    await stage.still()


async def other_list(stage: Stage) -> None:
    await stage.full()
    await stage.view("3")
    await opened_again(stage, "suspended version:14")
    await stage.sees("exact   03")
    await stage.still()


def help_page(turns: int, words: str) -> Steps:
    async def steps(stage: Stage) -> None:
        await stage.full()
        await stage.press("question_mark", *["tab"] * turns)
        await stage.sees(words)
        await stage.still()

    return steps


@three_sizes
def test_built(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, built)


@three_sizes
def test_in_the_form(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, in_the_form)


def test_typing_a_value(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, typing_a_value)


@pytest.mark.parametrize("size", [NARROW, MIDDLE], ids=["narrow", "middle"])
def test_a_mistake_in_the_text(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, mistaken)


@pytest.mark.parametrize("size", [NARROW, MIDDLE], ids=["narrow", "middle"])
def test_a_mistake_in_the_json(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, mistaken_json)


@three_sizes
def test_union(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, union)


def test_an_empty_query(picture: Picture) -> None:
    assert picture(with_batches(), MIDDLE, empty)


def test_counting(picture: Picture) -> None:
    assert picture(with_batches(), MIDDLE, counting)


def test_an_engine_that_is_gone(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, lost)


def test_hostile_text(picture: Picture) -> None:
    assert picture(with_batches(), MIDDLE, hostile)


def test_another_list(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, other_list)


def test_light(picture: Picture) -> None:
    assert picture(with_batches(), MIDDLE, in_the_form, theme=LIGHT.name)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_help_on_filter_words(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, help_page(1, "Words that the engine filters by"))


def test_help_on_this_engine(picture: Picture) -> None:
    assert picture(with_batches(), MIDDLE, help_page(3, "What it cannot filter"))
