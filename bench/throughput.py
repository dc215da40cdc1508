"""Small runs a second: 500 queued one-step runs, two workers, durable writes."""

import time
from collections import Counter
from collections.abc import Iterator

from bench.measure import Row
from bench.platform import platform, second_worker
from etlml.clock import utc_now
from etlml.engine.new_runs import new_run

RUNS = 500
LEAST_PER_S = 20.0


def run() -> Iterator[Row]:
    """Seconds for all runs, against the time that 20 a second would take."""
    with platform() as there, second_worker(there):
        pipeline = there.create(
            "no-op", [{"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}]}}}]
        )
        store = there.services.store
        store.pipelines.update(pipeline, {"max_running": 8})
        queued = store.pipelines.get(pipeline)
        began = time.perf_counter()
        for _ in range(RUNS):
            store.runs.add(new_run(queued, trigger="manual", now=utc_now()))
        while store.runs.counts_by_status().get("success", 0) < RUNS:
            time.sleep(0.05)
            if time.perf_counter() - began > 300:
                break
        seconds = time.perf_counter() - began
        runs = store.runs.list(limit=1000).items
        shares = Counter(run.worker for run in runs)
        repeated = sum(run.attempt != 1 for run in runs)
        yield Row(
            "500 one-step runs, two workers",
            value=seconds,
            baseline=None,
            limit=RUNS / LEAST_PER_S,
            note=f"{RUNS / seconds:.0f} a second; {repeated} ran more than once; shares {sorted(shares.values())}",
        )
