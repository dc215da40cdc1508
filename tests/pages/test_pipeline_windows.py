"""One person's draft in two windows at once."""

import pytest
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document

CHANGED = "This draft was changed in another window."


def write(app: AppTest, text: str) -> None:
    """Give the pipeline a description, unsaved."""
    lines = [line for line in app.text_area[0].value.splitlines() if not line.startswith("description:")]
    app.text_area[0].set_value("\n".join([*lines, f"description: {text}"]) + "\n").run()
    app.button(key="apply_yaml").click().run()
    assert not app.exception


def text_of(app: AppTest) -> str:
    return str(app.text_area[0].value)


@pytest.fixture
def windows(services: Services, open_page: Opens) -> tuple[AppTest, AppTest]:
    """Two windows, opened before either changed anything; the first one changed the draft, then the second."""
    services.pipelines.create(a_document())
    first, second = (open_page("pipeline.py", id="small", tab="YAML") for _ in range(2))
    write(first, "first")
    write(second, "second")
    return first, second


def test_the_later_window_is_told_and_keeps_its_changes(windows: tuple[AppTest, AppTest], open_page: Opens) -> None:
    first, second = windows
    assert second.run().warning[0].value.startswith(CHANGED)
    assert "description: second" in text_of(second)
    assert not first.run().warning
    again = open_page("pipeline.py", id="small", tab="YAML")
    assert "description: first" in text_of(again)
    assert "other unsaved changes" in again.info[0].value


def test_either_is_loaded_and_neither_is_lost(windows: tuple[AppTest, AppTest]) -> None:
    _, second = windows
    second.run()
    for expected in ("first", "second", "first"):
        second.button(key="window_load").click().run()
        assert not second.exception
        assert f"description: {expected}" in text_of(second)


def test_a_window_without_changes_is_told_too(services: Services, open_page: Opens) -> None:
    services.pipelines.create(a_document())
    first, second = (open_page("pipeline.py", id="small", tab="YAML") for _ in range(2))
    write(first, "first")
    assert second.run().warning[0].value == CHANGED
    second.button(key="window_load").click().run()
    assert "description: first" in text_of(second)
    assert not second.run().warning
    assert not second.info


def test_only_one_is_kept_where_that_is_wanted(windows: tuple[AppTest, AppTest], open_page: Opens) -> None:
    first, second = windows
    second.run()
    second.button(key="window_keep").click().run()
    assert not second.warning
    again = open_page("pipeline.py", id="small", tab="YAML")
    assert "description: second" in text_of(again)
    assert not again.info
    assert first.run().warning[0].value.startswith(CHANGED)  # its own are still there to be edited


def test_saving_one_leaves_the_other(services: Services, windows: tuple[AppTest, AppTest], open_page: Opens) -> None:
    _, second = windows
    second.run()
    second.button(key="save").click().run()
    assert services.pipelines.get("small").description == "second"
    again = open_page("pipeline.py", id="small", tab="YAML")
    assert "description: first" in text_of(again)
    assert "Version 2 was saved" in shown(again) + again.warning[0].value
