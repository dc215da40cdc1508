"""Lists of cards: ops, rules, triggers, each with its own form, in an order that can be changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from etlml.ui import fields as spec
from etlml.ui.fields import FormField, Variant
from etlml.ui.forms.pairs import plain
from etlml.ui.forms.surroundings import Surroundings, Values

DrawFields = Callable[[Sequence[FormField], Mapping[str, Any], Surroundings], Values]
_OPEN = "open_card"


@dataclass(frozen=True)
class _Card:
    """One item of a list: what it is, where it stands, and how the list is changed."""

    one: FormField
    variant: Variant
    items: list[Values]
    at: int
    around: Surroundings
    change: Callable[..., None]

    @property
    def key(self) -> str:
        return f"{self.around.key}.{self.at}"

    def with_it(self, *items: Values) -> list[Values]:
        """The list with these in its place."""
        return [*self.items[: self.at], *items, *self.items[self.at + 1 :]]


def draw(
    draw_fields: DrawFields, one: FormField, items: list[Values], around: Surroundings, whole: Mapping[str, Any]
) -> list[Values]:
    """Draw a list of cards and what adds one; the items as they stand in them now.

    Args:
        draw_fields: Draws the fields of one item.
        one: The list's field.
        items: The items; those that are no known variant are told of and kept.
        around: What may be offered.
        whole: The form's values, for a change of the list.
    """
    inside = around.inside(one.name)

    def change(new: list[Values], opened: int | None = None) -> None:
        around.changed({**whole, one.name: new})
        _open_next(inside.key, opened)

    for at, item in enumerate(items):
        variant = one.variant(str(item.get(one.tag)))
        if variant is None:
            st.warning(f"There is no {one.tag} {item.get(one.tag)!r}. Change it on the YAML tab, or remove it.")
            continue
        items[at] = _card(draw_fields, _Card(one, variant, items, at, inside, change))
    if not around.disabled:
        _adder(one, items, inside, change)
    return items


def _card(draw_fields: DrawFields, card: _Card) -> Values:
    one, variant, item, around = card.one, card.variant, card.items[card.at], card.around
    off = item.get("enabled", True) is False
    words = f":small[{plain(spec.summary(variant, item))}]"
    title = f"**{card.at + 1} · {spec.label(variant.tag)}**  {'(off) ' if off else ''}{words}"
    open_ = len(card.items) == 1 or st.session_state.get(_OPEN) == (_stem(around.key), card.at)
    with st.expander(title, expanded=open_, key=f"{card.key}.card"):
        if variant.help:
            st.caption(variant.help)
        given = {name: value for name, value in item.items() if name not in (one.tag, "enabled")}
        shown = [each for each in variant.fields if each.name != "enabled"]
        inside = _within_op(one, item, card.at, around).inside(str(card.at))
        new = {one.tag: variant.tag, **draw_fields(shown, given, inside)}
        if "enabled" in item:
            new["enabled"] = item["enabled"]
        if not around.disabled:
            with st.container(horizontal=True, horizontal_alignment="right", gap="xxsmall"):
                _buttons(card, new, off=off)
    if one.name == "ops":
        around.lines[card.at] = st.container()  # keeps what stood in it until it is written anew
    return new


def _buttons(card: _Card, new: Values, *, off: bool) -> None:
    """What can be done with a card as it stands now: switch off, move, duplicate, remove."""
    if any(each.name == "enabled" for each in card.variant.fields):
        without = {name: value for name, value in new.items() if name != "enabled"}
        flipped = without if off else {**without, "enabled": False}
        icon = ":material/toggle_off:" if off else ":material/toggle_on:"
        _button(card, "off", icon, "Switch on" if off else "Switch off", card.with_it(flipped), card.at)
    now = card.with_it(new)
    for name, icon, by in (("Move up", ":material/arrow_upward:", -1), ("Move down", ":material/arrow_downward:", 1)):
        to = card.at + by
        _button(card, str(by), icon, name, spec.moved(now, card.at, by), to, disabled=not 0 <= to < len(now))
    _button(card, "copy", ":material/content_copy:", "Duplicate", card.with_it(new, new), card.at + 1)
    _button(card, "x", ":material/delete:", "Remove", card.with_it(), None)


def _button(
    card: _Card, key: str, icon: str, name: str, items: list[Values], opened: int | None, *, disabled: bool = False
) -> None:
    st.button(
        "",
        icon=icon,
        help=name,
        key=f"{card.key}.{key}",
        type="tertiary",
        on_click=card.change,
        args=(items, opened),
        disabled=disabled,
    )


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


def _adder(one: FormField, items: list[Values], around: Surroundings, change: Callable[..., None]) -> None:
    tags = [variant.tag for variant in one.variants]
    noun = {"ops": "an op", "rules": "a rule", "triggers": "a trigger"}.get(one.name, "one")

    def add() -> None:
        tag = st.session_state.get(f"{around.key}.add")
        if tag:
            change([*items, {one.tag: tag}], len(items))

    st.selectbox(
        f"Add {noun}",
        tags,
        index=None,
        placeholder=f"Add {noun} …",
        label_visibility="collapsed",
        key=f"{around.key}.add",
        on_change=add,
        format_func=lambda tag: spec.offered(one.variant(tag) or Variant(tag, "", ())),
    )
