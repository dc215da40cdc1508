"""What can be set, and how the system is."""

from collections.abc import Callable

import streamlit as st

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import (
    frame,
    parts,
    settings_appearance,
    settings_connections,
    settings_engine,
    settings_notifications,
    settings_people,
    settings_retention,
    settings_system,
)

services, user = frame.services(), frame.current_user()
TABS: dict[str, Callable[[Services, Principal], None]] = {
    "Connections": settings_connections.draw,
    "People": settings_people.draw,
    "Notifications": settings_notifications.draw,
    "Retention": settings_retention.draw,
    "Engine": settings_engine.draw,
    "Appearance": settings_appearance.draw,
    "System": settings_system.draw,
}

parts.head("Settings")
for tab, draw in zip(
    st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params"), TABS.values(), strict=True
):
    with tab:
        if tab.open:
            with parts.shown_errors():
                draw(services, user)
