"""An action in words: a command line, curl and Python. Where REST is and how one signs in stands here alone."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from etlml.ui.copy_as.action import EACH, YAML_TYPE, Action, FromEnvironment, Request

KEY = "ETLML_API_KEY"
"""The environment variable with the API key, where sign-in is required."""
_WIDE = 68  # letters; what is wider goes on in further lines


def shown(action: Action, api: str, *, signed_in: bool = False) -> Mapping[str, str]:
    """The three forms, by what they are called.

    Args:
        action: What is done.
        api: Where REST is, e.g. ``http://127.0.0.1:8000/api``.
        signed_in: Whether sign-in is required; the requests then send the API key of ``ETLML_API_KEY``. The command line
            works on the database itself.
    """
    return {
        "Command line": "\n".join(shlex.join(["etlml", *words]) for words in action.commands),
        "curl": "\n".join(curl(each, api, signed_in=signed_in) for each in action.requests),
        "Python": python(action, api, signed_in=signed_in),
    }


def curl(request: Request, api: str, *, signed_in: bool) -> str:
    """A request for a POSIX shell."""
    url = _url(request, api)
    if request.each:  # curl's own way to write several URLs
        url = url.replace(EACH, "{" + ",".join(request.each) + "}")
    words = [f"-X {request.method}"] if request.method != "GET" else []
    words += [shlex.quote(url), *_headers(request, signed_in=signed_in)]
    if request.body is not None:
        words.append(f"-d {_quoted_body(request.body)}")
    if request.sends:
        words.append(f"--data-binary {shlex.quote('@' + request.sends)}")
    if request.uploads:
        words.append(f"-F {shlex.quote('file=@' + request.uploads)}")
    if request.saves:
        words.append(f"-o {shlex.quote(request.saves)}")
    line = f"curl {' '.join(words)}"
    if len(line) <= _WIDE:
        return line
    at = 2 if request.method != "GET" else 1
    return " \\\n  ".join([f"curl {' '.join(words[:at])}", *words[at:]])


def _headers(request: Request, *, signed_in: bool) -> Iterator[str]:
    if signed_in:
        yield f'-H "X-API-Key: ${KEY}"'
    if request.accept:
        yield f"-H 'Accept: {request.accept}'"
    if request.body is not None:
        yield "-H 'Content-Type: application/json'"
    if request.sends:
        yield f"-H 'Content-Type: {YAML_TYPE}'"


def _quoted_body(body: Any) -> str:
    """JSON as one word of a shell; what comes from the environment is left for the shell to put in."""
    marks = {name: f"\x01{name}\x01" for name in names_from_environment(body)}
    text = shlex.quote(json.dumps(_replaced(body, marks), ensure_ascii=False))
    for name, mark in marks.items():
        text = text.replace(json.dumps(mark)[1:-1], f"'\"${name}\"'")
    return text


def python(action: Action, api: str, *, signed_in: bool) -> str:
    """The requests as a program with httpx."""
    blocks = [_python(request, api, signed_in=signed_in) for request in action.requests]
    text = "\n".join(blocks)
    imports = [name for name in ("os", "pathlib") if f"{name}." in text]
    heads = [f"import {name}" for name in imports] + ([""] if imports else [])
    return "\n".join([*heads, "import httpx", "", text])


def _python(request: Request, api: str, *, signed_in: bool) -> str:
    url = _url(request, api)
    headers: dict[str, str] = {"X-API-Key": FromEnvironment(KEY)} if signed_in else {}
    headers |= {"Accept": request.accept} if request.accept else {}
    headers |= {"Content-Type": YAML_TYPE} if request.sends else {}
    given = [f"f{_literal(url)}" if request.each else _literal(url)]
    given += [f"json={_literal(request.body)}"] if request.body is not None else []
    given += [f"content=pathlib.Path({_literal(request.sends)}).read_bytes()"] if request.sends else []
    given += [f'files={{"file": open({_literal(request.uploads)}, "rb")}}'] if request.uploads else []
    given += [f"headers={_literal(headers)}"] if headers else []
    given += ["timeout=600"] if request.uploads or request.saves else []
    call = ", ".join(given)
    if len(f"reply = httpx.{request.method.lower()}({call})") > _WIDE and len(given) > 1:
        call = "\n    " + ",\n    ".join(given) + ",\n"
    lines = [f"reply = httpx.{request.method.lower()}({call})", "reply.raise_for_status()"]
    if request.saves:
        lines.append(f"pathlib.Path({_literal(request.saves)}).write_bytes(reply.content)")
    elif request.method != "DELETE":
        lines.append("print(reply.json())")
    text = "\n".join(lines)
    if not request.each:
        return text
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return f"for each in {_literal(list(request.each))}:\n{indented}"


def _url(request: Request, api: str) -> str:
    return f"{api}{request.path}" + (f"?{urlencode(request.query)}" if request.query else "")


def _literal(value: Any) -> str:
    """A value as Python writes it, texts in double quotes."""
    if isinstance(value, FromEnvironment):
        return f'os.environ["{value!s}"]'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(str(key))}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)


def names_from_environment(value: Any) -> list[str]:
    """The environment variables that a body needs."""
    if isinstance(value, FromEnvironment):
        return [str(value)]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [name for each in inner for name in names_from_environment(each)]


def _replaced(value: Any, marks: Mapping[str, str]) -> Any:
    if isinstance(value, FromEnvironment):
        return marks[str(value)]
    if isinstance(value, Mapping):
        return {key: _replaced(item, marks) for key, item in value.items()}
    return [_replaced(each, marks) for each in value] if isinstance(value, list | tuple) else value
