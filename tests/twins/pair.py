"""Both engines as one: a request goes to both, and the answers are compared."""

import asyncio
from collections import Counter

import httpx

from tests.twins.clock import Clock
from tests.twins.comparing import Difference, difference, page_differs
from tests.twins.known import reason
from tests.twins.symbols import Ask, Text
from tests.twins.twin import Twin

Answers = tuple[httpx.Response, httpx.Response]


class Tally:
    """How many answers were compared, by what was asked, and which differences were explained how often.

    ``gathered`` holds the differences of a run that goes on after them; none for a run that ends with the first.
    """

    def __init__(self, go_on: bool = False) -> None:
        self.gathered: list[Difference] | None = [] if go_on else None
        self.compared: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.explained: Counter[str] = Counter()
        self.orders: Counter[tuple[str, int]] = Counter()
        self.lists: Counter[bool] = Counter()

    def note(self, ask: Ask, purpose: str, answer: httpx.Response) -> None:
        """Count one comparison by the reference engine's answer."""
        self.compared[purpose] += 1
        self.statuses[answer.status_code] += 1
        if purpose == "order":
            path = ask.path.pattern if isinstance(ask.path, Text) else ask.path
            self.orders[f"{ask.method} {path}", answer.status_code] += 1
        elif purpose == "query" and ask.rows is not None and answer.status_code == 200:
            self.lists[bool(answer.json())] += 1

    @property
    def comparisons(self) -> int:
        """All of them."""
        return self.compared.total()


class Pair:
    """The store, and the engine that it is held against."""

    def __init__(self, ours: Twin, theirs: Twin, clock: Clock, tally: Tally) -> None:
        self.twins = (ours, theirs)
        self.clock = clock
        self.tally = tally

    async def both(self, ask: Ask) -> Answers:
        """The answers of both, not compared."""
        ours, theirs = await asyncio.gather(*(twin.send(ask) for twin in self.twins))
        return ours, theirs

    async def compare(self, ask: Ask, purpose: str) -> Answers:
        """The answers of both.

        Raises:
            Difference: they differ, and no known reason explains it.
        """
        answers = await self.both(ask)
        self.judge(ask, purpose, answers)
        return answers

    def judge(self, ask: Ask, purpose: str, answers: Answers) -> None:
        """Compare two answers that are there already.

        Raises:
            Difference: they differ, and no known reason explains it.
        """
        self._weigh(ask, purpose, answers, difference(ask, self.twins, answers))

    async def compare_page(self, ask: Ask, first: int | None, size: int | None) -> None:
        """Compare a list, then one of its pages. What is on a page depends on ids: each engine's page is held against
        the whole list of that engine.

        Raises:
            Difference: the lists or the pages differ, and no known reason explains it.
        """
        wholes = await self.compare(ask, "query")
        if wholes[0].status_code != 200 or wholes[1].status_code != 200:
            return
        params = {"firstResult": first, "maxResults": size}
        paged = Ask(
            ask.method,
            ask.path,
            {**ask.params, **{k: v for k, v in params.items() if v is not None}},
            ask.body,
            rows=ask.rows,
        )
        pages = await self.both(paged)
        problem: str | None = None
        for name, whole, page in zip(("store", "reference"), wholes, pages, strict=True):
            if page.status_code != 200:
                problem = f"the {name} refuses a page: {page.text[:300]}"
            elif found := page_differs(ask, whole.json(), page.json(), first or 0, size):
                problem = f"the {name}'s page is no page of its list: {found}"
        self._weigh(paged, "query", pages, problem)

    def _weigh(self, ask: Ask, purpose: str, answers: Answers, why: str | None) -> None:
        self.tally.note(ask, purpose, answers[1])
        if why is None:
            return
        explained = reason(ask, *answers)
        if explained is not None:
            self.tally.explained[explained] += 1
            return
        found = Difference(ask, why, answers)
        if self.tally.gathered is None or purpose != "query":
            raise found
        self.tally.gathered.append(found)
