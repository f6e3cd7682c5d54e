"""The commands that list what an engine has: records as they are with ``--json``, the main columns otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from retriage.console.cli.connection_options import ConnectionOptions, with_connection
from retriage.console.cli.exit_codes import EPILOG
from retriage.console.cli.headless import carry_out
from retriage.console.cli.program import app, fail
from retriage.console.nouns import NOUNS

Query = Annotated[str, typer.Option(metavar="TEXT", help="Which ones, in the filter language.")]
Limit = Annotated[int, typer.Option(min=0, help="At most this many; 0 for all.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV on stdout, with a header line.")]
USUAL = 100
"""So many rows are told unless the operator says otherwise."""
CAUSES = "causes"
CAUSES_LISTING = "List the causes of open incidents, the most frequent first; numbers and ids make no difference."


def _lister(what: str) -> Callable[..., None]:
    """The command that lists one of them. All of them take the same options."""

    def lists(
        connection: ConnectionOptions, query: Query = "", limit: Limit = USUAL, json: Json = False, csv: Csv = False
    ) -> None:
        if json and csv:
            raise fail("--json and --csv exclude each other; give one of them.")
        carry_out(lambda: _list(what, connection, query, limit, json, csv))

    return lists


async def _list(what: str, options: ConnectionOptions, query: str, limit: int, json: bool, csv: bool) -> int:
    from retriage.console.cli.headless_lists import list_causes, list_records  # 165 ms

    connection = options.connection()
    if what == CAUSES:
        return await list_causes(connection, query, limit, json, csv)
    return await list_records(what, connection, query, limit, json, csv)


for _what, _sentence in [*((one.name, one.listing) for one in NOUNS.values() if one.listing), (CAUSES, CAUSES_LISTING)]:
    app.command(_what, help=_sentence, epilog=EPILOG)(with_connection(_lister(_what)))
