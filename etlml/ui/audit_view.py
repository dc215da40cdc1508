"""Who changed what, when: filtered and in pages."""

import streamlit as st

from etlml.clock import utc_now
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import filters, lists, overview, pager, parts, place, run_rows
from etlml.ui.lists import Column

COLUMNS = (Column("name", "What", "name"), Column("at", "When", "time"))
KINDS = (
    *("pipeline", "run", "schedule", "backfill", "experiment", "model", "validation", "connection"),
    *("notification", "webhook", "secret", "settings", "user", "api_key", "pack", "diagnostics"),
)
_PAGE = 50


def draw(services: Services, user: Principal) -> None:
    """The audit log, for those who may read it."""
    if not user.permits("admin"):
        parts.empty("For admins", "The audit log shows what everybody did. Ask an admin for it.")
        return
    with filters.bar():
        who = st.text_input(
            "Who",
            key="who",
            bind="query-params",
            placeholder="Anybody",
            icon=":material/person:",
            label_visibility="collapsed",
            width=180,
            live="400ms",
            type="search",
        )
        action = st.text_input(
            "Action",
            key="action",
            bind="query-params",
            placeholder="Any action, e.g. deleted",
            icon=":material/edit:",
            label_visibility="collapsed",
            width=230,
            live="400ms",
            type="search",
        )
        kind = filters.choice(
            "What",
            KINDS,
            key="what",
            every="Everything",
            width=170,
            worded=lambda name: name.replace("_", " ").capitalize(),
        )
        span = filters.choice("When", list(filters.TIMES)[1:], key="when", every="Any time", width=150)
    length = filters.TIMES[span] if span else None
    asked = (who, action, kind, span)
    page = services.audit.list(
        actor=who.strip() or None if who else None,
        action=action.strip().lower() or None if action else None,
        kind=kind,
        since=utc_now() - length if length else None,
        limit=_PAGE,
        cursor=pager.cursor("audit", asked),
    )
    happened = lists.draw(
        "audit",
        COLUMNS,
        [run_rows.activity_row(entry) for entry in page.items],
        empty="Nobody did anything like that." if any(asked) else "Nobody has changed anything yet.",
    )
    about = {entry.id: overview.opened_by(entry) for entry in page.items}
    if happened.opened and (target := about.get(happened.opened)):
        place.go(target[0], **target[1])
    pager.foot("audit", len(page.items), page.next_cursor, noun="entries")
