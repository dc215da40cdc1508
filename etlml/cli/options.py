"""Options that several commands share, and how their texts are read."""

from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many, newest first.")]
Since = Annotated[str | None, typer.Option(help="From then on, such as 2h, 7d or 2026-11-22T14:00.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Watch the run to its end; exit code 1 if it fails.")]
Params = Annotated[
    list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the run; may be repeated.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or the beginning of it.")]

RunIds = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of runs, or the beginnings of them.")]
Pipelines = Annotated[list[str], typer.Argument(metavar="NAME...", help="Names or ids of pipelines.")]


def pairs(texts: list[str], *, option: str = "--param") -> dict[str, object]:
    """``["k=1", "name=x"]`` as ``{"k": 1, "name": "x"}``; values read as YAML scalars.

    Raises:
        typer.BadParameter: One has no equals sign.
    """
    import yaml

    values: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=option)
        try:
            values[name.strip()] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            values[name.strip()] = value
    return values


def words(text: str) -> list[str]:
    """``"a, b"`` as ``["a", "b"]``."""
    return [word.strip() for word in text.split(",") if word.strip()]


def one_of(known: list[str], value: str | None, option: str) -> str | None:
    """``value`` as it is written in ``known``, whatever its case.

    Raises:
        typer.BadParameter: It is none of them.
    """
    if value is None:
        return None
    for word in known:
        if word.lower() == value.lower():
            return word
    raise typer.BadParameter(f"{value!r} is not one of: {', '.join(known)}.", param_hint=option)


def given(**options: Any) -> dict[str, Any]:
    """Those of the options that were given."""
    return {name: value for name, value in options.items() if value is not None}
