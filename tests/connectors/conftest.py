"""The world of sources and sinks, one for each test."""

from pathlib import Path

import pytest

from tests.connectors.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "home")
