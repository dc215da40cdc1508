"""The example pipeline ``flights`` without its training, against one DuckDB script that does the same work."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import flights_script
from bench.measure import Row, in_turn, seconds
from bench.platform import platform
from etlml.services.workspace import examples_dir
from etlml.services.yaml_text import from_yaml

RATIO = 1.3
REPEATS = 7


def flights_steps(*, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The steps of the example pipeline."""
    document = from_yaml((examples_dir() / "pipelines" / "flights.yaml").read_bytes())
    for step in document["steps"]:
        _fill(step, str(document["params"]["late_after_min"]))
    return [step for step in document["steps"] if step["type"] not in without]


def run() -> Iterator[Row]:
    """From the claim to success on a warm worker."""
    with platform() as running, tempfile.TemporaryDirectory(prefix="etlml-bench-") as folder:
        running.services.workspace.install_examples()
        pipeline = running.create("flights-untrained", flights_steps(without=("train",)))
        running.run(pipeline)
        data, out = running.data / "examples", Path(folder)
        ours, scripts = in_turn(
            REPEATS, lambda: running.work_seconds(pipeline), lambda: seconds(lambda: flights_script.run(data, out))
        )
        yield Row(
            "flights, untrained",
            min(ours),
            min(scripts),
            RATIO * min(scripts),
            note="baseline: bench/flights_script.py",
        )


def _fill(step: dict[str, Any], minutes: str) -> None:
    for op in step["config"].get("ops", []):
        for name, expression in (op.get("columns") or {}).items() if op["op"] == "derive" else ():
            op["columns"][name] = expression.replace("${params.late_after_min}", minutes)
