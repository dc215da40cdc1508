"""Files: CSV, TSV, JSON, JSON Lines, Parquet and Excel; packed too, and several at once by glob."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.connectors.base import Reading, Source
from etlml.connectors.csv_files import CsvOptions, csv_query
from etlml.connectors.excel_files import read_workbooks
from etlml.connectors.formats import FileKind, Format, kind_of, refuse_senseless
from etlml.connectors.json_files import json_query
from etlml.connectors.packed import beginning, codec_name, lay_out, needs_laying_out, refuse_cut_off
from etlml.connectors.parquet_files import parquet_query
from etlml.connectors.places import expanded, found_files, is_partitioned, reachable
from etlml.connectors.sniffing import described, type_names
from etlml.connectors.tables import written_out
from etlml.errors import ConfigInvalid, DataUnreadable

Files = list[tuple[Path, FileKind]]
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class FileSource(Source):
    """Rows of one or more files; the format follows from the extension (.gz, .zst, .zip, .bz2, .xz may follow it)."""

    kind: Literal["file"] = "file"
    path: str = Field(
        min_length=1,
        description="A file, a glob such as sales/*.csv, or a folder. Relative paths start at ETLML_HOME/data.",
        json_schema_extra={"picks": "file"},
    )
    format: Format | None = Field(None, description="Left out: from the extension.")
    header: bool | None = Field(
        None, description="CSV, TSV, Excel: whether the first row holds the names. Left out: told from the data."
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=4, description="CSV: left out, it is told from the first lines."
    )
    null_values: list[str] | None = Field(
        None, description='CSV, TSV: texts that stand for a missing value; "" unless given.'
    )
    types: dict[str, str] = Field(
        default_factory=dict, description="Column to type, such as {zip: VARCHAR}; the others are told from the data."
    )
    encoding: str | None = Field(None, description="CSV, TSV, JSON: such as latin-1 or cp1252; utf-8 unless given.")
    sheet: str | None = Field(None, description="Excel: left out, the first one.")
    range: str | None = Field(None, description="Excel: the cells to read, such as A1:F100.")

    def check(self, data_dir: Path) -> Schema | None:
        """Check the options; look into the files if they are there and need not be unpacked first."""
        codec = codec_name(self.encoding)
        type_names(self.types)
        if "${" in self.path:
            return None
        files = self.with_kinds(expanded(self.path, data_dir))
        if not files:
            self._check_name()
            return None
        format_ = self.one_format(files)
        try:
            found_files(self.path, data_dir)
            if format_ == "excel" or self.must_lay_out(files):
                return None
            return described(self.query_of(files, format_, codec))
        except DataUnreadable:
            return None  # the file may be another one by the time of the run

    def paths(self, data_dir: Path) -> Sequence[Path]:
        return expanded(self.path, data_dir)

    def reach(self, data_dir: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        return reachable(self.path, data_dir)

    def read(self, reading: Reading) -> Relation:
        files = self.with_kinds(found_files(self.path, reading.data_dir))
        format_ = self.one_format(files)
        if format_ == "excel":
            return self._read_excel([path for path, _ in files], reading)
        for path, kind in files:
            refuse_cut_off(path, kind.packing, reading.cancelled)
        paths, codec = tuple(path for path, _ in files), codec_name(self.encoding)
        if self.must_lay_out(files):
            files, codec = self._laid_out(files, reading), "utf-8"
        query = self.query_of(files, format_, codec)
        return reading.session.define(reading.name, Query(query, effects=("source",), source_files=paths))

    def query_of(self, files: Files, format_: Format, codec: str) -> str:
        """The SELECT over files that DuckDB reads where they lie."""
        packed = [(path, kind.packing) for path, kind in files]
        paths = [path for path, _ in files]
        if format_ in ("csv", "tsv"):
            return csv_query(packed, self._csv_options(format_, codec), hive=is_partitioned(paths))
        if format_ == "parquet":
            return parquet_query(paths, type_names(self.types), hive=is_partitioned(paths))
        return json_query(packed, type_names(self.types), lines=format_ == "jsonl")

    def _csv_options(self, format_: Format, codec: str) -> CsvOptions:
        delimiter = "\t" if self.delimiter == "\\t" else self.delimiter
        return CsvOptions(
            header=self.header,
            delimiter=delimiter or ("\t" if format_ == "tsv" else None),
            null_values=None if self.null_values is None else tuple(self.null_values),
            types=tuple(type_names(self.types).items()),
            codec=codec,
        )

    def _read_excel(self, paths: list[Path], reading: Reading) -> Relation:
        with reading.database("excel") as connection:
            query = read_workbooks(
                connection, paths, type_names(self.types), sheet=self.sheet, range_=self.range, header=self.header
            )
            return written_out(connection, query, reading)

    def must_lay_out(self, files: Files) -> bool:
        """Whether DuckDB can only read plain copies of the files."""
        return any(needs_laying_out(kind, self._codec(path, kind)) for path, kind in files)

    def _laid_out(self, files: Files, reading: Reading) -> Files:
        laid: Files = []
        for number, (path, kind) in enumerate(files):
            plain = reading.own_file(f"-{number}.{kind.format}")
            lay_out(path, kind, self._codec(path, kind), plain, reading.cancelled)
            laid.append((plain, FileKind(kind.format)))
        return laid

    def _codec(self, path: Path, kind: FileKind) -> str:
        if self.encoding is None and kind.format != "parquet" and beginning(path, kind.packing, 2) in UTF16_MARKS:
            return "utf-16"
        return codec_name(self.encoding)

    def with_kinds(self, paths: Sequence[Path]) -> Files:
        """The files, each with what its name says about it."""
        return [(path, kind_of(path, self.format, field="source.path")) for path in paths]

    def one_format(self, files: Files) -> Format:
        """The format that all the files have; ConfigInvalid if they have several."""
        formats = sorted({kind.format for _, kind in files})
        if len(formats) > 1:
            raise ConfigInvalid(
                f"{self.path} matches files of several formats: {', '.join(formats)}. Narrow the pattern.",
                field="source.path",
            )
        self._refuse_senseless(formats[0])
        return formats[0]

    def _refuse_senseless(self, format_: Format) -> None:
        options = ("header", "delimiter", "null_values", "types", "encoding", "sheet", "range")
        refuse_senseless(format_, {name for name in options if getattr(self, name) not in (None, {})})

    def _check_name(self) -> None:
        """What the name alone tells, while there is no file."""
        if Path(self.path).suffix not in ("", ".*") or self.format is not None:
            self._refuse_senseless(kind_of(Path(self.path), self.format, field="source.path").format)
