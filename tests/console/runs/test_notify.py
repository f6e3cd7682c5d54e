"""A run that is held or over calls people: no shell, what workers said is data in variables and in JSON, passwords stay
here."""

import json
import sys
from pathlib import Path

from retriage.console.operations.work_counts import WorkCounts
from retriage.console.profiles import list_profiles, profile_named
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.hold import UNANSWERED
from retriage.console.runs.notify import BUSY, body_of, call_operator, facts_of, notify, occasion_of, post
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.settings import Notify, Webhook
from tests.support.listener import Listener

HOSTILE = "back $(touch pwned) `id`; \x1b[2J\x00 'quote\" \n next"
WRITE = "import json, os, sys; json.dump({'env': dict(os.environ), 'argv': sys.argv[2:]}, open(sys.argv[1], 'w'))"


HELD = RunHeld(7, 3, "failed-again", HOSTILE, WorkCounts(done=4, again=2, new_cause=1, waiting=5))
AT_ONCE = (0.0, 0.0, 0.0)


def prod() -> Session:
    return Session(ConnectionIdentity("PROD", "https://e", "ann", name="bpm-prod"))


async def test_the_facts_are_in_variables_and_nothing_is_carried_out_of_them(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-c", WRITE, str(told), "$RETRIAGE_SAID", "a b; c"]
    environ = {"PATH": "/usr/bin", "RETRIAGE_PASSWORD": "s3cret", "RETRIAGE_TOKEN": "t", "HOME": str(tmp_path)}
    assert await notify(prod(), HELD, Notify({"held": tuple(command)}), environ) == []
    found = json.loads(told.read_text())
    assert found["argv"] == ["$RETRIAGE_SAID", "a b; c"]
    variables = found["env"]
    assert {name: variables[name] for name in variables if name.startswith("RETRIAGE_")} == {
        "RETRIAGE_EVENT": "held",
        "RETRIAGE_RUN": "7", "RETRIAGE_WAVE": "3", "RETRIAGE_CAUSE": "failed-again", "RETRIAGE_ENGINE": "bpm-prod",
        "RETRIAGE_ENVIRONMENT": "PROD", "RETRIAGE_DONE": "4", "RETRIAGE_AGAIN": "2", "RETRIAGE_NEW_CAUSE": "1",
        "RETRIAGE_OPEN": "5", "RETRIAGE_SAID": variables["RETRIAGE_SAID"],
    }  # fmt: skip
    assert "$(touch pwned) `id`" in variables["RETRIAGE_SAID"]
    assert not {"\x1b", "\x00", "\n"} & set(variables["RETRIAGE_SAID"])


async def test_variables_that_profiles_name_as_secrets_are_not_handed_on(tmp_path: Path) -> None:
    profiles, told = tmp_path / "profiles.toml", tmp_path / "told.json"
    profiles.write_text(
        '[bpm]\nurl = "https://e"\nuser = "ann"\npassword_env = "BPM_WORD"\nheaders.X-Api-Key.env = "BPM_HEADER"\n'
        '[other]\nurl = "https://o"\ncookies.sid.env = "OTHER_COOKIE"\ntoken_env = 7\n'
    )
    secrets = dict.fromkeys(("BPM_WORD", "BPM_HEADER", "OTHER_COOKIE", "PGPASSWORD", "CALL_ENV"), "s3cret")
    environ = {"PATH": "/usr/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", **secrets}
    profile_named("bpm", profiles, environ, {"headers": {"X-Other-Key": {"env": "CALL_ENV"}}})
    assert [one.name for one in list_profiles(profiles)] == ["bpm", "other"]
    assert await call_operator([sys.executable, "-c", WRITE, str(told)], {}, environ) == ""
    found = json.loads(told.read_text())["env"]
    assert "LANG" in found
    assert not {name for name, value in found.items() if value == "s3cret"}


async def test_a_command_that_cannot_be_run_fails_or_does_not_end_is_said() -> None:
    assert "cannot be run" in await call_operator(["/nowhere/at-all"], {})
    assert "failed with status 3" in await call_operator([sys.executable, "-c", "raise SystemExit(3)"], {})
    assert "ended after 0.2 s" in await call_operator(
        [sys.executable, "-c", "import time; time.sleep(60)"], {}, patience=0.2
    )


def test_each_end_is_told_as_what_it_is() -> None:
    assert occasion_of(HELD) == "held"
    assert occasion_of(RunHeld(1, 1, UNANSWERED, "")) == "unanswered"
    assert occasion_of(RunEnded(1, "passed", "")) == "ended"
    assert occasion_of(RunEnded(1, "stopped", "")) == "ended"
    assert occasion_of(RunEnded(1, "finished", "")) == "failed"


async def test_a_webhook_is_told_and_its_address_stays_from_the_command(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    with Listener() as listener:
        environ = {"PATH": "/usr/bin", "OPS_HOOK": f"{listener.address}/T0/s3cret"}
        wanted = Notify({"held": (sys.executable, "-c", WRITE, str(told))}, Webhook("env", "OPS_HOOK"))
        assert await notify(prod(), HELD, wanted, environ) == []
    ((path, body),) = listener.received
    assert path == "/T0/s3cret"
    assert (body["event"], body["run"], body["wave"], body["environment"]) == ("held", 7, 3, "PROD")
    assert (body["done"], body["again"]) == (4, 2)
    assert "$(touch pwned) `id`" in body["said"]
    assert not {"\x1b", "\x00", "\n"} & set(body["said"])
    assert "OPS_HOOK" not in json.loads(told.read_text())["env"]


async def test_nobody_is_told_of_a_rehearsal() -> None:
    session = Session(ConnectionIdentity("SNAPSHOT", "a.snapshot", name="a", snapshot_of="bpm"))
    with Listener() as listener:
        assert await notify(session, HELD, Notify(webhook=Webhook("url", listener.address))) == []
    assert listener.received == []


async def test_a_busy_receiver_is_asked_again_and_one_that_refuses_is_not() -> None:
    with Listener(503, 429) as listener:
        assert await post(listener.address, {"run": 7}, AT_ONCE) == ""
    assert [body for _, body in listener.received] == [{"run": 7}] * 3
    with Listener(404) as listener:
        assert await post(f"{listener.address}/s3cret", {}, AT_ONCE) == (
            "The webhook of [notify] answered 404: nobody got the message."
        )
    assert len(listener.received) == 1
    with Listener(*[503] * 9) as listener:
        assert "answered 503" in await post(listener.address, {}, AT_ONCE)
    assert len(listener.received) == 3
    assert 501 not in BUSY


async def test_one_that_is_away_or_no_address_is_said_without_the_address() -> None:
    with Listener() as listener:
        address = f"{listener.address}/s3cret"
    for wrong in (address, "https://[s3cret", "http://s3cret:port/"):
        said = await post(wrong, {}, AT_ONCE)
        assert said.startswith("The webhook of [notify] ")
        assert "s3cret" not in said
    wanted = Notify(webhook=Webhook("env", "OPS_HOOK"))
    (said,) = await notify(prod(), HELD, wanted, {"OPS_HOOK": "s3cret"})
    assert "should be an address" in said
    assert "s3cret" not in said
    (said,) = await notify(prod(), HELD, wanted, {})
    assert "OPS_HOOK, which is not set" in said


def test_text_of_workers_formats_nothing_and_calls_nobody() -> None:
    facts = facts_of(prod(), HELD)
    evil = "```\n<!channel> @all [card](https://evil) `x` & *bold*"
    slack = body_of("slack", facts, evil)["text"]
    assert slack.count("```") == 2
    assert "<!" not in slack
    assert "&lt;!channel&gt;" in slack
    assert slack.endswith("\n```")
    mattermost = body_of("mattermost", facts, evil)["text"]
    assert (mattermost.startswith("```\n"), mattermost.endswith("\n```"), mattermost.count("`")) == (True, True, 6)
    (card,) = body_of("teams", facts, evil)["attachments"]
    blocks = card["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}
    assert {run["type"] for block in blocks for run in block["inlines"]} == {"TextRun"}
    assert blocks[0]["inlines"][0]["text"] == "PROD bpm-prod"
