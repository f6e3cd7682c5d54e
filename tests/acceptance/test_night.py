"""One night, key by key: the operator of a production engine finds an outage, retries it, sees whether it helped."""

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from retriage.store.demo_store import fill
from tests.acceptance.launch_key import press_launch
from tests.acceptance.night_engine import EXPIRED, OUTAGE, PASSWORD, USER, NightEngine, Record
from tests.support.lossy import Lossy
from tests.support.terminal import Terminal

pytestmark = pytest.mark.timeout(600)
PROFILE = "bpm-prod"
REASON = "PSP is back, INC-4412"
NOTE = "cards have expired: leave them"
SIZES = [(100, 30), (80, 24)]
AT_WORK = r"❯ +(seed|execute) .* [1-9]?\d% "
DELAYED, RAISED, GONE, FAILING = 5, 4, 3, 3


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> "dict[int, Path]":
    """Stores with a demo world, by the number of their tasks; each test works on a copy. Nobody else has ordered
    anything yet: every batch there is belongs to the night."""
    folder = tmp_path_factory.mktemp("worlds")
    made = {}
    for tasks in (900, 3000):
        made[tasks] = folder / f"{tasks}.db"
        fill(str(made[tasks]), tasks, 7, lambda done: None, batches=False)
    return made


def served(worlds: "dict[int, Path]", tasks: int, folder: Path, **settings: str) -> NightEngine:
    """An engine on a world of its own."""
    store = folder / "store.db"
    shutil.copy(worlds[tasks], store)
    return NightEngine(store, {"RETRIAGE_RUNNER_IDLE_SECONDS": "1", **settings})


def console(folder: Path, root: str, columns: int, rows: int) -> Terminal:
    """The console on a profile of the operator's."""
    home = folder / "home"
    home.mkdir()
    (home / "profiles.toml").write_text(
        f'[{PROFILE}]\nurl = "{root}"\nenvironment = "prod"\nuser = "{USER}"\npassword_env = "BPM_PASSWORD"\n'
    )
    command = [sys.executable, "-m", "retriage.console", "--profile", PROFILE]
    environment = {"RETRIAGE_HOME": str(home), "BPM_PASSWORD": PASSWORD, "TMPDIR": str(folder)}
    return Terminal(command, columns, rows, environment)


@dataclass
class Group:
    """The tasks of the outage, as the engine knows them."""

    ids: set[str]
    delayed: set[str] = field(default_factory=set)
    suspended: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    @property
    def launched(self) -> set[str]:
        """Those that the launch takes."""
        return self.ids - self.raised - self.gone

    @property
    def free(self) -> list[str]:
        """Those that a worker gets once they are retried."""
        return sorted(self.launched - self.delayed - self.suspended)


def outage(engine: NightEngine) -> Group:
    """The group that the night is about; a few of its tasks wait for their retry time."""
    tasks = engine.tasks()
    group = Group({one["configuration"] for one in engine.incidents(OUTAGE)})
    assert len(group.ids) > 100
    assert {tasks[id]["retries"] for id in group.ids} == {0}
    group.suspended = {id for id in group.ids if tasks[id]["suspended"]}
    assert group.suspended
    group.delayed = set(group.free[:DELAYED])
    for id in group.delayed:
        engine.fail_with_retry_time(id, "payments-9", tasks[id]["errorMessage"])
    return group


def others_interfere(engine: NightEngine, group: Group) -> None:
    """What may happen between the list and the launch: a few tasks get retries, a few are done."""
    group.raised, group.gone = set(group.free[:RAISED]), set(group.free[RAISED : RAISED + GONE])
    for id in group.raised:
        engine.order("PUT", f"/external-task/{id}/retries", {"retries": 3})
    for id in group.gone:
        engine.lock(id, "payments-2")
        engine.complete(id, "payments-2")


def shown(terminal: Terminal, number: int, words: str) -> None:
    """Wait until a number stands before some words."""
    terminal.wait(lambda: re.search(rf"(?<![\d,]){number:,} +{words}", terminal.text), f"{number:,} {words}: not shown")


def find_the_outage(terminal: Terminal, group: Group) -> None:
    """View 2; the largest group is the outage, and its messages are read."""
    terminal.wait_for("SAFE")
    terminal.wait_for("charge-card")
    first = terminal.lines[0]
    assert "PROD" in first
    assert PROFILE in first
    assert USER in first
    terminal.press("2")
    terminal.wait_for("exact")
    terminal.wait(lambda: re.search(rf"❯ +{len(group.ids)} .*HTTP 503", terminal.text), "the outage is not on top")
    terminal.press("e")
    terminal.wait_for("ProviderException")
    terminal.press("\x1b")
    terminal.wait(lambda: re.search(r"request [0-9a-f-]{13}, \d+", terminal.text), "no raw message is shown")
    read = {raw(terminal)}
    for _ in range(2):
        terminal.press("n")
        terminal.wait(lambda: raw(terminal) not in read, "n shows no other message")
        read.add(raw(terminal))


def raw(terminal: Terminal) -> str:
    """The number of the request in the message that is shown."""
    found = re.search(r"request ([0-9a-f-]{13})", terminal.text)
    return found[1] if found else ""


def open_the_launch(terminal: Terminal, engine: NightEngine, group: Group) -> None:
    """The launch dialog tells what would become of each task of the group, and that is the truth."""
    terminal.press("p")
    terminal.wait_for("PAUSED")
    others_interfere(engine, group)
    terminal.press("R")
    terminal.wait_for(f"Retry {len(group.launched)} tasks")
    shown(terminal, len(group.launched), "tries 0 -> 1")
    shown(terminal, DELAYED, r"in retry time until \d\d:\d\dZ")
    shown(terminal, len(group.suspended), "of them suspended")
    shown(terminal, RAISED, r"now have 3 tries +3 -> 1 LOWERED")
    shown(terminal, GONE, "gone since listing +would wedge the batch")
    shown(terminal, len(group.launched), "tasks in the launch")
    terminal.wait_for("exactly these tasks")
    terminal.wait_for("❯ Cancel")


def arm(terminal: Terminal) -> None:
    """The safety goes off when the engine's name is typed."""
    terminal.press("!")
    terminal.wait_for("Type the engine's name: " + PROFILE)
    terminal.type(PROFILE)
    terminal.wait(lambda: terminal.bold("Take it off enter"), "the name does not count")
    terminal.press("\r")
    terminal.wait(lambda: re.search(r"ARMED \d+[ms]", terminal.lines[0]), "the first line does not say ARMED")


def launch(terminal: Terminal, engine: NightEngine, group: Group) -> Record:
    """The reason, the safety, the count; then the batch is on its way."""
    terminal.press("\x1b[A", "\x1b[A")
    terminal.type(REASON)
    terminal.wait_for(REASON)
    terminal.press("\r", "\r")
    terminal.wait(lambda: "SAFE: this is PROD." in terminal.text, "it is not said why nothing is launched")
    assert engine.batches() == []
    arm(terminal)
    terminal.wait_for("Launch")
    terminal.type(f"{len(group.launched)}\r")
    press_launch(terminal)
    terminal.wait_for(f"launched: {len(group.launched)} jobs")
    (batch,) = engine.batches()
    return batch


def check_what_was_set(engine: NightEngine, group: Group, batch: Record, before: dict[str, int | None]) -> None:
    """Exactly the tasks of the group have new retries, in the operator's name."""
    assert batch["createUserId"] == USER
    assert batch["totalJobs"] == len(group.launched)
    assert engine.retries() == before | dict.fromkeys(group.launched, 1)
    assert engine.incidents(OUTAGE) == []
    entries = engine.get("/history/user-operation", operationType="SetExternalTaskRetries")
    ours = [entry for entry in entries if entry["userId"] == USER and entry["property"] == "retries"]
    assert any(entry["newValue"] == "1" for entry in ours)


def watch(terminal: Terminal, engine: NightEngine, group: Group, before: dict[str, int | None], batch: Record) -> None:
    """View 4: the retries are set; then a worker takes the tasks, and a few fail anew."""
    terminal.press("4")
    terminal.wait_for("[4 Batch")
    terminal.press("p")
    terminal.wait(lambda: re.search(r"❯ +(execute|close|ended) ", terminal.text), "the batch is not in the list")
    terminal.press("\r")
    terminal.wait_for("Did it help?" if "Did it help?" in terminal.text else "did it help?")
    terminal.wait_for(f"ended: all {len(group.launched)} jobs done")
    terminal.wait_for("100%")
    tells(terminal, {"done": 0, "again": 0, "waiting": len(group.launched) - DELAYED, "retry time": DELAYED})
    check_what_was_set(engine, group, batch, before)

    failing = set(group.free[:: len(group.free) // FAILING][:FAILING])
    worked = engine.work(set(group.free), failing)
    done, waiting = len(group.free) - FAILING, len(group.suspended)
    tells(terminal, {"done": done, "waiting": waiting, "retry time": DELAYED, "again": FAILING})
    worked.result()
    terminal.wait_for(f"NEW error: {EXPIRED}")


def tells(terminal: Terminal, work: dict[str, int]) -> None:
    """Wait until the screen says how many tasks are in which state."""

    def said() -> dict[str, int]:
        found = {state: re.search(rf"\b{state} +([\d,]+)", terminal.text) for state in work}
        return {state: int(one[1].replace(",", "")) for state, one in found.items() if one is not None}

    terminal.wait(lambda: dict.fromkeys(work, 0) | said() == work, f"it is not {work}")


def look_at_the_new_error(terminal: Terminal, engine: NightEngine) -> None:
    """The three tasks behind the news, then their group: it gets a note."""
    terminal.press("g")
    terminal.wait(lambda: re.search(rf"❯ .*NEW error: {EXPIRED}", terminal.text), "the event is not under the cursor")
    terminal.press("\r")
    terminal.wait_for(f"again {FAILING}]")
    terminal.wait(lambda: terminal.text.count(EXPIRED) >= FAILING, "the tasks do not tell their error")
    terminal.press("\x1b")
    terminal.wait_for("Events")
    terminal.press("\x1b", "2")
    terminal.wait_for("Groups by cause")
    terminal.press("/")
    terminal.type(f'error~"{EXPIRED}"')
    terminal.press("\r")
    terminal.wait(
        lambda: re.search(rf"❯ +{FAILING} .*{EXPIRED}", terminal.text), "the group of the new error is not there"
    )
    terminal.press("N")
    terminal.wait_for(f"Note on {FAILING} incidents")
    terminal.type(NOTE)
    terminal.wait_for(NOTE)
    terminal.press("\r")
    terminal.wait_for("Write this note?")
    terminal.press(str(FAILING))
    terminal.wait(lambda: terminal.bold("Write W"), "the key of the order never counts")
    terminal.press("W")
    terminal.wait_for(f"The note was written on {FAILING} incidents")
    noted = engine.incidents(EXPIRED)
    assert [one["annotation"] for one in noted] == [NOTE] * FAILING
    assert not [one for one in engine.get("/incident") if one["annotation"] and one not in noted]
    terminal.wait(lambda: re.search(rf"note: .*{NOTE[:12]}", terminal.text), "the note is not on the screen")
    terminal.press("\x1b")


def read_the_journal(terminal: Terminal, group: Group) -> None:
    """View 6 has the launch: why it was, and what the tasks had before."""
    terminal.press("6")
    terminal.wait(lambda: re.search(rf"❯ .* {len(group.launched)} .*PSP is", terminal.text), "the launch is not there")
    terminal.press("\r")
    terminal.wait_for(REASON)
    terminal.wait_for(f"{len(group.launched)} tasks")
    terminal.wait(lambda: re.search(r"before +now", terminal.text), "the retries before are not shown")
    terminal.wait(lambda: re.search(r"❯ +\S+ +0 ", terminal.text), "the retries before are not 0")
    terminal.press("\x1b")


def leave(terminal: Terminal) -> None:
    """The safety is put back, and the terminal is given back."""
    terminal.press("!")
    terminal.wait(lambda: " SAFE " in terminal.lines[0], "it is not SAFE again")
    terminal.press("q")
    assert terminal.wait_for_end() == 0
    assert b"\x1b[?1049l" in terminal.raw, "the terminal was not given back"


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_one_night(worlds: "dict[int, Path]", tmp_path: Path, columns: int, rows: int) -> None:
    with served(worlds, 900, tmp_path) as engine:
        group = outage(engine)
        with console(tmp_path, engine.root, columns, rows) as terminal:
            find_the_outage(terminal, group)
            open_the_launch(terminal, engine, group)
            before = engine.retries()
            batch = launch(terminal, engine, group)
            watch(terminal, engine, group, before, batch)
            look_at_the_new_error(terminal, engine)
            read_the_journal(terminal, group)
            leave(terminal)


def launch_at_once(terminal: Terminal, group: Group) -> None:
    """Retry the group without looking twice."""
    terminal.wait_for("charge-card")
    terminal.press("2")
    terminal.wait_for("exact")
    terminal.wait(lambda: re.search(rf"❯ +{len(group.ids)} .*HTTP 503", terminal.text), "the outage is not on top")
    terminal.press("R")
    terminal.wait_for(f"Retry {len(group.ids)} tasks")
    terminal.wait_for("exactly these tasks")
    arm(terminal)
    terminal.press("\x1b[A", "\x1b[A")
    terminal.press(f"{REASON}\r{len(group.ids)}\r")
    press_launch(terminal)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_an_engine_that_dies_in_the_middle(worlds: "dict[int, Path]", tmp_path: Path, columns: int, rows: int) -> None:
    slow = {"RETRIAGE_RUNNER_SET_SIZE": "1", "RETRIAGE_RUNNER_LOCK_SECONDS": "2"}
    with served(worlds, 3000, tmp_path, **slow) as engine:
        group = outage(engine)
        before = engine.retries()
        with console(tmp_path, engine.root, columns, rows) as terminal:
            launch_at_once(terminal, group)
            terminal.wait(lambda: engine.jobs_done() > 5, "the batch does not begin")
            with engine.holding_still():
                (batch,) = engine.batches()
                terminal.wait_for(f"launched: {len(group.ids)} jobs")
                terminal.wait_for("are the retries set?")
                terminal.press("4")
                terminal.wait(lambda: re.search(AT_WORK, terminal.text), "the batch is not seen at work")
                assert 5 < engine.jobs_done() < len(group.ids)
                engine.kill()

            terminal.wait(lambda: re.search(r"STALE \d+", terminal.lines[0]), "the first line does not say STALE")
            terminal.wait(lambda: "SAFE" in terminal.lines[0], "the safety does not come back")
            assert re.search(AT_WORK, terminal.text), "the row is gone with the engine"
            terminal.press("S")
            terminal.wait_for("Nothing can be changed until the engine answers.")
            terminal.press("2")
            terminal.wait_for("Groups by cause")
            assert re.search(r"send-mail|SMTP", terminal.text), "the groups are gone with the engine"

            engine.start()
            terminal.wait(lambda: "LIVE" in terminal.lines[0], "the console does not see that the engine is back")
            terminal.press("4")
            terminal.wait(lambda: re.search(r"❯ +ended .* 100% ", terminal.text), "the batch does not end")
            assert engine.retries() == before | dict.fromkeys(group.ids, 1)
            assert [one["id"] for one in engine.batches()] == [batch["id"]]
            assert engine.incidents(OUTAGE) == []
            terminal.wait_for("SAFE")
            terminal.press("q")
            assert terminal.wait_for_end() == 0


def test_an_answer_that_is_lost(worlds: "dict[int, Path]", tmp_path: Path) -> None:
    with served(worlds, 900, tmp_path) as engine:
        group = outage(engine)
        with Lossy(engine.address, b"POST /engine-rest/external-task/retries-async") as line:
            root = f"http://127.0.0.1:{line.port}/engine-rest"
            with console(tmp_path, root, 100, 30) as terminal:
                launch_at_once(terminal, group)
                terminal.wait(
                    lambda: re.search(r"Looking\s+for\s+its\s+batch", terminal.text),
                    "it is not said that no answer came",
                )
                assert line.lost.is_set()
                terminal.wait_for(f"launched: {len(group.ids)} jobs")
                terminal.wait_for("are the retries set?")
                (batch,) = engine.batches()
                terminal.press("6")
                terminal.wait(lambda: re.search(rf"❯ .* {len(group.ids)} .*PSP is", terminal.text), "no launch")
                terminal.press("\r")
                terminal.wait_for(batch["id"])
                terminal.press("\x1b")
                terminal.press("4")
                terminal.wait(lambda: re.search(r"❯ +ended .* 100% ", terminal.text), "the batch does not end")
                assert line.asked == 1
                assert len(engine.batches()) == 1
                assert {engine.retries()[id] for id in group.ids} == {1}
                terminal.press("q")
                assert terminal.wait_for_end() == 0
