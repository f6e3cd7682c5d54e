"""The processes behind definitions: parsed once, kept while they are used."""

from collections import OrderedDict

from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import Process, parse
from retriage.store.contract.errors import null_value
from retriage.store.database import elsewhere
from retriage.store.queries.definitions import definition_content

KEPT = 200
"""Definitions that stay parsed; the least recently used ones are parsed again when they are needed."""

_parsed: OrderedDict[str, Process] = OrderedDict()


def remember(definition_id: str, process: Process) -> None:
    """Keep the parsed process of a definition. A definition never changes, so there is nothing to forget."""
    _parsed[definition_id] = process
    _parsed.move_to_end(definition_id)
    while len(_parsed) > KEPT:
        _parsed.popitem(last=False)


async def process_of(connection: AsyncConnection, definition_id: str) -> Process:
    """The process of a definition.

    Raises:
        ContractError: 500, there is no such definition.
    """
    found = _parsed.get(definition_id)
    if found is None:
        content = await definition_content(connection, definition_id)
        if content is None:
            raise null_value(
                f"no deployed process definition found with id '{definition_id}': processDefinition is null"
            )
        key = definition_id.rpartition(":")[0].rpartition(":")[0]
        processes = await elsewhere(parse, content, definition_id)
        found = next(process for process in processes if process.key == key)
    remember(definition_id, found)
    return found
