"""What a button does as curl, as a command and as Python, ready to be copied: pure functions."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

Commands = Mapping[str, str]


def cancel(api: str, run_id: str) -> Commands:
    """Stop a run."""
    return _all("POST", f"{api}/runs/{run_id}/cancel", f"etlml cancel {run_id}")


def retry(api: str, run_id: str, from_: str) -> Commands:
    """Run again from a step, from what failed, or from the start."""
    line = f"etlml retry {run_id}" + ("" if from_ == "failed" else f" --from {shlex.quote(from_)}")
    return _all("POST", f"{api}/runs/{run_id}/retry", line, {"from": from_})


def compare(api: str, before: str, after: str) -> Commands:
    """Compare two runs."""
    return _all("GET", f"{api}/runs/{before}/compare/{after}", f"etlml compare {before} {after}")


def compare_rows(api: str, before: str, after: str, step: str, keys: Sequence[str]) -> Commands:
    """Compare the rows of a step in two runs."""
    names = ",".join(keys)
    line = f"etlml compare {before} {after} --step {shlex.quote(step)} --keys {shlex.quote(names)}"
    return _all("GET", f"{api}/runs/{before}/compare/{after}/steps/{step}?{urlencode({'keys': names})}", line)


def follow(api: str, run_id: str) -> Commands:
    """Look at a run, and follow what it logs."""
    return _all("GET", f"{api}/runs/{run_id}", f"etlml logs {run_id} -f")


def _all(method: str, url: str, line: str, body: Mapping[str, Any] | None = None) -> Commands:
    sent = f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}" if body else ""
    verb = "" if method == "GET" else f" -X {method}"
    given = f", json={body!r}" if body else ""
    python = f"import httpx\n\nreply = httpx.{method.lower()}({url!r}{given})\nprint(reply.json())"
    return {"Command line": line, "curl": f"curl{verb} {shlex.quote(url)}{sent}", "Python": python}
