"""Who is signed in, and until when."""

from datetime import timedelta

import pytest

from etlml.clock import utc_now
from etlml.errors import EtlmlError, NotSignedIn
from etlml.services import Services, sessions
from etlml.services.principals import Principal


@pytest.fixture
def ann(services: Services, monkeypatch: pytest.MonkeyPatch) -> Principal:
    """A user; nothing is taken on trust."""
    monkeypatch.setattr(sessions, "_TRUST_S", 0.0)
    services.users.create("ann", "correct horse", role="operator")
    return services.users.principal("ann")


def test_a_token_stands_for_who_signed_in_with_the_role_they_have_now(services: Services, ann: Principal) -> None:
    token = services.sessions.open(ann)
    assert services.sessions.principal(token) == ann
    services.users.update("ann", role="viewer")
    assert services.sessions.principal(token).role == "viewer"


def test_the_token_itself_is_not_stored(services: Services, ann: Principal) -> None:
    token = services.sessions.open(ann)
    assert token not in str(list(services.store.database["sessions"].find()))


def test_a_session_ends_with_sign_out(services: Services, ann: Principal) -> None:
    token = services.sessions.open(ann)
    services.sessions.close(token)
    with pytest.raises(NotSignedIn, match="Sign in"):
        services.sessions.principal(token)


def test_a_session_ends_by_itself(services: Services, ann: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "utc_now", lambda: utc_now() - sessions.LIFETIME - timedelta(seconds=1))
    with pytest.raises(NotSignedIn):
        services.sessions.principal(services.sessions.open(ann))


def test_a_session_ends_with_its_user(services: Services, ann: Principal) -> None:
    token = services.sessions.open(ann)
    services.users.delete("ann")
    with pytest.raises(EtlmlError):
        services.sessions.principal(token)


@pytest.mark.parametrize("token", ["", "guess", "\ud800"])
def test_no_other_token_is_good(services: Services, token: str) -> None:
    with pytest.raises(NotSignedIn):
        services.sessions.principal(token)
