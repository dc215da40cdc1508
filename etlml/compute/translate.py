"""DuckDB's errors in the words of the person who wrote the step: what was wrong, where, and the mend."""

import re

import duckdb

from etlml.compute.reading_errors import reading_error
from etlml.errors import DataUnreadable, EtlmlError, ExpressionInvalid, MemoryExceeded, StepError
from etlml.redaction import redacted
from etlml.sizes import decimal

_LONGEST = 600
CANNOT_CONVERT = "Cannot convert column"
"""How the message begins that the cast op has DuckDB raise for a value that does not fit."""


def translated(error: duckdb.Error) -> EtlmlError:
    """The EtlmlError for an error that DuckDB raised; its message is short and holds no secret."""
    if (unreadable := reading_error(error)) is not None:
        return unreadable
    text = redacted(str(error)).strip()
    body = re.sub(r"^[A-Z][A-Za-z ]+ Error:\s*", "", text)
    short = body if len(body) <= _LONGEST else body[:_LONGEST] + " ..."
    if isinstance(error, duckdb.OutOfMemoryException):
        return MemoryExceeded(
            f"The query needs more memory than this run may use: {decimal(short.splitlines()[0])} "
            "Give runs more in Settings, Engine (or ETLML_RUN_MEMORY), or reduce the rows before the join, sort or aggregate."
        )
    if body.startswith(CANNOT_CONVERT):
        return StepError(short)
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return StepError(f"A value cannot be converted: {short} Correct the data, or cast with on_error: null.")
    if isinstance(error, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
        return ExpressionInvalid(short)
    if isinstance(error, duckdb.IOException | duckdb.InvalidInputException):
        return DataUnreadable(short)
    return StepError(short)
