"""Every kind of sink. ``AnySink`` is the whole registry: one class, one kind."""

from typing import Annotated

from pydantic import Field

from etlml.connectors.duckdb_sink import DuckdbSink
from etlml.connectors.file_sink import FileSink
from etlml.connectors.sqlite_sink import SqliteSink

AnySink = Annotated[FileSink | SqliteSink | DuckdbSink, Field(discriminator="kind")]
