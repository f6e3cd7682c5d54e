"""The exit codes of a run that is over, for the console that drove it and for one that only follows."""

import pytest

from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless_runs import _code, _why_no_change
from retriage.console.runs.change import RestChange
from retriage.console.runs.events import RunEnded
from tests.console.runs.test_next_step import view


@pytest.mark.parametrize(
    ("state", "cause", "code"),
    [
        ("passed", "passed", ExitCode.DONE),
        ("finished", "released", ExitCode.RELEASED),
        ("finished", "skipped", ExitCode.RELEASED),
        ("finished", "nothing-sent", ExitCode.NOTHING),
        ("stopped", "stopped", ExitCode.HELD),
    ],
)
def test_only_a_run_that_passed_is_done(state: str, cause: str, code: ExitCode) -> None:
    assert _code(RunEnded(1, state, "", cause=cause)) == code


def test_what_means_nothing_to_a_run_cannot_be_changed() -> None:
    suspends = view("held", retries=None, operation="suspend")
    for change, option in ((RestChange(retries=3), "--retries"), (RestChange(gate=0.1), "--gate")):
        assert _why_no_change(suspends, change) == f"{option} means nothing to run 7, which suspends instances."
        assert not _why_no_change(view("held"), change)
