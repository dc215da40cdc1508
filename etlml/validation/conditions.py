"""Conditions that people write: checked as expressions, and found out when they are not true or false."""

from functools import lru_cache

from etlml.compute.schema import Schema
from etlml.compute.sql import checked_expression, expression_type
from etlml.errors import ExpressionInvalid


@lru_cache(maxsize=512)
def checked_condition(text: str, schema: Schema | None, *, label: str, field: str = "where") -> str:
    """The condition as SQL that is safe to embed, in parentheses.

    Args:
        text: An expression over the schema's columns.
        schema: The columns, or None where they are not known yet: then only the form is checked.
        label: The rule that it belongs to, for messages.
        field: The rule's field that holds it.

    Raises:
        ColumnMissing: It names a column that is not there.
        ExpressionInvalid: It cannot be parsed or bound, or is not true or false.
        SqlRefused: It is more than an expression, or reaches outside.
    """
    where = f"{field} of {label}"
    sql = checked_expression(text, schema, where=where)
    type_ = None if schema is None else expression_type(sql, schema, where=where)
    if type_ not in (None, "BOOLEAN"):
        raise ExpressionInvalid(
            f"{where[:1].upper()}{where[1:]} must be true or false for each row, but {text!r} is {type_}. "
            "Compare it with something, as in amount > 0.",
            field=field,
        )
    return f"({sql})"
