"""Figures for Prometheus: of this process's requests, and of the platform as the database tells."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etlml.errors import EtlmlError
from etlml.services import Services

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
DAY = timedelta(days=1)
PREFIX = "/api"


class Metrics:
    """The registry of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.latency = Histogram(
            "etlml_api_request_duration_seconds",
            "Time from request to response.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.requests = Counter(
            "etlml_api_requests", "Requests by status code.", ("method", "route", "status"), registry=self.registry
        )
        self.errors = Counter("etlml_api_errors", "Requests that ended with a 5xx.", ("route",), registry=self.registry)

    def observe(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Note a request."""
        self.latency.labels(method, route).observe(duration_s)
        self.requests.labels(method, route, str(status)).inc()
        if status >= 500:
            self.errors.labels(route).inc()


class Measured:
    """Notes every request in the metrics, by the route's template, so that ids make no series of their own."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._metrics.observe(scope["method"], _template(scope), status, time.perf_counter() - started)


def _template(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    if not path:
        return "none"
    included = scope["path"].startswith(PREFIX) and not path.startswith(PREFIX)  # the route knows nothing of its router
    return f"{PREFIX}{path}" if included else str(path)


class PlatformCollector(Collector):
    """What the database tells, read when Prometheus asks."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each figure as a family of samples; only ``etlml_up`` 0 while the database is away."""
        try:
            figures = self._services().stats.figures(within=DAY)
        except EtlmlError:
            yield GaugeMetricFamily("etlml_up", "Whether the database answers.", value=0)
            return
        yield GaugeMetricFamily("etlml_up", "Whether the database answers.", value=1)
        yield _by("etlml_runs", "Runs by status.", "status", figures["runs"])
        yield GaugeMetricFamily("etlml_queue_length", "Runs that wait.", value=figures["runs"].get("pending", 0))
        yield _by("etlml_runs_last_day", "Runs of the last 24 h by status.", "status", figures["runs_last_day"])
        if figures["success_rate"] is not None:
            yield GaugeMetricFamily(
                "etlml_run_success_ratio",
                "Share of the last 24 h's finished runs that succeeded.",
                value=figures["success_rate"],
            )
        yield _by(
            "etlml_run_duration_seconds_mean", "Mean duration of the last 24 h's runs.", "pipeline", figures["mean_s"]
        )
        yield _by("etlml_run_duration_seconds_max", "Longest of the last 24 h's runs.", "pipeline", figures["max_s"])
        yield _by("etlml_training_duration_seconds", "Trainings of the last 24 h.", "statistic", figures["training_s"])
        yield _by("etlml_mongodb_connections", "Connections of the MongoDB server.", "state", figures["connections"])
        yield _by("etlml_workers", "Live workers, their slots, and the busy ones.", "what", figures["workers"])


def _by(name: str, help_: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
