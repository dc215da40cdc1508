"""What file sources promise: the rows as they are, or what is wrong, where, and the mend."""

import bz2
import gzip
import json
import lzma
import os
import re
import zipfile
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest

from etlml.compute.session import Session
from etlml.connectors.base import Reading
from etlml.connectors.file_source import FileSource
from etlml.errors import ConfigInvalid, DataUnreadable
from tests.connectors.world import World

PLAIN = "id,name,at\n1,Ada,2024-01-31\n2,,2024-02-01\n"


def file(path: str, **options: object) -> dict[str, object]:
    return {"kind": "file", "path": path, **options}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def copied(world: World, query: str, name: str, options: str = "FORMAT parquet") -> None:
    duckdb.connect().execute(f"COPY ({query}) TO '{world.data / name}' ({options})")


class TestDelimitedText:
    def test_types_come_from_the_data(self, world: World) -> None:
        world.file("a.csv", PLAIN)
        assert world.schema(file("a.csv")) == {"id": "BIGINT", "name": "VARCHAR", "at": "DATE"}
        assert world.read(file("a.csv")) == [(1, "Ada", date(2024, 1, 31)), (2, None, date(2024, 2, 1))]

    def test_the_relation_is_a_view_that_reads_the_file(self, world: World) -> None:
        path = world.file("a.csv", PLAIN)
        with Session(world.runs / "r", memory_bytes=1 << 28, readable=[path]) as session:
            reading = Reading("src", world.runs / "r", world.data, session, 1 << 28, lambda: False, lambda *_: None)
            relation = FileSource(path="a.csv").read(reading)
        assert relation.is_lazy
        assert relation.effects == ("source",)
        assert relation.source_files == (path,)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_told_from_the_lines(self, world: World, delimiter: str) -> None:
        world.file("a.csv", PLAIN.replace(",", delimiter))
        assert list(world.schema(file("a.csv"))) == ["id", "name", "at"]

    def test_a_given_delimiter_is_taken(self, world: World) -> None:
        world.file("a.csv", "a:b\n1:2\n")
        assert world.read(file("a.csv", delimiter=":")) == [(1, 2)]

    def test_tsv_is_cut_at_tabs_only(self, world: World) -> None:
        world.file("a.tsv", "a,b\tc\n1,5\t2\n")
        assert world.schema(file("a.tsv")) == {"a,b": "VARCHAR", "c": "BIGINT"}

    def test_null_values_are_missing(self, world: World) -> None:
        world.file("a.csv", "a,b\n1,NA\nNA,x\n,\n")
        assert world.read(file("a.csv", null_values=["", "NA"])) == [(1, None), (None, "x"), (None, None)]

    def test_given_types_hold_whatever_the_case_of_the_name(self, world: World) -> None:
        world.file("a.csv", "Zip,n\n01234,1\n")
        assert world.read(file("a.csv", types={"zip": "VARCHAR", "n": "DOUBLE"})) == [("01234", 1.0)]

    def test_a_file_without_header_is_read_from_its_first_line(self, world: World) -> None:
        world.file("a.csv", "x,1\ny,2\n")
        assert world.read(file("a.csv", header=False)) == [("x", 1), ("y", 2)]

    def test_a_file_with_only_a_header_has_no_rows(self, world: World) -> None:
        world.file("a.csv", "a,b\n")
        assert world.read(file("a.csv")) == []
        assert list(world.schema(file("a.csv"))) == ["a", "b"]

    def test_quotes_line_ends_and_a_byte_order_mark_are_no_trouble(self, world: World) -> None:
        world.file("a.csv", b'\xef\xbb\xbfa,b\r\n"x, ""y""\r\nz",1\r\n')
        assert world.read(file("a.csv")) == [('x, "y"\r\nz', 1)]

    def test_dates_in_a_foreign_order_are_understood(self, world: World) -> None:
        world.file("a.csv", "d\n31/12/2023\n01/02/2024\n")
        assert world.read(file("a.csv")) == [(date(2023, 12, 31),), (date(2024, 2, 1),)]

    def test_check_tells_the_columns_of_a_file_that_is_there(self, world: World) -> None:
        world.file("a.csv", PLAIN)
        schema = world.check(file("a.csv"))
        assert schema is not None
        assert schema.as_dict() == world.schema(file("a.csv"))

    def test_check_is_silent_about_a_file_that_is_not_there_yet(self, world: World) -> None:
        assert world.check(file("later.csv")) is None
        assert world.check(file("${params.day}.csv")) is None


class TestBrokenText:
    def test_a_missing_file_is_named_with_its_nearest_neighbour(self, world: World) -> None:
        world.file("flights.csv", PLAIN)
        with pytest.raises(DataUnreadable, match=r"There is no file .*/flihgts\.csv\. Did you mean 'flights\.csv'\?"):
            world.read(file("flihgts.csv"))

    def test_a_missing_folder_is_told(self, world: World) -> None:
        with pytest.raises(DataUnreadable, match=r"does not exist either\. Relative paths start at"):
            world.read(file("no/where.csv"))

    def test_a_glob_without_a_match_is_told(self, world: World) -> None:
        with pytest.raises(DataUnreadable, match=r"No file matches .*/x\*\.csv"):
            world.read(file("x*.csv"))

    def test_an_empty_file_is_refused(self, world: World) -> None:
        world.file("a.csv", "")
        with pytest.raises(DataUnreadable, match=r"is empty \(0 bytes\)"):
            world.read(file("a.csv"))

    def test_an_empty_packed_file_is_refused(self, world: World) -> None:
        world.file("a.csv.gz", gzip.compress(b""))
        with pytest.raises(DataUnreadable, match="is empty inside"):
            world.read(file("a.csv.gz"))

    @pytest.mark.parametrize(("bad", "found"), [("1,2", "2 fields"), ("1,2,3,4", "4 fields")])
    @pytest.mark.parametrize("before", [5, 150_000])
    def test_a_ragged_row_is_found_near_and_deep(self, world: World, bad: str, found: str, before: int) -> None:
        world.file("a.csv", "a,b,c\n" + "1,2,3\n" * before + f"{bad}\n" + "1,2,3\n")
        with pytest.raises(DataUnreadable, match=f"Line {before + 2} has {found}, expected 3: {bad}"):
            world.read(file("a.csv"), "SELECT sum(a) FROM src")

    def test_a_ragged_row_with_an_open_quote_is_told_of_with_its_mend(self, world: World) -> None:
        world.file("a.csv", "a,b,c\n" + "1,2,3\n" * 20_000 + '1,2,3,4,"open\n')
        with pytest.raises(DataUnreadable, match=r"Line 20002 has \d fields, expected 3.*\. Correct the line"):
            world.read(file("a.csv"), "SELECT sum(a) FROM src")

    def test_a_value_that_the_sample_did_not_show_is_named(self, world: World) -> None:
        world.file(
            "a.csv", "id,flight\n" + "".join(f"{number},{number * 1000003}\n" for number in range(300_000)) + "1,oops\n"
        )
        mend = r"types: \{flight: VARCHAR\}; or add the value to null_values"
        with pytest.raises(
            DataUnreadable, match=f"Line 300002, column 'flight': the value 'oops' is not of type BIGINT.*{mend}"
        ):
            world.read(file("a.csv"), "SELECT sum(flight) FROM src")
        assert world.read(file("a.csv", types={"flight": "VARCHAR"}), "SELECT max(flight) FROM src") == [("oops",)]

    def test_a_value_against_its_given_type_is_named(self, world: World) -> None:
        world.file("a.csv", "a,b\n1,x\n2,y\n")
        with pytest.raises(DataUnreadable, match="Line 2, column 'b': the value 'x' is not of type BIGINT"):
            world.read(file("a.csv", types={"b": "BIGINT"}))

    def test_a_quote_that_never_closes_is_found(self, world: World) -> None:
        world.file("a.csv", 'a,b\n1,"x\n2,y\n')
        with pytest.raises(DataUnreadable, match="The quote that opens in line 2 is never closed"):
            world.read(file("a.csv"))

    def test_an_unknown_type_or_column_is_refused_at_once(self, world: World) -> None:
        world.file("a.csv", PLAIN)
        with pytest.raises(ConfigInvalid, match="no column type 'STRNG'"):
            world.check(file("a.csv", types={"id": "STRNG"}))
        with pytest.raises(ConfigInvalid, match=r"'nane', which the file .* lacks\. Did you mean 'name'"):
            world.check(file("a.csv", types={"nane": "VARCHAR"}))

    @pytest.mark.parametrize("type_", ["BIGINT); DROP TABLE x", "'", "a b c(", "INT)--"])
    def test_a_type_cannot_smuggle_sql(self, world: World, type_: str) -> None:
        world.file("a.csv", PLAIN)
        with pytest.raises(ConfigInvalid, match="no column type"):
            world.check(file("a.csv", types={"id": type_}))


class TestEncodings:
    TEXT = "a,b\n1,Müller\n2,façade\n"

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "cp850"])
    def test_a_given_encoding_is_read(self, world: World, encoding: str) -> None:
        world.file("a.csv", self.TEXT.encode(encoding))
        assert world.read(file("a.csv", encoding=encoding)) == [(1, "Müller"), (2, "façade")]

    def test_packed_text_in_a_foreign_encoding_is_read(self, world: World) -> None:
        world.file("a.csv.gz", gzip.compress(self.TEXT.encode("cp1252")))
        assert world.read(file("a.csv.gz", encoding="cp1252"))[0] == (1, "Müller")

    def test_utf16_is_known_by_its_mark(self, world: World) -> None:
        world.file("a.csv", self.TEXT.encode("utf-16"))
        assert world.read(file("a.csv"))[0] == (1, "Müller")

    @pytest.mark.parametrize("before", [2, 200_000])
    def test_the_first_wrong_byte_is_placed(self, world: World, before: int) -> None:
        start = b"a,b\n" + b"1,x\n" * before + b"1,M"
        world.file("a.csv", start + b"\xfcller\n" + b"1,y\n")
        place = f"byte 0xfc at offset {len(start)}, line {before + 2}"
        with pytest.raises(DataUnreadable, match=rf"not UTF-8 text \({place}\)\. Set encoding: latin-1"):
            world.read(file("a.csv"), "SELECT max(b) FROM src")

    def test_windows_text_gets_its_own_advice(self, world: World) -> None:
        world.file("a.csv", b"a\n\x93x\x94\n")
        with pytest.raises(DataUnreadable, match="Set encoding: cp1252"):
            world.read(file("a.csv"))

    def test_an_unknown_encoding_is_refused(self, world: World) -> None:
        with pytest.raises(ConfigInvalid, match="no encoding 'utf-99'"):
            world.check(file("a.csv", encoding="utf-99"))

    def test_text_that_is_not_in_the_given_encoding_is_refused(self, world: World) -> None:
        world.file("a.csv", b"a\n\x81\n")
        with pytest.raises(DataUnreadable, match="not in the encoding cp1252"):
            world.read(file("a.csv", encoding="cp1252"))


class TestPackedFiles:
    def packed(self, packing: str) -> bytes:
        text = PLAIN.encode()
        if packing == "zst":
            return bytes(pa.compress(text, codec="zstd", asbytes=True))
        return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[packing](text)

    @pytest.mark.parametrize("packing", ["gz", "zst", "bz2", "xz"])
    def test_packed_text_reads_like_plain(self, world: World, packing: str) -> None:
        world.file(f"a.csv.{packing}", self.packed(packing))
        assert world.read(file(f"a.csv.{packing}"))[0] == (1, "Ada", date(2024, 1, 31))

    @pytest.mark.parametrize("packing", ["gz", "zst", "bz2", "xz"])
    def test_a_packed_file_that_is_cut_off_is_refused(self, world: World, packing: str) -> None:
        world.file(f"a.csv.{packing}", self.packed(packing)[:-5])
        with pytest.raises(DataUnreadable, match="damaged, cut off or not"):
            world.read(file(f"a.csv.{packing}"))

    def test_one_file_in_a_zip_is_read_and_two_are_refused(self, world: World) -> None:
        for name, members in (("one.csv.zip", ["a.csv"]), ("two.csv.zip", ["a.csv", "b.csv"])):
            with zipfile.ZipFile(world.data / name, "w") as archive:
                for member in members:
                    archive.writestr(member, PLAIN)
        assert len(world.read(file("one.csv.zip"))) == 2
        with pytest.raises(DataUnreadable, match="holds 2 files"):
            world.read(file("two.csv.zip"))

    def test_what_is_no_zip_is_told(self, world: World) -> None:
        world.file("a.csv.zip", b"no zip at all")
        with pytest.raises(DataUnreadable, match="damaged, cut off or not zip"):
            world.read(file("a.csv.zip"))

    def test_packed_json_lines_are_read(self, world: World) -> None:
        world.file("a.jsonl.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
        assert world.read(file("a.jsonl.gz")) == [(1,), (2,)]


class TestSeveralFiles:
    def test_a_glob_reads_in_the_order_of_the_names(self, world: World) -> None:
        for name in ("b", "c", "a"):
            world.file(f"{name}.csv", f"x\n{name}1\n{name}2\n")
        assert world.read(file("?.csv")) == [("a1",), ("a2",), ("b1",), ("b2",), ("c1",), ("c2",)]

    def test_columns_are_united_by_name_and_types_widened(self, world: World) -> None:
        world.file("1.csv", "a,b\n1,2024-01-01\n")
        world.file("2.csv", "b,c,a\n2024-01-02 10:00:00,x,2.5\n")
        world.file("3.csv", "c\n")
        assert world.schema(file("*.csv")) == {"a": "DOUBLE", "b": "TIMESTAMP", "c": "VARCHAR"}
        assert world.read(file("*.csv")) == [(1.0, at("2024-01-01"), None), (2.5, at("2024-01-02 10:00"), "x")]

    def test_each_file_keeps_its_own_dialect(self, world: World) -> None:
        world.file("1.csv", "a;d\n1;31/12/2023\n")
        world.file("2.csv", "a,d\n2,2024-01-01\n")
        assert world.read(file("*.csv")) == [(1, date(2023, 12, 31)), (2, date(2024, 1, 1))]

    def test_parquet_and_json_are_united_too(self, world: World) -> None:
        copied(world, "SELECT 1 AS a, 'x' AS b", "1.parquet")
        copied(world, "SELECT 2.5 AS a, true AS c", "2.parquet")
        assert [len(row) for row in world.read(file("*.parquet"))] == [3, 3]
        world.file("1.jsonl", '{"a": 1}\n')
        world.file("2.jsonl", '{"b": "x", "a": 2}\n')
        assert world.read(file("*.jsonl")) == [(1, None), (2, "x")]

    def test_a_partitioned_folder_gives_its_partition_columns(self, world: World) -> None:
        world.file("sales/year=2023/a.csv", "v\n1\n")
        world.file("sales/year=2024/a.csv", "v\n2\n")
        assert world.read(file("sales")) == [(1, 2023), (2, 2024)]

    def test_formats_are_not_mixed(self, world: World) -> None:
        world.file("1.csv", PLAIN)
        world.file("1.jsonl", "{}")
        with pytest.raises(ConfigInvalid, match="several formats: csv, jsonl"):
            world.read(file("1.*"))

    def test_hidden_files_are_left_out(self, world: World) -> None:
        world.file("d/a.csv", PLAIN)
        world.file("d/.hidden.csv", "junk")
        assert len(world.read(file("d"))) == 2

    def test_a_name_with_brackets_is_a_name(self, world: World) -> None:
        world.file("a[1].csv", PLAIN)
        assert len(world.read(file("a[1].csv"))) == 2

    def test_the_fingerprint_changes_with_the_files(self, world: World) -> None:
        source = FileSource(path="*.csv")
        first = world.file("a.csv", PLAIN)
        before = source.fingerprint(world.data)
        os.utime(first, ns=(1, 1))
        touched = source.fingerprint(world.data)
        world.file("b.csv", PLAIN)
        assert len({before, touched, source.fingerprint(world.data)}) == 3


class TestJson:
    def test_lists_single_objects_and_lines_are_read(self, world: World) -> None:
        world.file("a.json", json.dumps([{"a": 1}, {"a": 2, "b": {"c": 1}}], indent=2))
        world.file("b.json", '{"a": 1}')
        world.file("c.json", '{"a": 1}\n{"a": 2}\n')
        assert world.read(file("a.json")) == [(1, None), (2, {"c": 1})]
        assert world.read(file("b.json")) == [(1,)]
        assert world.read(file("c.json")) == [(1,), (2,)]

    def test_mixed_values_are_read_as_text(self, world: World) -> None:
        world.file("a.jsonl", '{"a": 1}\n{"a": "x"}\n')
        assert world.read(file("a.jsonl")) == [("1",), ("x",)]

    def test_a_broken_line_is_named(self, world: World) -> None:
        world.file("a.jsonl", '{"a": 1}\n{"a": \n{"a": 3}\n')
        with pytest.raises(DataUnreadable, match=r"a\.jsonl cannot be read\. Line \d is not JSON"):
            world.read(file("a.jsonl"))

    def test_a_value_deep_in_the_file_is_named(self, world: World) -> None:
        world.file("a.jsonl", '{"n": 1, "pad": "%s"}\n' % ("x" * 40) * 120_000 + '{"n": "oops", "pad": ""}\n')
        with pytest.raises(DataUnreadable, match=r"Line 120001, column 'n': .*\"oops\".*types: \{n: VARCHAR\}"):
            world.read(file("a.jsonl"), "SELECT sum(n) FROM src")


class TestParquetAndExcel:
    def test_parquet_types_can_be_cast(self, world: World) -> None:
        copied(world, "SELECT 7 AS a, 'x' AS b", "a.parquet")
        assert world.read(file("a.parquet", types={"A": "VARCHAR"})) == [("7", "x")]

    def test_what_is_no_parquet_is_told(self, world: World) -> None:
        world.file("a.parquet", PLAIN * 10)
        with pytest.raises(DataUnreadable, match="not a Parquet file, or it is cut off"):
            world.read(file("a.parquet"))

    def test_a_damaged_parquet_is_told(self, world: World) -> None:
        copied(
            world,
            "SELECT range AS a, md5(range::VARCHAR) AS b FROM range(20000)",
            "a.parquet",
            "FORMAT parquet, COMPRESSION zstd",
        )
        path = world.data / "a.parquet"
        content = path.read_bytes()
        path.write_bytes(content[:2000] + bytes(50_000) + content[52_000:])
        with pytest.raises(DataUnreadable, match=r"a\.parquet cannot be read\. It is damaged"):
            world.read(file("a.parquet"), "SELECT count(DISTINCT b), sum(a) FROM src")

    def workbook(self, world: World) -> None:
        """DuckDB writes one sheet only, so a second one is put in by hand."""
        world.load({"kind": "file", "path": "one.xlsx"}, "SELECT 1 AS id, 'x' AS v UNION ALL SELECT 2, 'y' ORDER BY id")
        world.load({"kind": "file", "path": "two.xlsx"}, "SELECT 1.5::DOUBLE AS k")
        twins = {
            "xl/workbook.xml": r"<sheet .*?/>",
            "xl/_rels/workbook.xml.rels": r"<Relationship [^>]*sheet1\.xml[^>]*/>",
        }
        twins["[Content_Types].xml"] = r"<Override [^>]*sheet1\.xml[^>]*/>"
        with (
            zipfile.ZipFile(world.data / "one.xlsx") as one,
            zipfile.ZipFile(world.data / "two.xlsx") as two,
            zipfile.ZipFile(world.data / "a.xlsx", "w") as book,
        ):
            for name in one.namelist():
                text = one.read(name).decode()
                for part, pattern in twins.items():
                    if name == part:
                        twin = re.search(pattern, text)
                        assert twin is not None, text
                        second = re.sub(r'(Sheet|sheet|sheetId="|rId)1', r"\g<1>2", twin[0])
                        second = re.sub(r'Id="[^"]*"', 'Id="rId92"', second) if "Relationship" in second else second
                        second = re.sub(r'r:id="[^"]*"', 'r:id="rId92"', second)
                        text = text.replace(twin[0], twin[0] + second)
                book.writestr(name, text)
            book.writestr("xl/worksheets/sheet2.xml", two.read("xl/worksheets/sheet1.xml"))

    def test_whole_numbers_of_a_sheet_are_integers(self, world: World) -> None:
        world.load(
            {"kind": "file", "path": "a.xlsx"}, "SELECT 1 AS id, 1.5::DOUBLE AS x, 'a' AS v, DATE '2024-01-31' AS d"
        )
        assert world.read(file("a.xlsx")) == [(1, 1.5, "a", date(2024, 1, 31))]
        assert world.schema(file("a.xlsx"))["id"] == "BIGINT"

    def test_a_sheet_or_range_can_be_chosen(self, world: World) -> None:
        self.workbook(world)
        assert world.read(file("a.xlsx", sheet="Sheet2")) == [(1.5,)]
        assert world.read(file("a.xlsx", range="B1:B3")) == [("x",), ("y",)]

    def test_a_missing_sheet_is_told(self, world: World) -> None:
        world.load({"kind": "file", "path": "a.xlsx"}, "SELECT 1 AS id")
        with pytest.raises(
            DataUnreadable, match=re.compile('Sheet "Nope" not found.*Did you mean: "Sheet1"', re.DOTALL)
        ):
            world.read(file("a.xlsx", sheet="Nope"))

    def test_a_column_of_mixed_cells_can_be_read_as_text(self, world: World) -> None:
        world.load({"kind": "file", "path": "a.xlsx"}, "SELECT 'x' AS v, 1 AS n UNION ALL SELECT '7', 2 ORDER BY n")
        assert world.read(file("a.xlsx", types={"n": "VARCHAR"})) == [("x", "1"), ("7", "2")]

    def test_what_is_no_workbook_is_told(self, world: World) -> None:
        world.file("a.xlsx", PLAIN)
        with pytest.raises(DataUnreadable, match="not an Excel workbook"):
            world.read(file("a.xlsx"))
        with pytest.raises(ConfigInvalid, match=r"old \.xls format cannot be read"):
            world.check(file("a.xls"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (file("a.parquet", delimiter=";"), "option delimiter has no meaning for parquet files"),
        (file("a.csv", sheet="x"), "option sheet has no meaning for csv files"),
        (file("a.xyz"), r"extension '\.xyz' of 'a\.xyz' is not known"),
        (file("a.parquet.gz"), "parquet files are packed inside already"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_there_is_a_file(
    world: World, config: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        world.check(config)


def test_a_file_without_extension_needs_a_format(world: World) -> None:
    world.file("data", PLAIN)
    with pytest.raises(ConfigInvalid, match=r"has no extension that tells its format\. Set format to one of"):
        world.check(file("data"))
    assert len(world.read(file("data", format="csv"))) == 2
