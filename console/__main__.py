"""``python -m console`` is ``retriage``."""

from console.cli import main

main()
