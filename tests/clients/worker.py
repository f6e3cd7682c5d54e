"""A worker made with camunda-external-task-client-python3: does to each task what the task's variables say.

Run as ``worker.py ROOT WORKER OPTIONS TOPIC…``; writes one JSON line for each thing that happens.
"""

import base64
import json
import logging
import sys
import time
from typing import Any

from camunda.client.engine_client import EngineClient  # type: ignore[import-not-found]
from camunda.external_task.external_task_worker import ExternalTaskWorker  # type: ignore[import-not-found]


def say(event: str, **more: Any) -> None:
    """One line for whoever watches."""
    print(json.dumps({"event": event, **more}), flush=True)


class Polls(logging.Handler):
    """Tells of each request for tasks, which the client writes into its log, and of each error."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the client's log."""
        text = record.getMessage()
        if "Fetching and Locking external tasks" in text:
            say("poll")
        elif "error fetching and executing" in text or record.levelno >= logging.WARNING:
            say("error", text=text[:1000])


def handle(task: Any) -> Any:
    """What the variables say."""
    fate, amount = task.get_variable("fate"), task.get_variable("amount")
    say("task", id=task.get_task_id(), fate=fate, key=task.get_business_key())
    if fate == "hang":
        time.sleep(3600)
    if task.get_topic_name().startswith("make-good"):
        return task.complete({"madeGood": True, "why": task.get_variable("why")})
    first = task._context["retries"] is None
    if fate == "fail" or (fate == "flaky" and first):
        return task.failure("503 from the bank", "line 1\nline 2", 0 if fate == "fail" else 2, 50)
    if fate in ("declined", "unheard"):
        return task.bpmn_error("DECLINED" if fate == "declined" else "NOBODY", "by the issuer", {"score": 0.25})
    made = {"doubled": amount * 2, "by": task.get_worker_id(), "text": "ünï ✓"}
    if fate == "read":
        content = EngineClient(sys.argv[1]).get_process_instance_variable(task.get_process_instance_id(), "paper")
        made["read"] = base64.b64decode(content).decode()
    return task.complete(made, {"mine": 1})


def main() -> None:
    """Work until killed."""
    root, worker, options, *topics = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, handlers=[Polls()])
    config = {"sleepSeconds": 1, **json.loads(options)}
    ExternalTaskWorker(worker_id=worker, base_url=root, config=config).subscribe(topics, handle)


if __name__ == "__main__":
    main()
