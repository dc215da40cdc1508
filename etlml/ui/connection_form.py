"""The form of one connection; secrets are written as references only, and never shown."""

from collections.abc import Mapping

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.services.probes import PROBES
from etlml.ui import parts, place

FIELDS: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("path",),
    "duckdb": ("path",),
    "folder": ("path",),
    "http": ("url",),
}


def draw(services: Services, user: Principal, connection_id: str) -> None:
    """A form for a new connection, or for the one of that id."""
    try:
        stored = services.connections.get(connection_id) if connection_id else None
    except EtlmlError:
        stored = None
    parts.section(f"Change {stored.name}" if stored else "New connection")
    key = f"connection_{connection_id}"
    kinds = sorted(PROBES)
    name = st.text_input("Name", stored.name if stored else "", key=f"{key}_name")
    kind = st.selectbox(
        "Kind", kinds, index=kinds.index(stored.kind) if stored and stored.kind in kinds else 0, key=f"{key}_kind"
    )
    config = {
        field: st.text_input(
            field.capitalize(), str((stored.config if stored else {}).get(field, "")), key=f"{key}_{kind}_{field}"
        )
        for field in FIELDS.get(str(kind), ("path",))
    }
    secrets = _secrets(stored.secrets if stored else {}, key)
    text = st.text_input("Description", stored.description if stored else "", key=f"{key}_text")
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=f"{key}_save", disabled=not name or not user.permits("editor")):
            document = {
                "name": name,
                "kind": kind,
                "config": {k: v for k, v in config.items() if v},
                "secrets": secrets,
                "description": text,
            }
            _save(services, user, document, connection_id if stored else "")
        if stored and st.button("New", key=f"{key}_new"):
            place.set_params(connection=None)
            st.rerun()


def _secrets(stored: Mapping[str, str], key: str) -> dict[str, str]:
    with st.expander("Secrets"):
        st.caption(
            "Put a secret into the environment as ETLML_SECRET_NAME, and name it here. It is never stored and never shown."
        )
        field = st.text_input("Field", next(iter(stored), ""), key=f"{key}_secret_field", placeholder="password")
        reference = next(iter(stored.values()), "").removeprefix("${secret.").removesuffix("}")
        name = st.text_input("Secret", reference, key=f"{key}_secret_name", placeholder="WAREHOUSE")
    others = dict(list(stored.items())[1:])
    return {**({field: f"${{secret.{name}}}"} if field and name else {}), **others}


def _save(services: Services, user: Principal, document: Mapping[str, object], connection_id: str) -> None:
    try:
        if connection_id:
            services.connections.update(connection_id, document, author=user.name)
        else:
            services.connections.create(document, author=user.name)
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
        return
    parts.toast_later(f"Connection {document['name']} saved.")
    place.set_params(connection=None)
    st.rerun()
