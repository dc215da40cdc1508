"""Settings: connections, tried in place, with the pipelines that use them."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from etlml.mends import split_mend
from etlml.services import Services
from etlml.services.connection_kinds import NAMES
from etlml.services.principals import Principal
from etlml.ui import connection_form, copy_as, lists, parts, place, row_commands
from etlml.ui import format as words
from etlml.ui.one_form import one_form

COLUMNS = (
    lists.Column("name", "Connection", "name"),
    lists.Column("kind", "Kind", "dim"),
    lists.Column("used", "Used by", "dim"),
    lists.Column("do", "", "actions"),
)
SECRET_COLUMNS = (
    lists.Column("name", "Secret", "name"),
    lists.Column("kept", "Kept", "dim"),
    lists.Column("do", "", "actions"),
)


def draw(services: Services, user: Principal) -> None:
    """The list on the left, a form on the right."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        _list(services, user)
        _secrets(services, user)
    with right, st.container(border=True):
        connection_form.draw(services, user, place.param("connection"))


def _list(services: Services, user: Principal) -> None:
    may = user.permits("operator")
    found = services.connections.list(limit=200).items
    uses = services.connections.uses()
    rows = [
        lists.row(
            one.id,
            name={"text": one.name, "sub": one.description},
            kind=NAMES.get(one.kind, one.kind),
            used=words.plural(len(uses.get(one.name, ())), "pipeline") if uses.get(one.name) else "nothing",
            do=[
                {"key": "test", "label": "Test", "disabled": not may},
                *([{"key": "uses", "label": "Used by"}] if uses.get(one.name) else []),
                *([{"key": "delete", "label": "Delete", "tone": "danger"}] if may else []),
            ],
        )
        for one in found
    ]
    empty = "No connections yet. One gives a name to a database, a folder or a web API."
    copies = {one.id: row_commands.connection(one.name) for one in found if may}
    happened = lists.draw("connections", COLUMNS, rows, empty=empty, copies=copies)
    if happened.opened:
        place.set_params(connection=happened.opened)
        st.rerun()
    names = {one.id: one.name for one in found}
    if happened.row in names and happened.action:
        _act(services, user, happened.row, names[happened.row], happened.action, uses)
    _show_result(names)


def _act(
    services: Services, user: Principal, row: str, name: str, action: str, uses: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    if action == "test":
        with st.spinner("Trying …"):
            st.session_state["connection_test"] = (row, services.connections.test(row))
    elif action == "uses":
        _ask_uses(name, uses.get(name, []))
    elif uses.get(name):
        st.warning(
            f"{name} is used by {', '.join(title for _, title in uses[name][:5])}. Change these first.",
            icon=":material/link:",
        )
    else:
        parts.confirm(
            f"Delete {name}?",
            "No pipeline uses it. This can't be undone.",
            "Delete",
            lambda: services.connections.delete(row, author=user.name),
            "Connection deleted.",
            commands=copy_as.connections.delete(name),
        )


def _show_result(names: Mapping[str, str]) -> None:
    """How the last test went, until another is made."""
    row, result = st.session_state.get("connection_test", ("", {}))
    if row in names:
        show_test(names[row], result)


def show_test(name: str, result: Mapping[str, Any]) -> None:
    """The result of a test: what was found or wrong, the mend, the time."""
    wrong, mend = split_mend(str(result["message"]))
    took = words.duration(result["duration_ms"] / 1000)
    if result["ok"]:
        st.success(f"**{name}** works: {result['message']} ({took})", icon=":material/check_circle:")
    else:
        st.error(f"**{name}**: {wrong} ({took})" + (f"  \n→ {mend}" if mend else ""), icon=":material/error:")


@st.dialog("Used by")
def _ask_uses(name: str, uses: Sequence[tuple[str, str]]) -> None:
    st.caption(f"Steps of these pipelines name the connection {name}.")
    for pipeline_id, title in uses:
        place.link("pipeline", title, icon=":material/account_tree:", id=pipeline_id)


def _secrets(services: Services, user: Principal) -> None:
    """All secrets by name: what ``${secret.NAME}`` can stand for."""
    if not user.permits("editor"):
        return
    admin = user.permits("admin")
    parts.section("Secrets", "used as ${secret.NAME}; their values are never shown")
    known = services.secrets.list()
    rows = [
        lists.row(
            one.name,
            name={"text": one.name},
            kept="in the environment" if one.kept == "environment" else "stored here",
            do=[{"key": "delete", "label": "Delete", "tone": "danger"}] if admin and one.kept == "stored" else [],
        )
        for one in known
    ]
    copies = {one.name: row_commands.secret(one.name) for one in known if admin and one.kept == "stored"}
    happened = lists.draw("secrets", SECRET_COLUMNS, rows, opens=False, empty="No secrets yet.", copies=copies)
    if happened.action == "delete" and (gone := happened.row):
        parts.confirm(
            f"Delete {gone}?",
            "What uses it fails from now on.",
            "Delete",
            lambda: services.secrets.delete(gone, author=user.name),
            "Secret deleted.",
            commands=copy_as.connections.delete_secret(gone),
        )
    if admin:
        with st.expander("Add or replace a secret"):
            _set_secret(services, user)


def _set_secret(services: Services, user: Principal) -> None:
    form = one_form("secret")
    with st.form(f"secret_form{form.suffix}", border=False):
        name = st.text_input("Name", placeholder="WAREHOUSE_PASSWORD", key=f"secret_name{form.suffix}")
        value = st.text_input("Value", type="password", autocomplete="new-password", key=f"secret_value{form.suffix}")
        with st.container(horizontal=True):
            pressed = st.form_submit_button("Store", type="primary")
            parts.command_lines(copy_as.connections.set_secret(name.upper() or "NAME"))
        if pressed:
            with parts.shown_errors():
                services.secrets.set(name, value, author=user.name)
                form.renew()
                parts.toast_later(f"Secret {name.upper()} stored.")
                st.rerun()
