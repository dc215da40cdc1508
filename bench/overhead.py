"""What a step costs that does nothing: a chain of them, with all states written durably."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from bench.measure import Row, in_turn, seconds
from bench.platform import Platform, platform

STEPS = 50
MS_A_STEP = 10.0
REPEATS = 5


def run() -> Iterator[Row]:
    """Two chains: one that the runner fuses into a single query, and one in which every step looks at the rows itself."""
    with platform() as running:
        for name, step in (("overhead", _transform), ("overhead, each step scans", _validate)):
            pipeline = running.create(
                name.replace(",", ""), [_source(), *(step(number) for number in range(STEPS - 1))]
            )
            running.run(pipeline)  # the first run pays for what stays warm
            chains, writes = in_turn(
                REPEATS, partial(running.work_seconds, pipeline), partial(_durable_writes, running)
            )
            yield Row(
                f"{name} ({STEPS} steps)",
                min(chains) / STEPS * 1000,
                min(writes) / STEPS * 1000,
                MS_A_STEP,
                "ms/step",
                "baseline: one durable write to MongoDB a step",
            )


def _source() -> dict[str, Any]:
    return {
        "id": "rows",
        "type": "extract",
        "config": {"source": {"kind": "inline", "rows": [{"n": n} for n in range(10)]}},
    }


def _transform(number: int) -> dict[str, Any]:
    return {"id": f"step{number}", "type": "transform", "config": {"ops": [{"op": "limit", "rows": 1000}]}}


def _validate(number: int) -> dict[str, Any]:
    return {"id": f"step{number}", "type": "validate", "config": {"rules": [{"rule": "row_count_between", "min": 1}]}}


def _durable_writes(running: Platform) -> float:
    collection = running.services.store.database["bench_writes"]
    collection.replace_one({"_id": "state"}, {"_id": "state", "n": -1}, upsert=True)

    def write() -> None:
        for number in range(STEPS):
            collection.update_one({"_id": "state"}, {"$set": {"n": number}})

    return seconds(write)
