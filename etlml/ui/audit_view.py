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
        who = _words("Who", "Anybody", key="who", icon="person", width=180)
        action = _words("Action", "Any action, e.g. deleted", key="action", icon="edit", width=230)
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
        actor=who,
        action=action.lower() if action else None,
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


def _words(label: str, placeholder: str, *, key: str, icon: str, width: int) -> str | None:
    """A field for a part of a word, which the URL holds."""
    typed = st.text_input(
        label,
        key=key,
        bind="query-params",
        placeholder=placeholder,
        icon=f":material/{icon}:",
        label_visibility="collapsed",
        width=width,
        live="400ms",
        type="search",
    )
    return (typed or "").strip() or None
