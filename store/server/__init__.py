"""The store without a screen: served over a socket, or filled with a demo world."""

from store.server.problems import ServerProblem
from store.server.server import fill, serve
from store.server.users import line_of, read_user_file, read_users

__all__ = ["ServerProblem", "fill", "line_of", "read_user_file", "read_users", "serve"]
