"""A pipeline that two people edit at once, or one in two tabs."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document


@pytest.fixture
def page(services: Services, open_page: Opens) -> AppTest:
    """With an edit that is not saved, on a version that somebody else has saved over."""
    services.pipelines.create(a_document())
    app = open_page("pipeline.py", id="small", tab="YAML")
    app.text_area[0].set_value(app.text_area[0].value + "description: mine\n").run()
    app.button(key="apply_yaml").click().run()
    services.pipelines.update("small", a_document(description="theirs"), author="bob")
    return app


def described(services: Services) -> tuple[str, int]:
    pipeline = services.pipelines.get("small")
    return pipeline.description, pipeline.version


def test_the_conflict_is_told_and_nothing_is_lost(services: Services, page: AppTest, open_page: Opens) -> None:
    page.button(key="save").click().run()
    assert described(services) == ("theirs", 2)
    for app in (page.run(), open_page("pipeline.py", id="small", tab="YAML")):
        assert not app.exception
        assert "Version 2 was saved by bob after you had begun on version 1" in shown(app) + app.warning[0].value
        assert "description: mine" in app.text_area[0].value


@pytest.mark.parametrize(("button", "left"), [("save_over", ("mine", 3)), ("discard", ("theirs", 2))])
def test_either_is_kept(services: Services, page: AppTest, open_page: Opens, button: str, left: Any) -> None:
    page.run()
    page.button(key=button).click().run()
    assert described(services) == left
    again = open_page("pipeline.py", id="small", tab="YAML")
    assert not again.warning
    assert f"description: {left[0]}" in again.text_area[0].value


def test_a_saved_draft_is_no_draft_any_more(services: Services, open_page: Opens) -> None:
    services.pipelines.create(a_document())
    app = open_page("pipeline.py", id="small", tab="YAML")
    app.text_area[0].set_value(app.text_area[0].value + "description: mine\n").run()
    app.button(key="apply_yaml").click().run()
    app.button(key="save").click().run()
    services.pipelines.update("small", a_document(description="theirs"), author="bob")
    again = open_page("pipeline.py", id="small", tab="YAML")
    assert not again.warning
    assert "description: theirs" in again.text_area[0].value
