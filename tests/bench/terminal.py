"""Bytes and answer times in a pseudo terminal, beside a stock table."""

import re
import signal
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.programs import ENDED, RUNS, batch_file
from tests.bench.result import Line
from tests.support.terminal import Terminal

SIZE = (120, 40)
STEPS = 12
KEYS = 60
KEYS_BESIDE_BATCHES = 48
KEYS_OF_A_BATCH = 6
"""So few that a batch of 100,000 outlives them."""
LONGEST_BATCH = 600.0
"""Seconds that a batch may take, also on a machine that has much else to do."""
ROOT = Path(__file__).parents[2]
_PLACE = re.compile(rb"\x1b\[(?:\d+;)?(\d+)[GH]")


def start(what: str, tasks: int, home: str, size: tuple[int, int] = SIZE) -> Terminal:
    """One of the programs of :mod:`tests.bench.programs` in a terminal."""
    command = [sys.executable, "-m", "tests.bench.programs", what, str(tasks)]
    return Terminal(command, *size, {"PYTHONPATH": str(ROOT), "RETRIAGE_HOME": home})


def of_table(sent: bytes, width: int) -> int:
    """How many bytes of an answer are for the table, which keeps to the left and is written first.

    Args:
        sent: what was written after a step of the cursor.
        width: cells of the table.
    """
    places = [found for found in _PLACE.finditer(sent) if int(found.group(1)) > width]
    return places[0].start() if places else len(sent)


def bytes_of(terminal: Terminal, pane_from: int) -> dict[str, int]:
    """Median bytes of a step, a step with the pane, a scroll by one row, and of an idle second."""
    steps = [terminal.sent_by("\x1b[B") for _ in range(STEPS)]
    found = {
        "first paint": terminal.received - sum(map(len, steps)),
        "step": round(statistics.median(of_table(sent, pane_from) for sent in steps)),
        "step and pane": round(statistics.median(map(len, steps))),
    }
    for _ in range(SIZE[1]):
        terminal.press("\x1b[B")
    terminal.quiet()
    found["scroll"] = round(statistics.median(len(terminal.sent_by("\x1b[B")) for _ in range(STEPS)))
    before = terminal.received
    for _ in range(5):
        terminal.read_for(1.0)
    found["idle second"] = (terminal.received - before) // 5
    return found


def answers(bare: Terminal, console: Terminal, keys: int = KEYS) -> tuple[list[float], list[float]]:
    """Seconds to the answers of so many keys in either terminal, one key here and one there.

    So whatever else the machine has to do weighs on both.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(keys):
        for terminal, times in zip((bare, console), found, strict=True):
            times.append(terminal.answer("j" if number % 20 < 10 else "k"))
            terminal.read_for(0.15)
    return found


def answers_beside_batches(bare: Terminal, console: Terminal, home: str) -> tuple[list[float], list[float]]:
    """The same while the console's engine carries out batches over all of its tasks, one after the other.

    Raises:
        RuntimeError: not even the first batch outlived the keys.
    """
    found: tuple[list[float], list[float]] = ([], [])
    while len(found[1]) < KEYS_BESIDE_BATCHES and _answers_beside_one(bare, console, found, batch_file(home)):
        pass
    if not found[1]:
        raise RuntimeError("the batch ended before the keys did: take more tasks")
    return found


def _answers_beside_one(bare: Terminal, console: Terminal, found: tuple[list[float], list[float]], state: Path) -> bool:
    """Add those beside one batch if it outlived them, and return whether it did. The number of batches on the screen
    would not do: batches of the demo's own begin and end meanwhile."""
    state.unlink(missing_ok=True)
    console.signal(signal.SIGUSR1)
    console.wait(state.exists, "no batch was launched", LONGEST_BATCH)
    more = answers(bare, console, KEYS_OF_A_BATCH)
    if state.read_text() != RUNS:
        print("a batch ended before the keys did: take more tasks")
        return False
    for times, some in zip(found, more, strict=True):
        times += some
    console.wait(lambda: state.read_text() == ENDED, "the batch does not end", LONGEST_BATCH)
    return True


def measure(tasks: int = 100_000) -> list[Line]:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="retriage-bench-") as home:
        with start("stock", 0, home) as stock:
            stock.wait_for("ord-88005", 30)
            stock.quiet()
            stock_bytes = bytes_of(stock, SIZE[0])
        with start("stock", 0, home) as stock, start("console", tasks, home) as console:
            stock.wait_for("ord-88005", 30)
            console.wait_for(" LIVE", 300)
            console.wait_for("❯", 60)
            console.quiet(1.5)
            console.press("p")
            console.quiet()
            ours = bytes_of(console, 78)
            # As in the stock table: no step of the cursor moves the rows.
            console.press("p", "g")
            console.quiet(1.5)
            bare, idle = answers(stock, console)
            beside, busy = answers_beside_batches(stock, console, home)
    print(f"{'bytes at 120x40':24}{'stock table':>14}{'console':>10}{'budget':>9}")
    for name, budget in (("first paint", 0), ("step", 300), ("step and pane", 1000), ("scroll", 6000),
                         ("idle second", 50)):  # fmt: skip
        print(f"{name:24}{stock_bytes[name]:>14,}{ours[name]:>10,}{budget or '':>9}")
    print(f"\n{'key to first bytes':24}{'median':>14}{'worst':>10}{'of bare':>9}")
    for name, times, base in (
        ("stock table, idle", bare, bare), ("console, idle", idle, bare), ("stock, beside a batch", beside, bare),
        (f"console, batch {tasks:,}", busy, bare),
    ):  # fmt: skip
        middle = statistics.median(times)
        share = middle / statistics.median(base)
        print(f"{name:24}{middle * 1000:>11.1f} ms{max(times) * 1000:>7.0f} ms{share:>9.2f}")
    middle = statistics.median(busy) / statistics.median(bare)
    shared = statistics.median(beside) / statistics.median(bare)
    name = f"a key beside a batch of {tasks:,} in the same process, against the idle stock table"
    return [
        Line("a key, against the idle stock table", f"median {statistics.median(idle) / statistics.median(bare):.2f}"),
        Line(name, f"median {middle:.2f}, worst {max(busy) * 1000:.0f} ms", "1.25, 50 ms"),
        # Its process has no batch in it: what it loses is what two busy processors lose to each other.
        Line("the stock table beside that batch, against itself idle", f"median {shared:.2f}"),
    ]
