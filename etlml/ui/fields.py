"""From a typed configuration's JSON schema to the fields of a form: pure functions."""

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

FieldKind = Literal[
    "toggle", "integer", "number", "text", "long", "choice", "scalar", "list", "map", "rows", "union", "unions", "yaml"
]
_PICKS = {"column": "column", "target": "column", "features": "column", "keys": "column", "algorithm": "algorithm"}
PROMINENT = frozenset(
    {"target", "features", "register_as", "on_failure", "mode", "keys"}
)  # shown although they may be left out
_LONG_NAMES = frozenset({"query", "code", "sql", "where", "description"})
_WORDS = {"id": "ID", "cv": "Cross-validation folds", "sql": "SQL", "by": "By", "url": "URL", "csv": "CSV"}
_HELP = {
    "source": "Where the rows come from.",
    "sink": "Where the rows go.",
    "rules": "What has to be true of the rows.",
    "ops": "The changes, one after the other.",
    "column": "The column that it is about.",
    "columns": "The columns that it is about.",
    "by": "Rows that agree in these columns belong together.",
    "ids": "Columns that stay as they are and are repeated.",
    "order_by": 'The order of the rows within a group; "-day" descends.',
    "where": "True or false for each row, such as distance > 100 AND carrier = 'AA'.",
    "how": "inner keeps what both have, left all rows of the input, right all of the other, full all of both; semi and anti "
    "only ask whether there is a partner.",
    "agg": "What becomes of several values in one cell.",
    "rows": "How many rows.",
    "fraction": "Share of the rows, 0 to 1.",
    "seed": "The same seed chooses the same rows.",
    "name": "Name of the column that gets the old columns' names.",
    "value": "Name of the column that gets their values.",
    "query": "One SELECT; the table so far is called input.",
    "code": "def transform(df): gets a pandas DataFrame and returns one.",
    "min": "The least that passes; left out, there is no such bound.",
    "max": "The greatest that passes; left out, there is no such bound.",
    "values": "The values that pass.",
    "regex": "What the whole text has to look like, as a regular expression.",
    "mode": "append adds the rows, overwrite replaces what is there, merge replaces rows with the same keys.",
    "on_failure": "What broken rules of severity error do: fail the step, only warn, or set the rows aside.",
}
"""Help for fields whose configuration says nothing of its own."""
_LATER = frozenset({"label", "enabled"})


@dataclass(frozen=True)
class Variant:
    """One member of a union: what it is called, what it does, its fields."""

    tag: str
    help: str
    fields: tuple["FormField", ...]


@dataclass(frozen=True)
class FormField:
    """One field of a form.

    Attributes:
        picks: What it chooses among: column, sort (a column, "-" before it descends), input, type, or what the
            surroundings offer; empty: nothing known.
        edits: The language of its text: expression, sql, python; empty: plain text.
        tag: Of a union: the field that tells its members apart.
    """

    name: str
    kind: FieldKind
    label: str
    help: str = ""
    required: bool = False
    default: Any = None
    nullable: bool = False
    options: tuple[str, ...] = ()
    picks: str = ""
    edits: str = ""
    key_picks: str = ""
    minimum: float | None = None
    maximum: float | None = None
    tag: str = ""
    variants: tuple[Variant, ...] = field(default=())

    def variant(self, tag: str) -> Variant | None:
        """The member of that name."""
        return next((one for one in self.variants if one.tag == tag), None)


def fields_of(model: type[BaseModel]) -> tuple[FormField, ...]:
    """The fields of a model, in their order."""
    schema = model.model_json_schema()
    return _fields(schema, schema.get("$defs", {}))


def _fields(schema: Mapping[str, Any], defs: Mapping[str, Any], *, skip: str = "") -> tuple[FormField, ...]:
    required = set(schema.get("required", ()))
    found = [
        _field(name, part, defs, name in required)
        for name, part in schema.get("properties", {}).items()
        if name != skip
    ]
    return tuple(sorted(found, key=lambda one: (one.name in _LATER, not one.required)))


def _resolved(part: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return {
            **defs[str(part["$ref"]).rpartition("/")[2]],
            **{key: value for key, value in part.items() if key != "$ref"},
        }
    return dict(part)


def _field(name: str, part: Mapping[str, Any], defs: Mapping[str, Any], required: bool) -> FormField:
    outer = _resolved(part, defs)
    choices = [_resolved(one, defs) for one in outer.get("anyOf", ())]
    nullable = any(one.get("type") == "null" for one in choices)
    real = [one for one in choices if one.get("type") != "null"]
    inner = {**outer, **real[0]} if len(real) == 1 else outer
    picks = str(inner.get("picks") or outer.get("picks") or _PICKS.get(name, ""))
    edits = str(inner.get("edits") or outer.get("edits") or "")
    common: dict[str, Any] = {
        "name": name,
        "label": label(name),
        "help": str(outer.get("description") or _HELP.get(name, "")),
        "required": required,
        "default": outer.get("default"),
        "nullable": nullable,
        "picks": picks,
        "edits": edits,
        "minimum": inner.get("minimum", inner.get("exclusiveMinimum")),
        "maximum": inner.get("maximum", inner.get("exclusiveMaximum")),
    }
    if "oneOf" in inner and "discriminator" in inner:
        return FormField(kind="union", **(common | _union(inner, defs)))
    if len(real) > 1:
        return FormField(kind="scalar" if all(_is_scalar(one) for one in real) else "yaml", **common)
    return _typed(inner, defs, common)


def _typed(inner: Mapping[str, Any], defs: Mapping[str, Any], common: dict[str, Any]) -> FormField:
    kind = inner.get("type")
    if "enum" in inner:
        return FormField(kind="choice", **(common | {"options": tuple(str(value) for value in inner["enum"])}))
    if kind == "boolean":
        return FormField(kind="toggle", **common)
    if kind in ("integer", "number"):
        return FormField(kind="integer" if kind == "integer" else "number", **common)
    if kind == "string":
        return FormField(kind="long" if common["edits"] or common["name"] in _LONG_NAMES else "text", **common)
    if kind == "array":
        return _array(_resolved(inner.get("items", {}), defs), defs, common)
    if kind == "object" and isinstance(inner.get("additionalProperties"), Mapping):
        values = _resolved(inner["additionalProperties"], defs)
        names = _resolved(inner.get("propertyNames", {}), defs)
        extra = {
            "picks": str(values.get("picks", "")),
            "edits": str(values.get("edits", "")),
            "key_picks": str(names.get("picks", "")),
        }
        return FormField(kind="map", **(common | extra))
    if kind == "object" and inner.get("additionalProperties") is True:
        return FormField(kind="map", **common)
    return FormField(kind="yaml", **common)


def _array(items: Mapping[str, Any], defs: Mapping[str, Any], common: dict[str, Any]) -> FormField:
    if "oneOf" in items and "discriminator" in items:
        return FormField(kind="unions", **(common | _union(items, defs)))
    if items.get("type") == "object":
        return FormField(kind="rows", **common)
    if _is_scalar(items) or all(_is_scalar(_resolved(one, defs)) for one in items.get("anyOf", [{}])):
        return FormField(kind="list", **(common | {"picks": str(items.get("picks") or common["picks"])}))
    return FormField(kind="yaml", **common)


def _is_scalar(part: Mapping[str, Any]) -> bool:
    return part.get("type") in ("string", "integer", "number", "boolean", "null")


def _union(part: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    tag = str(part["discriminator"]["propertyName"])
    variants = []
    for name, reference in part["discriminator"]["mapping"].items():
        member = _resolved({"$ref": reference}, defs)
        variants.append(
            Variant(str(name), first_sentence(str(member.get("description", ""))), _fields(member, defs, skip=tag))
        )
    return {"tag": tag, "variants": tuple(variants)}


def label(name: str) -> str:
    """A field's name in words: ``null_values`` becomes ``Null values``."""
    if name in _WORDS:
        return _WORDS[name]
    return name.replace("_", " ").strip().capitalize()


def offered(variant: Variant, longest: int = 60) -> str:
    """A kind of item as one line of a list that is chosen from: its name and, cut at a word, what it is."""
    about = re.split(r"[:;.(](?:\s|$)", variant.help.replace("`", ""))[0].strip()
    short = textwrap.shorten(about, longest, placeholder=" …")
    return f"{label(variant.tag)} — {short}" if short else label(variant.tag)


def first_sentence(text: str) -> str:
    """The first paragraph of a docstring, without its double backquotes."""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "`")


def parsed_scalar(text: str) -> Any:
    """What a person means by a short text: a number, true or false, else the text itself."""
    stripped = text.strip()
    lowered = stripped.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    for convert in (int, float):
        try:
            value = convert(stripped)
        except ValueError:
            continue
        if not (stripped[:1] == "0" and len(stripped) > 1 and stripped[1].isdigit()) and lowered not in (
            "nan",
            "inf",
            "-inf",
        ):
            return value
    return text


def shown_scalar(value: Any) -> str:
    """A plain value as text for a field."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fits(one: FormField, value: Any) -> bool:
    """Whether the field's own widget can show the value; a draft may hold anything until it is saved."""
    if one.kind in ("integer", "number"):
        if value is None or isinstance(value, str):
            return True
        if not isinstance(value, int | float) or not math.isfinite(value):
            return False
        above = one.minimum is None or value >= one.minimum
        below = one.maximum is None or value <= one.maximum
        return above and below and (one.kind == "number" or value == int(value))
    shape = {"list": list, "rows": list, "unions": list, "map": Mapping, "union": Mapping}.get(one.kind)
    return not value or shape is None or isinstance(value, shape)


def kept(fields: Sequence[FormField], values: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the configuration: no empty optional value, nothing that is the default."""
    result: dict[str, Any] = {}
    for one in fields:
        value = values.get(one.name)
        if one.required:
            if value is not None:
                result[one.name] = value
        elif (value is not None and value != one.default and value not in ("", [], {})) or (
            value in ("", [], {}) and one.default not in (None, "", [], {})
        ):
            result[one.name] = value
    return result


def summary(variant: Variant, values: Mapping[str, Any]) -> str:
    """An op or rule in a few words: its own label, or the values of its first fields."""
    if values.get("label"):
        return str(values["label"])
    words = []
    for one in variant.fields:
        value = values.get(one.name)
        if value in (None, "", [], {}) or one.name in ("severity", "enabled", "mostly"):
            continue
        if isinstance(value, Mapping | list):
            words.append(", ".join(map(str, value)))
        else:
            words.append(" ".join(str(value).split()))
        if len(words) == 3:
            break
    text = " · ".join(words)
    return text if len(text) <= 60 else text[:59] + "…"


def moved(items: Sequence[Any], at: int, by: int) -> list[Any]:
    """The items with one of them moved by so many places."""
    result = list(items)
    to = min(max(at + by, 0), len(result) - 1)
    result.insert(to, result.pop(at))
    return result
