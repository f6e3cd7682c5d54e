"""What keeps a server from starting."""


class ServerProblem(Exception):
    """What stands in the way, in one sentence for the person at the keyboard."""
