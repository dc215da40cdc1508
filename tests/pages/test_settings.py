"""Each tab of the settings, as each role sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import accents, frame
from etlml.ui.settings_engine import remarks
from etlml.ui.settings_notifications import built_url
from etlml.ui.settings_people import MAY, ROLES
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document

TABS = ["Connections", "People", "Notifications", "Retention", "Engine", "Appearance", "System"]


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """``as_role("viewer")``: who looks from now on."""

    def be(role: str) -> Principal:
        principal = Principal("ann", role)  # type: ignore[arg-type]
        monkeypatch.setattr(frame, "current_user", lambda: principal)
        return principal

    return be


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("role", ["viewer", "editor", "operator", "admin"])
def test_each_tab_stands_for_each_role_and_has_buttons_for_who_may_press_them(
    services: Services, open_page: Opens, as_role: object, tab: str, role: str
) -> None:
    as_role(role)  # type: ignore[operator]
    app = open_page("settings.py", tab=tab)
    assert not app.exception
    assert not app.error
    if role in ("viewer", "editor"):
        assert not labels(app) & {"Save", "Add", "Create", "Store", "Create missing", "Unpack", "Delete"}


def test_who_may_not_change_connections_sees_no_empty_form(
    services: Services, open_page: Opens, as_role: object
) -> None:
    as_role("viewer")  # type: ignore[operator]
    app = open_page("settings.py", tab="Connections")
    assert len(app.text_input) == 0
    assert any("Choose one to look at it." in caption.value for caption in app.caption)


class TestConnections:
    def test_a_connection_is_made_with_a_secret_that_does_not_come_back(
        self, services: Services, open_page: Opens, home: Path
    ) -> None:
        app = open_page("settings.py", tab="Connections")
        app.text_input(key="connection__name").set_value("shop api")
        app.selectbox(key="connection__kind").set_value("http").run()
        app.text_input(key="connection__http.url").set_value("http://127.0.0.1:9/").run()
        app.text_input(key="connection__token_set").set_value("swordfish-1234").run()
        app.button(key="connection__save").click().run()
        assert not app.error
        one = services.connections.get("shop api")
        assert one.secrets == {"token": "${secret.SHOP_API_TOKEN}"}
        assert (home / "secrets" / "SHOP_API_TOKEN").read_text() == "swordfish-1234"
        again = open_page("settings.py", tab="Connections", connection="shop api")
        assert "swordfish" not in str(again.main)

    def test_a_secret_is_removed_on_request(self, services: Services, open_page: Opens) -> None:
        services.secrets.set("TOKEN", "swordfish")
        web = {"name": "api", "kind": "http", "config": {"url": "http://x"}, "secrets": {"token": "${secret.TOKEN}"}}
        one = services.connections.create(web)
        app = open_page("settings.py", tab="Connections", connection="api")
        app.segmented_control(key=f"connection_{one.id}_token_what").set_value("Remove").run()
        app.button(key=f"connection_{one.id}_save").click().run()
        assert services.connections.get("api").secrets == {}

    def test_uses_are_known_for_all_connections_at_once(self, services: Services) -> None:
        services.connections.create({"name": "shop", "kind": "sqlite", "config": {"path": "shop.db"}})
        source = {"source": {"kind": "sqlite", "connection": "shop", "table": "t", "path": "shop.db"}}
        document = a_document()
        stored = services.pipelines.create(document)
        services.store.pipelines.update(
            stored.id, {"steps": [stored.steps[0].model_copy(update={"config": source}), *stored.steps[1:]]}
        )
        assert services.connections.uses() == {"shop": [(stored.id, "small")]}


class TestPeople:
    def test_a_person_is_added(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="People")
        app.text_input(key="user_name").set_value("bob")
        app.text_input(key="user_password").set_value("correct horse")
        next(button for button in app.button if button.label == "Add").click().run()
        assert not app.error
        assert services.users.get("bob").role == "editor"

    def test_a_key_is_shown_once(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="People")
        app.text_input(key="key_name").set_value("nightly")
        next(button for button in app.button if button.label == "Create").click().run()
        (key,) = [code.value for code in app.code if " " not in code.value]
        assert services.api_keys.principal(key).name == "key:nightly"
        assert key not in [code.value for code in app.run().code]

    def test_the_table_names_every_role(self) -> None:
        assert [least for _, least in MAY] == list(ROLES)


class TestNotifications:
    def test_a_channel_is_made_from_a_preset(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="Notifications")
        app.text_input(key="channel__name").set_value("team")
        app.selectbox(key="channel__service").set_value("Webhook (JSON)").run()
        app.text_input(key="channel__Webhook (JSON)_address").set_value("http://127.0.0.1:9/hook-77").run()
        app.button(key="channel__save").click().run()
        assert not app.error
        channel = services.notifications.get("team")
        assert (channel.service, channel.events) == ("JSON", ["run_failed", "run_recovered"])
        assert "hook-77" not in shown(open_page("settings.py", tab="Notifications", channel="team"))

    @pytest.mark.parametrize(
        ("service", "values", "url"),
        [
            (
                "E-mail",
                {"server": "smtp.example.org", "user": "me@x.org", "password": "a/b@c", "to": "t@x.org"},
                "mailtos://me%40x.org:a%2Fb%40c@smtp.example.org?to=t@x.org",
            ),
            (
                "E-mail",
                {"server": "s", "user": "me", "password": "${secret.MAIL}", "to": "t@x.org"},
                "mailtos://me:${secret.MAIL}@s?to=t@x.org",
            ),
            ("Webhook (JSON)", {"address": "https://x.org/h"}, "jsons://x.org/h"),
            ("Slack", {"address": ""}, ""),
        ],
    )
    def test_presets_make_urls(self, service: str, values: dict[str, str], url: str) -> None:
        assert built_url(service, values) == url


class TestRetention:
    def test_a_limit_is_set_in_the_unit_that_is_shown(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="Retention")
        app.number_input(key="limit_cache_max_bytes").set_value(2.0)
        app.number_input(key="limit_run_retention_days").set_value(90.0).run()
        app.button(key="save_retention").click().run()
        found = services.settings.get()
        assert (found.cache_max_bytes, found.run_retention_days) == (2 * 10**9, 90)

    def test_nothing_is_changed_by_looking(self, services: Services, open_page: Opens) -> None:
        assert open_page("settings.py", tab="Retention").button(key="save_retention").disabled


class TestAppearance:
    def test_a_choice_is_kept_for_the_person(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="Appearance")
        app.segmented_control(key="look_mode").set_value("dark").run()
        app.pills(key="look_accent").set_value("Teal").run()
        assert services.settings.look("local") == ("dark", accents.ACCENTS["Teal"])
        assert services.settings.look("somebody else") == ("system", "")

    def test_the_environment_has_a_strip(self, services: Services, open_page: Opens) -> None:
        services.settings.update({"environment_name": "Production", "environment_color": "#dc2626"})
        text = "\n".join(str(each.proto) for each in open_page("settings.py", tab="Appearance").sidebar)
        assert "env-strip" in text
        assert "Production" in text


class TestSystem:
    def test_missing_indexes_are_told_and_made(self, services: Services, open_page: Opens) -> None:
        services.store.database["experiments"].drop_index("run")
        app = open_page("settings.py", tab="System")
        assert "experiments.run" in app.warning[0].value
        app.button(key="create_indexes").click().run()
        assert not [fact for fact in services.store.indexes() if fact.state == "missing"]


class TestEngine:
    def test_slots_memory_and_policies_are_set(self, services: Services, open_page: Opens) -> None:
        app = open_page("settings.py", tab="Engine")
        app.number_input(key="engine_slots").set_value(3).run()
        app.number_input(key="engine_memory").set_value(1.5).run()
        app.button(key="save_engine").click().run()
        app.selectbox(key="engine_missed").set_value("all").run()
        app.number_input(key="engine_missed_limit").set_value(4).run()
        app.button(key="save_policies").click().run()
        found = services.settings.get()
        assert (found.worker_slots, found.run_memory) == (3, 1_500_000_000)
        assert (found.schedule_missed, found.schedule_missed_limit, found.schedule_overlap) == ("all", 4, "queue")

    def test_what_an_environment_decides_is_said_plainly(self) -> None:
        assert remarks([["worker_slots"], ["worker_slots"]], set()) == [
            "ETLML_WORKER_SLOTS is set where the workers run, and wins: what is set here has no effect until it is taken away."
        ]
        assert remarks([["run_memory"], []], set()) == [
            "ETLML_RUN_MEMORY is set where 1 of 2 workers run, and wins there."
        ]
        assert remarks([], {"worker_slots"}) == [
            "ETLML_WORKER_SLOTS is set here, and wins for workers that start here."
        ]
        assert remarks([[]], {"worker_slots"}) == []


class TestUnknownTokens:
    def test_calls_with_an_unknown_token_are_told(self, services: Services, open_page: Opens) -> None:
        services.webhooks.refused("guess", "body", "")
        app = open_page("settings.py", tab="System")
        assert any("1 webhook call with an unknown token so far, the last just now" in one.value for one in app.caption)
