"""Where a secret comes from: the environment, a command, or the keyring of the desktop. Never a file of ours."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

KINDS = ("env", "command", "keyring")
PATIENCE = 60
"""Seconds that a command has to tell a secret; it may ask for another one first."""

READ_VARIABLES: set[str] = set()
"""Variables that hold secrets, as far as profiles and options have named them: no other program is given them."""


class SecretProblem(ValueError):
    """A secret cannot be had; the text is one sentence."""


def is_source(kind: str, value: Any) -> bool:
    """Whether this can be a source of that kind: the name of a variable, a command as a text or as a list of words, or
    ``SERVICE/USER`` of a keyring."""
    if kind == "command":
        words = isinstance(value, list) and all(isinstance(word, str) for word in value)
        return bool(value) and (isinstance(value, str) or words)
    return isinstance(value, str) and bool(value) and (kind != "keyring" or "/" in value.strip("/"))


def source_of(table: Any) -> tuple[str, Any] | None:
    """Kind and value of the one source that a table names, ``{ env = "NAME" }``; ``None`` where it names none."""
    if not isinstance(table, Mapping) or len(table) != 1:
        return None
    ((kind, value),) = table.items()
    return (kind, value) if kind in KINDS and is_source(kind, value) else None


def read_secret(whose: str, what: str, kind: str, value: Any, environ: Mapping[str, str], asks: bool = True) -> str:
    """A secret from its source.

    Args:
        whose: for the sentence, "The profile bpm".
        what: for the sentence, "password".
        kind: of the source, one of :data:`KINDS`.
        value: of that kind, see :func:`is_source`.
        environ: variables.
        asks: a command may ask something on the terminal.

    Raises:
        SecretProblem: it cannot be had there.
    """
    if kind == "env":
        READ_VARIABLES.add(value)
        if value not in environ:
            raise SecretProblem(f"{whose}: its {what} should be in {value}, which is not set.")
        return environ[value]
    if kind == "keyring":
        return _of_keyring(whose, what, value)
    told = output_of(whose, what, value, asks)
    secret = told.partition("\n")[0].rstrip("\r")
    if not secret:
        raise SecretProblem(f"{_command(whose, what, value)} printed nothing.")
    return secret


def output_of(whose: str, what: str, command: str | list[str], asks: bool = True) -> str:
    """All that a command writes. It is no shell; what it asks for is asked on the terminal, if it may.

    Raises:
        SecretProblem: it cannot be run, or has failed.
    """
    words = shlex.split(command) if isinstance(command, str) else command
    problem = _command(whose, what, command)
    try:
        silent = None if asks else subprocess.DEVNULL
        done = subprocess.run(words, stdin=silent, stdout=subprocess.PIPE, stderr=silent, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        said = "did not end" if isinstance(error, subprocess.TimeoutExpired) else f"cannot be run: {error.strerror}"
        raise SecretProblem(f"{problem} {said}.") from None
    if done.returncode:
        raise SecretProblem(f"{problem} failed with status {done.returncode}.")
    told = done.stdout.decode(errors="replace")
    if not told.strip():
        raise SecretProblem(f"{problem} printed nothing.")
    return told


def _command(whose: str, what: str, command: str | list[str]) -> str:
    words = shlex.split(command) if isinstance(command, str) else command
    return f"{whose}: the command for its {what} ({words[0]})"


def _of_keyring(whose: str, what: str, value: str) -> str:
    try:
        import keyring.errors  # 20 ms, where it is installed at all
    except ImportError:
        raise SecretProblem(f"{whose}: a keyring needs more: pip install 'retriage[keyring]'.") from None
    service, _, user = value.rpartition("/")
    try:
        secret = keyring.get_password(service, user)
    except keyring.errors.KeyringError as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        raise SecretProblem(f"{whose}: the keyring does not give its {what}: {said[:160]}.") from None
    if secret is None:
        raise SecretProblem(f"{whose}: the keyring has no {what} of {user} for {service}.")
    return secret
