"""A console in a terminal reads through a proxy with faults: what line 1 says, and whether orders may be given."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retriage.store.demo_store import fill
from tests.acceptance.night_engine import PASSWORD, USER, NightEngine
from tests.support.fault_proxy import BROKEN_JSON, LOGIN_PAGE, STATUSES, WRONG_JSON, Answer, Cut, Drop, FaultProxy, page
from tests.support.terminal import Terminal

ANSWERS: dict[str, Answer | Drop | Cut] = {
    "no engine": LOGIN_PAGE,
    "no engine ": WRONG_JSON,
    "no engine  ": BROKEN_JSON,
    "no connection": Drop(),
    "no connection ": Cut(3),
}
"""Faults by the cause that line 1 names; blanks tell equal ones apart."""


WHY = re.compile(r"Nothing can be changed (until the engine answers|here until these rows can be read \(500\))\.")
"""What a key that would change something is answered."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    store = tmp_path_factory.mktemp("world") / "store.db"
    fill(str(store), 300, 7, lambda done: None)
    with NightEngine(store) as engine, FaultProxy(engine.address) as started:
        yield started


@pytest.fixture(scope="module")
def terminal(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with console(proxy, tmp_path_factory.mktemp("home"), PASSWORD) as started:
        live(started)
        yield started


@pytest.fixture(autouse=True)
def cleared(proxy: FaultProxy) -> Iterator[None]:
    yield
    proxy.faults.clear()


def console(proxy: FaultProxy, home: Path, password: str) -> Terminal:
    """A console that may change the engine at once."""
    command = [sys.executable, "-m", "retriage.console", "--engine", proxy.root, "--user", USER, "--env", "local"]
    return Terminal(command, 120, 30, {"RETRIAGE_HOME": str(home), "RETRIAGE_PASSWORD": password, "TMPDIR": str(home)})


def live(terminal: Terminal) -> None:
    terminal.wait(lambda: "● LIVE" in terminal.lines[0] and "charge-card" in terminal.text, "it is not live")


def stale(terminal: Terminal, cause: str) -> None:
    terminal.wait(
        lambda: re.search(rf"STALE \S+ {re.escape(cause)}, (again in|asking|r asks)", terminal.lines[0]),
        f"line 1 does not say that the rows are old because of {cause!r}",
    )


def orders_are_off(terminal: Terminal) -> None:
    assert "charge-card" in terminal.text, "the rows are gone"
    refused(terminal)


def refused(terminal: Terminal) -> None:
    """The keys that open a launch and an unlocking open nothing, and it is said why."""
    for key in "RU":
        terminal.quiet()
        terminal.press(key)
        terminal.wait(lambda: WHY.search(terminal.lines[-2]), f"it is not said why {key} opens nothing")
        assert "Cancel" not in terminal.text


def mend(terminal: Terminal, proxy: FaultProxy) -> None:
    proxy.faults.clear()
    terminal.press("r")
    live(terminal)


@pytest.mark.parametrize("status", STATUSES)
def test_a_page_in_the_engines_place_is_no_sign_of_life(terminal: Terminal, proxy: FaultProxy, status: int) -> None:
    proxy.faults.play(page(status))
    stale(terminal, str(status))
    orders_are_off(terminal)
    assert "LIVE" not in terminal.lines[0]
    mend(terminal, proxy)


@pytest.mark.parametrize("cause", ANSWERS)
def test_an_answer_that_is_none_of_an_engine_is_no_sign_of_life(
    terminal: Terminal, proxy: FaultProxy, cause: str
) -> None:
    proxy.faults.play(ANSWERS[cause])
    stale(terminal, cause.strip())
    orders_are_off(terminal)
    mend(terminal, proxy)


def test_an_engine_that_starts_anew(terminal: Terminal, proxy: FaultProxy) -> None:
    proxy.close_door()
    stale(terminal, "no connection")
    orders_are_off(terminal)
    proxy.open_door()
    mend(terminal, proxy)


@pytest.mark.parametrize("status", [429, 503])
def test_the_next_try_is_when_the_answer_told(terminal: Terminal, proxy: FaultProxy, status: int) -> None:
    proxy.faults.play(page(status, **{"Retry-After": "3000"}))
    terminal.wait(
        lambda: re.search(rf"STALE \S+ {status}, again in (49|50)m", terminal.lines[0]), "the wait is not told"
    )
    asked = len(proxy.faults.asked)
    terminal.read_for(3.0)
    assert len(proxy.faults.asked) <= asked + 6, "more was asked than was under way"
    mend(terminal, proxy)


def test_a_list_that_fails_alone_says_so_and_the_others_are_live(terminal: Terminal, proxy: FaultProxy) -> None:
    proxy.faults.play(page(500), on=r"^POST /engine-rest/external-task\?")
    terminal.wait_for("not read now: 500")
    terminal.wait_for("The engine answers again.")
    stale(terminal, "500")
    refused(terminal)
    terminal.press("5")
    terminal.wait(lambda: "● LIVE" in terminal.lines[0] and "[5 Jobs" in terminal.text, "the jobs are not live")
    terminal.press("1")
    stale(terminal, "500")
    mend(terminal, proxy)
    assert "not read now" not in terminal.text


def test_after_a_refused_login_nothing_is_asked_before_r_is_pressed(terminal: Terminal, proxy: FaultProxy) -> None:
    proxy.faults.play(page(401))
    terminal.wait(lambda: re.search(r"STALE \S+ 401, r asks", terminal.lines[0]), "line 1 does not wait for a key")
    terminal.quiet(1.0)
    asked = len(proxy.faults.asked)
    terminal.read_for(5.0)
    terminal.press("2", "j", "1", "j")
    terminal.read_for(2.0)
    assert len(proxy.faults.asked) == asked
    mend(terminal, proxy)


def test_one_wrong_password_is_one_failed_login(proxy: FaultProxy, tmp_path: Path) -> None:
    before = len(proxy.faults.asked)
    with console(proxy, tmp_path, "wrong") as terminal:
        terminal.wait(lambda: re.search(r"STALE \S+ 401, r asks", terminal.lines[0]), "line 1 does not say it")
        terminal.read_for(10.0)
        terminal.press("2", "3", "1")
        terminal.read_for(2.0)
        failed = [one for one in proxy.faults.asked[before:] if one.status == 401]
        assert len(failed) == 1, [one.path for one in failed]
        terminal.press("r")
        terminal.read_for(5.0)
        failed = [one for one in proxy.faults.asked[before:] if one.status == 401]
        assert len(failed) == 2, [one.path for one in failed]
        terminal.press("q")
        assert terminal.wait_for_end() == 0
