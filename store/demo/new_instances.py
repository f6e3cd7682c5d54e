"""New instances of the demo processes."""

from random import Random

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.instances import start as start_instance
from retriage.store.database import now
from retriage.store.demo.processes import PREFIXES, WEIGHTS
from retriage.store.demo.times import milliseconds
from retriage.store.demo.variables import variables_of
from retriage.store.tables import ProcessDefinition, ProcessInstance
from retriage.store.tables.types import col

_FIRST_NUMBER = 500_000
_D = ProcessDefinition


class NewInstances:
    """Starts instances on the newest versions of the demo processes. Suspended definitions are left alone."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number: int | None = None

    async def start(self, connection: AsyncConnection, number: int) -> int:
        """Start so many instances in the caller's transaction; none where there are no demo processes.

        Returns:
            How many were started.
        """
        definitions = await _newest(connection)
        if not definitions:
            return 0
        if self._number is None:
            count = select(func.count()).select_from(ProcessInstance)
            self._number = _FIRST_NUMBER + int((await connection.execute(count)).scalar_one())
        lines = list(definitions)
        for key, tenant in self._random.choices(lines, [WEIGHTS[line] for line in lines], k=number):
            self._number += 1
            variables = variables_of(key, self._random, self._number, milliseconds(now()))
            await start_instance(
                connection,
                definitions[key, tenant],
                business_key=f"{PREFIXES[key]}-{self._number}",
                variables={variable.name: variable.value() for variable in variables},
                user="shop-api",
            )
        return number


async def _newest(connection: AsyncConnection) -> dict[tuple[str, str | None], str]:
    """The newest version of each line of traffic, if it is not suspended."""
    keys = sorted({key for key, _ in WEIGHTS})
    rows = await connection.execute(
        select(col(_D.key), col(_D.tenant_id), col(_D.id), col(_D.suspended))
        .where(col(_D.key).in_(keys))
        .order_by(col(_D.version))
    )
    newest = {(row.key, row.tenant_id): row for row in rows}
    return {line: row.id for line, row in newest.items() if line in WEIGHTS and not row.suspended}
