"""``GET /metrics``: what a server and its runner have done, in the text format of Prometheus.

Counted in the memory of this process; nothing is asked of the database. Labels are bounded: the templates of the
routes, the methods of HTTP, statuses.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriage.store.api.authentication import METRICS
from retriage.store.runner import Runner

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
OTHER = "(other)"
CUT_OFF = "none"
"""Status of a request whose caller was gone, or was cut off, before the answer began."""


class RequestCounts:
    """Counts requests by method, template of their route and status, as ASGI middleware around all the others."""

    def __init__(self, app: ASGIApp, counts: "ServerFigures") -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = CUT_OFF

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        began = time.monotonic()
        self._counts.under_way += 1
        try:
            await self._app(scope, receive, noted)
        finally:
            self._counts.under_way -= 1
            method = scope["method"] if scope["method"] in METHODS else OTHER
            route = getattr(scope.get("route"), "path", OTHER)
            self._counts.requests[method, route, status] += 1
            took = self._counts.seconds.get((method, route), 0.0) + time.monotonic() - began
            self._counts.seconds[method, route] = took


class ServerFigures(Collector):
    """What is counted.

    Args:
        runner: the job runner, once the store is open.
        connections: how many are open.
    """

    def __init__(self, runner: Callable[[], Runner], connections: Callable[[], int]) -> None:
        self._runner = runner
        self._connections = connections
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.seconds: dict[tuple[str, str], float] = {}
        self.under_way = 0
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """All figures as they are now."""
        requests = CounterMetricFamily(
            "retriage_server_requests", "Requests that have ended.", labels=["method", "route", "status"]
        )
        for labels, number in self.requests.items():
            requests.add_metric(labels, number)
        seconds = CounterMetricFamily(
            "retriage_server_request_seconds",
            "Seconds that they took, long polls with their waiting.",
            labels=["method", "route"],
        )
        for of, took in self.seconds.items():
            seconds.add_metric(of, took)
        runner = self._runner()
        jobs = CounterMetricFamily("retriage_runner_jobs", "Jobs that the runner has carried out.", labels=["result"])
        jobs.add_metric(["done"], runner.done)
        jobs.add_metric(["failed"], runner.failed)
        return [
            requests,
            seconds,
            GaugeMetricFamily(
                "retriage_server_requests_under_way", "Requests that wait for an answer.", self.under_way
            ),
            GaugeMetricFamily("retriage_server_connections", "Open connections.", self._connections()),
            jobs,
            CounterMetricFamily(
                "retriage_runner_turns", "Turns of the runner, also those without a job.", runner.turns
            ),
            CounterMetricFamily(
                "retriage_runner_trouble", "Turns that ended with an error, of the database mostly.", runner.trouble
            ),
        ]

    async def answer(self, request: Request) -> Response:
        """The figures in the text format."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


def add_metrics(app: FastAPI, connections: Callable[[], int]) -> None:
    """Count the requests of an application from outside of all else, and answer ``GET /metrics``.

    Args:
        app: the application; its store is at ``app.state.store`` when a request comes.
        connections: how many are open.
    """
    figures = ServerFigures(lambda: app.state.store.runner, connections)
    app.router.add_route(METRICS, figures.answer, methods=["GET"], include_in_schema=False)
    app.add_middleware(RequestCounts, counts=figures)
