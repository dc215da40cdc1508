"""The files that a trigger waits for."""

from pathlib import Path

from etlml.services.arrivals import matching_files


def test_files_are_found_by_glob_in_the_data_folder(tmp_path: Path) -> None:
    for name in ("inbox/b.csv", "inbox/a.csv", "inbox/deep/c.csv", "other.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert matching_files(tmp_path, "inbox/*.csv") == ["inbox/a.csv", "inbox/b.csv"]
    assert len(matching_files(tmp_path, "inbox/**/*.csv")) == 3
    assert len(matching_files(tmp_path, "**/*", limit=1)) == 1
    assert matching_files(tmp_path, " ") == []


def test_an_absolute_pattern_is_looked_for_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    assert matching_files(tmp_path / "data", str(tmp_path / "*.csv")) == [str(tmp_path / "x.csv")]
