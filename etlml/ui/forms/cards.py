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
_OPEN = "open_cards"  # by list, the places of the cards that stand open, the one opened last at the end
_UP, _DOWN, _COPY, _REMOVE = "Move up", "Move down", "Duplicate", "Remove"
_ICONS = {
    _UP: ":material/arrow_upward:",
    _DOWN: ":material/arrow_downward:",
    _COPY: ":material/content_copy:",
    _REMOVE: ":material/delete:",
}


@dataclass(frozen=True)
class _Card:
    """One item of a list: what it is, where it stands, and how the list is changed.

    Attributes:
        change: Called with the places of the items as they shall be from now on; None is the item given beside them.
    """

    one: FormField
    variant: Variant
    items: list[Values]
    at: int
    around: Surroundings
    change: "_Change"

    @property
    def key(self) -> str:
        return f"{self.around.key}.{self.at}"

    @property
    def is_off(self) -> bool:
        return self.items[self.at].get("enabled", True) is False


class _Change:
    """Gives the form a list whose items stand in another order, were added, removed or switched off."""

    def __init__(self, one: FormField, items: list[Values], around: Surroundings, whole: Mapping[str, Any]) -> None:
        self._one, self._items, self._around, self._whole = one, items, around, whole

    def __call__(self, places: Sequence[int | None], new: Values | None = None, *, opened: int | None = None) -> None:
        """Take over the items at these places, and ``new`` for None; cards stay open, and the new one becomes so."""
        items = [dict(new or {}) if place is None else self._items[place] for place in places]
        before = _opened(self._around.key)
        stay = [place for old in before for place, whence in enumerate(places) if whence == old]
        _remember(self._around.key, [*stay, *([] if opened is None else [opened])])
        self._around.changed({**self._whole, self._one.name: items})


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
    change = _Change(one, items, inside, whole)
    if len(items) == 1:
        st.session_state.setdefault(_OPEN, {}).setdefault(_stem(inside.key), [0])
    now_open = list[int]()
    for at, item in enumerate(items):
        variant = one.variant(str(item.get(one.tag)))
        if variant is None:
            st.warning(f"There is no {one.tag} {item.get(one.tag)!r}. Change it on the YAML tab, or remove it.")
            continue
        card = _Card(one, variant, items, at, inside, change)
        if _card(draw_fields, card):
            now_open.append(at)
    before = _opened(inside.key)
    if items:
        _remember(inside.key, [at for at in before if at in now_open] + [at for at in now_open if at not in before])
    if not around.disabled:
        _adder(one, items, inside, change)
    return items


def last_opened(key: str) -> int | None:
    """Of the list with that key, the place of the card that was opened last and still is open."""
    return next(reversed(_opened(key)), None)


def ops_key(pipeline_id: str, step_id: str) -> str:
    """The key of the list of a transform's ops, for ``last_opened``."""
    return f"{pipeline_id}.{step_id}.config.ops"


def _card(draw_fields: DrawFields, card: _Card) -> bool:
    """Draw one card, its form only while it is open: what stands in it goes into the list. Whether it is open."""
    is_open = card.at in _opened(card.around.key)
    was_here = f"{card.key}.head" in st.session_state
    with st.container(key=_css(f"card-{card.key}"), border=True, gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap=None):
            _head(card, is_open=is_open)
            if not card.around.disabled:
                _tools(card)
        if _is_needed(card, is_open=is_open, was_here=was_here):
            with st.container(key=_css(f"{'form' if is_open else 'folded'}-{card.key}")):
                card.items[card.at] = _form(draw_fields, card, card.items[card.at])
    if card.one.name == "ops":
        card.around.lines[card.at] = st.container()  # keeps what stood in it until it is written anew
    return is_open


def _head(card: _Card, *, is_open: bool) -> None:
    """The card in a line, which opens and folds it."""
    words = plain(spec.summary(card.variant, card.items[card.at]))
    title = f"**{card.at + 1} · {spec.label(card.variant.tag)}**  {'(off) ' if card.is_off else ''}:small[{words}]"
    opened = _opened(card.around.key)
    places = [at for at in opened if at != card.at] if is_open else [*opened, card.at]
    st.button(
        title,
        icon=f":material/{'keyboard_arrow_down' if is_open else 'chevron_right'}:",
        key=f"{card.key}.head",
        type="tertiary",
        width="stretch",
        on_click=_remember,
        args=(card.around.key, places),
    )


def _is_needed(card: _Card, *, is_open: bool, was_here: bool) -> bool:
    """Whether the form has to be drawn: while it is open, and once more, as what was typed last comes with the fold."""
    drawn = f"{card.key}.drawn"
    was_drawn = was_here and bool(st.session_state.get(drawn))
    if is_open and not was_drawn:
        for name in [name for name in st.session_state if str(name).startswith(f"{card.key}.in.")]:
            del st.session_state[name]  # left from when it was open before
    st.session_state[drawn] = is_open
    return is_open or was_drawn


def _form(draw_fields: DrawFields, card: _Card, item: Values) -> Values:
    """The form of one card; the item as it stands in it."""
    if card.variant.help:
        st.caption(card.variant.help)
    given = {name: value for name, value in item.items() if name not in (card.one.tag, "enabled")}
    shown = [each for each in card.variant.fields if each.name != "enabled"]
    inside = _within_op(card.one, item, card.at, card.around).inside(f"{card.at}.in")
    new = {card.one.tag: card.variant.tag, **draw_fields(shown, given, inside)}
    return new if "enabled" not in item else {**new, "enabled": item["enabled"]}


def _tools(card: _Card) -> None:
    """What can be done with a card, folded or not: switch off, move, duplicate, remove."""
    key, places = f"{card.key}.what", list(range(len(card.items)))

    def flip() -> None:
        item = {name: value for name, value in card.items[card.at].items() if name != "enabled"}
        new = item if card.is_off else {**item, "enabled": False}
        card.items[card.at] = new
        card.change(places)

    def act() -> None:
        wanted = st.session_state[key]
        if wanted in (_UP, _DOWN):
            card.change(spec.moved(places, card.at, -1 if wanted == _UP else 1))
        elif wanted == _COPY:
            card.change([*places[: card.at + 1], *places[card.at :]], opened=card.at + 1)
        elif wanted == _REMOVE:
            card.change([place for place in places if place != card.at])

    with st.container(key=_css(f"tools-{card.key}"), horizontal=True, gap=None, width="content"):
        if any(each.name == "enabled" for each in card.variant.fields):
            icon, name = ("toggle_off", "Switch on") if card.is_off else ("toggle_on", "Switch off")
            st.button(
                f"{name} {card.at + 1}",
                icon=f":material/{icon}:",
                help=name,
                key=f"{card.key}.off",
                type="tertiary",
                on_click=flip,
            )
        st.menu_button(
            f"Move, duplicate or remove {card.at + 1}",
            [
                name
                for name in _ICONS
                if not (name == _UP and card.at == 0) and not (name == _DOWN and card.at == len(places) - 1)
            ],
            icon=":material/more_vert:",
            help="Move, duplicate or remove",
            key=key,
            type="tertiary",
            on_click=act,
            format_func=lambda name: f"{_ICONS[name]} {name}",
        )


def _within_op(one: FormField, item: Values, at: int, around: Surroundings) -> Surroundings:
    """What the fields of one op may offer: the columns as the ops before it leave them."""
    if one.name != "ops":
        return around
    known = around.before_ops()
    columns = known[at] if at < len(known) else around.columns
    return replace(around, columns=columns, partner=around.by_input.get(str(item.get("with"))))


def _opened(key: str) -> list[int]:
    """The places of the cards of that list that stand open."""
    found: list[int] = st.session_state.get(_OPEN, {}).get(_stem(key), [])
    return list(found)


def _remember(key: str, places: Sequence[int]) -> None:
    st.session_state.setdefault(_OPEN, {})[_stem(key)] = list(dict.fromkeys(places))


def _stem(key: str) -> str:
    """A form's key without the number that goes up when it is drawn anew."""
    return ".".join(part for part in key.split(".") if not part.isdigit())


def _adder(one: FormField, items: list[Values], around: Surroundings, change: _Change) -> None:
    tags = [variant.tag for variant in one.variants]
    noun = {"ops": "an op", "rules": "a rule", "triggers": "a trigger"}.get(one.name, "one")

    def add() -> None:
        tag = st.session_state.get(f"{around.key}.add")
        if tag:
            change([*range(len(items)), None], {one.tag: tag}, opened=len(items))

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


def _css(key: str) -> str:
    return key.replace(".", "-").replace(" ", "-")
