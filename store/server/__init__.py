"""The store without a screen: served over a socket."""

from retriage.store.server.problems import ServerProblem
from retriage.store.server.server import serve
from retriage.store.server.users import line_of, read_user_file, read_users

__all__ = ["ServerProblem", "line_of", "read_user_file", "read_users", "serve"]
