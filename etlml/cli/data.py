"""Data quality: validate."""

from pathlib import Path
from typing import Annotated, Any

import typer

from etlml.cli.options import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    data: Annotated[Path, typer.Argument(help="File to check: CSV, TSV, JSON, JSON Lines, Parquet or Excel.")],
    rules: Annotated[
        str, typer.Option("--rules", "-r", help="YAML or JSON file with the list of rules, or the list itself: '[…]'.")
    ],
    save: Annotated[bool, typer.Option("--save", help="Keep the outcome among the validations.")] = False,
    as_json: Json = False,
) -> None:
    """Check a file against rules. Exit code 1 if a rule of severity error or critical is broken."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    checked = rules_of(rules)
    with services() as opened:
        path = data.expanduser().resolve() if data.exists() else data  # else it may lie in ETLML_HOME/data
        outcome = opened.validations.run(str(path), checked, save=save)
    if as_json:
        print_json(outcome)
    else:
        rows = [
            (
                result.rule,
                result.column or "",
                result.severity,
                "ok" if result.success else "broken",
                f"{result.failed:,} of {result.checked:,}",
            )
            for result in outcome.rules
        ]
        print_table(["RULE", "COLUMN", "SEVERITY", "RESULT", "FAILED"], rows, empty="The file names no rules.")
        colour = {"passed": "green", "warning": "yellow"}.get(outcome.status, "red")
        typer.secho(f"{data.name}: {outcome.status}, score {outcome.score:.1%}, {outcome.row_count:,} rows", fg=colour)
    if outcome.status == "failed":
        raise typer.Exit(1)


def rules_of(path: str) -> list[dict[str, Any]]:
    """The rules in a file: a list, or a mapping with the list under ``rules``; or a list that is written out.

    Raises:
        typer.BadParameter: It is neither, or cannot be read.
    """
    import yaml

    from etlml.cli.pipelines import text_of

    try:
        document = yaml.safe_load(path if path.startswith("[") else text_of(Path(path)))
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{path} is not YAML: {error}", param_hint="--rules") from None
    found = document.get("rules") if isinstance(document, dict) else document
    if not isinstance(found, list) or not all(isinstance(rule, dict) for rule in found):
        raise typer.BadParameter(
            f"{path} has no list of rules. Write one a line: - {{rule: not_null, column: id}}", param_hint="--rules"
        )
    return found
