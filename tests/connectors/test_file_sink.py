"""What file sinks promise beyond what every sink does."""

import gzip
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from etlml.compute.schema import Schema
from etlml.connectors.file_sink import FileSink
from etlml.connectors.journal import FileJournal, staged_path
from etlml.errors import ColumnMissing, ConfigInvalid, LoadFailed
from tests.connectors.world import World

pytestmark = pytest.mark.slow

ROWS = "SELECT 1 AS id, 'x' AS v UNION ALL SELECT 2, NULL ORDER BY id"


def file(path: str, **options: object) -> dict[str, object]:
    return {"kind": "file", "path": path, **options}


class TestFormats:
    def test_text_is_what_one_expects(self, world: World) -> None:
        for name in ("o.csv", "o.tsv", "o.jsonl", "o.json"):
            world.load(file(name), ROWS)
        assert (world.data / "o.csv").read_text() == "id,v\n1,x\n2,\n"
        assert (world.data / "o.tsv").read_text() == "id\tv\n1\tx\n2\t\n"
        assert (world.data / "o.jsonl").read_text() == '{"id":1,"v":"x"}\n{"id":2,"v":null}\n'
        assert '{"id":1,"v":"x"}' in (world.data / "o.json").read_text()

    def test_a_given_format_overrules_the_extension(self, world: World) -> None:
        world.load(file("o.data.gz", format="csv"), ROWS)
        assert gzip.decompress((world.data / "o.data.gz").read_bytes()) == b"id,v\n1,x\n2,\n"

    @pytest.mark.parametrize("lazy", [True, False])
    @pytest.mark.parametrize("name", ["o.parquet", "o.csv", "o.jsonl.gz"])
    def test_rows_are_written_while_they_are_computed_or_afterwards(self, world: World, name: str, lazy: bool) -> None:
        assert world.load(file(name), ROWS, lazy=lazy).rows == 2
        assert world.read(file(name)) == [(1, "x"), (2, None)]

    def test_only_an_overwritten_plain_file_takes_rows_that_are_not_computed_yet(self) -> None:
        assert FileSink(path="o.parquet").takes_lazy("overwrite")
        assert not FileSink(path="o.parquet").takes_lazy("append")
        assert not FileSink(path="o.xlsx").takes_lazy("overwrite")
        assert not FileSink(path="o", partition_by=["a"]).takes_lazy("overwrite")

    def test_a_checkpoint_is_copied_not_linked(self, world: World) -> None:
        world.load(file("o.parquet"), ROWS)
        assert (world.data / "o.parquet").stat().st_nlink == 1

    def test_values_of_every_type_come_back_from_parquet(self, world: World) -> None:
        sql = "SELECT [1, 2] AS l, {'a': 1} AS s, DATE '2024-01-31' AS d, 1.25::DECIMAL(5, 2) AS m, TRUE AS b, 'ab'::BLOB AS x"
        world.load(file("o.parquet"), sql)
        assert world.read(file("o.parquet")) == duckdb.sql(sql).fetchall()

    def test_folders_are_made(self, world: World) -> None:
        world.load(file("a/b/c/o.csv"), ROWS)
        assert (world.data / "a/b/c/o.csv").exists()


class TestAddingToWhatIsThere:
    def test_csv_keeps_its_bytes_its_delimiter_and_its_order(self, world: World) -> None:
        world.file("o.csv", 'v;id\n"007";1')  # no line end, quoted for no reason
        world.load(file("o.csv"), "SELECT 2 AS id, 'a;b' AS v", "append")
        assert (world.data / "o.csv").read_text() == 'v;id\n"007";1\n"a;b";2\n'

    def test_csv_with_windows_line_ends_stays_readable(self, world: World) -> None:
        world.file("o.csv", "id,v\r\n1,x\r\n")
        world.load(file("o.csv"), "SELECT 2 AS id, 'y' AS v", "append")
        assert world.read(file("o.csv")) == [(1, "x"), (2, "y")]

    def test_a_merge_tells_an_empty_text_from_a_missing_one(self, world: World) -> None:
        world.load(file("o.csv"), "SELECT 1 AS id, '' AS v UNION ALL SELECT 2, NULL ORDER BY id")
        world.load(file("o.csv"), "SELECT 3 AS id, '007' AS v", "merge", ["id"])
        assert sorted((world.data / "o.csv").read_text().splitlines()) == ['1,""', "2,", "3,007", "id,v"]

    @pytest.mark.parametrize("name", ["o.jsonl", "o.json"])
    def test_a_json_merge_keeps_nested_values_and_keys_in_any_spelling(self, world: World, name: str) -> None:
        lines = ['{"k": "\\u00e9", "v": {"a": [1, 2.50]}}', '{"k": "z", "v": "007"}']
        world.file(name, "\n".join(lines) if name == "o.jsonl" else f"[{', '.join(lines)}]")
        world.load(file(name), "SELECT 'é' AS k, 'new' AS v", "merge", ["k"])
        assert sorted(world.read(file(name))) == [("z", "007"), ("é", "new")]

    def test_dates_as_keys_meet_their_text(self, world: World) -> None:
        for name in ("o.csv", "o.jsonl", "o.xlsx"):
            world.load(file(name), "SELECT DATE '2024-01-31' AS d, 1 AS v UNION ALL SELECT DATE '2024-02-01', 2")
            world.load(file(name), "SELECT DATE '2024-01-31' AS d, 9 AS v", "merge", ["d"])
            assert sorted(world.read(file(name))) == [(date(2024, 1, 31), 9), (date(2024, 2, 1), 2)]

    def test_an_empty_file_or_list_takes_the_rows_as_they_are(self, world: World) -> None:
        world.file("o.csv", "")
        world.file("o.json", "[]")
        for name in ("o.csv", "o.json"):
            world.load(file(name), ROWS, "append")
            assert world.read(file(name)) == [(1, "x"), (2, None)]

    def test_a_damaged_file_is_left_alone(self, world: World) -> None:
        path = world.file("o.parquet", b"PAR1 not really")
        with pytest.raises(LoadFailed, match="holds already cannot be read, so nothing was added"):
            world.load(file("o.parquet"), ROWS, "append")
        assert path.read_bytes() == b"PAR1 not really"

    def test_the_files_rights_stay(self, world: World) -> None:
        world.load(file("o.csv"), ROWS)
        (world.data / "o.csv").chmod(0o640)
        world.load(file("o.csv"), ROWS)
        assert (world.data / "o.csv").stat().st_mode & 0o777 == 0o640

    def test_a_reader_that_has_the_old_file_open_keeps_it(self, world: World) -> None:
        world.load(file("o.csv"), ROWS)
        with (world.data / "o.csv").open() as reader:
            world.load(file("o.csv"), "SELECT 9 AS id, 'other' AS v")
            assert reader.read() == "id,v\n1,x\n2,\n"


class TestRefusals:
    @pytest.mark.parametrize(
        ("config", "message"),
        [
            (file("o.xyz"), r"extension '\.xyz'"),
            (file("o*.csv"), "name one file"),
            (file("o.csv.zip"), r"cannot be written as \.zip; use \.gz or \.zst"),
            (file("o.jsonl", partition_by=["id"]), "partition_by needs the format parquet or csv"),
            (file("o", partition_by=["id", "v"]), "names every column"),
        ],
    )
    def test_a_configuration_that_cannot_work_is_refused(
        self, world: World, config: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ConfigInvalid, match=message):
            world.load(config, ROWS)

    def test_a_partition_column_has_to_be_there(self, world: World) -> None:
        with pytest.raises(ColumnMissing, match="no column 'idd'"):
            FileSink(path="o", partition_by=["idd"]).check(
                world.data, Schema.of([("id", "INT"), ("v", "INT")]), "append"
            )

    def test_a_folder_in_the_files_place_is_told(self, world: World) -> None:
        (world.data / "o.csv").mkdir()
        with pytest.raises(LoadFailed, match="The path is a folder"):
            world.load(file("o.csv"), ROWS)

    def test_a_file_in_the_folders_place_is_told(self, world: World) -> None:
        world.file("out", "")
        with pytest.raises(LoadFailed, match="cannot be written to"):
            world.load(file("out/o.csv"), ROWS)

    @pytest.mark.slow
    def test_a_sheet_has_a_last_row(self, world: World) -> None:
        with pytest.raises(LoadFailed, match="row limit of '1048576' rows"):
            world.load(file("o.xlsx"), "SELECT range AS id FROM range(1050000)")
        assert not (world.data / "o.xlsx").exists()

    @pytest.mark.slow
    @pytest.mark.skipif(os.name != "posix", reason="limits on file size are POSIX")
    @pytest.mark.parametrize("name", ["o.parquet", "o.csv", "o.db", "o.duckdb"])
    def test_a_full_disk_leaves_what_was_there(self, world: World, name: str) -> None:
        """A limit on the size of files stands for the disk."""
        kind = {"o.db": "sqlite", "o.duckdb": "duckdb"}.get(name)
        sink = {"kind": kind, "path": name, "table": "t"} if kind else file(name)
        world.load(sink, ROWS)
        code = (
            "import resource, signal, sys\n"
            "from pathlib import Path\n"
            "from etlml.errors import LoadFailed\n"
            "from tests.connectors.world import World\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            f"world = World(Path({str(world.runs.parent)!r}))\n"
            "from etlml.compute.session import Session\n"
            "copy = Session.materialise\n"
            "def then_full(*args, **kwargs):\n"
            "    found = copy(*args, **kwargs)\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (1500000, 1500000))\n"
            "    return found\n"
            "Session.materialise = then_full\n"
            "try:\n"
            f"    world.load({sink!r}, \"SELECT range::INT AS id, md5(range::VARCHAR) AS v FROM range(200000)\", 'append')\n"
            "except LoadFailed as error:\n"
            "    print('FAILED', error)\n"
        )
        child = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
        )
        assert child.stdout.startswith("FAILED The "), child.stderr
        assert "Nothing was changed" in child.stdout
        assert sorted(world.read(sink)) == [(1, "x"), (2, None)]
        assert [left for left in world.leftovers() if "journal" not in left and "wal" not in left] == []


class TestTheJournal:
    def load(self, world: World, load_id: str, text: str) -> None:
        journal = FileJournal(world.data / "o.csv")
        staged = staged_path(journal.target, load_id)
        staged.write_text(text)
        journal.publish(staged, load_id, 1)

    def test_a_crash_before_the_rename_undoes_the_load(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.load(world, "one", "a\n1\n")
        monkeypatch.setattr(Path, "replace", _dies_on(".partial", Path.replace))
        with pytest.raises(KeyboardInterrupt):
            self.load(world, "two", "a\n2\n")
        monkeypatch.undo()
        journal = FileJournal(world.data / "o.csv")
        assert (journal.rows_of("one"), journal.rows_of("two")) == (1, None)
        assert world.leftovers() == []

    def test_a_crash_after_the_rename_keeps_the_load_even_if_the_file_was_edited_since(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.load(world, "one", "a\n1\n")
        journal = FileJournal(world.data / "o.csv")
        write = FileJournal._write
        monkeypatch.setattr(
            FileJournal, "_write", lambda self, *, durable: write(self, durable=True) if durable else None
        )
        staged = staged_path(journal.target, "two")
        staged.write_text("a\n2\n")
        journal.publish(staged, "two", 7)
        monkeypatch.undo()
        (world.data / "o.csv").write_text("a\nedited by hand\n")
        assert FileJournal(world.data / "o.csv").rows_of("two") == 7

    def test_a_file_that_was_removed_since_is_loaded_again(self, world: World) -> None:
        self.load(world, "one", "a\n1\n")
        (world.data / "o.csv").unlink()
        assert FileJournal(world.data / "o.csv").rows_of("one") is None

    def test_a_damaged_journal_is_begun_anew(self, world: World) -> None:
        self.load(world, "one", "a\n1\n")
        (world.data / ".o.csv.etlml-loads.json").write_text("{half")
        self.load(world, "two", "a\n2\n")
        assert FileJournal(world.data / "o.csv").rows_of("two") == 1

    def test_another_targets_staged_file_is_left_alone(self, world: World) -> None:
        other = staged_path(world.data / "o.csv.gz", "x")
        other.write_text("")
        self.load(world, "one", "a\n1\n")
        assert other.exists()
        shutil.rmtree(world.data)


def _dies_on(ending: str, replace: object) -> object:
    def dying(self: Path, target: Path) -> Path:
        if self.name.endswith(ending):
            raise KeyboardInterrupt
        return replace(self, target)  # type: ignore[operator, no-any-return]

    return dying
