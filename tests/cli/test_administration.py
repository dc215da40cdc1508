"""notify, secret, settings, and doctor's bundle."""

import zipfile
from pathlib import Path

from tests.cli.conftest import Etlml


def test_a_channel_is_added_listed_tested_and_removed(etlml: Etlml) -> None:
    assert (
        "Added team" in etlml("notify", "team", "--url", "json://127.0.0.1:9/hook-123456", "--events", "quarantine").out
    )
    listed = etlml("notify")
    assert "quarantine" in listed.out
    tested = etlml("notify", "team")
    assert tested.code == 1
    assert "did not take the message" in tested.out
    assert "hook-123456" not in listed.out + tested.out
    assert "Removed team" in etlml("notify", "team", "--delete").out


def test_settings_are_changed_by_name(etlml: Etlml) -> None:
    assert "Production" in etlml("settings", "environment_name=Production", "run_retention_days=90").out
    assert etlml("settings", "environment_nam=x").code == 2
    engine = etlml("settings", "worker_slots=3", "run_memory=2GB", "schedule_missed=none", "--json").json
    assert (engine["worker_slots"], engine["run_memory"], engine["schedule_missed"]) == (3, 2 * 10**9, "none")
    assert "each machine's own" in etlml("settings", "worker_slots=").out


def test_the_doctor_writes_a_bundle(etlml: Etlml, tmp_path: Path) -> None:
    etlml("doctor", "--bundle", str(tmp_path / "b.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "doctor.json" in archive.namelist()
