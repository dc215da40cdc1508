"""health, stats."""

from pathlib import Path

from tests.cli.conftest import Etlml


def test_health_names_every_part_and_fails_without_a_worker(etlml: Etlml) -> None:
    found = etlml("health", "--json")
    assert [part["name"] for part in found.json] == ["Scheduler", "MongoDB", "Disk", "Slots", "REST API"]
    assert found.code == 1
    assert "etlml worker" in etlml("health").out


def test_stats_count_the_runs_of_a_time(etlml: Etlml, small: Path) -> None:
    etlml("run", small, "--wait")
    assert etlml("stats", "--since", "1h", "--json").json["runs"]["counts"] == {"success": 1}
    shown = etlml("stats").out
    assert "Success rate\t100.0%" in shown
    assert etlml("stats", "--since", "soon").code == 2
