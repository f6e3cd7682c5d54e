"""How often an engine is asked for a snapshot, and what is asked once more."""

import pytest

from retriage.console.engine.errors import EngineProblem, NotThere, Slow, Unreachable
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.snapshots.questions import PAGE_EVERY, PAUSE, SMALL_EVERY, TRIES, PacedQuestions
from tests.console.fake import FakeEngine


class Waits:
    """Waits for nothing, and knows how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def session() -> Session:
    made = Session(ConnectionIdentity("TEST"))
    made.connection.client = FakeEngine()  # type: ignore[assignment]
    made.connection._opened.set()
    return made


async def answer(client: object) -> int:
    return 7


async def test_a_page_a_second_and_twenty_small_things(session: Session) -> None:
    waits = Waits()
    questions = PacedQuestions(session, polite=True, sleep=waits)
    for _ in range(4):
        assert await questions.page(answer) == 7
    for _ in range(3):
        assert await questions.small(answer) == 7
    # The clock stands nearly still here: what is waited for adds up.
    assert waits.seconds == pytest.approx([PAGE_EVERY, 2 * PAGE_EVERY, 3 * PAGE_EVERY, SMALL_EVERY, 2 * SMALL_EVERY],
                                          abs=0.5)  # fmt: skip


async def test_an_engine_in_this_process_is_not_waited_for(session: Session) -> None:
    waits = Waits()
    questions = PacedQuestions(session, polite=False, sleep=waits)
    for _ in range(4):
        await questions.page(answer)
    assert waits.seconds == []


@pytest.mark.parametrize("problem", [Unreachable("Gone."), Slow("No answer.")])
async def test_what_was_not_answered_is_asked_again(session: Session, problem: EngineProblem) -> None:
    waits, asked = Waits(), 0

    async def late(client: object) -> int:
        nonlocal asked
        asked += 1
        if asked < TRIES:
            raise problem
        return asked

    assert await PacedQuestions(session, polite=False, sleep=waits).page(late) == TRIES
    assert waits.seconds == [PAUSE] * (TRIES - 1)
    asked = -100
    with pytest.raises(EngineProblem):
        await PacedQuestions(session, polite=False, sleep=waits).page(late)


@pytest.mark.parametrize(("type", "asked_times"), [("NotFound", 1), (None, TRIES)])
async def test_a_refusal_of_the_engine_is_an_answer(session: Session, type: str | None, asked_times: int) -> None:
    asked = 0

    async def refused(client: object) -> int:
        nonlocal asked
        asked += 1
        raise NotThere("It is gone.", 404, type)

    questions = PacedQuestions(session, polite=False, sleep=Waits())
    if type is None:  # the page of a proxy
        with pytest.raises(NotThere):
            await questions.if_shown(questions.small(refused))
    else:
        assert await questions.if_shown(questions.small(refused)) is None
    assert asked == asked_times
