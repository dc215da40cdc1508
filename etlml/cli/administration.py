"""Messages, secrets, settings and how the pages look."""

import sys
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json, given, words
from etlml.cli.output import local, print_json, print_list, print_table

if TYPE_CHECKING:
    from etlml.cli.output import Columns
    from etlml.documents import Channel
CHANNELS: "Columns[Channel]" = {
    "CHANNEL": lambda one: one.name,
    "SERVICE": lambda one: one.service,
    "EVENTS": lambda one: ", ".join(one.events),
    "STATE": lambda one: "on" if one.enabled else "off",
    "LAST SENT": lambda one: local(one.last_sent_at),
}


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
    from etlml.cli.session import services

    lists = given(events=events, pipelines=pipelines, tags=tags)
    changes: dict[str, Any] = {field: words(text) for field, text in lists.items()}
    changes |= given(url=sys.stdin.readline().strip() if url == "-" else url, enabled=enable, name=rename)
    with services() as opened:
        channels = opened.notifications
        if name is None:
            empty = "No channels yet. Add one: etlml notify team --url json://host/path"
            print_list(channels.list(limit=1000).items, CHANNELS, as_json=as_json, empty=empty)
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


def secret(
    name: Annotated[str | None, typer.Argument(help="A secret; without it, all names are listed.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the stored secret.")] = False,
    as_json: Json = False,
) -> None:
    """List secrets by name, or store one that is typed or comes on standard input; values are never shown."""
    from etlml.cli.session import services

    with services() as opened:
        if name is None:
            found = [{"name": one.name, "kept": one.kept} for one in opened.secrets.list()]
            columns = {"SECRET": itemgetter("name"), "KEPT": itemgetter("kept")}
            print_list(found, columns, as_json=as_json, empty="No secrets yet.")
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

    from etlml.cli.session import services

    wanted: dict[str, Any] = {}
    for change in changes or []:
        name, sign, text = change.partition("=")
        if not sign:
            raise typer.BadParameter(f"{change!r} is no NAME=VALUE.")
        wanted[name] = text if name.endswith(("name", "color", "accent", "url")) else yaml.safe_load(text)
    with services() as opened:
        found = opened.settings.update(wanted) if wanted else opened.settings.get()
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
    from etlml.cli.session import services

    wanted = given(mode=mode, accent=accent)
    with services() as opened:
        found = opened.settings.set_appearance(user, wanted) if wanted else opened.settings.appearance(user)
    if as_json:
        print_json(found)
        return
    rows = [(name, "as the settings say" if value is None else value) for name, value in found.model_dump().items()]
    print_table(["SETTING", "VALUE"], rows, empty="")


def _value(name: str, value: object) -> str:
    from etlml.engine.limits import WorkerLimits

    unset = "each machine's own" if name in WorkerLimits.model_fields else "no limit"
    return unset if value is None else str(value)
