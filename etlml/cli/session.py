"""What a command works on: all use cases on the installation's MongoDB, which is started for the time if it does not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etlml.services import Services


@contextmanager
def services() -> Iterator["Services"]:
    """The use cases, for the time of a command, which does not wait twice for MongoDB."""
    from etlml.launch.session import open_services
    from etlml.services.hurry import hurried
    from etlml.settings import get_settings

    with hurried(), open_services(get_settings()) as opened:
        yield opened
