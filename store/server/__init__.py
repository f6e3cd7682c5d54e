"""The store without a screen: served over a socket, or filled with a demo world."""

from store.server.problems import ServerProblem
from store.server.server import fill, serve

__all__ = ["ServerProblem", "fill", "serve"]
