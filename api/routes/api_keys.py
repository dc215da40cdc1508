"""Keys for programs."""

from fastapi import APIRouter
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Admin, Moment, Paged, Repeatable, Use
from api.replies import List, NewKey, PublicKey, Request
from etlml.documents import ApiKey, Role

router = APIRouter(prefix="/api-keys", tags=["API keys"], route_class=StrictRoute)


class KeyRequest(Request):
    """A new key."""

    name: str = Field(min_length=1, max_length=100)
    role: Role = "editor"
    expires_at: Moment | None = None


@router.get("")
def list_keys(services: Use, _: Admin, page: Paged) -> List[PublicKey]:
    """Keys, newest first; the keys themselves cannot be read again."""
    found = services.api_keys.list(limit=page.limit, cursor=page.cursor)
    return List(items=[PublicKey.of(key) for key in found.items], next_cursor=found.next_cursor)


@router.post("", status_code=201)
def create_key(services: Use, admin: Admin, body: KeyRequest, once: Repeatable) -> NewKey:
    """Create a key; the answer shows it, once."""

    def create(new_id: str | None) -> tuple[ApiKey, str | None]:
        return services.api_keys.create(
            body.name, role=body.role, expires_at=body.expires_at, author=admin.name, document_id=new_id
        )

    document, key = once.create(get=lambda key_id: (services.api_keys.get(key_id), None), create=create)
    return NewKey(**PublicKey.of(document).model_dump(), key=key)


@router.get("/{key_id}")
def get_key(services: Use, _: Admin, key_id: str) -> PublicKey:
    """One key, without what could be used."""
    return PublicKey.of(services.api_keys.get(key_id))


@router.delete("/{key_id}", status_code=204)
def delete_key(services: Use, admin: Admin, key_id: str) -> None:
    """Revoke a key; it stops working at once."""
    services.api_keys.delete(key_id, author=admin.name)
