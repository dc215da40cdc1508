"""Equal warnings and errors as a list, and the lines of one of them."""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from etlml.services import Services
from etlml.services.logs import GroupsSoFar, LogGroup
from etlml.ui import format as words
from etlml.ui import lists, log_view, parts, place
from etlml.ui.lists import Column, row, when
from etlml.ui.log_range import Stretch

COLUMNS = (
    Column("level", "Level", "status"),
    Column("name", "Problem", "name"),
    Column("lines", "Lines", "number"),
    Column("source", "Source", "dim"),
    Column("first", "First seen", "time"),
    Column("last", "Last seen", "time"),
)
_STATE = {"WARNING": "warning", "ERROR": "failed", "CRITICAL": "failed"}
_SHOWN = 200
STEP_S = 0.08
FRESH_S = 15.0


def group_row(group: LogGroup) -> dict[str, Any]:
    """A group as a row of a list."""
    example = words.first_line(group.example, 160)
    return row(
        group.key,
        level={"text": _STATE.get(group.level, "warning"), "label": group.level.capitalize()},
        name={"text": group.text, "sub": example if example != group.text else "", "title": group.example},
        lines=words.count(group.lines),
        source=group.source,
        first=when(group.first),
        last=when(group.last),
    )


def counted(services: Services, asked: str, filters: Mapping[str, Any], stretch: Stretch) -> GroupsSoFar:
    """The groups, a step further than before where lines must be read for them."""
    kept: tuple[str, GroupsSoFar, float] | None = st.session_state.get("log_groups_found")
    before = kept[1] if kept is not None and kept[0] == asked else None
    if (
        before is not None
        and before.is_complete
        and not stretch.fixed
        and kept
        and time.monotonic() - kept[2] > FRESH_S
    ):
        before = None  # time has gone on
    found = services.logs.groups_so_far(stretch.since, stretch.until, patience_s=STEP_S, so_far=before, **filters)
    st.session_state["log_groups_found"] = (asked, found, time.monotonic())
    return found


def draw(found: GroupsSoFar) -> None:
    """The list; a click leads to the lines of a group."""
    said = "warnings and errors that differ only in numbers, ids, paths and quoted parts"
    if not found.is_complete:
        said += f"; looked back to {words.exact(found.reached, place.zone())} so far"
    parts.section("Grouped problems", said)
    happened = lists.draw(
        "log_groups",
        COLUMNS,
        [group_row(group) for group in found.groups[:_SHOWN]],
        empty="No warnings and no errors fit." if found.is_complete else "None found yet; the search goes on.",
        height=620,
    )
    if happened.opened:
        place.set_params(group=happened.opened)
        st.rerun()


def draw_one(services: Services, key: str, found: GroupsSoFar, filters: Mapping[str, Any]) -> None:
    """The lines of one group, newest last."""
    group = next((each for each in found.groups if each.key == key), None) or services.logs.group(key)
    if st.button("All problems", icon=":material/arrow_back:", type="tertiary", key="log_groups_all"):
        place.set_params(group=None)
        st.rerun()
    if group is None:
        parts.empty("No such lines", "There are none left: they were too old, or their run was deleted.")
        return
    parts.head(group.text, pill=parts.pill_html(_STATE.get(group.level), group.level.capitalize()))
    zone = place.zone()
    facts = {"Lines": words.count(group.lines) + ("" if found.is_complete else "+"), "Source": group.source}
    facts |= {"First seen": words.exact(group.first, zone), "Last seen": words.exact(group.last, zone)}
    st.html(parts.facts_html(facts))
    asked = {"q": group.pattern, "regex": True, "level": group.level} if group.pattern else {"group": key}
    page = services.logs.query(**{**filters, **asked}, limit=_SHOWN)
    st.html(log_view.log_html(page.items, zone=zone, linked=True))
    if page.next_cursor:
        st.caption(f"The newest {len(page.items):,} lines. Download all of them for the others.")
