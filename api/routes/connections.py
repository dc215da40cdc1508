"""Connections: named access to outside systems."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import IfMatch, Operator, Paged, Repeatable, Search, Use, Viewer, tagged
from api.replies import List, Request, TestReply
from etlml.documents import Connection

router = APIRouter(prefix="/connections", tags=["connections"], route_class=StrictRoute)


class ConnectionRequest(Request):
    """A connection; a secret is a reference such as ``${secret.NAME}``, whose value is in the environment."""

    name: str
    kind: str
    config: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    description: str = ""


@router.get("")
def list_connections(
    services: Use,
    _: Viewer,
    page: Paged,
    q: Search = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
) -> List[Connection]:
    """Connections, newest first."""
    return List.of(services.connections.list(q=q, kind=kind, limit=page.limit, cursor=page.cursor))


@router.post("", status_code=201)
def create_connection(
    services: Use, operator: Operator, body: ConnectionRequest, once: Repeatable, response: Response
) -> Connection:
    """Save a new connection."""
    connection = once.create_at(
        "connections",
        get=services.connections.get,
        create=lambda new_id: services.connections.create(body.model_dump(), author=operator.name, document_id=new_id),
    )
    return tagged(response, connection)


@router.get("/{connection_id}")
def get_connection(services: Use, _: Viewer, connection_id: str, response: Response) -> Connection:
    """One connection, by id or name."""
    return tagged(response, services.connections.get(connection_id))


@router.put("/{connection_id}")
def update_connection(
    services: Use,
    operator: Operator,
    connection_id: str,
    body: ConnectionRequest,
    if_match: IfMatch,
    response: Response,
) -> Connection:
    """Replace a connection."""
    connection = services.connections.update(
        connection_id, body.model_dump(), expected_etag=if_match, author=operator.name
    )
    return tagged(response, connection)


@router.delete("/{connection_id}", status_code=204)
def delete_connection(services: Use, operator: Operator, connection_id: str) -> None:
    """Delete a connection that no pipeline uses."""
    services.connections.delete(connection_id, author=operator.name)


@router.post("/{connection_id}/test")
def check_connection(services: Use, _: Operator, connection_id: str) -> TestReply:
    """Try to reach what is behind it; a failure is the answer, not an error."""
    return TestReply.model_validate(services.connections.test(connection_id))
