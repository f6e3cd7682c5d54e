"""A launch by ids that is too large for one request becomes several batches.

A proxy takes in requests up to a size, nginx 1 MB when it was not told otherwise, and answers a larger one 413: the
engine never sees it, so nothing was done. An id takes 39 bytes in the request (36 of a UUID, quotes and a comma).
"""

from dataclasses import replace

from console.launch.plan import LaunchPlan
from console.reading.selection import Marked
from console.text.words import things


def parts_of(plan: LaunchPlan, most: int) -> list[LaunchPlan]:
    """The plan, or several that name at most so many tasks each and all of them together.

    Args:
        plan: what is to be launched.
        most: ids of one request, 1 or more.
    """
    if not plan.by_ids or len(plan.ids) <= most:
        return [plan]
    slices = [plan.ids[first : first + most] for first in range(0, len(plan.ids), most)]
    said = plan.selection.describe()
    return [_part(plan, ids, f"{said}, part {number} of {len(slices)}") for number, ids in enumerate(slices, 1)]


def said_of_parts(plan: LaunchPlan, most: int) -> str:
    """One sentence where the launch becomes several batches; empty where one request is enough."""
    if not plan.by_ids or plan.count <= most:
        return ""
    batches = things(-(-plan.count // most), "batch", "batches")
    return f"Too many ids for one request: {batches} of at most {most:,} tasks, one after the other."


def _part(plan: LaunchPlan, ids: list[str], said: str) -> LaunchPlan:
    selection = Marked(frozenset(ids), said)
    if plan.selected_tasks is None:
        return plan.but(selection=selection, facts=replace(plan.facts, asked=len(ids), found=len(ids)))
    selected_tasks = plan.selected_tasks.only(ids)
    return plan.but(selection=selection, selected_tasks=selected_tasks, facts=selected_tasks.facts())
