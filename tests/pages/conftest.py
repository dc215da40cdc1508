"""Pages in Streamlit's own test runner, on a real store."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store
from etlml.ui import backend
from scripts.seeding import seed
from tests.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
Opens = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def _packages_scanned_once() -> Iterator[None]:
    """Every AppTest reads what all installed packages say of themselves (0.2 s); here the first alone does."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def services(real_store: Store, home: Path) -> Iterator[Services]:
    """All use cases, which the pages use too."""
    made = Services(real_store, get_settings())
    backend.use(made)
    st.cache_data.clear()
    yield made
    backend.forget()


@pytest.fixture(scope="session")
def _seeds() -> Snapshot:
    return Snapshot()


@pytest.fixture
def seeded(services: Services, _seeds: Snapshot) -> Services:
    """Some days of use."""
    _seeds.fill(services.store.database, lambda: seed(services.store, days=5))
    return services


@pytest.fixture
def open_page(services: Services) -> Opens:
    """``open_page("run.py", id="...")``: the page within its frame, run once."""

    def opened(page: str, **params: Any) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)
        if page != "dashboard.py":
            app.switch_page(page)
        for name, value in params.items():
            app.query_params[name] = value
        return app.run()

    return opened


def shown(app: AppTest) -> str:
    """All text of a page: titles, captions, errors and our own HTML."""
    return "\n".join(str(getattr(element, "proto", element)) for element in app.main) + "\n".join(
        str(each.value) for each in app.error
    )
