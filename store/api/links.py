"""Links of answers to other resources of the same engine."""

from fastapi import Request

from retriage.store.contract.records import Link


def self_link(request: Request, resource: str, kind: str, identity: str) -> Link:
    """Where a new thing is found again.

    Args:
        request: a request to the resource that made it.
        resource: first path segment of that resource below the engine's root.
        kind: first path segment of the thing's own resource.
        identity: the thing's id.
    """
    root = request.url.path.partition(f"/{resource}/")[0]
    return Link(method="GET", href=f"{request.url.scheme}://{request.url.netloc}{root}/{kind}/{identity}", rel="self")
