"""Users of ``retriage serve``: from options, the environment and a file; and nothing of them in any word."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from store import server
from store.server import ServerProblem, read_users

Served = dict[str, object]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """What the server was started with."""
    found: Served = {}
    monkeypatch.setattr(server, "serve", lambda *_places, **options: found.update(options))
    return found


def test_users_from_everywhere(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("night:pass word\n\nday:x:y\n")
    result = CliRunner().invoke(app, ["serve", "--user", "ops:secret", "--user", "a:b", "--user-file", str(file)])
    assert result.exit_code == 0, result.output
    assert served["users"] == ["ops:secret", "a:b", "night:pass word", "day:x:y"]
    assert read_users(["night:pass word", "day:x:y"]) == {"night": "pass word", "day": "x:y"}


@pytest.mark.parametrize(("given", "workers"), [((), False), (("--workers",), True)])
def test_simulated_workers_come_when_they_are_called(served: Served, given: tuple[str, ...], workers: bool) -> None:
    assert CliRunner().invoke(app, ["serve", "--demo", "50", *given]).exit_code == 0
    assert (served["demo_tasks"], served["workers"]) == (50, workers)


def test_users_from_the_environment(served: Served) -> None:
    assert CliRunner().invoke(app, ["serve"], env={"RETRIAGE_USERS": "ops:secret night:other"}).exit_code == 0
    assert served["users"] == ["ops:secret", "night:other"]


def test_without_users_everybody_is_let_in(served: Served) -> None:
    assert CliRunner().invoke(app, ["serve"], env={"RETRIAGE_USERS": ""}).exit_code == 0
    assert served["users"] == []


@pytest.mark.parametrize("user", ["ops", "hush", ":secret", "ops:", ":"])
def test_what_is_no_user_is_not_repeated(user: str) -> None:
    with pytest.raises(ServerProblem) as problem:
        read_users(["a:b", user])
    assert str(problem.value) == "user 2 is not given as NAME:PASSWORD, both not empty"


def test_a_file_that_is_not_there(served: Served, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", "--user-file", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert re.search(r"The file .* cannot be read\.", " ".join(result.output.split()))
    assert not served
