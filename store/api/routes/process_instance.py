"""Process instances: running ones and history, lists and one, and where the tokens of one are."""

from functools import partial

from fastapi import Response

from retriage.store.api.answers import answer
from retriage.store.api.declared import gives
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one
from retriage.store.api.routes.process_instance_batches import LITERALS
from retriage.store.api.state import StoreDep
from retriage.store.commands.activity_instances import activity_instances
from retriage.store.contract.modification import ActivityInstance
from retriage.store.queries.historic_process_instances import HISTORIC_PROCESS_INSTANCES
from retriage.store.queries.process_instances import PROCESS_INSTANCES

router = Router(tags=["Process Instance"])
add_lists(router, PROCESS_INSTANCES, path="/process-instance", post=True)
add_one(router, PROCESS_INSTANCES, "/process-instance/{id}", literals=LITERALS)
add_lists(router, HISTORIC_PROCESS_INSTANCES, path="/history/process-instance", post=True)
add_one(router, HISTORIC_PROCESS_INSTANCES, "/history/process-instance/{id}")


@router.get("/process-instance/{instance_id}/activity-instances")
@gives(ActivityInstance)
async def get_activity_instances(store: StoreDep, instance_id: str) -> Response:
    """Where the tokens of a running instance are."""
    return answer(await store.database.read(partial(activity_instances, instance_id=instance_id)))
