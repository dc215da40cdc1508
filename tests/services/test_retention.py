"""What retention promises as people meet it; what may go is the engine's to say."""

from datetime import timedelta

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.engine.retention import RetentionPolicy
from etlml.errors import ConfigInvalid
from etlml.services import Services
from etlml.services.preferences import Preferences, PreferencesChange


def ended(services: Services, days_ago: float) -> Run:
    at = utc_now() - timedelta(days=days_ago)
    return services.store.runs.add(Run(pipeline_id="p", status="success", created_at=at, finished_at=at))


def test_the_policy_is_a_part_of_the_preferences(services: Services) -> None:
    services.settings.update({"run_retention_days": 7.5, "runs_per_pipeline": 100})
    assert services.retention.policy() == RetentionPolicy(run_retention_days=7.5, runs_per_pipeline=100)
    assert set(RetentionPolicy.model_fields) <= set(Preferences.model_fields)
    assert set(PreferencesChange.model_fields) == set(Preferences.model_fields)


def test_preview_removes_nothing_and_apply_what_it_said(services: Services) -> None:
    services.settings.update({"run_retention_days": 7})
    old, new = ended(services, 8), ended(services, 6)
    (services.environment.runs_dir / old.id).mkdir()
    (services.environment.runs_dir / old.id / "a.parquet").write_bytes(b"x" * 100)
    preview = services.retention.preview()
    assert (preview.runs, preview.bytes, services.runs.get(old.id).id) == (1, 100, old.id)
    assert services.retention.apply(author="ann") == preview
    assert [run.id for run in services.runs.list().items] == [new.id]
    assert not (services.environment.runs_dir / old.id).exists()
    assert services.audit.list(kind="retention").items[0].details["runs"] == 1


def test_a_limit_can_be_taken_away_again(services: Services) -> None:
    services.settings.update({"run_retention_days": 7})
    services.settings.update({"run_retention_days": None})
    assert services.retention.policy().run_retention_days is None


@pytest.mark.parametrize(
    ("name", "value"), [("run_retention_days", 0), ("run_retention_days", 1e9), ("cache_max_bytes", -1)]
)
def test_what_no_policy_can_be_is_refused(services: Services, name: str, value: float) -> None:
    with pytest.raises(ConfigInvalid, match=name):
        services.settings.update({name: value})
