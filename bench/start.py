"""How long it takes from asking REST for a run until its first step runs, on an idle worker."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from bench.measure import Row, percentile
from bench.platform import Platform, platform

RUNS = 60
P95_MS = 100.0
PAUSE_S = 0.15


def run() -> Iterator[Row]:
    """POST /api/pipelines/{id}/run, again and again, each after the run before has ended."""
    rows = [{"n": 1}]
    with platform() as running, running.api() as client:
        pipeline = running.create(
            "start", [{"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": rows}}}]
        )
        for _ in range(3):
            _start(running, client, pipeline)
        found = [_start(running, client, pipeline) for _ in range(RUNS)]
        p50 = percentile([total for total, _ in found], 0.5)
        requests = percentile([request for _, request in found], 0.95)
        note = f"p50 {p50:.0f} ms; baseline: p95 of the request itself"
        yield Row("start (p95)", percentile([total for total, _ in found], 0.95), requests, P95_MS, "ms", note)


def _start(running: Platform, client: httpx.Client, pipeline: str) -> tuple[float, float]:
    """Milliseconds until the first step ran, and until the reply came."""
    time.sleep(PAUSE_S)
    asked = datetime.now(UTC)
    reply = client.post(f"/pipelines/{pipeline}/run", json={})
    answered = datetime.now(UTC)
    reply.raise_for_status()
    run = running.services.runs.wait(reply.json()["id"], 30)
    started = run.steps[0].started_at
    if run.status != "success" or started is None:
        raise RuntimeError(f"run {run.id}: {run.status}: {run.error}")
    return (started - asked).total_seconds() * 1000, (answered - asked).total_seconds() * 1000
