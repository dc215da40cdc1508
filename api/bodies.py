"""Request bodies: bounded, of a kind that is understood, and JSON that can be stored as it is."""

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from etlml.errors import InvalidInput
from etlml.services.plain import checked_plain
from etlml.services.yaml_text import from_yaml
from etlml.sizes import size

LARGEST_BODY = 16 * 10**6
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})


class StrictRequest(Request):
    """A request whose body is read once, up to a size, and parsed strictly."""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def body(self) -> bytes:
        """The body's bytes; 413 if there are too many, 415 if they are neither JSON nor YAML."""
        if not hasattr(self, "_body"):
            self._body = await self._bounded()
            if self._body and not self._is_understood():
                given = repr(self.media_type[:60]) if self.media_type else "missing"
                raise HTTPException(415, f"Content-Type is {given}. Send JSON with Content-Type: application/json.")
        return self._body

    async def json(self) -> Any:
        """The body as JSON; what could not be stored is refused."""
        if not hasattr(self, "_json"):
            self._json = _strict_json(await self.body())
        return self._json

    async def _bounded(self) -> bytes:
        message = f"The body is larger than {size(LARGEST_BODY)}. Put data into files and send their paths."
        length = self.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > LARGEST_BODY:
            raise HTTPException(413, message)
        chunks, received = list[bytes](), 0
        async for chunk in self.stream():
            received += len(chunk)
            if received > LARGEST_BODY:
                raise HTTPException(413, message)
            chunks.append(chunk)
        return b"".join(chunks)

    def _is_understood(self) -> bool:
        kind = self.media_type
        return (
            kind == "application/json"
            or (kind.startswith("application/") and kind.endswith("+json"))
            or kind in YAML_TYPES
        )


class StrictRoute(APIRoute):
    """A route whose requests are strict."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a strict request."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


async def json_or_yaml(request: Request) -> dict[str, Any]:
    """The mapping in a body of JSON or YAML, for routes that take either."""
    strict = request if isinstance(request, StrictRequest) else StrictRequest(request.scope, request.receive)
    body = await strict.body()
    if strict.media_type in YAML_TYPES:
        return from_yaml(body)
    try:
        document = await strict.json()
    except json.JSONDecodeError as error:
        complaint = {"type": "json_invalid", "loc": ("body", error.pos), "msg": error.msg, "ctx": {"error": error.msg}}
        raise RequestValidationError([complaint]) from None
    if not isinstance(document, dict):
        raise InvalidInput(
            f'The body is {_kind(document)}; a mapping is needed, such as {{"name": ..., "steps": [...]}}.'
        )
    return document


def _strict_json(body: bytes) -> Any:
    try:
        document = json.loads(
            body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded_int
        )
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("the text is not UTF-8", "", error.start) from None
    except RecursionError:
        raise HTTPException(400, "The body nests too deeply. Flatten it.") from None
    except _Unfit as error:
        raise HTTPException(422, str(error)) from None
    try:
        return checked_plain(document, where="the body")
    except InvalidInput as error:
        raise HTTPException(422, error.message) from None


class _Unfit(Exception):
    """A number that JSON can write and nothing can keep."""


def _no_constant(name: str) -> float:
    raise _Unfit(f"The body holds {name}, which is no JSON number. Leave it out or write null.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Unfit("The body holds a number beyond the range of 64-bit floats. Write it as text.")
    return number


def _bounded_int(text: str) -> int:
    if len(text) > 20:
        raise _Unfit("The body holds an integer beyond 64 bits. Write it as text.")
    return int(text)


def _kind(document: Any) -> str:
    return "null" if document is None else f"a {type(document).__name__}"
