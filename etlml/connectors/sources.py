"""Every kind of source. ``AnySource`` is the whole registry: one class, one kind."""

from typing import Annotated

from pydantic import Field

from etlml.connectors.duckdb_source import DuckdbSource
from etlml.connectors.file_source import FileSource
from etlml.connectors.inline_source import InlineSource
from etlml.connectors.sqlite_source import SqliteSource

AnySource = Annotated[FileSource | SqliteSource | DuckdbSource | InlineSource, Field(discriminator="kind")]
