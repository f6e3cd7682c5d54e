"""A launch whose answer is not the engine's, at a terminal: never told as refused, and looked for until it is known."""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.night_engine import PASSWORD, USER, NightEngine
from tests.support.fault_proxy import LOGIN_PAGE, Answer, Drop, FaultProxy, page
from tests.support.terminal import Terminal

LAUNCH = "^POST .*/retries-async"
BATCHES = "^GET .*/(batch/statistics|history/batch)"
PATIENCE = 120.0
"""Seconds: the batch is looked for five times, two seconds apart, before the operator works on."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[NightEngine]:
    settings = {"RETRIAGE_RUNNER_IDLE_SECONDS": "1"}
    from retriage.store.demo_store import fill

    fill(str(tmp_path / "store.db"), 300, 7, lambda done: None)
    with NightEngine(tmp_path / "store.db", settings) as night:
        yield night


@pytest.fixture
def proxy(engine: NightEngine) -> Iterator[FaultProxy]:
    with FaultProxy(engine.address) as between:
        yield between


def console(folder: Path, proxy: FaultProxy) -> Terminal:
    """The console before the proxy; the same home every time. It is ended as a lost connection ends it."""
    command = [sys.executable, "-m", "retriage.console", "--engine", proxy.root, "--user", USER, "--env", "test"]
    environment = {"RETRIAGE_HOME": str(folder / "home"), "RETRIAGE_PASSWORD": PASSWORD, "TMPDIR": str(folder)}
    return Terminal(command, 120, 30, environment)


def launch(terminal: Terminal, proxy: FaultProxy, blind: bool = False) -> None:
    """Retry everything without retries; ``blind`` if no batch can be listed any more once it is sent."""
    send(terminal, proxy, blind)
    is_looked_for(terminal)


def send(terminal: Terminal, proxy: FaultProxy, blind: bool = False) -> None:
    """The keys of :func:`launch`, until the order was sent."""
    terminal.wait_for("charge-card")
    terminal.press("/")
    terminal.type("retries:0")
    terminal.press("\r")
    terminal.wait_for("match of")
    terminal.press("A", "R", "3")
    terminal.wait_for('"retries": 3')
    terminal.quiet(1.0)
    terminal.press("L")
    terminal.wait(lambda: proxy.faults.count(LAUNCH), "it was not sent")
    if blind:
        proxy.faults.play(page(502), on=BATCHES)


def is_looked_for(terminal: Terminal) -> None:
    """The launch has no answer, that is said, and nothing else is."""
    terminal.wait_for("Looking for its batch", PATIENCE)
    assert "Not known whether the launch of the batch was carried out" in words(terminal)
    assert "refused" not in terminal.text.lower()


def words(terminal: Terminal) -> str:
    """The screen as one line, however it was broken."""
    return " ".join(terminal.text.split())


def one_launch(folder: Path) -> tuple[str, str | None]:
    """State and batch of the only launch in the journal."""
    (file,) = (folder / "home").glob("**/journal*.db")
    with closing(sqlite3.connect(file, timeout=30)) as journal, journal:
        (row,) = journal.execute("SELECT state, batch_id FROM launch").fetchall()
    journal.close()
    return row[0], row[1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "fault",
    [
        page(500, passed_on=True),
        page(404, passed_on=True),
        page(302, passed_on=True),
        page(429, passed_on=True),
        LOGIN_PAGE,
        Drop(passed_on=True),
    ],
    ids=["500", "404", "302", "429", "login page", "dropped"],
)
def test_a_launch_that_was_carried_out_is_never_told_as_refused(
    tmp_path: Path, engine: NightEngine, proxy: FaultProxy, fault: Answer | Drop
) -> None:
    if fault is LOGIN_PAGE:
        fault = Answer(200, LOGIN_PAGE.content, passed_on=True)
    with console(tmp_path, proxy) as terminal:
        proxy.faults.play(fault, on=LAUNCH)
        launch(terminal, proxy)
        (batch,) = engine.batches()
        known = ("launched", batch["id"])
        terminal.wait(lambda: one_launch(tmp_path) == known, "the journal does not know its batch", PATIENCE)
        terminal.wait(lambda: "now proven" in words(terminal) or "launched" in words(terminal), "nothing proved it")
        assert "refused" not in terminal.text.lower()
        assert proxy.faults.count(LAUNCH) == 1, "it was sent twice"


@pytest.mark.timeout(600)
def test_after_a_401_it_is_looked_for_as_soon_as_the_operator_lets_it_ask_again(
    tmp_path: Path, engine: NightEngine, proxy: FaultProxy
) -> None:
    with console(tmp_path, proxy) as terminal:
        proxy.faults.play(page(401, passed_on=True), on=LAUNCH)
        send(terminal, proxy)
        terminal.wait(lambda: re.search(r"STALE \S+ 401, r asks", terminal.lines[0]), "line 1 does not wait for a key")
        terminal.wait_for("Could not look for it", PATIENCE)
        # The look may end in the frame that it began in: that it began stands among the events.
        terminal.press("m")
        is_looked_for(terminal)
        terminal.press("\x1b")
        asked = len(proxy.faults.asked)
        terminal.read_for(6.0)
        assert len(proxy.faults.asked) == asked, "it was asked on with a login that was refused"
        assert one_launch(tmp_path) == ("unknown", None)
        terminal.press("r")
        (batch,) = engine.batches()
        known = ("launched", batch["id"])
        terminal.wait(lambda: one_launch(tmp_path) == known, "the journal does not know its batch", PATIENCE)
        assert "refused" not in terminal.text.lower()
        assert proxy.faults.count(LAUNCH) == 1, "it was sent twice"


@pytest.mark.timeout(600)
def test_what_could_not_be_looked_for_is_found_after_the_next_start(
    tmp_path: Path, engine: NightEngine, proxy: FaultProxy
) -> None:
    with console(tmp_path, proxy) as terminal:
        proxy.faults.play(page(524, passed_on=True), on=LAUNCH)
        launch(terminal, proxy, blind=True)
        terminal.wait_for("Could not look for it", PATIENCE)
        assert "no such batch" not in terminal.text
        assert one_launch(tmp_path) == ("unknown", None)
        terminal.press("6")
        terminal.wait_for("could not look yet")
    proxy.faults.clear()
    (batch,) = engine.batches()
    with console(tmp_path, proxy) as terminal:
        known = ("launched", batch["id"])
        terminal.wait(lambda: one_launch(tmp_path) == known, "the journal does not know its batch", PATIENCE)
        terminal.press("6")
        terminal.wait_for("ended")
    assert proxy.faults.count(LAUNCH) == 1


@pytest.mark.timeout(600)
def test_what_was_not_carried_out_is_known_when_its_time_is_over(
    tmp_path: Path, engine: NightEngine, proxy: FaultProxy
) -> None:
    before = engine.retries()
    with console(tmp_path, proxy) as terminal:
        proxy.faults.play(page(504), on=LAUNCH)
        launch(terminal, proxy)
        terminal.wait_for("its batch was not there", PATIENCE)
    (file,) = (tmp_path / "home").glob("**/journal*.db")
    with closing(sqlite3.connect(file, timeout=30)) as journal, journal:
        journal.execute("UPDATE launch SET sent_at = sent_at - 11 * 60 * 1000")
    journal.close()
    proxy.faults.clear()
    body = {"retries": 0, "externalTaskIds": [next(id for id, has in before.items() if has == 0)]}
    engine.order("POST", "/external-task/retries-async", body)
    with console(tmp_path, proxy) as terminal:
        terminal.wait(lambda: "was not carried out: no such batch" in words(terminal), "it was not settled", PATIENCE)
        assert one_launch(tmp_path) == ("not_carried_out", None)
        terminal.press("6")
        terminal.wait_for("not done")
        terminal.press("Z")
        terminal.wait_for("has changed nothing")
    assert engine.retries() == before
