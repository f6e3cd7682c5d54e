"""An external-task worker that completes whatever has retries left: ``python -m tests.bench.worker ROOT TOPIC …``."""

import sys

import httpx


def work(root: str, topics: list[str]) -> None:
    """Fetch and complete until the engine is gone."""
    wanted = [{"topicName": topic, "lockDuration": 60_000, "variables": []} for topic in topics]
    order = {"workerId": "bench", "maxTasks": 20, "asyncResponseTimeout": 5000, "topics": wanted}
    with httpx.Client(base_url=root, timeout=120, trust_env=False) as http:
        while True:
            for task in http.post("/external-task/fetchAndLock", json=order).raise_for_status().json():
                http.post(f"/external-task/{task['id']}/complete", json={"workerId": "bench"}).raise_for_status()


if __name__ == "__main__":
    try:
        work(sys.argv[1], sys.argv[2:])
    except (httpx.TransportError, KeyboardInterrupt):
        sys.exit(0)
