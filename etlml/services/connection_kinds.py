"""The kinds of connections with their typed configurations: what a form asks for, and which fields are secrets."""

from collections.abc import Mapping

from pydantic import BaseModel, Field


class DatabaseFile(BaseModel):
    """A database in one file."""

    path: str = Field(description="Relative paths start at ETLML_HOME/data.")


class Folder(BaseModel):
    """A folder of files."""

    path: str = Field(description="Relative paths start at ETLML_HOME/data.")


class Web(BaseModel):
    """A web API."""

    url: str = Field(description="Starts with http:// or https://.")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every request.")


CONFIGS: Mapping[str, type[BaseModel]] = {"sqlite": DatabaseFile, "duckdb": DatabaseFile, "folder": Folder, "http": Web}
SECRETS: Mapping[str, tuple[str, ...]] = {"http": ("token",)}
"""The secret fields of each kind that has any."""
NAMES: Mapping[str, str] = {
    "sqlite": "SQLite file",
    "duckdb": "DuckDB file",
    "folder": "Folder",
    "http": "Web API",
}


def secret_fields(kind: str, stored: Mapping[str, str]) -> list[str]:
    """The secret fields that a connection of that kind may have, and those that it has."""
    return list(dict.fromkeys([*SECRETS.get(kind, ()), *stored]))


def secret_name(connection: str, field: str) -> str:
    """Under which name a connection's secret is stored, e.g. ``WAREHOUSE_TOKEN``."""
    text = "".join(each if each.isalnum() and each.isascii() else "_" for each in f"{connection}_{field}".upper())
    return text if text[0].isalpha() else f"C_{text}"
