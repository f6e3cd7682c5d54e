"""What happens next in a run and why, in every state of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.runs.gate import WorkCounts, wilson
from console.runs.next_step import at_work, gate_reading, next_step
from console.runs.run_view import RunView, view_of
from store.journal import Run, RunState, RunWave, WaveState

NOW = datetime(2026, 3, 14, 3, 12, tzinfo=UTC)
RUN = Run("e", "", "ann", "all", "why", 1, 0.05, False, 60.0, NOW, id=7, listed=612, state="running", driver="x:1:y",
          driven_until=NOW + timedelta(seconds=9))  # fmt: skip


def view(state: RunState = "running", *waves: tuple[WaveState, int, dict[str, int]], **run: object) -> RunView:
    told = [RunWave(number, state, tasks=tasks, counts=counts, watched=12.0)
            for number, (state, tasks, counts) in enumerate(waves, 1)]  # fmt: skip
    return view_of(replace(RUN, state=state, **run), told, NOW)  # type: ignore[arg-type]


def told(seen: RunView, watched: float | None = None) -> str:
    step = next_step(seen, watched)
    return " ".join((step.head, *step.why))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (view("preparing"), ["being written down", "Nothing is sent before"]),
        (view("running", ("planned", 10, {})), ["Wave 1 is being sent", "last wave"]),
        (view("running", ("sending", 10, {}), ("planned", 600, {})),
         ["Wave 1 is being sent", "10 tasks are looked at again", "wave 2 goes out with 600 tasks"]),
        (view("running", ("watching", 10, {"notSet": 4})), ["still to set 4 tasks", "the watch begins"]),
        (view("running", ("watching", 10, {"done": 2, "waiting": 8})), ["2 of 10 tasks decided", "below 5"]),
        (view("running", ("watching", 100, {"done": 40, "again": 1, "locked": 9}), ("planned", 5, {})),
         ["0.4 to 12.6% fail again", "below 5%", "open after 60 s, it is held", "12 of 60 s, 48 s left"]),
        (view("running", ("watching", 100, {"done": 40, "again": 1, "locked": 9})),
         ["below 5%, at the end of its watch, and holds", "If neither can be said after 60 s", "last wave"]),
        (view("held", ("watching", 10, {}), ("planned", 7, {}), ("planned", 3, {}), cause="failed-again", said="Why."),
         ["Held by the gate of wave 1.", "Why.", "2 waves with 10 tasks are not sent"]),
        (view("held", ("watching", 10, {}), cause="login", said="Wrong password."),
         ["Held. Wrong password.", "It is the last wave."]),
        (view("running", ("watching", 10, {}), ("planned", 7, {}), driver="", driven_until=None),
         ["Held after an interruption.", "1 wave with 7 tasks is not sent"]),
        (view("held", ("watching", 10, {}), cause="interrupted",
              said="Held after an interruption: the console that drove it was ended."),
         ["Held after an interruption. The console that drove it was ended."]),
        (view("passed", ("passed", 10, {"done": 9, "again": 1})),
         ["Every wave went through.", "9 done, 1 failed again"]),
        (view("passed", ("passed", 100, {"done": 80, "waiting": 20}), ("passed", 1, {"done": 1})),
         ["81 done", "20 tasks were open when the gate passed their wave: its batch (enter) shows more."]),
        (view("stopped", ("stopped", 9, {"done": 3, "waiting": 6}), said="Stopped: …"), ["Stopped.", "6 still open"]),
        (view("preparing", driver="", driven_until=None), ["It never began.", "has sent nothing"]),
    ],
)  # fmt: skip
def test_it_is_said_what_happens_next_and_why(seen: RunView, words: list[str]) -> None:
    said = told(seen)
    assert [word for word in words if word not in said] == [], said


def test_the_seconds_that_the_driver_counts_win_over_those_written_down() -> None:
    seen = view("running", ("watching", 10, {"done": 2, "waiting": 8}))
    assert "12 of 60 s" in told(seen)
    assert "41 of 60 s, 19 s left" in told(seen, 41.3)


def test_the_gate_reads_the_wave_at_work_and_after_it_the_last_one() -> None:
    counts = {"done": 281, "again": 31, "waiting": 188}
    seen = view("running", ("passed", 10, {"done": 10}), ("watching", 500, counts), ("planned", 5, {}))
    reading = gate_reading(seen)
    assert reading is not None
    assert (reading.wave, reading.again, reading.decided, reading.early) == (2, 31, 312, False)
    assert (reading.low, reading.high) == wilson(31, 312)
    assert at_work(seen) is seen.waves[1]
    assert gate_reading(view("running", ("planned", 5, {}))) is None
    last = gate_reading(view("stopped", ("passed", 10, {"done": 4}), ("dropped", 5, {})))
    assert last is not None
    assert (last.wave, last.early) == (1, True)
    assert seen.counts == WorkCounts(done=291, again=31, waiting=188)
