"""What a transaction makes known once it is committed: topics that may have tasks for a worker now."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

_TOPICS = "topics with news"


def forget_news(connection: AsyncConnection) -> None:
    """Begin to note the news of a transaction."""
    connection.info.pop(_TOPICS, None)


def fetchable(connection: AsyncConnection, topics: Iterable[str]) -> None:
    """The tasks of these topics, and of no others, have changed; more may be named by another call. An order that
    calls this never may have changed those of any topic.
    """
    connection.info.setdefault(_TOPICS, set()).update(topics)


def news_of(connection: AsyncConnection) -> frozenset[str] | None:
    """The topics that were named, none where any topic may have changed."""
    topics: set[str] | None = connection.info.get(_TOPICS)
    return None if topics is None else frozenset(topics)
