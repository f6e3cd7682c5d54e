"""External tasks: the start screen."""
