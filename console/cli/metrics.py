"""``retriage metrics``: what is open on an engine, for Prometheus."""

from __future__ import annotations

from typing import Annotated

import typer

from retriage.console.cli.connection_options import ConnectionOptions, with_connection
from retriage.console.cli.exit_codes import EPILOG
from retriage.console.cli.headless import carry_out
from retriage.console.cli.program import app


@app.command("metrics", epilog=EPILOG)
@with_connection
def metrics_command(
    connection: ConnectionOptions,
    serve: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Serve them at http://127.0.0.1:PORT/metrics; 0 takes a free port."
        ),
    ] = None,
) -> None:
    """Print open incidents, tasks without retries, running batches and runs as Prometheus text.

    The engine is read a page of 500 rows a second, and with --serve once a minute, however often it is scraped.
    """
    from retriage.console.cli.headless_metrics import print_metrics, serve_metrics  # 900 ms

    chosen = connection.connection()
    carry_out(lambda: print_metrics(chosen) if serve is None else serve_metrics(chosen, serve))
