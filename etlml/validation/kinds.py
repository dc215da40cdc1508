"""What a column's type allows a rule to ask of it, and values given in a rule as SQL of that type."""

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Column
from etlml.errors import ConfigInvalid

Kind = Literal["number", "text", "date", "timestamp", "timestamptz", "time", "boolean", "none", "other"]

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXAMPLES: dict[Kind, str] = {
    "number": "a number such as 10 or 2.5",
    "text": "text in quotes such as 'A1'",
    "date": "a date such as '2024-01-31'",
    "timestamp": "a time such as '2024-01-31 12:00:00'",
    "timestamptz": "a time such as '2024-01-31 12:00:00+00:00'",
    "time": "a time of day such as '12:30:00'",
    "boolean": "true or false",
}


def _plain(value: object) -> object:
    """Dates and times from Python or YAML as the ISO text that stands for them in documents."""
    return value.isoformat() if isinstance(value, date | time) else value


def _ordered(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false have no order; use in_set")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it must be a finite number; leave a bound out where there is none")
    return _plain(value)


Value = bool | int | float | str
"""A value in a rule, as JSON has it: a date or time is ISO text."""
AnyValue = Annotated[Value, BeforeValidator(_plain)]
Bound = Annotated[int | float | str, BeforeValidator(_ordered)]


def kind_of(column: Column) -> Kind:
    """The kind of values that a column holds; ``none`` where there is no value to tell it from, which every rule fits."""
    type_ = column.type.upper()
    if type_.endswith("]"):
        return "other"
    if _NUMBER.fullmatch(type_):
        return "number"
    if type_ == "VARCHAR" or type_.startswith("ENUM("):
        return "text"
    if type_ == '"NULL"':
        return "none"
    if type_ == "DATE":
        return "date"
    if type_ in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"):
        return "timestamptz"
    if type_.startswith("TIMESTAMP"):
        return "timestamp"
    if type_ == "TIME":
        return "time"
    return "boolean" if type_ == "BOOLEAN" else "other"


def comparable(column: Column) -> str:
    """The column as SQL that compares by value: an ENUM by its text, not by its place in the type."""
    return f"CAST({quoted(column.name)} AS VARCHAR)" if column.type.upper().startswith("ENUM(") else quoted(column.name)


def is_floating(column: Column) -> bool:
    """Whether the column may hold NaN."""
    return column.type.upper() in ("FLOAT", "DOUBLE")


def is_integer(column: Column) -> bool:
    """Whether the column holds whole numbers of at most 64 bits."""
    return bool(re.fullmatch(r"U?(TINY|SMALL|BIG)?INT(EGER)?", column.type.upper()))


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def as_sql(value: Value, column: Column, *, field: str, label: str) -> str:
    """A value of a rule as a literal that can be compared with the column.

    Args:
        value: As the person wrote it; dates and times as ISO text, or as YAML already read them.
        column: What it is compared with.
        field: The rule's field that holds it, for the message.
        label: The rule, for the message.

    Raises:
        ConfigInvalid: The value does not fit the column's type.
    """
    if kind_of(column) == "none":
        return "NULL"  # there is nothing that the value could be compared with
    converted = _converted(value, kind_of(column))
    if converted is None:
        raise _unfit(value, column, field=field, label=label)
    return literal(converted)


def _converted(value: Value, kind: Kind) -> Any:
    """The value as Python's type for that kind; None if it does not fit."""
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    try:
        if kind == "time":
            return time.fromisoformat(value)
        if kind in ("date", "timestamp", "timestamptz"):
            return _moment(value, kind)
    except ValueError:
        return None
    return value if kind == "text" else None


def _number(value: Value) -> int | float | Decimal | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    try:
        number = Decimal(value)  # a parameter filled into a longer text arrives as text
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: str, kind: Kind) -> date | datetime:
    """A date as such where it stands alone and is compared with what has no zone; else a time, UTC unless it says otherwise."""
    if kind != "timestamptz" and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if kind == "timestamptz" else moment.replace(tzinfo=None)


def _unfit(value: Value, column: Column, *, field: str, label: str) -> ConfigInvalid:
    kind = kind_of(column)
    expected = _EXAMPLES.get(kind)
    mend = f"Give {expected}" if expected else "Such a column cannot be compared; cast it to VARCHAR in a step before"
    if kind == "text" and isinstance(value, int | float):
        mend += ", or cast the column to a number in a step before"
    return ConfigInvalid(
        f"{sentence(label)}: {field} is {value!r}, but column {column.name!r} is {column.type}. {mend}.",
        field=field,
        column=column.name,
    )
