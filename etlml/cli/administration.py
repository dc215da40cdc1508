"""Messages, secrets, settings and how the pages look."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json

if TYPE_CHECKING:
    from etlml.documents import Channel


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (notify, secret, settings, appearance):
        app.command()(command)


def notify(
    name: Annotated[str | None, typer.Argument(help="A channel; without it, all are listed.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Add the channel, or give it this URL; - reads it from standard input.")
    ] = None,
    events: Annotated[str | None, typer.Option(help="What it tells, e.g. run_failed,run_recovered.")] = None,
    pipelines: Annotated[str | None, typer.Option(help="Only these pipelines, by name.")] = None,
    tags: Annotated[str | None, typer.Option(help="Only pipelines with one of these tags.")] = None,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help="Give it this name.")] = None,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Switch it on or off.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the channel.")] = False,
    as_json: Json = False,
) -> None:
    """List notification channels, add or change one, or send one a test message. Exit code 1 if that is not taken."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services

    lists = {"events": events, "pipelines": pipelines, "tags": tags}
    changes: dict[str, Any] = {key: _words(text) for key, text in lists.items() if text is not None}
    if url is not None:
        changes["url"] = sys.stdin.readline().strip() if url == "-" else url
    if enable is not None:
        changes["enabled"] = enable
    if rename is not None:
        changes["name"] = rename
    with services() as opened:
        channels = opened.notifications
        if name is None:
            _list_channels(channels.list(limit=1000).items, as_json=as_json)
            return
        if delete:
            channels.delete(name)
            typer.echo(f"Removed {name}.")
            return
        if changes:
            there = channels.has(name)
            channel = channels.update(name, changes) if there else channels.create({"name": name, **changes})
            print_json(channel) if as_json else typer.echo(f"{'Changed' if there else 'Added'} {name}.")
            return
        result = channels.test(name)
    print_json(result) if as_json else typer.echo(result["message"])
    if not result["ok"]:
        raise typer.Exit(1)


def _list_channels(channels: Sequence["Channel"], *, as_json: bool) -> None:
    from etlml.cli.output import local, print_json, print_table

    if as_json:
        print_json(channels)
        return
    rows = [
        (one.name, one.service, ", ".join(one.events), "on" if one.enabled else "off", local(one.last_sent_at))
        for one in channels
    ]
    empty = "No channels yet. Add one: etlml notify team --url json://host/path"
    print_table(["CHANNEL", "SERVICE", "EVENTS", "STATE", "LAST SENT"], rows, empty=empty)


def secret(
    name: Annotated[str | None, typer.Argument(help="A secret; without it, all names are listed.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the stored secret.")] = False,
    as_json: Json = False,
) -> None:
    """List secrets by name, or store one that is typed or comes on standard input; values are never shown."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        if name is None:
            found = opened.secrets.list()
            rows = [(one.name, one.kept) for one in found]
            plain = [{"name": one.name, "kept": one.kept} for one in found]
            print_json(plain) if as_json else print_table(["SECRET", "KEPT"], rows, empty="No secrets yet.")
        elif delete:
            opened.secrets.delete(name)
            typer.echo(f"Removed {name}.")
        else:
            value = typer.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
            kept = opened.secrets.set(name, value)
            typer.echo(f"Stored {kept.name}. Use it as ${{secret.{kept.name}}}.")


def settings(
    changes: Annotated[list[str] | None, typer.Argument(help="NAME=VALUE; an empty value is no limit.")] = None,
    as_json: Json = False,
) -> None:
    """Show the settings that people change while everything runs, or change some of them."""
    import yaml

    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    given: dict[str, Any] = {}
    for change in changes or []:
        name, sign, text = change.partition("=")
        if not sign:
            raise typer.BadParameter(f"{change!r} is no NAME=VALUE.")
        given[name] = text if name.endswith(("name", "color", "accent", "url")) else yaml.safe_load(text)
    with services() as opened:
        found = opened.settings.update(given) if given else opened.settings.get()
    if as_json:
        print_json(found)
        return
    rows = [(name, _value(name, value)) for name, value in found.model_dump().items()]
    print_table(["SETTING", "VALUE"], rows, empty="")


def appearance(
    mode: Annotated[str | None, typer.Option(help="system (as the browser), light or dark.")] = None,
    accent: Annotated[str | None, typer.Option(help="A colour like #0f766e; an empty one is the default.")] = None,
    user: Annotated[str, typer.Option(metavar="NAME", help="Whose; local where sign-in is off.")] = "local",
    as_json: Json = False,
) -> None:
    """Show how the pages look to a person, or change it; open pages follow with their next step."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    given = {name: value for name, value in (("mode", mode), ("accent", accent)) if value is not None}
    with services() as opened:
        found = opened.settings.set_appearance(user, given) if given else opened.settings.appearance(user)
    if as_json:
        print_json(found)
        return
    rows = [(name, "as the settings say" if value is None else value) for name, value in found.model_dump().items()]
    print_table(["SETTING", "VALUE"], rows, empty="")


def _value(name: str, value: object) -> str:
    from etlml.engine.limits import WorkerLimits

    unset = "each machine's own" if name in WorkerLimits.model_fields else "no limit"
    return unset if value is None else str(value)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
