"""Incidents by cause: full, narrow, empty, loading, hostile, silent; the members, the note, the details."""

from datetime import timedelta
from typing import Any

from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident
from tests.console import fake
from tests.snapshots.conftest import NARROW, WIDE, Picture
from tests.snapshots.hostile import Hostile
from tests.snapshots.night import RUNNING, Night, batch, failed_jobs
from tests.snapshots.stage import Stage
from tests.snapshots.stopped import MOMENT


class Outage(Night):
    """A night whose errors have a history: one grows, one fades, jobs fail beside the tasks."""

    def __init__(self, tasks: int = 1240) -> None:
        super().__init__(tasks)
        self.resolved = [one.id for one in self.records[::6]]
        self.running[RUNNING] = batch(RUNNING, 4740, 4740, 2105, 0, 4)
        self.all_jobs = failed_jobs()

    def _failed(self) -> list[Incident]:
        found = []
        for at, one in enumerate(super()._failed()):
            ago = timedelta(minutes=at * 180 / 744 if at % 7 % 4 else 4000 + at)
            note = "PSP outage, INC-4412" if at % 7 == 1 else None
            found.append(one.model_copy(update={"incident_timestamp": MOMENT - ago, "annotation": note}))
        return [*found, *(self._of_job(one.id, one.exception_message) for one in self.all_jobs)]

    def _of_job(self, id: str, message: str | None) -> Incident:
        return fake.incident(self.records[0]).model_copy(update={
            "id": f"j-{id}",
            "cause_incident_id": f"j-{id}",
            "incident_type": "failedJob",
            "configuration": id,
            "activity_id": None,
            "process_definition_id": None,
            "process_instance_id": None,
            "incident_message": message,
            "incident_timestamp": MOMENT - timedelta(minutes=38),
        })  # fmt: skip


class Quiet(Outage):
    """Nothing has failed."""

    def _failed(self) -> list[Incident]:
        return []


class Slow(Outage):
    """Only the first page comes."""

    async def incidents(self, query: Any, first: int, size: int) -> list[Incident]:
        if isinstance(query, IncidentQuery) and query.incident_timestamp_before is not None:
            await self._hold("incidents")
        return await super().incidents(query, first, size)


async def groups(stage: Stage) -> None:
    await stage.full()
    await stage.press("2")
    await stage.sees("exact", "again")
    await stage.full()


async def new(stage: Stage) -> None:
    await groups(stage)
    engine: Any = stage.app.session.connection.client
    more = [one.model_copy(update={"id": f"n-{one.id}", "incident_timestamp": MOMENT}) for one in engine._failed()[:40]]
    before = engine._failed
    engine._failed = lambda: [*before(), *more]
    screen: Any = stage.app.screen
    await screen.reader._poller.refresh()
    await stage.sees("NEW since you looked: 40")
    await stage.still()


async def empty(stage: Stage) -> None:
    await stage.full()
    await stage.press("2")
    await stage.sees("There are no open incidents.")
    await stage.still()


async def hostile(stage: Stage) -> None:
    await stage.full()
    await stage.press("2")
    await stage.sees("exact")
    await stage.full()


async def loading(stage: Stage) -> None:
    await stage.full()
    engine: Any = stage.app.session.connection.client
    engine.held_back.add("incidents")
    await stage.press("2")
    await stage.sees("so far")
    await stage.still(working=True)


async def silent(stage: Stage) -> None:
    await groups(stage)
    engine: Any = stage.app.session.connection.client
    engine.gone = True
    screen: Any = stage.app.screen
    await screen.reader._poller.refresh()
    await stage.sees("STALE")
    await stage.still()


async def members(stage: Stage) -> None:
    await groups(stage)
    await stage.press("enter")
    await stage.sees("Members of:")
    await stage.full()


async def details(stage: Stage) -> None:
    await groups(stage)
    await stage.press("e")
    await stage.sees("SocketException")
    await stage.still()


async def variables(stage: Stage) -> None:
    await stage.full()
    await stage.press("d")
    await stage.sees("variables")
    await stage.still()


def test_groups(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Outage(), size, groups)


def test_groups_on_a_small_window_with_all_panes(picture: Picture) -> None:
    assert picture(Outage(), (100, 30), groups)


def test_new_since_you_looked(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Outage(), size, new)


def test_hostile_groups(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Hostile(), size, hostile)


def test_no_incidents(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Quiet(), size, empty)


def test_not_everything_is_read_yet(picture: Picture) -> None:
    assert picture(Slow(), WIDE, loading)


def test_the_engine_does_not_answer(picture: Picture) -> None:
    assert picture(Outage(), WIDE, silent)


def test_members(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Outage(), size, members)


def test_details_of_one(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Outage(), size, details)


def test_variables_of_a_task(picture: Picture) -> None:
    assert picture(Outage(), NARROW, variables)
