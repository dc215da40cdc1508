"""MongoDB's errors become ours here, once; no message carries the password of the URI."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError, InvalidDocument
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from etlml.errors import ConfigInvalid, EtlmlError, InvalidInput, TookTooLong, Unavailable
from etlml.redaction import redacted

RETRIED_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult")
_CREDENTIALS_REFUSED = {13, 18}
_NEEDS_REPLICA_SET = 20
_NO_PATTERN = 51091  # a regular expression that Python knows and MongoDB does not, such as (?a)
_TIMED_OUT = {50, 262}
_LONGEST = 300  # letters of a driver's message that are worth showing


def fault(error: Exception) -> EtlmlError:
    """What a driver's error means to the reader, with the mend."""
    text = redacted(str(error))[:_LONGEST]
    if isinstance(error, DocumentTooLarge):
        return InvalidInput(
            "The document is larger than MongoDB's 16 MB. Keep large data in files and store their paths."
        )
    if isinstance(error, InvalidDocument | BSONError | OverflowError):
        return InvalidInput(f"A value cannot be stored: {text}")
    if isinstance(error, ConfigurationError):
        return ConfigInvalid(f"ETLML_MONGODB_URI cannot be used: {text}", field="mongodb_uri")
    if isinstance(error, ExecutionTimeout) or (isinstance(error, OperationFailure) and error.code in _TIMED_OUT):
        return TookTooLong("The query took too long. Narrow its time range or its text filter.")
    if isinstance(error, OperationFailure) and error.code == _NO_PATTERN:
        return InvalidInput(
            "The pattern cannot be used: MongoDB does not know a part of it. Write it simpler.", field="q"
        )
    if isinstance(error, ConnectionFailure):
        return unreachable(text)
    if isinstance(error, OperationFailure) and error.code in _CREDENTIALS_REFUSED:
        return Unavailable("MongoDB refused the credentials. Check user and password in ETLML_MONGODB_URI.")
    if isinstance(error, OperationFailure) and error.code == _NEEDS_REPLICA_SET:
        return Unavailable(
            "This MongoDB has no transactions. Start it as a replica set (mongod --replSet NAME; one node is enough)."
        )
    return Unavailable(f"MongoDB could not do this: {text}")


def unreachable(reason: str) -> Unavailable:
    """What is said of a MongoDB that is away, or stands still."""
    return Unavailable("MongoDB cannot be reached. Is it running? `etlml doctor` says what was found.", reason=reason)


@contextmanager
def translated(*, in_transaction: bool = False) -> Iterator[None]:
    """Raise our errors in place of the driver's.

    A DuplicateKeyError passes: only the caller knows whether a name, an id or a slot was taken. Within a transaction
    an error that a second try may cure passes too, for the driver's retry loop lives on its labels.
    """
    try:
        yield
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        if in_transaction and any(error.has_error_label(label) for label in RETRIED_LABELS):
            raise
        raise fault(error) from None
    except (BSONError, OverflowError) as error:
        raise fault(error) from None
