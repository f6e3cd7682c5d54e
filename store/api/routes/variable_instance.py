"""Variables as things of their own: lists, one, content."""

from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_file, add_lists, add_one
from retriage.store.queries.variable_instances import VARIABLE_INSTANCES, get_variable_content

router = Router(prefix="/variable-instance", tags=["Variable Instance"])
add_lists(router, VARIABLE_INSTANCES, post=True)
add_one(router, VARIABLE_INSTANCES)
add_file(router, get_variable_content, "/{variable_id}/data")
