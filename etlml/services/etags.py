"""What tells two states of a document apart."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from etlml.errors import VersionConflict


def etag(document: BaseModel | dict[str, Any]) -> str:
    """A short text that changes with the document: its version where it has one, else a digest."""
    version = getattr(document, "version", None)
    if isinstance(version, int):
        return str(version)
    content = document.model_dump(mode="json") if isinstance(document, BaseModel) else document
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def check_etag(document: BaseModel | dict[str, Any], expected: str | None) -> None:
    """Pass over in silence if ``expected`` is None or the document's own.

    Raises:
        VersionConflict: The document was changed in between.
    """
    if expected is not None and expected != etag(document):
        raise VersionConflict(
            "Somebody else changed this in between. Read it again, and make your change on what it is now."
        )
