"""Batches on PostgreSQL against the same row changes by bare statements, with one runner and with three, and orders."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from tests.bench import bare, orders
from tests.bench.batches import of_store, plain_store
from tests.bench.result import Line
from tests.engines import postgres


@contextmanager
def _database(server: str) -> Iterator[str]:
    """A fresh database on a server."""
    fresh = postgres.fresh_database(server, linguistic=False)
    with asyncio.Runner() as runner:
        place = runner.run(fresh.__aenter__())
        try:
            yield place
        finally:
            runner.run(fresh.__aexit__(None, None, None))


def _bare(tasks: int, server: str) -> tuple[float, float]:
    with _database(server) as place:
        plain_store(tasks, place)
        url = make_url(place).set(drivername="postgresql").render_as_string(hide_password=False)
        rows = bare.PostgresqlRows(url)
        rows.run("ANALYZE")
        try:
            return bare.measure(rows, tasks)
        finally:
            rows.close()


def _store(tasks: int, server: str, runners: int) -> dict[str, Any]:
    with _database(server) as place, ExitStack() as others:
        for _ in range(runners - 1):
            others.enter_context(orders.serving(place))
        return of_store(tasks, place)


def measure(folder: Path, tasks: int, seconds: float) -> list[Line]:
    """Measure and print."""
    if missing := postgres.what_is_missing():
        print(f"PostgreSQL was not measured: {missing}")
        return []
    with postgres.running() as server:
        down, up = _bare(tasks, server)
        one, three = (_store(tasks, server, runners) for runners in (1, 3))
        with _database(server) as place, orders.serving(place) as root:
            ours = asyncio.run(orders.measure(root, seconds, (0, 500)))
    for name, to_0, back in (
        ("bare statements", down, up),
        ("store, one runner", *one["each"]),
        ("store, three runners", *three["each"]),
    ):
        both = 2 * tasks / (to_0 + back)
        print(f"PostgreSQL, {tasks:,}: {name:22}{both:>9,.0f} tasks/s; to 0 {tasks / to_0:>8,.0f}, "
              f"back {tasks / back:>8,.0f}", flush=True)  # fmt: skip
    return [
        Line(f"PostgreSQL, batch of {tasks:,} against bare statements", f"{(down + up) / sum(one['each']):.2f}"),
        Line("PostgreSQL, retries back to 3 against to 0", f"{one['each'][0] / one['each'][1]:.2f} as fast", "1"),
        Line("PostgreSQL, three runners against one", f"{one['seconds'] / three['seconds']:.2f} as fast"),
        Line("PostgreSQL, four callers start", f"{ours.starts_of_four:.0f}/s; one {ours.starts_of_one:.0f}/s"),
        Line("PostgreSQL, beside 500 long polls", f"{ours.rounds[500] / ours.rounds[0]:.2f} of that without", "0.9"),
    ]
