"""Users, keys, tokens: who may come in."""

from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr

from etlml.clock import utc_now
from etlml.errors import ConfigInvalid, NameTaken, NotAllowed, NotSignedIn, StateConflict
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.services.signing import KEY_FILE, Tokens, signing_key

PASSWORD = "correct horse"


class TestUsers:
    """People."""

    def test_sign_in_needs_the_right_password(self, services: Services) -> None:
        services.users.create("ann", PASSWORD, role="operator")
        assert services.users.sign_in("ann", PASSWORD) == Principal("ann", "operator")
        for name, password in (("ann", "wrong password"), ("bob", PASSWORD), ("ann", "x" * 5000), ("ann", "\ud800")):
            with pytest.raises(NotSignedIn, match="The name or the password is wrong"):
                services.users.sign_in(name, password)

    @pytest.mark.usefixtures("real_passwords")
    def test_password_is_kept_as_an_argon2_hash_and_never_audited(self, services: Services) -> None:
        user = services.users.create("ann", PASSWORD)
        services.users.update("ann", password="another password")
        assert user.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        audited = "".join(entry.model_dump_json() for entry in services.audit.list().items)
        assert "password_changed" in audited
        assert PASSWORD not in audited
        assert "another password" not in audited

    def test_disabled_user_cannot_sign_in(self, services: Services) -> None:
        services.users.create("ann", PASSWORD)
        services.users.update("ann", disabled=True)
        with pytest.raises(NotSignedIn):
            services.users.sign_in("ann", PASSWORD)

    def test_last_admin_stays(self, services: Services) -> None:
        services.users.create("ann", PASSWORD, role="admin")
        for change in ({"role": "viewer"}, {"disabled": True}):
            with pytest.raises(StateConflict, match="'ann' is the last admin"):
                services.users.update("ann", **change)  # type: ignore[arg-type]
        with pytest.raises(StateConflict, match="'ann' is the last admin"):
            services.users.delete("ann")
        services.users.create("bob", PASSWORD, role="admin")
        services.users.delete("ann")

    def test_short_password_and_taken_name_are_refused(self, services: Services) -> None:
        with pytest.raises(ConfigInvalid, match="10 to 1024 characters"):
            services.users.create("ann", "short")
        services.users.create("ann", PASSWORD)
        with pytest.raises(NameTaken):
            services.users.create("ann", PASSWORD)

    def test_first_admin_is_made_once(self, services: Services) -> None:
        password = services.users.ensure_admin()
        assert password is not None
        assert services.users.sign_in("admin", password).role == "admin"
        assert services.users.ensure_admin() is None


class TestApiKeys:
    """Programs."""

    def test_key_stands_for_its_role_and_is_not_kept(self, services: Services) -> None:
        document, key = services.api_keys.create("ci", role="viewer")
        assert services.api_keys.principal(key) == Principal("key:ci", "viewer")
        assert key not in services.store.api_keys.get(document.id).model_dump_json()
        assert services.store.api_keys.get(document.id).last_used_at is not None

    def test_revoked_unknown_and_expired_keys_are_refused(self, services: Services) -> None:
        document, key = services.api_keys.create("ci")
        services.api_keys.delete(document.id)
        expired, old = services.api_keys.create("old", expires_at=utc_now() + timedelta(hours=1))
        services.store.api_keys.update(expired.id, {"expires_at": utc_now() - timedelta(seconds=1)})
        for given in (key, old, "etlml_guess", "\ud800"):
            with pytest.raises(NotSignedIn):
                services.api_keys.principal(given)


class TestTokens:
    """Signed tokens."""

    def test_token_has_the_role_that_the_user_has_now(self, services: Services) -> None:
        services.users.create("ann", PASSWORD, role="viewer")
        token = services.tokens.issue(services.users.sign_in("ann", PASSWORD))["access_token"]
        assert services.tokens.principal(token).role == "viewer"
        services.users.update("ann", role="operator")
        assert services.tokens.principal(token).role == "operator"
        services.users.delete("ann")
        with pytest.raises(NotSignedIn, match="gone or shut out"):
            services.tokens.principal(token)

    def test_forged_expired_and_broken_tokens_are_refused(self, services: Services) -> None:
        services.users.create("ann", PASSWORD)
        key = signing_key(services.environment, purpose="token")
        claims = {"iss": "etlml", "sub": "ann", "exp": utc_now() + timedelta(hours=1)}
        tokens = [
            jwt.encode(claims, b"x" * 32, algorithm="HS256"),
            jwt.encode(claims | {"exp": utc_now() - timedelta(seconds=1)}, key, algorithm="HS256"),
            jwt.encode(claims | {"iss": "other"}, key, algorithm="HS256"),
            jwt.encode({"iss": "etlml", "sub": "ann"}, key, algorithm="HS256"),
            jwt.encode(claims, None, algorithm="none"),
            "no.token.at-all",
            "",
            "é",
        ]
        for token in tokens:
            with pytest.raises(NotSignedIn):
                services.tokens.principal(token)

    def test_all_processes_of_a_home_share_a_key_that_only_its_owner_can_read(self, services: Services) -> None:
        first = signing_key(services.environment, purpose="token")
        assert signing_key(services.environment, purpose="token") == first
        assert signing_key(services.environment, purpose="session") != first
        path = services.environment.home / KEY_FILE
        assert path.stat().st_mode & 0o777 == 0o600
        assert [file.name for file in path.parent.glob(".secret*")] == []

    def test_key_of_the_settings_wins(self, services: Services) -> None:
        given = services.environment.model_copy(update={"secret_key": SecretStr("from outside")})
        assert signing_key(given, purpose="token") != signing_key(services.environment, purpose="token")
        assert Tokens(services.users, given)


def test_role_permits_what_lower_roles_may() -> None:
    Principal("ann", "operator").require("editor")
    with pytest.raises(NotAllowed, match="'ann' has the role operator; this needs admin"):
        Principal("ann", "operator").require("admin")
