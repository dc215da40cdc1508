"""A database as it looks after some weeks of use, for screenshots and tests: pipelines, runs, experiments, models, checks, logs.

Everything goes through the stores; nothing is executed. The same seed gives the same documents but for their times.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from etlml.clock import utc_now
from etlml.documents import Pipeline, Step
from etlml.store import Store
from scripts.seeding_learning import seed_learning
from scripts.seeding_people import seed_people
from scripts.seeding_pipelines import FLEET, FLIGHTS, PENGUINS, SUMMARY, WEATHER
from scripts.seeding_present import seed_present
from scripts.seeding_runs import seed_runs

SEED = 7


def seed(store: Store, *, days: int = 21, now: datetime | None = None) -> dict[str, Pipeline]:
    """Fill an empty database; the pipelines by name."""
    now = now or utc_now()
    pipelines = seed_past(store, days=days, now=now)
    seed_present(store, pipelines, now)
    return pipelines


def seed_past(store: Store, *, days: int, now: datetime) -> dict[str, Pipeline]:
    """What has ended: nothing of it would be taken up by a worker."""
    chance = random.Random(SEED)
    pipelines = {one.name: one for one in _pipelines()}
    for pipeline in pipelines.values():
        store.pipelines.add(pipeline, author="examples")
    for pipeline in pipelines.values():
        seed_runs(store, pipeline, days, now, chance)
    seed_learning(store, pipelines["flights"], now, chance)
    seed_people(store, now)
    return pipelines


def _pipelines() -> Sequence[Pipeline]:
    return (
        _pipeline(
            "flights",
            FLIGHTS,
            "New York flights of 2013: clean, join, check, save, learn who is late",
            ["example", "ml"],
            "0 6 * * 1-5",
            {"min_distance": 1},
        ),
        _pipeline(
            "penguins", PENGUINS, "Which penguin is it? A small model on a small file", ["example", "ml"], None, {}
        ),
        _pipeline("daily-summary", SUMMARY, "Flights a day, every morning", ["example"], "30 5 * * *", {}),
        _pipeline("weather", WEATHER, "Hourly weather at the three airports", ["weather"], "15 */3 * * *", {}),
        _pipeline(
            "fleet-report", FLEET, "Planes and seats by maker, for the Monday meeting", ["report"], "0 7 * * 1", {}
        ),
    )


def _pipeline(
    name: str, steps: Sequence[dict[str, Any]], text: str, tags: list[str], schedule: str | None, params: dict[str, Any]
) -> Pipeline:
    return Pipeline(
        name=name,
        description=text,
        steps=[Step(**step) for step in steps],
        tags=tags,
        schedule=schedule,
        timezone="Europe/Berlin",
        params=params,
    )
