"""The store without a screen: served over a socket."""

from store.server.problems import ServerProblem
from store.server.server import serve
from store.server.users import line_of, read_user_file, read_users

__all__ = ["ServerProblem", "line_of", "read_user_file", "read_users", "serve"]
