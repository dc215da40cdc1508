"""The form of one connection, made from its kind's typed configuration; secrets are written, replaced, removed, never shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from etlml.documents import Connection
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.connection_kinds import CONFIGS, NAMES, secret_fields, secret_name
from etlml.services.connections import without_plain_secrets
from etlml.services.principals import Principal
from etlml.services.probes import PROBES
from etlml.ui import copy_as, fields, forms, parts, place, row_commands
from etlml.ui.one_form import OneForm, one_form, saved


def draw(services: Services, user: Principal, name_or_id: str) -> None:
    """A form for a new connection, or for the one of that name or id."""
    try:
        stored = services.connections.get(name_or_id) if name_or_id else None
    except EtlmlError as error:
        st.info(error.message)
        stored = None
    disabled = not user.permits("operator")
    if disabled and stored is None:
        parts.section("A connection")
        st.caption("Choose one to look at it. Operators and admins may change connections.")
        return
    parts.section(stored.name if stored else "New connection")
    form = one_form("connection")
    key = f"connection_{stored.id if stored else form.suffix}"
    held, written = _fields(stored, key, disabled)
    if disabled:
        st.caption("Operators and admins may change connections.")
        return
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=f"{key}_save", disabled=not held["name"]):
            saved(
                lambda: _save(services, user, held, written, stored, form),
                said=f"Connection {held['name']} saved.",
                param="connection",
            )
        if stored and st.button("New connection", key=f"{key}_new"):
            place.set_params(connection=None)
            st.rerun()
        shown = Connection.model_construct(**{**held, "name": held["name"] or "NAME"})
        parts.command_lines(_commands(shown, list(written), stored))


def _fields(stored: Connection | None, key: str, disabled: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """The connection as it stands in the form, and by field the secrets that were written."""
    kinds = sorted(PROBES, key=lambda kind: NAMES.get(kind, kind))
    name = st.text_input("Name", stored.name if stored else "", key=f"{key}_name", disabled=disabled)
    kind = st.selectbox(
        "Kind",
        kinds,
        index=kinds.index(stored.kind) if stored and stored.kind in kinds else 0,
        key=f"{key}_kind",
        format_func=lambda one: NAMES.get(one, one),
        disabled=disabled,
    )
    around = forms.Surroundings(key=f"{key}_{kind}", disabled=disabled)
    known = dict(stored.config) if stored and stored.kind == kind else {}
    config = forms.draw(fields.fields_of(CONFIGS[kind]), known, around) if kind in CONFIGS else known
    text = st.text_input("Description", stored.description if stored else "", key=f"{key}_text", disabled=disabled)
    kept, written = _secrets(kind, stored, key, disabled)
    return {"name": name, "kind": kind, "config": config, "secrets": kept, "description": text}, written


def _commands(
    shown: Connection, written: Sequence[str], stored: Connection | None
) -> copy_as.Action | dict[str, copy_as.Action]:
    """What the form holds as commands, without what is or may be a secret."""
    safe = without_plain_secrets(shown)[0]
    save = copy_as.connections.save(
        safe.name,
        safe.kind,
        safe.config,
        safe.secrets,
        safe.description,
        written={field: secret_name(safe.name, field) for field in written},
        stored=stored.name if stored else None,
    )
    return {"Save": save, **row_commands.connection(stored.name)} if stored else save


def _secrets(kind: str, stored: Connection | None, key: str, disabled: bool) -> tuple[dict[str, str], dict[str, str]]:
    """The references that stay, and the values that were written, both by field."""
    there = dict(stored.secrets) if stored else {}
    kept: dict[str, str] = {}
    written: dict[str, str] = {}
    for field in secret_fields(kind, there):
        label = field.replace("_", " ").capitalize()
        if field not in there:
            value = st.text_input(
                label,
                type="password",
                key=f"{key}_{field}_set",
                disabled=disabled,
                placeholder="not set",
                help="Stored where only this installation can read it. It is not shown again.",
                autocomplete="new-password",
            )
        else:
            what = st.segmented_control(
                f"{label}: set, from {there[field]}",
                ["Keep", "Replace", "Remove"],
                default="Keep",
                key=f"{key}_{field}_what",
                disabled=disabled,
            )
            if what in (None, "Keep"):
                kept[field] = there[field]
            value = ""
            if what == "Replace":
                value = st.text_input(
                    f"New {field}", type="password", key=f"{key}_{field}_new", autocomplete="new-password"
                )
        if value:
            written[field] = value
    return kept, written


def _save(
    services: Services,
    user: Principal,
    document: dict[str, Any],
    written: Mapping[str, str],
    stored: Connection | None,
    form: OneForm,
) -> None:
    secrets = dict(document["secrets"])
    for field, value in written.items():
        name = secret_name(str(document["name"]), field)
        services.secrets.set(name, value, author=user.name)
        secrets[field] = f"${{secret.{name}}}"
    document = {**document, "secrets": secrets}
    if stored:
        services.connections.update(stored.id, document, author=user.name)
        return
    form.create(
        services,
        get=services.connections.get,
        create=lambda new_id: services.connections.create(document, author=user.name, document_id=new_id),
    )
