"""Who may be let in: names, their passwords as a hash or as they are, and what they may do."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
"""Argon2id with the library's parameters (RFC 9106, low memory: 64 MiB and some 50 ms for each guess)."""

_SALT = secrets.token_bytes(32)
"""Of this process: what is remembered of a right password is worth nothing to anybody else."""


@dataclass(frozen=True)
class User:
    """Somebody who may be let in.

    Attributes:
        name: as it is written in the operation log.
        password: a hash made by ``hashed``, or where ``plain`` the password itself.
        plain: the password is no hash.
        read_only: the user may ask everything and order nothing.
    """

    name: str
    password: str = field(repr=False)
    plain: bool = True
    read_only: bool = False

    def has(self, password: str) -> bool:
        """Whether this is the user's password. With a hash it costs some 50 ms and 64 MiB: for a thread."""
        if self.plain:
            return secrets.compare_digest(password.encode(), self.password.encode())
        try:
            return _HASHER.verify(self.password, password)
        except (VerificationError, InvalidHashError):
            return False


_NOBODY = User("", "", plain=True)


def hashed(password: str) -> str:
    """The hash of a password, in the form of the Password Hashing Competition: ``$argon2id$v=19$…``."""
    return _HASHER.hash(password)


def is_hash(text: str) -> bool:
    """Whether a text is a hash as ``hashed`` makes them, whatever its parameters."""
    try:
        _HASHER.check_needs_rehash(text)
    except InvalidHashError:
        return False
    return text.startswith("$argon2id$")


class Users:
    """The users of a server by name.

    A right password is remembered as a keyed digest, for as long as the process lives: a client sends it with every
    request, and its hash is looked at for the first of them only.
    """

    def __init__(self, users: Iterable[User]) -> None:
        self._users = {user.name: user for user in users}
        self._remembered: dict[str, bytes] = {}
        # An unknown name costs as much as a known one: how long it takes tells nothing.
        slow = any(not user.plain for user in self._users.values())
        self._nobody = User("", hashed(secrets.token_hex()), plain=False) if slow else _NOBODY

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._users)

    def __contains__(self, name: object) -> bool:
        """Whether there is a user of this name."""
        return name in self._users

    def remembered(self, name: str, password: str) -> User | None:
        """The user, if this password was right before; none says nothing about it."""
        digest = _digest(name, password)
        return self._users[name] if hmac.compare_digest(self._remembered.get(name, b""), digest) else None

    def known(self, name: str, password: str) -> User | None:
        """The user with this password, none if there is no such. For a thread, see ``User.has``."""
        user = self._users.get(name)
        right = (user or self._nobody).has(password)
        if user is None or not right:
            return None
        self._remembered[name] = _digest(name, password)
        return user


def _digest(name: str, password: str) -> bytes:
    return hmac.digest(_SALT, f"{name}\0{password}".encode(), "sha256")
