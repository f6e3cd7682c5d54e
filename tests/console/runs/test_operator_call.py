"""A held run calls its operator: no shell, what workers said is data in variables, passwords stay here."""

import json
import sys
from pathlib import Path

from console.runs.events import RunHeld
from console.runs.gate import WorkCounts
from console.runs.operator_call import call_operator, facts_of
from console.session.connection_identity import ConnectionIdentity
from console.session.session import Session

HOSTILE = "back $(touch pwned) `id`; \x1b[2J\x00 'quote\" \n next"
WRITE = "import json, os, sys; json.dump({'env': dict(os.environ), 'argv': sys.argv[2:]}, open(sys.argv[1], 'w'))"


async def test_the_facts_are_in_variables_and_nothing_is_carried_out_of_them(tmp_path: Path) -> None:
    session = Session(ConnectionIdentity("PROD", "https://e", "ann", name="bpm-prod"))
    held = RunHeld(7, 3, "failed-again", HOSTILE, WorkCounts(done=4, again=2, new_cause=1, waiting=5))
    told = tmp_path / "told.json"
    command = [sys.executable, "-c", WRITE, str(told), "$RETRIAGE_SAID", "a b; c"]
    environ = {"PATH": "/usr/bin", "RETRIAGE_PASSWORD": "s3cret", "RETRIAGE_TOKEN": "t", "HOME": str(tmp_path)}
    assert await call_operator(command, facts_of(session, held), environ) == ""
    found = json.loads(told.read_text())
    assert found["argv"] == ["$RETRIAGE_SAID", "a b; c"]
    variables = found["env"]
    assert {name: variables[name] for name in variables if name.startswith("RETRIAGE_")} == {
        "RETRIAGE_RUN": "7", "RETRIAGE_WAVE": "3", "RETRIAGE_CAUSE": "failed-again", "RETRIAGE_ENGINE": "bpm-prod",
        "RETRIAGE_ENVIRONMENT": "PROD", "RETRIAGE_DONE": "4", "RETRIAGE_AGAIN": "2", "RETRIAGE_NEW_CAUSE": "1",
        "RETRIAGE_OPEN": "5", "RETRIAGE_SAID": variables["RETRIAGE_SAID"],
    }  # fmt: skip
    assert "$(touch pwned) `id`" in variables["RETRIAGE_SAID"]
    assert not {"\x1b", "\x00", "\n"} & set(variables["RETRIAGE_SAID"])


async def test_a_command_that_cannot_be_run_fails_or_does_not_end_is_said() -> None:
    assert "cannot be run" in await call_operator(["/nowhere/at-all"], {})
    assert "failed with status 3" in await call_operator([sys.executable, "-c", "raise SystemExit(3)"], {})
    assert "ended after 0.2 s" in await call_operator(
        [sys.executable, "-c", "import time; time.sleep(60)"], {}, patience=0.2
    )
