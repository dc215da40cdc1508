"""What stored secrets promise: written, used, replaced, removed; read back by nobody."""

import stat
from pathlib import Path

import pytest

from etlml.errors import ConfigInvalid, NotFound
from etlml.redaction import redacted
from etlml.services import Services
from etlml.settings import environment_secret, get_settings


def test_a_stored_secret_is_used_and_redacted(services: Services) -> None:
    services.secrets.set("warehouse", "swordfish-1")
    assert environment_secret("WAREHOUSE") == "swordfish-1"
    assert redacted("it was swordfish-1") == "it was ***"
    services.secrets.set("WAREHOUSE", "swordfish-2")
    assert environment_secret("warehouse") == "swordfish-2"


def test_only_its_owner_may_read_it(services: Services, home: Path) -> None:
    services.secrets.set("A", "some value")
    (path,) = (home / "secrets").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_list_has_names_only(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETLML_SECRET_OUTER", "from outside")
    services.secrets.set("INNER", "from inside")
    assert [(one.name, one.kept) for one in services.secrets.list()] == [("INNER", "stored"), ("OUTER", "environment")]
    assert "from inside" not in str(services.audit.list().items)


def test_the_environment_wins_and_is_not_overwritten(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    services.secrets.set("A", "stored value")
    monkeypatch.setenv("ETLML_SECRET_A", "outer value")
    assert environment_secret("A") == "outer value"
    with pytest.raises(ConfigInvalid, match="Change it there"):
        services.secrets.set("A", "another")


def test_a_removed_secret_is_gone(services: Services) -> None:
    services.secrets.set("WAREHOUSE", "swordfish")
    services.secrets.delete("warehouse")
    with pytest.raises(NotFound, match="no secret 'WAREHOUSE'"):
        environment_secret("WAREHOUSE")
    with pytest.raises(NotFound):
        services.secrets.delete("warehouse")


@pytest.mark.parametrize("name", ["../key", "a b", "", "1x", "x" * 200])
def test_a_name_that_is_no_name_is_refused(services: Services, name: str) -> None:
    with pytest.raises(ConfigInvalid, match="no name of a secret"):
        services.secrets.set(name, "value")
    with pytest.raises(NotFound):
        environment_secret(name)


def test_secrets_of_an_earlier_start_are_redacted(services: Services) -> None:
    (services.environment.secrets_dir).mkdir()
    (services.environment.secrets_dir / "OLD").write_text("from-last-week")
    get_settings.cache_clear()
    get_settings()
    assert redacted("from-last-week") == "***"
