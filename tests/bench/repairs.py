"""Batches that set a variable, and that delete instances, against bare ``sqlite3`` making the same row changes."""

from pathlib import Path

from tests.bench import bare
from tests.bench.batches import of_store, plain_store
from tests.bench.result import Line

AIM = 0.4
NAMES = ("set-variables", "instance-deletion")


def measure(folder: Path, sizes: tuple[int, ...]) -> list[Line]:
    """Measure and print."""
    lines = []
    found = {}
    print(f"{'':32}{'instances/s':>12}{'of bare':>10}{'memory':>10}")
    for size in sizes:
        place = folder / f"bare-repair-{size}.db"
        plain_store(size, str(place))
        plain = bare.measure_repair(bare.SqliteRows(str(place)), size)
        answer = of_store(size, str(folder / f"repair-{size}.db"), "repair")
        *setting, deleting = answer["each"]
        found[size] = (sum(setting), deleting)
        for name, batches, alone, took in zip(
            ("set-variables", "instance-deletion"), (2, 1), plain, found[size], strict=True
        ):
            share = alone / took
            rate = f"{batches * size / took:,.0f} instances/s, {share:.2f} of bare `sqlite3`"
            print(
                f"{f'{name}, {size:,}':32}{batches * size / took:>12,.0f}{share:>10.2f}{answer['megabytes']:>7.0f} MB",
                flush=True,
            )
            lines.append(Line(f"{name} of {size:,}", rate, f"{AIM}"))
        lines.append(Line(f"memory, repair of {size:,}", f"{answer['megabytes']:.0f} MB", "192 MB"))
    small, large = sizes[-2:]
    for name, before, after in zip(NAMES, found[small], found[large], strict=True):
        ratio = f"{after / before:.1f}"
        lines.append(Line(f"{name}: time({large:,}) / time({small:,})", ratio, f"{1.05 * large / small:.1f}"))
    return lines
