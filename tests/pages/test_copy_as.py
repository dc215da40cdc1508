"""What can be copied on a page: what its forms hold, and never a secret that somebody has typed."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from etlml.ui import lists
from tests.pages.conftest import Opens

SECRET = "hunter22-and-more"


def codes(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(code.value for code in app.code)


def test_the_secret_of_a_connection_is_not_shown(open_page: Opens) -> None:
    app = open_page("settings.py", tab="Connections")
    app.selectbox(key="connection__kind").set_value("http").run()
    app.text_input(key="connection__name").set_value("shop")
    field = next(one.key for one in app.text_input if one.key and one.key.endswith("_set"))
    app.text_input(key=field).set_value(SECRET).run()
    assert "etlml connections shop --kind http" in codes(app)
    assert "etlml secret SHOP" in codes(app)
    assert "$SECRET_SHOP_" in codes(app)
    assert SECRET not in codes(app)


def test_the_address_of_a_channel_is_not_shown(services: Services, open_page: Opens) -> None:
    app = open_page("settings.py", tab="Notifications")
    app.selectbox(key="channel__service").set_value("Slack").run()
    app.text_input(key="channel__name").set_value("team")
    app.text_input(key="channel__Slack_address").set_value(f"https://hooks.slack.com/services/{SECRET}").run()
    assert "etlml notify team --url - --events run_failed,run_recovered" in codes(app)
    assert SECRET not in codes(app)


def test_the_password_of_a_person_is_not_shown(services: Services, open_page: Opens) -> None:
    app = open_page("settings.py", tab="People")
    app.text_input(key="user_name").set_value("ada")
    app.text_input(key="user_password").set_value(SECRET)
    assert "$NEW_PASSWORD" in codes(app.run())
    assert SECRET not in codes(app)


def test_a_form_of_settings_shows_what_it_holds(open_page: Opens) -> None:
    app = open_page("settings.py", tab="Retention")
    assert "etlml settings" not in codes(app)
    app.number_input(key="limit_run_retention_days").set_value(90.0).run()
    assert "etlml settings run_retention_days=90\n" in codes(app) + "\n"


def test_a_secret_that_is_replaced_is_asked_for(services: Services, open_page: Opens) -> None:
    document = {"name": "shop", "kind": "http", "config": {"url": "http://h"}, "secrets": {"token": "${secret.OLD}"}}
    key = f"connection_{services.connections.create(document).id}_token"
    app = open_page("settings.py", tab="Connections", connection="shop")
    assert "--secret token=OLD" in codes(app)
    app.segmented_control(key=f"{key}_what").set_value("Replace").run()
    app.text_input(key=f"{key}_new").set_value(SECRET).run()
    assert "etlml secret SHOP_TOKEN" in codes(app)
    assert SECRET not in codes(app)


def press_terminal_of(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next lists say that this row's button was pressed."""
    pressed = SimpleNamespace(open=None, action={"row": row, "action": lists.COPIES}, picked=())
    monkeypatch.setattr(lists, "_component", lambda: lambda **_: pressed)


def test_a_row_shows_what_can_be_done_with_it(
    services: Services, open_page: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [{"id": "read", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}]}}}]
    pipeline = services.pipelines.create({"name": "small", "steps": steps})
    run = services.runs.start(pipeline.id)
    press_terminal_of(run.id, monkeypatch)
    assert f"etlml cancel {run.id}" in codes(open_page("runs.py"))
    press_terminal_of(pipeline.id, monkeypatch)
    found = codes(open_page("pipelines.py"))
    assert "etlml pause small" in found
    assert "etlml delete pipeline small" in found


def test_a_part_of_a_pipeline_is_run_by_commands_too(services: Services, open_page: Opens) -> None:
    steps = [{"id": "read", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}]}}}]
    pipeline = services.pipelines.create({"name": "small", "steps": steps})
    assert "etlml run small --until read --wait" in codes(open_page("pipeline.py", id=pipeline.id, step="read"))
