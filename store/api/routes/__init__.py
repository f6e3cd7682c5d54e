"""One file per subject; each exports ``router``. Literal paths come before ``{id}``."""

from store.api.routes import batch, external_task, incident, job, process_instance

ROUTERS = (
    external_task.router,
    process_instance.router,
    incident.router,
    batch.router,
    job.router,
)
"""All routers, in the order in which they are asked."""
