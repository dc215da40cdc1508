"""Values in reports: JSON-safe, short, and the ones that matter first."""

import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from etlml.validation.rule import Facts

LONGEST_TEXT = 200
LONGEST_LIST = 20
MOST_VALUES = 5
_LARGEST_WHOLE = 2**63


def json_safe(value: Any) -> Any:
    """A value of a row as JSON and MongoDB can hold it: long text and lists are cut, what has no JSON form becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST_WHOLE <= value < _LARGEST_WHOLE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, dict):
        return {cut(str(key)): json_safe(item) for key, item in list(value.items())[:LONGEST_LIST]}
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value[:LONGEST_LIST]]
    return cut(value.hex() if isinstance(value, bytes | bytearray) else str(value))


def cut(text: str) -> str:
    """Text of at most ``LONGEST_TEXT`` characters."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def commonest(value: str, condition: str, source: str) -> str:
    """A query of one row: ``commonest``, the values that most rows of ``source`` with ``condition`` have, each with its count."""
    return (
        'SELECT list({\'value\': "~value", \'rows\': "~rows"} ORDER BY "~rows" DESC, "~value") AS commonest '
        f'FROM (SELECT {value} AS "~value", count(*) AS "~rows" FROM {source} WHERE {condition} '
        f'GROUP BY 1 ORDER BY "~rows" DESC, "~value" LIMIT {MOST_VALUES})'
    )


def listed(facts: Facts) -> list[dict[str, Any]]:
    """What ``commonest`` found, as ``[{"value": ..., "rows": ...}]``."""
    return [{"value": json_safe(entry["value"]), "rows": entry["rows"]} for entry in facts.get("commonest") or []]


def examples(facts: Facts) -> str:
    """The commonest values as the tail of a sentence: ``: 'XX', 'YY'``."""
    found = [repr(entry["value"]) for entry in listed(facts)[:3]]
    return f": {', '.join(found)}" if found else ""
