"""Small parts of every page: heads, pills, facts, empty states, error cards, confirmations."""

import html
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from etlml.documents import ErrorInfo
from etlml.errors import EtlmlError
from etlml.launch import listening
from etlml.mends import split_mend
from etlml.ui import copy_as, place
from etlml.ui import format as words
from etlml.ui.backend import backend
from etlml.ui.copy_as import Action
from etlml.ui.looks import Tone, look

Arguments = ParamSpec("Arguments")
NO_MENU = '<style>[data-testid="stPopoverBody"]:not(:has(.copy-as)){display:none}</style>'
"""In a dialog: hides the menu that opened it, which would lie above it."""
LONG, LONG_HEIGHT = 900, 220
SHELL = "For bash and other POSIX shells. On Windows, Python is the simplest."


def escaped(text: str) -> str:
    """A text as HTML that shows it as it is."""
    return html.escape(text)


def pill_html(status: str | None, label: str | None = None) -> str:
    """A state as a coloured pill."""
    shown = look(status)
    return f'<span class="pill tone-{shown.tone}">{html.escape(label or shown.label)}</span>'


def tone_pill(label: str, tone: Tone) -> str:
    """Any short text as a coloured pill."""
    return f'<span class="pill tone-{tone}">{html.escape(label)}</span>'


def facts_html(facts: Mapping[str, str]) -> str:
    """Pairs in one line, e.g. ``Started 5 minutes ago   Took 2.4 s``."""
    pairs = "".join(
        f"<div><span>{html.escape(key)}</span><b>{html.escape(text)}</b></div>" for key, text in facts.items() if text
    )
    return f'<div class="facts">{pairs}</div>'


def table_html(pairs: Mapping[str, str]) -> str:
    """Pairs as two columns."""
    return (
        '<dl class="kv">'
        + "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in pairs.items())
        + "</dl>"
    )


def head(title: str, *, status: str | None = None, sub: str = "", pill: str = "") -> None:
    """A page's title with its state beside it."""
    shown = pill or (pill_html(status) if status else "")
    st.html(f'<div class="head"><h1>{html.escape(title)}</h1>{shown}<span class="sub">{html.escape(sub)}</span></div>')


def section(title: str, note: str = "") -> None:
    """The heading of a part of a page."""
    st.html(f'<div class="section">{html.escape(title)}<small>{html.escape(note)}</small></div>')


def empty(title: str, text: str = "") -> None:
    """What stands where nothing is yet: what will be here and how to get it."""
    st.html(f'<div class="empty-card"><b>{html.escape(title)}</b><span>{html.escape(text)}</span></div>')


def error_html(error: ErrorInfo | EtlmlError) -> str:
    """An error as a card: what, where, the mend."""
    wrong, mend = split_mend(error.message)
    step = error.step if isinstance(error, ErrorInfo) else error.details.get("step")
    where = f'<div class="where">Step {html.escape(str(step))} · {html.escape(error.type)}</div>' if step else ""
    fix = f'<p class="mend">{html.escape(mend)}</p>' if mend else ""
    return f'<div class="error-card">{where}<p><b>{html.escape(wrong)}</b></p>{fix}</div>'


@contextmanager
def shown_errors() -> Iterator[None]:
    """Shows an EtlmlError where it happens and lets the rest of the page stand."""
    try:
        yield
    except EtlmlError as error:
        st.error(
            words.told(words.value(error.message, 2000)) if "\n" not in error.message else f"```\n{error.message}\n```",
            icon=":material/error:",
        )


def fragment(
    *, run_every: str | None = None, key: str | None = None, about: Mapping[str, str] | None = None
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A part of a page that reruns by itself; an EtlmlError in it is shown in its place.

    Args:
        about: The URL's parameters that say what the page shows, e.g. its id. They are put back at each rerun: while the
            page switches to another id, the browser may still send an event with the URL that was left, and a rerun
            of the whole page from there would show the former thing under the new URL.
    """

    def decorated(draw: Callable[Arguments, None]) -> Callable[Arguments, None]:
        @wraps(draw)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            if about:
                place.set_params(**about)
            with shown_errors():
                draw(*args, **kwargs)

        made: Callable[Arguments, None] = st.fragment(guarded, run_every=run_every, key=key)
        return made

    return decorated


def toast_later(text: str, icon: str = ":material/check:") -> None:
    """A toast that survives the rerun or the page switch that follows."""
    st.session_state.setdefault("toasts", []).append((text, icon))


def pending_toasts() -> None:
    """Shows what ``toast_later`` kept."""
    for text, icon in st.session_state.pop("toasts", []):
        st.toast(text, icon=icon)


def attempt(action: Callable[[], object], done: str) -> bool:
    """Do something that may be refused: a toast when it worked, the reason on the page when not."""
    try:
        action()
    except EtlmlError as error:
        st.toast(error.message, icon=":material/error:", duration="long")
        return False
    toast_later(done)
    return True


def confirm(
    title: str,
    text: str,
    button: str,
    action: Callable[[], object],
    done: str,
    *,
    then: Callable[[], object] | None = None,
    commands: Action | None = None,
) -> None:
    """Ask before what can't be undone; ``commands`` is the same to be copied."""

    @st.dialog(title)
    def ask() -> None:
        st.html(NO_MENU)
        st.write(text)
        with st.container(horizontal=True, horizontal_alignment="right"):
            if commands is not None:
                command_lines(commands)
            if st.button("Go back", key="confirm_no"):
                st.rerun()
            if st.button(button, type="primary", key="confirm_yes") and attempt(action, done):
                if then is not None:
                    then()
                st.rerun()

    ask()


def command_lines(actions: Action | Mapping[str, Action], *, quiet: bool = False) -> None:
    """A button that shows an action, or one of several, as command line, curl and Python, each ready to copy.

    Args:
        quiet: Without a frame, beside buttons that have none.
    """
    about = "Copy as command line, curl or Python"
    with st.popover("", icon=":material/terminal:", help=about, type="tertiary" if quiet else "secondary"):
        st.html('<div class="copy-as">Copy as</div>')
        _draw_each(actions)


@st.dialog("Copy as", width="medium")
def commands_dialog(about: str, actions: Mapping[str, Action]) -> None:
    """What can be done with one thing of a list, as commands."""
    st.caption(about)
    _draw_each(actions)


def _draw_each(actions: Action | Mapping[str, Action]) -> None:
    if isinstance(actions, Action):
        draw_commands(actions)
        return
    for tab, action in zip(st.tabs(list(actions)), actions.values(), strict=True):
        with tab:
            draw_commands(action)


def draw_commands(action: Action) -> None:
    """The three forms of an action, one below the other."""
    environment = backend().settings
    api = listening.url(environment.host, environment.api_port, "/api")
    for form, text in copy_as.shown(action, api, signed_in=environment.auth_required).items():
        st.caption(form, help=SHELL if form == "curl" else None)
        long = len(text) > LONG
        st.code(
            text,
            language="python" if form == "Python" else "bash",
            wrap_lines=True,
            height=LONG_HEIGHT if long else "content",
        )
