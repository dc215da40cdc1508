"""What DuckDB says about a file that it cannot read, in the words of the person whose file it is."""

import codecs
import io
import json
import re
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from etlml.errors import DataUnreadable

_CHUNK = 1 << 20
_SHOWN = 100
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FILE = re.compile(r"^  file = (.+)$", re.MULTILINE)
_ORIGINAL = re.compile(r"^Original Line: (.*)$", re.MULTILINE)
_FIELDS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_VALUE = re.compile(
    r"Error when converting column \"(.*?)\"\. Could not convert string \"(.*?)\" to '(.+?)'", re.DOTALL
)
_JSON_VALUE = re.compile(r'JSON transform error in file "(.+?)", in (line|record/value) (\d+): (.*?)(?:\n|$)')
_JSON_BROKEN = re.compile(r'Malformed JSON in file "(.+?)", at byte (\d+) in (line|record/value) (\d+): (.*?)(?:\n|$)')
_NO_PARQUET = re.compile(r"(?:No magic bytes found at end of file|too small to be a Parquet file).*?'(.+?)'")
_DAMAGED = re.compile(r'Failed to read file "(.+?)": (.*?)(?:\n|$)')


def reading_error(error: duckdb.Error) -> DataUnreadable | None:
    """What is wrong with the file, where, and the mend; None if the error is about something else."""
    text = str(error)
    if line := _LINE.search(text):
        return _csv_error(text, int(line[1]))
    if found := _JSON_VALUE.search(text):
        return _json_value(Path(found[1]), found[2], int(found[3]), found[4])
    if found := _JSON_BROKEN.search(text):
        return _unreadable(
            Path(found[1]),
            f"{found[3].capitalize()} {found[4]} is not JSON: {found[5].rstrip('. ')} at byte {found[2]}.",
            "Correct it.",
        )
    if found := _NO_PARQUET.search(text):
        return _unreadable(
            Path(found[1]), "It is not a Parquet file, or it is cut off.", "Get a whole copy, or set the right format."
        )
    if (found := _DAMAGED.search(text)) and "schema mismatch" not in found[2]:
        return _unreadable(Path(found[1]), f"It is damaged: {found[2].rstrip('. ')}.", "Get a whole copy of it.")
    return None


def _csv_error(text: str, line: int) -> DataUnreadable:
    file = Path(found[1]) if (found := _FILE.search(text)) else Path("the CSV file")
    original = _cut(found[1]).strip() if (found := _ORIGINAL.search(text)) else ""
    shown = f": {original}." if original else "."
    if fields := _FIELDS.search(text):
        return _unreadable(
            file,
            f"Line {line} has {_counted(int(fields[2]), 'field')}, expected {fields[1]}{shown}",
            "Correct the line (quote values that hold the delimiter), or set the right delimiter.",
            line=line,
        )
    if value := _VALUE.search(text):
        return _unreadable(
            file,
            f"Line {line}, column {value[1]!r}: the value {_cut(value[2])!r} is not of type {value[3]}.",
            f"Correct the value; or read the column as text with types: {{{value[1]}: VARCHAR}}; "
            "or add the value to null_values if it stands for a missing one.",
            line=line,
            column=value[1],
        )
    if "unicode" in text.lower():
        return undecodable(file, line)
    if "unterminated quote" in text:
        return _unreadable(
            file, f"The quote that opens in line {line} is never closed{shown}", "Close or remove it.", line=line
        )
    return _unreadable(file, f"Line {line} cannot be read{shown}", "Correct the line.", line=line)


def undecodable(file: Path, line: int) -> DataUnreadable:
    """The error for a text file that is not UTF-8, with the place of the first wrong byte if it can be found."""
    place, encoding = f"near line {line}", "latin-1"
    if (found := _first_wrong_byte(file)) is not None:
        offset, line, byte = found
        place = f"byte 0x{byte:02x} at offset {offset}, line {line}"
        encoding = "cp1252" if 0x80 <= byte < 0xA0 else "latin-1"
    return _unreadable(
        file,
        f"It is not UTF-8 text ({place}).",
        f"Set encoding: {encoding} (or whatever it was written in, such as utf-16), or save it as UTF-8.",
        line=line,
    )


def _first_wrong_byte(file: Path) -> tuple[int, int, int] | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, line = 0, 1
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            while chunk := stream.read(_CHUNK):
                waiting = len(decoder.getstate()[0])
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    bad = error.object[error.start]
                    return before - waiting + error.start, line + error.object[: error.start].count(b"\n"), bad
                before, line = before + len(chunk), line + chunk.count(b"\n")
    except OSError:
        return None
    return None


def _json_value(file: Path, unit: str, number: int, problem: str) -> DataUnreadable:
    column = _column_with(file, number, problem) if unit == "line" else None
    named = f", column {column!r}" if column else ""
    return _unreadable(
        file,
        f"{unit.capitalize()} {number}{named}: {_cut(problem.rstrip('. '))}.",
        f"Correct the value, or read the column as text with types: {{{column or 'column'}: VARCHAR}}.",
        line=number,
        column=column,
    )


def _column_with(file: Path, number: int, problem: str) -> str | None:
    """The key of a JSON line whose value the problem quotes: DuckDB does not name it."""
    quoted = re.search(r'"(.*)"', problem)
    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            row = json.loads(next(islice(io.TextIOWrapper(stream, encoding="utf-8"), number - 1, None)))
    except (OSError, StopIteration, ValueError, TypeError):
        return None
    if not quoted or not isinstance(row, dict):
        return None
    return next((key for key, value in row.items() if value == quoted[1]), None)


def _unreadable(file: Path, problem: str, mend: str, **details: object) -> DataUnreadable:
    return DataUnreadable(f"The file {file} cannot be read. {problem} {mend}", path=str(file), **details)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " ..."
