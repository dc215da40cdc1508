"""Secrets that a preview works with: given to its steps as in a run, and kept out of all that it tells."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from etlml.errors import EtlmlError
from etlml.redaction import MASK, SHORTEST_SECRET, redacted, redacted_document
from etlml.services.preview.result import Preview
from etlml.settings import environment_secret


class UsedSecrets:
    """Gives secrets by name, as a run has them, and remembers which were asked for."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The secret of that name; NotFound if there is none."""
        value = self._values[name] = environment_secret(name)
        return value

    @property
    def digest(self) -> str:
        """Changes with the values, which it does not tell."""
        return hashlib.sha256(json.dumps(self._values, sort_keys=True).encode()).hexdigest()

    def out_of(self, preview: Preview) -> Preview:
        """The preview without the values: in its SQL, notes, rules and rows."""
        forms = self._forms()
        if not forms:
            return preview
        return Preview.model_validate(_without(preview.model_dump(), forms))

    def out_of_error(self, error: EtlmlError) -> EtlmlError:
        """The error without the values, nor anything else that is known to be secret."""
        forms = self._forms()
        error.message = redacted(_without(error.message, forms))
        error.args = (error.message,)
        error.details = redacted_document(_without(error.details, forms))
        return error

    def _forms(self) -> list[str]:
        """The values as they may be written: plain, within an SQL text, within JSON; longest first."""
        found = set[str]()
        for value in self._values.values():
            if len(value) >= SHORTEST_SECRET:
                found |= {value, value.replace("'", "''"), json.dumps(value)[1:-1], repr(value)[1:-1]}
        return sorted(found, key=len, reverse=True)


def _without(value: Any, forms: list[str]) -> Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, MASK)
        return value
    if isinstance(value, Mapping):
        return {_without(key, forms): _without(item, forms) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, forms) for item in value]
    return value
