"""What the command line says before anything is opened."""

from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from retriage.console.cli import app
from retriage.console.cli.connection_options import missing_file
from retriage.console.profiles import known_profiles

RUNNER = CliRunner()
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_h_asks_for_help_of_every_command_and_a_flag_has_no_type(command: str) -> None:
    result = RUNNER.invoke(app, [*command.split(), "-h"], terminal_width=100)
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert "<bool>" not in result.output


def test_completion_is_offered() -> None:
    result = RUNNER.invoke(app, ["--help"], terminal_width=100)
    assert "--install-completion" in result.output


@pytest.mark.parametrize("command", [[], ["tasks"]])
def test_a_misspelt_store_is_said_and_nothing_is_made(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "strore.db"
    result = RUNNER.invoke(app, [*command, "--store", str(file)])
    assert result.exit_code == 2
    assert f"there is no store at {file}." in result.output
    assert not file.exists()


def test_which_file_a_store_is_missing(tmp_path: Path) -> None:
    there, gone = tmp_path / "there.db", tmp_path / "gone.db"
    there.touch()
    assert missing_file(str(there)) is None
    assert missing_file(f"sqlite+aiosqlite:///{there}") is None
    assert missing_file("postgresql+asyncpg://host/db") is None
    assert missing_file(str(gone)) == gone
    assert missing_file(f"sqlite:///{gone}?timeout=3") == gone


def test_profiles_that_cannot_be_used_are_named_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(
        'stray = "x"\n[ok]\nurl = "https://ok/engine-rest"\nenvironment = "test"\n'
        '[typo]\nurl = "https://t/engine-rest"\npasswrd_env = "X"\n[nowhere]\nuser = "ann"\n'
        '[secret]\nurl = "https://s/engine-rest"\npassword = "hunter2"\n'
        '[ca]\nurl = "https://c/engine-rest"\nca = "none.pem"\n'
    )
    told = {line.split()[0]: line for line in known_profiles(file)}
    assert told["ok"] == "ok  test  https://ok/engine-rest"
    assert "broken: The profile typo: passwrd_env is not known; password_env is." in told["typo"]
    assert "broken: The profile nowhere has no url." in told["nowhere"]
    assert "broken: The profile secret holds its password" in told["secret"]
    assert "hunter2" not in told["secret"]
    assert f"broken: The profile ca: there is no file {tmp_path / 'none.pem'}." in told["ca"]
    assert told["stray"] == "stray  broken: stray stands above the first [profile] and belongs to none."
