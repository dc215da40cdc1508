"""What stands around every page: brand, navigation, health, who is signed in."""

import html
from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from etlml.errors import EtlmlError, NotSignedIn
from etlml.services import Services
from etlml.services.principals import LOCAL, Principal
from etlml.settings import Settings
from etlml.ui import accents, appearance, gate, go_to, news, shortcuts, theme
from etlml.ui.backend import backend
from etlml.ui.place import PAGES

TITLES: Mapping[str, tuple[str, str]] = {
    "dashboard": ("Dashboard", ":material/space_dashboard:"),
    "pipelines": ("Pipelines", ":material/account_tree:"),
    "runs": ("Runs", ":material/play_circle:"),
    "schedules": ("Schedules", ":material/calendar_clock:"),
    "experiments": ("Experiments", ":material/science:"),
    "models": ("Models", ":material/deployed_code:"),
    "validations": ("Validations", ":material/verified:"),
    "logs": ("Logs", ":material/article:"),
    "settings": ("Settings", ":material/settings:"),
    "pipeline": ("Pipeline", ":material/account_tree:"),
    "run": ("Run", ":material/play_circle:"),
    "compare": ("Compare runs", ":material/compare_arrows:"),
    "experiment": ("Experiment", ":material/science:"),
}
PARENTS: Mapping[str, str] = {"pipeline": "pipelines", "run": "runs", "compare": "runs", "experiment": "experiments"}
_HEALTH_S, _AWAY_S = "10s", "3s"
_AWAY = "database_away"
"""Is there while the database is away: whether the page may be drawn anew as soon as it is back."""


def services() -> Services:
    """The use cases, shared by all sessions of this process."""
    return backend().services


def environment() -> Settings:
    """What was set at the start."""
    return backend().settings


def auth_required() -> bool:
    """Whether visitors must sign in."""
    return backend().settings.auth_required


def current_user() -> Principal:
    """Who is looking: the signed-in user, or the person at this machine where sign-in is off."""
    if not backend().settings.auth_required:
        return LOCAL
    return gate.signed_in(st.context.cookies)


def require_user() -> Principal:
    """``current_user``, asked again at each run of the page: a session that ended sees nothing more."""
    try:
        return current_user()
    except NotSignedIn as error:
        theme.apply()
        st.info(error.message, icon=":material/lock:")
        st.html('<a href="/login" target="_self">Sign in</a>')
        st.stop()


def dress(user: Principal) -> None:
    """Put on the viewer's colours; a choice that was made since this tab's last run takes effect at once."""
    look = appearance.look_of(user.name)
    context = get_script_run_ctx()
    if context is not None and appearance.looks.keep(context.session_id, look):
        st.rerun()
    theme.apply(accents.accent(look.accent), look.mode)
    shortcuts.listen(look.mode)


def pages() -> dict[str, StreamlitPage]:
    """Every page by name; those that belong to another one are not in the navigation."""
    return {
        name: st.Page(
            file,
            title=TITLES[name][0],
            icon=TITLES[name][1],
            url_path=name,
            default=name == "dashboard",
            visibility="hidden" if name in PARENTS else "visible",
        )
        for name, file in PAGES.items()
    }


def side_bar(all_pages: Mapping[str, StreamlitPage], current: StreamlitPage, user: Principal) -> None:
    """Brand, links, health."""
    active = next(
        (PARENTS.get(name, name) for name, page in all_pages.items() if page.url_path == current.url_path), ""
    )
    with st.sidebar:
        _brand()
        if st.button(
            "Go to …",
            key="open_search",
            icon=":material/search:",
            width="stretch",
            help="Go to a page, pipeline, run or model by name (Ctrl+K)",
        ):
            go_to.ask(services(), {name: title for name, title in TITLES.items() if name not in PARENTS})
        for name, page in all_pages.items():
            if name in PARENTS:
                continue
            with st.container(key="nav_active" if name == active else f"nav_{name}"):
                st.page_link(page, label=TITLES[name][0], icon=TITLES[name][1], width="stretch")
        with st.container(key="side_foot"):
            if st.button(
                "Keyboard shortcuts", key="open_shortcuts", icon=":material/keyboard:", type="tertiary", help="Press ?"
            ):
                shortcuts.ask()
            if user is not LOCAL:
                st.html(
                    f'<div class="health"><div>{html.escape(user.name)}<b>{user.role}</b></div>'
                    '<div><a href="/logout" target="_self">Sign out</a></div></div>'
                )
            _health(user)


def _brand() -> None:
    """The name, and the environment's with its colour, which also runs along the top of every page."""
    try:
        preferences = services().settings.get()
        name, colour = preferences.environment_name, preferences.environment_color
    except EtlmlError:
        name, colour = "", ""
        st.session_state[_AWAY] = False  # not at once: where only this fails, that would never end
        _pulse.clear()  # it may still say that all is well
    shade = f"--env:{colour or 'var(--dull)'}"
    badge = f'<small style="{shade}">{html.escape(name)}</small>' if name else ""
    strip = f'<div class="env-strip" style="{shade}" title="{html.escape(name)}"></div>' if name else ""
    st.html(f'<div class="brand"><i></i>etlml{badge}</div>{strip}')


def _health(user: Principal) -> None:
    """The strip, drawn again and again; more often while the database is away."""
    st.fragment(_beat, run_every=_AWAY_S if _AWAY in st.session_state else _HEALTH_S)(user)


def _beat(user: Principal) -> None:
    """The strip. When the database is back, the whole page is drawn anew: parts of it may show nothing but an error."""
    pulse = _pulse()
    st.html(health_html(*pulse))
    if not pulse[0] or st.session_state.get(_AWAY) is False:
        st.session_state[_AWAY] = True
    elif st.session_state.pop(_AWAY, False):
        st.rerun()
    else:
        with suppress(EtlmlError):  # the strip says it soon enough if the database has gone away
            news.tell(services(), user)


@st.cache_data(ttl=5, show_spinner=False)
def _pulse() -> tuple[bool, int, int, int]:
    """Whether MongoDB answers, live workers, busy and all slots; asked once for all open tabs."""
    try:
        found = services().health.check()
    except EtlmlError:
        return False, 0, 0, 0
    workers: Sequence[Mapping[str, int]] = found["workers"]
    return found["mongodb"]["ok"], len(workers), sum(w["running"] for w in workers), sum(w["slots"] for w in workers)


def health_html(database: bool, workers: int, busy: int, slots: int) -> str:
    """The strip at the foot of the side bar."""
    worker = f"{busy} of {slots} slots busy" if workers else "none alive"
    return (
        '<div class="health">'
        f'<div><i class="dot {"ok" if database else "bad"}"></i>Database<b>{"ok" if database else "away"}</b></div>'
        f'<div title="{workers} alive"><i class="dot {"ok" if workers else "bad"}"></i>Worker<b>{worker}</b></div>'
        "</div>"
    )
