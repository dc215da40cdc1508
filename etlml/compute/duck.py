"""DuckDB connections with the platform's settings; nothing is ever downloaded."""

import importlib.resources
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import duckdb

from etlml.compute.scratch import scratch_root
from etlml.errors import Unavailable


def open_database(
    *,
    path: Path | None = None,
    memory_bytes: int | None = None,
    threads: int | None = None,
    temp_dir: Path | None = None,
    read_only: bool = False,
    extensions: Sequence[str] = (),
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection for the platform's own SQL (in memory unless ``path`` is given); it may read and write files.

    Times without a zone are UTC. User SQL never runs here: see etlml.compute.session.

    Args:
        extensions: Packaged extensions to load at once. Their signatures are not checked, which takes 130 ms each time:
            they lie among the installed Python packages, whose code runs unchecked too.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if extensions:
        config["allow_unsigned_extensions"] = True
    if memory_bytes is not None:
        config["memory_limit"] = f"{memory_bytes // 1024}KiB"
    if threads is not None:
        config["threads"] = threads
    config["temp_directory"] = str(temp_dir or scratch_root() / "spill")  # not the working directory
    connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    load_extensions(connection, extensions)
    return connection


@lru_cache
def extension_file(name: str) -> Path:
    """Where the packaged extension (``sqlite_scanner``, ``excel``, ...) lies.

    Raises:
        Unavailable: Its package is not installed.
    """
    try:
        package = importlib.resources.files(f"duckdb_extension_{name}")
    except ModuleNotFoundError:
        raise Unavailable(
            f"DuckDB's extension {name!r} is not installed. "
            f"Install the package duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}."
        ) from None
    return Path(str(package)) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def load_extensions(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Load packaged extensions straight from their files, leaving the user's home folder alone."""
    for name in names:
        connection.execute(f"LOAD '{str(extension_file(name)).replace(chr(39), chr(39) * 2)}'")
