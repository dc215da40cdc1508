"""Settings: light or dark and the accent, for oneself; the environment's name and colour, for all."""

from collections.abc import Mapping

import streamlit as st

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import accents, copy_as, parts, settings_form

MODES: Mapping[str, str] = {"system": "As the system", "light": "Light", "dark": "Dark"}
OWN = "Own colour"
ENVIRONMENTS: Mapping[str, str] = {"Development": "#2563eb", "Test": "#d97706", "Production": "#dc2626"}


def draw(services: Services, user: Principal) -> None:
    """One's own look on the left, the environment on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        parts.section("Your look", "takes effect at once, in every tab of yours")
        _own(services, user)
    with right:
        parts.section("Environment", "shown to everybody, in the side bar and along the top of every page")
        _environment(services, user)


def _own(services: Services, user: Principal) -> None:
    mode, colour = services.settings.look(user.name)
    chosen = st.segmented_control(
        "Light or dark", list(MODES), default=mode, format_func=lambda one: MODES[one], key="look_mode", required=True
    )
    names = {value: name for name, value in accents.ACCENTS.items()}
    current = names.get(colour or accents.DEFAULT.light, OWN)
    name = st.pills("Accent", [*accents.ACCENTS, OWN], default=current, key="look_accent", required=True)
    wanted = accents.ACCENTS.get(name or "")
    if wanted is None:
        wanted = st.color_picker("Own colour", colour or accents.DEFAULT.light, key="look_colour")
    shown = accents.accent(wanted)
    st.html(
        f'<div class="swatches"><span style="background:{shown.light}">Light pages</span>'
        f'<span style="background:{shown.dark}">Dark pages</span></div>'
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("An accent that would be hard to read is made a little darker or lighter.")
        parts.command_lines(copy_as.settings.look(str(chosen), wanted, user.name))
    if (chosen, wanted) != (mode, colour or accents.DEFAULT.light):
        with parts.shown_errors():
            services.settings.set_appearance(user.name, {"mode": chosen, "accent": wanted})
            st.rerun()


def _environment(services: Services, user: Principal) -> None:
    admin = user.permits("admin")
    current = services.settings.get()
    name = st.text_input(
        "Name",
        current.environment_name,
        max_chars=40,
        placeholder="none",
        key="env_name",
        disabled=not admin,
        help="An empty name takes the strip away.",
    )
    colour = st.color_picker(
        "Colour",
        current.environment_color or ENVIRONMENTS.get(name, "#64748b"),
        key=f"env_colour_{name if name in ENVIRONMENTS else ''}",
        disabled=not admin,
    )
    now = {"environment_name": name.strip(), "environment_color": colour if name.strip() else ""}
    changed = {key: value for key, value in now.items() if value != getattr(current, key)}
    settings_form.save(services, user, changed, key="save_environment")
