"""What partitioned folders promise beyond what every sink does."""

from pathlib import Path

import pytest

from etlml.connectors import folder_sink
from etlml.errors import LoadFailed
from tests.connectors.world import World

SINK = {"kind": "file", "path": "out", "partition_by": ["year"]}
SOURCE = {"kind": "file", "path": "out", "format": "parquet"}
ROWS = "SELECT range AS id, 2020 + range % 2 AS year FROM range({start}, {stop})"


def rows(start: int, stop: int) -> str:
    return ROWS.format(start=start, stop=stop)


def test_each_value_has_a_folder(world: World) -> None:
    world.load(SINK, rows(0, 4))
    assert sorted(each.name for each in (world.data / "out").iterdir() if each.is_dir()) == ["year=2020", "year=2021"]
    assert sorted(world.read(SOURCE)) == [(0, 2020), (1, 2021), (2, 2020), (3, 2021)]


def test_an_append_leaves_the_old_files_as_they_are(world: World) -> None:
    world.load(SINK, rows(0, 4))
    before = {path: path.stat().st_ino for path in (world.data / "out").rglob("*.parquet")}
    world.load(SINK, rows(4, 8), "append")
    after = {path: path.stat().st_ino for path in (world.data / "out").rglob("*.parquet")}
    assert before.items() <= after.items()
    assert len(after) == 4


def test_odd_values_and_missing_ones_come_back(world: World) -> None:
    world.load(SINK, "SELECT 1 AS id, 'a/b c=d' AS year UNION ALL SELECT 2, NULL")
    world.load(SINK, "SELECT 2 AS id, 'é' AS year", "merge", ["id"])
    assert sorted(world.read(SOURCE)) == [(1, "a/b c=d"), (2, "é")]


def test_another_partition_column_is_refused(world: World) -> None:
    world.load(SINK, rows(0, 4))
    with pytest.raises(LoadFailed, match="is partitioned by year, not by id"):
        world.load({**SINK, "partition_by": ["id"]}, rows(0, 2), "append")


def test_a_folder_that_holds_something_else_is_never_replaced(world: World) -> None:
    world.file("out/letters.txt", "precious")
    with pytest.raises(LoadFailed, match=r"holds letters\.txt, which is no part of a partitioned parquet folder"):
        world.load(SINK, rows(0, 4))
    assert (world.data / "out/letters.txt").read_text() == "precious"


def test_a_file_in_the_folders_place_is_refused(world: World) -> None:
    world.file("out", "x")
    with pytest.raises(LoadFailed, match="is a file, and partition_by needs a folder"):
        world.load(SINK, rows(0, 4))


def test_where_names_cannot_be_swapped_in_one_step_a_crash_between_two_is_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.load(SINK, rows(0, 4))
    monkeypatch.setattr(folder_sink, "_exchanged", lambda *_: False)
    world.load(SINK, rows(10, 12), load_id="whole")
    assert sorted(world.read(SOURCE)) == [(10, 2020), (11, 2021)]
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(KeyboardInterrupt):
        world.load(SINK, rows(20, 22), load_id="cut off")
    monkeypatch.setattr(Path, "rename", rename)
    assert not (world.data / "out").exists()
    world.load(SINK, rows(12, 13), "append", load_id="next")
    assert sorted(world.read(SOURCE)) == [(10, 2020), (11, 2021), (12, 2020)]
    assert world.leftovers() == []
