"""Asking one query in every way an endpoint offers."""

from typing import Any

from tests.contract.engine import Engine

Record = dict[str, Any]


async def found(engine: Engine, path: str, query: Record, post: bool = True) -> list[str]:
    """The ids that match, by GET; asserts that the count, and POST where there is one, say the same."""
    by_get: list[Record] = await engine.get(path, **query)
    if post:
        assert await records_by_post(engine, path, query) == by_get
    else:
        assert await engine.get(f"{path}/count", **query) == {"count": len(by_get)}
    return [record["id"] for record in by_get]


async def found_by_post(engine: Engine, path: str, query: Record) -> list[str]:
    """The ids that match, by POST; for what a query string cannot say."""
    return [record["id"] for record in await records_by_post(engine, path, query)]


async def records_by_post(engine: Engine, path: str, query: Record) -> list[Record]:
    """The records that match, by POST; asserts that the count says the same."""
    by_post: list[Record] = await engine.post(path, query)
    assert await engine.post(f"{path}/count", query) == {"count": len(by_post)}
    return by_post


async def sorts(engine: Engine, path: str, query: Record, key: str, field: str, post: bool = True) -> None:
    """Assert that the sort key orders the records by this field, both ways.

    Where records without a value come is the database's affair, and so is the order of equal ones.
    """
    for order in ("asc", "desc"):
        lists = [await engine.get(path, **query, sortBy=key, sortOrder=order)]
        if post:
            lists.append(await engine.post(path, {**query, "sorting": [{"sortBy": key, "sortOrder": order}]}))
            lists.append(await engine.post(path, {**query, "sortBy": key, "sortOrder": order}))
        for records in lists:
            values = [record[field] for record in records if record[field] is not None]
            assert len(values) > 1, f"nothing to sort by {field}"
            assert values == sorted(values, reverse=order == "desc")
            assert len({record["id"] for record in records}) == len(records)


async def pages(engine: Engine, path: str, query: Record, post: bool = True) -> None:
    """Assert that pages put together are the whole, in the order of the ids."""
    whole = await engine.get(path, **query)
    size = len(whole)
    assert size >= 3, "too few records to turn pages"
    assert [record["id"] for record in whole] == sorted(record["id"] for record in whole)
    for first, most, expected in (
        (0, 2, whole[:2]),
        (2, 2, whole[2:4]),
        (size - 1, 5, whole[-1:]),
        (size, 5, []),
        (0, 0, []),
        (0, size + 10, whole),
    ):
        assert await engine.get(path, **query, firstResult=first, maxResults=most) == expected
        if post:
            assert await engine.post(path, query, firstResult=first, maxResults=most) == expected
    assert await engine.get(path, **query, maxResults=2) == whole[:2]
    assert await engine.get(path, **query, firstResult=1) == whole[1:]
    assert await engine.get(path, **query, maxResults=-1) == []
    assert await engine.get(path, **query, firstResult=-1) == []
