"""``python -m tests.twins --comparisons 20000 --seed 7``: compare as many answers, then say what was compared.

Ends with 1 and the smallest life that shows it where the engines differ without a known reason.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.engines import camunda
from tests.twins.comparing import Difference
from tests.twins.pair import Tally
from tests.twins.run import OPTIONS, Session, engines


def main() -> int:
    """Run the worlds that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.twins", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=20_000, help="compare at least so many answers")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the same seed, the same worlds")
    parser.add_argument("--questions", type=int, default=250, help="questions in each world")
    parser.add_argument("--engine", help="REST root of a reference engine; EVERYTHING on it is deleted")
    parser.add_argument("--all", action="store_true", help="list all differences, not the smallest case of the first")
    wanted = parser.parse_args()
    tally, start = Tally(wanted.all), time.monotonic()
    print(f"seed {wanted.seed}", flush=True)
    difference: Difference | None = None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root = wanted.engine or stack.enter_context(camunda.running(folder / "engine.log", OPTIONS))
        runner = stack.enter_context(asyncio.Runner())
        both = engines(folder, root)
        session = Session(runner.run, runner.run(both.__aenter__()), tally)
        try:
            session.compare(wanted.comparisons, wanted.seed, wanted.questions)
        except Difference as first:
            difference = first
        finally:
            runner.run(both.__aexit__(None, None, None))
    print(summary(tally, time.monotonic() - start))
    for found in (difference,) if difference is not None else tally.gathered or ():
        print(f"\nDIFFERENCE (seed {wanted.seed}) {found}")
        for note in getattr(found, "__notes__", ()):
            print(note)
    return int(difference is not None or bool(tally.gathered))


def summary(tally: Tally, seconds: float) -> str:
    """What was compared, in words."""
    lines = [f"{tally.comparisons} comparisons in {seconds:.0f} s"]
    lines += [f"  {count:7} {purpose}" for purpose, count in tally.compared.most_common()]
    lines += [f"  {count:7} answered with {status}" for status, count in sorted(tally.statuses.items())]
    lines.append(f"  {tally.lists[True]:7} lists with rows, {tally.lists[False]} without")
    lines += [f"  {count:7} {order} -> {status}" for (order, status), count in sorted(tally.orders.items())]
    lines += [f"  {count:7} explained: {reason}" for reason, count in tally.explained.most_common()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
