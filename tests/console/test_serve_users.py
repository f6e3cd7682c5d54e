"""Users of ``retriage serve``: from options, the environment and a file; and nothing of them in any word."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.store import server
from retriage.store.api.users import User, hashed
from retriage.store.server import ServerProblem, serve
from retriage.store.server.certificate import tls_context
from retriage.store.server.users import line_of, read_user_file, read_users

Served = dict[str, Any]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of the same form in no time; what they cost is tested with the store's users."""
    monkeypatch.setattr("retriage.store.api.users._HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """What the server was started with."""
    found: Served = {}
    monkeypatch.setattr(server, "serve", lambda *_places, **options: found.update(options))
    return found


def user_file(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / "users"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(mode)
    return file


def started(*arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(app, ["serve", *arguments], **more)


def test_users_from_everywhere(served: Served, tmp_path: Path) -> None:
    file = user_file(
        tmp_path, "# the night shift", line_of("night", "pass:word"), "", line_of("day", "x", read_only=True)
    )
    result = started("--user", "ops:secret", "--user", "a:b:c", "--user-file", str(file))
    assert result.exit_code == 0, result.output
    ops, a, night, day = served["users"]
    assert (ops, a) == (User("ops", "secret"), User("a", "b:c"))
    assert (night.name, night.read_only, night.has("pass:word"), night.has("pass")) == ("night", False, True, False)
    assert (day.name, day.read_only, day.has("x")) == ("day", True, True)


@pytest.mark.parametrize(("given", "workers"), [((), False), (("--workers",), True)])
def test_simulated_workers_come_when_they_are_called(served: Served, given: tuple[str, ...], workers: bool) -> None:
    assert started("--demo", "50", *given).exit_code == 0
    assert (served["demo_tasks"], served["workers"]) == (50, workers)


def test_a_password_on_the_command_line_is_warned_about(served: Served) -> None:
    assert "everybody on this machine can see passwords" in started("--user", "ops:secret").stderr
    assert not started(env={"RETRIAGE_USERS": "ops:secret night:other"}).stderr
    assert served["users"] == [User("ops", "secret"), User("night", "other")]


def test_without_users_everybody_is_let_in(served: Served) -> None:
    assert started(env={"RETRIAGE_USERS": ""}).exit_code == 0
    assert served["users"] == []


@pytest.mark.parametrize("user", ["ops", "hush", ":secret", "ops:", ":"])
def test_what_is_no_user_is_not_repeated(user: str) -> None:
    with pytest.raises(ServerProblem) as problem:
        read_users(["a:b", user])
    assert str(problem.value) == "user 2 is not given as NAME:PASSWORD, both not empty"


@pytest.mark.parametrize("line", ["ops:hush", "hush", ":hush", "ops:HASH:admin", "ops:HASH:"])
def test_what_is_no_line_of_a_user_file_is_not_repeated(tmp_path: Path, line: str) -> None:
    line = line.replace("HASH", hashed("x"))
    with pytest.raises(ServerProblem, match=r"line 2 of the user file .* is not NAME:HASH") as problem:
        read_user_file(user_file(tmp_path, line_of("a", "b"), line))
    assert "hush" not in str(problem.value)
    assert "argon2" not in str(problem.value)


def test_a_name_has_one_line(tmp_path: Path) -> None:
    with pytest.raises(ServerProblem, match="two lines for 'a'"):
        read_user_file(user_file(tmp_path, line_of("a", "b"), line_of("a", "c")))


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o622])
def test_a_file_that_others_can_read_is_refused(served: Served, tmp_path: Path, mode: int) -> None:
    result = started("--user-file", str(user_file(tmp_path, line_of("a", "b"), mode=mode)))
    assert result.exit_code == 2
    assert "others may read the user file" in result.stderr
    assert not served


def test_a_file_that_is_not_there(served: Served, tmp_path: Path) -> None:
    result = started("--user-file", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "cannot be read" in " ".join(result.stderr.split())
    assert not served


@pytest.mark.parametrize("read_only", [False, True])
def test_a_command_makes_a_line(tmp_path: Path, read_only: bool) -> None:
    more = ["--read-only"] if read_only else []
    result = CliRunner().invoke(app, ["user", "ann", *more], input="sé cret\n")
    assert result.exit_code == 0
    assert "sé" not in result.output
    (ann,) = read_user_file(user_file(tmp_path, result.stdout.strip()))
    assert (ann.name, ann.read_only, ann.has("sé cret")) == ("ann", read_only, True)


@pytest.mark.parametrize("name", ["", "a:b", "#a", "a\nb", " a", "\x1b[31m"])
def test_a_name_that_fits_no_line(name: str) -> None:
    result = CliRunner().invoke(app, ["user", name], input="x\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "retriage: a name holds no colon" in result.stderr


def test_no_password_makes_no_line() -> None:
    result = CliRunner().invoke(app, ["user", "ann"], input="\n")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_an_engine_is_not_open_to_everybody_by_accident(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServerProblem, match="--allow-anonymous"):
        serve(str(tmp_path / "store.db"), host, 0)
    assert not (tmp_path / "store.db").exists()


def test_certificates_are_looked_at_before_anything_is_opened(tmp_path: Path) -> None:
    store, junk = str(tmp_path / "store.db"), tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for certificate, key, sentence in (
        (None, junk, "a key without its certificate"),
        (tmp_path / "none", junk, "cannot be read"),
        (junk, None, "are not PEM files"),
    ):
        with pytest.raises(ServerProblem, match=sentence):
            serve(store, "127.0.0.1", 0, certificate=certificate, key=key)
    assert not Path(store).exists()


def test_a_key_that_others_may_write_is_refused(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("localhost")
    certificate, key, both = (tmp_path / name for name in ("cert.pem", "key.pem", "both.pem"))
    certificate.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    both.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    for file in (key, both):
        file.chmod(0o666)
    for files in ((certificate, key), (both, None)):
        with pytest.raises(ServerProblem, match=r"others may write the key .*; `chmod go-w .*` fixes that"):
            tls_context(*files)
    for file in (key, both):
        file.chmod(0o640)
    certificate.chmod(0o666)
    tls_context(certificate, key)
    tls_context(both, None)
