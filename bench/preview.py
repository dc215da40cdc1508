"""How long the live preview of a step takes: every step of the example pipelines, on all rows, nothing remembered."""

import statistics
import time
from collections.abc import Iterator

from bench.measure import Row, percentile
from bench.platform import platform
from etlml.documents import PipelineDraft
from etlml.services import Services

TURNS = 5
LIMIT_S = 1.0


def run() -> Iterator[Row]:
    """The median of each step; the slowest step is held against the limit, beside the median of all."""
    with platform() as running:
        running.services.workspace.install_examples()
        found = _all_steps(running.services)
    medians = {step: statistics.median(times) for step, (times, _) in found.items()}
    slowest = max(medians, key=medians.__getitem__)
    cut = [step for step, (_, sampled) in found.items() if sampled]
    baseline = statistics.median(medians.values())
    note = f"{len(medians)} steps; {slowest}; baseline: the median step; {f'on a sample: {cut}' if cut else 'all on all rows'}"
    yield Row("preview (slowest step)", medians[slowest], baseline, LIMIT_S, "s", note)
    every = [each for times, _ in found.values() for each in times]
    yield Row("preview (p95)", percentile(every, 0.95), baseline, LIMIT_S, "s", f"{len(every)} previews")


def _all_steps(services: Services) -> dict[str, tuple[list[float], bool]]:
    """By ``pipeline.step``: the seconds of each turn, and whether any was of a sample."""
    found: dict[str, tuple[list[float], bool]] = {}
    for pipeline in services.pipelines.list(limit=50).items:
        document = pipeline.draft()
        for step in document.steps:
            found[f"{pipeline.name}.{step.id}"] = _step(services, document, step.id)
    return found


def _step(services: Services, document: PipelineDraft, step_id: str) -> tuple[list[float], bool]:
    times, sampled = list[float](), False
    for turn in range(TURNS):
        time.sleep(0.3)  # while a person reads; the next database is made ready meanwhile
        began = time.perf_counter()
        answer = services.previews.of_step(document, step_id, limit=100 - turn)  # another limit is another preview
        times.append(time.perf_counter() - began)
        sampled = sampled or answer.sampled
    return times, sampled
