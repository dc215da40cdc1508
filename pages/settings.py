"""What can be set: connections, people, keys, how long things are kept, how it looks; and how the system is."""

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.services.preferences import Preferences
from etlml.ui import connection_form, fields, forms, frame, lists, parts, place
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
ADMIN = user.permits("admin")
ROLES = ("viewer", "editor", "operator", "admin")


def connections() -> None:
    found = services.connections.list(limit=100).items
    left, right = st.columns([3, 2], gap="large")
    with left:
        rows = [
            lists.row(
                one.id,
                name={"text": one.name, "sub": one.description},
                kind=one.kind,
                used=words.plural(len(services.connections.used_by(one.name)), "pipeline"),
                do=[
                    {"key": "test", "label": "Test"},
                    {"key": "delete", "label": "Delete", "tone": "danger", "disabled": not user.permits("editor")},
                ],
            )
            for one in found
        ]
        columns = (
            lists.Column("name", "Connection", "name"),
            lists.Column("kind", "Kind", "dim"),
            lists.Column("used", "Used by", "dim"),
            lists.Column("do", "", "actions"),
        )
        happened = lists.draw(
            "connections",
            columns,
            rows,
            opens=True,
            empty="No connections yet. One gives a name to a database, a folder or a web API.",
        )
        if happened.opened:
            place.set_params(connection=happened.opened)
            st.rerun()
        if happened.action == "test" and happened.row:
            with st.spinner("Trying …"):
                result = services.connections.test(happened.row)
            show = st.success if result["ok"] else st.error
            show(f"{result['message']} ({words.duration(result['duration_ms'] / 1000)})")
        if happened.action == "delete" and happened.row:
            row_id = happened.row
            parts.confirm(
                "Delete this connection?",
                "Pipelines can no longer use it.",
                "Delete",
                lambda: services.connections.delete(row_id, author=user.name),
                "Connection deleted.",
            )
    with right, st.container(border=True):
        connection_form.draw(services, user, place.param("connection"))


def people() -> None:
    if not frame.auth_required():
        st.info(
            "Sign-in is off, since only this machine can reach the studio. Set ETLML_AUTH=required to ask for it.",
            icon=":material/lock_open:",
        )
    found = services.users.list(limit=200).items
    rows = [
        lists.row(
            one.id,
            name={"text": one.name, "sub": "shut out" if one.disabled else ""},
            role=one.role,
            at=lists.when(one.created_at),
            do=[
                {"key": "shut", "label": "Let in" if one.disabled else "Shut out"},
                {"key": "delete", "label": "Delete", "tone": "danger"},
            ]
            if ADMIN
            else [],
        )
        for one in found
    ]
    columns = (
        lists.Column("name", "Name", "name"),
        lists.Column("role", "Role", "dim"),
        lists.Column("at", "Since", "time"),
        lists.Column("do", "", "actions"),
    )
    happened = lists.draw("users", columns, rows, opens=False, empty="No users yet.")
    if happened.row and happened.action:
        change_user(happened.row, happened.action)
    if ADMIN:
        with st.expander("Add a person"), st.form("user_form", border=False, clear_on_submit=True):
            name, role = st.text_input("Name"), st.selectbox("Role", ROLES, index=1)
            password = st.text_input("Password", type="password", help="At least 10 characters.")
            if st.form_submit_button("Add", type="primary"):
                with parts.shown_errors():
                    services.users.create(name, password, role=role, author=user.name)
                    parts.toast_later(f"{name} can sign in.")
                    st.rerun()


def change_user(user_id: str, action: str) -> None:
    if action == "delete":
        parts.confirm(
            "Delete this user?",
            "They can no longer sign in.",
            "Delete",
            lambda: services.users.delete(user_id, author=user.name),
            "User deleted.",
        )
        return
    disabled = services.users.get(user_id).disabled
    if parts.attempt(lambda: services.users.update(user_id, disabled=not disabled, author=user.name), "Changed."):
        st.rerun()


def keys() -> None:
    rows = [
        lists.row(
            one.id,
            name={"text": one.name, "sub": f"{one.prefix}…"},
            role=one.role,
            used=lists.when(one.last_used_at),
            until=lists.when(one.expires_at),
            do=[{"key": "revoke", "label": "Revoke", "tone": "danger"}] if ADMIN else [],
        )
        for one in services.api_keys.list(limit=100).items
    ]
    columns = (
        lists.Column("name", "Key", "name"),
        lists.Column("role", "Role", "dim"),
        lists.Column("used", "Last used", "time"),
        lists.Column("until", "Expires", "time"),
        lists.Column("do", "", "actions"),
    )
    happened = lists.draw("keys", columns, rows, opens=False, empty="No keys yet. Programs sign in with one.")
    if happened.action == "revoke" and happened.row:
        row_id = happened.row
        parts.confirm(
            "Revoke this key?",
            "Programs that use it are shut out at once.",
            "Revoke",
            lambda: services.api_keys.delete(row_id, author=user.name),
            "Key revoked.",
        )
    if ADMIN:
        with st.expander("Create a key"), st.form("key_form", border=False):
            name, role = st.text_input("Name"), st.selectbox("Role", ROLES, index=1)
            days = st.number_input("Expires after (days)", 1, 3650, None, placeholder="never")
            if st.form_submit_button("Create", type="primary"):
                with parts.shown_errors():
                    expires = utc_now() + timedelta(days=days) if days else None
                    _, key = services.api_keys.create(name, role=role, expires_at=expires, author=user.name)
                    st.success("Copy it now: it is not shown again.")
                    st.code(key, language="text")


def preferences(*names: str) -> None:
    """A form of some preferences."""
    current = services.settings.get()
    shown = [one for one in fields.fields_of(Preferences) if one.name in names]
    key = f"pref.{st.session_state.get('pref_form', 0)}"
    now = forms.draw(
        [forms.replace(one, required=True) for one in shown],
        {n: getattr(current, n) for n in names},
        forms.Surroundings(key=key, disabled=not ADMIN),
    )
    changed = {name: now[name] for name in names if name in now and now[name] != getattr(current, name)}
    if ADMIN and st.button("Keep", type="primary", key=f"keep_{names[0]}", disabled=not changed):
        try:
            services.settings.update(changed, author=user.name)
        except EtlmlError as error:
            st.error(error.message, icon=":material/error:")
            return
        parts.toast_later("Kept.")
        st.rerun()


def engine() -> None:
    health = services.health.check()
    rows = [
        lists.row(
            w["id"],
            name={"text": w["host"], "sub": f"process {w['pid']}"},
            slots=f"{w['running']} of {w['slots']}",
            since=lists.when(w["started_at"]),
            beat=lists.when(w["heartbeat_at"]),
        )
        for w in health["workers"]
    ]
    columns = (
        lists.Column("name", "Worker", "name"),
        lists.Column("slots", "Slots busy", "number"),
        lists.Column("since", "Started", "time"),
        lists.Column("beat", "Last heartbeat", "time"),
    )
    parts.section("Workers")
    lists.draw(
        "workers", columns, rows, opens=False, empty="No worker is alive, so runs wait. Start one with `etlml worker`."
    )
    environment = frame.environment()
    parts.section("Set at the start", "environment variables or .env")
    st.html(
        parts.table_html(
            {
                "ETLML_WORKER_SLOTS": str(environment.worker_slots),
                "ETLML_RUN_MEMORY": words.size(environment.run_memory),
                "ETLML_HOME": str(environment.home),
            }
        )
    )
    parts.section("Schedules")
    preferences("timezone")


def retention() -> None:
    preferences("log_retention_days")
    parts.section("What is stored")
    sizes = services.store.sizes()
    rows = [
        lists.row(
            name,
            name={"text": name.replace("_", " ")},
            documents=words.count(each["documents"]),
            size=words.size(each["bytes"]),
        )
        for name, each in sorted(sizes.items(), key=lambda pair: -pair[1]["bytes"])
    ]
    lists.draw(
        "sizes",
        (
            lists.Column("name", "Collection", "name"),
            lists.Column("documents", "Documents", "number"),
            lists.Column("size", "Size", "number"),
        ),
        rows,
        opens=False,
    )


def appearance() -> None:
    st.caption("Light or dark follows your system.")
    preferences("environment_name", "environment_color")


def system() -> None:
    health = services.health.check()
    tone = {"ok": "ok", "degraded": "warn"}.get(health["status"], "bad")
    st.html(
        parts.tone_pill(
            {"ok": "Everything works", "degraded": "Works, with something to mend"}.get(health["status"], "Down"), tone
        )
    )  # type: ignore[arg-type]
    left, right = st.columns(2, gap="large")
    with left:
        parts.section("Doctor")
        with st.spinner("Looking …"):
            checks = services.doctor.run()
        icons = {"ok": "ok", "warn": "warn", "fail": "bad"}
        lines = "".join(
            f'<div><i class="dot {icons[c.status]}"></i>'
            f'<span class="what">{parts.escaped(c.message)}<small>{parts.escaped(c.mend)}</small></span>'
            f'<span class="when">{parts.escaped(c.name)}</span></div>'
            for c in checks
        )
        st.html(f'<div class="feed">{lines}</div>')
    with right:
        parts.section("Versions")
        st.html(parts.table_html({name: str(version) for name, version in health["versions"].items()}))
        facts = services.store.facts()
        parts.section("MongoDB")
        latency = health["mongodb"]["latency_ms"]
        st.html(
            parts.table_html(
                {
                    "Version": facts.version,
                    "Replica set": facts.replica_set or "none",
                    "Answers in": f"{latency} ms" if latency is not None else words.MISSING,
                }
                | {
                    "Documents": words.count(facts.documents),
                    "Size": words.size(facts.bytes),
                    "Free disk": words.size(health["disk"]["free_bytes"]),
                }
            )
        )


TABS: dict[str, Callable[[], None]] = {
    "Connections": connections,
    "People": people,
    "API keys": keys,
    "Engine": engine,
    "Retention": retention,
    "Appearance": appearance,
    "System": system,
}
parts.head("Settings")
for tab, draw in zip(
    st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params"), TABS.values(), strict=True
):
    with tab:
        if tab.open:
            with parts.shown_errors():
                draw()
