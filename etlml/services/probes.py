"""What "Test" does for each kind of connection: reach the thing, and say what was found."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.translate import translated
from etlml.errors import ConfigInvalid, DataUnreadable, EtlmlError, Unavailable

Probe = Callable[[Mapping[str, Any], Path], str]
_PATIENCE_S = 5.0


def tried(attempt: Callable[[], str]) -> dict[str, Any]:
    """What a test answers: ``{"ok", "message", "duration_ms"}``; a failure is an answer, too."""
    started = perf_counter()
    try:
        ok, message = True, attempt()
    except EtlmlError as error:
        ok, message = False, error.message
    return {"ok": ok, "message": message, "duration_ms": round((perf_counter() - started) * 1000, 1)}


def _sqlite(config: Mapping[str, Any], data_dir: Path) -> str:
    path = _existing(config, data_dir)
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)
        try:
            count = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DataUnreadable(f"{path.name} is no SQLite database that can be read: {error}.") from None
    return f"SQLite database with {count} tables."


def _duckdb(config: Mapping[str, Any], data_dir: Path) -> str:
    path = _existing(config, data_dir)
    try:
        connection = open_database(path=path, read_only=True)
        try:
            found = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
        finally:
            connection.close()
    except duckdb.Error as error:
        raise translated(error) from None
    return f"DuckDB database with {found[0] if found else 0} tables."


def _folder(config: Mapping[str, Any], data_dir: Path) -> str:
    path = _existing(config, data_dir)
    if not path.is_dir():
        raise DataUnreadable(f"{path.name} is a file, not a folder.")
    return f"Folder with {sum(1 for _ in path.iterdir())} entries."


def _http(config: Mapping[str, Any], data_dir: Path) -> str:  # noqa: ARG001
    import httpx  # takes longer to import than most processes ever need it

    url = str(config.get("url", ""))
    if not url.startswith(("http://", "https://")):
        raise ConfigInvalid("The connection needs 'url', starting with http:// or https://.", field="config.url")
    headers = {str(key): str(value) for key, value in dict(config.get("headers", {})).items()}
    if token := config.get("token"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        response = httpx.get(url, headers=headers, timeout=_PATIENCE_S)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unavailable(
            f"The server cannot be reached: {type(error).__name__}. Check the URL and the network."
        ) from None
    if response.status_code >= 400:
        raise Unavailable(
            f"The server answers {response.status_code} {response.reason_phrase}. Check the URL and the credentials."
        )
    return f"The server answers {response.status_code} {response.reason_phrase}."


def _existing(config: Mapping[str, Any], data_dir: Path) -> Path:
    path = config.get("path")
    if not isinstance(path, str) or not path or "\0" in path:
        raise ConfigInvalid("The connection needs 'path'.", field="config.path")
    found = (data_dir / Path(path).expanduser()).resolve()
    if not found.exists():
        raise DataUnreadable(f"There is no {path!r}. Relative paths start at ETLML_HOME/data.")
    return found


PROBES: dict[str, Probe] = {"sqlite": _sqlite, "duckdb": _duckdb, "folder": _folder, "http": _http}
"""Every kind of connection that can be made."""
