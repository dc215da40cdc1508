"""Who may do what, and from where."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.main import create_app, server
from etlml.documents import Role
from etlml.errors import ConfigInvalid
from etlml.services import Services
from etlml.services.throttle import MOST_FAILURES
from tests.api.conftest import BASE_URL, PASSWORD
from tests.services.factories import a_document

ClientOf = Callable[[Role | None], TestClient]


class TestSignIn:
    """Credentials."""

    def test_loopback_needs_none(self, client: TestClient) -> None:
        assert client.get("/api/auth/me").json() == {"name": "local", "role": "admin"}

    def test_required_sign_in_refuses_who_has_none(self, client_of: ClientOf) -> None:
        response = client_of(None).get("/api/pipelines")
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json()["error"]["type"] == "NotSignedIn"

    def test_token_of_name_and_password_opens(self, client_of: ClientOf, guarded: Services) -> None:
        guarded.users.create("ann", PASSWORD, role="viewer")
        client = client_of(None)
        token = client.post("/api/auth/token", json={"username": "ann", "password": PASSWORD}).json()
        assert token["token_type"] == "bearer"
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert client.get("/api/auth/me", headers=headers).json() == {"name": "ann", "role": "viewer"}

    def test_key_opens_as_header_and_as_bearer(self, client_of: ClientOf, guarded: Services) -> None:
        key = guarded.api_keys.create("ci")[1]
        client = client_of(None)
        assert client.get("/api/auth/me", headers={"X-API-Key": key}).json() == {"name": "key:ci", "role": "editor"}
        assert client.get("/api/auth/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/api/auth/me", headers={"X-API-Key": key + "x"}).status_code == 401

    def test_health_is_open_but_says_little(self, client_of: ClientOf) -> None:
        assert set(client_of(None).get("/api/health").json()) == {"status"}
        assert client_of(None).get("/metrics").status_code == 401

    def test_guessing_is_slowed_down(self, client_of: ClientOf, guarded: Services) -> None:
        for _ in range(MOST_FAILURES):
            guarded.throttle.failed("ann", "elsewhere")
        response = client_of(None).post("/api/auth/token", json={"username": "ann", "password": "guess"})
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0


class TestRoles:
    """What each role may: the lowest that is enough for each kind of route."""

    @pytest.mark.parametrize(
        ("role", "method", "path", "allowed"),
        [
            ("viewer", "GET", "/api/pipelines", True),
            ("viewer", "POST", "/api/pipelines/validate", True),
            ("viewer", "POST", "/api/pipelines", False),
            ("viewer", "POST", "/api/pipelines/small/run", False),
            ("editor", "POST", "/api/pipelines/small/run", True),
            ("editor", "PUT", "/api/pipelines/small", True),
            ("editor", "DELETE", "/api/pipelines/small", False),
            ("editor", "PATCH", "/api/models/m/versions/v1.0", False),
            ("operator", "POST", "/api/connections", True),
            ("operator", "PUT", "/api/settings", False),
            ("operator", "GET", "/api/users", False),
            ("operator", "GET", "/api/audit", False),
            ("admin", "GET", "/api/users", True),
            ("admin", "GET", "/api/api-keys", True),
            ("admin", "GET", "/api/audit", True),
        ],
    )
    def test_role_is_enforced(
        self, client_of: ClientOf, guarded: Services, role: Role, method: str, path: str, allowed: bool
    ) -> None:
        guarded.pipelines.create(a_document())
        body = None if method == "GET" or path.endswith("/run") else a_document(name="other")
        response = client_of(role).request(method, path, json=body)
        assert (response.status_code != 403) is allowed, response.text
        if not allowed:
            assert response.json()["error"]["details"]["role"] == role

    def test_every_route_but_three_needs_credentials(self, client_of: ClientOf) -> None:
        client = client_of(None)
        paths = client.get("/api/openapi.json").json()["paths"]
        opened = {
            (method, path)
            for path, operations in paths.items()
            for method in operations
            if client.request(method, path.replace("{", "").replace("}", "")).status_code != 401
        }
        assert opened == {("get", "/api/health"), ("post", "/api/auth/token"), ("post", "/api/hooks/{token}")}

    def test_changes_are_audited_under_the_callers_name(self, client_of: ClientOf) -> None:
        client_of("editor").post("/api/pipelines", json=a_document())
        entries = client_of("admin").get("/api/audit?kind=pipeline").json()["items"]
        assert [(entry["actor"], entry["action"]) for entry in entries] == [("key:editor", "created")]


class TestBrowsers:
    """Foreign pages."""

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.example:8000"]
    )
    def test_other_hosts_are_refused_on_loopback(self, client: TestClient, host: str) -> None:
        response = client.get("/api/pipelines", headers={"Host": host})
        assert (response.status_code, response.json()["error"]["type"]) == (421, "WrongHost")

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]:8000", "LOCALHOST:1"])
    def test_loopback_names_are_welcome(self, client: TestClient, host: str) -> None:
        assert client.get("/api/pipelines", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://"])
    def test_changes_from_another_origin_are_refused(self, client: TestClient, origin: str) -> None:
        response = client.post("/api/pipelines/small/run", headers={"Origin": origin})
        assert (response.status_code, response.json()["error"]["type"]) == (403, "NotAllowed")

    def test_the_same_origin_is_welcome_and_nobody_else_may_read(self, client: TestClient) -> None:
        assert client.post("/api/pipelines", json=a_document(), headers={"Origin": BASE_URL}).status_code == 201
        response = client.get("/api/pipelines", headers={"Origin": "http://evil.example"})
        assert "access-control-allow-origin" not in response.headers

    def test_origin_of_the_settings_is_welcome(self, services: Services) -> None:
        services.settings.update({"cors_origins": ["https://good.example"]})
        client = TestClient(create_app(services), base_url=BASE_URL)
        good = {"Origin": "https://good.example"}
        assert client.post("/api/pipelines", json=a_document(), headers=good).status_code == 201
        response = client.get("/api/pipelines", headers=good)
        assert response.headers["access-control-allow-origin"] == "https://good.example"
        preflight = client.options("/api/pipelines", headers=good | {"Access-Control-Request-Method": "PUT"})
        assert preflight.status_code == 200
        bad = {"Origin": "https://bad.example", "Access-Control-Request-Method": "PUT"}
        assert client.options("/api/pipelines", headers=bad).status_code == 400


def test_server_refuses_to_listen_elsewhere_without_sign_in(services: Services) -> None:
    open_to_all = services.environment.model_copy(update={"host": "0.0.0.0", "auth": "off"})
    with pytest.raises(ConfigInvalid, match="without sign-in"):
        server(open_to_all, source=services)
