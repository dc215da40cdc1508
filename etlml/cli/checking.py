"""``etlml apply --check``: what is wrong with files, saving nothing; no database is needed."""

from collections.abc import Sequence
from pathlib import Path

import typer


def check(texts: Sequence[tuple[Path, str]], *, as_json: bool) -> None:
    """Say what is wrong with each text, with its line; exit code 1 if anything is."""
    from etlml.cli.output import print_json, print_table
    from etlml.services.yaml_lines import problems_with_lines

    found = [(path, problem) for path, text in texts for problem in problems_with_lines(text)]
    if as_json:
        print_json([{"file": str(path), **problem} for path, problem in found])
    elif found:
        rows = [(str(path), problem["line"], problem["message"]) for path, problem in found]
        print_table(["FILE", "LINE", "WHAT IS WRONG"], rows, empty="")
    else:
        typer.echo("These pipelines can run." if len(texts) > 1 else "This pipeline can run.")
    if found:
        raise typer.Exit(1)
