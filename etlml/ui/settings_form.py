"""A form of some of the settings that people change while everything runs."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.preferences import Preferences
from etlml.services.principals import Principal
from etlml.ui import copy_as, fields, forms, parts
from etlml.ui import format as words

LABELS: Mapping[str, str] = {"timezone": "Time zone", "public_url": "Address of the studio"}


def draw(services: Services, user: Principal, *names: str) -> None:
    """These settings; whoever is no admin sees them read-only."""
    current = services.settings.get()
    shown = [
        replace(one, required=True, label=LABELS.get(one.name, one.label))
        for one in fields.fields_of(Preferences)
        if one.name in names
    ]
    around = forms.Surroundings(key=f"pref_{names[0]}", disabled=not user.permits("admin"))
    now = forms.draw(shown, {name: getattr(current, name) for name in names}, around)
    defaults = Preferences()
    given = {name: now.get(name, getattr(defaults, name)) for name in names}
    save(services, user, different(current, given), key=f"save_{names[0]}")


def different(current: Preferences, given: Mapping[str, object]) -> dict[str, object]:
    """What of the given values is not so already."""
    return {name: value for name, value in given.items() if value != getattr(current, name)}


def save(services: Services, user: Principal, changed: Mapping[str, object], *, key: str) -> None:
    """The button that saves what was changed; for whoever is no admin, a word in its place."""
    if not user.permits("admin"):
        st.caption("Admins may change this.")
        return
    with st.container(horizontal=True):
        pressed = st.button("Save", type="primary", key=key, disabled=not changed)
        if changed:
            parts.command_lines(copy_as.settings.change(changed))
    if pressed:
        try:
            services.settings.update(changed, author=user.name)
        except EtlmlError as error:
            st.error(words.told(error.message), icon=":material/error:")
            return
        parts.toast_later("Saved.")
        st.rerun()
