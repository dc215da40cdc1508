"""delete, new, and the commands that take several names."""

from pathlib import Path

from tests.cli.conftest import Etlml


def test_pipelines_are_made_copied_paused_and_deleted(etlml: Etlml, small: Path) -> None:
    etlml("apply", small)
    assert "Made second, with 3 steps." in etlml("new", "second", "--like", "small").out
    assert "Made third" in etlml("new", "third", "--template", "csv-to-parquet").out
    assert "with 0 steps" in etlml("new", "fourth").out
    assert etlml("new", "fifth", "--like", "small", "--template", "csv-to-parquet").code == 2
    assert etlml("pause", "small", "second").out.splitlines() == ["small is paused.", "second is paused."]
    assert [one["paused"] for one in etlml("resume", "small", "second", "--json").json] == [False, False]
    assert len(etlml("delete", "pipeline", "second", "third", "fourth").out.splitlines()) == 3
    assert etlml("export", "second").code == 2


def test_runs_are_retried_cancelled_and_deleted_together(etlml: Etlml, small: Path) -> None:
    etlml("apply", small)
    first, second = (etlml("run", "small", "--json").json["id"] for _ in range(2))
    assert etlml("cancel", first, second).out.count("is cancelled") == 2
    again = etlml("retry", first, second, "--from", "start", "--json").json
    assert len(again) == 2
    assert etlml("delete", "run", first, second).code == 0
    assert etlml("delete", "run", first).code == 2
    assert etlml("delete", "runs", second).code == 2


def test_backfills_are_listed_paused_and_cancelled(etlml: Etlml, small: Path) -> None:
    small.write_text(small.read_text() + 'schedule: "0 6 * * *"\n')
    etlml("apply", small)
    started = etlml("backfill", "small", "--from", "2026-01-01", "--to", "2026-01-03", "--json").json["id"]
    assert "small\trunning\t0 of 3" in etlml("backfills").out
    assert etlml("backfills", started, "--pause", "--json").json[0]["status"] == "paused"
    assert etlml("backfills", started, "--cancel", "--json").json[0]["status"] == "cancelled"
    assert etlml("backfills", "--cancel").code == 2
