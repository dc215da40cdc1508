"""Settings: people, what their roles permit, and keys for programs."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Role, User
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import copy_as, frame, lists, parts, row_commands
from etlml.ui.one_form import one_form

ROLES: Sequence[Role] = ("viewer", "editor", "operator", "admin")
MAY: Sequence[tuple[str, Role]] = (
    ("See pipelines, runs, data quality, experiments, models and logs", "viewer"),
    ("Build and change pipelines, experiments and models; predict", "editor"),
    ("Start, stop and schedule runs; change and test connections", "operator"),
    ("Change people, keys, secrets, channels, retention and the system", "admin"),
)
PEOPLE_COLUMNS = (
    lists.Column("name", "Name", "name"),
    lists.Column("role", "Role", "dim"),
    lists.Column("at", "Since", "time"),
    lists.Column("do", "", "actions"),
)
KEY_COLUMNS = (
    lists.Column("name", "Key", "name"),
    lists.Column("role", "Role", "dim"),
    lists.Column("used", "Last used", "time"),
    lists.Column("until", "Expires", "time"),
    lists.Column("do", "", "actions"),
)


def draw(services: Services, user: Principal) -> None:
    """People, roles, keys."""
    if not frame.auth_required():
        st.info(
            "Sign-in is off, since only this machine can reach the studio. Set ETLML_AUTH=required to ask for it.",
            icon=":material/lock_open:",
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        if user.permits("admin"):
            _people(services, user)
            _keys(services, user)
        else:
            parts.section("You")
            st.html(parts.table_html({"Name": user.name, "Role": user.role}))
            st.caption("Admins see and change all people and keys.")
    with right:
        parts.section("What each role may do")
        st.html(roles_html())


def roles_html() -> str:
    """The roles as a small table: each may also do what those before it may."""
    head = "".join(f"<th>{role.capitalize()}</th>" for role in ROLES)
    rows = "".join(
        f"<tr><td>{parts.escaped(what)}</td>"
        + "".join(f'<td class="mark">{"✓" if ROLES.index(role) >= ROLES.index(least) else "–"}</td>' for role in ROLES)
        + "</tr>"
        for what, least in MAY
    )
    return f'<table class="grid"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _people(services: Services, user: Principal) -> None:
    parts.section("People")
    found = services.users.list(limit=200).items
    rows = [
        lists.row(
            one.id,
            name={"text": one.name, "sub": "shut out" if one.disabled else "you" if one.name == user.name else ""},
            role=one.role,
            at=lists.when(one.created_at),
            do=[{"key": "change", "label": "Change"}],
        )
        for one in found
    ]
    copies = {one.id: row_commands.person(one) for one in found}
    happened = lists.draw("users", PEOPLE_COLUMNS, rows, opens=True, empty="No users yet.", copies=copies)
    if chosen := happened.opened or (happened.row if happened.action == "change" else None):
        _change(services, user, chosen)
    with st.expander("Add a person", icon=":material/person_add:"):
        _add(services, user)


def _add(services: Services, user: Principal) -> None:
    form = one_form("user")
    with st.form(f"user_form{form.suffix}", border=False):
        name = st.text_input("Name", key=f"user_name{form.suffix}")
        role = st.selectbox("Role", ROLES, index=1, key=f"user_role{form.suffix}")
        password = st.text_input(
            "Password",
            type="password",
            help="At least 10 characters.",
            key=f"user_password{form.suffix}",
            autocomplete="new-password",
        )
        with st.container(horizontal=True):
            pressed = st.form_submit_button("Add", type="primary")
            parts.command_lines(copy_as.people.add(name or "NAME", role))
        if pressed:
            with parts.shown_errors():
                form.create(
                    services,
                    get=services.users.get,
                    create=lambda new_id: services.users.create(
                        name, password, role=role, author=user.name, document_id=new_id
                    ),
                )
                parts.toast_later(f"{name} can sign in.")
                st.rerun()


@st.dialog("Change a person")
def _change(services: Services, user: Principal, user_id: str) -> None:
    with parts.shown_errors():
        one = services.users.get(user_id)
        st.markdown(f"**{one.name}**")
        _role_and_password(services, user, one)
        st.divider()
        with st.container(horizontal=True):
            _shut_out_or_delete(services, user, one)


def _role_and_password(services: Services, user: Principal, one: User) -> None:
    role = st.selectbox("Role", ROLES, index=ROLES.index(one.role), key=f"role_{one.id}")
    password = st.text_input(
        "New password",
        type="password",
        key=f"password_{one.id}",
        autocomplete="new-password",
        placeholder="as it is",
        help="At least 10 characters. They are signed out everywhere.",
    )
    changed = role != one.role or bool(password)
    with st.container(horizontal=True):
        pressed = st.button("Save", type="primary", key="user_save", disabled=not changed)
        actions = {"Save": copy_as.people.change(one.name, role, password=bool(password))} if changed else {}
        parts.command_lines(actions | row_commands.person(one))
    if pressed:
        services.users.update(
            one.id,
            role=role if role != one.role else None,
            password=password or None,
            author=user.name,
        )
        parts.toast_later(f"{one.name} changed.")
        st.rerun()


def _shut_out_or_delete(services: Services, user: Principal, one: User) -> None:
    if st.button("Let in" if one.disabled else "Shut out", key="user_shut", icon=":material/block:"):
        services.users.update(one.id, disabled=not one.disabled, author=user.name)
        parts.toast_later(f"{one.name} is {'let in again' if one.disabled else 'shut out'}.")
        st.rerun()
    sure = st.checkbox("Yes, delete for good", key=f"sure_{one.id}")
    if st.button("Delete", key="user_delete", icon=":material/delete:", disabled=not sure):
        services.users.delete(one.id, author=user.name)
        parts.toast_later(f"{one.name} deleted.")
        st.rerun()


def _keys(services: Services, user: Principal) -> None:
    parts.section("API keys", "for programs")
    now, found = utc_now(), services.api_keys.list(limit=200).items
    rows = [
        lists.row(
            one.id,
            name={
                "text": one.name,
                "sub": f"{one.prefix}…" + (" · expired" if one.expires_at and one.expires_at <= now else ""),
            },
            role=one.role,
            used=lists.when(one.last_used_at),
            until=lists.when(one.expires_at),
            do=[{"key": "revoke", "label": "Revoke", "tone": "danger"}],
        )
        for one in found
    ]
    copies = {one.id: {"Revoke": copy_as.people.revoke_key(one.id)} for one in found}
    empty = "No keys yet. Programs sign in with one."
    happened = lists.draw("keys", KEY_COLUMNS, rows, opens=False, empty=empty, copies=copies)
    if happened.action == "revoke" and (row_id := happened.row):
        parts.confirm(
            "Revoke this key?",
            "Programs that use it are shut out at once.",
            "Revoke",
            lambda: services.api_keys.delete(row_id, author=user.name),
            "Key revoked.",
            commands=copy_as.people.revoke_key(row_id),
        )
    with st.expander("Create a key", icon=":material/key:"), st.form("key_form", border=False):
        _new_key(services, user)


def _new_key(services: Services, user: Principal) -> None:
    name = st.text_input("Name", key="key_name", placeholder="nightly job")
    role = st.selectbox("Role", ROLES, index=1, key="key_role")
    days = st.number_input("Expires after (days)", 1, 3650, None, placeholder="never", key="key_days")
    expires = utc_now() + timedelta(days=days) if days else None
    with st.container(horizontal=True):
        pressed = st.form_submit_button("Create", type="primary")
        parts.command_lines(copy_as.people.create_key(name or "NAME", role, days, expires))
    if pressed:
        with parts.shown_errors():
            _, key = services.api_keys.create(name, role=role, expires_at=expires, author=user.name)
            st.success("Copy it now: it is not shown again.")
            st.code(key, language="text")
