"""Signing in."""

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Use, Viewer
from api.replies import Request as Body
from api.replies import Token
from etlml.documents import Role
from etlml.errors import NotSignedIn

router = APIRouter(prefix="/auth", tags=["auth"], route_class=StrictRoute)


class TokenRequest(Body):
    """Name and password."""

    username: str = Field(max_length=100)
    password: str = Field(max_length=1024)


class Me(Body):
    """Who asks."""

    name: str
    role: Role


@router.post("/token")
def create_token(services: Use, body: TokenRequest, request: Request) -> Token:
    """A token for a name and a password, good for 12 hours."""
    throttle = services.throttle
    client = request.client.host if request.client else "unknown"
    if wait_s := throttle.wait_s(body.username, client):
        message = f"Too many failed sign-ins. Try again in {wait_s} s."
        raise HTTPException(429, message, headers={"Retry-After": str(wait_s)})
    try:
        principal = services.users.sign_in(body.username, body.password)
    except NotSignedIn:
        throttle.failed(body.username, client)
        raise
    throttle.succeeded(body.username, client)
    return Token.model_validate(services.tokens.issue(principal))


@router.get("/me")
def get_me(principal: Viewer) -> Me:
    """Who the credentials stand for."""
    return Me(name=principal.name, role=principal.role)
