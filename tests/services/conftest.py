"""The use cases on a real store and an empty home."""

from pathlib import Path

import pytest

from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store


@pytest.fixture
def services(real_store: Store, home: Path) -> Services:
    """All use cases."""
    return Services(real_store, get_settings())
