"""Process instances: running ones and history, lists and one."""

from store.api.router import Router
from store.api.routes.lists import add_lists, add_one
from store.queries.historic_process_instances import HISTORIC_PROCESS_INSTANCES
from store.queries.process_instances import PROCESS_INSTANCES

router = Router(tags=["Process Instance"])
add_lists(router, PROCESS_INSTANCES, path="/process-instance", post=True)
add_one(router, PROCESS_INSTANCES, "/process-instance/{id}")
add_lists(router, HISTORIC_PROCESS_INSTANCES, path="/history/process-instance", post=True)
add_one(router, HISTORIC_PROCESS_INSTANCES, "/history/process-instance/{id}")
