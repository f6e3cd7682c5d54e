"""A note on incidents as an order: what it asks, what it sends, and what it says of incidents that have closed."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

from retriage.console.engine.errors import Refused, Unanswered
from retriage.console.orders.note import write_note
from retriage.console.session.news import NewsFeed


class Engine:
    """Keeps the notes; some incidents are closed, and of some no answer comes."""

    def __init__(self, closed: Collection[str] = (), unanswered: Collection[str] = ()) -> None:
        self.notes: dict[str, str | None] = {}
        self._closed, self._unanswered = closed, unanswered

    async def annotate_incident(self, id: str, note: str | None) -> None:
        if id in self._closed:
            raise Refused("There is no such incident.", 400)
        self.notes[id] = note
        if id in self._unanswered:
            raise Unanswered("No answer.", "note", datetime.now(UTC))


class Session:
    """The part of a session that an order asks."""

    def __init__(self, engine: Engine) -> None:
        self.news, self.connection = NewsFeed(), Connection(engine)


class Connection:
    """The part of a connection that an order asks."""

    stale = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        return await question(self._engine)


async def test_a_note_is_written_on_each_incident() -> None:
    engine = Engine()
    order = await write_note(["a", "b"], "PSP is down", replaced=1)
    assert (order.title, order.number, order.key) == ("Write this note?", 2, "W")
    assert order.sentences == [
        "PSP is down",
        "It is written on 2 incidents, one after the other.",
        "1 note there already will be replaced.",
    ]
    report = await order.send(Session(engine))  # type: ignore[arg-type]
    assert engine.notes == {"a": "PSP is down", "b": "PSP is down"}
    assert (report.sentence, report.ink, report.changed) == ("The note was written on 2 incidents.", "good", True)


async def test_an_empty_note_takes_notes_away() -> None:
    engine = Engine()
    order = await write_note(["a"], None, replaced=0)
    assert order.title == "Remove the notes?"
    report = await order.send(Session(engine))  # type: ignore[arg-type]
    assert engine.notes == {"a": None}
    assert report.sentence == "The note was removed from 1 incident."


async def test_incidents_that_have_closed_are_counted_and_those_without_an_answer_are_not_known() -> None:
    engine = Engine(closed={"b"}, unanswered={"c"})
    order = await write_note(["a", "b", "c"], "seen", replaced=0)
    report = await order.send(Session(engine))  # type: ignore[arg-type]
    assert report.sentence == (
        "The note was written on 1 incident; 1 incident left out: closed meanwhile, or refused; 1 incident not known."
    )
    assert (report.ink, report.changed) == ("warning", True)


async def test_many_are_told_of_while_it_goes_on() -> None:
    session = Session(Engine())
    order = await write_note([f"i{number}" for number in range(60)], "seen", replaced=0)
    await order.send(session)  # type: ignore[arg-type]
    assert [event.sentence for event in reversed(list(session.news))] == [
        "The note is written on 25 of 60 incidents …",
        "The note is written on 50 of 60 incidents …",
    ]


async def test_what_an_engine_that_stopped_answering_did_not_get_is_left() -> None:
    session = Session(Engine())
    session.connection.stale = True
    order = await write_note(["a", "b"], "seen", replaced=0)
    report = await order.send(session)  # type: ignore[arg-type]
    assert not report.changed
    assert "2 incidents left out" in report.sentence
