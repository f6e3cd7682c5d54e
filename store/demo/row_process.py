"""The process that draws the rows of a large world; ``row_source`` begins it and reads what it gives.

It writes a byte when it has come up, is told once where to go on, and then gives slice after slice until the world is
at its end, or whoever has begun it.
"""

import pickle
import sys
from contextlib import suppress

from retriage.store.demo.instances import InstanceRows

READY = b"."


def main() -> None:
    """Draw until nobody reads it any more."""
    with suppress(BrokenPipeError, EOFError):
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        instances, size = pickle.load(sys.stdin.buffer)
        _draw(instances, size)


def _draw(instances: InstanceRows, size: int) -> None:
    while True:
        rows = instances.slice(size).packed()
        pickle.dump((rows, instances.ids), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
        if not rows.tasks:
            return


if __name__ == "__main__":
    main()
