"""Settings: where messages go, and about what."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import streamlit as st

from etlml.documents import Channel, NotificationEvent
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import copy_as, lists, parts, place, row_commands
from etlml.ui.one_form import OneForm, one_form, saved
from etlml.ui.settings_connections import show_test

EVENTS: Mapping[NotificationEvent, str] = {
    "run_failed": "A run failed",
    "run_recovered": "A run succeeded again",
    "run_succeeded": "A run succeeded",
    "schedule_missed": "A scheduled run was missed",
    "validation_failed": "Data broke its rules",
    "validation_warned": "Data broke a rule of low severity",
    "quarantine": "Rows were set aside",
}
KEPT = "As it is"
ANY = "Any other service"


class Preset(NamedTuple):
    """A service whose URL is put together from a few fields."""

    url: str
    fields: tuple[tuple[str, str], ...]


PRESETS: Mapping[str, Preset] = {
    "E-mail": Preset(
        "mailtos://{user}:{password}@{server}?to={to}",
        (("server", "smtp.example.org"), ("user", "me"), ("password", ""), ("to", "team@example.org")),
    ),
    "Slack": Preset("{address}", (("address", "https://hooks.slack.com/services/…"),)),
    "Webhook (JSON)": Preset("{address}", (("address", "https://example.org/hook"),)),
    ANY: Preset("{url}", (("url", "ntfy://topic"),)),
}
COLUMNS = (
    lists.Column("name", "Channel", "name"),
    lists.Column("events", "Tells when", "dim"),
    lists.Column("sent", "Last message", "time"),
    lists.Column("do", "", "actions"),
)


def draw(services: Services, user: Principal) -> None:
    """The list on the left, a form on the right."""
    if not user.permits("operator"):
        parts.empty("Messages about runs and data", "Operators see the channels, admins change them.")
        return
    if not user.permits("admin"):
        _list(services, user)
        return
    left, right = st.columns([2, 1], gap="medium")
    with left:
        _list(services, user)
    with right, st.container(border=True):
        _form(services, user, place.param("channel"))


def _list(services: Services, user: Principal) -> None:
    admin = user.permits("admin")
    found = services.notifications.list(limit=200).items
    rows = [
        lists.row(
            one.id,
            name={"text": one.name, "sub": f"{one.service}, {_note(one)}" if one.service else _note(one)},
            events=", ".join(EVENTS[event].lower() for event in one.events[:1])
            + (f" and {len(one.events) - 1} more" if len(one.events) > 1 else ""),
            sent=lists.when(one.last_sent_at),
            do=[
                {"key": "test", "label": "Test"},
                *([{"key": "toggle", "label": "Switch off" if one.enabled else "Switch on"}] if admin else []),
                *([{"key": "delete", "label": "Delete", "tone": "danger"}] if admin else []),
            ],
        )
        for one in found
    ]
    empty = "No channels yet. One tells your team when a run fails, by e-mail, Slack or a webhook."
    copies = {one.id: row_commands.channel(one) for one in found if admin}
    happened = lists.draw("channels", COLUMNS, rows, opens=admin, empty=empty, copies=copies)
    if happened.opened:
        place.set_params(channel=happened.opened)
        st.rerun()
    channels = {one.id: one for one in found}
    if happened.action and happened.row in channels:
        _act(services, user, channels[happened.row], happened.action)
    channel_id, result = st.session_state.get("channel_test", ("", {}))
    if channel_id in channels:
        show_test(channels[channel_id].name, result)


def _note(channel: Channel) -> str:
    if not channel.enabled:
        return "switched off"
    if channel.last_error:
        return f"last message failed: {channel.last_error}"
    scope = [*channel.pipelines, *(f"tag {tag}" for tag in channel.tags)]
    return ", ".join(scope[:4]) if scope else "all pipelines"


def _act(services: Services, user: Principal, channel: Channel, action: str) -> None:
    if action == "test":
        with st.spinner("Sending …"):
            st.session_state["channel_test"] = (channel.id, services.notifications.test(channel.id))
    elif action == "toggle":
        changes = {"enabled": not channel.enabled}
        if parts.attempt(lambda: services.notifications.update(channel.id, changes, author=user.name), "Changed."):
            st.rerun()
    else:
        parts.confirm(
            f"Delete {channel.name}?",
            "Nothing is sent there any more. Its address is forgotten.",
            "Delete",
            lambda: services.notifications.delete(channel.id, author=user.name),
            "Channel deleted.",
            commands=copy_as.channels.delete(channel.name),
        )


def _form(services: Services, user: Principal, name_or_id: str) -> None:
    try:
        stored = services.notifications.get(name_or_id) if name_or_id else None
    except EtlmlError:
        stored = None
    form = one_form("channel")
    key = f"channel_{stored.id if stored else form.suffix}"
    parts.section(stored.name if stored else "New channel")
    held = _fields(services, stored, key)
    name, url = held["name"], held.get("url")
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=f"{key}_save", disabled=not name or not (url or stored)):
            saved(lambda: _save(services, user, held, stored, form), said=f"Channel {name} saved.", param="channel")
        if stored and st.button("New channel", key=f"{key}_new"):
            place.set_params(channel=None)
            st.rerun()
        parts.command_lines(_commands(held, stored))


def _fields(services: Services, stored: Channel | None, key: str) -> dict[str, Any]:
    """The channel as it stands in the form; without a URL if that stays as it is, or is not complete."""
    name = st.text_input("Name", stored.name if stored else "", key=f"{key}_name", placeholder="team")
    url = _url(stored, key)
    events = st.multiselect(
        "Tells when",
        list(EVENTS),
        default=stored.events if stored else ["run_failed", "run_recovered"],
        format_func=lambda event: EVENTS[event],
        key=f"{key}_events",
    )
    pipelines = st.multiselect(
        "Only these pipelines",
        sorted({*services.pipelines.names(), *(stored.pipelines if stored else ())}),
        default=stored.pipelines if stored else [],
        placeholder="all",
        key=f"{key}_pipelines",
    )
    tags = st.multiselect(
        "Only pipelines with a tag",
        stored.tags if stored else [],
        default=stored.tags if stored else [],
        accept_new_options=True,
        placeholder="any",
        key=f"{key}_tags",
    )
    return {"name": name, "events": events, "pipelines": pipelines, "tags": tags} | ({"url": url} if url else {})


def _commands(held: Mapping[str, Any], stored: Channel | None) -> copy_as.Action | dict[str, copy_as.Action]:
    """What the form holds as commands, without the URL, which is a secret."""
    save = copy_as.channels.save(
        held["name"] or "NAME",
        held["events"],
        held["pipelines"],
        held["tags"],
        url="url" in held or stored is None,
        stored=stored.name if stored else None,
    )
    return {"Save": save, **row_commands.channel(stored)} if stored else save


def _url(stored: Channel | None, key: str) -> str:
    """The URL that was put together now; empty if it stays as it is, or is not complete."""
    options = [*([KEPT] if stored else []), *PRESETS]
    service = st.selectbox("Where to", options, key=f"{key}_service")
    if service == KEPT or service is None:
        st.caption(f"{stored.service if stored else ''}: the address is kept and not shown.")
        return ""
    preset = PRESETS[service]
    values = {
        field: st.text_input(
            field.capitalize() if field != "url" else "URL",
            key=f"{key}_{service}_{field}",
            placeholder=example,
            type="password" if field in ("password", "address", "url") else "default",
            autocomplete="off",
        )
        for field, example in preset.fields
    }
    if service == ANY:
        st.caption("A URL in apprise's notation: [all services](https://github.com/caronc/apprise/wiki).")
    return built_url(service, values)


def built_url(service: str, values: Mapping[str, str]) -> str:
    """The URL of a preset with these values; empty while one is missing."""
    if not all(values.values()):
        return ""
    if service in (ANY, "Slack"):  # their own addresses are understood as they are
        return next(iter(values.values())).strip()
    if service == "Webhook (JSON)":
        address = values["address"].strip()
        return address.replace("https://", "jsons://", 1).replace("http://", "json://", 1)
    return PRESETS[service].url.format(**{field: _quoted(value.strip(), field) for field, value in values.items()})


def _quoted(value: str, field: str) -> str:
    return value if value.startswith("${") or field in ("server", "to") else quote(value, safe="")


def _save(services: Services, user: Principal, document: dict[str, Any], stored: Channel | None, form: OneForm) -> None:
    if stored:
        services.notifications.update(stored.id, document, author=user.name)
        return
    form.create(
        services,
        get=services.notifications.get,
        create=lambda new_id: services.notifications.create(document, author=user.name, document_id=new_id),
    )
