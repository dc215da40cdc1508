"""What routes share: the services, who asks, pages of lists, repeated requests."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Header, Query, Request, Response
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel

from api.bodies import json_or_yaml
from etlml.documents import Role, RunStatus, TriggerKind
from etlml.errors import NotSignedIn
from etlml.services import Services
from etlml.services.api_keys import PREFIX
from etlml.services.etags import etag
from etlml.services.once import checked_key
from etlml.services.principals import LOCAL, Principal
from etlml.services.run_filter import RunFilter


class Named(Protocol):
    """A document with an id."""

    id: str


T = TypeVar("T")
N = TypeVar("N", bound=Named)
D = TypeVar("D", bound=BaseModel)
MOST_ITEMS = 1000

_bearer = HTTPBearer(auto_error=False, description="A token of POST /api/auth/token, or an API key.")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key.")


def get_services(request: Request) -> Services:
    """The use cases that the app was made with."""
    services: Services = request.app.state.services
    return services


Use = Annotated[Services, Depends(get_services)]


def get_principal(
    services: Use,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    api_key: Annotated[str | None, Depends(_api_key)],
) -> Principal:
    """Who asks.

    Raises:
        NotSignedIn: Sign-in is required, and the credentials are missing or wrong.
    """
    if not services.environment.auth_required:
        return LOCAL
    if api_key is not None:
        return services.api_keys.principal(api_key)
    if bearer is None:
        raise NotSignedIn(
            "Sign in: send a token of POST /api/auth/token as Authorization: Bearer, or a key as X-API-Key."
        )
    if bearer.credentials.startswith(PREFIX):
        return services.api_keys.principal(bearer.credentials)
    return services.tokens.principal(bearer.credentials)


def _at_least(role: Role) -> Callable[[Principal], Principal]:
    def checked(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
        principal.require(role)
        return principal

    return checked


Viewer = Annotated[Principal, Depends(_at_least("viewer"))]
Editor = Annotated[Principal, Depends(_at_least("editor"))]
Operator = Annotated[Principal, Depends(_at_least("operator"))]
Admin = Annotated[Principal, Depends(_at_least("admin"))]


@dataclass(frozen=True)
class Paging:
    """Which part of a list."""

    limit: int
    cursor: str | None


def get_paging(
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before.")] = None,
) -> Paging:
    """Which part of a list was asked for."""
    return Paging(limit, cursor)


Paged = Annotated[Paging, Depends(get_paging)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Since = Annotated[Moment | None, Query(description="From this time on (ISO 8601; UTC without an offset).")]
Until = Annotated[Moment | None, Query(description="Up to this time.")]
Search = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Text to look for.")]
PipelineName = Annotated[str | None, Query(max_length=100, description="Name or id.")]


def get_run_filter(
    pipeline: PipelineName = None,
    status: RunStatus | None = None,
    trigger: TriggerKind | None = None,
    since: Since = None,
    until: Until = None,
    q: Search = None,
    warned: Annotated[bool, Query(description="Only those with warnings.")] = False,
    backfill: Annotated[str | None, Query(max_length=100, description="The id of the backfill that made them.")] = None,
) -> RunFilter:
    """Which runs were asked for."""
    return RunFilter(
        pipeline=pipeline,
        status=status,
        trigger=trigger,
        since=since,
        until=until,
        q=q,
        warned=warned,
        backfill=backfill,
    )


RunsWanted = Annotated[RunFilter, Depends(get_run_filter)]
PipelineDocument = Annotated[dict[str, Any], Depends(json_or_yaml)]


@dataclass(frozen=True)
class Once:
    """Creates a document once for each Idempotency-Key; without a key, each time."""

    services: Services
    response: Response
    key: str | None
    fingerprint: str

    def create(self, *, get: Callable[[str], T], create: Callable[[str | None], T]) -> T:
        """What was created, or what an earlier request with this key created."""
        if self.key is None:
            return create(None)
        document, replayed = self.services.once.create(self.key, self.fingerprint, get=get, create=create)
        if replayed:
            self.response.headers["Idempotency-Replayed"] = "true"
        return document

    def create_at(self, noun: str, *, get: Callable[[str], N], create: Callable[[str | None], N]) -> N:
        """As ``create``, of a document that stays at ``/api/{noun}/{id}``: the answer's Location says so."""
        document = self.create(get=get, create=create)
        self.response.headers["Location"] = f"/api/{noun}/{document.id}"
        return document


IdempotencyKey = Annotated[
    str | None, Header(description="Any text of yours; the same key with the same request creates nothing again.")
]


async def get_once(
    request: Request,
    response: Response,
    services: Use,
    principal: Annotated[Principal, Depends(get_principal)],
    idempotency_key: IdempotencyKey = None,
) -> Once:
    """What a request that creates needs to be repeatable."""
    return await _once(request, response, services, principal.name, idempotency_key)


async def get_open_once(
    request: Request, response: Response, services: Use, idempotency_key: IdempotencyKey = None
) -> Once:
    """The same for a route that works without sign-in: its path holds the secret, and keeps callers apart."""
    return await _once(request, response, services, request.url.path, idempotency_key)


async def _once(request: Request, response: Response, services: Services, caller: str, key: str | None) -> Once:
    if key is None:
        return Once(services, response, None, "")
    request_line = f"{request.method} {request.url.path}\n".encode()
    digest = hashlib.sha256(request_line + await request.body()).hexdigest()
    return Once(services, response, f"{caller}\n{checked_key(key)}", digest)


Repeatable = Annotated[Once, Depends(get_once)]
OpenRepeatable = Annotated[Once, Depends(get_open_once)]


def get_expected_etag(
    if_match: Annotated[
        str | None, Header(description="ETag of what you change; 412 if it was changed in between.")
    ] = None,
) -> str | None:
    """The ETag that the client expects; None if it does not care."""
    if if_match is None or if_match.strip() == "*":
        return None
    return if_match.strip().removeprefix("W/").strip('"')


IfMatch = Annotated[str | None, Depends(get_expected_etag)]


def tagged(response: Response, document: D) -> D:
    """The document; its ETag goes with the answer."""
    response.headers["ETag"] = f'"{etag(document)}"'
    return document
