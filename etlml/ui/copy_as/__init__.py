"""What each action of the studio is as a command, as curl and as Python: pure functions, by what they act on.

Every function gives an ``Action``, which knows neither where REST is nor whether one has to sign in; ``shown`` words it.
"""

from etlml.ui.copy_as import (
    backfills,
    channels,
    connections,
    experiments,
    logs,
    models,
    people,
    pipelines,
    runs,
    settings,
    system,
    validations,
)
from etlml.ui.copy_as.action import Action
from etlml.ui.copy_as.wording import shown

__all__ = [
    "Action",
    "backfills",
    "channels",
    "connections",
    "experiments",
    "logs",
    "models",
    "people",
    "pipelines",
    "runs",
    "settings",
    "shown",
    "system",
    "validations",
]
