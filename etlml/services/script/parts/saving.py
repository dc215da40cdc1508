"""Files as sinks: written beside the target, then renamed over it."""

import gzip
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etlml.services.script.parts.tables import Failed, columns_of, con, file, load_extension, quoted, text

WRITES = {
    "parquet": "FORMAT parquet",
    "csv": "FORMAT csv, HEADER true, DELIMITER ','",
    "tsv": "FORMAT csv, HEADER true, DELIMITER '\t'",
    "json": "FORMAT json, ARRAY true",
    "jsonl": "FORMAT json, ARRAY false",
    "excel": "FORMAT xlsx, HEADER true",
}


def save_file(
    rows: str, path: str, format: str, mode: str = "overwrite", keys: Sequence[str] = (), packing: str = "none"
) -> None:
    """Write a table to a file, add it to what the file holds, or merge it in by keys: all of it or nothing."""
    target = file(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    options = WRITES[format] + ("" if format in ("parquet", "excel") else f", COMPRESSION {packing}")
    if format == "excel":
        load_extension("excel")
    refuse_bad_keys(rows, keys)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as folder:
        staged = Path(folder) / target.name
        if mode == "overwrite" or not target.exists() or not target.stat().st_size:
            con.execute(f"COPY (SELECT * FROM {quoted(rows)}) TO {text(staged)} ({options})")
        elif mode == "append" and format in ("csv", "tsv", "jsonl"):
            grow(rows, target, staged, format, options, packing)
        else:
            whole = combined(rows, held_query(target, format, rows), keys, is_json=format in ("json", "jsonl"))
            con.execute(f"COPY ({whole}) TO {text(staged)} ({options})")
        staged.replace(target)


def held_query(path: Path, format: str, rows: str) -> str:
    """A SELECT of what a file holds, in a form that can be written again unchanged."""
    if format == "parquet":
        return f"SELECT * FROM read_parquet({text(path)})"
    if format == "excel":
        con.execute(f"CREATE OR REPLACE TEMP TABLE held AS SELECT * FROM read_xlsx({text(path)})")
        casts = [
            f"CAST({quoted(column)} AS {type_}) AS {quoted(column)}"
            for column, type_ in columns_of(quoted(rows)).items()
        ]
        return f"SELECT * REPLACE ({', '.join(casts)}) FROM held"
    if format in ("json", "jsonl"):
        source = f"{text(path)}, format='{'newline_delimited' if format == 'jsonl' else 'auto'}'"
        names = dict.fromkeys(columns_of(f"read_json({source}, sample_size=-1)"), "JSON")
        return f"SELECT * FROM read_json({source}, columns={struct(names)}, auto_detect=false)"
    found = sniffed(path, "\t" if format == "tsv" else None)
    names = dict.fromkeys((column["name"] for column in found["Columns"]), "VARCHAR")
    dialect = f"delim={text(found['Delimiter'])}, quote='\"', escape='\"', header=true, auto_detect=false"
    return f"SELECT * FROM read_csv({text(path)}, columns={struct(names)}, {dialect}, allow_quoted_nulls=false)"


def sniffed(path: Path, delimiter: str | None) -> dict[str, Any]:
    """What a CSV file looks like."""
    known = f", delim={text(delimiter)}" if delimiter else ""
    cursor = con.execute(f"SELECT * FROM sniff_csv({text(path)}, header=true, quote='\"', escape='\"'{known})")
    names = [each[0] for each in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def struct(names: dict[str, str]) -> str:
    """Columns as DuckDB's readers take them."""
    return "{" + ", ".join(f"{text(name)}: {text(type_)}" for name, type_ in names.items()) + "}"


def grow(rows: str, target: Path, staged: Path, format: str, options: str, packing: str) -> None:
    """The file's bytes as they are, then the new lines."""
    held = columns_of(f"({held_query(target, format, rows)})")
    chosen = ", ".join(f"{quoted(mine)} AS {quoted(theirs)}" for theirs, mine in matched(rows, held).items())
    piece = staged.with_name(f"new-{staged.name}")
    if format in ("csv", "tsv"):
        delimiter = sniffed(target, "\t" if format == "tsv" else None)["Delimiter"]
        options = f"FORMAT csv, HEADER false, DELIMITER {text(delimiter)}, COMPRESSION {packing}"
    con.execute(f"COPY (SELECT {chosen} FROM {quoted(rows)}) TO {text(piece)} ({options})")
    with staged.open("wb") as whole:
        whole.write(target.read_bytes())
        if packing == "none" and not target.read_bytes().endswith(b"\n"):
            whole.write(b"\n")
        elif packing == "gzip" and not gzip.decompress(target.read_bytes()).endswith(b"\n"):
            whole.write(gzip.compress(b"\n"))
        whole.write(piece.read_bytes())


def combined(rows: str, held: str, keys: Sequence[str], *, is_json: bool = False) -> str:
    """What is held, without the rows whose keys come in again, and the incoming rows in its form."""
    new = incoming(rows, columns_of(f"({held})"), is_json=is_json)
    if not keys:
        return f"{held} UNION ALL {new}"
    path = " ->> '$'" if is_json else ""
    same = " AND ".join(f"(held.{quoted(key)}{path}) = (fresh.{quoted(key)}{path})" for key in keys)
    return f"SELECT held.* FROM ({held}) AS held ANTI JOIN ({new}) AS fresh ON {same} UNION ALL {new}"


def incoming(rows: str, held: dict[str, str], *, is_json: bool = False) -> str:
    """The rows with the names, the order and the types of what is held; refused if a value would lose something."""
    given, chosen = columns_of(quoted(rows)), []
    for theirs, mine in matched(rows, held).items():
        name, type_ = quoted(mine), held[theirs]
        if not is_json and type_ not in (given[mine], "VARCHAR"):
            back = f"TRY_CAST(TRY_CAST({name} AS {type_}) AS {given[mine]})"
            lost = con.execute(f"SELECT count(*) FROM {quoted(rows)} WHERE {back} IS DISTINCT FROM {name}").fetchall()[
                0
            ][0]
            if lost:
                raise Failed(f"{lost} values of {mine!r} ({given[mine]}) would lose something as {type_}.")
        value = f"to_json({name})" if is_json else f"CAST({name} AS {type_})"
        chosen.append(f"{value} AS {quoted(theirs)}")
    return f"SELECT {', '.join(chosen)} FROM {quoted(rows)}"


def matched(rows: str, held: dict[str, str]) -> dict[str, str]:
    """For each column of what is held the incoming one of that name."""
    given = {column.lower(): column for column in columns_of(quoted(rows))}
    if given.keys() != {column.lower() for column in held}:
        raise Failed(f"The rows have the columns {', '.join(given.values())}, but the sink has {', '.join(held)}.")
    return {column: given[column.lower()] for column in held}


def refuse_bad_keys(rows: str, keys: Sequence[str]) -> None:
    """A merge needs keys that are there, each once."""
    names = ", ".join(quoted(key) for key in keys)
    if not keys:
        return
    missing = " OR ".join(f"{quoted(key)} IS NULL" for key in keys)
    if con.execute(f"SELECT count(*) FROM {quoted(rows)} WHERE {missing}").fetchall()[0][0]:
        raise Failed(f"Some rows have no value in the merge keys ({', '.join(keys)}).")
    if con.execute(f"SELECT 1 FROM {quoted(rows)} GROUP BY {names} HAVING count(*) > 1 LIMIT 1").fetchall():
        raise Failed(f"Several rows have the same merge keys ({', '.join(keys)}).")


def save_folder(
    rows: str,
    path: str,
    format: str,
    by: Sequence[str],
    mode: str = "overwrite",
    keys: Sequence[str] = (),
    packing: str = "none",
) -> None:
    """Write a table to a folder with one subfolder for each value of the columns ``by``."""
    target = file(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    refuse_bad_keys(rows, keys)
    options = WRITES[format] + ("" if format == "parquet" else f", COMPRESSION {packing}")
    query, held = f"SELECT * FROM {quoted(rows)}", sorted(target.rglob(f"*.{format}*")) if target.is_dir() else []
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as folder:
        staged = Path(folder) / target.name
        if held and mode != "overwrite":
            query = incoming(rows, columns_of(f"({partitions(held, format, by)})"))
            if mode == "merge":
                query = combined(rows, partitions(held, format, by), keys)
            else:
                shutil.copytree(target, staged)
        parts = f"PARTITION_BY ({', '.join(quoted(column) for column in by)}), OVERWRITE_OR_IGNORE true"
        name = f"FILENAME_PATTERN 'part-{len(held)}-{{i}}-{{uuid}}'"
        con.execute(f"COPY ({query}) TO {text(staged)} ({options}, {parts}, {name})")
        if target.exists():
            target.rename(Path(folder) / "before")
        staged.rename(target)


def partitions(held: Sequence[Path], format: str, by: Sequence[str]) -> str:
    """A SELECT of the rows of a partitioned folder."""
    listed = "[" + ", ".join(text(path) for path in held) + "]"
    hive = "hive_partitioning=true, hive_types_autocast=false"
    if format == "parquet":
        return f"SELECT * FROM read_parquet({listed}, union_by_name=true, {hive})"
    found = sniffed(held[0], None)
    names = dict.fromkeys((column["name"] for column in found["Columns"] if column["name"] not in by), "VARCHAR")
    return (
        f"SELECT * FROM read_csv({listed}, columns={struct(names)}, header=true, auto_detect=false, quote='\"', {hive})"
    )
