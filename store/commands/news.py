"""What a transaction makes known once it is committed: topics that may have tasks for a worker now, and new jobs."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

_TOPICS = "topics with news"
_JOBS = "has made jobs"


def forget_news(connection: AsyncConnection) -> None:
    """Begin to note the news of a transaction."""
    connection.info.pop(_TOPICS, None)
    connection.info.pop(_JOBS, None)


def fetchable(connection: AsyncConnection, topics: Iterable[str]) -> None:
    """The tasks of these topics, and of no others, have changed; more may be named by another call. An order that
    calls this never may have changed those of any topic.
    """
    connection.info.setdefault(_TOPICS, set()).update(topics)


def jobs_made(connection: AsyncConnection) -> None:
    """There are new jobs for the runner."""
    connection.info[_JOBS] = True


def has_made_jobs(connection: AsyncConnection) -> bool:
    """Whether there are new jobs for the runner."""
    return _JOBS in connection.info


def news_of(connection: AsyncConnection) -> frozenset[str] | None:
    """The topics that were named, none where any topic may have changed."""
    topics: set[str] | None = connection.info.get(_TOPICS)
    return None if topics is None else frozenset(topics)
