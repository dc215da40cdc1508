"""Pydantic's complaints in the words of the person who wrote the document: which field, what is wrong, the mend."""

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from etlml.documents import PATTERN_WORDS
from etlml.errors import ConfigInvalid, did_you_mean

M = TypeVar("M", bound=BaseModel)
_LONGEST_INPUT = 60
_BOUNDS = {
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
    "greater_than": "more than",
    "less_than": "less than",
}
_KINDS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "names with a value each",
}
"""What pydantic wants, by the type of its complaint."""


def valid(model: type[M], fields: Mapping[str, Any], *, where: str) -> M:
    """The model made of these fields; ConfigInvalid with all complaints, which start with ``where``."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise config_invalid(error, model, where=where) from None


def config_invalid(error: ValidationError, model: Any, *, where: str) -> ConfigInvalid:
    """One ConfigInvalid for all complaints; its ``details['problems']`` lists each as {field, message}.

    Args:
        error: What pydantic raised.
        model: The model class (or annotated union of classes) that was validated, for "did you mean".
        where: What was validated, e.g. ``Step 'clean'``; the message starts with it.
    """
    found = problems(error, model)
    message = " ".join(problem["message"] for problem in found[:5])
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return ConfigInvalid(f"{where}: {message}{more}", field=found[0]["field"], problems=found)


def problems(error: ValidationError, model: Any) -> list[dict[str, str]]:
    """Each complaint as {field, message}; fields are dotted, list positions in brackets, counted from 0."""
    complaints = error.errors(include_url=False, include_context=True)
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for complaint in complaints:
        location = _without_union_tags(model, complaint["loc"])
        field = dotted(location)
        message = _message(complaint, model, field)
        seen.setdefault((field, message), {"field": field, "message": message})
    return list(seen.values())


def dotted(location: Sequence[int | str]) -> str:
    """``('ops', 0, 'where')`` as ``ops[0].where``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _message(complaint: Any, model: Any, field: str) -> str:
    kind, context, value = complaint["type"], complaint.get("ctx") or {}, complaint.get("input")
    at = f"field {field!r}" if field else "the document"
    if kind == "extra_forbidden":
        known = _fields_at(model, complaint["loc"][:-1])
        return f"{at} is not known. {did_you_mean(str(complaint['loc'][-1]), known)}"
    if kind == "missing":
        return f"{at} is missing."
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
        name = str(context.get("discriminator", "")).strip("'")
        return f"{at}: there is no {name} {context.get('tag')!r}. {did_you_mean(str(context.get('tag')), tags)}"
    if kind == "union_tag_not_found":
        name = str(context.get("discriminator", "")).strip("'")
        return f"{at} needs {name!r}, which says what it is."
    if kind == "literal_error":
        allowed = [part.strip(" '") for part in str(context.get("expected", "")).replace(" or ", ",").split(",")]
        return f"{at} is {_shown(value)}. It must be one of: {', '.join(allowed)}. {_near(value, allowed)}".strip()
    if kind == "string_pattern_mismatch" and context.get("pattern") in PATTERN_WORDS:
        return f"{at} is {_shown(value)}: {PATTERN_WORDS[context['pattern']]}."
    if kind == "value_error":
        return f"{at}: {context.get('error', complaint['msg'])!s}"
    if kind in ("too_short", "string_too_short") and not value:
        return f"{at} is empty. {_fill_in(kind, context['min_length'])}"
    if kind in _KINDS:
        return f"{at} is {_shown(value)}. It must be {_KINDS[kind]}."
    for bound, how in _BOUNDS.items():
        if kind == bound:
            return f"{at} is {_shown(value)}. It must be {how} {next(iter(context.values()))}."
    return f"{at} is {_shown(value)}: {complaint['msg'][:1].lower()}{complaint['msg'][1:]}."


def _fill_in(kind: str, fewest: int) -> str:
    if kind == "string_too_short":
        return "Fill it in."
    return "Add at least one." if fewest == 1 else f"Add at least {fewest}."


def _near(value: Any, allowed: Sequence[str]) -> str:
    hint = did_you_mean(str(value), allowed)
    return hint if hint.startswith("Did") else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_INPUT else text[:_LONGEST_INPUT] + "..."


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """The model classes within an annotation: itself, or the members of a union, list or mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin is None:
        return []
    if origin in (typing.Union, types.UnionType, list, tuple, dict, typing.Annotated) or isinstance(origin, type):
        return [found for argument in typing.get_args(annotation) for found in _classes(argument)]
    return []


def _tag(model: type[BaseModel]) -> set[str]:
    """The literal values by which a discriminated union may call this class."""
    values: set[str] = set()
    for field in model.model_fields.values():
        if typing.get_origin(field.annotation) is typing.Literal:
            values.update(str(value) for value in typing.get_args(field.annotation))
    return values


def _walk(model: Any, location: Sequence[int | str]) -> tuple[list[type[BaseModel]], list[int | str]]:
    """The classes that stand at ``location``, and the location without the union tags that pydantic puts in."""
    classes, kept = _classes(model), list[int | str]()
    for part in location:
        if isinstance(part, int):
            kept.append(part)
            continue
        fields = [one.model_fields[part].annotation for one in classes if part in one.model_fields]
        tagged = [one for one in classes if part in _tag(one) or part == one.__name__]
        if tagged and (len(classes) > 1 or not fields):
            classes = tagged
            continue
        kept.append(part)
        classes = [found for annotation in fields for found in _classes(annotation)]
    return classes, kept


def _without_union_tags(model: Any, location: Sequence[int | str]) -> list[int | str]:
    return _walk(model, location)[1]


def _fields_at(model: Any, location: Sequence[int | str]) -> list[str]:
    return [name for one in _walk(model, location)[0] for name in one.model_fields]
