"""Draws the fields of a form and gives back what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from etlml.ui import fields as spec
from etlml.ui.fields import FormField
from etlml.ui.forms import cards, several, single
from etlml.ui.forms.surroundings import Surroundings, Values

_WIDGETS: Mapping[str, Callable[[FormField, Any, Surroundings], Any]] = {
    "toggle": single.toggle,
    "integer": single.number,
    "number": single.number,
    "text": single.text,
    "long": single.long,
    "choice": single.choice,
    "scalar": single.scalar,
    "list": several.chosen,
    "map": several.named,
    "rows": several.rows,
    "yaml": several.as_yaml,
}


def draw(fields: Sequence[FormField], values: Mapping[str, Any], around: Surroundings) -> Values:
    """Draw fields with these values; what stands in them now, defaults left out. Unknown values are kept as they are."""
    known = {one.name for one in fields}
    now: Values = {name: value for name, value in values.items() if name not in known}
    main = [one for one in fields if _is_prominent(one, values.get(one.name))]
    rest = [one for one in fields if one not in main]
    if len(rest) <= 2:
        main, rest = [*fields], []
    for one in main:
        now[one.name] = _draw_one(one, values, around, now)
    if rest:
        with st.expander("More options"):
            for one in rest:
                now[one.name] = _draw_one(one, values, around, now)
    result = spec.kept(fields, now)
    # A default that somebody wrote down stays written: looking at a form must not change the document.
    result |= {name: value for name, value in values.items() if name in known and name in now and now[name] == value}
    return {**{name: value for name, value in now.items() if name not in known}, **result}


def _is_prominent(one: FormField, value: Any) -> bool:
    """Whether a field is shown at once: it must be filled in, is often wanted, or holds something."""
    return (
        one.required or one.name in spec.PROMINENT or one.kind in ("unions", "union") or value not in (None, "", [], {})
    )


def _draw_one(one: FormField, values: Mapping[str, Any], around: Surroundings, now: Values) -> Any:
    value = values.get(one.name, one.default)
    if not spec.fits(one, value):  # somebody wrote it as YAML: it is mended as it was written
        mend = several.as_yaml if isinstance(value, list | Mapping) else single.scalar
        return mend(one, value, around.inside(f"{one.name}.written"))
    if one.kind == "unions":
        return cards.draw(
            draw, one, [dict(item) for item in value or [] if isinstance(item, Mapping)], around, {**values, **now}
        )
    if one.kind == "union":
        return _union(one, dict(value or {}), around)
    return _WIDGETS[one.kind](one, value, around.inside(one.name))


def _union(one: FormField, value: Values, around: Surroundings) -> Values:
    tags = [variant.tag for variant in one.variants]
    inside = around.inside(one.name)
    current = str(value.get(one.tag) or tags[0])
    chosen = st.selectbox(
        spec.label(one.name),
        tags,
        index=tags.index(current) if current in tags else 0,
        key=f"{inside.key}.{one.tag}",
        disabled=around.disabled,
    )
    variant = one.variant(chosen)
    if variant is None:
        return value
    if variant.help:
        st.caption(variant.help)
    known = (
        value
        if chosen == current
        else {name: v for name, v in value.items() if name in {f.name for f in variant.fields}}
    )
    return {
        one.tag: chosen,
        **draw(variant.fields, {k: v for k, v in known.items() if k != one.tag}, inside.inside(chosen)),
    }
