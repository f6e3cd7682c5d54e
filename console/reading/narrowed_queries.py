"""A query and one more condition. The engine's own rules decide when two filters meet: see each function."""

from collections.abc import Iterable
from typing import Literal

from retriage.store.contract.queries import ExternalTaskQuery

Trait = Literal["no_retries", "retries_left", "locked", "suspended"]


def narrowed(query: ExternalTaskQuery, trait: Trait) -> ExternalTaskQuery | None:
    """The query for those of its tasks that have the trait; ``None`` when its own filters leave none.

    Where both of a pair are set, the engine lets ``noRetriesLeft`` win over ``withRetriesLeft`` and ``suspended`` over
    ``active``, so adding a filter to a query that holds its opposite would not intersect but replace.
    """
    if _excludes(query, trait):
        return None
    field = {"no_retries": "no_retries_left", "retries_left": "with_retries_left"}.get(trait, trait)
    return query.model_copy(update={field: True})


def _excludes(query: ExternalTaskQuery, trait: Trait) -> bool:
    if trait == "no_retries":
        return bool(query.with_retries_left) and not query.no_retries_left
    if trait == "retries_left":
        return bool(query.no_retries_left)
    if trait == "locked":
        return bool(query.not_locked)
    return bool(query.active) and not query.suspended


def among(query: ExternalTaskQuery, ids: Iterable[str]) -> ExternalTaskQuery | None:
    """The query for those of its tasks whose id is one of these; ``None`` when that cannot be any.

    An empty list of ids must never be sent: to the engine it is no filter.
    """
    wanted = set(ids)
    if query.external_task_id_in:
        wanted &= {id for id in query.external_task_id_in if id is not None}
    if not wanted:
        return None
    return query.model_copy(update={"external_task_id_in": sorted(wanted)})
