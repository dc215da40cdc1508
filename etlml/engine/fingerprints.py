"""What a step's result depends on, as one hash: equal keys mean equal results, so a kept one can be used again."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from etlml import __version__
from etlml.engine.reuse import passes_input_on
from etlml.steps.check import CheckedStep
from etlml.steps.templating import References, filled

CACHED = frozenset({"extract", "transform", "train"})
"""Step types that may be taken from the cache: a load changes the world, and every run has its own verdict on its data."""


def cache_keys(steps: Sequence[CheckedStep], references: References, data_dir: Path) -> dict[str, str | None]:
    """Each step's key; None where the result can't be told from its inputs (and for everything that depends on it).

    Args:
        steps: In execution order.
        references: With secrets masked: a key never contains a secret.
        data_dir: Where relative paths start.
    """
    keys: dict[str, str | None] = {}
    for checked in steps:
        upstream = [keys[need] for need in checked.needs]
        outside = checked.config.fingerprint(data_dir)
        if outside is None or any(key is None for key in upstream):
            keys[checked.step.id] = None
            continue
        if passes_input_on(checked) and checked.step.type != "train":
            keys[checked.step.id] = upstream[0]  # its rows are its input's
            continue
        keys[checked.step.id] = step_key(checked, references, upstream, outside)
    return keys


def step_key(checked: CheckedStep, references: References, upstream: Sequence[str | None], outside: str) -> str:
    """The key of one step, given its inputs' keys and what its configuration says of the outside world."""
    config = filled(checked.step.config, references)
    names = list(checked.needs)  # user SQL calls inputs by id, so ids are part of what a step means
    parts = [__version__, checked.step.type, config, list(checked.validations), upstream, names, outside]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
