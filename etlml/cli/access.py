"""Who and what gets in: connections to outside systems, people, keys of programs."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json, one_of, pairs

if TYPE_CHECKING:
    from etlml.services import Services

ROLES = ["viewer", "editor", "operator", "admin"]
Role = Annotated[str | None, typer.Option(help=f"What they may do: {', '.join(ROLES)}.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (connections, users, keys):
        app.command()(command)


def connections(
    name: Annotated[str | None, typer.Argument(help="A connection; without it, all are listed.")] = None,
    kind: Annotated[str | None, typer.Option(help="Add it, or write it anew, as one of this kind.")] = None,
    values: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field; may be repeated.")] = [],  # noqa: B006
    secrets: Annotated[
        list[str], typer.Option("--secret", metavar="FIELD=SECRET", help="A field whose value is that stored secret.")
    ] = [],  # noqa: B006
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help="Give it this name.")] = None,
    test: Annotated[bool, typer.Option("--test", help="Try to reach what is behind it.")] = False,
    as_json: Json = False,
) -> None:
    """List connections, show or test one, add one or change some of its fields. Exit code 1 if a test fails."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    config = pairs(values, option="--set")
    kept = {field: f"${{secret.{secret}}}" for field, secret in pairs(secrets, option="--secret").items()}
    with services() as opened:
        if name is None:
            found = opened.connections.list(limit=1000).items
            rows = [(one.name, one.kind, one.description) for one in found]
            empty = "No connections yet. Add one: etlml connections NAME --kind KIND --set FIELD=VALUE"
            print_json(found) if as_json else print_table(["CONNECTION", "KIND", "DESCRIPTION"], rows, empty=empty)
            return
        given = {"config": config, "secrets": kept, "kind": kind, "description": description, "name": rename}
        if any(value not in (None, {}) for value in given.values()):
            there = any(one.name == name for one in opened.connections.list(q=name, limit=1000).items)
            before = opened.connections.get(name).model_dump() if there or kind is None else {}
            document = {**_merged(before, given), "name": rename or name}
            changed = opened.connections.update(name, document) if there else opened.connections.create(document)
            print_json(changed) if as_json else typer.echo(f"{'Changed' if there else 'Added'} {name}.")
        elif not test:
            print_json(opened.connections.get(name))
        if test:
            _test(opened, name, as_json=as_json)


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The connection with what was given put over what it has; with a kind, its fields are those that were given."""
    kept = before if given["kind"] is None else {}
    return {
        "kind": given["kind"] or before["kind"],
        "config": {**kept.get("config", {}), **given["config"]},
        "secrets": {**kept.get("secrets", {}), **given["secrets"]},
        "description": before.get("description", "") if given["description"] is None else given["description"],
    }


def _test(opened: "Services", name: str, *, as_json: bool) -> None:
    from etlml.cli.output import print_json

    result = opened.connections.test(name)
    print_json(result) if as_json else typer.echo(result["message"])
    if not result["ok"]:
        raise typer.Exit(1)


def users(
    name: Annotated[str | None, typer.Argument(help="A person; without it, all are listed.")] = None,
    role: Role = None,
    add: Annotated[bool, typer.Option("--add", help="Add this person; the password is asked for.")] = False,
    password: Annotated[bool, typer.Option("--password", help="Give a new password, which is asked for.")] = False,
    disable: Annotated[bool | None, typer.Option("--disable/--enable", help="Shut out, or let in again.")] = None,
    as_json: Json = False,
) -> None:
    """List people, add one or change one. A password is typed or comes on standard input, never as an option."""
    from etlml.cli.output import local, print_json, print_table
    from etlml.cli.session import services

    wanted: Any = one_of(ROLES, role, "--role")
    with services() as opened:
        if name is None:
            found = opened.users.list(limit=1000).items
            rows = [(one.name, one.role, "shut out" if one.disabled else "", local(one.created_at)) for one in found]
            if as_json:
                print_json([one.model_dump(exclude={"password_hash"}) for one in found])
            else:
                print_table(["NAME", "ROLE", "STATE", "SINCE"], rows, empty="No users yet.")
            return
        if add:
            user = opened.users.create(name, _typed(), role=wanted or "editor")
        elif wanted is None and disable is None and not password:
            user = opened.users.get(name)
        else:
            user = opened.users.update(name, role=wanted, disabled=disable, password=_typed() if password else None)
    shown = user.model_dump(exclude={"password_hash"})
    state = ", shut out" if user.disabled else ""
    print_json(shown) if as_json else typer.echo(f"{user.name}: {user.role}{state}")


def keys(
    name: Annotated[str | None, typer.Argument(help="Create a key of this name; without it, all are listed.")] = None,
    role: Role = "editor",
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="It expires after so many days.")] = None,
    as_json: Json = False,
) -> None:
    """List API keys, or create one, which is printed this once. `etlml delete key ID` revokes one."""
    from etlml.cli.output import local, print_json, print_table
    from etlml.cli.session import services
    from etlml.clock import utc_now

    wanted: Any = one_of(ROLES, role, "--role") or "editor"
    with services() as opened:
        if name is None:
            found = opened.api_keys.list(limit=1000).items
            rows = [(one.id, one.name, one.role, local(one.last_used_at), local(one.expires_at)) for one in found]
            if as_json:
                print_json([one.model_dump(exclude={"key_hash"}) for one in found])
            else:
                print_table(["ID", "KEY", "ROLE", "LAST USED", "EXPIRES"], rows, empty="No keys yet.")
            return
        expires = utc_now() + timedelta(days=days) if days else None
        document, key = opened.api_keys.create(name, role=wanted, expires_at=expires)
    if as_json:
        print_json({**document.model_dump(exclude={"key_hash"}), "key": key})
    else:
        typer.echo(key)
        typer.echo("Keep it: it is not shown again.", err=True)


def _typed() -> str:
    """A password from the terminal or from standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.read().rstrip("\r\n")
