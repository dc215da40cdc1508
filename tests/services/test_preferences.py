"""What the settings promise."""

import pytest

from etlml.errors import ConfigInvalid, VersionConflict
from etlml.services import Services
from etlml.services.etags import etag


def test_change_leaves_the_others_alone(services: Services) -> None:
    services.settings.update({"timezone": "Europe/Berlin"})
    changed = services.settings.update({"environment_name": "Production"})
    assert (changed.timezone, changed.environment_name, changed.log_retention_days) == (
        "Europe/Berlin",
        "Production",
        30,
    )
    assert services.settings.get() == changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timezon": "UTC"}, "Did you mean 'timezone'"),
        ({"timezone": "Europe/Berlinn"}, "no time zone 'Europe/Berlinn'"),
        ({"cors_origins": ["*"]}, "no web origin"),
        ({"cors_origins": ["https://a.org/path"]}, "no web origin"),
        ({"log_retention_days": 0}, "log_retention_days"),
    ],
)
def test_wrong_setting_is_refused(services: Services, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        services.settings.update(changes)


def test_change_of_what_somebody_else_changed_is_refused(services: Services) -> None:
    before = etag(services.settings.get())
    services.settings.update({"timezone": "Europe/Berlin"}, expected_etag=before)
    with pytest.raises(VersionConflict):
        services.settings.update({"timezone": "UTC"}, expected_etag=before)


def test_what_another_version_wrote_falls_back_to_the_default(services: Services) -> None:
    services.store.settings.set("preferences", {"appearance": "sepia", "timezone": "Europe/Berlin", "gone": 1})
    assert (services.settings.get().appearance, services.settings.get().timezone) == ("system", "Europe/Berlin")


def test_log_retention_reaches_the_database(services: Services) -> None:
    services.settings.update({"log_retention_days": 7})
    index = services.store.database["logs"].index_information()["expires"]
    assert index["expireAfterSeconds"] == 7 * 86400
    services.settings.update({"log_retention_days": 30})


def test_nothing_changed_is_no_change(services: Services) -> None:
    services.settings.update({"timezone": "UTC"})
    assert services.audit.list(kind="settings").items == []


def test_sizes_are_taken_as_people_write_them(services: Services) -> None:
    assert services.settings.update({"run_memory": "2GB"}).run_memory == 2 * 10**9
    assert services.settings.update({"run_memory": None}).run_memory is None
    with pytest.raises(ConfigInvalid, match="run_memory"):
        services.settings.update({"run_memory": "1kB"})
