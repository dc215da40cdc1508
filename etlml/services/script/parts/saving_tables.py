"""Tables of databases as sinks: one transaction for all rows."""

import re
import sqlite3
from collections.abc import Sequence

from etlml.services.script.parts.saving import incoming, matched, refuse_bad_keys
from etlml.services.script.parts.tables import columns_of, con, file, quoted, text

SMALL = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
HUGE = {"HUGEINT", "UHUGEINT", "UBIGINT"}


def save_duckdb(rows: str, path: str, name: str, mode: str = "overwrite", keys: Sequence[str] = ()) -> None:
    """Bring a table into a DuckDB database."""
    refuse_bad_keys(rows, keys)
    file(path).parent.mkdir(parents=True, exist_ok=True)
    schema, _, plain = name.rpartition(".")
    target = f"sink.{quoted(schema or 'main')}.{quoted(plain)}"
    con.execute(f"ATTACH {text(file(path))} AS sink")
    con.execute("BEGIN")
    try:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS sink.{quoted(schema or 'main')}")
        where = f"database_name = 'sink' AND schema_name = {text(schema or 'main')} AND table_name = {text(plain)}"
        is_there = bool(con.execute(f"SELECT 1 FROM duckdb_tables() WHERE {where}").fetchall())
        if mode == "overwrite" or not is_there:
            con.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {quoted(rows)}")
        else:
            held = columns_of(target)
            new = incoming(rows, held)
            if keys:
                same = " AND ".join(f"held.{quoted(key)} = fresh.{quoted(key)}" for key in keys)
                con.execute(f"DELETE FROM {target} AS held USING ({new}) AS fresh WHERE {same}")
            con.execute(f"INSERT INTO {target} ({', '.join(quoted(column) for column in held)}) {new}")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    finally:
        con.execute("DETACH sink")


def save_sqlite(rows: str, path: str, name: str, mode: str = "overwrite", keys: Sequence[str] = ()) -> None:
    """Bring a table into an SQLite database: dates and times as ISO text, booleans as 0 and 1, nested values as JSON."""
    refuse_bad_keys(rows, keys)
    file(path).parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file(path), isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        held = {str(row[1]): str(row[2]) for row in database.execute(f"PRAGMA table_info({quoted(name)})")}
        kept = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND lower(tbl_name) = lower(?)"
        indexes = [row[0] for row in database.execute(kept, [name])] if mode == "overwrite" else []
        if mode == "overwrite" or not held:
            held = {column: declared(rows, column, type_) for column, type_ in columns_of(quoted(rows)).items()}
            database.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            columns = ", ".join(f"{quoted(column)} {type_}" for column, type_ in held.items())
            database.execute(f"CREATE TABLE {quoted(name)} ({columns})")
        insert(database, rows, name, held, keys)
        for sql in indexes:
            database.execute(sql)
        database.execute("COMMIT")
    finally:
        database.close()  # what was not committed is rolled back


def insert(database: sqlite3.Connection, rows: str, name: str, held: dict[str, str], keys: Sequence[str]) -> None:
    """Insert the rows; with keys, those that have the same ones go first."""
    given, pairs = columns_of(quoted(rows)), matched(rows, held)
    values = [as_held(mine, given[mine], held[theirs]) for theirs, mine in pairs.items()]
    if keys:
        same = " AND ".join(f"{quoted(key)} = ?" for key in keys)
        wanted = {key.lower() for key in keys}
        chosen = [value for value, theirs in zip(values, pairs, strict=True) if theirs.lower() in wanted]
        same = " AND ".join(f"{quoted(theirs)} = ?" for theirs in pairs if theirs.lower() in wanted)
        found = con.execute(f"SELECT {', '.join(chosen)} FROM {quoted(rows)}").fetchall()
        database.executemany(f"DELETE FROM {quoted(name)} WHERE {same}", found)
    cursor = con.execute(f"SELECT {', '.join(values)} FROM {quoted(rows)}")
    names, marks = ", ".join(quoted(column) for column in pairs), ", ".join("?" * len(pairs))
    while batch := cursor.fetchmany(50_000):
        database.executemany(f"INSERT INTO {quoted(name)} ({names}) VALUES ({marks})", batch)


def declared(rows: str, column: str, type_: str) -> str:
    """The type of a column of a new SQLite table: of long numbers, a numeric one if it holds all of them exactly."""
    decimal = re.match(r"DECIMAL\((\d+),", type_)
    if type_ in HUGE or (decimal and int(decimal[1]) > 15):
        kept = "BIGINT" if type_ in HUGE else "DOUBLE"
        name = quoted(column)
        test = f"bool_and(TRY_CAST(TRY_CAST({name} AS {kept}) AS {type_}) IS NOT DISTINCT FROM {name})"
        return kept if con.execute(f"SELECT {test} FROM {quoted(rows)}").fetchall()[0][0] is not False else "VARCHAR"
    if type_ in SMALL:
        return "BIGINT"
    if type_ in ("BOOLEAN", "DATE", "BLOB"):
        return type_
    if decimal or type_ in ("FLOAT", "DOUBLE"):
        return "DOUBLE"
    return "TIMESTAMP" if type_.startswith("TIMESTAMP") and type_ != "TIMESTAMP WITH TIME ZONE" else "VARCHAR"


def as_held(column: str, type_: str, declared_type: str) -> str:
    """The SQL that turns a column into the form in which SQLite keeps it."""
    name, words = quoted(column), declared_type.upper()
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")):
        name = f"CAST(to_json({name}) AS VARCHAR)"
    if type_ == "BOOLEAN":
        name = f"CAST({name} AS BIGINT)"
    if words.startswith(("TIMESTAMP", "DATETIME")) or words == "DATE":
        return f"CAST(CAST({name} AS {'DATE' if words == 'DATE' else 'TIMESTAMP'}) AS VARCHAR)"
    if "INT" in words or "BOOL" in words:
        return f"CAST({name} AS BIGINT)"
    if any(word in words for word in ("CHAR", "CLOB", "TEXT", "TIME", "JSON", "UUID")):
        return f"CAST({name} AS VARCHAR)"
    if "BLOB" in words:
        return f"CAST({name} AS BLOB)"
    is_whole = type_ in SMALL | HUGE and not any(word in words for word in ("REAL", "FLOA", "DOUB"))
    return f"CAST({name} AS {'BIGINT' if is_whole else 'DOUBLE'})"
