"""Secrets: written, replaced, removed, never shown."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.bodies import StrictRoute
from api.deps import Admin, Editor, Use
from api.replies import Request

router = APIRouter(prefix="/secrets", tags=["secrets"], route_class=StrictRoute)


class SecretRequest(Request):
    """A secret's value."""

    value: str = Field(description="Stored in ETLML_HOME, readable by its owner only; it never comes back.")


class SecretReply(BaseModel):
    """That a secret is there."""

    name: str
    kept: Literal["environment", "stored"]


class SecretList(BaseModel):
    """All secrets."""

    items: list[SecretReply]


@router.get("")
def list_secrets(services: Use, _: Editor) -> SecretList:
    """The names of all secrets, and where they are kept."""
    return SecretList(items=[SecretReply(name=one.name, kept=one.kept) for one in services.secrets.list()])


@router.put("/{name}")
def set_secret(services: Use, admin: Admin, name: str, body: SecretRequest) -> SecretReply:
    """Store a secret, in the place of the one of that name if there is one."""
    kept = services.secrets.set(name, body.value, author=admin.name)
    return SecretReply(name=kept.name, kept=kept.kept)


@router.delete("/{name}", status_code=204)
def delete_secret(services: Use, admin: Admin, name: str) -> None:
    """Remove a stored secret."""
    services.secrets.delete(name, author=admin.name)
