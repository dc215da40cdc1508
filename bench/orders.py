"""Millions of orders: filter, derive, join, five rules, Parquet; against the same as one fused DuckDB script."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench import orders_script
from bench.measure import Row, in_turn, seconds
from bench.orders_data import orders_csv, products_csv
from bench.platform import platform

ROWS = 5_000_000
RATIO = 1.3
PEAK_MIB = 2048.0
REPEATS = 3


def run(rows: int = ROWS, memory: str | None = None) -> Iterator[Row]:
    """From the claim to success on a warm worker, and the most memory that the worker held.

    Args:
        rows: How many orders.
        memory: What ETLML_RUN_MEMORY says; the script's DuckDB gets the same limit.
    """
    orders, products = orders_csv(rows), products_csv()
    promised = rows <= ROWS  # of more rows it is promised that they finish
    with platform(memory=memory) as running, tempfile.TemporaryDirectory(prefix="etlml-bench-") as folder:
        pipeline = running.create("orders", orders_steps(orders, products))
        running.run(running.create("warm-up", orders_steps(orders_csv(1000), products)))
        script = partial(orders_script.run, orders, products, Path(folder) / "orders.parquet", memory=memory)
        ours, scripts = in_turn(
            REPEATS if promised else 1, partial(running.work_seconds, pipeline), partial(seconds, script)
        )
        name, memory_note = f"orders ({rows:,} rows)", f"ETLML_RUN_MEMORY {memory or 'unset'}"
        limit = RATIO * min(scripts) if promised else None
        yield Row(name, min(ours), min(scripts), limit, note=f"baseline: bench/orders_script.py; {memory_note}")
        peak = running.worker_peak_bytes() / 2**20
        limit = PEAK_MIB if promised else None
        yield Row(f"{name}, memory", peak, None, limit, "MiB", f"peak of the worker process; {memory_note}")


def orders_steps(orders: Path, products: Path) -> list[dict[str, Any]]:
    """The pipeline."""
    rules = [
        {"rule": "not_null", "column": "customer_id"},
        {"rule": "unique", "column": "order_id"},
        {"rule": "between", "column": "price", "min": 0, "max": 1000},
        {"rule": "in_set", "column": "status", "values": ["new", "paid", "shipped", "delivered", "returned"]},
        {"rule": "matches", "column": "country", "regex": "[A-Z]{2}"},
    ]
    clean = [
        {"op": "filter", "where": "status <> 'cancelled' AND quantity > 0"},
        {"op": "derive", "columns": {"revenue": "quantity * price", "day": "ordered_at::DATE"}},
        {"op": "join", "with": "products", "on": ["product_id"], "how": "inner"},
        {"op": "derive", "columns": {"margin": "quantity * (price - cost)"}},
        {"op": "drop", "columns": ["cost"]},
    ]
    return [
        {"id": "orders", "type": "extract", "config": {"source": {"kind": "file", "path": str(orders)}}},
        {
            "id": "products",
            "type": "extract",
            "needs": [],
            "config": {"source": {"kind": "file", "path": str(products)}},
        },
        {"id": "clean", "type": "transform", "needs": ["orders", "products"], "config": {"ops": clean}},
        {"id": "check", "type": "validate", "config": {"rules": rules}},
        {
            "id": "save",
            "type": "load",
            "config": {"sink": {"kind": "file", "path": "out/orders.parquet"}, "mode": "overwrite"},
        },
    ]
