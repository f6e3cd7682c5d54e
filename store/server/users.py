"""The users of a server, as they are given: in options, in the environment, or in a file of hashes."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from retriage.store.api.users import User, hashed, is_hash
from retriage.store.server.problems import ServerProblem

READ_ONLY = "read-only"
"""The third field of a line of the user file, where there is one."""


def read_users(given: Sequence[str]) -> list[User]:
    """Users with their passwords as they are.

    Args:
        given: users as NAME:PASSWORD. The password may hold colons, the name not.

    Raises:
        ServerProblem: one of them is no such pair. The text does not repeat it: it may be a password.
    """
    users = []
    for number, user in enumerate(given, 1):
        name, colon, password = user.partition(":")
        if not (name and colon and password):
            raise ServerProblem(f"user {number} is not given as NAME:PASSWORD, both not empty")
        if not _is_text(user):
            raise ServerProblem(f"user {number} is not written in UTF-8")
        users.append(User(name, password))
    return users


def read_user_file(file: Path) -> list[User]:
    """Users with the hashes of their passwords, a line each as ``line_of`` makes them. Lines with ``#`` say nothing.

    Raises:
        ServerProblem: the file cannot be read, or by others too, or a line of it is none. The text repeats nothing of
            it.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            if os.name == "posix" and os.fstat(opened.fileno()).st_mode & 0o077:
                raise ServerProblem(f"others may read the user file {file}; `chmod 600 {file}` fixes that")
            lines = opened.read().splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ServerProblem(f"the user file {file} cannot be read") from problem
    users = list(_users(lines, file))
    names = [user.name for user in users]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ServerProblem(f"the user file {file} has two lines for {twice!a}")
    return users


def _users(lines: Sequence[str], file: Path) -> Iterator[User]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        password, colon, what = rest.partition(":")
        if not name or not is_hash(password) or (colon and what != READ_ONLY):
            raise ServerProblem(
                f"line {number} of the user file {file} is not NAME:HASH or NAME:HASH:{READ_ONLY}; "
                "`retriage user NAME` makes such a line"
            )
        yield User(name, password, plain=False, read_only=bool(colon))


def line_of(name: str, password: str, *, read_only: bool = False) -> str:
    """The line of the user file for a user.

    Raises:
        ServerProblem: a name with a colon or what cannot be seen, or an empty one, or no password.
    """
    if not name or ":" in name or name.startswith("#") or not name.isprintable() or name != name.strip():
        raise ServerProblem(
            "a name holds no colon and nothing invisible, has no spaces around it, and does not begin with #"
        )
    if not password or not _is_text(password):
        raise ServerProblem("a password is needed, in UTF-8")
    return f"{name}:{hashed(password)}{f':{READ_ONLY}' if read_only else ''}"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
