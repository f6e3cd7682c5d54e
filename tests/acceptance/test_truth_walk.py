"""The truth walk: a night at which nothing goes as it should, and every figure that was shown of it.

Providers stall, failures leave retry times, other hands take retries away, delete and suspend; the engine's clock is
ten minutes off, its history is kept in part or hidden from the operator. Commands, journal and screen show figures all
the while; afterwards each is compared with what workers did and what the engine had in the same window of time.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance.night_engine import PASSWORD, USER, NightEngine
from tests.acceptance.test_run_night import PROFILE, Shell
from tests.acceptance.truth_books import FINAL, Books
from tests.acceptance.truth_crew import EXPIRED, Crew
from tests.acceptance.truth_night import FATES, FIGURES, WORLD, Night, Told
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support import turned_store
from tests.support.terminal import Terminal

SETTLING = 90.0
"""Seconds within which the figures of a run have to follow what became of its tasks."""
BOSS = ("boss", "b0ss")
BATCH, DEFINITION, INSTANCE = 13, 6, 8


# -- what happens -----------------------------------------------------------------------------------------------------


def stall(night: Night) -> int:
    """No wave of a provider that stalls passes, and released ones are not passed."""
    command = night.order("stalling", "10,25,rest", "--gate", "20%", "--watch", "90s")
    assert command.end() == (6, "failed-again")
    run = command.run
    for _ in range(2):
        assert night.resume(run, "stalling").end() == (6, "failed-again")
    assert night.resume(run, "stalling").end()[0] == 8
    return run


def two_humps(night: Night) -> int:
    command = night.order("bimodal", "12,rest", "--gate", "25%", "--watch", "90s")
    assert command.end()[0] == 0
    return command.run


def retries_left(night: Night) -> int:
    command = night.order("twice", "rest", "--gate", "50%", "--watch", "90s", "--retries", "2")
    assert command.end()[0] == 0
    return command.run


def retry_time(night: Night) -> int:
    """Nobody holds tasks that wait for their retry time: they are sent, and held until it is over or taken off."""
    command = night.order("delayed", "rest", "--gate", "10%", "--watch", "40s")
    assert command.end() == (6, "retry-time")
    assert len(night.wave(command.run)) == WORLD["delayed"][0], "tasks were left out that nobody holds"
    night.crew.unlock(night.wave(command.run)[:10])
    assert night.resume(command.run, "delayed").end()[0] == 8
    return command.run


def other_hands(night: Night) -> int:
    """Retries taken away by hand are no failures, and deleted instances none either."""
    command = night.order("hands", "12,rest", "--gate", "10%", "--watch", "40s")
    command.until(1, "watching")
    ids = night.wave(command.run, 1)
    night.wait(lambda: night.are_set(ids), "wave 1 is not set")
    night.crew.set_back(ids[:6])
    night.crew.cancel(ids[6:9])
    assert command.end() == (6, "nobody-works")
    assert not night.books.taken(ids)
    return command.run


def deleted_batch(night: Night) -> int:
    with ThreadPoolExecutor(1) as hand:
        seen = hand.submit(night.crew.batch_over, WORLD["deleted"][0])
        command = night.order("deleted", "rest", "--gate", "10%", "--watch", "90s")
        command.until(1, "watching")
        batch = seen.result(timeout=60)
        assert batch is not None, "it ended before it could be suspended"
        time.sleep(1.5)  # jobs that were running meanwhile
        night.crew.ask("DELETE", f"/batch/{batch}", params={"cascade": "false"})
        code, cause = command.end()
    assert code == 6
    assert cause == "batch-deleted" or not night.books.kept
    return command.run


def suspended_batch(night: Night) -> int:
    with ThreadPoolExecutor(1) as hand:
        seen = hand.submit(night.crew.batch_over, WORLD["paused"][0])
        command = night.order("paused", "rest", "--gate", "10%", "--watch", "40s")
        assert command.end() == (6, "batch-suspended")
        assert seen.result(timeout=60) is not None
    return command.run


def suspended_instances(night: Night) -> int:
    command = night.order("instances", "rest", "--gate", "10%", "--watch", "40s")
    command.until(1, "watching")
    ids = night.wave(command.run, 1)
    night.wait(lambda: night.are_set(ids), "it is not set")
    night.crew.suspend(ids)
    assert command.end() == (6, "instances-suspended")
    return command.run


def slow_worker(night: Night) -> int:
    """A worker keeps tasks: undo leaves them alone, whatever the engine's clock says."""
    command = night.order("slow", "rest", "--gate", "10%", "--watch", "40s")
    command.until(1, "watching")
    ids = night.wave(command.run, 1)
    night.wait(lambda: night.are_set(ids), "it is not set")
    night.crew.lock(ids[:8])
    assert command.end() == (6, "still-locked")
    code, (plan,), _ = night.shell.run("undo", str(command.run), "--profile", PROFILE, "--json")
    assert (code, plan["back"]) == (4, {"0": 4})
    assert sum(plan["leftAlone"].values()) == 8
    return command.run


Happening = Callable[[Night], int]
HAPPENINGS: dict[Happening, tuple[str, float]] = {
    stall: ("stalling", 0.2), retry_time: ("delayed", 0.1), other_hands: ("hands", 0.1), slow_worker: ("slow", 0.1),
    two_humps: ("bimodal", 0.25), retries_left: ("twice", 0.5), deleted_batch: ("deleted", 0.1),
    suspended_batch: ("paused", 0.1), suspended_instances: ("instances", 0.1),
}  # fmt: skip
"""What happens at the same time, over which topic, and the limit of its gate. Each answers the number of its run."""
MOST_TELLING = (stall, retry_time, other_hands, slow_worker)
"""What happens on engines beside the reference."""


def look_at_screen(night: Night) -> None:
    """Read the page of a run on the screen until the night is over, now of this one, now of that."""
    environment = {"RETRIAGE_HOME": str(night.shell.journal.parent), "BPM_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "retriage.console", "--profile", PROFILE]
    with Terminal(command, 200, 50, environment) as terminal:
        terminal.wait_for("SAFE")
        turned = 0.0
        while not night.over.is_set():
            if time.time() - turned > 6:
                terminal.press("\x1b", "7")
                turned = time.time()
            terminal.read_for(1.0)
            night.told += waves_on(terminal.lines)
        terminal.press("\x1b", "q")
        terminal.read_for(1.0)


WAVE = re.compile(
    r"^\W*(?P<wave>\d+) +(?P<tasks>[\d,]+) +(?P<state>\S+(?: to come)?) +[━!×?▪─·]+ +(?P<numbers>(?:(?:-|[\d,]+) +){6})"
)
ON_SCREEN = ("done", "again", "waiting", "locked", "unknown", "out")


def waves_on(lines: Sequence[str]) -> list[Told]:
    """The waves of the run whose page is shown."""
    title = next((one for line in lines if (one := re.search(r"\bRUN (\d+)\b", line))), None)
    if title is None:
        return []
    run, read, found = int(title[1]), time.time(), list[Told]()
    header = next((line for line in lines if re.search(r"\bagain\b.*\bas of\b", line)), "")
    for line in lines:
        row = WAVE.match(line)
        if row is None or row["state"] in ("sending", "to"):
            continue
        where = f"screen: run {run} wave {row['wave']}"
        numbers = [int(one.replace(",", "")) if one != "-" else 0 for one in row["numbers"].split()]
        told = dict(zip(ON_SCREEN, numbers, strict=True))
        place = header.find("as of")
        shown = re.match(r"\d\d:\d\d:\d\d", line[place:]) if place >= 0 else None
        if shown is None:
            if place >= 0 and not any(numbers):
                continue  # not looked at yet: there is no figure
            where += f", without a time: {line.strip()!r}"
        at = _today(shown[0], read) if shown is not None else None
        found.append(Told(read, where, told, at, run, int(row["wave"])))
    return found


def _today(clock: str, read: float) -> float:
    """A time of the day, shown a moment ago."""
    hours, minutes, seconds = map(int, clock.split(":"))
    at = read - read % 86_400 + 3600 * hours + 60 * minutes + seconds
    return at if at <= read + 1 else at - 86_400


# -- engines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """An engine, how it keeps history, and what else is odd about it.

    Attributes:
        kind: a real one; without it the embedded store.
        level: history level.
        ahead: seconds by which its clock is ahead.
        rights: the operator has few rights: none to read the history.
        whole: everything happens; otherwise the most telling parts.
    """

    kind: camunda.EngineKind | None
    level: str = "full"
    ahead: int = 0
    rights: bool = False
    whole: bool = False

    @property
    def kept(self) -> bool:
        """The operator can know how tasks ended."""
        return self.level != "none" and not self.rights


@contextmanager
def engine(setting: Setting, folder: Path) -> Iterator[tuple[httpx.Client, str]]:
    """The engine, as its administrator sees it, and its address."""
    if setting.kind is None:
        settings = {"RETRIAGE_RUNNER_SET_SIZE": "5", "RETRIAGE_BATCH_JOBS_PER_SEED": "5"}
        settings |= {"RETRIAGE_RUNNER_IDLE_SECONDS": "1", turned_store.AHEAD: str(setting.ahead)}
        with NightEngine(folder / "store.db", settings, turned_store.__name__) as store:
            yield store.http, store.root
        return
    if why := camunda.what_is_missing(configured=True, kind=setting.kind):
        pytest.skip(why)
    options = {**camunda.EAGER, **camunda.slicing(5, 1), "camunda.bpm.history-level": setting.level}
    options |= camunda.turned_clock(setting.ahead)
    if setting.rights:
        options |= camunda.guarded((USER, PASSWORD)) | {"camunda.bpm.authorization.enabled": "true"}
        options |= {"camunda.bpm.admin-user.id": BOSS[0], "camunda.bpm.admin-user.password": BOSS[1]}
    with (
        camunda.running(folder / "engine.log", options, kind=setting.kind, timed=True) as root,
        httpx.Client(base_url=root, auth=BOSS if setting.rights else None, timeout=60, trust_env=False) as http,
    ):
        if setting.rights:
            for resource, permissions in (
                (INSTANCE, ["READ", "UPDATE"]), (DEFINITION, ["READ", "READ_INSTANCE"]), (BATCH, ["CREATE", "READ"]),
            ):  # fmt: skip
                body = {"type": 1, "userId": USER, "resourceId": "*", "resourceType": resource}
                answer = http.post("/authorization/create", json={**body, "permissions": permissions})
                assert answer.is_success, answer.text
        yield http, root


BEHIND = -600
REAL = [
    pytest.param(Setting(camunda.REFERENCE, ahead=BEHIND, whole=True), id="camunda-7.24.0, full, behind"),
    pytest.param(Setting(camunda.REFERENCE, "none"), id="camunda-7.24.0, none"),
    pytest.param(Setting(camunda.REFERENCE, rights=True), id="camunda-7.24.0, few rights"),
    pytest.param(Setting(camunda.OLD, "activity"), id="camunda-7.21.0, activity"),
    pytest.param(Setting(camunda.OPERATON, "audit", -BEHIND), id="operaton-1.0.3, audit, ahead"),
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(Setting(None, ahead=BEHIND), id="store, behind", marks=pytest.mark.long),
        *(pytest.param(*one.values, id=one.id, marks=pytest.mark.engine) for one in REAL),
    ],
)
def test_every_figure_of_the_night_is_true(setting: Setting, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with engine(setting, tmp_path) as (http, root):
        books = Books(setting.kept, EXPIRED)
        crew = Crew(http, books, setting.ahead, FATES)
        happenings = tuple(HAPPENINGS) if setting.whole else MOST_TELLING
        topics = [HAPPENINGS[one][0] for one in happenings]
        for topic in topics:
            drawing = Drawing(topic, [Step("Charge", topic)])
            crew.ask("POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        crew.fill({topic: WORLD[topic] for topic in topics})
        night = Night(crew, books, Shell(home, root))
        with ThreadPoolExecutor(len(happenings) + 2) as pool, ExitStack() as stack:
            stack.callback(crew.go_home)
            crew.begin()
            stack.callback(night.leave)
            watchers = [pool.submit(night.read_journal), pool.submit(look_at_screen, night)]
            lies = walk(night, pool, happenings)
            night.leave()
            for one in watchers:
                one.result(timeout=60)
        books.close()
        lies += figures_that_lie(night)
        assert not lies, "\n".join(lies)


def walk(night: Night, pool: ThreadPoolExecutor, happenings: Sequence[Happening]) -> list[str]:
    """Let everything happen; what is not so, apart from figures, or has failed."""
    lies: list[str] = []
    done: list[int] = []
    runs = {what: pool.submit(what, night) for what in happenings}
    for what, running in runs.items():
        try:
            done.append(running.result(timeout=300))
        except (AssertionError, TimeoutError, httpx.HTTPError) as failed:
            lies.append(f"{what.__name__}: {failed!r}")
    worked_on = [id for run in done for id in night.wave(run) if night.crew.topics[id] in FATES]
    night.wait(lambda: all(_over(night, id) for id in worked_on), "the workers do not end")
    night.read_runs()
    follow(night, lies)
    night.read_runs()
    limits = dict(HAPPENINGS.values())
    return lies + night.passes({one.run: limits[one.topic] for one in night.commands}) + night.outcomes()


def follow(night: Night, lies: list[str]) -> None:
    """Figures go on until they are what became of the tasks."""
    settled, wrong = time.time(), [""]
    while wrong and time.time() < settled + SETTLING:
        time.sleep(1.0)
        now = time.time()
        wrong = [
            lie
            for one in night.journal()
            for lie in night.books.lies(one.what, night.wave(one.run, one.wave), now, now, one.where, FIGURES)
        ]
    lies += [f"{SETTLING:g} s after nothing happens any more, {lie}" for lie in wrong]


def _over(night: Night, id: str) -> bool:
    state = night.books.now(id)
    return state in FINAL or state in ("unknown", "delayed")


def figures_that_lie(night: Night) -> list[str]:
    """What of all figures is not so: how often, and the first time, for each place that shows some."""
    places: dict[str, list[str]] = {}
    for one in night.told:
        for lie in night.lies(one):
            places.setdefault(one.where, []).append(lie)
    ways = ("--json", "runs --json", "journal", "screen")
    silent = [f"{way} showed no figure" for way in ways if not any(one.where.startswith(way) for one in night.told)]
    return silent + [f"{len(some)} x {some[0]}" for some in places.values()]
