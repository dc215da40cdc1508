"""Regular expressions in DuckDB's syntax (RE2): what is wrong with one, found before any data is read."""

from functools import lru_cache

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal


@lru_cache(maxsize=512)
def pattern_problem(pattern: str) -> str | None:
    """What keeps RE2 from reading the pattern, where, and the mend; None if nothing does."""
    with _database().cursor() as cursor:
        try:
            cursor.execute(f"SELECT regexp_full_match('', {literal(pattern)})").fetchall()
        except duckdb.Error as error:
            return _explained(str(error).split(" Error: ", 1)[-1].strip().split("\n")[0], pattern)
    return None


def _explained(complaint: str, pattern: str) -> str:
    """RE2's complaint ``what: part`` with the part's position (1-based) and what to do about it."""
    what, _, part = complaint.partition(": ")
    at = pattern.find(part) if part and part != pattern else -1
    place = f" at position {at + 1} ({part[:20]})" if at >= 0 else ""
    return f"{what}{place}. {_mend(what, part)}"


def _mend(what: str, part: str) -> str:
    if part.startswith(("(?=", "(?!", "(?<")):
        return "Look-around is not supported: use two rules, or the sql rule."
    if part.startswith("\\") and part[1:].isdigit():
        return "Back-references are not supported: use the sql rule."
    if what == "invalid escape sequence":
        return "Write two backslashes for the character itself."
    if what.startswith(("missing ", "unexpected ")):
        return f"Brackets come in pairs; write \\{what[-1]} for the character itself."
    if "repetition" in what:
        return "Write \\ before *, +, ? or { for the character itself."
    return "Correct it, or write \\ before a special character."


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    """A database that holds nothing and reads nothing; each use takes a cursor of its own."""
    connection = open_database(threads=1)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
