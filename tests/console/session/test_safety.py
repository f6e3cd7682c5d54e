"""Safety without a screen: when orders may be given, connection profiles, what was typed on the command line."""

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from retriage.console import cli
from retriage.console.connections import NamedEngine, to_address, to_demo, to_profile, to_store
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.channel import Channel
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import Forbidden
from retriage.console.engine.target import Embedded, Remote
from retriage.console.profiles import ProfileProblem, known_profiles, profile_named
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.safety import ARMED_SECONDS, Safety
from retriage.store.contract.orders import SetExternalTaskRetries


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("word", "guarded"),
    [("PROD", True), ("PROD?", True), ("LIVE", True), ("STAGING", True), ("", True)]
    + [(word, False) for word in ("DEMO", "DEV", "TEST", "LOCAL")],
)
def test_every_word_but_a_few_is_treated_as_production(word: str, guarded: bool) -> None:
    safety = Safety(word)
    assert safety.guarded is guarded
    assert bool(safety.why_not()) is guarded
    assert safety.arm() is guarded


def test_the_safety_is_off_for_ten_minutes_and_comes_back_by_itself() -> None:
    clock = Clock()
    safety = Safety("PROD", clock=clock)
    assert "!" in safety.why_not()
    assert safety.arm()
    assert (safety.armed, safety.left, safety.why_not()) == (True, ARMED_SECONDS, "")
    clock.now = ARMED_SECONDS - 1
    assert (safety.armed, safety.left, safety.ran_out) == (True, 1, False)
    clock.now = ARMED_SECONDS
    assert not safety.armed
    assert safety.ran_out
    assert "PROD" in safety.why_not()
    assert safety.lock()
    assert not safety.ran_out
    assert not safety.lock()
    assert safety.arm()
    assert safety.lock()
    assert not safety.armed


@pytest.mark.parametrize("word", ["PROD", "DEMO"])
def test_a_read_only_connection_never_arms(word: str) -> None:
    safety = Safety(word, readonly=True)
    assert not safety.arm()
    assert not safety.armed
    assert "read-only" in safety.why_not()


async def test_no_order_passes_the_client_while_the_safety_is_on() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"count": 3}) if request.method == "GET" else httpx.Response(204)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://engine/engine-rest") as http:
        client, safety = EngineClient(http), Safety("PROD")
        client.guard_orders(safety.why_not)
        orders = [
            client.launch_batch(BatchRequest(SetExternalTaskRetries(retries=1, external_task_ids=["a"]))),
            client.suspend_batch("b", True),
            client.delete_batch("b"),
            client.retry_jobs("d", 1),
            client.set_job_retries("j", 1),
            client.delete_job("j"),
            client.unlock("t"),
        ]
        for order in orders:
            with pytest.raises(Forbidden, match="!"):
                await order
        assert sent == []
        safety.arm()
        await client.delete_job("j")
        assert [request.method for request in sent] == ["DELETE"]


def test_a_channel_without_a_guard_lets_orders_pass() -> None:
    assert Channel(httpx.AsyncClient()).why_no_order() == ""


PROFILES = """
[bpm-prod]
url = "https://ann:in-the-url@bpm.example/engine-rest"
environment = "prod"
user = "ann"
password_env = "BPM_PASSWORD"
ca = "company.pem"

[bpm-test]
url = "https://test.example/engine-rest"
environment = "test"
readonly = true
verify = false
token_command = ["printf", "t0ken\\nsecond line"]

[unsaid]
url = "https://x.example"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.toml"
    path.write_text(PROFILES)
    return path


def test_a_profile_names_engine_environment_user_and_the_source_of_its_password(file: Path) -> None:
    profile = profile_named("bpm-prod", file, {"BPM_PASSWORD": "s3cret"})
    assert profile.environment == "PROD"
    assert not profile.readonly
    assert profile.target.root() == "https://bpm.example/engine-rest"
    assert profile.target.login() == ("ann", "s3cret")
    assert profile.target.ca == file.parent / "company.pem"
    assert "s3cret" not in repr(profile)
    test = profile_named("bpm-test", file, {})
    assert (test.environment, test.readonly, test.target.insecure) == ("TEST", True, True)
    assert test.target.credentials is not None
    assert test.target.credentials.headers == {"Authorization": "Bearer t0ken"}


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("", "x", r"no profile x in .*profiles\.toml\.$"),
        ('[a]\nurl="u"\n[b]\nurl="u"', "x", "it has a, b"),
        ("[x", "x", "cannot be read"),
        ("x = 1", "x", "no profile x"),
        ("[x]", "x", "has no url"),
        ('[x]\nurl = "ftp://h"', "x", "not the address of an engine"),
        (
            '[x]\nurl = "http://h"\npassword = "p"',
            "x",
            "holds its password: .*password_env, password_command or password_keyring",
        ),
        ('[x]\nurl = "http://h"\ntoken = "p"', "x", "holds its token: .*token_env, token_command or token_keyring"),
        ('[x]\nurl = "http://h"\nenvironement = "prod"', "x", "environement is not known; environment is"),
        ('[x]\nurl = "http://h"\nenvironment = "live"', "x", "one of demo, dev, test, prod"),
        ('[x]\nurl = "http://h"\nreadonly = "yes"', "x", "readonly must be true or false"),
        ('[x]\nurl = "http://h"\nuser = 3', "x", "user must be a string"),
        ('[x]\nurl = "http://h"\npassword_command = []', "x", "must be a command"),
        ('[x]\nurl = "http://h"\npassword_env = "NOT_SET"', "x", "NOT_SET, which is not set"),
        ('[x]\nurl = "http://h"\npassword_command = "false"', "x", r"\(false\) failed with status 1"),
        ('[x]\nurl = "http://h"\npassword_command = "true"', "x", r"\(true\) printed nothing"),
        ('[x]\nurl = "http://h"\npassword_command = "no-such-program"', "x", "cannot be run"),
        ('[x]\nurl = "http://h"\npassword_env = "A"\npassword_command = "true"', "x", "two sources"),
    ],
)
def test_what_is_wrong_with_a_profile_is_one_sentence(tmp_path: Path, text: str, name: str, sentence: str) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(text)
    with pytest.raises(ProfileProblem, match=sentence) as problem:
        profile_named(name, path, {})
    assert "\n" not in str(problem.value)


def test_profiles_are_listed_without_asking_for_a_password(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BPM_PASSWORD", "never shown")
    (tmp_path / "company.pem").touch()
    assert known_profiles(file) == [
        "bpm-prod  prod  https://bpm.example/engine-rest",
        "bpm-test  test  https://test.example/engine-rest",
        "unsaid  prod?  https://x.example/engine-rest",
    ]
    assert known_profiles(tmp_path / "missing.toml") == []


def words(connection: NamedEngine) -> tuple[str, str, str]:
    identity = connection.identity()
    return identity.environment, identity.url, identity.name


def test_what_was_typed_names_the_engine(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPM_PASSWORD", "s3cret")
    monkeypatch.chdir(tmp_path)
    url = "https://bpm.example/engine-rest"
    assert words(to_profile("bpm-prod", file)) == ("PROD", url, "bpm-prod")
    assert to_profile("bpm-prod", file).identity().called == "bpm-prod"
    assert words(to_profile("unsaid", file))[0] == "PROD?"
    assert to_profile("bpm-test", file).identity().readonly
    assert words(to_address("https://ann:p@bpm.example", None, None, False, None, False)) == ("PROD?", url, url)
    assert to_address("https://ann:p@bpm.example", None, None, False, None, False).identity().user == "ann"
    for here in ("http://localhost:8080", "127.0.0.1:8080/engine-rest", "http://[::1]:8080"):
        assert words(to_address(here, None, None, False, None, False))[0] == "LOCAL"
    assert words(to_address("http://localhost", None, None, False, "prod", False))[0] == "PROD"
    assert words(to_store("s.db", None, False)) == ("LOCAL", "", str((tmp_path / "s.db").resolve()))
    assert words(to_store("postgresql://u:pw@h/db", "prod", True)) == ("PROD", "", "postgresql://h/db")
    assert words(to_demo(10, 1)) == ("DEMO", "", "demo")
    assert to_demo(10, 1).thrown_away


def test_batches_of_the_demo_can_be_watched_unless_they_should_hurry() -> None:
    for hurried, seconds in ((False, (30, 60)), (True, None)):
        target = to_demo(10, 1, hurried).target
        assert isinstance(target, Embedded)
        assert target.demo is not None
        pace = target.demo.jobs_per_second
        assert (pace is None) is hurried
        if pace is not None and seconds is not None:
            assert seconds[0] <= 2600 / pace <= seconds[1]
    assert not to_store("s.db", None, False).thrown_away


def test_an_engine_is_called_by_a_name_that_somebody_gave_it() -> None:
    assert ConnectionIdentity("PROD", "https://h:8/engine-rest", engine="default", profile="p").called == "p"
    assert ConnectionIdentity("PROD", "https://h:8/engine-rest", engine="orders").called == "orders"
    assert ConnectionIdentity("PROD", "https://h:8/engine-rest", engine="default").called == "h:8"
    assert ConnectionIdentity("LOCAL", engine="default").called == "default"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--profile", "x"], "There is no profile x"),
        (["--profile", "x", "--engine", "http://h"], "--profile and --engine name different engines"),
        (["--engine", "http://h", "--store", "s.db"], "--engine and --store name different engines"),
        (["--profile", "x", "--env", "dev"], "leave --env out"),
        (["--engine", "ftp://h"], "not the address of an engine"),
        (["--engine", "http://h"], "needs a terminal"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_version_and_profiles_are_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(file.parent))
    monkeypatch.setenv("BPM_PASSWORD", "never shown")
    (file.parent / "company.pem").touch()
    version = CliRunner().invoke(cli.app, ["--version"])
    assert version.exit_code == 0
    assert version.stdout.startswith("retriage 0.")
    told = CliRunner().invoke(cli.app, ["profiles"])
    assert told.stdout.splitlines()[0] == "bpm-prod  prod  https://bpm.example/engine-rest"


def test_the_host_of_a_remote_engine() -> None:
    assert Remote("https://ann:p@bpm.example:8/engine-rest").host() == "bpm.example"
