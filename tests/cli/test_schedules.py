"""schedules, pause, resume, webhook, backfill's choice of moments, versions, restore, templates."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import SMALL, Etlml


@pytest.fixture
def daily(etlml: Etlml, small: Path) -> Etlml:
    """With a pipeline that runs at 06:00 on weekdays."""
    small.write_text(yaml.safe_dump({**SMALL, "schedule": "0 6 * * 1-5", "timezone": "Europe/Berlin"}, sort_keys=False))
    assert etlml("apply", small).code == 0
    return etlml


def test_schedules_are_listed_in_words_and_paused_and_resumed(daily: Etlml) -> None:
    assert "at 06:00 on weekdays, Europe/Berlin" in daily("schedules").out
    assert daily("pause", "small").out == "small is paused.\n"
    row = daily("schedules", "--json").json[-1]
    assert (row["pipeline"], row["paused"], row["last"]) == ("small", True, None)
    assert daily("resume", "small", "--json").json["paused"] is False
    assert "has not fired yet" in daily("schedules", "small").err
    assert daily("schedules", "small", "--outcome", "odd").code == 2


def test_a_webhook_is_made_renewed_and_deleted(daily: Etlml) -> None:
    first = daily("webhook", "small")
    assert first.out.startswith("curl -X POST http://")
    assert daily("webhook", "small").code == 1
    renewed = daily("webhook", "small", "--renew", "--json").json
    assert renewed["token"] not in first.out
    assert "token" not in daily("export", "small").out
    calls = daily("webhook", "small", "--calls")
    assert (calls.code, calls.out.strip()) == (0, "Last delivery: none. Refused: 0.")
    assert daily("webhook", "small", "--calls", "--json").json["refusals"] == []
    assert daily("webhook", "small", "--delete").code == 0
    assert daily("webhook", "small", "--renew", "--delete").code == 2


def test_a_backfill_takes_from_and_to_and_what_to_redo(daily: Etlml) -> None:
    dates = ("--from", "2024-01-01", "--to", "2024-01-07")
    assert len(daily("backfill", "small", *dates, "--dry-run", "--json").json) == 5
    assert len(daily("backfill", "small", *dates, "--redo", "missing", "--json").json["intervals"]) == 5
    assert daily("backfill", "small", *dates, "--redo", "odd").code == 2


def test_versions_are_compared_and_restored(daily: Etlml, small: Path) -> None:
    small.write_text(yaml.safe_dump({**SMALL, "schedule": "@daily", "steps": SMALL["steps"][:2]}, sort_keys=False))
    daily("apply", small)
    assert [row["version"] for row in daily("versions", "small", "--json").json] == [2, 1]
    shown = daily("versions", "small", "--diff", 1, 2).out
    assert "Schedule: changed from 0 6 * * 1-5 to @daily" in shown
    assert "removed  save" in shown
    assert daily("restore", "small", 1).out == "small: version 1 is back, as version 3.\n"
    assert daily("versions", "small", "--diff", 1, 3, "--json").json["steps"] == []


def test_templates_are_listed_and_printed_for_apply(etlml: Etlml, tmp_path: Path) -> None:
    assert "csv-to-parquet" in etlml("templates").out
    file = tmp_path / "new.yaml"
    file.write_text(etlml("templates", "quarantine-bad-rows").out)
    assert yaml.safe_load(file.read_text())["name"] == "quarantine-bad-rows"
    assert etlml("templates", "odd").code == 2
