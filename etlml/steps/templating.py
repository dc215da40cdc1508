"""References in a configuration: ``${params.NAME}``, ``${run.id}``, ``${run.scheduled_for}``, ``${secret.NAME}``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from etlml.errors import ConfigInvalid, did_you_mean
from etlml.redaction import MASK

_REFERENCE = re.compile(r"(?P<escape>\$)?\$\{\s*(?P<space>[A-Za-z_]\w*)\.(?P<name>[A-Za-z_][\w.-]*)\s*\}")
NAMESPACES = ("params", "run", "secret")


@dataclass(frozen=True)
class References:
    """What references stand for.

    Attributes:
        params: The pipeline's parameters with the run's values.
        run: ``id``, ``pipeline``, ``scheduled_for`` (the moment of the run for runs that nobody scheduled).
        secret: Gives a secret's value by name; by default every secret is masked, which is right for checks.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    secret: Callable[[str], str] = lambda _: MASK

    def value(self, space: str, name: str) -> Any:
        """What one reference stands for; ConfigInvalid if it is not known."""
        if space == "secret":
            return self.secret(name)
        if space not in NAMESPACES:
            raise ConfigInvalid(
                f"Reference ${{{space}.{name}}} is not known. References start with params, run or secret; "
                "write $${...} for the text itself."
            )
        known = self.params if space == "params" else self.run
        if name not in known:
            raise ConfigInvalid(f"Reference ${{{space}.{name}}} has no value. {did_you_mean(name, list(known))}")
        return known[name]


def run_references(
    *,
    run_id: str,
    pipeline: str,
    moment: datetime,
    params: Mapping[str, Any],
    secret: Callable[[str], str] | None = None,
) -> References:
    """The references of a run; ``moment`` is when it was scheduled for, or created."""
    run = {
        "id": run_id,
        "pipeline": pipeline,
        "scheduled_for": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "scheduled_date": moment.strftime("%Y-%m-%d"),
    }
    return References(params, run, secret) if secret else References(params, run)


def filled(config: Any, references: References) -> Any:
    """A copy of a configuration with its references filled in.

    A string that is one reference and nothing else keeps the value's type: ``"${params.rows}"`` becomes a number.

    Raises:
        ConfigInvalid: A reference is not known.
    """
    if isinstance(config, str):
        return _filled_text(config, references)
    if isinstance(config, dict):
        return {key: filled(value, references) for key, value in config.items()}
    if isinstance(config, list):
        return [filled(item, references) for item in config]
    return config


def _filled_text(text: str, references: References) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole and not whole["escape"]:
        return references.value(whole["space"], whole["name"])

    def replaced(match: re.Match[str]) -> str:
        if match["escape"]:
            return match[0][1:]
        value = references.value(match["space"], match["name"])
        if isinstance(value, Mapping):
            instead = f" Write its value alone, {match['name']}: {value['default']}." if "default" in value else ""
            raise ConfigInvalid(f"{match[0]} holds {', '.join(map(str, value))}, which is no text.{instead}")
        return str(value)

    return _REFERENCE.sub(replaced, text)
