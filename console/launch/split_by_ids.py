"""A launch by ids that is too large for one request becomes several batches.

A proxy takes in requests up to a size, nginx 1 MB when it was not told otherwise, and answers a larger one 413: the
engine never sees it, so nothing was done. An id takes 39 bytes in the request (36 of a UUID, quotes and a comma).
"""

from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.plan_by_ids import PlanByIds
from retriage.console.text.words import things

Plan = LaunchPlan | PlanByIds


def parts_of(plan: Plan, most: int) -> list[Plan]:
    """The plan, or several that name at most so many tasks each and all of them together.

    Args:
        plan: what is to be launched.
        most: ids of one request, 1 or more.
    """
    if not plan.by_ids or len(plan.ids) <= most:
        return [plan]
    slices = [plan.ids[first : first + most] for first in range(0, len(plan.ids), most)]
    return [plan.only(ids, f"{plan.said}, part {number} of {len(slices)}") for number, ids in enumerate(slices, 1)]


def said_of_parts(plan: LaunchPlan, most: int) -> str:
    """One sentence where the launch becomes several batches; empty where one request is enough."""
    if not plan.by_ids or plan.count <= most:
        return ""
    batches = things(-(-plan.count // most), "batch", "batches")
    return f"Too many ids for one request: {batches} of at most {most:,} tasks, one after the other."
