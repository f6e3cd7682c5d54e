"""Connection profiles: engines by name, in a TOML file of the operator. No password is ever in it.

::

    [bpm-prod]
    url = "https://bpm.example/engine-rest"
    environment = "prod"                           # demo, dev, test or prod
    user = "ann"
    password_command = ["pass", "show", "bpm"]     # or password_env = "BPM_PASSWORD"
    readonly = false
    ca = "company-ca.pem"                          # relative to the file; or verify = false
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from console.engine.target import Remote

ENVIRONMENTS = ("demo", "dev", "test", "prod")
TEXTS = ("url", "environment", "user", "password_env", "token_env", "ca")
SWITCHES = ("readonly", "verify")
COMMANDS = ("password_command", "token_command")
KEYS = (*TEXTS, *SWITCHES, *COMMANDS)
SECRETS = ("password", "token", "secret")
PATIENCE = 60
"""Seconds that a command has to tell a password; it may ask for another one first."""


class ProfileProblem(ValueError):
    """A profile cannot be used; the text is one sentence for whoever named it."""


@dataclass(frozen=True)
class Profile:
    """An engine by name.

    Attributes:
        name: its name.
        target: how it is reached, with its password.
        environment: the word for the first line in capitals; empty when the profile does not say.
        readonly: nothing may be changed through it.
    """

    name: str
    target: Remote
    environment: str
    readonly: bool


def profile_named(name: str, file: Path, environ: Mapping[str, str] = os.environ) -> Profile:
    """The profile of that name. A password comes from the environment or from a command, which is run here.

    Raises:
        ProfileProblem: there is no such file or profile, it says something wrong, or its password cannot be had.
    """
    told = _told(name, file)
    for key, value in told.items():
        _check(name, key, value)
    if not told.get("url"):
        raise ProfileProblem(f"The profile {name} has no url.")
    target = Remote(
        told["url"],
        user=told.get("user"),
        password=_secret(name, "password", told, environ),
        token=_secret(name, "token", told, environ),
        new_token=partial(_from, name, "token", told["token_command"], False) if told.get("token_command") else None,
        ca=file.parent / Path(told["ca"]).expanduser() if told.get("ca") else None,
        insecure=told.get("verify") is False,
    )
    try:
        target.root()
    except ValueError as problem:
        raise ProfileProblem(f"The profile {name}: {problem}") from None
    return Profile(name, target, told.get("environment", "").upper(), told.get("readonly", False))


def known_profiles(file: Path) -> list[str]:
    """One line about each profile: name, environment, address, and what is wrong with it. No password is asked for.

    Raises:
        ProfileProblem: the file cannot be read.
    """
    return [
        "  ".join(part for part in (*_told_of(name, told), _broken(_flaw(name, told, file))) if part)
        for name, told in sorted(_read(file).items())
    ]


def _told_of(name: str, told: object) -> tuple[str, ...]:
    if not isinstance(told, dict):
        return (name,)
    return name, str(told.get("environment", "prod?")), _address(told.get("url"))


def _broken(flaw: str) -> str:
    return f"broken: {flaw}" if flaw else ""


def _flaw(name: str, told: object, file: Path) -> str:
    """Why a profile cannot be used, as far as that can be told without a password; empty where it can."""
    try:
        if not isinstance(told, dict):
            raise ProfileProblem(f"{name} stands above the first [profile] and belongs to none.")
        for key, value in told.items():
            _check(name, key, value)
        if not told.get("url"):
            raise ProfileProblem(f"The profile {name} has no url.")
        Remote(told["url"]).root()
        for what in ("password", "token"):
            if told.get(f"{what}_env") and told.get(f"{what}_command"):
                raise ProfileProblem(f"The profile {name} has two sources of its {what}; one is enough.")
        if told.get("ca") and not (ca := file.parent / Path(told["ca"]).expanduser()).is_file():
            raise ProfileProblem(f"The profile {name}: there is no file {ca}.")
    except ValueError as problem:
        return str(problem)
    return ""


def _address(url: Any) -> str:
    """An address as it may be shown: a password that stands in it is not."""
    try:
        return Remote(url).root() if isinstance(url, str) else ""
    except ValueError:
        return "(no address)"


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        said = getattr(problem, "strerror", None) or str(problem)
        raise ProfileProblem(f"The profiles in {file} cannot be read: {said}.") from None


def _told(name: str, file: Path) -> dict[str, Any]:
    profiles = _read(file)
    told = profiles.get(name)
    if not isinstance(told, dict):
        known = f"; there is {', '.join(sorted(profiles))}" if profiles else ""
        raise ProfileProblem(f"There is no profile {name} in {file}{known}.")
    return told


def _check(name: str, key: str, value: Any) -> None:
    if key in SECRETS:
        raise ProfileProblem(f"The profile {name} holds a {key}: name its source, {_source(key)}, and take it out.")
    if key not in KEYS:
        near = get_close_matches(key, KEYS, 1)
        raise ProfileProblem(f"The profile {name}: {key} is not known{f'; {near[0]} is' if near else ''}.")
    right = isinstance(value, bool if key in SWITCHES else str)
    if key in COMMANDS:
        right = bool(value) and (isinstance(value, str) or _words(value))
    if not right:
        kind = "true or false" if key in SWITCHES else "a command" if key in COMMANDS else "a text"
        raise ProfileProblem(f"The profile {name}: {key} must be {kind}.")
    if key == "environment" and value.lower() not in ENVIRONMENTS:
        raise ProfileProblem(f"The profile {name}: environment must be one of {', '.join(ENVIRONMENTS)}.")


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _source(key: str) -> str:
    return "token_env or token_command" if key == "token" else "password_env or password_command"


def _secret(name: str, what: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    variable, command = told.get(f"{what}_env"), told.get(f"{what}_command")
    if variable and command:
        raise ProfileProblem(f"The profile {name} has two sources of its {what}; one is enough.")
    if variable:
        if variable not in environ:
            raise ProfileProblem(f"The profile {name}: its {what} should be in {variable}, which is not set.")
        return environ[variable]
    return _from(name, what, command) if command else None


def _from(name: str, what: str, command: str | list[str], asks: bool = True) -> str:
    """The first line that the command writes. It is no shell; what it asks for is asked on the terminal, if it may."""
    words = shlex.split(command) if isinstance(command, str) else command
    problem = f"The profile {name}: the command for its {what} ({words[0]})"
    try:
        silent = None if asks else subprocess.DEVNULL
        done = subprocess.run(words, stdin=silent, stdout=subprocess.PIPE, stderr=silent, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        said = "did not end" if isinstance(error, subprocess.TimeoutExpired) else f"cannot be run: {error.strerror}"
        raise ProfileProblem(f"{problem} {said}.") from None
    if done.returncode:
        raise ProfileProblem(f"{problem} failed with status {done.returncode}.")
    secret = done.stdout.decode(errors="replace").partition("\n")[0].rstrip("\r")
    if not secret:
        raise ProfileProblem(f"{problem} told nothing.")
    return secret
