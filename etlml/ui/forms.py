"""Draws the fields of a form and gives back what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from etlml.ui import fields as spec
from etlml.ui.fields import FormField, Variant

Values = dict[str, Any]
TYPES = (
    "int",
    "float",
    "string",
    "bool",
    "date",
    "datetime",
    "BIGINT",
    "DOUBLE",
    "VARCHAR",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "DECIMAL(18,2)",
)
_OPEN = "open_card"
_HEIGHTS = {"expression": 68, "sql": 180, "python": 260, "": 90}


@dataclass(frozen=True)
class Surroundings:
    """What a form may offer for choice.

    Attributes:
        key: Start of the widgets' keys; a change of it starts them afresh.
        columns: Names of the input's columns.
        inputs: Ids of the steps whose results come in.
        changed: Called with a whole new value of the form when its structure changes (an op is added, moved, removed).
        disabled: Whether nothing may be changed.
        before_ops: For each op the columns that come into it, as far as they are known.
        by_input: The columns of each input.
        partner: Within an op that takes a second input: the columns of that one.
        lines: Filled with an empty place under each op's card, by the op's place in the list.
    """

    key: str
    columns: Sequence[str] = ()
    inputs: Sequence[str] = ()
    changed: Callable[[Values], None] = field(default=lambda _: None)
    disabled: bool = False
    lines: dict[int, Any] = field(default_factory=dict)
    before_ops: Sequence[Sequence[str]] = ()
    by_input: Mapping[str, Sequence[str]] = field(default_factory=dict)
    partner: Sequence[str] | None = None

    def inside(self, name: str) -> "Surroundings":
        """The same, for a part."""
        return replace(self, key=f"{self.key}.{name}")


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
    if one.kind == "unions":
        return _unions(
            one, [dict(item) for item in value or [] if isinstance(item, Mapping)], around, {**values, **now}
        )
    if one.kind == "union":
        return _union(one, dict(value or {}), around)
    return _WIDGETS[one.kind](one, value, around.inside(one.name))


def _label(one: FormField) -> str:
    return one.label if one.required or one.kind == "toggle" else f"{one.label}"


def _common(one: FormField, around: Surroundings) -> dict[str, Any]:
    return {"help": one.help or None, "key": around.key, "disabled": around.disabled}


def _toggle(one: FormField, value: Any, around: Surroundings) -> Any:
    if not one.nullable:
        return st.toggle(_label(one), bool(value), **_common(one, around))
    options = ["Automatic", "Yes", "No"]
    at = 0 if value is None else 1 if value else 2
    chosen = st.segmented_control(_label(one), options, default=options[at], **_common(one, around))
    return {"Yes": True, "No": False}.get(chosen or "")


def _number(one: FormField, value: Any, around: Surroundings) -> Any:
    cast: Callable[[Any], Any] = int if one.kind == "integer" else float
    if isinstance(value, str):  # a reference such as ${params.rows}
        return _scalar(one, value, around)
    low = None if one.minimum is None else cast(one.minimum)
    high = None if one.maximum is None else cast(one.maximum)
    return st.number_input(
        _label(one), low, high, None if value is None else cast(value), placeholder="not set", **_common(one, around)
    )


def _text(one: FormField, value: Any, around: Surroundings) -> Any:
    offered = _offered(one.picks, around)
    if offered or one.picks:
        shown = [str(value), *[o for o in offered if o != value]] if value else list(offered)
        return st.selectbox(
            _label(one),
            shown,
            index=0 if value else None,
            accept_new_options=True,
            placeholder="Choose or type",
            **_common(one, around),
        )
    return st.text_input(
        _label(one), spec.shown_scalar(value), placeholder="" if one.required else "not set", **_common(one, around)
    )


def _long(one: FormField, value: Any, around: Surroundings) -> Any:
    height = _HEIGHTS.get(one.edits, 90) if one.name not in ("where",) else 68
    with st.container(key=f"code-{around.key}".replace(".", "-").replace(" ", "-")):
        return st.text_area(_label(one), spec.shown_scalar(value), height=height, **_common(one, around))


def _choice(one: FormField, value: Any, around: Surroundings) -> Any:
    options = list(one.options)
    if one.nullable:
        return st.selectbox(
            _label(one),
            options,
            index=options.index(value) if value in options else None,
            placeholder="Automatic",
            **_common(one, around),
        )
    if len(options) <= 4 and sum(map(len, options)) < 34:
        return st.segmented_control(
            _label(one), options, default=value if value in options else None, required=True, **_common(one, around)
        )
    return st.selectbox(
        _label(one), options, index=options.index(value) if value in options else 0, **_common(one, around)
    )


def _scalar(one: FormField, value: Any, around: Surroundings) -> Any:
    text = st.text_input(_label(one), spec.shown_scalar(value), placeholder="not set", **_common(one, around))
    return spec.parsed_scalar(text) if text else None


def _list(one: FormField, value: Any, around: Surroundings) -> Any:
    items = list(value or [])
    texts = [spec.shown_scalar(item) for item in items]
    picks = "partner" if one.name in ("right_on", "columns") and one.picks == "column" else one.picks
    offered = [o for o in _offered(picks, around) if o not in texts]
    chosen = st.multiselect(
        _label(one),
        [*texts, *offered],
        default=texts,
        accept_new_options=True,
        placeholder="Choose or type",
        **_common(one, around),
    )
    originals = dict(zip(texts, items, strict=True))
    parse = (
        (lambda text: text)
        if one.picks or (all(isinstance(item, str) for item in items) and items)
        else spec.parsed_scalar
    )
    return [originals[text] if text in originals else parse(text) for text in chosen]


def _map(one: FormField, value: Any, around: Surroundings) -> Any:
    import pandas as pd

    if any(isinstance(v, dict | list) for v in (value or {}).values()):
        return _yaml(one, value, around)
    base = st.session_state.setdefault(f"{around.key}.base", dict(value or {}))
    frame = pd.DataFrame({"name": list(base), "value": [spec.shown_scalar(v) for v in base.values()]}, dtype="string")
    names = {"column": "Column", "": "Name"}.get(one.key_picks, "Name")
    values = {"expression": "Expression", "": "Value"}.get(one.edits, "Value")
    config: dict[str, Any] = {
        "name": st.column_config.TextColumn(names, required=True, width="small"),
        "value": st.column_config.TextColumn(values, width="medium"),
    }
    if one.picks == "type":
        config["value"] = st.column_config.SelectboxColumn(
            "Type", options=sorted({*TYPES, *map(str, base.values())}), required=True
        )
    if one.key_picks == "column" and around.columns:
        config["name"] = st.column_config.SelectboxColumn(
            "Column", options=list(dict.fromkeys([*around.columns, *base])), required=True
        )
    st.caption(one.label, help=one.help or None)
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        column_config=config,
        key=around.key,
        disabled=around.disabled,
        height="content",
    )
    parse = str if one.edits or one.picks else spec.parsed_scalar
    pairs = ((row.name, row.value) for row in edited.itertuples(index=False))
    return {
        str(name): parse("" if missing(v) else str(v)) for name, v in pairs if not missing(name) and str(name).strip()
    }


def missing(cell: Any) -> bool:
    """Whether a cell of an edited table holds nothing."""
    import pandas as pd

    return bool(pd.isna(cell)) if not isinstance(cell, list | dict) else False


def _rows(one: FormField, value: Any, around: Surroundings) -> Any:
    import pandas as pd

    base = st.session_state.setdefault(f"{around.key}.base", list(value or []))
    st.caption(one.label, help=one.help or None)
    edited = st.data_editor(
        pd.DataFrame(base),
        num_rows="dynamic",
        hide_index=True,
        key=around.key,
        disabled=around.disabled,
        height="content",
    )
    return [{str(k): None if missing(v) else v for k, v in row.items()} for row in edited.to_dict("records")]


def _yaml(one: FormField, value: Any, around: Surroundings) -> Any:
    import yaml

    shown = "" if value in (None, [], {}) else yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    text = st.text_area(_label(one), shown, height=90, **_common(one, around))
    try:
        return yaml.safe_load(text) if text.strip() else one.default
    except yaml.YAMLError:
        st.caption(":red[This is not YAML; the value before is kept.]")
        return value


_WIDGETS: Mapping[str, Callable[[FormField, Any, Surroundings], Any]] = {
    "toggle": _toggle,
    "integer": _number,
    "number": _number,
    "text": _text,
    "long": _long,
    "choice": _choice,
    "scalar": _scalar,
    "list": _list,
    "map": _map,
    "rows": _rows,
    "yaml": _yaml,
}


@lru_cache(maxsize=1)
def algorithms() -> list[str]:
    """The algorithms that can be trained, as they are written in a configuration."""
    from etlml.ml.algorithms import known_algorithms, snake_case

    return sorted(snake_case(name) for name in known_algorithms())


def _offered(picks: str, around: Surroundings) -> list[str]:
    if picks == "column":
        return list(around.columns)
    if picks == "partner":
        return list(around.columns if around.partner is None else around.partner)
    if picks == "sort":
        return [*around.columns, *(f"-{name}" for name in around.columns)]
    if picks == "algorithm":
        return algorithms()
    if picks == "input":
        return list(around.inputs)
    return list(TYPES) if picks == "type" else []


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


def _unions(one: FormField, items: list[Values], around: Surroundings, whole: Mapping[str, Any]) -> list[Values]:
    inside = around.inside(one.name)
    for at, item in enumerate(items):
        variant = one.variant(str(item.get(one.tag)))
        if variant is None:
            st.warning(f"There is no {one.tag} {item.get(one.tag)!r}. Change it on the YAML tab, or remove it.")
            continue
        items[at] = _card(one, variant, items, at, inside, whole)
    _adder(one, items, inside, whole)
    return items


def _card(
    one: FormField, variant: Variant, items: list[Values], at: int, around: Surroundings, whole: Mapping[str, Any]
) -> Values:
    item = items[at]
    off = item.get("enabled", True) is False
    title = f"**{at + 1} · {spec.label(variant.tag)}**  {'(off) ' if off else ''}:small[{_plain(spec.summary(variant, item))}]"

    def change(new: list[Values], opened: int | None = None) -> None:
        around.changed({**whole, one.name: new})
        _open_next(around.key, opened)

    open_ = len(items) == 1 or st.session_state.get(_OPEN) == (_stem(around.key), at)
    with st.expander(title, expanded=open_, key=f"{around.key}.{at}.card"):
        if variant.help:
            st.caption(variant.help)
        given = {name: value for name, value in item.items() if name not in (one.tag, "enabled")}
        shown = [f for f in variant.fields if f.name != "enabled"]
        new = {one.tag: variant.tag, **draw(shown, given, _within_op(one, item, at, around).inside(str(at)))}
        if off:
            new["enabled"] = False
        if not around.disabled:
            with st.container(horizontal=True, horizontal_alignment="right", gap="xxsmall"):
                key = f"{around.key}.{at}"
                if any(f.name == "enabled" for f in variant.fields):
                    flipped = {**new, "enabled": False} if not off else {k: v for k, v in new.items() if k != "enabled"}
                    st.button(
                        "",
                        icon=":material/toggle_off:" if off else ":material/toggle_on:",
                        help="Switch on" if off else "Switch off",
                        key=f"{key}.off",
                        type="tertiary",
                        on_click=change,
                        args=([*items[:at], flipped, *items[at + 1 :]], at),
                    )
                for icon, text, by in (
                    (":material/arrow_upward:", "Move up", -1),
                    (":material/arrow_downward:", "Move down", 1),
                ):
                    st.button(
                        "",
                        icon=icon,
                        help=text,
                        key=f"{key}.{by}",
                        type="tertiary",
                        on_click=change,
                        args=(spec.moved([*items[:at], new, *items[at + 1 :]], at, by), at + by),
                        disabled=not 0 <= at + by < len(items),
                    )
                st.button(
                    "",
                    icon=":material/content_copy:",
                    help="Duplicate",
                    key=f"{key}.copy",
                    type="tertiary",
                    on_click=change,
                    args=([*items[:at], new, new, *items[at + 1 :]], at + 1),
                )
                st.button(
                    "",
                    icon=":material/delete:",
                    help="Remove",
                    key=f"{key}.x",
                    type="tertiary",
                    on_click=change,
                    args=([*items[:at], *items[at + 1 :]],),
                )
    if one.name == "ops":
        around.lines[at] = st.empty()
    return new


def _within_op(one: FormField, item: Values, at: int, around: Surroundings) -> Surroundings:
    """What the fields of one op may offer: the columns as the ops before it leave them."""
    if one.name != "ops":
        return around
    columns = around.before_ops[at] if at < len(around.before_ops) else around.columns
    return replace(around, columns=columns, partner=around.by_input.get(str(item.get("with"))))


def _open_next(key: str, at: int | None) -> None:
    """Have the card at that place stand open when the form is drawn anew."""
    st.session_state[_OPEN] = None if at is None else (_stem(key), at)


def _stem(key: str) -> str:
    """A form's key without the number that goes up when it is drawn anew."""
    return ".".join(key.split(".")[:2])


def _plain(text: str) -> str:
    """A text that Markdown leaves as it is."""
    return "".join(f"\\{letter}" if letter in "*_`[]:$~#|<>" else letter for letter in text)


def _adder(one: FormField, items: list[Values], around: Surroundings, whole: Mapping[str, Any]) -> None:
    if around.disabled:
        return
    tags = [variant.tag for variant in one.variants]
    noun = {"ops": "an op", "rules": "a rule", "triggers": "a trigger"}.get(one.name, "one")

    def add() -> None:
        tag = st.session_state.get(f"{around.key}.add")
        if tag:
            around.changed({**whole, one.name: [*items, {one.tag: tag}]})
            _open_next(around.key, len(items))

    st.selectbox(
        f"Add {noun}",
        tags,
        index=None,
        placeholder=f"Add {noun} …",
        label_visibility="collapsed",
        key=f"{around.key}.add",
        on_change=add,
        format_func=lambda tag: f"{spec.label(tag)} — {(one.variant(tag) or Variant('', '', ())).help}"[:90],
    )
