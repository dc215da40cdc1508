"""What somebody who may only look is not offered."""

import pytest

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import frame
from tests.pages.conftest import Opens
from tests.services.factories import a_document


@pytest.fixture(autouse=True)
def viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "current_user", lambda: Principal("ann", "viewer"))


def test_a_url_opens_no_dialog_to_make_a_pipeline(services: Services, open_page: Opens) -> None:
    app = open_page("pipelines.py", new="1")
    assert not app.exception
    assert "new_create" not in {button.key for button in app.button}


def test_the_first_steps_neither_run_nor_build(services: Services, open_page: Opens) -> None:
    services.pipelines.create(a_document(name="flights"))
    app = open_page("dashboard.py")
    assert not app.exception
    assert not {"run_flights_big", "build_first"} & {button.key for button in app.button}


def test_a_training_cannot_be_stopped(services: Services, open_page: Opens) -> None:
    app = open_page("experiment.py", id=services.experiments.create("mine").id)
    assert not app.exception
    assert "stop" not in {button.key for button in app.button}


def test_data_cannot_be_checked(services: Services, open_page: Opens) -> None:
    app = open_page("validations.py", view="check", check_path="orders.csv")
    app.session_state["check_rules"] = {"rules": [{"rule": "not_null", "column": "id"}]}
    app.run()
    assert not app.exception
    assert app.button(key="check_now").disabled
