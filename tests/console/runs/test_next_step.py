"""What happens next in a run and why, in every state of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.operations.work_counts import WorkCounts
from retriage.console.runs.events import RunEnded
from retriage.console.runs.gate import wilson
from retriage.console.runs.next_step import at_work, gate_reading, next_step
from retriage.console.runs.run_view import RunView, view_of
from retriage.store.journal import Run, RunState, RunWave, WaveState

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
        (view("running", ("watching", 10, {"notSet": 4})), ["The watch starts once the last 4 tasks are set."]),
        (view("running", ("watching", 10, {"done": 2, "waiting": 8})),
         ["2 of 10 tasks decided, 0 failed again", "at worst 8 of 10 fail (80.0%)"]),
        (view("running", ("watching", 100, {"done": 40, "again": 1, "locked": 9}), ("planned", 5, {})),
         ["at worst 10 of 50 fail (20.0%): it passes when that is within 5%.", "after 60 s, it is held",
          "12 of 60 s, 48 s left"]),
        (view("running", ("watching", 100, {"done": 40, "again": 1, "locked": 9})),
         ["within 5%, at the end of its watch.", "after 60 s, it is held", "last wave"]),
        (view("held", ("watching", 10, {}), ("planned", 7, {}), ("planned", 3, {}), cause="failed-again", said="Why."),
         ["Held by the gate of wave 1.", "Why.", "2 waves with 10 tasks are not sent"]),
        (view("held", ("watching", 50, {"done": 48, "again": 2}), ("planned", 7, {}), cause="undecided", said="Why."),
         ["Why.", "By now it is within the limit: at worst 2 of 50 fail (4.0%). R releases it."]),
        (view("held", ("watching", 10, {}), cause="login", said="Wrong password."),
         ["Held. Wrong password.", "It is the last wave."]),
        (view("running", ("watching", 10, {}), ("planned", 7, {}), driver="", driven_until=None),
         ["Held after an interruption.", "1 wave with 7 tasks is not sent"]),
        (view("held", ("watching", 10, {}), cause="interrupted",
              said="Held after an interruption: the console that drove it was ended."),
         ["Held after an interruption. The console that drove it was ended."]),
        (view("running", ("sending", 10, {}), retries=None, operation="suspend"),
         ["10 instances are looked at again", "watched until all are suspended"]),
        (view("running", ("watching", 10, {"done": 4, "notSet": 6}), ("planned", 9, {}), retries=None,
              operation="suspend"),
         ["4 of 10 instances are suspended by now.", "none more is for 60 s: 48 s left", "goes out with 9 instances"]),
        (view("held", ("watching", 10, {"done": 10}), retries=None, operation="activate", cause="jobs-left",
              said="So."),
         ["Held at wave 1. So. By now all are set. R releases it."]),
        (view("passed", ("passed", 10, {"done": 9, "gone": 1}), retries=None, operation="activate"),
         ["9 done, 1 ended before."]),
        (view("passed", ("passed", 10, {"done": 9, "again": 1})),
         ["Every wave went through.", "9 done, 1 failed again"]),
        (view("passed", ("passed", 100, {"done": 80, "waiting": 20}), ("passed", 1, {"done": 1})),
         ["81 done, 0 failed again, 20 still open."]),
        (view("finished", ("released", 10, {"done": 2, "again": 8}), said="1 wave released by the operator."),
         ["Finished.", "1 wave released by the operator.", "2 done, 8 failed again"]),
        (view("finished", ("passed", 10, {}), cause="nothing-sent", said="Nothing was sent: 10 gone."),
         ["Nothing was sent: 10 gone."]),
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
    assert (reading.wave, reading.counts.again, reading.counts.decided) == (2, 31, 312)
    assert reading.low == wilson(31, 312)[0]
    assert (reading.best, reading.worst) == (31 / 500, 219 / 500)
    assert at_work(seen) is seen.waves[1]
    assert gate_reading(view("running", ("planned", 5, {}))) is None
    last = gate_reading(view("stopped", ("passed", 10, {"done": 4}), ("dropped", 5, {})))
    assert last is not None
    assert (last.wave, last.low) == (1, 0.0)
    assert seen.counts == WorkCounts(done=291, again=31, waiting=188)


def counted(*waves: tuple[dict[str, int], int]) -> RunView:
    told = [
        RunWave(number, "passed", tasks=10, counts=counts, counted_at=NOW + timedelta(seconds=seconds))
        for number, (counts, seconds) in enumerate(waves, 1)
    ]
    return view_of(replace(RUN, state="finished", said="Over."), told, NOW)


@pytest.mark.parametrize(
    ("waves", "older", "words"),
    [
        ((({"done": 10}, 0), ({"done": 9, "waiting": 1}, 30)), {}, "as of 03:12:30Z."),
        ((({"done": 9, "waiting": 1}, 0), ({"done": 10}, 30)), {1: 0}, "as of 03:12:30Z, wave 1 as of 03:12:00Z."),
        (
            (({"waiting": 10}, 5), ({"locked": 10}, 0), ({"done": 1, "notSet": 9}, 30)),
            {1: 5, 2: 0},
            "as of 03:12:30Z, waves 1, 2 as of 03:12:00Z or later.",
        ),
    ],
)
def test_figures_of_several_waves_are_of_the_newest_look_and_older_waves_are_named(
    waves: tuple[tuple[dict[str, int], int], ...], older: dict[int, int], words: str
) -> None:
    seen = counted(*waves)
    assert seen.counted_at == NOW + timedelta(seconds=30)
    assert seen.older == {wave: NOW + timedelta(seconds=seconds) for wave, seconds in older.items()}
    assert next_step(seen).why[-1].endswith(f"still open {words}" if "open" in told(seen) else words)
    record = RunEnded(7, "finished", "", seen.counts, "", seen.counted_at, seen.older).record()
    assert record["at"] == "2026-03-14T03:12:30+00:00"
    assert set(record["olderWaves"]) == {str(wave) for wave in older}
