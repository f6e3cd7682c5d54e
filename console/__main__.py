"""``python -m retriage.console`` is ``retriage``."""

from retriage.console.cli import main

main()
