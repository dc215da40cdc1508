"""What channels promise when they are made: checked, their URL kept as a secret and never shown."""

from pathlib import Path

import pytest

from etlml.engine.sending import address
from etlml.errors import ConfigInvalid, NameTaken, NotFound
from etlml.services import Services
from etlml.settings import with_secrets

URL = "json://user:pa55word-x@127.0.0.1:9/hook"


def test_the_url_is_a_secret_of_its_own(services: Services, home: Path) -> None:
    channel = services.notifications.create({"name": "team", "url": URL})
    assert channel.target == f"${{secret.NOTIFY_{channel.id.upper()}}}"
    assert channel.service == "JSON"
    assert with_secrets(channel.target) == URL
    assert "pa55word" not in str(services.audit.list().items) + str(services.notifications.list().items)
    services.notifications.delete("team")
    assert not list((home / "secrets").iterdir())


def test_a_change_without_a_url_keeps_it(services: Services) -> None:
    channel = services.notifications.create({"name": "team", "url": URL})
    changed = services.notifications.update("team", {"events": ["quarantine"], "enabled": False})
    assert (changed.target, changed.events, changed.enabled) == (channel.target, ["quarantine"], False)
    again = services.notifications.update("team", {"enabled": True})
    assert again.active_since > channel.active_since
    services.notifications.update("team", {"url": "json://127.0.0.1:9/new-hook"})
    assert with_secrets(channel.target).endswith("new-hook")


def test_a_url_may_name_secrets(services: Services) -> None:
    services.secrets.set("HOOK", "hook-12345")
    channel = services.notifications.create({"name": "team", "url": "json://127.0.0.1/${secret.HOOK}"})
    assert address(channel.target) == "json://127.0.0.1/hook-12345"
    services.secrets.set("HOOK", "hook-67890")
    assert address(channel.target) == "json://127.0.0.1/hook-67890"
    with pytest.raises(NotFound, match="no secret 'HOOKS'"):
        services.notifications.create({"name": "b", "url": "json://127.0.0.1/${secret.HOOKS}"})


def test_a_url_that_is_one_secret_is_not_stored_again(services: Services, home: Path) -> None:
    channel = services.notifications.create({"name": "team", "url": URL})
    services.secrets.set("WHOLE", URL)
    assert services.notifications.update("team", {"url": "${secret.WHOLE}"}).target == "${secret.WHOLE}"
    assert [path.name for path in (home / "secrets").iterdir()] == ["WHOLE"]
    assert services.notifications.get(channel.id).service == channel.service


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "c"}, "needs a URL"),
        ({"name": "c", "url": "example.org"}, "no service in front"),
        ({"name": "c", "url": "nothing://x"}, "incomplete or not known"),
        ({"name": "c", "url": "slack://"}, "incomplete or not known"),
        ({"name": "c", "url": "syslog://"}, "cannot be sent to syslog"),
        ({"name": "c", "url": URL, "events": ["birthday"]}, "events"),
        ({"name": "c", "url": URL, "evnts": []}, "no field 'evnts'"),
        ({"name": "../c", "url": URL}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    services: Services, home: Path, document: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        services.notifications.create(document)
    assert not list((home / "secrets").glob("*"))


def test_a_taken_name_is_refused_and_leaves_no_secret(services: Services, home: Path) -> None:
    services.notifications.create({"name": "team", "url": URL})
    with pytest.raises(NameTaken):
        services.notifications.create({"name": "team", "url": URL})
    assert len(list((home / "secrets").iterdir())) == 1


def test_a_test_says_why_it_failed_without_the_url(services: Services) -> None:
    services.notifications.create({"name": "team", "url": URL})
    result = services.notifications.test("team")
    assert result["ok"] is False
    assert "did not take the message" in result["message"]
    assert "pa55word" not in result["message"]
