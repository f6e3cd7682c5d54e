"""The name of a store that may be shown, remembered and handed on."""

import re
from urllib.parse import unquote_plus

_LOGIN = re.compile(r"[^:/]*(?::[^@]*)?@")
"""User and password of a URL, as SQLAlchemy reads them."""
_SECRET = re.compile(r"passw|secret|scram|token|^pw", re.IGNORECASE)
"""In the name of a connection parameter whose value is a secret: ``sslpassword``, ``scram_client_key``."""


def name_of(store: str) -> str:
    """A store without its secrets: of a URL the login and the secret parameters are left out.

    Args:
        store: a path, or an SQLAlchemy URL, which may be mistyped.
    """
    scheme, mark, rest = store.partition("://")
    if not mark:
        return store
    if login := _LOGIN.match(rest):
        rest = rest[login.end() :]
    place, _, query = rest.partition("?")
    place = place.rpartition("@")[2]
    kept = "&".join(part for part in query.split("&") if not _SECRET.search(unquote_plus(part.partition("=")[0])))
    return f"{scheme}://{place}{'?' if kept else ''}{kept}"
